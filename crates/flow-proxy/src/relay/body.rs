//! Bodies that pass the tap.
//!
//! Each reports its frames and exactly one end: ended, trailers, error or dropped. Nothing is buffered; a frame
//! is handed on in the poll in which it came.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use flow_capture::BodyEnd;
use flow_model::{EndReason, Side};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::failure;
use super::flow::Flow;
use crate::heads::HeadTap;
use crate::pool::{Connection, Pool};
use crate::settings::OnClientAbort;
use crate::tasks::Tasks;
use crate::upstreams::Origin;

/// Longest time that an answer is read on after its client has gone.
const DRAIN_TIME_MAX: Duration = Duration::from_mins(15);

/// Why a body breaks off on the way to its receiver. The cause is in the record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyBroke {
    #[error("the sender of the body broke off")]
    Sender(#[source] hyper::Error),
    #[error("the body came to a halt")]
    Stalled,
}

/// The body of a request on its way to the upstream.
pub(crate) struct RequestBody {
    inner: Incoming,
    flow: Arc<Flow>,
    head_tap: Option<Arc<HeadTap>>,
}

/// The body of what is answered to a client.
pub(crate) enum RelayBody {
    /// An answer of the monitor's own.
    Own(Option<Bytes>),
    /// The upstream's.
    Upstream(ResponseBody),
}

/// The body of a response on its way to the client.
pub(crate) struct ResponseBody {
    /// None once it has been handed to a drain.
    inner: Option<Incoming>,
    flow: Arc<Flow>,
    status: u16,
    /// The body is empty, but its head says a length, which hyper writes only where a body seems to follow.
    shows_length: bool,
    is_done: bool,
    /// How the body broke off, to be said once hyper has written the frames before it.
    broken: Option<BodyBroke>,
    idle: Idle,
    home: Option<Home>,
    on_abort: OnClientAbort,
    /// The client has gone and the rest is only read for the record.
    client_gone: bool,
    tasks: Tasks,
}

/// Where the connection goes once the response has ended.
pub(super) struct Home {
    pub(super) pool: Arc<Pool>,
    pub(super) origin: Arc<Origin>,
    pub(super) connection: Connection,
}

/// Notices that nothing comes. The timer is made when the body is first waited for and is then only moved when
/// it fires, so that a frame costs no more than a look at the clock.
struct Idle {
    limit: Duration,
    last: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What a response's body needs to know beside its frames.
pub(super) struct ResponseFacts {
    pub(super) status: u16,
    pub(super) shows_length: bool,
    pub(super) idle_timeout: Duration,
    pub(super) on_abort: OnClientAbort,
}

// === impl RequestBody ===

impl RequestBody {
    pub(super) fn new(inner: Incoming, flow: &Arc<Flow>, head_tap: Option<Arc<HeadTap>>) -> Self {
        let mut body = Self {
            inner,
            flow: Arc::clone(flow),
            head_tap,
        };
        if body.inner.is_end_stream() {
            body.end(BodyEnd::Ended);
        }
        body
    }

    /// Reports the end. Whatever is read from the client now belongs to the next request.
    fn end(&mut self, end: BodyEnd) -> bool {
        self.expect_head();
        self.flow.end_body(Side::Request, end)
    }

    fn expect_head(&mut self) {
        if let Some(tap) = self.head_tap.take() {
            tap.arm();
        }
    }

