use http::Request;

use super::*;

fn parts(request: request::Builder) -> request::Parts {
    request.body(()).unwrap().into_parts().0
}

/// Returns a request whose host is known, unless the fields say otherwise.
fn request(uri: &str, fields: &[(&str, &str)]) -> request::Parts {
    let mut builder = Request::builder().method("POST").uri(uri);
    if !fields.iter().any(|(name, _)| *name == "host") {
        builder = builder.header("host", "localhost:8377");
    }
    for (name, value) in fields {
        builder = builder.header(*name, *value);
    }
    parts(builder)
}

fn check(parts: &request::Parts, expect: Option<&str>) {
    let admission = Admission {
        hosts: vec!["monitor.lan".to_owned(), "exact:99".to_owned()],
        origins: vec!["https://app.example".to_owned()],
    };
    let local = "192.168.1.5".parse().unwrap();
    let refused = refuse(parts, None, local, &admission);
    assert_eq!(
        refused.as_ref().map(|answer| answer.code),
        expect,
        "{parts:?}"
    );
}

#[test]
fn only_known_hosts_are_served() {
    let known = [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:8377",
        "127.1.2.3",
        "[::1]:8377",
        "monitor.lan:5",
        "Monitor.Lan",
        "exact:99",
        "192.168.1.5:8377",
        "[::ffff:127.0.0.1]",
    ];
    for host in known {
        check(&request("/v1/models", &[("host", host)]), None);
    }
    let unknown = [
        "evil.example",
        "localhost.evil.example",
        "192.168.1.6",
        "exact:98",
        "127.0.0.1.nip.io",
        "u@localhost",
    ];
    for host in unknown {
        check(
            &request("/v1/models", &[("host", host)]),
            Some("unknown_host"),
        );
    }
    for host in ["", "a b", "[::1"] {
        check(&request("/v1/models", &[("host", host)]), Some("no_host"));
    }
    check(
        &parts(Request::builder().uri("/v1/models")),
        Some("no_host"),
    );
    let forwarded = [("host", "evil.example"), ("x-forwarded-host", "localhost")];
    check(&request("/v1/models", &forwarded), Some("unknown_host"));
    check(
        &request(
            "/v1/models",
            &[("host", "localhost"), ("host", "localhost")],
        ),
        Some("bad_framing"),
    );
}

#[test]
fn the_authority_of_http2_counts() {
    let http2 = |uri: &str| Request::builder().version(Version::HTTP_2).uri(uri);
    check(&parts(http2("http://localhost:8377/v1/models")), None);
    check(
        &parts(http2("http://evil.example/v1/models")),
        Some("unknown_host"),
    );
    let both = http2("http://localhost/v1/models").header("host", "evil.example");
    check(&parts(both), Some("no_host"));
}

#[test]
fn pages_of_other_origins_are_refused() {
    check(&request("/v1/models", &[("sec-fetch-mode", "cors")]), None);
    check(&request("/v1/models", &[("sec-fetch-site", "none")]), None);
    check(
        &request("/v1/models", &[("sec-fetch-site", "same-origin")]),
        None,
    );
    for site in ["cross-site", "same-site"] {
        check(
            &request("/v1/models", &[("sec-fetch-site", site)]),
            Some("foreign_page"),
        );
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost:3000",
        "https://app.example.evil",
    ] {
        check(
            &request("/v1/models", &[("origin", origin)]),
            Some("foreign_page"),
        );
    }
    let listed = [
        ("origin", "https://app.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    check(&request("/v1/models", &listed), None);
}

#[test]
fn nothing_is_relayed_to_a_place_of_the_clients_choice() {
    check(
        &request("http://evil.example/v1/models", &[]),
        Some("no_forward_proxy"),
    );
    check(
        &request("http://localhost:8377/v1/models", &[]),
        Some("no_forward_proxy"),
    );
    let connect = Request::builder()
        .method("CONNECT")
        .uri("evil.example:443")
        .header("host", "localhost");
    check(&parts(connect), Some("no_forward_proxy"));
}

#[test]
fn websocket_upgrades_are_refused_and_others_are_not() {
    for value in ["websocket", "WebSocket", "websocket/13"] {
        check(
            &request("/v1/responses", &[("upgrade", value)]),
            Some("websocket_not_relayed"),
        );
    }
    check(&request("/v1/responses", &[("upgrade", "h2c")]), None);
}

#[test]
fn faults_of_framing_come_first() {
    let parts = request("/v1/models", &[("host", "evil.example")]);
    let local = "127.0.0.1".parse().unwrap();
    let refused = refuse(
        &parts,
        Some(RawFault::LengthAndCoding),
        local,
        &Admission::default(),
    );
    assert_eq!(refused.unwrap().code, "bad_framing");
}

#[test]
fn signed_requests_are_refused_unless_signed_for_the_upstream() {
    let routes = Routes::new(vec!["aws=http://127.0.0.1:4566".parse().unwrap()]);
    let check = |target: &str, uri: &str, fields: &[(&str, &str)], expect: Option<&str>| {
        let target = routes.route(target, &HeaderMap::new()).unwrap();
        let refused = refuse_signed(&request(uri, fields), &target);
        assert_eq!(
            refused.as_ref().map(|answer| answer.code),
            expect,
            "{fields:?}"
        );
    };
    let signed = (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request",
    );
    let bedrock = "/bedrock/us-east-1/model/m/converse";
    check(bedrock, bedrock, &[signed], Some("signed_for_another_host"));
    check(bedrock, bedrock, &[("authorization", "Bearer k")], None);
    check(
        bedrock,
        "/x?X-Amz-Signature=abc",
        &[],
        Some("signed_for_another_host"),
    );
    check(
        "/aws/x",
        "/aws/x",
        &[signed, ("host", "127.0.0.1:4566")],
        None,
    );
}

#[test]
fn the_404_lists_the_routes() {
    let routes = Routes::new(vec!["mine=http://127.0.0.1:9".parse().unwrap()]);
    let missing = routes.route("/nowhere", &HeaderMap::new()).unwrap_err();
    let answer = no_route(&missing, "/nowhere", &routes);
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    for part in ["\"/nowhere\"", "/openai,", "/bedrock/{region},", "/mine;"] {
        assert!(
            answer.message.contains(part),
            "{part} is not in {}",
            answer.message
        );
    }
}
