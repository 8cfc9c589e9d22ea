//! All segments, newest first: which one is live, which one has a flow, and how one follows another.
//!
//! The list is replaced whole when it changes, so that whoever reads it keeps what it took. A new segment is in the
//! list before the first flow gets a number in it. Whoever needs several of the locks takes them in this order:
//! a segment's right to write, its gate, the catalog.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::{FlowId, Timestamp};
use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::{Connection, OptionalExtension};

use crate::catalog::{Catalog, Entry};
use crate::files;
use crate::format::FORMAT;
use crate::place::{self, Access, Place};
use crate::rollup::Rollups;
use crate::segment::{Location, Readers, Segment, SegmentState, Writing};
use crate::store::OpenError;

/// Bytes at which a segment is followed by the next.
const SEGMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Flows at which it is.
const SEGMENT_FLOWS_MAX: u64 = 131_072;
/// Microseconds between its first and its last flow at which it is.
const SEGMENT_SPAN_US_MAX: u64 = 24 * 60 * 60 * 1_000_000;
/// Flows that a segment has before that time counts: flows that are brought in from another time must not make a
/// segment each.
const SPAN_FLOWS_MIN: u64 = 256;
/// How long nothing is written to a segment before it is sealed.
const SEAL_QUIET: Duration = Duration::from_secs(10);
/// How long after a segment could not be sealed, or flows still ran in it, it is looked at again.
const SEAL_RETRY: Duration = Duration::from_mins(1);

/// Longest time between two looks of who waits for a segment to be sealed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The figures by which segments follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentLimits {
    pub(crate) bytes_max: u64,
    pub(crate) flows_max: u64,
    pub(crate) span_us_max: u64,
    pub(crate) seal_quiet: Duration,
    pub(crate) seal_retry: Duration,
}

impl SegmentLimits {
    pub(crate) const DEFAULT: Self = Self {
        bytes_max: SEGMENT_BYTES_MAX,
        flows_max: SEGMENT_FLOWS_MAX,
        span_us_max: SEGMENT_SPAN_US_MAX,
        seal_quiet: SEAL_QUIET,
        seal_retry: SEAL_RETRY,
    };

    /// Returns whether a segment of `bytes` bytes takes no more flows.
    pub(crate) fn is_full(&self, segment: &Segment, bytes: u64) -> bool {
        let facts = segment.facts();
        let old = facts.extent.span_us() >= self.span_us_max && facts.flows >= SPAN_FLOWS_MIN;
        bytes >= self.bytes_max || facts.flows >= self.flows_max || old
    }
}

/// The time of day, from the one at which the store was opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    opened_at: Timestamp,
    since: Instant,
}

impl Clock {
    pub(crate) fn new(opened_at: Timestamp) -> Self {
        Self {
            opened_at,
            since: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let passed = self.since.elapsed().as_micros();
        self.opened_at
            .plus_us(u64::try_from(passed).unwrap_or(u64::MAX))
    }
}

/// The place of the next new flow.
pub(crate) struct Numbers {
    next: Mutex<Location>,
}

/// Tells the thread that seals that there may be something to do.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Default)]
struct SignalState {
    wanted: bool,
    stopping: bool,
    /// Looks at the segments that are over.
    rounds: u64,
}

/// All segments.
pub(crate) struct Registry {
    /// Where segments are; none where they are in memory, or only read.
    pub(crate) dir: Option<PathBuf>,
    segments: RwLock<Arc<[Arc<Segment>]>>,
    /// Held while the next segment is begun.
    rotation: Mutex<()>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) catalog: Catalog,
    pub(crate) limits: SegmentLimits,
    pub(crate) numbers: Numbers,
    pub(crate) signal: Signal,
    pub(crate) clock: Clock,
    /// Held while flows are chosen for deletion and while pins change.
    pub(crate) deletion: Mutex<()>,
}

// === impl Numbers ===

impl Numbers {
    /// Returns the place of a new flow.
    pub(crate) fn take(&self) -> Location {
        let mut next = self.next.lock();
        let taken = *next;
        next.n = next.n.saturating_add(1);
        taken
    }

    /// Gives the flows from now on places in a segment, from the number `n` on.
    pub(crate) fn begin(&self, segment: u32, n: i64) {
        *self.next.lock() = Location { segment, n };
    }
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            next: Mutex::new(Location { segment: 0, n: 1 }),
        }
    }
}

