//! The listener: accepts clients, tells HTTP/1 from HTTP/2, serves until shutdown.
//!
//! A failing accept (no file descriptors left, a client that has gone already) never ends the loop. Connections
//! are counted; at the cap the next ones wait in the system's backlog. Heads are limited in size and in the time
//! that they may take.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::heads::{HEAD_BYTES_MAX, HeadSide, HeadTap, READ_BYTES_MAX, TapIo};
use crate::proxy::Proxy;
use crate::relay::Caller;

/// Longest time to the end of a request's head. It includes the time that a connection is idle before, so it is
/// longer than clients commonly keep an idle connection: closing first would cut off requests on their way.
const HEAD_TIME_MAX: Duration = Duration::from_mins(2);
/// Pause after an accept that failed for want of resources.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Streams that one HTTP/2 client may have open.
const STREAMS_MAX: u32 = 256;
/// Windows of HTTP/2 for what clients send.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// What an HTTP/2 client with prior knowledge sends first, as far as no method of HTTP/1 begins so.
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Relays what clients of this listener send, until `shutdown` is ready; then lets exchanges end for the time
/// that the settings give and drops the rest. A relay is served once.
///
/// # Errors
/// The listener has no address.
pub async fn serve(
    listener: TcpListener,
    proxy: Arc<Proxy>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    proxy.guard_listener(listener.local_addr()?);
    proxy.tasks.spawn(Arc::clone(&proxy.pool).tend());
    let permits = Arc::new(Semaphore::new(proxy.connections_max));
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (permit, stream, peer) = accept(&listener, &permits) => {
                proxy.tasks.spawn(connection(Arc::clone(&proxy), stream, peer, permit));
            }
        }
    }
    drop(listener);
    let grace = proxy.settings().shutdown_timeout;
    proxy.tasks.shut_down(grace).await;
    Ok(())
}

/// Returns the next client once there is room for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    if permits.available_permits() == 0 {
        tracing::warn!("as many clients are connected as may be; the next ones wait");
    }
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (permit, stream, peer),
            Err(error) if is_of_one_client(&error) => {
                tracing::debug!(%error, "a client went away before it was accepted");
            }
            Err(error) => {
                tracing::warn!(%error, "no client can be accepted at the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted
    )
}

async fn connection(
    proxy: Arc<Proxy>,
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let first = tokio::time::timeout(HEAD_TIME_MAX, speaks_http2(&stream));
    let told = proxy.tasks.told();
    let is_http2 = tokio::select! {
        () = told => return,
        first = first => match first {
            Ok(Ok(is_http2)) => is_http2,
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let head_tap = (!is_http2).then(|| HeadTap::new(HeadSide::Requests));
    let caller = Arc::new(Caller {
        proxy,
        peer,
        local: local.ip(),
        head_tap,
    });
    match caller.head_tap.clone() {
        Some(tap) => serve_http1(caller, TapIo::new(stream, tap)).await,
        None => serve_http2(caller, stream).await,
    }
    drop(permit);
}

/// Returns whether the connection begins with HTTP/2's preface. Its bytes stay where they are.
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; HTTP2_PREFACE.len()];
    let count = stream.peek(&mut first).await?;
    Ok(count > 3
        && first
            .get(..count)
            .is_some_and(|first| HTTP2_PREFACE.starts_with(first)))
}

async fn serve_http1(caller: Arc<Caller>, io: TapIo<TcpStream>) {
    let served = Arc::clone(&caller);
    let service = service_fn(move |request| {
        let caller = Arc::clone(&served);
        async move { Ok::<_, Infallible>(caller.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::default())
        .header_read_timeout(HEAD_TIME_MAX)
        .preserve_header_case(true)
        .auto_date_header(false)
        .half_close(false)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_BYTES_MAX)
        .serve_connection(TokioIo::new(io), service);
    tokio::pin!(connection);
    let tasks = caller.proxy.tasks.clone();
    let told = tasks.told();
    tokio::pin!(told);
    let mut is_told = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut connection => break ended,
            () = &mut told, if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    match ended {
        Err(error) if error.is_parse() => {
            tracing::debug!(peer = %caller.peer, %error, "a request could not be read");
            caller.record_malformed(&error);
        }
        Err(error) => tracing::debug!(peer = %caller.peer, %error, "a client's connection ended"),
        Ok(()) => {}
    }
}

async fn serve_http2(caller: Arc<Caller>, stream: TcpStream) {
    let served = Arc::clone(&caller);
    let service = service_fn(move |request| {
        let caller = Arc::clone(&served);
        async move { Ok::<_, Infallible>(caller.answer(request).await) }
    });
    let tasks = caller.proxy.tasks.clone();
    let connection = http2::Builder::new(tasks.clone())
        .timer(TokioTimer::default())
        .auto_date_header(false)
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let told = tasks.told();
    tokio::pin!(told);
    let mut is_told = false;
    let ended = loop {
        tokio::select! {
            biased;
            ended = &mut connection => break ended,
            () = &mut told, if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %caller.peer, %error, "a client's connection ended");
    }
}
