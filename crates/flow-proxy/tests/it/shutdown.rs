//! The end of the relay.

use std::time::Duration;

use flow_model::{EndReason, FailureKind, Fault};

use crate::support::{CHUNKED, Monitor, Upstream, get};

#[tokio::test]
async fn what_runs_may_end_and_idle_connections_close() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut idle = monitor.client().await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, mut server) = upstream.answer(CHUNKED).await;
    server.send("3\r\none\r\n").await;
    client.until("one").await;
    monitor.stop();
    assert_eq!(idle.rest().await.0, "");
    server.send("3\r\ntwo\r\n0\r\n\r\n").await;
    client.until("two\r\n0\r\n\r\n").await;
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.response.as_slice()),
        (Some(EndReason::Ended), &b"onetwo"[..])
    );
    monitor.stopped().await;
    assert_eq!(server.rest().await.0, "");
}

#[tokio::test]
async fn what_does_not_end_is_interrupted() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    monitor.set(|settings| settings.shutdown_timeout = Duration::from_millis(20));
    let mut streaming = monitor.client().await;
    streaming.send(get("/up/v1/a")).await;
    let (_, mut server) = upstream.answer(CHUNKED).await;
    server.send("3\r\none\r\n").await;
    streaming.until("one").await;
    let mut waiting = monitor.client().await;
    waiting.send(get("/up/v1/b")).await;
    let mut silent = upstream.accept().await;
    silent.head().await;
    monitor.stop();
    monitor.stopped().await;
    for _ in 0..2 {
        let flow = monitor.flow().await;
        let failure = flow.failure.as_ref().unwrap();
        let expect = (
            Some(EndReason::Interrupted),
            FailureKind::Stopped,
            Fault::Monitor,
        );
        assert_eq!(
            (flow.end, failure.kind, failure.fault),
            expect,
            "{failure:?}"
        );
    }
    assert_eq!(
        (server.rest().await.0, silent.rest().await.0),
        (String::new(), String::new())
    );
}

#[tokio::test]
async fn clients_over_the_cap_wait_their_turn() {
    let mut monitor = Monitor::with(|options| options.connections_max = 1).await;
    let mut first = monitor.client().await;
    let mut second = monitor.client().await;
    second.send(get("/second")).await;
    first.send(get("/first")).await;
    first.head().await;
    assert_eq!(monitor.flow().await.start().request.target, "/first");
    drop(first);
    second.head().await;
    assert_eq!(monitor.flow().await.start().request.target, "/second");
}
