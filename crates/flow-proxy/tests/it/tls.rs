//! Upstreams over TLS, with HTTP/1.1 and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use flow_capture::BodyEnd;
use flow_model::{EndReason, FailureKind, Fault};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::{Monitor, OK, Raw, beside, get, post, soon};

/// An authority that the relay may be told to trust, and a server's certificate from it.
struct Certified {
    root: CertificateDer<'static>,
    acceptor: TlsAcceptor,
}

fn certify(names: &[&str], protocols: &[&str]) -> Certified {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let root_key = KeyPair::generate().unwrap();
    let mut root = CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_certificate = root.self_signed(&root_key).unwrap();
    let issuer = Issuer::new(root, root_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    Certified {
        root: root_certificate.der().clone(),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

struct Server {
    listener: TcpListener,
    address: SocketAddr,
    certified: Certified,
}

impl Server {
    async fn start(names: &[&str], protocols: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            listener,
            address,
            certified: certify(names, protocols),
        }
    }

    async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (stream, _) = soon("a connection to the upstream", self.listener.accept()).await?;
        soon("a handshake", self.certified.acceptor.accept(stream)).await
    }

    /// Returns a relay with an upstream `up` at this host, which trusts the server's authority or does not.
    async fn monitor(&self, host: &str, trusts: bool) -> Monitor {
        let url = format!("up=https://{host}:{}", self.address.port());
        let root = self.certified.root.clone();
        Monitor::with(|options| {
            options.upstreams.push(url.parse().unwrap());
            if trusts {
                options.extra_roots.push(root);
            }
        })
        .await
    }
}

#[tokio::test]
async fn http1_over_tls_passes_byte_for_byte() {
    for host in ["localhost", "127.0.0.1"] {
        let server = Server::start(&["localhost", "127.0.0.1"], &["http/1.1"]).await;
        let mut monitor = server.monitor(host, true).await;
        let mut client = monitor.client().await;
        client.send(get("/up/v1/x")).await;
        let mut upstream = Raw::new(server.accept().await.unwrap());
        let port = server.address.port();
        assert_eq!(
            upstream.head().await,
            format!("GET /v1/x HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n")
        );
        upstream.send(OK).await;
        assert_eq!(client.until("ok").await, OK);
        let flow = monitor.flow().await;
        assert!(flow.connected[0].tls_us.is_some() && flow.connected[0].connect_us.is_some());
        assert_eq!(flow.connected[0].dns_us.is_some(), host == "localhost");
        assert_eq!(flow.head.unwrap().headers[0].name, "content-length");
    }
}

/// Asks an upstream whose certificate will not do.
async fn check_refused(host: &str, names: &[&str], trusts: bool, expect: &str) {
    let server = Server::start(names, &["h2"]).await;
    let mut monitor = server.monitor(host, trusts).await;
    let mut client = monitor.client().await;
    client.send(post("/up/v1/x")).await;
    assert!(server.accept().await.is_err());
    assert!(client.head().await.starts_with("HTTP/1.1 502 "));
    let flow = monitor.flow().await;
    let failure = flow.failure.unwrap();
    assert_eq!(
        (failure.kind, failure.fault),
        (FailureKind::Tls, Fault::Upstream)
    );
    assert_eq!(
        failure.message,
        format!("no TLS connection to {host}: {expect}")
    );
}

#[tokio::test]
async fn certificates_are_checked() {
    let unknown = "its certificate comes from an authority that is not trusted here";
    check_refused("localhost", &["localhost"], false, unknown).await;
    check_refused(
        "localhost",
        &["other.example"],
        true,
        "its certificate is for another name",
    )
    .await;
    check_refused(
        "127.0.0.1",
        &["localhost"],
        true,
        "its certificate is for another name",
    )
    .await;
}

type Frames = mpsc::UnboundedReceiver<Frame<Bytes>>;

/// What an HTTP/2 upstream saw of one request.
struct Seen {
    parts: http::request::Parts,
    body: Bytes,
    trailers: Option<HeaderMap>,
    /// Sends the answer's frames; closed once nobody reads them.
    answer: mpsc::UnboundedSender<Frame<Bytes>>,
}

/// Serves HTTP/2 on one connection; each request is answered by whoever receives it.
async fn serve_http2(stream: TlsStream<TcpStream>, seen: mpsc::UnboundedSender<Seen>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap();
            let trailers = body.trailers().cloned();
            let (answer, frames) = mpsc::unbounded_channel();
            let body = body.to_bytes();
            assert!(
                seen.send(Seen {
                    parts,
                    body,
                    trailers,
                    answer
                })
                .is_ok()
            );
            let mut response = Response::new(answer_body(frames));
            response
                .headers_mut()
                .insert("x-answer", HeaderValue::from_static("yes"));
            Ok::<_, Infallible>(response)
        }
    });
    let served =
        http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service);
    drop(served.await);
}

