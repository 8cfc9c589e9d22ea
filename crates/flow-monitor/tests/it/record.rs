//! What passes is recorded, in every dialect, from the first byte to the last.

use std::io::{Read as _, Write as _};
use std::process::Command;

use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir, open, wait_for};

const JSON: (&str, &str) = ("Content-Type", "application/json");

fn ask(stream: bool, model: &str) -> Vec<u8> {
    let body = json!({
        "model": model,
        "stream": stream,
        "stream_options": {"include_usage": true},
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Why does the retry never stop? 请用中文回答。"}],
    });
    body.to_string().into_bytes()
}

fn gemini_ask() -> Vec<u8> {
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Why does the retry never stop?"}]}]});
    body.to_string().into_bytes()
}

/// Sends a request and checks that the record agrees with what the provider and the client saw.
fn check(
    monitor: &Monitor,
    provider: &Provider,
    call: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Value {
    let mut all = vec![JSON, ("x-call-id", call)];
    all.extend_from_slice(headers);
    let answer = monitor.call(path, &all, body);
    let detail = monitor.ended(call);
    let id = detail["flow"]["id"].as_str().unwrap();
    let seen = provider.log().pop().unwrap();
    let exchange = &detail["exchange"];
    assert_eq!(
        exchange["request_body"]["wire_sha256"],
        seen.request_sha256.as_deref().unwrap(),
        "{call}"
    );
    assert_eq!(
        exchange["response_body"]["wire_sha256"],
        seen.response_sha256.as_deref().unwrap(),
        "{call}"
    );
    assert_eq!(
        exchange["response_body"]["wire_bytes"], seen.response_bytes,
        "{call}"
    );
    assert_eq!(exchange["response_body"]["complete"], true, "{call}");
    let stored = monitor.api_raw(&format!("/api/flows/{id}/request/body"));
    assert!(
        stored.body == body,
        "{call}: the stored request is what was sent"
    );
    let stored = monitor.api_raw(&format!("/api/flows/{id}/response/body"));
    if exchange["response_body"]["coding"].is_null() {
        assert!(
            stored.body == answer.body,
            "{call}: the stored response is what was received"
        );
    }
    detail
}

/// Calls the proxy in one dialect and checks what lists and detail show of it.
fn check_dialect(monitor: &Monitor, provider: &Provider, dialect: &str, path: &str, body: &[u8]) {
    let streamed =
        path.contains("stream") || body.windows(13).any(|part| part == b"\"stream\":true");
    let call = format!("{dialect}-{streamed}");
    let headers = match dialect {
        "anthropic_messages" => ("anthropic-version", "2023-06-01"),
        "gemini_generate" => ("x-goog-api-key", "AIzaSyFakeFakeFakeFakeFakeFakeFakeFake0"),
        _ => ("authorization", "Bearer sk-fakefakefakefakefakefake"),
    };
    let detail = check(monitor, provider, &call, path, &[headers], body);
    let (row, reading) = (&detail["flow"], &detail["reading"]);
    assert_eq!(row["state"], "completed", "{call}: {row}");
    assert_eq!(row["dialect"], dialect, "{call}");
    assert_eq!(row["streaming"], streamed, "{call}");
    assert_eq!(row["ttft_us"].is_u64(), streamed, "{call}");
    assert!(row["tokens"]["input"].as_u64().unwrap() > 0, "{call}");
    assert!(row["tokens"]["output"].as_u64().unwrap() > 0, "{call}");
    let parts = &reading["response"]["choices"][0]["message"]["parts"];
    assert!(!parts.as_array().unwrap().is_empty(), "{call}");
    assert_eq!(
        row["tokens"], reading["tokens"],
        "{call}: row and reading agree"
    );
    assert!(
        reading["response"]["diagnostics"].is_null(),
        "{call}: {reading}"
    );
}

#[test]
fn every_dialect_whole_and_streamed() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let check = |dialect: &str, path: &str, body: &[u8]| {
        check_dialect(&monitor, &provider, dialect, path, body);
    };
    check(
        "openai_chat",
        "/v1/chat/completions",
        &ask(false, "gpt-5.1"),
    );
    check(
        "openai_chat",
        "/openai/v1/chat/completions",
        &ask(true, "gpt-5.1"),
    );
    check(
        "anthropic_messages",
        "/v1/messages",
        &ask(false, "claude-sonnet-4-5"),
    );
    check(
        "anthropic_messages",
        "/anthropic/messages",
        &ask(true, "claude-sonnet-4-5"),
    );
    let model = "/v1beta/models/gemini-2.5-flash";
    check(
        "gemini_generate",
        &format!("{model}:generateContent"),
        &gemini_ask(),
    );
    let path = format!("/gemini{model}:streamGenerateContent?alt=sse");
    check("gemini_generate", &path, &gemini_ask());
    assert_eq!(monitor.api("/api/flows/count")["count"], 6);
    assert_eq!(monitor.terminate(), Some(0));
}

