//! Pages: the first flows of an order that a filter selects.
//!
//! Whatever the direction, the flows of a page have the greatest *places*: a known value comes before an unknown
//! one, then the value counts, then the id, both with their bits turned where the smallest come first. A zone map
//! says what a block's greatest place can be. Blocks are read from the most promising one on, until none can hold
//! a place greater than those found, and only the ids of rows that can be on the page are looked at.
//!
//! Codes of names mean something within one segment only: each segment gives its own first flows, which are then
//! put in order by their names.

use std::cmp::{Ordering, Reverse};

use flow_model::FlowId;
use flow_query::Field;

use super::bitmap::number;
use super::block::{Codes, Mask, Rows as CodeRows, Zone};
use super::file::ColumnError;
use super::names::Names;
use super::scan::{Part, Rows, Scan, list};
use super::source::Source;
use super::{Column, compare_names, from_ordered, halves, joined, ordered};

/// Rows of a page: the most that lists show, and one that tells whether there are more.
const PAGE_ROWS_MAX: usize = 1001;

/// What flows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Number(i64),
    /// A name, or names joined as a column holds them.
    Name(String),
}

/// The flow that a page begins behind: its key, none where that is unknown, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) key: Option<Key>,
    pub(crate) id: FlowId,
}

/// Which page is asked for.
#[derive(Clone, Debug)]
pub(crate) struct PageQuery {
    pub(crate) sort: Field,
    pub(crate) descending: bool,
    pub(crate) after: Option<After>,
    /// How many flows, 1,001 at most.
    pub(crate) limit: usize,
}

/// A flow on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Which part of the scan it is in.
    pub(crate) part: usize,
    pub(crate) n: i64,
    pub(crate) id: FlowId,
    pub(crate) key: Option<Key>,
}

/// Where a flow stands; the greatest come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    known: bool,
    value: u64,
    id: (u64, u64),
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    place: Place,
    part: usize,
    slot: usize,
}

/// The candidates with the greatest places.
struct Top {
    limit: usize,
    found: Vec<Candidate>,
    /// What a place must be above to count, once there are enough.
    least: Option<Place>,
    /// What it must be below.
    after: Option<Place>,
    /// All bits where the smallest come first.
    turn: u64,
}

// === impl Scan ===

impl<'a> Scan<'a> {
    /// Returns a page of the flows that are selected.
    pub(crate) fn page(&self, query: &PageQuery) -> Result<Vec<Hit>, ColumnError> {
        let limit = query.limit.clamp(1, PAGE_ROWS_MAX);
        if Column::Field(query.sort).has_names() {
            return self.page_by_name(query, limit);
        }
        let turn = if query.descending { 0 } else { u64::MAX };
        let after = query.after.as_ref().map(|after| {
            let value = match after.key {
                Some(Key::Number(number)) => Some(ordered(number)),
                Some(Key::Name(_)) | None => None,
            };
            Place::new(value, halves(after.id), turn)
        });
        let mut top = Top::new(limit, turn, after);
        for (bound, at, part) in self.promising_first(query.sort, turn) {
            if top.is_full_above(bound) {
                break;
            }
            if let Some(mut rows) = self.rows(part)? {
                let column = Column::Field(query.sort);
                top.search(at, column, None, &mut rows)?;
            }
        }
        let hit = |candidate: Candidate| {
            let place = candidate.place;
            Hit {
                part: candidate.part,
                n: number(candidate.slot),
                id: place.flow(turn),
                key: place
                    .known
                    .then(|| Key::Number(from_ordered(place.value ^ turn))),
            }
        };
        Ok(top.finish().into_iter().map(hit).collect())
    }

    /// Returns the parts with the greatest places first, and places that are not below any in them.
    fn promising_first(&self, sort: Field, turn: u64) -> Vec<(Place, usize, &Part<'a>)> {
        let mut parts = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            let blocks = 0..part.source.blocks();
            let bounds =
                blocks.map(|block| bound(part.source, Column::Field(sort), None, block, turn));
            if let Some(bound) = bounds.max() {
                parts.push((bound, at, part));
            }
        }
        parts.sort_by_key(|(bound, ..)| Reverse(*bound));
        parts
    }

    fn page_by_name(&self, query: &PageQuery, limit: usize) -> Result<Vec<Hit>, ColumnError> {
        let mut hits: Vec<Hit> = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            let Some(mut rows) = self.rows(part)? else {
                continue;
            };
            let least = hits
                .get(limit - 1)
                .map(|hit| (hit.key.as_ref(), halves(hit.id)));
            let found = first_by_name(at, part, query, least, &mut rows)?;
            if !found.is_empty() {
                hits.extend(found);
                hits.sort_by(|one, other| compare_hits(one, other, query.descending));
                hits.truncate(limit);
            }
        }
        Ok(hits)
    }
}

