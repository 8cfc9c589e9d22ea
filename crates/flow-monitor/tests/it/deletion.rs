//! Deleting flows with the real program, and what files hold afterwards.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::monitor::{Monitor, Provider, data_dir};

const WORD: &str = "PLANTEDWORDTHATNOBODYELSEWRITES";

fn flow_monitor(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn answer(output: &Output) -> Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"))
}

/// Returns the files below a directory that hold a text, in any case.
fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let bytes = bytes.to_ascii_lowercase();
            let word = text.to_ascii_lowercase();
            if bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn call(monitor: &Monitor, id: &str, text: &str) {
    let body = json!({"model": "gpt-5.1", "messages": [{"role": "user", "content": text}]});
    let headers = [("Content-Type", "application/json"), ("x-call-id", id)];
    monitor.call(
        "/v1/chat/completions",
        &headers,
        body.to_string().as_bytes(),
    );
    monitor.ended(id);
}

#[cfg(unix)]
#[test]
fn what_is_deleted_is_in_no_file() {
    let (provider, dir) = (Provider::start(), data_dir());
    let owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(dir.path(), owner).unwrap();
    let settings = "[storage]\ncompressed = false\n[tee]\njsonl = true\n";
    std::fs::write(dir.path().join("flow-monitor.toml"), settings).unwrap();
    let monitor = Monitor::start(dir.path(), &provider.flags());
    call(&monitor, "kept", "a question about tides");
    call(&monitor, "gone", &format!("please keep {WORD} to yourself"));
    let page = monitor.api("/api/flows");
    let ids: Vec<&str> = page["flows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flow| flow["id"].as_str().unwrap())
        .collect();
    let (gone, kept) = (ids[0].to_owned(), ids[1].to_owned());
    let search = ["flows", "list", "--json", "--search", "plantedwordthat"];
    let found = answer(&flow_monitor(dir.path(), &search));
    assert_eq!(found["id"], gone);
    assert!(!files_with(dir.path(), WORD).is_empty(), "the control run");

    let pinned = flow_monitor(dir.path(), &["flows", "pin", &gone]);
    assert!(pinned.status.success(), "{pinned:?}");
    let delete = ["flows", "delete", &gone, "--yes", "--json"];
    let stays = answer(&flow_monitor(dir.path(), &delete));
    assert_eq!(
        (&stays["flows"], &stays["kept_pinned"]),
        (&json!(0), &json!(1))
    );
    let dry = [&delete[..], &["--pinned", "--dry-run"]].concat();
    let would = answer(&flow_monitor(dir.path(), &dry));
    assert_eq!(would["flows"], 1);
    assert_eq!(
        monitor.api("/api/flows")["flows"].as_array().unwrap().len(),
        2
    );
    let really = [&delete[..], &["--pinned"]].concat();
    let deleted = answer(&flow_monitor(dir.path(), &really));
    assert_eq!(
        (&deleted["flows"], &deleted["pending"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(deleted["bytes"], would["bytes"]);
    let left = monitor.api("/api/flows");
    assert_eq!(left["flows"][0]["id"], kept);
    assert_eq!(left["total"], 1);
    assert_eq!(files_with(dir.path(), WORD), Vec::<String>::new());
    assert_eq!(monitor.terminate(), Some(0));
    assert_eq!(files_with(dir.path(), WORD), Vec::<String>::new());

    // Without a running monitor the files are changed by the command itself.
    let last = flow_monitor(
        dir.path(),
        &["flows", "delete", "--before", "0d", "--yes", "--json"],
    );
    assert_eq!(answer(&last)["flows"], 1);
    let none = flow_monitor(dir.path(), &["flows", "list", "--json"]);
    assert!(none.stdout.is_empty(), "{none:?}");
}