#[test]
fn a_flow_is_seen_while_it_streams_and_its_text_grows() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let headers = [JSON, ("x-call-id", "slow"), ("x-fake", "delay=120ms")];
    let mut stream = open(
        &monitor.proxy,
        "POST",
        "/v1/chat/completions",
        &headers,
        &ask(true, "gpt-5.1"),
    );
    let text = |detail: &Value| {
        let parts = detail["reading"]["response"]["choices"][0]["message"]["parts"]
            .as_array()
            .cloned();
        let texts = parts
            .into_iter()
            .flatten()
            .filter_map(|part| part["text"].as_str().map(str::len));
        texts.sum::<usize>()
    };
    let early = wait_for("the first text of the running stream", || {
        let detail = monitor.find("slow")?;
        (detail["flow"]["state"] == "streaming" && text(&detail) > 0).then(|| text(&detail))
    });
    wait_for("more text of the running stream", || {
        let detail = monitor.find("slow")?;
        (detail["flow"]["state"] == "streaming" && text(&detail) > early).then_some(())
    });
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let ended = monitor.ended("slow");
    assert_eq!(ended["flow"]["state"], "completed");
    assert!(text(&ended) > early);
}

#[test]
fn ends_are_told_apart() {
    let (provider, dir) = (Provider::start(), data_dir());
    let mut flags = provider.flags();
    flags.extend([
        "--upstream".to_owned(),
        "nowhere=http://127.0.0.1:9".to_owned(),
    ]);
    let monitor = Monitor::start(dir.path(), &flags);
    let check =
        |call: &str, path: &str, fake: &str, end: &str, state: &str, status: Option<u16>| {
            let headers = [JSON, ("x-call-id", call), ("x-fake", fake)];
            let answer = monitor.call(path, &headers, &ask(true, "gpt-5.1"));
            let detail = monitor.ended(call);
            assert_eq!(detail["flow"]["end"], end, "{call}: {}", detail["exchange"]);
            assert_eq!(detail["flow"]["state"], state, "{call}");
            if let Some(status) = status {
                assert_eq!(answer.status, status, "{call}");
            }
            detail
        };
    let chat = "/v1/chat/completions";
    check(
        "error",
        chat,
        "status=429",
        "upstream_error",
        "failed",
        Some(429),
    );
    let broken = check(
        "broken",
        chat,
        "break=3",
        "upstream_break",
        "failed",
        Some(200),
    );
    assert!(
        broken["exchange"]["response_body"]["bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
    check("empty", chat, "empty", "empty", "failed", Some(200));
    let nowhere = check(
        "nowhere",
        "/nowhere/v1/chat/completions",
        "",
        "upstream_break",
        "failed",
        Some(502),
    );
    assert_eq!(nowhere["exchange"]["failure"]["fault"], "upstream");
    let unread = check(
        "unread",
        "/v1/files",
        "status=429",
        "upstream_error",
        "failed",
        None,
    );
    assert!(unread["flow"]["dialect"].is_null());
    assert!(
        unread["flow"]["answer"].is_string(),
        "the error is read all the same: {unread}"
    );
    let lost = check("lost", "/no/such/route", "", "blocked", "failed", Some(404));
    assert_eq!(lost["exchange"]["failure"]["kind"], "no_route");
}

#[test]
fn a_client_that_goes_away_ends_the_upstream_and_keeps_what_arrived() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let headers = [JSON, ("x-call-id", "gone"), ("x-fake", "delay=50ms")];
    let mut stream = open(
        &monitor.proxy,
        "POST",
        "/v1/chat/completions",
        &headers,
        &ask(true, "gpt-5.1"),
    );
    let mut seen = Vec::new();
    while !seen.windows(5).any(|window| window == b"data:") {
        let mut some = [0; 2000];
        let read = stream.read(&mut some).unwrap();
        assert!(read > 0, "the stream has ended before its first event");
        seen.extend_from_slice(&some[..read]);
    }
    drop(stream);
    let detail = monitor.ended("gone");
    assert_eq!(detail["flow"]["end"], "client_abort");
    assert_eq!(detail["flow"]["state"], "cancelled");
    assert!(
        detail["exchange"]["response_body"]["bytes"]
            .as_u64()
            .unwrap()
            > 0
    );
    wait_for("the provider to see the end", || {
        let last = provider.log().pop()?;
        (last.end == flow_testkit::End::AbortedByPeer).then_some(())
    });
}

#[test]
fn compressed_bodies_both_ways() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    for coding in ["gzip", "br", "zstd", "deflate"] {
        let call = format!("coded-{coding}");
        let fake = format!("encoding={coding}");
        let headers = [("x-fake", fake.as_str()), ("accept-encoding", coding)];
        let detail = check(
            &monitor,
            &provider,
            &call,
            "/v1/chat/completions",
            &headers,
            &ask(true, "gpt-5.1"),
        );
        let body = &detail["exchange"]["response_body"];
        assert_eq!(body["coding"], coding);
        assert!(body["decode_error"].is_null(), "{coding}: {body}");
        assert_eq!(
            detail["flow"]["state"], "completed",
            "{coding}: {}",
            detail["flow"]
        );
    }
    // Codex sends zstd when it is logged in.
    let plain = ask(false, "gpt-5.1");
    let wire = zstd::encode_all(&plain[..], 3).unwrap();
    let headers = [
        JSON,
        ("x-call-id", "zstd-request"),
        ("content-encoding", "zstd"),
    ];
    monitor.call("/v1/chat/completions", &headers, &wire);
    let detail = monitor.ended("zstd-request");
    assert_eq!(detail["exchange"]["request_body"]["coding"], "zstd");
    assert_eq!(detail["reading"]["request"]["model"], "gpt-5.1");
    let id = detail["flow"]["id"].as_str().unwrap();
    let stored = monitor.api_raw(&format!("/api/flows/{id}/request/body"));
    assert!(stored.body == plain);
    assert_eq!(stored.header("x-flow-coding"), Some("zstd"));
}

