//! Who went away, and what the other side and the record see of it.

use std::net::SocketAddr;

use flow_capture::BodyEnd;
use flow_model::{EndReason, FailureKind, Fault};
use flow_proxy::OnClientAbort;

use crate::support::{CHUNKED, Monitor, OK, Recorded, Upstream, get, post, up};

fn check_client_gone(flow: &Recorded, response: &[BodyEnd]) {
    assert_eq!(flow.end, Some(EndReason::ClientAbort), "{}", flow.why());
    let failure = flow.failure.as_ref().unwrap();
    assert_eq!(
        (failure.kind, failure.fault),
        (FailureKind::ClientGone, Fault::Client)
    );
    assert_eq!(flow.response_ends, response);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_answer_cancels_the_upstream() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(post("/up/v1/x")).await;
    let mut server = upstream.accept().await;
    server.until("body").await;
    drop(client);
    assert_eq!(server.rest().await.0, "");
    let flow = monitor.flow().await;
    check_client_gone(&flow, &[]);
    assert_eq!(flow.request_ends, [BodyEnd::Ended]);
    assert!(flow.head.is_none());
}

#[tokio::test]
async fn a_client_that_leaves_mid_stream_cancels_the_upstream() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, mut server) = upstream.answer(CHUNKED).await;
    server.send("5\r\nfirst\r\n").await;
    client.until("first").await;
    drop(client);
    assert_eq!(server.rest().await.0, "");
    let flow = monitor.flow().await;
    check_client_gone(&flow, &[BodyEnd::Dropped]);
    assert_eq!(flow.response, b"first");
}

#[tokio::test]
async fn a_client_that_leaves_mid_upload_is_at_fault() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client
        .send("POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        .await;
    let mut server = upstream.accept().await;
    server.until("half").await;
    drop(client);
    assert_eq!(server.rest().await.0, "");
    let flow = monitor.flow().await;
    check_client_gone(&flow, &[]);
    assert!(flow.head.is_none());
    assert_eq!(
        (flow.request_ends.as_slice(), flow.sent),
        (&[BodyEnd::Error][..], 0)
    );
    assert_eq!(flow.request, b"half");
}

/// Returns a relay that drains and serves one client at a time.
async fn draining(upstream: SocketAddr) -> Monitor {
    Monitor::with(|options| {
        options.upstreams.push(up(upstream));
        options.connections_max = 1;
        options.settings.on_client_abort = OnClientAbort::Drain;
    })
    .await
}

/// Has the next client served, which comes after the relay has seen the last one go.
async fn next_client(monitor: &mut Monitor) {
    let mut client = monitor.client().await;
    client.send(get("/nowhere")).await;
    client.head().await;
    assert_eq!(monitor.flow().await.end, Some(EndReason::Blocked));
}

#[tokio::test]
async fn a_drained_answer_is_recorded_whole() {
    let upstream = Upstream::start().await;
    let mut monitor = draining(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, mut server) = upstream.answer(CHUNKED).await;
    server.send("5\r\nfirst\r\n").await;
    client.until("first").await;
    drop(client);
    next_client(&mut monitor).await;
    for _ in 0..100 {
        server.send("5\r\nusage\r\n").await;
    }
    server.send("0\r\n\r\n").await;
    let flow = monitor.flow().await;
    check_client_gone(&flow, &[BodyEnd::Ended]);
    assert_eq!(
        flow.response,
        format!("first{}", "usage".repeat(100)).as_bytes()
    );
    // The connection has come to a good end and serves the next client.
    let mut client = monitor.client().await;
    client.send(get("/up/v1/y")).await;
    assert!(server.head().await.starts_with("GET /v1/y "));
}

#[tokio::test]
async fn an_answer_that_begins_after_its_client_left_is_drained_too() {
    let upstream = Upstream::start().await;
    let mut monitor = draining(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let mut server = upstream.accept().await;
    server.head().await;
    drop(client);
    next_client(&mut monitor).await;
    server.send(OK).await;
    let flow = monitor.flow().await;
    check_client_gone(&flow, &[BodyEnd::Ended]);
    assert_eq!(flow.response, b"ok");
}

/// Has the upstream break off in the middle of this answer.
async fn check_break(answered: &str, reset: bool, kind: FailureKind, expect: &str) {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, server) = upstream.answer(answered).await;
    client.until("half").await;
    if reset {
        #[expect(
            deprecated,
            reason = "a reset needs no wait here: nothing is left to be sent"
        )]
        server
            .stream
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
    }
    drop(server);
    let (rest, _) = client.rest().await;
    assert!(
        !rest.contains("0\r\n\r\n"),
        "the client must see that the answer is not whole: {rest:?}"
    );
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.why()),
        (Some(EndReason::UpstreamBreak), expect)
    );
    let failure = flow.failure.as_ref().unwrap();
    assert_eq!((failure.kind, failure.fault), (kind, Fault::Upstream));
    assert_eq!(flow.response_ends, [BodyEnd::Error]);
    assert_eq!(flow.response, b"half");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_at_fault() {
    let closed = "the upstream closed the connection before the end of its answer";
    let reset = "the upstream reset the connection before the end of its answer";
    let chunked = format!("{CHUNKED}4\r\nhalf\r\n5\r\n");
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    check_break(&chunked, false, FailureKind::Reset, closed).await;
    check_break(sized, false, FailureKind::Reset, closed).await;
    check_break(&chunked, true, FailureKind::Reset, reset).await;
    check_break(sized, true, FailureKind::Reset, reset).await;
}

#[tokio::test]
async fn a_chunk_that_is_none_is_a_fault_of_protocol() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, _server) = upstream
        .answer(&format!("{CHUNKED}4\r\nhalf\r\nzz\r\n"))
        .await;
    client.rest().await;
    let flow = monitor.flow().await;
    assert_eq!(flow.end, Some(EndReason::UpstreamBreak));
    assert_eq!(flow.failure.as_ref().unwrap().kind, FailureKind::Protocol);
    assert!(
        flow.why()
            .starts_with("the upstream broke the rules of HTTP: "),
        "{}",
        flow.why()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_before_a_break_reaches_the_client() {
    let upstream = Upstream::start().await;
    let monitor = Monitor::start(upstream.address).await;
    for round in 0..100 {
        let mut client = monitor.client().await;
        client.send(get("/up/v1/x")).await;
        // Frames and break arrive together, so that the relay has no moment in between to write them.
        let frames = (0..9).map(|number| format!("7\r\nevent {number}\r\n"));
        let frames = frames.collect::<Vec<_>>().concat();
        let (_, server) = upstream.answer(&format!("{CHUNKED}{frames}")).await;
        drop(server);
        let (answer, _) = client.rest().await;
        for number in 0..9 {
            let event = format!("event {number}");
            assert!(
                answer.contains(&event),
                "round {round}: {event} is not in {answer}"
            );
        }
    }
}
