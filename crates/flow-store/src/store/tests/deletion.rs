//! Deletion: what goes, what stays, and that nothing of it is left in any file.
//!
//! Length: each step at which a deletion can be cut off is a case.

use flow_query::{Checked, Filter};
use rusqlite::{Connection, params};

use super::*;
use crate::testing::{small, unsealed, wait_sealed};
use crate::{DeleteError, Deleted, Deletion, Rollup, Which};

const WAIT: Duration = Duration::from_secs(20);

fn open_with(dir: &Path, limits: Limits) -> Store {
    Store::open_with(options(Some(dir)), limits).unwrap()
}

fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("segments/{number:06}.db"))
}

/// A word that stands in one flow alone.
fn word(number: u64) -> String {
    format!("mellifluous-platypus-{number:04}!")
}

/// Returns a body that does not compress, so that it is stored as it is, with the flow's word in several places.
fn body(number: u64, bytes: usize) -> Vec<u8> {
    let mut body = noise(bytes, number + 1);
    for at in [0, bytes / 2, bytes - 32] {
        body.splice(at..at, word(number).into_bytes());
    }
    body
}

fn size(number: u64) -> usize {
    [60, 900, 3000, 9000, 40_000][usize::try_from(number).unwrap() % 5]
}

/// Writes a whole flow with its word in both bodies and in its row.
fn plant(store: &Store, number: u64) {
    announce(store, number);
    store.write(request(number, &body(number, size(number))));
    let mut exchange = ended(number);
    exchange.request_body.wire_bytes = number * 10;
    exchange.response_body.wire_bytes = 7;
    let mut row = row(&exchange);
    row.preview = Some(word(number));
    row.tokens.input = (!number.is_multiple_of(3)).then_some(number);
    row.cost = Some("0.5".to_owned());
    store.write(Write::Outcome {
        row: Some(row),
        exchange: Arc::new(exchange),
        response: body(number, size(number + 1)).into(),
        chunks: vec![chunk(5)],
    });
}

/// Returns how many files of the directory hold a word.
pub(super) fn traces(dir: &Path, word: &str) -> usize {
    let files = ["", "segments"].iter().flat_map(|part| {
        fs::read_dir(dir.join(part))
            .unwrap()
            .map(|file| file.unwrap().path())
    });
    files
        .filter(|path| path.is_file())
        .filter(|path| memchr::memmem::find(&fs::read(path).unwrap(), word.as_bytes()).is_some())
        .count()
}

fn delete(store: &Store, which: Which<'_>, pinned: bool) -> Deleted {
    let deletion = |dry_run| Deletion {
        which,
        pinned,
        dry_run,
    };
    let (count, listed) = (store.total(), newest(store, 500));
    let dry = store.delete(&deletion(true)).unwrap();
    assert_eq!(store.total(), count, "a dry run changes nothing");
    assert_eq!(newest(store, 500), listed);
    let deleted = store.delete(&deletion(false)).unwrap();
    assert_eq!(deleted, dry);
    assert_eq!(store.total(), count - deleted.flows);
    deleted
}

fn check_there(store: &Store, numbers: &[u64]) {
    let mut expect: Vec<FlowId> = numbers.iter().map(|number| id(*number)).collect();
    expect.sort_unstable();
    expect.reverse();
    assert_eq!(newest(store, 500), expect);
    assert_eq!(store.total(), numbers.len() as u64);
    for &number in numbers {
        let (ask, answer) = (size(number), size(number + 1));
        check_body(store, number, Side::Request, &body(number, ask));
        check_body(store, number, Side::Response, &body(number, answer));
        let row = store.row(id(number)).unwrap().unwrap();
        assert_eq!(row.preview, Some(word(number)));
    }
}

fn check_gone(store: &Store, number: u64) {
    assert!(store.exchange(id(number)).unwrap().is_none());
    assert!(store.row(id(number)).unwrap().is_none());
    assert!(store.body(id(number), Side::Request).unwrap().is_none());
    assert!(store.changes_since(0).gone.contains(&id(number)));
}

