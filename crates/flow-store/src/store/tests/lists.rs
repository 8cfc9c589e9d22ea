//! Lists, counts and statistics beside an evaluator that looks at one row after the other.

use std::cmp::Ordering as Order;
use std::collections::BTreeMap;

use flow_query::{Checked, Field, Flag, Pattern, Range, Test, Texts};
use proptest::prelude::*;

use super::*;
use crate::columns::{Key, compare_names};
use crate::list::Sort;
use crate::segment::SegmentState;
use crate::testing::{small, wait_sealed};
use crate::{GroupBy, GroupValue, Measure, Scale};

#[path = "../../../../flow-query/tests/spec/flows.rs"]
#[expect(dead_code, reason = "readings are of the evaluator in memory")]
mod spec;

/// What becomes of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It is announced and no more.
    Announced,
    /// Its request is written, which keeps its segment open.
    Running,
    Ended,
    /// Its row is derived again in the end, with this many tokens.
    Reread(u64),
    /// It is removed in the end.
    Forgotten,
}

/// Flows with few different values, so that ties and unknown values abound.
#[derive(Clone, Debug)]
struct Sample {
    duration: Option<u64>,
    tokens: Option<u64>,
    cost: Option<u8>,
    model: Option<&'static str>,
    bytes: u64,
    fate: Fate,
}

fn sample() -> impl Strategy<Value = Sample> {
    let few = || prop::option::of(0..4_u64);
    let models = vec!["m", "M", "gpt-4", "", "\u{6a21}\u{578b}"];
    let fates = prop_oneof![
        1 => Just(Fate::Announced),
        1 => Just(Fate::Running),
        12 => Just(Fate::Ended),
        2 => (0..9_u64).prop_map(Fate::Reread),
        1 => Just(Fate::Forgotten),
    ];
    let fields = (
        few(),
        few(),
        prop::option::of(0..4_u8),
        prop::option::of(prop::sample::select(models)),
        0..4_u64,
        fates,
    );
    fields.prop_map(|(duration, tokens, cost, model, bytes, fate)| Sample {
        duration,
        tokens,
        cost,
        model,
        bytes,
        fate,
    })
}

fn test() -> impl Strategy<Value = Test> {
    let range = |(min, width): (i64, i64)| Range {
        min,
        max: min + width,
    };
    prop_oneof![
        prop::sample::select(vec!["m", "gpt-*", "*", ""])
            .prop_map(|text| Test::Name(Field::Model, Pattern::new(text))),
        (0..4_i64, 0..3_i64).prop_map(move |ends| Test::Number(Field::Tokens, range(ends))),
        Just(Test::Known(Field::Cost)),
        Just(Test::Flag(Flag::Running)),
        prop::collection::btree_set(0..20_u64, 0..4)
            .prop_map(|ids| Test::Id(ids.into_iter().map(id).collect())),
    ]
}

fn filter() -> impl Strategy<Value = Checked> {
    let leaf = test().prop_map(Checked::Test);
    leaf.prop_recursive(2, 6, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            parts.clone().prop_map(Checked::All),
            parts.prop_map(Checked::Any),
            inner.prop_map(|part| Checked::Not(Box::new(part))),
        ]
    })
}

fn made(number: u64, sample: &Sample) -> Row {
    let running = matches!(sample.fate, Fate::Announced | Fate::Running);
    let mut row = row(&if running {
        begun(number)
    } else {
        ended(number)
    });
    row.duration_us = sample.duration;
    row.tokens.total = sample.tokens;
    row.cost = sample.cost.map(|cost| format!("0.{cost}"));
    row.model = sample.model.map(str::to_owned);
    row.request_bytes = sample.bytes;
    row
}

/// Writes an ended flow with this row.
fn end(store: &Store, number: u64, row: &Row) {
    store.write(Write::Outcome {
        exchange: Arc::new(Exchange {
            id: row.id,
            ..ended(number)
        }),
        response: Bytes::new(),
        chunks: Vec::new(),
        row: Some(row.clone()),
    });
}

