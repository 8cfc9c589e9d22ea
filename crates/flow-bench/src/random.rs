//! Numbers that look random and are the same for the same key on every machine.
//!
//! Integers only: what a processor makes of floating point could differ. Good enough to vary traffic, and for
//! nothing that has to be secret.

/// The increment of `SplitMix64`, an odd number close to 2⁶⁴ divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a stream of numbers is for, so that two uses of one index have nothing in common.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Domain {
    /// One call on its own.
    Single = 1,
    /// What a session is.
    Session = 2,
    /// One step of a session.
    Step = 3,
    /// What all sessions of one version of an agent share.
    Agent = 4,
    /// When a call begins.
    Clock = 5,
    /// Parameters of a measurement.
    Query = 6,
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

// === impl Random ===

impl Random {
    /// Returns the stream for an index, whatever was asked for before.
    pub(crate) fn keyed(seed: u64, domain: Domain, index: u64) -> Self {
        let mut random = Self(seed ^ (domain as u64).wrapping_mul(STEP));
        let state = random.next() ^ index.wrapping_mul(STEP).rotate_left(29);
        random.0 = state;
        random.0 = random.next();
        random
    }

    /// Returns the next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`; 0 where that is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(bound);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// Returns a number below the length of a list.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// Returns a number of `from..to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from))
    }

    /// Returns whether something happens that does so `per_mille` times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// Returns one entry of a list; nothing of an empty one.
    pub(crate) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let at = self.place(list.len());
        list.get(at).copied().unwrap_or_default()
    }

    /// Returns a number whose most likely values lie around `mean`, a few times that at most.
    pub(crate) fn around(&mut self, mean: u64) -> u64 {
        match self.below(20) {
            0..=8 => self.between(mean / 5, mean / 2),
            9..=16 => self.between(mean / 2, mean * 3 / 2),
            17..=18 => self.between(mean, mean * 4),
            _ => self.between(mean * 3, mean * 6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seed: u64, domain: Domain, index: u64, expect: [u64; 2]) {
        let mut random = Random::keyed(seed, domain, index);
        assert_eq!([random.next(), random.next()], expect);
    }

    #[test]
    fn a_key_always_gives_the_same_numbers() {
        // Recorded once: what was generated before must come again, on every machine and in every release.
        check(
            1,
            Domain::Single,
            0,
            [3_866_941_929_181_508_109, 13_846_949_563_198_349_193],
        );
        check(
            1,
            Domain::Step,
            u64::MAX,
            [8_737_384_873_056_714_082, 2_690_552_187_334_626_815],
        );
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut random = Random::keyed(7, Domain::Query, 0);
        for bound in [1, 2, 3, 1000, u64::MAX] {
            assert!((0..100).all(|_| random.below(bound) < bound));
        }
        assert_eq!(random.below(0), 0);
        assert!((0..100).all(|_| (5..7).contains(&random.between(5, 7))));
        assert_eq!(random.pick::<u8>(&[]), 0);
    }

    #[test]
    fn the_mean_is_about_what_was_asked_for() {
        let mut random = Random::keyed(7, Domain::Query, 1);
        let sum: u64 = (0..10_000).map(|_| random.around(1000)).sum();
        assert!((9_000_000..12_000_000).contains(&sum), "{sum}");
    }
}
