//! Requests.

use flow_model::{Message, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth, text_part};
use crate::json::{Json, Kind};

use super::item::Item;
use super::owned;

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("input", Kind::String) => {
            let text = json.owned().unwrap_or_default();
            ask.reading.messages.push(Message {
                role: Role::User,
                name: None,
                parts: vec![text_part(text)],
            });
        }
        ("input", Kind::Array) => ask.messages(json, one_item),
        ("input", kind) => {
            // Without input, a stored prompt or conversation has it.
            if kind != Kind::Null {
                ask.unexpected(json, "input");
            }
            ask.parameter(name, json);
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        ("instructions", Kind::String) => {
            let text = json.owned().unwrap_or_default();
            ask.reading.system.push(text_part(text));
        }
        ("tools", Kind::Array) => tools(json, &mut ask.reading.tools),
        _ => ask.parameter(name, json),
    }
}

fn one_item(json: &mut Json<'_>, ask: &mut Ask) {
    let mut start = *json;
    let Some(item) = Item::read(json) else {
        ask.unexpected(&mut start, "an item");
        return;
    };
    if let Some(mut added) = item.added_tools()
        && ask.depth == Depth::Whole
    {
        tools(&mut added, &mut ask.reading.tools);
    }
    let (role, name) = item.speaker();
    let mut parts = Vec::new();
    item.parts(false, &mut |_, part| parts.push(part));
    ask.reading.messages.push(Message { role, name, parts });
}

fn tools(json: &mut Json<'_>, found: &mut Vec<Tool>) {
    if !json.array() {
        return;
    }
    while json.element() {
        tool(json, found);
    }
}

/// Reads an entry of `tools`: one tool, or all those of a namespace.
fn tool(json: &mut Json<'_>, found: &mut Vec<Tool>) {
    let mut whole = *json;
    let start = json.offset();
    if !json.object() {
        return;
    }
    let mut tool = Tool {
        name: String::new(),
        description: None,
        schema: None,
        bytes: 0,
        server: false,
        cache: None,
    };
    let (mut kind, mut inner, mut place) = (None, None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "type" => kind = json.owned(),
            "tools" => inner = Some(*json),
            "environment" | "execution" => place = Some(*json),
            // Some take the tools of chat completions, which stand one level deeper.
            "function" | "custom" if json.object() => {
                while let Some(name) = json.member() {
                    tool_member(&name, json, &mut tool);
                }
            }
            name => tool_member(name, json, &mut tool),
        }
    }
    tool.bytes = json.end_offset().saturating_sub(start);
    let kind = kind.unwrap_or_default();
    match (kind.as_str(), inner) {
        ("namespace", Some(mut inner)) => return tools(&mut inner, found),
        ("function" | "custom" | "", _) => {}
        (kind, _) => {
            tool.server = is_server(kind, place);
            tool.schema = Some(whole.verbatim());
            if tool.name.is_empty() {
                kind.clone_into(&mut tool.name);
            }
        }
    }
    found.push(tool);
}

fn tool_member(name: &str, json: &mut Json<'_>, tool: &mut Tool) {
    match name {
        "name" => tool.name = json.owned().unwrap_or_default(),
        "description" => tool.description = json.owned(),
        "parameters" | "format" | "input_schema" if json.kind() != Kind::Null => {
            tool.schema = Some(json.verbatim());
        }
        _ => {}
    }
}

/// Returns whether the provider runs tools of this type. `place` is what the entry says of where they run.
fn is_server(kind: &str, place: Option<Json<'_>>) -> bool {
    match kind {
        "computer" | "computer_use_preview" | "computer_use" | "local_shell" | "apply_patch" => {
            false
        }
        "shell" => {
            let kind = place.and_then(|mut place| place.fields(["type"]));
            kind.is_some_and(|[kind]| owned(kind).is_some_and(|kind| kind != "local"))
        }
        _ => owned(place).is_none_or(|place| place != "client"),
    }
}
