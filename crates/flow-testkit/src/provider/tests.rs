//! Each behaviour as a raw socket sees it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::*;
use crate::coding::Coding;
use crate::digest::sha256;
use crate::log::End;

mod dialects;

const LIMIT: Duration = Duration::from_secs(20);
const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";

/// What came over the socket.
struct Raw {
    head: String,
    /// Bytes after the head, transfer coding included.
    rest: Vec<u8>,
    /// How reading ended: closed well, or with this error.
    error: Option<io::ErrorKind>,
    /// Number of reads that gave bytes.
    reads: usize,
}

impl Raw {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn chunked(&self) -> bool {
        self.head.contains("transfer-encoding: chunked")
    }

    /// Returns the chunks' data, and whether the last chunk came.
    fn chunks(&self) -> (Vec<Vec<u8>>, bool) {
        let (mut chunks, mut rest) = (Vec::new(), &self.rest[..]);
        while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
            let size = std::str::from_utf8(&rest[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return (chunks, true);
            }
            let data = &rest[end + 2..];
            chunks.push(data[..size.min(data.len())].to_vec());
            rest = data.get(size + 2..).unwrap_or_default();
        }
        (chunks, false)
    }

    fn body(&self) -> Vec<u8> {
        if self.chunked() {
            self.chunks().0.concat()
        } else {
            self.rest.clone()
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.body()).unwrap()
    }
}

async fn provider() -> FakeProvider {
    FakeProvider::start(ProviderOptions::default())
        .await
        .unwrap()
}

fn request(path: &str, fake: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nx-fake: {fake}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn stream_body(text: &str) -> String {
    json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": text}]})
        .to_string()
}

async fn raw(provider: &FakeProvider, request: &str) -> Raw {
    timeout(LIMIT, read(provider, request)).await.unwrap()
}

async fn read(provider: &FakeProvider, request: &str) -> Raw {
    let mut stream = TcpStream::connect(provider.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let (mut bytes, mut reads) = (Vec::new(), 0);
    let error = loop {
        match stream.read_buf(&mut bytes).await {
            Ok(0) => break None,
            Ok(_) => reads += 1,
            Err(error) => break Some(error.kind()),
        }
    };
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.map_or(bytes.len(), |end| end + 4);
    let rest = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    Raw {
        head,
        rest,
        error,
        reads,
    }
}

async fn chat(fake: &str) -> (Raw, Exchange) {
    let provider = provider().await;
    let raw = raw(&provider, &request(CHAT, fake, &stream_body("hi"))).await;
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    let exchange = log.into_iter().next_back().unwrap();
    (raw, exchange)
}

fn ended(log: &[Exchange]) -> bool {
    log.last()
        .is_some_and(|exchange| exchange.end != End::Running)
}

#[tokio::test]
async fn a_stream_comes_event_by_event_and_is_logged() {
    let (raw, exchange) = chat("conversation=text").await;
    let (chunks, whole) = raw.chunks();
    assert_eq!(raw.status(), 200);
    assert!(whole && chunks.len() > 20, "{}", chunks.len());
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.starts_with(b"data: ") && chunk.ends_with(b"\n\n"))
    );
    assert!(raw.text().ends_with("data: [DONE]\n\n"));
    assert!(
        raw.head
            .contains("content-type: text/event-stream; charset=utf-8")
    );
    assert!(
        raw.head.contains("x-request-id: req_") && raw.head.contains("x-ratelimit-limit-requests")
    );
    assert_eq!(exchange.end, End::Complete);
    assert_eq!(exchange.conversation.as_deref(), Some("text"));
    assert_eq!(
        exchange.request_sha256,
        Some(sha256(stream_body("hi").as_bytes()))
    );
    assert_eq!(exchange.response_sha256, Some(sha256(&raw.body())));
    assert_eq!(exchange.response_bytes, raw.body().len() as u64);
}

#[tokio::test]
async fn a_whole_answer_has_a_length() {
    let provider = provider().await;
    let body = json!({"model": "demo-text", "messages": []}).to_string();
    let raw = raw(&provider, &request(CHAT, "", &body)).await;
    assert!(
        raw.head
            .contains(&format!("content-length: {}\r\n", raw.rest.len())),
        "{}",
        raw.head
    );
    let answer: Value = serde_json::from_slice(&raw.rest).unwrap();
    assert_eq!(answer["model"], "demo-text");
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    assert_eq!(log[0].end, End::Complete);
    assert_eq!(log[0].response_sha256, Some(sha256(&raw.rest)));
}

