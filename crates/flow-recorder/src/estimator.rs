//! Rows that need an estimate, derived on a thread of their own.
//!
//! Counting the tokens of a long prompt takes up to a tenth of a second. The workers hand such flows over once
//! they have ended, and go on.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`WAITING_FLOWS_MAX`] | 10,000 flows that wait | the row stays without an estimate; `reindex` makes it |
//! | [`LAST_TIME`] | 3 s after the last flow, when the monitor stops | the same |

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flow_meter::Meter;
use flow_model::FlowId;
use flow_store::Store;

use crate::recover::read_again;

/// Flows that wait for their estimate.
const WAITING_FLOWS_MAX: usize = 10_000;
/// How long flows are estimated after the workers have ended.
const LAST_TIME: Duration = Duration::from_secs(3);

/// The thread that estimates.
#[derive(Debug)]
pub(crate) struct Estimator {
    waiting: SyncSender<FlowId>,
    closing: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Hands flows over.
#[derive(Clone, Debug)]
pub(crate) struct Estimates(SyncSender<FlowId>);

// === impl Estimator ===

impl Estimator {
    /// Starts the thread.
    ///
    /// # Errors
    /// It could not be started.
    pub(crate) fn start(store: Store, meter: Meter) -> io::Result<Self> {
        let (waiting, flows) = sync_channel(WAITING_FLOWS_MAX);
        let closing = Arc::new(AtomicBool::new(false));
        let closed = Arc::clone(&closing);
        let builder = thread::Builder::new().name("flow-estimator".to_owned());
        let thread = builder.spawn(move || run(&flows, &closed, &store, &meter))?;
        Ok(Self {
            waiting,
            closing,
            thread,
        })
    }

    /// Returns what hands flows over.
    pub(crate) fn estimates(&self) -> Estimates {
        Estimates(self.waiting.clone())
    }

    /// Waits until what was handed over is done, but not for long.
    pub(crate) fn join(self) {
        self.closing.store(true, Ordering::Relaxed);
        drop(self.waiting);
        if self.thread.join().is_err() {
            tracing::error!("the estimator's thread has died: rows may lack their estimates");
        }
    }
}

// === impl Estimates ===

impl Estimates {
    /// Hands a flow over, whose outcome has been given to the store.
    pub(crate) fn want(&self, flow: FlowId) {
        if self.0.try_send(flow).is_err() {
            tracing::warn!(%flow, "too many flows wait for an estimate: `flow-monitor reindex` makes it");
        }
    }
}

fn run(flows: &Receiver<FlowId>, closing: &AtomicBool, store: &Store, meter: &Meter) {
    let mut last = None;
    for flow in flows {
        if closing.load(Ordering::Relaxed) {
            let until = *last.get_or_insert_with(|| Instant::now() + LAST_TIME);
            if Instant::now() >= until {
                tracing::warn!(
                    "the monitor stops before all estimates are made: `flow-monitor reindex --all` makes them"
                );
                return;
            }
        }
        if let Err(error) = read_again(store, meter, flow) {
            tracing::error!(%flow, %error, "a flow could not be read back for an estimate");
        }
    }
}
