//! A response under construction, the same for every dialect, whole or streamed.
//!
//! Dialects say what they read (`text`, `call`, `stop` …); this module joins increments to parts, keeps the
//! order of the wire, notes the time of the first output and holds the limits.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`KEPT_BYTES_MAX`] | 32 MiB of text and raw values | diagnostic `answer_too_large`, the rest is not kept |
//! | [`USAGE_BYTES_MAX`] | 64 KiB of a usage object | it is not read |
//! | [`CHOICES_MAX`] | 256 answers in one response | the rest is not kept |
//! | [`PARTS_MAX`] | 16,384 parts of one answer | the rest is not kept |

mod diagnostics;
mod piece;

use flow_model::{
    Choice, Dialect, Embeddings, ErrorReading, Message, Outcome, Part, Raw, ResponseReading, Role,
    StopReason, Units, WireUsage,
};
use serde_json::Value;

use crate::json::{Document, Json, Node, Text, Token};
use crate::{dialects, errors};

pub(crate) use self::diagnostics::Diagnostics;
pub(crate) use self::piece::{Call, Piece};

/// Bytes of text and raw values that one response keeps.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a usage object.
const USAGE_BYTES_MAX: usize = 64 * 1024;
/// Answers in one response.
const CHOICES_MAX: usize = 256;
/// Parts of one answer.
const PARTS_MAX: usize = 16 * 1024;

/// A response under construction.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) dialect: Dialect,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) usage: Option<Raw>,
    pub(crate) error: Option<ErrorReading>,
    pub(crate) block_reason: Option<String>,
    /// Counts that a gateway measured beside the model's own.
    pub(crate) metrics: Option<WireUsage>,
    pub(crate) units: Units,
    pub(crate) context_bp: Option<u64>,
    pub(crate) service_tier: Option<String>,
    pub(crate) embeddings: Option<Embeddings>,
    pub(crate) events: u64,
    /// The event that closes a stream has come.
    pub(crate) closed: bool,
    /// The shape of the stream has an event that closes it.
    pub(crate) must_close: bool,
    pub(crate) diagnostics: Diagnostics,
    /// Room for the index of the next event.
    pub(crate) room: Vec<Node>,
    drafts: Vec<Draft>,
    /// When the bytes that are being read arrived; none for whole bodies.
    at_us: Option<u64>,
    ttft_us: Option<u64>,
    kept: usize,
}

/// One answer under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    index: u64,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) stop_reason: Option<String>,
    pub(crate) stop: Option<StopReason>,
    pub(crate) logprobs: Option<Value>,
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speech {
    Text,
    Thinking,
    Refusal,
}

// === impl Answer ===

