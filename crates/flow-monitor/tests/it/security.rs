//! Nobody gets in who should not, and no credential reaches the disk.

use std::path::Path;

use serde_json::json;

use crate::monitor::{Monitor, Provider, data_dir, request};

const KEY: &str = "sk-ant-api03-PLANTEDPLANTEDPLANTED-abcdWXYZ";

/// Returns the files below a directory that hold the text.
fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[cfg(unix)]
#[test]
fn credentials_reach_the_provider_and_never_the_disk_or_the_api() {
    let (provider, dir) = (Provider::start(), data_dir());
    // Compression would hide what the search is for.
    let settings = dir.path().join("flow-monitor.toml");
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(dir.path(), owner).unwrap();
    std::fs::write(settings, "[storage]\ncompressed = false\n").unwrap();
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let bearer = format!("Bearer {KEY}");
    let cookie = format!("session={KEY}");
    let headers = [
        ("Content-Type", "application/json"),
        ("x-call-id", "secret"),
        ("x-marker", "MARKERMARKERMARKER"),
        ("Authorization", bearer.as_str()),
        ("x-api-key", KEY),
        ("Cookie", cookie.as_str()),
    ];
    let body = json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": "hello"}]});
    let path = format!("/v1/chat/completions?key={KEY}");
    monitor.call(&path, &headers, body.to_string().as_bytes());
    let detail = monitor.ended("secret");
    let sent = provider.log().pop().unwrap();
    assert!(
        sent.headers
            .iter()
            .any(|(name, value)| name == "authorization" && *value == bearer)
    );
    assert!(
        sent.target.contains(KEY),
        "the provider gets what the client sent"
    );
    let shown = detail.to_string();
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("redacted-WXYZ-"), "{shown}");
    let data = dir.path().to_owned();
    assert_eq!(monitor.terminate(), Some(0));
    assert_eq!(files_with(&data, KEY), Vec::<String>::new());
    assert!(
        !files_with(&data, "MARKERMARKERMARKER").is_empty(),
        "the search finds what is there"
    );
}

#[cfg(unix)]
#[test]
fn files_belong_to_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    fn check(dir: &Path) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode, wanted, "{}", path.display());
            if path.is_dir() {
                check(&path);
            }
        }
    }
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    monitor.call("/v1/chat/completions", &[("x-call-id", "one")], b"{}");
    monitor.ended("one");
    check(dir.path());
}

#[test]
fn the_api_asks_for_its_token_and_the_proxy_is_no_way_around() {
    let (provider, dir) = (Provider::start(), data_dir());
    let first = Monitor::start(dir.path(), &provider.flags());
    for path in [
        "/api/flows",
        "/api/config",
        "/api/feed?topics=flows",
        "/api/openapi.json",
    ] {
        assert_eq!(
            request(&first.ui, "GET", path, &[], b"").status,
            401,
            "{path}"
        );
    }
    assert_eq!(request(&first.ui, "GET", "/healthz", &[], b"").status, 200);
    let stranger = request(
        &first.ui,
        "GET",
        "/healthz",
        &[("X-Forwarded-Host", "evil.example")],
        b"",
    );
    assert_eq!(stranger.status, 200);

    // A port chosen beforehand lets the test name the monitor's own listener as an upstream.
    let (other, port) = (data_dir(), free_port());
    let address = format!("127.0.0.1:{port}");
    let flags = [
        "--upstream".to_owned(),
        format!("loop=http://{address}"),
        "--ui-listen".to_owned(),
        address,
    ];
    let monitor = Monitor::start(other.path(), &flags);
    let token = format!("Bearer {}", monitor.token);
    let answer = request(
        &monitor.proxy,
        "GET",
        "/loop/api/flows",
        &[("Authorization", &token)],
        b"",
    );
    assert!(answer.status >= 400, "{}", answer.text());
    assert!(!answer.text().contains("\"flows\""), "{}", answer.text());
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn foreign_pages_and_open_proxy_tricks_are_refused() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let before = provider.log().len();
    let cross = monitor.call(
        "/v1/chat/completions",
        &[("Sec-Fetch-Site", "cross-site")],
        b"{}",
    );
    assert_eq!(cross.status, 403, "{}", cross.text());
    let origin = monitor.call(
        "/v1/chat/completions",
        &[("Origin", "https://evil.example")],
        b"{}",
    );
    assert_eq!(origin.status, 403, "{}", origin.text());
    let absolute = request(&monitor.proxy, "GET", "http://example.invalid/", &[], b"");
    assert!(absolute.status >= 400);
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("Sec-WebSocket-Version", "13"),
    ];
    let socket = request(&monitor.proxy, "GET", "/v1/responses", &upgrade, b"");
    assert_eq!(socket.status, 426, "{}", socket.text());
    assert_eq!(provider.log().len(), before, "none of it went upstream");
}
