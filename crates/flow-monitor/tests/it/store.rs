//! What the files of the record weigh, whether they are sound, copies and archives of them.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir, request, wait_for};

const CHAT: &str = "/v1/chat/completions";

fn store(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .arg("store")
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    format!("{text}{}", String::from_utf8_lossy(&output.stderr))
}

/// Returns what a command printed as JSON.
#[track_caller]
fn printed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", told(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn check_failure(output: &Output, expect: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", told(output));
    assert!(told(output).contains(expect), "{}", told(output));
}

fn call(monitor: &Monitor, id: &str) -> Value {
    let body = json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": format!("What is {id}?")}]});
    let headers = [("Content-Type", "application/json"), ("x-call-id", id)];
    monitor.call(CHAT, &headers, body.to_string().as_bytes());
    monitor.ended(id)["flow"].clone()
}

fn ids(dir: &Path) -> Vec<String> {
    let listed = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(["flows", "list", "--json", "--data-dir"])
        .arg(dir)
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", told(&listed));
    let text = String::from_utf8(listed.stdout).unwrap();
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| row["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_running_monitor_tells_checks_and_copies_its_store() {
    let (provider, dir, other) = (Provider::start(), data_dir(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    for call_id in ["one", "two", "three"] {
        call(&monitor, call_id);
    }
    let stats = printed(&store(dir.path(), &["stats", "--json"]));
    assert_eq!(
        (&stats["flows"], &stats["segments"][0]["state"]),
        (&json!(3), &json!("live"))
    );
    let words = told(&store(dir.path(), &["stats"]));
    assert!(words.contains("3 flows; "), "{words}");

    let report = printed(&store(dir.path(), &["check", "--deep", "--json"]));
    assert_eq!(
        (&report["flows"], &report["findings"]),
        (&json!(3), &json!([]))
    );
    let compacted = told(&store(dir.path(), &["compact"]));
    assert!(
        compacted.contains("0 segments became smaller"),
        "{compacted}"
    );

    let to = other.path().join("copy");
    let path = to.to_str().unwrap();
    let copy = printed(&store(dir.path(), &["backup", "--json", "--to", path]));
    assert_eq!((&copy["flows"], &copy["notices"]), (&json!(3), &json!([])));
    check_failure(
        &store(dir.path(), &["backup", "--to", path]),
        "is not empty",
    );
    check_failure(&store(dir.path(), &["repair"]), "stop it first");
    check_failure(
        &store(dir.path(), &["archive", "--before", "soon", "--to", path]),
        "neither a day",
    );
    let recorded = ids(dir.path());
    let answer = request(&monitor.ui, "POST", "/api/store/compact", &[], b"");
    assert_eq!(answer.status, 401, "nobody without the token");
    call(&monitor, "later");
    assert_eq!(monitor.terminate(), Some(0));

    assert_eq!(ids(&to), recorded);
    assert!(!to.join("token").exists() && !to.join("fingerprint.key").exists());
    let copied = Monitor::start(&to, &provider.flags());
    let id = recorded.first().unwrap();
    let body = copied.api(&format!("/api/flows/{id}"));
    assert_eq!(body["flow"]["state"], "completed");
    call(&copied, "four");
    assert_eq!(copied.terminate(), Some(0));
}

#[cfg(unix)]
#[test]
fn damage_is_named_and_repaired() {
    let (provider, dir) = (Provider::start(), data_dir());
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(dir.path(), owner).unwrap();
    // What is to be hurt has to be found.
    let settings = "[storage]\ncompressed = false\n";
    fs::write(dir.path().join("flow-monitor.toml"), settings).unwrap();
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let rows: Vec<_> = ["one", "two", "three"].map(|id| call(&monitor, id)).into();
    assert_eq!(monitor.terminate(), Some(0));
    let sound = store(dir.path(), &["check"]);
    assert!(
        sound.status.success() && told(&sound).contains("all is sound"),
        "{}",
        told(&sound)
    );

    let segment = dir.path().join("segments/000001.db");
    let mut bytes = fs::read(&segment).unwrap();
    let needle = b"What is two?";
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let hurt = store(dir.path(), &["check"]);
    let flow = rows[1]["id"].as_str().unwrap();
    check_failure(
        &hurt,
        &format!("segments/000001.db: flow {flow}: cannot be read: the body of its request"),
    );
    check_failure(
        &store(dir.path(), &["repair", "--dry-run"]),
        "nothing was changed",
    );
    let repaired = store(dir.path(), &["repair"]);
    assert!(repaired.status.success(), "{}", told(&repaired));
    assert!(
        told(&repaired).contains("2 flows were brought over from hurt segments, 1 are lost"),
        "{}",
        told(&repaired)
    );
    assert!(store(dir.path(), &["check", "--deep"]).status.success());
    assert_eq!(ids(dir.path()).len(), 2);
}

/// Checks that flows can be looked at, and that whatever would change something is refused.
fn check_read_only(ui: &str, dir: &Path, id: &str) {
    let token = format!("Bearer {}", fs::read_to_string(dir.join("token")).unwrap());
    let headers = [
        ("Authorization", token.as_str()),
        ("Content-Type", "application/json"),
    ];
    let ask = |method: &str, path: &str, body: &[u8]| request(ui, method, path, &headers, body);
    let status: Value = serde_json::from_slice(&ask("GET", "/api/status", b"").body).unwrap();
    assert_eq!(
        (&status["read_only"], &status["recording"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(ask("GET", &format!("/api/flows/{id}"), b"").status, 200);
    for (method, path) in [
        ("POST", "/api/reindex"),
        ("PATCH", "/api/config"),
        ("POST", "/api/store/compact"),
    ] {
        let refused = ask(method, path, b"{}");
        let error: Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!(
            (refused.status, &error["error"]["code"]),
            (403, &json!("read_only")),
            "{method} {path}"
        );
    }
}

#[test]
fn an_archive_is_served_without_a_proxy_and_only_read() {
    let (provider, dir, other) = (Provider::start(), data_dir(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let rows: Vec<_> = ["one", "two"].map(|id| call(&monitor, id)).into();
    assert_eq!(monitor.terminate(), Some(0));
    let to = other.path().join("archive");
    let path = to.to_str().unwrap();
    check_failure(
        &store(dir.path(), &["archive", "--before", "1d", "--to", path]),
        "no segment holds only flows",
    );
    let before = [
        "archive",
        "--before",
        "9999-12-31",
        "--remove",
        "--json",
        "--to",
        path,
    ];
    let archived = printed(&store(dir.path(), &before));
    assert_eq!(
        (&archived["flows"], &archived["removed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(ids(dir.path()).len(), 0);
    assert_eq!(ids(&to).len(), 2);
    check_failure(
        &store(&to, &["compact"]),
        "is an archive, which is only read",
    );
    assert!(store(&to, &["check", "--deep"]).status.success());

    let mut child = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(["serve", "--ui-listen", "127.0.0.1:0", "--data-dir"])
        .arg(&to)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let endpoints = wait_for("the archive to be served", || {
        let text = fs::read_to_string(to.join("endpoints.json")).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    });
    assert_eq!(endpoints.get("proxy"), None);
    let ui = endpoints["ui"].as_str().unwrap();
    check_read_only(ui, &to, rows[0]["id"].as_str().unwrap());
    assert!(
        store(&to, &["check"]).status.success(),
        "by the one that serves it"
    );
    assert_eq!(ids(&to).len(), 2);
    let asked = Command::new("kill").arg(child.id().to_string()).status();
    assert!(asked.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!to.join("endpoints.json").exists());
}

#[test]
fn a_directory_without_a_record_is_no_reason_to_fail() {
    let dir = data_dir();
    let empty = dir.path().join("empty");
    check_failure(&store(&empty, &["check"]), "there is no record");
    assert!(!empty.exists());
    fs::create_dir(&empty).unwrap();
    let checked = store(&empty, &["check"]);
    assert!(
        told(&checked).contains("0 segments, 0 flows"),
        "{}",
        told(&checked)
    );
    let stats = printed(&store(&empty, &["stats", "--json"]));
    assert_eq!(stats["flows"], 0);
    let repaired = store(&empty, &["repair"]);
    assert!(
        told(&repaired).contains("nothing to repair"),
        "{}",
        told(&repaired)
    );
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0, "nothing was made");

    fs::write(dir.path().join("letter"), "dear").unwrap();
    let foreign = store(dir.path(), &["check"]);
    assert!(foreign.status.success(), "{}", told(&foreign));
}
