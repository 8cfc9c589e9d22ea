//! The facts of one request and its outcome, as they were on the wire.
//!
//! Credentials never stand here: the tap replaces them by fingerprints before an exchange exists.

use serde::{Deserialize, Serialize};

use crate::{FlowId, Timestamp};

/// One request and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Exchange {
    /// The flow that this exchange belongs to.
    pub id: FlowId,
    /// When the request's head had been received.
    pub started_at: Timestamp,
    /// The client's address and port, where there is one.
    pub peer: Option<String>,
    /// Where the request was sent.
    pub route: Route,
    /// The request's head, as received.
    pub request: RequestHead,
    /// Facts of the request's body.
    pub request_body: BodyFacts,
    /// The response's head; none until it arrived.
    pub response: Option<ResponseHead>,
    /// Facts of the response's body.
    pub response_body: BodyFacts,
    /// How long each step took.
    pub timings: Timings,
    /// How the exchange ended; none while it is running.
    pub end: Option<EndReason>,
    /// What went wrong, where something did outside the response itself.
    pub failure: Option<Failure>,
}

/// Where a request was sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Route {
    /// Name of the upstream, such as `openai` or one that the user defined; none where no route matched.
    pub upstream: Option<String>,
    /// Who serves it, such as `anthropic`; equals the upstream's name for built-in ones.
    pub provider: Option<String>,
    /// The URL that was asked, with credentials replaced by fingerprints.
    pub url: Option<String>,
    /// The run that `/run/{id}/` in front of the path named.
    pub run: Option<String>,
}

/// Head of a request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestHead {
    /// Method, such as `POST`.
    pub method: String,
    /// Request target as received, route prefix and query included.
    pub target: String,
    /// Protocol between client and monitor, such as `HTTP/1.1`.
    pub version: String,
    /// Header fields as received, in order where the wire shows it.
    pub headers: Vec<Header>,
}

/// Head of a response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResponseHead {
    /// Status code.
    pub status: u16,
    /// Reason phrase as it stood on the wire; none in HTTP/2.
    pub reason: Option<String>,
    /// Protocol between monitor and upstream, such as `HTTP/2.0`.
    pub version: String,
    /// Header fields as received.
    pub headers: Vec<Header>,
}

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Header {
    /// Name in the case that the sender used, where the protocol has a case.
    pub name: String,
    /// Value.
    pub value: String,
    /// The value was not UTF-8; each of its bytes stands as the Latin-1 character of that number.
    #[serde(default, skip_serializing_if = "is_false")]
    pub latin1: bool,
}

/// Which of the two bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the client sent.
    Request,
    /// What the upstream answered.
    Response,
}

/// Facts of one body. The bytes themselves are stored apart, content-decoded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BodyFacts {
    /// Content coding on the wire, such as `gzip`; none for identity.
    pub coding: Option<String>,
    /// Bytes on the wire, transfer coding aside.
    pub wire_bytes: u64,
    /// SHA-256 of the bytes on the wire in hexadecimal digits; none where a part is missing.
    pub wire_sha256: Option<String>,
    /// Bytes kept, after content-decoding.
    pub bytes: u64,
    /// The body is longer than the setting allowed to keep; only its beginning was.
    pub truncated: bool,
    /// Parts that could not be recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Why content-decoding failed; the bytes kept are then those of the wire from there on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decode_error: Option<String>,
    /// Number of chunks in which it arrived.
    pub chunks: u32,
    /// The body arrived to its end.
    pub complete: bool,
    /// Trailer fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<Header>,
}

/// A part of a body that passed to its receiver but could not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Offset of its first byte on the wire.
    pub offset: u64,
    /// Its length.
    pub bytes: u64,
}

/// One piece of a body as it arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chunk {
    /// When it arrived, in microseconds after the exchange's start.
    pub at_us: u64,
    /// Bytes on the wire.
    pub wire_bytes: u32,
    /// Bytes of the kept body that were known once it had been decoded.
    pub bytes_end: u64,
}

