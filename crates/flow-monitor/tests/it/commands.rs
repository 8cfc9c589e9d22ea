//! The command line, against a running monitor and without one.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir};

fn flow_monitor(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Checks what is said of the one flow that there is.
fn check_figures(dir: &Path) {
    let told = |args: &[&str]| stdout(&flow_monitor(dir, &[&["flows"], args].concat()));
    let filter = r#"{"all":[{"field":"model","is":"gpt-5*"},{"not":{"is":"running"}}]}"#;
    assert_eq!(told(&["count", "--filter", filter]), "1\n");
    assert_eq!(told(&["count", "--filter", r#"{"is":"running"}"#]), "0\n");
    let listed = told(&["list", "--json", "--filter", filter, "--sort", "-error"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    let facets = told(&["facets", "provider"]);
    assert_eq!(facets.lines().count(), 2, "{facets}");
    let stats = told(&["stats", "--by", "model,day", "--filter", filter]);
    let title = stats.lines().next().unwrap_or_default();
    assert!(
        title.starts_with("model") && title.contains("duration p95"),
        "{stats}"
    );
    assert_eq!(stats.lines().count(), 2, "{stats}");
    let json: Value = serde_json::from_str(&told(&["stats", "--json"])).unwrap();
    assert_eq!(json["groups"][0]["count"], 1, "{json}");
    let wrong = flow_monitor(dir, &["flows", "list", "--filter", r#"{"field":"modle"}"#]);
    assert_ne!(wrong.status.code(), Some(0));
}

#[test]
fn flows_are_listed_and_shown_with_and_without_a_running_monitor() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let body = json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": "你好，请总结一下。"}]});
    let headers = [("Content-Type", "application/json"), ("x-call-id", "one")];
    monitor.call(
        "/v1/chat/completions",
        &headers,
        body.to_string().as_bytes(),
    );
    let id = monitor.ended("one")["flow"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let running = stdout(&flow_monitor(dir.path(), &["flows", "list", "--json"]));
    let check_show = || {
        let shown = stdout(&flow_monitor(
            dir.path(),
            &["flows", "show", id.split_at(30).1],
        ));
        assert!(
            shown.contains("你好") && shown.contains("# tokens"),
            "{shown}"
        );
        let detail: Value = serde_json::from_str(&stdout(&flow_monitor(
            dir.path(),
            &["flows", "show", &id, "--json"],
        )))
        .unwrap();
        assert_eq!(detail["flow"]["id"], id.as_str());
    };
    check_show();
    check_figures(dir.path());
    let link = stdout(&flow_monitor(dir.path(), &["token", "--link"]));
    assert!(link.contains("#code="), "{link}");
    assert_eq!(
        stdout(&flow_monitor(dir.path(), &["token"])).trim(),
        monitor.token
    );
    assert_eq!(monitor.terminate(), Some(0));

    let stopped = stdout(&flow_monitor(dir.path(), &["flows", "list", "--json"]));
    assert_eq!(stopped, running, "the same list from the files");
    check_show();
    check_figures(dir.path());
    let unknown = flow_monitor(dir.path(), &["flows", "show", "ffff"]);
    assert_eq!(unknown.status.code(), Some(4));
    let tail = flow_monitor(dir.path(), &["flows", "tail"]);
    assert_eq!(tail.status.code(), Some(1));
}

#[test]
fn a_killed_monitors_files_can_be_listed() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    monitor.call(
        "/v1/chat/completions",
        &[("x-call-id", "one")],
        b"{\"model\":\"gpt-5.1\"}",
    );
    monitor.ended("one");
    monitor.kill();
    let listed = stdout(&flow_monitor(dir.path(), &["flows", "list"]));
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[test]
fn the_configuration_is_shown_with_its_sources() {
    let dir = data_dir();
    std::fs::write(dir.path().join("flow-monitor.toml"), "max_memory = 77\n").unwrap();
    let shown = stdout(&flow_monitor(
        dir.path(),
        &["config", "show", "--json", "--log-level", "debug"],
    ));
    let entries: Value = serde_json::from_str(&shown).unwrap();
    let entry = |key: &str| {
        entries
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["key"] == key)
            .unwrap()
            .clone()
    };
    assert_eq!(entry("max_memory")["value"], 77);
    assert_eq!(entry("max_memory")["source"], "file");
    assert_eq!(entry("log_level")["source"], "flag");
    std::fs::write(dir.path().join("flow-monitor.toml"), "max_memry = 77\n").unwrap();
    let refused = flow_monitor(dir.path(), &["config", "show"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("max_memory"));
}

#[test]
fn rows_are_read_from_standard_input() {
    let row = json!({
        "id": "one", "provider": "openai", "api": "chat_completions",
        "response": {"status": 200, "headers": [["content-type", "application/json"]],
            "body": "{\"id\":\"c1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}"},
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(["read", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{row}\nnonsense").unwrap();
    let lines = stdout(&child.wait_with_output().unwrap());
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["choices"][0]["text"], "hi");
    assert_eq!(lines[0]["id"], "one");
}
