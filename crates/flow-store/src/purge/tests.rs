use std::collections::BTreeMap;

use bytes::Bytes;
use flow_model::FlowId;
use proptest::prelude::*;
use rusqlite::params;

use super::*;
use crate::blobs::{Chains, Conversations, LoadError, fresh, load};
use crate::dictionary::Compression;
use crate::files::create_tables;
use crate::format::Codec;
use crate::store::Store;
use crate::testing::{id, open, options, record, small, wait_sealed};
use crate::{Deletion, Which};

/// Returns the request of a conversation after these turns. Each is told from others by its words.
fn conversation(turns: &[u64]) -> Vec<u8> {
    let turn = |turn: &u64| {
        let text = format!("ultramarine {turn:04} ").repeat(300);
        format!("{{\"role\":\"user\",\"content\":\"{text}\"}}")
    };
    let turns: Vec<String> = turns.iter().map(turn).collect();
    let messages = turns.join(",");
    format!(
        "{{\"model\":\"m\",\"pad\":\"{}\",\"messages\":[{messages}]}}",
        "z".repeat(2000)
    )
    .into_bytes()
}

/// Stores a body in place of the one that a flow's record has.
fn store(connection: &Connection, known: &Conversations, chains: &mut Chains, n: i64, body: &[u8]) {
    let prepared = known.prepare(1, Bytes::copy_from_slice(body)).unwrap();
    let plan = chains.store(connection, n, &prepared).unwrap();
    chains.committed();
    let length = i64::try_from(body.len()).unwrap();
    let values = params![
        n,
        id(n.unsigned_abs()).to_bytes(),
        Codec::Chained.code(),
        length,
        plan
    ];
    let sql = "INSERT INTO requests VALUES (?1, ?2, x'', x'', ?3, ?4, ?5) ON CONFLICT DO UPDATE
        SET codec = excluded.codec, length = excluded.length, body = excluded.body";
    connection.execute(sql, values).unwrap();
}

fn body(connection: &Connection, n: i64) -> Result<Vec<u8>, LoadError> {
    let sql = "SELECT body, length FROM requests WHERE n = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()));
    let (plan, length): (Vec<u8>, u64) = connection.query_one(sql, [n], read)?;
    load(connection, &plan, length)
}

/// Returns what each remaining flow brought, as its own elements.
fn brought(connection: &Connection, n: i64) -> String {
    let sql = "SELECT body FROM requests WHERE n = ?1";
    let plan: Vec<u8> = connection.query_one(sql, [n], |row| row.get(0)).unwrap();
    let mut all = String::new();
    let visit = |_, small: &[u8]| {
        all.push_str(&String::from_utf8_lossy(small));
        Ok::<_, LoadError>(())
    };
    fresh(connection, n, &plan, visit).unwrap();
    all
}

fn count(connection: &Connection, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    connection.query_one(&sql, [], |row| row.get(0)).unwrap()
}

