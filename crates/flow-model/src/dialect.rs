//! Wire formats and the interfaces that they belong to.

use serde::{Deserialize, Serialize};

/// A wire format that a codec reads. A host may speak a dialect that another vendor invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dialect {
    /// `POST …/chat/completions`, as OpenAI defines it and many imitate it.
    OpenaiChat,
    /// `POST …/v1/messages`, as Anthropic defines it.
    AnthropicMessages,
    /// `POST …:generateContent` and `…:streamGenerateContent`, as Google defines them.
    GeminiGenerate,
}

impl Dialect {
    /// Returns the name used in JSON and in filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::AnthropicMessages => "anthropic_messages",
            Self::GeminiGenerate => "gemini_generate",
        }
    }
}

/// The family whose manner of authentication and of errors a route follows. It is known before any body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// OpenAI and everything compatible with it.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Gemini and Vertex.
    Gemini,
    /// AWS Bedrock and Kiro: errors with a type in `x-amzn-errortype`.
    Aws,
    /// Anything else.
    Other,
}
