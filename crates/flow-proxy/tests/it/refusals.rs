//! What is not relayed, sent byte for byte.

use flow_model::{EndReason, FailureKind, Fault};

use crate::support::{Monitor, OK, Upstream, get};

/// Sends bytes that must not reach the upstream, and checks the answer's first words and the record.
async fn check(sent: &str, status: &str, code: Option<&str>) {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(sent).await;
    let head = client.head().await;
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} ")),
        "{sent:?} got {head}"
    );
    let code = code.map(|code| format!("x-flow-monitor-error: {code}\r\n"));
    assert!(
        code.is_none_or(|code| head.contains(&code)),
        "{sent:?} got {head}"
    );
    let flow = monitor.flow().await;
    let failure = flow.failure.as_ref().unwrap();
    assert_eq!(
        (flow.end, failure.fault),
        (Some(EndReason::Blocked), Fault::Client),
        "{sent:?}"
    );
    assert!(upstream.is_quiet().await, "{sent:?} reached the upstream");
}

fn with(fields: &str) -> String {
    format!("POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

#[tokio::test]
async fn heads_that_two_readers_frame_differently_are_refused() {
    let framing = Some("bad_framing");
    let body = "0\r\n\r\n";
    let both = [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    ];
    for fields in both {
        check(&format!("{}{body}", with(fields)), "400", framing).await;
    }
    check(
        &format!(
            "{}abcde",
            with("Content-Length: 5\r\nContent-Length: 5\r\n")
        ),
        "400",
        framing,
    )
    .await;
    check(
        &format!("{}{body}", with("Transfer-Encoding: gzip, chunked\r\n")),
        "400",
        framing,
    )
    .await;
    let twice = with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n");
    check(&format!("{twice}{body}"), "400", framing).await;
    check("GET /up/v1/x HTTP/1.1\nHost: localhost\n\n", "400", framing).await;
    check(
        "GET /up/v1/x HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n",
        "400",
        framing,
    )
    .await;
    check(&with("Host: other\r\n"), "400", framing).await;
    check(&with("Host: localhost\r\n"), "400", framing).await;
}

#[tokio::test]
async fn heads_that_are_malformed_are_refused() {
    for fields in [
        "A: b\r\n c\r\n",
        "A: b\r\n\tc\r\n",
        " A: b\r\n",
        "A : b\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "A: b\rc\r\n",
        "A: b\0c\r\n",
        "no colon\r\n",
    ] {
        check(&with(fields), "400", None).await;
    }
    check(
        "GET /up/v1/x HTTP/3.7\r\nHost: localhost\r\n\r\n",
        "400",
        None,
    )
    .await;
    check(
        "GET  /up/v1/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "400",
        None,
    )
    .await;
    let coded =
        "POST /up/v1/x HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    check(coded, "400", None).await;
    check(
        &with(&format!("A: {}\r\n", "b".repeat(70_000))),
        "431",
        None,
    )
    .await;
    check(&with(&"A: b\r\n".repeat(101)), "431", None).await;
}

#[tokio::test]
async fn chunks_that_are_none_are_refused() {
    let head = with("Transfer-Encoding: chunked\r\n");
    for body in [
        "zz\r\n",
        "0x4\r\nbody\r\n",
        " 4\r\nbody\r\n",
        "-1\r\n",
        "4\nbody\r\n",
        "4\r\nbodyXX\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let upstream = Upstream::start().await;
        let mut monitor = Monitor::start(upstream.address).await;
        let mut client = monitor.client().await;
        client.send(format!("{head}{body}")).await;
        let answer = client.head().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body:?} got {answer}");
        let flow = monitor.flow().await;
        let failure = flow.failure.as_ref().unwrap();
        let expect = (
            Some(EndReason::Blocked),
            FailureKind::Protocol,
            Fault::Client,
        );
        assert_eq!((flow.end, failure.kind, failure.fault), expect, "{body:?}");
        // The upstream may have seen the head and a beginning of the body, and never its end.
        let mut server = upstream.accept().await;
        let (seen, _) = server.rest().await;
        assert!(!seen.contains("0\r\n\r\n"), "{body:?} passed as {seen:?}");
    }
}

#[tokio::test]
async fn a_smuggled_request_behind_a_pipelined_one_is_refused() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let smuggle = with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n");
    client
        .send(format!("{}{smuggle}0\r\n\r\n", get("/up/v1/first")))
        .await;
    let (_, mut server) = upstream.answer(OK).await;
    client.until("ok").await;
    assert_eq!(monitor.flow().await.end, Some(EndReason::Ended));
    assert!(client.head().await.starts_with("HTTP/1.1 400 "));
    assert_eq!(monitor.flow().await.end, Some(EndReason::Blocked));
    monitor.stop();
    monitor.stopped().await;
    assert_eq!(server.rest().await.0, "");
}

