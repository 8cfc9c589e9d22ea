//! Disks that refuse, and files that are hurt.

use std::sync::mpsc;

use rusqlite::Connection;

use super::*;
use crate::queue::Limits;

fn segment(dir: &Path) -> PathBuf {
    dir.join("segments/000001.db")
}

/// Takes the lock that the store needs for a commit, as a backup program would.
fn lock(dir: &Path) -> Connection {
    let other = Connection::open(segment(dir)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Waits for a change after which `done` holds.
fn wait_for(store: &Store, done: impl Fn(&Store) -> bool) {
    let (wake, woken) = mpsc::channel();
    store.on_change(Box::new(move || wake.send(()).unwrap_or_default()));
    while !done(store) {
        woken.recv_timeout(Duration::from_secs(20)).unwrap();
    }
}

#[test]
fn a_commit_that_fails_is_tried_again_until_it_succeeds() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let other = lock(root.path());
    record(&store, 1, b"ask", b"answer");
    wait_for(&store, |store| !store.health().is_recording());
    let problem = store.health().problem.unwrap();
    assert!(problem.contains("lock"), "{problem}");
    assert!(!store.flush(), "nobody waits for a disk that refuses");
    assert_eq!(newest(&store, 5), [id(1)]);
    assert!(store.body(id(1), Side::Request).unwrap().is_none());

    let seq = store.changes_since(0).next;
    other.execute_batch("ROLLBACK").unwrap();
    wait_for(&store, |store| store.changes_since(seq).changed == [id(1)]);
    assert!(store.flush());
    let health = store.health();
    assert!(health.is_recording());
    assert_eq!((health.flows_not_stored, health.backlog_bytes), (0, 0));
    check_body(&store, 1, Side::Response, b"answer");
}

#[test]
fn what_piles_up_is_bounded_and_counted() {
    let root = tempfile::tempdir().unwrap();
    let limits = Limits {
        backlog_bytes_max: 200_000,
        ..FAST
    };
    let options = StoreOptions {
        recent_rows_max: 1000,
        ..options(Some(root.path()))
    };
    let store = Store::open_with(options, limits).unwrap();
    let other = lock(root.path());
    for number in 1..=100 {
        record(&store, number, b"ask", &noise(20_000, number));
    }
    let health = store.health();
    assert!(
        health.backlog_bytes < 4_500_000,
        "the backlog and one group: {health:?}"
    );
    assert!(health.flows_not_stored > 0, "{health:?}");
    assert_eq!(newest(&store, 200).len(), 100, "rows stay visible");
    assert_eq!(store.total(), 100);

    let seq = store.changes_since(0).next;
    other.execute_batch("ROLLBACK").unwrap();
    wait_for(&store, |store| {
        store.changes_since(seq).changed.contains(&id(100))
    });
    check_body(&store, 100, Side::Response, &noise(20_000, 100));
    let lost = store.health().flows_not_stored;
    drop(store);
    let store = open(root.path());
    assert_eq!(
        newest(&store, 200).len() as u64,
        100 - lost,
        "all others are stored"
    );
}

#[test]
fn closing_does_not_wait_for_a_disk_that_refuses() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    store.flush();
    let _other = lock(root.path());
    record(&store, 2, b"ask", b"answer");
    store.close();
    assert_eq!(store.health().flows_not_stored, 1);
    record(&store, 3, b"ask", b"answer");
    assert_eq!(store.health().flows_not_stored, 2, "too late");
    assert_eq!(newest(&store, 5), [3, 2, 1].map(id));
}

/// Makes a segment with flows 1 to 60, hurts it by `hurt`, and opens the directory again.
fn hurt(hurt: impl FnOnce(&mut Vec<u8>)) -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    for number in 1..=60 {
        record(&store, number, &noise(1000, number), &noise(9000, number));
    }
    drop(store);
    let mut bytes = fs::read(segment(root.path())).unwrap();
    hurt(&mut bytes);
    fs::write(segment(root.path()), bytes).unwrap();
    let store = open(root.path());
    (root, store)
}

