//! Why an exchange failed: what the client is told, and what the record says.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use flow_model::{EndReason, Failure, FailureKind, Fault};
use http::StatusCode;

use super::flow::RequestFault;
use crate::answers::Answer;
use crate::pool::ConnectError;

/// A failure on the way to a response's head.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) end: EndReason,
    pub(super) failure: Failure,
    status: StatusCode,
    code: &'static str,
    advice: &'static str,
}

impl Failed {
    /// Returns what the client is told.
    pub(super) fn answer(&self) -> Answer {
        let message = format!("flow-monitor: {}{}", self.failure.message, self.advice);
        Answer::new(self.status, self.code, message)
    }

    pub(super) fn connect(error: &ConnectError) -> Self {
        let (kind, code, advice) = match error {
            ConnectError::Lookup { .. } | ConnectError::NoAddress { .. } => (
                FailureKind::Dns,
                "upstream_dns",
                "; check the upstream's name and the network",
            ),
            ConnectError::OwnListener { .. } => return Self::own_listener(error),
            ConnectError::Tcp { .. } | ConnectError::Http { .. } => (
                FailureKind::Connect,
                "upstream_connect",
                "; check that it runs and the network",
            ),
            ConnectError::Proxy { .. } => (
                FailureKind::Connect,
                "upstream_proxy",
                "; check the proxy variables of the monitor's environment",
            ),
            ConnectError::Tls { .. } => (FailureKind::Tls, "upstream_tls", ""),
            ConnectError::Timeout { .. } | ConnectError::TlsTimeout { .. } => {
                return Self::timeout(words(error), "upstream_connect_timeout");
            }
        };
        Self {
            advice,
            ..Self::upstream(kind, code, words(error))
        }
    }

    fn own_listener(error: &ConnectError) -> Self {
        Self {
            end: EndReason::Blocked,
            failure: Failure {
                kind: FailureKind::Refused,
                fault: Fault::Client,
                message: words(error),
            },
            status: StatusCode::LOOP_DETECTED,
            code: "own_listener",
            advice: "; an upstream or a proxy variable points at the monitor itself",
        }
    }

    /// Returns the failure of a request that was sent, or that was being sent.
    pub(super) fn send(error: &hyper::Error, request: Option<RequestFault>, host: &str) -> Self {
        match request {
            Some(RequestFault::Gone) => return Self::client_gone(),
            Some(RequestFault::Malformed) => return Self::malformed_body(),
            None => {}
        }
        let (kind, what) = broken(error, "without an answer");
        Self::upstream(kind, "upstream_broke_off", format!("{host} {what}"))
    }

    pub(super) fn head_timeout(host: &str, limit: Duration) -> Self {
        let message = format!("{host} sent no answer within {} ms", limit.as_millis());
        Self::timeout(message, "upstream_timeout")
    }

    /// Returns the failure of a request whose client stopped sending it.
    pub(super) fn upload_stalled(limit: Duration) -> Self {
        let message = format!("no byte of the request came for {} ms", limit.as_millis());
        let mut failed = Self::timeout(message, "request_timeout");
        failed.failure.fault = Fault::Client;
        failed.status = StatusCode::REQUEST_TIMEOUT;
        failed
    }

    /// Returns the failure of a response that asks for a protocol that the request did not offer.
    pub(super) fn switched(host: &str) -> Self {
        let message = format!("{host} switched protocols without being asked to");
        Self::upstream(FailureKind::Protocol, "upstream_protocol", message)
    }

    fn timeout(message: String, code: &'static str) -> Self {
        Self {
            end: EndReason::Timeout,
            status: StatusCode::GATEWAY_TIMEOUT,
            ..Self::upstream(FailureKind::Timeout, code, message)
        }
    }

    fn upstream(kind: FailureKind, code: &'static str, message: String) -> Self {
        Self {
            end: EndReason::UpstreamBreak,
            failure: Failure {
                kind,
                fault: Fault::Upstream,
                message,
            },
            status: StatusCode::BAD_GATEWAY,
            code,
            advice: "",
        }
    }

    fn client_gone() -> Self {
        Self {
            end: EndReason::ClientAbort,
            failure: Failure {
                kind: FailureKind::ClientGone,
                fault: Fault::Client,
                message: "the client closed the connection before the end of its request"
                    .to_owned(),
            },
            status: StatusCode::BAD_REQUEST,
            code: "client_gone",
            advice: "",
        }
    }

    fn malformed_body() -> Self {
        Self {
            end: EndReason::Blocked,
            failure: Failure {
                kind: FailureKind::Protocol,
                fault: Fault::Client,
                message: "the request's body breaks the rules of HTTP".to_owned(),
            },
            status: StatusCode::BAD_REQUEST,
            code: "bad_framing",
            advice: "",
        }
    }
}

/// Returns the failure of a response's body.
pub(super) fn body_broke(error: &hyper::Error) -> Failure {
    let (kind, what) = broken(error, "before the end of its answer");
    Failure {
        kind,
        fault: Fault::Upstream,
        message: format!("the upstream {what}"),
    }
}

/// Returns the failure of a response's body that came to a halt.
pub(super) fn body_stalled(limit: Duration) -> Failure {
    Failure {
        kind: FailureKind::Timeout,
        fault: Fault::Upstream,
        message: format!("no byte of the answer came for {} ms", limit.as_millis()),
    }
}

/// Returns how a request's body broke.
pub(super) fn request_fault(error: &hyper::Error) -> RequestFault {
    let malformed = find_io(error).is_some_and(|io| {
        matches!(
            io.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
        )
    });
    if malformed || error.is_parse() {
        RequestFault::Malformed
    } else {
        RequestFault::Gone
    }
}

fn broken(error: &hyper::Error, when: &str) -> (FailureKind, String) {
    let io = find_io(error).map(io::Error::kind);
    match io {
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => (
            FailureKind::Protocol,
            format!("broke the rules of HTTP: {}", words(error)),
        ),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            (FailureKind::Reset, format!("reset the connection {when}"))
        }
        _ if error.is_parse() => (
            FailureKind::Protocol,
            format!("broke the rules of HTTP: {}", words(error)),
        ),
        _ if is_reset(error) => (
            FailureKind::Reset,
            format!("reset the stream {when}: {}", words(error)),
        ),
        _ => (FailureKind::Reset, format!("closed the connection {when}")),
    }
}

/// Returns whether the text of the chain names an HTTP/2 error; hyper shows no type of its own for it.
fn is_reset(error: &hyper::Error) -> bool {
    let text = words(error);
    text.contains("http2 error") || text.contains("stream error")
}

fn find_io(error: &hyper::Error) -> Option<&io::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref() {
            return Some(io);
        }
        source = error.source();
    }
    None
}

/// Returns the error and its causes, each once.
fn words(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        source = error.source();
    }
    text
}
