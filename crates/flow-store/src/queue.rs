//! What waits to be committed, bounded in bytes.
//!
//! Writers of operations wait for room as long as the disk keeps up, and for a limited time where it hangs. While
//! it fails they never wait: the oldest flows are given up instead, whole, and counted.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use flow_model::FlowId;
use parking_lot::{Condvar, Mutex};

use crate::pack::{Op, OpKind};
use crate::registry::SegmentLimits;

/// The figures by which writes are grouped and bounded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long the first operation of a group waits for others.
    pub(crate) group_wait: Duration,
    /// Bytes at which a group is committed at once.
    pub(crate) group_bytes_max: usize,
    /// Bytes that wait at most, beside the group that is being committed.
    pub(crate) backlog_bytes_max: usize,
    /// How long a writer of operations waits for room before the disk counts as hanging.
    pub(crate) room_wait: Duration,
    /// How long a flush waits for any progress before the disk counts as hanging.
    pub(crate) flush_wait: Duration,
    /// How long after a failed commit the next try is made.
    pub(crate) retry_wait: Duration,
    /// When a segment is followed by the next, and sealed.
    pub(crate) segment: SegmentLimits,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        group_wait: Duration::from_millis(10),
        group_bytes_max: 4 * 1024 * 1024,
        backlog_bytes_max: 64 * 1024 * 1024,
        room_wait: Duration::from_secs(10),
        flush_wait: Duration::from_secs(10),
        retry_wait: Duration::from_secs(1),
        segment: SegmentLimits::DEFAULT,
    };
}

/// The queue between those who write and the thread that commits.
pub(crate) struct Queue {
    limits: Limits,
    state: Mutex<State>,
    /// The committing thread waits here for work, or for the next try.
    work: Condvar,
    /// Those who write wait here for room, and those who flush for the end.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    ops: VecDeque<Op>,
    /// Bytes in `ops` and in the group that is being committed.
    bytes: usize,
    /// Bytes of that group.
    group_bytes: usize,
    group_begun: Option<Instant>,
    /// Operations ever taken in, and those that are over.
    pushed: u64,
    done: u64,
    /// The committing thread waits for the first operation of a group.
    idle: bool,
    flushing: usize,
    closing: bool,
    closed: bool,
    /// The last commit failed, or hangs.
    failing: bool,
    hanging: bool,
    /// Flows of which something was given up; the rest of them goes the same way.
    lost: HashSet<FlowId>,
}

/// Flows that were given up for want of room.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Those of which nothing had been given up before.
    pub(crate) flows: Vec<FlowId>,
    /// Those whose end is among what was given up.
    pub(crate) ended: Vec<FlowId>,
}

