//! The thread that commits: groups of operations, one transaction a group and segment.
//!
//! A group usually touches one segment. Where it touches several, each has its own transaction, and the operations
//! of one flow, which all stand in one segment, keep their order; what is noted in the catalog comes last.
//!
//! A commit that fails is tried again every second with the same operations, until the disk takes them or the store
//! is closed. What piles up meanwhile is bounded by the [`Queue`]. A segment that cannot be followed by the next one
//! stays live.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::FlowId;
use rusqlite::{Connection, ErrorCode};

use crate::apply::{self, Applied};
use crate::blobs::Chains;
use crate::health::Health;
use crate::index::TextIndex;
use crate::memory::Memory;
use crate::pack::{Op, OpKind};
use crate::place;
use crate::purge::{Purge, Step};
use crate::queue::{Dropped, Group, Queue};
use crate::registry::Registry;
use crate::segment::{Segment, SegmentState};

/// Flows that are removed at once from a store in memory that is full.
const EVICT_FLOWS: i64 = 64;
/// How long after a segment could not be followed by the next that is tried again.
const ROTATION_RETRY: Duration = Duration::from_secs(1);

/// What is said once the segment's file is gone.
const ORPHANED: &str = "the segment's file was removed; restart the monitor to begin a new one";

/// All that the thread works with.
pub(crate) struct Writer {
    pub(crate) registry: Arc<Registry>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) health: Arc<Health>,
    pub(crate) index: Arc<TextIndex>,
    /// Bytes that a segment in memory may take; none for one on disk.
    pub(crate) memory_bytes_max: Option<u64>,
    /// What is remembered of the conversations in the segment that was written to last.
    pub(crate) chains: RefCell<(u32, Chains)>,
    /// Segments whose log still holds something that was removed.
    pub(crate) traces: RefCell<BTreeSet<u32>>,
    /// When the next segment could not be begun.
    pub(crate) rotation_failed_at: Cell<Option<Instant>>,
}

/// The operations of a group on one segment.
struct Batch<'a> {
    segment: Arc<Segment>,
    ops: Vec<&'a Op>,
}

/// A group, put in order.
#[derive(Default)]
struct Plan<'a> {
    batches: Vec<Batch<'a>>,
    /// What goes to the catalog.
    notes: Vec<&'a Op>,
    /// What concerns a segment as a whole.
    tasks: Vec<&'a Op>,
}

impl Writer {
    /// Commits groups until the queue is closed and empty, and then writes the logs into the files.
    pub(crate) fn run(self) {
        loop {
            let mut dropped = Dropped::default();
            let group = self.queue.next(&mut dropped);
            self.give_up(&dropped);
            let Some(group) = group else { break };
            if !group.ops.is_empty() {
                self.commit(&group);
            }
            self.queue.done(&group);
        }
        self.give_up(&self.queue.closed());
        for segment in self.registry.unsealed() {
            if segment.is_writable() {
                empty_log(&segment);
            }
        }
    }

    /// Commits a group, however long it takes. What cannot be committed any more is given up.
    fn commit(&self, group: &Group) {
        let all: Vec<&Op> = group.ops.iter().collect();
        let Some(plan) = self.insist(&all, || self.plan(&group.ops)) else {
            return self.give_up(&self.queue.abandon(group.ops.iter()));
        };
        let Plan {
            batches,
            notes,
            tasks,
        } = plan;
        let mut batches = batches.into_iter();
        while let Some(batch) = batches.next() {
            let (segment, ops) = (&batch.segment, &batch.ops);
            let begun = Instant::now();
            let Some(stored) = self.insist(ops, || self.store(segment, ops)) else {
                let left = batches.flat_map(|batch| batch.ops);
                let left = ops.iter().copied().chain(left).chain(notes);
                return self.give_up(&self.queue.abandon(left));
            };
            match stored {
                Ok(applied) => self.committed(begun, segment, &applied),
                Err(error) => {
                    let notice = format!("{} cannot be written to ({error})", segment.name());
                    self.health.notice(notice);
                    self.give_up(&self.queue.abandon(ops.iter().copied()));
                }
            }
        }
        if !notes.is_empty() && self.insist(&notes, || self.note(&notes)).is_none() {
            self.give_up(&self.queue.abandon(notes.into_iter()));
        }
        for op in tasks {
            match &op.kind {
                OpKind::Purge(purge) => self.purge(purge),
                OpKind::Rotate(number) => self.rotate(*number),
                _ => {}
            }
        }
    }

