//! Lists against a plain vector.

use proptest::prelude::*;

use super::*;
use crate::list::{Place, SortKey};
use crate::read::places_sql;

/// Flows with few different values, so that ties and unknown values abound.
#[derive(Clone, Debug)]
struct Sample {
    duration: Option<u64>,
    tokens: Option<u64>,
    cost: Option<u8>,
    model: Option<u8>,
    bytes: u64,
    stored: bool,
}

fn sample() -> impl Strategy<Value = Sample> {
    let few = || prop::option::of(0..4_u64);
    let fields = (
        few(),
        few(),
        prop::option::of(0..4_u8),
        prop::option::of(0..3_u8),
        0..4_u64,
        any::<bool>(),
    );
    fields.prop_map(|(duration, tokens, cost, model, bytes, stored)| Sample {
        duration,
        tokens,
        cost,
        model,
        bytes,
        stored,
    })
}

fn made(number: u64, sample: &Sample) -> Row {
    let mut row = row(&ended(number));
    row.duration_us = sample.duration;
    row.ttft_us = sample.tokens;
    row.tokens.total = sample.tokens;
    row.cost = sample.cost.map(|cost| format!("0.{cost}"));
    row.model = sample.model.map(|model| "m".repeat(usize::from(model)));
    row.request_bytes = sample.bytes;
    row
}

fn fill(store: &Store, samples: &[Sample]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (sample, number) in samples.iter().zip(0..) {
        let made = made(number, sample);
        store.announce(Arc::new(begun(number)), made.clone());
        if sample.stored {
            let exchange = Arc::new(ended(number));
            let row = Some(made.clone());
            store.write(Write::Outcome {
                exchange,
                response: Bytes::new(),
                chunks: Vec::new(),
                row,
            });
        }
        rows.push(made);
    }
    assert!(store.flush());
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn pages_joined_are_the_sorted_rows(samples in prop::collection::vec(sample(), 0..40), limit in 1..9_usize) {
        let store = Store::open_with(options(None), FAST).unwrap();
        let mut rows = fill(&store, &samples);
        for name in SortKey::NAMES {
            for sign in ["", "-"] {
                let sort: Sort = format!("{sign}{name}").parse().unwrap();
                rows.sort_by(|left, right| {
                    sort.compare(&Place::of(left, sort.key), &Place::of(right, sort.key))
                });
                let mut query = ListQuery { sort, limit, cursor: None };
                let mut listed = Vec::new();
                loop {
                    let page = store.list(&query).unwrap();
                    prop_assert!(page.rows.len() <= limit);
                    listed.extend(page.rows);
                    prop_assert!(listed.len() <= rows.len(), "{sort} repeats rows");
                    query.cursor = page.next;
                    if query.cursor.is_none() {
                        break;
                    }
                }
                prop_assert_eq!(&listed, &rows, "{}", sort);
            }
        }
    }
}

#[test]
fn a_page_has_one_row_at_least_and_a_thousand_at_most() {
    let store = Store::open_with(options(None), FAST).unwrap();
    for number in 0..1100 {
        record(&store, number, b"", b"");
    }
    store.flush();
    let check = |limit, expect| {
        let page = store
            .list(&ListQuery {
                limit,
                ..ListQuery::default()
            })
            .unwrap();
        assert_eq!(page.rows.len(), expect);
        assert!(page.next.is_some());
    };
    check(0, 1);
    check(1, 1);
    check(LIST_ROWS_MAX, LIST_ROWS_MAX);
    check(usize::MAX, LIST_ROWS_MAX);
}

#[test]
fn flows_that_begin_meanwhile_neither_repeat_nor_hide_others() {
    let store = Store::open_with(options(None), FAST).unwrap();
    for number in 0..6 {
        record(&store, number, b"", b"");
    }
    store.flush();
    let mut query = ListQuery {
        limit: 3,
        ..ListQuery::default()
    };
    let first = store.list(&query).unwrap();
    record(&store, 6, b"", b"");
    announce(&store, 7);
    query.cursor = first.next;
    let second = store.list(&query).unwrap();
    let ids: Vec<FlowId> = first
        .rows
        .iter()
        .chain(&second.rows)
        .map(|row| row.id)
        .collect();
    assert_eq!(ids, [5, 4, 3, 2, 1, 0].map(id));
}

#[test]
fn a_hostile_cursor_is_an_error() {
    let store = Store::open_with(options(None), FAST).unwrap();
    for cursor in ["", "x", "-started_at.0.", "' OR 1=1 --", "-tokens.=.="] {
        let cursor = Some(cursor.to_owned());
        let page = store.list(&ListQuery {
            limit: 3,
            cursor,
            ..ListQuery::default()
        });
        assert!(matches!(page, Err(ReadError::BadCursor)));
    }
}

#[test]
fn newest_first_walks_the_index() {
    let root = tempfile::tempdir().unwrap();
    drop(open(root.path()));
    let segment = rusqlite::Connection::open(root.path().join("segments/000001.db")).unwrap();
    for sort in ["-started_at", "started_at"] {
        for after in [
            None,
            Some(Place {
                key: None,
                id: id(5),
            }),
        ] {
            let (sql, mut values) = places_sql(sort.parse().unwrap(), after.as_ref());
            values.push(rusqlite::types::Value::Integer(10));
            let mut plan = segment
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let steps = plan
                .query_map(rusqlite::params_from_iter(values), |row| row.get(3))
                .unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert_eq!(steps.len(), 1, "{steps:?}");
            assert!(steps[0].contains("USING COVERING INDEX"), "{steps:?}");
        }
    }
}
