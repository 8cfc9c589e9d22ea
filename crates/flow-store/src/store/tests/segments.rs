//! Segments that follow each other, and how they are sealed.
//!
//! Length: each state in which a kill leaves a segment is a case.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use rusqlite::Connection;

use super::*;
use crate::files::Flaw;
use crate::seal::verify;
use crate::segment::SegmentState;
use crate::testing::{small, unsealed, wait_sealed};

fn open_with(dir: &Path, limits: Limits) -> Store {
    Store::open_with(options(Some(dir)), limits).unwrap()
}

fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segments/{number:06}.db"))
}

fn numbers(store: &Store) -> Vec<(u32, SegmentState)> {
    let segments = store.segments().into_iter();
    segments.map(|found| (found.number, found.state)).collect()
}

/// Makes a directory with the flows 1 to 9 in segments of three, of which none is sealed.
fn made() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), unsealed(3));
    for number in 1..=9 {
        record(&store, number, b"ask", &noise(6000, number));
        store.flush();
    }
    drop(store);
    root
}

/// Checks that the flows 1 to 9 are there, once each, however they are read.
fn check_nine(store: &Store) {
    let expect: Vec<FlowId> = (1..=9).rev().map(id).collect();
    assert_eq!(newest(store, 100), expect);
    assert_eq!(store.total(), 9);
    for number in 1..=9 {
        assert_eq!(*store.exchange(id(number)).unwrap().unwrap(), ended(number));
        check_body(store, number, Side::Response, &noise(6000, number));
    }
    let mut query = ListQuery {
        limit: 2,
        ..ListQuery::default()
    };
    let mut listed = Vec::new();
    for sort in ["duration", "-duration", "started_at", "-started_at"] {
        query.sort = sort.parse().unwrap();
        listed.clear();
        loop {
            let page = store.list(&query).unwrap();
            listed.extend(page.rows.iter().map(|row| row.id));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        if !sort.starts_with('-') {
            listed.reverse();
        }
        assert_eq!(listed, expect, "{sort}");
    }
}

/// Waits until all is sealed, checks the flows, and that the next start is as any.
fn check_sealed(dir: &Path, store: Store) {
    wait_sealed(&store);
    check_nine(&store);
    for segment in store.registry().all().iter() {
        verify(segment).unwrap();
    }
    assert!(store.registry().readers.kept() <= 8);
    drop(store);
    let left: Vec<String> = fs::read_dir(dir.join("segments"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            name.split_once('.')
                .is_none_or(|(_, ending)| !["db", "fts", "col"].contains(&ending))
        })
        .filter(|name| !name.contains(".damaged-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    let store = open_with(dir, small(3));
    assert_eq!(store.health().notices, Vec::<String>::new());
    check_nine(&store);
}

#[test]
fn flows_written_at_once_are_each_found_once_while_segments_follow_each_other() {
    let write = |store: &Store, writer: u64| {
        for turn in 0..40 {
            let number = turn * 4 + writer;
            record(store, number, b"ask", &noise(3000, number));
            if turn % 5 == 0 {
                store.flush();
            }
        }
    };
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(7));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let lister = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                let listed = newest(&store, LIST_ROWS_MAX);
                let unique: BTreeSet<FlowId> = listed.iter().copied().collect();
                assert_eq!(unique.len(), listed.len(), "a flow is listed twice");
                assert!(listed.len() >= most, "a flow was lost meanwhile");
                most = listed.len();
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || write(store, writer))
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        store.flush();
        done.store(true, Ordering::Relaxed);
        lister.join().unwrap();
    });
    wait_sealed(&store);
    let check = |store: &Store| {
        let expect: Vec<FlowId> = (0..160).rev().map(id).collect();
        assert_eq!(newest(store, LIST_ROWS_MAX), expect);
        assert_eq!((store.total(), store.health().flows_not_stored), (160, 0));
        for number in 0..160 {
            check_body(store, number, Side::Response, &noise(3000, number));
        }
        let segments = store.segments();
        assert!(segments.len() > 5, "{segments:?}");
        assert_eq!(segments.iter().map(|found| found.flows).sum::<u64>(), 160);
    };
    check(&store);
    drop(store);
    check(&open_with(root.path(), small(7)));
}

