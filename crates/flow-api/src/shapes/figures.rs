//! The JSON of statistics.
//!
//! Numbers are those of the field: microseconds, bytes, things, thousandths of a token a second; money is a decimal
//! string in US dollars.

use flow_model::Money;
use flow_query::{Field, Kind, Unit};
use flow_store::{Facets, Group, GroupValue, Groups, Measure, Spread, Stats};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Groups of an answer; of more than these the ones with most flows are told.
const GROUPS_SHOWN_MAX: usize = 10_000;
/// Femtodollars in a picodollar.
const FEMTOS: i128 = 1000;

/// What statistics are asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FiguresQuery {
    /// Which flows: a filter as a tree. Without it all of them.
    #[schema(value_type = Option<Object>)]
    pub filter: Option<Value>,
    /// By what flows are grouped, four things at most; one group of all where there is nothing.
    #[serde(default)]
    pub group_by: Vec<GroupName>,
    /// Fields of numbers that are summed up, six at most.
    #[serde(default)]
    pub measures: Vec<String>,
    /// Percentiles are not wanted, which leaves room for 65,536 groups instead of 4,096.
    #[serde(default)]
    pub without_percentiles: bool,
}

/// Something by which flows are grouped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum GroupName {
    /// A field of names, or something that a flow has or is.
    Name(String),
    /// Spans of time in which flows began.
    Time(TimeGroup),
}

/// Spans of time.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimeGroup {
    /// How long each is.
    pub time: TimeSpan,
    /// How many minutes east of UTC they begin.
    #[serde(default)]
    pub offset_minutes: i32,
}

/// How long spans of time are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TimeSpan {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

/// Statistics by group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figures {
    /// The groups, in the order of their keys.
    pub groups: Vec<FigureGroup>,
    /// Flows that are in none, because there are too many groups.
    pub left_out: u64,
    /// Some flows could not be looked at.
    pub partial: bool,
}

/// Flows that have something in common.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FigureGroup {
    /// What that is, one for each thing by which they are grouped; null where it is unknown.
    pub key: Vec<Option<KeyPart>>,
    /// How many flows.
    pub count: u64,
    /// What their numbers come to, one for each measure.
    pub measures: Vec<MeasureFigures>,
}

/// One thing that flows have in common.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum KeyPart {
    /// A name.
    Name(String),
    /// Whether something is so.
    Flag(bool),
    /// When a span of time begins.
    At(i64),
}

/// What the numbers of one field come to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MeasureFigures {
    /// The field.
    pub field: &'static str,
    /// Flows of which the number is known.
    pub count: u64,
    /// All of them together.
    pub sum: FieldNumber,
    /// The smallest; none of no numbers, as what follows.
    pub min: Option<FieldNumber>,
    /// The largest.
    pub max: Option<FieldNumber>,
    /// Their average, cut to a whole number.
    pub average: Option<FieldNumber>,
    /// What half of them do not exceed, within 0.4 %.
    pub p50: Option<FieldNumber>,
    /// What nine in ten do not exceed.
    pub p90: Option<FieldNumber>,
    /// What 95 in a hundred do not exceed.
    pub p95: Option<FieldNumber>,
    /// What 99 in a hundred do not exceed.
    pub p99: Option<FieldNumber>,
}

/// A number of a field.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum FieldNumber {
    /// In the field's unit.
    Number(i64),
    /// US dollars.
    Money(String),
}

/// The names that most flows have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetList {
    /// One for each field that was asked for.
    pub facets: Vec<Facet>,
}

/// The names of one field that most flows have.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Facet {
    /// The field.
    pub field: &'static str,
    /// The names, those that most flows have first.
    pub names: Vec<FacetName>,
    /// Flows that have none.
    pub unknown: u64,
    /// How many different names there are.
    pub distinct: u64,
    /// Counts may be too low: there are too many names, or some flows could not be looked at.
    pub partial: bool,
}

/// One name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FacetName {
    /// The name.
    pub name: String,
    /// Flows that have it.
    pub count: u64,
}

/// How the numbers of a field are spread.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistogramFigures {
    /// The field.
    pub field: &'static str,
    /// The buckets, in order. Those that grow stand there only where they have flows.
    pub buckets: Vec<HistogramBucket>,
    /// Flows of which the number is unknown.
    pub unknown: u64,
    /// Some flows could not be looked at.
    pub partial: bool,
}

