//! `run` and `env`: a command started with the real program, its calls and how it ends.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::monitor::{Monitor, Provider, data_dir, wait_for};

/// Calls a model at `OPENAI_BASE_URL` as an SDK would.
const CALL: &str = r#"
import json, os, urllib.request
body = json.dumps({"model": "gpt-5.1", "messages": [{"role": "user", "content": "hi"}]}).encode()
headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-test-0123456789"}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
answer = urllib.request.urlopen(urllib.request.Request(url, body, headers))
# A client that leaves before the last byte has cancelled its call.
answer.read()
print(answer.status, flush=True)
"#;

fn flow_monitor(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flow-monitor"));
    // What surrounds the test must not lead the client elsewhere.
    for name in [
        "OPENAI_BASE_URL",
        "OPENAI_API_BASE",
        "SHELL",
        "http_proxy",
        "HTTP_PROXY",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).arg("--data-dir").arg(dir);
    command
}

/// Runs a command to its end.
fn run(dir: &Path, options: &[String], command: &[&str]) -> Output {
    let run = flow_monitor(dir, &["run"])
        .args(options)
        .arg("--")
        .args(command)
        .output();
    run.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn named(provider: &Provider, name: &str) -> Vec<String> {
    [provider.flags(), vec!["--name".to_owned(), name.to_owned()]].concat()
}

/// Returns the flows in the record, the newest first.
fn flows(dir: &Path) -> Vec<Value> {
    let listed = flow_monitor(dir, &["flows", "list", "--json"]).output();
    let lines = text(&listed.unwrap().stdout);
    let rows = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    rows.collect()
}

/// A run that goes on until its input is closed.
struct Running(Child, BufReader<std::process::ChildStdout>);

impl Running {
    fn start(dir: &Path, options: &[String], script: &str) -> Self {
        let mut child = flow_monitor(dir, &["run"])
            .args(options)
            .args(["--", "python3", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self(child, out)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.1.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn code(&mut self) -> Option<i32> {
        wait_for("the end of the run", || self.0.try_wait().unwrap()).code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _killed = self.0.kill().is_ok();
            let _waited = self.0.wait().is_ok();
        }
    }
}

#[test]
fn a_command_is_recorded_without_a_running_monitor() {
    let (provider, dir) = (Provider::start(), data_dir());
    let script = format!("{CALL}\nimport sys\nsys.exit(7)");
    let ended = run(
        dir.path(),
        &named(&provider, "first"),
        &["python3", "-c", &script],
    );
    assert_eq!(ended.status.code(), Some(7));
    assert_eq!(
        text(&ended.stdout).trim(),
        "200",
        "the command's own words alone"
    );
    let said = text(&ended.stderr);
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("run first: 1 call, "), "{said}");
    assert!(
        !said.contains("#code=") && !said.contains("sk-test"),
        "{said}"
    );
    assert!(
        !dir.path().join("endpoints.json").exists(),
        "the monitor has gone"
    );
    let flows = flows(dir.path());
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0]["run"], "first");
    assert_eq!(
        flows[0]["session"], "first",
        "a client without a session of its own"
    );
    assert_eq!(flows[0]["sdk"], "urllib");
    assert_eq!(flows[0]["path"], "/v1/chat/completions");
}

#[test]
fn a_running_monitor_is_used_and_goes_on() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let ended = run(dir.path(), &[], &["python3", "-c", CALL]);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let page = monitor.api("/api/flows");
    let name = page["flows"][0]["run"].as_str().unwrap();
    assert!(name.starts_with("python3-"), "{name}");
    assert!(text(&ended.stderr).contains(&format!("run {name}: 1 call")));
    let quiet = run(dir.path(), &["--quiet".to_owned()], &["true"]);
    assert_eq!(text(&quiet.stderr), "");
    assert_eq!(monitor.terminate(), Some(0));
}

#[test]
fn exit_codes_are_those_of_the_command() {
    let dir = data_dir();
    let check = |command: &[&str], expect: i32| {
        let ended = run(dir.path(), &[], command);
        assert_eq!(ended.status.code(), Some(expect), "{command:?}");
        text(&ended.stderr)
    };
    let said = check(&["true"], 0);
    assert!(said.contains("no call of true was seen"), "{said}");
    assert!(said.contains("base URL"), "{said}");
    check(&["sh", "-c", "exit 3"], 3);
    check(&["sh", "-c", "kill -KILL $$"], 128 + 9);
    let said = check(&["there-is-no-such-command"], 127);
    assert!(said.contains("there is no command"), "{said}");
    let folder = dir.path().to_string_lossy().into_owned();
    check(&[&folder], 126);
}

