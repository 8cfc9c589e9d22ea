use std::fs;

use flow_model::Side;

use super::*;
use crate::check::check_dir;
use crate::testing::{
    FAST, check_body, id, noise, open, options, record, request, small, wait_sealed,
};

const NOW: i64 = 1_790_000_000_000_000;

/// Returns the plan for flows with a lower number than `number`.
fn plan(number: i64, remove: bool) -> ArchivePlan {
    ArchivePlan {
        before: Timestamp(NOW + number),
        remove,
        now: Timestamp(NOW),
    }
}

fn sample(root: &Path) -> Store {
    let store = Store::open_with(options(Some(root)), small(3)).unwrap();
    for number in 1..=8 {
        record(&store, number, b"ask", &noise(5000, number));
        assert!(store.flush());
    }
    wait_sealed(&store);
    store
}

#[test]
fn old_segments_go_to_a_directory_that_is_only_read() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = sample(root.path());
    // The second segment holds flows up to the sixth, so that it stays.
    let report = store
        .archive(other.path(), plan(6, true), &Work::default())
        .unwrap();
    assert_eq!(
        (report.segments, report.flows, report.removed),
        (1, 3, 1),
        "{report:?}"
    );
    assert_eq!(store.total(), 5);
    assert!(store.exchange(id(2)).unwrap().is_none());
    assert!(store.changes_since(0).gone.contains(&id(2)));
    assert!(!root.path().join("segments/000001.db").exists());
    check_body(&store, 4, Side::Response, &noise(5000, 4));
    assert!(store.check(true, &Work::default()).unwrap().is_sound());
    drop(store);
    let store = open(root.path());
    assert_eq!((store.total(), store.health().notices.len()), (5, 0));

    let refused = Store::open_with(options(Some(other.path())), FAST);
    assert!(matches!(refused, Err(OpenError::Archive { .. })));
    assert!(is_archive(other.path()) && !is_archive(root.path()));
    let archive = Store::open_read_only(other.path()).unwrap();
    assert_eq!(archive.total(), 3);
    for number in 1..=3 {
        check_body(&archive, number, Side::Response, &noise(5000, number));
    }
    let checked = check_dir(other.path(), true, &Work::default()).unwrap();
    assert!(checked.is_sound(), "{checked:#?}");
    assert!(archive.check(false, &Work::default()).unwrap().is_sound());
}

#[test]
fn the_live_segment_is_ended_where_all_of_it_is_old() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = sample(root.path());
    let report = store
        .archive(other.path(), plan(100, false), &Work::default())
        .unwrap();
    assert_eq!(
        (report.segments, report.flows, report.removed),
        (3, 8, 0),
        "{report:?}"
    );
    assert_eq!(store.total(), 8);
    record(&store, 9, b"ask", b"answer");
    assert!(store.flush());
    let archive = Store::open_read_only(other.path()).unwrap();
    assert_eq!(archive.total(), 8);
}

#[test]
fn pinned_flows_and_those_that_run_stay() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = sample(root.path());
    let pinned = store.registry().catalog.pin(id(2), Timestamp(NOW));
    pinned.unwrap();
    let report = store
        .archive(other.path(), plan(7, true), &Work::default())
        .unwrap();
    assert_eq!((report.segments, report.removed), (2, 2), "{report:?}");
    assert_eq!(store.total(), 3, "the pinned one was brought over");
    check_body(&store, 2, Side::Response, &noise(5000, 2));
}

#[test]
fn without_old_flows_nothing_is_made() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = sample(root.path());
    store.write(request(9, b"runs on"));
    let work = Work::default();
    let refused = store.archive(other.path(), plan(1, true), &work);
    assert!(matches!(refused, Err(BackupError::Nothing)), "{refused:?}");
    assert!(fs::read_dir(other.path()).unwrap().next().is_none());
    work.cancel();
    let stopped = store.archive(other.path(), plan(7, true), &work);
    assert!(
        matches!(stopped, Err(BackupError::Cancelled)),
        "{stopped:?}"
    );
    assert!(fs::read_dir(other.path()).unwrap().next().is_none());
}
