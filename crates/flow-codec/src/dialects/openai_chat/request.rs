//! Requests.

use flow_model::{Media, Message, Part, RequestReading, Role, Tool};

use crate::dialects::{Ask, Depth, arguments, breakpoint, inline_media};
use crate::json::{Json, Kind};

use super::{content, detail};

/// Reads a request. `path` names the model where the body does not, as in Azure's deployments.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        if reading.model.is_none() {
            reading.model = deployment(path);
        }
    })
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
        ("tools" | "functions", Kind::Array) => {
            json.array();
            while json.element() {
                ask.reading.tools.extend(tool(json));
            }
        }
        _ => ask.parameter(name, json),
    }
}

fn one_message(json: &mut Json<'_>, ask: &mut Ask) {
    match json.kind() {
        Kind::Object => ask.reading.messages.push(message(json)),
        _ => ask.unexpected(json, "a message"),
    }
}

/// What a message holds beside its content.
#[derive(Default)]
struct Extras<'a> {
    role: String,
    name: Option<String>,
    call_id: Option<String>,
    reasoning_content: Option<Json<'a>>,
    reasoning: Option<Json<'a>>,
    details: Option<Json<'a>>,
    refusal: Option<String>,
    calls: Option<Json<'a>>,
    call: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    images: Option<Json<'a>>,
    cache: Option<Json<'a>>,
}

fn message(json: &mut Json<'_>) -> Message {
    let mut extras = Extras::default();
    let mut said = Vec::new();
    json.object();
    while let Some(name) = json.member() {
        let here = Some(*json);
        match name.as_ref() {
            "role" => extras.role = json.owned().unwrap_or_default(),
            "content" => content(json, &mut |part| said.push(part)),
            "name" => extras.name = json.owned(),
            "tool_call_id" => extras.call_id = json.owned(),
            "refusal" => extras.refusal = json.owned(),
            "reasoning_content" => extras.reasoning_content = here,
            "reasoning" => extras.reasoning = here,
            "reasoning_details" => extras.details = here,
            "tool_calls" => extras.calls = here,
            "function_call" => extras.call = here,
            "audio" => extras.audio = here,
            "images" => extras.images = here,
            "cache_control" => extras.cache = here,
            _ => {}
        }
    }
    assemble(extras, said)
}

fn assemble(mut extras: Extras<'_>, said: Vec<Part>) -> Message {
    let role = match extras.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" | "model" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => Role::Other,
    };
    if role == Role::Tool {
        let result = Part::ToolResult {
            call_id: extras.call_id,
            name: extras.name,
            content: said,
            is_error: false,
            server: false,
        };
        let parts = std::iter::once(result).chain(breakpoint(extras.cache));
        return Message {
            role,
            name: None,
            parts: parts.collect(),
        };
    }
    let mut parts = Vec::new();
    thinking(&mut extras, &mut parts);
    parts.extend(said);
    if let Some(mut images) = extras.images {
        content(&mut images, &mut |part| parts.push(part));
    }
    let refusal = extras.refusal.filter(|text| !text.is_empty());
    parts.extend(refusal.map(|text| Part::Refusal { text }));
    parts.extend(extras.audio.and_then(|mut audio| spoken(&mut audio)));
    if let Some(mut calls) = extras.calls {
        tool_calls(&mut calls, &mut parts);
    }
    parts.extend(extras.call.and_then(|mut call| function_call(&mut call)));
    parts.extend(breakpoint(extras.cache));
    let name = match role {
        Role::Other => Some(extras.role),
        _ => extras.name,
    };
    Message { role, name, parts }
}

/// Appends the reasoning: from the first of its places that holds text, else what `reasoning_details` has in
/// its stead.
fn thinking(extras: &mut Extras<'_>, parts: &mut Vec<Part>) {
    let sources = [extras.reasoning_content, extras.reasoning];
    let plain = sources
        .into_iter()
        .flatten()
        .find_map(|mut json| json.owned().filter(|text| !text.is_empty()));
    if let Some(text) = plain {
        parts.push(Part::Thinking {
            text,
            signed: false,
            redacted: false,
        });
        return;
    }
    if let Some(mut details) = extras.details
        && details.array()
    {
        while details.element() {
            detail(&mut details, &mut |part| parts.push(part));
        }
    }
}

