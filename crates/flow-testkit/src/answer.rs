//! What a request gets: the log, a benchmark's bytes, or an answer in the manner of a provider.
//!
//! `GET /__log?since=N` gives the log as JSON, `DELETE /__log` empties it. Neither is logged, nor are benchmarks.

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::ask::Ask;
use crate::behaviour::Behaviour;
use crate::bench::Bench;
use crate::coding::Coding;
use crate::conversation::Library;
use crate::delivery::Delivery;
use crate::digest::Tally;
use crate::log::{Log, Record};
use crate::plan::Plan;
use crate::render::error_message;
use crate::reply::{Reply, choose};
use crate::side;
use crate::socket::Reset;
use crate::target::{Api, Framing, Target};

/// Longest request body, as sent and decoded.
const REQUEST_BYTES_MAX: u64 = 256 << 20;

/// What all connections share.
pub(crate) struct State {
    library: Library,
    log: Arc<Log>,
    bench: Bench,
    behaviour: Behaviour,
    epoch_seconds: u64,
    started: Instant,
}

// === impl State ===

impl State {
    pub(crate) fn new(
        library: Library,
        log: Arc<Log>,
        behaviour: Behaviour,
        epoch_seconds: u64,
    ) -> Self {
        Self {
            library,
            log,
            bench: Bench::default(),
            behaviour,
            epoch_seconds,
            started: Instant::now(),
        }
    }

    /// Answers a request, and logs it.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        reset: Reset,
    ) -> Response<Delivery> {
        let path = request.uri().path();
        let (plan, record) = if path == "/__log" {
            (self.log_plan(&request), None)
        } else if let Some(plan) = self.bench.plan(path) {
            drain(request.into_body()).await;
            (plan, None)
        } else {
            let record = self.log.begin(&request);
            let plan = self.plan(request, &record).await;
            record.answered(plan.status.as_u16(), plan.coding);
            (plan, Some(record))
        };
        if let Some(delay) = plan.head_delay {
            tokio::time::sleep(delay).await;
        }
        respond(plan, record, reset)
    }

    fn log_plan(&self, request: &Request<Incoming>) -> Plan {
        if request.method() == Method::DELETE {
            self.log.clear();
        }
        let since = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("since="))
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        let body = json!({"exchanges": self.log.since(since)}).to_string();
        Plan::fixed(StatusCode::OK, "application/json", body.into())
    }

    async fn plan(&self, request: Request<Incoming>, record: &Record) -> Plan {
        let (head, body) = request.into_parts();
        let target = head.uri.path_and_query().map(ToString::to_string);
        let target = Target::of(&target.unwrap_or_default(), &head.headers);
        let number = record.id();
        let api = target.api();
        let quiet = Behaviour::default();
        let refuse = |status| Plan::error(api, status, error_message(api, status), number, &quiet);
        let Some(bytes) = receive(body, record).await else {
            return refuse(413).sign(api, number);
        };
        let body = decoded(&head.headers, bytes);
        let upgrades = head.method == Method::GET && head.headers.contains_key(header::UPGRADE);
        let plan = match target {
            Target::Models(_) => side::models(api, &self.library, self.epoch_seconds),
            Target::Unknown(_) => refuse(404),
            Target::CountTokens(_) => side::count_tokens(api, &body),
            Target::Embed(form) => side::embed(form, &body),
            // Responses over a WebSocket are not for it; clients then ask without one.
            Target::Chat(_) if upgrades => refuse(426),
            Target::Chat(_) => self.chat(api, None, &head.headers, &body, record),
            Target::ChatAt { model, framing, .. } => {
                self.chat(api, Some((model, framing)), &head.headers, &body, record)
            }
        };
        let plan = plan.sign(api, number);
        if head.method == Method::HEAD {
            plan.without_body()
        } else {
            plan
        }
    }

    fn chat(
        &self,
        api: Api,
        named: Option<(String, Framing)>,
        headers: &HeaderMap,
        body: &[u8],
        record: &Record,
    ) -> Plan {
        let number = record.id();
        let refuse = |message: &str| Plan::error(api, 400, message, number, &Behaviour::default());
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return refuse("We could not parse the JSON body of your request.");
        };
        let mut ask = Ask::read(api, &body);
        let framing = match named {
            Some((model, framing)) => {
                ask.model = model;
                framing
            }
            None if ask.stream => api.framing(),
            None => Framing::Whole,
        };
        let mut behaviour = self.behaviour.clone();
        let asked = text(headers, "x-fake");
        let read = behaviour
            .add_model(&ask.model)
            .and_then(|()| behaviour.add_header(asked));
        if let Err(error) = read {
            return refuse(&error.to_string());
        }
        let Some(choice) = choose(&self.library, &ask, &behaviour) else {
            return refuse("no such conversation");
        };
        record.chosen(&choice.conversation.name, choice.index);
        let attempt: usize = text(headers, "x-stainless-retry-count")
            .parse()
            .unwrap_or(0);
        if let Some(fault) = choice.turn.faults.get(attempt).filter(|_| !choice.title)
            && let Err(error) = behaviour.add_header(fault)
        {
            return refuse(&error.to_string());
        }
        if let Some(status) = behaviour.status {
            let message = error_message(api, status);
            return Plan::error(api, status, message, number, &behaviour);
        }
        let created = self.epoch_seconds + self.started.elapsed().as_secs();
        let reply = Reply::compose(api, &choice, &ask, &behaviour, created);
        let accepted = Coding::accepted(text(headers, header::ACCEPT_ENCODING.as_str()));
        Plan::chat(api, &reply, &ask, framing, &behaviour, accepted)
    }
}

async fn drain(mut body: Incoming) {
    while let Some(Ok(_)) = body.frame().await {}
}

/// Returns the whole body, or none where it is too long or broken off.
async fn receive(mut body: Incoming, record: &Record) -> Option<Bytes> {
    let mut tally = Tally::default();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        tally.add(&data);
        if tally.bytes() > REQUEST_BYTES_MAX {
            return None;
        }
        bytes.extend_from_slice(&data);
    }
    record.received(&tally);
    Some(bytes.freeze())
}

/// Returns the body without its content coding; as it is where that fails.
fn decoded(headers: &HeaderMap, body: Bytes) -> Bytes {
    Coding::named(text(headers, header::CONTENT_ENCODING.as_str()))
        .and_then(|coding| coding.decode(&body, REQUEST_BYTES_MAX))
        .map_or(body, Bytes::from)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn respond(mut plan: Plan, record: Option<Record>, reset: Reset) -> Response<Delivery> {
    let (status, headers) = (plan.status, std::mem::take(&mut plan.headers));
    let mut response = Response::new(Delivery::new(plan, record, reset));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
