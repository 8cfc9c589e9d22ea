use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use flow_model::{Exchange, FlowId, ResponseReading, Row, State as FlowState};
use flow_store::{ListQuery, LiveView, Store, Write};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tower::ServiceExt as _;

use super::*;
use crate::testing::{Bench, TOKEN, announce, finish, id, record, request, row};

/// Time within which anything must come.
const SOON: Duration = Duration::from_secs(20);
/// Silence after which what has not been told counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(5);
/// Writes between two moments at which the client has to be up to date.
const BATCH_STEPS: usize = 16;

/// A client of server-sent events.
struct Client {
    stream: BodyDataStream,
    text: String,
}

impl Client {
    async fn open(bench: &Bench, query: &str) -> Self {
        Self::open_with(bench, query, None).await
    }

    async fn open_with(bench: &Bench, query: &str, last: Option<&str>) -> Self {
        let mut builder = request("GET", &format!("/api/feed?{query}"));
        if let Some(last) = last {
            builder = builder.header("last-event-id", last);
        }
        let request = builder.body(Body::empty()).unwrap();
        let response = bench.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{query}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// Returns the next message; none at the end of the feed.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let message = message(event);
                self.text = rest.to_owned();
                if message.is_some() {
                    return message;
                }
                continue;
            }
            let bytes = timeout(SOON, self.stream.next()).await.unwrap()?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    async fn message(&mut self) -> Value {
        self.next().await.unwrap()
    }
}

/// Returns the message of one event; none for a sign of life.
fn message(event: &str) -> Option<Value> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let message: Value = serde_json::from_str(field("data: ")?).unwrap();
    assert_eq!(field("id: "), message["cursor"].as_str());
    Some(message)
}

fn rows_of(message: &Value) -> Vec<Row> {
    serde_json::from_value(message["data"]["flows"].clone()).unwrap()
}

fn numbers(message: &Value) -> BTreeSet<FlowId> {
    let rows = rows_of(message);
    let ids: BTreeSet<_> = rows.iter().map(|row| row.id).collect();
    assert_eq!(ids.len(), rows.len(), "a flow is there twice: {message}");
    ids
}

fn kind(message: &Value) -> (&str, &str) {
    (
        message["topic"].as_str().unwrap(),
        message["kind"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn the_list_begins_with_a_snapshot_and_goes_on() {
    let bench = Bench::new();
    record(&bench.store, 1);
    let mut client = Client::open(&bench, "topics=flows").await;
    let first = client.message().await;
    assert_eq!(kind(&first), ("flows", "snapshot"));
    assert_eq!(numbers(&first), BTreeSet::from([id(1)]));

    announce(&bench.store, 2, b"");
    let update = client.message().await;
    assert_eq!(kind(&update), ("flows", "update"));
    assert_eq!(numbers(&update), BTreeSet::from([id(2)]));

    bench.store.write(Write::Forget(id(2)));
    let gone = client.message().await;
    assert_eq!(kind(&gone), ("flows", "gone"));
    assert_eq!(gone["data"], json!({"ids": [id(2)]}));
}

#[tokio::test]
async fn a_cursor_resumes_and_one_of_another_run_resets() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, "topics=flows").await;
    let cursor = client.message().await["cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    drop(client);
    record(&bench.store, 1);
    record(&bench.store, 2);
    let both = BTreeSet::from([id(1), id(2)]);

    let query = format!("topics=flows&resume={cursor}");
    let update = Client::open(&bench, &query).await.message().await;
    assert_eq!(
        (kind(&update), numbers(&update)),
        (("flows", "update"), both.clone())
    );

    // The browser's own field is newer than the address that it connects to again.
    let newer = update["cursor"].as_str().unwrap();
    let mut client = Client::open_with(&bench, &query, Some(newer)).await;
    record(&bench.store, 3);
    assert_eq!(numbers(&client.message().await), BTreeSet::from([id(3)]));

    let bench = bench.restart(TOKEN);
    let mut client = Client::open(&bench, &query).await;
    let reset = client.message().await;
    assert_eq!(kind(&reset), ("flows", "reset"));
    assert_eq!(reset["data"], Value::Null);
    record(&bench.store, 4);
    assert_eq!(
        numbers(&client.message().await),
        BTreeSet::from([id(4)]),
        "it goes on from there"
    );
    for nonsense in ["x", "1.2.3", "0.99999"] {
        let query = format!("topics=flows&resume={nonsense}");
        let reset = Client::open(&bench, &query).await.message().await;
        assert_eq!(kind(&reset), ("flows", "reset"), "{nonsense}");
    }
}

#[tokio::test]
async fn who_is_too_far_behind_gets_a_reset() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, "topics=flows").await;
    client.message().await;
    for number in 0..=round::ROWS_MAX as u64 {
        announce(&bench.store, number, b"");
    }
    // The first round may come in the middle; then one of its updates stands before the reset or in its place.
    let mut told = BTreeSet::new();
    loop {
        let message = client.message().await;
        match kind(&message) {
            ("flows", "reset") => break,
            ("flows", "update") => told.extend(numbers(&message)),
            other => panic!("{other:?}"),
        }
        if told.len() == round::ROWS_MAX + 1 {
            break;
        }
    }
    announce(&bench.store, 5000, b"");
    let next = client.message().await;
    assert!(numbers(&next).contains(&id(5000)));
}

