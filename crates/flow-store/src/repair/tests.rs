use std::fs;

use flow_model::Side;
use rusqlite::Connection;

use super::*;
use crate::testing::{check_body, id, noise, open, options, record, small, wait_sealed};

const NOW: Timestamp = Timestamp(1_790_000_000_000_000);

fn answer(number: u64) -> Vec<u8> {
    noise(20_000, 2 * number + 1)
}

fn sample() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(3)).unwrap();
    for number in 1..=7 {
        record(&store, number, b"ask", &answer(number));
        assert!(store.flush());
    }
    wait_sealed(&store);
    root
}

fn run(root: &Path, dry_run: bool) -> RepairReport {
    repair(root, dry_run, NOW, &Work::default()).unwrap()
}

/// Repairs, and checks that all is sound then.
#[track_caller]
fn check(root: &Path, kept: u64, lost: u64) -> RepairReport {
    let dry = run(root, true);
    assert!(!dry.found.is_sound() && dry.left.is_none(), "{dry:#?}");
    assert_eq!(run(root, true), dry, "a dry run changes nothing");
    let report = run(root, false);
    assert_eq!(report.found, dry.found);
    let left = report.left.as_ref().unwrap();
    assert!(left.is_sound(), "{report:#?}");
    assert_eq!(
        (report.flows_kept, report.flows_lost),
        (kept, lost),
        "{report:#?}"
    );
    report
}

#[test]
fn a_hurt_segment_costs_its_hurt_flows() {
    let root = sample();
    let path = root.path().join("segments/000001.db");
    let mut bytes = fs::read(&path).unwrap();
    let needle = answer(2)[200..220].to_vec();
    let at = bytes
        .windows(20)
        .position(|window| window == needle)
        .unwrap();
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    fs::write(root.path().join("segments/000001.fts"), "not a text index").unwrap();
    let report = check(root.path(), 2, 1);
    let told = report.done.join("\n");
    assert!(told.contains("000001.db.damaged-1"), "{told}");
    assert!(root.path().join("segments/000001.db.damaged-1").exists());
    let store = open(root.path());
    assert_eq!(store.total(), 6);
    assert!(store.exchange(id(2)).unwrap().is_none());
    for number in [1, 3, 4, 5, 6, 7] {
        check_body(&store, number, Side::Response, &answer(number));
    }
}

#[test]
fn a_wrong_or_hurt_catalog_is_made_again() {
    let root = sample();
    let catalog = Connection::open(root.path().join("catalog.db")).unwrap();
    let wrong = "UPDATE segments SET flows = 9, last_at = 0 WHERE number = 2";
    catalog.execute(wrong, []).unwrap();
    drop(catalog);
    check(root.path(), 0, 0);
    assert_eq!(open(root.path()).total(), 7);

    fs::write(root.path().join("catalog.db"), "nonsense").unwrap();
    fs::write(root.path().join("catalog.copy"), "nonsense").unwrap();
    check(root.path(), 0, 0);
    assert_eq!(open(root.path()).total(), 7);
}

#[test]
fn missing_segments_and_leftovers_are_put_right() {
    let root = sample();
    let segments = root.path().join("segments");
    fs::remove_file(segments.join("000002.db")).unwrap();
    fs::write(segments.join("000001.db.compact"), "").unwrap();
    fs::write(segments.join("notes.txt"), "mine").unwrap();
    let report = check(root.path(), 0, 0);
    let told = report.done.join("\n");
    assert!(told.contains("000002.db with 3 flows is missing"), "{told}");
    assert_eq!(
        fs::read_to_string(segments.join("notes.txt")).unwrap(),
        "mine"
    );
    assert!(!segments.join("000001.db.compact").exists());
    assert_eq!(open(root.path()).total(), 4);
}

#[test]
fn what_is_sound_used_or_archived_is_left_alone() {
    let root = sample();
    let report = run(root.path(), false);
    assert!(report.found.is_sound() && report.done.is_empty() && report.left.is_none());
    let store = open(root.path());
    let used = repair(root.path(), false, NOW, &Work::default());
    assert!(
        matches!(used, Err(RepairError::Dir(DirError::InUse { .. }))),
        "{used:?}"
    );
    store.close();
    let path = root.path().join("segments/000001.db");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(root.path().join("archive.json"), "{}").unwrap();
    let archived = repair(root.path(), false, NOW, &Work::default());
    assert!(
        matches!(archived, Err(RepairError::File(OpenError::Archive { .. }))),
        "{archived:?}"
    );
    assert!(path.exists());
}

#[test]
fn a_segment_of_a_later_release_is_left_alone() {
    let root = sample();
    let path = root.path().join("segments/000001.db");
    let segment = Connection::open(&path).unwrap();
    segment.pragma_update(None, "user_version", 9000).unwrap();
    drop(segment);
    let report = run(root.path(), false);
    let [finding] = report.found.findings.as_slice() else {
        panic!("{report:#?}")
    };
    assert_eq!(finding.kind, FindingKind::Newer);
    assert!(finding.what.starts_with("has format 9"), "{finding}");
    assert!(report.left.is_none() && path.exists());
}
