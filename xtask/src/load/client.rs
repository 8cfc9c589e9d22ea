//! One connection that sends requests, the next when the last is answered.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A connection over HTTP/1.1.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
    /// Drives the connection; ends with it.
    _driver: JoinSet<()>,
}

// === impl Connection ===

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to {address}"))?;
        stream.set_nodelay(true).context("set TCP_NODELAY")?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .context("begin HTTP")?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // How the connection ends is seen by the request that was on it.
            connection.await.ok();
        });
        Ok(Self {
            address,
            sender,
            _driver: driver,
        })
    }

    /// Returns where the connection leads.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request and returns the response when its head has arrived.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>> {
        self.sender.ready().await.context("connection closed")?;
        let response = self.sender.send_request(request).await;
        response.context("send the request")
    }
}

/// Returns a request with a JSON body.
pub(crate) fn post(address: SocketAddr, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>> {
    Request::post(path)
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-test-0123456789abcdef")
        .body(Full::new(body))
        .context("make the request")
}