/// Reads `audio` of an assistant's message: the id of what it said before.
pub(super) fn spoken(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let [id, data, transcript] = json.fields(["id", "data", "transcript"])?;
    let filled = |json: Option<Json<'_>>| {
        let text = json.and_then(|mut json| json.owned());
        text.filter(|text| !text.is_empty())
    };
    let data = data.and_then(|mut data| data.string());
    let data = data.filter(|data| !data.is_empty());
    let (id, transcript) = (filled(id), filled(transcript));
    if id.is_none() && data.is_none() && transcript.is_none() {
        return None;
    }
    Some(Part::Audio {
        media: data.map_or_else(Media::default, |data| inline_media(None, data, document)),
        transcript,
        id,
    })
}

/// Reads a list of tool calls.
pub(super) fn tool_calls(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    if !json.array() {
        return;
    }
    while json.element() {
        let names = ["id", "function", "custom", "name", "type"];
        let Some([id, function, custom, name, kind]) = json.fields(names) else {
            continue;
        };
        let call = function.or(custom).and_then(|mut call| {
            let [name, given, input] = call.fields(["name", "arguments", "input"])?;
            let given = given
                .or(input)
                .map_or_else(String::new, |mut json| arguments(&mut json));
            Some((name.and_then(|mut name| name.owned()), given))
        });
        let (called, given) = call.unwrap_or_default();
        let fallback = name.or(kind).and_then(|mut name| name.owned());
        parts.push(Part::ToolCall {
            id: Some(id.and_then(|mut id| id.word()).unwrap_or_default()),
            name: called.or(fallback).unwrap_or_default(),
            arguments: given,
            server: false,
        });
    }
}

/// Reads the single call of the time before tools.
pub(super) fn function_call(json: &mut Json<'_>) -> Option<Part> {
    let [name, given] = json.fields(["name", "arguments"])?;
    let name = name.and_then(|mut name| name.owned()).unwrap_or_default();
    let given = given.map_or_else(String::new, |mut json| arguments(&mut json));
    // Some send an object whose members are all empty in place of null; the same holds for sounds.
    if name.is_empty() && given.is_empty() {
        return None;
    }
    Some(Part::ToolCall {
        id: None,
        name,
        arguments: given,
        server: false,
    })
}

/// Reads an entry of `tools` or `functions`.
fn tool(json: &mut Json<'_>) -> Option<Tool> {
    let mut whole = *json;
    let start = json.offset();
    let mut tool = Tool {
        name: String::new(),
        description: None,
        schema: None,
        bytes: 0,
        server: false,
        cache: None,
    };
    let (mut kind, mut own) = (None, false);
    if !json.object() {
        return None;
    }
    while let Some(name) = json.member() {
        match name.as_ref() {
            "type" => kind = json.owned(),
            "function" | "custom" if json.object() => {
                own = true;
                while let Some(name) = json.member() {
                    tool_member(&name, json, &mut tool);
                }
            }
            name => tool_member(name, json, &mut tool),
        }
    }
    tool.bytes = json.end_offset().saturating_sub(start);
    tool.server = !own && kind.as_deref().is_some_and(|kind| kind != "function");
    if tool.server {
        if tool.name.is_empty() {
            tool.name = kind.unwrap_or_default();
        }
        tool.schema = Some(whole.verbatim());
    }
    Some(tool)
}

fn tool_member(name: &str, json: &mut Json<'_>, tool: &mut Tool) {
    match name {
        "name" => tool.name = json.owned().unwrap_or_default(),
        "description" => tool.description = json.owned(),
        "cache_control" if json.kind() != Kind::Null => tool.cache = Some(json.verbatim()),
        "parameters" | "format" if json.kind() != Kind::Null => tool.schema = Some(json.verbatim()),
        _ => {}
    }
}

/// Returns the deployment that Azure's path names.
fn deployment(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/deployments/")?;
    let name = rest.split('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns the parts of a whole message of the assistant, as a response has it.
pub(super) fn assistant_parts(json: &mut Json<'_>) -> Vec<Part> {
    message(json).parts
}
