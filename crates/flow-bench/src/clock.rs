//! When each call begins: spread over days, with nights that are quieter than days.
//!
//! Integers only, so that the times are the same on every machine. A later call never begins earlier.

use flow_model::Timestamp;

use crate::random::{Domain, Random};

/// How much happens in each hour of a day.
const HOURS: [u64; 24] = [
    3, 2, 1, 1, 1, 2, 4, 8, 14, 19, 21, 20, 15, 17, 21, 22, 21, 18, 14, 11, 10, 9, 7, 5,
];
const HOUR_US: u64 = 3_600_000_000;

/// When the calls of a run of traffic begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) from: Timestamp,
    pub(crate) days: u64,
    pub(crate) calls: u64,
    pub(crate) seed: u64,
}

// === impl Clock ===

impl Clock {
    /// Returns when the call at a position begins.
    pub(crate) fn at(&self, position: u64) -> Timestamp {
        let (from, to) = (self.offset(position), self.offset(position + 1));
        let mut random = Random::keyed(self.seed, Domain::Clock, position);
        self.from.plus_us(from + random.below(to - from))
    }

    /// Returns the first moment at which the call may begin, in microseconds after the start.
    fn offset(&self, position: u64) -> u64 {
        let day: u64 = HOURS.iter().sum();
        let whole = u128::from(self.days.max(1)) * u128::from(day) * u128::from(HOUR_US);
        let passed = whole * u128::from(position) / u128::from(self.calls.max(1));
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let (days, mut rest) = (passed / (day * HOUR_US), passed % (day * HOUR_US));
        let mut offset = days * 24 * HOUR_US;
        for weight in HOURS {
            if rest < weight * HOUR_US {
                return offset + rest / weight;
            }
            rest -= weight * HOUR_US;
            offset += HOUR_US;
        }
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(calls: u64, days: u64) {
        let clock = Clock {
            from: Timestamp(1_000_000),
            days,
            calls,
            seed: 1,
        };
        let times: Vec<Timestamp> = (0..calls).map(|position| clock.at(position)).collect();
        assert!(times.is_sorted());
        assert!(times.first().is_some_and(|first| *first >= clock.from));
        let end = clock.from.plus_us(days * 24 * HOUR_US);
        assert!(times.last().is_some_and(|last| *last < end));
    }

    #[test]
    fn calls_begin_one_after_another_within_the_days() {
        check(1, 1);
        check(10_000, 30);
        check(5_000, 1);
    }

    #[test]
    fn an_afternoon_is_busier_than_a_night() {
        let clock = Clock {
            from: Timestamp(0),
            days: 1,
            calls: 10_000,
            seed: 1,
        };
        let hour = |position: u64| clock.at(position).since_us(Timestamp(0)) / HOUR_US;
        let in_hour = |wanted: u64| {
            (0..10_000)
                .filter(|position| hour(*position) == wanted)
                .count()
        };
        assert!(in_hour(15) > 10 * in_hour(3));
    }
}
