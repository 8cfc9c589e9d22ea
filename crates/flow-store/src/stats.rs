//! What the store holds and what it weighs, segment by segment.
//!
//! Sizes are those of the files, logs included. What a segment's bodies had on the wire is a sum over its rows, which
//! reads all of them.

use std::path::Path;

use flow_model::Timestamp;
use flow_query::{Checked, Field};
use rusqlite::Connection;
use serde::Serialize;

use crate::columns::{Measure, Part, Scan};
use crate::files;
use crate::read::ReadError;
use crate::segment::{Segment, SegmentState};
use crate::store::Store;

/// What the store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreStats {
    /// Each segment, the newest first.
    pub segments: Vec<SegmentStats>,
    /// Flows in all segments.
    pub flows: u64,
    /// Bytes of their bodies on the wire.
    pub wire_bytes: u64,
    /// Bytes of all files of segments.
    pub stored_bytes: u64,
    /// Flows that are pinned.
    pub pinned: u64,
    /// Flows that were deleted, and whose records are still to be removed.
    pub being_deleted: u64,
    /// Flows that are no longer there, of which the sums are kept.
    pub summed_up: u64,
}

/// What one segment holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SegmentStats {
    /// Its number.
    pub number: u32,
    /// What it is there for.
    pub state: SegmentState,
    /// The version of its format.
    pub format: String,
    /// Flows that have a record in it.
    pub flows: u64,
    /// When the first of them began; none where there is none.
    pub first_at: Option<Timestamp>,
    /// When the last of them began.
    pub last_at: Option<Timestamp>,
    /// Bytes of their bodies on the wire; none where that cannot be read.
    pub wire_bytes: Option<u64>,
    /// Bytes of what was recorded, its log included.
    pub truth_bytes: u64,
    /// Bytes of the columns that are derived from it.
    pub columns_bytes: u64,
    /// Bytes of the text index that is.
    pub text_bytes: u64,
}

// === impl Store ===

impl Store {
    /// Returns what the store holds.
    pub fn stats(&self) -> Result<StoreStats, ReadError> {
        let registry = self.registry();
        let [pinned, being_deleted, summed_up] = registry.catalog.counts()?;
        let mut stats = StoreStats {
            pinned,
            being_deleted,
            summed_up,
            ..StoreStats::default()
        };
        for segment in registry.all().iter() {
            let segment = segment_stats(segment)?;
            stats.flows += segment.flows;
            stats.wire_bytes += segment.wire_bytes.unwrap_or(0);
            stats.stored_bytes += segment.truth_bytes + segment.columns_bytes + segment.text_bytes;
            stats.segments.push(segment);
        }
        Ok(stats)
    }
}

fn segment_stats(segment: &Segment) -> Result<SegmentStats, ReadError> {
    let info = segment.info();
    let bytes = |ending: &str| {
        segment
            .path()
            .map_or(0, |path| with_logs(&path.with_extension(ending)))
    };
    Ok(SegmentStats {
        number: info.number,
        state: info.state,
        format: info.format,
        flows: info.flows,
        first_at: info.first_at,
        last_at: info.last_at,
        wire_bytes: wire_bytes(segment),
        truth_bytes: if segment.path().is_some() {
            bytes("db")
        } else {
            segment.read(used_bytes)?
        },
        columns_bytes: bytes("col"),
        text_bytes: bytes("fts"),
    })
}

/// Returns the bytes of all bodies of a segment on the wire, from its columns; none where those are being made.
fn wire_bytes(segment: &Segment) -> Option<u64> {
    let mut shown = Vec::new();
    if !segment.sheet.show(&mut shown) {
        return None;
    }
    let parts: Vec<Part<'_>> = shown
        .iter()
        .map(|shown| Part {
            source: &shown.source,
            deleted: shown.hidden.as_deref(),
            text: &[],
        })
        .collect();
    let scan = Scan {
        parts: &parts,
        filter: &Checked::everything(),
    };
    let size = Measure {
        field: Field::Size,
        percentiles: false,
    };
    let groups = scan.groups(&[], &[size]).ok()?.groups;
    let sums = groups.iter().flat_map(|group| &group.stats);
    u64::try_from(sums.map(|stats| stats.sum).sum::<i128>()).ok()
}

/// Returns the bytes of a database in memory.
fn used_bytes(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    Ok(u64::try_from(bytes).unwrap_or(0))
}

fn with_logs(path: &Path) -> u64 {
    let endings = ["", "-wal", "-shm"].into_iter();
    let bytes = endings.map(|ending| {
        let found = files::beside(path, ending).metadata();
        found.map_or(0, |found| found.len())
    });
    bytes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{open, options, record, small, wait_sealed};

    #[test]
    fn every_segment_is_told_with_its_files() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open_with(options(Some(root.path())), small(2)).unwrap();
        for number in 1..=5 {
            record(&store, number, b"ask", b"answer");
            assert!(store.flush());
        }
        wait_sealed(&store);
        let stats = store.stats().unwrap();
        let flows: Vec<_> = stats.segments.iter().map(|segment| segment.flows).collect();
        assert_eq!((flows, stats.flows), (vec![1, 2, 2], 5));
        let first = stats.segments.last().unwrap();
        let file = root.path().join("segments/000001.db").metadata().unwrap();
        assert_eq!((first.number, first.state), (1, SegmentState::Sealed));
        assert_eq!(first.truth_bytes, file.len());
        assert!(first.first_at < first.last_at, "{first:?}");
        let sum: u64 = stats
            .segments
            .iter()
            .map(|segment| segment.truth_bytes + segment.columns_bytes + segment.text_bytes)
            .sum();
        assert_eq!(stats.stored_bytes, sum);
        assert_eq!(
            (stats.pinned, stats.being_deleted, stats.summed_up),
            (0, 0, 0)
        );
    }

    #[test]
    fn an_empty_store_and_one_in_memory_have_stats() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(open(root.path()).stats().unwrap().flows, 0);
        let store = Store::open_with(options(None), small(10)).unwrap();
        record(&store, 1, b"ask", b"answer");
        assert!(store.flush());
        let stats = store.stats().unwrap();
        assert_eq!(stats.flows, 1);
        assert!(stats.stored_bytes > 0);
    }
}