/// Returns the first flows of one segment. They come before `least`, where there are enough already.
fn first_by_name(
    at: usize,
    part: &Part<'_>,
    query: &PageQuery,
    least: Option<(Option<&Key>, (u64, u64))>,
    rows: &mut Rows<'_>,
) -> Result<Vec<Hit>, ColumnError> {
    let column = Column::Field(query.sort);
    let turn = if query.descending { 0 } else { u64::MAX };
    let (names, ranks) = match part.source.names(column)? {
        names @ Names::Live(_) => {
            let (dictionary, ranks) = names.sorted(|_| true);
            (Names::Sorted(dictionary), Some(ranks))
        }
        names @ Names::Sorted(_) => (names, None),
    };
    let limit = query.limit.clamp(1, PAGE_ROWS_MAX);
    let after = query.after.as_ref();
    let after =
        after.and_then(|after| place_of(&names, after.key.as_ref(), halves(after.id), turn));
    let mut top = Top::new(limit, turn, after);
    if let Some((key, id)) = least {
        // Where every name comes before it, it sets no limit; only what is unknown is left out then.
        let all_known = Place {
            known: true,
            value: 0,
            id: (0, 0),
        };
        top.least = Some(place_of(&names, key, id, turn).unwrap_or(all_known));
    }
    top.search(at, column, ranks.as_deref(), rows)?;
    let hit = |candidate: Candidate| {
        let place = candidate.place;
        let name = || names.name(place.value ^ turn);
        let damaged = || match part.source {
            Source::File(file) => Some(file.damaged(column)),
            Source::Live(_) => None,
        };
        let key = match (place.known, name()) {
            (false, _) => None,
            (true, Some(name)) => Some(Key::Name(name.to_owned())),
            (true, None) => return damaged().map_or(Ok(None), Err),
        };
        Ok(Some(Hit {
            part: at,
            n: number(candidate.slot),
            id: place.flow(turn),
            key,
        }))
    };
    let found = top.finish().into_iter().map(hit);
    found.filter_map(Result::transpose).collect()
}

/// Returns the place among a segment's names that a key has, or the greatest one behind it that a flow with
/// another name could have; none where every name stands behind it.
fn place_of(names: &Names, key: Option<&Key>, id: (u64, u64), turn: u64) -> Option<Place> {
    let Some(Key::Name(name)) = key else {
        return Some(Place::new(None, id, turn));
    };
    let between = |value: u64| Place {
        known: true,
        value,
        id: (0, 0),
    };
    match names.find(name) {
        Ok(code) => Some(Place::new(Some(code), id, turn)),
        Err(behind) if turn == 0 => Some(between(behind)),
        Err(behind) => behind.checked_sub(1).map(|before| between(before ^ turn)),
    }
}

fn compare_hits(one: &Hit, other: &Hit, descending: bool) -> Ordering {
    let turn = |order: Ordering| {
        if descending { order.reverse() } else { order }
    };
    let keys = match (&one.key, &other.key) {
        (Some(Key::Name(one)), Some(Key::Name(other))) => turn(compare_names(one, other)),
        (one, other) => other.is_some().cmp(&one.is_some()),
    };
    keys.then_with(|| turn(one.id.cmp(&other.id)))
}

// === impl Place ===

impl Place {
    const fn new(value: Option<u64>, (high, low): (u64, u64), turn: u64) -> Self {
        let (known, value) = match value {
            Some(value) => (true, value ^ turn),
            None => (false, 0),
        };
        Self {
            known,
            value,
            id: (high ^ turn, low ^ turn),
        }
    }

    fn flow(self, turn: u64) -> FlowId {
        joined((self.id.0 ^ turn, self.id.1 ^ turn))
    }
}

/// Returns a place that is not below any of a block.
fn bound(source: &Source, column: Column, ranks: Option<&[u32]>, block: usize, turn: u64) -> Place {
    let best = |zone: Zone| if turn == 0 { zone.max } else { zone.min };
    let zone = sorted_zone(source.zone(column, block), ranks);
    let ids = source.zone(Column::IdHigh, block);
    Place {
        known: zone.is_known(),
        value: if zone.is_known() {
            best(zone) ^ turn
        } else {
            0
        },
        id: (best(ids) ^ turn, u64::MAX),
    }
}

/// Returns the zone of ranks: any of them where codes do not sort as their names.
fn sorted_zone(zone: Zone, ranks: Option<&[u32]>) -> Zone {
    match ranks {
        Some(ranks) if zone.is_known() => Zone {
            min: 0,
            max: ranks.len() as u64,
            unknown: zone.unknown,
        },
        _ => zone,
    }
}

// === impl Top ===

impl Top {
    const fn new(limit: usize, turn: u64, after: Option<Place>) -> Self {
        Self {
            limit,
            found: Vec::new(),
            least: None,
            after,
            turn,
        }
    }

