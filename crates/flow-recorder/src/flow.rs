//! One flow while it is running.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_capture::{Begin, BodyEnd, ConnectTimings, Policy};
use flow_codec::ResponseDecoder;
use flow_meter::Meter;
use flow_model::exchange::header;
use flow_model::{
    BodyFacts, Diagnostic, EndReason, Exchange, Failure, FailureKind, Fault, FlowId, Gap, Reading,
    RequestReading, ResponseHead, ResponseReading, Row, Side, Timings,
};
use flow_store::{LiveView, Write};

use crate::body::{Body, Decoded};
use crate::limits::{LARGE_BYTES, READ_BYTES_MAX};

/// A flow while it is running.
pub(crate) struct OpenFlow {
    exchange: Exchange,
    request: Body,
    response: Body,
    decoder: Option<ResponseDecoder>,
    /// What the row shows: the request is only skimmed.
    reading: Reading,
    /// Bytes of the response that its decoder has been given.
    response_read: usize,
    /// Too much was held for reading; the row is derived from the store.
    is_unread: bool,
    request_saved: bool,
    head_saved: bool,
    response_bytes_max: Option<u64>,
    /// Grows with every change.
    changes: u64,
    /// When the flow was last saved against a crash, shown in lists, published to who watches it.
    pub(crate) saved: Done,
    pub(crate) shown: Option<Done>,
    pub(crate) published: Done,
}

/// What is left to do once a flow has ended, from what the store has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// The row: too much was held for reading.
    Row,
    /// Its token counts: an estimate needs the whole request.
    Estimate,
}

/// When something that follows the changes of a flow was last done, and how far it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    at: Instant,
    changes: u64,
}

// === impl OpenFlow ===

impl OpenFlow {
    pub(crate) fn new(id: FlowId, begin: Begin, policy: &Policy, now: Instant) -> Self {
        let Begin { started_at, start } = begin;
        let coding = header(&start.request.headers, "content-encoding");
        let request = Body::new(coding, policy.request_body_bytes_max);
        let exchange = Exchange {
            id,
            started_at,
            peer: start.peer,
            route: start.route,
            request: start.request,
            request_body: BodyFacts::default(),
            response: None,
            response_body: BodyFacts::default(),
            timings: Timings::default(),
            end: None,
            failure: None,
        };
        let head = &exchange.request;
        let dialect = flow_codec::detect(&head.method, exchange.path(), &head.headers, None);
        Self {
            reading: Reading {
                dialect,
                ..Reading::default()
            },
            request,
            response: Body::new(None, policy.response_body_bytes_max),
            response_bytes_max: policy.response_body_bytes_max,
            exchange,
            decoder: None,
            response_read: 0,
            is_unread: false,
            request_saved: false,
            head_saved: false,
            changes: 1,
            saved: Done {
                at: now,
                changes: 0,
            },
            shown: None,
            published: Done {
                at: now,
                changes: 0,
            },
        }
    }

    /// Returns the mark of having done something with all changes up to now.
    pub(crate) const fn done(&self, now: Instant) -> Done {
        let changes = self.changes;
        Done { at: now, changes }
    }

    /// Returns whether there are changes that are older than `every` and that `done` has not seen.
    pub(crate) fn is_due(&self, done: Done, every: Duration, now: Instant) -> bool {
        self.changes > done.changes && now.duration_since(done.at) >= every
    }

    pub(crate) const fn id(&self) -> FlowId {
        self.exchange.id
    }

    pub(crate) fn connected(&mut self, timings: ConnectTimings) {
        let own = &mut self.exchange.timings;
        own.dns_us = timings.dns_us;
        own.connect_us = timings.connect_us;
        own.tls_us = timings.tls_us;
        own.reused = timings.reused;
    }

    pub(crate) fn head(&mut self, head: ResponseHead, at_us: u64) {
        let timings = &mut self.exchange.timings;
        timings.head_us = Some(at_us);
        timings.ttfb_us = timings.sent_us.map(|sent| at_us.saturating_sub(sent));
        self.response = Body::new(
            header(&head.headers, "content-encoding"),
            self.response_bytes_max,
        );
        self.decoder = ResponseDecoder::find(self.reading.dialect, head.status, &head.headers);
        self.exchange.response = Some(head);
        self.changes += 1;
    }

