//! Instants and durations.
//!
//! Instants are microseconds since the Unix epoch in fields that end in `_at`; durations are microseconds in
//! fields that end in `_us`.

use serde::{Deserialize, Serialize};

/// An instant, in microseconds since the Unix epoch.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Returns the instant `micros` after this one.
    #[must_use]
    pub fn plus_us(self, micros: u64) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(micros).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the microseconds from `earlier` to this instant, or 0 where the clock went backwards.
    pub fn since_us(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }
}
