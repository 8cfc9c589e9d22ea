//! From a request to its response: record, refuse or send, record.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use flow_capture::{BodyEnd, ConnectTimings, FlowStart, FlowTap};
use flow_model::{
    Api, EndReason, Failure, FailureKind, Fault, RequestHead, ResponseHead, Route, Side,
};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Version, header, request, response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::ext::ReasonPhrase;
use hyper::upgrade::OnUpgrade;
use tokio::sync::oneshot;

use super::body::{Home, RelayBody, RequestBody, ResponseBody, ResponseFacts};
use super::failure::Failed;
use super::flow::{Flow, Unfinished};
use crate::answers::Answer;
use crate::heads::{
    HeadTap, RawFault, RawHead, clean_request, clean_response, dress, map_headers, version_name,
};
use crate::pool::Connection;
use crate::proxy::Proxy;
use crate::refusals::{no_route, refuse, refuse_signed};
use crate::routes::{NoRoute, NoRouteReason, Target};
use crate::settings::{OnClientAbort, Settings};

/// What is reported of a connection that stood already.
const REUSED: ConnectTimings = ConnectTimings {
    dns_us: None,
    connect_us: None,
    tls_us: None,
    reused: true,
};

/// Longest method of a malformed head that is recorded.
const METHOD_CHARS_MAX: usize = 20;

/// One client connection, on which requests come.
pub(crate) struct Caller {
    pub(crate) proxy: Arc<Proxy>,
    pub(crate) peer: SocketAddr,
    /// The address that the client connected to.
    pub(crate) local: IpAddr,
    /// Where raw heads stand, in HTTP/1.
    pub(crate) head_tap: Option<Arc<HeadTap>>,
}

/// A request that is not relayed.
struct Refused {
    answer: Answer,
    api: Api,
    kind: FailureKind,
}

/// A request that is to be sent.
struct Outgoing {
    way: Way,
    request: Request<RequestBody>,
}

/// What one exchange needs to know on the way to the upstream and back.
struct Way {
    proxy: Arc<Proxy>,
    settings: Arc<Settings>,
    flow: Arc<Flow>,
    target: Target,
    path: PathAndQuery,
    method: Method,
    /// The protocol between client and monitor.
    version: Version,
}

/// A response with the connection that it comes on.
struct Received {
    response: Response<Incoming>,
    connection: Connection,
}

// === impl Caller ===

impl Caller {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<RelayBody> {
        let (mut parts, body) = request.into_parts();
        // The handle to an upgrade is not for the upstream's connection; the map of header cases beside it is.
        parts.extensions.remove::<OnUpgrade>();
        let target = self.target(&parts);
        let raw = self.raw_head(&parts);
        let fault = self.fault(raw.as_ref(), &parts);
        let tap = self.begin(&parts, raw, &target);
        let flow = Flow::new(
            tap,
            Arc::clone(&self.proxy.fingerprints),
            self.proxy.tasks.clone(),
        );
        let unfinished = Unfinished::new(&flow);
        let body = RequestBody::new(body, &flow, self.head_tap.clone());
        let (target, path) = match self.admit(&parts, fault, target) {
            Ok(admitted) => admitted,
            Err(refused) => return refused.respond(&flow),
        };
        clean_request(&mut parts.headers, parts.version);
        let way = Way {
            proxy: Arc::clone(&self.proxy),
            settings: self.proxy.settings(),
            flow,
            target,
            path,
            method: parts.method.clone(),
            version: parts.version,
        };
        let request = Request::from_parts(parts, body);
        Outgoing { way, request }.run(unfinished).await
    }

    fn target(&self, parts: &request::Parts) -> Result<Target, NoRoute> {
        match parts.uri.path_and_query() {
            Some(path) => self.proxy.routes.route(path.as_str(), &parts.headers),
            None => Err(NoRoute {
                reason: NoRouteReason::Unknown,
                api: Api::Openai,
                run: None,
            }),
        }
    }

