use flow_model::Side;

use super::*;
use crate::check::check_dir;
use crate::testing::{
    FAST, check_body, id, noise, open, options, record, request, small, unsealed, wait_sealed,
};

#[test]
fn a_backup_of_a_store_that_records_has_every_flow_from_before() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let to = other.path().join("new/backup");
    let store = Store::open_with(options(Some(root.path())), small(30)).unwrap();
    let write = |number| {
        record(
            &store,
            number,
            &noise(2500, 2 * number + 1),
            &noise(5000, 2 * number + 1001),
        );
    };
    for number in 1..=100 {
        write(number);
        assert!(store.flush());
    }
    store.write(request(101, b"a flow that runs on"));
    assert!(store.flush());
    let report = std::thread::scope(|scope| {
        let writing = scope.spawn(|| (200..=400).for_each(write));
        let report = store.backup(&to, &Work::default()).unwrap();
        writing.join().unwrap();
        report
    });
    assert!(report.notices.is_empty(), "{report:?}");
    assert!(report.flows >= 101 && report.segments >= 4, "{report:?}");
    drop(store);

    let checked = check_dir(&to, true, &Work::default()).unwrap();
    assert!(checked.is_sound(), "{checked:#?}");
    let copy = open(&to);
    assert!(copy.health().notices.is_empty(), "{:?}", copy.health());
    for number in 1..=100 {
        check_body(&copy, number, Side::Request, &noise(2500, 2 * number + 1));
        check_body(
            &copy,
            number,
            Side::Response,
            &noise(5000, 2 * number + 1001),
        );
    }
    check_body(&copy, 101, Side::Request, b"a flow that runs on");
    assert_eq!(copy.unfinished().unwrap().first().unwrap().id, id(101));
    // It goes on as any other directory.
    record(&copy, 999, b"ask", b"answer");
    assert!(copy.flush());
    #[cfg(unix)]
    for (dir, mode) in [
        (to.clone(), 0o700),
        (to.join("segments"), 0o700),
        (to.join("segments/000001.db"), 0o600),
    ] {
        use std::os::unix::fs::PermissionsExt;
        let found = dir.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", dir.display());
    }
}

#[test]
fn secrets_stay_where_they_are() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(root.path());
    for name in ["token", "fingerprint.key", "endpoints.json"] {
        fs::write(root.path().join(name), "secret").unwrap();
    }
    store.backup(other.path(), &Work::default()).unwrap();
    let names = fs::read_dir(other.path()).unwrap();
    let mut names: Vec<_> = names.map(|file| file.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["catalog.copy", "catalog.db", "lock", "segments"]);
}

#[test]
fn it_is_refused_where_it_would_hurt() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(root.path());
    let work = Work::default();
    let check = |to: &Path| store.backup(to, &work).unwrap_err().to_string();
    for within in ["", "backup", "segments", "a/b/c"] {
        let told = check(&root.path().join(within));
        assert!(told.ends_with("lies within the data directory"), "{told}");
    }
    fs::write(other.path().join("letter"), "dear").unwrap();
    assert!(check(other.path()).ends_with("is not empty"));
    assert!(check(&other.path().join("letter")).ends_with("is not a directory"));
    let memory = Store::open_with(options(None), FAST).unwrap();
    assert!(matches!(
        memory.backup(&other.path().join("b"), &work),
        Err(BackupError::Memory)
    ));
    work.cancel();
    let to = other.path().join("stopped");
    assert!(matches!(
        store.backup(&to, &work),
        Err(BackupError::Cancelled)
    ));
    assert!(
        fs::read_dir(&to).unwrap().next().is_none(),
        "nothing is left of it"
    );
}

#[test]
fn a_hurt_segment_is_copied_as_it_is_and_named() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open_with(options(Some(root.path())), small(2)).unwrap();
    for number in 1..=3 {
        record(&store, number, b"ask", &noise(9000, number));
        assert!(store.flush());
    }
    wait_sealed(&store);
    let path = root.path().join("segments/000001.db");
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 100;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let report = store.backup(other.path(), &Work::default()).unwrap();
    assert_eq!(
        (report.segments, report.notices.len()),
        (2, 1),
        "{report:?}"
    );
    assert!(
        report.notices[0].contains("000001.db is hurt"),
        "{report:?}"
    );
    assert_eq!(
        fs::read(other.path().join("segments/000001.db")).unwrap(),
        bytes
    );
}

#[test]
fn closing_segments_are_copied_as_they_stand() {
    let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Store::open_with(options(Some(root.path())), unsealed(2)).unwrap();
    for number in 1..=5 {
        record(&store, number, b"ask", &noise(100, number));
        assert!(store.flush());
    }
    let report = store.backup(other.path(), &Work::default()).unwrap();
    assert_eq!((report.segments, report.flows), (3, 5));
    let copy = open(other.path());
    assert_eq!(copy.total(), 5);
    wait_sealed(&copy);
    for number in 1..=5 {
        check_body(&copy, number, Side::Response, &noise(100, number));
    }
}
