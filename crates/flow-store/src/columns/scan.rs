//! A scan: which flows of many segments a filter selects.
//!
//! Statistics and counts over many segments are shared out among threads, segment by segment.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flow_query::Checked;

use super::bitmap::Bitmap;
use super::block::Mask;
use super::file::ColumnError;
use super::plan::{Node, Planner, Selected};
use super::source::{Reader, Source};
use super::{BLOCK_ROWS, Column};

/// Threads that share a scan.
const THREADS_MAX: usize = 4;
/// Rows for which a thread is worth its start.
const THREAD_ROWS_MIN: usize = 500_000;

/// One segment of a scan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub(crate) source: &'a Source,
    /// Flows that were removed.
    pub(crate) deleted: Option<&'a Bitmap>,
    /// What each test of text in the filter selects, in the order in which a reader of the filter meets them;
    /// none where this segment cannot answer it, and flows that hang on the answer are not selected.
    pub(crate) text: &'a [Option<Bitmap>],
}

/// A question about segments, newest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) parts: &'a [Part<'a>],
    pub(crate) filter: &'a Checked,
}

/// The rows of one segment that a filter selects, block by block.
pub(super) struct Rows<'a> {
    pub(super) source: &'a Source,
    pub(super) reader: Reader<'a>,
    plan: Node<'a>,
    deleted: Option<&'a Bitmap>,
}

// === impl Scan ===

impl<'a> Scan<'a> {
    /// Returns how many flows are selected.
    pub(crate) fn count(&self) -> Result<u64, ColumnError> {
        let counts = self.share(
            || 0,
            |count, part| {
                let Some(mut rows) = self.rows(part)? else {
                    return Ok(());
                };
                for block in 0..rows.source.blocks() {
                    if let Some(mask) = rows.select(block)? {
                        *count += ones(&mask);
                    }
                }
                Ok(())
            },
        )?;
        Ok(counts.into_iter().sum())
    }

    /// Returns the rows of a segment that are selected; none where there are none for certain.
    pub(super) fn rows(&self, part: &Part<'a>) -> Result<Option<Rows<'a>>, ColumnError> {
        let mut planner = Planner {
            source: part.source,
            text: part.text,
            texts: 0,
        };
        let plan = planner.plan(self.filter, false)?;
        Ok(match plan {
            Node::Nothing => None,
            plan => Some(Rows {
                source: part.source,
                reader: Reader::new(part.source),
                plan,
                deleted: part.deleted,
            }),
        })
    }

    /// Lets `act` add every segment to one of some sums, which `make` begins.
    pub(super) fn share<T: Send>(
        &self,
        make: impl Fn() -> T + Sync,
        act: impl Fn(&mut T, &Part<'a>) -> Result<(), ColumnError> + Sync,
    ) -> Result<Vec<T>, ColumnError> {
        let next = AtomicUsize::new(0);
        let work = || -> Result<T, ColumnError> {
            let mut sum = make();
            while let Some(part) = self.parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                act(&mut sum, part)?;
            }
            Ok(sum)
        };
        let threads = self.threads();
        if threads == 1 {
            return Ok(vec![work()?]);
        }
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut sums = vec![work()?];
            for other in others {
                let sum = other.join();
                sums.push(sum.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            Ok(sums)
        })
    }

    fn threads(&self) -> usize {
        let rows: usize = self.parts.iter().map(|part| part.source.rows()).sum();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let wanted = (rows / THREAD_ROWS_MIN).min(self.parts.len());
        wanted.clamp(1, cores.min(THREADS_MAX))
    }
}

// === impl Rows ===

impl Rows<'_> {
    /// Returns the rows of a block that are selected; none where there are none.
    pub(super) fn select(&mut self, block: usize) -> Result<Option<Mask>, ColumnError> {
        let mut mask = [0; BLOCK_ROWS / 64];
        let selected = self
            .plan
            .select(&mut self.reader, self.source, block, &mut mask)?;
        let holes = self.source.zone(Column::Flags, block).unknown;
        match selected {
            Selected::None => return Ok(None),
            Selected::All => self.reader.present(block, &mut mask)?,
            Selected::Some => {
                let mut present = [0; BLOCK_ROWS / 64];
                // A test that is not negated selects no hole, but sets of numbers and negations may.
                if holes || !matches!(self.plan, Node::Between(..) | Node::Table(..)) {
                    self.reader.present(block, &mut present)?;
                    super::plan::combine(&mut mask, &present, |one, other| one & other);
                }
            }
        }
        if let Some(deleted) = self.deleted {
            let first = block * mask.len();
            for (at, word) in mask.iter_mut().enumerate() {
                *word &= !deleted.word(first + at);
            }
        }
        Ok(mask.iter().any(|word| *word != 0).then_some(mask))
    }
}

/// Returns the number of rows in a mask.
pub(super) fn ones(mask: &Mask) -> u64 {
    mask.iter().map(|word| u64::from(word.count_ones())).sum()
}

/// Writes the rows of a mask down, in order.
pub(super) fn list(mask: &Mask, rows: &mut Vec<u32>) {
    rows.clear();
    for (first, word) in (0..).step_by(64).zip(mask) {
        if *word == u64::MAX {
            rows.extend(first..first + 64);
            continue;
        }
        let mut left = *word;
        while left != 0 {
            rows.push(first + left.trailing_zeros());
            left &= left - 1;
        }
    }
}
