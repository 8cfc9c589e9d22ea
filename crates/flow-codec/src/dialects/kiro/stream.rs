//! Events of a stream.

use std::hash::{DefaultHasher, Hasher};

use flow_model::StopReason;
use serde_json::{Map, Value};

use super::request::id_of;
use super::thought::Splitter;
use super::{credits, owned, stop_reason};
use crate::answer::{Answer, Call, Draft, Piece, Speech};
use crate::dialects::bedrock_converse::result;
use crate::dialects::{Event, other_part};
use crate::json::{Json, Kind, Text, lossy};

/// Bytes of a text that no model says twice in a row by chance.
const REPEATED_BYTES_MIN: usize = 24;
/// Hundredths of a per cent of a full window.
const FULL_BP: u64 = 10_000;

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    splitter: Splitter,
    /// The fingerprint of the text that the event before held, if that was a long one.
    before: Option<u64>,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let name = lossy(event.name.unwrap_or_default());
        if name != "assistantResponseEvent" {
            self.before = None;
        }
        match name.as_ref() {
            "assistantResponseEvent" => self.say(json, answer),
            "reasoningContentEvent" => think(json, answer),
            "toolUseEvent" => {
                // What follows a call is a text of its own.
                self.splitter.finish(answer);
                call(json, answer);
            }
            "meteringEvent" => meter(json, answer),
            "contextUsageEvent" => context(json, answer),
            "metadataEvent" => metadata(json, answer),
            "messageMetadataEvent" => {
                while let Some(name) = json.member() {
                    if name == "utteranceId" {
                        answer.id = id_of(Some(*json)).or(answer.id.take());
                    }
                }
            }
            "toolResultEvent" => self.result(json, answer),
            "invalidStateEvent" => invalid(json, answer),
            // The first frame of a call by `x-amz-target`, and the answer to one that is only tried.
            "initial-response" | "dryRunSucceedEvent" => while json.member().is_some() {},
            name => {
                self.splitter.finish(answer);
                keep(name, json, answer);
            }
        }
    }

    /// Reads what is known only once the stream has ended.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        self.splitter.finish(answer);
        let error = answer.error.as_ref();
        let kind = error.and_then(|error| error.kind.as_deref());
        let is_cut = kind == Some("ContentLengthExceededException")
            || answer.context_bp.is_some_and(|used| used >= FULL_BP);
        if is_cut
            && !answer.is_silent()
            && let Some(draft) = answer.draft(0)
        {
            draft.stop = draft.stop.or(Some(StopReason::Length));
        }
    }

    fn say(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        let document = json.document();
        while let Some(name) = json.member() {
            match name.as_ref() {
                "content" => {
                    let Some(token) = json.string() else {
                        continue;
                    };
                    self.note(token.raw(), answer);
                    self.splitter.say(token, document, answer);
                }
                "modelId" => answer.model = json.owned().or(answer.model.take()),
                _ => {}
            }
        }
    }

    /// Notes that a text came twice in a row. It may be the service's doing or the model's, which the text does
    /// not tell, so that it stays what its reader saw.
    fn note(&mut self, text: &[u8], answer: &mut Answer) {
        let mut hasher = DefaultHasher::new();
        hasher.write(text);
        let now = (text.len() >= REPEATED_BYTES_MIN).then(|| hasher.finish());
        if now.is_some() && now == self.before {
            answer.diagnostics.once(
                "repeated_event",
                "an event holds the same text as the one before",
            );
        }
        self.before = now;
    }

    fn result(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        self.splitter.finish(answer);
        while let Some(name) = json.member() {
            let bytes = json.width();
            let mut whole = *json;
            if let Some(part) = result(json) {
                answer.part(0, part, bytes);
            } else {
                answer.part(0, other_part(&name, whole.verbatim()), bytes);
            }
        }
    }
}

fn think(json: &mut Json<'_>, answer: &mut Answer) {
    let document = json.document();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("text" | "reasoningText", Kind::String) => {
                if let Some(token) = json.string() {
                    answer.say(0, Speech::Thinking, token, document);
                }
            }
            ("signature", Kind::String) => {
                let is_signed = json.string().is_some_and(|token| !token.is_empty());
                if is_signed && let Some(draft) = answer.draft(0) {
                    sign(draft);
                }
            }
            ("redactedContent", kind) if kind != Kind::Null => answer.withhold(0),
            _ => {}
        }
    }
}