fn filter(json: &str) -> Checked {
    Filter::from_json(json).unwrap().check().unwrap()
}

#[test]
fn what_was_deleted_is_in_no_file() {
    for limits in [unsealed(1000), unsealed(13), small(13)] {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path();
        let store = open_with(dir, limits);
        for number in 1..=60 {
            plant(&store, number);
            store.flush();
        }
        if limits.segment.seal_quiet.is_zero() {
            wait_sealed(&store);
        }
        let gone = |number: &u64| number * 7 % 11 < 4;
        let (out, kept): (Vec<u64>, Vec<u64>) = (1..=60).partition(gone);
        for &number in &out {
            assert!(traces(dir, &word(number)) > 0, "the control");
        }
        let ids: Vec<FlowId> = out.iter().map(|number| id(*number)).collect();
        let deleted = delete(&store, Which::Ids(&ids), false);
        assert_eq!(deleted.flows, out.len() as u64);
        let bytes = out.iter().map(|number| number * 10 + 7);
        assert_eq!(deleted.bytes, bytes.sum::<u64>());
        for &number in &out {
            check_gone(&store, number);
        }
        check_there(&store, &kept);
        assert!(store.settle_deletions(WAIT));
        assert_eq!(store.health().flows_being_deleted, 0);
        assert_eq!(store.health().notices, Vec::<String>::new());
        for &number in &out {
            assert_eq!(traces(dir, &word(number)), 0, "flow {number}");
        }
        check_there(&store, &kept);
        for segment in store.registry().all().iter() {
            crate::seal::verify(segment).unwrap();
        }
        let flows = store
            .segments()
            .iter()
            .map(|found| found.flows)
            .sum::<u64>();
        assert_eq!(flows, kept.len() as u64);
        assert_eq!(delete(&store, Which::Ids(&ids), true), Deleted::default());
        drop(store);
        let store = open_with(dir, limits);
        assert_eq!(store.health().notices, Vec::<String>::new());
        check_there(&store, &kept);
    }
}

#[test]
fn a_segment_without_flows_left_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(2));
    for number in 1..=5 {
        plant(&store, number);
        store.flush();
    }
    wait_sealed(&store);
    let ids = [1, 2, 3].map(id);
    assert_eq!(delete(&store, Which::Ids(&ids), false).flows, 3);
    assert!(store.settle_deletions(WAIT));
    assert!(!path(root.path(), 1).exists());
    let numbers = store.segments().into_iter().map(|found| found.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [3, 2]);
    drop(store);
    let store = open_with(root.path(), small(2));
    assert_eq!(store.health().notices, Vec::<String>::new());
    check_there(&store, &[4, 5]);
}

