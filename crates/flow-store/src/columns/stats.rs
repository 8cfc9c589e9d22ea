//! What values of one field come to: count, sum, smallest, largest, and how they are spread.
//!
//! Values are counted in buckets that are as wide as a fixed share of them: with 7 bits there are 128 to a power
//! of two, and a percentile is off by 0.4 % at most, because the middle of a bucket is told.

use super::block::{Codes, Rows};
use super::from_ordered;

/// Bits of a value behind its first that tell buckets apart.
pub(super) const PERCENTILE_BITS: u32 = 7;
/// The bucket of 0: as many as there are can hold what is below.
const ZERO_BUCKET: usize = 1 << 14;

/// What values come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// How many values are known.
    pub count: u64,
    /// Their sum.
    pub sum: i128,
    /// The smallest; of no values the largest number.
    pub min: i64,
    /// The largest; of no values the smallest number.
    pub max: i64,
    histogram: Option<Histogram>,
}

/// How many values there are in each bucket, from the first to the last that has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram {
    bits: u32,
    first: usize,
    counts: Vec<u64>,
}

// === impl Stats ===

impl Stats {
    pub(super) fn new(percentiles: bool) -> Self {
        Self {
            count: 0,
            sum: 0,
            min: i64::MAX,
            max: i64::MIN,
            histogram: percentiles.then(|| Histogram::new(PERCENTILE_BITS)),
        }
    }

