//! Flows as lines of JSON in daily files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir, wait_for};

const CHAT: &str = "/v1/chat/completions";
const SECRET: &str = "sk-ant-api03-PLANTEDPLANTEDPLANTED-abcdWXYZ";

/// Returns the files of lines.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("tee"));
    let paths = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    paths
}

/// Returns the lines of all files that are whole.
fn lines(dir: &Path) -> Vec<Value> {
    let texts = files(dir)
        .into_iter()
        .map(|path| std::fs::read_to_string(path).unwrap());
    let lines = texts.flat_map(|text| {
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let values = whole.map(|line| serde_json::from_str(line).unwrap());
        values.collect::<Vec<Value>>()
    });
    lines.collect()
}

fn line_of(dir: &Path, id: &Value) -> Option<Value> {
    lines(dir)
        .into_iter()
        .find(|line| line["flow"]["id"] == *id)
}

/// Starts the program with lines switched on.
fn start(dir: &Path, provider: &Provider) -> Monitor {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow-monitor"));
    command.arg("serve").env("FLOW_MONITOR_TEE_JSONL", "true");
    Monitor::start_command(command, dir, &provider.flags())
}

fn call(monitor: &Monitor, mark: &str) -> Value {
    let headers = [
        ("Content-Type", "application/json"),
        ("x-call-id", mark),
        ("x-api-key", SECRET),
    ];
    let body = json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": mark}]});
    monitor.call(CHAT, &headers, body.to_string().as_bytes());
    monitor.ended(mark)["flow"].clone()
}

#[test]
fn ended_flows_are_lines_without_credentials_and_none_twice() {
    let (provider, dir) = (Provider::start(), data_dir());
    let dir = dir.path();
    let monitor = start(dir, &provider);
    let row = call(&monitor, "one");
    let line = wait_for("a line", || line_of(dir, &row["id"]));
    assert_eq!(line["version"], 1);
    assert_eq!(line["flow"], row, "the row is the one of lists");
    assert_eq!(line["exchange"]["request"]["target"], CHAT);
    let sent: Value = serde_json::from_str(line["request"]["text"].as_str().unwrap()).unwrap();
    assert_eq!(sent["messages"][0]["content"], "one");
    assert!(
        line["response"]["text"]
            .as_str()
            .unwrap()
            .contains("choices")
    );
    assert!(!line.to_string().contains("PLANTED"), "{line}");
    assert!(line.to_string().contains("redacted-WXYZ-"), "{line}");

    let two = call(&monitor, "two");
    assert_eq!(monitor.terminate(), Some(0));
    assert!(
        line_of(dir, &two["id"]).is_some(),
        "the end waits for the line"
    );
    let before = lines(dir);

    // After a kill it goes on where it was.
    let monitor = start(dir, &provider);
    let three = call(&monitor, "three");
    monitor.kill();
    let monitor = start(dir, &provider);
    wait_for("the line of the killed run", || line_of(dir, &three["id"]));
    assert_eq!(monitor.terminate(), Some(0));
    let after = lines(dir);
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.starts_with(&before));
}

#[test]
fn it_is_switched_while_the_monitor_runs() {
    let (provider, dir) = (Provider::start(), data_dir());
    let dir = dir.path();
    let monitor = Monitor::start(dir, &provider.flags());
    call(&monitor, "before");
    assert_eq!(files(dir), Vec::<PathBuf>::new(), "off by default");
    assert_eq!(monitor.patch(&json!({"tee.jsonl": true})).status, 200);
    wait_for("a line", || {
        call(&monitor, "on");
        lines(dir).pop()
    });
    assert_eq!(monitor.patch(&json!({"tee.jsonl": false})).status, 200);
    assert_eq!(monitor.terminate(), Some(0));
    let marks = lines(dir)
        .into_iter()
        .map(|line| line["request"]["text"].as_str().unwrap().contains("\"on\""));
    assert!(marks.into_iter().all(|on| on));
}

fn serve(dir: &Path, environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args([
            "serve",
            "--proxy-listen",
            "127.0.0.1:0",
            "--ui-listen",
            "127.0.0.1:0",
        ])
        .arg("--data-dir")
        .arg(dir)
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn lines_are_refused_beside_encryption_and_the_key_is_never_shown() {
    let dir = data_dir();
    let key = "ab".repeat(32);
    let environment = [
        ("FLOW_MONITOR_ENCRYPTION_KEY", key.as_str()),
        ("FLOW_MONITOR_TEE_JSONL", "true"),
    ];
    for json in [&[][..], &["--json"]] {
        let shown = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
            .args(["config", "show"])
            .args(json)
            .arg("--data-dir")
            .arg(dir.path())
            .envs(environment)
            .output()
            .unwrap();
        assert!(shown.status.success());
        let text = String::from_utf8([shown.stdout, shown.stderr].concat()).unwrap();
        assert!(!text.contains(&key), "{text}");
        assert!(!text.contains("names no setting"), "{text}");
    }
    let check = |environment: &[(&str, &str)], expect: &str| {
        let output = serve(dir.path(), environment);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(expect), "{text}");
        assert!(!text.contains(&key), "{text}");
    };
    check(&environment, "`tee.jsonl` cannot be on");
    check(
        &[("FLOW_MONITOR_ENCRYPTION_KEY", "short")],
        "32 random bytes",
    );
}
