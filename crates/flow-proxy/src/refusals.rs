//! What is not relayed, and why.
//!
//! Refused are: heads that two readers might frame differently; anything that would make an open proxy of the
//! monitor; requests for a host name that is not the monitor's (DNS rebinding); requests that a foreign web page
//! sends; WebSocket upgrades, which clients then do without; and requests that are signed for another host.
//! Everything here is pure.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request};

use crate::answers::Answer;
use crate::heads::RawFault;
use crate::routes::{NoRoute, NoRouteReason, Routes, Target};

const SIGV4: &str = "AWS4-HMAC-SHA256";

/// Names under which the monitor may be asked, and pages that may ask it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admission {
    /// Host names beside `localhost`, loopback addresses and the address that was connected to.
    pub(crate) hosts: Vec<String>,
    /// Origins of web pages.
    pub(crate) origins: Vec<String>,
}

/// Returns why the request is refused, whatever its route.
pub(crate) fn refuse(
    parts: &request::Parts,
    fault: Option<RawFault>,
    local: IpAddr,
    admission: &Admission,
) -> Option<Answer> {
    refuse_framing(parts, fault)
        .or_else(|| refuse_forward(parts))
        .or_else(|| admission.refuse_host(parts, local))
        .or_else(|| admission.refuse_page(&parts.headers))
        .or_else(|| refuse_websocket(&parts.headers))
}

fn refuse_framing(parts: &request::Parts, fault: Option<RawFault>) -> Option<Answer> {
    let fault = fault.or_else(|| {
        let hosts = parts.headers.get_all(header::HOST).iter().count();
        (hosts > 1).then_some(RawFault::TwoHosts)
    })?;
    let message = format!(
        "the request {}, which different servers read differently, so it was not relayed",
        fault.words()
    );
    Some(Answer::new(StatusCode::BAD_REQUEST, "bad_framing", message))
}

fn refuse_forward(parts: &request::Parts) -> Option<Answer> {
    let is_absolute = parts.version != Version::HTTP_2 && parts.uri.authority().is_some();
    if parts.method != Method::CONNECT && !is_absolute {
        return None;
    }
    let message = "this port is no forward proxy: it relays to fixed upstreams only. Take it out of HTTP_PROXY and \
                   HTTPS_PROXY and set the client's base URL to it instead, such as http://127.0.0.1:8377/openai";
    Some(Answer::new(
        StatusCode::FORBIDDEN,
        "no_forward_proxy",
        message,
    ))
}

fn refuse_websocket(headers: &HeaderMap) -> Option<Answer> {
    let is_websocket = headers.get_all(header::UPGRADE).iter().any(|value| {
        let mut protocols = value.as_bytes().split(|byte| *byte == b',');
        protocols.any(|protocol| {
            let name = protocol.trim_ascii();
            name.len() >= 9 && name[..9].eq_ignore_ascii_case(b"websocket")
        })
    });
    let message = "WebSocket connections are not relayed yet; send the request over HTTP instead, with `stream` for \
                   events as they come";
    is_websocket.then(|| {
        Answer::new(
            StatusCode::UPGRADE_REQUIRED,
            "websocket_not_relayed",
            message,
        )
    })
}

// === impl Admission ===

impl Admission {
    fn refuse_host(&self, parts: &request::Parts, local: IpAddr) -> Option<Answer> {
        let named = parts.headers.get(header::HOST).map(HeaderValue::as_bytes);
        let authority = parts
            .uri
            .authority()
            .filter(|_| parts.version == Version::HTTP_2);
        let host = match (authority, named) {
            (Some(authority), Some(named))
                if !named.eq_ignore_ascii_case(authority.as_str().as_bytes()) =>
            {
                None
            }
            (Some(authority), _) => Some(authority.clone()),
            (None, Some(named)) => Authority::try_from(named).ok(),
            (None, None) => None,
        };
        match host {
            Some(host) if self.knows(&host, local) => None,
            Some(host) => {
                let message = format!(
                    "the monitor is not known as {:?}; if this name is meant for it, add it to `allowed_hosts`",
                    host.host()
                );
                Some(Answer::new(
                    StatusCode::MISDIRECTED_REQUEST,
                    "unknown_host",
                    message,
                ))
            }
            None => {
                let message = "the request names no host, or two";
                Some(Answer::new(StatusCode::BAD_REQUEST, "no_host", message))
            }
        }
    }

    fn knows(&self, host: &Authority, local: IpAddr) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let name = host.host();
        let address = name
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>();
        let is_address = address.is_ok_and(|address| {
            address.to_canonical().is_loopback() || address.to_canonical() == local.to_canonical()
        });
        is_address
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|known| {
                known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host.as_str())
            })
    }

    /// Refuses what a web page of another origin sends. SDKs for Node send `sec-fetch-mode` and no more.
    fn refuse_page(&self, headers: &HeaderMap) -> Option<Answer> {
        let origin = headers.get(header::ORIGIN);
        let is_known = origin.is_some_and(|origin| {
            self.origins
                .iter()
                .any(|known| known.as_bytes() == origin.as_bytes())
        });
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_foreign = matches!(site, Some(b"cross-site" | b"same-site"));
        if is_known || (origin.is_none() && !is_foreign) {
            return None;
        }
        let message =
            "web pages may not use the monitor unless their origin is in `allowed_origins`";
        Some(Answer::new(StatusCode::FORBIDDEN, "foreign_page", message))
    }
}

/// Returns why a request to this upstream is refused: it is signed, and the signature covers the host's name.
pub(crate) fn refuse_signed(parts: &request::Parts, target: &Target) -> Option<Answer> {
    let by_header = parts
        .headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(SIGV4.as_bytes()));
    let by_query = parts
        .uri
        .query()
        .is_some_and(|query| query.contains("X-Amz-Signature="));
    let same_host = parts.headers.get(header::HOST) == Some(target.origin.authority());
    if same_host || !(by_header || by_query) {
        return None;
    }
    let message = format!(
        "the request is signed with AWS Signature Version 4 for this proxy's address, so {} would reject it. Use a \
         Bedrock API key (AWS_BEARER_TOKEN_BEDROCK) instead of access keys; the monitor cannot sign requests yet",
        target.origin.host()
    );
    Some(Answer::new(
        StatusCode::FORBIDDEN,
        "signed_for_another_host",
        message,
    ))
}

/// Returns the answer to a target that leads nowhere, which lists the routes.
pub(crate) fn no_route(no_route: &NoRoute, path: &str, routes: &Routes) -> Answer {
    match &no_route.reason {
        NoRouteReason::Unknown => {
            let list = routes.list().into_iter().map(|upstream| upstream.path);
            let list = list.collect::<Vec<_>>().join(", ");
            let message = format!(
                "no route for {path:?}. Set the client's base URL to one of these paths: {list}; or to the bare \
                 address, for /v1/… and /v1beta/…"
            );
            Answer::new(StatusCode::NOT_FOUND, "no_route", message)
        }
        NoRouteReason::Parameter { path } => {
            let message = format!(
                "the route is {path}, where the parameter is one label of a host name: lower-case letters, digits \
                 and hyphens, at most 63"
            );
            Answer::new(StatusCode::NOT_FOUND, "bad_route_parameter", message)
        }
        NoRouteReason::Escape => {
            let message =
                "the path has `.` or `..` segments that might leave the upstream's base path";
            Answer::new(StatusCode::BAD_REQUEST, "path_escapes", message)
        }
    }
}

#[cfg(test)]
mod tests;
