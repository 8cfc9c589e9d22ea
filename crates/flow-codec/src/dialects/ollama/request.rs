//! Requests.

use flow_model::{Message, Part, RequestReading, Role};

use crate::dialects::openai_chat::tool;
use crate::dialects::{Ask, Depth, other_part, text_part};
use crate::json::{Json, Kind};

use super::{image, tool_call};

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("messages", Kind::Array) => ask.messages(json, one_message),
        ("prompt", Kind::String) if json.width() > 2 => {
            let text = text_part(json.owned().unwrap_or_default());
            prompt(ask, |parts| parts.insert(0, text));
        }
        ("images", Kind::Array) if !is_empty(*json) => {
            prompt(ask, |parts| images(json, parts));
        }
        ("messages", _) => {
            ask.unexpected(json, "messages");
            ask.parameter(name, json);
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        ("system", Kind::String) if json.width() > 2 => {
            let text = json.owned().unwrap_or_default();
            ask.reading.system.push(text_part(text));
        }
        ("tools", Kind::Array) => {
            json.array();
            while json.element() {
                ask.reading.tools.extend(tool(json));
            }
        }
        _ => ask.parameter(name, json),
    }
}

fn is_empty(mut json: Json<'_>) -> bool {
    json.array() && !json.element()
}

/// Adds to the one message that `prompt` and the `images` beside it make.
fn prompt(ask: &mut Ask, add: impl FnOnce(&mut Vec<Part>)) {
    let mut message = ask.reading.messages.pop().unwrap_or(Message {
        role: Role::User,
        name: None,
        parts: Vec::new(),
    });
    add(&mut message.parts);
    ask.reading.messages.push(message);
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    match json.kind() {
        Kind::Object => ask.reading.messages.push(message(json)),
        _ => ask.unexpected(json, "a message"),
    }
}

/// What a message holds.
#[derive(Default)]
struct Members {
    role: String,
    name: Option<String>,
    tool_name: Option<String>,
    call_id: Option<String>,
    thinking: Option<String>,
    said: Vec<Part>,
    calls: Vec<Part>,
    /// What has no place of its own.
    rest: Vec<Part>,
}

fn message(json: &mut Json<'_>) -> Message {
    let mut found = Members::default();
    json.object();
    while let Some(member) = json.member() {
        match (member.as_ref(), json.kind()) {
            ("role", Kind::String) => found.role = json.owned().unwrap_or_default(),
            ("content", Kind::String) => {
                let text = json.owned().filter(|text| !text.is_empty());
                // Images may stand before the text that speaks of them; they are shown behind it.
                found.said.splice(0..0, text.map(text_part));
            }
            ("thinking", Kind::String) => found.thinking = json.owned(),
            ("images", Kind::Array) => images(json, &mut found.said),
            ("tool_calls", Kind::Array) => {
                json.array();
                while json.element() {
                    found.calls.extend(tool_call(json));
                }
            }
            ("tool_name", Kind::String) => found.tool_name = json.owned(),
            ("tool_call_id", Kind::String) => found.call_id = json.owned(),
            ("name", Kind::String) => found.name = json.owned(),
            (_, Kind::Null | Kind::None) => json.skip(),
            (member, _) => found.rest.push(other_part(member, json.verbatim())),
        }
    }
    assemble(found)
}

fn assemble(mut found: Members) -> Message {
    let role = match found.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => Role::Other,
    };
    let mut parts = Vec::new();
    let thinking = found.thinking.filter(|text| !text.is_empty());
    parts.extend(thinking.map(|text| Part::Thinking {
        text,
        signed: false,
        redacted: false,
    }));
    if role == Role::Tool {
        parts.push(Part::ToolResult {
            call_id: found.call_id,
            name: found.tool_name.or_else(|| found.name.take()),
            content: found.said,
            is_error: false,
            server: false,
        });
    } else {
        parts.append(&mut found.said);
    }
    parts.append(&mut found.calls);
    parts.append(&mut found.rest);
    let name = match role {
        Role::Other => Some(found.role),
        _ => found.name,
    };
    Message { role, name, parts }
}

/// Reads images: base64, or what else stands in their place.
fn images(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    json.array();
    while json.element() {
        let mut again = *json;
        match image(json) {
            Some(image) => parts.push(image),
            None => parts.push(other_part("image", again.verbatim())),
        }
    }
}