#[test]
fn signals_reach_the_command() {
    let dir = data_dir();
    for (signal, name) in [("-TERM", "SIGTERM"), ("-HUP", "SIGHUP")] {
        let script = format!(
            "import signal, sys\nsignal.signal(signal.{name}, lambda *_: sys.exit(9))\nprint('ready', flush=True)\nsignal.pause()"
        );
        let mut running = Running::start(dir.path(), &[], &script);
        assert_eq!(running.line(), "ready");
        running.signal(signal);
        assert_eq!(running.code(), Some(9), "{name}");
    }
}

#[test]
fn a_monitor_goes_on_while_another_run_uses_it() {
    let (provider, dir) = (Provider::start(), data_dir());
    let wait = "import sys\nprint('ready', flush=True)\nsys.stdin.read()";
    let mut first = Running::start(dir.path(), &named(&provider, "a"), wait);
    assert_eq!(first.line(), "ready");
    let script = format!("{wait}\n{CALL}");
    let mut second = Running::start(dir.path(), &named(&provider, "b"), &script);
    assert_eq!(second.line(), "ready");

    drop(first.0.stdin.take());
    let mut said = BufReader::new(first.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("other runs use this monitor") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the first run waits");
    }
    drop(second.0.stdin.take());
    assert_eq!(second.line(), "200");
    assert_eq!(second.code(), Some(0));
    assert_eq!(first.code(), Some(0));
    let flows = flows(dir.path());
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0]["run"], "b");
}

#[test]
fn a_signal_ends_the_wait_for_other_runs() {
    let dir = data_dir();
    let wait = "import sys\nprint('ready', flush=True)\nsys.stdin.read()";
    let mut first = Running::start(dir.path(), &[], wait);
    assert_eq!(first.line(), "ready");
    let mut second = Running::start(dir.path(), &[], wait);
    assert_eq!(second.line(), "ready");
    drop(first.0.stdin.take());
    let mut said = BufReader::new(first.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("other runs use this monitor") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "the first run waits");
    }
    first.signal("-TERM");
    assert_eq!(first.code(), Some(0));
    drop(second.0.stdin.take());
    assert_eq!(second.code(), Some(0), "its command ended well");
    let mut said = String::new();
    second
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(said.contains("cannot be told"), "{said}");
}

#[test]
fn lines_for_shells_point_at_the_monitor() {
    let dir = data_dir();
    let lines = |arguments: &[&str]| {
        let shown = flow_monitor(dir.path(), &["env"]).args(arguments).output();
        text(&shown.unwrap().stdout)
    };
    let monitor = Monitor::start(dir.path(), &[]);
    let url = format!("http://{}", monitor.proxy);
    assert!(lines(&[]).contains(&format!("export OPENAI_BASE_URL='{url}/openai/v1'\n")));
    let fish = lines(&["--shell", "fish", "--name", "r", "claude"]);
    assert!(fish.contains(&format!(
        "set -gx ANTHROPIC_BASE_URL '{url}/run/r/anthropic'\n"
    )));
    let codex = lines(&["--shell", "powershell", "codex"]);
    assert!(codex.lines().all(|line| line.starts_with('#')), "{codex}");
    let unknown = flow_monitor(dir.path(), &["env", "acme"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("claude, codex"));

    // A shell that reads the lines calls through the monitor.
    let script = format!(
        "{}\nexec python3 -c '{CALL}'",
        lines(&[]).replace("/openai/v1'", "/nowhere/v1'")
    );
    let called = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(!called.status.success());
    assert_eq!(
        monitor.api("/api/flows")["flows"][0]["path"],
        "/nowhere/v1/chat/completions"
    );
}

#[test]
fn a_dry_run_starts_nothing() {
    let dir = data_dir();
    let options = ["--dry-run".to_owned(), "--name".to_owned(), "r".to_owned()];
    let shown = run(dir.path(), &options, &["codex", "exec", "it's"]);
    let shown = text(&shown.stdout);
    let command = shown.lines().last().unwrap();
    assert!(command.starts_with("codex -c 'openai_base_url=\"http://127.0.0.1:PORT/run/r/"));
    assert!(command.ends_with(" exec 'it'\\''s'"), "{command}");
    assert!(!dir.path().join("token").exists());
}
