//! Serving until the program stops.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Time that answers under way get to end once the program stops.
const GRACE: Duration = Duration::from_secs(2);

/// Serves the router until `shutdown` turns true or loses its sender, then lets running answers end for a moment.
///
/// A feed that became a WebSocket is no longer the server's: it drops its receiver of `shutdown` when it has
/// ended, so the sender's `closed` tells when all have.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: watch::Receiver<bool>,
) -> io::Result<()> {
    // A small message of the feed must not wait for the one before it to be acknowledged.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(stopped(shutdown.clone()));
    tokio::select! {
        result = async { server.await } => result,
        () = async {
            stopped(shutdown).await;
            tokio::time::sleep(GRACE).await;
        } => {
            tracing::debug!("answers were cut off after {GRACE:?}");
            Ok(())
        }
    }
}

/// Waits until the program stops.
pub(crate) async fn stopped(mut shutdown: watch::Receiver<bool>) {
    // An error means that the sender is gone, which says the same.
    let _stop = shutdown.wait_for(|stop| *stop).await.is_ok();
}
