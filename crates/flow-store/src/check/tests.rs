use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::files::segment_path;
use crate::testing::{
    FAST, ended, id, noise, open, options, outcome, record, request, small, wait_sealed,
};
use crate::{OpenError, Write};

fn ask(number: u64) -> Vec<u8> {
    noise(9000, 2 * number + 1)
}

fn answer(number: u64) -> Vec<u8> {
    noise(20_000, 2 * number + 101)
}

/// Returns a directory with two sealed segments of three flows each, and a live one with one flow.
fn sample() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(3)).unwrap();
    for number in 1..=7 {
        record(&store, number, &ask(number), &answer(number));
        assert!(store.flush());
    }
    wait_sealed(&store);
    root
}

fn file(root: &TempDir, number: u32) -> PathBuf {
    segment_path(&root.path().join("segments"), number)
}

/// Returns the content of every file.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for dir in [root.to_owned(), root.join("segments")] {
        for (_, path) in listing::read(&dir).unwrap() {
            if path.is_file() {
                files.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    files
}

/// Checks a directory and returns its findings in words. Nothing may be changed by it.
fn findings(root: &Path, deep: bool) -> Vec<String> {
    let before = contents(root);
    let report = check_dir(root, deep, &Work::default()).unwrap();
    assert!(report.finished);
    assert_eq!(contents(root), before, "a check changes nothing");
    report.findings.iter().map(Finding::to_string).collect()
}

/// Checks that these findings are among those of a directory, and that nothing is said of anything else.
#[track_caller]
fn check(root: &TempDir, expect: &[&str], only: &str) {
    let found = findings(root.path(), false);
    for expect in expect {
        let is = |finding: &String| finding.contains(expect);
        assert!(found.iter().any(is), "{expect:?} is not in {found:#?}");
    }
    for finding in &found {
        assert!(finding.starts_with(only), "{finding} is not of {only}");
    }
}

/// Changes bytes where `needle` stands.
fn hurt(path: &Path, needle: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle);
    bytes[at.unwrap() + needle.len() / 2] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_directory_has_no_findings() {
    let root = sample();
    for deep in [false, true] {
        let report = check_dir(root.path(), deep, &Work::default()).unwrap();
        assert!(report.is_sound(), "{report:#?}");
        assert_eq!((report.segments, report.flows), (3, 7));
    }
    assert_eq!(findings(root.path(), true), [""; 0]);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(findings(empty.path(), true), [""; 0]);
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("letter.txt"), "dear").unwrap();
    assert_eq!(findings(other.path(), true), [""; 0]);
}

#[test]
fn a_changed_byte_of_a_body_names_the_flow() {
    let root = sample();
    hurt(&file(&root, 1), &ask(2)[100..120]);
    let flow = format!(
        "segments/000001.db: flow {}: cannot be read: the body of its request",
        id(2)
    );
    check(
        &root,
        &[&flow, "is not as it was when it was sealed"],
        "segments/000001.db",
    );
    let named = findings(root.path(), false);
    let flows = named.iter().filter(|finding| finding.contains(": flow "));
    assert_eq!(flows.count(), 1, "{named:#?}");
}

#[test]
fn a_changed_page_is_found_and_the_check_goes_on() {
    let root = sample();
    let path = file(&root, 1);
    let page: i64 = {
        let connection = Connection::open(&path).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'requests'";
        connection.query_one(sql, [], |row| row.get(0)).unwrap()
    };
    let mut bytes = fs::read(&path).unwrap();
    let at = (usize::try_from(page).unwrap() - 1) * 8192;
    bytes[at..at + 40].fill(0xff);
    fs::write(&path, bytes).unwrap();
    hurt(&file(&root, 2), &answer(5)[300..320]);
    let named = [1, 2, 3].map(|number| format!("flow {}: cannot be read: its request", id(number)));
    let second = format!(
        "segments/000002.db: flow {}: cannot be read: the body of its response",
        id(5)
    );
    let mut expect: Vec<_> = named.iter().map(String::as_str).collect();
    expect.extend([second.as_str(), "segments/000001.db: is damaged ("]);
    check(&root, &expect, "segments/00000");
}

