//! Conversations as data: what a user says, what the model answers, what the tools return.
//!
//! One TOML file a conversation, in a form that belongs to no provider; [`crate::render`] turns a turn into each
//! provider's bytes. A *turn* is one request and its answer. A turn without `user` is the continuation of a tool
//! loop: its request carries the results of the calls of the turn before.
//!
//! Texts may hold the words `{images}`, `{results}` and `{user}`; the provider puts there what the request really
//! carried, so that a test can see that it arrived.

use serde::Deserialize;
use serde_json::{Map, Value};

const FILES: [&str; 17] = [
    include_str!("../conversations/hello.toml"),
    include_str!("../conversations/text.toml"),
    include_str!("../conversations/chinese.toml"),
    include_str!("../conversations/thinking.toml"),
    include_str!("../conversations/tools.toml"),
    include_str!("../conversations/shell.toml"),
    include_str!("../conversations/image.toml"),
    include_str!("../conversations/refusal.toml"),
    include_str!("../conversations/length.toml"),
    include_str!("../conversations/long.toml"),
    include_str!("../conversations/limited.toml"),
    include_str!("../conversations/flaky-test.toml"),
    include_str!("../conversations/csv-import.toml"),
    include_str!("../conversations/order-timeout.toml"),
    include_str!("../conversations/layout-screenshot.toml"),
    include_str!("../conversations/migration-plan.toml"),
    include_str!("../conversations/weekly-report.toml"),
];
const TOOLS: &str = include_str!("../conversations/tools/definitions.toml");

/// The conversation that answers where a request names none.
pub(crate) const DEFAULT_NAME: &str = "hello";

/// One conversation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Its name, as in `demo-NAME`.
    pub name: String,
    /// What a side call that asks for a title gets.
    pub title: String,
    /// System prompt that agents send.
    #[serde(default)]
    pub system: String,
    /// Names of the tools that agents offer.
    #[serde(default)]
    pub tools: Vec<String>,
    /// The turns.
    #[serde(rename = "turn")]
    pub turns: Vec<Turn>,
}

/// One request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// What the user says; none where the request carries tool results instead.
    pub user: Option<String>,
    /// The user shows the picture of [`crate::demo`].
    #[serde(default)]
    pub image: bool,
    /// What the model answers.
    pub answer: Vec<Piece>,
    /// The answer is cut by the limit of tokens.
    #[serde(default)]
    pub length: bool,
    /// Tokens of thinking that the provider counts but does not show.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// Behaviours of the first attempts, one each; the client's retry count says which attempt it is.
    #[serde(default)]
    pub faults: Vec<String>,
    /// The agent of the demo goes away after so many events.
    pub leave_after: Option<usize>,
}

/// One piece of an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Piece {
    /// Thinking that is shown.
    Thinking {
        /// What was thought.
        text: String,
    },
    /// Text.
    Text {
        /// What was said.
        text: String,
    },
    /// A refusal in words.
    Refusal {
        /// What was said.
        text: String,
    },
    /// A call of a tool.
    Call {
        /// The tool's name.
        tool: String,
        /// Its arguments.
        #[serde(default)]
        input: Map<String, Value>,
        /// What the agent of the demo sends back.
        #[serde(default)]
        result: String,
        /// The tool failed.
        #[serde(default)]
        failed: bool,
    },
}

/// A tool that agents offer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// All conversations and tools.
#[derive(Clone, Debug)]
pub struct Library {
    conversations: Vec<Conversation>,
    tools: Vec<Tool>,
}

/// A conversation file makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It is not in the form of this module.
    #[error("conversation file {number} cannot be read")]
    Form {
        /// Place in the list of files.
        number: usize,
        /// What is wrong.
        #[source]
        source: toml::de::Error,
    },
    /// The list of tools is not in the form of this module.
    #[error("the list of tools cannot be read")]
    Tools {
        /// What is wrong.
        #[source]
        source: toml::de::Error,
    },
}

// === impl Library ===

impl Library {
    /// Returns the conversations that are compiled in.
    pub fn built_in() -> Result<Self, LibraryError> {
        #[derive(Deserialize)]
        struct Definitions {
            tool: Vec<Tool>,
        }
        let conversations = FILES
            .iter()
            .enumerate()
            .map(|(number, text)| {
                toml::from_str(text).map_err(|source| LibraryError::Form { number, source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let definitions: Definitions =
            toml::from_str(TOOLS).map_err(|source| LibraryError::Tools { source })?;
        Ok(Self {
            conversations,
            tools: definitions.tool,
        })
    }

    /// Returns all conversations.
    pub fn conversations(&self) -> &[Conversation] {
        &self.conversations
    }

    /// Returns the conversation of that name.
    pub fn named(&self, name: &str) -> Option<&Conversation> {
        self.conversations
            .iter()
            .find(|conversation| conversation.name == name)
    }

    /// Returns the conversation whose first words stand in one of `texts`; the one with the longest where several
    /// do. Agents put words of their own before and around those of their user.
    pub fn opened_by(&self, texts: &[String]) -> Option<&Conversation> {
        let opens = |conversation: &&Conversation| {
            let opening = conversation.opening();
            opening.is_some_and(|opening| texts.iter().any(|text| text.contains(opening)))
        };
        self.conversations
            .iter()
            .filter(opens)
            .max_by_key(|conversation| conversation.opening().map(str::len))
    }

    /// Returns the tools that a conversation's agents offer.
    pub fn tools_of(&self, conversation: &Conversation) -> Vec<&Tool> {
        self.tools
            .iter()
            .filter(|tool| conversation.tools.contains(&tool.name))
            .collect()
    }
}

// === impl Conversation ===

impl Conversation {
    /// Returns the user's first words.
    pub fn opening(&self) -> Option<&str> {
        self.turns
            .first()
            .and_then(|turn| turn.user.as_deref())
            .map(str::trim)
    }

    /// Returns the turn that answers a request which holds `answers` earlier answers; the last one from there on.
    pub fn turn(&self, answers: usize) -> Option<(usize, &Turn)> {
        let index = answers.min(self.turns.len().checked_sub(1)?);
        self.turns.get(index).map(|turn| (index, turn))
    }
}

#[cfg(test)]
mod tests;