#[test]
fn settings_decide_what_is_recorded() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let send = |call: &str, model: &str| {
        let headers = [JSON, ("x-call-id", call)];
        let answer = monitor.call("/v1/chat/completions", &headers, &ask(false, model));
        assert_eq!(answer.status, 200, "traffic goes on whatever is recorded");
    };
    let set = |settings: Value| assert_eq!(monitor.patch(&settings).status, 200);
    set(json!({"recording.paused": true}));
    send("paused", "gpt-5.1");
    set(json!({"recording.paused": false, "recording.excluded_models": ["gpt-4*"]}));
    send("excluded", "gpt-4o");
    set(json!({"recording.sampling_rate": 0.0}));
    send("sampled-out", "gpt-5.1");
    set(json!({"recording.sampling_rate": 1.0, "recording.excluded_paths": ["/v1/chat/*"]}));
    send("path", "gpt-5.1");
    set(json!({"recording.excluded_paths": [], "recording.response_body_bytes_max": 10}));
    send("capped", "gpt-5.1");
    let capped = monitor.ended("capped");
    assert_eq!(capped["exchange"]["response_body"]["truncated"], true);
    assert_eq!(capped["exchange"]["response_body"]["bytes"], 10);
    assert!(
        capped["exchange"]["response_body"]["wire_bytes"]
            .as_u64()
            .unwrap()
            > 10
    );
    assert_eq!(
        monitor.api("/api/flows/count")["count"],
        1,
        "only the last one was to be recorded"
    );
    let refused = monitor.patch(&json!({"recording.sampling_rate": 7, "ui_listen": "127.0.0.1:1"}));
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("recording.sampling_rate") && refused.text().contains("ui_listen")
    );
}

#[test]
fn without_a_disk_flows_live_in_memory() {
    let (provider, dir) = (Provider::start(), data_dir());
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow-monitor"));
    command
        .arg("serve")
        .env("FLOW_MONITOR_RECORDING_PERSIST", "false");
    let monitor = Monitor::start_command(command, dir.path(), &provider.flags());
    let headers = [JSON, ("x-call-id", "memory")];
    monitor.call("/v1/chat/completions", &headers, &ask(true, "gpt-5.1"));
    assert_eq!(monitor.ended("memory")["flow"]["state"], "completed");
    assert!(
        !dir.path().join("segments").exists(),
        "nothing of the flows is on disk"
    );
}

#[test]
fn a_request_that_is_sent_slowly_is_seen_before_its_end() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let body = ask(false, "gpt-5.1");
    let mut stream = std::net::TcpStream::connect(&monitor.proxy).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\nx-call-id: slow-request\r\n\r\n",
        monitor.proxy,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..20]).unwrap();
    wait_for("the pending flow", || {
        let detail = monitor.find("slow-request")?;
        (detail["flow"]["state"] == "pending").then_some(())
    });
    stream.write_all(&body[20..]).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(monitor.ended("slow-request")["flow"]["state"], "completed");
}