    /// Returns where an admitted request goes, or why it goes nowhere.
    fn admit(
        &self,
        parts: &request::Parts,
        fault: Option<RawFault>,
        target: Result<Target, NoRoute>,
    ) -> Result<(Target, PathAndQuery), Refused> {
        let kind = FailureKind::Refused;
        let api = target
            .as_ref()
            .map_or_else(|missing| missing.api, |target| target.api);
        if let Some(answer) = refuse(parts, fault, self.local, &self.proxy.admission) {
            return Err(Refused { answer, api, kind });
        }
        let mut target = target.map_err(|missing| {
            let path = self.redacted(parts.uri.path());
            Refused {
                answer: no_route(&missing, &path, &self.proxy.routes),
                api,
                kind: FailureKind::NoRoute,
            }
        })?;
        if let Some(answer) = refuse_signed(parts, &target) {
            return Err(Refused { answer, api, kind });
        }
        let path = Bytes::from(std::mem::take(&mut target.path_and_query));
        let path = PathAndQuery::from_maybe_shared(path).map_err(|_| {
            let message = "the path cannot stand in a URL";
            let answer = Answer::new(StatusCode::BAD_REQUEST, "bad_path", message);
            Refused { answer, api, kind }
        })?;
        Ok((target, path))
    }

    fn raw_head(&self, parts: &request::Parts) -> Option<RawHead> {
        let tap = self.head_tap.as_ref()?;
        tap.read(|bytes| RawHead::of_request(bytes, parts))
    }

    /// Returns what is wrong with the framing. Where the raw head is not at hand, as when requests are pipelined,
    /// a coded body is refused: hyper has already taken out a `Content-Length` beside it.
    fn fault(&self, raw: Option<&RawHead>, parts: &request::Parts) -> Option<RawFault> {
        match raw {
            Some(raw) => raw.fault,
            None => {
                let is_coded = parts.headers.contains_key(header::TRANSFER_ENCODING);
                (self.head_tap.is_some() && is_coded).then_some(RawFault::Coding)
            }
        }
    }

    fn begin(
        &self,
        parts: &request::Parts,
        raw: Option<RawHead>,
        target: &Result<Target, NoRoute>,
    ) -> FlowTap {
        let policy = self.proxy.capture.policy();
        if !policy.enabled || policy.paused {
            return FlowTap::inert();
        }
        let mut headers = raw.map_or_else(|| map_headers(&parts.headers), |raw| raw.headers);
        self.proxy.fingerprints.headers(&mut headers);
        let asked = parts
            .uri
            .path_and_query()
            .map_or_else(|| parts.uri.to_string(), ToString::to_string);
        let route = match target {
            Ok(target) => {
                let url = format!("{}{}", target.origin, target.path_and_query);
                Route {
                    upstream: Some(target.upstream.name().to_owned()),
                    provider: Some(target.upstream.provider().to_owned()),
                    url: Some(self.redacted(&url)),
                    run: self.run(target.run.as_deref()),
                }
            }
            Err(missing) => Route {
                run: self.run(missing.run.as_deref()),
                ..Route::default()
            },
        };
        self.proxy.capture.begin(FlowStart {
            peer: Some(self.peer.to_string()),
            route,
            request: RequestHead {
                method: parts.method.as_str().to_owned(),
                target: self.redacted(&asked),
                version: version_name(parts.version).to_owned(),
                headers,
            },
        })
    }

    /// Records a request whose head hyper could not read and has answered itself.
    pub(crate) fn record_malformed(&self, error: &hyper::Error) {
        let Some(tap) = &self.head_tap else { return };
        let line = tap.read(|bytes| {
            let line = bytes
                .split(|byte| *byte == b'\r' || *byte == b'\n')
                .next()
                .unwrap_or_default();
            String::from_utf8_lossy(line).into_owned()
        });
        let mut words = line.split(' ');
        let mut next = || words.next().unwrap_or_default();
        // What is no head may be anything, so that only what is certainly no credential is kept.
        let (method, target, version) = (next(), next(), next());
        let is_method = method.len() <= METHOD_CHARS_MAX
            && method.bytes().all(|byte| byte.is_ascii_uppercase());
        let (method, target) = if is_method {
            (method, target)
        } else {
            ("", "")
        };
        let is_version = matches!(version, "HTTP/0.9" | "HTTP/1.0" | "HTTP/1.1" | "HTTP/2.0");
        let version = if is_version { version } else { "" };
        let tap = self.proxy.capture.begin(FlowStart {
            peer: Some(self.peer.to_string()),
            route: Route::default(),
            request: RequestHead {
                method: method.to_owned(),
                target: self.redacted(target),
                version: version.to_owned(),
                headers: Vec::new(),
            },
        });
        let failure = Failure {
            kind: FailureKind::Protocol,
            fault: Fault::Client,
            message: format!("the request's head breaks the rules of HTTP: {error}"),
        };
        tap.finish(EndReason::Blocked, Some(failure));
    }