    /// Does a step of a removal. One that fails is not told as done, and comes again.
    fn purge(&self, purge: &Purge) {
        let Some(segment) = self.registry.segment(purge.segment) else {
            return;
        };
        // Parts that later bodies would refer to may be gone.
        self.chains.borrow_mut().1.forget_all();
        match purge_in(&segment, purge) {
            Ok(true) => purge.done(),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, segment = segment.name(), "deleted flows cannot be removed yet");
            }
        }
    }

    /// Begins the next segment, where the live one is still the one that is meant.
    fn rotate(&self, number: u32) {
        if self
            .registry
            .live()
            .is_some_and(|live| live.number == number)
        {
            self.begin_next();
        }
    }

    /// Stores a batch. A segment that is not the live one and is hurt must not keep all others from being written
    /// to, so that its error is an answer; any other one is there to be tried again.
    fn store(
        &self,
        segment: &Segment,
        ops: &[&Op],
    ) -> Result<Result<Applied, rusqlite::Error>, rusqlite::Error> {
        let mut remembered = self.chains.borrow_mut();
        let (of, chains) = &mut *remembered;
        if *of != segment.number {
            chains.forget_all();
            *of = segment.number;
        }
        // What is committed is told while nobody else can write: columns that are written to a file then lack nothing.
        let store = |connection: &Connection| {
            let applied = apply::store(connection, chains, ops)?;
            self.memory.committed(&applied, &segment.sheet);
            Ok(applied)
        };
        match self.registry.write(segment, store) {
            Ok(applied) => Ok(Ok(applied)),
            // Whatever is written late to a segment that is gone goes with it.
            Err(_) if segment.is_gone() => Ok(Ok(Applied::default())),
            Err(error) if segment.state() != SegmentState::Live && is_lasting(&error) => {
                Ok(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Tries until it succeeds, and no more once the store is closing.
    fn insist<T>(&self, ops: &[&Op], act: impl Fn() -> Result<T, rusqlite::Error>) -> Option<T> {
        loop {
            let error = match act() {
                Ok(value) => return Some(value),
                Err(error) if self.is_out_of_memory(&error) => {
                    if !self.evict(EVICT_FLOWS) {
                        return None;
                    }
                    continue;
                }
                Err(error) => error,
            };
            if self.health.failed(problem(&error)) {
                let ended = ops.iter().filter(|op| op.is_last());
                let ended: Vec<_> = ended.map(|op| op.flow).collect();
                self.memory.touch(&ended);
            }
            if !self.queue.wait_to_retry() {
                return act().ok();
            }
        }
    }

    /// Puts the operations of a group in order by segment. Flows of which only the id is known are looked up, first
    /// in the group itself. What concerns a flow that is nowhere is left out.
    fn plan<'a>(&self, ops: &'a [Op]) -> Result<Plan<'a>, rusqlite::Error> {
        let mut plan = Plan::default();
        let mut places: HashMap<FlowId, u32> = HashMap::new();
        for op in ops {
            let segment = match (&op.kind, op.location) {
                (OpKind::Purge(_) | OpKind::Rotate(_), _) => {
                    plan.tasks.push(op);
                    continue;
                }
                (OpKind::Salvaged(_) | OpKind::Note { .. }, _) => {
                    plan.notes.push(op);
                    continue;
                }
                (_, Some(location)) => {
                    if matches!(op.kind, OpKind::Request { .. }) {
                        places.insert(op.flow, location.segment);
                    }
                    self.registry.segment(location.segment)
                }
                (kind, None) => match places.get(&op.flow) {
                    Some(&number) => self.registry.segment(number),
                    None => match (self.registry.find(op.flow)?, kind) {
                        (
                            None,
                            OpKind::Outcome {
                                whole: Some(whole), ..
                            },
                        ) => {
                            places.insert(op.flow, whole.location.segment);
                            self.registry.segment(whole.location.segment)
                        }
                        (found, _) => found,
                    },
                },
            };
            let Some(segment) = segment.filter(|segment| segment.is_writable()) else {
                tracing::debug!(flow = %op.flow, "no segment has a flow, or none that is written to");
                continue;
            };
            let batch = plan.batches.iter_mut();
            let batch = batch
                .rev()
                .find(|batch| batch.segment.number == segment.number);
            match batch {
                Some(batch) => batch.ops.push(op),
                None => plan.batches.push(Batch {
                    segment,
                    ops: vec![op],
                }),
            }
        }
        Ok(plan)
    }

    fn note(&self, ops: &[&Op]) -> Result<(), rusqlite::Error> {
        for op in ops {
            match &op.kind {
                OpKind::Salvaged(key) => self.registry.catalog.set_note(key, "1")?,
                OpKind::Note { key, value } => self.registry.catalog.set_note(key, value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Notes that a batch is stored.
    fn committed(&self, begun: Instant, segment: &Segment, applied: &Applied) {
        let took = begun.elapsed().as_micros();
        self.queue.committed();
        self.health
            .committed(u64::try_from(took).unwrap_or(u64::MAX));
        if is_orphaned(segment) {
            self.health.not_stored(applied.ended.len() as u64);
            self.health.failed(ORPHANED.to_owned());
        }
        segment.change_facts(|facts| {
            facts.flows += applied.begun;
            facts.flows = facts.flows.saturating_sub(applied.gone);
            facts.extent.join(applied.extent);
        });
        self.memory.tell(applied);
        self.memory.given_up(&applied.refused);
        self.health.not_stored(applied.refused.len() as u64);
        self.index.signal.committed(applied.ended.len());
        if applied.forgot && !applied.removed.is_empty() {
            self.index.forget(segment);
        }
        self.sweep(segment, applied.forgot);
        if let Some(bytes_max) = self.memory_bytes_max {
            while used_bytes(segment).is_some_and(|used| used > bytes_max)
                && self.evict(EVICT_FLOWS)
            {}
            return;
        }
        match segment.state() {
            SegmentState::Live => self.follow(segment),
            SegmentState::Closing => self.registry.signal.raise(),
            SegmentState::Sealed => {}
        }
    }

    /// Empties the log of a segment from which something was removed.
    fn sweep(&self, segment: &Segment, forgot: bool) {
        let mut traces = self.traces.borrow_mut();
        if forgot || traces.contains(&segment.number) {
            // A reader can keep the log as it is; the next commit tries again.
            if empty_log(segment) {
                traces.remove(&segment.number);
            } else {
                traces.insert(segment.number);
            }
        }
    }

    /// Begins the next segment where this one is full. Where that fails, as on a full disk, this one stays live.
    fn follow(&self, segment: &Segment) {
        let just_failed = self.rotation_failed_at.get();
        if just_failed.is_some_and(|at| at.elapsed() < ROTATION_RETRY) {
            return;
        }
        let bytes = used_bytes(segment).unwrap_or(0);
        if !self.registry.limits.is_full(segment, bytes) {
            return;
        }
        self.begin_next();
    }

    fn begin_next(&self) {
        match self.registry.rotate() {
            Ok(()) => self.rotation_failed_at.set(None),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the next segment cannot be begun");
                self.rotation_failed_at.set(Some(Instant::now()));
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

    /// Removes the oldest ended flows of a store in memory. Returns false where there are none.
    fn evict(&self, flows: i64) -> bool {
        let Some(segment) = self.registry.live() else {
            return false;
        };
        let evict = |connection: &Connection| {
            let applied = apply::evict(connection, flows)?;
            self.memory.committed(&applied, &segment.sheet);
            Ok(applied)
        };
        match self.registry.write(&segment, evict) {
            Ok(mut applied) => {
                let any = applied.gone > 0;
                // One that is deleted has been counted as gone.
                let buried = segment.buried();
                applied
                    .removed
                    .retain(|(id, _)| buried.values().all(|gone| gone != id));
                self.health.evicted(applied.removed.len() as u64);
                segment.change_facts(|facts| {
                    facts.flows = facts.flows.saturating_sub(applied.gone);
                });
                self.memory.tell(&applied);
                any
            }
            Err(error) => {
                tracing::error!(%error, "old flows cannot be removed");
                false
            }
        }
    }
}

/// Does a step of a removal in a segment in use. Returns false where it is to be done otherwise or again.
fn purge_in(segment: &Segment, purge: &Purge) -> Result<bool, rusqlite::Error> {
    let mut writing = segment.writing();
    if segment.is_sealed() || segment.is_gone() {
        return Ok(false);
    }
    purge.run(writing.connection()?)?;
    segment.change_facts(|facts| {
        facts.writes += 1;
        facts.written_at = Some(Instant::now());
    });
    drop(writing);
    match purge.step {
        Step::Flows(_) => Ok(true),
        Step::Rest => Ok(empty_log(segment)),
    }
}

/// Writes the log into the file and cuts it. Returns false where that has to be tried again.
fn empty_log(segment: &Segment) -> bool {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let mut writing = segment.writing();
    if segment.is_sealed() {
        return true;
    }
    let busy = writing
        .connection()
        .and_then(|connection| connection.query_one(sql, [], |row| row.get::<_, i64>(0)));
    match busy {
        Ok(busy) => busy == 0,
        Err(error) => {
            tracing::warn!(%error, "the log cannot be written into the segment");
            false
        }
    }
}

/// Returns the bytes of a segment that are not free, what is in its log included.
fn used_bytes(segment: &Segment) -> Option<u64> {
    let mut writing = segment.writing();
    let connection = writing.connection().ok()?;
    let number = |name| -> Option<u64> {
        let number: i64 = connection
            .pragma_query_value(None, name, |row| row.get(0))
            .ok()?;
        u64::try_from(number).ok()
    };
    let pages = number("page_count")?.saturating_sub(number("freelist_count")?);
    Some(pages.saturating_mul(number("page_size")?))
}

/// Returns whether an error lies in a file and not in the disk, so that trying again is no use.
fn is_lasting(error: &rusqlite::Error) -> bool {
    let read_only = error.sqlite_error_code() == Some(ErrorCode::ReadOnly);
    place::is_damage(error) || place::cannot_open(error) || read_only
}

/// Returns whether the segment's file has been removed. What is written then goes where nobody finds it.
fn is_orphaned(segment: &Segment) -> bool {
    segment.path().is_some_and(|path| !path.exists())
}

/// Returns in words why nothing is stored.
fn problem(error: &rusqlite::Error) -> String {
    if place::is_damage(error) {
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
