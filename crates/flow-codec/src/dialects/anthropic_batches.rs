//! `…/v1/messages/batches…`: batches of messages, their states and results.
//!
//! A batch is no call of a model: its requests run later, and what they cost stands in its results, which may be
//! fetched any number of times. Nothing is counted.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | `requests[]` of a new batch | the model of the first; a part `request` each, kept raw, in one message of the user; their number in place of the list |
//! | a batch: `processing_status`, `request_counts` and dates | one part `message_batch`, kept raw |
//! | `data[]` of a list | the same for each |
//! | results, one JSON object a line | one answer each: `custom_id`, then the message, then its usage, both raw |
//! | `errored`, `canceled`, `expired` in place of a message | the stop reason; the error is kept raw |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`REQUESTS_MAX`] | 1,024 requests of a new batch | counted, not kept |
//! | of `answer` | 256 answers | diagnostic `too_many_choices`, the rest is not kept |

#[cfg(test)]
mod tests;

use flow_model::{RequestReading, StopReason};
use serde_json::{Map, Value};

use super::inputs::input;
use super::{Ask, Depth, Event, anthropic_messages, other_part};
use crate::answer::Answer;
use crate::json::{Json, Kind};

/// Requests of a new batch that are kept.
const REQUESTS_MAX: u64 = 1_024;

/// Reads the lines of a batch's results.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    lines: u64,
}

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("requests", Kind::Array) => {
            let mut count = 0;
            json.array();
            while json.element() {
                count += 1;
                if count <= REQUESTS_MAX {
                    one_request(json, ask);
                }
            }
            let parameters = &mut ask.reading.parameters;
            parameters.insert(name.to_owned(), count.into());
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

fn one_request(json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    let params = json.fields(["params"]).and_then(|[params]| params);
    let model = params.and_then(|mut params| params.fields(["model"]));
    if let (None, Some([Some(mut model)])) = (&ask.reading.model, model) {
        ask.reading.model = model.owned();
    }
    input(ask, other_part("request", whole.verbatim()));
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut line = *json;
    let mut batch = Map::new();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("custom_id", _) => return result(0, &mut line, answer),
            ("data", Kind::Array) => {
                answer.draft(0);
                json.array();
                while json.element() {
                    if let Some(raw) = answer.keep_raw(json) {
                        answer.part(0, other_part("message_batch", raw), 0);
                    }
                }
            }
            ("has_more" | "first_id" | "last_id", _) | (_, Kind::Null) => {}
            ("id", _) => {
                answer.id = json.owned();
                let id = answer.id.clone();
                batch.insert(name.into_owned(), id.into());
            }
            _ => {
                if let Some(value) = answer.keep(json) {
                    batch.insert(name.into_owned(), value);
                }
            }
        }
    }
    if !batch.is_empty() {
        let raw = Value::Object(batch).into();
        answer.part(0, other_part("message_batch", raw), 0);
    }
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, _event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        result(self.lines, json, answer);
        self.lines += 1;
    }
}

/// Reads one result as the answer with this number.
fn result(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let mut found = None;
    while let Some(name) = json.member() {
        match name.as_ref() {
            "custom_id" => raw_part(index, "custom_id", json, answer),
            "result" => found = Some(*json),
            _ => {}
        }
    }
    let found = found.and_then(|mut result| result.fields(["type", "message", "error"]));
    let Some([kind, message, error]) = found else {
        return;
    };
    let kind = kind.and_then(|mut kind| kind.owned());
    if let Some(mut message) = message {
        read_message(index, &mut message, answer);
    }
    if let Some(mut error) = error {
        raw_part(index, "error", &mut error, answer);
    }
    if let Some(kind) = kind.filter(|kind| kind != "succeeded") {
        stopped(index, kind, StopReason::Other, answer);
    }
}

fn read_message(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let names = ["model", "content", "stop_reason", "usage"];
    let Some([model, content, stop, usage]) = json.fields(names) else {
        return;
    };
    let model = model.and_then(|mut model| model.owned());
    answer.model = answer.model.take().or(model);
    if let Some(mut content) = content {
        let bytes = content.width();
        if answer.admits(bytes) {
            anthropic_messages::content(&mut content, &mut |part| answer.part(index, part, 0));
        }
    }
    if let Some(mut usage) = usage {
        raw_part(index, "usage", &mut usage, answer);
    }
    if let Some(word) = stop.and_then(|mut stop| stop.owned()) {
        let common = anthropic_messages::stop_reason(&word);
        stopped(index, word, common, answer);
    }
}

fn raw_part(index: u64, name: &str, json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(raw) = answer.keep_raw(json) {
        answer.part(index, other_part(name, raw), 0);
    }
}

fn stopped(index: u64, word: String, common: StopReason, answer: &mut Answer) {
    if let Some(draft) = answer.draft(index) {
        draft.stop = Some(common);
        draft.stop_reason = Some(word);
    }
}
