//! The texts of a flow, each with its kind: what searches look at, in memory and in the index.
//!
//! | part of a message | kind |
//! |---|---|
//! | text, refusal, what is said in a sound | by the message's role; of a tool's message, result |
//! | thinking | thinking |
//! | call of a tool | arguments |
//! | result of a tool, and what is in it | result |
//! | image, file, anything unknown | none: names, addresses and encoded bytes are no prose |
//!
//! Descriptions of the tools that a request offers are no text of the flow: they are the same in all of them.

use flow_model::{Message, Part, Reading, RequestReading, ResponseReading, Role};

use crate::fold::Needle;
use crate::value::Scope;

/// Results within results that are looked into.
const RESULT_DEPTH_MAX: usize = 8;

/// What kind of text a part of a flow is. The numbers are stored in four bits and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum TextKind {
    /// The system prompt.
    System = 0,
    /// What the user said.
    User = 1,
    /// What the model said in earlier turns.
    Assistant = 2,
    /// What the model thought in earlier turns.
    Thinking = 3,
    /// Arguments of tools called in earlier turns.
    ToolArguments = 4,
    /// What tools returned.
    ToolResult = 5,
    /// What the answer says.
    Answer = 6,
    /// What the answer thinks.
    AnswerThinking = 7,
    /// Arguments of the tools that the answer calls, and what those returned that the provider ran itself.
    AnswerToolArguments = 8,
    /// The error: its message, type and code.
    Error = 9,
}

/// The texts of one flow. Running flows have none: their texts are not searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts<'a> {
    texts: Vec<Piece<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece<'a> {
    kind: TextKind,
    text: &'a str,
    /// No earlier flow of the conversation brought it.
    new: bool,
}

/// Returns the texts of a request, in its order; none of them is empty.
pub fn parts(request: &RequestReading) -> impl Iterator<Item = (TextKind, &str)> {
    system_parts(request).chain(request.messages.iter().flat_map(message_parts))
}

/// Returns the texts of an answer, in its order; none of them is empty.
pub fn answer_parts(response: &ResponseReading) -> impl Iterator<Item = (TextKind, &str)> {
    let mut found = Vec::new();
    for choice in &response.choices {
        for part in &choice.message.parts {
            collect(part, &ANSWER, &mut found, 0);
        }
    }
    if let Some(error) = &response.error {
        let texts = [&error.message, &error.kind, &error.code];
        for text in texts.into_iter().flatten() {
            push(&mut found, TextKind::Error, text);
        }
    }
    found.into_iter()
}

// === impl TextKind ===

impl TextKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::System,
        Self::User,
        Self::Assistant,
        Self::Thinking,
        Self::ToolArguments,
        Self::ToolResult,
        Self::Answer,
        Self::AnswerThinking,
        Self::AnswerToolArguments,
        Self::Error,
    ];

    /// Returns the number by which the index knows the kind.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Returns the kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Returns the name by which answers of the API know the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Thinking => "thinking",
            Self::ToolArguments => "tool_arguments",
            Self::ToolResult => "tool_result",
            Self::Answer => "answer",
            Self::AnswerThinking => "answer_thinking",
            Self::AnswerToolArguments => "answer_tool_arguments",
            Self::Error => "error",
        }
    }
}

impl Scope {
    /// Returns whether text of this kind belongs to the scope. To [`Scope::New`] every kind does, as long as the
    /// text is new.
    pub const fn includes(self, kind: TextKind) -> bool {
        match (self, kind) {
            (Self::Content | Self::New, _) => true,
            (
                Self::Response,
                TextKind::Answer
                | TextKind::AnswerThinking
                | TextKind::AnswerToolArguments
                | TextKind::Error,
            ) => true,
            (
                Self::Request,
                TextKind::System
                | TextKind::User
                | TextKind::Assistant
                | TextKind::Thinking
                | TextKind::ToolArguments
                | TextKind::ToolResult,
            ) => true,
            (Self::System, TextKind::System) => true,
            (Self::Thinking, TextKind::Thinking | TextKind::AnswerThinking) => true,
            (
                Self::ToolText,
                TextKind::ToolArguments | TextKind::ToolResult | TextKind::AnswerToolArguments,
            ) => true,
            (
                Self::Request | Self::Response | Self::System | Self::Thinking | Self::ToolText,
                _,
            ) => false,
        }
    }
}