#[tokio::test]
async fn stats_and_health_are_told_when_they_change() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, "topics=stats,health").await;
    let stats = client.message().await;
    assert_eq!(kind(&stats), ("stats", "snapshot"));
    assert_eq!(stats["data"], json!({"total": 0, "in_flight": 0}));
    let health = client.message().await;
    assert_eq!(kind(&health), ("health", "snapshot"));
    assert_eq!(health["data"]["ok"], true);
    announce(&bench.store, 1, b"");
    loop {
        let message = client.message().await;
        if message["topic"] == "stats" {
            assert_eq!(message["data"], json!({"total": 1, "in_flight": 1}));
            break;
        }
    }
    // Nothing in the store tells of a pause; the look once a second does.
    let policy = flow_capture::Policy {
        paused: true,
        ..flow_capture::Policy::default()
    };
    bench.capture.set_policy(policy).unwrap();
    loop {
        let message = client.message().await;
        if message["topic"] == "health" && message["data"]["recording"] == false {
            break;
        }
    }
}

fn live(exchange: &Exchange, text: &str) -> LiveView {
    let response = ResponseReading {
        id: Some(text.to_owned()),
        ..ResponseReading::default()
    };
    LiveView {
        exchange: Arc::new(exchange.clone()),
        response: Arc::new(response),
    }
}

#[tokio::test]
async fn one_flow_is_told_while_it_runs_and_whole_at_its_end() {
    let bench = Bench::new();
    let exchange = announce(&bench.store, 1, b"{}");
    assert!(!bench.store.is_watched(id(1)));
    let topic = format!("flow/{}", id(1));
    let mut client = Client::open(&bench, &format!("topics={topic}")).await;
    assert!(bench.store.is_watched(id(1)));
    let first = client.message().await;
    assert_eq!(kind(&first), (topic.as_str(), "snapshot"));
    assert_eq!(first["data"]["flow"]["state"], "pending");

    bench.store.publish(id(1), live(&exchange, "so far"));
    let update = client.message().await;
    assert_eq!(kind(&update), (topic.as_str(), "update"));
    assert_eq!(update["data"]["response"]["id"], "so far");

    // What concerns other flows is not told here.
    record(&bench.store, 2);
    finish(
        &bench.store,
        exchange,
        "application/json",
        br#"{"id":"c1","choices":[]}"#,
    );
    let end = loop {
        let message = client.message().await;
        if message["data"]["flow"]["state"] == "completed" && kind(&message).1 == "snapshot" {
            break message;
        }
        assert_eq!(message["data"]["flow"]["id"], id(1).to_string());
    };
    assert_eq!(end["data"]["reading"]["response"]["id"], "c1");
    drop(client);
    assert!(!bench.store.is_watched(id(1)));
}

#[tokio::test]
async fn a_flow_that_is_not_there_is_gone() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, &format!("topics=flow/{}", id(9))).await;
    let message = client.message().await;
    assert_eq!(
        (kind(&message).1, &message["data"]),
        ("gone", &json!({"ids": [id(9)]}))
    );
}

#[tokio::test]
async fn feeds_are_bounded_in_number() {
    let bench = Bench::new();
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        open.push(Client::open(&bench, "topics=stats").await);
    }
    let refused = bench.ask("/api/feed?topics=stats").await;
    assert_eq!(refused.code(), "too_many_feeds");
    open.pop();
    Client::open(&bench, "topics=stats").await;
}

