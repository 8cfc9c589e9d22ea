//! Rows that another release made are derived again, and what was on the wire stays.

use std::path::Path;
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir, request, wait_for};

const CHAT: &str = "/v1/chat/completions";

fn reindex(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .arg("reindex")
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

/// Returns what the command printed as JSON.
fn progress(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{error}");
    serde_json::from_str(&text).unwrap()
}

fn record(dir: &Path, provider: &Provider, calls: &[&str]) -> Vec<Value> {
    let monitor = Monitor::start(dir, &provider.flags());
    let body =
        json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": "Why does it stop?"}]});
    let rows = calls.iter().map(|call| {
        let headers = [("Content-Type", "application/json"), ("x-call-id", call)];
        monitor.call(CHAT, &headers, body.to_string().as_bytes());
        monitor.ended(call)["flow"].clone()
    });
    let rows = rows.collect();
    assert_eq!(monitor.terminate(), Some(0));
    rows
}

fn segment(dir: &Path) -> Connection {
    Connection::open(dir.join("segments/000001.db")).unwrap()
}

/// Makes the rows that were recorded, in their order, as a release wrote them that read flows otherwise.
fn make_stale(dir: &Path, recorded: &[Value]) {
    let segment = segment(dir);
    for (n, row) in (1..).zip(recorded) {
        let mut row = row.clone();
        row["tokens"]["input"] = json!(999);
        row["model"] = json!("wrong");
        // Text is read as it stands.
        let update = "UPDATE rows SET row = ?2 WHERE n = ?1";
        let updated = segment.execute(update, (n, row.to_string())).unwrap();
        assert_eq!(updated, 1);
    }
    let note = "UPDATE notes SET value = '{\"stamp\":\"0.0.9 1\",\"done\":true}' WHERE key = 'note derivation'";
    let catalog = Connection::open(dir.join("catalog.db")).unwrap();
    assert_eq!(catalog.execute(note, []).unwrap(), 1);
}

/// Returns every record of truth as text.
fn truth(dir: &Path) -> Vec<String> {
    let segment = segment(dir);
    let tables = [
        "SELECT hex(id) || hex(exchange) || hex(chunks) || hex(body) FROM requests ORDER BY n",
        "SELECT hex(exchange) || hex(chunks) || hex(body) FROM outcomes ORDER BY n",
        "SELECT n || side || seq || hex(body) FROM pieces ORDER BY n, side, seq",
    ];
    let read = |sql: &str| -> Vec<String> {
        let mut statement = segment.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    tables.into_iter().flat_map(read).collect()
}

fn rows(dir: &Path) -> Vec<Value> {
    let listed = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args([
            "flows",
            "list",
            "--json",
            "--sort",
            "started_at",
            "--data-dir",
        ])
        .arg(dir)
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_files_of_a_stopped_monitor_are_put_right() {
    let (provider, dir) = (Provider::start(), data_dir());
    let dir = dir.path();
    let recorded = record(dir, &provider, &["one", "two"]);
    assert_eq!(
        progress(&reindex(dir, &["--json"]))["total"],
        0,
        "all is as it should be"
    );
    make_stale(dir, &recorded);
    let (stale, before) = (rows(dir), truth(dir));
    assert_eq!(stale[0]["model"], "wrong");

    let dry = progress(&reindex(dir, &["--dry-run", "--json"]));
    assert_eq!((&dry["done"], &dry["changed"]), (&json!(2), &json!(2)));
    assert_eq!(dry["fields"], json!({"model": 2, "tokens": 2}));
    assert_eq!(rows(dir), stale, "nothing was changed");

    let told = reindex(dir, &[]);
    assert!(told.status.success());
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.starts_with("2 flows read, 2 rows changed\n"), "{told}");
    assert_eq!(rows(dir), recorded);
    assert_eq!(truth(dir), before);
    let again = progress(&reindex(dir, &["--all", "--json"]));
    assert_eq!((&again["done"], &again["changed"]), (&json!(2), &json!(0)));
}

#[test]
fn a_monitor_catches_up_after_its_start_and_on_demand() {
    let (provider, dir) = (Provider::start(), data_dir());
    let recorded = record(dir.path(), &provider, &["one"]);
    make_stale(dir.path(), &recorded);
    let before = truth(dir.path());
    let id = recorded[0]["id"].as_str().unwrap();

    let monitor = Monitor::start(dir.path(), &provider.flags());
    let row = wait_for("the row to be put right", || {
        let row = monitor.api(&format!("/api/flows/{id}"))["flow"].clone();
        (row["model"] != "wrong").then_some(row)
    });
    assert_eq!(row, recorded[0]);
    let health = wait_for("the end of the run", || {
        let health = monitor.api("/api/health");
        (health["reindex"]["running"] == false).then_some(health)
    });
    assert_eq!(health["reindex"]["outcome"], "finished");
    assert_eq!(health["reindex"]["changed"], 1);

    let all = progress(&reindex(dir.path(), &["--all", "--json"]));
    assert_eq!((&all["done"], &all["changed"]), (&json!(1), &json!(0)));
    let answer = request(&monitor.ui, "POST", "/api/reindex", &[], b"{}");
    assert_eq!(answer.status, 401, "nobody without the token");
    assert_eq!(monitor.terminate(), Some(0));
    assert_eq!(truth(dir.path()), before);
}
