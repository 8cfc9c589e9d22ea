//! The API as the command line reaches it: of the running monitor or, where none runs, over the files of the
//! last one, opened for reading only.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::config::Config;
use crate::files;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Time to reach the running monitor.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Somebody who answers the API.
pub(crate) struct Instance {
    runtime: Runtime,
    token: String,
    host: String,
    reach: Reach,
}

enum Reach {
    Running(SocketAddr),
    Files(Box<Router>),
}

/// Where a monitor listens and what it can relay to.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) proxy_url: String,
    pub(crate) ui_url: String,
    /// Names and URLs of upstreams.
    pub(crate) upstreams: Vec<(String, String)>,
}

/// The answer was an error.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    message: String,
}

// === impl Instance ===

impl Instance {
    /// Returns the running monitor, if one runs on this data directory.
    pub(crate) fn running(config: &Config) -> anyhow::Result<Option<Self>> {
        let dir = &config.data_dir;
        let text = match std::fs::read_to_string(dir.join(files::ENDPOINTS_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).context("the addresses of the running monitor cannot be read");
            }
        };
        if !flow_store::is_in_use(dir) {
            // The monitor was killed before it could take its file away. Somebody else may have its ports by now,
            // who must not get the token.
            return Ok(None);
        }
        let endpoints: Value = serde_json::from_str(&text).unwrap_or_default();
        let address = endpoints
            .get("ui")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (Ok(address), Some(token)) = (address.parse(), files::read_token(dir)?) else {
            return Ok(None);
        };
        if std::net::TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_err() {
            // It has just ended.
            return Ok(None);
        }
        Ok(Some(Self {
            runtime: runtime()?,
            token,
            host: address.to_string(),
            reach: Reach::Running(address),
        }))
    }

    /// Returns the running monitor or, where none runs, the files of the last one.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        if let Some(instance) = Self::running(config)? {
            return Ok(instance);
        }
        let runtime = runtime()?;
        let token = files::hex(&files::random()?);
        let router = {
            let _entered = runtime.enter();
            crate::serve::offline_api(config, &token)?
        };
        Ok(Self {
            runtime,
            token,
            host: "localhost".to_owned(),
            reach: Reach::Files(Box::new(router)),
        })
    }

    /// Returns where the monitor listens and relays to.
    pub(crate) fn place(&self) -> anyhow::Result<Place> {
        let status = self.get("/api/status")?;
        if status.get("read_only").and_then(Value::as_bool) == Some(true) {
            bail!("this is an archive: nothing is relayed, and nothing recorded");
        }
        Place::of_status(&status).context("the monitor's status has another form")
    }

    /// Returns the answer to a `GET`.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path)
    }

    /// Returns the answer to a `POST` without a body.
    pub(crate) fn post(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::POST, path)
    }

    /// Returns the answer to a `POST` of JSON.
    pub(crate) fn post_json(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call_with(Method::POST, path, Body::from(body.to_string()))
    }

    /// Returns the answer to a `DELETE` with JSON.
    pub(crate) fn delete_json(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call_with(Method::DELETE, path, Body::from(body.to_string()))
    }

    /// Pins a flow, or unpins it.
    pub(crate) fn pin(&self, id: &str, pinned: bool) -> anyhow::Result<()> {
        let method = if pinned { Method::PUT } else { Method::DELETE };
        self.call(method, &format!("/api/flows/{id}/pin")).map(drop)
    }

    /// Waits between two questions.
    pub(crate) fn pause(&self, time: Duration) {
        self.runtime
            .block_on(async { tokio::time::sleep(time).await });
    }

    fn call(&self, method: Method, path: &str) -> anyhow::Result<Value> {
        self.call_with(method, path, Body::empty())
    }

    fn call_with(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Value> {
        self.runtime.block_on(async {
            let response = self.send(method, path, body).await?;
            let status = response.status();
            let body = http_body_util::Limited::new(response.into_body(), ANSWER_BYTES_MAX);
            let bytes = body
                .collect()
                .await
                .map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
            let value: Value = serde_json::from_slice(&bytes.to_bytes()).unwrap_or_default();
            if status.is_success() {
                return Ok(value);
            }
            let text = |pointer| value.pointer(pointer).and_then(Value::as_str);
            let message = text("/error/message").unwrap_or("the API refused without a reason");
            let help = text("/error/help")
                .map(|help| format!(" ({help})"))
                .unwrap_or_default();
            let message = format!("{message}{help}");
            Err(Refused { status, message }.into())
        })
    }

    /// Calls `each` with the data of every event of a stream until it says to stop.
    pub(crate) fn follow(
        &self,
        path: &str,
        mut each: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if matches!(self.reach, Reach::Files(_)) {
            bail!("no monitor is running: start one with `flow-monitor`");
        }
        self.runtime.block_on(async {
            let mut body = self
                .send(Method::GET, path, Body::empty())
                .await?
                .into_body();
            let mut lines = Lines::default();
            while let Some(frame) = body.frame().await {
                let frame =
                    frame.map_err(|error| anyhow::anyhow!("the feed broke off: {error}"))?;
                if let Ok(bytes) = frame.into_data() {
                    lines.push(&bytes, &mut each)?;
                }
            }
            bail!("the monitor has stopped")
        })
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> anyhow::Result<Response<Body>> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(body)?;
        match &self.reach {
            Reach::Files(router) => Ok(router.as_ref().clone().oneshot(request).await?),
            Reach::Running(address) => {
                let stream = TcpStream::connect(address)
                    .await
                    .context("the running monitor does not answer")?;
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                let response = sender.send_request(request);
                #[expect(
                    clippy::disallowed_methods,
                    reason = "the runtime ends with the command, and this connection with it"
                )]
                let _connection = tokio::spawn(connection);
                Ok(response.await?.map(Body::new))
            }
        }
    }
}

// === impl Place ===

impl Place {
    /// Returns what the status of a running monitor tells.
    fn of_status(status: &Value) -> Option<Self> {
        let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
        let upstreams = status.get("upstreams")?.as_array()?.iter();
        let upstreams =
            upstreams.filter_map(|each| Some((text(each, "name")?, text(each, "url")?)));
        Some(Self {
            proxy_url: text(status, "proxy_url")?,
            ui_url: text(status, "ui_url")?,
            upstreams: upstreams.collect(),
        })
    }
}

/// Finds the data of events in a stream that arrives in pieces.
#[derive(Default)]
struct Lines {
    unfinished: Vec<u8>,
}

impl Lines {
    fn push(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.unfinished.extend_from_slice(bytes);
        if self.unfinished.len() > ANSWER_BYTES_MAX {
            bail!("the feed sent a line of more than {ANSWER_BYTES_MAX} bytes");
        }
        while let Some(end) = self.unfinished.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            if let Some(data) = String::from_utf8_lossy(&line).strip_prefix("data:") {
                each(data.trim())?;
            }
        }
        Ok(())
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}
