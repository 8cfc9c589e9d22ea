//! What is running and what ended lately, in memory.
//!
//! A flow is here from its announcement until it is stored, and its row a while longer. Every change gets a
//! number in the [`ChangeLog`] and wakes those who wait. A flow's end is told when it can be read back, not before.
//!
//! ```text
//! announce ──► Running ──(outcome written)──► Ending ──(committed, or given up)──► Recent ──► forgotten here
//! ```

mod deleted;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use flow_model::{Exchange, FlowId, ResponseReading, Row, Side};
use parking_lot::{Mutex, RwLock};

use crate::apply::Applied;
use crate::changes::{Change, ChangeLog, Changes};
use crate::segment::Location;
use crate::sheet::Sheet;

/// A running flow as it is read so far.
#[derive(Clone, Debug)]
pub struct LiveView {
    /// The exchange so far.
    pub exchange: Arc<Exchange>,
    /// What was answered so far.
    pub response: Arc<ResponseReading>,
}

/// Says that somebody looks at a flow, as long as it lives.
pub struct Watch {
    memory: Arc<Memory>,
    id: FlowId,
}

type Wake = Box<dyn Fn() + Send + Sync>;

/// The flows in memory.
pub(crate) struct Memory {
    state: Mutex<State>,
    wakers: RwLock<Vec<Wake>>,
    recent_rows_max: usize,
}

#[derive(Default)]
struct State {
    flows: BTreeMap<FlowId, Entry>,
    /// Flows of the stage [`Stage::Recent`] in the order in which they got there.
    recent: VecDeque<FlowId>,
    changes: ChangeLog,
    watched: HashMap<FlowId, usize>,
    /// Ended flows in the segments.
    stored: u64,
    /// Flows in memory that no segment has, or not to their end.
    unstored: u64,
}

struct Entry {
    row: Arc<Row>,
    /// None once it can be read back.
    exchange: Option<Arc<Exchange>>,
    live: Option<LiveView>,
    stage: Stage,
}

enum Stage {
    Running(Trail),
    Ending(Option<Location>),
    Recent {
        stored: bool,
        /// Its row stands in the columns of its segment.
        listed: bool,
    },
}

/// What has been written of a running flow so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// Where the flow is; none until something was written.
    pub(crate) location: Option<Location>,
    /// The exchange as the request's record has it.
    pub(crate) begun: Option<Arc<Exchange>>,
    /// What was written of each body.
    pub(crate) bodies: [BodyTrail; 2],
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BodyTrail {
    /// Number of the next piece or pending part.
    pub(crate) next: i64,
    /// Number of the first pending part since the last piece.
    pub(crate) pending: Option<i64>,
    /// Something was pending at some time, so that chunks are left to be removed.
    pub(crate) was_pending: bool,
}

impl Trail {
    /// Returns the trail of a flow of which an earlier process may have written anything.
    pub(crate) fn unknown(next: i64) -> Self {
        let body = BodyTrail {
            next,
            pending: None,
            was_pending: true,
        };
        Self {
            location: None,
            begun: None,
            bodies: [body; 2],
        }
    }

    pub(crate) fn body(&mut self, side: Side) -> &mut BodyTrail {
        let [request, response] = &mut self.bodies;
        match side {
            Side::Request => request,
            Side::Response => response,
        }
    }

    /// Returns whether something may be left in the table of pending parts.
    pub(crate) fn was_pending(&self) -> bool {
        self.bodies.iter().any(|body| body.was_pending)
    }
}

impl BodyTrail {
    /// Takes `parts` numbers for pieces or pending parts. Returns the first.
    pub(crate) fn take(&mut self, parts: usize) -> i64 {
        let first = self.next;
        self.next = first.saturating_add(i64::try_from(parts).unwrap_or(i64::MAX));
        first
    }
}

/// What the end of a flow finds.
pub(crate) enum Ended {
    /// The flow was running.
    Now(Trail),
    /// It is not in memory: left by an earlier process, or never announced.
    Unknown,
    /// It ended before.
    Before,
}

// === impl Watch ===

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.memory.state.lock();
        if let Some(count) = state.watched.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                state.watched.remove(&self.id);
            }
        }
    }
}

// === impl Memory ===

impl Memory {
    pub(crate) fn new(recent_rows_max: usize, stored: u64) -> Self {
        let state = State {
            stored,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            wakers: RwLock::default(),
            recent_rows_max,
        }
    }

    pub(crate) fn on_change(&self, wake: Wake) {
        self.wakers.write().push(wake);
    }

    fn wake(&self) {
        for wake in self.wakers.read().iter() {
            wake();
        }
    }

