//! Removes for good what was deleted: nothing of a flow is in any file afterwards.
//!
//! A deleted flow is hidden at once by its tombstone in the catalog, which goes last. What lies between can be done
//! again from its beginning, so that a kill at any moment leaves flows that are hidden, and the rest whole.
//!
//! | segment | who | how |
//! |---|---|---|
//! | in use | the writer, in steps among other operations | secure delete, then the log is cut |
//! | sealed | the thread that seals | a copy without them takes its place, once the catalog calls it unsealed |
//! | sealed, without flows left | the same | its files are removed |
//!
//! What a conversation shares with the removed flow stays as long as another flow has it. Files derived from a
//! segment are removed before its tombstones and made again by whoever owns them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flow_model::FlowId;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::blobs;
use crate::catalog;
use crate::dir;
use crate::files;
use crate::pack::{Op, OpKind};
use crate::place::{self, Place};
use crate::rollup::Rollups;
use crate::seal::{self, SealError, Sealer};
use crate::segment::{Segment, SegmentState, Writing};
use crate::store::OpenError;

/// Flows that the writer removes at once, so that what is recorded meanwhile does not wait for long.
const STEP_FLOWS_MAX: usize = 500;
/// How long after flows could not be removed, as while a reader held the log, that is tried again.
const RETRY: Duration = Duration::from_secs(1);

const REMOVE: [&str; 6] = [
    "DELETE FROM outcomes WHERE n = ?1",
    "DELETE FROM pieces WHERE n = ?1",
    "DELETE FROM pending WHERE n = ?1",
    "DELETE FROM running WHERE n = ?1",
    "DELETE FROM unread WHERE n = ?1",
    "DELETE FROM requests WHERE n = ?1",
];

/// A step of the writer.
#[derive(Debug)]
pub(crate) struct Purge {
    pub(crate) segment: u32,
    pub(crate) step: Step,
    is_done: AtomicBool,
}

#[derive(Debug)]
pub(crate) enum Step {
    /// Removes the records of flows.
    Flows(Vec<(FlowId, i64)>),
    /// Removes what only they referred to, and everything from the log.
    Rest,
}

// === impl Purge ===

impl Purge {
    fn new(segment: u32, step: Step) -> Arc<Self> {
        Arc::new(Self {
            segment,
            step,
            is_done: AtomicBool::new(false),
        })
    }

    /// Does the step in one transaction.
    pub(crate) fn run(&self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let whole = connection.unchecked_transaction()?;
        match &self.step {
            Step::Flows(flows) => {
                remove(&whole, flows)?;
            }
            Step::Rest => sweep(&whole)?,
        }
        whole.commit()
    }

    /// Says that the step is done, and for the last one that the log is empty.
    pub(crate) fn done(&self) {
        self.is_done.store(true, Ordering::Release);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    pub(crate) fn bytes(&self) -> usize {
        match &self.step {
            Step::Flows(flows) => flows.len() * size_of::<(FlowId, i64)>(),
            Step::Rest => 0,
        }
    }
}

/// Removes the records of flows, within the caller's transaction. Returns how many flows there were.
///
/// A number that another flow has is left alone: a catalog that was restored can say what no longer holds.
pub(crate) fn remove(
    connection: &Connection,
    flows: &[(FlowId, i64)],
) -> Result<u64, rusqlite::Error> {
    let has_rows = connection.table_exists(None, "rows")?;
    let mut removed = 0;
    for (id, n) in flows {
        let holder = holder(connection, *n)?;
        if holder.is_some_and(|holder| holder != *id) {
            continue;
        }
        if has_rows {
            connection
                .prepare_cached("DELETE FROM rows WHERE n = ?1")?
                .execute([n])?;
        }
        for sql in REMOVE {
            connection.prepare_cached(sql)?.execute([n])?;
        }
        removed += u64::from(holder.is_some());
    }
    Ok(removed)
}

/// Removes what no flow refers to any more, within the caller's transaction.
pub(crate) fn sweep(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Segments of format 1 have none.
    if connection.table_exists(None, "nodes")? {
        let swept = blobs::sweep(connection)?;
        let adopted = blobs::adopt(connection)?;
        tracing::debug!(
            swept.nodes,
            swept.blobs,
            adopted,
            "parts of bodies were swept"
        );
    }
    Ok(())
}

// === impl Sealer ===

impl Sealer {
    /// Removes what was deleted, as far as that can be done at the moment. Returns when to look again at the latest.
    pub(crate) fn purge(&self, damaged: &mut BTreeSet<u32>) -> Option<Duration> {
        let mut wait = None;
        for segment in self.registry.all().iter() {
            let hopeless = !segment.is_writable() || damaged.contains(&segment.number);
            if hopeless || segment.buried().is_empty() {
                continue;
            }
            if self.registry.signal.is_stopping() {
                return None;
            }
            let retry = match self.purge_one(segment) {
                Ok(true) => continue,
                Ok(false) => RETRY,
                Err(SealError::Segment(error)) if place::is_damage(&error) => {
                    let name = segment.name();
                    let notice = format!("deleted flows cannot be removed from {name} ({error})");
                    self.health.notice(notice);
                    damaged.insert(segment.number);
                    continue;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    let segment = segment.number;
                    tracing::warn!(segment, error, "deleted flows cannot be removed yet");
                    self.registry.limits.seal_retry
                }
            };
            wait = Some(wait.map_or(retry, |wait: Duration| wait.min(retry)));
        }
        wait
    }

