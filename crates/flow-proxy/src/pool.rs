//! Connections to upstreams: idle ones of HTTP/1, last used first, and one shared connection of HTTP/2 a host.
//!
//! A connection of HTTP/1 comes back once both bodies have ended; else it is closed. Nothing waits for a
//! connection to become free: without an idle one a new one is made.

mod connect;
mod guard;
mod proxies;
mod roots;
mod socks;
mod transport;
mod tunnel;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flow_capture::ConnectTimings;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::heads::{HEAD_BYTES_MAX, HeadSide, HeadTap, Leg, READ_BYTES_MAX, TapIo};
use crate::relay::RequestBody;
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::upstreams::Origin;

pub(crate) use connect::{ConnectError, Connector};
pub(crate) use guard::OwnListeners;
pub use proxies::{EnvironmentError, ProxyEnvironment};

/// Longest time that a connection stays open unused. Servers commonly close after a minute or more.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Idle connections of HTTP/1 kept for one origin.
const IDLE_PER_ORIGIN_MAX: usize = 64;
/// Origins for which connections are kept: paths with a parameter can name many.
const ORIGINS_MAX: usize = 256;
/// Longest wait for a connection that has just come back and is finishing its last exchange.
const READY_WAIT_MAX: Duration = Duration::from_millis(20);
/// Window of one stream of HTTP/2, and of all streams of a connection.
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
/// How often, and how patiently, a connection of HTTP/2 with open streams is asked whether it still lives.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

type Http1Sender = http1::SendRequest<RequestBody>;
type Http2Sender = http2::SendRequest<RequestBody>;

/// The connections to all upstreams.
pub(crate) struct Pool {
    connector: Connector,
    tasks: Tasks,
    slots: Mutex<HashMap<Arc<Origin>, Slot>>,
    is_closed: AtomicBool,
}

/// The connections to one upstream.
#[derive(Default)]
struct Slot {
    idle: Vec<Idle>,
    shared: Option<Shared>,
}

struct Idle {
    sender: Http1Sender,
    tap: Arc<HeadTap>,
    since: Instant,
}

struct Shared {
    sender: Http2Sender,
    used: Instant,
}

/// A connection for one exchange.
pub(crate) enum Connection {
    Http1 {
        sender: Http1Sender,
        tap: Arc<HeadTap>,
    },
    Http2 {
        sender: Http2Sender,
    },
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(connector: Connector, tasks: Tasks) -> Arc<Self> {
        Arc::new(Self {
            connector,
            tasks,
            slots: Mutex::new(HashMap::new()),
            is_closed: AtomicBool::new(false),
        })
    }

    /// Returns a connection that stands already.
    pub(crate) async fn reuse(&self, origin: &Arc<Origin>) -> Option<Connection> {
        loop {
            let mut connection = self.take(origin)?;
            let Connection::Http1 { sender, .. } = &mut connection else {
                return Some(connection);
            };
            if sender.is_ready() {
                return Some(connection);
            }
            let ready = tokio::time::timeout(READY_WAIT_MAX, sender.ready()).await;
            if matches!(ready, Ok(Ok(()))) {
                return Some(connection);
            }
        }
    }

    fn take(&self, origin: &Arc<Origin>) -> Option<Connection> {
        let mut slots = self.slots.lock();
        let slot = slots.get_mut(origin)?;
        if let Some(shared) = &mut slot.shared {
            if !shared.sender.is_closed() {
                shared.used = Instant::now();
                let sender = shared.sender.clone();
                return Some(Connection::Http2 { sender });
            }
            slot.shared = None;
        }
        while let Some(idle) = slot.idle.pop() {
            if !idle.sender.is_closed() && idle.since.elapsed() < IDLE_TIME_MAX {
                let Idle { sender, tap, .. } = idle;
                return Some(Connection::Http1 { sender, tap });
            }
        }
        None
    }

