//! The count of wrong tokens and codes.
//!
//! Over the bound no token or code is looked at any more, right or wrong, until time has passed. Pages that are
//! signed in go on: their cookie is a MAC, which nobody guesses, and whoever tries tokens must not be able to
//! lock the owner out of the page.

use std::time::{Duration, Instant};

use crate::error::{ApiError, ErrorCode};

/// Wrong attempts in a row that are answered at once.
const WRONG_MAX: u32 = 32;
/// Time after which one more wrong attempt is forgiven.
const FORGIVEN_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Attempts {
    wrong: u32,
    forgiven_at: Instant,
}

impl Attempts {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            wrong: 0,
            forgiven_at: now,
        }
    }

    /// Refuses to look at a secret while too many were wrong.
    pub(super) fn check(&mut self, now: Instant) -> Result<(), ApiError> {
        self.forgive(now);
        if self.wrong < WRONG_MAX {
            return Ok(());
        }
        let error = ApiError::new(
            ErrorCode::TooManyAttempts,
            "too many wrong tokens were tried",
        );
        Err(error.with_retry_after(FORGIVEN_EVERY.as_secs()))
    }

    pub(super) fn note(&mut self, now: Instant) {
        if self.wrong == 0 {
            self.forgiven_at = now;
        }
        self.wrong = (self.wrong + 1).min(WRONG_MAX);
    }

    fn forgive(&mut self, now: Instant) {
        let passed = now.duration_since(self.forgiven_at).as_secs() / FORGIVEN_EVERY.as_secs();
        let forgiven = u32::try_from(passed).unwrap_or(u32::MAX);
        if forgiven > 0 {
            self.wrong = self.wrong.saturating_sub(forgiven);
            self.forgiven_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_attempts_are_bounded_and_forgiven() {
        let start = Instant::now();
        let mut attempts = Attempts::new(start);
        for _ in 0..WRONG_MAX {
            assert!(attempts.check(start).is_ok());
            attempts.note(start);
        }
        assert!(attempts.check(start).is_err());
        assert!(attempts.check(start + FORGIVEN_EVERY / 2).is_err());
        let later = start + FORGIVEN_EVERY;
        assert!(attempts.check(later).is_ok());
        attempts.note(later);
        assert!(attempts.check(later).is_err());
        assert!(attempts.check(later + FORGIVEN_EVERY * 100).is_ok());
    }
}
