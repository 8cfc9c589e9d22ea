//! One-time codes of links: single use, ten minutes, a few at a time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::same_secret;

/// How long a code can be used.
const CODE_AGE_MAX: Duration = Duration::from_mins(10);
/// Codes that wait to be used; one more replaces the oldest.
const CODES_MAX: usize = 16;

#[derive(Default)]
pub(super) struct Codes {
    /// Oldest first.
    waiting: VecDeque<(String, Instant)>,
}

impl Codes {
    pub(super) fn add(&mut self, code: String, now: Instant) {
        self.expire(now);
        if self.waiting.len() == CODES_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back((code, now));
    }

    /// Takes a code away and returns whether it was there.
    pub(super) fn redeem(&mut self, code: &str, now: Instant) -> bool {
        self.expire(now);
        let mut found = None;
        // Every code is compared, so that the time does not tell which one came near.
        for (index, (waiting, _)) in self.waiting.iter().enumerate() {
            if same_secret(code, waiting) {
                found = Some(index);
            }
        }
        found.is_some_and(|index| self.waiting.remove(index).is_some())
    }

    fn expire(&mut self, now: Instant) {
        let old = |(_, added): &(String, Instant)| now.duration_since(*added) >= CODE_AGE_MAX;
        while self.waiting.front().is_some_and(old) {
            self.waiting.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        codes.add("one".into(), now);
        codes.add("two".into(), now);
        assert!(!codes.redeem("", now));
        assert!(!codes.redeem("three", now));
        assert!(codes.redeem("two", now));
        assert!(!codes.redeem("two", now));
        assert!(codes.redeem("one", now));
    }

    #[test]
    fn a_code_works_for_ten_minutes() {
        let check = |age: Duration, expect: bool| {
            let (mut codes, now) = (Codes::default(), Instant::now());
            codes.add("one".into(), now);
            assert_eq!(codes.redeem("one", now + age), expect, "{age:?}");
        };
        check(Duration::from_millis(599_999), true);
        check(Duration::from_mins(10), false);
    }

    #[test]
    fn the_oldest_code_makes_room() {
        let (mut codes, now) = (Codes::default(), Instant::now());
        for number in 0..=CODES_MAX {
            codes.add(number.to_string(), now);
        }
        assert!(!codes.redeem("0", now));
        assert!(codes.redeem("1", now));
        assert!(codes.redeem(&CODES_MAX.to_string(), now));
    }
}
