use axum::body::Body;
use http::request::Builder;
use http::{Request, StatusCode};

use super::*;
use crate::routes::routes;
use crate::testing::{Answer, Bench, HOST, ORIGIN, TOKEN, record, request};

/// Routes that show nothing and need no token.
const OPEN: [(&str, &str); 2] = [("get", "/healthz"), ("post", "/api/session")];

fn plain(method: &str, path: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", HOST)
}

fn empty(builder: Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}

fn path_of(route: &str) -> String {
    route.replace("{id}", "0192f0c1-2345-7abc-8def-0123456789ab")
}

async fn sign_in(bench: &Bench, code: &str) -> Answer {
    let body = serde_json::json!({ "code": code }).to_string();
    let builder = plain("POST", "/api/session")
        .header("origin", ORIGIN)
        .header("content-type", "application/json");
    bench.send(builder.body(Body::from(body)).unwrap()).await
}

fn code_of(link: &str) -> &str {
    link.strip_prefix("http://127.0.0.1:8378/#code=").unwrap()
}

async fn cookie(bench: &Bench) -> String {
    let answer = sign_in(bench, code_of(&bench.access.link().unwrap())).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let set = answer.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn every_route_needs_the_token() {
    for &(method, route) in routes().table() {
        let bench = Bench::new();
        let upper = method.to_uppercase();
        let wrong = format!("Bearer {}", TOKEN.replace('0', "1"));
        let bare = format!("Token {TOKEN}");
        let shown: [&[(&str, &str)]; 7] = [
            &[],
            &[("authorization", &wrong)],
            &[("authorization", "Bearer ")],
            &[("authorization", &bare)],
            &[("cookie", "flow_monitor_8378=0123")],
            &[("cookie", TOKEN)],
            // A wrong token is not made good by anything beside it.
            &[("authorization", &wrong), ("authorization", "Bearer x")],
        ];
        for fields in shown {
            let builder = plain(&upper, &path_of(route)).header("origin", ORIGIN);
            let builder = fields.iter().fold(builder, |builder, (name, value)| {
                builder.header(*name, *value)
            });
            let answer = bench.send(empty(builder)).await;
            let refused = answer.status == StatusCode::UNAUTHORIZED;
            let open = OPEN.contains(&(method, route));
            assert_eq!(refused, !open, "{method} {route} {fields:?}: {answer:?}");
            assert!(open || answer.code() == "unauthorized");
        }
        let with = request(&upper, &path_of(route)).header("origin", ORIGIN);
        let answer = bench.router.clone();
        let answer = tower::ServiceExt::oneshot(answer, empty(with))
            .await
            .unwrap();
        assert_ne!(
            answer.status(),
            StatusCode::UNAUTHORIZED,
            "{method} {route}"
        );
    }
}

#[tokio::test]
async fn the_token_is_not_taken_from_the_url() {
    let bench = Bench::new();
    for path in [
        "/api/status?token=",
        "/api/feed?topics=stats&token=",
        "/api/status?access_token=",
    ] {
        let answer = bench
            .send(empty(plain("GET", &format!("{path}{TOKEN}"))))
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn only_known_hosts_are_served() {
    let bench = Bench::new();
    let check = async |uri: &str, hosts: &[&str], expect: bool| {
        let token = format!("Bearer {TOKEN}");
        let builder = Request::builder().uri(uri).header("authorization", token);
        let builder = hosts
            .iter()
            .fold(builder, |builder, host| builder.header("host", *host));
        let answer = bench.send(empty(builder)).await;
        let status = if expect {
            StatusCode::OK
        } else {
            StatusCode::MISDIRECTED_REQUEST
        };
        assert_eq!(answer.status, status, "{uri} {hosts:?}");
    };
    for path in ["/api/status", "/healthz", "/"] {
        check(path, &["127.0.0.1:8378"], true).await;
        check(path, &["localhost"], true).await;
        check(path, &["127.9.9.9:1"], true).await;
        check(path, &["[::1]:8378"], true).await;
        check(path, &["monitor.lan:1"], true).await;
        check(path, &["box.lan:9000"], true).await;
        check(path, &["box.lan"], false).await;
        check(path, &[], false).await;
        check(path, &[""], false).await;
        check(path, &["evil.example"], false).await;
        check(path, &["evil.example:8378"], false).await;
        check(path, &["127.0.0.1.evil.example:8378"], false).await;
        check(path, &["localhost@evil.example"], false).await;
        check(path, &["localhost", "localhost"], false).await;
        check(path, &["localhost", "evil.example"], false).await;
        let absolute = |host: &str| format!("http://{host}{path}");
        check(&absolute("127.0.0.1:8378"), &[], true).await;
        check(&absolute("127.0.0.1:8378"), &["localhost"], true).await;
        check(&absolute("evil.example"), &[], false).await;
        check(&absolute("evil.example"), &["127.0.0.1:8378"], false).await;
        check(&absolute("127.0.0.1:8378"), &["evil.example"], false).await;
    }
}

#[tokio::test]
async fn forwarding_fields_count_for_nothing() {
    let bench = Bench::new();
    let check = async |host: &str, status: StatusCode| {
        let builder = Request::builder()
            .uri("/healthz")
            .header("host", host)
            .header("x-forwarded-host", "localhost")
            .header("x-forwarded-for", "127.0.0.1")
            .header("forwarded", "host=localhost");
        assert_eq!(bench.send(empty(builder)).await.status, status, "{host}");
    };
    check("evil.example", StatusCode::MISDIRECTED_REQUEST).await;
    let fields = [
        ("x-forwarded-host", "evil.example"),
        ("x-original-host", "evil.example"),
    ];
    let builder = fields
        .iter()
        .fold(plain("GET", "/healthz"), |builder, (name, value)| {
            builder.header(*name, *value)
        });
    assert_eq!(bench.send(empty(builder)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn writes_and_upgrades_need_the_same_origin() {
    let bench = Bench::new();
    let cookie = cookie(&bench).await;
    let bearer = format!("Bearer {TOKEN}");
    let with_bearer = ("authorization", bearer.as_str());
    let with_cookie = ("cookie", cookie.as_str());
    let own = ("origin", ORIGIN);
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ];
    let check = async |fields: &[(&str, &str)], expect: bool| {
        for (method, path) in [
            ("PATCH", "/api/config"),
            ("POST", "/api/session/link"),
            ("GET", "/api/feed?topics=stats"),
        ] {
            let handshake: &[_] = if method == "GET" { &upgrade } else { &[] };
            let builder = fields
                .iter()
                .chain(handshake)
                .fold(plain(method, path), |builder, (name, value)| {
                    builder.header(*name, *value)
                });
            let answer = bench.send(empty(builder)).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(!refused, expect, "{method} {path} {fields:?} {answer:?}");
            assert!(!refused || answer.code() == "cross_origin");
        }
    };
    check(&[with_bearer], true).await;
    check(&[with_bearer, own], true).await;
    check(&[with_cookie, own], true).await;
    check(&[with_cookie, own, ("sec-fetch-site", "same-origin")], true).await;
    check(&[with_cookie], false).await;
    for origin in [
        "null",
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://localhost:8378",
        "",
    ] {
        check(&[with_cookie, ("origin", origin)], false).await;
        check(&[with_bearer, ("origin", origin)], false).await;
    }
    check(&[with_cookie, own, own], false).await;
    for site in ["cross-site", "same-site", "other"] {
        check(&[with_cookie, own, ("sec-fetch-site", site)], false).await;
        check(&[with_bearer, ("sec-fetch-site", site)], false).await;
    }
}

#[tokio::test]
async fn reads_of_other_origins_are_refused_too() {
    let bench = Bench::new();
    record(&bench.store, 1);
    let cookie = cookie(&bench).await;
    for (name, value) in [
        ("origin", "http://127.0.0.1:3000"),
        ("sec-fetch-site", "same-site"),
    ] {
        let builder = plain("GET", "/api/flows")
            .header("cookie", &cookie)
            .header(name, value);
        assert_eq!(
            bench.send(empty(builder)).await.code(),
            "cross_origin",
            "{name}"
        );
    }
    let preflight = plain("OPTIONS", "/api/flows")
        .header("origin", "http://evil.example")
        .header("access-control-request-method", "GET");
    assert_eq!(
        bench.send(empty(preflight)).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn every_answer_carries_the_fields_and_none_of_cors() {
    let bench = Bench::new();
    let requests = [
        request("GET", "/api/status"),
        plain("GET", "/api/status"),
        plain("GET", "/"),
        plain("GET", "/nothing.js"),
        plain("DELETE", "/api/flows"),
        request("DELETE", "/api/flows").header("origin", ORIGIN),
        Request::builder().uri("/"),
    ];
    for builder in requests {
        let answer = bench.send(empty(builder)).await;
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "script-src 'self';",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin")
        );
        assert_eq!(
            answer.header("cross-origin-resource-policy"),
            Some("same-origin")
        );
        assert!(answer.headers.contains_key("cache-control"));
        let cors = |name: &header::HeaderName| name.as_str().starts_with("access-control");
        assert!(!answer.headers.keys().any(cors));
    }
}

#[tokio::test]
async fn a_link_signs_a_browser_in_once() {
    let bench = Bench::new();
    let made = request("POST", "/api/session/link")
        .body(Body::empty())
        .unwrap();
    let made = bench.send(made).await.json();
    let link = made["url"].as_str().unwrap();
    let answer = sign_in(&bench, code_of(link)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let set = answer.header("set-cookie").unwrap();
    assert!(set.starts_with("flow_monitor_8378="), "{set}");
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains(TOKEN));
    let cookie = set.split(';').next().unwrap();
    let ask = || empty(plain("GET", "/api/status").header("cookie", format!("a=b; {cookie}")));
    assert_eq!(bench.send(ask()).await.status, StatusCode::OK);

    assert_eq!(sign_in(&bench, code_of(link)).await.code(), "code_expired");
    assert_eq!(sign_in(&bench, "").await.code(), "code_expired");
    assert_eq!(sign_in(&bench, TOKEN).await.code(), "code_expired");

    let bench = bench.restart(TOKEN);
    assert_eq!(
        bench.send(ask()).await.status,
        StatusCode::OK,
        "survives a restart"
    );
    let bench = bench.restart(&TOKEN.replace('0', "9"));
    assert_eq!(
        bench.send(ask()).await.status,
        StatusCode::UNAUTHORIZED,
        "ends with its token"
    );
}

#[tokio::test]
async fn a_cookie_is_of_one_port() {
    let bench = Bench::new();
    let cookie = cookie(&bench).await;
    let value = cookie.split_once('=').unwrap().1;
    let builder = Request::builder()
        .uri("/api/status")
        .header("host", "127.0.0.1:9000")
        .header("cookie", format!("{cookie}; flow_monitor_9000={value}"));
    assert_eq!(
        bench.send(empty(builder)).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_code_of_another_origin_is_not_looked_at() {
    let bench = Bench::new();
    let link = bench.access.link().unwrap();
    let body = serde_json::json!({ "code": code_of(&link) }).to_string();
    let builder = plain("POST", "/api/session")
        .header("origin", "http://evil.example")
        .header("content-type", "application/json");
    let answer = bench.send(builder.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.code(), "cross_origin");
    assert_eq!(
        sign_in(&bench, code_of(&link)).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn guessing_is_bounded_and_does_not_lock_the_page_out() {
    let bench = Bench::new();
    let cookie = cookie(&bench).await;
    let now = Instant::now();
    let headers = |authorization: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HOST.parse().unwrap());
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        headers
    };
    let uri = Uri::from_static("/api/status");
    let ask = |headers: &HeaderMap, now| {
        let admitted = bench.access.admit(&Method::GET, &uri, headers, now);
        admitted.map_err(|error| error.code())
    };
    for _ in 0..32 {
        assert_eq!(
            ask(&headers("Bearer wrong"), now),
            Err(ErrorCode::Unauthorized)
        );
    }
    let right = headers(&format!("Bearer {TOKEN}"));
    assert_eq!(ask(&right, now), Err(ErrorCode::TooManyAttempts));
    let code = bench
        .access
        .redeem("x", &right, now)
        .map_err(|error| error.code());
    assert_eq!(code, Err(ErrorCode::TooManyAttempts));
    let mut page = HeaderMap::new();
    page.insert(header::HOST, HOST.parse().unwrap());
    page.insert(header::COOKIE, cookie.parse().unwrap());
    assert_eq!(ask(&page, now), Ok(()));
    assert_eq!(ask(&right, now + std::time::Duration::from_secs(2)), Ok(()));
}

#[test]
fn nonsense_is_refused_and_secrets_are_not_shown() {
    let make = |token: &str, host: &str| {
        Access::new(token.to_owned(), ORIGIN, 8378, &[host.to_owned()])
            .map(|access| format!("{access:?}"))
            .map_err(|error| error.to_string())
    };
    assert!(!make(TOKEN, "lan").unwrap().contains(TOKEN));
    assert_eq!(
        make("short", "lan").unwrap_err(),
        "the token has 5 characters, it needs at least 32"
    );
    for host in ["*", "http://lan", "a b", ""] {
        let message = make(TOKEN, host).unwrap_err();
        assert!(
            message.starts_with(&format!("`{host}` is not a host name")),
            "{message}"
        );
    }
}
