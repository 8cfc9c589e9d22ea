//! Messages and their parts, the same for every dialect.

use serde::{Deserialize, Serialize};

use crate::Raw;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions of the program (`system`, `developer`).
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
    /// Results of tools.
    Tool,
    /// A role that no dialect defines; its name stands in [`Message::name`].
    Other,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// The speaker's name, or the role's own word where it is [`Role::Other`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is said, in the wire's order.
    pub parts: Vec<Part>,
}

/// One piece of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Citations as the wire gave them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        citations: Vec<Raw>,
        /// A cache breakpoint stands here (`cache_control`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cache: Option<Raw>,
    },
    /// Reasoning.
    Thinking {
        /// The text; empty where it is redacted or encrypted.
        text: String,
        /// The part carries a signature.
        signed: bool,
        /// The text is withheld (`redacted_thinking`, encrypted reasoning).
        redacted: bool,
    },
    /// The model refuses.
    Refusal {
        /// The refusal's text.
        text: String,
    },
    /// An image.
    Image {
        /// Where its bytes are.
        media: Media,
    },
    /// A sound.
    Audio {
        /// Where its bytes are.
        media: Media,
        /// What is said in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transcript: Option<String>,
        /// The id by which later requests name it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// A document, video or other file.
    File {
        /// Where its bytes are.
        media: Media,
        /// The file's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The model calls a tool.
    ToolCall {
        /// The call's id; Gemini may leave it out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The tool's name.
        name: String,
        /// The arguments as text: the wire's own string, or compact JSON where the wire has an object.
        arguments: String,
        /// The provider runs the tool itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        server: bool,
    },
    /// What a tool returned.
    ToolResult {
        /// The call that it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call_id: Option<String>,
        /// The tool's name, where the wire repeats it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What it returned.
        #[cfg_attr(feature = "openapi", schema(no_recursion))]
        content: Vec<Self>,
        /// The tool failed.
        is_error: bool,
        /// The provider ran the tool itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        server: bool,
    },
    /// Anything that has no shape of its own here, kept as it is.
    Other {
        /// The wire's word for it.
        name: String,
        /// The part as the wire gave it.
        raw: Raw,
    },
}

/// Where the bytes of an image, sound or file are. The bytes stay in the body; a reading only points to them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Media {
    /// Media type, such as `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Address, where the wire has one in place of the bytes. Never opened by the monitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Id of a file that the provider keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// Characters of base64 text on the wire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_chars: Option<u64>,
    /// Bytes that stand on the wire as they are, without base64, as in a form or in an answer that is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Where the base64 text, or the bytes, start in the (decoded) body; none where they were sent in pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_offset: Option<u64>,
}

/// A tool that the request offers to the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tool {
    /// The tool's name; the wire's type for tools of the provider.
    pub name: String,
    /// What it does, in the program's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema of its arguments, or the whole entry for tools of the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Raw>,
    /// Bytes of its entry on the wire.
    pub bytes: u64,
    /// The provider runs the tool itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server: bool,
    /// A cache breakpoint stands here (`cache_control`, `cachePoint`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<Raw>,
}
