//! One segment: a file of truth, what is known of it, and the connections to it.
//!
//! ```text
//! Live ──(a newer one is live)──► Closing ──(nothing runs in it, nothing is written)──► Sealed
//!                                    ▲                                                    │
//!                                    └──────────(a late write, a row derived again)───────┘
//! ```
//!
//! A live and a closing segment have a log and one connection that writes, which whoever writes or seals holds
//! alone. A sealed one is a file without a log, read without locks: before it is written to again, every reader
//! has let go of it.
//!
//! Where nothing is to be stored, the one segment is a database in memory, and all else is the same.
//!
//! Length: one type with its states, connections and facts.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use flow_model::{FlowId, Timestamp};
use parking_lot::{Mutex, MutexGuard, RwLock, RwLockWriteGuard};
use rusqlite::Connection;
use serde::Serialize;

use crate::catalog::Entry;
use crate::columns::NameCache;
use crate::files;
use crate::format::{FORMAT, Version};
use crate::place::{Access, Place};
use crate::sheet::Sheet;

/// Connections for reading that are kept open, of all segments together.
const IDLE_READERS_MAX: usize = 8;

/// Where a flow's records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Location {
    /// The number of the segment.
    pub(crate) segment: u32,
    /// The number of the flow in it.
    pub(crate) n: i64,
}

/// What a segment is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SegmentState {
    /// New flows go there.
    Live,
    /// Flows that began in it may still run.
    Closing,
    /// It is only read.
    Sealed,
}

/// What is known of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentInfo {
    /// Its number.
    pub number: u32,
    /// What it is there for.
    pub state: SegmentState,
    /// Flows that have a record in it.
    pub flows: u64,
    /// Bytes of its file, without the log.
    pub bytes: u64,
    /// When the first of its flows began; none where it has none.
    pub first_at: Option<Timestamp>,
    /// When the last of its flows began.
    pub last_at: Option<Timestamp>,
    /// The version of its format.
    pub format: String,
}

/// The first and the last of a segment's flows, by id and by time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) ids: Option<(FlowId, FlowId)>,
    pub(crate) times: Option<(Timestamp, Timestamp)>,
}

/// What is known of a segment without asking it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Flows with a record.
    pub(crate) flows: u64,
    /// Ended flows without a row when it was sealed.
    pub(crate) unread: u64,
    pub(crate) extent: Extent,
    /// Of the file as it was sealed.
    pub(crate) bytes: u64,
    pub(crate) checksum: Option<[u8; 32]>,
    pub(crate) sealed_at: Option<Timestamp>,
    /// Transactions that this process has made in it, and when the last one was.
    pub(crate) writes: u64,
    pub(crate) written_at: Option<Instant>,
}

/// A segment. Whoever holds one can read it, whatever becomes of it meanwhile.
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) version: Version,
    /// Its columns.
    pub(crate) sheet: Sheet,
    place: Place,
    /// How it is read while it is not sealed.
    access: Access,
    readers: Arc<Readers>,
    state: Mutex<SegmentState>,
    /// Shared by all queries, and taken alone where the file is about to become another one.
    gate: RwLock<()>,
    writer: Mutex<Option<Connection>>,
    facts: Mutex<Facts>,
    /// Flows that count as deleted, by their number.
    buried: RwLock<Arc<BTreeMap<i64, FlowId>>>,
    /// Its files are being removed.
    gone: AtomicBool,
}

/// The right to write to a segment.
pub(crate) struct Writing<'a> {
    segment: &'a Segment,
    connection: MutexGuard<'a, Option<Connection>>,
}

/// What those who read share: connections that wait for the next query, of all segments, the one used last at the
/// end; and names in columns.
#[derive(Default)]
pub(crate) struct Readers {
    pub(crate) names: Arc<NameCache>,
    idle: Mutex<VecDeque<(u32, Connection)>>,
}

// === impl SegmentState ===

impl SegmentState {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Live => 0,
            Self::Closing => 1,
            Self::Sealed => 2,
        }
    }

    /// Returns the state with this code. What is unknown counts as closing, which is looked at again.
    pub(crate) const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Live,
            2 => Self::Sealed,
            _ => Self::Closing,
        }
    }
}

// === impl Extent ===

impl Extent {
    pub(crate) fn add(&mut self, id: FlowId, at: Timestamp) {
        self.join(Self {
            ids: Some((id, id)),
            times: Some((at, at)),
        });
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.ids = wider(self.ids, other.ids);
        self.times = wider(self.times, other.times);
    }

    /// Returns the microseconds between the first and the last flow.
    pub(crate) fn span_us(&self) -> u64 {
        let span = |(first, last): (Timestamp, Timestamp)| last.0.saturating_sub(first.0);
        u64::try_from(self.times.map_or(0, span)).unwrap_or(0)
    }
}