#[test]
fn a_flow_stays_in_the_segment_in_which_it_began() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(2));
    announce(&store, 1);
    store.write(request(1, b"a long one"));
    for number in 2..=5 {
        record(&store, number, b"ask", b"answer");
        store.flush();
    }
    store
        .registry()
        .signal
        .wait_for(|| numbers(&store).get(1) == Some(&(2, SegmentState::Sealed)));
    assert_eq!(
        numbers(&store),
        [
            (3, SegmentState::Live),
            (2, SegmentState::Sealed),
            (1, SegmentState::Closing)
        ]
    );
    store.write(outcome(1, b"the end"));
    store.flush();
    wait_sealed(&store);
    check_body(&store, 1, Side::Request, b"a long one");
    check_body(&store, 1, Side::Response, b"the end");
    let first = Connection::open(path(root.path(), 1)).unwrap();
    let flows: i64 = first
        .query_one("SELECT count(*) FROM outcomes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(flows, 2);
    assert_eq!(newest(&store, 9), [5, 4, 3, 2, 1].map(id));
    let info = store.segments().pop().unwrap();
    assert_eq!((info.flows, info.format.as_str()), (2, "2.0"));
    assert_eq!(info.first_at, Some(begun(1).started_at));
    assert_eq!(info.last_at, Some(begun(2).started_at));
    assert_eq!(
        info.bytes,
        fs::metadata(path(root.path(), 1)).unwrap().len()
    );
}

#[test]
fn an_unfinished_flow_keeps_its_segment_open_over_a_start() {
    let root = tempfile::tempdir().unwrap();
    // Nothing must be sealed while the files are copied.
    let store = open_with(root.path(), unsealed(2));
    announce(&store, 1);
    store.write(request(1, b"ask"));
    for number in 2..=4 {
        record(&store, number, b"ask", b"answer");
        store.flush();
    }
    let dir = killed(root.path());
    drop(store);
    let store = open_with(dir.path(), small(2));
    assert_eq!(store.unfinished().unwrap(), [begun(1)]);
    assert_eq!(store.total(), 3);
    assert!(numbers(&store).contains(&(1, SegmentState::Closing)));
    store.write(outcome(1, b""));
    store.flush();
    wait_sealed(&store);
    assert!(store.unfinished().unwrap().is_empty());
    assert_eq!(newest(&store, 9), [4, 3, 2, 1].map(id));
}