    /// Looks through one segment.
    fn search(
        &mut self,
        part: usize,
        column: Column,
        ranks: Option<&[u32]>,
        rows: &mut Rows<'_>,
    ) -> Result<(), ColumnError> {
        let source = rows.source;
        let mut blocks: Vec<(Place, usize)> = (0..source.blocks())
            .map(|block| (bound(source, column, ranks, block, self.turn), block))
            .collect();
        blocks.sort_unstable_by_key(|(bound, _)| Reverse(*bound));
        let (mut ranked, mut numbers) = (Vec::new(), Vec::new());
        let (mut values, mut ids) = (Vec::new(), Vec::new());
        for (bound, block) in blocks {
            // What is unknown comes last, so a bound that is too low is too low for all of the block.
            if self.is_full_above(bound) {
                return Ok(());
            }
            if self.is_before(sorted_zone(source.zone(column, block), ranks)) {
                continue;
            }
            let Some(mut mask) = rows.select(block)? else {
                continue;
            };
            rows.reader.load(column, block)?;
            let codes = rows.reader.loaded(column, block);
            let codes = rank(codes, ranks, &mut ranked);
            self.narrow(&codes, bound.id, &mut mask);
            if mask.iter().all(|word| *word == 0) {
                continue;
            }
            list(&mask, &mut numbers);
            values.clear();
            values.extend(numbers.iter().map(|row| codes.at(*row as usize)));
            ids.clear();
            rows.reader.ids(block, &numbers, &mut ids)?;
            let first = block * super::BLOCK_ROWS;
            for ((row, value), id) in numbers.iter().zip(&values).zip(&ids) {
                self.add(
                    part,
                    first + *row as usize,
                    Place::new(*value, *id, self.turn),
                );
            }
            self.choose();
        }
        Ok(())
    }

    /// Returns whether there are enough flows already that come before this place.
    fn is_full_above(&self, place: Place) -> bool {
        self.least.is_some_and(|least| place < least)
    }

    /// Returns whether all of a block comes before the page.
    fn is_before(&self, zone: Zone) -> bool {
        let worst = if self.turn == 0 { zone.min } else { zone.max };
        !zone.unknown
            && self
                .after
                .is_some_and(|after| !after.known || worst ^ self.turn > after.value)
    }

    /// Leaves the rows whose values may be on the page, where no id of the block is above `id`.
    fn narrow(&self, codes: &Codes<'_>, id: (u64, u64), mask: &mut Mask) {
        let greatest = match self.after {
            Some(after) if after.known => Some(after.value),
            Some(_) => None,
            None => Some(u64::MAX),
        };
        let (least, unknown) = match self.least {
            // Among equal values the id counts.
            Some(least) if least.known && id < least.id => (least.value.saturating_add(1), false),
            Some(least) if least.known => (least.value, false),
            Some(least) => (0, id >= least.id),
            None => (0, true),
        };
        let mut fits = [0; super::BLOCK_ROWS / 64];
        if let Some(greatest) = greatest {
            let (one, other) = (least ^ self.turn, greatest ^ self.turn);
            codes.between(one.min(other), one.max(other), &mut fits);
            if least > greatest {
                fits.fill(0);
            }
        }
        if unknown {
            let mut known = [0; super::BLOCK_ROWS / 64];
            codes.known(&mut known);
            super::plan::combine(&mut fits, &known, |fits, known| fits | !known);
        }
        super::plan::combine(mask, &fits, |one, other| one & other);
    }

    fn add(&mut self, part: usize, slot: usize, place: Place) {
        let fits = self.after.is_none_or(|after| place < after)
            && self.least.is_none_or(|least| place > least);
        if fits {
            self.found.push(Candidate { place, part, slot });
        }
    }

    /// Leaves the greatest.
    fn choose(&mut self) {
        let last = self.limit - 1;
        if self.found.len() <= last {
            return;
        }
        let greatest = |candidate: &Candidate| Reverse(candidate.place);
        let (_, candidate, _) = self.found.select_nth_unstable_by_key(last, greatest);
        self.least = Some(candidate.place);
        self.found.truncate(self.limit);
    }

    fn finish(mut self) -> Vec<Candidate> {
        self.found
            .sort_unstable_by_key(|candidate| Reverse(candidate.place));
        self.found.truncate(self.limit);
        self.found
    }
}

/// Returns codes that sort as their names.
fn rank<'a>(codes: Codes<'a>, ranks: Option<&[u32]>, ranked: &'a mut Vec<u32>) -> Codes<'a> {
    let Some(ranks) = ranks else { return codes };
    let rank = |code: u64| match code {
        0 => 0,
        code => {
            let value = usize::try_from(codes.value(code)).ok();
            value
                .and_then(|value| ranks.get(value))
                .map_or(0, |rank| rank + 1)
        }
    };
    ranked.clear();
    match codes.rows {
        CodeRows::Narrow(codes) => ranked.extend(codes.iter().map(|code| rank(u64::from(*code)))),
        CodeRows::Wide(codes) => ranked.extend(codes.iter().map(|code| rank(*code))),
    }
    Codes {
        rows: CodeRows::Narrow(ranked),
        origin: u64::MAX,
        scale: 1,
    }
}
