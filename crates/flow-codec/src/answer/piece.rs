//! Parts under construction.

use flow_model::{Media, Part, Raw};
use serde_json::Value;

use crate::json::Text;

use super::Speech;

/// A part under construction.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text {
        text: Text,
        citations: Vec<Raw>,
    },
    Thinking {
        text: Text,
        signed: bool,
        redacted: bool,
    },
    Refusal {
        text: Text,
    },
    Call(Call),
    Audio {
        id: Option<String>,
        transcript: Text,
        data_chars: u64,
    },
    /// A raw part that grows.
    Grown {
        name: String,
        raw: Value,
    },
    /// A part that came whole.
    Part(Part),
}

/// A tool call under construction.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    /// The wire's number of the call, where it has one.
    pub(crate) index: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) arguments: Text,
    /// The arguments if no increment of them comes.
    pub(crate) initial: Option<String>,
    pub(crate) server: bool,
}

// === impl Piece ===

impl Piece {
    pub(super) fn of(speech: Speech) -> Self {
        let text = Text::default();
        match speech {
            Speech::Text => Self::Text {
                text,
                citations: Vec::new(),
            },
            Speech::Thinking => Self::Thinking {
                text,
                signed: false,
                redacted: false,
            },
            Speech::Refusal => Self::Refusal { text },
        }
    }

    /// Returns the piece that a part becomes, open for what comes of it still.
    pub(crate) fn open(part: Part) -> Self {
        match part {
            Part::Text {
                text,
                citations,
                cache: None,
            } => Self::Text {
                text: Text::from(text),
                citations,
            },
            Part::Thinking {
                text,
                signed,
                redacted,
            } => Self::Thinking {
                text: Text::from(text),
                signed,
                // Signed thinking is withheld only as long as no text of it comes.
                redacted: redacted && !signed,
            },
            Part::Refusal { text } => Self::Refusal {
                text: Text::from(text),
            },
            Part::ToolCall {
                id,
                name,
                arguments,
                server,
            } => Self::Call(Call {
                index: None,
                id,
                name,
                arguments: Text::default(),
                initial: Some(arguments),
                server,
            }),
            part => Self::Part(part),
        }
    }

    pub(super) fn into_part(self) -> Part {
        match self {
            Self::Text { text, citations } => Part::Text {
                text: text.finish(),
                citations,
                cache: None,
            },
            Self::Thinking {
                text,
                signed,
                redacted,
            } => Part::Thinking {
                redacted: redacted || (signed && text.is_empty()),
                text: text.finish(),
                signed,
            },
            Self::Refusal { text } => Part::Refusal {
                text: text.finish(),
            },
            Self::Call(call) => {
                let arguments = if call.arguments.is_empty() {
                    call.initial.unwrap_or_default()
                } else {
                    call.arguments.finish()
                };
                Part::ToolCall {
                    id: call.id,
                    name: call.name,
                    arguments,
                    server: call.server,
                }
            }
            Self::Audio {
                id,
                transcript,
                data_chars,
            } => Part::Audio {
                media: Media {
                    data_chars: Some(data_chars),
                    ..Media::default()
                },
                transcript: (!transcript.is_empty()).then(|| transcript.finish()),
                id,
            },
            Self::Grown { name, raw } => Part::Other {
                name,
                raw: raw.into(),
            },
            Self::Part(part) => part,
        }
    }
}