#[test]
fn a_kill_at_any_step_of_sealing_is_harmless() {
    let check = |leave: &dyn Fn(&Path)| {
        let root = made();
        leave(root.path());
        let store = open_with(root.path(), small(3));
        assert_eq!(store.health().notices, Vec::<String>::new());
        check_nine(&store);
        check_sealed(root.path(), store);
    };
    let no_log = |dir: &Path, number: u32| {
        let segment = Connection::open(path(dir, number)).unwrap();
        let mode: String = segment
            .query_one("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
            .unwrap();
        assert_eq!(mode, "delete");
    };
    check(&|_| {});
    check(&|dir| no_log(dir, 1));
    // The newest one can have been live, closing, or without a successor.
    check(&|dir| (1..=3).for_each(|number| no_log(dir, number)));
    check(&|dir| {
        no_log(dir, 1);
        fs::write(dir.join("segments/000001.db.compact"), noise(5000, 1)).unwrap();
        fs::write(dir.join("segments/000001.db.compact-journal"), b"").unwrap();
    });
    check(&|dir| {
        no_log(dir, 1);
        let compacted = dir.join("segments/000001.db.compact");
        let segment = Connection::open(path(dir, 1)).unwrap();
        let to = compacted.to_str().unwrap();
        segment.execute("VACUUM INTO ?1", [to]).unwrap();
        fs::rename(compacted, path(dir, 1)).unwrap();
    });
    // The catalog was not told, or its copy was not made, or both are of another time.
    check(&|dir| {
        let before = fs::read(dir.join("catalog.db")).unwrap();
        let store = open_with(dir, small(3));
        wait_sealed(&store);
        drop(store);
        fs::write(dir.join("catalog.db"), before).unwrap();
    });
    check(&|dir| {
        let store = open_with(dir, small(3));
        wait_sealed(&store);
        drop(store);
        fs::remove_file(dir.join("catalog.copy")).unwrap();
    });
    // A sealed one was about to be written to again, or had been.
    check(&|dir| {
        let store = open_with(dir, small(3));
        wait_sealed(&store);
        drop(store);
        let segment = Connection::open(path(dir, 2)).unwrap();
        segment.pragma_update(None, "journal_mode", "wal").unwrap();
        segment
            .execute("INSERT INTO meta VALUES ('late', 1)", [])
            .unwrap();
    });
    check(&|dir| {
        let store = open_with(dir, small(3));
        wait_sealed(&store);
        drop(store);
        fs::write(dir.join("segments/000002.db-wal"), b"").unwrap();
    });
}

#[test]
fn a_lost_catalog_costs_no_flow() {
    for (copy, said) in [(true, "restored from"), (false, "made again")] {
        for damaged in [true, false] {
            let root = made();
            let store = open_with(root.path(), small(3));
            wait_sealed(&store);
            drop(store);
            let catalog = root.path().join("catalog.db");
            if damaged {
                fs::write(&catalog, noise(9000, 3)).unwrap();
            } else {
                fs::remove_file(&catalog).unwrap();
            }
            if !copy {
                fs::remove_file(root.path().join("catalog.copy")).unwrap();
            }
            let store = open_with(root.path(), small(3));
            let notices = store.health().notices.concat();
            assert_eq!(notices.matches(said).count(), 1, "{notices}");
            assert_eq!(notices.contains("catalog.db.damaged-1"), damaged);
            check_nine(&store);
            check_sealed(root.path(), store);
        }
    }
}

#[test]
fn a_sealed_segment_that_is_not_what_it_was_is_put_aside_and_brought_over() {
    let check = |hurt: &dyn Fn(&mut Vec<u8>), whole: bool| {
        let root = made();
        let store = open_with(root.path(), small(3));
        wait_sealed(&store);
        drop(store);
        let mut bytes = fs::read(path(root.path(), 2)).unwrap();
        hurt(&mut bytes);
        fs::write(path(root.path(), 2), bytes).unwrap();
        let store = open_with(root.path(), small(100));
        let notices = store.health().notices.concat();
        assert!(notices.contains("000002.db.damaged-1"), "{notices}");
        let salvage = store.inner.threads.lock().pop().unwrap();
        salvage.join().unwrap();
        store.flush();
        if whole {
            check_nine(&store);
        }
        for number in [1, 2, 3, 7, 8, 9] {
            check_body(&store, number, Side::Response, &noise(6000, number));
        }
        drop(store);
        let store = open_with(root.path(), small(100));
        assert_eq!(store.health().notices, Vec::<String>::new());
    };
    check(&|bytes| bytes.extend([0; 512]), true);
    check(&|bytes| bytes[60..64].fill(0), true);
    check(&|bytes| bytes[..16].fill(b'x'), false);
    check(&|bytes| bytes.truncate(bytes.len() / 2), false);
    check(&Vec::clear, false);
}

#[test]
fn a_changed_byte_is_found_by_the_checksum_and_a_missing_segment_named() {
    let root = made();
    let store = open_with(root.path(), small(3));
    wait_sealed(&store);
    drop(store);
    let mut bytes = fs::read(path(root.path(), 2)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path(root.path(), 2), bytes).unwrap();
    let store = open_with(root.path(), small(3));
    assert_eq!(store.health().notices, Vec::<String>::new());
    let hurt = store.registry().segment(2).unwrap();
    assert!(matches!(verify(&hurt), Err(Flaw::Damaged(_))));
    verify(&store.registry().segment(1).unwrap()).unwrap();
    drop((store, hurt));

    fs::remove_file(path(root.path(), 2)).unwrap();
    let store = open_with(root.path(), small(3));
    let notices = store.health().notices;
    assert!(
        notices.len() == 1 && notices[0].contains("000002.db with 3 flows is missing"),
        "{notices:?}"
    );
    assert_eq!(newest(&store, 9), [9, 8, 7, 3, 2, 1].map(id));
}

#[test]
fn ids_of_segments_may_overlap() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(3));
    let order = [5, 1, 9, 2, 8, 4, 3, 7, 6];
    for number in order {
        record(&store, number, b"ask", &noise(6000, number));
        store.flush();
    }
    check_sealed(root.path(), store);
    let store = open_with(root.path(), small(3));
    let sealed = store.registry().segment(2).unwrap();
    assert!(sealed.is_sealed());
    let may = [1, 2, 5, 8, 9].map(|number| sealed.may_hold(id(number)));
    assert_eq!(may, [false, true, true, true, false]);
}

#[test]
fn two_directories_share_nothing() {
    let roots = [made(), made()];
    let stores = roots
        .each_ref()
        .map(|root| open_with(root.path(), small(3)));
    record(&stores[0], 10, b"ask", b"answer");
    stores[0].flush();
    assert_eq!(stores[0].total(), 10);
    check_nine(&stores[1]);
    let [_, other] = stores;
    check_sealed(roots[1].path(), other);
}

