//! Days by UTC, as they stand in names of files: their texts sort as the days do.

use std::fmt;

use flow_model::Timestamp;

const DAY_US: i64 = 86_400_000_000;
/// Days from 1 March of the year 0 to the Unix epoch. Years that begin in March have their odd day at the end.
const EPOCH_DAY: i64 = 719_468;
/// Days of the 400 years after which the calendar repeats.
const CYCLE_DAYS: i64 = 146_097;

/// A day, written as `2026-11-21`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(String);

// === impl Day ===

impl Day {
    /// Returns the day in which an instant lies.
    pub(super) fn of(at: Timestamp) -> Self {
        let days = at.0.div_euclid(DAY_US) + EPOCH_DAY;
        let (cycle, day) = (days.div_euclid(CYCLE_DAYS), days.rem_euclid(CYCLE_DAYS));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        // From March on, five months have 153 days, again and again.
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        let year = cycle * 400 + year + next;
        Self(format!("{year:04}-{month:02}-{day:02}"))
    }

    /// Returns the day that lies so many days before the one of `at`.
    pub(super) fn before(at: Timestamp, days: u64) -> Self {
        let back = i64::try_from(days)
            .unwrap_or(i64::MAX)
            .saturating_mul(DAY_US);
        Self::of(Timestamp(at.0.saturating_sub(back)))
    }

    /// Returns the day that a text names.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let fits = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        (text.len() == 10 && text.bytes().enumerate().all(fits)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_lie_in_days() {
        let check = |seconds: i64, expect: &str| {
            let day = Day::of(Timestamp(seconds * 1_000_000));
            assert_eq!(day.to_string(), expect, "{seconds}");
            assert_eq!(Day::parse(expect), Some(day));
        };
        check(0, "1970-01-01");
        check(-1, "1969-12-31");
        check(951_782_400, "2000-02-29");
        check(951_868_800, "2000-03-01");
        check(1_709_164_799, "2024-02-28");
        check(1_735_689_599, "2024-12-31");
        check(1_795_219_200, "2026-11-21");
        check(4_107_542_400, "2100-03-01");
    }

    #[test]
    fn the_past_is_counted_in_days() {
        let at = Timestamp(951_868_800_000_000);
        assert_eq!(Day::before(at, 0).to_string(), "2000-03-01");
        assert_eq!(Day::before(at, 1).to_string(), "2000-02-29");
        assert!(Day::before(at, 400) < Day::of(at));
        // Any number is borne.
        assert_ne!(Day::before(at, u64::MAX), Day::of(at));
    }

    #[test]
    fn other_texts_are_no_days() {
        for text in ["", "2026-11-2", "2026/11/21", "2026-11-21x", "２026-1-1"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
