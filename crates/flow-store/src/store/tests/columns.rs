//! Files of columns: written when a segment is sealed, and made again where they are missing or wrong.

use super::*;
use crate::files::columns_path;
use crate::segment::SegmentState;
use crate::testing::{small, wait_sealed};
use flow_query::{Checked, Field, Range, Test};

/// Makes a directory with the flows 1 to 7 in segments of three, of which two are sealed.
fn made() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(3)).unwrap();
    for number in 1..=7 {
        record(&store, number, b"ask", b"answer");
        store.flush();
    }
    wait_sealed(&store);
    check(&store, 7);
    root
}

fn reopened(root: &Path) -> Store {
    Store::open_with(options(Some(root)), small(3)).unwrap()
}

fn path(root: &Path, number: u32) -> PathBuf {
    columns_path(&root.join(format!("segments/{number:06}.db")))
}

fn by_duration(limit: usize) -> ListQuery {
    ListQuery {
        sort: "duration".parse().unwrap(),
        limit,
        ..ListQuery::default()
    }
}

/// Checks that the flows from 1 on are there, by values that stand in columns alone.
fn check(store: &Store, flows: u64) {
    let expect: Vec<FlowId> = (1..=flows).map(id).collect();
    let page = store.list(&by_duration(100)).unwrap();
    let ids: Vec<FlowId> = page.rows.iter().map(|row| row.id).collect();
    assert_eq!((ids, page.partial), (expect, false));
    let slow = Test::Number(
        Field::Duration,
        Range {
            min: 3000,
            max: i64::MAX,
        },
    );
    let counted = store.count(&Checked::Test(slow)).unwrap();
    assert_eq!((counted.flows, counted.partial), (flows - 2, false));
}

/// Waits until the columns of every sealed segment are in a file.
fn wait_written(store: &Store) {
    store.registry().signal.wait_for(|| {
        let all = store.registry().all();
        let mut sealed = all.iter().filter(|segment| segment.is_sealed());
        sealed.all(|segment| !segment.sheet.is_missing() && !segment.sheet.is_live())
    });
}

#[test]
fn sealed_segments_have_their_columns_in_files() {
    let root = made();
    let written = [1, 2].map(|number| fs::read(path(root.path(), number)).unwrap());
    assert!(!path(root.path(), 3).exists());
    let store = reopened(root.path());
    check(&store, 7);
    drop(store);
    assert_eq!(
        [1, 2].map(|number| fs::read(path(root.path(), number)).unwrap()),
        written,
        "what is right is not written again"
    );
}

#[test]
fn columns_that_are_missing_or_wrong_are_made_again() {
    let hurts: [fn(&Path); 4] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, b"no columns").unwrap(),
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes.truncate(bytes.len() / 2);
            fs::write(path, bytes).unwrap();
        },
        // Another version.
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[8] ^= 1;
            fs::write(path, bytes).unwrap();
        },
    ];
    for hurt in hurts {
        let root = made();
        let right = fs::read(path(root.path(), 1)).unwrap();
        hurt(&path(root.path(), 1));
        let store = reopened(root.path());
        store.prepare_lists().unwrap();
        check(&store, 7);
        wait_written(&store);
        check(&store, 7);
        drop(store);
        assert_eq!(fs::read(path(root.path(), 1)).unwrap(), right);
    }
}

#[test]
fn damage_that_a_scan_finds_costs_that_segment_for_a_moment() {
    let root = made();
    let path = path(root.path(), 2);
    let right = fs::read(&path).unwrap();
    let store = reopened(root.path());
    // The blocks stand between the header and the index, so that the file still opens.
    let mut bytes = right.clone();
    let past = bytes.len() / 4;
    bytes[48..past].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let filter = Checked::Test(Test::Number(Field::Duration, Range { min: 0, max: 5000 }));
    let counted = store.count(&filter).unwrap();
    assert!(counted.partial && counted.flows < 5, "{counted:?}");
    wait_written(&store);
    check(&store, 7);
    assert_eq!(fs::read(&path).unwrap(), right);
}