impl Answer {
    /// Returns an empty response.
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            model: None,
            id: None,
            usage: None,
            error: None,
            block_reason: None,
            metrics: None,
            units: Units::default(),
            context_bp: None,
            service_tier: None,
            embeddings: None,
            events: 0,
            closed: false,
            must_close: false,
            diagnostics: Diagnostics::default(),
            room: Vec::new(),
            drafts: Vec::new(),
            at_us: None,
            ttft_us: None,
            kept: 0,
        }
    }

    /// Says when the bytes that follow arrived.
    pub(crate) fn arrived(&mut self, at_us: u64) {
        self.at_us = Some(at_us);
    }

    /// Says that output came that is kept elsewhere.
    pub(crate) fn spoke(&mut self) {
        self.ttft_us = self.ttft_us.or(self.at_us);
    }

    /// Returns whether so many more bytes may be kept.
    pub(crate) fn admits(&mut self, bytes: usize) -> bool {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept <= KEPT_BYTES_MAX {
            return true;
        }
        self.diagnostics.once(
            "answer_too_large",
            "the answer is too large; its rest was not read",
        );
        false
    }

    /// Returns the draft of the answer with this number; none past the limit.
    pub(crate) fn draft(&mut self, index: u64) -> Option<&mut Draft> {
        let found = self.drafts.iter().position(|draft| draft.index == index);
        let at = match found {
            Some(at) => at,
            None if self.drafts.len() >= CHOICES_MAX => {
                self.diagnostics.once(
                    "too_many_choices",
                    "more answers than are kept; the rest was not read",
                );
                return None;
            }
            None => {
                self.drafts.push(Draft {
                    index,
                    ..Draft::default()
                });
                self.drafts.len() - 1
            }
        };
        self.drafts.get_mut(at)
    }

    /// Appends speech to an answer: to its last part where that is of the same kind, else as a new part.
    pub(crate) fn say(
        &mut self,
        index: u64,
        speech: Speech,
        token: Token<'_>,
        document: &Document<'_>,
    ) {
        if token.is_empty() || !self.admits(token.raw().len()) {
            return;
        }
        self.spoke();
        if let Some(text) = self.draft(index).and_then(|draft| draft.speech(speech)) {
            token.append_to(text, document);
        }
    }

    /// Appends speech that has been read already.
    pub(crate) fn say_str(&mut self, index: u64, speech: Speech, words: &str) {
        if words.is_empty() || !self.admits(words.len()) {
            return;
        }
        self.spoke();
        if let Some(text) = self.draft(index).and_then(|draft| draft.speech(speech)) {
            text.push_str(words);
        }
    }

    /// Appends a part that came whole, which counts as `bytes` kept.
    pub(crate) fn part(&mut self, index: u64, part: Part, bytes: usize) {
        if !self.admits(bytes) {
            return;
        }
        if part_speaks(&part) {
            self.spoke();
        }
        if let Some(draft) = self.draft(index) {
            draft.push(Piece::Part(part));
        }
    }

    /// Attaches a citation to the last text of an answer.
    pub(crate) fn cite(&mut self, index: u64, citation: &mut Json<'_>) {
        let value = citation.verbatim();
        if self.admits(value.as_str().len())
            && let Some(Piece::Text { citations, .. }) =
                self.draft(index).and_then(Draft::last_text)
        {
            citations.push(value);
        }
    }

    /// Reads a raw value, where it may be kept.
    pub(crate) fn keep(&mut self, json: &mut Json<'_>) -> Option<Value> {
        let bytes = json.width();
        self.admits(bytes).then(|| json.value())
    }

    /// Reads a raw value as it is, where it may be kept.
    pub(crate) fn keep_raw(&mut self, json: &mut Json<'_>) -> Option<Raw> {
        let bytes = json.width();
        self.admits(bytes).then(|| json.verbatim())
    }

    /// Reads the usage; a later one replaces an earlier one.
    pub(crate) fn count(&mut self, json: &mut Json<'_>) {
        if json.is_object() && json.width() <= USAGE_BYTES_MAX {
            self.usage = Some(json.verbatim());
        }
    }

    /// Notes an error that stands inside a response with a good status.
    pub(crate) fn fail(&mut self, error: &Value) {
        self.error = Some(errors::in_stream(self.dialect, error));
    }

    /// Says that reasoning came whose text is withheld.
    pub(crate) fn withhold(&mut self, index: u64) {
        let Some(draft) = self.draft(index) else {
            return;
        };
        if !matches!(draft.pieces.last(), Some(Piece::Thinking { .. })) {
            draft.push(Piece::Thinking {
                text: Text::default(),
                signed: false,
                redacted: true,
            });
        }
    }

    /// Notes what was wrong with a document.
    pub(crate) fn note(&mut self, document: &Document<'_>) {
        for diagnostic in document.diagnostics() {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Returns whether there is no answer at all: no message, no vectors, no count, no word of a refused prompt.
    pub(crate) fn is_empty(&self) -> bool {
        self.drafts.is_empty()
            && self.embeddings.is_none()
            && self.usage.is_none()
            && self.block_reason.is_none()
    }

    /// Returns whether some answer has begun.
    pub(crate) fn is_begun(&self) -> bool {
        !self.drafts.is_empty() || self.embeddings.is_some()
    }

    /// Returns whether there is no message, whatever was counted.
    pub(crate) fn is_silent(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Returns whether some answer has said why it stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.drafts.iter().any(|draft| draft.stop_reason.is_some())
    }

    /// Returns whether some answer has stopped for a reason that is known.
    pub(crate) fn is_ended(&self) -> bool {
        self.drafts.iter().any(|draft| draft.stop.is_some())
    }

    /// Returns the reading of what has been read.
    pub(crate) fn into_reading(mut self, outcome: Outcome, streamed: bool) -> ResponseReading {
        self.drafts.sort_by_key(|draft| draft.index);
        let wire = self
            .usage
            .as_ref()
            .map(|usage| dialects::usage(self.dialect, usage));
        ResponseReading {
            outcome,
            streamed,
            error: self.error,
            model: self.model,
            id: self.id,
            choices: self.drafts.into_iter().map(Draft::into_choice).collect(),
            usage: wire,
            usage_raw: self.usage,
            metrics: self.metrics,
            units: self.units,
            context_bp: self.context_bp,
            service_tier: self.service_tier,
            embeddings: self.embeddings,
            block_reason: self.block_reason,
            events: self.events,
            ttft_us: self.ttft_us,
            diagnostics: self.diagnostics.into_vec(),
        }
    }
}

// === impl Draft ===

impl Draft {
    /// Appends a piece, unless there are too many.
    pub(crate) fn push(&mut self, piece: Piece) -> Option<&mut Piece> {
        if self.pieces.len() >= PARTS_MAX {
            return None;
        }
        self.pieces.push(piece);
        self.pieces.last_mut()
    }

    /// Puts a piece at a place among the others, unless there are too many.
    pub(crate) fn insert(&mut self, at: usize, piece: Piece) {
        if self.pieces.len() < PARTS_MAX && at <= self.pieces.len() {
            self.pieces.insert(at, piece);
        }
    }

    /// Returns the text that speech of this kind is appended to.
    fn speech(&mut self, speech: Speech) -> Option<&mut Text> {
        let open = match (self.pieces.last(), speech) {
            (Some(Piece::Text { .. }), Speech::Text)
            | (Some(Piece::Refusal { .. }), Speech::Refusal) => true,
            // A signature closes its part.
            (Some(Piece::Thinking { signed, .. }), Speech::Thinking) => !signed,
            _ => false,
        };
        if !open {
            self.push(Piece::of(speech))?;
        }
        match self.pieces.last_mut()? {
            Piece::Text { text, .. } | Piece::Thinking { text, .. } | Piece::Refusal { text } => {
                Some(text)
            }
            Piece::Call(_) | Piece::Audio { .. } | Piece::Grown { .. } | Piece::Part(_) => None,
        }
    }

    /// Returns the last text part; an empty one is begun where there is none.
    fn last_text(&mut self) -> Option<&mut Piece> {
        let is_text = |piece: &Piece| matches!(piece, Piece::Text { .. });
        match self.pieces.iter().rposition(is_text) {
            Some(at) => self.pieces.get_mut(at),
            None => self.push(Piece::of(Speech::Text)),
        }
    }

    /// Returns the calls under construction.
    pub(crate) fn calls(&mut self) -> impl DoubleEndedIterator<Item = &mut Call> {
        self.pieces.iter_mut().filter_map(|piece| match piece {
            Piece::Call(call) => Some(call),
            _ => None,
        })
    }

    /// Returns the sound under construction; it is begun where there is none.
    pub(crate) fn audio(&mut self) -> Option<&mut Piece> {
        let is_audio = |piece: &Piece| matches!(piece, Piece::Audio { .. });
        match self.pieces.iter().rposition(is_audio) {
            Some(at) => self.pieces.get_mut(at),
            None => self.push(Piece::Audio {
                id: None,
                transcript: Text::default(),
                data_chars: 0,
            }),
        }
    }

    fn into_choice(self) -> Choice {
        let parts: Vec<Part> = self.pieces.into_iter().map(Piece::into_part).collect();
        let calls = parts
            .iter()
            .any(|part| matches!(part, Part::ToolCall { server: false, .. }));
        // Gemini always, and OpenAI where a call was forced, say "stop" for an answer that calls a tool.
        let stop = match self.stop {
            Some(StopReason::Stop) if calls => Some(StopReason::ToolUse),
            stop => stop,
        };
        Choice {
            index: self.index,
            message: Message {
                role: Role::Assistant,
                name: None,
                parts,
            },
            stop_reason: self.stop_reason,
            stop,
            logprobs: self.logprobs.map(Into::into),
        }
    }
}

/// Returns whether a part counts as output for the time of the first token.
fn part_speaks(part: &Part) -> bool {
    match part {
        Part::Text { text, .. } | Part::Thinking { text, .. } | Part::Refusal { text } => {
            !text.is_empty()
        }
        Part::ToolCall { arguments, .. } => !arguments.is_empty(),
        _ => false,
    }
}