/// How long each step took, in microseconds; none where the step did not happen or is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timings {
    /// Looking up the upstream's name.
    pub dns_us: Option<u64>,
    /// Connecting.
    pub connect_us: Option<u64>,
    /// TLS handshake.
    pub tls_us: Option<u64>,
    /// From the start until the whole request had been sent.
    pub sent_us: Option<u64>,
    /// From the start until the response's head arrived.
    pub head_us: Option<u64>,
    /// From the request sent until the first byte of the response (TTFB).
    pub ttfb_us: Option<u64>,
    /// From the start until the end.
    pub duration_us: Option<u64>,
    /// A connection that was already open was used.
    pub reused: bool,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The response was complete and no error.
    Ended,
    /// The upstream answered with a status of 400 or more, or with an error inside a stream.
    UpstreamError,
    /// The client went away before the end.
    ClientAbort,
    /// The upstream could not be reached, or broke off.
    UpstreamBreak,
    /// A time limit passed.
    Timeout,
    /// A stream ended without any event.
    Empty,
    /// The monitor refused the request or a rule blocked it.
    Blocked,
    /// The monitor stopped while the exchange was running.
    Interrupted,
}

impl EndReason {
    /// Returns the state that a flow is in once it has ended in this way.
    pub const fn state(self) -> State {
        match self {
            Self::Ended => State::Completed,
            Self::ClientAbort => State::Cancelled,
            Self::UpstreamError
            | Self::UpstreamBreak
            | Self::Timeout
            | Self::Empty
            | Self::Blocked
            | Self::Interrupted => State::Failed,
        }
    }
}

/// What a flow is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No byte of the response arrived yet.
    Pending,
    /// The response is arriving.
    Streaming,
    /// A rule holds it.
    Intercepted,
    /// Ended well.
    Completed,
    /// Ended in any other way than well or by the client.
    Failed,
    /// The client went away.
    Cancelled,
}

/// Whose doing a failure was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The client's.
    Client,
    /// The upstream's, or the network's on the way to it.
    Upstream,
    /// The monitor's own.
    Monitor,
}

/// What went wrong on the way, as opposed to what the upstream answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// Whose doing it was.
    pub fault: Fault,
    /// What happened, to which thing, in words; free of credentials.
    pub message: String,
}

/// Kinds of failures on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No route matched.
    NoRoute,
    /// The monitor refused to relay the request.
    Refused,
    /// The upstream's name could not be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// A time limit passed before the connection or the answer.
    Timeout,
    /// The connection was reset or closed too early.
    Reset,
    /// The other side broke the rules of HTTP.
    Protocol,
    /// The client went away.
    ClientGone,
    /// The monitor stopped.
    Stopped,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Exchange {
    /// Returns the state of the flow whose exchange this is.
    pub const fn state(&self) -> State {
        match (self.end, &self.response) {
            (Some(end), _) => end.state(),
            (None, Some(_)) => State::Streaming,
            (None, None) => State::Pending,
        }
    }

    /// Returns the facts of one of the bodies.
    pub const fn body(&self, side: Side) -> &BodyFacts {
        match side {
            Side::Request => &self.request_body,
            Side::Response => &self.response_body,
        }
    }

    /// Returns the facts of one of the bodies, to be changed.
    pub const fn body_mut(&mut self, side: Side) -> &mut BodyFacts {
        match side {
            Side::Request => &mut self.request_body,
            Side::Response => &mut self.response_body,
        }
    }

    /// Returns the path that the upstream saw, or that was asked for where there was no route; without the query.
    pub fn path(&self) -> &str {
        let url = self
            .route
            .url
            .as_deref()
            .and_then(|url| url.split_once("://"))
            .map(|(_, rest)| rest);
        let target = url
            .and_then(|rest| rest.find('/').and_then(|slash| rest.get(slash..)))
            .unwrap_or(&self.request.target);
        target.split(['?', '#']).next().unwrap_or(target)
    }
}

/// Returns the first value of the header `name`, compared without regard to case.
pub fn header<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value.as_str())
}
