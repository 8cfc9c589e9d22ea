use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use flow_model::{ResponseReading, State};

use super::*;
use crate::list::LIST_ROWS_MAX;
use crate::testing::{
    FAST, announce, begun, check_body, chunk, ended, id, noise, open, options, outcome, record,
    request, row,
};

mod columns;
mod deletion;
mod faults;
mod kill;
mod lists;
mod retention;
mod segments;

/// Copies the files of a running store, logs and indexes included, as a kill would leave them.
fn killed(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    dir::prepare(to.path()).unwrap();
    dir::segments(to.path()).unwrap();
    for part in ["", "segments"] {
        for file in fs::read_dir(from.join(part)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                let to = to.path().join(part).join(file.file_name());
                match fs::copy(file.path(), to) {
                    // The thread that indexes does not stand still meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    copied => drop(copied.unwrap()),
                }
            }
        }
    }
    to
}

fn newest(store: &Store, limit: usize) -> Vec<FlowId> {
    store.prepare_lists().unwrap();
    let page = store
        .list(&ListQuery {
            limit,
            ..ListQuery::default()
        })
        .unwrap();
    page.rows.iter().map(|row| row.id).collect()
}

#[test]
fn a_flow_comes_back_as_it_was_written() {
    let root = tempfile::tempdir().unwrap();
    let check = |store: &Store| {
        assert_eq!(*store.exchange(id(1)).unwrap().unwrap(), ended(1));
        assert_eq!(store.row(id(1)).unwrap(), Some(row(&ended(1))));
        check_body(store, 1, Side::Request, b"what was asked");
        check_body(store, 1, Side::Response, &noise(5000, 3));
        assert_eq!(store.chunks(id(1), Side::Request).unwrap(), [chunk(14)]);
        assert_eq!(store.chunks(id(1), Side::Response).unwrap(), [chunk(5000)]);
        assert_eq!(store.total(), 1);
        assert_eq!(newest(store, 10), [id(1)]);
        assert!(store.exchange(id(2)).unwrap().is_none());
        assert!(store.body(id(2), Side::Request).unwrap().is_none());
        assert!(store.row(id(2)).unwrap().is_none());
    };
    let store = open(root.path());
    record(&store, 1, b"what was asked", &noise(5000, 3));
    assert!(store.flush());
    check(&store);
    drop(store);
    let mut names: Vec<String> = fs::read_dir(root.path().join("segments"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let expect = ["000001.db", "000001.fts"];
    assert_eq!(names, expect, "the log is written into the file");
    check(&open(root.path()));
}

#[test]
fn a_note_is_kept_behind_what_was_written_before_it() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    assert_eq!(store.note("rules").unwrap(), None);
    let note = |value: &str| Write::Note {
        key: "rules",
        value: value.to_owned(),
    };
    store.write(note("old"));
    record(&store, 1, b"ask", b"answer");
    store.write(note("new"));
    assert!(store.flush());
    assert_eq!(store.note("rules").unwrap().as_deref(), Some("new"));
    assert_eq!(
        store.note("opened_at").unwrap(),
        None,
        "the store's own facts are no notes"
    );
    drop(store);
    let store = Store::open_read_only(root.path()).unwrap();
    assert_eq!(store.note("rules").unwrap().as_deref(), Some("new"));
    assert_eq!(newest(&store, 10), [id(1)]);
}

#[test]
fn a_store_in_memory_is_the_same_without_files() {
    let store = Store::open_with(options(None), FAST).unwrap();
    let other = Store::open_with(options(None), FAST).unwrap();
    record(&store, 1, b"ask", &noise(100_000, 1));
    assert!(store.flush());
    check_body(&store, 1, Side::Response, &noise(100_000, 1));
    assert_eq!(newest(&store, 5), [id(1)]);
    assert_eq!(other.total(), 0, "two stores share nothing");
}

#[test]
fn a_store_in_memory_keeps_to_its_bound() {
    let bytes_max = 2 * 1024 * 1024;
    let options = StoreOptions {
        memory_bytes_max: bytes_max,
        ..options(None)
    };
    let store = Store::open_with(options, FAST).unwrap();
    announce(&store, 1);
    store.write(request(1, b"a flow that runs on"));
    for number in 2..200 {
        record(&store, number, b"ask", &noise(50_000, number));
        assert!(store.flush());
    }
    let health = store.health();
    assert!(health.flows_evicted > 100, "{health:?}");
    assert_eq!((health.problem, health.flows_not_stored), (None, 0));
    assert_eq!(store.total(), 199 - health.flows_evicted);
    assert!(store.changes_since(0).gone.contains(&id(2)));
    assert!(store.exchange(id(2)).unwrap().is_none());
    check_body(&store, 199, Side::Response, &noise(50_000, 199));
    check_body(&store, 1, Side::Request, b"a flow that runs on");
}

#[test]
fn a_flow_larger_than_memory_is_given_up_and_the_next_is_not() {
    let options = StoreOptions {
        memory_bytes_max: 1024 * 1024,
        ..options(None)
    };
    let store = Store::open_with(options, FAST).unwrap();
    announce(&store, 1);
    for part in 0..10 {
        let bytes = Bytes::from(noise(480_000, part));
        store.write(Write::Piece {
            id: id(1),
            side: Side::Response,
            bytes,
        });
    }
    store.write(outcome(1, b""));
    store.flush();
    assert_eq!(store.health().flows_not_stored, 1);
    assert_eq!(newest(&store, 5), [id(1)], "its row is shown");
    record(&store, 2, b"ask", b"answer");
    store.flush();
    check_body(&store, 2, Side::Response, b"answer");
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let store = open(&dir);
    record(&store, 1, b"ask", b"answer");
    store.flush();
    let mut seen = 0;
    for entry in fs::read_dir(dir.join("segments"))
        .unwrap()
        .chain(fs::read_dir(&dir).unwrap())
    {
        let found = entry.unwrap().metadata().unwrap();
        let mode = if found.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(found.permissions().mode() & 0o777, mode);
        seen += 1;
    }
    assert!(
        seen >= 5,
        "the segment, its log and index, the lock and the directory"
    );
}

#[test]
fn a_second_store_on_the_directory_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let refused = Store::open(options(Some(root.path())));
    assert!(matches!(
        refused,
        Err(OpenError::Dir(DirError::InUse { .. }))
    ));
    store.close();
    open(root.path());
}