    pub(crate) fn announce(&self, exchange: Arc<Exchange>, row: Row) {
        let id = row.id;
        let mut state = self.state.lock();
        if state.flows.contains_key(&id) {
            // The flow's request was written before it was announced, which made it visible without a reading.
            drop(state);
            self.refresh(row, Some(exchange));
            return;
        }
        let entry = Entry {
            row: Arc::new(row),
            exchange: Some(exchange),
            live: None,
            stage: Stage::Running(Trail::default()),
        };
        state.flows.insert(id, entry);
        state.unstored += 1;
        state.changes.push(id, Change::Changed);
        drop(state);
        self.wake();
    }

    pub(crate) fn refresh(&self, row: Row, exchange: Option<Arc<Exchange>>) {
        let id = row.id;
        let changed = self.change(id, |entry| {
            if !matches!(entry.stage, Stage::Running(_)) {
                return false;
            }
            entry.row = Arc::new(row);
            if exchange.is_some() {
                entry.exchange = exchange;
            }
            true
        });
        if changed {
            self.wake();
        }
    }

    pub(crate) fn publish(&self, id: FlowId, live: LiveView) {
        let changed = self.change(id, |entry| {
            let running = matches!(entry.stage, Stage::Running(_));
            if running {
                entry.live = Some(live);
            }
            running
        });
        if changed {
            self.wake();
        }
    }

    /// Changes a flow where it is here, and notes it where `act` says that it did.
    fn change(&self, id: FlowId, act: impl FnOnce(&mut Entry) -> bool) -> bool {
        let mut state = self.state.lock();
        let changed = state.flows.get_mut(&id).is_some_and(act);
        if changed {
            state.changes.push(id, Change::Changed);
        }
        changed
    }

    /// Puts a row that was derived again in the place of the one in memory.
    pub(crate) fn replace_row(&self, row: &Arc<Row>) {
        let mut state = self.state.lock();
        if let Some(entry) = state.flows.get_mut(&row.id) {
            entry.row = Arc::clone(row);
        }
    }

    /// Calls `act` with what was written of a running flow.
    pub(crate) fn trail<T>(
        &self,
        id: FlowId,
        act: impl FnOnce(&Arc<Exchange>, &mut Trail) -> T,
    ) -> Option<T> {
        let mut state = self.state.lock();
        match state.flows.get_mut(&id) {
            Some(Entry {
                exchange: Some(exchange),
                stage: Stage::Running(trail),
                ..
            }) => Some(act(exchange, trail)),
            _ => None,
        }
    }

    /// Notes that a flow's end has been written, though not yet committed.
    pub(crate) fn end(&self, exchange: &Arc<Exchange>, row: Option<&Arc<Row>>) -> Ended {
        let mut state = self.state.lock();
        let Some(entry) = state.flows.get_mut(&exchange.id) else {
            return Ended::Unknown;
        };
        let Stage::Running(trail) = &mut entry.stage else {
            return Ended::Before;
        };
        let trail = std::mem::take(trail);
        entry.stage = Stage::Ending(trail.location);
        entry.exchange = Some(Arc::clone(exchange));
        match row {
            Some(row) => entry.row = Arc::clone(row),
            None => {
                let row = Arc::make_mut(&mut entry.row);
                row.end = exchange.end;
                row.state = exchange.state();
                row.duration_us = exchange.timings.duration_us;
            }
        }
        Ended::Now(trail)
    }

    /// Notes what has been committed in a segment whose columns are `sheet`. Its flows stand in these from the moment
    /// on at which they are no longer looked for here. Whoever waits is woken by [`Self::tell`].
    pub(crate) fn committed(&self, applied: &Applied, sheet: &Sheet) {
        let mut state = self.state.lock();
        for flow in &applied.ended {
            state.stored += 1;
            let listed = flow.is_set_in(sheet);
            self.settle(&mut state, flow.id, true, listed);
        }
        for flow in &applied.reread {
            let set = flow.is_set_in(sheet);
            if let Some(entry) = state.flows.get_mut(&flow.id)
                && let Stage::Recent { listed, .. } = &mut entry.stage
            {
                *listed = set;
            }
            state.changes.push(flow.id, Change::Changed);
        }
        state.stored = state.stored.saturating_sub(applied.removed.len() as u64);
        for &(id, n) in &applied.removed {
            sheet.remove(n);
            state.forget(id);
            state.changes.push(id, Change::Gone);
        }
    }

    /// Wakes whoever waits, where there is something to tell.
    pub(crate) fn tell(&self, applied: &Applied) {
        if !(applied.ended.is_empty() && applied.reread.is_empty() && applied.removed.is_empty()) {
            self.wake();
        }
    }

    /// Notes that the ends of these flows could not be stored. Their rows stay for a while.
    pub(crate) fn given_up(&self, ended: &[FlowId]) {
        if ended.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for &id in ended {
            self.settle(&mut state, id, false, false);
        }
        drop(state);
        self.wake();
    }

