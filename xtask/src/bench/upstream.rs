//! The upstream of the benchmark: answers at once, or with events at a steady pace that say when they were sent.
//!
//! | path begins with | answer |
//! | --- | --- |
//! | `/v1/` | a chat completion of 2 KB |
//! | `/stream/` | 100 events, one every 2 ms |
//! | `/pulse/` | 40 events, one every 10 ms |
//!
//! It runs in the process that measures, so that both read one clock.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context as TaskContext, Poll, ready};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Length of a whole answer.
const ANSWER_BYTES: usize = 2_000;
/// Marks the time in an event.
const MARK: &str = "at=";

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// An upstream that runs as long as this value.
pub(super) struct Upstream {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

enum Answer {
    Whole(Option<Bytes>),
    Events { left: u32, pace: Interval },
}

// === impl Upstream ===

impl Upstream {
    /// Starts it.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("listen as upstream")?;
        let address = listener.local_addr().context("listen as upstream")?;
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener));
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn accept(listener: TcpListener) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).ok();
        connections.spawn(async move {
            http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await
                .ok();
        });
        // Connections that have ended are forgotten.
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    let events = match path.split('/').nth(1) {
        Some("stream") => Some((100, Duration::from_millis(2))),
        Some("pulse") => Some((40, Duration::from_millis(10))),
        _ => None,
    };
    let (kind, answer) = match events {
        Some((count, pace)) => ("text/event-stream", Answer::events(count, pace)),
        None => ("application/json", Answer::Whole(Some(completion()))),
    };
    let mut response = Response::new(answer);
    let kind = hyper::header::HeaderValue::from_static(kind);
    response.headers_mut().insert("content-type", kind);
    Ok(response)
}

fn completion() -> Bytes {
    static ANSWER: LazyLock<Bytes> = LazyLock::new(|| {
        let text = "word ".repeat(ANSWER_BYTES / 6);
        let answer = json!({
            "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-5.1",
            "choices": [{
                "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text},
            }],
            "usage": {"prompt_tokens": 500, "completion_tokens": 330, "total_tokens": 830},
        });
        Bytes::from(answer.to_string())
    });
    ANSWER.clone()
}

fn event(left: u32) -> Bytes {
    let at = EPOCH.elapsed().as_micros();
    let (delta, finish) = match left {
        1 => (json!({}), json!("stop")),
        _ => (json!({"content": format!("{MARK}{at} ")}), json!(null)),
    };
    let chunk = json!({
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-5.1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    });
    Bytes::from(format!("data: {chunk}\n\n"))
}

/// Returns how long ago the event in these bytes was sent, where they hold one with a time.
pub(super) fn age(bytes: &[u8]) -> Option<Duration> {
    let now = EPOCH.elapsed();
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once(MARK)?;
    let micros = rest.split(' ').next()?.parse().ok()?;
    Some(now.saturating_sub(Duration::from_micros(micros)))
}

// === impl Answer ===

impl Answer {
    fn events(count: u32, every: Duration) -> Self {
        let mut pace = interval(every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self::Events { left: count, pace }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut *self {
            Self::Whole(bytes) => bytes.take(),
            Self::Events { left: 0, .. } => None,
            Self::Events { left, pace } => {
                ready!(pace.poll_tick(context));
                let bytes = event(*left);
                *left -= 1;
                Some(bytes)
            }
        };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(Some(bytes)) => hyper::body::SizeHint::with_exact(bytes.len() as u64),
            Self::Whole(None) => hyper::body::SizeHint::with_exact(0),
            Self::Events { .. } => hyper::body::SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_when_it_was_sent_and_the_last_one_does_not() {
        assert!(age(&event(2)).is_some_and(|age| age < Duration::from_mins(1)));
        assert_eq!(age(&event(1)), None);
        assert_eq!(age(b"\xFF"), None);
    }
}
