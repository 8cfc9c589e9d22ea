//! Requests.

use flow_model::{Message, RequestReading, Role, Tool};
use serde_json::{Map, Value};

use crate::dialects::{Ask, Depth};
use crate::json::{Json, Kind, lossy};

use super::{blocks, owned};

/// Reads a request, whose path names the model and asks for a stream or not.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        let (model, stream) = asked_in(path);
        reading.model = model;
        reading.stream = stream;
    })
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("messages", Kind::Array) => ask.messages(json, one_message),
        ("messages", _) => {
            ask.unexpected(json, "messages");
            ask.parameter(name, json);
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        ("system", Kind::Array | Kind::String) => blocks(json, &mut ask.reading.system),
        ("toolConfig", Kind::Object) => tool_config(name, json, ask),
        _ => ask.parameter(name, json),
    }
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    if !json.object() {
        ask.unexpected(json, "a message");
        return;
    }
    let mut word = String::new();
    let mut parts = Vec::new();
    while let Some(name) = json.member() {
        match name.as_ref() {
            "role" => word = json.owned().unwrap_or_default(),
            "content" => blocks(json, &mut parts),
            _ => {}
        }
    }
    let role = match word.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => Role::Other,
    };
    ask.reading.messages.push(Message {
        role,
        name: (role == Role::Other).then_some(word),
        parts,
    });
}

/// Reads the tools. What stands beside them, such as the choice among them, stays a parameter.
fn tool_config(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    let mut beside = Map::new();
    json.object();
    while let Some(name) = json.member() {
        if name == "tools" && json.array() {
            tools("toolSpec", json, &mut ask.reading.tools);
        } else {
            beside.insert(name.into_owned(), json.value());
        }
    }
    if !beside.is_empty() {
        let parameters = &mut ask.reading.parameters;
        parameters.insert(name.to_owned(), Value::Object(beside));
    }
}

/// Reads the entries of a list of tools that was entered. `spec` names what holds a tool of the program.
pub(in crate::dialects) fn tools(spec: &str, json: &mut Json<'_>, tools: &mut Vec<Tool>) {
    while json.element() {
        let whole = *json;
        let start = json.offset();
        if !json.object() {
            tools.push(provided(whole, None));
            continue;
        }
        let before = tools.len();
        while let Some(name) = json.member() {
            if name == spec {
                tools.extend(tool(json));
            } else if let ("cachePoint", Some(last)) = (name.as_ref(), tools.last_mut()) {
                last.cache = Some(json.verbatim());
            } else if tools.len() == before {
                let inner = json.fields(["name"]).and_then(|[name]| owned(name));
                // An entry may name itself, or hold what has a name.
                let named = match name.as_ref() {
                    "type" | "name" => json.owned(),
                    _ => inner,
                };
                tools.push(provided(whole, named.or_else(|| Some(name.into_owned()))));
            }
        }
        let bytes = json.end_offset().saturating_sub(start);
        for tool in tools.iter_mut().skip(before) {
            tool.bytes = bytes;
        }
    }
}

/// Returns a tool that the provider runs.
fn provided(mut whole: Json<'_>, name: Option<String>) -> Tool {
    Tool {
        name: name.unwrap_or_default(),
        description: None,
        bytes: whole.width() as u64,
        schema: Some(whole.verbatim()),
        server: true,
        cache: None,
    }
}

fn tool(json: &mut Json<'_>) -> Option<Tool> {
    let names = ["name", "description", "inputSchema"];
    let [name, description, schema] = json.fields(names)?;
    let inner = schema.and_then(|mut schema| schema.fields(["json"]));
    let schema = inner.and_then(|[inner]| inner).or(schema);
    Some(Tool {
        name: owned(name).unwrap_or_default(),
        description: owned(description),
        schema: schema.map(|mut schema| schema.verbatim()),
        bytes: 0,
        server: false,
        cache: None,
    })
}

/// Returns the model that a path names, and whether it asks for a stream.
pub(crate) fn asked_in(path: &str) -> (Option<String>, Option<bool>) {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let Some((_, rest)) = path.split_once("/model/") else {
        return (None, None);
    };
    let rest = rest.trim_end_matches('/');
    let (model, last) = rest.rsplit_once('/').unwrap_or((rest, ""));
    let stream = match last {
        "converse-stream" | "invoke-with-response-stream" => Some(true),
        "converse" | "invoke" => Some(false),
        _ => None,
    };
    ((!model.is_empty()).then(|| percent_decoded(model)), stream)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(b'%'));
        rest = match byte {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    lossy(&bytes).into_owned()
}
