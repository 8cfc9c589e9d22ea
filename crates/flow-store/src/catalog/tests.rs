use std::fs;

use super::*;
use crate::testing::id;

fn entry(number: u32, state: SegmentState) -> Entry {
    Entry {
        flows: 7,
        unread: 1,
        bytes: 4096,
        extent: Extent {
            ids: Some((id(1), id(7))),
            times: Some((Timestamp(-5), Timestamp(9))),
        },
        checksum: (state == SegmentState::Sealed).then_some([7; 32]),
        sealed_at: Some(Timestamp(11)),
        ..Entry::empty(number, state, Version { major: 2, minor: 3 })
    }
}

fn open(dir: &Path) -> (Catalog, Origin, String) {
    let (catalog, origin, notice) = Catalog::open(dir).unwrap();
    (catalog, origin, notice.unwrap_or_default())
}

fn damage(path: &Path) {
    fs::write(path, b"this is no database any more").unwrap();
}

#[test]
fn entries_come_back() {
    let root = tempfile::tempdir().unwrap();
    let (catalog, origin, _) = open(root.path());
    assert_eq!(origin, Origin::Made);
    let empty = Entry::empty(3, SegmentState::Live, Version { major: 2, minor: 0 });
    catalog.put(&entry(2, SegmentState::Closing)).unwrap();
    catalog.put(&empty).unwrap();
    catalog.put(&entry(2, SegmentState::Sealed)).unwrap();
    drop(catalog);
    let (catalog, origin, notice) = open(root.path());
    assert_eq!((origin, notice.as_str()), (Origin::Kept, ""));
    let listed = catalog.segments().unwrap();
    assert_eq!(listed, [entry(2, SegmentState::Sealed), empty]);
}

#[test]
fn deleted_flows_are_remembered_until_they_are_gone() {
    let catalog = Catalog::in_memory().unwrap();
    let at = |segment, n| Location { segment, n };
    let flows = [
        (id(1), at(1, 9)),
        (id(2), at(2, 1)),
        (id(3), at(1, 4)),
        (id(3), at(2, 7)),
    ];
    let sums = Rollups::default();
    catalog.pin(id(1), Timestamp(5)).unwrap();
    catalog.bury(&flows, &[id(1)], &sums).unwrap();
    catalog.bury(&flows, &[], &sums).unwrap();
    assert!(!catalog.is_pinned(id(1)).unwrap());
    assert_eq!(catalog.buried(1).unwrap(), [(id(3), 4), (id(1), 9)]);
    catalog.unbury(1, &[4, 5]).unwrap();
    assert_eq!(catalog.buried(1).unwrap(), [(id(1), 9)]);
    catalog.put(&entry(1, SegmentState::Sealed)).unwrap();
    catalog.remove(1).unwrap();
    assert!(catalog.segments().unwrap().is_empty());
    assert!(catalog.is_buried(id(1)).unwrap(), "it may be salvaged");
    catalog.put(&entry(1, SegmentState::Sealed)).unwrap();
    catalog.retire(1, &sums).unwrap();
    assert!(catalog.segments().unwrap().is_empty());
    assert!(!catalog.is_buried(id(1)).unwrap());
    assert_eq!(catalog.buried(2).unwrap(), [(id(2), 1), (id(3), 7)]);
    assert_eq!(catalog.retired().unwrap(), [1]);
    catalog.forget_retired(1).unwrap();
    assert!(catalog.retired().unwrap().is_empty());
}

#[test]
fn a_pin_keeps_its_time() {
    let catalog = Catalog::in_memory().unwrap();
    catalog.pin(id(2), Timestamp(5)).unwrap();
    catalog.pin(id(1), Timestamp(6)).unwrap();
    catalog.pin(id(2), Timestamp(7)).unwrap();
    let pins = [(id(1), Timestamp(6)), (id(2), Timestamp(5))];
    assert_eq!(catalog.pins().unwrap(), pins);
    catalog.unpin(id(2)).unwrap();
    assert!(catalog.is_pinned(id(1)).unwrap());
    assert!(!catalog.is_pinned(id(2)).unwrap());
}

#[test]
fn a_damaged_catalog_comes_back_from_its_copy() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(CATALOG);
    let (catalog, ..) = open(root.path());
    catalog.set_note("note a", "kept").unwrap();
    catalog.copy().unwrap();
    catalog.set_note("note b", "too late").unwrap();
    drop(catalog);
    damage(&path);
    let (catalog, origin, notice) = open(root.path());
    assert_eq!(origin, Origin::Restored);
    assert!(
        notice.contains("catalog.db.damaged-1") && notice.contains("catalog.copy"),
        "{notice}"
    );
    assert_eq!(catalog.note("note a").unwrap().as_deref(), Some("kept"));
    assert_eq!(catalog.note("note b").unwrap(), None);
    drop(catalog);

    fs::remove_file(&path).unwrap();
    let (catalog, origin, notice) = open(root.path());
    assert_eq!(origin, Origin::Restored);
    assert!(notice.contains("missing"), "{notice}");
    drop(catalog);

    for copy in [&b""[..], b"no database"] {
        damage(&path);
        fs::write(root.path().join(COPY), copy).unwrap();
        let (catalog, origin, notice) = open(root.path());
        assert_eq!(origin, Origin::Made);
        assert!(notice.contains("made again"), "{notice}");
        assert_eq!(catalog.note("note a").unwrap(), None);
    }
    assert!(root.path().join("catalog.db.damaged-3").exists());
}

#[test]
fn a_later_major_format_is_refused() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    let other = Connection::open(root.path().join(CATALOG)).unwrap();
    other.pragma_update(None, "user_version", 2000).unwrap();
    drop(other);
    for error in [
        Catalog::open(root.path()).err().unwrap(),
        Catalog::open_read_only(root.path()).err().unwrap(),
    ] {
        let newer = matches!(
            error,
            OpenError::Newer {
                found: 2,
                known: 1,
                ..
            }
        );
        assert!(newer, "{error}");
    }
}

#[test]
fn reading_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (catalog, notice) = Catalog::open_read_only(root.path()).unwrap();
    assert_eq!(notice, None);
    assert!(catalog.segments().unwrap().is_empty());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    damage(&root.path().join(CATALOG));
    let (catalog, notice) = Catalog::open_read_only(root.path()).unwrap();
    assert!(notice.unwrap().contains("catalog.db is damaged"));
    assert!(catalog.segments().unwrap().is_empty());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}