/// Writes the flows, one commit each so that segments follow each other.
fn fill(store: &Store, samples: &[Sample]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (sample, number) in samples.iter().zip(0..) {
        let row = made(number, sample);
        store.announce(Arc::new(begun(number)), row.clone());
        match sample.fate {
            Fate::Announced => {}
            Fate::Running => store.write(request(number, b"ask")),
            Fate::Ended | Fate::Reread(_) | Fate::Forgotten => end(store, number, &row),
        }
        assert!(store.flush());
        rows.push(row);
    }
    rows
}

/// Does what is done in the end.
fn change(store: &Store, samples: &[Sample], rows: &mut Vec<Row>) {
    for sample in samples.iter().zip(0..) {
        match sample {
            (
                Sample {
                    fate: Fate::Reread(tokens),
                    ..
                },
                number,
            ) => {
                let row = rows.iter_mut().find(|row| row.id == id(number)).unwrap();
                row.tokens.total = Some(*tokens);
                store.write(Write::Row(row.clone()));
            }
            (
                Sample {
                    fate: Fate::Forgotten,
                    ..
                },
                number,
            ) => {
                rows.retain(|row| row.id != id(number));
                store.write(Write::Forget(id(number)));
            }
            _ => {}
        }
    }
    assert!(store.flush());
}

