//! Gives room back: closing and sealed segments without their free pages. What kills left is removed at every start.
//!
//! The live segment keeps its free pages, which it fills again. A sealed one is opened for it as for a late write,
//! and sealed again afterwards.

use serde::Serialize;

use crate::format::FORMAT;
use crate::seal::{self, SealError};
use crate::segment::{Segment, SegmentState};
use crate::store::Store;
use crate::work::Work;

/// The share of free pages, as one in so many, from which on a segment is worth the work.
const FREE_SHARE: i64 = 100;

/// What was given back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CompactReport {
    /// Segments that became smaller.
    pub segments: u64,
    /// Bytes by which they did.
    pub bytes_freed: u64,
    /// What could not be done, in words.
    pub notices: Vec<String>,
}

/// Why nothing is given back.
#[derive(Debug, thiserror::Error)]
pub enum CompactError {
    /// There are no files.
    #[error("the store is in memory or only read: there is nothing to compact")]
    Memory,
    /// It was told to stop.
    #[error("it was stopped before its end")]
    Cancelled,
}

// === impl Store ===

impl Store {
    /// Gives back what room there is in files. What has been given back when it is stopped stays so.
    pub fn compact(&self, work: &Work) -> Result<CompactReport, CompactError> {
        if self.registry().dir.is_none() {
            return Err(CompactError::Memory);
        }
        let mut report = CompactReport::default();
        // What was deleted is purged here first, so that its room is given back too.
        let all = self.registry().all();
        for segment in all.iter() {
            work.expect(segment.info().bytes);
        }
        for segment in all.iter().rev() {
            if work.is_cancelled() {
                return Err(CompactError::Cancelled);
            }
            let bytes = segment.info().bytes;
            match self.compact_segment(segment) {
                Ok(Some(0)) => {}
                Ok(None) => {
                    let notice = format!("{} stays: somebody else has it open", segment.name());
                    report.notices.push(notice);
                }
                Ok(Some(freed)) => {
                    report.segments += 1;
                    report.bytes_freed += freed;
                }
                Err(error) => {
                    let notice = format!("{} cannot be compacted ({error})", segment.name());
                    report.notices.push(notice);
                }
            }
            work.advance(bytes);
        }
        Ok(report)
    }

    /// Returns the bytes by which a segment became smaller; none where somebody else has it open.
    fn compact_segment(&self, segment: &Segment) -> Result<Option<u64>, SealError> {
        let registry = self.registry();
        let wanted = segment.state() != SegmentState::Live
            && segment.version.major == FORMAT.major
            && segment.is_writable();
        let Some(path) = segment.path().filter(|_| wanted) else {
            return Ok(Some(0));
        };
        let has_room = |connection: &_| seal::has_free(connection, FREE_SHARE);
        if !segment.read(has_room)? {
            return Ok(Some(0));
        }
        let before = segment.info().bytes;
        // It is sealed again once nothing has been written to it for a while.
        registry.write(segment, |_| Ok(()))?;
        let mut writing = segment.writing();
        // A file is only replaced once its log is gone: a log would be taken for the one of its successor.
        if segment.is_sealed() || !seal::settle(&mut writing)? {
            return Ok(None);
        }
        seal::compact(path, &mut writing)?;
        drop(writing);
        registry.signal.raise();
        Ok(Some(before.saturating_sub(segment.info().bytes)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::segment_path;
    use crate::testing::{FAST, check_body, noise, open, options, record, small, wait_sealed};
    use flow_model::Side;

    #[test]
    fn free_pages_and_leftovers_are_given_back() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open_with(options(Some(root.path())), small(20)).unwrap();
        for number in 1..=21 {
            record(&store, number, b"ask", &noise(9000, number));
            assert!(store.flush());
        }
        wait_sealed(&store);
        drop(store);
        let segments = root.path().join("segments");
        for left in [
            "segments/000007.db.compact",
            "segments/000009.fts",
            "catalog.copy.unfinished",
        ] {
            fs::write(root.path().join(left), "left").unwrap();
        }
        let store = Store::open_with(options(Some(root.path())), FAST).unwrap();
        let first = store.registry().segment(1).unwrap();
        // Some free pages, but fewer than sealing takes out by itself.
        let fill = "CREATE TABLE big (a); INSERT INTO big VALUES (zeroblob(12000)); DROP TABLE big";
        store
            .registry()
            .write(&first, |connection| connection.execute_batch(fill))
            .unwrap();
        wait_sealed(&store);
        let before = segment_path(&segments, 1).metadata().unwrap().len();
        let report = store.compact(&Work::default()).unwrap();
        assert_eq!(report.segments, 1, "{report:?}");
        wait_sealed(&store);
        let after = segment_path(&segments, 1).metadata().unwrap().len();
        assert!(before - after >= 8_000, "{before} {after}");
        assert_eq!(report.bytes_freed, before - after);
        assert!(report.notices.is_empty(), "{report:?}");
        for number in 1..=21 {
            check_body(&store, number, Side::Response, &noise(9000, number));
        }
        let again = store.compact(&Work::default()).unwrap();
        assert_eq!(again, CompactReport::default());
        assert!(store.check(true, &Work::default()).unwrap().is_sound());
    }

    #[test]
    fn a_store_in_memory_has_nothing_to_give_and_a_stop_stops() {
        let store = Store::open_with(options(None), FAST).unwrap();
        let work = Work::default();
        assert!(matches!(store.compact(&work), Err(CompactError::Memory)));
        let root = tempfile::tempdir().unwrap();
        work.cancel();
        assert!(matches!(
            open(root.path()).compact(&work),
            Err(CompactError::Cancelled)
        ));
    }
}