    /// Returns a new connection, and how long its steps took.
    pub(crate) async fn connect(
        &self,
        origin: &Arc<Origin>,
        settings: &Settings,
    ) -> Result<(Connection, ConnectTimings), ConnectError> {
        let made = self.connector.connect(origin, settings).await?;
        let handshake = async {
            match made.leg {
                Leg::Http1 => self.open_http1(made.transport).await,
                Leg::Http2 => self.open_http2(origin, made.transport).await,
            }
        };
        let connection = handshake.await.map_err(|source| ConnectError::Http {
            host: origin.host().to_owned(),
            source,
        })?;
        Ok((connection, made.timings))
    }

    async fn open_http1(&self, transport: transport::Transport) -> hyper::Result<Connection> {
        let tap = HeadTap::new(HeadSide::Responses);
        let io = TokioIo::new(TapIo::new(transport, Arc::clone(&tap)));
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(READ_BYTES_MAX)
            .handshake(io)
            .await?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an upstream ended");
            }
        });
        Ok(Connection::Http1 { sender, tap })
    }

    async fn open_http2(
        &self,
        origin: &Arc<Origin>,
        transport: transport::Transport,
    ) -> hyper::Result<Connection> {
        let (sender, connection) = http2::Builder::new(self.tasks.clone())
            .timer(TokioTimer::default())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .handshake(TokioIo::new(transport))
            .await?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to an upstream ended");
            }
        });
        let shared = sender.clone();
        self.with_slot(origin, |slot| {
            slot.shared = Some(Shared {
                sender: shared,
                used: Instant::now(),
            });
        });
        Ok(Connection::Http2 { sender })
    }

    /// Takes back a connection whose exchange is over.
    pub(crate) fn put_back(&self, origin: &Arc<Origin>, connection: Connection) {
        let Connection::Http1 { sender, tap } = connection else {
            return;
        };
        if sender.is_closed() {
            return;
        }
        self.with_slot(origin, |slot| {
            if slot.idle.len() < IDLE_PER_ORIGIN_MAX {
                let since = Instant::now();
                slot.idle.push(Idle { sender, tap, since });
            }
        });
    }

    fn with_slot(&self, origin: &Arc<Origin>, change: impl FnOnce(&mut Slot)) {
        if self.is_closed.load(Ordering::Acquire) {
            return;
        }
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get_mut(origin) {
            change(slot);
        } else if slots.len() < ORIGINS_MAX {
            change(slots.entry(Arc::clone(origin)).or_default());
        }
    }

    /// Closes what has been unused for too long, for as long as the relay runs.
    pub(crate) async fn tend(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(IDLE_TIME_MAX);
        let told = self.tasks.told();
        tokio::pin!(told);
        loop {
            tokio::select! {
                () = &mut told => break,
                _ = ticks.tick() => self.sweep(),
            }
        }
        self.close();
    }

    fn sweep(&self) {
        self.slots.lock().retain(|_, slot| {
            slot.idle
                .retain(|idle| !idle.sender.is_closed() && idle.since.elapsed() < IDLE_TIME_MAX);
            // A sender that is dropped leaves the streams that are open to their end.
            slot.shared.take_if(|shared| {
                shared.sender.is_closed() || shared.used.elapsed() >= IDLE_TIME_MAX
            });
            !slot.idle.is_empty() || slot.shared.is_some()
        });
    }

    /// Closes what is idle and keeps nothing from now on.
    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.slots.lock().clear();
    }
}

// === impl Connection ===

impl Connection {
    pub(crate) const fn leg(&self) -> Leg {
        match self {
            Self::Http1 { .. } => Leg::Http1,
            Self::Http2 { .. } => Leg::Http2,
        }
    }

    /// Returns where the raw head of the response stands, in HTTP/1.
    pub(crate) const fn head_tap(&self) -> Option<&Arc<HeadTap>> {
        match self {
            Self::Http1 { tap, .. } => Some(tap),
            Self::Http2 { .. } => None,
        }
    }

    /// Sends the request. It comes back with the error where nothing of it was written.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        match self {
            Self::Http1 { sender, tap } => {
                tap.arm();
                sender.try_send_request(request).await
            }
            Self::Http2 { sender } => sender.try_send_request(request).await,
        }
    }
}
