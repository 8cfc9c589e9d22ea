//! What tells rows of a block apart, and rows put in the order of their groups.

use super::super::block::{Codes, Rows as CodeRows};
use super::super::names::Names;
use super::super::scan::Rows;
use super::super::source::Source;
use super::super::{Column, Field, from_ordered, plan};
use super::{GroupBy, GroupValue};

/// Something by which rows of a block are told apart.
pub(super) enum Dimension<'a> {
    /// All of them have this.
    Same(GroupValue),
    Names {
        codes: Codes<'a>,
        names: &'a Names,
        min: u64,
        max: u64,
    },
    Flag {
        codes: Codes<'a>,
        bit: u64,
    },
    Time {
        codes: Codes<'a>,
        first: i64,
        count: u64,
        span: Span,
    },
}

/// Spans of time.
#[derive(Clone, Copy)]
pub(super) struct Span {
    width: i64,
    offset: i64,
}

/// Rows of a block, those of one group behind each other.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) rows: Vec<u32>,
    /// Where the rows of each group end.
    pub(super) ends: Vec<(u32, usize)>,
    /// The combination of values that each row has.
    codes: Vec<u32>,
    /// Where the next row with each combination goes.
    places: Vec<u32>,
}

// === impl GroupBy ===

impl GroupBy {
    pub(super) const fn column(&self) -> Column {
        match self {
            Self::Name(field) => Column::Field(*field),
            Self::Flag(_) => Column::Flags,
            Self::Time { .. } => Column::Field(Field::StartedAt),
        }
    }

    pub(super) fn dimension<'a>(
        &self,
        source: &Source,
        names: Option<&'a Names>,
        rows: &'a Rows<'_>,
        block: usize,
    ) -> Dimension<'a> {
        let zone = source.zone(self.column(), block);
        let codes = rows.reader.loaded(self.column(), block);
        match (self, names) {
            _ if !zone.is_known() => Dimension::Same(GroupValue::Unknown),
            (Self::Name(_), Some(names)) if zone.min == zone.max && !zone.unknown => {
                Dimension::Same(name_of(names, zone.min))
            }
            (Self::Name(_), Some(names)) => Dimension::Names {
                codes,
                names,
                min: zone.min,
                max: zone.max,
            },
            (Self::Name(_), None) => Dimension::Same(GroupValue::Unknown),
            (Self::Flag(flag), _) => Dimension::Flag {
                codes,
                bit: plan::bit(*flag),
            },
            (
                Self::Time {
                    width_us,
                    offset_us,
                },
                _,
            ) => {
                let span = Span {
                    width: (*width_us).max(1),
                    offset: *offset_us,
                };
                let first = span.number(from_ordered(zone.min));
                let last = span.number(from_ordered(zone.max));
                if first == last {
                    Dimension::Same(GroupValue::Time(span.begin(first)))
                } else {
                    let count = last.abs_diff(first).saturating_add(1);
                    Dimension::Time {
                        codes,
                        first,
                        count,
                        span,
                    }
                }
            }
        }
    }
}

fn name_of(names: &Names, code: u64) -> GroupValue {
    names
        .name(code)
        .map_or(GroupValue::Unknown, |name| GroupValue::Name(name.into()))
}

// === impl Span ===

impl Span {
    const fn number(self, time: i64) -> i64 {
        time.saturating_add(self.offset).div_euclid(self.width)
    }

    const fn begin(self, number: i64) -> i64 {
        number
            .saturating_mul(self.width)
            .saturating_sub(self.offset)
    }
}

// === impl Dimension ===

impl Dimension<'_> {
    /// Returns how many values rows of the block can have.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Same(_) => 1,
            Self::Names { min, max, .. } => (max - min).saturating_add(2),
            Self::Flag { .. } => 2,
            Self::Time { count, .. } => *count,
        }
    }

    /// Returns the number of a row's value in the block.
    fn local(&self, row: usize) -> u64 {
        match self {
            Self::Same(_) => 0,
            Self::Names { codes, min, .. } => codes.at(row).map_or(0, |value| value - min + 1),
            Self::Flag { codes, bit } => {
                u64::from(codes.at(row).is_some_and(|bits| bits & bit != 0))
            }
            Self::Time {
                codes, first, span, ..
            } => codes
                .at(row)
                .map_or(0, |time| span.number(from_ordered(time)).abs_diff(*first)),
        }
    }

    /// Puts the number of each row's value behind what tells groups apart already.
    pub(super) fn combine(&self, rows: &[u32], groups: &mut [u32]) {
        if let Self::Same(_) = self {
            return;
        }
        let size = u32::try_from(self.size()).unwrap_or(u32::MAX);
        if let Self::Names { codes, min, .. } = self
            && let CodeRows::Narrow(narrow) = codes.rows
        {
            // In a file codes count from the smallest one of the block, and this is 0.
            let shift = codes.origin.wrapping_add(1).wrapping_sub(*min);
            for (group, row) in groups.iter_mut().zip(rows) {
                let code = narrow.get(*row as usize).copied().unwrap_or_default();
                let local = match code {
                    0 => 0,
                    code => u64::from(code).wrapping_add(shift),
                };
                *group = *group * size + u32::try_from(local).unwrap_or_default();
            }
            return;
        }
        let whole = |local: u64| u32::try_from(local).unwrap_or_default();
        for (group, row) in groups.iter_mut().zip(rows) {
            *group = *group * size + whole(self.local(*row as usize));
        }
    }

    pub(super) fn value(&self, row: usize) -> GroupValue {
        match self {
            Self::Same(value) => value.clone(),
            Self::Names { codes, names, .. } => codes
                .at(row)
                .map_or(GroupValue::Unknown, |code| name_of(names, code)),
            Self::Flag { codes, bit } => {
                GroupValue::Flag(codes.at(row).is_some_and(|bits| bits & bit != 0))
            }
            Self::Time { codes, span, .. } => codes.at(row).map_or(GroupValue::Unknown, |time| {
                GroupValue::Time(span.begin(span.number(from_ordered(time))))
            }),
        }
    }
}

// === impl Runs ===

impl Runs {
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.ends.clear();
    }

    /// Sorts rows by the number of their combination of values, of which there are `size`.
    pub(super) fn sort(&mut self, dimensions: &[Dimension<'_>], rows: &[u32], size: usize) {
        self.codes.clear();
        self.codes.resize(rows.len(), 0);
        for dimension in dimensions {
            dimension.combine(rows, &mut self.codes);
        }
        self.places.clear();
        self.places.resize(size, 0);
        for code in &self.codes {
            if let Some(count) = self.places.get_mut(*code as usize) {
                *count += 1;
            }
        }
        let mut end = 0;
        for place in &mut self.places {
            let count = std::mem::replace(place, end);
            end += count;
            if count > 0 {
                self.ends.push((0, end as usize));
            }
        }
        self.rows.resize(rows.len(), 0);
        for (row, code) in rows.iter().zip(&self.codes) {
            let Some(place) = self.places.get_mut(*code as usize) else {
                continue;
            };
            if let Some(to) = self.rows.get_mut(*place as usize) {
                *to = *row;
            }
            *place += 1;
        }
    }

    /// Returns each group with its rows.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let mut start = 0;
        self.ends.iter().map(move |(group, end)| {
            let rows = self.rows.get(start..*end).unwrap_or_default();
            start = *end;
            (*group, rows)
        })
    }
}