fn wider<T: Ord + Copy>(one: Option<(T, T)>, other: Option<(T, T)>) -> Option<(T, T)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        (one, other) => one.or(other),
    }
}

// === impl Facts ===

impl Facts {
    /// Takes over what is known of a sealed segment.
    pub(crate) fn take(&mut self, entry: &Entry) {
        self.flows = entry.flows;
        self.unread = entry.unread;
        self.extent = entry.extent;
        self.bytes = entry.bytes;
        self.checksum = entry.checksum;
        self.sealed_at = entry.sealed_at;
    }
}

// === impl Segment ===

impl Segment {
    pub(crate) fn new(
        entry: &Entry,
        place: Place,
        access: Access,
        readers: Arc<Readers>,
        writer: Option<Connection>,
    ) -> Self {
        Self {
            number: entry.number,
            version: entry.version,
            sheet: match &place {
                _ if entry.flows == 0 => Sheet::empty(),
                Place::File(path) if entry.state == SegmentState::Sealed => {
                    Sheet::open(&files::columns_path(path), &readers.names)
                }
                Place::File(_) | Place::Memory(_) => Sheet::missing(),
            },
            place,
            access,
            readers,
            state: Mutex::new(entry.state),
            gate: RwLock::default(),
            writer: Mutex::new(writer),
            facts: Mutex::new(Facts {
                flows: entry.flows,
                unread: entry.unread,
                extent: entry.extent,
                bytes: entry.bytes,
                checksum: entry.checksum,
                sealed_at: entry.sealed_at,
                ..Facts::default()
            }),
            buried: RwLock::default(),
            gone: AtomicBool::new(false),
        }
    }

    /// Returns the segment's name for messages.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::Memory(_) => "memory".to_owned(),
        }
    }

    /// Returns the segment's file; none where it is in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Memory(_) => None,
        }
    }

    pub(crate) fn state(&self) -> SegmentState {
        *self.state.lock()
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.state() == SegmentState::Sealed
    }

    /// Says that new flows go here from now on.
    pub(crate) fn begin_living(&self) {
        *self.state.lock() = SegmentState::Live;
    }

    /// Says that new flows go elsewhere from now on.
    pub(crate) fn begin_closing(&self) {
        *self.state.lock() = SegmentState::Closing;
    }

    /// Returns whether this program can write to it: a later minor version is only read.
    pub(crate) fn is_writable(&self) -> bool {
        self.version.major < FORMAT.major
            || (self.version.major == FORMAT.major && self.version.minor <= FORMAT.minor)
    }

    /// Returns what is known of it.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.lock().clone()
    }

    pub(crate) fn change_facts(&self, act: impl FnOnce(&mut Facts)) {
        act(&mut self.facts.lock());
    }

    /// Returns the flows that count as deleted, by their number. To be taken before what is read: a flow that is
    /// removed for good meanwhile is then still among them.
    pub(crate) fn buried(&self) -> Arc<BTreeMap<i64, FlowId>> {
        Arc::clone(&self.buried.read())
    }

    /// Hides flows from all readers.
    pub(crate) fn bury(&self, flows: impl Iterator<Item = (i64, FlowId)>) {
        let mut flows = flows.peekable();
        if flows.peek().is_some() {
            Arc::make_mut(&mut self.buried.write()).extend(flows);
        }
    }

    /// Forgets flows of which nothing is left.
    pub(crate) fn unbury(&self, numbers: &[i64]) {
        let mut buried = self.buried.write();
        let buried = Arc::make_mut(&mut buried);
        let before = buried.len();
        for n in numbers {
            buried.remove(n);
        }
        if !self.is_sealed() {
            // A sealed one was counted anew.
            let removed = (before - buried.len()) as u64;
            self.change_facts(|facts| facts.flows = facts.flows.saturating_sub(removed));
        }
    }

    /// Returns whether its files are gone, or about to be.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Removes what was derived from it, because flows were removed from it: whoever owns it makes it again. What
    /// cannot be removed is tried again with the flows themselves.
    pub(crate) fn derived_stale(&self) -> bool {
        let removed = self.path().map_or(Ok(()), files::remove_derived);
        if let Err(error) = &removed {
            let error = error as &dyn std::error::Error;
            tracing::warn!(error, "what was derived from a segment cannot be removed");
        }
        removed.is_ok()
    }

    /// Returns its entry in the catalog, as it stands now.
    pub(crate) fn entry(&self) -> Entry {
        let facts = self.facts();
        Entry {
            number: self.number,
            state: self.state(),
            flows: facts.flows,
            unread: facts.unread,
            bytes: facts.bytes,
            extent: facts.extent,
            checksum: facts.checksum,
            version: self.version,
            sealed_at: facts.sealed_at,
        }
    }

    /// Returns what others are told of it.
    pub(crate) fn info(&self) -> SegmentInfo {
        let entry = self.entry();
        let found = self.path().and_then(|path| fs::metadata(path).ok());
        let Version { major, minor } = self.version;
        SegmentInfo {
            number: entry.number,
            state: entry.state,
            flows: entry.flows.saturating_sub(self.buried().len() as u64),
            bytes: found.map_or(entry.bytes, |found| found.len()),
            first_at: entry.extent.times.map(|(first, _)| first),
            last_at: entry.extent.times.map(|(_, last)| last),
            format: format!("{major}.{minor}"),
        }
    }

    /// Returns where its columns are written to, and the names that they share; none where it is in memory.
    pub(crate) fn columns_file(&self) -> Option<(PathBuf, &Arc<NameCache>)> {
        let path = files::columns_path(self.path()?);
        Some((path, &self.readers.names))
    }

    /// Returns whether the flow may be in it, as far as its first and its last flow tell. Flows still come to one
    /// that is not sealed, so that it has to be asked.
    pub(crate) fn may_hold(&self, id: FlowId) -> bool {
        if !self.is_sealed() {
            return true;
        }
        let ids = self.facts.lock().extent.ids;
        ids.is_some_and(|(first, last)| (first..=last).contains(&id))
    }

    /// Calls `act` with a connection for reading. It must not read the same segment again meanwhile: whoever waits
    /// for it to end would be waited for.
    pub(crate) fn read<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let _open = self.gate.read();
        let connection = match self.readers.take(self.number) {
            Some(connection) => connection,
            None => self.place.open_reader(if self.is_sealed() {
                Access::Sealed
            } else {
                self.access
            })?,
        };
        // After an error the connection is not kept: it may hold pages that are no longer what they were.
        let value = act(&connection)?;
        self.readers.keep(self.number, connection);
        Ok(value)
    }

    /// Takes the right to write, once whoever has it lets go of it.
    pub(crate) fn writing(&self) -> Writing<'_> {
        Writing {
            segment: self,
            connection: self.writer.lock(),
        }
    }

    /// Waits until no query is under way, and keeps others from beginning.
    fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        let alone = self.gate.write();
        self.readers.forget(self.number);
        alone
    }
}

