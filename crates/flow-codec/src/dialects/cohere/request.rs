//! Requests of both versions.

use flow_model::{Message, Part, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth, arguments, other_part, raws, text_part, url_media};
use crate::json::{Json, Kind};

use super::first::call_part;

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("messages", Kind::Array) => ask.messages(json, one_message),
        ("messages", _) => {
            ask.unexpected(json, "messages");
            ask.parameter(name, json);
        }
        ("message" | "prompt", Kind::String) if json.width() > 2 => {
            let text = json.owned().unwrap_or_default();
            ask.reading
                .messages
                .push(spoken(Role::User, None, vec![text_part(text)]));
        }
        ("chat_history", Kind::Array) => {
            // It comes before what is said now, wherever it stands.
            let now = std::mem::take(&mut ask.reading.messages);
            ask.messages(json, one_turn);
            ask.reading.messages.extend(now);
        }
        ("tool_results", Kind::Array) if !is_empty(*json) => {
            let parts = results(json);
            ask.reading.messages.push(spoken(Role::Tool, None, parts));
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        ("preamble", Kind::String) if json.width() > 2 => {
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

fn spoken(role: Role, name: Option<String>, parts: Vec<Part>) -> Message {
    Message { role, name, parts }
}

/// Returns the role that a word of either version names.
fn role(word: &str) -> Role {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("user") {
        Role::User
    } else if is("chatbot") || is("assistant") {
        Role::Assistant
    } else if is("system") {
        Role::System
    } else if is("tool") {
        Role::Tool
    } else {
        Role::Other
    }
}

// === The first version ===

/// Reads an entry of `chat_history`.
fn one_turn(json: &mut Json<'_>, ask: &mut Ask) {
    if !json.object() {
        return ask.unexpected(json, "a turn of the history");
    }
    let (mut word, mut parts) = (String::new(), Vec::new());
    let (mut calls, mut rest) = (Vec::new(), Vec::new());
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("role" | "user_name", Kind::String) if word.is_empty() => {
                word = json.owned().unwrap_or_default();
            }
            ("message", Kind::String) => {
                let text = json.owned().filter(|text| !text.is_empty());
                parts.extend(text.map(text_part));
            }
            ("tool_calls", Kind::Array) => {
                json.array();
                while json.element() {
                    calls.extend(call_part(json));
                }
            }
            ("tool_results", Kind::Array) => parts.append(&mut results(json)),
            (_, Kind::Null | Kind::None) => json.skip(),
            (name, _) => rest.push(other_part(name, json.verbatim())),
        }
    }
    parts.append(&mut calls);
    parts.append(&mut rest);
    let role = role(&word);
    let name = (role == Role::Other).then_some(word);
    ask.reading.messages.push(spoken(role, name, parts));
}

/// Reads results of tools. Each has the call that it answers, for calls have no ids.
fn results(json: &mut Json<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    json.array();
    while json.element() {
        let mut whole = *json;
        let Some([Some(mut call), outputs]) = json.fields(["call", "outputs"]) else {
            parts.push(other_part("tool_result", whole.verbatim()));
            continue;
        };
        let call = call_part(&mut call);
        let name = match &call {
            Some(Part::ToolCall { name, .. }) => Some(name.clone()),
            _ => None,
        };
        let mut content = Vec::new();
        if let Some(mut outputs) = outputs {
            if outputs.kind() == Kind::Array {
                outputs.array();
                while outputs.element() {
                    content.push(text_part(arguments(&mut outputs)));
                }
            } else {
                content.push(text_part(arguments(&mut outputs)));
            }
        }
        parts.extend(call);
        parts.push(Part::ToolResult {
            call_id: None,
            name,
            content,
            is_error: false,
            server: false,
        });
    }
    parts
}

/// Reads a tool of either version.
fn tool(json: &mut Json<'_>) -> Option<Tool> {
    let mut peeked = *json;
    if let Some([Some(_)]) = peeked.fields(["function"]) {
        return crate::dialects::openai_chat::tool(json);
    }
    let start = json.offset();
    let names = ["name", "description", "parameter_definitions"];
    let [name, description, schema] = json.fields(names)?;
    Some(Tool {
        name: name.and_then(|mut name| name.owned()).unwrap_or_default(),
        description: description.and_then(|mut text| text.owned()),
        schema: schema.map(|mut schema| schema.verbatim()),
        bytes: json.end_offset().saturating_sub(start),
        server: false,
        cache: None,
    })
}

