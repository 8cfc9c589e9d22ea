//! Retention: once a minute, what is too old or too much goes, while the monitor runs.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flow_recorder::Tee;
use flow_store::{Retention, Store, Tidied};
use parking_lot::{Condvar, Mutex};

use crate::config::Config;
use crate::serve::now;

/// Time between two looks.
const EVERY: Duration = Duration::from_mins(1);
const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// The thread that tidies up.
pub(super) struct Tidy {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

/// What the thread goes by, changed while it runs.
#[derive(Clone)]
pub(crate) struct TidySettings {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// None where nothing is tidied up by itself.
    retention: Option<Retention>,
    stopping: bool,
}

// === impl Tidy ===

impl Tidy {
    /// Starts the thread, which looks at once.
    pub(super) fn start(store: &Store, config: &Config) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                retention: retention(config),
                stopping: false,
            }),
            changed: Condvar::new(),
        });
        let (looks, store) = (Arc::clone(&shared), store.clone());
        let builder = thread::Builder::new().name("store-tidy".to_owned());
        let thread = builder.spawn(move || looks.run(&store))?;
        Ok(Self { shared, thread })
    }

    pub(super) fn settings(&self) -> TidySettings {
        TidySettings {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Stops the thread; a segment that is going has gone then.
    pub(super) fn stop(self) {
        self.shared.state.lock().stopping = true;
        self.shared.changed.notify_all();
        if self.thread.join().is_err() {
            tracing::error!("the thread that tidies up has panicked");
        }
    }
}

// === impl TidySettings ===

impl TidySettings {
    /// Goes by other settings from now on.
    pub(crate) fn set(&self, config: &Config) {
        self.shared.state.lock().retention = retention(config);
        self.shared.changed.notify_all();
    }
}

// === impl Shared ===

impl Shared {
    fn run(&self, store: &Store) {
        loop {
            let mut state = self.state.lock();
            if state.stopping {
                return;
            }
            if let Some(retention) = state.retention {
                parking_lot::MutexGuard::unlocked(&mut state, || tidy(store, &retention));
            }
            if state.stopping {
                return;
            }
            self.changed.wait_for(&mut state, EVERY);
        }
    }
}

fn tidy(store: &Store, retention: &Retention) {
    match store.tidy(now(), retention) {
        Ok(Tidied { segments: 0, .. }) => {}
        Ok(tidied) => tracing::info!(
            "retention removed {} flows ({} bytes of files) that were too old or too much, and kept {} pinned ones; \
             `retention_days` and `retention_bytes_max` set how much is kept",
            tidied.flows,
            tidied.bytes,
            tidied.kept_pinned,
        ),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what is too old cannot be removed"
        ),
    }
}

/// Returns how much is kept; none where the user looks after that.
fn retention(config: &Config) -> Option<Retention> {
    let days = i64::try_from(config.count("retention_days")).unwrap_or(i64::MAX);
    let bytes = config.count("retention_bytes_max");
    config.switch("auto_cleanup").then(|| Retention {
        age_us_max: (days > 0).then(|| days.saturating_mul(DAY_US)),
        bytes_max: (bytes > 0).then_some(bytes),
    })
}

/// Removes the lines of deleted flows from the files of the tee.
pub(super) fn forget_lines(tee: &Tee, ids: &[flow_model::FlowId]) {
    if let Err(error) = tee.forget(ids) {
        tracing::error!(%error, "lines of deleted flows are still in files of the tee");
    }
}