/// Operations to commit together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) ops: Vec<Op>,
    bytes: usize,
    /// Operations taken from the queue, those that were passed over included.
    taken: u64,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
        }
    }

    /// Takes in an operation. Waits for room while the disk keeps up.
    pub(crate) fn push(&self, op: Op) -> Dropped {
        let mut dropped = Dropped::default();
        let mut state = self.state.lock();
        while state.is_full(self.limits) && !state.is_stuck() {
            if self
                .progress
                .wait_for(&mut state, self.limits.room_wait)
                .timed_out()
            {
                state.hanging = true;
            }
        }
        if state.closed {
            state.lose(&op, &mut dropped);
            return dropped;
        }
        if state.ops.is_empty() {
            state.group_begun = Some(Instant::now());
        }
        let was_short = state.waiting_bytes() < self.limits.group_bytes_max;
        state.bytes += op.bytes();
        state.pushed += 1;
        state.ops.push_back(op);
        if state.is_stuck() {
            state.make_room(self.limits, &mut dropped);
        }
        let is_long = state.waiting_bytes() >= self.limits.group_bytes_max;
        if state.idle || (was_short && is_long) {
            self.work.notify_one();
        }
        dropped
    }

    /// Waits for the next group; none once the queue is closed and empty.
    pub(crate) fn next(&self, dropped: &mut Dropped) -> Option<Group> {
        let mut state = self.state.lock();
        while state.ops.is_empty() {
            if state.closing {
                return None;
            }
            state.idle = true;
            self.work.wait(&mut state);
            state.idle = false;
        }
        let begun = *state.group_begun.get_or_insert_with(Instant::now);
        let until = begun + self.limits.group_wait;
        while state.waiting_bytes() < self.limits.group_bytes_max && !state.is_urgent() {
            if self.work.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        let mut group = Group::default();
        while group.bytes < self.limits.group_bytes_max
            && let Some(op) = state.ops.pop_front()
        {
            group.taken += 1;
            let bytes = op.bytes();
            if state.is_lost(&op) {
                state.bytes -= bytes;
                state.lose(&op, dropped);
            } else {
                if op.is_last() {
                    state.lost.remove(&op.flow);
                }
                group.bytes += bytes;
                group.ops.push(op);
            }
        }
        state.group_bytes = group.bytes;
        // What is left has waited long enough to begin the next group at once.
        state.group_begun = (!state.ops.is_empty()).then_some(begun);
        Some(group)
    }

    /// Notes that the disk took a group.
    pub(crate) fn committed(&self) {
        let mut state = self.state.lock();
        state.failing = false;
        state.hanging = false;
    }

    /// Notes that a group is over, committed or given up.
    pub(crate) fn done(&self, group: &Group) {
        let mut state = self.state.lock();
        state.bytes -= group.bytes;
        state.group_bytes = 0;
        state.done += group.taken;
        state.hanging = false;
        drop(state);
        self.progress.notify_all();
    }

    /// Gives up operations that can never be committed, and what is still to come of their flows.
    pub(crate) fn abandon<'a>(&self, ops: impl Iterator<Item = &'a Op>) -> Dropped {
        let mut dropped = Dropped::default();
        let mut state = self.state.lock();
        for op in ops {
            state.lose(op, &mut dropped);
        }
        drop(state);
        dropped
    }

    /// Waits until the failed commit is to be tried again. Returns whether it is worth it: not when closing.
    pub(crate) fn wait_to_retry(&self) -> bool {
        let mut state = self.state.lock();
        state.failing = true;
        self.progress.notify_all();
        let until = Instant::now() + self.limits.retry_wait;
        while !state.closing {
            if self.work.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        !state.closing
    }

    /// Waits until what has been taken in so far is over. Returns false where the disk fails or hangs.
    pub(crate) fn flush(&self) -> bool {
        let mut state = self.state.lock();
        let target = state.pushed;
        state.flushing += 1;
        self.work.notify_one();
        while state.done < target && !state.is_stuck() {
            let done = state.done;
            let waited = self.progress.wait_for(&mut state, self.limits.flush_wait);
            state.hanging |= waited.timed_out() && state.done == done;
        }
        state.flushing -= 1;
        state.done >= target
    }

    /// Waits, for `wait_max` at most, until what has been taken in so far is over.
    pub(crate) fn settle(&self, wait_max: Duration) {
        let deadline = Instant::now() + wait_max;
        let mut state = self.state.lock();
        let target = state.pushed;
        state.flushing += 1;
        self.work.notify_one();
        while state.done < target && !state.is_stuck() {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.flushing -= 1;
    }

    /// Lets the committing thread end once the queue is empty, and waits for that. Returns false where the disk
    /// hangs.
    pub(crate) fn close(&self) -> bool {
        let mut state = self.state.lock();
        state.closing = true;
        self.work.notify_one();
        self.progress.notify_all();
        while !state.closed {
            let done = state.done;
            let waited = self.progress.wait_for(&mut state, self.limits.flush_wait);
            if waited.timed_out() && state.done == done {
                return state.closed;
            }
        }
        true
    }

    /// Says that nothing will be committed any more. Returns what was left.
    pub(crate) fn closed(&self) -> Dropped {
        let mut dropped = Dropped::default();
        let mut state = self.state.lock();
        state.closed = true;
        while let Some(op) = state.ops.pop_front() {
            state.lose(&op, &mut dropped);
        }
        state.bytes = 0;
        drop(state);
        self.progress.notify_all();
        dropped
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// Returns whether a commit takes so long that flows are given up.
    pub(crate) fn is_hanging(&self) -> bool {
        self.state.lock().hanging
    }

    pub(crate) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }
}

impl State {
    const fn is_full(&self, limits: Limits) -> bool {
        self.waiting_bytes() > limits.backlog_bytes_max
    }

    /// Returns whether waiting for room would be in vain.
    const fn is_stuck(&self) -> bool {
        self.failing || self.hanging || self.closed
    }

    const fn is_urgent(&self) -> bool {
        self.flushing > 0 || self.closing
    }

    const fn waiting_bytes(&self) -> usize {
        self.bytes - self.group_bytes
    }

    /// Returns whether an operation belongs to a flow of which something was given up. What removes a flow is
    /// never given up, because that would leave a trace.
    fn is_lost(&self, op: &Op) -> bool {
        !matches!(op.kind, OpKind::Forget) && self.lost.contains(&op.flow)
    }

    /// Gives up the oldest flows until what waits is within its bound.
    fn make_room(&mut self, limits: Limits, dropped: &mut Dropped) {
        let mut kept = Vec::new();
        while self.is_full(limits)
            && let Some(oldest) = self.ops.pop_front()
        {
            if matches!(oldest.kind, OpKind::Forget) {
                kept.push(oldest);
                continue;
            }
            self.bytes -= oldest.bytes();
            self.done += 1;
            self.lose(&oldest, dropped);
        }
        for op in kept.into_iter().rev() {
            self.ops.push_front(op);
        }
    }

    /// Gives up an operation, and with it the rest of its flow.
    fn lose(&mut self, op: &Op, dropped: &mut Dropped) {
        // A row can be derived again at any time.
        if matches!(
            op.kind,
            OpKind::Row(_)
                | OpKind::Forget
                | OpKind::Salvaged(_)
                | OpKind::Note { .. }
                | OpKind::Purge(_)
                | OpKind::Rotate(_)
        ) {
            return;
        }
        if self.lost.insert(op.flow) {
            dropped.flows.push(op.flow);
        }
        if op.is_last() {
            self.lost.remove(&op.flow);
            dropped.ended.push(op.flow);
        }
    }
}

#[cfg(test)]
mod tests;
