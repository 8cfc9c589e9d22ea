//! How the numbers of a field are spread over the selected flows.

use flow_query::Field;

use super::block::Zone;
use super::file::ColumnError;
use super::scan::{Scan, list};
use super::stats::{Histogram, PERCENTILE_BITS, bounds};
use super::{Column, from_ordered};

/// Buckets of the same width that a histogram has.
pub(crate) const LINEAR_BUCKETS_MAX: usize = 1024;

/// Into what values are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buckets {
    /// So many from `min` on, at most 1,024, each of this width.
    Linear { min: i64, width: i64, count: usize },
    /// Two to the power of `bits`, which is 7 at most, to each power of two.
    Log { bits: u32 },
}

/// A histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// The smallest and the largest value of each bucket, and how many flows are in it. Of logarithmic buckets
    /// only those that have any.
    pub buckets: Vec<(i64, i64, u64)>,
    /// Flows whose value is below the first of the linear buckets.
    pub below: u64,
    /// Flows whose value is above the last.
    pub above: u64,
    /// Flows whose value is unknown.
    pub unknown: u64,
    /// Not every flow could be looked at.
    pub partial: bool,
}

// === impl Scan ===

impl Scan<'_> {
    /// Returns the histogram of a field of numbers.
    pub(crate) fn spread(&self, field: Field, buckets: Buckets) -> Result<Spread, ColumnError> {
        let all = self.share(
            || (Counter::new(buckets), 0),
            |(counter, unknown), part| {
                let Some(mut rows) = self.rows(part)? else {
                    return Ok(());
                };
                let mut numbers = Vec::new();
                for block in 0..part.source.blocks() {
                    let Some(mask) = rows.select(block)? else {
                        continue;
                    };
                    list(&mask, &mut numbers);
                    let codes = rows.reader.codes(Column::Field(field), block)?;
                    for row in &numbers {
                        match codes.at(*row as usize) {
                            Some(value) => counter.add(from_ordered(value)),
                            None => *unknown += 1,
                        }
                    }
                }
                Ok(())
            },
        )?;
        let mut sum = Counter::new(buckets);
        let mut unknown = 0;
        for (counter, some) in all {
            sum.merge(&counter);
            unknown += some;
        }
        Ok(Spread {
            unknown,
            ..sum.finish()
        })
    }

    /// Returns the smallest and the largest value of a field of numbers; none of no values. What zone maps show
    /// to lie between those that were found is not read.
    pub(crate) fn range(&self, field: Field) -> Result<Option<(i64, i64)>, ColumnError> {
        let column = Column::Field(field);
        let mut found = Zone::EMPTY;
        for part in self.parts {
            let Some(mut rows) = self.rows(part)? else {
                continue;
            };
            for block in 0..part.source.blocks() {
                let zone = part.source.zone(column, block);
                if !zone.is_known() || (found.min <= zone.min && zone.max <= found.max) {
                    continue;
                }
                let Some(mask) = rows.select(block)? else {
                    continue;
                };
                let mut numbers = Vec::new();
                list(&mask, &mut numbers);
                let codes = rows.reader.codes(column, block)?;
                let values = numbers.iter().filter_map(|row| codes.at(*row as usize));
                values.for_each(|value| found.add(Some(value)));
            }
        }
        let range = (from_ordered(found.min), from_ordered(found.max));
        Ok(found.is_known().then_some(range))
    }
}

/// Counts values.
enum Counter {
    Linear {
        min: i64,
        width: i64,
        counts: Vec<u64>,
        below: u64,
        above: u64,
    },
    Log {
        bits: u32,
        histogram: Histogram,
    },
}

// === impl Counter ===

impl Counter {
    fn new(buckets: Buckets) -> Self {
        match buckets {
            Buckets::Linear { min, width, count } => Self::Linear {
                min,
                width: width.max(1),
                counts: vec![0; count.clamp(1, LINEAR_BUCKETS_MAX)],
                below: 0,
                above: 0,
            },
            Buckets::Log { bits } => {
                let bits = bits.min(PERCENTILE_BITS);
                Self::Log {
                    bits,
                    histogram: Histogram::new(bits),
                }
            }
        }
    }

    fn add(&mut self, value: i64) {
        match self {
            Self::Linear {
                min,
                width,
                counts,
                below,
                above,
            } => {
                if value < *min {
                    *below += 1;
                    return;
                }
                let at = value.abs_diff(*min) / width.unsigned_abs();
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                *counts.get_mut(at).unwrap_or(above) += 1;
            }
            Self::Log { histogram, .. } => histogram.add(value),
        }
    }

    fn merge(&mut self, other: &Self) {
        match (self, other) {
            (
                Self::Linear {
                    counts,
                    below,
                    above,
                    ..
                },
                Self::Linear {
                    counts: more,
                    below: more_below,
                    above: more_above,
                    ..
                },
            ) => {
                *below += more_below;
                *above += more_above;
                counts
                    .iter_mut()
                    .zip(more)
                    .for_each(|(one, other)| *one += other);
            }
            (
                Self::Log { histogram, .. },
                Self::Log {
                    histogram: other, ..
                },
            ) => histogram.merge(other),
            (Self::Linear { .. }, Self::Log { .. }) | (Self::Log { .. }, Self::Linear { .. }) => {}
        }
    }

    fn finish(self) -> Spread {
        match self {
            Self::Linear {
                min,
                width,
                counts,
                below,
                above,
            } => {
                let mut first = min;
                let bucket = |count| {
                    let last = first.saturating_add(width - 1);
                    let bucket = (first, last, count);
                    first = first.saturating_add(width);
                    bucket
                };
                Spread {
                    buckets: counts.into_iter().map(bucket).collect(),
                    below,
                    above,
                    ..Spread::default()
                }
            }
            Self::Log { bits, histogram } => {
                let bucket = |(bucket, count)| {
                    let (first, last) = bounds(bucket, bits);
                    (first, last, count)
                };
                Spread {
                    buckets: histogram.buckets().map(bucket).collect(),
                    ..Spread::default()
                }
            }
        }
    }
}
