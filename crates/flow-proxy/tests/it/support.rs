//! A relay with its record, and the raw ends of sockets on both sides of it.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flow_capture::{
    BodyEnd, Capture, CaptureOptions, ConnectTimings, EventKind, FlowStart, Policy, Receiver,
};
use flow_model::{EndReason, Failure, FlowId, ResponseHead, Side, Timestamp};
use flow_proxy::{Proxy, ProxyOptions, Settings, serve};
use flow_redact::Fingerprints;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// Longest wait for anything in a test that does not fail.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Returns what the future gives, in bounded time.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let happened = tokio::time::timeout(WAIT_MAX, future).await;
    happened.unwrap_or_else(|_| panic!("{what} did not happen in time"))
}

/// Runs a future beside the test.
#[expect(
    clippy::disallowed_methods,
    reason = "tests have no shutdown to tie tasks to"
)]
pub(crate) fn beside<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::task::spawn(future)
}

/// Everything that the record was told of one flow.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) start: Option<FlowStart>,
    pub(crate) connected: Vec<ConnectTimings>,
    pub(crate) sent: usize,
    pub(crate) head: Option<ResponseHead>,
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
    pub(crate) response_frames: usize,
    pub(crate) request_ends: Vec<BodyEnd>,
    pub(crate) response_ends: Vec<BodyEnd>,
    pub(crate) end: Option<EndReason>,
    pub(crate) failure: Option<Failure>,
}

impl Recorded {
    fn take(&mut self, kind: EventKind) {
        assert!(
            self.end.is_none(),
            "nothing follows the end, but {kind:?} did"
        );
        match kind {
            EventKind::Begin(begin) => self.start = Some(begin.start),
            EventKind::Connected(timings) => self.connected.push(timings),
            EventKind::Sent => self.sent += 1,
            EventKind::Head(head) => self.head = Some(*head),
            EventKind::Frame {
                side: Side::Request,
                bytes,
            } => self.request.extend_from_slice(&bytes),
            EventKind::Frame {
                side: Side::Response,
                bytes,
            } => {
                self.response.extend_from_slice(&bytes);
                self.response_frames += 1;
            }
            EventKind::BodyEnd {
                side: Side::Request,
                end,
            } => self.request_ends.push(end),
            EventKind::BodyEnd {
                side: Side::Response,
                end,
            } => self.response_ends.push(end),
            EventKind::Gap { .. } => panic!("no gap in a test"),
            EventKind::End { reason, failure } => {
                self.end = Some(reason);
                self.failure = failure.map(|failure| *failure);
            }
        }
    }

    pub(crate) fn start(&self) -> &FlowStart {
        self.start.as_ref().expect("a flow begins")
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.start()
            .request
            .headers
            .iter()
            .map(|header| header.name.as_str())
            .collect()
    }

    /// Returns the words of the failure.
    pub(crate) fn why(&self) -> &str {
        self.failure.as_ref().map_or("", |failure| &failure.message)
    }
}

/// Collects flows until they end.
fn collect(mut receiver: Receiver, ended: &mpsc::UnboundedSender<Recorded>) {
    let mut running: Vec<(FlowId, Recorded)> = Vec::new();
    while receiver.wait(Duration::ZERO, true) {
        for event in receiver.by_ref() {
            let at = running
                .iter()
                .position(|(id, _)| *id == event.flow)
                .unwrap_or_else(|| {
                    running.push((event.flow, Recorded::default()));
                    running.len() - 1
                });
            running[at].1.take(event.kind);
            if running[at].1.end.is_some() && ended.send(running.swap_remove(at).1).is_err() {
                return;
            }
        }
    }
}

