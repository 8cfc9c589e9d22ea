//! A router over a real store, and flows to put into it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use flow_capture::{Capture, CaptureOptions, Policy};
use flow_model::{
    Chunk, EndReason, Exchange, FlowId, Header, Reading, RequestHead, ResponseHead, Row, Timestamp,
};
use flow_store::{Store, StoreOptions, Write};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::access::Access;
use crate::error::FieldError;
use crate::maintenance::Maintenance;
use crate::options::{
    ApiOptions, ConfigEntry, ConfigHandle, ConfigKind, ConfigSource, StatusFacts, UpstreamFacts,
};
use crate::reindex::{
    ReindexHandle, ReindexOutcome, ReindexProgress, ReindexRefusal, ReindexScope,
};

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const HOST: &str = "127.0.0.1:8378";
pub(crate) const ORIGIN: &str = "http://127.0.0.1:8378";
/// When the store was opened and every flow began, give or take its number.
const NOW: Timestamp = Timestamp(1_760_000_000_000_000);

/// A router and what it stands on.
pub(crate) struct Bench {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) capture: Capture,
    pub(crate) access: Access,
    pub(crate) stop: watch::Sender<bool>,
    dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Bench ===

impl Bench {
    pub(crate) fn new() -> Self {
        Self::started(NOW, TOKEN, tempfile::tempdir().unwrap(), false)
    }

    /// Returns a router that changes nothing.
    pub(crate) fn read_only() -> Self {
        Self::started(NOW, TOKEN, tempfile::tempdir().unwrap(), true)
    }

    /// Returns another run on the same data directory.
    pub(crate) fn restart(self, token: &str) -> Self {
        let Self { store, dir, .. } = self;
        store.close();
        drop(store);
        Self::started(NOW.plus_us(1_000_000), token, dir, false)
    }