/// One bucket.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HistogramBucket {
    /// The smallest number in it.
    pub min: FieldNumber,
    /// The largest.
    pub max: FieldNumber,
    /// How many flows.
    pub count: u64,
}

/// How the buckets of a histogram grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HistogramScale {
    /// All have the same width.
    #[default]
    Linear,
    /// Each is wider than the one before it, by powers of two.
    Log,
}

// === impl FieldNumber ===

impl FieldNumber {
    fn new(field: Field, number: impl Into<i128>) -> Self {
        let number = number.into();
        if field.kind() == Kind::Number(Unit::PicoDollars) {
            return Self::Money(Money::from_femtos(number.saturating_mul(FEMTOS)).to_string());
        }
        let least = i128::from(i64::MIN);
        let number = number.clamp(least, i128::from(i64::MAX));
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

// === impl Figures ===

impl Figures {
    pub(crate) fn new(groups: Groups, measures: &[Measure]) -> Self {
        let Groups {
            mut groups,
            mut left_out,
            partial,
        } = groups;
        if groups.len() > GROUPS_SHOWN_MAX {
            groups.sort_by_key(|group| std::cmp::Reverse(group.count));
            let fewer = groups.split_off(GROUPS_SHOWN_MAX);
            left_out += fewer.iter().map(|group| group.count).sum::<u64>();
            groups.sort_by(|one, other| one.key.cmp(&other.key));
        }
        Self {
            groups: groups
                .into_iter()
                .map(|group| FigureGroup::new(group, measures))
                .collect(),
            left_out,
            partial,
        }
    }
}

impl FigureGroup {
    fn new(group: Group, measures: &[Measure]) -> Self {
        let key = |value| match value {
            GroupValue::Unknown => None,
            GroupValue::Name(name) => Some(KeyPart::Name(name.as_ref().to_owned())),
            GroupValue::Flag(flag) => Some(KeyPart::Flag(flag)),
            GroupValue::Time(at) => Some(KeyPart::At(at)),
        };
        let figures = measures.iter().zip(&group.stats);
        Self {
            count: group.count,
            measures: figures
                .map(|(measure, stats)| MeasureFigures::new(measure.field, stats))
                .collect(),
            key: group.key.into_iter().map(key).collect(),
        }
    }
}

impl MeasureFigures {
    fn new(field: Field, stats: &Stats) -> Self {
        let number = |number: Option<i64>| number.map(|number| FieldNumber::new(field, number));
        let known = |number: i64| number_if(stats.count > 0, number);
        let percentile = |thousandths| number(stats.percentile(thousandths));
        Self {
            field: field.name(),
            count: stats.count,
            sum: FieldNumber::new(field, stats.sum),
            min: number(known(stats.min)),
            max: number(known(stats.max)),
            average: stats
                .average()
                .map(|average| FieldNumber::new(field, average)),
            p50: percentile(500),
            p90: percentile(900),
            p95: percentile(950),
            p99: percentile(990),
        }
    }
}

fn number_if(known: bool, number: i64) -> Option<i64> {
    known.then_some(number)
}

// === impl Facet ===

impl Facet {
    pub(crate) fn new(field: Field, facets: Facets) -> Self {
        let names = facets.names.into_iter();
        Self {
            field: field.name(),
            names: names
                .map(|(name, count)| FacetName { name, count })
                .collect(),
            unknown: facets.unknown,
            distinct: facets.distinct as u64,
            partial: facets.partial,
        }
    }
}

// === impl HistogramFigures ===

impl HistogramFigures {
    pub(crate) fn new(field: Field, spread: Spread) -> Self {
        let bucket = |(min, max, count): (i64, i64, u64)| HistogramBucket {
            min: FieldNumber::new(field, min),
            max: FieldNumber::new(field, max),
            count,
        };
        Self {
            field: field.name(),
            buckets: spread.buckets.into_iter().map(bucket).collect(),
            unknown: spread.unknown,
            partial: spread.partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_told_in_dollars() {
        let check = |field, number: i128, expect| {
            assert_eq!(FieldNumber::new(field, number), expect);
        };
        let money = |text: &str| FieldNumber::Money(text.to_owned());
        check(Field::Cost, 1_250_000_000_001, money("1.250000000001"));
        check(Field::Cost, 0, money("0"));
        check(Field::Duration, 1500, FieldNumber::Number(1500));
        check(Field::Size, i128::MAX, FieldNumber::Number(i64::MAX));
    }
}
