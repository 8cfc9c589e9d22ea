//! The workers: each takes the events of its flows and keeps the running ones.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flow_capture::{Capture, CaptureEvent, EventKind, Receiver};
use flow_meter::Meter;
use flow_model::{FlowId, Side};
use flow_store::{Store, Write};

use crate::estimator::{Estimates, Estimator};
use crate::flow::{OpenFlow, Rest};
use crate::limits::{
    KEPT_BYTES_MAX, PENDING_EVERY, PUBLISH_EVERY, REFRESH_EVERY, REFRESH_LARGE_EVERY, TURN,
};
use crate::recover::read_again;

/// The recorder's threads.
#[derive(Debug)]
pub struct Recorder {
    workers: Vec<JoinHandle<()>>,
    estimator: Estimator,
}

struct Worker {
    capture: Capture,
    store: Store,
    meter: Meter,
    estimates: Estimates,
    flows: HashMap<FlowId, Slot>,
    /// Bytes of requests that all workers keep until they are read.
    kept_bytes: Arc<AtomicUsize>,
}

enum Slot {
    Open(Box<OpenFlow>),
    /// The flow's model is excluded; its events are dropped until its end.
    Ignored,
}

// === impl Recorder ===

impl Recorder {
    /// Starts one worker a receiver.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(
        receivers: Vec<Receiver>,
        capture: &Capture,
        store: &Store,
        meter: &Meter,
    ) -> io::Result<Self> {
        let kept_bytes = Arc::new(AtomicUsize::new(0));
        let estimator = Estimator::start(store.clone(), meter.clone())?;
        let start = |receiver: Receiver| {
            let worker = Worker {
                capture: capture.clone(),
                store: store.clone(),
                meter: meter.clone(),
                estimates: estimator.estimates(),
                flows: HashMap::new(),
                kept_bytes: Arc::clone(&kept_bytes),
            };
            let builder = thread::Builder::new().name("flow-recorder".to_owned());
            builder.spawn(move || worker.run(receiver))
        };
        let workers = receivers
            .into_iter()
            .map(start)
            .collect::<io::Result<_>>()?;
        Ok(Self { workers, estimator })
    }

    /// Waits until everything that was captured before [`Capture::close`] has been handed to the store.
    pub fn join(self) {
        for worker in self.workers {
            if worker.join().is_err() {
                tracing::error!("a recorder thread has died: flows it had open are not whole");
            }
        }
        self.estimator.join();
    }
}

// === impl Worker ===

impl Worker {
    fn run(mut self, mut receiver: Receiver) {
        loop {
            let more = receiver.wait(TURN, self.flows.is_empty());
            let now = Instant::now();
            for event in receiver.by_ref() {
                self.take(event, now);
            }
            self.turn(now);
            if !more {
                break;
            }
        }
    }

    fn take(&mut self, event: CaptureEvent, now: Instant) {
        let CaptureEvent { flow, at_us, kind } = event;
        if let EventKind::Begin(begin) = kind {
            let open = OpenFlow::new(flow, *begin, &self.capture.policy(), now);
            self.flows.insert(flow, Slot::Open(Box::new(open)));
            return;
        }
        let Some(slot) = self.flows.get_mut(&flow) else {
            return;
        };
        let Slot::Open(open) = slot else {
            if matches!(kind, EventKind::End { .. }) {
                self.flows.remove(&flow);
            }
            return;
        };
        match kind {
            EventKind::Begin(_) => {}
            EventKind::Connected(timings) => open.connected(timings),
            EventKind::Sent => open.sent(at_us),
            EventKind::Head(head) => open.head(*head, at_us),
            EventKind::Frame { side, bytes } => {
                let before = open.kept_bytes();
                let piece = open.frame(side, &bytes, at_us);
                account(&self.kept_bytes, open, before);
                if let Some(write) = piece {
                    // The store takes pieces of flows only that it has heard of.
                    if open.shown.is_none() {
                        announce(&self.store, open, now);
                    }
                    self.store.write(write);
                }
            }
            EventKind::Gap { side, gap } => open.gap(side, gap),
            EventKind::BodyEnd { side, end } => {
                open.body_end(side, end);
                if side == Side::Request {
                    self.request_ended(flow);
                }
            }
            EventKind::End { reason, failure } => {
                // A request that never came to its end is still part of the truth.
                self.request_ended(flow);
                if let Some(Slot::Open(open)) = self.flows.remove(&flow) {
                    self.kept_bytes
                        .fetch_sub(open.kept_bytes(), Ordering::Relaxed);
                    let failure = failure.map(|failure| *failure);
                    let (write, rest) = open.end(at_us, reason, failure, &self.meter);
                    self.store.write(write);
                    match rest {
                        Rest::Nothing => {}
                        Rest::Row => read_later(&self.store, &self.meter, flow),
                        Rest::Estimate => self.estimates.want(flow),
                    }
                }
            }
        }
    }

