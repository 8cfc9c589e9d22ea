//! Requests.

use flow_model::{Message, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth};
use crate::json::{Json, Kind};

use super::content;

/// Reads a request. `path` names the model where the body does not, as at Vertex.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        if reading.model.is_none() {
            reading.model = model_in(path);
        }
    })
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    match json.kind() {
        Kind::Object => ask.reading.messages.push(message(json)),
        _ => ask.unexpected(json, "a message"),
    }
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
        _ if ask.depth == Depth::Skim => json.skip(),
        ("system", Kind::String | Kind::Array) => {
            content(json, &mut |part| ask.reading.system.push(part));
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

fn message(json: &mut Json<'_>) -> Message {
    let mut word = String::new();
    let mut parts = Vec::new();
    json.object();
    while let Some(name) = json.member() {
        match name.as_ref() {
            "role" => word = json.owned().unwrap_or_default(),
            "content" => content(json, &mut |part| parts.push(part)),
            _ => {}
        }
    }
    let role = match word.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => Role::Other,
    };
    Message {
        role,
        name: (role == Role::Other).then_some(word),
        parts,
    }
}

fn tool(json: &mut Json<'_>) -> Option<Tool> {
    let mut whole = *json;
    let start = json.offset();
    if !json.object() {
        return None;
    }
    let (mut kind, mut title, mut description) = (None, None, None);
    let (mut schema, mut cache) = (None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "type" => kind = json.owned(),
            "name" => title = json.owned(),
            "description" => description = json.owned(),
            "cache_control" if json.kind() != Kind::Null => cache = Some(json.verbatim()),
            "input_schema" if json.kind() != Kind::Null => schema = Some(json.verbatim()),
            _ => {}
        }
    }
    let bytes = json.end_offset().saturating_sub(start);
    // A tool of the provider has a dated type and no schema.
    let server = schema.is_none() && kind.as_deref().is_some_and(|kind| kind != "custom");
    Some(Tool {
        name: title.or(kind).unwrap_or_default(),
        description,
        schema: if server {
            Some(whole.verbatim())
        } else {
            schema
        },
        bytes,
        server,
        cache,
    })
}

/// Returns the model that Vertex's path names.
fn model_in(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/publishers/anthropic/models/")?;
    let name = rest.split(['/', ':', '?']).next()?;
    (!name.is_empty()).then(|| name.to_owned())
}
