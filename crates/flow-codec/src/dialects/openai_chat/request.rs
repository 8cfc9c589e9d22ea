//! Requests.

use flow_model::{Media, Message, Part, RequestReading, Role, Tool};

use crate::dialects::{
    Ask, Depth, arguments, breakpoint, inline_media, other_part, raws, text_part,
};
use crate::json::{Json, Kind};

use super::content::{content, detail};
use super::says_nothing;

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
        ("prompt", Kind::String) if !says_nothing(*json) => {
            let text = json.owned().unwrap_or_default();
            ask.reading.messages.push(Message {
                role: Role::User,
                name: None,
                parts: vec![text_part(text)],
            });
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
        Kind::Object => ask.reading.messages.push(message(json, Side::Asked)),
        _ => ask.unexpected(json, "a message"),
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// A request has it: nothing of it is left out.
    Asked,
    /// A response has it: what repeats the reasoning is left out, as in a stream.
    Answered,
}

/// What a message holds beside its content.
#[derive(Default)]
struct Extras<'a> {
    role: String,
    name: Option<String>,
    call_id: Option<String>,
    is_error: bool,
    reasoning_content: Option<Json<'a>>,
    reasoning: Option<Json<'a>>,
    details: Option<Json<'a>>,
    refusal: Option<String>,
    calls: Option<Json<'a>>,
    call: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    images: Option<Json<'a>>,
    notes: Option<Json<'a>>,
    cache: Option<Json<'a>>,
    /// What has no place of its own.
    rest: Vec<Part>,
}

fn message(json: &mut Json<'_>, side: Side) -> Message {
    let mut extras = Extras::default();
    let mut said = Vec::new();
    json.object();
    while let Some(name) = json.member() {
        let kind = json.kind();
        let here = (kind != Kind::Null).then_some(*json);
        match (name.as_ref(), kind) {
            ("role", Kind::String) => extras.role = json.owned().unwrap_or_default(),
            ("content", _) => content(json, &mut |part| said.push(part)),
            ("name", Kind::String) => extras.name = json.owned(),
            ("tool_call_id", Kind::String) => extras.call_id = json.owned(),
            ("is_error", Kind::Bool) => extras.is_error = json.bool() == Some(true),
            ("refusal", Kind::String) => extras.refusal = json.owned(),
            ("reasoning_content", _) => extras.reasoning_content = here,
            ("reasoning", _) => extras.reasoning = here,
            ("reasoning_details", Kind::Array) => extras.details = here,
            ("tool_calls", Kind::Array) => extras.calls = here,
            ("function_call", Kind::Object) => extras.call = here,
            ("audio", Kind::Object) => extras.audio = here,
            ("images", Kind::Array) => extras.images = here,
            ("annotations", Kind::Array) => extras.notes = here,
            ("cache_control" | "prompt_cache_breakpoint", _) => extras.cache = here,
            _ if says_nothing(*json) => {}
            (name, _) => extras.rest.push(other_part(name, json.verbatim())),
        }
    }
    assemble(extras, said, side)
}

fn assemble(mut extras: Extras<'_>, mut said: Vec<Part>, side: Side) -> Message {
    let role = match extras.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" | "model" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => Role::Other,
    };
    annotate(&mut extras, &mut said);
    let mut parts = Vec::new();
    thinking(&mut extras, side, &mut parts);
    if role == Role::Tool {
        parts.push(Part::ToolResult {
            call_id: extras.call_id.take(),
            name: extras.name.take(),
            content: said,
            is_error: extras.is_error,
            server: false,
        });
    } else {
        parts.extend(said);
    }
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
    parts.append(&mut extras.rest);
    parts.extend(breakpoint(extras.cache));
    let name = match role {
        Role::Other => Some(extras.role),
        _ => extras.name,
    };
    Message { role, name, parts }
}

/// Attaches the annotations of a message to its last text; without one they are kept as they are.
fn annotate(extras: &mut Extras<'_>, said: &mut [Part]) {
    let Some(mut notes) = extras.notes.filter(|notes| !says_nothing(*notes)) else {
        return;
    };
    let last = said.iter_mut().rev().find_map(|part| match part {
        Part::Text { citations, .. } => Some(citations),
        _ => None,
    });
    match last {
        Some(citations) => citations.extend(raws(Some(notes))),
        None => extras
            .rest
            .push(other_part("annotations", notes.verbatim())),
    }
}