fn answer_body(
    mut frames: Frames,
) -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    StreamBody::new(futures_util::stream::poll_fn(move |cx| {
        frames.poll_recv(cx).map(|frame| frame.map(Ok))
    }))
}

fn data(text: &'static str) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn an_upstream_of_http2_shares_one_connection() {
    let server = Server::start(&["localhost"], &["h2", "http/1.1"]).await;
    let mut monitor = server.monitor("localhost", true).await;
    let (seen, mut requests) = mpsc::unbounded_channel();
    let mut client = monitor.client().await;
    let chunked = "X-Case: A\r\nTE: trailers\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
        4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n";
    client
        .send(format!(
            "POST /up/v1/x?q HTTP/1.1\r\nHost: localhost\r\n{chunked}"
        ))
        .await;
    let stream = server.accept().await.unwrap();
    let port = server.address.port();
    beside(serve_http2(stream, seen));
    let request = soon("a request", requests.recv()).await.unwrap();
    assert_eq!(
        request.parts.uri.to_string(),
        format!("https://localhost:{port}/v1/x?q")
    );
    let fields: Vec<_> = request
        .parts
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .collect();
    assert_eq!(fields, ["x-case", "te", "trailer"]);
    assert_eq!(request.body, "body");
    assert_eq!(request.trailers.unwrap()["x-sum"], "1");
    request.answer.send(data("one")).unwrap();
    let head = client.head().await;
    assert_eq!(head.lines().next(), Some("HTTP/1.1 200 OK"));
    assert!(head.contains("x-answer: yes\r\n"), "{head}");
    client.until("one").await;
    // A second request goes over the same connection while the first one runs.
    let mut other = monitor.client().await;
    other.send(get("/up/v1/y")).await;
    let second = soon("a request", requests.recv()).await.unwrap();
    assert_eq!(second.parts.uri.path(), "/v1/y");
    second.answer.send(data("two")).unwrap();
    drop(second.answer);
    other.until("two").await;
    let flow = monitor.flow().await;
    assert!(flow.connected[0].reused);
    let head = flow.head.unwrap();
    assert_eq!((head.version.as_str(), head.reason), ("HTTP/2.0", None));
    drop(request.answer);
    client.until("0\r\n\r\n").await;
    assert_eq!(monitor.flow().await.response, b"one");
}

#[tokio::test]
async fn a_client_that_leaves_resets_the_stream_and_not_the_connection() {
    let server = Server::start(&["localhost"], &["h2"]).await;
    let mut monitor = server.monitor("localhost", true).await;
    let (seen, mut requests) = mpsc::unbounded_channel();
    let mut client = monitor.client().await;
    client.send(post("/up/v1/x")).await;
    beside(serve_http2(server.accept().await.unwrap(), seen));
    let request = soon("a request", requests.recv()).await.unwrap();
    request.answer.send(data("one")).unwrap();
    client.until("one").await;
    drop(client);
    soon("the upstream's stream being reset", request.answer.closed()).await;
    let flow = monitor.flow().await;
    assert_eq!(
        (flow.end, flow.response_ends),
        (Some(EndReason::ClientAbort), vec![BodyEnd::Dropped])
    );
    let mut client = monitor.client().await;
    client.send(get("/up/v1/y")).await;
    let request = soon("a request", requests.recv()).await.unwrap();
    drop(request.answer);
    client.head().await;
    assert!(monitor.flow().await.connected[0].reused);
}

#[tokio::test]
async fn a_connection_of_http2_that_ends_breaks_what_runs_and_is_replaced() {
    let server = Server::start(&["localhost"], &["h2"]).await;
    let mut monitor = server.monitor("localhost", true).await;
    let (seen, mut requests) = mpsc::unbounded_channel();
    let mut client = monitor.client().await;
    client.send(get("/up/v1/x")).await;
    let served = beside(serve_http2(server.accept().await.unwrap(), seen.clone()));
    let request = soon("a request", requests.recv()).await.unwrap();
    request.answer.send(data("one")).unwrap();
    client.until("one").await;
    served.abort();
    let (rest, _) = client.rest().await;
    assert!(!rest.ends_with("0\r\n\r\n"), "{rest}");
    let flow = monitor.flow().await;
    assert_eq!(flow.end, Some(EndReason::UpstreamBreak), "{}", flow.why());
    let mut client = monitor.client().await;
    client.send(get("/up/v1/y")).await;
    beside(serve_http2(server.accept().await.unwrap(), seen));
    let request = soon("a request", requests.recv()).await.unwrap();
    drop(request.answer);
    assert!(client.head().await.starts_with("HTTP/1.1 200 OK\r\n"));
}
