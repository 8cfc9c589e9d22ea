//! Scans beside a plain evaluator that looks at one row after the other.

mod plain;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flow_model::{Dialect, FlowId, Row};
use flow_query::{Checked, Field, Flag, Kind, Pattern, Range, Scope, Test};
use proptest::prelude::*;

use self::plain::{Flow, blank};
use super::live::Full;
use super::*;

/// Segments of one case: rows by number, which of them were removed later, and how they are stored.
#[derive(Clone, Debug)]
struct Case {
    segments: Vec<Vec<(i64, Row)>>,
    deleted: Vec<i64>,
    /// What the first test of text selects, by number in any segment.
    text: Vec<i64>,
    filter: Checked,
}

fn names() -> impl Strategy<Value = Option<String>> {
    let few = prop::sample::select(vec![
        "gpt-4o",
        "GPT-4o",
        "gpt-4.1",
        "Ünïcode",
        "ünïcode",
        "模型",
        "a*b",
        "",
        "ẞ",
        "line\nbreak",
        "back\\slash",
    ]);
    prop::option::weighted(0.8, few.prop_map(str::to_owned))
}

fn numbers() -> impl Strategy<Value = Option<u64>> {
    prop::option::weighted(
        0.8,
        prop_oneof![6 => 0_u64..6, 2 => 0_u64..5_000_000_000, 1 => any::<u64>()],
    )
}

prop_compose! {
    fn row()(
        id in any::<[u8; 16]>(),
        started_at in prop_oneof![4 => 0_i64..20, 1 => any::<i64>().prop_map(|at| at.max(i64::MIN + 1))],
        numbers in prop::array::uniform8(numbers()),
        names in prop::array::uniform4(names()),
        tools in prop::collection::vec(names().prop_map(Option::unwrap_or_default), 0..3),
        cost in prop::option::of(prop_oneof![
            Just("0.25"), Just("0.000001"), Just("12"), Just("0.1"), Just("1000000.5"), Just("-0.5")
        ]),
        flags in any::<[bool; 3]>(),
    ) -> Row {
        let [duration, ttfb, ttft, total, input, output, events, attempt] = numbers;
        let [model, provider, thread, agent] = names;
        let mut row = blank(id);
        row.started_at.0 = started_at;
        (row.duration_us, row.ttfb_us, row.ttft_us, row.attempt) = (duration, ttfb, ttft, attempt);
        (row.tokens.total, row.tokens.input, row.tokens.output) = (total, input, output);
        row.events = events.unwrap_or_default();
        (row.model, row.provider, row.thread, row.agent) = (model, provider, thread, agent);
        row.tools = tools;
        row.cost = cost.map(str::to_owned);
        row.dialect = flags[0].then_some(Dialect::OpenaiChat);
        (row.streaming, row.gap, row.estimated) = (flags[0], flags[1], flags[2]);
        row
    }
}

fn test() -> impl Strategy<Value = Test> {
    let patterns = prop::sample::select(vec![
        "gpt-4o",
        "gpt-*",
        "*",
        "*o",
        "*n*c*",
        "模*",
        "nobody",
        "ünïcode",
        "",
        "*\\*",
        "line\nbreak",
        "z*",
    ]);
    let name = prop::sample::select(vec![
        Field::Model,
        Field::Provider,
        Field::Tool,
        Field::Dialect,
    ]);
    let number = prop::sample::select(vec![
        Field::StartedAt,
        Field::Duration,
        Field::Tokens,
        Field::Cost,
        Field::Attempt,
        Field::Speed,
    ]);
    let bound = || prop_oneof![3 => -1_i64..8, 1 => any::<i64>()];
    prop_oneof![
        4 => (name, patterns).prop_map(|(field, text)| Test::Name(field, Pattern::new(text))),
        4 => (number, bound(), bound()).prop_map(|(field, min, max)| Test::Number(field, Range { min, max })),
        2 => prop::sample::select(Field::ALL.to_vec()).prop_map(Test::Known),
        2 => prop::sample::select(Flag::ALL.to_vec()).prop_map(Test::Flag),
        1 => Just(Test::Text(Scope::Content, "words".to_owned())),
    ]
}

