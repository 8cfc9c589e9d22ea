//! What the record says of heads, and what it must never hold.

use flow_capture::Policy;
use flow_model::EndReason;
use flow_model::exchange::header;

use crate::support::{Monitor, OK, Recorded, Upstream, get};

/// Relays one request with this answer and returns what was recorded.
async fn record(request: &[u8], answer: &str) -> (Recorded, Monitor, Upstream) {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(request).await;
    let _server = upstream.answer(answer).await;
    client.head().await;
    let flow = monitor.flow().await;
    (flow, monitor, upstream)
}

#[tokio::test]
async fn heads_are_recorded_in_the_case_and_order_of_the_wire() {
    let request = "POST /run/r-1/up/x?q=1 HTTP/1.1\r\nX-B: 1\r\nhOST: localhost\r\nx-b: 2\r\nConnection: close\r\n\
        Content-Length: 0\r\nX-a: caf\u{e9}\r\n\r\n";
    let answer = "HTTP/1.1 201 Made It\r\nB: 1\r\nA: 2\r\nb: 3\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n";
    let early = format!("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n{answer}");
    let (flow, monitor, upstream) = record(request.as_bytes(), &early).await;
    let start = flow.start();
    assert_eq!(
        flow.names(),
        ["X-B", "hOST", "x-b", "Connection", "Content-Length", "X-a"]
    );
    assert_eq!(header(&start.request.headers, "x-a"), Some("caf\u{e9}"));
    assert_eq!(
        (
            start.request.method.as_str(),
            start.request.version.as_str()
        ),
        ("POST", "HTTP/1.1")
    );
    assert_eq!(start.request.target, "/run/r-1/up/x?q=1");
    let route = &start.route;
    assert_eq!(
        (route.upstream.as_deref(), route.provider.as_deref()),
        (Some("up"), Some("up"))
    );
    assert_eq!(
        route.url,
        Some(format!("http://{}/x?q=1", upstream.address))
    );
    assert_eq!(route.run.as_deref(), Some("r-1"));
    assert!(start.peer.as_deref().unwrap().starts_with("127.0.0.1:"));
    let head = flow.head.as_ref().unwrap();
    let names: Vec<_> = head
        .headers
        .iter()
        .map(|header| header.name.as_str())
        .collect();
    assert_eq!(names, ["B", "A", "b", "Connection", "Content-Length"]);
    assert_eq!(
        (head.status, head.reason.as_deref(), head.version.as_str()),
        (201, Some("Made It"), "HTTP/1.1")
    );
    drop(monitor);
}

#[tokio::test]
async fn every_head_of_a_connection_is_recorded_so() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let fields = "HOST: localhost\r\nContent-LENGTH: 4\r\nA: 2\r\nb: 3";
    let request = |round| format!("POST /up/v1/x HTTP/1.1\r\nB: {round}\r\n{fields}\r\n\r\nbody");
    let answer =
        |round| format!("HTTP/1.1 200 OK\r\nZ: {round}\r\nz: 3\r\nContent-LENGTH: 2\r\n\r\nok");
    client.send(request(0)).await;
    let mut server = upstream.accept().await;
    for round in 0..3 {
        server.until("body").await;
        server.send(answer(round)).await;
        client.until("ok").await;
        let flow = monitor.flow().await;
        assert_eq!(flow.names(), ["B", "HOST", "Content-LENGTH", "A", "b"]);
        assert_eq!(flow.start().request.headers[0].value, round.to_string());
        let head = flow.head.as_ref().unwrap();
        let names: Vec<_> = head
            .headers
            .iter()
            .map(|header| header.name.as_str())
            .collect();
        assert_eq!(names, ["Z", "z", "Content-LENGTH"]);
        assert_eq!(head.headers[0].value, round.to_string());
        client.send(request(round + 1)).await;
    }
}

#[tokio::test]
async fn values_that_are_not_utf8_are_marked() {
    let (flow, _monitor, _upstream) = record(
        b"GET /up/v1/x HTTP/1.1\r\nHost: localhost\r\nX: \xff\r\n\r\n",
        OK,
    )
    .await;
    let field = flow
        .start()
        .request
        .headers
        .iter()
        .find(|field| field.name == "X")
        .unwrap();
    assert_eq!((field.value.as_str(), field.latin1), ("\u{ff}", true));
}

#[tokio::test]
async fn credentials_are_replaced_before_the_record() {
    const SECRET: &str = "sk-ant-0123456789abcdefghijklmnop";
    let request = format!(
        "POST /up/v1/x?key={SECRET}&a=b HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n\
         x-api-key: {SECRET}\r\nCookie: s={SECRET}\r\nTE: trailers\r\nTrailer: x-api-key\r\n\
         Transfer-Encoding: chunked\r\n\r\n0\r\nx-api-key: {SECRET}\r\n\r\n"
    );
    let answer = format!("HTTP/1.1 200 OK\r\nSet-Cookie: s={SECRET}\r\ncontent-length: 0\r\n\r\n");
    let (flow, _monitor, _upstream) = record(request.as_bytes(), &answer).await;
    let shown = format!("{flow:?}");
    assert!(!shown.contains("0123456789"), "{shown}");
    assert!(shown.contains("redacted-"), "{shown}");
    assert!(
        flow.start()
            .request
            .target
            .starts_with("/up/v1/x?key=redacted-")
    );
}

#[tokio::test]
async fn a_failure_shows_no_credential() {
    const SECRET: &str = "sk-ant-0123456789abcdefghijklmnop";
    let mut monitor = Monitor::start("127.0.0.1:1".parse().unwrap()).await;
    for path in ["/up/v1/x", "/nowhere"] {
        let mut client = monitor.client().await;
        client.send(get(&format!("{path}?key={SECRET}"))).await;
        client.head().await;
        let flow = monitor.flow().await;
        assert!(flow.end.is_some_and(|end| end != EndReason::Ended));
        assert!(!format!("{flow:?}").contains("0123456789"), "{flow:?}");
    }
}

#[tokio::test]
async fn what_is_not_recorded_is_relayed_all_the_same() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    let paused = Policy {
        paused: true,
        ..Policy::default()
    };
    monitor.capture.set_policy(paused).unwrap();
    client.send(get("/up/v1/hidden")).await;
    let (_, mut server) = upstream.answer(OK).await;
    assert_eq!(client.until("ok").await, OK);
    monitor.capture.set_policy(Policy::default()).unwrap();
    client.send(get("/up/v1/shown")).await;
    server.head().await;
    server.send(OK).await;
    client.until("ok").await;
    assert_eq!(monitor.flow().await.start().request.target, "/up/v1/shown");
}
