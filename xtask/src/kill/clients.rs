//! Clients that call the provider through the monitor until it is gone, and remember what they saw.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::header::HeaderValue;
use tokio::task::JoinSet;

use crate::load::{Ask, Connection, Random, Template, post};

/// Clients at a time.
const CLIENTS: u64 = 12;
/// Those of them that make short calls alone, so that answers end until the last moment.
const QUICK_CLIENTS: u64 = 6;
/// Longest pause of a client between two calls: the load is steady, but no more than a debug build can record.
const PAUSE_MS_MAX: u64 = 40;
/// Calls of one round, however fast the machine is.
const CALLS_MAX: u64 = 3_000;
/// The header that names a call in its recorded request.
pub(super) const CALL_HEADER: &str = "x-call-id";
/// Path of every call.
const PATH: &str = "/fake/v1/chat/completions";

/// A kind of call.
struct Kind {
    /// Out of all calls, this many parts are of this kind.
    weight: u64,
    ask: Ask,
    /// What the provider is asked to do.
    behaviour: &'static str,
}

/// What is called. Some streams are longer than the load lasts, so that the kill always meets some; the short calls
/// come first.
const KINDS: &[Kind] = &[
    Kind::new(40, 2_000, false, ""),
    Kind::new(6, 200_000, false, ""),
    Kind::new(1, 3_000_000, false, ""),
    Kind::new(10, 2_000, false, "gzip"),
    Kind::new(10, 2_000, true, "delay=2"),
    Kind::new(2, 2_000, false, "head=1500"),
    Kind::new(6, 20_000, true, "delay=100"),
    Kind::new(2, 2_000, true, "huge=1,split=4000,delay=20"),
];
/// How many of them are short.
const QUICK_KINDS: usize = 5;

/// One call, as its client saw it.
pub(super) struct Call {
    /// Value of [`CALL_HEADER`].
    pub(super) id: String,
    /// When it was begun.
    pub(super) sent_at: Instant,
    /// What was sent.
    pub(super) request: Bytes,
    /// SHA-256 of what was sent.
    pub(super) request_sha256: String,
    /// The head of the answer arrived.
    pub(super) has_head: bool,
    /// What was received.
    pub(super) response: Vec<u8>,
    /// When each piece arrived, and how much had arrived then.
    pub(super) arrivals: Vec<(Instant, usize)>,
    /// When the whole answer had arrived.
    pub(super) answered_at: Option<Instant>,
}

/// The clients of one round.
pub(super) struct Clients {
    tasks: JoinSet<Vec<Call>>,
}

struct Client {
    round: u32,
    proxy: SocketAddr,
    kinds: &'static [Kind],
    templates: Arc<[Template]>,
    numbers: Arc<AtomicU64>,
    random: Random,
}

// === impl Kind ===

impl Kind {
    const fn new(weight: u64, bytes: usize, stream: bool, behaviour: &'static str) -> Self {
        Self {
            weight,
            ask: Ask { bytes, stream },
            behaviour,
        }
    }
}

// === impl Clients ===

impl Clients {
    /// Starts the clients of a round.
    pub(super) fn start(round: u32, seed: u64, proxy: SocketAddr) -> Self {
        let templates: Arc<[Template]> = KINDS
            .iter()
            .map(|kind| Template::new(kind.ask, seed))
            .collect();
        let numbers = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for index in 0..CLIENTS {
            let client = Client {
                round,
                proxy,
                kinds: if index < QUICK_CLIENTS {
                    &KINDS[..QUICK_KINDS]
                } else {
                    KINDS
                },
                templates: Arc::clone(&templates),
                numbers: Arc::clone(&numbers),
                random: Random::new(seed ^ (u64::from(round) << 32) ^ (index << 16)),
            };
            tasks.spawn(client.run());
        }
        Self { tasks }
    }

    /// Waits for the end of the clients, which comes with the end of the monitor, and returns their calls.
    pub(super) async fn end(self) -> Vec<Call> {
        self.tasks.join_all().await.into_iter().flatten().collect()
    }
}

// === impl Client ===

impl Client {
    async fn run(mut self) -> Vec<Call> {
        let mut calls = Vec::new();
        let Ok(mut connection) = Connection::open(self.proxy).await else {
            return calls;
        };
        loop {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            if number >= CALLS_MAX {
                return calls;
            }
            let (kind, body) = self.choose(number);
            let id = format!("{}-{number}", self.round);
            let mut call = Call::new(id, body);
            let ended = call.make(&mut connection, kind).await;
            calls.push(call);
            // The first error is the monitor's end.
            if ended.is_err() {
                return calls;
            }
            let pause = Duration::from_millis(self.random.below(PAUSE_MS_MAX));
            tokio::time::sleep(pause).await;
        }
    }

    fn choose(&mut self, number: u64) -> (&'static Kind, Bytes) {
        let weights: u64 = self.kinds.iter().map(|kind| kind.weight).sum();
        let mut left = self.random.below(weights);
        let mut chosen = (&KINDS[0], &self.templates[0]);
        for pair in self.kinds.iter().zip(self.templates.iter()) {
            chosen = pair;
            match left.checked_sub(pair.0.weight) {
                Some(rest) => left = rest,
                None => break,
            }
        }
        let unique = (u64::from(self.round) << 32) | number;
        (chosen.0, chosen.1.fill(unique))
    }
}

// === impl Call ===

impl Call {
    fn new(id: String, request: Bytes) -> Self {
        Self {
            id,
            sent_at: Instant::now(),
            request_sha256: sha256(&request),
            request,
            has_head: false,
            response: Vec::new(),
            arrivals: Vec::new(),
            answered_at: None,
        }
    }

    /// Says what the client saw last, and how long before the kill.
    pub(super) fn seen(&self, killed_at: Instant) -> String {
        let last = self.arrivals.last().map(|(at, _)| *at);
        let (what, at) = match (self.answered_at, last) {
            (Some(at), _) => ("answered", at),
            (None, Some(at)) => ("last heard of", at),
            (None, None) => ("sent", self.sent_at),
        };
        let millis = killed_at.saturating_duration_since(at).as_millis();
        format!("{what} {millis} ms before the kill")
    }

    async fn make(&mut self, connection: &mut Connection, kind: &Kind) -> Result<()> {
        let mut request = post(connection.address(), PATH, self.request.clone())?;
        let headers = request.headers_mut();
        let id = HeaderValue::from_str(&self.id).context("the id as a header")?;
        headers.insert(CALL_HEADER, id);
        headers.insert("x-fake", HeaderValue::from_static(kind.behaviour));
        let response = connection.send(request).await?;
        self.has_head = true;
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.context("read the answer")?;
            if let Some(bytes) = frame.data_ref() {
                self.response.extend_from_slice(bytes);
                self.arrivals.push((Instant::now(), self.response.len()));
            }
        }
        self.answered_at = Some(Instant::now());
        Ok(())
    }
}

/// Returns the SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    let digest = digest(&SHA256, bytes);
    let nibbles = digest
        .as_ref()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .filter_map(|nibble| digits.get(usize::from(nibble)))
        .map(|digit| char::from(*digit))
        .collect()
}