// === The second version ===

/// What a message holds.
#[derive(Default)]
struct Members {
    role: String,
    plan: Vec<Part>,
    said: Vec<Part>,
    calls: Vec<Part>,
    call_id: Option<String>,
    citations: Vec<flow_model::Raw>,
    /// What has no place of its own.
    rest: Vec<Part>,
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    if !json.object() {
        return ask.unexpected(json, "a message");
    }
    let mut found = Members::default();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("role", Kind::String) => found.role = json.owned().unwrap_or_default(),
            ("content", Kind::String | Kind::Array) => content(json, &mut found.said),
            ("tool_call_id", Kind::String) => found.call_id = json.owned(),
            ("tool_calls", Kind::Array) => {
                json.array();
                while json.element() {
                    found.calls.extend(call(json));
                }
            }
            ("tool_plan", Kind::String) if json.width() > 2 => {
                found.plan.push(other_part("tool_plan", json.verbatim()));
            }
            ("citations", Kind::Array) => found.citations = raws(Some(*json)),
            ("tool_plan", _) | (_, Kind::Null | Kind::None) => json.skip(),
            (name, _) => found.rest.push(other_part(name, json.verbatim())),
        }
    }
    ask.reading.messages.push(assemble(found));
}

fn assemble(mut found: Members) -> Message {
    let role = role(&found.role);
    let last = found.said.iter_mut().rev().find_map(|part| match part {
        Part::Text { citations, .. } => Some(citations),
        _ => None,
    });
    match last {
        Some(citations) => citations.append(&mut found.citations),
        None => {
            let citations = found.citations.into_iter();
            found
                .rest
                .extend(citations.map(|raw| other_part("citation", raw)));
        }
    }
    let mut parts = found.plan;
    if role == Role::Tool {
        parts.push(Part::ToolResult {
            call_id: found.call_id,
            name: None,
            content: found.said,
            is_error: false,
            server: false,
        });
    } else {
        parts.append(&mut found.said);
    }
    parts.append(&mut found.calls);
    parts.append(&mut found.rest);
    let name = (role == Role::Other).then_some(found.role);
    spoken(role, name, parts)
}

/// Reads content: a text, or a list of parts.
fn content(json: &mut Json<'_>, said: &mut Vec<Part>) {
    if json.kind() == Kind::String {
        let text = json.owned().filter(|text| !text.is_empty());
        said.extend(text.map(text_part));
        return;
    }
    json.array();
    while json.element() {
        let mut whole = *json;
        let names = ["type", "text", "thinking", "image_url"];
        let Some([kind, text, thinking, image]) = json.fields(names) else {
            said.push(other_part("unknown", whole.verbatim()));
            continue;
        };
        let kind = kind.and_then(|mut kind| kind.owned()).unwrap_or_default();
        let part = match (kind.as_str(), text, thinking, image) {
            ("text" | "", Some(mut text), ..) => text.owned().map(text_part),
            ("thinking", _, Some(mut thinking), _) => thinking.owned().map(|text| Part::Thinking {
                text,
                signed: false,
                redacted: false,
            }),
            ("image_url", .., Some(mut image)) => picture(&mut image),
            _ => None,
        };
        said.push(part.unwrap_or_else(|| other_part(&kind, whole.verbatim())));
    }
}

/// Reads an image: an address or a `data:` URL, as a string or as `{"url": …}`.
fn picture(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let url = match json.string() {
        Some(url) => url,
        None => {
            let [url] = json.fields(["url"])?;
            url?.string()?
        }
    };
    Some(Part::Image {
        media: url_media(url, document),
    })
}

/// Reads a call, which has the shape of OpenAI's.
fn call(json: &mut Json<'_>) -> Option<Part> {
    let [id, function] = json.fields(["id", "function"])?;
    let [name, given] = function?.fields(["name", "arguments"])?;
    Some(Part::ToolCall {
        id: id.and_then(|mut id| id.word()),
        name: name.and_then(|mut name| name.owned()).unwrap_or_default(),
        arguments: given.map_or_else(String::new, |mut given| arguments(&mut given)),
        server: false,
    })
}
