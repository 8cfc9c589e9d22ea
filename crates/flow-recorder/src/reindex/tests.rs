use std::fs;
use std::path::Path;

use bytes::Bytes;
use flow_meter::Meter;
use flow_model::{
    BodyFacts, Chunk, EndReason, FlowId, Header, Reading, RequestHead, ResponseHead, Tokens,
};
use flow_store::StoreOptions;

use super::*;

const ASK: &[u8] = br#"{"model":"gpt-5.1","messages":[{"role":"user","content":"hello"}]}"#;
const ANSWER: &[u8] = br#"{"id":"c","model":"gpt-5.1","choices":[{"index":0,"message":{"role":"assistant","content":"world"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#;
const OLD: &str = "0.0.9 1";
const NEW: &str = "0.1.0 1";
const STALE: Task = Task {
    scope: Scope::Stale,
    since: None,
    dry_run: false,
    pace: Pace::Full,
};
const ALL: Task = Task {
    scope: Scope::All,
    ..STALE
};
const START: Timestamp = Timestamp(1_790_000_000_000_000);
/// Longest wait for a run.
const RUN_TIME_MAX: Duration = Duration::from_mins(1);

fn open(dir: &Path) -> Store {
    let dir = Some(dir.to_owned());
    Store::open(StoreOptions {
        dir,
        recent_rows_max: 10,
        memory_bytes_max: 1 << 20,
        compressed: true,
        now: START,
    })
    .unwrap()
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

fn exchange(number: u64) -> Exchange {
    let json = Header {
        name: "content-type".to_owned(),
        value: "application/json".to_owned(),
        latin1: false,
    };
    Exchange {
        id: id(number),
        started_at: START.plus_us(number),
        peer: None,
        route: flow_model::Route::default(),
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/v1/chat/completions".to_owned(),
            ..RequestHead::default()
        },
        request_body: facts(ASK),
        response: Some(ResponseHead {
            status: 200,
            headers: vec![json],
            ..ResponseHead::default()
        }),
        response_body: facts(ANSWER),
        timings: flow_model::Timings::default(),
        end: Some(EndReason::Ended),
        failure: None,
    }
}

/// Stores an ended flow with the row that a program wrote which read nothing of it.
fn record(store: &Store, exchange: Exchange) {
    let mut row = Row::new(&exchange, &Reading::default());
    row.tokens.input = Some(999);
    let exchange = Arc::new(exchange);
    store.write(Write::Request {
        exchange: Arc::clone(&exchange),
        body: Bytes::from_static(ASK),
        chunks: Vec::new(),
    });
    store.write(Write::Outcome {
        exchange,
        response: Bytes::from_static(ANSWER),
        chunks: vec![Chunk {
            at_us: 5,
            wire_bytes: 1,
            bytes_end: ANSWER.len() as u64,
        }],
        row: Some(row),
    });
}

/// Returns a store with so many flows, whose rows are by the old stamp and wrong.
fn stale(dir: &Path, flows: u64) -> Store {
    let store = open(dir);
    assert!(!reindexer(&store, OLD).is_stale().unwrap());
    for number in 1..=flows {
        record(&store, exchange(number));
    }
    assert!(store.flush());
    store
}

fn reindexer(store: &Store, stamp: &str) -> Reindexer {
    Reindexer::new(store.clone(), Meter::default(), stamp.to_owned())
}

/// Runs a task to its end.
fn run(reindexer: &Reindexer, task: Task) -> Progress {
    reindexer.start(task).unwrap();
    let until = Instant::now() + RUN_TIME_MAX;
    loop {
        let progress = reindexer.wait(RUN_TIME_MAX);
        if !progress.running {
            return progress;
        }
        assert!(Instant::now() < until, "{progress:?}");
    }
}

fn tokens(store: &Store, number: u64) -> Tokens {
    store.row(id(number)).unwrap().unwrap().tokens
}

fn is_right(store: &Store, number: u64) -> bool {
    let tokens = tokens(store, number);
    (tokens.input, tokens.output) == (Some(3), Some(1))
}

