//! The dialects beside chat completions, messages and generateContent, on the wire.

use super::*;

const RESPONSES: &str = "/v1/responses";
const CONVERSE: &str = "/model/m/converse-stream";
const KIRO: &str = "/generateAssistantResponse";
const FRAMES: &str = "content-type: application/vnd.amazon.eventstream\r\n";

/// Returns the type of each frame of an event stream, after checking both of its checksums.
fn frames(mut bytes: &[u8]) -> Vec<String> {
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let crc = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    };
    let mut kinds = Vec::new();
    while !bytes.is_empty() {
        let (frame, rest) = bytes.split_at(number(&bytes[..4]) as usize);
        let (covered, checksum) = frame.split_at(frame.len() - 4);
        assert_eq!(number(&frame[8..12]), crc(&frame[..8]));
        assert_eq!(number(checksum), crc(covered));
        let name = 12 + 1 + usize::from(frame[12]);
        let length = usize::from(u16::from_be_bytes([frame[name + 1], frame[name + 2]]));
        let value = frame[name + 3..][..length].to_vec();
        kinds.push(String::from_utf8(value).unwrap());
        bytes = rest;
    }
    kinds
}

async fn asked(path: &str, fake: &str) -> Raw {
    let provider = provider().await;
    raw(&provider, &request(path, fake, &stream_body("hi"))).await
}

#[tokio::test]
async fn responses_stream_named_events() {
    let raw = asked(RESPONSES, "conversation=text").await;
    let (chunks, whole) = raw.chunks();
    assert!(whole && chunks.len() > 20);
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.starts_with(b"event: response."))
    );
    assert!(
        raw.head
            .contains("content-type: text/event-stream; charset=utf-8")
    );
    assert!(raw.head.contains("x-request-id: req_"));
    let text = raw.text();
    let (_, last) = text.rsplit_once("event: ").unwrap();
    assert!(last.starts_with("response.completed\ndata: {"), "{last}");
}

#[tokio::test]
async fn responses_misbehave_as_asked() {
    let raw = asked(RESPONSES, "conversation=long,error=5").await;
    let text = raw.text();
    assert!(text.contains("event: error\n") && raw.chunks().1);
    assert!(text.contains("\"sequence_number\":6,\"response\"") && text.contains("\"failed\""));
    let raw = asked(RESPONSES, "conversation=text,nodone").await;
    assert!(raw.chunks().1 && !raw.text().contains("response.completed"));
    let raw = asked(RESPONSES, "conversation=text,abort=3").await;
    assert_eq!(raw.error, Some(io::ErrorKind::ConnectionReset));
    let raw = asked(RESPONSES, "status=429").await;
    assert_eq!(raw.status(), 429);
    assert!(raw.text().contains("rate_limit_exceeded"));
    let raw = asked(RESPONSES, "conversation=text,zstd").await;
    let plain = Coding::Zstd.decode(&raw.body(), 1 << 20).unwrap();
    assert!(plain.starts_with(b"event: response.created\n"));
}

#[tokio::test]
async fn a_websocket_is_refused() {
    let provider = provider().await;
    let request = format!(
        "GET {RESPONSES} HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    );
    let raw = raw(&provider, &request).await;
    assert_eq!(raw.status(), 426);
    assert!(raw.text().contains("\"error\""));
}

#[tokio::test]
async fn converse_sends_frames() {
    let raw = asked(CONVERSE, "conversation=tools").await;
    assert!(raw.head.contains(FRAMES) && raw.head.contains("x-amzn-requestid: "));
    let kinds = frames(&raw.body());
    assert_eq!(kinds[0], "messageStart");
    assert_eq!(kinds[kinds.len() - 2..], ["messageStop", "metadata"]);
    let chunks = raw.chunks().0;
    assert!(chunks.iter().all(|chunk| frames(chunk).len() == 1));
    let split = asked(CONVERSE, "conversation=tools,split=5").await;
    assert_eq!(split.body(), raw.body());
}

#[tokio::test]
async fn frames_may_be_exceptions() {
    for (path, kind) in [
        (CONVERSE, "modelStreamErrorException"),
        (KIRO, "ThrottlingException"),
    ] {
        let raw = asked(path, "conversation=text,error=3").await;
        let kinds = frames(&raw.body());
        assert_eq!((kinds.len(), kinds[3].as_str()), (4, kind), "{path}");
        assert!(raw.chunks().1);
    }
}

#[tokio::test]
async fn kiro_may_answer_nothing() {
    let raw = asked(KIRO, "empty").await;
    assert!(raw.head.contains(FRAMES));
    assert_eq!((raw.status(), raw.body().len()), (200, 0));
    let raw = asked(KIRO, "conversation=text,nodone").await;
    let kinds = frames(&raw.body());
    assert_eq!(kinds.last().map(String::as_str), Some("contextUsageEvent"));
    let raw = asked(KIRO, "status=400").await;
    assert!(
        raw.head
            .contains("x-amzn-errortype: ValidationException\r\n")
    );
    assert!(raw.text().contains("REQUEST_BODY_INVALID"));
}

#[tokio::test]
async fn ollama_sends_lines() {
    let raw = asked("/api/chat", "conversation=text").await;
    assert!(raw.head.contains("content-type: application/x-ndjson\r\n"));
    let chunks = raw.chunks().0;
    assert!(chunks.len() > 20 && chunks.iter().all(|chunk| chunk.ends_with(b"}\n")));
    let raw = asked("/api/generate", "conversation=text,error=2").await;
    let text = raw.text();
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    assert!(last["error"].is_string(), "{last}");
}

#[tokio::test]
async fn cohere_sends_events_and_its_own_end() {
    let raw = asked("/v2/chat", "conversation=text").await;
    let text = raw.text();
    assert!(text.starts_with("event: message-start\ndata: {"));
    assert!(text.ends_with("}\n\ndata: [DONE]\n\n"));
    let raw = asked("/v2/chat", "conversation=text,error=4").await;
    assert!(raw.text().contains("\"finish_reason\":\"ERROR\""));
}

#[tokio::test]
async fn side_calls_are_refused_in_the_manner_of_the_caller() {
    let provider = provider().await;
    for (fields, expect) in [
        ("", "\"invalid_request_error\""),
        ("anthropic-version: 2023-06-01\r\n", "\"not_found_error\""),
    ] {
        let get =
            format!("GET /api/hello HTTP/1.1\r\nhost: x\r\n{fields}connection: close\r\n\r\n");
        let raw = raw(&provider, &get).await;
        assert_eq!(raw.status(), 404);
        assert!(raw.text().contains(expect), "{}", raw.text());
    }
}
