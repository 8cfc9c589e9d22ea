use http_body_util::Empty;

use super::*;

type Fields<'a> = &'a [(&'a str, &'a str)];

fn map(fields: Fields<'_>) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (
            HeaderName::try_from(*name).unwrap(),
            HeaderValue::try_from(*value).unwrap(),
        )
    };
    let mut map = HeaderMap::new();
    for (name, value) in fields.iter().map(field) {
        map.append(name, value);
    }
    map
}

fn shown(map: &HeaderMap) -> Vec<(&str, &str)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect()
}

fn check_request(fields: Fields<'_>, expect: Fields<'_>) {
    let mut headers = map(fields);
    clean_request(&mut headers, Version::HTTP_11);
    assert_eq!(shown(&headers), expect);
}

#[test]
fn what_belongs_to_the_hop_goes_and_the_order_stays() {
    check_request(
        &[
            ("a", "1"),
            ("connection", "keep-alive, X-Hop"),
            ("b", "2"),
            ("x-hop", "h"),
            ("a", "3"),
            ("c", "4"),
        ],
        &[("a", "1"), ("a", "3"), ("b", "2"), ("c", "4")],
    );
    check_request(
        &[
            ("keep-alive", "5"),
            ("proxy-connection", "x"),
            ("proxy-authorization", "y"),
            ("z", "1"),
        ],
        &[("z", "1")],
    );
    check_request(
        &[("upgrade", "h2c"), ("te", "gzip"), ("z", "1")],
        &[("z", "1")],
    );
    check_request(
        &[("te", "trailers"), ("connection", "te")],
        &[("te", "trailers")],
    );
    let framed: Fields<'_> = &[("transfer-encoding", "chunked"), ("trailer", "x")];
    check_request(framed, framed);
}

#[test]
fn connection_cannot_nominate_what_frames_the_message() {
    check_request(
        &[
            ("host", "h"),
            ("content-length", "1"),
            ("connection", "content-length, host, close"),
        ],
        &[("host", "h"), ("content-length", "1")],
    );
}

#[test]
fn a_coded_response_has_no_length() {
    let fields: Fields<'_> = &[
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
    ];
    let check = |version, expect: Fields<'_>| {
        let mut headers = map(fields);
        clean_response(&mut headers, version);
        assert_eq!(shown(&headers), expect);
    };
    check(Version::HTTP_11, &[("transfer-encoding", "chunked")]);
    check(Version::HTTP_2, &[]);
}

fn check_dress(fields: Fields<'_>, leg: Leg, uri: &str, expect: Fields<'_>) {
    let origin = Origin::new(Scheme::Https, "h.example", 443);
    let path = PathAndQuery::from_static("/p?q");
    let mut request = Request::new(Empty::<bytes::Bytes>::new());
    *request.headers_mut() = map(fields);
    for _ in 0..2 {
        dress(&mut request, &origin, &path, leg);
        assert_eq!(request.uri(), uri);
        assert_eq!(shown(request.headers()), expect);
    }
}

#[test]
fn each_leg_gets_its_host() {
    check_dress(
        &[("a", "1"), ("host", "x"), ("b", "2")],
        Leg::Http1,
        "/p?q",
        &[("a", "1"), ("host", "h.example"), ("b", "2")],
    );
    check_dress(
        &[("a", "1")],
        Leg::Http1,
        "/p?q",
        &[("host", "h.example"), ("a", "1")],
    );
    check_dress(
        &[("a", "1"), ("host", "x"), ("transfer-encoding", "chunked")],
        Leg::Http2,
        "https://h.example/p?q",
        &[("a", "1")],
    );
}

#[test]
fn cookies_that_http2_splits_are_joined() {
    let fields: Fields<'_> = &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")];
    let check = |version, expect: Fields<'_>| {
        let mut headers = map(fields);
        clean_request(&mut headers, version);
        assert_eq!(shown(&headers), expect);
    };
    check(Version::HTTP_2, &[("cookie", "a=1; b=2"), ("x", "y")]);
    check(
        Version::HTTP_11,
        &[("cookie", "a=1"), ("cookie", "b=2"), ("x", "y")],
    );
}
