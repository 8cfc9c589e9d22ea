//! The thread that seals segments: makes of a closing one a file that is only read.
//!
//! A segment is sealed when none of its flows runs and nothing has been written to it for a while. It takes these
//! steps, and a kill between any two of them leaves a segment that is unsealed, as the catalog says, and whole:
//!
//! 1. its text is indexed;
//! 2. its columns are written;
//! 3. its truth: the log is written into the file and removed; where more than a tenth of the file is free it is
//!    compacted into another one that takes its place; the file is made durable and its checksum taken;
//! 4. the catalog says that it is sealed, and is copied.
//!
//! The first two are slow and leave the segment to whoever writes to it; what is written meanwhile begins them
//! again. From the third on the right to write is held, so that a late write waits, and then opens the segment
//! again. A step that fails is tried again later.
//!
//! The same thread removes what was deleted, before it seals: see [`crate::purge`].
//! The same thread makes the columns of sealed segments again where they are missing, damaged or of another version.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::FlowId;
use rusqlite::{Connection, OptionalExtension};

use crate::catalog::{self, Entry};
use crate::columns::{self, ColumnError, ColumnFile};
use crate::dir;
use crate::files;
#[cfg(test)]
use crate::files::Flaw;
use crate::format::FORMAT;
use crate::health::Health;
use crate::index::TextIndex;
use crate::memory::Memory;
use crate::place;
use crate::queue::Queue;
use crate::registry::Registry;
use crate::rows;
use crate::segment::{Extent, Segment, SegmentState, Writing};
use crate::sheet::{Content, Turn};
use crate::store::OpenError;

/// The share of free pages, as one in so many, from which on a segment is compacted.
const FREE_SHARE: i64 = 10;
/// Sealed segments whose columns stay in memory where they cannot be written: of each some 20 MB.
const LIVE_SHEETS_MAX: usize = 8;
/// Bytes that are read at once for a checksum.
const READ_BYTES: usize = 1024 * 1024;

/// All that the thread works with.
pub(crate) struct Sealer {
    pub(crate) registry: Arc<Registry>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) health: Arc<Health>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) index: Arc<TextIndex>,
}

