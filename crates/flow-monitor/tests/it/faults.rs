//! Bad days: traffic goes on, what is lost is known, a start is never stopped by yesterday.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::monitor::{Answer, Monitor, Provider, data_dir, open, wait_for};

const JSON: (&str, &str) = ("Content-Type", "application/json");
/// Far longer than a call takes, far shorter than the fault lasts.
const CALL_TIME_MAX: Duration = Duration::from_secs(2);

fn chat(text: &str, stream: bool) -> Vec<u8> {
    let message = json!({"role": "user", "content": text});
    let body = json!({"model": "gpt-5.1", "stream": stream, "messages": [message]});
    body.to_string().into_bytes()
}

/// Sends a call and checks that nothing about it waited.
fn prompt_call(monitor: &Monitor, call: &str, body: &[u8]) -> Answer {
    let start = Instant::now();
    let answer = monitor.call("/v1/chat/completions", &[JSON, ("x-call-id", call)], body);
    let took = start.elapsed();
    assert_eq!(answer.status, 200);
    assert!(took < CALL_TIME_MAX, "{call} took {took:?}");
    answer
}

fn segment(dir: &Path) -> PathBuf {
    dir.join("segments/000001.db")
}

/// Returns what the API says of the store's problem.
fn problem(monitor: &Monitor) -> Value {
    monitor.api("/api/health")["store"]["problem"].clone()
}

#[test]
fn a_store_that_hangs_holds_up_nothing() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "before", &chat("hello", false));
    monitor.ended("before");
    // Another process that holds the file's write lock is as bad as a disk that does not answer.
    let holder = rusqlite::Connection::open(segment(dir.path())).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let large = "x".repeat(300_000);
    for number in 0..40 {
        prompt_call(
            &monitor,
            &format!("held-{number}"),
            &chat(&large, number % 2 == 0),
        );
    }
    wait_for("the running list to show the calls", || {
        let page = monitor.api("/api/flows?limit=100");
        (page["flows"].as_array()?.len() == 41).then_some(())
    });
    holder.execute_batch("ROLLBACK").unwrap();
    let last = monitor.ended("held-39");
    let id = last["flow"]["id"].as_str().unwrap();
    wait_for("the whole body to be stored", || {
        let answer = monitor.api_raw(&format!("/api/flows/{id}/request/body"));
        (answer.status == 200 && answer.body == chat(&large, false)).then_some(())
    });
    let health = monitor.api("/api/health");
    assert_eq!(health["store"]["flows_not_stored"], 0, "nothing was lost");
    assert_eq!(monitor.terminate(), Some(0));
}

#[test]
fn a_slow_disk_holds_up_nothing() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "before", &chat("hello", false));
    monitor.ended("before");
    let path = segment(dir.path());
    let (stop, stopped) = mpsc::channel::<()>();
    let slow = std::thread::spawn(move || {
        let holder = rusqlite::Connection::open(path).unwrap();
        holder.busy_timeout(Duration::from_secs(20)).unwrap();
        // Every commit waits up to 300 ms for its turn.
        loop {
            holder.execute_batch("BEGIN IMMEDIATE").unwrap();
            let over = stopped.recv_timeout(Duration::from_millis(300)).is_ok();
            holder.execute_batch("ROLLBACK").unwrap();
            if over {
                return;
            }
            let _over = stopped.recv_timeout(Duration::from_millis(20)).is_ok();
        }
    });
    for number in 0..100 {
        prompt_call(
            &monitor,
            &format!("slow-{number}"),
            &chat("hello", number % 2 == 0),
        );
    }
    stop.send(()).unwrap();
    slow.join().unwrap();
    wait_for("every flow to be stored", || {
        (monitor.api("/api/flows/count")["count"] == 101).then_some(())
    });
    assert_eq!(monitor.ended("slow-99")["flow"]["state"], "completed");
}

#[cfg(unix)]
#[test]
fn a_full_disk_holds_up_nothing_and_is_said() {
    let (provider, dir) = (Provider::start(), data_dir());
    // No file may grow beyond 2 MB; writing past that fails as on a full disk.
    let mut command = Command::new("sh");
    let script = "ulimit -f 4096; exec \"$0\" serve \"$@\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_flow-monitor")]);
    let monitor = Monitor::start_command(command, dir.path(), &provider.flags());
    for number in 0..30 {
        prompt_call(
            &monitor,
            &format!("full-{number}"),
            &chat(&unique_text(number, 400_000), number % 2 == 0),
        );
    }
    let said = wait_for("the problem to be said", || {
        let problem = problem(&monitor);
        problem.as_str().map(str::to_owned)
    });
    assert!(!said.is_empty());
    let page = monitor.api("/api/flows?limit=100");
    assert_eq!(
        page["flows"].as_array().unwrap().len(),
        30,
        "the flows are still shown"
    );
    prompt_call(&monitor, "after", &chat("hello", true));
    assert_eq!(monitor.terminate(), Some(0));
}