/// Checks that the damaged file was put aside and that flows are recorded.
fn check_replaced(dir: &Path, store: &Store) {
    let aside = dir.join("segments/000001.db.damaged-1");
    assert!(aside.exists() && !segment(dir).exists());
    assert!(dir.join("segments/000002.db").exists());
    let notices = store.health().notices.concat();
    assert!(notices.contains(&*aside.to_string_lossy()), "{notices}");
    record(store, 100, b"ask", b"answer");
    assert!(store.flush());
    check_body(store, 100, Side::Response, b"answer");
}

/// Waits until the damaged file has been gone through.
fn salvaged(store: &Store) -> (u64, u64) {
    let thread = store.inner.threads.lock().pop().unwrap();
    assert_eq!(thread.thread().name(), Some("store-salvage"));
    thread.join().unwrap();
    let health = store.health();
    (health.flows_salvaged, health.flows_unreadable)
}

#[test]
fn a_segment_that_is_no_database_is_put_aside() {
    for bytes in [&b""[..], b"hello", &noise(100_000, 1), &[0; 8192]] {
        let (root, store) = hurt(|file| *file = bytes.to_vec());
        check_replaced(root.path(), &store);
        assert_eq!(
            fs::read(root.path().join("segments/000001.db.damaged-1")).unwrap(),
            bytes
        );
        drop(store);
        let store = open(root.path());
        assert_eq!(newest(&store, 5), [id(100)], "the next start is as any");
    }
}

#[test]
fn another_programs_database_is_put_aside() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    fs::remove_file(segment(root.path())).unwrap();
    let other = Connection::open(segment(root.path())).unwrap();
    other.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(other);
    check_replaced(root.path(), &open(root.path()));
}

#[test]
fn whole_flows_of_a_cut_segment_are_brought_over() {
    let (root, store) = hurt(|file| file.truncate(file.len() * 2 / 3));
    check_replaced(root.path(), &store);
    let (readable, _) = salvaged(&store);
    let notices = store.health().notices.concat();
    assert!((10..60).contains(&readable), "{notices}");
    assert!(
        notices.contains("lost and so is whatever followed"),
        "{notices}"
    );
    let mut found = 0;
    for number in 1..=60 {
        if store.exchange(id(number)).unwrap().is_some() {
            found += 1;
            assert_eq!(*store.exchange(id(number)).unwrap().unwrap(), ended(number));
            check_body(&store, number, Side::Request, &noise(1000, number));
            check_body(&store, number, Side::Response, &noise(9000, number));
        }
    }
    assert_eq!(found, readable);
    store.close();
    let store = open(root.path());
    assert_eq!(
        store.health().notices,
        Vec::<String>::new(),
        "it is gone through once"
    );
    assert_eq!(store.total(), readable + 1);
}

/// Returns whether a body is gone or refused by name; any other one must be whole.
fn is_hurt(store: &Store, number: u64, side: Side, bytes: usize) -> bool {
    let read = store.body(id(number), side);
    match read.and_then(|body| body.map(|body| body.read_all(usize::MAX)).transpose()) {
        Ok(Some(body)) => {
            assert!(
                body == noise(bytes, number),
                "flow {number} has other bytes"
            );
            false
        }
        Ok(None) => true,
        Err(error) => {
            assert!(
                error.to_string().contains(&id(number).to_string()),
                "{error}"
            );
            true
        }
    }
}

