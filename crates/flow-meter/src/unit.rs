//! What can be paid, in the order in which the lines of a cost stand.

use serde::Deserialize;

/// One thing that has a price. Its name is the one in the table and in the lines of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// Tokens of the prompt that have no price of their own.
    Input,
    /// Tokens read from the provider's cache.
    CacheRead,
    /// Tokens written to the provider's cache, for five minutes or as long as it likes.
    CacheWrite,
    /// Tokens written to the provider's cache for an hour.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// Tokens of sound read from the provider's cache.
    CacheReadAudio,
    /// Tokens of images read from the provider's cache; no reading counts them.
    CacheReadImage,
    /// Tokens of sound in the prompt.
    InputAudio,
    /// Tokens of images in the prompt.
    InputImage,
    /// Tokens of the answer that have no price of their own.
    Output,
    /// Tokens of reasoning.
    Reasoning,
    /// Tokens of sound in the answer.
    OutputAudio,
    /// Tokens of images in the answer.
    OutputImage,
    /// Requests.
    Request,
    /// Searches of the web.
    Search,
    /// Images made.
    Image,
    /// Hours of sound.
    AudioHour,
    /// Characters spoken or embedded.
    Character,
}

impl Unit {
    /// Returns the name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::CacheRead => "cache_read",
            Self::CacheWrite => "cache_write",
            Self::CacheWrite1h => "cache_write_1h",
            Self::Reasoning => "reasoning",
            Self::InputAudio => "input_audio",
            Self::OutputAudio => "output_audio",
            Self::CacheReadAudio => "cache_read_audio",
            Self::InputImage => "input_image",
            Self::OutputImage => "output_image",
            Self::CacheReadImage => "cache_read_image",
            Self::Request => "request",
            Self::Search => "search",
            Self::Image => "image",
            Self::AudioHour => "audio_ms",
            Self::Character => "character",
        }
    }

    /// Returns how many its price is for. Sound is counted in milliseconds and paid by the hour.
    pub(crate) const fn per(self) -> u64 {
        match self {
            Self::Request | Self::Search => 1_000,
            Self::Image => 1,
            Self::AudioHour => 3_600_000,
            _ => 1_000_000,
        }
    }
}
