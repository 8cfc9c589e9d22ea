//! What the routes share.

use std::sync::Arc;

use flow_capture::Capture;
use flow_meter::Meter;
use flow_store::Store;
use tokio::sync::{Semaphore, watch};

use crate::access::Access;
use crate::blocking::Blocking;
use crate::feed::CONNECTIONS_MAX;
use crate::maintenance::Maintenance;
use crate::options::{ApiOptions, ConfigHandle, DeletedHook, StatusFacts};
use crate::readings::Readings;
use crate::reindex::ReindexHandle;
use crate::shapes::Health;

/// Handle of the routes' state.
pub(crate) type App = Arc<AppState>;

pub(crate) struct AppState {
    pub(crate) store: Store,
    pub(crate) capture: Capture,
    pub(crate) meter: Meter,
    pub(crate) config: ConfigHandle,
    pub(crate) reindex: ReindexHandle,
    pub(crate) maintenance: Maintenance,
    pub(crate) deleted: DeletedHook,
    pub(crate) read_only: bool,
    pub(crate) facts: StatusFacts,
    pub(crate) access: Access,
    pub(crate) shutdown: watch::Receiver<bool>,
    pub(crate) blocking: Blocking,
    pub(crate) readings: Readings,
    /// One permit a feed.
    pub(crate) feeds: Arc<Semaphore>,
    /// Marked as changed whenever the store has news.
    pub(crate) news: watch::Receiver<()>,
    /// Tells cursors of this run from those of earlier ones.
    pub(crate) instance: String,
}

// === impl AppState ===

impl AppState {
    pub(crate) fn new(options: ApiOptions) -> Self {
        let (news, receiver) = watch::channel(());
        options
            .store
            .on_change(Box::new(move || news.send_modify(|()| ())));
        Self {
            instance: format!("{:x}", options.facts.started_at.0),
            store: options.store,
            capture: options.capture,
            meter: options.meter,
            config: options.config,
            reindex: options.reindex,
            maintenance: options.maintenance,
            deleted: options.deleted,
            read_only: options.read_only,
            facts: options.facts,
            access: options.access,
            shutdown: options.shutdown,
            blocking: Blocking::new(),
            readings: Readings::default(),
            feeds: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            news: receiver,
        }
    }

    /// Returns whether new flows are being recorded, as far as the settings say.
    pub(crate) fn is_recording(&self) -> bool {
        let policy = self.capture.policy();
        policy.enabled && !policy.paused && !self.read_only
    }

    pub(crate) fn health(&self) -> Health {
        Health::new(
            self.is_recording(),
            &self.capture.stats(),
            self.store.health(),
            self.reindex.progress(),
        )
    }
}