/// A running relay.
pub(crate) struct Monitor {
    pub(crate) address: SocketAddr,
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) capture: Capture,
    flows: mpsc::UnboundedReceiver<Recorded>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Monitor {
    /// Starts a relay with an upstream `up` at this address.
    pub(crate) async fn start(upstream: SocketAddr) -> Self {
        Self::with(|options| options.upstreams.push(up(upstream))).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ProxyOptions)) -> Self {
        Self::at(|options, _| change(options)).await
    }

    /// Starts a relay with options that may name its own address.
    pub(crate) async fn at(change: impl FnOnce(&mut ProxyOptions, SocketAddr)) -> Self {
        let options = CaptureOptions {
            workers: 1,
            spill_dir: None,
            ..CaptureOptions::default()
        };
        let clock = Arc::new(|| Timestamp(1_700_000_000_000_000));
        let (capture, receivers) = Capture::new(options, Policy::default(), clock).unwrap();
        let (ended, flows) = mpsc::unbounded_channel();
        for receiver in receivers {
            let ended = ended.clone();
            std::thread::spawn(move || collect(receiver, &ended));
        }
        let fingerprints = Arc::new(Fingerprints::new([7; 32]));
        let mut options = ProxyOptions::new(capture.clone(), fingerprints);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        change(&mut options, address);
        let proxy = Proxy::new(options);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = beside(serve(listener, Arc::clone(&proxy), async {
            drop(stopped.await);
        }));
        Self {
            address,
            proxy,
            capture,
            flows,
            stop: Some(stop),
            served,
        }
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::clone(&self.proxy.settings());
        change(&mut settings);
        self.proxy.set_settings(settings);
    }

    pub(crate) async fn client(&self) -> Raw<TcpStream> {
        Raw::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Returns the next flow that has ended.
    pub(crate) async fn flow(&mut self) -> Recorded {
        soon("the end of a flow", self.flows.recv())
            .await
            .expect("the record runs")
    }

    /// Begins the shutdown.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(&mut self) {
        soon("the shutdown", &mut self.served)
            .await
            .unwrap()
            .unwrap();
    }
}

/// Returns the upstream `up` at this address.
pub(crate) fn up(address: SocketAddr) -> flow_proxy::Upstream {
    format!("up=http://{address}").parse().unwrap()
}

/// A listener whose connections the test speaks on itself.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    listener: TcpListener,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { address, listener }
    }

    pub(crate) async fn accept(&self) -> Raw<TcpStream> {
        let (stream, _) = soon("a connection to the upstream", self.listener.accept())
            .await
            .unwrap();
        stream.set_nodelay(true).unwrap();
        Raw::new(stream)
    }

    /// Returns whether nobody has connected that was not accepted.
    pub(crate) async fn is_quiet(&self) -> bool {
        tokio::time::timeout(Duration::ZERO, self.listener.accept())
            .await
            .is_err()
    }

    /// Accepts one connection and answers one request without a body with these bytes.
    pub(crate) async fn answer(&self, answer: &str) -> (String, Raw<TcpStream>) {
        let mut connection = self.accept().await;
        let head = connection.head().await;
        connection.send(answer).await;
        (head, connection)
    }
}

/// One end of a connection, byte for byte.
pub(crate) struct Raw<S> {
    pub(crate) stream: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub(crate) const fn new(stream: S) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Returns what comes up to and with these bytes.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self
                .read
                .windows(end.len())
                .position(|window| window == end.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + end.len());
                let before = std::mem::replace(&mut self.read, rest);
                return String::from_utf8_lossy(&before).into_owned();
            }
            let count = soon(end, self.stream.read_buf(&mut self.read))
                .await
                .unwrap_or(0);
            let so_far = String::from_utf8_lossy(&self.read);
            assert_ne!(
                count, 0,
                "the connection ended before {end:?}, after {so_far:?}"
            );
        }
    }

    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Returns what comes until the other side closes, and whether it closed in order.
    pub(crate) async fn rest(&mut self) -> (String, bool) {
        let ended = soon(
            "the end of the connection",
            self.stream.read_to_end(&mut self.read),
        )
        .await;
        (
            String::from_utf8_lossy(&self.read).into_owned(),
            ended.is_ok(),
        )
    }

    /// Returns this many bytes.
    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            let read = soon("more bytes", self.stream.read_buf(&mut self.read))
                .await
                .unwrap();
            assert_ne!(
                read,
                0,
                "the connection ended after {} bytes",
                self.read.len()
            );
        }
        let rest = self.read.split_off(count);
        std::mem::replace(&mut self.read, rest)
    }
}

/// Returns a request without a body.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// Returns a request with a body of four bytes.
pub(crate) fn post(path: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody")
}

/// An answer of two bytes.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The head of an answer in chunks.
pub(crate) const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
