//! Clients that speak HTTP/2 without TLS.

use bytes::Bytes;
use flow_capture::BodyEnd;
use flow_model::EndReason;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{CHUNKED, Monitor, OK, Upstream, beside, soon};

async fn client(monitor: &Monitor) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(monitor.address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    beside(connection);
    sender
}

fn request(path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder()
        .method("POST")
        .uri(format!("http://localhost{path}"))
        .header("x-a", "1")
        .body(Full::from(body))
        .unwrap()
}

#[tokio::test]
async fn a_request_of_http2_reaches_an_upstream_of_http1() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = client(&monitor).await;
    let sent = beside(client.send_request(request("/up/v1/x?q", "body")));
    let mut server = upstream.accept().await;
    let head = server.head().await;
    let host = format!("Host: {}\r\n", upstream.address).to_lowercase();
    assert_eq!(
        head,
        format!("POST /v1/x?q HTTP/1.1\r\n{host}x-a: 1\r\ncontent-length: 4\r\n\r\n")
    );
    assert_eq!(server.exactly(4).await, b"body");
    server
        .send("HTTP/1.1 201 Made\r\nX-Up: Yes\r\nConnection: x\r\ncontent-length: 2\r\n\r\nok")
        .await;
    let response: Response<Incoming> = soon("an answer", sent).await.unwrap().unwrap();
    assert_eq!(response.status(), 201);
    let fields: Vec<_> = response
        .headers()
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(fields, ["x-up", "content-length"]);
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "ok"
    );
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.request.as_slice()),
        (Some(EndReason::Ended), &b"body"[..])
    );
    assert_eq!(flow.start().request.version, "HTTP/2.0");
    assert_eq!(flow.start().request.target, "/up/v1/x?q");
}

#[tokio::test]
async fn a_stream_that_is_reset_cancels_the_upstream() {
    let upstream = Upstream::start().await;
    let mut monitor = Monitor::start(upstream.address).await;
    let mut client = client(&monitor).await;
    let sent = beside(client.send_request(request("/up/v1/x", "")));
    let (_, mut server) = upstream.answer(CHUNKED).await;
    server.send("5\r\nfirst\r\n").await;
    let mut response = soon("an answer", sent).await.unwrap().unwrap();
    let frame = soon("a frame", response.body_mut().frame())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame.data_ref().unwrap(), "first");
    drop(response);
    assert_eq!(server.rest().await.0, "");
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.response_ends),
        (Some(EndReason::ClientAbort), vec![BodyEnd::Dropped])
    );
    // The client's other streams go on.
    let sent = beside(client.send_request(request("/up/v1/y", "")));
    upstream.answer(OK).await;
    assert_eq!(
        soon("an answer", sent).await.unwrap().unwrap().status(),
        200
    );
}

#[tokio::test]
async fn other_hosts_are_refused() {
    let mut monitor = Monitor::start("127.0.0.1:1".parse().unwrap()).await;
    let mut client = client(&monitor).await;
    let mut request = request("/up/v1/x", "");
    *request.uri_mut() = "http://evil.example/up/v1/x".parse().unwrap();
    let response = soon("an answer", client.send_request(request))
        .await
        .unwrap();
    assert_eq!(response.status(), 421);
    assert_eq!(monitor.flow().await.end, Some(EndReason::Blocked));
}