#[test]
fn a_selection_takes_what_it_says_and_no_more() {
    let root = tempfile::tempdir().unwrap();
    for (dir, limits) in [(Some(root.path()), small(4)), (None, FAST)] {
        let store = Store::open_with(options(dir), limits).unwrap();
        for number in 1..=12 {
            plant(&store, number);
            store.flush();
        }
        announce(&store, 13);
        store.write(request(13, b"it runs"));
        store.flush();
        assert!(store.pin(id(2), true).unwrap());
        assert!(store.pin(id(9), true).unwrap());
        assert!(!store.pin(id(99), true).unwrap());
        assert!(store.is_pinned(id(9)).unwrap());

        let unknown = [id(98), id(13), id(4), id(4), id(2)];
        let taken = delete(&store, Which::Ids(&unknown), false);
        let counts = |taken: &Deleted| (taken.flows, taken.bytes, taken.kept_pinned);
        assert_eq!(counts(&taken), (1, 47, 1));
        assert_eq!(taken.ids, [id(4)]);
        let before = begun(4).started_at;
        let taken = delete(&store, Which::Before(before), false);
        assert_eq!(counts(&taken), (2, 17 + 37, 1));
        let some = filter(r#"{"field": "size", "above": 100}"#);
        let taken = delete(&store, Which::Matching(&some), false);
        assert_eq!(counts(&taken), (3, 107 + 117 + 127, 0));
        assert!(store.exchange(id(13)).unwrap().is_some());
        assert!(store.settle_deletions(WAIT));
        assert!(
            store
                .pins()
                .unwrap()
                .iter()
                .any(|(pinned, _)| *pinned == id(2))
        );
        let taken = delete(&store, Which::Before(Timestamp(i64::MAX)), true);
        assert_eq!(taken.kept_pinned, 0);
        assert!(store.pins().unwrap().is_empty());
        assert_eq!(newest(&store, 50), [id(13)]);
        store.write(outcome(13, b"the end"));
        store.flush();
        assert!(store.settle_deletions(WAIT));
        check_body(&store, 13, Side::Request, b"it runs");
        assert_eq!(store.total(), 1);
    }
}

#[test]
fn what_cannot_select_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = open(root.path());
    plant(&store, 1);
    store.flush();
    let text = filter(r#"{"not": {"text": "content", "contains": "zebra"}}"#);
    let deletion = Deletion {
        which: Which::Matching(&text),
        pinned: true,
        dry_run: false,
    };
    assert!(matches!(store.delete(&deletion), Err(DeleteError::Text)));
    assert_eq!(store.total(), 1);
    drop(store);
    let store = Store::open_read_only(root.path()).unwrap();
    let deletion = Deletion {
        which: Which::Ids(&[id(1)]),
        ..deletion
    };
    assert!(matches!(
        store.delete(&deletion),
        Err(DeleteError::ReadOnly)
    ));
    assert!(matches!(store.pin(id(1), true), Err(DeleteError::ReadOnly)));
    assert_eq!(newest(&store, 9), [id(1)]);
}

#[test]
fn what_is_known_of_deleted_flows_is_their_recount() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(4));
    for number in 1..=12 {
        plant(&store, number);
        store.flush();
    }
    let all = |store: &Store| store.gone(Timestamp(0), Timestamp(i64::MAX)).unwrap();
    assert!(all(&store).is_empty());
    for chosen in [&[1, 5, 6][..], &[5, 9, 12]] {
        let ids: Vec<FlowId> = chosen.iter().map(|number| id(*number)).collect();
        delete(&store, Which::Ids(&ids), false);
    }
    assert!(store.settle_deletions(WAIT));
    let gone = [1, 5, 6, 9, 12_i64];
    let known = |sum, known| crate::Sum { sum, known };
    let check = |found: &Rollup| {
        assert_eq!(found.flows, 5);
        assert_eq!(found.input, known(1 + 5, 2));
        assert_eq!(found.output, known(0, 0));
        assert_eq!(found.cost, known(5 * 500_000_000_000, 5));
        assert_eq!(found.duration, known(gone.iter().sum::<i64>() * 1000, 5));
        assert_eq!(
            (found.provider.as_str(), found.model.as_str()),
            ("openai", "")
        );
        assert_eq!(
            (found.state.as_str(), found.at.0 % 900_000_000),
            ("completed", 0)
        );
    };
    let found = all(&store);
    assert_eq!(found.len(), 1);
    check(&found[0]);
    let at = found[0].at;
    assert!(store.gone(Timestamp(0), at).unwrap().is_empty());
    assert_eq!(store.gone(at.plus_us(5), at.plus_us(6)).unwrap().len(), 1);
    drop(store);
    check(&all(&Store::open_read_only(root.path()).unwrap())[0]);
}

/// Makes a directory with the flows 1 to 6 in segments of three, sealed but for the last or not at all.
fn made(limits: Limits) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), limits);
    for number in 1..=7 {
        plant(&store, number);
        store.flush();
    }
    if limits.segment.seal_quiet.is_zero() {
        wait_sealed(&store);
    }
    drop(store);
    root
}

fn catalog(dir: &Path) -> Connection {
    Connection::open(dir.join("catalog.db")).unwrap()
}

fn tombstone(dir: &Path, segment: u32, n: i64, number: u64) {
    let sql = "INSERT INTO tombstones VALUES (?1, ?2, ?3)";
    let values = params![segment, n, id(number).to_bytes()];
    catalog(dir).execute(sql, values).unwrap();
}

