//! What of a head belongs to one hop, and what each leg of the way asks of a request.
//!
//! Taken off: `Connection` and the names that it nominates, `Keep-Alive`, `Proxy-*` of connections and
//! authentication, `TE` other than `trailers`, `Upgrade`. `Transfer-Encoding` stays between two legs of HTTP/1,
//! where hyper frames the body by it, and is taken off before HTTP/2. Nothing is added but what the next leg's
//! protocol cannot do without: its `Host` or `:authority`, and `Transfer-Encoding` for a body without a length.

use http::header::{self, HeaderName};
use http::uri::{Authority, PathAndQuery, Scheme as UriScheme};
use http::{HeaderMap, HeaderValue, Request, Uri, Version};
use http_body::Body;

use crate::upstreams::{Origin, Scheme};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// The protocol of the leg to the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leg {
    Http1,
    Http2,
}

/// Takes off what belongs to the hop from the client.
pub(crate) fn clean_request(headers: &mut HeaderMap, client: Version) {
    if client == Version::HTTP_2 {
        join_cookies(headers);
    }
    clean(headers, |name, value| match *name {
        header::TE => !value.as_bytes().eq_ignore_ascii_case(b"trailers"),
        header::PROXY_AUTHORIZATION => true,
        _ => false,
    });
}

/// Joins the cookies that HTTP/2 splits for its compression, which no other protocol understands.
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<_> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() > 1
        && let Ok(cookie) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, cookie);
    }
}

/// Takes off what belongs to the hop from the upstream.
pub(crate) fn clean_response(headers: &mut HeaderMap, client: Version) {
    // A message with both is framed by its coding; the length would be a second opinion for the next reader.
    let is_coded = headers.contains_key(header::TRANSFER_ENCODING);
    let is_http2 = client == Version::HTTP_2;
    clean(headers, |name, _| match *name {
        header::TE | header::PROXY_AUTHENTICATE => true,
        header::CONTENT_LENGTH => is_coded,
        header::TRANSFER_ENCODING => is_http2,
        _ => false,
    });
}

/// Takes off what hops never pass on, what `Connection` nominates and what `also` names.
///
/// The map is built anew where anything goes: removing from it would move its last field to the gap.
fn clean(headers: &mut HeaderMap, also: impl Fn(&HeaderName, &HeaderValue) -> bool) {
    let nominated = nominated(headers);
    let goes = |name: &HeaderName, value: &HeaderValue| {
        matches!(*name, header::CONNECTION | header::UPGRADE)
            || *name == KEEP_ALIVE
            || *name == PROXY_CONNECTION
            || nominated.contains(name)
            || also(name, value)
    };
    if headers.iter().any(|(name, value)| goes(name, value)) {
        let mut kept = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers.iter().filter(|(name, value)| !goes(name, value)) {
            kept.append(name.clone(), value.clone());
        }
        *headers = kept;
    }
}

/// Returns the names that `Connection` nominates, but for those that frame the message or name its host.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    let kept = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
    ];
    headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|token| HeaderName::from_bytes(token.trim_ascii()).ok())
        .filter(|name| !kept.contains(name) && name != header::CONNECTION)
        .collect()
}

/// Makes the request what the leg to the upstream asks for. May be called again for another leg.
pub(crate) fn dress<B: Body>(
    request: &mut Request<B>,
    origin: &Origin,
    path: &PathAndQuery,
    leg: Leg,
) {
    *request.version_mut() = match leg {
        Leg::Http1 => Version::HTTP_11,
        Leg::Http2 => Version::HTTP_2,
    };
    match leg {
        Leg::Http1 => {
            *request.uri_mut() = Uri::from(path.clone());
            set_host(request.headers_mut(), origin.authority());
            let has_length = request.headers().contains_key(header::CONTENT_LENGTH);
            let has_coding = request.headers().contains_key(header::TRANSFER_ENCODING);
            if !request.body().is_end_stream() && !has_length && !has_coding {
                let chunked = HeaderValue::from_static("chunked");
                request
                    .headers_mut()
                    .insert(header::TRANSFER_ENCODING, chunked);
            }
        }
        Leg::Http2 => {
            *request.uri_mut() = absolute(origin, path);
            clean(request.headers_mut(), |name, _| {
                *name == header::HOST || *name == header::TRANSFER_ENCODING
            });
        }
    }
}

/// Puts the upstream's host where the client's stood, or first.
fn set_host(headers: &mut HeaderMap, authority: &HeaderValue) {
    if let Some(host) = headers.get_mut(header::HOST) {
        host.clone_from(authority);
        return;
    }
    let mut with_host = HeaderMap::with_capacity(headers.len() + 1);
    with_host.insert(header::HOST, authority.clone());
    for (name, value) in &*headers {
        with_host.append(name.clone(), value.clone());
    }
    *headers = with_host;
}

fn absolute(origin: &Origin, path: &PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(match origin.scheme() {
        Scheme::Http => UriScheme::HTTP,
        Scheme::Https => UriScheme::HTTPS,
    });
    parts.authority = Authority::try_from(origin.authority().as_bytes()).ok();
    parts.path_and_query = Some(path.clone());
    Uri::from_parts(parts).unwrap_or_else(|_| Uri::from(path.clone()))
}

#[cfg(test)]
mod tests;
