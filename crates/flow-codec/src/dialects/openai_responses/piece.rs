//! Pieces of an answer that grow by increments, and what whole parts do to them.

use flow_model::Part;

use crate::answer::{Call, Piece, Speech};
use crate::json::{Document, Text, Token};

use super::item::Place;

/// What kind of piece an increment belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grows {
    Speech(Speech),
    Arguments,
    Sound,
    Transcript,
}

/// Returns what grows by an event of this type, and where in its item the part of this number is.
pub(super) fn growth(kind: &str, number: u64) -> Option<(Grows, Place)> {
    let event = kind.strip_prefix("response.")?;
    let endings = [".delta", ".done", "_delta", "_done"];
    let stem = endings
        .iter()
        .find_map(|ending| event.strip_suffix(ending))?;
    Some(match stem {
        "output_text" => (Grows::Speech(Speech::Text), Place::Content(number)),
        "refusal" => (Grows::Speech(Speech::Refusal), Place::Content(number)),
        "reasoning_text" | "reasoning" => (Grows::Speech(Speech::Thinking), Place::Thought(number)),
        "reasoning_summary_text" | "reasoning_summary" => {
            (Grows::Speech(Speech::Thinking), Place::Summary(number))
        }
        "function_call_arguments"
        | "custom_tool_call_input"
        | "mcp_call_arguments"
        | "mcp_call.arguments"
        | "code_interpreter_call_code"
        | "code_interpreter_call.code"
        | "apply_patch_call_operation_diff"
        | "shell_call_command" => (Grows::Arguments, Place::Call),
        "audio" | "output_audio" => (Grows::Sound, Place::Sound(number)),
        "audio.transcript" | "audio_transcript" | "output_audio_transcript" => {
            (Grows::Transcript, Place::Sound(number))
        }
        _ => return None,
    })
}

/// Returns an empty piece of the kind that grows.
pub(super) fn empty(grows: Grows) -> Piece {
    let text = Text::default();
    match grows {
        Grows::Speech(Speech::Text) => Piece::Text {
            text,
            citations: Vec::new(),
        },
        Grows::Speech(Speech::Thinking) => Piece::Thinking {
            text,
            signed: false,
            redacted: false,
        },
        Grows::Speech(Speech::Refusal) => Piece::Refusal { text },
        Grows::Arguments => Piece::Call(Call::default()),
        Grows::Sound | Grows::Transcript => Piece::Audio {
            id: None,
            transcript: text,
            data_chars: 0,
        },
    }
}

/// Appends an increment to its piece; false where it does not fit.
pub(super) fn append(
    piece: &mut Piece,
    grows: Grows,
    token: Token<'_>,
    document: &Document<'_>,
) -> bool {
    match (piece, grows) {
        (
            Piece::Text { text, .. } | Piece::Thinking { text, .. } | Piece::Refusal { text },
            Grows::Speech(_),
        )
        | (
            Piece::Audio {
                transcript: text, ..
            },
            Grows::Transcript,
        ) => token.append_to(text, document),
        (Piece::Call(call), Grows::Arguments) => token.append_to(&mut call.arguments, document),
        (Piece::Audio { data_chars, .. }, Grows::Sound) => *data_chars += token.ascii_chars(),
        _ => return false,
    }
    true
}

/// Lays a whole part over a piece that grew. Returns whether it brought the first output of the piece.
pub(super) fn lay_over(known: &mut Piece, part: Part) -> bool {
    match (known, part) {
        (
            Piece::Text { text, citations },
            Part::Text {
                text: whole,
                citations: all,
                ..
            },
        ) => {
            if citations.len() < all.len() {
                *citations = all;
            }
            settle_text(text, whole)
        }
        (
            Piece::Thinking { text, signed, .. },
            Part::Thinking {
                text: whole,
                signed: told,
                ..
            },
        ) => {
            *signed |= told;
            settle_text(text, whole)
        }
        (Piece::Refusal { text }, Part::Refusal { text: whole }) => settle_text(text, whole),
        (
            Piece::Call(call),
            Part::ToolCall {
                id,
                name,
                arguments,
                server,
            },
        ) => {
            let silent = !call_speaks(call);
            call.id = id.or(call.id.take());
            call.name = name;
            call.server = server;
            if !arguments.is_empty() {
                call.arguments = Text::default();
                call.initial = Some(arguments);
            }
            silent && call_speaks(call)
        }
        (known, part) => {
            *known = Piece::open(part);
            speaks(known)
        }
    }
}

/// Sets a text to what it came to, unless that is nothing. Returns whether there was none before.
fn settle_text(text: &mut Text, whole: String) -> bool {
    if whole.is_empty() {
        return false;
    }
    let silent = text.is_empty();
    *text = Text::from(whole);
    silent
}

/// Returns whether nothing has been said in a piece yet.
pub(super) fn is_blank(piece: &Piece) -> bool {
    match piece {
        Piece::Text { text, .. } | Piece::Thinking { text, .. } | Piece::Refusal { text } => {
            text.is_empty()
        }
        Piece::Call(call) => call.arguments.is_empty(),
        Piece::Audio { transcript, .. } => transcript.is_empty(),
        Piece::Grown { .. } | Piece::Part(_) => false,
    }
}

pub(super) fn speaks(piece: &Piece) -> bool {
    match piece {
        Piece::Call(call) => call_speaks(call),
        Piece::Text { .. } | Piece::Thinking { .. } | Piece::Refusal { .. } => !is_blank(piece),
        Piece::Audio { .. } | Piece::Grown { .. } | Piece::Part(_) => false,
    }
}

fn call_speaks(call: &Call) -> bool {
    !call.arguments.is_empty() || call.initial.as_ref().is_some_and(|text| !text.is_empty())
}

/// Returns whether a part stands for reasoning of which there is no text.
pub(super) fn is_withheld(part: &Part) -> bool {
    matches!(part, Part::Thinking { text, redacted: true, .. } if text.is_empty())
}
