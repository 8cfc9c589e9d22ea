//! The text indexes of all segments, as those who search, record and seal share them.
//!
//! The thread of `indexer` alone writes to them. Whoever searches holds an index open through [`TextIndex::read`];
//! before a file is made anew or finished, all of them have let go of it. Whoever records only raises a signal.
//!
//! ```text
//! writer ──committed, deleted──► Signal ──► indexer ──► files ◄── read ── search
//! sealer ──finish───────────────►        ◄──its writer──┘
//! ```
//!
//! Limits: [`OPEN_MAX`] indexes stay open.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, RwLock, RwLockWriteGuard};

use crate::carry::Carriers;
use crate::search::SearchError;
use crate::segment::Segment;
use crate::text::{Finished, TextError, TextReader, TextWriter};

/// Indexes that stay open between two questions.
const OPEN_MAX: usize = 16;

/// All text indexes.
#[derive(Default)]
pub(crate) struct TextIndex {
    slots: Mutex<Slots>,
    pub(crate) signal: TextSignal,
    pub(crate) carriers: Carriers,
}

#[derive(Default)]
struct Slots {
    of: BTreeMap<u32, Arc<Slot>>,
    /// The segments whose index was read, the last one at the end.
    used: Vec<u32>,
}

/// The index of one segment. Those who read it share the lock; whoever replaces the file takes it alone.
#[derive(Default)]
struct Slot {
    reader: RwLock<Option<TextReader>>,
}

/// Tells the thread that there is something to do, and others how far it is.
#[derive(Default)]
pub(crate) struct TextSignal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// A thread does the work.
    running: bool,
    stopping: bool,
    /// Flows were committed since the round began; how many have ended.
    wanted: bool,
    ended: u64,
    /// Ended flows that the round has left.
    left: u64,
    problem: Option<String>,
    /// Segments whose index has to be made anew.
    stale: BTreeSet<u32>,
    /// Rounds begun, the last one that left nothing, and the one that somebody waits for.
    begun: u64,
    settled: u64,
    awaited: u64,
    /// The segment that is to be finished, what became of it, and whose index is somebody else's meanwhile.
    asked: Option<u32>,
    answer: Option<Handed>,
    held: Option<u32>,
}

/// What the thread says where an index is to be finished.
pub(crate) enum Handed {
    /// All is in it.
    Writer(Box<TextWriter>),
    /// It is finished.
    Finished,
    /// Flows still run.
    Postponed,
    /// It cannot be written, and will be made later.
    Failed,
}

/// How a round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Round {
    /// Nothing is left.
    Idle,
    /// There is more to do for segments that are written to.
    Behind,
    /// There is more to do for sealed ones, which is in no haste.
    Background,
    /// Something cannot be done at the moment.
    Failed,
}

/// How long the thread waits, at most or at least.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    /// From the beginning of a round to that of the next, while flows are being recorded.
    pub(crate) between: Duration,
    /// Between two parts of work that is in no haste.
    pub(crate) background: Duration,
    /// Before what failed is tried again.
    pub(crate) retry: Duration,
}

/// Returns the file of a segment's index; none where the segment is in memory.
pub(crate) fn path(segment: &Segment) -> Option<PathBuf> {
    Some(segment.path()?.with_extension("fts"))
}

// === impl TextIndex ===

impl TextIndex {
    /// Calls `act` with the index of a segment; with none where there is none, or it cannot be used. One that turns
    /// out to be spoilt is made anew, and `act` called once more without it.
    pub(crate) fn read<T>(
        &self,
        segment: &Segment,
        mut act: impl FnMut(Option<&TextReader>) -> Result<T, SearchError>,
    ) -> Result<T, SearchError> {
        let Some(path) = path(segment) else {
            return act(None);
        };
        let slot = self.slot(segment.number);
        let mut open = slot.reader.read();
        if open.is_none() {
            drop(open);
            let mut closed = slot.reader.write();
            if closed.is_none() && path.exists() {
                match TextReader::open(&path) {
                    Ok(reader) => *closed = Some(reader),
                    Err(error) => {
                        drop(closed);
                        self.note(segment, &error);
                        return act(None);
                    }
                }
            }
            open = RwLockWriteGuard::downgrade(closed);
        }
        match act(open.as_ref()) {
            Err(SearchError::Text(error)) => {
                drop(open);
                self.note(segment, &error);
                act(None)
            }
            value => value,
        }
    }