/// Notes a signature at the thinking that came last.
fn sign(draft: &mut Draft) {
    if let Some(Piece::Thinking { signed, .. }) = draft.pieces.last_mut() {
        *signed = true;
        return;
    }
    draft.push(Piece::Thinking {
        text: Text::default(),
        signed: true,
        redacted: true,
    });
}

/// Reads a fragment of a call.
fn call(json: &mut Json<'_>, answer: &mut Answer) {
    let (mut id, mut title, mut input) = (None, None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "toolUseId" => id = json.owned(),
            "name" => title = json.owned(),
            "input" if json.kind() != Kind::Null => input = Some(*json),
            _ => {}
        }
    }
    let bytes = input.map_or(0, Json::width);
    if !answer.admits(bytes) {
        return;
    }
    let Some(draft) = answer.draft(0) else {
        return;
    };
    let known = |piece: &Piece| match piece {
        Piece::Call(call) => id.is_none() || call.id == id,
        _ => false,
    };
    let at = match draft.pieces.iter().rposition(known) {
        Some(at) => at,
        None => {
            // A call without arguments has no fragment of them.
            let call = Call {
                id,
                initial: Some("{}".to_owned()),
                ..Call::default()
            };
            if draft.push(Piece::Call(call)).is_none() {
                return;
            }
            draft.pieces.len() - 1
        }
    };
    let Some(Piece::Call(call)) = draft.pieces.get_mut(at) else {
        return;
    };
    if let Some(title) = title.filter(|_| call.name.is_empty()) {
        call.name = title;
    }
    let before = call.arguments.as_str().len();
    if let Some(mut input) = input
        && !input.append_to(&mut call.arguments)
    {
        call.arguments.push_str(&input.compact());
    }
    if call.arguments.as_str().len() > before {
        answer.spoke();
    }
}

/// Adds credits to those that were metered before.
fn meter(json: &mut Json<'_>, answer: &mut Answer) {
    let (mut used, mut unit) = (None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "usage" => used = json.word(),
            "unit" => unit = json.owned(),
            _ => {}
        }
    }
    if unit.is_some_and(|unit| !unit.to_ascii_lowercase().starts_with("credit")) {
        answer
            .diagnostics
            .once("unknown_unit", "something else than credits was metered");
        return;
    }
    if let Some(used) = used {
        answer.units.credits = credits::add(answer.units.credits.as_deref(), &used);
    }
}

fn context(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        if name == "contextUsagePercentage" {
            let share = json.word().and_then(|word| word.parse().ok());
            answer.context_bp = share.and_then(hundredths).or(answer.context_bp);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn hundredths(share: f64) -> Option<u64> {
    // More than a hundred windows is no share of one.
    let sane = share.is_finite() && (0.0..=10_000.0).contains(&share);
    sane.then_some((share * 100.0).round() as u64)
}

fn metadata(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("tokenUsage", Kind::Object) => answer.count(json),
            ("stopReason", Kind::String) => {
                let word = owned(Some(*json)).unwrap_or_default();
                if let Some(draft) = answer.draft(0) {
                    draft.stop = Some(stop_reason(&word));
                    draft.stop_reason = Some(word);
                }
            }
            _ => {}
        }
    }
}

fn invalid(json: &mut Json<'_>, answer: &mut Answer) {
    let mut error = Map::new();
    error.insert("type".to_owned(), "invalidStateEvent".into());
    while let Some(name) = json.member() {
        match name.as_ref() {
            "reason" => error.insert("code".to_owned(), json.value()),
            "message" => error.insert("message".to_owned(), json.value()),
            _ => None,
        };
    }
    answer.fail(&Value::Object(error));
}

/// Keeps an event as it is.
fn keep(name: &str, json: &mut Json<'_>, answer: &mut Answer) {
    let mut members = Map::new();
    let mut bytes = 0;
    while let Some(name) = json.member() {
        bytes += name.len() + json.width();
        members.insert(name.into_owned(), json.value());
    }
    let raw = Value::Object(members).into();
    answer.part(0, other_part(name, raw), bytes);
}
