//! What one exchange reports to the record.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flow_capture::{BodyEnd, FlowTap};
use flow_model::{EndReason, Failure, FailureKind, Fault, Side};
use flow_redact::Fingerprints;
use http::HeaderMap;

use crate::heads::map_headers;
use crate::tasks::Tasks;

/// The reporting side of one exchange. Each body's end and the flow's end are reported once.
pub(crate) struct Flow {
    pub(super) tap: FlowTap,
    fingerprints: Arc<Fingerprints>,
    tasks: Tasks,
    request_open: AtomicBool,
    response_open: AtomicBool,
    is_finished: AtomicBool,
    uploaded: AtomicBool,
    request_fault: OnceLock<RequestFault>,
}

/// How a request's body broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestFault {
    /// The client went away.
    Gone,
    /// The client broke the rules of HTTP.
    Malformed,
}

impl Flow {
    pub(super) fn new(tap: FlowTap, fingerprints: Arc<Fingerprints>, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            tap,
            fingerprints,
            tasks,
            request_open: AtomicBool::new(true),
            response_open: AtomicBool::new(false),
            is_finished: AtomicBool::new(false),
            uploaded: AtomicBool::new(false),
            request_fault: OnceLock::new(),
        })
    }

    /// Reports a piece of a body, unless the body or the flow has ended.
    pub(super) fn frame(&self, side: Side, bytes: &Bytes) {
        if side == Side::Request {
            self.uploaded.store(true, Ordering::Relaxed);
        }
        if self.open(side).load(Ordering::Acquire) {
            self.tap.frame(side, bytes);
        }
    }

    const fn open(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Request => &self.request_open,
            Side::Response => &self.response_open,
        }
    }

    /// Returns whether some of the request has been sent since this was asked last.
    pub(super) fn take_uploaded(&self) -> bool {
        self.uploaded.swap(false, Ordering::Relaxed)
    }

    pub(super) fn is_request_open(&self) -> bool {
        self.request_open.load(Ordering::Acquire)
    }

    /// Says that the response's body begins.
    pub(super) fn begin_response(&self) {
        self.response_open.store(true, Ordering::Release);
    }

    /// Reports the end of a body. Returns whether it was still open.
    pub(super) fn end_body(&self, side: Side, end: BodyEnd) -> bool {
        let was_open = self.open(side).swap(false, Ordering::AcqRel);
        if was_open {
            self.tap.body_end(side, end);
        }
        was_open
    }

    /// Returns the end of a body with these trailers.
    pub(super) fn trailers(&self, trailers: &HeaderMap) -> BodyEnd {
        let mut fields = map_headers(trailers);
        self.fingerprints.headers(&mut fields);
        BodyEnd::Trailers(fields)
    }

    pub(super) fn break_request(&self, fault: RequestFault) {
        // The first fault is the cause of later ones.
        self.request_fault.get_or_init(|| fault);
        self.end_body(Side::Request, BodyEnd::Error);
    }

    pub(super) fn request_fault(&self) -> Option<RequestFault> {
        self.request_fault.get().copied()
    }

    /// Reports the end. A body that is still open is nobody's business any more.
    pub(super) fn finish(&self, end: EndReason, failure: Option<Failure>) {
        if self.is_finished.swap(true, Ordering::AcqRel) {
            return;
        }
        self.end_body(Side::Request, BodyEnd::Dropped);
        self.end_body(Side::Response, BodyEnd::Dropped);
        self.tap.finish(end, failure);
    }

    /// Reports that the client went away.
    pub(super) fn finish_abort(&self) {
        let failure = Failure {
            kind: FailureKind::ClientGone,
            fault: Fault::Client,
            message: "the client closed the connection before the end of the answer".to_owned(),
        };
        self.finish(EndReason::ClientAbort, Some(failure));
    }

    /// Reports the end of an exchange that was dropped.
    pub(super) fn abandon(&self) {
        let message = if std::thread::panicking() {
            "the monitor failed while it relayed the exchange"
        } else if self.tasks.is_dropped() {
            "the monitor stopped while the exchange was running"
        } else {
            return self.finish_abort();
        };
        let failure = Failure {
            kind: FailureKind::Stopped,
            fault: Fault::Monitor,
            message: message.to_owned(),
        };
        self.finish(EndReason::Interrupted, Some(failure));
    }
}

/// Reports the end of an exchange that is dropped before anyone else has.
pub(super) struct Unfinished(Option<Arc<Flow>>);

impl Unfinished {
    pub(super) fn new(flow: &Arc<Flow>) -> Self {
        Self(Some(Arc::clone(flow)))
    }

    /// Leaves the report to the response's body.
    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(flow) = &self.0 {
            flow.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use flow_capture::{Capture, CaptureOptions, EventKind, FlowStart, Policy};
    use flow_model::{RequestHead, Route, Timestamp};

    use super::*;

    /// Begins a flow, does something with it and returns how it ended.
    fn check(
        act: impl FnOnce(&Arc<Flow>, &Tasks),
        expect: EndReason,
        kind: FailureKind,
        fault: Fault,
    ) {
        let clock = Arc::new(|| Timestamp(0));
        let options = CaptureOptions {
            workers: 1,
            ..CaptureOptions::default()
        };
        let (capture, mut receivers) = Capture::new(options, Policy::default(), clock).unwrap();
        let tap = capture.begin(FlowStart {
            peer: None,
            route: Route::default(),
            request: RequestHead::default(),
        });
        let tasks = Tasks::new();
        let flow = Flow::new(tap, Arc::new(Fingerprints::new([0; 32])), tasks.clone());
        act(&flow, &tasks);
        drop(flow);
        capture.close();
        let receiver = receivers.first_mut().unwrap();
        let mut ends = Vec::new();
        while receiver.wait(std::time::Duration::ZERO, true) {
            ends.extend(receiver.by_ref().filter_map(|event| match event.kind {
                EventKind::End { reason, failure } => {
                    failure.map(|failure| (reason, failure.kind, failure.fault))
                }
                _ => None,
            }));
        }
        assert_eq!(ends, [(expect, kind, fault)]);
    }

    #[test]
    fn an_exchange_that_is_dropped_ends_as_the_clients_abort() {
        let act = |flow: &Arc<Flow>, _: &Tasks| drop(Unfinished::new(flow));
        check(
            act,
            EndReason::ClientAbort,
            FailureKind::ClientGone,
            Fault::Client,
        );
    }

    #[test]
    fn a_panic_ends_the_flow_as_the_monitors_fault() {
        let act = |flow: &Arc<Flow>, _: &Tasks| {
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let _unfinished = Unfinished::new(flow);
                panic!("a panic of the test's own");
            }));
            assert!(panicked.is_err());
        };
        check(
            act,
            EndReason::Interrupted,
            FailureKind::Stopped,
            Fault::Monitor,
        );
    }

    #[test]
    fn the_first_end_counts() {
        let act = |flow: &Arc<Flow>, _: &Tasks| {
            let unfinished = Unfinished::new(flow);
            let failure = Failure {
                kind: FailureKind::Timeout,
                fault: Fault::Upstream,
                message: String::new(),
            };
            flow.finish(EndReason::Timeout, Some(failure));
            flow.finish_abort();
            drop(unfinished);
        };
        check(
            act,
            EndReason::Timeout,
            FailureKind::Timeout,
            Fault::Upstream,
        );
    }
}