/// Returns everything that is true of a flow.
fn truth(store: &Store, number: u64) -> (Arc<Exchange>, Vec<Bytes>, Vec<Chunk>) {
    let body = |side| {
        let body = store.body(id(number), side).unwrap().unwrap();
        body.read_all(usize::MAX).unwrap()
    };
    (
        store.exchange(id(number)).unwrap().unwrap(),
        vec![body(Side::Request), body(Side::Response)],
        store.chunks(id(number), Side::Response).unwrap(),
    )
}

#[test]
fn stale_rows_are_put_right_and_the_truth_stays() {
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), 3);
    let before: Vec<_> = (1..=3).map(|number| truth(&store, number)).collect();
    let new = reindexer(&store, NEW);
    assert!(new.is_stale().unwrap());
    let progress = run(&new, STALE);
    assert_eq!(progress.outcome, Some(Outcome::Finished));
    assert_eq!(progress.total, Some(3));
    assert_eq!(
        (progress.done, progress.changed, progress.failed),
        (3, 3, 0)
    );
    for field in ["tokens", "dialect", "model", "preview", "answer", "stop"] {
        assert_eq!(progress.fields.get(field), Some(&3), "{field}");
    }
    assert!(!progress.fields.contains_key("path"));
    assert!((1..=3).all(|number| is_right(&store, number)));
    let after: Vec<_> = (1..=3).map(|number| truth(&store, number)).collect();
    assert_eq!(after, before);

    assert!(!new.is_stale().unwrap());
    assert_eq!(run(&new, STALE).total, Some(0));
    let again = run(&new, ALL);
    assert_eq!(
        (again.done, again.changed),
        (3, 0),
        "nothing is left to change"
    );
    store.close();
    drop((new, store));
    let store = open(dir.path());
    assert!(is_right(&store, 1), "the row was stored");
    assert!(!reindexer(&store, NEW).is_stale().unwrap());
    assert!(
        reindexer(&store, OLD).is_stale().unwrap(),
        "the program before derives other rows"
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), 2);
    let new = reindexer(&store, NEW);
    for scope in [Scope::Stale, Scope::All] {
        let task = Task {
            scope,
            dry_run: true,
            ..STALE
        };
        let progress = run(&new, task);
        assert_eq!((progress.done, progress.changed), (2, 2));
        assert!(progress.dry_run);
    }
    assert_eq!(tokens(&store, 1).input, Some(999));
    assert!(new.is_stale().unwrap());
    store.close();
    drop((new, store));

    let store = Store::open_read_only(dir.path()).unwrap();
    let task = Task {
        dry_run: true,
        ..STALE
    };
    assert_eq!(
        run(&reindexer(&store, NEW), task).changed,
        2,
        "files alone will do"
    );
}

#[test]
fn flows_that_began_before_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), 5);
    let new = reindexer(&store, NEW);
    let task = Task {
        since: Some(START.plus_us(4)),
        ..STALE
    };
    let progress = run(&new, task);
    assert_eq!((progress.total, progress.done), (None, 2));
    let right: Vec<_> = (1..=5).map(|number| is_right(&store, number)).collect();
    assert_eq!(right, [false, false, false, true, true]);
    assert!(new.is_stale().unwrap(), "the others still are");
}

/// Copies the files of a store that is open, as a kill would leave them.
fn killed(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    flow_store::prepare_dir(to.path()).unwrap();
    fs::create_dir(to.path().join("segments")).unwrap();
    for part in ["", "segments"] {
        for file in fs::read_dir(from.join(part)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                let to = to.path().join(part).join(file.file_name());
                fs::copy(file.path(), to).unwrap();
            }
        }
    }
    to
}