    /// Calls `act` while nobody reads the index of a segment.
    pub(crate) fn alone<T>(&self, segment: u32, act: impl FnOnce() -> T) -> T {
        let slot = self.slot(segment);
        let mut reader = slot.reader.write();
        drop(reader.take());
        act()
    }

    /// Finishes the index of a segment that is about to be sealed: what was committed so far is in it, and nobody
    /// writes to it any more. Returns false where flows still run, or the store is being closed. An index that
    /// cannot be written does not keep a segment from being sealed.
    pub(crate) fn finish(&self, segment: &Segment) -> bool {
        let writer = match self.signal.ask(segment.number) {
            Handed::Postponed => return false,
            Handed::Finished | Handed::Failed => return true,
            Handed::Writer(writer) => writer,
        };
        let finished = writer
            .finish()
            .and_then(|finished| self.replace(segment.number, finished));
        if let Err(error) = finished {
            self.note(segment, &error);
        }
        self.signal.release();
        true
    }

    /// Puts a finished index in its place.
    pub(crate) fn replace(&self, segment: u32, finished: Finished) -> Result<(), TextError> {
        self.alone(segment, || finished.replace())
    }

    /// Removes the index of a segment from which flows were deleted, and has it made anew. Those who have it open go
    /// on with a file that has no name any more; what it says of those flows finds no text.
    pub(crate) fn forget(&self, segment: &Segment) {
        let Some(path) = path(segment) else {
            return;
        };
        // What is left without its file by a kill is removed with the next one's log.
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match fs::remove_file(name) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, "a text index cannot be removed");
                }
                _ => {}
            }
        }
        self.signal.anew(segment.number);
    }

    /// Notes that an index cannot be used; one that is spoilt is made anew.
    pub(crate) fn note(&self, segment: &Segment, error: &TextError) {
        if matches!(error, TextError::Spoilt { .. }) {
            self.signal.anew(segment.number);
        }
        let error: &dyn std::error::Error = error;
        tracing::warn!(
            error,
            segment = segment.number,
            "a text index cannot be used"
        );
    }

    /// Closes all of them.
    pub(crate) fn close(&self) {
        let slots = std::mem::take(&mut *self.slots.lock());
        for slot in slots.of.into_values() {
            drop(slot.reader.write().take());
        }
    }

    fn slot(&self, segment: u32) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        let Slots { of, used } = &mut *slots;
        used.retain(|number| *number != segment);
        used.push(segment);
        if used.len() > OPEN_MAX
            && let Some(slot) = of.get(&used.remove(0))
            && let Some(mut reader) = slot.reader.try_write()
        {
            drop(reader.take());
        }
        Arc::clone(of.entry(segment).or_default())
    }
}

// === impl TextSignal ===

impl TextSignal {
    /// Says that flows were committed; `ended` of them are to be indexed.
    pub(crate) fn committed(&self, ended: usize) {
        let mut state = self.state.lock();
        if state.running && ended > 0 {
            state.ended += ended as u64;
            if !std::mem::replace(&mut state.wanted, true) {
                self.changed.notify_all();
            }
        }
    }

    /// Says that the index of a segment has to be made anew, because it is spoilt or flows were deleted.
    pub(crate) fn anew(&self, segment: u32) {
        let mut state = self.state.lock();
        if state.running {
            state.stale.insert(segment);
            state.wanted = true;
            self.changed.notify_all();
        }
    }

    /// Returns how many ended flows are not indexed, and why, where that is no question of time.
    pub(crate) fn lag(&self) -> (u64, Option<String>) {
        let state = self.state.lock();
        (state.left + state.ended, state.problem.clone())
    }

    /// Waits until everything that was committed before is indexed; returns false where it is not by then.
    pub(crate) fn settle(&self, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut state = self.state.lock();
        let round = state.begun + 1;
        state.awaited = state.awaited.max(round);
        self.changed.notify_all();
        while state.running && !state.stopping && state.settled < round {
            let over = match deadline {
                Some(deadline) => self.changed.wait_until(&mut state, deadline).timed_out(),
                None => {
                    self.changed.wait(&mut state);
                    false
                }
            };
            if over {
                break;
            }
        }
        state.settled >= round
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.state.lock().stopping
    }