fn filter() -> impl Strategy<Value = Checked> {
    let leaf = test().prop_map(Checked::Test);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let parts = prop::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            parts.clone().prop_map(Checked::All),
            parts.prop_map(Checked::Any),
            inner.prop_map(|part| Checked::Not(Box::new(part))),
        ]
    })
}

fn case() -> impl Strategy<Value = Case> {
    // Numbers are far apart in places, so that blocks have holes and a segment more than one block.
    let n = prop_oneof![3 => 1_i64..90, 1 => 4090_i64..4200];
    let rows = prop::collection::btree_map(n.clone(), row(), 0..40)
        .prop_map(|rows| rows.into_iter().collect::<Vec<_>>());
    let segments = prop::collection::vec(rows, 1..4);
    let some = prop::collection::vec(n, 0..20);
    (segments, some.clone(), some, filter()).prop_map(|(segments, deleted, text, filter)| Case {
        segments,
        deleted,
        text,
        filter,
    })
}

fn live(rows: &[(i64, Row)]) -> LiveColumns {
    let mut columns = LiveColumns::new();
    for (n, row) in rows {
        // Each is set twice, as when it is derived again, and has a neighbour that is removed.
        let before = Row {
            model: Some("replaced".to_owned()),
            ..row.clone()
        };
        columns.set(*n, &before).unwrap();
        columns.set(n + 4_500, &before).unwrap();
    }
    for (n, row) in rows {
        columns.set(*n, row).unwrap();
        columns.remove(n + 4_500);
    }
    columns
}

fn file(dir: &Path, at: usize, columns: &View, cache: &Arc<NameCache>) -> ColumnFile {
    let path = dir.join(format!("{at}.col"));
    write(&path, columns).unwrap();
    ColumnFile::open(&path, cache).unwrap()
}

impl Case {
    /// Calls `act` with the scan and with the flows that it selects, as a plain evaluator finds them.
    fn check(&self, act: impl Fn(&Scan<'_>, Vec<Flow<'_>>)) {
        let dir = tempfile::tempdir().unwrap();
        let cache = Arc::new(NameCache::default());
        let source = |(at, rows): (usize, &Vec<(i64, Row)>)| {
            let columns = live(rows).view();
            // The first segment is live, as the newest one is.
            if at == 0 {
                Source::Live(columns)
            } else {
                Source::File(Arc::new(file(dir.path(), at, &columns, &cache)))
            }
        };
        let sources: Vec<Source> = self.segments.iter().enumerate().map(source).collect();
        let deleted: Bitmap = self.deleted.iter().copied().collect();
        let text: Bitmap = self.text.iter().copied().collect();
        // A filter has fewer tests than this, and each test of text is the same one.
        let text: Vec<Option<Bitmap>> = vec![Some(text); 32];
        let part = |source| Part {
            source,
            deleted: Some(&deleted),
            text: &text,
        };
        let parts: Vec<Part<'_>> = sources.iter().map(part).collect();
        let scan = Scan {
            parts: &parts,
            filter: &self.filter,
        };
        let mut flows = Vec::new();
        for (part, rows) in self.segments.iter().enumerate() {
            let there = rows.iter().filter(|(n, _)| !deleted.contains(*n));
            flows.extend(there.map(|(n, row)| Flow {
                part,
                n: *n,
                row,
                has_text: self.text.contains(n),
            }));
        }
        flows.retain(|flow| flow.matches(&self.filter));
        act(&scan, flows);
    }
}