#[test]
fn a_run_that_was_cut_off_goes_on_where_it_was() {
    let flows = 2 * PAGE_FLOWS as u64 + 50;
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), flows);
    let new = reindexer(&store, NEW);
    // It is told to stop by a commit behind the first page.
    let inner = Arc::downgrade(&new.inner);
    store.on_change(Box::new(move || {
        if let Some(inner) = inner.upgrade() {
            let mut state = inner.state.lock();
            state.stopping = state.progress.done >= PAGE_FLOWS as u64;
        }
    }));
    let progress = run(&new, STALE);
    assert_eq!(progress.outcome, Some(Outcome::Cancelled));
    assert!(is_right(&store, flows), "the newest come first");
    assert!(!is_right(&store, 1));

    let dir = killed(dir.path());
    let store = open(dir.path());
    let next = reindexer(&store, NEW);
    assert!(next.is_stale().unwrap());
    let progress = run(&next, STALE);
    assert_eq!(progress.outcome, Some(Outcome::Finished));
    let before = flows - progress.done;
    assert!(
        before > 0 && before.is_multiple_of(PAGE_FLOWS as u64),
        "{before}"
    );
    assert!((1..=flows).all(|number| is_right(&store, number)));
    assert!(!next.is_stale().unwrap());
}

#[test]
fn another_stamp_begins_anew() {
    let flows = PAGE_FLOWS as u64 + 1;
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), flows);
    let cursor = store
        .list(&ListQuery {
            limit: PAGE_FLOWS,
            ..ListQuery::default()
        })
        .unwrap()
        .next;
    Mark::until(OLD, cursor).write(&store);
    assert!(store.flush());
    let progress = run(&reindexer(&store, NEW), STALE);
    assert_eq!(progress.done, flows);
}

#[test]
fn a_cursor_of_another_release_begins_anew() {
    let flows = PAGE_FLOWS as u64 + 1;
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), flows);
    let cursor = format!("-started_at.{}.", id(3));
    Mark::until(NEW, Some(cursor)).write(&store);
    assert!(store.flush());
    let progress = run(&reindexer(&store, NEW), STALE);
    assert_eq!(progress.done, flows);
}

#[test]
fn a_flow_that_is_deleted_meanwhile_stays_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), 2);
    let new = reindexer(&store, NEW);
    let row = store.row(id(1)).unwrap().unwrap();
    store.write(Write::Forget(id(1)));
    assert!(store.flush());
    assert!(new.inner.flow(&row, &ALL), "the run goes on");
    assert_eq!(new.progress().done, 0);
    // The flow was deleted when its row had been derived.
    store.write(Write::Row(row));
    assert!(store.flush());
    assert!(store.row(id(1)).unwrap().is_none());
    assert_eq!(store.total(), 1);
    assert_eq!(run(&new, ALL).done, 1);
}

#[test]
fn a_flow_whose_body_is_not_all_there_keeps_its_row() {
    let dir = tempfile::tempdir().unwrap();
    let store = stale(dir.path(), 0);
    let mut long = exchange(1);
    long.response_body.bytes = READ_BYTES_MAX as u64 + 1;
    record(&store, long);
    let mut short = exchange(2);
    short.request_body.bytes += 1;
    record(&store, short);
    assert!(store.flush());
    let progress = run(&reindexer(&store, NEW), STALE);
    assert_eq!((progress.done, progress.kept, progress.changed), (2, 2, 0));
    assert_eq!(tokens(&store, 1).input, Some(999));
    assert_eq!(tokens(&store, 2).input, Some(999));
}

#[test]
fn one_runs_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let new = reindexer(&stale(dir.path(), 1), NEW);
    new.inner.state.lock().progress.running = true;
    assert!(matches!(new.start(STALE), Err(StartError::Running)));
    new.inner.state.lock().progress.running = false;
    assert_eq!(run(&new, STALE).changed, 1);
}

#[test]
fn a_rest_ends_at_once_when_the_run_is_to_stop() {
    let dir = tempfile::tempdir().unwrap();
    let new = reindexer(&stale(dir.path(), 1), NEW);
    assert_eq!(
        new.cancel(),
        Progress::default(),
        "there was nothing to stop"
    );
    let task = Task {
        pace: Pace::Background,
        ..STALE
    };
    new.start(task).unwrap();
    let progress = new.cancel();
    assert!(!progress.running);
    assert!(progress.outcome.is_some());
}
