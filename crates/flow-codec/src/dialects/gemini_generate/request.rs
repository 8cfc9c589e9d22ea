//! Requests.

use flow_model::{Message, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth, text_part};
use crate::json::{Json, Kind};

use super::{fields, owned, read_parts, same_name};

/// The members of an entry of `tools` that hold functions of the program.
const DECLARATIONS: &str = "functionDeclarations";

/// Reads a request, whose path names the model and asks for a stream or not.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        let (model, stream) = asked_in(path);
        reading.model = model.or(reading.model.take());
        reading.stream = stream;
    })
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    let is = |known: &str| same_name(name, known);
    match json.kind() {
        Kind::String if is("model") => {
            let model = json.owned().unwrap_or_default();
            let short = model.rsplit('/').next().unwrap_or(&model);
            ask.reading.model = Some(short.to_owned());
        }
        Kind::Array if is("contents") => ask.messages(json, one_content),
        Kind::Object | Kind::String if is("contents") => one_content(json, ask),
        _ if ask.depth == Depth::Skim => json.skip(),
        Kind::Object | Kind::Array | Kind::String if is("systemInstruction") => {
            ask.reading.system = content(json).parts;
        }
        Kind::Array if is("tools") => {
            json.array();
            while json.element() {
                tools(json, ask);
            }
        }
        Kind::Object if is("tools") => tools(json, ask),
        _ => {
            if is("contents") {
                ask.unexpected(json, "contents");
            }
            ask.parameter(name, json);
        }
    }
}

fn one_content(json: &mut Json<'_>, ask: &mut Ask) {
    ask.reading.messages.push(content(json));
}

/// Reads a content: a role and its parts, or a text alone.
pub(crate) fn content(json: &mut Json<'_>) -> Message {
    let mut message = Message {
        role: Role::User,
        name: None,
        parts: Vec::new(),
    };
    if let Some(text) = json.owned() {
        message.parts.push(text_part(text));
        return message;
    }
    let mut each = |part| message.parts.push(part);
    if json.kind() == Kind::Array {
        read_parts(json, &mut each);
        return message;
    }
    let Some([role, parts]) = fields(json, ["role", "parts"]) else {
        return message;
    };
    if let Some(mut parts) = parts {
        read_parts(&mut parts, &mut each);
    }
    match owned(role).as_deref() {
        None | Some("user" | "") => {}
        Some("model") => message.role = Role::Assistant,
        Some("function" | "tool") => message.role = Role::Tool,
        Some("system") => message.role = Role::System,
        Some(word) => {
            message.role = Role::Other;
            message.name = Some(word.to_owned());
        }
    }
    message
}

/// Reads one entry of `tools`: functions of the program, or tools of the provider by name.
fn tools(json: &mut Json<'_>, ask: &mut Ask) {
    if !json.object() {
        return;
    }
    while let Some(name) = json.member() {
        if same_name(&name, DECLARATIONS) && json.array() {
            while json.element() {
                ask.reading.tools.extend(declaration(json));
            }
            continue;
        }
        if json.kind() == Kind::Null {
            continue;
        }
        let bytes = json.width() as u64;
        ask.reading.tools.push(Tool {
            name: name.into_owned(),
            description: None,
            schema: Some(json.verbatim()),
            bytes,
            server: true,
            cache: None,
        });
    }
}

fn declaration(json: &mut Json<'_>) -> Option<Tool> {
    let start = json.offset();
    if !json.object() {
        return None;
    }
    let (mut title, mut description, mut schema) = (None, None, None);
    while let Some(name) = json.member() {
        let is = |known: &str| same_name(&name, known);
        match json.kind() {
            Kind::String if is("name") => title = json.owned(),
            Kind::String if is("description") => description = json.owned(),
            Kind::Object if is("parameters") || is("parametersJsonSchema") => {
                schema = Some(json.verbatim());
            }
            _ => {}
        }
    }
    Some(Tool {
        name: title.unwrap_or_default(),
        description,
        schema,
        bytes: json.end_offset().saturating_sub(start),
        server: false,
        cache: None,
    })
}

/// Returns the model and the wish for a stream that a path holds.
fn asked_in(path: &str) -> (Option<String>, Option<bool>) {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let last = path.rsplit('/').next().unwrap_or(path);
    let Some((model, method)) = last.rsplit_once(':') else {
        return (None, None);
    };
    let stream = match method {
        "streamGenerateContent" => Some(true),
        "generateContent" => Some(false),
        _ => None,
    };
    ((!model.is_empty()).then(|| model.to_owned()), stream)
}