    fn started(now: Timestamp, token: &str, dir: TempDir, read_only: bool) -> Self {
        let store = Store::open(StoreOptions {
            dir: Some(dir.path().to_owned()),
            recent_rows_max: 100,
            memory_bytes_max: 64 << 20,
            compressed: true,
            now,
        })
        .unwrap();
        let clock = Arc::new(|| NOW);
        let (capture, _) =
            Capture::new(CaptureOptions::default(), Policy::default(), clock).unwrap();
        let access = Access::new(
            token.to_owned(),
            &format!("{ORIGIN}/"),
            8378,
            &["monitor.lan".to_owned(), "box.lan:9000".to_owned()],
        )
        .unwrap();
        let (stop, shutdown) = watch::channel(false);
        let router = crate::router(ApiOptions {
            meter: flow_meter::Meter::default(),
            store: store.clone(),
            capture: capture.clone(),
            config: settings(),
            reindex: runs(),
            maintenance: Maintenance::new(store.clone(), || NOW),
            deleted: Box::new(|_| ()),
            read_only,
            facts: facts(now),
            access: access.clone(),
            shutdown,
        });
        Self {
            router,
            store,
            capture,
            access,
            stop,
            dir,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    /// Asks with the token.
    pub(crate) async fn ask(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the code of the error that this is.
    pub(crate) fn code(&self) -> String {
        let json = self.json();
        let error = json["error"].as_object().unwrap();
        assert!(error["message"].is_string() && error["help"].is_string());
        error["code"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Returns the beginning of a request that shows the token.
pub(crate) fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, HOST)
        .header(header::AUTHORIZATION, format!("Bearer {TOKEN}"))
}

fn facts(now: Timestamp) -> StatusFacts {
    StatusFacts {
        version: "0.1.0".into(),
        proxy_url: "http://127.0.0.1:8377".into(),
        ui_url: ORIGIN.into(),
        upstreams: vec![UpstreamFacts {
            name: "openai".into(),
            provider: Some("openai".into()),
            url: "https://api.openai.com".into(),
            base_url: "http://127.0.0.1:8377/openai/v1".into(),
        }],
        started_at: now,
        data_dir: Some("data".into()),
    }
}

/// A run that begins where `scope` is `all`, is refused otherwise, and ends when it is stopped.
fn runs() -> ReindexHandle {
    let progress = Arc::new(Mutex::new(ReindexProgress::default()));
    let (begun, ended) = (Arc::clone(&progress), Arc::clone(&progress));
    ReindexHandle::new(
        move |task| {
            let mut progress = begun.lock();
            if task.scope == ReindexScope::Stale {
                return Err(ReindexRefusal::Unavailable);
            }
            if progress.running {
                return Err(ReindexRefusal::Running);
            }
            progress.running = true;
            progress.dry_run = task.dry_run;
            progress.total = task.since.map(|_| 1);
            Ok(())
        },
        move || progress.lock().clone(),
        move || {
            let mut progress = ended.lock();
            if std::mem::take(&mut progress.running) {
                progress.outcome = Some(ReindexOutcome::Cancelled);
            }
        },
    )
}

/// Two settings, of which `paused` can be changed.
fn settings() -> ConfigHandle {
    let paused = Arc::new(Mutex::new(false));
    let list = |paused: bool| {
        let entry = |key: &str, value: Value, changeable| ConfigEntry {
            key: key.into(),
            value,
            default: json!(false),
            source: ConfigSource::Default,
            env: None,
            changeable,
            help: "a switch".into(),
            kind: ConfigKind::Boolean,
        };
        vec![
            entry("paused", json!(paused), true),
            entry("persist", json!(true), false),
        ]
    };
    let shown = Arc::clone(&paused);
    ConfigHandle::new(
        move || list(*shown.lock()),
        move |changes: Map<String, Value>| {
            let refused = |key: &String| FieldError {
                key: key.clone(),
                message: "cannot be changed while running".into(),
                help: None,
            };
            let known = |key: &&String| key.as_str() != "paused";
            let bad: Vec<_> = changes.keys().filter(known).map(refused).collect();
            if !bad.is_empty() {
                return Err(bad);
            }
            *paused.lock() = changes["paused"].as_bool().unwrap_or_default();
            Ok(list(*paused.lock()))
        },
    )
}

/// Returns the id of the flow of this number. Later numbers sort later.
pub(crate) fn id(number: u64) -> FlowId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&(1_760_000_000_000 + number).to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[8] = 0x80;
    bytes[9..16].copy_from_slice(&number.to_be_bytes()[1..]);
    FlowId::from_bytes(bytes)
}

/// Returns a flow that has just begun: a chat completion of OpenAI's dialect.
pub(crate) fn begun(number: u64) -> Exchange {
    let header = |name: &str, value: &str| Header {
        name: name.into(),
        value: value.into(),
        latin1: false,
    };
    Exchange {
        id: id(number),
        started_at: NOW.plus_us(number * 1000),
        peer: Some("127.0.0.1:50000".into()),
        route: flow_model::Route {
            upstream: Some("openai".into()),
            provider: Some("openai".into()),
            url: Some("https://api.openai.com/v1/chat/completions".into()),
            run: None,
        },
        request: RequestHead {
            method: "POST".into(),
            target: "/openai/v1/chat/completions".into(),
            version: "HTTP/1.1".into(),
            headers: vec![header("content-type", "application/json")],
        },
        request_body: flow_model::BodyFacts::default(),
        response: None,
        response_body: flow_model::BodyFacts::default(),
        timings: flow_model::Timings::default(),
        end: None,
        failure: None,
    }
}

pub(crate) fn row(exchange: &Exchange) -> Row {
    Row::new(exchange, &Reading::default())
}

/// Announces a flow and returns its exchange.
pub(crate) fn announce(store: &Store, number: u64, request: &[u8]) -> Exchange {
    let mut exchange = begun(number);
    exchange.request_body.bytes = request.len() as u64;
    exchange.request_body.wire_bytes = request.len() as u64;
    exchange.request_body.complete = true;
    let shared = Arc::new(exchange.clone());
    store.announce(Arc::clone(&shared), row(&exchange));
    store.write(Write::Request {
        exchange: shared,
        body: Bytes::copy_from_slice(request),
        chunks: Vec::new(),
    });
    exchange
}

/// Ends a flow with this answer.
pub(crate) fn finish(store: &Store, mut exchange: Exchange, media: &str, response: &[u8]) -> Row {
    let length = response.len() as u64;
    exchange.response = Some(ResponseHead {
        status: 200,
        reason: None,
        version: "HTTP/1.1".into(),
        headers: vec![Header {
            name: "content-type".into(),
            value: media.into(),
            latin1: false,
        }],
    });
    exchange.response_body.bytes = length;
    exchange.response_body.wire_bytes = length;
    exchange.response_body.complete = true;
    exchange.response_body.coding = Some("gzip".into());
    exchange.response_body.wire_sha256 = Some("ab".repeat(32));
    exchange.end = Some(EndReason::Ended);
    exchange.timings.duration_us = Some(2000);
    let row = row(&exchange);
    store.write(Write::Outcome {
        exchange: Arc::new(exchange),
        response: Bytes::copy_from_slice(response),
        chunks: vec![Chunk {
            at_us: 1500,
            wire_bytes: u32::try_from(length).unwrap(),
            bytes_end: length,
        }],
        row: Some(row.clone()),
    });
    row
}

/// Records a whole flow.
pub(crate) fn record(store: &Store, number: u64) -> Row {
    let request = br#"{"model":"gpt-5","messages":[{"role":"user","content":"hello"}]}"#;
    let response = br#"{"id":"c1","object":"chat.completion","model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"world"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
    let exchange = announce(store, number, request);
    let row = finish(store, exchange, "application/json", response);
    store.flush();
    row
}
