use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use futures_util::stream;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::extract::JsonBody;

/// Time within which anything must come.
const SOON: Duration = Duration::from_secs(20);
/// What the pipe between client and server holds.
const PIPE_BYTES: usize = 1024;
/// One piece of the endless answer.
const PIECE_BYTES: usize = 16 << 10;

/// A connection over a pipe, and what must stay alive for it.
struct Line {
    client: DuplexStream,
    permits: Arc<Semaphore>,
    _stop: watch::Sender<bool>,
    _tasks: JoinSet<()>,
}

impl Line {
    async fn open(router: Router) -> Self {
        let (client, server) = duplex(PIPE_BYTES);
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        let io = ClientIo::new(server, permit, LIMITS.patience);
        let (stop, shutdown) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(connection(LIMITS, io, router, shutdown));
        Self {
            client,
            permits,
            _stop: stop,
            _tasks: tasks,
        }
    }

    /// Returns how long the connection goes on, once this has been sent.
    async fn lasts(&mut self, sent: &[u8]) -> Duration {
        self.client.write_all(sent).await.unwrap();
        let start = Instant::now();
        let _closed = self.permits.acquire().await.unwrap();
        start.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_given_up() {
    let check = async |sent: &[u8]| {
        let mut line = Line::open(Router::new()).await;
        let lasted = line.lasts(sent).await;
        let limit = LIMITS.head_time_max;
        assert!(
            lasted >= limit && lasted < limit + Duration::from_millis(50),
            "{lasted:?}"
        );
    };
    check(b"GET /api").await;
    check(b"").await;
    check(b"GET / HTTP/1.1\r\nhost: x\r\n").await;
    // After an answer the next head has as long.
    check(b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /").await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let router = Router::new().route("/", post(async |JsonBody(_): JsonBody<Value>| ()));
    let mut line = Line::open(router).await;
    let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    assert!(line.lasts(head.as_bytes()).await <= Duration::from_secs(20));
    let mut answer = String::new();
    line.client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_costs_a_buffer_and_is_let_go() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let endless = move || async move {
        Body::from_stream(stream::repeat_with(move || {
            count.fetch_add(PIECE_BYTES, Ordering::Relaxed);
            Ok::<_, Infallible>(Bytes::from(vec![b'x'; PIECE_BYTES]))
        }))
    };
    let mut line = Line::open(Router::new().route("/", get(endless))).await;
    let lasted = line.lasts(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let limit = LIMITS.patience;
    assert!(
        lasted >= limit && lasted < limit + Duration::from_millis(50),
        "{lasted:?}"
    );
    let made = made.load(Ordering::Relaxed);
    assert!(
        (PIECE_BYTES..=BUFFER_BYTES_MAX + PIECE_BYTES + PIPE_BYTES).contains(&made),
        "{made} bytes were made for nobody"
    );
}

#[tokio::test(start_paused = true)]
async fn failing_accepts_are_tried_again_and_told_now_and_then() {
    let mut complaints = Complaints::default();
    let mut tries = 0_u32;
    let start = Instant::now();
    let accept = || {
        tries += 1;
        let result = match tries {
            // EMFILE, as the system gives it.
            1..=49 => Err(io::Error::from_raw_os_error(24)),
            50 => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(()),
        };
        std::future::ready(result)
    };
    accepted(accept, &mut complaints).await;
    assert_eq!(tries, 51);
    assert!(start.elapsed() >= ACCEPT_PAUSE * 49);
    assert!(!complaints.is_due(), "one was made at the first");
    tokio::time::advance(COMPLAINT_PAUSE).await;
    assert!(complaints.is_due());
    assert!(!complaints.is_due());
}

async fn healthy(stream: &mut TcpStream) -> bool {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(SOON, stream.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    answer.starts_with("HTTP/1.1 200")
}

#[tokio::test]
async fn over_the_cap_clients_wait_for_room() {
    let limits = Limits {
        connections_max: 2,
        ..LIMITS
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, shutdown) = watch::channel(false);
    let router = Router::new().route("/healthz", get(async || "ok"));
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_within(limits, listener, router, shutdown));

    let mut idle = Vec::new();
    for _ in 0..limits.connections_max {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /api").await.unwrap();
        idle.push(stream);
    }
    let mut waiting = TcpStream::connect(address).await.unwrap();
    let answer = healthy(&mut waiting);
    tokio::pin!(answer);
    assert!(
        timeout(Duration::from_millis(200), &mut answer)
            .await
            .is_err(),
        "there is no room yet"
    );
    drop(idle.pop());
    assert!(answer.await);

    // The other one has sent half a head; the end of the program does not wait for the rest.
    stop.send(true).unwrap();
    timeout(SOON, tasks.join_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}
