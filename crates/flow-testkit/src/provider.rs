//! The server: accepts connections and runs them until it is stopped.
//!
//! HTTP/1.1, and HTTP/2 by prior knowledge. What a request gets is decided in [`crate::answer`].

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::answer::State;
use crate::behaviour::Behaviour;
use crate::conversation::{Library, LibraryError};
use crate::log::{Exchange, Log};
use crate::socket::{Reset, Socket};

/// How the provider is started.
#[derive(Clone, Debug)]
pub struct ProviderOptions {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Seconds since the epoch at the start, for `created`.
    pub epoch_seconds: u64,
    /// What it does where a request asks for nothing else.
    pub behaviour: Behaviour,
}

/// A running provider. It stops when it is dropped.
pub struct FakeProvider {
    address: SocketAddr,
    log: Arc<Log>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// Why a provider could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address could not be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// A conversation file makes no sense.
    #[error("the conversations cannot be read")]
    Library {
        /// What is wrong.
        #[source]
        source: LibraryError,
    },
}

// === impl ProviderOptions ===

impl Default for ProviderOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            epoch_seconds: 1_790_000_000,
            behaviour: Behaviour::default(),
        }
    }
}

// === impl FakeProvider ===

impl FakeProvider {
    /// Starts a provider on the current runtime.
    pub async fn start(options: ProviderOptions) -> Result<Self, StartError> {
        let library = Library::built_in().map_err(|source| StartError::Library { source })?;
        let listening = async {
            let listener = TcpListener::bind(options.listen).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening.await.map_err(|source| StartError::Listen {
            address: options.listen,
            source,
        })?;
        let log = Log::new();
        let state = State::new(
            library,
            Arc::clone(&log),
            options.behaviour,
            options.epoch_seconds,
        );
        let state = Arc::new(state);
        let (stop, stopped) = watch::channel(false);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one task of this crate; the handle below stops it and waits for it"
        )]
        let accepting = tokio::spawn(accept(listener, state, stopped));
        Ok(Self {
            address,
            log,
            stop,
            accepting,
        })
    }

    /// Returns the address that it listens on.
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Returns its URL, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what it received and sent, oldest first.
    pub fn log(&self) -> Vec<Exchange> {
        self.log.since(0)
    }

    /// Waits until the log satisfies a condition, and returns it. The caller sets the time limit.
    pub async fn log_when(&self, done: impl Fn(&[Exchange]) -> bool) -> Vec<Exchange> {
        let mut changed = self.log.watch();
        loop {
            let entries = self.log();
            if done(&entries) || changed.changed().await.is_err() {
                return entries;
            }
        }
    }

    /// Stops, breaking off what is running.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // A task that panicked has nothing left to stop.
        (&mut self.accepting).await.unwrap_or_default();
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // A failed accept concerns one connection, or passes when others close.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, Arc::clone(&state)));
                }
            }
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // Without it the second of two small writes waits for the peer's acknowledgement.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let reset = Reset::default();
    let socket = TokioIo::new(Socket::new(stream, reset.clone()));
    let service = service_fn(move |request| {
        let (state, reset) = (Arc::clone(&state), reset.clone());
        async move { Ok::<_, Infallible>(state.answer(request, reset).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    // How a connection ends is seen in the log of its exchanges.
    builder
        .serve_connection(socket, service)
        .await
        .unwrap_or_default();
}

#[cfg(test)]
mod tests;