#[test]
fn a_late_write_opens_a_sealed_segment_and_it_is_sealed_again() {
    let root = made();
    let store = open_with(root.path(), small(3));
    wait_sealed(&store);
    let sealed = store.registry().segment(1).unwrap();
    let checksum = sealed.facts().checksum;
    let mut better = row(&ended(2));
    better.model = Some("m".to_owned());
    store.write(Write::Row(better.clone()));
    store.flush();
    wait_sealed(&store);
    assert_eq!(store.row(id(2)).unwrap(), Some(better.clone()));
    assert!(sealed.is_sealed() && sealed.facts().checksum != checksum);
    verify(&sealed).unwrap();
    check_nine(&store);

    let traces = |number: u64| {
        let word = &noise(6000, number)[100..200];
        let files = fs::read_dir(root.path().join("segments")).unwrap();
        let bytes = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        bytes
            .filter(|bytes| bytes.windows(100).any(|at| at == word))
            .count()
    };
    assert_eq!(traces(1), 1, "the control");
    store.write(Write::Forget(id(1)));
    store.flush();
    wait_sealed(&store);
    assert_eq!(traces(1), 0);
    assert!(store.exchange(id(1)).unwrap().is_none());
    assert_eq!((store.total(), sealed.facts().flows), (8, 2));
    drop((store, sealed));
    let store = open_with(root.path(), small(3));
    assert_eq!(store.row(id(2)).unwrap(), Some(better));
    assert_eq!(store.total(), 8);
    assert_eq!(store.health().notices, Vec::<String>::new());
}

#[test]
fn a_segment_that_is_hurt_meanwhile_keeps_no_other_from_being_written_to() {
    let check = |hurt: &dyn Fn(&Path)| {
        let root = made();
        let store = open_with(root.path(), small(3));
        wait_sealed(&store);
        assert!(store.row(id(1)).unwrap().is_some());
        hurt(&path(root.path(), 1));
        for number in 1..=3 {
            store.write(Write::Row(row(&ended(number))));
        }
        record(&store, 10, b"ask", b"answer");
        assert!(store.flush());
        assert!(store.health().is_recording());
        check_body(&store, 10, Side::Response, b"answer");
        assert_eq!(newest(&store, 4), [10, 9, 8, 7].map(id));
    };
    check(&|path| fs::remove_file(path).unwrap());
    check(&|path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[200..].fill(0xa5);
        fs::write(path, bytes).unwrap();
    });
}

#[test]
fn a_segment_with_much_room_is_compacted() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(20));
    for number in 1..=19 {
        record(&store, number, b"ask", &noise(50_000, number));
    }
    for number in 1..=15 {
        store.write(Write::Forget(id(number)));
    }
    store.flush();
    for number in 20..=40 {
        record(&store, number, b"ask", b"answer");
        store.flush();
    }
    wait_sealed(&store);
    let bytes = fs::metadata(path(root.path(), 1)).unwrap().len();
    assert!((200_000..400_000).contains(&bytes), "{bytes}");
    check_body(&store, 17, Side::Response, &noise(50_000, 17));
    assert_eq!(store.total(), 25);
}

#[test]
fn where_no_segment_can_be_begun_the_old_one_stays_live() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(2));
    let blocked = root.path().join("segments/unfinished");
    fs::create_dir(&blocked).unwrap();
    for number in 1..=6 {
        record(&store, number, b"ask", b"answer");
        assert!(store.flush());
    }
    assert_eq!(numbers(&store), [(1, SegmentState::Live)]);
    assert!(store.health().is_recording());
    fs::remove_dir(&blocked).unwrap();
    // It is tried again a second later, and at the next start.
    drop(store);
    let store = open_with(root.path(), small(2));
    wait_sealed(&store);
    assert_eq!(
        numbers(&store),
        [(2, SegmentState::Live), (1, SegmentState::Sealed)]
    );
    assert_eq!(newest(&store, 9), [6, 5, 4, 3, 2, 1].map(id));
}

