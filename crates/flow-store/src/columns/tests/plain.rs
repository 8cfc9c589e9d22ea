//! The plain evaluator: what filters, orders and statistics mean, one row at a time.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use flow_model::{FlowId, Row, State, Timestamp, Tokens};
use flow_query::{Checked, Field, Test, Value};

use super::super::stats::Stats;
use super::super::{GroupBy, GroupValue, Hit, Key, Measure, compare_names, names};

/// A flow of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow<'a> {
    pub(super) part: usize,
    pub(super) n: i64,
    pub(super) row: &'a Row,
    /// Whether tests of text select it.
    pub(super) has_text: bool,
}

impl Flow<'_> {
    pub(super) fn matches(&self, filter: &Checked) -> bool {
        match filter {
            Checked::All(parts) => parts.iter().all(|part| self.matches(part)),
            Checked::Any(parts) => parts.iter().any(|part| self.matches(part)),
            Checked::Not(part) => !self.matches(part),
            Checked::Test(test) => match test {
                Test::Name(field, pattern) => {
                    self.names(*field).iter().any(|name| pattern.matches(name))
                }
                Test::Number(field, range) => self
                    .number(*field)
                    .is_some_and(|number| (range.min..=range.max).contains(&number)),
                Test::Known(field) => {
                    !matches!(field.value(self.row), Value::None | Value::Names([]))
                }
                Test::Flag(flag) => flag.of(self.row),
                Test::Id(ids) => ids.contains(&self.row.id),
                Test::Text(..) => self.has_text,
            },
        }
    }

    pub(super) fn number(&self, field: Field) -> Option<i64> {
        match field.value(self.row) {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// Returns the different names that a flow has.
    pub(super) fn names(&self, field: Field) -> BTreeSet<String> {
        match field.value(self.row) {
            Value::Name(name) => BTreeSet::from([name.into_owned()]),
            Value::Names(names) => names.iter().cloned().collect(),
            Value::None | Value::Number(_) => BTreeSet::new(),
        }
    }

    fn key(&self, sort: Field) -> Option<Key> {
        match sort.value(self.row) {
            Value::None | Value::Names([]) => None,
            Value::Number(number) => Some(Key::Number(number)),
            Value::Name(name) => Some(Key::Name(name.into_owned())),
            Value::Names(list) => Some(Key::Name(names::join(list))),
        }
    }

    pub(super) fn compare(&self, other: &Flow<'_>, sort: Field, descending: bool) -> Ordering {
        let turn = |order: Ordering| if descending { order.reverse() } else { order };
        let keys = match (self.key(sort), other.key(sort)) {
            (Some(Key::Number(one)), Some(Key::Number(other))) => turn(one.cmp(&other)),
            (Some(Key::Name(one)), Some(Key::Name(other))) => turn(compare_names(&one, &other)),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        keys.then_with(|| turn(self.row.id.cmp(&other.row.id)))
    }

    pub(super) fn hit(&self, sort: Field) -> Hit {
        Hit {
            part: self.part,
            n: self.n,
            id: self.row.id,
            key: self.key(sort),
        }
    }

    fn group_values(&self, by: GroupBy) -> Vec<GroupValue> {
        match by {
            GroupBy::Name(field) => {
                let names: Vec<_> = self
                    .names(field)
                    .into_iter()
                    .map(|name| GroupValue::Name(name.into()))
                    .collect();
                if names.is_empty() {
                    vec![GroupValue::Unknown]
                } else {
                    names
                }
            }
            GroupBy::Flag(flag) => vec![GroupValue::Flag(flag.of(self.row))],
            GroupBy::Time {
                width_us,
                offset_us,
            } => {
                let local = self.row.started_at.0.saturating_add(offset_us);
                let begin = local.div_euclid(width_us).saturating_mul(width_us);
                vec![GroupValue::Time(begin.saturating_sub(offset_us))]
            }
        }
    }
}

/// What a group comes to.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) count: u64,
    /// The values of each measure.
    pub(super) values: Vec<Vec<i64>>,
}

pub(super) fn groups(
    flows: &[Flow<'_>],
    by: &[GroupBy],
    measures: &[Measure],
) -> BTreeMap<Vec<GroupValue>, Members> {
    let mut groups: BTreeMap<Vec<GroupValue>, Members> = BTreeMap::new();
    for flow in flows {
        let mut keys = vec![Vec::new()];
        for by in by {
            let values = flow.group_values(*by);
            let longer = |key: &Vec<GroupValue>| {
                let key = key.clone();
                let with = |value: &GroupValue| [key.clone(), vec![value.clone()]].concat();
                values.iter().map(with).collect::<Vec<_>>()
            };
            keys = keys.iter().flat_map(longer).collect();
        }
        for key in keys {
            let members = groups.entry(key).or_default();
            members.count += 1;
            members.values.resize(measures.len(), Vec::new());
            for (values, measure) in members.values.iter_mut().zip(measures) {
                values.extend(flow.number(measure.field));
            }
        }
    }
    groups
}

pub(super) fn check_stats(stats: &Stats, values: &[i64]) {
    let mut values = values.to_vec();
    values.sort_unstable();
    let sum: i128 = values.iter().copied().map(i128::from).sum();
    assert_eq!((stats.count, stats.sum), (values.len() as u64, sum));
    let Some((first, last)) = values.first().zip(values.last()) else {
        assert_eq!((stats.average(), stats.percentile(500)), (None, None));
        return;
    };
    assert_eq!((stats.min, stats.max), (*first, *last));
    for thousandths in [0, 500, 990, 1000] {
        let rank = (values.len() * thousandths as usize).div_ceil(1000).max(1);
        let (found, exact) = (stats.percentile(thousandths).unwrap(), values[rank - 1]);
        let error = u128::from(found.abs_diff(exact));
        assert!(
            error * 1000 <= u128::from(exact.unsigned_abs()) * 4,
            "{found} for {exact}"
        );
    }
}

/// Returns a row of which little is known.
pub(super) fn blank(id: [u8; 16]) -> Row {
    Row {
        id: FlowId::from_bytes(id),
        started_at: Timestamp(0),
        state: State::Completed,
        end: None,
        upstream: None,
        provider: None,
        dialect: None,
        method: "POST".to_owned(),
        path: "/v1/messages".to_owned(),
        status: None,
        model: None,
        requested_model: None,
        streaming: false,
        tokens: Tokens::default(),
        estimated: false,
        cost: None,
        duration_us: None,
        ttfb_us: None,
        ttft_us: None,
        request_bytes: 0,
        response_bytes: 0,
        client: None,
        agent: None,
        sdk: None,
        attempt: None,
        error_class: None,
        credits: None,
        session: None,
        run: None,
        thread: None,
        preview: None,
        answer: None,
        tools: Vec::new(),
        stop: None,
        events: 0,
        gap: false,
        truncated: false,
        diagnostics: false,
    }
}
