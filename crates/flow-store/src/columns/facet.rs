//! Facets: the names of a field that most of the selected flows have.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use flow_query::{Field, Kind};

use super::block::Rows as CodeRows;
use super::file::ColumnError;
use super::names;
use super::scan::{Rows, Scan, list};
use super::{Column, compare_names};

/// Different names that are looked at.
const FACET_NAMES_MAX: usize = 262_144;

/// The names of a field, and how many flows have each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// The names that most flows have, first; names of as many flows in order.
    pub names: Vec<(String, u64)>,
    /// Flows that have none.
    pub unknown: u64,
    /// How many different names there are.
    pub distinct: usize,
    /// Counts may be too low: there are more names than are looked at, or not every flow could be looked at.
    pub partial: bool,
}

#[derive(Default)]
struct Counts {
    names: HashMap<Box<str>, u64>,
    unknown: u64,
    partial: bool,
}

// === impl Scan ===

impl Scan<'_> {
    /// Returns the first names of a field of names.
    pub(crate) fn facets(&self, field: Field, names_max: usize) -> Result<Facets, ColumnError> {
        let column = Column::Field(field);
        let is_list = field.kind() == Kind::Names;
        let all = self.share(Counts::default, |counts, part| {
            if !column.has_names() {
                return Ok(());
            }
            let Some(mut rows) = self.rows(part)? else {
                return Ok(());
            };
            let names = part.source.names(column)?;
            let (unknown, codes) = count_codes(column, names.len(), &mut rows)?;
            counts.unknown += unknown;
            for (code, count) in (0..).zip(codes) {
                match names.name(code) {
                    Some(_) | None if count == 0 => {}
                    Some(list) if is_list => counts.add_list(list, count),
                    Some(name) => counts.add(name, count),
                    None => counts.unknown += count,
                }
            }
            Ok(())
        })?;
        let mut sum = Counts::default();
        for counts in all {
            sum.unknown += counts.unknown;
            sum.partial |= counts.partial;
            sum.merge(counts.names);
        }
        Ok(sum.first(names_max))
    }
}

/// Returns how many selected rows are unknown, and how many have each code.
fn count_codes(
    column: Column,
    names: usize,
    rows: &mut Rows<'_>,
) -> Result<(u64, Vec<u64>), ColumnError> {
    let mut counts = vec![0_u64; names];
    let (mut unknown, mut numbers) = (0, Vec::new());
    for block in 0..rows.source.blocks() {
        let Some(mask) = rows.select(block)? else {
            continue;
        };
        list(&mask, &mut numbers);
        let codes = rows.reader.codes(column, block)?;
        let mut add = |code: u64| {
            let place = usize::try_from(codes.value(code)).unwrap_or(usize::MAX);
            match counts.get_mut(place) {
                Some(count) if code != 0 => *count += 1,
                _ => unknown += 1,
            }
        };
        match codes.rows {
            CodeRows::Narrow(codes) => numbers.iter().for_each(|row| {
                let code = codes.get(*row as usize).copied();
                add(code.map_or(0, u64::from));
            }),
            CodeRows::Wide(codes) => numbers.iter().for_each(|row| {
                let code = codes.get(*row as usize).copied();
                add(code.unwrap_or_default());
            }),
        }
    }
    Ok((unknown, counts))
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, name: &str, count: u64) {
        if let Some(counted) = self.names.get_mut(name) {
            *counted += count;
        } else if self.names.len() < FACET_NAMES_MAX {
            self.names.insert(name.into(), count);
        } else {
            self.partial = true;
        }
    }

    #[expect(
        clippy::iter_over_hash_type,
        reason = "sums are the same in any order, and where names are left out that is told"
    )]
    fn merge(&mut self, names: HashMap<Box<str>, u64>) {
        if self.names.is_empty() {
            self.names = names;
            return;
        }
        for (name, count) in names {
            self.add(&name, count);
        }
    }

    /// Counts flows for each name that they have, however often.
    fn add_list(&mut self, list: &str, count: u64) {
        let names: BTreeSet<_> = names::split(list).collect();
        for name in names {
            self.add(&name, count);
        }
    }

    fn first(self, names_max: usize) -> Facets {
        let mut names: Vec<(Box<str>, u64)> = self.names.into_iter().collect();
        let distinct = names.len();
        let order = |(one, more): &(Box<str>, u64), (other, less): &(Box<str>, u64)| {
            Reverse(more)
                .cmp(&Reverse(less))
                .then_with(|| compare_names(one, other))
        };
        if names_max < names.len() {
            names.select_nth_unstable_by(names_max, order);
            names.truncate(names_max);
        }
        names.sort_unstable_by(order);
        let names = names
            .into_iter()
            .map(|(name, count)| (name.into(), count))
            .collect();
        Facets {
            names,
            unknown: self.unknown,
            distinct,
            partial: self.partial,
        }
    }
}