#[test]
fn a_group_over_two_segments_is_stored_once_however_often_it_fails() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), unsealed(2));
    announce(&store, 1);
    store.write(request(1, b"ask"));
    record(&store, 2, b"ask", b"answer");
    store.flush();
    record(&store, 3, b"ask", b"answer");
    store.flush();
    let other = Connection::open(path(root.path(), 2)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let piece = Bytes::from(noise(5000, 1));
    store.write(Write::Piece {
        id: id(1),
        side: Side::Response,
        bytes: piece,
    });
    store.write(outcome(1, b"end"));
    record(&store, 4, b"ask", b"answer");
    assert!(!store.flush());
    other.execute_batch("ROLLBACK").unwrap();
    store.registry().signal.wait_for(|| store.flush());
    let answer = [noise(5000, 1).as_slice(), b"end"].concat();
    check_body(&store, 1, Side::Response, &answer);
    check_body(&store, 4, Side::Response, b"answer");
    assert_eq!(store.health().flows_not_stored, 0);
    assert_eq!(store.total(), 4);
}

#[cfg(unix)]
#[test]
fn many_segments_are_read_without_being_changed() {
    let root = made();
    let store = open_with(root.path(), small(3));
    wait_sealed(&store);
    check_nine(&Store::open_read_only(root.path()).unwrap());
    announce(&store, 10);
    store.write(request(10, b"ask"));
    store.flush();
    let dir = killed(root.path());
    drop(store);
    let state = |dir: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let files = fs::read_dir(dir.join("segments")).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let mut files: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "db"))
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = state(dir.path());
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(reader.total(), 10);
    assert_eq!(newest(&reader, 1), [id(10)]);
    assert_eq!(reader.health().notices, Vec::<String>::new());
    drop(reader);
    assert_eq!(state(dir.path()), before);

    // Where no file can be made beside the others, what only a log holds is not seen, and that is said.
    for name in ["segments/000004.db-shm", "catalog.db-shm"] {
        match fs::remove_file(dir.path().join(name)) {
            Ok(()) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
        }
        std::os::unix::fs::symlink("nowhere", dir.path().join(name)).unwrap();
    }
    let reader = Store::open_read_only(dir.path()).unwrap();
    check_nine(&reader);
    let notices = reader.health().notices.concat();
    assert!(notices.contains("000004.db is read without"), "{notices}");
    drop(reader);
    assert_eq!(state(dir.path()), before);
}

#[test]
fn a_segment_of_format_1_is_read_ended_and_sealed() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/1.0.db");
    let root = tempfile::tempdir().unwrap();
    dir::prepare(root.path()).unwrap();
    dir::segments(root.path()).unwrap();
    fs::copy(sample, path(root.path(), 1)).unwrap();
    let reader = Store::open_read_only(root.path()).unwrap();
    assert_eq!((newest(&reader, 10).len(), reader.total()), (7, 7));
    assert!(reader.note("derivation").unwrap().is_some());
    drop(reader);

    let store = open_with(root.path(), FAST);
    assert_eq!(store.health().notices, Vec::<String>::new());
    assert_eq!(store.total(), 6);
    assert_eq!(
        numbers(&store),
        [(2, SegmentState::Live), (1, SegmentState::Closing)]
    );
    let left = store.unfinished().unwrap();
    assert_eq!(left.len(), 1);
    let mut exchange = left.into_iter().next().unwrap();
    let last = exchange.id;
    exchange.end = Some(EndReason::Interrupted);
    let row = Some(row(&exchange));
    store.write(Write::Outcome {
        exchange: Arc::new(exchange),
        response: Bytes::new(),
        chunks: Vec::new(),
        row,
    });
    record(&store, 1, b"ask", b"answer");
    store.flush();
    wait_sealed(&store);
    let check = |store: &Store| {
        let listed = newest(store, 10);
        assert_eq!((listed.len(), store.total()), (8, 8));
        assert!(listed.contains(&last));
        for &id in &listed {
            assert!(store.exchange(id).unwrap().is_some());
            assert!(store.row(id).unwrap().is_some());
            let body = store.body(id, Side::Request).unwrap().unwrap();
            body.read_all(usize::MAX).unwrap();
        }
        assert!(
            store
                .note("derivation")
                .unwrap()
                .unwrap()
                .contains("0.1.0 1")
        );
        let formats: Vec<String> = store
            .segments()
            .into_iter()
            .map(|found| found.format)
            .collect();
        assert_eq!(formats, ["2.0", "1.0"]);
    };
    check(&store);
    drop(store);
    let store = open_with(root.path(), FAST);
    assert_eq!(
        numbers(&store),
        [(2, SegmentState::Live), (1, SegmentState::Sealed)]
    );
    check(&store);
}