#[test]
fn a_long_body_is_stored_in_parts_and_read_in_parts() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let (ask, answer) = (noise(9 << 20, 1), vec![b'x'; (8 << 20) + 1]);
    record(&store, 1, &ask, &answer);
    store.flush();
    for (side, bytes, parts) in [(Side::Request, ask, 3), (Side::Response, answer, 3)] {
        let body = store.body(id(1), side).unwrap().unwrap();
        assert_eq!(body.len(), bytes.len() as u64);
        let pieces: Vec<Bytes> = body.pieces().map(Result::unwrap).collect();
        assert_eq!(pieces.len(), parts);
        assert!(pieces.iter().all(|piece| piece.len() <= 4 << 20));
        assert_eq!(pieces.concat(), bytes);
        for bytes_max in [0, 1, 5 << 20] {
            assert_eq!(body.read_all(bytes_max).unwrap(), bytes[..bytes_max]);
        }
    }
}

#[test]
fn a_running_flow_is_seen_before_it_is_stored() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    announce(&store, 1);
    assert_eq!(store.total(), 1);
    assert_eq!(store.row(id(1)).unwrap().unwrap().state, State::Pending);
    assert_eq!(*store.exchange(id(1)).unwrap().unwrap(), begun(1));

    let mut streaming = ended(1);
    streaming.end = None;
    store.refresh(row(&streaming), Some(Arc::new(streaming.clone())));
    assert_eq!(store.row(id(1)).unwrap().unwrap().state, State::Streaming);
    assert_eq!(*store.exchange(id(1)).unwrap().unwrap(), streaming);
    assert!(
        store.unfinished().unwrap().is_empty(),
        "it is not left over, it runs"
    );

    store.write(outcome(1, b"answer"));
    assert_eq!(store.row(id(1)).unwrap().unwrap().state, State::Completed);
    store.refresh(row(&streaming), None);
    assert_eq!(
        store.row(id(1)).unwrap().unwrap().state,
        State::Completed,
        "too late"
    );
}

#[test]
fn writes_that_come_late_or_twice_change_nothing() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    let late = Bytes::from_static(b"late");
    let check = |store: &Store| {
        store.write(outcome(1, b"another"));
        store.write(Write::Piece {
            id: id(1),
            side: Side::Response,
            bytes: late.clone(),
        });
        let (side, bytes) = (Side::Request, late.clone());
        store.write(Write::Pending {
            id: id(1),
            side,
            bytes,
            chunks: Vec::new(),
        });
        assert!(store.flush());
        check_body(store, 1, Side::Response, b"answer");
        check_body(store, 1, Side::Request, b"ask");
        assert_eq!((store.total(), store.health().flows_not_stored), (1, 0));
    };
    check(&store);
    drop(store);
    check(&open(root.path()));
}

#[test]
fn an_end_alone_is_a_flow() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    announce(&store, 1);
    store.write(outcome(1, b"no route"));
    // This one was never announced either.
    store.write(outcome(2, b"no route"));
    store.flush();
    for number in [1, 2] {
        assert_eq!(*store.exchange(id(number)).unwrap().unwrap(), ended(number));
        check_body(&store, number, Side::Response, b"no route");
        check_body(&store, number, Side::Request, b"");
    }
    assert_eq!(store.total(), 2);
    assert!(store.unfinished().unwrap().is_empty());
}