    /// Saves and reads a request of which nothing more will come, unless its model is excluded.
    fn request_ended(&mut self, flow: FlowId) {
        let Some(slot) = self.flows.get_mut(&flow) else {
            return;
        };
        let Slot::Open(open) = slot else {
            return;
        };
        if open.is_request_saved() {
            return;
        }
        let before = open.kept_bytes();
        let is_excluded = open
            .read_request()
            .is_some_and(|model| self.capture.excludes_model(model));
        if is_excluded {
            self.kept_bytes.fetch_sub(before, Ordering::Relaxed);
            *slot = Slot::Ignored;
            self.store.write(Write::Forget(flow));
            return;
        }
        let write = open.save_request();
        self.kept_bytes
            .fetch_sub(before - open.kept_bytes(), Ordering::Relaxed);
        if let Some(write) = write {
            self.store.write(write);
        }
    }

    /// Shows and saves what changed in the flows that are running.
    fn turn(&mut self, now: Instant) {
        #[expect(
            clippy::iter_over_hash_type,
            reason = "the flows are independent of each other"
        )]
        for slot in self.flows.values_mut() {
            if let Slot::Open(open) = slot {
                turn_flow(&self.store, open, now);
            }
        }
    }
}

/// Counts the bytes that a flow keeps, and lets them go where all flows together keep too many.
fn account(kept_bytes: &AtomicUsize, open: &mut OpenFlow, before: usize) {
    let added = open.kept_bytes() - before;
    if added == 0 {
        return;
    }
    if kept_bytes.fetch_add(added, Ordering::Relaxed) + added > KEPT_BYTES_MAX {
        kept_bytes.fetch_sub(before + added, Ordering::Relaxed);
        open.let_go();
    }
}

const fn refresh_every(open: &OpenFlow) -> Duration {
    if open.is_large() {
        REFRESH_LARGE_EVERY
    } else {
        REFRESH_EVERY
    }
}

/// Derives the row of a flow that has just ended from what the store has of it.
fn read_later(store: &Store, meter: &Meter, flow: FlowId) {
    if let Err(error) = read_again(store, meter, flow) {
        tracing::error!(%flow, %error, "a flow could not be read back: it gets its row at the next start");
    }
}

/// Makes a flow visible.
fn announce(store: &Store, open: &mut OpenFlow, now: Instant) {
    open.shown = Some(open.done(now));
    let row = open.row();
    store.announce(open.exchange(), row);
}

fn turn_flow(store: &Store, open: &mut OpenFlow, now: Instant) {
    if open.is_due(open.saved, PENDING_EVERY, now) {
        open.saved = open.done(now);
        for write in open.save_pending() {
            store.write(write);
        }
    }
    if open.is_due(open.published, PUBLISH_EVERY, now) && store.is_watched(open.id()) {
        open.published = open.done(now);
        store.publish(open.id(), open.live());
    }
    match open.shown {
        None => announce(store, open, now),
        Some(shown) if open.is_due(shown, refresh_every(open), now) => {
            open.shown = Some(open.done(now));
            let row = open.row();
            store.refresh(row, Some(open.exchange()));
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests;