// === impl Writing ===

impl Writing<'_> {
    /// Returns the connection that writes. A segment that is sealed has to be reopened before.
    pub(crate) fn connection(&mut self) -> Result<&Connection, rusqlite::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connection = self.segment.place.open_writer()?;
                files::make_rows(&connection)?;
                connection
            }
        };
        Ok(self.connection.insert(connection))
    }

    /// Makes a sealed segment one that is written to.
    pub(crate) fn reopen(&self) {
        let _alone = self.segment.alone();
        *self.segment.state.lock() = SegmentState::Closing;
        self.segment
            .change_facts(|facts| facts.written_at = Some(Instant::now()));
    }

    /// Makes a closing segment one that is only read, from the next query on.
    pub(crate) fn seal(&mut self) {
        self.close();
        let _alone = self.segment.alone();
        *self.segment.state.lock() = SegmentState::Sealed;
    }

    /// Makes it one of which nothing is left, from the next query on.
    pub(crate) fn retire(&mut self) {
        self.segment.gone.store(true, Ordering::Release);
        self.closed(|| {});
    }

    /// Calls `act` while nobody else has a connection to the segment.
    pub(crate) fn alone<T>(
        &mut self,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let segment = self.segment;
        let connection = self.connection()?;
        let _alone = segment.alone();
        act(connection)
    }

    /// Calls `act` while nobody at all has a connection to the segment.
    pub(crate) fn closed<T>(&mut self, act: impl FnOnce() -> T) -> T {
        self.close();
        let _alone = self.segment.alone();
        act()
    }

    /// Closes the connection that writes.
    pub(crate) fn close(&mut self) {
        drop(self.connection.take());
    }
}

// === impl Readers ===

impl Readers {
    fn take(&self, segment: u32) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let at = idle.iter().rposition(|(number, _)| *number == segment)?;
        Some(idle.remove(at)?.1)
    }

    fn keep(&self, segment: u32, connection: Connection) {
        let mut idle = self.idle.lock();
        idle.push_back((segment, connection));
        if idle.len() > IDLE_READERS_MAX {
            let oldest = idle.pop_front();
            drop(idle);
            drop(oldest);
        }
    }

    fn forget(&self, segment: u32) {
        self.idle.lock().retain(|(number, _)| *number != segment);
    }

    /// Closes the connections that are kept.
    pub(crate) fn clear(&self) {
        self.idle.lock().clear();
    }

    #[cfg(test)]
    pub(crate) fn kept(&self) -> usize {
        self.idle.lock().len()
    }
}
