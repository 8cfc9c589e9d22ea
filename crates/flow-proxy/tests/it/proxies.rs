//! The way through a proxy of the environment.

use std::net::SocketAddr;

use flow_model::FailureKind;
use flow_proxy::ProxyEnvironment;
use tokio::net::TcpStream;

use crate::support::{Monitor, OK, Raw, Upstream, beside, get};

/// An upstream that only a proxy can find.
const URL: &str = "up=http://upstream.invalid:8080";
const EXPECT: &str = "GET /v1/x HTTP/1.1\r\nHost: upstream.invalid:8080\r\n\r\n";

async fn monitor(proxy: &str) -> Monitor {
    let environment = ProxyEnvironment::new(proxy, "", "", "").unwrap();
    Monitor::with(|options| {
        options.upstreams.push(URL.parse().unwrap());
        options.environment = environment;
    })
    .await
}

/// Passes bytes between a client of the proxy and the upstream.
async fn join(mut client: Raw<TcpStream>, upstream: SocketAddr) {
    let mut server = TcpStream::connect(upstream).await.unwrap();
    drop(tokio::io::copy_bidirectional(&mut client.stream, &mut server).await);
}

#[tokio::test]
async fn an_http_proxy_is_asked_for_a_tunnel() {
    let (upstream, proxy) = (Upstream::start().await, Upstream::start().await);
    let mut monitor = monitor(&format!("http://user:pa%20ss@{}", proxy.address)).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let mut asked = proxy.accept().await;
    let head = asked.head().await;
    let expect = "CONNECT upstream.invalid:8080 HTTP/1.1\r\nHost: upstream.invalid:8080\r\n\
        Proxy-Authorization: Basic dXNlcjpwYSBzcw==\r\n\r\n";
    assert_eq!(head, expect);
    asked
        .send("HTTP/1.1 200 Connection established\r\n\r\n")
        .await;
    beside(join(asked, upstream.address));
    assert_eq!(upstream.answer(OK).await.0, EXPECT);
    assert_eq!(client.until("ok").await, OK);
    let flow = monitor.flow().await;
    assert!(flow.connected[0].connect_us.is_some());
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let proxy = Upstream::start().await;
    let mut monitor = monitor(&format!("http://user:hunter22@{}", proxy.address)).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let _refused = proxy
        .answer("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        .await;
    let head = client.head().await;
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let flow = monitor.flow().await;
    assert_eq!(flow.failure.as_ref().unwrap().kind, FailureKind::Connect);
    let expect = "the proxy 127.0.0.1 opens no way to upstream.invalid: it asks for a user name and a password that it \
        accepts (407)";
    assert_eq!(flow.why(), expect);
    assert!(!format!("{flow:?}").contains("hunter22"));
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_name() {
    let (upstream, proxy) = (Upstream::start().await, Upstream::start().await);
    let mut monitor = monitor(&format!("socks5h://u:p@{}", proxy.address)).await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let mut asked = proxy.accept().await;
    assert_eq!(asked.exactly(4).await, b"\x05\x02\x00\x02");
    asked.send(b"\x05\x02").await;
    assert_eq!(asked.exactly(5).await, b"\x01\x01u\x01p");
    asked.send(b"\x01\x00").await;
    let mut expect = b"\x05\x01\x00\x03\x10upstream.invalid".to_vec();
    expect.extend_from_slice(&8080_u16.to_be_bytes());
    assert_eq!(asked.exactly(expect.len()).await, expect);
    asked
        .send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        .await;
    beside(join(asked, upstream.address));
    assert_eq!(upstream.answer(OK).await.0, EXPECT);
    assert_eq!(client.until("ok").await, OK);
    monitor.flow().await;
}

#[tokio::test]
async fn upstreams_on_this_machine_are_reached_without_the_proxy() {
    let (upstream, proxy) = (Upstream::start().await, Upstream::start().await);
    let environment =
        ProxyEnvironment::new(&format!("http://{}", proxy.address), "", "", "").unwrap();
    let monitor = Monitor::with(|options| {
        options.upstreams.push(crate::support::up(upstream.address));
        options.environment = environment;
    })
    .await;
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    upstream.answer(OK).await;
    assert_eq!(client.until("ok").await, OK);
    assert!(proxy.is_quiet().await);
}

#[tokio::test]
async fn a_proxy_that_is_the_monitor_itself_is_refused() {
    let mut other = monitor("http://127.0.0.1:1").await;
    let mut monitor = monitor(&format!("http://{}", other.address)).await;
    monitor.proxy.guard_listener(other.address);
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    assert!(client.head().await.starts_with("HTTP/1.1 508 "));
    assert_eq!(
        monitor.flow().await.failure.unwrap().kind,
        FailureKind::Refused
    );
    other.stop();
}