    /// Asks the thread for a segment's writer, and waits for it.
    fn ask(&self, segment: u32) -> Handed {
        let mut state = self.state.lock();
        if !state.running {
            return Handed::Failed;
        }
        state.asked = Some(segment);
        state.wanted = true;
        self.changed.notify_all();
        loop {
            if let Some(answer) = state.answer.take() {
                return answer;
            }
            if state.stopping || !state.running {
                state.asked = None;
                return Handed::Postponed;
            }
            self.changed.wait(&mut state);
        }
    }

    fn release(&self) {
        let mut state = self.state.lock();
        state.held = None;
        state.wanted = true;
        self.changed.notify_all();
    }

    // What follows is the thread's side.

    /// Says that there is a thread; it says itself when there is none any more.
    pub(crate) fn start(&self) {
        self.state.lock().running = true;
    }

    pub(crate) fn ended(&self) {
        self.state.lock().running = false;
        self.changed.notify_all();
    }

    /// Begins a round. Returns the segments whose index has to be made anew.
    pub(crate) fn begin(&self) -> BTreeSet<u32> {
        let mut state = self.state.lock();
        state.begun += 1;
        state.wanted = false;
        state.left += std::mem::take(&mut state.ended);
        let held = state.held;
        let (held, stale) = std::mem::take(&mut state.stale)
            .into_iter()
            .partition(|number| Some(*number) == held);
        state.stale = held;
        stale
    }

    /// Returns the segment whose index somebody else finishes.
    pub(crate) fn held(&self) -> Option<u32> {
        self.state.lock().held
    }

    /// Returns the segment that is to be finished.
    pub(crate) fn asked(&self) -> Option<u32> {
        self.state.lock().asked
    }

    /// Answers the one that asked.
    pub(crate) fn answer(&self, segment: u32, answer: Handed) {
        let mut state = self.state.lock();
        if state.stopping || state.asked != Some(segment) {
            return;
        }
        state.asked = None;
        if matches!(answer, Handed::Writer(_)) {
            state.held = Some(segment);
        }
        state.answer = Some(answer);
        self.changed.notify_all();
    }

    /// Notes how many ended flows are left.
    pub(crate) fn left(&self, left: u64) {
        self.state.lock().left = left;
    }

    /// Notes why something cannot be done; none where all can. Returns whether that is news.
    pub(crate) fn problem(&self, problem: Option<String>) -> bool {
        let mut state = self.state.lock();
        let news = state.problem != problem;
        state.problem = problem;
        news
    }

    /// Ends a round that began at `begun`, and waits for the next. Returns false once there will be none.
    pub(crate) fn next(&self, round: Round, begun: Instant, pauses: &Pauses) -> bool {
        let mut state = self.state.lock();
        // What waits for somebody else to let go of it is left.
        if round == Round::Idle && state.stale.is_empty() && state.held.is_none() {
            state.settled = state.begun;
            self.changed.notify_all();
        }
        let now = Instant::now();
        let until = match round {
            Round::Idle => None,
            Round::Behind => Some(now),
            Round::Background => now.checked_add(pauses.background),
            Round::Failed => now.checked_add(pauses.retry),
        };
        let spaced = begun.checked_add(pauses.between).unwrap_or(now);
        loop {
            let urgent = state.awaited > state.settled || state.asked.is_some();
            let failed = round == Round::Failed;
            // Flows that were committed wait a little for others; what somebody waits for does not.
            let until = if failed {
                until
            } else if urgent && state.held.is_none() {
                Some(now)
            } else if state.wanted {
                Some(until.map_or(spaced, |until| until.min(spaced)))
            } else {
                until
            };
            if state.stopping {
                return false;
            }
            let over = match until {
                None => {
                    self.changed.wait(&mut state);
                    false
                }
                Some(until) if until <= Instant::now() => true,
                Some(until) => self.changed.wait_until(&mut state, until).timed_out(),
            };
            if over {
                return true;
            }
        }
    }
}
