//! Statistics by group: flows and what their numbers come to, by name, flag and time.
//!
//! Rows of a block are put in the order of their groups, by a table over all combinations that can stand in the
//! block, which is small because zone maps bound it. Each group is then looked up once a block, and its values
//! are added up without looking away.

mod dimension;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use flow_query::{Field, Flag, Kind};

use self::dimension::{Dimension, Runs};
use super::Column;
use super::file::ColumnError;
use super::names::{self, Names};
use super::scan::{Part, Rows, Scan, list};
use super::stats::Stats;

/// Groups that are counted; flows of further ones are told apart.
const GROUPS_MAX: usize = 65_536;
/// Groups that are counted where percentiles are asked for: each takes several KiB a measure.
const PERCENTILE_GROUPS_MAX: usize = 4096;
/// Combinations that a block's table has at most; beyond, every row looks its group up.
const TABLE_GROUPS_MAX: u64 = 16_384;
/// Says that a group came when there were enough.
const LEFT_OUT: u32 = u32::MAX;

/// By what flows are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// A field of names. A flow with several names is in the group of each.
    Name(Field),
    /// Whether a flow has or is this.
    Flag(Flag),
    /// Spans of time in which flows began, so far east of UTC.
    Time {
        /// How long a span is, in microseconds.
        width_us: i64,
        /// How far east, in microseconds.
        offset_us: i64,
    },
}

/// What a group has in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupValue {
    /// The field is unknown.
    Unknown,
    /// The name.
    Name(Arc<str>),
    /// Whether it is so.
    Flag(bool),
    /// When the span begins, in microseconds since the epoch.
    Time(i64),
}

/// A field whose numbers are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The field; one of names has no numbers.
    pub field: Field,
    /// Percentiles are wanted too.
    pub percentiles: bool,
}

/// Flows with the same values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What its flows have in common, one for each thing by which they are grouped.
    pub key: Vec<GroupValue>,
    /// How many they are.
    pub count: u64,
    /// One for each measure.
    pub stats: Vec<Stats>,
}

/// Groups in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "they are the groups")]
pub struct Groups {
    /// The groups.
    pub groups: Vec<Group>,
    /// Flows that are in none, because there are too many groups.
    pub left_out: u64,
    /// Not every flow could be looked at.
    pub partial: bool,
}

// === impl Scan ===

impl Scan<'_> {
    /// Returns the groups of the flows that are selected.
    pub(crate) fn groups(
        &self,
        by: &[GroupBy],
        measures: &[Measure],
    ) -> Result<Groups, ColumnError> {
        let make = || Sums::new(by, measures);
        let sums = self.share(make, |sums, part| {
            let Some(rows) = self.rows(part)? else {
                return Ok(());
            };
            sums.add_part(part, rows)
        })?;
        Ok(finish(sums))
    }
}

/// Groups of some segments.
struct Sums<'a> {
    by: &'a [GroupBy],
    measures: &'a [Measure],
    groups_max: usize,
    groups: HashMap<Vec<GroupValue>, u32>,
    counts: Vec<u64>,
    /// The measures of the first group, then of the second.
    stats: Vec<Stats>,
    left_out: u64,
}

// === impl Sums ===

impl<'a> Sums<'a> {
    fn new(by: &'a [GroupBy], measures: &'a [Measure]) -> Self {
        let percentiles = measures.iter().any(|measure| measure.percentiles);
        Self {
            by,
            measures,
            groups_max: if percentiles {
                PERCENTILE_GROUPS_MAX
            } else {
                GROUPS_MAX
            },
            groups: HashMap::new(),
            counts: Vec::new(),
            stats: Vec::new(),
            left_out: 0,
        }
    }

    fn add_part(&mut self, part: &Part<'_>, mut rows: Rows<'_>) -> Result<(), ColumnError> {
        let names: Vec<Option<Names>> = self
            .by
            .iter()
            .map(|by| match by {
                GroupBy::Name(field) => part.source.names(Column::Field(*field)).map(Some),
                GroupBy::Flag(_) | GroupBy::Time { .. } => Ok(None),
            })
            .collect::<Result<_, _>>()?;
        let (mut numbers, mut runs) = (Vec::new(), Runs::default());
        for block in 0..part.source.blocks() {
            let Some(mask) = rows.select(block)? else {
                continue;
            };
            list(&mask, &mut numbers);
            let columns = self.by.iter().map(GroupBy::column);
            let measured = self
                .measures
                .iter()
                .map(|measure| Column::Field(measure.field));
            for column in columns.chain(measured) {
                rows.reader.load(column, block)?;
            }
            let dimensions: Vec<Dimension<'_>> = self
                .by
                .iter()
                .zip(&names)
                .map(|(by, names)| by.dimension(part.source, names.as_ref(), &rows, block))
                .collect();
            self.group(&dimensions, &numbers, &mut runs);
            for (group, members) in runs.all() {
                self.add_run(&rows, block, group, members);
            }
        }
        Ok(())
    }

