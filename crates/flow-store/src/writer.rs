//! The thread that commits: groups of operations, one transaction each.
//!
//! A commit that fails is tried again every second with the same group, until the disk takes it or the store is
//! closed. What piles up meanwhile is bounded by the [`Queue`].

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::{Connection, ErrorCode};

use crate::apply::{self, Applied};
use crate::health::Health;
use crate::memory::Memory;
use crate::queue::{Dropped, Group, Queue};
use crate::read::Archive;
use crate::segment::is_damage;

/// Flows that are removed at once from a store in memory that is full.
const EVICT_FLOWS: i64 = 64;

/// What is said once the segment's file is gone.
const ORPHANED: &str = "the segment's file was removed; restart the monitor to begin a new one";

/// All that the thread works with.
pub(crate) struct Writer {
    pub(crate) connection: Connection,
    pub(crate) queue: Arc<Queue>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) health: Arc<Health>,
    pub(crate) archive: Arc<Archive>,
    /// Bytes that a segment in memory may take; none for one on disk.
    pub(crate) memory_bytes_max: Option<u64>,
    /// The log still holds something that was removed.
    pub(crate) traces: Cell<bool>,
}

impl Writer {
    /// Commits groups until the queue is closed and empty, and then writes the log into the file.
    pub(crate) fn run(self) {
        loop {
            let mut dropped = Dropped::default();
            let group = self.queue.next(&mut dropped);
            self.give_up(&dropped);
            let Some(group) = group else { break };
            if !group.ops.is_empty() && !self.commit(&group) {
                self.give_up(&self.queue.abandon(&group));
            }
            self.queue.done(&group);
        }
        self.give_up(&self.queue.closed());
        self.empty_log();
        // The last connection removes the log, and only one that writes can.
        self.archive.rest();
    }

    /// Commits a group, however long it takes. Returns false where it was given up.
    fn commit(&self, group: &Group) -> bool {
        loop {
            let begun = Instant::now();
            match apply::store(&self.connection, &group.ops) {
                Ok(applied) => {
                    let took = begun.elapsed().as_micros();
                    self.queue.committed();
                    self.health
                        .committed(u64::try_from(took).unwrap_or(u64::MAX));
                    if self.is_orphaned() {
                        self.health.not_stored(applied.ended.len() as u64);
                        self.health.failed(ORPHANED.to_owned());
                    }
                    self.settle(&applied);
                    return true;
                }
                Err(error) if self.is_out_of_memory(&error) => {
                    if !self.evict(EVICT_FLOWS) {
                        return false;
                    }
                }
                Err(error) => {
                    if self.health.failed(problem(&error)) {
                        let ended = group.ops.iter().filter(|op| op.is_last());
                        let ended: Vec<_> = ended.map(|op| op.flow).collect();
                        self.memory.touch(&ended);
                    }
                    if !self.queue.wait_to_retry() {
                        return self.last_try(group);
                    }
                }
            }
        }
    }

    /// Returns whether the segment's file has been removed. What is written then goes where nobody finds it.
    fn is_orphaned(&self) -> bool {
        let path = self
            .connection
            .path()
            .filter(|_| self.memory_bytes_max.is_none());
        path.is_some_and(|path| !Path::new(path).exists())
    }

    fn last_try(&self, group: &Group) -> bool {
        match apply::store(&self.connection, &group.ops) {
            Ok(applied) => {
                self.settle(&applied);
                true
            }
            Err(_) => false,
        }
    }

    fn settle(&self, applied: &Applied) {
        self.memory.committed(&applied.ended, &applied.reread);
        self.memory.removed(&applied.removed);
        self.memory.given_up(&applied.refused);
        self.health.not_stored(applied.refused.len() as u64);
        if applied.forgot || self.traces.get() {
            // A reader can keep the log as it is; the next commit tries again.
            self.traces.set(!self.empty_log());
        }
        if let Some(bytes_max) = self.memory_bytes_max {
            while self.used_bytes().is_some_and(|used| used > bytes_max) && self.evict(EVICT_FLOWS)
            {
            }
        }
    }

    /// Writes the log into the file and cuts it. Returns false where that has to be tried again.
    fn empty_log(&self) -> bool {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        match self
            .connection
            .query_one(sql, [], |row| row.get::<_, i64>(0))
        {
            Ok(busy) => busy == 0,
            Err(error) => {
                tracing::warn!(%error, "the log cannot be written into the segment");
                false
            }
        }
    }

    fn give_up(&self, dropped: &Dropped) {
        self.health.not_stored(dropped.flows.len() as u64);
        self.memory.given_up(&dropped.ended);
    }

    fn is_out_of_memory(&self, error: &rusqlite::Error) -> bool {
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        full && self.memory_bytes_max.is_some()
    }

    /// Removes the oldest ended flows. Returns false where there are none.
    fn evict(&self, flows: i64) -> bool {
        match apply::evict(&self.connection, flows) {
            Ok(evicted) => {
                self.health.evicted(evicted.len() as u64);
                self.memory.removed(&evicted);
                !evicted.is_empty()
            }
            Err(error) => {
                tracing::error!(%error, "old flows cannot be removed");
                false
            }
        }
    }

    fn used_bytes(&self) -> Option<u64> {
        let number = |name| -> Option<u64> {
            let number: i64 = self
                .connection
                .pragma_query_value(None, name, |row| row.get(0))
                .ok()?;
            u64::try_from(number).ok()
        };
        let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
        Some(pages.saturating_mul(number("page_size")?))
    }
}

/// Returns in words why nothing is stored.
fn problem(error: &rusqlite::Error) -> String {
    if is_damage(error) {
        return format!("the segment is damaged ({error}); it will be put aside at the next start");
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full".to_owned(),
        Some(ErrorCode::ReadOnly) => "the segment is read-only".to_owned(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds the segment's lock".to_owned()
        }
        Some(ErrorCode::SystemIoFailure) => format!("the disk fails ({error})"),
        _ => format!("the segment cannot be written ({error})"),
    }
}