fn compare(left: &Row, right: &Row, sort: Sort) -> Order {
    let turn = |order: Order| {
        if sort.descending {
            order.reverse()
        } else {
            order
        }
    };
    let keys = match (sort.place(left).key, sort.place(right).key) {
        (Some(Key::Number(one)), Some(Key::Number(other))) => turn(one.cmp(&other)),
        (Some(Key::Name(one)), Some(Key::Name(other))) => turn(compare_names(&one, &other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    };
    keys.then_with(|| turn(left.id.cmp(&right.id)))
}

/// Returns all pages of a list, joined.
fn listed(store: &Store, query: ListQuery, rows_max: usize) -> Vec<Row> {
    let mut query = query;
    let mut listed = Vec::new();
    loop {
        let page = store.list(&query).unwrap();
        assert!(!page.partial);
        assert!(page.rows.len() <= query.limit);
        listed.extend(page.rows);
        assert!(listed.len() <= rows_max, "{} repeats rows", query.sort);
        query.cursor = page.next;
        if query.cursor.is_none() {
            return listed;
        }
    }
}

/// Checks lists, counts, groups, facets and histograms of these rows.
fn check(store: &Store, rows: &[Row], filter: &Checked, limit: usize) {
    let selected = rows
        .iter()
        .filter(|row| filter.matches(row, &Texts::default()));
    let mut selected: Vec<Row> = selected.cloned().collect();
    for order in [
        "started_at",
        "-started_at",
        "-tokens",
        "model",
        "-model",
        "cost",
        "-error",
    ] {
        let sort: Sort = order.parse().unwrap();
        selected.sort_by(|left, right| compare(left, right, sort));
        let query = ListQuery {
            filter: filter.clone(),
            sort,
            limit,
            cursor: None,
        };
        assert_eq!(listed(store, query, rows.len()), selected, "{order}");
    }
    let flows = selected.len() as u64;
    let counted = store.count(filter).unwrap();
    assert_eq!((counted.flows, counted.partial), (flows, false));

    let mut models: BTreeMap<GroupValue, (u64, i128)> = BTreeMap::new();
    for row in &selected {
        let name = row.model.as_deref();
        let value = name.map_or(GroupValue::Unknown, |name| GroupValue::Name(name.into()));
        let (count, sum) = models.entry(value).or_default();
        *count += 1;
        *sum += i128::from(row.tokens.total.unwrap_or(0));
    }
    let measure = Measure {
        field: Field::Tokens,
        percentiles: false,
    };
    let by = [GroupBy::Name(Field::Model)];
    let groups = store.groups(filter, &by, &[measure]).unwrap();
    let found = groups.groups.iter().map(|group| {
        let sum = group.stats.iter().map(|stats| stats.sum).sum();
        (group.key[0].clone(), (group.count, sum))
    });
    assert_eq!(found.collect::<BTreeMap<_, _>>(), models);

    let facets = store.facets(filter, &[Field::Model], 100).unwrap();
    let named = models
        .keys()
        .filter(|key| **key != GroupValue::Unknown)
        .count();
    assert_eq!(
        facets.iter().map(|facets| facets.distinct).sum::<usize>(),
        named
    );
    for scale in [Scale::Linear, Scale::Log] {
        let spread = store.histogram(filter, Field::Tokens, scale, 3).unwrap();
        let within: u64 = spread.buckets.iter().map(|(_, _, count)| count).sum();
        assert_eq!(within + spread.unknown, flows, "{spread:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn answers_are_those_of_all_rows(
        samples in prop::collection::vec(sample(), 0..24),
        filters in prop::collection::vec(filter(), 3),
        limit in 1..9_usize,
    ) {
        let root = tempfile::tempdir().unwrap();
        let store = Store::open_with(options(Some(root.path())), small(5)).unwrap();
        let mut rows = fill(&store, &samples);
        let check = |store: &Store, rows: &[Row]| {
            for filter in filters.iter().chain(&[Checked::everything()]) {
                check(store, rows, filter, limit);
            }
        };
        check(&store, &rows);
        let running = samples.iter().any(|sample| sample.fate == Fate::Running);
        if !running {
            wait_sealed(&store);
            check(&store, &rows);
        }
        change(&store, &samples, &mut rows);
        check(&store, &rows);
        if !running {
            wait_sealed(&store);
            check(&store, &rows);
        }
        drop(store);
        rows.retain(|row| row.end.is_some());
        let store = Store::open_with(options(Some(root.path())), small(5)).unwrap();
        // Columns of all segments are there from the first question on.
        for filter in &filters {
            check_stored(&store, &rows, filter, limit);
        }
        drop(store);
        let store = Store::open_with(options(None), FAST).unwrap();
        let mut rows = fill(&store, &samples);
        change(&store, &samples, &mut rows);
        check(&store, &rows);
    }
}

/// Checks the list of flows that have ended: a start does not know those that run.
fn check_stored(store: &Store, rows: &[Row], filter: &Checked, limit: usize) {
    let selected = rows
        .iter()
        .filter(|row| filter.matches(row, &Texts::default()));
    let mut selected: Vec<Row> = selected.cloned().collect();
    selected.sort_by(|left, right| compare(left, right, Sort::default()));
    let query = ListQuery {
        filter: filter.clone(),
        limit,
        ..ListQuery::default()
    };
    assert_eq!(listed(store, query, rows.len()), selected);
}

#[test]
fn every_filter_selects_its_flows() {
    let spec = spec::Spec::read();
    let root = tempfile::tempdir().unwrap();
    let store = Store::open_with(options(Some(root.path())), small(3)).unwrap();
    for (number, flow) in spec.flows.iter().enumerate() {
        let row = flow.row(number);
        let exchange = Exchange {
            id: row.id,
            ..begun(number as u64)
        };
        store.announce(Arc::new(exchange), row.clone());
        if !flow.is_running() {
            end(&store, number as u64, &row);
            store.flush();
        }
    }
    wait_sealed(&store);
    let states: Vec<SegmentState> = store.segments().iter().map(|info| info.state).collect();
    assert!(states.contains(&SegmentState::Sealed) && states.contains(&SegmentState::Live));
    let name = |row: &Row| {
        let number = spec.flows.iter().enumerate();
        let mut found = number.filter(|(number, flow)| flow.row(*number).id == row.id);
        found.next().map(|(_, flow)| flow.name.clone()).unwrap()
    };
    let mut asked = 0;
    for case in &spec.cases {
        let filter = case.checked();
        // Text is searched for by the index.
        if filter.asks_text() {
            continue;
        }
        let page = store
            .list(&ListQuery {
                filter: filter.clone(),
                limit: 100,
                sort: "started_at".parse().unwrap(),
                cursor: None,
            })
            .unwrap();
        let mut found: Vec<String> = page.rows.iter().map(name).collect();
        found.sort_by_key(|name| spec.flows.iter().position(|flow| flow.name == *name));
        assert_eq!(found, case.selects, "{}", case.filter);
        let flows = case.selects.len() as u64;
        assert_eq!(page.total, Some(flows), "{}", case.filter);
        assert_eq!(store.count(&filter).unwrap().flows, flows);
        asked += 1;
    }
    assert!(asked > 50, "{asked} filters without text");
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
