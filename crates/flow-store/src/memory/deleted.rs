//! What deletion asks of memory, and tells it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use flow_model::{FlowId, Row};

use super::{Entry, Memory, Stage};
use crate::changes::Change;

impl Memory {
    /// Notes that flows were deleted, of which so many, `ended`, counted as stored.
    pub(crate) fn deleted(&self, ended: u64, ids: &[FlowId]) {
        let mut state = self.state.lock();
        state.stored = state.stored.saturating_sub(ended);
        for &id in ids {
            state.forget(id);
            state.changes.push(id, Change::Gone);
        }
        drop(state);
        self.wake();
    }

    /// Returns the flows that run or whose end is not stored so far.
    pub(crate) fn unsettled(&self) -> HashSet<FlowId> {
        let state = self.state.lock();
        let unsettled = |entry: &&Entry| !matches!(entry.stage, Stage::Recent { .. });
        let entries = state.flows.values().filter(unsettled);
        entries.map(|entry| entry.row.id).collect()
    }

    /// Returns the rows of flows whose end could not be stored.
    pub(crate) fn loose(&self) -> HashMap<FlowId, Arc<Row>> {
        let state = self.state.lock();
        let loose = |entry: &&Entry| matches!(entry.stage, Stage::Recent { stored: false, .. });
        let entries = state.flows.values().filter(loose);
        entries
            .map(|entry| (entry.row.id, Arc::clone(&entry.row)))
            .collect()
    }
}