// === impl Texts ===

impl<'a> Texts<'a> {
    /// Returns the texts of a flow that is the first of its conversation: all of them are new.
    pub fn of(reading: &'a Reading) -> Self {
        Self::after(reading, 0)
    }

    /// Returns the texts of a flow whose first messages, `known` of them, earlier flows of its conversation
    /// brought, and the system prompt with them.
    pub fn after(reading: &'a Reading, known: usize) -> Self {
        let mut texts = Self::default();
        texts.extend(system_parts(&reading.request), known == 0);
        for (index, message) in reading.request.messages.iter().enumerate() {
            texts.extend(message_parts(message), index >= known);
        }
        texts.extend(answer_parts(&reading.response), true);
        texts
    }

    /// Adds texts that are all new, or all not.
    pub fn extend(&mut self, parts: impl Iterator<Item = (TextKind, &'a str)>, new: bool) {
        self.texts
            .extend(parts.map(|(kind, text)| Piece { kind, text, new }));
    }

    /// Returns whether a text of the scope holds the needle.
    pub fn hold(&self, scope: Scope, needle: &Needle) -> bool {
        self.texts
            .iter()
            .filter(|text| scope.includes(text.kind) && (text.new || scope != Scope::New))
            .any(|text| needle.is_in(text.text))
    }
}

/// Which kinds the parts of a message are.
struct Kinds {
    text: TextKind,
    thinking: TextKind,
    arguments: TextKind,
    result: TextKind,
}

const ANSWER: Kinds = Kinds {
    text: TextKind::Answer,
    thinking: TextKind::AnswerThinking,
    arguments: TextKind::AnswerToolArguments,
    result: TextKind::AnswerToolArguments,
};

const fn asked(text: TextKind) -> Kinds {
    Kinds {
        text,
        thinking: TextKind::Thinking,
        arguments: TextKind::ToolArguments,
        result: TextKind::ToolResult,
    }
}

fn system_parts(request: &RequestReading) -> impl Iterator<Item = (TextKind, &str)> {
    let mut found = Vec::new();
    for part in &request.system {
        collect(part, &asked(TextKind::System), &mut found, 0);
    }
    found.into_iter()
}

fn message_parts(message: &Message) -> impl Iterator<Item = (TextKind, &str)> {
    let kinds = asked(match message.role {
        Role::System => TextKind::System,
        Role::User | Role::Other => TextKind::User,
        Role::Assistant => TextKind::Assistant,
        Role::Tool => TextKind::ToolResult,
    });
    let mut found = Vec::new();
    for part in &message.parts {
        collect(part, &kinds, &mut found, 0);
    }
    found.into_iter()
}

fn collect<'a>(part: &'a Part, kinds: &Kinds, found: &mut Vec<(TextKind, &'a str)>, depth: usize) {
    match part {
        Part::Text { text, .. } | Part::Refusal { text } => push(found, kinds.text, text),
        Part::Thinking { text, .. } => push(found, kinds.thinking, text),
        Part::Audio { transcript, .. } => {
            push(found, kinds.text, transcript.as_deref().unwrap_or_default());
        }
        Part::ToolCall { arguments, .. } => push(found, kinds.arguments, arguments),
        Part::ToolResult { content, .. } if depth < RESULT_DEPTH_MAX => {
            let inside = Kinds {
                text: kinds.result,
                thinking: kinds.result,
                arguments: kinds.result,
                result: kinds.result,
            };
            for part in content {
                collect(part, &inside, found, depth + 1);
            }
        }
        Part::ToolResult { .. } | Part::Image { .. } | Part::File { .. } | Part::Other { .. } => {}
    }
}

fn push<'a>(found: &mut Vec<(TextKind, &'a str)>, kind: TextKind, text: &'a str) {
    if !text.is_empty() {
        found.push((kind, text));
    }
}

#[cfg(test)]
mod tests;
