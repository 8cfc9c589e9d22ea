use std::fs;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use flow_model::{
    BodyFacts, EndReason, Exchange, Reading, RequestHead, Route, Row, Timestamp, Timings,
};
use flow_store::{StoreOptions, Write};
use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// Noon of 21 November 2026.
const NOON: Timestamp = Timestamp(1_795_262_400_000_000);
const ON: TeeSettings = TeeSettings {
    jsonl: true,
    keep_days: 0,
};
/// Longest wait for the thread.
const WAIT: Duration = Duration::from_secs(20);

fn store() -> Store {
    Store::open(StoreOptions {
        dir: None,
        recent_rows_max: 10,
        memory_bytes_max: 64 << 20,
        compressed: true,
        now: NOON,
    })
    .unwrap()
}

fn tee(store: &Store, dir: &TempDir) -> Tee {
    Tee::start(store, dir.path().join("tee"), Arc::new(|| NOON), ON).unwrap()
}

fn id(number: u64) -> FlowId {
    FlowId::from_bytes(
        (0x019a_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)).to_be_bytes(),
    )
}

fn facts(bytes: &[u8]) -> BodyFacts {
    BodyFacts {
        bytes: bytes.len() as u64,
        complete: true,
        ..BodyFacts::default()
    }
}

fn record(store: &Store, number: u64, request: &[u8], response: &[u8]) {
    let exchange = Arc::new(Exchange {
        id: id(number),
        started_at: NOON.plus_us(number),
        peer: None,
        route: Route::default(),
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/v1/messages".to_owned(),
            ..RequestHead::default()
        },
        request_body: facts(request),
        response: None,
        response_body: facts(response),
        timings: Timings {
            duration_us: Some(10),
            ..Timings::default()
        },
        end: Some(EndReason::Ended),
        failure: None,
    });
    store.write(Write::Request {
        exchange: Arc::clone(&exchange),
        body: Bytes::copy_from_slice(request),
        chunks: Vec::new(),
    });
    store.write(Write::Outcome {
        row: Some(Row::new(&exchange, &Reading::default())),
        exchange,
        response: Bytes::copy_from_slice(response),
        chunks: Vec::new(),
    });
}

/// Returns the lines that are whole.
fn lines(dir: &Path) -> Vec<Value> {
    let text = fs::read_to_string(dir.join("tee/2026-11-21.jsonl")).unwrap_or_default();
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    whole
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Writes the line of flow 0, and half of another one, as a run does that is killed. A tee goes on behind it, so that
/// nothing depends on when its thread begins.
fn leave_line(store: &Store, dir: &Path) {
    record(store, 0, b"", b"");
    store.flush();
    let line = line::line(store, id(0)).unwrap().unwrap();
    let (half, _) = line.split_at(50);
    fs::create_dir(dir.join("tee")).unwrap();
    let file = dir.join("tee/2026-11-21.jsonl");
    fs::write(file, [line.as_slice(), half].concat()).unwrap();
}

/// Returns the numbers of the flows that have a line.
fn numbers(dir: &Path) -> Vec<u64> {
    let ids = lines(dir).into_iter().filter_map(|line| {
        let id = line["flow"]["id"].as_str()?.parse::<FlowId>().unwrap();
        Some(u64::from(id.to_bytes()[15]))
    });
    ids.collect()
}

fn wait_for(what: &str, look: impl Fn() -> bool) {
    let start = Instant::now();
    while !look() {
        assert!(start.elapsed() < WAIT, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn ended_flows_become_lines_and_can_be_forgotten() {
    let (store, dir) = (store(), tempfile::tempdir().unwrap());
    leave_line(&store, dir.path());
    let tee = tee(&store, &dir);
    let long = vec![b'x'; TEE_BODY_BYTES_MAX + 5];
    record(&store, 1, b"{\"a\":\"\n\"}", b"\xff");
    record(&store, 2, &long, b"");
    tee.stop();
    assert_eq!(numbers(dir.path()), [0, 1, 2]);
    let found = lines(dir.path());
    let [_, one, two] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(one["version"], 1);
    assert_eq!(one["ended_at"], NOON.0 + 11);
    assert_eq!(one["exchange"]["request"]["target"], "/v1/messages");
    assert_eq!(one["request"]["text"], "{\"a\":\"\n\"}");
    assert_eq!(one["response"]["base64"], "/w==");
    assert_eq!(two["request"]["bytes"], long.len());
    assert_eq!(two["request"]["cut"], true);
    assert_eq!(
        two["request"]["text"].as_str().unwrap().len(),
        TEE_BODY_BYTES_MAX
    );
    assert!(two["response"].is_null());

    assert_eq!(tee.forget(&[id(1), id(7)]).unwrap(), 1);
    assert_eq!(numbers(dir.path()), [0, 2]);
}

#[test]
fn a_restart_repeats_nothing_and_leaves_nothing_out() {
    let (store, dir) = (store(), tempfile::tempdir().unwrap());
    leave_line(&store, dir.path());
    record(&store, 1, b"", b"");
    for number in 2..4 {
        let again = tee(&store, &dir);
        record(&store, number, b"", b"");
        again.stop();
    }
    assert_eq!(numbers(dir.path()), [0, 1, 2, 3]);
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_counted() {
    let (store, dir) = (store(), tempfile::tempdir().unwrap());
    leave_line(&store, dir.path());
    let tee = tee(&store, &dir);
    record(&store, 1, b"", b"");
    wait_for("the first line", || numbers(dir.path()) == [0, 1]);
    // A file in the directory's place.
    let place = dir.path().join("tee");
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "x").unwrap();
    record(&store, 2, b"", b"");
    wait_for("the notice", || !store.health().notices.is_empty());
    fs::remove_file(&place).unwrap();
    record(&store, 3, b"", b"");
    tee.stop();
    let health = store.health();
    assert!(health.is_recording());
    assert_eq!(health.notices.len(), 1, "{:?}", health.notices);
    let found = lines(dir.path());
    let skipped = found.iter().filter_map(|line| line["skipped"].as_u64());
    assert_eq!(skipped.collect::<Vec<_>>(), [1], "{found:?}");
    assert_eq!(numbers(dir.path()), [3]);
}