    /// Reports the end of a body that has now been sent.
    fn sent(&mut self, end: BodyEnd) {
        if self.end(end) {
            self.flow.tap.sent();
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyBroke;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroke>>> {
        let this = &mut *self;
        match std::task::ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    this.flow.frame(Side::Request, bytes);
                    if this.inner.is_end_stream() {
                        this.sent(BodyEnd::Ended);
                    }
                } else if let Some(trailers) = frame.trailers_ref() {
                    let end = this.flow.trailers(trailers);
                    this.sent(end);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.flow.break_request(failure::request_fault(&error));
                Poll::Ready(Some(Err(BodyBroke::Sender(error))))
            }
            None => {
                this.sent(BodyEnd::Ended);
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.flow.end_body(Side::Request, BodyEnd::Dropped);
        self.expect_head();
    }
}

// === impl RelayBody ===

impl Body for RelayBody {
    type Data = Bytes;
    type Error = BodyBroke;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyBroke>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upstream(body) => body.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::Upstream(body) => body.is_done && body.broken.is_none() && !body.shows_length,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Upstream(body) => body.size_hint(),
        }
    }
}

// === impl ResponseBody ===

impl ResponseBody {
    pub(super) fn new(
        inner: Incoming,
        flow: Arc<Flow>,
        home: Home,
        facts: &ResponseFacts,
        tasks: Tasks,
    ) -> Self {
        let is_empty = inner.is_end_stream();
        let mut body = Self {
            inner: Some(inner),
            flow,
            status: facts.status,
            shows_length: is_empty && facts.shows_length,
            is_done: false,
            broken: None,
            idle: Idle::new(facts.idle_timeout),
            home: Some(home),
            on_abort: facts.on_abort,
            client_gone: false,
            tasks,
        };
        if is_empty {
            body.end(BodyEnd::Ended);
        }
        body
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) if !self.shows_length => inner.size_hint(),
            _ => SizeHint::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyBroke>>> {
        let Some(inner) = self.inner.as_mut().filter(|_| !self.is_done) else {
            return Poll::Ready(self.broken.take().map(Err));
        };
        let Poll::Ready(polled) = Pin::new(&mut *inner).poll_frame(cx) else {
            if self.idle.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let stalled = failure::body_stalled(self.idle.limit);
            self.fail(EndReason::Timeout, stalled);
            return Poll::Ready(Some(Err(BodyBroke::Stalled)));
        };
        match polled {
            Some(Ok(frame)) => {
                self.idle.touch();
                let is_last = inner.is_end_stream();
                if let Some(bytes) = frame.data_ref() {
                    self.flow.frame(Side::Response, bytes);
                    if is_last {
                        self.end(BodyEnd::Ended);
                    }
                } else if let Some(trailers) = frame.trailers_ref() {
                    let end = self.flow.trailers(trailers);
                    self.end(end);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.fail(EndReason::UpstreamBreak, failure::body_broke(&error));
                self.broken = Some(BodyBroke::Sender(error));
                // hyper drops what it has buffered when a body fails, and writes it when a body is pending: the
                // client gets every frame that arrived before the break.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => {
                self.end(BodyEnd::Ended);
                Poll::Ready(None)
            }
        }
    }

    fn end(&mut self, end: BodyEnd) {
        self.is_done = true;
        self.flow.end_body(Side::Response, end);
        // A request that is still being sent keeps its connection busy; the connection is closed instead.
        if let Some(home) = self.home.take().filter(|_| !self.flow.is_request_open()) {
            home.pool.put_back(&home.origin, home.connection);
        }
        if self.client_gone {
            self.flow.finish_abort();
        } else if self.status >= 400 {
            self.flow.finish(EndReason::UpstreamError, None);
        } else {
            self.flow.finish(EndReason::Ended, None);
        }
    }

    fn fail(&mut self, reason: EndReason, failure: flow_model::Failure) {
        self.is_done = true;
        self.home = None;
        self.flow.end_body(Side::Response, BodyEnd::Error);
        if self.client_gone {
            self.flow.finish_abort();
        } else {
            self.flow.finish(reason, Some(failure));
        }
    }

    /// Reads on after the client has gone, so that what the answer cost is known.
    fn drain(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let mut body = Self {
            inner: self.inner.take(),
            flow: Arc::clone(&self.flow),
            status: self.status,
            shows_length: false,
            is_done: false,
            broken: None,
            idle: Idle::new(self.idle.limit),
            home: self.home.take(),
            on_abort: self.on_abort,
            client_gone: true,
            tasks: self.tasks.clone(),
        };
        async move {
            let read = std::future::poll_fn(|cx| {
                while !body.is_done {
                    drop(std::task::ready!(body.poll(cx)));
                }
                Poll::Ready(())
            });
            // What is cut off here is reported as dropped when the body goes.
            drop(tokio::time::timeout(DRAIN_TIME_MAX, read).await);
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if self.is_done || self.inner.is_none() {
            return;
        }
        let is_drained = self.on_abort == OnClientAbort::Drain
            && !self.client_gone
            && !self.tasks.is_dropped()
            && !std::thread::panicking();
        if is_drained {
            let drain = self.drain();
            self.tasks.spawn(drain);
        } else {
            self.flow.end_body(Side::Response, BodyEnd::Dropped);
            self.flow.abandon();
        }
    }
}

// === impl Idle ===

impl Idle {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            last: Instant::now(),
            timer: None,
        }
    }

    fn touch(&mut self) {
        self.last = Instant::now();
    }

    /// Returns ready once nothing has come for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (last, limit) = (self.last, self.limit);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(last + limit)));
        while timer.as_mut().poll(cx).is_ready() {
            if last + limit <= timer.deadline() {
                return Poll::Ready(());
            }
            timer.as_mut().reset(last + limit);
        }
        Poll::Pending
    }
}
