//! Token counts.

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
    /// The part of `output` that is reasoning.
    pub reasoning: Option<u64>,
    /// `input` and `output` together.
    pub total: Option<u64>,
}
