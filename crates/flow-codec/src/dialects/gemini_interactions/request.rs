//! Requests.

use flow_model::{Message, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth, text_part};
use crate::json::{Json, Kind};

use super::step::{Step, contents};

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("agent", Kind::String) => {
            let mut again = *json;
            if ask.reading.model.is_none() {
                ask.reading.model = json.owned();
            }
            if ask.depth == Depth::Whole {
                ask.parameter(name, &mut again);
            }
        }
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("input", Kind::Array) if !is_one_turn(*json) => ask.messages(json, one_message),
        ("input", Kind::String | Kind::Object | Kind::Array) => one_turn(json, ask),
        ("input", _) => {
            ask.unexpected(json, "input");
            ask.parameter(name, json);
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        ("system_instruction", Kind::String) => {
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

/// Returns whether a list holds what one user says at once.
fn is_one_turn(mut json: Json<'_>) -> bool {
    json.array()
        && json.element()
        && (json.kind() == Kind::String
            || Step::read(&mut json).is_some_and(|step| step.is_content()))
}

fn one_turn(json: &mut Json<'_>, ask: &mut Ask) {
    let mut peeked = *json;
    let step = Step::read(&mut peeked);
    let (role, name) = step.map_or((Role::User, None), |step| step.speaker());
    let mut parts = Vec::new();
    contents(json, &mut parts);
    ask.reading.messages.push(Message { role, name, parts });
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    let mut start = *json;
    let Some(step) = Step::read(json) else {
        ask.unexpected(&mut start, "a step");
        return;
    };
    let (role, name) = step.speaker();
    let mut parts = Vec::new();
    step.parts(&mut parts);
    ask.reading.messages.push(Message { role, name, parts });
}

fn tool(json: &mut Json<'_>) -> Option<Tool> {
    let mut whole = *json;
    let start = json.offset();
    if !json.object() {
        return None;
    }
    let (mut kind, mut title, mut description, mut schema) = (None, None, None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "type" => kind = json.owned(),
            "name" => title = json.owned(),
            "description" => description = json.owned(),
            "parameters" if json.kind() != Kind::Null => schema = Some(json.verbatim()),
            _ => {}
        }
    }
    let bytes = json.end_offset().saturating_sub(start);
    let kind = kind.unwrap_or_default();
    let own = matches!(kind.as_str(), "function" | "");
    Some(Tool {
        name: title.filter(|_| own).unwrap_or_else(|| kind.clone()),
        description,
        schema: if own { schema } else { Some(whole.verbatim()) },
        bytes,
        // The program itself moves the mouse.
        server: !own && kind != "computer_use",
        cache: None,
    })
}