    /// Adds the known values of rows.
    pub(super) fn add_all(&mut self, codes: &Codes<'_>, rows: &[u32]) {
        let sums = match codes.rows {
            Rows::Narrow(narrow) => {
                CodeSums::of(rows, |row| narrow.get(row).copied().map_or(0, u64::from))
            }
            Rows::Wide(wide) => {
                CodeSums::of(rows, |row| wide.get(row).copied().unwrap_or_default())
            }
        };
        if sums.known == 0 {
            return;
        }
        // Codes count from 1 on, so every known value is so many steps above that of code 1.
        let base = i128::from(from_ordered(codes.value(1)));
        let steps = i128::try_from(sums.sum - u128::from(sums.known)).unwrap_or(i128::MAX);
        self.count += sums.known;
        self.sum += base * i128::from(sums.known) + i128::from(codes.scale) * steps;
        let least = codes.value(sums.before_least.saturating_add(1));
        self.min = self.min.min(from_ordered(least));
        self.max = self.max.max(from_ordered(codes.value(sums.most)));
        let Some(histogram) = &mut self.histogram else {
            return;
        };
        match codes.rows {
            Rows::Narrow(narrow) => {
                for row in rows {
                    match narrow.get(*row as usize) {
                        None | Some(0) => {}
                        Some(code) => histogram.add(from_ordered(codes.value(u64::from(*code)))),
                    }
                }
            }
            Rows::Wide(wide) => {
                for row in rows {
                    match wide.get(*row as usize) {
                        None | Some(0) => {}
                        Some(code) => histogram.add(from_ordered(codes.value(*code))),
                    }
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        if let (Some(one), Some(other)) = (&mut self.histogram, &other.histogram) {
            one.merge(other);
        }
    }

    /// Returns the average, cut to a whole number; none of no values.
    pub fn average(&self) -> Option<i128> {
        self.sum.checked_div(i128::from(self.count))
    }

    /// Returns the smallest value that is not below so many thousandths of them, within 0.4 %; none of no values,
    /// and where percentiles were not asked for.
    pub fn percentile(&self, thousandths: u32) -> Option<i64> {
        let histogram = self.histogram.as_ref()?;
        let wanted = u128::from(self.count) * u128::from(thousandths.min(1000));
        let wanted = u64::try_from(wanted.div_ceil(1000)).unwrap_or(u64::MAX);
        let mut seen = 0;
        for (bucket, count) in histogram.buckets() {
            seen += count;
            if seen >= wanted.max(1) {
                let (low, high) = bounds(bucket, PERCENTILE_BITS);
                return Some(low.midpoint(high).clamp(self.min, self.max));
            }
        }
        None
    }
}

/// What codes come to.
struct CodeSums {
    known: u64,
    sum: u128,
    /// The number before the least code.
    before_least: u64,
    most: u64,
}

impl CodeSums {
    #[inline]
    fn of(rows: &[u32], code: impl Fn(usize) -> u64) -> Self {
        let mut sums = Self {
            known: 0,
            sum: 0,
            before_least: u64::MAX,
            most: 0,
        };
        // The halves of codes are summed apart: of a block, neither sum can overflow.
        let (mut low, mut high) = (0, 0);
        for row in rows {
            let code = code(*row as usize);
            sums.known += u64::from(code != 0);
            low += code & u64::from(u32::MAX);
            high += code >> u32::BITS;
            // What is unknown comes out as the greatest number.
            sums.before_least = sums.before_least.min(code.wrapping_sub(1));
            sums.most = sums.most.max(code);
        }
        sums.sum = (u128::from(high) << u32::BITS) + u128::from(low);
        sums
    }
}

// === impl Histogram ===

impl Histogram {
    pub(super) const fn new(bits: u32) -> Self {
        Self {
            bits,
            first: 0,
            counts: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, value: i64) {
        self.add_to(bucket(value, self.bits), 1);
    }

    #[inline]
    fn add_to(&mut self, bucket: usize, count: u64) {
        match self.counts.get_mut(bucket.wrapping_sub(self.first)) {
            Some(counted) => *counted += count,
            None => self.grow(bucket, count),
        }
    }

    #[cold]
    fn grow(&mut self, bucket: usize, count: u64) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if let Some(before @ 1..) = self.first.checked_sub(bucket) {
            self.counts.splice(0..0, std::iter::repeat_n(0, before));
            self.first = bucket;
        }
        let at = bucket - self.first;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        if let Some(counted) = self.counts.get_mut(at) {
            *counted += count;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (bucket, count) in other.buckets() {
            self.add_to(bucket, count);
        }
    }

    /// Returns the buckets that have any value, in order.
    pub(super) fn buckets(&self) -> impl Iterator<Item = (usize, u64)> {
        let counts = (self.first..).zip(self.counts.iter().copied());
        counts.filter(|(_, count)| *count > 0)
    }
}

/// Returns the number of a value's bucket.
#[inline]
fn bucket(value: i64, bits: u32) -> usize {
    let size = value.unsigned_abs();
    let bucket = match (size >> bits).checked_ilog2() {
        None => size,
        Some(shift) => (u64::from(shift + 1) << bits) + (size >> shift & ((1 << bits) - 1)),
    };
    let bucket = usize::try_from(bucket).unwrap_or(usize::MAX);
    if value < 0 {
        ZERO_BUCKET - bucket
    } else {
        ZERO_BUCKET + bucket
    }
}

/// Returns the smallest and the largest value of a bucket.
pub(super) fn bounds(bucket: usize, bits: u32) -> (i64, i64) {
    let at = bucket.abs_diff(ZERO_BUCKET) as u64;
    let (low, high) = match (at >> bits).checked_sub(1) {
        None => (at, at),
        Some(shift) => {
            let low = u128::from((1 << bits) + (at & ((1 << bits) - 1))) << shift;
            let clip = |value: u128| u64::try_from(value).unwrap_or(u64::MAX);
            (clip(low), clip(low + (1_u128 << shift) - 1))
        }
    };
    let positive = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let negative = |size: u64| 0_i64.checked_sub_unsigned(size).unwrap_or(i64::MIN);
    if bucket < ZERO_BUCKET {
        (negative(high), negative(low))
    } else {
        (positive(low), positive(high))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ordered;
    use super::*;

    #[test]
    fn every_value_lies_within_its_bucket() {
        for value in [0, 1, -1, 127, 128, 129, 255, 256, i64::MAX, i64::MIN, -128] {
            for bits in [0, 3, PERCENTILE_BITS] {
                let (low, high) = bounds(bucket(value, bits), bits);
                assert!(low <= value && value <= high, "{value}: {low}..={high}");
            }
        }
    }

    proptest! {
        #[test]
        fn percentiles_are_within_the_stated_error(
            mut values in prop::collection::vec(-2_000_000_000_i64..60_000_000_000, 1..300),
            thousandths in 0_u32..=1000,
        ) {
            let mut stats = Stats::new(true);
            let codes: Vec<u64> = values.iter().map(|value| ordered(*value)).collect();
            let rows: Vec<u32> = (0..).take(codes.len()).collect();
            let codes = Codes { rows: Rows::Wide(&codes), origin: 0, scale: 1 };
            stats.add_all(&codes, &rows);
            values.sort_unstable();
            let rank = (values.len() * thousandths as usize).div_ceil(1000).max(1);
            let (found, exact) = (stats.percentile(thousandths).unwrap(), values[rank - 1]);
            prop_assert!(found.abs_diff(exact) * 1000 <= exact.unsigned_abs() * 4, "{found} for {exact}");
        }
    }
}
