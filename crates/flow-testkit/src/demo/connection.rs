//! A client connection: HTTP/1.1 with keep-alive, and the freedom to walk away from an answer.
//!
//! The connection is polled together with the work on it, so it needs no task of its own and is closed by being
//! dropped.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Longest time that an agent waits where a provider asks it to.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Answered to the end, with a status below 400.
    Answered,
    /// The agent left, as it was meant to.
    Left,
    /// Refused in a way that will not pass.
    Refused,
    /// Refused or broken off in a way that may pass.
    TryAgain { after: Duration },
    /// No connection.
    Unreachable,
}

/// A connection to the proxy, opened when it is needed.
pub(super) struct Connection {
    authority: Authority,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
    closed: bool,
}

// === impl Connection ===

impl Connection {
    pub(super) const fn new(authority: Authority) -> Self {
        Self {
            authority,
            open: None,
        }
    }

    /// Sends a request and reads the answer. Leaves after so many frames of the body where that is asked.
    pub(super) async fn send(
        &mut self,
        target: &str,
        headers: &[(&'static str, String)],
        body: String,
        leave_after: Option<usize>,
    ) -> Outcome {
        let Some(mut open) = self.take().await else {
            return Outcome::Unreachable;
        };
        let mut request = Request::post(target).header(header::HOST, self.authority.as_str());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let Ok(request) = request.body(Full::from(body)) else {
            return Outcome::Refused;
        };
        let sent = open.sender.send_request(request);
        let Ok(response) = drive(&mut open.driver, &mut open.closed, sent).await else {
            return Outcome::TryAgain {
                after: RETRY_AFTER_DEFAULT,
            };
        };
        let verdict = verdict(&response);
        let read = read(response.into_body(), leave_after);
        match drive(&mut open.driver, &mut open.closed, read).await {
            Read::All => {
                self.open = Some(open);
                verdict
            }
            Read::Left => Outcome::Left,
            Read::Broken => Outcome::TryAgain {
                after: RETRY_AFTER_DEFAULT,
            },
        }
    }

    /// Returns the open connection where it still works, else a new one.
    async fn take(&mut self) -> Option<Open> {
        if let Some(mut open) = self.open.take() {
            let ready = open.sender.ready();
            if drive(&mut open.driver, &mut open.closed, ready)
                .await
                .is_ok()
                && !open.closed
            {
                return Some(open);
            }
        }
        let stream = TcpStream::connect(self.authority.as_str()).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        Some(Open {
            sender,
            driver,
            closed: false,
        })
    }
}

enum Read {
    All,
    Left,
    Broken,
}

async fn read(mut body: Incoming, leave_after: Option<usize>) -> Read {
    let mut frames = 0;
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return Read::Broken;
        }
        frames += 1;
        if leave_after.is_some_and(|after| frames >= after) {
            return Read::Left;
        }
    }
    Read::All
}

fn verdict(response: &Response<Incoming>) -> Outcome {
    let status = response.status().as_u16();
    let asked = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.parse().ok())
        .map_or(RETRY_AFTER_DEFAULT, Duration::from_secs);
    match status {
        408 | 409 | 429 | 500.. => Outcome::TryAgain {
            after: asked.min(RETRY_AFTER_MAX),
        },
        400.. => Outcome::Refused,
        _ => Outcome::Answered,
    }
}

/// Runs `work` while the connection moves.
async fn drive<T>(
    driver: &mut http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
    closed: &mut bool,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        // A connection must not be polled after its end; the work learns of it through its own channel.
        *closed = *closed || Pin::new(&mut *driver).poll(context).is_ready();
        work.as_mut().poll(context)
    })
    .await
}