// === impl Signal ===

impl Signal {
    pub(crate) fn raise(&self) {
        self.state.lock().wanted = true;
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state.lock().stopping
    }

    /// Ends a look at the segments, and waits until there is reason for another or `wait_max` is over. Returns
    /// false once there will be none.
    pub(crate) fn next_round(&self, wait_max: Option<Duration>) -> bool {
        let until = wait_max.and_then(|wait| Instant::now().checked_add(wait));
        let mut state = self.state.lock();
        state.rounds += 1;
        self.changed.notify_all();
        while !state.wanted && !state.stopping {
            match until {
                Some(until) => {
                    if self.changed.wait_until(&mut state, until).timed_out() {
                        break;
                    }
                }
                None => self.changed.wait(&mut state),
            }
        }
        state.wanted = false;
        !state.stopping
    }

    /// Waits until `done` holds behind a look at the segments, or until the deadline. Returns whether it holds.
    pub(crate) fn wait_until(&self, deadline: Instant, done: impl Fn() -> bool) -> bool {
        loop {
            let rounds = self.state.lock().rounds;
            if done() {
                return true;
            }
            let mut state = self.state.lock();
            while state.rounds == rounds {
                if state.stopping || self.changed.wait_until(&mut state, deadline).timed_out() {
                    drop(state);
                    return done();
                }
            }
        }
    }

    /// Waits until `done` holds, or `wait_max` is over. It is looked at after each look at the segments, and every
    /// so often.
    pub(crate) fn wait_while_sealing(&self, wait_max: Duration, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() && began.elapsed() < wait_max {
            let mut state = self.state.lock();
            if state.stopping {
                return;
            }
            let _looked = self.changed.wait_for(&mut state, LOOK_EVERY);
        }
    }

    /// Waits until `done` holds behind a look at the segments.
    #[cfg(test)]
    pub(crate) fn wait_for(&self, done: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !done() {
            let mut state = self.state.lock();
            let rounds = state.rounds;
            state.wanted = true;
            self.changed.notify_all();
            while state.rounds == rounds {
                let waited = self.changed.wait_until(&mut state, deadline);
                assert!(!waited.timed_out(), "nothing was sealed");
            }
        }
    }
}

// === impl Registry ===

impl Registry {
    pub(crate) fn new(
        dir: Option<PathBuf>,
        catalog: Catalog,
        readers: Arc<Readers>,
        segments: Vec<Arc<Segment>>,
        (limits, clock): (SegmentLimits, Clock),
    ) -> Self {
        Self {
            dir,
            segments: RwLock::new(segments.into()),
            rotation: Mutex::default(),
            readers,
            catalog,
            limits,
            numbers: Numbers::default(),
            signal: Signal::default(),
            clock,
            deletion: Mutex::default(),
        }
    }

    /// Returns all segments, newest first.
    pub(crate) fn all(&self) -> Arc<[Arc<Segment>]> {
        Arc::clone(&self.segments.read())
    }

    /// Returns the segments that are not sealed, newest first.
    pub(crate) fn unsealed(&self) -> Vec<Arc<Segment>> {
        let all = self.all();
        let unsealed = all.iter().filter(|segment| !segment.is_sealed());
        unsealed.cloned().collect()
    }

    /// Returns the segment that new flows go to; none where the store is only read.
    pub(crate) fn live(&self) -> Option<Arc<Segment>> {
        let all = self.all();
        let live = all
            .iter()
            .find(|segment| segment.state() == SegmentState::Live);
        live.cloned()
    }

    pub(crate) fn segment(&self, number: u32) -> Option<Arc<Segment>> {
        let all = self.all();
        all.iter().find(|segment| segment.number == number).cloned()
    }

