//! Requests and responses read: framing, then dialect, then errors.
//!
//! ```text
//! Head ──first bytes──► Whole ──end──► read at once, or an error body
//!   │                     └─ over the limit ─► TooLarge: not read
//!   └─────────────────► Framed ──each event──► the dialect's stream
//! ```
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`ERROR_BYTES_MAX`] | 1 MiB of an error's body | its start is the message |
//! | [`BODY_BYTES_MAX`] | 16 MiB of a body that is read whole; forms have no limit | diagnostic `too_large`, not read |
//!
//! Streams have no limit of their length; their events and what is kept of them do.

#[cfg(test)]
mod tests;

use flow_model::{Dialect, Header, Outcome, RequestReading, ResponseReading, exchange};

use crate::answer::{Answer, Diagnostics};
use crate::dialects::{self, Depth, Stream};
use crate::errors;
use crate::frames::{Frames, Framing, is_lines, is_sound, sniff};
use crate::json::{Document, Fault, Json, lossy};

/// Start of the names of headers in which Bedrock counts tokens.
const METRICS: &str = "x-amzn-bedrock-";
/// What is said of a stream in which nothing was answered.
const EMPTY: &str = "the stream holds no answer";
/// Bytes of an error's body. A larger one is taken for text.
const ERROR_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a body that is read whole. Larger ones are stored and shown raw.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Reads a response as it arrives.
#[derive(Clone, Debug)]
pub struct ResponseDecoder {
    status: u16,
    headers: Vec<Header>,
    state: State,
    stream: Stream,
    answer: Answer,
}

/// What the body has turned out to be.
#[derive(Clone, Debug)]
enum State {
    /// Too few bytes to say.
    Head(Vec<u8>),
    /// One value, kept until it is complete.
    Whole(Vec<u8>),
    /// One value that is too large to be kept.
    TooLarge,
    /// A stream.
    Framed(Frames),
}

/// Reads a request. `body` is content-decoded.
pub fn read_request(dialect: Dialect, path: &str, body: &[u8]) -> RequestReading {
    request(dialect, path, body, Depth::Whole)
}

/// Reads of a request what a row of a list shows: the model, whether a stream is asked for, and the newest
/// messages. Everything else is skipped.
pub fn skim_request(dialect: Dialect, path: &str, body: &[u8]) -> RequestReading {
    request(dialect, path, body, Depth::Skim)
}

fn request(dialect: Dialect, path: &str, body: &[u8], depth: Depth) -> RequestReading {
    // Nothing of a form's files is kept, which is why they may be as large as they are.
    let is_too_large = body.len() > BODY_BYTES_MAX && !dialects::is_form(dialect, body);
    let body = if is_too_large { b"{}" } else { body };
    let mut reading = dialects::read_request(dialect, path, body, depth);
    if is_too_large {
        let mut diagnostics = Diagnostics::default();
        diagnostics.once("too_large", "the request is too large to be read");
        reading.diagnostics = diagnostics.into_vec();
    }
    reading
}

// === impl ResponseDecoder ===

impl ResponseDecoder {
    /// Returns a decoder for a response with this head, where there is one. Errors are read whatever the dialect:
    /// their shapes are few, and their message is what somebody who sees a failed call looks for first.
    pub fn find(dialect: Option<Dialect>, status: u16, headers: &[Header]) -> Option<Self> {
        let errors = (status >= 400).then_some(Dialect::OpenaiChat);
        let dialect = dialect.or(errors)?;
        Some(Self::new(dialect, status, headers))
    }

    /// Returns a decoder for a response with this head.
    pub fn new(dialect: Dialect, status: u16, headers: &[Header]) -> Self {
        let needed = headers
            .iter()
            .filter(|header| is_needed(dialect, status, &header.name));
        Self {
            status,
            headers: needed.cloned().collect(),
            state: State::Head(Vec::new()),
            stream: Stream::new(dialect),
            answer: Answer::new(dialect),
        }
    }

    /// Reads the next piece of the content-decoded body, which arrived `at_us` microseconds after the start.
    pub fn push(&mut self, bytes: &[u8], at_us: u64) {
        if bytes.is_empty() {
            return;
        }
        let Self {
            state,
            stream,
            answer,
            ..
        } = self;
        match state {
            State::Head(head) if head.is_empty() => self.settle(bytes, false, at_us),
            State::Head(head) => {
                let mut head = std::mem::take(head);
                head.extend_from_slice(bytes);
                self.settle(&head, false, at_us);
            }
            State::Whole(body) if body.len() + bytes.len() > BODY_BYTES_MAX => {
                *state = State::TooLarge;
            }
            State::Whole(body) => body.extend_from_slice(bytes),
            State::TooLarge => {}
            State::Framed(frames) => {
                answer.arrived(at_us);
                frames.push(bytes, &mut |framed| stream.framed(&framed, answer));
            }
        }
    }

