use http_body_util::BodyExt as _;

use super::*;

static PAGE: &[Asset] = &[
    Asset {
        path: "index.html",
        tag: "aa",
        plain: b"<!doctype html>",
        gzip: None,
    },
    Asset {
        path: "assets/main-Ab3_-d9Q.js",
        tag: "bb",
        plain: b"plain",
        gzip: Some(b"packed"),
    },
    Asset {
        path: "favicon.svg",
        tag: "cc",
        plain: b"<svg/>",
        gzip: None,
    },
];

struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

fn fetch(assets: &'static [Asset], method: &Method, path: &str, fields: &[(&str, &str)]) -> Seen {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = header::HeaderName::try_from(*name).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let (parts, body) = serve(assets, method, path, &headers).into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let body = runtime.block_on(body.collect()).unwrap().to_bytes();
    Seen {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[test]
fn files_and_addresses_are_found() {
    let check = |path: &str, status: u16, body: &str| {
        let seen = fetch(PAGE, &Method::GET, path, &[]);
        assert_eq!((seen.status, seen.body.as_str()), (status, body), "{path}");
    };
    check("/", 200, "<!doctype html>");
    check("/index.html", 200, "<!doctype html>");
    check("/favicon.svg", 200, "<svg/>");
    check("/assets/main-Ab3_-d9Q.js", 200, "plain");
    check("/flows/0192", 200, "<!doctype html>");
    check("/apiary", 200, "<!doctype html>");
    for path in [
        "/missing.js",
        "/../secret.txt",
        "/api/nothing",
        "/api",
        "/api/flows.html",
    ] {
        let seen = fetch(PAGE, &Method::GET, path, &[]);
        assert_eq!(seen.status, 404, "{path}");
        assert!(
            seen.body.contains("\"code\":\"not_found\""),
            "{}",
            seen.body
        );
    }
    assert_eq!(fetch(PAGE, &Method::POST, "/", &[]).status, 405);
}

#[test]
fn without_a_page_it_says_so() {
    let seen = fetch(&[], &Method::GET, "/flows", &[]);
    assert_eq!(seen.status, 200);
    assert!(seen.body.contains("The page was not built"));
    assert_eq!(fetch(&[], &Method::GET, "/app.js", &[]).status, 404);
}

#[test]
fn codings_and_tags_are_negotiated() {
    let script = "/assets/main-Ab3_-d9Q.js";
    let check = |fields: &[(&str, &str)], status: u16, body: &str, tag: &str| {
        let seen = fetch(PAGE, &Method::GET, script, fields);
        assert_eq!(
            (seen.status, seen.body.as_str()),
            (status, body),
            "{fields:?}"
        );
        assert_eq!(seen.headers[header::ETAG], tag, "{fields:?}");
    };
    check(&[], 200, "plain", "\"bb\"");
    check(
        &[("accept-encoding", "br, gzip")],
        200,
        "packed",
        "\"bb-gz\"",
    );
    check(&[("accept-encoding", "gzip;q=0")], 200, "plain", "\"bb\"");
    check(
        &[("accept-encoding", "gzip; q=0.5")],
        200,
        "packed",
        "\"bb-gz\"",
    );
    check(&[("if-none-match", "\"bb\"")], 304, "", "\"bb\"");
    check(&[("if-none-match", "\"x\", W/\"bb\"")], 304, "", "\"bb\"");
    check(&[("if-none-match", "\"bb-gz\"")], 200, "plain", "\"bb\"");
}

#[test]
fn hashed_files_are_kept_and_others_are_asked_for() {
    let check = |path: &str, expect: &str| {
        let seen = fetch(PAGE, &Method::GET, path, &[]);
        assert_eq!(seen.headers[header::CACHE_CONTROL], expect, "{path}");
    };
    check(
        "/assets/main-Ab3_-d9Q.js",
        "public, max-age=31536000, immutable",
    );
    check("/favicon.svg", "no-cache");
    check("/", "no-cache");
}
