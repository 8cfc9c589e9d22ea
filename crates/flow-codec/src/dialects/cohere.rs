//! `POST /v1/chat`, `/v2/chat` and `/v1/generate`, as Cohere defines them.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `message`, `chat_history` with roles `USER`, `CHATBOT`, `SYSTEM`, `TOOL` in any case, `preamble` | first chat | the conversation in order, the system prompt |
//! | `tool_results` with the call that each answers | first chat | the call again, and its result |
//! | `parameter_definitions` of a tool | first chat | its schema |
//! | `content` as a text, or a list of text, thinking, image and document parts | second chat | the parts; documents as they are |
//! | `tool_plan`: what the model means to do before it calls | second chat | kept as it is, for it is neither answer nor reasoning |
//! | events as lines of JSON, each with `event_type` | first chat, generate | by their type |
//! | events as server-sent events, each with `type`; then `[DONE]` | second chat | by their type |
//! | `stream-end` with the whole response | first chat, generate | what has not come before |
//! | calls in pieces, then whole with their arguments as objects | first chat | compact JSON of the whole ones |
//! | `response_id` beside `generation_id` | first chat | the first |
//! | `citations` with a `content_index` | second chat | on that text, else on the last |
//! | `tokens` beside `billed_units`, `cached_tokens` beside both | all | `tokens`, where they are sent |
//! | `generations`: several answers | generate | one choice each |
//! | `search_queries`, `search_results`, `documents` | first chat | kept as they are, before the text |
//! | `tokens.reasoning_tokens`, which Cohere's own programs do not know | second chat | a part of the common counts (`usage::details`) |
//! | no `model` in any response | all | none |
//! | `{"id", "message"}` | errors | an error |

mod first;
mod request;
mod second;

#[cfg(test)]
mod tests;

use flow_model::{StopReason, WireUsage};

use super::Event;
use crate::answer::{Answer, Speech};
use crate::json::{Json, Kind};
use crate::usage::Counts;

pub(crate) use self::request::read_request;

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream;

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut found = Whole::default();
    while let Some(name) = json.member() {
        found.member(&name, json, answer);
    }
    found.read(answer);
}

/// Returns the counts of a usage object: of `usage` in the second version, of `meta` before it.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let counted = ["tokens", "billed_units"];
    let place = counted.into_iter().find(|name| usage.has(&[name]));
    let within = |name: &str| usage.count(&[place?, name]);
    WireUsage {
        input: within("input_tokens"),
        output: within("output_tokens"),
        cache_read: usage.count(&["cached_tokens"]),
        ..WireUsage::default()
    }
}

/// Returns the common word for a `finish_reason`.
fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" => return None,
        "COMPLETE" | "STOP_SEQUENCE" => StopReason::Stop,
        "MAX_TOKENS" | "ERROR_LIMIT" => StopReason::Length,
        "TOOL_CALL" => StopReason::ToolUse,
        "ERROR_TOXIC" => StopReason::ContentFilter,
        _ => StopReason::Other,
    })
}

/// Reads a `finish_reason` into an answer.
fn stop(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(word) = json.owned()
        && let Some(draft) = answer.draft(index)
    {
        draft.stop = stop_reason(&word);
        draft.stop_reason = Some(word);
    }
}

/// Reads the usage of any version, where it counts tokens.
fn count(json: &mut Json<'_>, answer: &mut Answer) {
    let mut whole = *json;
    if let Some([None, None]) | None = json.fields(["tokens", "billed_units"]) {
        return;
    }
    answer.count(&mut whole);
}

fn say(index: u64, speech: Speech, json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(token) = json.string() {
        answer.say(index, speech, token, json.document());
    }
}

/// The members of a whole response of any version.
#[derive(Default)]
struct Whole<'a> {
    first: first::Response<'a>,
    message: Option<Json<'a>>,
}

/// The members of an event of any version.
#[derive(Default)]
struct Members<'a> {
    /// The event's type in the first version.
    first: Option<String>,
    /// The event's type in the second version.
    second: Option<String>,
    index: Option<u64>,
    delta: Option<Json<'a>>,
    logprobs: Option<Json<'a>>,
    of_first: first::Members<'a>,
}

// === impl Whole ===

impl<'a> Whole<'a> {
    fn member(&mut self, name: &str, json: &mut Json<'a>, answer: &mut Answer) {
        match (name, json.kind()) {
            ("id", Kind::String) => answer.id = json.owned(),
            ("message", Kind::Object) => self.message = Some(*json),
            ("finish_reason", Kind::String) => stop(0, json, answer),
            ("usage" | "meta", Kind::Object) => count(json, answer),
            ("logprobs", Kind::Array) => {
                let logprobs = answer.keep(json);
                if let Some(draft) = answer.draft(0) {
                    draft.logprobs = logprobs;
                }
            }
            (name, _) => self.first.member(name, json),
        }
    }

    fn read(self, answer: &mut Answer) {
        if let Some(mut message) = self.message {
            second::message(&mut message, answer);
        }
        self.first.read(answer);
    }
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    #[expect(clippy::unused_self, reason = "every dialect's stream has this shape")]
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let mut found = Members::default();
        while let Some(name) = json.member() {
            match (name.as_ref(), json.kind()) {
                ("type", Kind::String) => found.second = json.owned(),
                ("event_type", Kind::String) => found.first = json.owned(),
                ("id", Kind::String) if answer.id.is_none() => answer.id = json.owned(),
                ("index", Kind::Number) => found.index = json.number(),
                ("delta", Kind::Object) => found.delta = Some(*json),
                ("logprobs", Kind::Object) => found.logprobs = Some(*json),
                ("error", Kind::Object | Kind::String) => answer.fail(&json.error_value()),
                (name, _) => found.of_first.member(name, json),
            }
        }
        let named = || event.name.map(|name| crate::json::lossy(name).into_owned());
        match found
            .second
            .take()
            .or_else(|| named().filter(|_| found.delta.is_some()))
        {
            Some(kind) => second::event(&kind, &found, answer),
            None => first::event(&found, answer),
        }
    }
}