    /// Returns what has arrived so far. Whole bodies are read only once they are complete.
    pub fn snapshot(&self) -> ResponseReading {
        let streamed = matches!(self.state, State::Framed(_));
        let mut answer = self.answer.clone();
        self.stream.clone().finish(&mut answer);
        answer.into_reading(Outcome::Partial, streamed)
    }

    /// Ends the body and returns the reading. `complete` says that it arrived to its end.
    pub fn finish(mut self, complete: bool) -> ResponseReading {
        if let State::Head(head) = &mut self.state {
            let head = std::mem::take(head);
            self.settle(&head, true, 0);
        }
        self.reread();
        let Self {
            status,
            headers,
            state,
            mut stream,
            mut answer,
        } = self;
        match state {
            State::Head(body) | State::Whole(body) => {
                dialects::read_head(&headers, &mut answer);
                let outcome = whole(&mut answer, status, &headers, &body, complete);
                return answer.into_reading(outcome, false);
            }
            State::TooLarge => {
                answer
                    .diagnostics
                    .once("too_large", "the response is too large to be read");
                return answer.into_reading(Outcome::None, false);
            }
            State::Framed(mut frames) => {
                frames.finish(&mut |framed| stream.framed(&framed, &mut answer));
                answer.closed |= frames.is_closed();
            }
        }
        stream.finish(&mut answer);
        let outcome = stream_outcome(&mut answer, status, &headers, complete);
        answer.into_reading(outcome, true)
    }

    /// Takes a body for lines that was taken for one value, because no label said otherwise.
    fn reread(&mut self) {
        let State::Whole(body) = &mut self.state else {
            return;
        };
        if streams_by_lines(self.answer.dialect)
            && is_lines(body)
            && let Some(mut frames) = Frames::new(Framing::Lines)
        {
            let body = std::mem::take(body);
            let Self { stream, answer, .. } = self;
            frames.push(&body, &mut |framed| stream.framed(&framed, answer));
            self.state = State::Framed(frames);
        }
    }

    /// Decides on the framing once the first bytes tell it; `head` is all that has come.
    fn settle(&mut self, head: &[u8], ended: bool, at_us: u64) {
        let label = exchange::header(&self.headers, "content-type");
        let arrays = self.answer.dialect == Dialect::GeminiGenerate;
        let Some(framing) = sniff(head, label, arrays, ended) else {
            // White space alone is kept, but not without end.
            self.state = if head.len() > BODY_BYTES_MAX {
                State::TooLarge
            } else {
                State::Head(head.to_vec())
            };
            return;
        };
        self.state = Frames::new(framing).map_or_else(|| State::Whole(Vec::new()), State::Framed);
        self.push(head, at_us);
    }
}

/// Returns whether a header says anything about the body or the error in it.
fn is_needed(dialect: Dialect, status: u16, name: &str) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    let error = [
        "date",
        "retry-after",
        "retry-after-ms",
        "x-should-retry",
        "x-amzn-errortype",
    ];
    is("content-type")
        || (status >= 400 && error.into_iter().any(is))
        || (dialect == Dialect::BedrockInvoke
            && name
                .get(..METRICS.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(METRICS)))
}

/// Returns whether a dialect's streams are lines of JSON, which nothing but a label tells from a whole body
/// before its end.
fn streams_by_lines(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::OllamaChat
            | Dialect::OllamaGenerate
            | Dialect::CohereChat
            | Dialect::CohereGenerate
            | Dialect::AnthropicBatches
    )
}

