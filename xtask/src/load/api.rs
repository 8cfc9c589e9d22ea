//! The monitor's API, as a client of it sees it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode};
use serde_json::Value;

use super::Connection;

/// How long the recorder may take to record what has passed.
const SETTLE_TIME_MAX: Duration = Duration::from_mins(1);
/// How often the recorder is asked.
const SETTLE_INTERVAL: Duration = Duration::from_millis(50);
/// How long nothing may be committed until the recorder counts as idle; pending bytes are written more often.
const QUIET_TIME: Duration = Duration::from_millis(400);
/// Flows of one page.
const PAGE_FLOWS: usize = 200;

/// A connection to the API.
pub(crate) struct Api {
    connection: Connection,
    token: String,
}

/// How far the recorder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Commits since the start.
    pub(crate) commits: u64,
    /// How long the longest of them took.
    pub(crate) commit_max: Duration,
    /// Bytes that wait to be committed, or are being committed.
    pub(crate) backlog_bytes: u64,
    /// Events that wait for the recorder.
    pub(crate) queued_events: u64,
}

// === impl Api ===

impl Api {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        Ok(Self {
            connection: Connection::open(address).await?,
            token: token.to_owned(),
        })
    }

    /// Returns a resource; none where there is none.
    pub(crate) async fn bytes(&mut self, path: &str) -> Result<Option<Bytes>> {
        let request = Request::get(path)
            .header("host", self.connection.address().to_string())
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::default())
            .context("make the request")?;
        let response = self.connection.send(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        match status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => bail!("GET {path}: {status}: {}", String::from_utf8_lossy(&body)),
        }
    }

    /// Returns a JSON resource.
    pub(crate) async fn json(&mut self, path: &str) -> Result<Value> {
        let body = self.bytes(path).await?;
        let body = body.with_context(|| format!("GET {path}: not found"))?;
        serde_json::from_slice(&body).with_context(|| format!("GET {path}: not JSON"))
    }

    /// Returns every flow that began at `since` or later, newest first.
    pub(crate) async fn flows_since(&mut self, since_us: i64) -> Result<Vec<Value>> {
        let mut flows = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/flows?limit={PAGE_FLOWS}{cursor}");
            let mut page = self.json(&path).await?;
            let Value::Array(rows) = page["flows"].take() else {
                bail!("GET {path}: no list of flows");
            };
            ensure!(
                flows.len() + rows.len() < 1_000_000,
                "the list of flows does not end"
            );
            let older = |row: &Value| row["started_at"].as_i64().is_some_and(|at| at < since_us);
            let last = rows.iter().any(older);
            flows.extend(rows.into_iter().filter(|row| !older(row)));
            match page["next_cursor"].as_str() {
                Some(next) if !last => cursor = format!("&cursor={next}"),
                _ => return Ok(flows),
            }
        }
    }

    /// Waits until everything that has passed is recorded: nothing is queued, and nothing was committed for a
    /// while.
    pub(crate) async fn settle(&mut self) -> Result<()> {
        let start = Instant::now();
        let (mut commits, mut since) = (0, start);
        loop {
            let progress = self.progress().await?;
            if progress.is_busy() || progress.commits != commits {
                commits = progress.commits;
                since = Instant::now();
            } else if since.elapsed() >= QUIET_TIME {
                return Ok(());
            }
            ensure!(
                start.elapsed() < SETTLE_TIME_MAX,
                "the recorder is still at work after {} s: {progress:?}",
                SETTLE_TIME_MAX.as_secs()
            );
            tokio::time::sleep(SETTLE_INTERVAL).await;
        }
    }

    /// Returns how far the recorder is.
    pub(crate) async fn progress(&mut self) -> Result<Progress> {
        let health = self.json("/api/health").await?;
        let number = |part: &str, key: &str| {
            let number = health[part][key].as_u64();
            number.with_context(|| format!("no {part}.{key} in {health}"))
        };
        Ok(Progress {
            commits: number("store", "commits")?,
            commit_max: Duration::from_micros(number("store", "commit_us_max")?),
            backlog_bytes: number("store", "backlog_bytes")?,
            queued_events: number("capture", "queued_events")?,
        })
    }
}

// === impl Progress ===

impl Progress {
    const fn is_busy(self) -> bool {
        self.queued_events > 0 || self.backlog_bytes > 0
    }
}
