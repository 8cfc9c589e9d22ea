//! Requests and answers as they stand on the wire, in four dialects.
//!
//! What is said is the same everywhere ([`Answer`], [`Head`]); each dialect writes it in its own way: as a request
//! on its own, as messages that are appended to a history, as a stream of events, and as a whole answer.

mod anthropic;
mod chat;
mod gemini;
mod json;
mod responses;
mod sse;

use flow_model::{Dialect, StopReason, Tokens};

use self::json::{comma, put};

pub(crate) use self::json::{Piece, put as put_json};
pub(crate) use self::sse::Sse;

/// A dialect that traffic is made in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    #[default]
    Anthropic,
    Responses,
    Chat,
    Gemini,
}

/// What a model says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    /// Thinking in clear; may be empty.
    pub(crate) thinking: String,
    /// The opaque form of the thinking; may be empty.
    pub(crate) signature: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<ToolCall>,
}

/// A call of a tool.
#[derive(Clone, Debug)]
pub(crate) struct ToolCall {
    /// Letters and digits that tell the call from others; each dialect puts its prefix in front.
    pub(crate) id: String,
    pub(crate) name: String,
    /// A JSON object.
    pub(crate) arguments: String,
}

/// An answer with what surrounds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) model: &'a str,
    /// Letters and digits that tell the answer from others.
    pub(crate) id: &'a str,
    /// When it was made, in seconds since the epoch.
    pub(crate) created: u64,
    pub(crate) answer: &'a Answer,
    pub(crate) counts: Counts,
}

/// Tokens of a call. A part is counted in its whole.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// The part of `input` that was read from the cache.
    pub(crate) cached: u64,
    /// The part of `input` that was written to the cache.
    pub(crate) written: u64,
    /// The part of `output` that is reasoning.
    pub(crate) reasoning: u64,
}

/// A call on its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single<'a> {
    pub(crate) model: &'a str,
    pub(crate) system: &'a str,
    pub(crate) prompt: &'a str,
    pub(crate) stream: bool,
}

/// What stands around the messages of every request of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) model: String,
    pub(crate) system: Vec<String>,
    pub(crate) tools: Vec<Tool>,
    /// The session, as the agent names it.
    pub(crate) session: String,
}

/// A tool that the model may call.
#[derive(Clone, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Names and descriptions.
    pub(crate) parameters: Vec<(String, String)>,
}

// === impl Wire ===

impl Wire {
    pub(crate) const fn dialect(self) -> Dialect {
        match self {
            Self::Anthropic => Dialect::AnthropicMessages,
            Self::Responses => Dialect::OpenaiResponses,
            Self::Chat => Dialect::OpenaiChat,
            Self::Gemini => Dialect::GeminiGenerate,
        }
    }

    /// Returns the body of a call on its own.
    pub(crate) fn single(self, single: &Single<'_>) -> String {
        match self {
            Self::Anthropic => anthropic::single(single),
            Self::Responses => responses::single(single),
            Self::Chat => chat::single(single),
            Self::Gemini => gemini::single(single),
        }
    }

    /// Returns what stands in front of the messages and behind them.
    pub(crate) fn around(self, head: &Head) -> (String, String) {
        match self {
            Self::Anthropic => anthropic::around(head),
            Self::Responses => responses::around(head),
            Self::Chat => chat::around(head),
            Self::Gemini => gemini::around(head),
        }
    }

    /// Appends what the user says to a history.
    pub(crate) fn user(self, out: &mut String, text: &str) {
        if !out.is_empty() {
            out.push(',');
        }
        match self {
            Self::Anthropic => anthropic::user(out, text),
            Self::Responses => responses::user(out, text),
            Self::Chat => chat::user(out, text),
            Self::Gemini => gemini::user(out, text),
        }
    }

    /// Appends an answer to a history, and what its calls came to.
    pub(crate) fn turn(self, out: &mut String, answer: &Answer, results: &[String]) {
        if !out.is_empty() {
            out.push(',');
        }
        match self {
            Self::Anthropic => anthropic::turn(out, answer, results),
            Self::Responses => responses::turn(out, answer, results),
            Self::Chat => chat::turn(out, answer, results),
            Self::Gemini => gemini::turn(out, answer, results),
        }
    }

