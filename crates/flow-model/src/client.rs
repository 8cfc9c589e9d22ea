//! The program that sent a request.

use serde::{Deserialize, Serialize};

/// What a request says of the program that sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// The agent, such as Claude Code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Software>,
    /// The library that spoke to the provider, such as `openai-python`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Software>,
    /// The client's own id of its session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The client's own id of the conversation within the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// The client's own id of this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Which try this is, counted from 1; none where the client does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
    /// The program as its `user-agent` names it, where no recogniser knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// A program or library.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Software {
    /// Its stable name, such as `claude-code`.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Client {
    /// Returns the line that lists show: the agent, or else the library, or else what the client calls itself.
    pub fn label(&self) -> Option<String> {
        let known = self.agent.as_ref().or(self.sdk.as_ref());
        match known {
            Some(software) => Some(software.label()),
            None => self.other.clone(),
        }
    }
}

impl Software {
    /// Returns name and version, as in `claude-code/2.1.0`.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) => format!("{}/{version}", self.name),
            None => self.name.clone(),
        }
    }
}