fn remove_rows(file: &Path, n: i64) {
    let connection = Connection::open(file).unwrap();
    for table in ["requests", "outcomes", "pieces", "rows"] {
        let sql = format!("DELETE FROM {table} WHERE n = ?1");
        connection.execute(&sql, [n]).unwrap();
    }
    connection.execute_batch("VACUUM").unwrap();
}

#[test]
fn a_kill_at_any_step_of_a_deletion_leaves_the_flow_gone_and_the_rest_whole() {
    let unsealed = |dir: &Path| {
        let sql = "UPDATE segments SET state = 1, checksum = NULL WHERE number = 1";
        catalog(dir).execute(sql, []).unwrap();
    };
    let steps: &[&dyn Fn(&Path)] = &[
        &|_| {},
        &|dir| {
            fs::copy(path(dir, 1), dir.join("segments/000001.db.purging")).unwrap();
            fs::copy(path(dir, 1), dir.join("segments/000001.db.compact")).unwrap();
        },
        &unsealed,
        &|dir| {
            unsealed(dir);
            remove_rows(&path(dir, 1), 2);
        },
        &|dir| {
            remove_rows(&path(dir, 1), 2);
            let file = fs::read(path(dir, 1)).unwrap();
            let sum = blake3::hash(&file);
            let sql = "UPDATE segments SET bytes = ?1, checksum = ?2, flows = 2 WHERE number = 1";
            let values = params![i64::try_from(file.len()).unwrap(), sum.as_bytes()];
            catalog(dir).execute(sql, values).unwrap();
        },
        &|dir| {
            fs::write(dir.join("segments/000001.col"), word(2)).unwrap();
            fs::write(dir.join("segments/000001.fts"), word(2)).unwrap();
            fs::write(dir.join("segments/000001.fts-wal"), word(2)).unwrap();
        },
    ];
    for step in steps {
        let root = made(small(3));
        let dir = root.path();
        tombstone(dir, 1, 2, 2);
        step(dir);
        for read_only in [true, false] {
            let store = if read_only {
                Store::open_read_only(dir).unwrap()
            } else {
                open_with(dir, small(3))
            };
            assert_eq!(store.health().notices, Vec::<String>::new());
            assert!(store.row(id(2)).unwrap().is_none());
            check_there(&store, &[1, 3, 4, 5, 6, 7]);
            if !read_only {
                assert!(store.settle_deletions(WAIT));
                assert_eq!(traces(dir, &word(2)), 0);
                wait_sealed(&store);
                check_there(&store, &[1, 3, 4, 5, 6, 7]);
                crate::seal::verify(store.registry().all().last().unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn a_kill_while_flows_of_the_live_segment_are_removed_is_harmless() {
    let steps: &[&dyn Fn(&Path)] = &[&|_| {}, &|dir| remove_rows(&path(dir, 1), 7)];
    for step in steps {
        let root = made(unsealed(100));
        let dir = root.path();
        tombstone(dir, 1, 7, 7);
        step(dir);
        let store = open_with(dir, unsealed(100));
        check_there(&store, &[1, 2, 3, 4, 5, 6]);
        // The next flow must not get the number of one that is being removed.
        plant(&store, 8);
        store.flush();
        assert!(store.settle_deletions(WAIT));
        assert_eq!(traces(dir, &word(7)), 0);
        check_there(&store, &[1, 2, 3, 4, 5, 6, 8]);
        drop(store);
        check_there(&open_with(dir, unsealed(100)), &[1, 2, 3, 4, 5, 6, 8]);
    }
    // A catalog that was restored names a number that another flow has by now.
    let root = made(unsealed(100));
    tombstone(root.path(), 1, 3, 99);
    let store = open_with(root.path(), unsealed(100));
    assert!(store.settle_deletions(WAIT));
    check_there(&store, &[1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_deleted_flow_is_not_salvaged() {
    let root = made(small(3));
    let dir = root.path();
    tombstone(dir, 1, 2, 2);
    let mut bytes = fs::read(path(dir, 1)).unwrap();
    bytes.extend(noise(100, 3));
    fs::write(path(dir, 1), bytes).unwrap();
    let store = open_with(dir, small(100));
    assert_eq!(store.health().notices.len(), 1);
    let salvage = store.inner.threads.lock().pop().unwrap();
    salvage.join().unwrap();
    store.flush();
    assert_eq!(store.health().flows_salvaged, 2);
    check_there(&store, &[1, 3, 4, 5, 6, 7]);
}

#[test]
fn segments_of_the_first_format_lose_flows_too() {
    let root = tempfile::tempdir().unwrap();
    dir::prepare(root.path()).unwrap();
    let segments = dir::segments(root.path()).unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats/1.0.db");
    fs::copy(sample, segments.join("000001.db")).unwrap();
    let store = open_with(root.path(), small(3));
    for left in store.unfinished().unwrap() {
        store.write(Write::Outcome {
            exchange: Arc::new(Exchange {
                end: Some(EndReason::Interrupted),
                ..left
            }),
            response: Bytes::new(),
            chunks: Vec::new(),
            row: None,
        });
    }
    store.flush();
    wait_sealed(&store);
    let before = newest(&store, 50);
    let taken = delete(&store, Which::Ids(&before[1..3]), false);
    assert_eq!(taken.flows, 2);
    assert!(store.settle_deletions(WAIT));
    let mut left = before.clone();
    left.drain(1..3);
    assert_eq!(newest(&store, 50), left);
    for flow in left {
        assert!(store.exchange(flow).unwrap().is_some());
    }
    assert!(store.exchange(before[1]).unwrap().is_none());
}

#[test]
fn a_flow_that_could_not_be_stored_can_be_deleted() {
    let options = StoreOptions {
        memory_bytes_max: 1024 * 1024,
        ..options(None)
    };
    let store = Store::open_with(options, FAST).unwrap();
    announce(&store, 1);
    for part in 0..10 {
        store.write(Write::Piece {
            id: id(1),
            side: Side::Response,
            bytes: Bytes::from(noise(480_000, part)),
        });
    }
    store.write(outcome(1, b""));
    store.flush();
    assert_eq!(store.health().flows_not_stored, 1);
    assert_eq!(newest(&store, 5), [id(1)]);
    let taken = delete(&store, Which::Before(Timestamp(i64::MAX)), false);
    assert_eq!(taken.flows, 1);
    assert!(store.settle_deletions(WAIT));
    check_gone(&store, 1);
    assert!(newest(&store, 5).is_empty());
    plant(&store, 2);
    store.flush();
    assert_eq!(store.total(), 1);
}

#[test]
fn flows_are_deleted_while_others_are_written_and_segments_sealed() {
    let root = tempfile::tempdir().unwrap();
    let store = open_with(root.path(), small(9));
    let odd = |number: &u64| !number.is_multiple_of(2);
    let write = |writer: u64| {
        for turn in 0..40 {
            let number = turn * 3 + writer + 1;
            plant(&store, number);
            store.flush();
            if odd(&number) {
                let deletion = Deletion {
                    which: Which::Ids(&[id(number)]),
                    pinned: false,
                    dry_run: false,
                };
                assert_eq!(store.delete(&deletion).unwrap().flows, 1);
                check_gone(&store, number);
            }
        }
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|writer| scope.spawn(move || write(writer)))
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
    });
    assert!(store.settle_deletions(WAIT));
    wait_sealed(&store);
    let (out, kept): (Vec<u64>, Vec<u64>) = (1..=120).partition(odd);
    check_there(&store, &kept);
    for &number in &out {
        assert_eq!(traces(root.path(), &word(number)), 0, "flow {number}");
    }
    let gone = store.gone(Timestamp(0), Timestamp(i64::MAX)).unwrap();
    assert_eq!(gone.iter().map(|sum| sum.flows).sum::<u64>(), 60);
    drop(store);
    let store = open_with(root.path(), small(9));
    assert_eq!(store.health().notices, Vec::<String>::new());
    check_there(&store, &kept);
}