/// Says how a stream went.
fn stream_outcome(answer: &mut Answer, status: u16, headers: &[Header], complete: bool) -> Outcome {
    if status >= 400 {
        let known = answer.error.take();
        let mut error = errors::read(answer.dialect, status, headers, None, "");
        if let Some(known) = known {
            let wait = error.retry_after_us.or(known.retry_after_us);
            error = errors::with_status(answer.dialect, status, known);
            error.retry_after_us = wait;
        }
        answer.error = Some(error);
        return Outcome::Error;
    }
    if answer.error.is_some() {
        return Outcome::StreamError;
    }
    // Kiro may say what it cost, and nothing else.
    let is_silent = answer.dialect == Dialect::Kiro && answer.is_silent();
    if answer.events == 0 || is_silent {
        answer.diagnostics.once("empty_stream", EMPTY);
        return Outcome::None;
    }
    let ended = match answer.dialect {
        Dialect::AnthropicMessages
        | Dialect::BedrockConverse
        | Dialect::OllamaChat
        | Dialect::OllamaGenerate
        | Dialect::OpenaiAudio
        | Dialect::OpenaiImages => answer.closed,
        // `[DONE]` says nothing of the answer, and some send none.
        Dialect::OpenaiResponses | Dialect::GeminiInteractions => answer.is_ended(),
        Dialect::BedrockInvoke if answer.must_close => answer.closed,
        // Neither `[DONE]` nor a reason to stop is sent by all, so that the end of the body has to do.
        _ => complete || answer.closed || answer.is_stopped(),
    };
    if ended {
        Outcome::Ok
    } else {
        Outcome::StreamTruncated
    }
}

/// Reads a whole body.
fn whole(
    answer: &mut Answer,
    status: u16,
    headers: &[Header],
    body: &[u8],
    complete: bool,
) -> Outcome {
    if status >= 400 {
        error_body(answer, status, headers, body);
        return Outcome::Error;
    }
    if body.trim_ascii().is_empty() {
        if answer.dialect == Dialect::Kiro {
            answer.diagnostics.once("empty_stream", EMPTY);
        }
        return Outcome::None;
    }
    let document = Document::new(body);
    let mut json = document.root();
    let mut peeked = json;
    let sound = is_sound(exchange::header(headers, "content-type"));
    if sound || !json.object() {
        if peeked.array() && peeked.element() && has_error(&mut peeked) {
            error_body(answer, status, headers, body);
            return Outcome::Error;
        }
        if dialects::read_other(body, headers, answer) {
            return if complete {
                Outcome::Ok
            } else {
                Outcome::StreamTruncated
            };
        }
        answer
            .diagnostics
            .at(0, "unexpected_type", "the response is no JSON object");
        return Outcome::None;
    }
    dialects::read_whole(&mut json, answer);
    // Only what holds no answer is looked through once more.
    if !answer.is_begun() && has_error(&mut peeked) {
        error_body(answer, status, headers, body);
        return Outcome::Error;
    }
    json.end();
    answer.note(&document);
    if answer.is_empty() {
        answer
            .diagnostics
            .once("no_answer", "the response holds no answer");
    }
    match document.syntax() {
        _ if answer.error.is_some() => Outcome::Error,
        Some(Fault::Truncated) if !complete => Outcome::StreamTruncated,
        _ => Outcome::Ok,
    }
}

/// Returns whether the object at the cursor is an error in spite of a good status.
fn has_error(json: &mut Json<'_>) -> bool {
    let Some([kind, error, choices]) = json.fields(["type", "error", "choices"]) else {
        return false;
    };
    let named = kind.and_then(|mut kind| kind.text());
    named.is_some_and(|kind| kind == "error")
        || (choices.is_none()
            && error.is_some_and(|mut error| {
                let mut body = serde_json::Map::new();
                body.insert("error".to_owned(), error.value());
                errors::is_error(&body.into())
            }))
}

fn error_body(answer: &mut Answer, status: u16, headers: &[Header], body: &[u8]) {
    if body.len() > ERROR_BYTES_MAX {
        let start = body.get(..ERROR_BYTES_MAX).unwrap_or_default();
        let error = errors::read(answer.dialect, status, headers, None, &lossy(start));
        answer.error = Some(error);
        let what = "the error is too large to be read";
        return answer.diagnostics.once("error_too_large", what);
    }
    let document = Document::new(body);
    let mut json = document.root();
    let value = json.value();
    json.end();
    // Text of a proxy in between is no fault of the codec's.
    let is_json = document
        .syntax()
        .is_none_or(|fault| fault == Fault::Trailing)
        && (value.is_object() || value.is_array());
    if is_json {
        answer.note(&document);
    }
    let text = if is_json { "".into() } else { lossy(body) };
    let value = is_json.then_some(&value);
    let error = errors::read(answer.dialect, status, headers, value, &text);
    answer.error = Some(error);
}