#[test]
fn a_store_that_is_only_read_makes_what_is_missing_in_memory() {
    let root = made();
    fs::remove_file(path(root.path(), 1)).unwrap();
    let store = Store::open_read_only(root.path()).unwrap();
    check(&store, 7);
    assert!(!path(root.path(), 1).exists(), "nothing is written");
}

#[test]
fn columns_without_a_segment_are_removed() {
    let root = made();
    let strays =
        ["000009.col", "000001.col.unfinished"].map(|name| root.path().join("segments").join(name));
    for stray in &strays {
        fs::write(stray, b"left").unwrap();
    }
    let store = reopened(root.path());
    assert!(strays.iter().all(|stray| !stray.exists()));
    check(&store, 7);
}

#[test]
fn late_rows_of_a_sealed_segment_count_at_once() {
    let root = made();
    let store = reopened(root.path());
    let mut later = row(&ended(2));
    later.duration_us = Some(1_000_000);
    store.write(Write::Row(later));
    store.write(Write::Forget(id(5)));
    assert!(store.flush());
    let expect: Vec<FlowId> = [1, 3, 4, 6, 7, 2].map(id).to_vec();
    let listed = |store: &Store| {
        let page = store.list(&by_duration(100)).unwrap();
        assert!(!page.partial);
        assert_eq!(page.total, Some(6));
        page.rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(&store), expect);
    wait_sealed(&store);
    assert_eq!(listed(&store), expect);
    drop(store);
    let store = reopened(root.path());
    assert_eq!(listed(&store), expect);
    let states: Vec<SegmentState> = store.segments().iter().map(|info| info.state).collect();
    assert_eq!(states[1..], [SegmentState::Sealed; 2]);
}

#[test]
fn segments_of_format_1_are_listed_and_get_late_rows() {
    let root = tempfile::tempdir().unwrap();
    dir::prepare(root.path()).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/1.0.db");
    let segment = dir::segments(root.path()).unwrap().join("000001.db");
    fs::copy(sample, &segment).unwrap();
    let store = reopened(root.path());
    let page = store.list(&by_duration(100)).unwrap();
    assert!(!page.partial && page.rows.len() > 2, "{page:?}");
    let mut later = page.rows[0].clone();
    later.duration_us = Some(1 << 40);
    store.write(Write::Row(later.clone()));
    assert!(store.flush());
    assert_eq!(store.row(later.id).unwrap(), Some(later.clone()));
    let rows = store.list(&by_duration(100)).unwrap().rows;
    let mut known = rows.iter().rev();
    let last = known.find(|row| row.duration_us.is_some());
    assert_eq!(last, Some(&later));
    assert_eq!(rows.len(), page.rows.len());
}

/// Returns the ids on all pages of a list.
fn paged(store: &Store, order: &str) -> Vec<FlowId> {
    let mut query = ListQuery {
        sort: order.parse().unwrap(),
        limit: 7,
        ..ListQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = store.list(&query).unwrap();
        assert!(!page.partial);
        seen.extend(page.rows.iter().map(|row| row.id));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return seen;
        }
    }
}

#[test]
fn paging_while_flows_are_written_shows_each_once() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(20)).unwrap();
    for number in 0..100 {
        record(&store, number, b"ask", b"answer");
    }
    store.flush();
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 100..300 {
                record(&store, number, b"ask", b"answer");
                // Those from before change too, and stay where they are in these orders.
                store.write(Write::Row(row(&ended(number - 100))));
            }
            store.flush();
        });
        let mut rounds = 0;
        while rounds < 3 || !writer.is_finished() {
            for order in ["duration", "-started_at"] {
                let seen = paged(&store, order);
                let known: Vec<FlowId> = (0..100).map(id).collect();
                let mut old: Vec<FlowId> = seen
                    .iter()
                    .copied()
                    .filter(|id| known.contains(id))
                    .collect();
                old.sort_unstable();
                assert_eq!(old, known, "{order}");
                let unique: std::collections::BTreeSet<FlowId> = seen.iter().copied().collect();
                assert_eq!(unique.len(), seen.len(), "{order}");
            }
            rounds += 1;
        }
    });
    let all = store
        .list(&ListQuery {
            limit: 1000,
            ..ListQuery::default()
        })
        .unwrap();
    assert_eq!((all.rows.len(), all.total), (300, Some(300)));
}