#[test]
fn a_cut_and_an_empty_file_are_found() {
    let root = sample();
    let path = file(&root, 1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(file(&root, 2), "").unwrap();
    let expect = [
        "segments/000001.db: has",
        "segments/000002.db: is cut off",
        "000002.db: is empty",
    ];
    check(&root, &expect, "segments/00000");
    let found = findings(root.path(), false);
    assert!(
        found.iter().any(|finding| finding.contains(": flow ")),
        "{found:#?}"
    );
}

#[test]
fn missing_foreign_and_leftover_files_are_named() {
    let root = sample();
    fs::remove_file(file(&root, 2)).unwrap();
    let segments = root.path().join("segments");
    fs::write(segments.join("notes.txt"), "mine").unwrap();
    fs::write(
        segments.join("000009.db"),
        "this is no database, but it is long enough",
    )
    .unwrap();
    fs::write(segments.join("000001.db.compact"), "").unwrap();
    fs::write(segments.join("000008.fts"), "").unwrap();
    fs::write(segments.join("000004.db.damaged-1"), "").unwrap();
    let expect = [
        "segments/000002.db: is missing with 3 flows",
        "segments/notes.txt: is not of this program",
        "segments/000009.db: ",
        "segments/000001.db.compact: was being made",
        "segments/000008.fts: belongs to no segment",
        "segments/000004.db.damaged-1: was put aside",
    ];
    check(&root, &expect, "segments/");
    let report = check_dir(root.path(), false, &Work::default()).unwrap();
    let kinds: Vec<_> = report.findings.iter().map(|finding| finding.kind).collect();
    for kind in [
        FindingKind::Missing,
        FindingKind::Foreign,
        FindingKind::Leftover,
        FindingKind::Aside,
    ] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    fs::remove_file(root.path().join(catalog::CATALOG)).unwrap();
    let found = findings(root.path(), false);
    assert!(
        found.contains(&"catalog.db: is missing".to_owned()),
        "{found:#?}"
    );
}

#[test]
fn a_wrong_entry_and_a_hurt_catalog_are_found() {
    let wrong = [
        ("flows = 4", "says that 000001.db has 4 flows, but it has 3"),
        (
            "last_id = zeroblob(16)",
            "the first and the last flow of 000001.db",
        ),
        (
            "last_at = last_at + 1",
            "from when to when the flows of 000001.db",
        ),
        ("unread = 1", "how many flows of 000001.db have no row"),
        ("checksum = NULL", "has no checksum of 000001.db"),
    ];
    for (change, expect) in wrong {
        let root = sample();
        let catalog = Connection::open(root.path().join(catalog::CATALOG)).unwrap();
        let sql = format!("UPDATE segments SET {change} WHERE number = 1");
        catalog.execute(&sql, []).unwrap();
        drop(catalog);
        check(&root, &[expect], "catalog.db: ");
    }
    let root = sample();
    for name in [catalog::CATALOG, catalog::COPY] {
        let path = root.path().join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8192..8256].fill(0xff);
        fs::write(path, bytes).unwrap();
    }
    check(
        &root,
        &["catalog.db: is damaged", "catalog.copy: is damaged"],
        "catalog.",
    );
}

#[test]
fn a_deep_check_compares_with_the_wire() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    let body = b"as it was on the wire";
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    let hash = flow::hex(hash.as_ref());
    for (number, hash) in [
        (1, hash.clone()),
        (2, hash.replace(['0', '1', '2', '3'], "4")),
    ] {
        let mut exchange = ended(number);
        exchange.response_body.wire_sha256 = Some(hash);
        store.write(request(number, b"ask"));
        store.write(Write::Outcome {
            row: None,
            exchange: exchange.into(),
            response: body.as_slice().into(),
            chunks: Vec::new(),
        });
    }
    assert!(store.flush());
    assert!(store.check(false, &Work::default()).unwrap().is_sound());
    let report = store.check(true, &Work::default()).unwrap();
    let [finding] = report.findings.as_slice() else {
        panic!("{report:#?}")
    };
    assert_eq!(finding.flow, Some(id(2)));
    assert!(
        finding.what.contains("not what was on the wire"),
        "{finding}"
    );
}

#[test]
fn a_running_store_is_checked_while_it_records() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(20)).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 1..=200 {
                record(&store, number, &noise(3000, number), &noise(3000, number));
            }
            assert!(store.flush());
        });
        while !writing.is_finished() {
            let report = store.check(true, &Work::default()).unwrap();
            assert!(report.is_sound(), "{report:#?}");
        }
    });
    store.write(request(300, b"a flow that runs on"));
    let report = store.check(true, &Work::default()).unwrap();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!(report.flows, 201);
    let used = check_dir(root.path(), false, &Work::default());
    assert!(matches!(used, Err(DirError::InUse { .. })), "{used:?}");
    store.write(outcome(300, b"its end"));
}

#[test]
fn the_first_format_is_checked_too_and_a_check_stops_when_told() {
    let root = tempfile::tempdir().unwrap();
    dir::segments(root.path()).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/1.0.db");
    fs::copy(sample, root.path().join("segments/000001.db")).unwrap();
    let report = check_dir(root.path(), true, &Work::default()).unwrap();
    assert!(report.is_sound(), "{report:#?}");
    assert_eq!(report.flows, 7);
    let work = Work::default();
    work.cancel();
    let report = check_dir(root.path(), false, &work).unwrap();
    assert!(!report.finished && !report.is_sound());
}

#[test]
fn while_it_is_checked_nobody_writes() {
    let root = sample();
    let _held = dir::share(root.path()).unwrap().unwrap();
    let _other = dir::share(root.path()).unwrap().unwrap();
    let opened = Store::open_with(options(Some(root.path())), FAST);
    assert!(matches!(
        opened,
        Err(OpenError::Dir(DirError::InUse { .. }))
    ));
}
