//! Serving until the program stops.
//!
//! Speaks HTTP/1 with upgrades to a bounded number of clients; the next ones wait in the system's backlog. What a
//! client may keep us waiting for is bounded as well: the end of a head, and taking what was sent to it. A failing
//! accept never ends the loop.
//!
//! A feed that became a WebSocket runs in a task of its own, but its socket counts as a connection until it ends.

mod client;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use self::client::ClientIo;

/// Time that answers under way get to end once the program stops.
const GRACE: Duration = Duration::from_secs(2);
/// What clients may take of the monitor.
const LIMITS: Limits = Limits {
    connections_max: 512,
    head_time_max: Duration::from_secs(10),
    patience: Duration::from_secs(30),
};
/// Longest head of a request, and what waits to be sent to one client: nothing is added to more than this, so one
/// message of a feed or one piece of a body comes on top.
const BUFFER_BYTES_MAX: usize = 64 << 10;
/// Pause after an accept that failed for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Time between two complaints about accepts that fail.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Connections that are open at a time, upgraded ones included.
    connections_max: usize,
    /// Longest time to the end of a request's head, the time that a connection is idle before included.
    head_time_max: Duration,
    /// Longest time in which a client takes nothing of what is sent to it.
    patience: Duration,
}

/// Says now and then that accepting fails.
#[derive(Debug, Default)]
struct Complaints {
    last: Option<Instant>,
}

/// Serves the router until `shutdown` turns true or loses its sender, then lets running answers end for a moment.
///
/// A feed that became a WebSocket is no longer the server's: it drops its receiver of `shutdown` when it has
/// ended, so the sender's `closed` tells when all have.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_within(LIMITS, listener, router, shutdown).await;
    Ok(())
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: watch::Receiver<bool>,
) {
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    let mut complaints = Complaints::default();
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            () = stopped(shutdown.clone()) => break,
            (permit, stream) = next_client(&listener, &permits, &mut complaints) => {
                let io = ClientIo::new(stream, permit, limits.patience);
                tasks.spawn(connection(limits, io, router.clone(), shutdown.clone()));
            }
            // Ended connections are let go of; a panic among them was told by its own thread.
            Some(_ended) = tasks.join_next() => {}
        }
    }
    drop(listener);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(GRACE, ended).await.is_err() {
        tracing::debug!("answers were cut off after {GRACE:?}");
        tasks.shutdown().await;
    }
}

/// Returns the next client once there is room for it.
async fn next_client(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
    complaints: &mut Complaints,
) -> (OwnedSemaphorePermit, TcpStream) {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    let (stream, _) = accepted(|| listener.accept(), complaints).await;
    // A small message of the feed must not wait for the one before it to be acknowledged.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    (permit, stream)
}

/// Accepts until that succeeds.
async fn accepted<T, F: Future<Output = io::Result<T>>>(
    mut accept: impl FnMut() -> F,
    complaints: &mut Complaints,
) -> T {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    loop {
        match accept().await {
            Ok(client) => return client,
            Err(error) => match error.kind() {
                ConnectionAborted | ConnectionReset | Interrupted => {
                    tracing::debug!(%error, "a client went away before it was accepted");
                }
                _ => {
                    if complaints.is_due() {
                        tracing::warn!(%error, "no client of the API can be accepted at the moment");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
}

/// Serves one client until it goes, breaks a limit or the program stops.
async fn connection(
    limits: Limits,
    io: ClientIo<impl AsyncRead + AsyncWrite + Unpin + Send + 'static>,
    router: Router,
    shutdown: watch::Receiver<bool>,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_max)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(io), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = &mut connection => ended,
        () = stopped(shutdown) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a client's connection ended"
        );
    }
}

/// Waits until the program stops.
pub(crate) async fn stopped(mut shutdown: watch::Receiver<bool>) {
    // An error means that the sender is gone, which says the same.
    let _stop = shutdown.wait_for(|stop| *stop).await.is_ok();
}

// === impl Complaints ===

impl Complaints {
    /// Returns whether it is time for one, which then counts as made.
    fn is_due(&mut self) -> bool {
        let now = Instant::now();
        let due = self
            .last
            .is_none_or(|last| now.duration_since(last) >= COMPLAINT_PAUSE);
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests;
