//! Retention: what is past its time goes, and what is pinned moves on.

use super::deletion::traces;
use super::*;
use crate::testing::{small, unsealed, wait_sealed};
use crate::{Retention, SegmentState, Tidied};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

fn open_with(dir: &Path, limits: Limits) -> Store {
    Store::open_with(options(Some(dir)), limits).unwrap()
}

fn later(us: i64) -> Timestamp {
    Timestamp(begun(0).started_at.0 + us)
}

fn answer(number: u64) -> Vec<u8> {
    let word = format!("vermilion-{number:03}").into_bytes();
    [word, noise(5_000_000, number), vec![b'y'; 20_000]].concat()
}

/// Makes a store with the flows 1 to 7 in segments of two, of which 2 and 3 are pinned.
fn made(dir: &Path) -> Store {
    let store = open_with(dir, small(2));
    for number in 1..=7 {
        record(&store, number, &noise(3000, number), &answer(number));
        store.flush();
    }
    wait_sealed(&store);
    assert!(store.pin(id(2), true).unwrap());
    assert!(store.pin(id(3), true).unwrap());
    store
}

fn check(store: &Store, numbers: &[u64]) {
    let mut expect: Vec<FlowId> = numbers.iter().map(|number| id(*number)).collect();
    expect.reverse();
    assert_eq!(newest(store, 50), expect);
    assert_eq!(store.total(), numbers.len() as u64);
    for &number in numbers {
        assert_eq!(*store.exchange(id(number)).unwrap().unwrap(), ended(number));
        assert_eq!(store.row(id(number)).unwrap(), Some(row(&ended(number))));
        check_body(store, number, Side::Request, &noise(3000, number));
        check_body(store, number, Side::Response, &answer(number));
        assert_eq!(
            store.chunks(id(number), Side::Request).unwrap(),
            [chunk(3000)]
        );
    }
}

#[test]
fn old_segments_go_but_for_what_is_pinned() {
    let root = tempfile::tempdir().unwrap();
    let store = made(root.path());
    let nothing = store.tidy(later(DAY_US), &Retention::default()).unwrap();
    assert_eq!(nothing, Tidied::default());
    check(&store, &[1, 2, 3, 4, 5, 6, 7]);
    assert!(traces(root.path(), "vermilion-001") > 0, "the control");
    let retention = Retention {
        age_us_max: Some(2),
        bytes_max: None,
    };
    // The flows began a microsecond after each other.
    let tidied = store.tidy(later(7), &retention).unwrap();
    assert_eq!(
        (tidied.segments, tidied.flows, tidied.kept_pinned),
        (2, 2, 2)
    );
    assert!(tidied.bytes > 4 * 5_000_000);
    check(&store, &[2, 3, 5, 6, 7]);
    for gone in ["vermilion-001", "vermilion-004"] {
        assert_eq!(traces(root.path(), gone), 0);
    }
    let sums = store.gone(Timestamp(0), later(DAY_US)).unwrap();
    assert_eq!(sums.iter().map(|sum| sum.flows).sum::<u64>(), 2);
    let durations = sums.iter().map(|sum| sum.duration.sum).sum::<i64>();
    assert_eq!(durations, 1000 + 4000);
    assert!(store.changes_since(0).gone.contains(&id(4)));
    assert!(store.is_pinned(id(3)).unwrap());
    assert_eq!(store.tidy(later(7), &retention).unwrap(), Tidied::default());
    drop(store);
    let store = open_with(root.path(), small(2));
    assert_eq!(store.health().notices, Vec::<String>::new());
    check(&store, &[2, 3, 5, 6, 7]);
}