    /// Adds rows of a block that are of one group.
    fn add_run(&mut self, rows: &Rows<'_>, block: usize, group: u32, members: &[u32]) {
        match self.counts.get_mut(group as usize) {
            Some(count) => *count += members.len() as u64,
            None => self.left_out += members.len() as u64,
        }
        for (at, measure) in self.measures.iter().enumerate() {
            let codes = rows.reader.loaded(Column::Field(measure.field), block);
            let at = group as usize * self.measures.len() + at;
            if let Some(stats) = self.stats.get_mut(at) {
                stats.add_all(&codes, members);
            }
        }
    }

    /// Puts rows of the same group behind each other.
    fn group(&mut self, dimensions: &[Dimension<'_>], rows: &[u32], runs: &mut Runs) {
        runs.clear();
        let sizes = dimensions.iter().map(Dimension::size);
        let size = sizes.fold(1, u64::saturating_mul);
        if size > TABLE_GROUPS_MAX {
            let group = |row: &u32| (self.find(dimensions, *row as usize), *row);
            let mut pairs: Vec<(u32, u32)> = rows.iter().map(group).collect();
            pairs.sort_unstable();
            for run in pairs.chunk_by(|(one, _), (other, _)| one == other) {
                runs.rows.extend(run.iter().map(|(_, row)| *row));
                let group = run.first().map_or(LEFT_OUT, |(group, _)| *group);
                runs.ends.push((group, runs.rows.len()));
            }
            return;
        }
        if size == 1 {
            runs.rows.extend_from_slice(rows);
        } else {
            runs.sort(dimensions, rows, usize::try_from(size).unwrap_or_default());
        }
        if runs.ends.is_empty() {
            runs.ends.push((0, runs.rows.len()));
        }
        let mut start = 0;
        for (group, end) in &mut runs.ends {
            let first = runs.rows.get(start).copied().unwrap_or_default();
            *group = self.find(dimensions, first as usize);
            start = *end;
        }
    }

    /// Returns the number of a row's group.
    fn find(&mut self, dimensions: &[Dimension<'_>], row: usize) -> u32 {
        let key: Vec<GroupValue> = dimensions
            .iter()
            .map(|dimension| dimension.value(row))
            .collect();
        if let Some(group) = self.groups.get(&key) {
            return *group;
        }
        if self.groups.len() >= self.groups_max {
            return LEFT_OUT;
        }
        let group = u32::try_from(self.groups.len()).unwrap_or(LEFT_OUT);
        self.groups.insert(key, group);
        self.counts.push(0);
        let stats = self.measures.iter();
        self.stats
            .extend(stats.map(|measure| Stats::new(measure.percentiles)));
        group
    }
}

/// Puts the groups of all segments together. A group of lists of names becomes one of each name in them.
fn finish(all: Vec<Sums<'_>>) -> Groups {
    let mut merged: BTreeMap<Vec<GroupValue>, Group> = BTreeMap::new();
    let mut left_out = 0;
    for sums in all {
        left_out += sums.left_out;
        let mut groups: Vec<(Vec<GroupValue>, u32)> = sums.groups.into_iter().collect();
        groups.sort_unstable_by_key(|(_, group)| *group);
        for (key, group) in groups {
            let first = group as usize * sums.measures.len();
            let stats = sums.stats.get(first..first + sums.measures.len());
            let group = Group {
                key: key.clone(),
                count: sums.counts.get(group as usize).copied().unwrap_or_default(),
                stats: stats.unwrap_or_default().to_vec(),
            };
            for key in spread(sums.by, &key) {
                let full = merged.len() >= sums.groups_max;
                match merged.get_mut(&key) {
                    Some(one) => one.merge(&group),
                    None if full => left_out += group.count,
                    None => {
                        let one = Group {
                            key: key.clone(),
                            ..group.clone()
                        };
                        merged.insert(key, one);
                    }
                }
            }
        }
    }
    Groups {
        groups: merged.into_values().collect(),
        left_out,
        partial: false,
    }
}

/// Returns the keys that a key with lists of names stands for.
fn spread(by: &[GroupBy], key: &[GroupValue]) -> Vec<Vec<GroupValue>> {
    let mut keys = vec![Vec::new()];
    for (by, value) in by.iter().zip(key) {
        let values: BTreeSet<GroupValue> = match (by, value) {
            (GroupBy::Name(field), GroupValue::Name(list)) if field.kind() == Kind::Names => {
                let names = names::split(list);
                names.map(|name| GroupValue::Name(name.into())).collect()
            }
            _ => BTreeSet::from([value.clone()]),
        };
        let longer = |key: &Vec<GroupValue>| {
            let key = key.clone();
            let with = |value: &GroupValue| [key.as_slice(), std::slice::from_ref(value)].concat();
            values.iter().map(with).collect::<Vec<_>>()
        };
        keys = keys.iter().flat_map(longer).collect();
    }
    keys
}

// === impl Group ===

impl Group {
    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        for (one, other) in self.stats.iter_mut().zip(&other.stats) {
            one.merge(other);
        }
    }
}
