//! What the store says of itself: whether it records, and what it could not keep.

use parking_lot::Mutex;
use serde::Serialize;

/// Notices of damage that are kept to be shown; more are only logged.
const NOTICES_MAX: usize = 32;

/// The state of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Why nothing is being recorded at the moment; none where all is well.
    pub problem: Option<String>,
    /// Groups of writes committed since the start.
    pub commits: u64,
    /// How long the last commit took, checkpoint included, in microseconds.
    pub commit_us_last: u64,
    /// How long the longest commit took, in microseconds.
    pub commit_us_max: u64,
    /// Bytes that wait to be committed.
    pub backlog_bytes: u64,
    /// Flows that could not be stored, in whole or in part.
    pub flows_not_stored: u64,
    /// Ended flows that were dropped to stay within the memory that an unpersisted store may use.
    pub flows_evicted: u64,
    /// Deleted flows of which something is still in a file.
    pub flows_being_deleted: u64,
    /// Flows brought over from damaged segments.
    pub flows_salvaged: u64,
    /// Flows of damaged segments that could not be read any more.
    pub flows_unreadable: u64,
    /// Ended flows whose texts are not indexed yet; they are searched all the same, but not as fast.
    pub text_lag_flows: u64,
    /// Why texts are not being indexed at the moment; none where all is well.
    pub text_problem: Option<String>,
    /// What was found damaged, and where it was put; and what goes wrong beside the store.
    pub notices: Vec<String>,
}

impl StoreHealth {
    /// Returns whether what is written at the moment reaches the disk.
    pub const fn is_recording(&self) -> bool {
        self.problem.is_none()
    }
}

/// The health of one store, shared by its threads.
#[derive(Default)]
pub(crate) struct Health {
    state: Mutex<StoreHealth>,
}

impl Health {
    pub(crate) fn report(&self) -> StoreHealth {
        self.state.lock().clone()
    }

    pub(crate) fn committed(&self, took_us: u64) {
        let mut state = self.state.lock();
        state.commits += 1;
        state.commit_us_last = took_us;
        state.commit_us_max = state.commit_us_max.max(took_us);
        if state.problem.take().is_some() {
            tracing::info!("flows are being recorded again");
        }
    }

    /// Notes why nothing can be written. Returns whether that is news.
    pub(crate) fn failed(&self, problem: String) -> bool {
        let mut state = self.state.lock();
        if state.problem.as_ref() == Some(&problem) {
            return false;
        }
        tracing::error!(%problem, "flows are not being recorded");
        state.problem.replace(problem).is_none()
    }

    pub(crate) fn not_stored(&self, flows: u64) {
        self.state.lock().flows_not_stored += flows;
    }

    pub(crate) fn evicted(&self, flows: u64) {
        self.state.lock().flows_evicted += flows;
    }

    pub(crate) fn salvaged(&self, readable: u64, hurt: u64) {
        let mut state = self.state.lock();
        state.flows_salvaged += readable;
        state.flows_unreadable += hurt;
    }

    pub(crate) fn notice(&self, notice: String) {
        tracing::warn!("{notice}");
        let mut state = self.state.lock();
        if state.notices.len() < NOTICES_MAX && !state.notices.contains(&notice) {
            state.notices.push(notice);
        }
    }
}