#[test]
fn rows_can_be_dropped_and_made_again() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    announce(&store, 2);
    let Write::Outcome {
        exchange,
        response,
        chunks,
        ..
    } = outcome(2, b"answer")
    else {
        unreachable!()
    };
    store.write(Write::Outcome {
        exchange,
        response,
        chunks,
        row: None,
    });
    store.flush();
    assert_eq!(
        store.row(id(2)).unwrap().unwrap().end,
        Some(EndReason::Ended)
    );
    assert_eq!(store.without_row(10).unwrap(), [id(2)]);
    drop(store);

    let segment = rusqlite::Connection::open(root.path().join("segments/000001.db")).unwrap();
    segment.execute_batch("DROP TABLE rows").unwrap();
    drop(segment);
    let store = open(root.path());
    assert!(store.health().notices.is_empty(), "{:?}", store.health());
    assert_eq!(store.without_row(10).unwrap(), [id(2), id(1)]);
    assert_eq!(store.without_row(1).unwrap(), [id(2)]);
    assert!(newest(&store, 5).is_empty());
    for number in [1, 2] {
        store.write(Write::Row(row(&ended(number))));
    }
    store.flush();
    assert!(store.without_row(10).unwrap().is_empty());
    assert_eq!(newest(&store, 5), [id(2), id(1)]);
}

#[test]
fn a_row_replaces_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    let mut better = row(&ended(1));
    better.model = Some("m".to_owned());
    store.write(Write::Row(better.clone()));
    store.write(Write::Row(row(&ended(7))));
    store.flush();
    assert_eq!(store.row(id(1)).unwrap(), Some(better.clone()));
    assert_eq!(store.row(id(7)).unwrap(), None, "a row alone is no flow");
    drop(store);
    assert_eq!(open(root.path()).row(id(1)).unwrap(), Some(better));
}

#[test]
fn a_forgotten_flow_leaves_no_trace_in_any_file() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let word = b"mellifluous-platypus";
    let traces = || {
        let files = fs::read_dir(root.path().join("segments")).unwrap();
        // A text index may be made anew meanwhile: a file that is gone holds nothing.
        let holds = |path: &Path| {
            fs::read(path)
                .unwrap_or_default()
                .windows(word.len())
                .any(|at| at == word)
        };
        files
            .map(|file| file.unwrap().path())
            .filter(|path| holds(path))
            .count()
    };
    record(&store, 1, b"ask", b"answer");
    announce(&store, 2);
    store.write(request(2, word));
    let (side, bytes) = (Side::Response, Bytes::from_static(word));
    store.write(Write::Pending {
        id: id(2),
        side,
        bytes,
        chunks: Vec::new(),
    });
    record(&store, 3, word, b"answer");
    // What was pending of this one has been removed before.
    announce(&store, 4);
    let (side, bytes) = (Side::Response, Bytes::from(word.repeat(300)));
    store.write(Write::Pending {
        id: id(4),
        side,
        bytes,
        chunks: Vec::new(),
    });
    store.flush();
    store.write(outcome(4, b"answer"));
    store.flush();
    assert!(traces() > 0, "the control");
    let seq = store.changes_since(0).next;
    store.write(Write::Forget(id(2)));
    store.write(Write::Forget(id(3)));
    store.write(Write::Forget(id(4)));
    store.write(outcome(2, word));
    store.write(Write::Forget(id(2)));
    store.flush();
    assert_eq!(traces(), 0);
    assert_eq!(newest(&store, 5), [id(1)]);
    assert_eq!(store.total(), 1);
    assert!(store.changes_since(seq).gone.contains(&id(3)));
    assert!(store.exchange(id(2)).unwrap().is_none());
    assert!(store.body(id(3), Side::Request).unwrap().is_none());
}

#[test]
fn changes_are_told_and_wake_those_who_wait() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    store.on_change(Box::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    }));
    announce(&store, 1);
    assert_eq!(woken.load(Ordering::Relaxed), 1);
    let begun_at = store.changes_since(0).next;
    store.write(request(1, b"ask"));
    store.flush();
    assert!(
        store.changes_since(begun_at).changed.is_empty(),
        "nothing to see yet"
    );
    store.write(outcome(1, b"answer"));
    store.flush();
    // What is told can be read.
    assert_eq!(store.changes_since(begun_at).changed, [id(1)]);
    assert!(woken.load(Ordering::Relaxed) >= 2);
}

#[test]
fn a_watched_flow_has_a_live_view_until_its_end() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    announce(&store, 1);
    assert!(!store.is_watched(id(1)));
    let (one, other) = (store.watch(id(1)), store.watch(id(1)));
    drop(one);
    assert!(store.is_watched(id(1)));
    let live = LiveView {
        exchange: Arc::new(begun(1)),
        response: Arc::new(ResponseReading {
            events: 5,
            ..ResponseReading::default()
        }),
    };
    store.publish(id(1), live.clone());
    assert_eq!(store.live(id(1)).unwrap().response.events, 5);
    drop(other);
    assert!(!store.is_watched(id(1)));
    store.write(outcome(1, b"answer"));
    store.flush();
    assert!(store.live(id(1)).is_none());
    store.publish(id(1), live);
    assert!(store.live(id(1)).is_none(), "too late");
}

#[test]
fn rows_in_memory_are_bounded() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    for number in 0..50 {
        record(&store, number, b"ask", b"answer");
    }
    store.flush();
    assert_eq!(store.inner.intake.memory.held(), 4);
    assert_eq!(newest(&store, LIST_ROWS_MAX).len(), 50);
    assert_eq!(store.total(), 50);
}
