//! `POST /api/chat` and `/api/generate`, as Ollama defines them.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | one JSON object a line, also without a label that says so | streams | each is an event |
//! | no `stream` in the request | both | nothing: the server streams then |
//! | `prompt` with `system`, `images` beside it | generate | one message of the user, the system prompt |
//! | `messages[].images`: base64 without a media type | chat | images |
//! | `messages[].tool_name`, before that `name` | chat | the name of a tool's result |
//! | `arguments` of a call as an object; often no id | chat | compact JSON; no id |
//! | `thinking` beside `content` or `response` | both | thinking, which comes first |
//! | counts and durations at the top level of the last event | both | the usage object, where there is a count |
//! | `done: true` | both | closes a stream; one without is truncated |
//! | `done_reason` missing, or `load`, `unload` | old servers; requests without prompt | none; as it is |
//! | `context`: the whole conversation as numbers | generate | nothing, because later requests repeat it |
//! | `image`: base64 | generate, models that draw | an image |
//! | `{"error": "…"}` as a line | both | stream error; what came before stays |

mod request;

#[cfg(test)]
mod tests;

use flow_model::{Part, StopReason, WireUsage};
use serde_json::{Map, Value};

use super::{Event, arguments, inline_media, merge};
use crate::answer::{Answer, Speech};
use crate::json::{Json, Kind};
use crate::usage::Counts;

pub(crate) use self::request::read_request;

/// Counts and durations of an answer, which stand beside everything else.
const COUNTED: [&str; 2] = ["prompt_eval_count", "eval_count"];
const TIMED: [&str; 4] = [
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
];

/// Reads the events of a stream. Each is complete in itself, so that nothing is kept between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream;

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    read(json, answer);
}

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    WireUsage {
        input: usage.count(&["prompt_eval_count"]),
        output: usage.count(&["eval_count"]),
        ..WireUsage::default()
    }
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    #[expect(clippy::unused_self, reason = "every dialect's stream has this shape")]
    pub(crate) fn event(&mut self, _event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        read(json, answer);
    }
}

/// Reads a whole response or one event of a stream, which have the same members.
fn read(json: &mut Json<'_>, answer: &mut Answer) {
    let mut counts = Map::new();
    let (mut message, mut thinking, mut said) = (None, None, None);
    let (mut image, mut calls, mut stop, mut logprobs) = (None, None, None, None);
    let mut failed = false;
    while let Some(name) = json.member() {
        let here = Some(*json);
        match name.as_ref() {
            "model" => answer.model = json.owned().or(answer.model.take()),
            "message" => message = here,
            "response" => said = here,
            "thinking" => thinking = here,
            "image" => image = here,
            "tool_calls" => calls = here,
            "done" => answer.closed |= json.bool() == Some(true),
            "done_reason" => stop = json.owned(),
            "logprobs" => logprobs = here,
            "error" if !matches!(json.kind(), Kind::Null | Kind::None) => {
                answer.fail(&json.error_value());
                failed = true;
            }
            name if is_counted(name) => {
                if let Some(count) = json.number() {
                    counts.insert(name.to_owned(), count.into());
                }
            }
            _ => {}
        }
    }
    if failed {
        return;
    }
    if let Some(mut message) = message {
        message_of(&mut message, answer);
    }
    speak(thinking, Speech::Thinking, answer);
    speak(said, Speech::Text, answer);
    picture(image, answer);
    tool_calls(calls, answer);
    if COUNTED.iter().any(|name| counts.contains_key(*name)) {
        answer.usage = Some(Value::Object(counts).into());
    }
    finish(stop, logprobs, answer);
}

fn is_counted(name: &str) -> bool {
    COUNTED.contains(&name) || TIMED.contains(&name)
}

/// Notes why the answer stopped, and its log probabilities.
fn finish(stop: Option<String>, logprobs: Option<Json<'_>>, answer: &mut Answer) {
    let logprobs = logprobs.and_then(|mut logprobs| answer.keep(&mut logprobs));
    let Some(draft) = answer.draft(0) else {
        return;
    };
    if let Some(stop) = stop {
        draft.stop = stop_reason(&stop);
        draft.stop_reason = Some(stop);
    }
    match (&mut draft.logprobs, logprobs) {
        (Some(Value::Array(all)), Some(Value::Array(more))) => all.extend(more),
        (slot, Some(logprobs)) if !logprobs.is_null() => merge(slot, logprobs),
        _ => {}
    }
}

fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" => return None,
        "stop" => StopReason::Stop,
        "length" => StopReason::Length,
        _ => StopReason::Other,
    })
}

/// Reads the message of an answer. Thinking comes first, wherever it stands.
fn message_of(json: &mut Json<'_>, answer: &mut Answer) {
    let names = ["thinking", "content", "images", "tool_calls"];
    let Some([thinking, content, images, calls]) = json.fields(names) else {
        return;
    };
    speak(thinking, Speech::Thinking, answer);
    speak(content, Speech::Text, answer);
    if let Some(mut images) = images
        && images.array()
    {
        while images.element() {
            picture(Some(images), answer);
        }
    }
    tool_calls(calls, answer);
}

fn speak(json: Option<Json<'_>>, speech: Speech, answer: &mut Answer) {
    if let Some(mut json) = json
        && let Some(token) = json.string()
    {
        answer.say(0, speech, token, json.document());
    }
}

fn picture(json: Option<Json<'_>>, answer: &mut Answer) {
    if let Some(image) = json.and_then(|mut json| image(&mut json)) {
        answer.spoke();
        answer.part(0, image, 0);
    }
}

fn tool_calls(json: Option<Json<'_>>, answer: &mut Answer) {
    let Some(mut json) = json else {
        return;
    };
    if !json.array() {
        return;
    }
    while json.element() {
        let bytes = json.width();
        if let Some(call) = tool_call(&mut json) {
            answer.part(0, call, bytes);
        }
    }
}

/// Reads an image: base64 without a media type.
fn image(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let data = json.string().filter(|data| !data.is_empty())?;
    Some(Part::Image {
        media: inline_media(None, data, document),
    })
}

/// Reads a call: its arguments are an object.
fn tool_call(json: &mut Json<'_>) -> Option<Part> {
    let [id, function] = json.fields(["id", "function"])?;
    let [name, given] = function?.fields(["name", "arguments"])?;
    Some(Part::ToolCall {
        id: id.and_then(|mut id| id.word()),
        name: name.and_then(|mut name| name.owned()).unwrap_or_default(),
        arguments: given.map_or_else(String::new, |mut given| arguments(&mut given)),
        server: false,
    })
}