#[test]
fn flows_around_a_hole_are_brought_over_and_running_ones_interrupted() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    for number in 1..=60 {
        record(&store, number, &noise(1000, number), &noise(9000, number));
    }
    announce(&store, 61);
    store.write(request(61, b"ask"));
    let (side, bytes) = (Side::Response, Bytes::from_static(b"half an answ"));
    store.write(Write::Pending {
        id: id(61),
        side,
        bytes,
        chunks: vec![chunk(12)],
    });
    drop(store);
    let mut bytes = fs::read(segment(root.path())).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].fill(0xa5);
    // A header that is wrong brings the whole file into question, though the rest is readable.
    bytes[68..72].fill(0);
    fs::write(segment(root.path()), bytes).unwrap();
    let store = open(root.path());
    check_replaced(root.path(), &store);
    let (readable, lost) = salvaged(&store);
    assert!((1..10).contains(&lost), "{lost}");
    assert_eq!(readable + lost, 61);
    store.flush();
    let end = store.exchange(id(61)).unwrap().unwrap().end;
    assert_eq!(end, Some(EndReason::Interrupted));
    check_body(&store, 61, Side::Request, b"ask");
    check_body(&store, 61, Side::Response, b"half an answ");
    assert_eq!(store.chunks(id(61), Side::Response).unwrap(), [chunk(12)]);
    assert_eq!(store.without_row(5).unwrap(), [id(61)]);
}

#[test]
fn a_hurt_flow_is_named_and_everything_else_answers() {
    // Bytes in the middle of the file are bodies, on overflow pages, and records.
    let mut hurt_in_all = 0;
    for share in [3, 4, 5, 6, 7] {
        let (_root, store) = hurt(|file| {
            let middle = file.len() * share / 10;
            file[middle..middle + 64].fill(0xa5);
        });
        if !store.health().notices.is_empty() {
            continue;
        }
        let sides = [(Side::Request, 1000), (Side::Response, 9000)];
        let bodies = (1..=60).flat_map(|number| sides.map(|(side, bytes)| (number, side, bytes)));
        let hurt = bodies
            .filter(|&(number, side, bytes)| is_hurt(&store, number, side, bytes))
            .count();
        assert!(hurt <= 20, "{hurt} bodies are hurt by 64 bytes");
        hurt_in_all += hurt;
        record(&store, 100, b"ask", b"answer");
        store.flush();
        assert_eq!(newest(&store, 1), [id(100)]);
    }
    assert!(hurt_in_all > 0, "no body is hurt");
}

#[test]
fn a_later_major_format_is_refused_and_left_alone() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    let other = Connection::open(segment(root.path())).unwrap();
    other.pragma_update(None, "user_version", 3000).unwrap();
    drop(other);
    for opened in [
        Store::open(options(Some(root.path()))),
        Store::open_read_only(root.path()),
    ] {
        let error = opened.err().unwrap();
        assert!(
            matches!(
                error,
                OpenError::Newer {
                    found: 3,
                    known: 2,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(segment(root.path()).exists());
}

#[test]
fn a_later_minor_format_is_read_and_not_written_to() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    record(&store, 1, b"ask", b"answer");
    drop(store);
    let other = Connection::open(segment(root.path())).unwrap();
    other.pragma_update(None, "user_version", 2001).unwrap();
    drop(other);
    let before = fs::read(segment(root.path())).unwrap();
    let store = open(root.path());
    record(&store, 2, b"ask", b"answer");
    drop(store);
    for _ in 0..2 {
        let store = open(root.path());
        assert_eq!(newest(&store, 5), [2, 1].map(id));
        assert_eq!(store.total(), 2);
        check_body(&store, 1, Side::Response, b"answer");
    }
    assert_eq!(fs::read(segment(root.path())).unwrap(), before);
}

#[test]
fn a_half_made_segment_is_made_again() {
    let root = tempfile::tempdir().unwrap();
    dir::prepare(root.path()).unwrap();
    let segments = dir::segments(root.path()).unwrap();
    fs::write(segments.join("unfinished"), noise(5000, 1)).unwrap();
    fs::write(segments.join("unfinished-wal"), noise(5000, 2)).unwrap();
    let store = open(root.path());
    assert!(store.health().notices.is_empty());
    record(&store, 1, b"ask", b"answer");
    store.flush();
    check_body(&store, 1, Side::Response, b"answer");
}

#[cfg(unix)]
#[test]
fn a_directory_open_to_others_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Store::open(options(Some(root.path())));
    assert!(matches!(
        refused,
        Err(OpenError::Dir(DirError::TooWide { mode: 0o755, .. }))
    ));
}
