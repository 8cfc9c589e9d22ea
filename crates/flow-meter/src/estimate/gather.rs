//! What of a reading is counted.

use flow_model::{Message, Part, RequestReading, ResponseReading, Role};
use serde_json::Value;

use super::family::Family;
use super::schema;
use super::tally::Tally;

/// Returns whether a request asks a model for something.
pub(crate) fn asked(ask: &RequestReading) -> bool {
    !(ask.messages.is_empty() && ask.system.is_empty())
}

/// Returns the tokens of a text that goes to the model as it is.
pub(crate) fn plain(ask: &RequestReading, family: Family) -> Option<u64> {
    let mut side = Side::new(family);
    for message in &ask.messages {
        side.parts(&message.parts, Turn::Earlier);
    }
    side.count()
}

/// Returns the tokens of a conversation; none where it holds no text at all.
pub(crate) fn chat(ask: &RequestReading, family: Family) -> Option<u64> {
    let format = family.calibration();
    let mut side = Side::new(family);
    side.tally.overhead(format.prompt);
    if !ask.system.is_empty() {
        side.tally.overhead(format.message);
        side.parts(&ask.system, Turn::Earlier);
    }
    for message in &ask.messages {
        side.tally.overhead(format.message);
        if let Some(name) = message
            .name
            .as_deref()
            .filter(|_| message.role != Role::Other)
        {
            side.tally.overhead(1);
            side.tally.text(name);
        }
        side.parts(&message.parts, Turn::Earlier);
    }
    side.tools(ask);
    if let Some(schema) = answer_schema(ask) {
        side.tally.text(schema.to_string());
    }
    side.count()
}

/// Returns the tokens of the answers; none where nothing of them is visible.
pub(crate) fn answer(reply: &ResponseReading, family: Family) -> Option<u64> {
    let mut side = Side::new(family);
    for choice in &reply.choices {
        let Message { parts, .. } = &choice.message;
        side.tally.overhead(family.calibration().answer);
        side.parts(parts, Turn::Now);
    }
    side.count()
}

/// Returns the schema that the answer must follow, in the words of OpenAI's two interfaces.
fn answer_schema(ask: &RequestReading) -> Option<&Value> {
    let chat = || ask.parameters.get("response_format")?.get("json_schema");
    let responses = || ask.parameters.get("text")?.get("format");
    chat().or_else(responses)?.get("schema")
}

/// Whether a message is the answer that is counted, or stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Earlier,
    Now,
}

/// One side of a call, gathered.
struct Side<'a> {
    family: Family,
    tally: Tally<'a>,
}

// === impl Side ===

impl<'a> Side<'a> {
    fn new(family: Family) -> Self {
        Self {
            family,
            tally: Tally::default(),
        }
    }

    fn count(&self) -> Option<u64> {
        let counted = !self.tally.is_empty();
        counted.then(|| self.tally.count(self.family.calibration()))
    }

    fn parts(&mut self, parts: &'a [Part], turn: Turn) {
        let calls = parts
            .iter()
            .filter(|part| matches!(part, Part::ToolCall { .. }));
        if calls.count() > 1 {
            self.tally.overhead(self.family.calibration().parallel);
        }
        for part in parts {
            self.part(part, turn);
        }
    }

    fn part(&mut self, part: &'a Part, turn: Turn) {
        match part {
            Part::Text { text, .. } | Part::Refusal { text } => self.tally.text(text),
            Part::Thinking { text, .. } if turn == Turn::Now => self.tally.text(text),
            Part::ToolCall {
                name, arguments, ..
            } => {
                self.tally.overhead(self.family.calibration().call);
                self.tally.text(name);
                self.tally.text(arguments);
            }
            Part::ToolResult { content, .. } => {
                // Results hold no results, so that this goes one level down.
                for part in content {
                    if !matches!(part, Part::ToolResult { .. }) {
                        self.part(part, turn);
                    }
                }
            }
            Part::Thinking { .. }
            | Part::Image { .. }
            | Part::Audio { .. }
            | Part::File { .. }
            | Part::Other { .. } => {}
        }
    }

    /// Adds the tools that the program offers. What the provider's own tools add is not on the wire.
    fn tools(&mut self, ask: &'a RequestReading) {
        let format = self.family.calibration();
        let mut tools = ask.tools.iter().filter(|tool| !tool.server).peekable();
        if tools.peek().is_none() {
            return;
        }
        self.tally.overhead(format.tools);
        if format.declares {
            self.tally.text(schema::declarations(tools));
            return;
        }
        for tool in tools {
            self.tally.overhead(format.tool);
            self.tally.text(&tool.name);
            self.tally
                .text(tool.description.as_deref().unwrap_or_default());
            if let Some(schema) = &tool.schema {
                self.tally.text(schema.as_str());
            }
        }
    }
}
