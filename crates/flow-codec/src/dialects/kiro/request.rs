//! Requests.

use flow_model::{Message, Part, RequestReading, Role};
use serde_json::{Map, Value};

use super::owned;
use super::thought::split;
use crate::dialects::bedrock_converse::{call, mark, picture, result, tools};
use crate::dialects::{Ask, Depth, other_part, text_part};
use crate::json::{Json, Kind};

/// Reads a request. The answer is always a stream.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| reading.stream = Some(true))
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("conversationState", Kind::Object) => state(name, json, ask),
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

/// Reads the conversation. The newest message stands apart from the others, before or behind them.
fn state(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    let (mut history, mut current, mut beside) = (None, None, Map::new());
    json.object();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("history", Kind::Array) => history = Some(*json),
            ("currentMessage", Kind::Object) => current = Some(*json),
            _ if ask.depth == Depth::Skim => json.skip(),
            _ => {
                beside.insert(name.into_owned(), json.value());
            }
        }
    }
    if let Some(mut history) = history {
        ask.messages(&mut history, earlier);
    }
    if let Some(mut current) = current {
        let mut extras = Map::new();
        one_message(&mut current, ask, Some(&mut extras));
        beside.extend(extras);
    }
    if !beside.is_empty() {
        let parameters = &mut ask.reading.parameters;
        parameters.insert(name.to_owned(), Value::Object(beside));
    }
}

fn earlier(json: &mut Json<'_>, ask: &mut Ask) {
    one_message(json, ask, None);
}

/// Reads a message. `extras` takes what the newest one says beside it; earlier ones repeat that.
fn one_message(json: &mut Json<'_>, ask: &mut Ask, mut extras: Option<&mut Map<String, Value>>) {
    if !json.object() {
        ask.unexpected(json, "a message");
        return;
    }
    while let Some(name) = json.member() {
        let message = match name.as_ref() {
            "userInputMessage" => asked(json, ask, extras.as_deref_mut()),
            "assistantResponseMessage" => answered(json),
            name => Message {
                role: Role::Other,
                name: Some(name.to_owned()),
                parts: vec![other_part(name, json.verbatim())],
            },
        };
        ask.reading.messages.push(message);
    }
}

/// Reads a message of the user: what tools returned, then what is said.
fn asked(
    json: &mut Json<'_>,
    ask: &mut Ask,
    mut extras: Option<&mut Map<String, Value>>,
) -> Message {
    let (mut parts, mut said) = (Vec::new(), Vec::new());
    json.object();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            (_, Kind::Null) => {}
            ("content", Kind::String) => {
                let text = json.owned().unwrap_or_default();
                if !text.is_empty() {
                    // Images and a breakpoint stand behind the text, wherever the wire has them.
                    said.insert(0, text_part(text));
                }
            }
            ("images", Kind::Array) => {
                json.array();
                while json.element() {
                    let mut whole = *json;
                    let part = picture(json);
                    said.push(part.unwrap_or_else(|| other_part("image", whole.verbatim())));
                }
            }
            ("cachePoint", _) => mark(json, &mut said),
            ("userInputMessageContext", Kind::Object) => {
                context(json, ask, &mut parts, extras.as_deref_mut());
            }
            (name, _) => match extras.as_deref_mut() {
                Some(_) if name == "modelId" => ask.reading.model = json.owned(),
                Some(extras) if ask.depth == Depth::Whole => {
                    extras.insert(name.to_owned(), json.value());
                }
                _ => {}
            },
        }
    }
    parts.append(&mut said);
    Message {
        role: Role::User,
        name: None,
        parts,
    }
}

fn context(
    json: &mut Json<'_>,
    ask: &mut Ask,
    parts: &mut Vec<Part>,
    mut extras: Option<&mut Map<String, Value>>,
) {
    json.object();
    while let Some(name) = json.member() {
        match (name.as_ref(), extras.as_deref_mut()) {
            ("toolResults", _) if json.array() => {
                while json.element() {
                    let mut whole = *json;
                    let part = result(json);
                    parts.push(part.unwrap_or_else(|| other_part("toolResult", whole.verbatim())));
                }
            }
            ("tools", Some(_)) if ask.depth == Depth::Whole && json.array() => {
                tools("toolSpecification", json, &mut ask.reading.tools);
            }
            (_, Some(extras)) if ask.depth == Depth::Whole => {
                extras.insert(name.into_owned(), json.value());
            }
            _ => {}
        }
    }
}

/// Reads a message of the model, whose text may begin with what it thought.
fn answered(json: &mut Json<'_>) -> Message {
    let (mut said, mut rest) = (Vec::new(), Vec::new());
    json.object();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            (_, Kind::Null) | ("messageId", _) => {}
            ("content", Kind::String) => said = split(&json.text().unwrap_or_default()),
            ("toolUses", Kind::Array) => {
                json.array();
                while json.element() {
                    let mut whole = *json;
                    let part = call(json);
                    rest.push(part.unwrap_or_else(|| other_part("toolUse", whole.verbatim())));
                }
            }
            ("cachePoint", _) => mark(json, &mut rest),
            (name, _) => rest.push(other_part(name, json.verbatim())),
        }
    }
    said.append(&mut rest);
    Message {
        role: Role::Assistant,
        name: None,
        parts: said,
    }
}

/// Returns the id of a message, where it has one.
pub(super) fn id_of(json: Option<Json<'_>>) -> Option<String> {
    owned(json).filter(|id| !id.is_empty())
}
