//! The relay's side: what it calls, none of which waits.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use bytes::Bytes;
use flow_model::{
    EndReason, Failure, FailureKind, Fault, FlowId, Gap, ResponseHead, Side, Timestamp,
};
use parking_lot::Mutex;
use uuid::{ContextV7, Uuid};

use crate::event::{Begin, BodyEnd, CaptureEvent, ConnectTimings, EventKind, FlowStart};
use crate::policy::{CompiledPolicy, Policy, PolicyError};
use crate::queue::{CaptureOptions, CaptureStats, PassedFrame, Queue, Receiver};

/// Frames shorter than this are copied: a small slice would keep the whole buffer alive that it was read into.
const COPY_BYTES_MAX: usize = 4096;

/// Tells the time of day. The binary hands it in.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The entrance to the record, shared by everything that relays.
#[derive(Clone)]
pub struct Capture {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Arc<Queue>,
    policy: ArcSwap<CompiledPolicy>,
    clock: WallClock,
    ids: Mutex<ContextV7>,
}

/// One flow as the relay sees it. Inert where the flow is not recorded.
#[derive(Clone, Debug)]
pub struct FlowTap(Option<Arc<Tapped>>);

struct Tapped {
    queue: Arc<Queue>,
    flow: FlowId,
    started: Instant,
    finished: AtomicBool,
    request: Mutex<Passed>,
    response: Mutex<Passed>,
}

/// How much of a body has passed, and the gap that has not been reported yet.
#[derive(Default)]
struct Passed {
    bytes: u64,
    gap_bytes: u64,
}

// === impl Capture ===

impl Capture {
    /// Returns the entrance and one receiver a worker.
    ///
    /// # Errors
    /// The policy in the options makes no sense.
    pub fn new(
        options: CaptureOptions,
        policy: Policy,
        clock: WallClock,
    ) -> Result<(Self, Vec<Receiver>), PolicyError> {
        let (queue, receivers) = Queue::new(options);
        let shared = Shared {
            queue,
            policy: ArcSwap::from_pointee(CompiledPolicy::new(policy)?),
            clock,
            ids: Mutex::new(ContextV7::new()),
        };
        let shared = Arc::new(shared);
        Ok((Self { shared }, receivers))
    }

    /// Returns the policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.shared.policy.load().policy)
    }

    /// Puts another policy in force for the flows that begin from now on.
    ///
    /// # Errors
    /// The policy makes no sense; the old one stays.
    pub fn set_policy(&self, policy: Policy) -> Result<(), PolicyError> {
        let compiled = CompiledPolicy::new(policy)?;
        self.shared.policy.store(Arc::new(compiled));
        Ok(())
    }

    /// Returns whether flows of this model are not recorded.
    pub fn excludes_model(&self, model: &str) -> bool {
        self.shared.policy.load().excludes_model(model)
    }

    /// Returns what has been queued, spilled and lost.
    pub fn stats(&self) -> CaptureStats {
        self.shared.queue.stats()
    }

    /// Tells the workers that nothing will follow. What is queued still reaches them.
    pub fn close(&self) {
        self.shared.queue.close();
    }

    /// Returns the tap of a flow that begins now.
    pub fn begin(&self, start: FlowStart) -> FlowTap {
        let started_at = (self.shared.clock)();
        let flow = self.next_id(started_at);
        let path = target_path(&start);
        if !self.shared.policy.load().records(flow, path) {
            return FlowTap(None);
        }
        let begin = EventKind::Begin(Box::new(Begin { started_at, start }));
        let event = CaptureEvent {
            flow,
            at_us: 0,
            kind: begin,
        };
        if !self.shared.queue.begin(event) {
            return FlowTap(None);
        }
        FlowTap(Some(Arc::new(Tapped {
            queue: Arc::clone(&self.shared.queue),
            flow,
            started: Instant::now(),
            finished: AtomicBool::new(false),
            request: Mutex::default(),
            response: Mutex::default(),
        })))
    }

    /// Returns a new id. Ids made one after another sort in that order, even within a millisecond.
    fn next_id(&self, at: Timestamp) -> FlowId {
        let micros = u64::try_from(at.0).unwrap_or(0);
        let nanos = u32::try_from(micros % 1_000_000 * 1000).unwrap_or(0);
        let context = self.shared.ids.lock();
        let stamp = uuid::Timestamp::from_unix(&*context, micros / 1_000_000, nanos);
        FlowId::from_uuid(Uuid::new_v7(stamp))
    }
}

