//! `POST …/moderations`, as OpenAI defines it.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `input` as a text, a list of texts, parts of content, messages | OpenAI, Mistral | parts of one message of the user; messages as they are |
//! | `results[]` | all | a part `moderation` each, kept raw |
//! | `flagged`; a category that is true where there is none | OpenAI; Mistral | stop reason `flagged`, the same as a filter's |
//! | `usage` | Mistral | the usage object |

#[cfg(test)]
mod tests;

use flow_model::{RequestReading, StopReason, WireUsage};

use super::inputs::inputs;
use super::{Ask, Depth, openai_chat, other_part};
use crate::answer::Answer;
use crate::json::{Json, Kind};
use crate::usage::Counts;

/// The wire's word for an input that is not harmless.
const FLAGGED: &str = "flagged";

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("input", Kind::String | Kind::Array | Kind::Object) => inputs(json, ask),
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.word(),
            "model" => answer.model = json.owned(),
            "usage" => answer.count(json),
            "results" if json.array() => {
                answer.draft(0);
                while json.element() {
                    result(json, answer);
                }
            }
            _ => {}
        }
    }
}

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    openai_chat::usage(usage)
}

fn result(json: &mut Json<'_>, answer: &mut Answer) {
    let mut whole = *json;
    let flagged = json
        .fields([FLAGGED, "categories"])
        .is_some_and(|[flagged, categories]| match flagged {
            Some(mut flagged) => flagged.bool() == Some(true),
            None => categories.is_some_and(any_true),
        });
    if let Some(raw) = answer.keep_raw(&mut whole) {
        answer.part(0, other_part("moderation", raw), 0);
    }
    if let Some(draft) = answer.draft(0).filter(|_| flagged) {
        draft.stop = Some(StopReason::ContentFilter);
        draft.stop_reason = Some(FLAGGED.to_owned());
    }
}

fn any_true(mut categories: Json<'_>) -> bool {
    let mut found = false;
    if categories.object() {
        while categories.member().is_some() {
            found |= categories.bool() == Some(true);
        }
    }
    found
}