#[tokio::test]
async fn the_alias_is_the_same_feed() {
    let bench = Bench::new();
    let request = request("GET", "/events?topics=stats")
        .body(Body::empty())
        .unwrap();
    let response = bench.router.clone().oneshot(request).await.unwrap();
    let mut client = Client {
        stream: response.into_body().into_data_stream(),
        text: String::new(),
    };
    assert_eq!(kind(&client.message().await), ("stats", "snapshot"));
}

#[tokio::test]
async fn the_end_of_the_program_ends_feeds() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, "topics=flows").await;
    client.message().await;
    bench.stop.send(true).unwrap();
    assert_eq!(client.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_feed_gives_signs_of_life() {
    let bench = Bench::new();
    let mut client = Client::open(&bench, "topics=flows").await;
    let first = client.stream.next().await.unwrap().unwrap();
    assert!(first.starts_with(b"id: "));
    let second = client.stream.next().await.unwrap().unwrap();
    assert_eq!(second, ": still here\n\n");
}

/// Gives a running flow so many bytes in its row.
fn widen(store: &Store, exchange: &Exchange, bytes: usize) {
    let mut wide = row(exchange);
    wide.preview = Some("x".repeat(bytes));
    store.refresh(wide, None);
}

#[tokio::test]
async fn messages_of_rows_are_bounded_and_lose_none() {
    const WIDE_BYTES: usize = 60 << 10;
    // What a message has besides its rows, and what a row has besides the wide text.
    const SLACK_BYTES: usize = 4 << 10;
    let bench = Bench::new();
    let exchanges: Vec<_> = (0..10).map(|n| announce(&bench.store, n, b"")).collect();
    for exchange in &exchanges {
        widen(&bench.store, exchange, WIDE_BYTES);
    }
    let all: BTreeSet<_> = (0..10).map(id).collect();
    let gather = async |client: &mut Client, first: &'static str| {
        let mut told = BTreeSet::new();
        let mut cursors = Vec::new();
        while told != all {
            let message = client.message().await;
            let expect = if told.is_empty() { first } else { "update" };
            assert_eq!(kind(&message), ("flows", expect));
            assert!(message.to_string().len() <= round::ROWS_BYTES_MAX + SLACK_BYTES);
            let rows = numbers(&message);
            assert!(told.is_disjoint(&rows), "a row is told twice in a round");
            told.extend(rows);
            cursors.push(message["cursor"].as_str().unwrap().to_owned());
        }
        cursors
    };
    let mut client = Client::open(&bench, "topics=flows").await;
    let start = gather(&mut client, "snapshot").await;
    assert!(start.len() >= 3, "{start:?}");
    drop(client);

    for exchange in &exchanges {
        widen(&bench.store, exchange, WIDE_BYTES - 1);
    }
    let query = format!("topics=flows&resume={}", start.last().unwrap());
    let cursors = gather(&mut Client::open(&bench, &query).await, "update").await;
    let (last, cut) = cursors.split_last().unwrap();
    assert!(cut.len() >= 2 && cut.iter().all(|cursor| Some(cursor) == start.last()));
    // Who breaks off within the round is told all of it again; who does not, nothing.
    let again = format!("topics=flows&resume={}", cut[0]);
    gather(&mut Client::open(&bench, &again).await, "update").await;
    let mut client = Client::open(&bench, &format!("topics=flows&resume={last}")).await;
    announce(&bench.store, 20, b"");
    assert_eq!(numbers(&client.message().await), BTreeSet::from([id(20)]));
}

#[tokio::test]
async fn a_row_that_is_too_long_is_told_alone() {
    let bench = Bench::new();
    for number in 0..3 {
        let exchange = announce(&bench.store, number, b"");
        widen(&bench.store, &exchange, round::ROWS_BYTES_MAX);
    }
    let mut client = Client::open(&bench, "topics=flows").await;
    let mut told = BTreeSet::new();
    for _ in 0..3 {
        let rows = numbers(&client.message().await);
        assert_eq!(rows.len(), 1);
        told.extend(rows);
    }
    assert_eq!(told, (0..3).map(id).collect());
}

#[tokio::test]
async fn of_a_flow_that_is_too_long_the_client_reads_by_itself() {
    let bench = Bench::new();
    let exchange = announce(&bench.store, 1, b"{}");
    let topic = format!("flow/{}", id(1));
    let mut client = Client::open(&bench, &format!("topics={topic}")).await;
    assert_eq!(kind(&client.message().await).1, "snapshot");
    let check = async |client: &mut Client, bytes: usize, expect: &str| {
        bench
            .store
            .publish(id(1), live(&exchange, &"x".repeat(bytes)));
        let message = client.message().await;
        assert_eq!(kind(&message), (topic.as_str(), expect), "{bytes}");
    };
    check(&mut client, round::FLOW_BYTES_MAX / 2, "update").await;
    check(&mut client, round::FLOW_BYTES_MAX, "reset").await;
    check(&mut client, 10, "update").await;
}

