//! Deriving rows again: what is asked for, how it goes, and who does it.

use std::collections::BTreeMap;
use std::fmt;

use flow_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be derived again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReindexTask {
    /// Which rows.
    pub scope: ReindexScope,
    /// Only flows that began then or later.
    pub since: Option<Timestamp>,
    /// Nothing is changed: only counted.
    pub dry_run: bool,
}

/// Which rows are derived again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReindexScope {
    /// Those that another release or another price table made.
    #[default]
    Stale,
    /// All of them.
    All,
}

/// How a run goes, or how the last one went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReindexProgress {
    /// A run is under way.
    pub running: bool,
    /// How the last run ended; none while one is under way, and before the first.
    pub outcome: Option<ReindexOutcome>,
    /// Nothing is changed: only counted.
    pub dry_run: bool,
    /// How many flows there are to look at; none where that is not known.
    pub total: Option<u64>,
    /// Flows that were looked at.
    pub done: u64,
    /// Rows that came out otherwise than they were.
    pub changed: u64,
    /// Flows that could not be read.
    pub failed: u64,
    /// Flows that keep their row because a body is too long to be read as a whole, or not stored whole.
    pub kept: u64,
    /// How many rows changed in each member.
    pub fields: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReindexOutcome {
    /// Every flow was looked at.
    Finished,
    /// It was told to stop.
    Cancelled,
    /// The store could not be read or written.
    Failed,
}

/// Why a run does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReindexRefusal {
    /// There is one under way.
    Running,
    /// The store is only read, or cannot be.
    Unavailable,
}

/// Who derives rows again.
pub struct ReindexHandle {
    start: Box<dyn Fn(ReindexTask) -> Result<(), ReindexRefusal> + Send + Sync>,
    progress: Box<dyn Fn() -> ReindexProgress + Send + Sync>,
    cancel: Box<dyn Fn() + Send + Sync>,
}

// === impl ReindexProgress ===

impl ReindexProgress {
    /// Returns whether there is anything to tell.
    pub(crate) const fn has_begun(&self) -> bool {
        self.running || self.outcome.is_some()
    }
}

// === impl ReindexHandle ===

impl ReindexHandle {
    /// Returns the handle made of these functions. `start` and `cancel` may block; `progress` must not.
    pub fn new(
        start: impl Fn(ReindexTask) -> Result<(), ReindexRefusal> + Send + Sync + 'static,
        progress: impl Fn() -> ReindexProgress + Send + Sync + 'static,
        cancel: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            start: Box::new(start),
            progress: Box::new(progress),
            cancel: Box::new(cancel),
        }
    }

    pub(crate) fn start(&self, task: ReindexTask) -> Result<(), ReindexRefusal> {
        (self.start)(task)
    }

    pub(crate) fn progress(&self) -> ReindexProgress {
        (self.progress)()
    }

    pub(crate) fn cancel(&self) {
        (self.cancel)();
    }
}

impl fmt::Debug for ReindexHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReindexHandle").finish_non_exhaustive()
    }
}
