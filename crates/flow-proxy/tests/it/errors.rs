//! Upstreams that cannot be reached or do not answer: what the client is told, and what the record says.

use std::net::SocketAddr;
use std::time::Duration;

use flow_capture::BodyEnd;
use flow_model::{EndReason, FailureKind, Fault};
use flow_proxy::ProxyOptions;
use tokio::net::TcpListener;

use crate::support::{CHUNKED, Monitor, Recorded, Upstream, beside, get, post};

const SHORT: Duration = Duration::from_millis(40);

/// Sends a request that fails and returns the answer and the record.
async fn fail(monitor: &mut Monitor, request: &str) -> (String, Recorded) {
    let mut client = monitor.client().await;
    client.send(request).await;
    let head = client.head().await;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap_or_else(|| panic!("{head} has no length"));
    let body = client.exactly(length.parse().unwrap()).await;
    (
        format!("{head}{}", String::from_utf8_lossy(&body)),
        monitor.flow().await,
    )
}

fn check(
    (answer, flow): &(String, Recorded),
    status: u16,
    code: &str,
    end: EndReason,
    kind: FailureKind,
    fault: Fault,
) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")),
        "{answer}"
    );
    assert!(
        answer.contains(&format!("x-flow-monitor-error: {code}\r\n")),
        "{answer}"
    );
    let failure = flow.failure.as_ref().unwrap();
    assert_eq!(
        (flow.end, failure.kind, failure.fault),
        (Some(end), kind, fault),
        "{failure:?}"
    );
    assert_eq!(flow.head.as_ref().unwrap().status, status);
    assert_eq!(flow.response_ends, [BodyEnd::Ended]);
    assert_eq!(flow.request_ends.len(), 1);
}

/// Returns an address at which nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn upstream(url: &str) -> impl FnOnce(&mut ProxyOptions) {
    let upstream = format!("up={url}").parse().unwrap();
    |options| options.upstreams.push(upstream)
}

#[tokio::test]
async fn an_upstream_that_refuses_is_a_502_in_the_clients_shape() {
    let address = nobody().await;
    let mut monitor = Monitor::start(address).await;
    let failed = fail(&mut monitor, &post("/up/v1/chat/completions")).await;
    let (end, kind) = (EndReason::UpstreamBreak, FailureKind::Connect);
    check(&failed, 502, "upstream_connect", end, kind, Fault::Upstream);
    assert!(
        failed.0.contains(r#""type":"server_error""#),
        "{}",
        failed.0
    );
    assert!(
        failed
            .1
            .why()
            .starts_with("no connection to 127.0.0.1 port "),
        "{}",
        failed.1.why()
    );
    let failed = fail(&mut monitor, &post("/up/v1/messages")).await;
    assert!(
        failed
            .0
            .contains(r#"{"type":"error","error":{"type":"api_error","message":"#),
        "{}",
        failed.0
    );
    let failed = fail(&mut monitor, &post("/up/v1beta/models/m:generateContent")).await;
    assert!(
        failed.0.contains(r#""status":"UNAVAILABLE""#),
        "{}",
        failed.0
    );
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_fault_of_dns() {
    let mut monitor = Monitor::with(upstream("http://no-such-host.invalid")).await;
    let failed = fail(&mut monitor, &get("/up/v1/x")).await;
    let (end, kind) = (EndReason::UpstreamBreak, FailureKind::Dns);
    check(&failed, 502, "upstream_dns", end, kind, Fault::Upstream);
    assert!(
        failed
            .1
            .why()
            .starts_with("the name no-such-host.invalid could not be resolved")
    );
}

#[tokio::test]
async fn the_monitor_does_not_connect_to_itself() {
    for host in [
        "127.0.0.1",
        "localhost",
        "127.9.9.9",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ] {
        let mut monitor = Monitor::at(|options, own| {
            let url = format!("up=http://{host}:{}", own.port());
            options.upstreams.push(url.parse().unwrap());
        })
        .await;
        let failed = fail(&mut monitor, &get("/up/up/up/v1/x")).await;
        let (end, kind) = (EndReason::Blocked, FailureKind::Refused);
        check(&failed, 508, "own_listener", end, kind, Fault::Client);
    }
}

#[tokio::test]
async fn the_monitor_does_not_connect_to_its_other_listeners() {
    let page = Upstream::start().await;
    let mut monitor = Monitor::start(page.address).await;
    monitor.proxy.guard_listener(page.address);
    let failed = fail(&mut monitor, &get("/up/api/config")).await;
    let (end, kind) = (EndReason::Blocked, FailureKind::Refused);
    check(&failed, 508, "own_listener", end, kind, Fault::Client);
    assert!(page.is_quiet().await);
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_is_a_504() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::start(server.address).await;
    monitor.set(|settings| settings.head_timeout = SHORT);
    let failed = fail(&mut monitor, &post("/up/v1/x")).await;
    check(
        &failed,
        504,
        "upstream_timeout",
        EndReason::Timeout,
        FailureKind::Timeout,
        Fault::Upstream,
    );
    let mut server = server.accept().await;
    server.until("body").await;
    assert_eq!(server.rest().await.0, "", "the upstream is cancelled");
}

#[tokio::test]
async fn a_client_that_stops_sending_is_told_so() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::start(server.address).await;
    monitor.set(|settings| settings.head_timeout = SHORT);
    let request = "POST /up/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf";
    let failed = fail(&mut monitor, request).await;
    check(
        &failed,
        408,
        "request_timeout",
        EndReason::Timeout,
        FailureKind::Timeout,
        Fault::Client,
    );
    assert_eq!(failed.1.request_ends, [BodyEnd::Dropped]);
}

#[tokio::test]
async fn an_answer_that_halts_is_broken_off() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::start(server.address).await;
    monitor.set(|settings| settings.idle_timeout = SHORT);
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let (_, mut server) = server.answer(&format!("{CHUNKED}4\r\nhalf\r\n")).await;
    let (rest, _) = client.rest().await;
    assert!(rest.ends_with("4\r\nhalf\r\n"), "{rest}");
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.why()),
        (
            Some(EndReason::Timeout),
            "no byte of the answer came for 40 ms"
        )
    );
    assert_eq!(flow.response_ends, [BodyEnd::Error]);
    assert_eq!(server.rest().await.0, "", "the upstream is cancelled");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_a_fault_of_tls() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::with(upstream(&format!("https://{}", server.address))).await;
    let answer = beside(async move {
        let mut server = server.accept().await;
        server.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        server.rest().await
    });
    let failed = fail(&mut monitor, &get("/up/v1/x")).await;
    check(
        &failed,
        502,
        "upstream_tls",
        EndReason::UpstreamBreak,
        FailureKind::Tls,
        Fault::Upstream,
    );
    assert_eq!(
        failed.1.why(),
        "no TLS connection to 127.0.0.1: it does not speak TLS on this port"
    );
    answer.await.unwrap();
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_a_504() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::with(upstream(&format!("https://{}", server.address))).await;
    monitor.set(|settings| settings.tls_timeout = SHORT);
    let failed = fail(&mut monitor, &get("/up/v1/x")).await;
    let (end, kind) = (EndReason::Timeout, FailureKind::Timeout);
    check(
        &failed,
        504,
        "upstream_connect_timeout",
        end,
        kind,
        Fault::Upstream,
    );
}