    /// Takes a frame and returns what it lets the store have: a piece of a long body.
    pub(crate) fn frame(&mut self, side: Side, wire: &[u8], at_us: u64) -> Option<Write> {
        let id = self.id();
        let body = match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        };
        let decoded = body.push(wire, at_us);
        if let (Side::Response, Some(decoder)) = (side, &mut self.decoder) {
            let bytes = match &decoded {
                Decoded::Same => wire,
                Decoded::Bytes(bytes) => bytes,
            };
            decoder.push(bytes, at_us);
            self.response_read += bytes.len();
        }
        self.changes += 1;
        // A request is held whole, because the store looks for what it repeats of the one before it.
        let held = side == Side::Request && !self.is_unread && body.tail().len() <= READ_BYTES_MAX;
        if held {
            return None;
        }
        let bytes = body.piece()?;
        Some(Write::Piece { id, side, bytes })
    }

    pub(crate) fn gap(&mut self, side: Side, gap: Gap) {
        match side {
            Side::Request => self.request.gap(gap.bytes),
            Side::Response => self.response.gap(gap.bytes),
        }
        self.changes += 1;
    }

    pub(crate) fn body_end(&mut self, side: Side, end: BodyEnd) {
        let body = match side {
            Side::Request => &mut self.request,
            Side::Response => &mut self.response,
        };
        match end {
            BodyEnd::Ended => body.complete(Vec::new()),
            BodyEnd::Trailers(trailers) => body.complete(trailers),
            BodyEnd::Error | BodyEnd::Dropped => {}
        }
    }

    pub(crate) const fn sent(&mut self, at_us: u64) {
        self.exchange.timings.sent_us = Some(at_us);
    }

    /// Bytes that are held for reading.
    pub(crate) fn kept_bytes(&self) -> usize {
        let request = if self.is_unread {
            0
        } else {
            self.request.tail().len()
        };
        request + self.response_read
    }

    /// Lets go of what is held for reading; the flow is then read from the store once it has ended.
    pub(crate) fn let_go(&mut self) {
        self.decoder = None;
        self.response_read = 0;
        self.reading.response = ResponseReading::default();
        self.is_unread = true;
    }

    /// Returns whether the response is so large that its row is refreshed less often.
    pub(crate) const fn is_large(&self) -> bool {
        self.response_read >= LARGE_BYTES
    }

    /// Reads of the request what the row shows, once all of it is there. Returns the model that it asks for.
    pub(crate) fn read_request(&mut self) -> Option<&str> {
        let facts = self.request.facts();
        self.exchange.request_body = facts;
        let body = self.request.tail();
        let whole = body.len() as u64 == self.exchange.request_body.bytes;
        let fault = if !self.request.is_decoded() {
            Some((
                "not_decoded",
                "the body's content coding could not be undone",
            ))
        } else if !whole || body.len() > READ_BYTES_MAX {
            Some(("too_large", "the body is too large to be read as a whole"))
        } else {
            None
        };
        if let Some((code, message)) = fault {
            self.reading.client = flow_codec::read_client(&self.exchange.request.headers, &[]);
            if self.reading.dialect.is_some() {
                self.reading.request = unread(code, message);
            }
        } else {
            skim(&self.exchange, body, &mut self.reading);
        }
        self.changes += 1;
        self.reading.request.model.as_deref()
    }

    pub(crate) const fn is_request_saved(&self) -> bool {
        self.request_saved
    }

    /// Returns the write that makes the request part of the truth, once.
    pub(crate) fn save_request(&mut self) -> Option<Write> {
        if std::mem::replace(&mut self.request_saved, true) {
            return None;
        }
        self.exchange.request_body = self.request.facts();
        Some(Write::Request {
            exchange: Arc::new(self.exchange.clone()),
            body: self.request.take_tail(),
            chunks: self.request.take_chunks(),
        })
    }

    /// Returns the writes that save what arrived of the response against a crash: its head, once, and its bytes.
    pub(crate) fn save_pending(&mut self) -> impl Iterator<Item = Write> {
        let (mut head, mut pending) = (None, None);
        if self.request_saved && self.exchange.response.is_some() {
            if !std::mem::replace(&mut self.head_saved, true) {
                head = Some(Write::Head {
                    exchange: self.exchange(),
                });
            }
            let id = self.id();
            pending = self
                .response
                .pending()
                .map(|(bytes, chunks)| Write::Pending {
                    id,
                    side: Side::Response,
                    bytes,
                    chunks,
                });
        }
        head.into_iter().chain(pending)
    }

    /// Returns the exchange as it is now.
    pub(crate) fn exchange(&mut self) -> Arc<Exchange> {
        self.exchange.response_body = self.response.facts();
        Arc::new(self.exchange.clone())
    }

    /// Returns the row as it is now.
    pub(crate) fn row(&mut self) -> Row {
        if let Some(decoder) = &self.decoder {
            self.reading.response = decoder.snapshot();
            // A cost that still grows would be taken for the whole.
            flow_codec::count(&self.exchange, &mut self.reading);
        }
        let mut row = Row::new(&self.exchange, &self.reading);
        row.request_bytes = self.request.wire_bytes();
        row.response_bytes = self.response.wire_bytes();
        row
    }

    /// Returns what somebody who watches the flow sees now.
    pub(crate) fn live(&mut self) -> LiveView {
        let response = self
            .decoder
            .as_ref()
            .map_or_else(ResponseReading::default, ResponseDecoder::snapshot);
        LiveView {
            exchange: self.exchange(),
            response: Arc::new(response),
        }
    }

    fn count(&mut self, meter: &Meter) {
        flow_codec::count(&self.exchange, &mut self.reading);
        meter.price(&self.exchange, &mut self.reading);
    }

    /// Ends the flow. Returns the write that does, and what is left to be derived from what is stored.
    pub(crate) fn end(
        mut self,
        at_us: u64,
        reason: EndReason,
        failure: Option<Failure>,
        meter: &Meter,
    ) -> (Write, Rest) {
        if let Some(decoder) = self.decoder.take() {
            let complete = reason == EndReason::Ended && self.response.is_decoded();
            self.reading.response = decoder.finish(complete);
            flow_codec::note_end(&mut self.reading.response);
        }
        self.count(meter);
        let wants = meter.wants(&self.exchange, &self.reading);
        let is_unread = self.is_unread;
        let exchange = &mut self.exchange;
        exchange.timings.duration_us = Some(at_us);
        exchange.response_body = self.response.facts();
        exchange.end = Some(wire_end(exchange, &self.reading.response, reason));
        exchange.failure = failure.or_else(|| empty_failure(exchange));
        let row = (!is_unread).then(|| Row::new(exchange, &self.reading));
        let write = Write::Outcome {
            response: self.response.take_tail(),
            chunks: self.response.take_chunks(),
            exchange: Arc::new(self.exchange),
            row,
        };
        let rest = match (is_unread, wants) {
            (true, _) => Rest::Row,
            (false, true) => Rest::Estimate,
            (false, false) => Rest::Nothing,
        };
        (write, rest)
    }
}

