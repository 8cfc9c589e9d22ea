//! Capture events.

use bytes::Bytes;
use flow_model::{
    EndReason, Failure, FlowId, Gap, Header, RequestHead, ResponseHead, Route, Side, Timestamp,
};

/// What is known of a flow when its request's head has arrived; free of credentials.
#[derive(Clone, Debug)]
pub struct FlowStart {
    /// The client's address and port.
    pub peer: Option<String>,
    /// Where the request goes.
    pub route: Route,
    /// The request's head.
    pub request: RequestHead,
}

/// A [`FlowStart`] with its time.
#[derive(Clone, Debug)]
pub struct Begin {
    /// When the request's head had been received.
    pub started_at: Timestamp,
    /// What is known.
    pub start: FlowStart,
}

/// How long it took to get a connection, in microseconds; none where the step was not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectTimings {
    /// Looking up the name.
    pub dns_us: Option<u64>,
    /// Connecting.
    pub connect_us: Option<u64>,
    /// TLS handshake.
    pub tls_us: Option<u64>,
    /// An open connection was used.
    pub reused: bool,
}

/// How a body ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// At its end, without trailers.
    Ended,
    /// At its end, with trailers.
    Trailers(Vec<Header>),
    /// Its sender broke off, or broke the rules.
    Error,
    /// Its receiver went away.
    Dropped,
}

/// One thing that happened to a flow.
#[derive(Clone, Debug)]
pub struct CaptureEvent {
    /// The flow.
    pub flow: FlowId,
    /// When it happened, in microseconds after the flow's start.
    pub at_us: u64,
    /// What happened.
    pub kind: EventKind,
}

/// Kinds of capture events, in the order in which a flow sees them.
#[derive(Clone, Debug)]
pub enum EventKind {
    /// The request's head arrived.
    Begin(Box<Begin>),
    /// A connection to the upstream stands.
    Connected(ConnectTimings),
    /// The whole request has been handed to the upstream's connection.
    Sent,
    /// The response's head arrived.
    Head(Box<ResponseHead>),
    /// A piece of a body passed.
    Frame {
        /// Whose body.
        side: Side,
        /// Its bytes on the wire.
        bytes: Bytes,
    },
    /// A piece of a body passed that could not be kept.
    Gap {
        /// Whose body.
        side: Side,
        /// Which bytes.
        gap: Gap,
    },
    /// A body ended.
    BodyEnd {
        /// Whose body.
        side: Side,
        /// How it ended.
        end: BodyEnd,
    },
    /// The flow ended; nothing follows.
    End {
        /// How it ended.
        reason: EndReason,
        /// What went wrong on the way.
        failure: Option<Box<Failure>>,
    },
}
