//! Token counts and what else is counted.

use serde::{Deserialize, Serialize};

/// Token counts as the wire gives them, under common names; nothing is summed or derived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WireUsage {
    /// Tokens of the prompt. Whether cached ones are included differs by dialect.
    pub input: Option<u64>,
    /// Tokens of the answer. Whether reasoning is included differs by dialect.
    pub output: Option<u64>,
    /// Tokens read from the provider's cache.
    pub cache_read: Option<u64>,
    /// Tokens written to the provider's cache.
    pub cache_write: Option<u64>,
    /// Tokens of reasoning.
    pub reasoning: Option<u64>,
    /// The total.
    pub total: Option<u64>,
}

/// Token counts that mean the same in every dialect. Unknown is none, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tokens {
    /// Tokens of the whole prompt, those read from and written to a cache included.
    pub input: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output: Option<u64>,
    /// The part of `input` that was read from the provider's cache.
    pub cache_read: Option<u64>,
    /// The part of `input` that was written to the provider's cache.
    pub cache_write: Option<u64>,
    /// The part of `cache_write` that is kept for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<u64>,
    /// The part of `output` that is reasoning.
    pub reasoning: Option<u64>,
    /// The part of `input` that is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio: Option<u64>,
    /// The part of `input` that is images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_image: Option<u64>,
    /// The part of `cache_read` that is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read_audio: Option<u64>,
    /// The part of `output` that is sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_audio: Option<u64>,
    /// The part of `output` that is images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_image: Option<u64>,
    /// `input` and `output` together.
    pub total: Option<u64>,
}

/// What is counted and paid beside tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Units {
    /// Kiro's credits, as the wire's decimal number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<String>,
    /// Length of the sound that was transcribed, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_ms: Option<u64>,
    /// Images that were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<u64>,
    /// Characters of text that was spoken or embedded, where characters are paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<u64>,
    /// Searches of the web that the provider ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searches: Option<u64>,
}

/// How much of the model's window the call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContextUse {
    /// Tokens that the model's window holds; none where only the share is known.
    pub window: Option<u64>,
    /// Hundredths of a per cent of the window that prompt and answer take.
    pub used_bp: u64,
    /// The wire told the share; otherwise it is computed from the price table's window.
    pub from_wire: bool,
}

impl Units {
    /// Returns whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