/// Appends the reasoning: from the first of its places that holds text, else what `reasoning_details` has in
/// its stead.
fn thinking(extras: &mut Extras<'_>, side: Side, parts: &mut Vec<Part>) {
    let mut plain: Option<String> = None;
    let places = [
        ("reasoning_content", extras.reasoning_content),
        ("reasoning", extras.reasoning),
    ];
    for (name, place) in places {
        let Some(mut json) = place.filter(|json| !says_nothing(*json)) else {
            continue;
        };
        let mut whole = json;
        match (json.owned(), &plain) {
            (Some(text), None) => plain = Some(text),
            (Some(text), Some(known)) if text == *known || side == Side::Answered => {}
            _ => extras.rest.push(other_part(name, whole.verbatim())),
        }
    }
    let details = extras.details.filter(|details| !says_nothing(*details));
    if let Some(text) = plain {
        parts.push(Part::Thinking {
            text,
            signed: false,
            redacted: false,
        });
    } else if let Some(mut details) = details {
        details.array();
        while details.element() {
            detail(&mut details, &mut |part| match part {
                Part::Other { .. } if side == Side::Asked => {}
                part => parts.push(part),
            });
        }
    }
    // They hold signatures and encrypted text, by which the model goes on thinking.
    if let Some(mut details) = details.filter(|_| side == Side::Asked) {
        let raw = details.verbatim();
        extras.rest.push(other_part("reasoning_details", raw));
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
fn tool_calls(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    json.array();
    while json.element() {
        if !json.object() {
            continue;
        }
        let call = call_members(json);
        let fallback = call.name.or(call.kind).filter(|name| !name.is_empty());
        let inner = call.inner.unwrap_or_default();
        parts.push(Part::ToolCall {
            id: Some(call.id.unwrap_or_default()),
            name: inner.name.or(fallback).unwrap_or_default(),
            arguments: inner
                .given
                .map_or_else(String::new, |mut json| arguments(&mut json)),
            server: false,
        });
        let rest = call.rest.into_iter();
        parts.extend(rest.map(|(name, mut json)| other_part(&name, json.verbatim())));
    }
}

/// The members of an element of `tool_calls`, whole or in a delta.
#[derive(Default)]
pub(super) struct CallMembers<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    kind: Option<String>,
    pub(super) inner: Option<Inner<'a>>,
    /// What has no place of its own.
    pub(super) rest: Vec<(String, Json<'a>)>,
}

/// What is called, and with what.
#[derive(Default)]
pub(super) struct Inner<'a> {
    pub(super) name: Option<String>,
    pub(super) given: Option<Json<'a>>,
}

/// Reads the members of an element of `tool_calls`; the cursor stands behind its opening bracket.
pub(super) fn call_members<'a>(json: &mut Json<'a>) -> CallMembers<'a> {
    let mut call = CallMembers::default();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("index", Kind::Number) => call.index = json.number(),
            ("id", _) => call.id = json.word(),
            ("name", Kind::String) => call.name = json.owned(),
            ("type", Kind::String) => call.kind = json.owned(),
            ("function" | "custom", Kind::Object) => {
                json.object();
                let mut inner = Inner::default();
                while let Some(name) = json.member() {
                    match (name.as_ref(), json.kind()) {
                        ("name", Kind::String) => inner.name = json.owned(),
                        ("arguments" | "input", Kind::Null) => {}
                        ("arguments" | "input", _) => inner.given = Some(*json),
                        _ if says_nothing(*json) => {}
                        (name, _) => call.rest.push((name.to_owned(), *json)),
                    }
                }
                call.inner = Some(inner);
            }
            _ if says_nothing(*json) => {}
            (name, _) => call.rest.push((name.to_owned(), *json)),
        }
    }
    call
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
pub(crate) fn tool(json: &mut Json<'_>) -> Option<Tool> {
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
pub(crate) fn deployment(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/deployments/")?;
    let name = rest.split('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns the parts of a whole message of the assistant, as a response has it.
pub(super) fn assistant_parts(json: &mut Json<'_>) -> Vec<Part> {
    message(json, Side::Answered).parts
}
