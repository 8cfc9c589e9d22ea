//! A head as it stood on the wire, checked against the one that hyper parsed.

use flow_model::Header;
use http::{HeaderMap, request, response};

use super::record::header;

/// hyper's own limit of header fields in HTTP/1.
const HEADERS_MAX: usize = 100;

/// What a strict reader finds wrong with the raw head of a request that a lenient one accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawFault {
    /// `Content-Length` and `Transfer-Encoding` together.
    LengthAndCoding,
    /// More than one `Content-Length`.
    TwoLengths,
    /// More than one `Host`.
    TwoHosts,
    /// More than one `Transfer-Encoding`, or one that says more than `chunked`.
    Coding,
    /// A line that ends without a carriage return.
    BareLineFeed,
}

impl RawFault {
    /// Returns what is wrong, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::LengthAndCoding => "has both Content-Length and Transfer-Encoding",
            Self::TwoLengths => "has more than one Content-Length",
            Self::TwoHosts => "has more than one Host",
            Self::Coding => "has a Transfer-Encoding other than `chunked`",
            Self::BareLineFeed => "has a line in its head that ends without a carriage return",
        }
    }
}

/// A raw head that belongs to the parsed one.
#[derive(Debug)]
pub(crate) struct RawHead {
    /// Header fields in the order of the wire, names in the case of the wire.
    pub(crate) headers: Vec<Header>,
    /// What a strict reader finds wrong.
    pub(crate) fault: Option<RawFault>,
}

impl RawHead {
    /// Returns the head of the request where the raw bytes are those of this very request.
    pub(crate) fn of_request(bytes: &[u8], parts: &request::Parts) -> Option<Self> {
        let mut storage = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut storage);
        let end = parsed
            .parse(bytes)
            .ok()
            .filter(httparse::Status::is_complete)?
            .unwrap();
        let same_line = parsed.method == Some(parts.method.as_str());
        let has_fault = fault(bytes.get(..end)?, parsed.headers);
        // hyper leaves out what it finds superfluous, such as a Content-Length beside a Transfer-Encoding.
        if !same_line || (has_fault.is_none() && !is_same(parsed.headers, &parts.headers)) {
            return None;
        }
        Some(Self {
            headers: headers(parsed.headers),
            fault: has_fault,
        })
    }

    /// Returns the head of the response where the raw bytes are those of this very response.
    pub(crate) fn of_response(bytes: &[u8], parts: &response::Parts) -> Option<Self> {
        let mut storage = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut parsed = httparse::Response::new(&mut storage);
        parsed
            .parse(bytes)
            .ok()
            .filter(httparse::Status::is_complete)?;
        if parsed.code != Some(parts.status.as_u16()) || !is_same(parsed.headers, &parts.headers) {
            return None;
        }
        Some(Self {
            headers: headers(parsed.headers),
            fault: None,
        })
    }
}

fn headers(parsed: &[httparse::Header<'_>]) -> Vec<Header> {
    parsed
        .iter()
        .map(|field| header(field.name, field.value))
        .collect()
}

fn fault(head: &[u8], parsed: &[httparse::Header<'_>]) -> Option<RawFault> {
    let count = |name: &str| {
        parsed
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name))
            .count()
    };
    let lengths = count("content-length");
    let codings = count("transfer-encoding");
    let mut line_feeds = memchr::memchr_iter(b'\n', head);
    if line_feeds.any(|at| at == 0 || head.get(at - 1) != Some(&b'\r')) {
        return Some(RawFault::BareLineFeed);
    }
    match (lengths, codings) {
        (1.., 1..) => Some(RawFault::LengthAndCoding),
        (2.., _) => Some(RawFault::TwoLengths),
        (_, 2..) => Some(RawFault::Coding),
        (_, 1) if !is_chunked(parsed) => Some(RawFault::Coding),
        _ if count("host") > 1 => Some(RawFault::TwoHosts),
        _ => None,
    }
}

fn is_chunked(parsed: &[httparse::Header<'_>]) -> bool {
    parsed
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("transfer-encoding"))
        .all(|field| field.value.eq_ignore_ascii_case(b"chunked"))
}

/// Returns whether both hold the same fields, values in the same order within a name.
fn is_same(parsed: &[httparse::Header<'_>], map: &HeaderMap) -> bool {
    if parsed.len() != map.len() {
        return false;
    }
    let is_pair = |(field, (name, value)): (
        &httparse::Header<'_>,
        (&http::HeaderName, &http::HeaderValue),
    )| {
        field.value == value.as_bytes() && field.name.eq_ignore_ascii_case(name.as_str())
    };
    // The map iterates in the order of the wire unless a name occurs more than once.
    parsed.iter().zip(map).all(is_pair)
        || parsed.iter().all(|field| {
            map.get_all(field.name)
                .iter()
                .any(|value| value.as_bytes() == field.value)
        })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: &str, headers: &[(&str, &str)]) -> request::Parts {
        let mut builder = Request::builder().method(method);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    fn check(raw: &str, headers: &[(&str, &str)], expect: Option<(&str, Option<RawFault>)>) {
        let head = RawHead::of_request(raw.as_bytes(), &parts("POST", headers));
        let shown = head.map(|head| {
            let names: Vec<_> = head
                .headers
                .iter()
                .map(|header| header.name.as_str())
                .collect();
            (names.join(" "), head.fault)
        });
        let expect = expect.map(|(names, fault)| (names.to_owned(), fault));
        assert_eq!(shown, expect, "{raw:?}");
    }

    #[test]
    fn names_keep_case_and_order() {
        let raw = "POST / HTTP/1.1\r\nX-B: 1\r\nHost: h\r\nx-b: 2\r\n\r\n";
        check(
            raw,
            &[("x-b", "1"), ("x-b", "2"), ("host", "h")],
            Some(("X-B Host x-b", None)),
        );
    }

    #[test]
    fn a_head_of_another_request_is_not_used() {
        check(
            "POST / HTTP/1.1\r\nHost: h\r\n\r\n",
            &[("host", "other")],
            None,
        );
        check("GET / HTTP/1.1\r\nHost: h\r\n\r\n", &[("host", "h")], None);
        check("garbage", &[("host", "h")], None);
        check("", &[], None);
    }

    #[test]
    fn faults_are_found() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
        let names = "Content-Length Transfer-Encoding";
        check(
            both,
            &[("transfer-encoding", "chunked")],
            Some((names, Some(RawFault::LengthAndCoding))),
        );
        let twice = "POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n";
        let names = "Content-Length content-length";
        check(
            twice,
            &[("content-length", "5")],
            Some((names, Some(RawFault::TwoLengths))),
        );
        let bare = "POST / HTTP/1.1\nHost: h\r\n\r\n";
        check(
            bare,
            &[("host", "h")],
            Some(("Host", Some(RawFault::BareLineFeed))),
        );
        let coding = "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
        let expect = Some(("Transfer-Encoding", Some(RawFault::Coding)));
        check(coding, &[("transfer-encoding", "gzip, chunked")], expect);
        let hosts = "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";
        check(
            hosts,
            &[("host", "a"), ("host", "b")],
            Some(("Host Host", Some(RawFault::TwoHosts))),
        );
    }
}