/// Has the upstream answer with something that is no response.
async fn check_answer(answered: &str, code: &str, kind: FailureKind) {
    let server = Upstream::start().await;
    let mut monitor = Monitor::start(server.address).await;
    let answered = answered.to_owned();
    let answer = beside(async move {
        server.answer(&answered).await;
    });
    let failed = fail(&mut monitor, &get("/up/v1/x")).await;
    check(
        &failed,
        502,
        code,
        EndReason::UpstreamBreak,
        kind,
        Fault::Upstream,
    );
    answer.await.unwrap();
}

#[tokio::test]
async fn what_is_no_answer_is_a_502() {
    check_answer("", "upstream_broke_off", FailureKind::Reset).await;
    check_answer("HTTP/1.1 200", "upstream_broke_off", FailureKind::Reset).await;
    check_answer(
        "SSH-2.0-x\r\n\r\n",
        "upstream_broke_off",
        FailureKind::Protocol,
    )
    .await;
    check_answer(
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "upstream_broke_off",
        FailureKind::Protocol,
    )
    .await;
    let lengths = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    check_answer(lengths, "upstream_broke_off", FailureKind::Protocol).await;
    let switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
    check_answer(switched, "upstream_protocol", FailureKind::Protocol).await;
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "b".repeat(70_000));
    check_answer(&long, "upstream_broke_off", FailureKind::Protocol).await;
}

#[tokio::test]
async fn an_upstreams_own_error_passes_and_is_told_apart() {
    let server = Upstream::start().await;
    let mut monitor = Monitor::start(server.address).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let error = "HTTP/1.1 529 Overloaded\r\ncontent-length: 2\r\n\r\nno";
    let _server = server.answer(error).await;
    assert_eq!(client.until("no").await, error);
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.failure.is_none()),
        (Some(EndReason::UpstreamError), true)
    );
    assert_eq!(flow.head.unwrap().reason.as_deref(), Some("Overloaded"));
}