    fn redacted(&self, url: &str) -> String {
        self.proxy.fingerprints.url(url)
    }

    fn run(&self, run: Option<&str>) -> Option<String> {
        run.map(|run| self.proxy.fingerprints.text(run))
    }
}

// === impl Refused ===

impl Refused {
    fn respond(self, flow: &Flow) -> Response<RelayBody> {
        let failure = Failure {
            kind: self.kind,
            fault: Fault::Client,
            message: self.answer.message.clone(),
        };
        own_response(&self.answer, self.api, flow, EndReason::Blocked, failure)
    }
}

/// Returns an answer of the monitor's own and ends the flow with it.
fn own_response(
    answer: &Answer,
    api: Api,
    flow: &Flow,
    end: EndReason,
    failure: Failure,
) -> Response<RelayBody> {
    let response = answer.response(api);
    // An answer that nobody is there to receive is none.
    if flow.tap.is_recording() && end != EndReason::ClientAbort {
        flow.tap.head(ResponseHead {
            status: answer.status.as_u16(),
            reason: answer.status.canonical_reason().map(str::to_owned),
            version: version_name(Version::HTTP_11).to_owned(),
            headers: map_headers(response.headers()),
        });
        flow.begin_response();
        flow.frame(Side::Response, response.body());
        flow.end_body(Side::Response, BodyEnd::Ended);
    }
    flow.finish(end, Some(failure));
    response.map(|body| RelayBody::Own(Some(body)))
}

// === impl Outgoing ===

impl Outgoing {
    async fn run(self, unfinished: Unfinished) -> Response<RelayBody> {
        if self.way.settings.on_client_abort == OnClientAbort::Cancel {
            return self.relay(unfinished).await;
        }
        // The exchange outlives its client here, so it has to run beside the client's connection.
        let (api, flow) = (self.way.target.api, Arc::clone(&self.way.flow));
        let (sender, receiver) = oneshot::channel();
        let tasks = self.way.proxy.tasks.clone();
        tasks.spawn(async move {
            // Where the client has gone the response is dropped, and its body is read to the end.
            drop(sender.send(self.relay(unfinished).await));
        });
        receiver.await.unwrap_or_else(|_| {
            let answer = Answer::new(
                StatusCode::BAD_GATEWAY,
                "stopped",
                "the monitor is stopping",
            );
            let failure = Failure {
                kind: FailureKind::Stopped,
                fault: Fault::Monitor,
                message: answer.message.clone(),
            };
            own_response(&answer, api, &flow, EndReason::Interrupted, failure)
        })
    }

    async fn relay(self, unfinished: Unfinished) -> Response<RelayBody> {
        let Self { way, request } = self;
        let response = match way.send(request).await {
            Ok(received) => way.respond(received),
            Err(failed) => {
                let answer = failed.answer();
                own_response(
                    &answer,
                    way.target.api,
                    &way.flow,
                    failed.end,
                    failed.failure,
                )
            }
        };
        unfinished.disarm();
        response
    }
}

// === impl Way ===