/// Why a segment is not sealed, or what was deleted is not removed from it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the segment cannot be read or written")]
    Segment(#[from] rusqlite::Error),
    #[error(transparent)]
    File(#[from] OpenError),
    #[error("a flow of the segment has no end")]
    Running,
    #[error(transparent)]
    Columns(#[from] ColumnError),
}

/// Columns that are to be those of a sealed segment.
enum Columns {
    /// Those that are there.
    Kept,
    /// Those of a file that was just written.
    File(ColumnFile),
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Sealed,
    /// Something runs in it, is written to it or reads it, or the store is being closed.
    Postponed,
}

impl Sealer {
    /// Seals what can be sealed until the store is closed.
    pub(crate) fn run(self) {
        let mut entered = BTreeMap::new();
        let mut damaged = BTreeSet::new();
        loop {
            self.enter(&mut entered);
            let purged = self.purge(&mut damaged);
            let sealed = self.round(&mut damaged);
            let completed = self.complete(&mut damaged);
            let waits = [purged, sealed, completed];
            let wait = waits.into_iter().flatten().min();
            if !self.registry.signal.next_round(wait) {
                return;
            }
        }
    }

    /// Enters the segments in the catalog that are not sealed. A start does without; it is there to be told what
    /// is missing.
    fn enter(&self, entered: &mut BTreeMap<u32, SegmentState>) {
        for segment in self.registry.all().iter() {
            let entry = segment.entry();
            if entered.insert(segment.number, entry.state) == Some(entry.state)
                || entry.state == SegmentState::Sealed
            {
                continue;
            }
            if let Err(error) = self.registry.catalog.put(&entry) {
                entered.remove(&segment.number);
                tracing::warn!(%error, "a segment cannot be entered in the catalog");
            }
        }
    }

    /// Seals what can be sealed at the moment. Returns when to look again at the latest.
    fn round(&self, damaged: &mut BTreeSet<u32>) -> Option<Duration> {
        let limits = self.registry.limits;
        let mut wait = None;
        let mut look_again = |after: Duration| {
            wait = Some(wait.map_or(after, |wait: Duration| wait.min(after)));
        };
        for segment in self.registry.unsealed().iter().rev() {
            let closing = segment.state() == SegmentState::Closing && segment.is_writable();
            if !closing || damaged.contains(&segment.number) {
                continue;
            }
            let quiet = self.quiet_in(segment);
            if !quiet.is_zero() {
                look_again(quiet);
                continue;
            }
            if self.memory.segments_in_use().contains(&segment.number) {
                look_again(limits.seal_retry);
                continue;
            }
            match self.seal(segment) {
                Ok(Attempt::Sealed) => {
                    tracing::debug!(segment = segment.number, "a segment was sealed");
                }
                Ok(Attempt::Postponed) => look_again(limits.seal_retry),
                Err(SealError::Segment(error)) if place::is_damage(&error) => {
                    let notice = format!("{} cannot be sealed ({error})", segment.name());
                    self.health.notice(notice);
                    damaged.insert(segment.number);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    let segment = segment.number;
                    tracing::warn!(segment, error, "a segment cannot be sealed yet");
                    look_again(limits.seal_retry);
                }
            }
        }
        wait
    }

    /// Makes the columns of sealed segments that have none. Returns when to try again what failed.
    fn complete(&self, damaged: &mut BTreeSet<u32>) -> Option<Duration> {
        let mut wait = None;
        for segment in self.registry.all().iter() {
            if self.registry.signal.is_stopping() {
                return None;
            }
            let is_done = !segment.is_sealed() || damaged.contains(&segment.number);
            if is_done || !(segment.sheet.is_missing() || segment.sheet.is_live()) {
                continue;
            }
            match make_file(segment) {
                Ok(()) => {}
                Err(SealError::Segment(error)) if place::is_damage(&error) => {
                    let notice = format!("{} cannot be listed ({error})", segment.name());
                    self.health.notice(notice);
                    damaged.insert(segment.number);
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    let segment = segment.number;
                    tracing::warn!(segment, error, "columns cannot be written yet");
                    wait = Some(self.registry.limits.seal_retry);
                    self.keep_few_live();
                }
            }
        }
        wait
    }

    /// Gives up columns in memory of sealed segments, beyond some.
    fn keep_few_live(&self) {
        let all = self.registry.all();
        let live = all
            .iter()
            .filter(|segment| segment.is_sealed() && segment.sheet.is_live());
        for segment in live.skip(LIVE_SHEETS_MAX) {
            segment.sheet.forget();
        }
    }

    /// Returns for how long nothing must be written to a segment until it is sealed.
    fn quiet_in(&self, segment: &Segment) -> Duration {
        let quiet = self.registry.limits.seal_quiet;
        let written_at = segment.facts().written_at;
        written_at.map_or(Duration::ZERO, |at| {
            let passed = Instant::now().saturating_duration_since(at);
            quiet.saturating_sub(passed)
        })
    }

    fn seal(&self, segment: &Segment) -> Result<Attempt, SealError> {
        let Some(path) = segment.path() else {
            return Ok(Attempt::Postponed);
        };
        if !self.index.finish(segment) {
            return Ok(Attempt::Postponed);
        }
        let turn = segment.sheet.turn();
        let (writes, columns) = write_columns(segment, &turn)?;
        let mut writing = segment.writing();
        if segment.facts().writes != writes {
            return Ok(Attempt::Postponed);
        }
        let Some(mut entry) = measure(segment, writing.connection()?)? else {
            return Ok(Attempt::Postponed);
        };
        if !settle(&mut writing)? {
            return Ok(Attempt::Postponed);
        }
        if segment.version.major == FORMAT.major && has_room(writing.connection()?)? {
            compact(path, &mut writing)?;
        }
        writing.close();
        let file = File::open(path).map_err(dir::failed("open", path));
        let file = file.map_err(OpenError::from)?;
        let synced = file.sync_all().map_err(dir::failed("sync", path));
        synced.map_err(OpenError::from)?;
        let summed = sum(file, || self.registry.signal.is_stopping());
        let summed = summed.map_err(dir::failed("read", path));
        let Some((checksum, bytes)) = summed.map_err(OpenError::from)? else {
            return Ok(Attempt::Postponed);
        };
        entry.state = SegmentState::Sealed;
        entry.checksum = Some(checksum);
        entry.bytes = bytes;
        entry.sealed_at = Some(self.registry.clock.now());
        self.registry.catalog.put(&entry)?;
        segment.change_facts(|facts| facts.take(&entry));
        writing.seal();
        if let Columns::File(file) = columns {
            segment.sheet.put(file);
        }
        drop(writing);
        if let Err(error) = self.registry.catalog.copy() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the catalog cannot be copied");
        }
        Ok(Attempt::Sealed)
    }
}

/// Writes the columns of a segment to its file, unless they stand there. Returns how often the segment had been
/// written to by then.
fn write_columns(segment: &Segment, turn: &Turn<'_>) -> Result<(u64, Columns), SealError> {
    let sheet = &segment.sheet;
    sheet.make(turn, || rows::columns(segment))?;
    let (writes, content) = {
        // What is committed is in the columns before somebody else may write.
        let _writing = segment.writing();
        (segment.facts().writes, sheet.content())
    };
    let Some((path, names)) = segment.columns_file() else {
        return Ok((writes, Columns::Kept));
    };
    match content {
        Content::Written => return Ok((writes, Columns::Kept)),
        Content::Columns(view) => columns::write(&path, &view)?,
        Content::Rows => columns::write(&path, &rows::columns(segment)?.view())?,
    }
    let file = ColumnFile::open(&path, names)?;
    Ok((writes, Columns::File(file)))
}

/// Makes the columns of a sealed segment, which answer from memory until they are written.
pub(crate) fn make_file(segment: &Segment) -> Result<(), SealError> {
    let turn = segment.sheet.turn();
    let (writes, columns) = write_columns(segment, &turn)?;
    let _writing = segment.writing();
    // One that was opened again meanwhile gets its columns when it is sealed again.
    if let Columns::File(file) = columns
        && segment.is_sealed()
        && segment.facts().writes == writes
    {
        segment.sheet.put(file);
    }
    Ok(())
}

/// Returns what a segment holds; none where a flow runs in it.
pub(crate) fn measure(
    segment: &Segment,
    connection: &Connection,
) -> Result<Option<Entry>, rusqlite::Error> {
    let number = |sql: &str| -> Result<u64, rusqlite::Error> {
        let number: i64 = connection.query_one(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    if number("SELECT EXISTS (SELECT 1 FROM running)")? != 0 {
        return Ok(None);
    }
    let mut entry = segment.entry();
    entry.flows = number("SELECT count(*) FROM requests")?;
    entry.unread = number("SELECT count(*) FROM unread")?;
    let id = |order: &str| {
        let sql = format!("SELECT id FROM requests ORDER BY id {order} LIMIT 1");
        let found = connection.query_row(&sql, [], |row| row.get(0)).optional();
        found.map(|found| found.map(FlowId::from_bytes))
    };
    entry.extent = Extent {
        ids: id("ASC")?.zip(id("DESC")?),
        times: entry.extent.times,
    };
    Ok(Some(entry))
}

/// Writes the log into the file and removes it. Returns false where somebody else has the file open.
pub(crate) fn settle(writing: &mut Writing<'_>) -> Result<bool, rusqlite::Error> {
    // Most of it is written while others still read.
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    writing
        .connection()?
        .query_one(checkpoint, [], |_| Ok(()))?;
    writing.alone(|connection| {
        let mode = connection.query_one("PRAGMA journal_mode = DELETE", [], |row| {
            row.get::<_, String>(0)
        });
        match mode {
            Ok(mode) => Ok(mode == "delete"),
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    || error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseLocked) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    })
}

fn has_room(connection: &Connection) -> Result<bool, rusqlite::Error> {
    has_free(connection, FREE_SHARE)
}

/// Returns whether more than one in `share` pages of a segment is free.
pub(crate) fn has_free(connection: &Connection, share: i64) -> Result<bool, rusqlite::Error> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(number("freelist_count")?.saturating_mul(share) > number("page_count")?)
}

/// Puts a copy without free pages in the place of a segment.
pub(crate) fn compact(path: &Path, writing: &mut Writing<'_>) -> Result<(), SealError> {
    let compacted = files::compacted_path(path);
    let file = files::new_file(&compacted)?;
    catalog::vacuum_into(writing.connection()?, &compacted)?;
    let named = writing.closed(|| files::name(&file, &compacted, path));
    if named.is_err()
        && let Err(error) = fs::remove_file(&compacted)
    {
        tracing::debug!(%error, "a compacted segment that is not used cannot be removed");
    }
    Ok(named?)
}

/// Returns the checksum and the length of a file; none where `stop` says so before the end.
pub(crate) fn sum(
    mut file: File,
    stop: impl Fn() -> bool,
) -> std::io::Result<Option<([u8; 32], u64)>> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0_u64;
    loop {
        if stop() {
            return Ok(None);
        }
        let count = file.read(&mut buffer)?;
        let Some(read) = buffer.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(Some((hasher.finalize().into(), bytes)));
        };
        hasher.update(read);
        bytes += read.len() as u64;
    }
}

/// Reads a segment to its end: a sealed one is compared with its checksum, another one is checked by SQLite.
#[cfg(test)]
pub(crate) fn verify(segment: &Segment) -> Result<(), Flaw> {
    if let (true, Some(path)) = (segment.is_sealed(), segment.path()) {
        let file = File::open(path).map_err(Flaw::Unreachable)?;
        let summed = sum(file, || false).map_err(Flaw::Unreachable)?;
        let found = summed.map(|(checksum, _)| checksum);
        return if found == segment.facts().checksum {
            Ok(())
        } else {
            Err(Flaw::Damaged(
                "is not as it was when it was sealed".to_owned(),
            ))
        };
    }
    let said = segment.read(|connection| {
        connection.query_one("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
    });
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(said) => Err(Flaw::Damaged(format!("is damaged ({said})"))),
        Err(error) if place::is_damage(&error) => {
            Err(Flaw::Damaged(format!("is damaged ({error})")))
        }
        Err(error) => Err(Flaw::Unusable(error)),
    }
}
