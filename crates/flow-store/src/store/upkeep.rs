//! What the handle offers to those who look after a store: deletion, pins, retention.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::{FlowId, Timestamp};

use super::{SETTLE_TIME, Store};
use crate::delete::{self, DeleteError, Deleted, Deletion};
use crate::read::ReadError;
use crate::retain::{self, Retention, Tidied, TidyError};
use crate::rollup::Rollup;
use crate::segment::Segment;

impl Store {
    /// Deletes flows. They are gone for every reader when this returns; what is in files of them is removed in the
    /// background, for which [`Store::settle_deletions`] waits. Running flows are never deleted.
    pub fn delete(&self, deletion: &Deletion<'_>) -> Result<Deleted, DeleteError> {
        // The rows of flows that have just ended are shown a moment before their ends are stored.
        self.inner.intake.queue.settle(SETTLE_TIME);
        delete::run(&self.inner.registry, &self.inner.intake.memory, deletion)
    }

    /// Waits until nothing of deleted flows is in any file. Returns false where that takes longer.
    pub fn settle_deletions(&self, timeout: Duration) -> bool {
        let registry = &self.inner.registry;
        let settled = || registry.flows_buried() == 0;
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return settled();
        };
        registry.signal.raise();
        settled() || (registry.live().is_some() && registry.signal.wait_until(deadline, settled))
    }

    /// Pins a flow, so that only a deletion that says so takes it, or lets go of it. Returns false where there is no
    /// such flow.
    pub fn pin(&self, id: FlowId, pinned: bool) -> Result<bool, DeleteError> {
        let registry = &self.inner.registry;
        if registry.live().is_none() {
            return Err(DeleteError::ReadOnly);
        }
        let _alone = registry.deletion.lock();
        if !self.inner.intake.memory.holds(id) && !self.inner.archive.shows(id)? {
            return Ok(false);
        }
        let changed = if pinned {
            registry.catalog.pin(id, registry.clock.now())
        } else {
            registry.catalog.unpin(id)
        };
        changed.map_err(DeleteError::Catalog)?;
        self.inner.intake.memory.touch(&[id]);
        Ok(true)
    }

    /// Returns whether a flow is pinned.
    pub fn is_pinned(&self, id: FlowId) -> Result<bool, ReadError> {
        Ok(self.inner.registry.catalog.is_pinned(id)?)
    }

    /// Returns the pinned flows with the time at which each was, by their id.
    pub fn pins(&self) -> Result<Vec<(FlowId, Timestamp)>, ReadError> {
        Ok(self.inner.registry.catalog.pins()?)
    }

    /// Does what retention asks for. It takes as long as the segments that go are large, and others need not wait.
    pub fn tidy(&self, now: Timestamp, retention: &Retention) -> Result<Tidied, TidyError> {
        retain::tidy(&self.inner.intake, &self.inner.registry, now, retention)
    }

    /// Removes a sealed segment as retention does, its pinned flows brought over to the live one. Returns false where
    /// those cannot be.
    pub(crate) fn retire(&self, segment: &Arc<Segment>) -> Result<bool, TidyError> {
        let tidied = &mut Tidied::default();
        retain::retire(&self.inner.intake, &self.inner.registry, segment, tidied)
    }

    /// Returns the sums over flows that are gone and began from `from` on and before `until`, by quarter of an hour.
    pub fn gone(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Rollup>, ReadError> {
        Ok(self.inner.registry.catalog.gone(from, until)?)
    }
}