proptest! {
    // Each case is sorted by every field.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn pages_are_the_plain_evaluators(case in case(), limit in 1_usize..12, descending in any::<bool>()) {
        case.check(|scan, mut flows| {
            for sort in Field::ALL {
                flows.sort_by(|one, other| one.compare(other, sort, descending));
                let expect: Vec<Hit> = flows.iter().map(|flow| flow.hit(sort)).collect();
                let mut found: Vec<Hit> = Vec::new();
                loop {
                    let after = found.last().map(|hit| After { key: hit.key.clone(), id: hit.id });
                    let page = scan.page(&PageQuery { sort, descending, after, limit }).unwrap();
                    assert!(page.len() <= limit);
                    let more = page.len() == limit;
                    found.extend(page);
                    if !more {
                        break;
                    }
                }
                assert_eq!(found, expect, "{sort:?}");
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counts_are_the_plain_evaluators(case in case()) {
        case.check(|scan, flows| assert_eq!(scan.count().unwrap(), flows.len() as u64));
    }

    #[test]
    fn groups_are_the_plain_evaluators(case in case(), offset_us in -20_i64..20) {
        let bys = [
            vec![],
            vec![GroupBy::Name(Field::Model), GroupBy::Flag(Flag::Streaming)],
            vec![GroupBy::Time { width_us: 7, offset_us }, GroupBy::Name(Field::Provider)],
            vec![GroupBy::Name(Field::Tool)],
        ];
        let measures = [Field::Cost, Field::Duration].map(|field| Measure { field, percentiles: true });
        case.check(|scan, flows| {
            for by in &bys {
                let found: Groups = scan.groups(by, &measures).unwrap();
                assert_eq!(found.left_out, 0);
                let expect = plain::groups(&flows, by, &measures);
                let keys: Vec<_> = found.groups.iter().map(|group: &Group| &group.key).collect();
                assert_eq!(keys, expect.keys().collect::<Vec<_>>());
                for (group, members) in found.groups.iter().zip(expect.values()) {
                    assert_eq!(group.count, members.count);
                    for (stats, values) in group.stats.iter().zip(&members.values) {
                        plain::check_stats(stats, values);
                    }
                }
            }
        });
    }

    #[test]
    fn facets_and_histograms_are_the_plain_evaluators(case in case()) {
        case.check(|scan, flows| {
            for field in [Field::Model, Field::Tool] {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                let mut unknown = 0;
                for flow in &flows {
                    let names = flow.names(field);
                    unknown += u64::from(names.is_empty());
                    for name in names {
                        *counts.entry(name).or_default() += 1;
                    }
                }
                let distinct = counts.len();
                let mut names: Vec<(String, u64)> = counts.into_iter().collect();
                names.sort_by(|(one, more), (other, less)| less.cmp(more).then_with(|| compare_names(one, other)));
                names.truncate(3);
                let expect = Facets { names, unknown, distinct, partial: false };
                assert_eq!(scan.facets(field, 3).unwrap(), expect);
            }
            let values: Vec<i64> = flows.iter().filter_map(|flow| flow.number(Field::Duration)).collect();
            let range = values.iter().min().copied().zip(values.iter().max().copied());
            assert_eq!(scan.range(Field::Duration).unwrap(), range);
            for buckets in [Buckets::Linear { min: 1, width: 2, count: 2 }, Buckets::Log { bits: 3 }] {
                let spread: Spread = scan.spread(Field::Duration, buckets).unwrap();
                assert_eq!(spread.unknown, (flows.len() - values.len()) as u64);
                let within: u64 = spread.buckets.iter().map(|(_, _, count)| count).sum();
                assert_eq!(within + spread.below + spread.above, values.len() as u64);
                for (first, last, count) in spread.buckets {
                    let inside = values.iter().filter(|value| (first..=last).contains(value));
                    assert_eq!(count, inside.count() as u64, "{first}..={last}");
                }
            }
        });
    }
}

#[test]
fn ids_select_their_flows() {
    let rows: Vec<(i64, Row)> = (1..=20_u8)
        .map(|n| (i64::from(n), blank([n; 16])))
        .collect();
    let id = |byte| FlowId::from_bytes([byte; 16]);
    let check = |ids: Vec<FlowId>, expect| {
        let segments = vec![rows[10..].to_vec(), rows[..10].to_vec()];
        let filter = Checked::Test(Test::Id(ids));
        let case = Case {
            segments,
            deleted: vec![3],
            text: Vec::new(),
            filter,
        };
        case.check(|scan, _| assert_eq!(scan.count().unwrap(), expect));
    };
    check(vec![id(1), id(9), id(12), id(99)], 3);
    check(vec![id(3)], 0);
    check(Vec::new(), 0);
}

#[test]
fn a_test_that_cannot_be_answered_selects_nothing_either_way() {
    let mut columns = LiveColumns::new();
    columns.set(1, &blank([1; 16])).unwrap();
    let source = Source::Live(columns.view());
    let text = Checked::Test(Test::Text(Scope::Content, "words".to_owned()));
    let known = Checked::Test(Test::Known(Field::Method));
    let check = |filter: Checked, expect| {
        let parts = [Part {
            source: &source,
            deleted: None,
            text: &[None],
        }];
        let scan = Scan {
            parts: &parts,
            filter: &filter,
        };
        assert_eq!(scan.count().unwrap(), expect, "{filter:?}");
    };
    check(text.clone(), 0);
    check(Checked::Not(Box::new(text.clone())), 0);
    check(Checked::Any(vec![text, known]), 1);
}

#[test]
fn a_view_does_not_see_what_comes_later() {
    let mut columns = LiveColumns::new();
    let row = blank([1; 16]);
    columns.set(1, &row).unwrap();
    let source = Source::Live(columns.view());
    columns
        .set(
            2,
            &Row {
                model: Some("new".to_owned()),
                ..row
            },
        )
        .unwrap();
    columns.remove(1);
    let parts = [Part {
        source: &source,
        deleted: None,
        text: &[],
    }];
    let everything = Checked::everything();
    let scan = Scan {
        parts: &parts,
        filter: &everything,
    };
    let page = scan
        .page(&PageQuery {
            sort: Field::Model,
            descending: true,
            after: None,
            limit: 9,
        })
        .unwrap();
    assert_eq!(page.iter().map(|hit| hit.n).collect::<Vec<_>>(), [1]);
}

#[test]
fn rows_without_a_place_are_refused() {
    let mut columns = LiveColumns::new();
    let rows_max = i64::try_from(FILE_ROWS_MAX).unwrap();
    for n in [0, -1, i64::MIN, i64::MAX, rows_max + 1] {
        assert_eq!(columns.set(n, &blank([1; 16])), Err(Full { n }));
        columns.remove(n);
    }
    // What stands between takes no room.
    columns.set(rows_max, &blank([1; 16])).unwrap();
}

/// Returns the bytes of a file with several blocks.
fn sample(dir: &Path) -> Vec<u8> {
    let mut columns = LiveColumns::new();
    for n in 1..=300_u16 {
        let mut row = blank([n.to_le_bytes()[0]; 16]);
        row.model = Some(format!("model-{}", n % 7));
        row.duration_us = Some(u64::from(n) * 1_000_003);
        columns.set(i64::from(n) * 20, &row).unwrap();
    }
    let path = dir.join("sample.col");
    write(&path, &columns.view()).unwrap();
    assert!(!dir.join("sample.col.unfinished").exists());
    std::fs::read(&path).unwrap()
}

/// Asks for everything that a file holds.
fn ask(path: &Path) -> Result<u64, ColumnError> {
    let cache = Arc::new(NameCache::default());
    let source = Source::File(Arc::new(ColumnFile::open(path, &cache)?));
    let parts = [Part {
        source: &source,
        deleted: None,
        text: &[],
    }];
    let everything = Checked::everything();
    let scan = Scan {
        parts: &parts,
        filter: &everything,
    };
    for sort in Field::ALL {
        scan.page(&PageQuery {
            sort,
            descending: true,
            after: None,
            limit: 1000,
        })?;
        match sort.kind() {
            Kind::Name | Kind::Names => drop(scan.facets(sort, 10)?),
            Kind::Number(_) | Kind::Time => drop(scan.spread(sort, Buckets::Log { bits: 0 })?),
        }
    }
    scan.count()
}

#[test]
fn every_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let good = sample(dir.path());
    let path = dir.path().join("sample.col");
    assert_eq!(ask(&path).unwrap(), 300);
    for at in (0..good.len()).step_by(61).chain(0..48) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let error = ask(&path).expect_err("a changed byte");
        assert!(
            !matches!(error, ColumnError::Io { .. }),
            "byte {at}: {error}"
        );
    }
    for length in [0, 10, 48, good.len() / 2, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(ask(&path).is_err(), "{length} bytes");
    }
}

#[cfg(unix)]
#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    sample(dir.path());
    let mode = std::fs::metadata(dir.path().join("sample.col"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn names_of_removed_rows_are_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut columns = LiveColumns::new();
    let secret = Row {
        model: Some("a-removed-name".to_owned()),
        ..blank([1; 16])
    };
    columns.set(1, &secret).unwrap();
    columns.set(2, &blank([2; 16])).unwrap();
    columns.remove(1);
    let path = dir.path().join("removed.col");
    write(&path, &columns.view()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(14).any(|window| window == b"a-removed-name"));
}