    /// Removes what was deleted of one segment. Returns false where that has to be tried again.
    fn purge_one(&self, segment: &Arc<Segment>) -> Result<bool, SealError> {
        let buried = segment.buried();
        if segment.is_sealed() {
            let mut writing = segment.writing();
            if segment.is_gone() {
                return Ok(true);
            }
            if !segment.is_sealed() {
                return Ok(false);
            }
            if !self.purge_sealed(segment, &mut writing)? {
                return Ok(true);
            }
        } else if !self.purge_unsealed(segment, &buried) || !segment.derived_stale() {
            return Ok(false);
        }
        self.index.forget(segment);
        buried.keys().for_each(|n| segment.sheet.remove(*n));
        // Until it is written anew, the file that has no name any more answers, but for what was removed.
        if segment.is_sealed()
            && let Err(error) = seal::make_file(segment)
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, segment = segment.name(), "columns cannot be made");
            segment.sheet.forget();
        }
        let numbers: Vec<i64> = buried.keys().copied().collect();
        self.registry.catalog.unbury(segment.number, &numbers)?;
        self.registry.catalog.rest();
        segment.unbury(&numbers);
        Ok(true)
    }

    /// Has the writer remove what was deleted of a segment in use, step by step.
    fn purge_unsealed(&self, segment: &Segment, buried: &BTreeMap<i64, FlowId>) -> bool {
        let flows: Vec<_> = buried.iter().map(|(n, id)| (*id, *n)).collect();
        let steps = flows
            .chunks(STEP_FLOWS_MAX)
            .map(|flows| Step::Flows(flows.to_vec()));
        for step in steps.chain([Step::Rest]) {
            let purge = Purge::new(segment.number, step);
            self.queue.push(Op {
                // No flow has the id of zeros.
                flow: FlowId::from_bytes([0; 16]),
                location: None,
                kind: OpKind::Purge(Arc::clone(&purge)),
            });
            self.queue.flush();
            if !purge.is_done() {
                return false;
            }
        }
        true
    }

    /// Puts a copy without the deleted flows in the place of a sealed segment. Returns false where nothing was left
    /// and the segment is gone.
    fn purge_sealed(
        &self,
        segment: &Arc<Segment>,
        writing: &mut Writing<'_>,
    ) -> Result<bool, SealError> {
        let Some(path) = segment.path() else {
            return Ok(true);
        };
        let (purging, compacted) = (files::purging_path(path), files::compacted_path(path));
        let made = self.make_purged(segment, path, &purging, &compacted);
        let made = made.and_then(|made| match made {
            None => {
                self.registry
                    .retire(segment, writing, &Rollups::default())?;
                Ok(false)
            }
            Some(entry) => {
                self.replace(segment, writing, (&compacted, path), &entry)?;
                Ok(true)
            }
        });
        for left in [purging, compacted] {
            if let Err(error) = files::remove(&left) {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a copy of a segment is left behind");
            }
        }
        made
    }

    /// Makes the copy at `compacted`, by way of one at `purging`, and returns its entry; none where no flow is left.
    fn make_purged(
        &self,
        segment: &Segment,
        path: &Path,
        purging: &Path,
        compacted: &Path,
    ) -> Result<Option<catalog::Entry>, SealError> {
        let mut copy = files::new_file(purging)?;
        let copied = File::open(path).and_then(|mut from| std::io::copy(&mut from, &mut copy));
        copied.map_err(|error| OpenError::from(dir::failed("copy", path)(error)))?;
        let place = Place::File(purging.to_owned());
        let connection = place.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Nobody needs the copy after a kill.
        connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "off")?;
        let buried: Vec<_> = segment.buried().iter().map(|(n, id)| (*id, *n)).collect();
        let whole = connection.unchecked_transaction()?;
        remove(&whole, &buried)?;
        sweep(&whole)?;
        whole.commit()?;
        let Some(mut entry) = seal::measure(segment, &connection)? else {
            return Err(SealError::Running);
        };
        if entry.flows == 0 {
            return Ok(None);
        }
        let file = files::new_file(compacted)?;
        catalog::vacuum_into(&connection, compacted)?;
        drop(connection);
        drop(file);
        let read = File::open(compacted).and_then(|file| seal::sum(file, || false));
        let summed =
            read.map_err(|error| OpenError::from(dir::failed("read", compacted)(error)))?;
        let Some((checksum, bytes)) = summed else {
            return Err(SealError::Running);
        };
        entry.checksum = Some(checksum);
        entry.bytes = bytes;
        entry.sealed_at = Some(self.registry.clock.now());
        Ok(Some(entry))
    }

    /// Gives a copy the name of its segment. A kill at any moment leaves a segment that is as the catalog says.
    fn replace(
        &self,
        segment: &Segment,
        writing: &mut Writing<'_>,
        (copy, path): (&Path, &Path),
        entry: &catalog::Entry,
    ) -> Result<(), SealError> {
        let unsealed = catalog::Entry {
            state: SegmentState::Closing,
            checksum: None,
            ..segment.entry()
        };
        let file = fs::OpenOptions::new().read(true).write(true).open(copy);
        let file = file.map_err(|error| OpenError::from(dir::failed("open", copy)(error)))?;
        self.registry.catalog.put(&unsealed)?;
        self.registry.catalog.copy()?;
        writing.closed(|| {
            // They go before the segment that they were made from, and are made again from the new one only.
            files::remove_derived(path)?;
            files::name(&file, copy, path)
        })?;
        self.registry.catalog.put(entry)?;
        segment.change_facts(|facts| facts.take(entry));
        self.registry.catalog.copy()?;
        Ok(())
    }
}

/// Returns the flow that has a number in a segment.
pub(crate) fn holder(connection: &Connection, n: i64) -> Result<Option<FlowId>, rusqlite::Error> {
    let mut holder = connection.prepare_cached("SELECT id FROM requests WHERE n = ?1")?;
    let id = holder.query_row([n], |row| row.get(0)).optional()?;
    Ok(id.map(FlowId::from_bytes))
}

#[cfg(test)]
mod tests;
