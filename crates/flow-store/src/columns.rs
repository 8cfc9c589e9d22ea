//! Columns: every field of every ended flow as fixed-width values, so that lists, counts and statistics are scans.
//!
//! They hold exactly what [`Field::value`] gives, apart by segment: in memory for a segment that is still written
//! to ([`LiveColumns`]), in a file beside a sealed one ([`ColumnFile`]). Both are derived: what is damaged, of
//! another version or missing is thrown away and made again from the segment. A row stands at its number `n` in
//! the segment, so sets of flows are [`Bitmap`]s of numbers, and removed flows leave holes.
//!
//! ```text
//! Row ─► LiveColumns ─view─► Source ─► Reader ─► Plan (filter) ─► rows ─► count · page · groups · facets
//!             └─write─► .col ─► ColumnFile ─┘
//! ```
//!
//! Values are unsigned numbers in the order of what they mean: a number with its sign bit turned ([`ordered`]), a
//! name's code in its dictionary. Blocks of 4,096 rows hold *codes*, of which 0 is the unknown and the others
//! count from the block's smallest value. Names sort without regard to case, then with it ([`compare_names`]).
//!
//! Limits: a segment has 16,777,216 rows; 32 MiB of dictionaries are cached (`cache`); a page has 1,001 rows
//! (`page`); statistics have 65,536 groups (`group`), facets look at 262,144 values (`facet`), histograms have
//! 1,024 buckets (`spread`).

use flow_model::FlowId;
use flow_query::{Field, Kind};

mod live;
mod names;

mod block;
mod file;
mod write;

mod cache;
mod source;

mod bitmap;
mod plan;

mod scan;

mod facet;
mod group;
mod page;
mod spread;
mod stats;

#[cfg(test)]
mod tests;

pub(crate) use bitmap::Bitmap;
pub(crate) use cache::NameCache;
pub use facet::Facets;
pub(crate) use file::{ColumnError, ColumnFile};
pub use group::{Group, GroupBy, GroupValue, Groups, Measure};
pub(crate) use live::{LiveColumns, View};
pub(crate) use names::compare as compare_names;
#[cfg(test)]
pub(crate) use page::Hit;
pub(crate) use page::{After, Key, PageQuery};
pub(crate) use scan::{Part, Scan};
pub(crate) use source::Source;
pub use spread::Spread;
pub(crate) use spread::{Buckets, LINEAR_BUCKETS_MAX};
pub use stats::Stats;
pub(crate) use write::write;

/// Rows of a block, each of which has its zone map.
pub(crate) const BLOCK_ROWS: usize = 4096;
/// Rows of a segment: those of older formats were not closed at any number of flows.
pub(crate) const FILE_ROWS_MAX: usize = 1 << 24;
/// Columns that there are.
const COLUMNS: usize = Field::ALL.len() + 3;

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Field(Field),
    /// The bits of `Flag::ALL`; unknown where there is no flow.
    Flags,
    /// The first half of the id.
    IdHigh,
    /// The second half of the id.
    IdLow,
}

// === impl Column ===

impl Column {
    /// Returns every column, in the order in which files hold them.
    fn all() -> impl Iterator<Item = Self> {
        let fields = Field::ALL.into_iter().map(Self::Field);
        fields.chain([Self::Flags, Self::IdHigh, Self::IdLow])
    }

    const fn index(self) -> usize {
        match self {
            Self::Field(field) => field as usize,
            Self::Flags => Field::ALL.len(),
            Self::IdHigh => Field::ALL.len() + 1,
            Self::IdLow => Field::ALL.len() + 2,
        }
    }

    /// Returns whether the column holds codes of a dictionary.
    const fn has_names(self) -> bool {
        matches!(self, Self::Field(field) if matches!(field.kind(), Kind::Name | Kind::Names))
    }
}

/// Returns the unsigned number that sorts as `number` does. The smallest number is told as its neighbour: 0 means
/// unknown where codes are values.
const fn ordered(number: i64) -> u64 {
    let code = number.cast_unsigned() ^ (1 << 63);
    if code == 0 { 1 } else { code }
}

const fn from_ordered(value: u64) -> i64 {
    (value ^ (1 << 63)).cast_signed()
}

/// Returns the halves of an id, in an order that sorts like the id.
fn halves(id: FlowId) -> (u64, u64) {
    let both = u128::from_be_bytes(id.to_bytes());
    let (high, low) = ((both >> 64), both & u128::from(u64::MAX));
    let half = |half: u128| u64::try_from(half).unwrap_or(u64::MAX);
    (half(high), half(low))
}

fn joined((high, low): (u64, u64)) -> FlowId {
    FlowId::from_bytes((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}