fn flow(n: i64) -> (FlowId, i64) {
    (id(n.unsigned_abs()), n)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However conversations go on, branch and lose flows, the rest is whole, and every turn that is left is read
    /// with one of the flows that have it.
    #[test]
    fn what_is_shared_stays(
        steps in prop::collection::vec((0_usize..6, 1_usize..4), 1..14),
        gone in prop::collection::vec(any::<bool>(), 14),
        late in any::<bool>(),
    ) {
        let connection = Connection::open_in_memory().unwrap();
        create_tables(&connection).unwrap();
        let (known, mut chains) = (Conversations::new([7; 32], Compression::On), Chains::default());
        let mut turns: Vec<u64> = vec![0];
        let mut all: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        let mut next = 1;
        for (index, (back, forth)) in steps.iter().enumerate() {
            turns.truncate(turns.len().saturating_sub(*back).max(1));
            for _ in 0..*forth {
                turns.push(next);
                next += 1;
            }
            let mut n = i64::try_from(index).unwrap() + 1;
            if late {
                // Flows are not always stored in the order of their numbers.
                n = ((n - 1) ^ 1) + 1;
            }
            store(&connection, &known, &mut chains, n, &conversation(&turns));
            all.insert(n, turns.clone());
        }
        let out: Vec<_> = all.keys().copied().filter(|n| gone[usize::try_from(*n).unwrap() % 14]).collect();
        let flows: Vec<_> = out.iter().map(|n| flow(*n)).collect();
        prop_assert_eq!(remove(&connection, &flows).unwrap(), flows.len() as u64);
        sweep(&connection).unwrap();
        all.retain(|n, _| !out.contains(n));
        let mut read = String::new();
        for (n, turns) in &all {
            prop_assert_eq!(body(&connection, *n).unwrap(), conversation(turns));
            read.push_str(&brought(&connection, *n));
        }
        for turn in all.values().flatten() {
            let word = format!("ultramarine {turn:04} ");
            prop_assert!(read.contains(&word), "nobody brought turn {}", turn);
        }
        if all.is_empty() {
            prop_assert_eq!(count(&connection, "nodes") + count(&connection, "blobs"), 0);
        }
        // Doing it again changes nothing.
        let before = (count(&connection, "nodes"), count(&connection, "blobs"));
        prop_assert_eq!(remove(&connection, &flows).unwrap(), 0);
        sweep(&connection).unwrap();
        prop_assert_eq!(before, (count(&connection, "nodes"), count(&connection, "blobs")));
    }
}

#[test]
fn flows_of_a_sealed_segment_share_what_one_of_them_loses() {
    let root = tempfile::tempdir().unwrap();
    let bodies = [
        conversation(&[1]),
        conversation(&[1, 2]),
        conversation(&[1, 2, 3]),
    ];
    let made = open(root.path());
    for number in 1..=3 {
        record(&made, number, b"ask", b"answer");
        made.flush();
    }
    drop(made);
    let path = root.path().join("segments/000001.db");
    let connection = Connection::open(&path).unwrap();
    let (known, mut chains) = (
        Conversations::new([7; 32], Compression::On),
        Chains::default(),
    );
    for (n, body) in (1..).zip(&bodies) {
        store(&connection, &known, &mut chains, n, body);
    }
    drop(connection);
    let store = Store::open_with(options(Some(root.path())), small(3)).unwrap();
    wait_sealed(&store);
    let deletion = Deletion {
        which: Which::Ids(&[id(1)]),
        pinned: false,
        dry_run: false,
    };
    assert_eq!(store.delete(&deletion).unwrap().flows, 1);
    assert!(store.settle_deletions(Duration::from_secs(20)));
    drop(store);
    let connection = Connection::open(&path).unwrap();
    assert_eq!(count(&connection, "requests"), 2);
    assert_eq!(count(&connection, "nodes"), 3);
    for n in [2, 3] {
        assert_eq!(
            body(&connection, n).unwrap(),
            bodies[usize::try_from(n).unwrap() - 1]
        );
    }
    let elements = brought(&connection, 2);
    assert!(elements.contains("ultramarine 0001") && elements.contains("ultramarine 0002"));
    assert!(!brought(&connection, 3).contains("ultramarine 0002"));
}

#[test]
fn a_number_that_another_flow_has_is_left_alone() {
    let connection = Connection::open_in_memory().unwrap();
    create_tables(&connection).unwrap();
    let (known, mut chains) = (
        Conversations::new([7; 32], Compression::On),
        Chains::default(),
    );
    store(&connection, &known, &mut chains, 1, &conversation(&[1]));
    assert_eq!(remove(&connection, &[(id(9), 1), flow(4)]).unwrap(), 0);
    assert_eq!(holder(&connection, 1).unwrap(), Some(id(1)));
    assert_eq!(holder(&connection, 4).unwrap(), None);
    sweep(&connection).unwrap();
    assert_eq!(body(&connection, 1).unwrap(), conversation(&[1]));
}