#[test]
fn the_oldest_go_until_the_others_fit() {
    let root = tempfile::tempdir().unwrap();
    let store = made(root.path());
    let files = fs::read_dir(root.path().join("segments")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    let retention = Retention {
        age_us_max: None,
        bytes_max: Some(bytes - 1),
    };
    let tidied = store.tidy(later(7), &retention).unwrap();
    assert_eq!((tidied.flows, tidied.kept_pinned), (1, 1));
    check(&store, &[2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_live_segment_is_followed_when_its_first_flow_is_a_day_old() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(100));
    record(&store, 1, b"ask", b"answer");
    record(&store, 2, b"ask", b"answer");
    store.flush();
    store.pin(id(1), true).unwrap();
    let keep = Retention::default();
    let states =
        || -> Vec<SegmentState> { store.segments().iter().map(|found| found.state).collect() };
    store.tidy(later(DAY_US), &keep).unwrap();
    assert_eq!(states(), [SegmentState::Live]);
    store.tidy(later(DAY_US + 3), &keep).unwrap();
    wait_sealed(&store);
    assert_eq!(states(), [SegmentState::Live, SegmentState::Sealed]);
    let week = Retention {
        age_us_max: Some(7 * DAY_US),
        bytes_max: None,
    };
    let tidied = store.tidy(later(8 * DAY_US), &week).unwrap();
    assert_eq!((tidied.flows, tidied.kept_pinned), (1, 1));
    // What was brought over is old, and no reason for another segment.
    store.tidy(later(9 * DAY_US), &week).unwrap();
    assert_eq!(states(), [SegmentState::Live]);
    assert_eq!(newest(&store, 5), [id(1)]);
}

#[test]
fn a_kill_while_a_segment_goes_is_harmless() {
    let root = tempfile::tempdir().unwrap();
    drop(made(root.path()));
    let retention = Retention {
        age_us_max: Some(2),
        bytes_max: None,
    };
    let before = killed(root.path());
    let store = open_with(root.path(), unsealed(100));
    store.tidy(later(7), &retention).unwrap();
    check(&store, &[2, 3, 5, 6, 7]);
    drop(store);
    // The catalog was told, and the files were not removed.
    for number in [1, 2] {
        let name = format!("segments/{number:06}.db");
        fs::copy(before.path().join(&name), root.path().join(&name)).unwrap();
        let catalog = rusqlite::Connection::open(root.path().join("catalog.db")).unwrap();
        let sql = "INSERT INTO retired VALUES (?1)";
        catalog.execute(sql, [number]).unwrap();
    }
    let store = open_with(root.path(), unsealed(100));
    assert_eq!(store.health().notices, Vec::<String>::new());
    check(&store, &[2, 3, 5, 6, 7]);
    assert!(!root.path().join("segments/000001.db").exists());
    drop(store);
    // The pinned flows were brought over, one of them by half, and the catalog was not told.
    let live = rusqlite::Connection::open(before.path().join("segments/000004.db")).unwrap();
    let halves = root.path().join("segments/000004.db");
    live.execute("ATTACH ?1 AS done", [halves.to_str().unwrap()])
        .unwrap();
    for table in ["requests", "outcomes", "pieces", "rows"] {
        let sql = format!("INSERT INTO {table} SELECT * FROM done.{table} WHERE n > 1");
        live.execute(&sql, []).unwrap();
    }
    let half = "SELECT n FROM requests WHERE id = ?1";
    let n: i64 = live
        .query_one(half, [id(3).to_bytes()], |row| row.get(0))
        .unwrap();
    for sql in [
        "DELETE FROM outcomes WHERE n = ?1",
        "DELETE FROM rows WHERE n = ?1",
        "INSERT INTO running VALUES (?1)",
    ] {
        live.execute(sql, [n]).unwrap();
    }
    drop(live);
    let store = open_with(before.path(), unsealed(100));
    assert!(store.unfinished().unwrap().is_empty());
    let tidied = store.tidy(later(7), &retention).unwrap();
    assert_eq!((tidied.flows, tidied.kept_pinned), (2, 2));
    check(&store, &[2, 3, 5, 6, 7]);
}

#[test]
fn a_segment_that_cannot_go_does_not_keep_the_others() {
    let root = tempfile::tempdir().unwrap();
    drop(made(root.path()));
    let path = root.path().join("segments/000001.db");
    let mut file = fs::read(&path).unwrap();
    // Flow 2 is pinned, and its answer is hurt.
    let at = memchr::memmem::rfind(&file, b"vermilion-002").unwrap();
    file[at] ^= 1;
    fs::write(&path, file).unwrap();
    let store = open_with(root.path(), small(2));
    let retention = Retention {
        age_us_max: Some(2),
        bytes_max: None,
    };
    let tidied = store.tidy(later(7), &retention).unwrap();
    assert_eq!((tidied.segments, tidied.kept_pinned), (1, 1));
    assert_eq!(newest(&store, 50), [7, 6, 5, 3, 2, 1].map(id));
    let notices = store.health().notices.concat();
    assert!(notices.contains("000001.db is past its time"), "{notices}");
}