    fn settle(&self, state: &mut State, id: FlowId, stored: bool, listed: bool) {
        state.changes.push(id, Change::Changed);
        let entry = state.flows.get_mut(&id);
        let Some(entry) = entry.filter(|entry| matches!(entry.stage, Stage::Ending(_))) else {
            return;
        };
        entry.live = None;
        if stored {
            entry.exchange = None;
            state.unstored -= 1;
        }
        entry.stage = Stage::Recent { stored, listed };
        state.recent.push_back(id);
        while state.recent.len() > self.recent_rows_max {
            let Some(oldest) = state.recent.pop_front() else {
                break;
            };
            if !state.forget(oldest) {
                // It was nowhere else.
                state.changes.push(oldest, Change::Gone);
            }
        }
    }

    /// Tells of flows that have ended but cannot be stored at the moment. Wakes whoever waits even where there are
    /// none: the store's health has changed.
    pub(crate) fn touch(&self, ids: &[FlowId]) {
        let mut state = self.state.lock();
        for &id in ids {
            state.changes.push(id, Change::Changed);
        }
        drop(state);
        self.wake();
    }

    /// Removes a flow that is not to be kept.
    pub(crate) fn forget(&self, id: FlowId) {
        let mut state = self.state.lock();
        state.forget(id);
        state.changes.push(id, Change::Gone);
        drop(state);
        self.wake();
    }

    pub(crate) fn watch(self: &Arc<Self>, id: FlowId) -> Watch {
        *self.state.lock().watched.entry(id).or_default() += 1;
        Watch {
            memory: Arc::clone(self),
            id,
        }
    }

    pub(crate) fn is_watched(&self, id: FlowId) -> bool {
        self.state.lock().watched.contains_key(&id)
    }

    pub(crate) fn live(&self, id: FlowId) -> Option<LiveView> {
        self.state.lock().flows.get(&id)?.live.clone()
    }

    pub(crate) fn holds(&self, id: FlowId) -> bool {
        self.state.lock().flows.contains_key(&id)
    }

    pub(crate) fn row(&self, id: FlowId) -> Option<Row> {
        let row = Arc::clone(&self.state.lock().flows.get(&id)?.row);
        Some(Row::clone(&row))
    }

    /// Returns whether a flow has ended and its end has not been committed.
    pub(crate) fn is_ending(&self, id: FlowId) -> bool {
        let state = self.state.lock();
        let entry = state.flows.get(&id);
        entry.is_some_and(|entry| matches!(entry.stage, Stage::Ending(_)))
    }

    pub(crate) fn exchange(&self, id: FlowId) -> Option<Arc<Exchange>> {
        self.state.lock().flows.get(&id)?.exchange.clone()
    }

    pub(crate) fn changes_since(&self, seq: u64) -> Changes {
        self.state.lock().changes.since(seq)
    }

    pub(crate) fn count(&self) -> u64 {
        let state = self.state.lock();
        state.stored + state.unstored
    }

    /// Returns the number of running flows.
    pub(crate) fn in_flight(&self) -> u64 {
        let state = self.state.lock();
        let running = |entry: &&Entry| matches!(entry.stage, Stage::Running(_));
        state.flows.values().filter(running).count() as u64
    }

    /// Returns the segments in which flows run, or have ended without being stored so far.
    pub(crate) fn segments_in_use(&self) -> BTreeSet<u32> {
        let state = self.state.lock();
        let location = |entry: &Entry| match &entry.stage {
            Stage::Running(trail) => trail.location,
            Stage::Ending(location) => *location,
            Stage::Recent { .. } => None,
        };
        let locations = state.flows.values().filter_map(location);
        locations.map(|location| location.segment).collect()
    }

    /// Removes the ids of flows that are here, because their rows here are newer.
    pub(crate) fn drop_held<T>(&self, found: &mut Vec<T>, id: impl Fn(&T) -> FlowId) {
        let state = self.state.lock();
        found.retain(|item| !state.flows.contains_key(&id(item)));
    }

    /// Returns the rows of flows that no columns have and that `wanted` selects, the number of all flows, and what
    /// `act` returns, all of one moment.
    pub(crate) fn beside_columns<T>(
        &self,
        wanted: impl Fn(&Row) -> bool,
        act: impl FnOnce() -> T,
    ) -> (Vec<Arc<Row>>, u64, T) {
        let state = self.state.lock();
        let beside = |entry: &&Entry| !matches!(entry.stage, Stage::Recent { listed: true, .. });
        let rows = state.flows.values().filter(beside).map(|entry| &entry.row);
        let rows = rows.filter(|row| wanted(row)).cloned().collect();
        let value = act();
        (rows, state.stored + state.unstored, value)
    }

    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.state.lock().flows.len()
    }
}

// === impl State ===

impl State {
    /// Removes a flow from memory. Returns whether it is stored, or was not here.
    fn forget(&mut self, id: FlowId) -> bool {
        let Some(entry) = self.flows.remove(&id) else {
            return true;
        };
        match entry.stage {
            Stage::Recent { stored: true, .. } => true,
            Stage::Running(_) | Stage::Ending(_) | Stage::Recent { stored: false, .. } => {
                self.unstored -= 1;
                false
            }
        }
    }
}