    /// Returns the text that a reading finds in the result of a call.
    pub(crate) fn shown(self, result: String) -> String {
        match self {
            Self::Gemini => object(&[("output", &result)]),
            Self::Anthropic | Self::Responses | Self::Chat => result,
        }
    }

    /// Appends a history to a body as it is sent: with the mark of the cache at its newest message.
    pub(crate) fn history(self, out: &mut String, history: &str) {
        match self {
            Self::Anthropic => anthropic::history(out, history),
            Self::Responses | Self::Chat | Self::Gemini => out.push_str(history),
        }
    }

    /// Returns an answer as a stream.
    pub(crate) fn stream(self, reply: &Reply<'_>) -> Sse {
        match self {
            Self::Anthropic => anthropic::stream(reply),
            Self::Responses => responses::stream(reply),
            Self::Chat => chat::stream(reply),
            Self::Gemini => gemini::stream(reply),
        }
    }

    /// Returns an answer as one object.
    pub(crate) fn whole(self, reply: &Reply<'_>) -> String {
        match self {
            Self::Anthropic => anthropic::whole(reply),
            Self::Responses => responses::whole(reply),
            Self::Chat => chat::whole(reply),
            Self::Gemini => gemini::whole(reply),
        }
    }
}

// === impl Answer ===

impl Answer {
    /// Returns why the answer stops.
    pub(crate) const fn stop(&self) -> StopReason {
        if self.calls.is_empty() {
            StopReason::Stop
        } else {
            StopReason::ToolUse
        }
    }
}

/// Returns an object of strings.
pub(crate) fn object(members: &[(&str, &str)]) -> String {
    let mut out = String::from("{");
    for (place, (name, text)) in members.iter().enumerate() {
        let pieces = [
            Piece::Raw(comma(place)),
            Piece::Text(name),
            Piece::Raw(":"),
            Piece::Text(text),
        ];
        put(&mut out, &pieces);
    }
    out.push('}');
    out
}

// === impl Tool ===

impl Tool {
    /// Writes name, description and schema as members.
    fn declare(&self, out: &mut String) {
        put(
            out,
            &[
                Piece::Raw(r#""name":"#),
                Piece::Text(&self.name),
                Piece::Raw(r#","description":"#),
                Piece::Text(&self.description),
                Piece::Raw(r#","parameters":"#),
            ],
        );
        self.schema(out);
    }

    fn schema(&self, out: &mut String) {
        out.push_str(r#"{"type":"object","properties":{"#);
        for (place, (name, description)) in self.parameters.iter().enumerate() {
            put(
                out,
                &[
                    Piece::Raw(comma(place)),
                    Piece::Text(name),
                    Piece::Raw(r#":{"type":"string","description":"#),
                    Piece::Text(description),
                    Piece::Raw("}"),
                ],
            );
        }
        out.push_str(r#"},"required":["#);
        for (place, (name, _)) in self.parameters.iter().take(2).enumerate() {
            put(out, &[Piece::Raw(comma(place)), Piece::Text(name)]);
        }
        out.push_str("]}");
    }
}

// === impl Counts ===

impl Counts {
    /// Returns the counts as a reading of this dialect has them.
    pub(crate) fn tokens(self, wire: Wire) -> Tokens {
        let some = |count: u64| (count > 0).then_some(count);
        let (cache_read, cache_write, reasoning) = match wire {
            Wire::Anthropic => (Some(self.cached), Some(self.written), None),
            Wire::Responses | Wire::Chat => (Some(self.cached), None, Some(self.reasoning)),
            // Protobuf leaves a count of 0 out.
            Wire::Gemini => (some(self.cached), None, some(self.reasoning)),
        };
        Tokens {
            input: Some(self.input),
            output: Some(self.output),
            cache_read,
            cache_write,
            reasoning,
            total: Some(self.input + self.output),
            ..Tokens::default()
        }
    }
}