#[tokio::test]
async fn the_relay_is_no_open_proxy() {
    let code = Some("no_forward_proxy");
    check(
        "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
        "403",
        code,
    )
    .await;
    check(
        "GET http://evil.example/v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "403",
        code,
    )
    .await;
    check(
        "GET http://localhost/up/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "403",
        code,
    )
    .await;
}

#[tokio::test]
async fn other_names_and_other_pages_are_refused() {
    check(
        "GET /up/v1/x HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        "421",
        Some("unknown_host"),
    )
    .await;
    check("GET /up/v1/x HTTP/1.1\r\n\r\n", "400", Some("no_host")).await;
    check(
        &with("Origin: https://evil.example\r\n"),
        "403",
        Some("foreign_page"),
    )
    .await;
    check(
        &with("Sec-Fetch-Site: cross-site\r\n"),
        "403",
        Some("foreign_page"),
    )
    .await;
}

#[tokio::test]
async fn websockets_and_signatures_are_refused_with_advice() {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n";
    check(&with(upgrade), "426", Some("websocket_not_relayed")).await;
    let signed = "POST /bedrock/us-east-1/model/m/converse HTTP/1.1\r\nHost: localhost\r\n\
        Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x\r\n\r\n";
    check(signed, "403", Some("signed_for_another_host")).await;
}

#[tokio::test]
async fn an_unknown_route_is_answered_with_the_routes_in_the_guessed_shape() {
    check(&get("/nowhere"), "404", Some("no_route")).await;
    let mut monitor = Monitor::start("127.0.0.1:1".parse().unwrap()).await;
    let mut client = monitor.client().await;
    client
        .send("GET /run/r1/nowhere HTTP/1.1\r\nHost: localhost\r\nanthropic-version: 1\r\n\r\n")
        .await;
    client.head().await;
    let flow = monitor.flow().await;
    let answer = String::from_utf8_lossy(&flow.response);
    assert!(
        answer.starts_with(r#"{"type":"error","error":{"type":"not_found_error","#),
        "{answer}"
    );
    assert!(answer.contains("/anthropic, "), "{answer}");
    assert_eq!(flow.failure.as_ref().unwrap().kind, FailureKind::NoRoute);
    let route = &flow.start().route;
    assert_eq!(
        (route.upstream.as_deref(), route.run.as_deref()),
        (None, Some("r1"))
    );
    assert_eq!(flow.start().request.target, "/run/r1/nowhere");
}

#[tokio::test]
async fn upgrades_of_other_kinds_are_relayed_without_the_upgrade() {
    let upstream = Upstream::start().await;
    let monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let fields = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nA: b\r\n";
    client
        .send(format!(
            "GET /up/v1/x HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        ))
        .await;
    let (head, _server) = upstream.answer(OK).await;
    assert_eq!(
        head,
        format!(
            "GET /v1/x HTTP/1.1\r\nHost: {}\r\nA: b\r\n\r\n",
            upstream.address
        )
    );
    assert_eq!(client.until("ok").await, OK);
}