/// Reads of a request what its row shows: who sent it, in which dialect, and the newest of what it says.
fn skim(exchange: &Exchange, body: &[u8], reading: &mut Reading) {
    let head = &exchange.request;
    reading.client = flow_codec::read_client(&head.headers, body);
    // The body may tell what the path alone did not.
    reading.dialect = flow_codec::detect(&head.method, exchange.path(), &head.headers, Some(body));
    if let Some(dialect) = reading.dialect
        && !body.is_empty()
    {
        reading.request = flow_codec::skim_request(dialect, exchange.path(), body);
    }
}

/// Returns the end that the wire tells: a complete answer may be an error or an empty stream.
fn wire_end(exchange: &Exchange, response: &ResponseReading, reason: EndReason) -> EndReason {
    let Some(head) = exchange
        .response
        .as_ref()
        .filter(|_| reason == EndReason::Ended)
    else {
        return reason;
    };
    let content_type = header(&head.headers, "content-type").unwrap_or_default();
    let stream = response.streamed || content_type.starts_with("text/event-stream");
    if head.status >= 400 {
        EndReason::UpstreamError
    } else if stream && exchange.response_body.wire_bytes == 0 && exchange.response_body.complete {
        EndReason::Empty
    } else {
        EndReason::Ended
    }
}

fn empty_failure(exchange: &Exchange) -> Option<Failure> {
    (exchange.end == Some(EndReason::Empty)).then(|| Failure {
        kind: FailureKind::Protocol,
        fault: Fault::Upstream,
        message: "the upstream's stream ended without any event".to_owned(),
    })
}

fn unread(code: &str, message: &str) -> RequestReading {
    RequestReading {
        diagnostics: vec![Diagnostic {
            offset: None,
            code: code.to_owned(),
            message: message.to_owned(),
        }],
        ..RequestReading::default()
    }
}