/// Returns the path that is matched against excluded paths: the upstream's, or the one asked for.
fn target_path(start: &FlowStart) -> &str {
    let url = start
        .route
        .url
        .as_deref()
        .and_then(|url| url.split_once("://"));
    let target = match url {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => &start.request.target,
    };
    target.split('?').next().unwrap_or(target)
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture").finish_non_exhaustive()
    }
}

// === impl FlowTap ===

impl FlowTap {
    /// Returns a tap that records nothing.
    pub const fn inert() -> Self {
        Self(None)
    }

    /// Returns whether the flow is recorded.
    pub const fn is_recording(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the flow's id, where it is recorded.
    pub fn id(&self) -> Option<FlowId> {
        self.0.as_ref().map(|tapped| tapped.flow)
    }

    /// Reports that a connection to the upstream stands.
    pub fn connected(&self, timings: ConnectTimings) {
        self.report(EventKind::Connected(timings));
    }

    /// Reports that the whole request has been handed to the upstream's connection.
    pub fn sent(&self) {
        self.report(EventKind::Sent);
    }

    /// Reports the response's head, free of credentials.
    pub fn head(&self, head: ResponseHead) {
        if self.0.is_some() {
            self.report(EventKind::Head(Box::new(head)));
        }
    }

    /// Reports a piece of a body that passes.
    pub fn frame(&self, side: Side, bytes: &Bytes) {
        if let Some(tapped) = self.0.as_ref().filter(|_| !bytes.is_empty()) {
            tapped.frame(side, bytes);
        }
    }

    /// Reports how a body ended. Called once a body.
    pub fn body_end(&self, side: Side, end: BodyEnd) {
        if let Some(tapped) = &self.0 {
            tapped.report_gap(side);
            tapped.push(EventKind::BodyEnd { side, end });
        }
    }

    /// Reports how the flow ended. The first call counts, later ones do nothing.
    pub fn finish(&self, reason: EndReason, failure: Option<Failure>) {
        if let Some(tapped) = &self.0 {
            tapped.finish(reason, failure);
        }
    }

    fn report(&self, kind: EventKind) {
        if let Some(tapped) = &self.0 {
            tapped.push(kind);
        }
    }
}

// === impl Passed ===

impl Passed {
    /// Returns the gap that stands open: the bytes just before the next one.
    const fn gap(&self) -> Option<Gap> {
        if self.gap_bytes == 0 {
            return None;
        }
        Some(Gap {
            offset: self.bytes - self.gap_bytes,
            bytes: self.gap_bytes,
        })
    }
}

// === impl Tapped ===

impl Tapped {
    fn frame(&self, side: Side, bytes: &Bytes) {
        let kept = if bytes.len() < COPY_BYTES_MAX {
            Bytes::copy_from_slice(bytes)
        } else {
            bytes.clone()
        };
        let mut passed = self.passed(side).lock();
        let frame = PassedFrame {
            flow: self.flow,
            at_us: self.at_us(),
            side,
            bytes: kept,
            gap: passed.gap(),
        };
        // A gap is reported together with the first frame that is taken again: reporting it on its own would
        // add an event to a queue that is full.
        if self.queue.frame(&frame) {
            passed.gap_bytes = 0;
        } else {
            passed.gap_bytes += bytes.len() as u64;
        }
        passed.bytes += bytes.len() as u64;
    }

    /// Reports the gap that stands open at the end of a body.
    fn report_gap(&self, side: Side) {
        let gap = {
            let mut passed = self.passed(side).lock();
            let gap = passed.gap();
            passed.gap_bytes = 0;
            gap
        };
        if let Some(gap) = gap {
            self.push(EventKind::Gap { side, gap });
        }
    }

    fn finish(&self, reason: EndReason, failure: Option<Failure>) {
        if !self.finished.swap(true, Ordering::AcqRel) {
            self.push(EventKind::End {
                reason,
                failure: failure.map(Box::new),
            });
        }
    }

    fn push(&self, kind: EventKind) {
        self.queue.control(CaptureEvent {
            flow: self.flow,
            at_us: self.at_us(),
            kind,
        });
    }

    fn at_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    const fn passed(&self, side: Side) -> &Mutex<Passed> {
        match side {
            Side::Request => &self.request,
            Side::Response => &self.response,
        }
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        let failure = Failure {
            kind: FailureKind::Stopped,
            fault: Fault::Monitor,
            message: "the monitor dropped the exchange before its end".to_owned(),
        };
        self.finish(EndReason::Interrupted, Some(failure));
    }
}

impl fmt::Debug for Tapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tapped")
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}
