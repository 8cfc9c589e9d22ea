//! What a field of a flow can be.

use std::borrow::Cow;

/// The value of one field of one flow. What is unknown is [`Value::None`] and satisfies no comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Unknown, or the flow has no such thing.
    None,
    /// A number in the field's base unit.
    Number(i64),
    /// A name.
    Name(Cow<'a, str>),
    /// Names, in the flow's order.
    Names(&'a [String]),
}

/// Something that a flow has or is, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Flag {
    /// The answer is or was to be a stream.
    Streaming,
    /// It ended with an error.
    Error,
    /// The answer calls tools.
    Tools,
    /// The token counts are an estimate.
    Estimated,
    /// A part of a body could not be recorded.
    Gap,
    /// A body is longer than the setting allowed to keep.
    Truncated,
    /// The reading has diagnostics.
    Diagnostics,
    /// It has not ended yet.
    Running,
    /// It has a cost.
    Priced,
}

/// Which text of a flow is meant: always the whole text of that part, not only what is new in the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scope {
    /// Prompt and answer: all of the below.
    Content,
    /// The prompt: system prompt, messages, arguments and results of tools in it.
    Request,
    /// The answer: its text, thinking and arguments of tools, and its error.
    Response,
    /// The system prompt.
    System,
    /// Thinking, in prompt and answer.
    Thinking,
    /// Arguments and results of tools, in prompt and answer.
    ToolText,
    /// What this flow was the first in its conversation to bring.
    New,
}