impl Way {
    /// Sends the request over a connection that stands, or over a new one.
    ///
    /// A request comes back where nothing of it was written, which happens when the upstream closed an idle
    /// connection at the same moment. It is then sent once more, over a new connection.
    async fn send(&self, mut request: Request<RequestBody>) -> Result<Received, Failed> {
        let pool = &self.proxy.pool;
        let origin = &self.target.origin;
        let mut reused = pool.reuse(origin).await;
        loop {
            let is_reused = reused.is_some();
            let (mut connection, timings) = match reused.take() {
                Some(connection) => (connection, REUSED),
                None => Box::pin(pool.connect(origin, &self.settings))
                    .await
                    .map_err(|error| Failed::connect(&error))?,
            };
            self.flow.tap.connected(timings);
            dress(&mut request, origin, &self.path, connection.leg());
            if !self.flow.is_request_open() {
                self.flow.tap.sent();
            }
            let mut error = match self.wait(&mut connection, request).await? {
                Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                    return Err(Failed::switched(origin.host()));
                }
                Ok(response) => {
                    return Ok(Received {
                        response,
                        connection,
                    });
                }
                Err(error) => error,
            };
            match error.take_message().filter(|_| is_reused) {
                Some(message) => request = message,
                None => {
                    let fault = self.flow.request_fault();
                    return Err(Failed::send(&error.into_error(), fault, origin.host()));
                }
            }
        }
    }

    /// Waits for the response's head: as long as the request is being sent, and then for a limited time.
    async fn wait(
        &self,
        connection: &mut Connection,
        request: Request<RequestBody>,
    ) -> Result<Result<Response<Incoming>, TrySendError<Request<RequestBody>>>, Failed> {
        let limit = self.settings.head_timeout;
        let sent = connection.send(request);
        tokio::pin!(sent);
        loop {
            match tokio::time::timeout(limit, &mut sent).await {
                Ok(received) => return Ok(received),
                Err(_) if self.flow.take_uploaded() => {}
                Err(_) if self.flow.is_request_open() => return Err(Failed::upload_stalled(limit)),
                Err(_) => return Err(Failed::head_timeout(self.target.origin.host(), limit)),
            }
        }
    }

    fn respond(&self, received: Received) -> Response<RelayBody> {
        let Received {
            response,
            connection,
        } = received;
        let (mut parts, body) = response.into_parts();
        if self.flow.tap.is_recording() {
            self.flow
                .tap
                .head(self.response_head(&parts, connection.head_tap()));
        }
        self.flow.begin_response();
        let is_http2 = self.version == Version::HTTP_2;
        let facts = ResponseFacts {
            status: parts.status.as_u16(),
            shows_length: !is_http2
                && self.method != Method::HEAD
                && parts.headers.contains_key(header::CONTENT_LENGTH),
            idle_timeout: self.settings.idle_timeout,
            on_abort: self.settings.on_client_abort,
        };
        clean_response(&mut parts.headers, self.version);
        // Which version the upstream spoke is its own hop's business.
        parts.version = Version::HTTP_11;
        let home = Home {
            pool: Arc::clone(&self.proxy.pool),
            origin: Arc::clone(&self.target.origin),
            connection,
        };
        let flow = Arc::clone(&self.flow);
        let body = ResponseBody::new(body, flow, home, &facts, self.proxy.tasks.clone());
        Response::from_parts(parts, RelayBody::Upstream(body))
    }

    fn response_head(&self, parts: &response::Parts, tap: Option<&Arc<HeadTap>>) -> ResponseHead {
        let raw = tap.and_then(|tap| tap.read(|bytes| RawHead::of_response(bytes, parts)));
        let mut headers = raw.map_or_else(|| map_headers(&parts.headers), |raw| raw.headers);
        self.proxy.fingerprints.headers(&mut headers);
        // hyper hands over a reason phrase only where it is not the usual one.
        let usual = || {
            parts
                .status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned()
        };
        let reason = parts
            .extensions
            .get::<ReasonPhrase>()
            .map_or_else(usual, |reason| {
                String::from_utf8_lossy(reason.as_bytes()).into_owned()
            });
        ResponseHead {
            status: parts.status.as_u16(),
            reason: (parts.version != Version::HTTP_2)
                .then(|| self.proxy.fingerprints.text(&reason)),
            version: version_name(parts.version).to_owned(),
            headers,
        }
    }
}
