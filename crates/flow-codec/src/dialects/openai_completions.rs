//! `POST …/completions`, the time before chat.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `prompt` as a text, a list of texts, a list of tokens, a list of such lists | OpenAI, vLLM | one message of the user for each prompt; tokens as they are |
//! | no `model` | Azure, engines | the one that the path names |
//! | `suffix`, `echo`, `best_of`, `logprobs` … | OpenAI | parameters; an echo is part of the text |
//! | `choices` without `index` | Writer | numbered in their order |
//! | `choices[].message` or `delta` in place of `text` | gateways before chat models | its parts |
//! | `reasoning_content`, `reasoning` beside `text` | vLLM, OpenRouter | thinking |
//! | `logprobs` as four lists, in pieces in streams; `log_probs` | OpenAI; Writer | joined |
//! | `finish_reason` twice, or never | OpenAI, Writer | the last one that is not null |
//! | `usage` in the last event, after one without choices | OpenAI, vLLM | the last one counts |
//! | events `{"value": "…"}` and nothing else | Writer | text |
//! | `error` in a 200, as an event or inside one | imitations | stream error; what came before stays |

#[cfg(test)]
mod tests;

use flow_model::{Message, RequestReading, Role};

use super::openai_chat::{deployment, fail, first, said, stop_reason};
use super::{Ask, Depth, Event, merge, other_part, text_part};
use crate::answer::{Answer, Speech};
use crate::json::{Json, Kind};

/// Reads the events of a stream. Each is complete in itself, so that nothing is kept between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream;

/// Reads a request.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        if reading.model.is_none() {
            reading.model = deployment(path).or_else(|| engine(path));
        }
    })
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("prompt", Kind::String) => prompt(json, ask),
        ("prompt", Kind::Array) if is_tokens(*json) => prompt(json, ask),
        ("prompt", Kind::Array) => ask.messages(json, prompt),
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

/// Returns whether a list is one prompt, spelled in tokens, and not a list of prompts.
fn is_tokens(mut json: Json<'_>) -> bool {
    json.array() && json.element() && json.kind() == Kind::Number
}

fn prompt(json: &mut Json<'_>, ask: &mut Ask) {
    let part = match json.kind() {
        Kind::String => text_part(json.owned().unwrap_or_default()),
        Kind::Array => other_part("tokens", json.verbatim()),
        _ => return ask.unexpected(json, "a prompt"),
    };
    ask.reading.messages.push(Message {
        role: Role::User,
        name: None,
        parts: vec![part],
    });
}

/// Returns the model that the path of an engine names.
fn engine(path: &str) -> Option<String> {
    let (_, rest) = path.split_once("/engines/")?;
    let name = rest.split('/').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    read(json, answer);
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    #[expect(clippy::unused_self, reason = "every dialect's stream has this shape")]
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        if event.name == Some(b"error") {
            return fail(json, answer);
        }
        read(json, answer);
    }
}

/// Reads a whole response or one event of a stream, which have the same members.
fn read(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("id", _) => first(&mut answer.id, json.word()),
            ("model", Kind::String) => first(&mut answer.model, json.owned()),
            ("service_tier", Kind::String) => answer.service_tier = json.owned(),
            ("usage", Kind::Object) => answer.count(json),
            ("choices", Kind::Array) => choices(json, answer),
            ("error", Kind::Object | Kind::String) => answer.fail(&json.error_value()),
            ("value", Kind::String) => {
                if let Some(token) = json.string() {
                    answer.say(0, Speech::Text, token, json.document());
                }
            }
            _ => {}
        }
    }
}

fn choices(json: &mut Json<'_>, answer: &mut Answer) {
    json.array();
    let mut position = 0;
    while json.element() {
        if json.is_object() {
            choice(position, json, answer);
        }
        position += 1;
    }
}

fn choice(position: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let names = [
        "index",
        "text",
        "message",
        "delta",
        "reasoning_content",
        "reasoning",
        "finish_reason",
        "logprobs",
        "log_probs",
        "error",
    ];
    let Some(found) = json.fields(names) else {
        return;
    };
    let [
        index,
        text,
        message,
        delta,
        reasoning_content,
        reasoning,
        stop,
        logprobs,
        log_probs,
        error,
    ] = found;
    if let Some(mut error) = error {
        answer.fail(&error.error_value());
    }
    let index = index
        .and_then(|mut index| index.number())
        .unwrap_or(position);
    let thoughts = reasoning_content
        .or(reasoning)
        .map(|json| (json, Speech::Thinking));
    let words = text.map(|json| (json, Speech::Text));
    for (mut json, speech) in thoughts.into_iter().chain(words) {
        if let Some(token) = json.string() {
            answer.say(index, speech, token, json.document());
        }
    }
    if text.is_none()
        && let Some(mut message) = delta.or(message)
    {
        said(index, &mut message, answer);
    }
    let logprobs = logprobs.or(log_probs);
    let logprobs = logprobs.and_then(|mut logprobs| answer.keep(&mut logprobs));
    let Some(draft) = answer.draft(index) else {
        return;
    };
    if let Some(stop) = stop.and_then(|mut stop| stop.word()) {
        draft.stop = stop_reason(&stop);
        draft.stop_reason = Some(stop);
    }
    if let Some(logprobs) = logprobs {
        merge(&mut draft.logprobs, logprobs);
    }
}