    /// Returns the segment that has a flow. One that is damaged or gone counts as one that has not.
    pub(crate) fn find(&self, id: FlowId) -> Result<Option<Arc<Segment>>, rusqlite::Error> {
        for segment in self.all().iter().filter(|segment| segment.may_hold(id)) {
            match segment.read(|connection| find(connection, id)) {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(Some(Arc::clone(segment))),
                Err(error) if place::is_damage(&error) || place::cannot_open(&error) => {
                    tracing::warn!(%error, segment = segment.name(), "flows cannot be looked up");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Calls `act` with the connection that writes to a segment. A sealed one is opened for that again: first the
    /// catalog and its copy say so, then every reader lets go of it.
    pub(crate) fn write<T>(
        &self,
        segment: &Segment,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        let mut writing = segment.writing();
        if segment.is_gone() {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
        if segment.is_sealed() {
            let entry = Entry {
                state: SegmentState::Closing,
                checksum: None,
                ..segment.entry()
            };
            self.catalog.put(&entry)?;
            self.catalog.copy().map_err(OpenError::into_sqlite)?;
            writing.reopen();
            tracing::debug!(segment = segment.number, "a sealed segment is written to");
        }
        let value = act(writing.connection()?)?;
        segment.change_facts(|facts| {
            facts.writes += 1;
            facts.written_at = Some(Instant::now());
        });
        Ok(value)
    }

    /// Begins the next segment. Where that fails the one that is live stays so.
    pub(crate) fn rotate(&self) -> Result<(), OpenError> {
        let _alone = self.rotation.lock();
        let before = self.live();
        let segment = self.begin()?;
        // A flow gets a place in it once it is in the list.
        self.numbers.begin(segment.number, 1);
        if let Some(before) = before {
            before.begin_closing();
        }
        self.signal.raise();
        Ok(())
    }

    /// Creates the next segment, as the live one, and puts it before all others.
    pub(crate) fn begin(&self) -> Result<Arc<Segment>, OpenError> {
        let dir = self.dir.clone().unwrap_or_default();
        let highest = self.all().iter().map(|segment| segment.number).max();
        let highest = highest.unwrap_or(0).max(files::number_max(&dir)?);
        // The blobs' key goes here from the segment before to the next.
        let number = highest.saturating_add(1);
        let path = files::create_segment(&dir, number)?;
        let entry = Entry::empty(number, SegmentState::Live, FORMAT);
        let (place, readers) = (Place::File(path), Arc::clone(&self.readers));
        let segment = Segment::new(&entry, place, Access::Shared, readers, None);
        let segment = Arc::new(segment);
        let mut segments = self.segments.write();
        let first = std::iter::once(Arc::clone(&segment));
        let all: Vec<_> = first.chain(segments.iter().cloned()).collect();
        *segments = all.into();
        Ok(segment)
    }

    /// Takes a segment away, with its files, and adds the flows that go with it to the sums of the catalog. Files
    /// that cannot be removed now go later.
    pub(crate) fn retire(
        &self,
        segment: &Segment,
        writing: &mut Writing<'_>,
        sums: &Rollups,
    ) -> Result<(), OpenError> {
        let path = segment.path().unwrap_or(Path::new("memory")).to_owned();
        let retired = self.catalog.retire(segment.number, sums);
        retired.map_err(|source| OpenError::Segment { path, source })?;
        let mut segments = self.segments.write();
        let others = segments
            .iter()
            .filter(|other| other.number != segment.number);
        let others: Vec<_> = others.cloned().collect();
        *segments = others.into();
        drop(segments);
        writing.retire();
        if let Err(error) = self.remove_retired() {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(
                error,
                "files of a segment that is gone cannot be removed yet"
            );
        }
        // What the copy says of sealed segments has to hold.
        self.catalog.copy()
    }

    /// Removes the files of segments that count as gone.
    pub(crate) fn remove_retired(&self) -> Result<(), OpenError> {
        match &self.dir {
            Some(dir) => self.catalog.remove_retired(dir),
            None => Ok(()),
        }
    }

    /// Returns how many flows are deleted and not removed for good.
    pub(crate) fn flows_buried(&self) -> u64 {
        let all = self.all();
        all.iter()
            .map(|segment| segment.buried().len() as u64)
            .sum()
    }

    /// Closes all connections. Only the last one to a segment removes its log.
    pub(crate) fn close(&self) {
        self.readers.clear();
        for segment in self.all().iter() {
            segment.writing().close();
        }
        self.catalog.rest();
    }
}

/// Returns the number of a flow in a segment.
pub(crate) fn find(connection: &Connection, id: FlowId) -> Result<Option<i64>, rusqlite::Error> {
    let mut find = connection.prepare_cached("SELECT n FROM requests WHERE id = ?1")?;
    find.query_row([id.to_bytes()], |row| row.get(0)).optional()
}
