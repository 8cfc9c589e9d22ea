//! A proxy that does nothing but relay, with the same HTTP library as the monitor: the floor of what it can cost.
//!
//! Each client's connection has one to the upstream. Nothing is routed, checked, or kept.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// From where to where.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    upstream: SocketAddr,
}

/// Relays until the process is ended.
pub(crate) fn relay(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(options.listen).await.context("listen")?;
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.context("accept")?;
            let upstream = options.upstream;
            connections.spawn(async move {
                // A client that goes away ends its connection, and nothing else.
                serve(stream, upstream).await.ok();
            });
            while connections.try_join_next().is_some() {}
        }
    })
}

async fn serve(stream: TcpStream, upstream: SocketAddr) -> Result<()> {
    stream.set_nodelay(true)?;
    let onward = TcpStream::connect(upstream).await?;
    onward.set_nodelay(true)?;
    let (sender, connection) = client::handshake(TokioIo::new(onward)).await?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let sender = Arc::new(Mutex::new(sender));
    let service = service_fn(|request| pass(Arc::clone(&sender), request));
    server::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await?;
    Ok(())
}

async fn pass(
    sender: Arc<Mutex<SendRequest<Incoming>>>,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, hyper::Error> {
    let mut sender = sender.lock().await;
    sender.ready().await?;
    sender.send_request(request).await
}