// === WebSocket, over real sockets ===

/// A served bench.
struct Served {
    bench: Bench,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    address: std::net::SocketAddr,
}

impl Served {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test waits for the task itself"
    )]
    async fn new() -> Self {
        let bench = Bench::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = crate::serve(listener, bench.router.clone(), bench.stop.subscribe());
        Self {
            server: tokio::spawn(served),
            bench,
            address,
        }
    }

    async fn connect(
        &self,
        query: &str,
        origin: Option<&str>,
    ) -> Result<WebSocketStream<TcpStream>, Error> {
        let url = format!("ws://{}/api/feed?{query}", self.address);
        let mut request = url.into_client_request().unwrap();
        let token = HeaderValue::try_from(format!("Bearer {TOKEN}")).unwrap();
        request.headers_mut().insert("authorization", token);
        if let Some(origin) = origin {
            let origin = HeaderValue::try_from(origin).unwrap();
            request.headers_mut().insert("origin", origin);
        }
        let stream = TcpStream::connect(self.address).await.unwrap();
        let connected = tokio_tungstenite::client_async(request, stream).await;
        connected.map(|(socket, _)| socket)
    }
}

async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        match timeout(SOON, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
        {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_socket_tells_and_ends_with_the_program() {
    let served = Served::new().await;
    let own = format!("http://{}", served.address);
    let mut socket = served.connect("topics=flows", Some(&own)).await.unwrap();
    assert_eq!(kind(&receive(&mut socket).await), ("flows", "snapshot"));
    record(&served.bench.store, 1);
    assert_eq!(
        numbers(&receive(&mut socket).await),
        BTreeSet::from([id(1)])
    );

    let Served { bench, server, .. } = served;
    bench.stop.send(true).unwrap();
    let close = loop {
        match timeout(SOON, socket.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap()
        {
            Message::Close(frame) => break frame.unwrap(),
            Message::Text(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(close.code, CloseCode::Away);
    timeout(SOON, server).await.unwrap().unwrap().unwrap();
    // Every feed has let go of its receiver; those of the router are dropped with it.
    let Bench { router, stop, .. } = bench;
    drop(router);
    timeout(SOON, stop.closed()).await.unwrap();
}

#[tokio::test]
async fn a_socket_of_another_origin_is_refused() {
    let served = Served::new().await;
    let refused = served
        .connect("topics=flows", Some("http://127.0.0.1:1"))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Http(response) if response.status() == 403),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_client_that_says_too_much_is_let_go() {
    let served = Served::new().await;
    let mut socket = served.connect("topics=flows", None).await.unwrap();
    receive(&mut socket).await;
    socket.send(Message::text("hello")).await.unwrap();
    record(&served.bench.store, 1);
    assert_eq!(
        kind(&receive(&mut socket).await),
        ("flows", "update"),
        "a few words do no harm"
    );
    socket
        .send(Message::text("x".repeat(10_000)))
        .await
        .unwrap();
    let end = async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
    };
    timeout(SOON, end).await.unwrap();
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_no_memory_and_gets_the_newest() {
    let served = Served::new().await;
    let mut socket = served.connect("topics=flows", None).await.unwrap();
    receive(&mut socket).await;
    let store = served.bench.store.clone();
    // More than the buffers of both sockets hold, while nobody reads.
    let last = tokio::task::spawn_blocking(move || {
        let exchange = announce(&store, 1, b"");
        let mut newest = row(&exchange);
        for round in 0..40_000_u64 {
            newest.events = round;
            newest.preview = Some("x".repeat(200));
            store.refresh(newest.clone(), None);
        }
        newest
    });
    let last = last.await.unwrap();
    loop {
        let message = receive(&mut socket).await;
        if kind(&message).1 == "reset" || rows_of(&message) == [last.clone()] {
            break;
        }
    }
}

// === the property ===

/// One thing that the recorder does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Begin(u64),
    Refresh(u64),
    Finish(u64),
    Forget(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..24_u64;
    prop_oneof![
        4 => number.clone().prop_map(Step::Begin),
        3 => number.clone().prop_map(Step::Refresh),
        4 => number.clone().prop_map(Step::Finish),
        1 => number.prop_map(Step::Forget),
    ]
}

/// What the recorder knows of the flows that it writes.
struct Recorder {
    store: Store,
    running: BTreeMap<u64, Exchange>,
    used: BTreeSet<u64>,
    events: u64,
}

impl Recorder {
    fn apply(mut self, steps: &[Step]) -> Self {
        for step in steps {
            match step {
                Step::Begin(number) if self.used.insert(*number) => {
                    let exchange = announce(&self.store, *number, b"{}");
                    self.running.insert(*number, exchange);
                }
                Step::Refresh(number) => {
                    if let Some(exchange) = self.running.get(number) {
                        self.events += 1;
                        let mut newer = row(exchange);
                        newer.events = self.events;
                        self.store.refresh(newer, None);
                    }
                }
                Step::Finish(number) => {
                    if let Some(exchange) = self.running.remove(number) {
                        finish(&self.store, exchange, "application/json", b"{}");
                    }
                }
                Step::Forget(number) if self.used.contains(number) => {
                    self.running.remove(number);
                    self.store.write(Write::Forget(id(*number)));
                }
                Step::Begin(_) | Step::Forget(_) => {}
            }
        }
        self.store.flush();
        self
    }
}

fn listed(store: &Store) -> BTreeMap<FlowId, Row> {
    let query = ListQuery {
        limit: 1000,
        ..ListQuery::default()
    };
    let page = store.list(&query).unwrap();
    let count = page.rows.len();
    let rows: BTreeMap<_, _> = page.rows.into_iter().map(|row| (row.id, row)).collect();
    assert_eq!(rows.len(), count);
    rows
}

/// Takes a message in as the page does.
fn fold(store: &Store, rows: &mut BTreeMap<FlowId, Row>, message: &Value) {
    match kind(message).1 {
        "snapshot" => {
            rows.clear();
            rows.extend(rows_of(message).into_iter().map(|row| (row.id, row)));
        }
        "update" => {
            numbers(message);
            for row in rows_of(message) {
                if let Some(known) = rows.insert(row.id, row.clone()) {
                    let ended = |row: &Row| !matches!(row.state, FlowState::Pending);
                    assert!(
                        ended(&row) || !ended(&known),
                        "a flow went back: {known:?} {row:?}"
                    );
                    assert!(ended(&row) || row.events >= known.events);
                }
            }
        }
        "gone" => {
            let ids: Vec<FlowId> = serde_json::from_value(message["data"]["ids"].clone()).unwrap();
            rows.retain(|id, _| !ids.contains(id));
        }
        "reset" => *rows = listed(store),
        other => panic!("{other}"),
    }
}

/// Follows the list while it is written, in batches so that there are many rounds, and breaks off after each of
/// `patience` messages.
async fn follow(bench: &Bench, steps: Vec<Step>, patience: &[usize]) {
    let mut recorder = Some(Recorder {
        store: bench.store.clone(),
        running: BTreeMap::new(),
        used: BTreeSet::new(),
        events: 0,
    });
    let mut batches = steps.chunks(BATCH_STEPS);
    let mut client = Client::open(bench, "topics=flows").await;
    let mut writing = None;
    let mut rows = BTreeMap::new();
    let mut cursor = None;
    let mut patience = patience.iter().cycle();
    let mut left = *patience.next().unwrap();
    loop {
        if writing.is_none() && rows == listed(&bench.store) {
            let Some(batch) = batches.next() else { break };
            let (recorder, batch) = (recorder.take().unwrap(), batch.to_vec());
            writing = Some(tokio::task::spawn_blocking(move || recorder.apply(&batch)));
        }
        if let (0, Some(cursor)) = (left, &cursor) {
            client = Client::open(bench, &format!("topics=flows&resume={cursor}")).await;
            left = *patience.next().unwrap();
        }
        let written = async {
            match &mut writing {
                Some(task) => task.await.unwrap(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            back = written => {
                recorder = Some(back);
                writing = None;
            }
            message = timeout(LOST_AFTER, client.message()) => {
                let Ok(message) = message else {
                    panic!("lost: {rows:?} instead of {:?}", listed(&bench.store));
                };
                cursor = message["cursor"].as_str().map(str::to_owned);
                fold(&bench.store, &mut rows, &message);
                left = left.saturating_sub(1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 8, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_or_doubled_over_breaks(
        steps in prop::collection::vec(step(), 1..120),
// A round of the list has two messages at most; whoever breaks off earlier each time begins it again each time.
        patience in prop::collection::vec(2..5_usize, 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async { follow(&Bench::new(), steps, &patience).await });
    }
}