/// Returns text that does not compress well.
fn unique_text(seed: u64, chars: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).unwrap())
    };
    (0..chars).map(|_| next()).collect()
}

#[test]
fn a_killed_monitor_keeps_what_had_arrived() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "whole", &chat("hello", true));
    monitor.ended("whole");
    let headers = [JSON, ("x-call-id", "cut"), ("x-fake", "hang=6")];
    let mut stream = open(
        &monitor.proxy,
        "POST",
        "/v1/chat/completions",
        &headers,
        &chat("hello", true),
    );
    let mut some = vec![0; 600];
    stream.read_exact(&mut some).unwrap();
    wait_for("the stream's beginning to be saved", || {
        let detail = monitor.find("cut")?;
        let id = detail["flow"]["id"].as_str()?.to_owned();
        let body = monitor.api_raw(&format!("/api/flows/{id}/response/body"));
        (body.status == 200 && body.body.len() >= 200).then_some(())
    });
    monitor.kill();

    let monitor = Monitor::start(dir.path(), &provider.flags());
    let cut = monitor.ended("cut");
    assert_eq!(cut["flow"]["end"], "interrupted");
    assert_eq!(cut["flow"]["status"], 200, "the head had arrived too");
    assert!(cut["flow"]["ttft_us"].is_u64(), "{}", cut["flow"]);
    let parts = &cut["reading"]["response"]["choices"][0]["message"]["parts"];
    assert!(
        !parts.as_array().unwrap().is_empty(),
        "what had arrived is read: {}",
        cut["reading"]
    );
    assert_eq!(cut["flow"]["state"], "failed");
    assert!(
        cut["exchange"]["response_body"]["bytes"].as_u64().unwrap() >= 200,
        "{cut}"
    );
    let id = cut["flow"]["id"].as_str().unwrap();
    let body = monitor.api_raw(&format!("/api/flows/{id}/response/body"));
    assert_eq!(
        Some(body.body.len() as u64),
        cut["exchange"]["response_body"]["bytes"].as_u64()
    );
    let whole = monitor.ended("whole");
    assert_eq!(whole["flow"]["state"], "completed");
}

#[test]
fn a_record_that_is_removed_is_missed() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "before", &chat("hello", false));
    monitor.ended("before");
    std::fs::remove_dir_all(dir.path().join("segments")).unwrap();
    prompt_call(&monitor, "after", &chat("hello", false));
    let said = wait_for("the loss to be said", || {
        problem(&monitor).as_str().map(str::to_owned)
    });
    assert!(said.contains("removed"), "{said}");
}

#[test]
fn a_damaged_segment_does_not_stop_the_start() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "old", &chat("hello", false));
    monitor.ended("old");
    assert_eq!(monitor.terminate(), Some(0));
    std::fs::write(segment(dir.path()), b"this is no database any more").unwrap();
    let monitor = Monitor::start(dir.path(), &provider.flags());
    prompt_call(&monitor, "new", &chat("hello", false));
    assert_eq!(monitor.ended("new")["flow"]["state"], "completed");
    let notices = monitor.api("/api/health")["store"]["notices"].to_string();
    assert!(notices.contains("000001.db"), "{notices}");
}

/// Runs the program where it must refuse to start, and returns its complaint.
fn refused(dir: &Path, flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_flow-monitor"))
        .args(["serve", "--data-dir"])
        .arg(dir)
        .args(flags)
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty(), "a refusal is no result");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn starts_that_cannot_work_say_why() {
    let (provider, dir) = (Provider::start(), data_dir());
    let monitor = Monitor::start(dir.path(), &provider.flags());
    let free = [
        "--proxy-listen",
        "127.0.0.1:0",
        "--ui-listen",
        "127.0.0.1:0",
    ];
    let second = refused(dir.path(), &free);
    assert!(second.contains(dir.path().to_str().unwrap()), "{second}");

    let other = data_dir();
    let busy = refused(
        other.path(),
        &[
            "--proxy-listen",
            &monitor.proxy,
            "--ui-listen",
            "127.0.0.1:0",
        ],
    );
    assert!(
        busy.contains("proxy_listen") && busy.contains("--proxy-listen"),
        "{busy}"
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let wide = data_dir();
        std::fs::write(wide.path().join("notes.txt"), "mine").unwrap();
        std::fs::set_permissions(wide.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let complaint = refused(wide.path(), &free);
        assert!(complaint.contains("700"), "{complaint}");
    }

    let file = other.path().join("file");
    std::fs::write(&file, "").unwrap();
    let complaint = refused(&file, &free);
    assert!(complaint.contains("file"), "{complaint}");
}
