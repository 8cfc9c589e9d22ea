//! Models that go on with a text: whole answers and events, whose members are the same.

use flow_model::StopReason;
use serde_json::{Map, Value};

use super::whole_number;
use crate::answer::{Answer, Piece, Speech};
use crate::dialects::other_part;
use crate::json::{Json, Kind, Text};
use crate::usage::counted;

/// The tokens of one of Titan's results, and of all of them in the usage.
const TOKENS: &str = "tokenCount";

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    /// The generation that spoke last.
    generation: Option<u64>,
}

/// Returns the common word for a reason to stop.
pub(super) fn stop_reason(word: &str) -> StopReason {
    let word = word.to_ascii_lowercase();
    match word.as_str() {
        "finish" | "finished" | "stop" | "stop_sequence" | "stop_criteria_met" | "complete"
        | "endoftext" | "end_turn" | "eos" | "success" => StopReason::Stop,
        "length" | "max_tokens" => StopReason::Length,
        "content_filtered" | "content_filter" | "error_toxic" => StopReason::ContentFilter,
        "tool_calls" => StopReason::ToolUse,
        word if word.starts_with("filter reason") => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(super) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    body(json, answer);
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(super) fn event(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        let mut seen = *json;
        let mut generation = None;
        let mut is_piece = false;
        while let Some(name) = seen.member() {
            match name.as_ref() {
                "index" => generation = whole_number(&mut seen),
                "is_finished" => is_piece = true,
                _ => {}
            }
        }
        // Titan has an index too, but counts events by it.
        let generation = generation.filter(|_| is_piece);
        let is_next = generation.is_some() && self.generation.is_some();
        if is_next
            && generation != self.generation
            && let Some(draft) = answer.draft(0)
        {
            draft.push(Piece::Text {
                text: Text::default(),
                citations: Vec::new(),
            });
        }
        self.generation = generation.or(self.generation);
        body(json, answer);
    }
}

/// Reads a response or an event: one answer among its members, or a list of them.
fn body(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("id", _) => answer.id = json.word().or(answer.id.take()),
            ("model", _) => answer.model = json.owned().or(answer.model.take()),
            ("usage", Kind::Object) => answer.count(json),
            (
                "inputTextTokenCount"
                | "totalOutputTextTokenCount"
                | "prompt_token_count"
                | "generation_token_count",
                _,
            ) => {
                if let Some(number) = whole_number(json) {
                    note_count(&name, number, answer);
                }
            }
            ("results" | "outputs" | "choices" | "generations" | "completions", Kind::Array) => {
                list(&name, json, answer);
            }
            (name, _) => {
                said(name, 0, json, answer);
            }
        }
    }
}

fn list(name: &str, json: &mut Json<'_>, answer: &mut Answer) {
    json.array();
    let mut index = 0;
    while json.element() {
        let tokens = item(index, json, answer);
        // Every result of Titan's tells its tokens; those of a reranker have none.
        if name == "results" {
            let before = answer.usage.as_ref();
            let sum = before.and_then(|usage| counted(usage, |usage| usage.count(&[TOKENS])));
            let sum = sum.unwrap_or(0);
            note_count(TOKENS, sum.saturating_add(tokens.unwrap_or(0)), answer);
        }
        index += 1;
    }
}

/// Reads one answer of a list and returns how many tokens it tells.
fn item(index: u64, json: &mut Json<'_>, answer: &mut Answer) -> Option<u64> {
    let mut whole = *json;
    let bytes = json.width();
    answer.draft(index);
    let (mut tokens, mut is_said) = (None, false);
    if json.object() {
        while let Some(name) = json.member() {
            match name.as_ref() {
                TOKENS => tokens = whole_number(json),
                "data" => {
                    if let Some([Some(mut text)]) = json.fields(["text"]) {
                        is_said |= said("text", index, &mut text, answer);
                    }
                }
                name => is_said |= said(name, index, json, answer),
            }
        }
    }
    if !is_said {
        answer.part(index, other_part("result", whole.verbatim()), bytes);
    }
    tokens
}

/// Reads a member that is text or the reason why it ended. Returns whether it is one.
fn said(name: &str, index: u64, json: &mut Json<'_>, answer: &mut Answer) -> bool {
    match (name, json.kind()) {
        ("text" | "outputText" | "completion" | "generation" | "message", Kind::String) => {
            answer.draft(index);
            let document = json.document();
            if let Some(token) = json.string() {
                answer.say(index, Speech::Text, token, document);
            }
        }
        ("stop_reason" | "finish_reason" | "completionReason" | "finishReason", _) => {
            let inner = match json.kind() {
                Kind::Object => json.fields(["reason"]).and_then(|[reason]| reason),
                _ => Some(*json),
            };
            let word = inner.and_then(|mut inner| inner.owned());
            stop(index, word, answer);
        }
        ("token_likelihoods", Kind::Array) => {
            let kept = answer.keep(json);
            if let Some(draft) = answer.draft(index) {
                draft.logprobs = kept;
            }
        }
        _ => return false,
    }
    true
}

/// Notes why an answer stopped, where that is told.
pub(super) fn stop(index: u64, word: Option<String>, answer: &mut Answer) {
    if let Some(word) = word.filter(|word| !word.is_empty())
        && let Some(draft) = answer.draft(index)
    {
        draft.stop = Some(stop_reason(&word));
        draft.stop_reason = Some(word);
    }
}

/// Notes a count that stands among the members of the answer. Such counts make up an object of their own.
pub(super) fn note_count(name: &str, count: u64, answer: &mut Answer) {
    let mut counts = match answer.usage.take().map(|usage| usage.value()) {
        Some(Value::Object(counts)) => counts,
        _ => Map::new(),
    };
    counts.insert(name.to_owned(), count.into());
    answer.usage = Some(Value::Object(counts).into());
}