#[tokio::test]
async fn split_cuts_frames_into_pieces_that_travel_alone() {
    let (whole, _) = chat("conversation=chinese").await;
    for (fake, most) in [
        ("conversation=chinese,split=7", 7),
        ("conversation=chinese,split=1", 1),
    ] {
        let (raw, _) = chat(fake).await;
        let (chunks, ended) = raw.chunks();
        assert!(
            ended && chunks.iter().all(|chunk| chunk.len() <= most),
            "{fake}"
        );
        assert!(
            chunks
                .iter()
                .any(|chunk| std::str::from_utf8(chunk).is_err()),
            "{fake}: inside a character"
        );
        assert_eq!(without_time(&raw), without_time(&whole), "{fake}");
        assert!(raw.reads > 10, "{fake}: {} reads", raw.reads);
    }
    let (raw, _) = chat("conversation=chinese,utf8").await;
    let (chunks, _) = raw.chunks();
    assert!(chunks.iter().any(|chunk| chunk == b"da"), "inside `data:`");
    assert!(
        chunks
            .iter()
            .any(|chunk| std::str::from_utf8(chunk).is_err()),
        "inside a character"
    );
    assert_eq!(without_time(&raw), without_time(&whole));
}

/// Returns a body without the second in which it was made.
fn without_time(raw: &Raw) -> Vec<String> {
    let text = raw.text();
    text.split("\"created\":")
        .map(|part| {
            part.trim_start_matches(|digit: char| digit.is_ascii_digit())
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn break_end_and_abort_differ_on_the_wire() {
    let (raw, exchange) = chat("conversation=text,break=3").await;
    assert_eq!((raw.chunks().0.len(), raw.chunks().1), (3, false));
    assert_eq!((raw.error, exchange.end), (None, End::Cut));

    let (raw, exchange) = chat("conversation=text,end=3").await;
    assert_eq!((raw.chunks().0.len(), raw.chunks().1), (3, true));
    assert_eq!((raw.error, exchange.end), (None, End::Complete));

    let (raw, exchange) = chat("conversation=text,abort=3").await;
    assert_eq!(
        (raw.error, exchange.end),
        (Some(io::ErrorKind::ConnectionReset), End::Cut)
    );
}

#[tokio::test]
async fn a_whole_answer_breaks_off_in_its_middle() {
    let provider = provider().await;
    let body = json!({"messages": []}).to_string();
    let raw = raw(&provider, &request(CHAT, "break=1", &body)).await;
    let length = raw.head.split("content-length: ").nth(1).unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    assert_eq!(raw.rest.len(), length / 2);
}

#[tokio::test]
async fn a_stall_holds_back_what_follows() {
    let provider = provider().await;
    let request = request(CHAT, "conversation=text,stall=10m,at=2", &stream_body("hi"));
    let asked = raw(&provider, &request).await;
    assert_eq!(asked.status(), 400, "minutes are no unit");
    let request = request.replace("10m,", "60s,");
    let mut stream = TcpStream::connect(provider.addr()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let events = |bytes: &[u8]| bytes.windows(6).filter(|six| six == b"data: ").count();
    let mut bytes = Vec::new();
    while events(&bytes) < 2 {
        let read = timeout(LIMIT, stream.read_buf(&mut bytes)).await.unwrap();
        assert!(read.unwrap() > 0);
    }
    let quiet = Duration::from_millis(300);
    while timeout(quiet, stream.read_buf(&mut bytes)).await.is_ok() {}
    assert_eq!(events(&bytes), 2, "nothing follows within the stall");
    drop(stream);
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    assert_eq!(
        log[1].end,
        End::AbortedByPeer,
        "a client that leaves is seen during a stall"
    );
}

#[tokio::test]
async fn hang_keeps_the_connection_until_the_client_leaves() {
    let provider = provider().await;
    let mut stream = TcpStream::connect(provider.addr()).await.unwrap();
    let request = request(CHAT, "conversation=text,hang=0", &stream_body("hi"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        assert!(
            timeout(LIMIT, stream.read_buf(&mut bytes))
                .await
                .unwrap()
                .unwrap()
                > 0
        );
    }
    drop(stream);
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    assert_eq!((log[0].end, log[0].response_bytes), (End::AbortedByPeer, 0));
}

#[tokio::test]
async fn delays_add_up() {
    let started = Instant::now();
    let (raw, _) = chat("conversation=hello,head=80ms,delay=5ms").await;
    let events = u64::try_from(raw.chunks().0.len()).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(80 + 5 * events));
}

#[tokio::test]
async fn a_pace_is_slower_where_events_are_longer() {
    let provider = provider().await;
    let started = Instant::now();
    let path = "/v1beta/models/demo-hello--pace-20:streamGenerateContent?alt=sse";
    let raw = raw(&provider, &request(path, "", "{}")).await;
    let events = u32::try_from(raw.chunks().0.len()).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200) * events);
}

#[tokio::test]
async fn codings_compress_whole_answers_and_streams() {
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
        let (raw, exchange) =
            chat(&format!("conversation=chinese,encoding={}", coding.name())).await;
        assert!(
            raw.head
                .contains(&format!("content-encoding: {}\r\n", coding.name()))
        );
        let plain = coding.decode(&raw.body(), 1 << 20).unwrap();
        assert!(plain.ends_with(b"data: [DONE]\n\n"));
        assert_eq!(exchange.coding, Some(coding.name()));
        assert_eq!(exchange.response_sha256, Some(sha256(&raw.body())));
        assert_eq!(exchange.response_plain_sha256, Some(sha256(&plain)));
    }
}

#[tokio::test]
async fn auto_takes_what_the_client_accepts_for_whole_answers() {
    let provider = provider().await;
    let whole =
        request(CHAT, "encoding=auto", "{}").replace("host: x", "host: x\r\naccept-encoding: gzip");
    assert!(
        raw(&provider, &whole)
            .await
            .head
            .contains("content-encoding: gzip")
    );
    let plain = request(CHAT, "encoding=auto", "{}");
    assert!(
        !raw(&provider, &plain)
            .await
            .head
            .contains("content-encoding")
    );
}

#[tokio::test]
async fn compressed_requests_are_read() {
    let provider = provider().await;
    let mut encoder = crate::coding::Encoder::new(Some(Coding::Zstd)).unwrap();
    let mut body = encoder
        .push(&Bytes::from(stream_body(
            "List every prime below ten thousand.",
        )))
        .unwrap()
        .to_vec();
    body.extend_from_slice(&encoder.finish().unwrap());
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-encoding: zstd\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(provider.addr()).await.unwrap();
    stream
        .write_all(&[head.as_bytes(), &body].concat())
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    assert_eq!(log[0].conversation.as_deref(), Some("length"));
    assert_eq!(log[0].request_sha256, Some(sha256(&body)));
}

#[tokio::test]
async fn errors_have_status_shape_and_retry_after() {
    let provider = provider().await;
    for (path, status, pointer, expect) in [
        (CHAT, 429, "/error/code", "rate_limit_exceeded"),
        (CHAT, 500, "/error/type", "server_error"),
        (MESSAGES, 529, "/error/type", "overloaded_error"),
        (MESSAGES, 401, "/error/type", "authentication_error"),
        (
            "/v1beta/models/m:generateContent",
            503,
            "/error/status",
            "UNAVAILABLE",
        ),
    ] {
        let raw = raw(&provider, &request(path, &format!("status={status}"), "{}")).await;
        assert_eq!(raw.status(), status, "{path}");
        let body: Value = serde_json::from_slice(&raw.rest).unwrap();
        assert_eq!(
            body.pointer(pointer).and_then(Value::as_str),
            Some(expect),
            "{path}"
        );
        let waits = matches!(status, 429 | 503 | 529);
        assert_eq!(raw.head.contains("retry-after: 2\r\n"), waits, "{path}");
    }
    let raw = raw(&provider, &request(CHAT, "status=400,retry-after=7", "{}")).await;
    assert!(raw.head.contains("retry-after: 7\r\n"));
}

#[tokio::test]
async fn a_fault_passes_at_the_second_attempt() {
    let provider = provider().await;
    let body = json!({"model": "demo-limited", "messages": []}).to_string();
    let first = raw(&provider, &request(CHAT, "", &body)).await;
    let again =
        request(CHAT, "", &body).replace("host: x", "host: x\r\nx-stainless-retry-count: 1");
    let second = raw(&provider, &again).await;
    assert_eq!((first.status(), second.status()), (429, 200));
}

#[tokio::test]
async fn an_error_comes_inside_a_stream() {
    let provider = provider().await;
    for (path, expect) in [
        (CHAT, "server_error"),
        (
            MESSAGES,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"",
        ),
        (
            "/v1/models/m:streamGenerateContent?alt=sse",
            "\"status\": \"INTERNAL\"",
        ),
    ] {
        let raw = raw(
            &provider,
            &request(path, "conversation=text,error=2", &stream_body("hi")),
        )
        .await;
        assert_eq!(raw.status(), 200);
        assert!(raw.text().contains(expect), "{path}: {}", raw.text());
        let end = raw.text().contains("[DONE]") || raw.text().contains("message_stop");
        assert!(raw.chunks().1 && !end, "{path}");
    }
}

#[tokio::test]
async fn small_deviations() {
    let (raw, _) = chat("empty").await;
    assert_eq!(
        (raw.status(), raw.body().len(), raw.chunks().1),
        (200, 0, true)
    );
    let (raw, _) = chat("nodone").await;
    assert!(!raw.text().contains("[DONE]") && raw.chunks().1);
    let (raw, _) = chat("crlf").await;
    assert!(raw.text().ends_with("data: [DONE]\r\n\r\n"));
    let (raw, _) = chat("type=text/plain").await;
    assert!(raw.head.contains("content-type: text/plain\r\n"));
    let (raw, _) = chat("huge=3").await;
    assert!(raw.body().len() > 3 << 20);
    let provider = provider().await;
    let raw = raw_of(&provider, "chunked").await;
    assert!(raw.chunked() && raw.chunks().1);
    assert!(serde_json::from_slice::<Value>(&raw.body()).is_ok());
}

async fn raw_of(provider: &FakeProvider, fake: &str) -> Raw {
    raw(provider, &request(CHAT, fake, "{}")).await
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_the_dialect() {
    let provider = provider().await;
    for (path, fake, body, status) in [
        (CHAT, "", "{", 400),
        (CHAT, "brake=3", "{}", 400),
        (CHAT, "conversation=none", "{}", 400),
        ("/v1/moderations", "", "{}", 404),
        ("/v1beta/models/m:fly", "", "{}", 404),
    ] {
        let raw = raw(&provider, &request(path, fake, body)).await;
        assert_eq!(raw.status(), status, "{path} {fake}");
        assert!(raw.text().contains("\"error\""), "{path} {fake}");
    }
}

#[tokio::test]
async fn lists_counts_log_and_bench_answer() {
    let provider = provider().await;
    let get = |path: &str, more: &str| {
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n{more}connection: close\r\n\r\n")
    };
    let json = |raw: Raw| serde_json::from_slice::<Value>(&raw.rest).unwrap();
    let list = json(raw(&provider, &get("/v1/models", "")).await);
    assert_eq!(list["object"], "list");
    let list = json(
        raw(
            &provider,
            &get("/v1/models", "anthropic-version: 2023-06-01\r\n"),
        )
        .await,
    );
    assert_eq!(list["has_more"], false);
    let list = json(raw(&provider, &get("/v1beta/models", "")).await);
    assert!(
        list["models"][0]["name"]
            .as_str()
            .unwrap()
            .starts_with("models/demo-")
    );
    let count = json(
        raw(
            &provider,
            &request("/v1/messages/count_tokens", "", &stream_body("four")),
        )
        .await,
    );
    assert!(count["input_tokens"].as_u64() > Some(1));
    let embedded = json(
        raw(
            &provider,
            &request("/v1/embeddings", "", r#"{"input": "four"}"#),
        )
        .await,
    );
    assert_eq!(embedded["usage"]["total_tokens"], 1);
    let bench = raw(
        &provider,
        &request("/bench/json/5000/v1/chat/completions", "", "{}"),
    )
    .await;
    assert_eq!(bench.rest.len(), 5000);
    let bench = raw(&provider, &request("/bench/stream/10/300", "", "{}")).await;
    assert_eq!(bench.body().len(), 10 * 300 + "data: [DONE]\n\n".len());
    let log = json(raw(&provider, &get("/__log?since=1", "")).await);
    let targets: Vec<_> = log["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["target"].clone())
        .collect();
    assert_eq!(
        targets,
        [
            "/v1/models",
            "/v1beta/models",
            "/v1/messages/count_tokens",
            "/v1/embeddings"
        ]
    );
    let head = raw(
        &provider,
        "HEAD /api/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    )
    .await;
    assert_eq!((head.status(), head.rest.len()), (404, 0));
}

#[tokio::test]
async fn http2_by_prior_knowledge() {
    let provider = provider().await;
    let stream = TcpStream::connect(provider.addr()).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
    let request = Request::post(format!("{}{CHAT}", provider.url()))
        .body(http_body_util::Full::<Bytes>::from(stream_body("hi")))
        .unwrap();
    let work = async {
        let response = sender.send_request(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    };
    let body = tokio::select! {
        body = timeout(LIMIT, work) => body.unwrap(),
        _ = connection => panic!("the connection ended first"),
    };
    assert!(body.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(provider.log()[0].version, "HTTP/2.0");
}

#[tokio::test]
async fn shutdown_breaks_off_what_runs() {
    let provider = provider().await;
    let mut stream = TcpStream::connect(provider.addr()).await.unwrap();
    stream
        .write_all(request(CHAT, "hang=1", &stream_body("hi")).as_bytes())
        .await
        .unwrap();
    assert!(stream.read_u8().await.is_ok());
    timeout(LIMIT, provider.shutdown()).await.unwrap();
    let mut rest = Vec::new();
    let end = timeout(LIMIT, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(end.is_ok() || !rest.is_empty());
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let provider = provider().await;
    let options = ProviderOptions {
        listen: provider.addr(),
        ..ProviderOptions::default()
    };
    assert!(matches!(
        FakeProvider::start(options).await,
        Err(StartError::Listen { .. })
    ));
}
