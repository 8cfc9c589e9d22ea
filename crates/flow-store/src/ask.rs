//! Answers questions about flows: lists, counts and statistics, each over one moment of the store.
//!
//! At that moment every flow is in one place: in memory alone while it runs, ends or cannot be stored, and in the
//! columns of its segment from the moment on at which it is settled. Memory's lock is held while both are taken
//! down, which copies pointers; the scan then needs no lock. Flows in memory become columns for the time of the
//! question, so that one evaluator answers for all of them.
//!
//! Columns of a sealed segment that are missing or damaged are left out, which the answer says, until the sealer
//! has made them again; a store that is only read makes them itself, up to [`MADE_SHEETS_MAX`] of them.
//!
//! Length: one question from the moment it is taken down to its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::Row;
use flow_query::{Checked, Field, Needle, Scope, Test, Texts};

use crate::columns::{
    After, Bitmap, Buckets, ColumnError, Facets, GroupBy, Groups, LINEAR_BUCKETS_MAX, LiveColumns,
    Measure, PageQuery, Part, Scan, Source, Spread,
};
use crate::index::TextIndex;
use crate::list::{Counted, Cursor, LIST_ROWS_MAX, ListQuery, Page, Sort};
use crate::memory::Memory;
use crate::read::{Archive, ReadError};
use crate::registry::Registry;
use crate::rows;
use crate::seal;
use crate::segment::Segment;
use crate::select::{self, TextTest};
use crate::sheet::Shown;
use crate::text::Budget;

/// Sealed segments whose columns a store that is only read keeps in memory: of each some 20 MB.
const MADE_SHEETS_MAX: usize = 8;
/// Powers of two that numbers can span.
const POWERS_MAX: u32 = 64;
/// Bits behind the first that tell logarithmic buckets apart.
const BUCKET_BITS_MAX: u32 = 7;

/// Texts of one segment that a question decodes.
const TEXT_CHECKS_MAX: usize = 20_000;
/// How long a question looks at texts; what it has not come to by then is left out, which the answer says.
const TEXT_TIME_MAX: Duration = Duration::from_millis(300);

/// How the buckets of a histogram grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// All have the same width.
    #[default]
    Linear,
    /// Each is wider than the one before it, by powers of two.
    Log,
}

/// Where questions are answered from.
pub(crate) struct Ask<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) archive: &'a Archive,
    pub(crate) index: &'a TextIndex,
}

/// The store as it was at one moment, as far as one filter is concerned.
struct Moment<'a> {
    registry: &'a Registry,
    filter: &'a Checked,
    /// Flows that are in memory alone and that the filter selects. The first has the number 1.
    rows: Vec<Arc<Row>>,
    sources: Vec<Origin>,
    /// What each test of text in the filter selects, source by source.
    texts: TextSets,
    /// All flows that there are.
    total: u64,
    partial: bool,
}

/// A source, and where the rows behind it are: in a segment or, without one, in memory.
pub(crate) struct Origin {
    pub(crate) segment: Option<Arc<Segment>>,
    pub(crate) shown: Shown,
}

// === impl Ask ===

impl<'a> Ask<'a> {
    /// Returns the page that `query` asks for.
    pub(crate) fn list(&self, query: &'a ListQuery) -> Result<Page, ReadError> {
        let sort = query.sort;
        let mut after = match &query.cursor {
            Some(cursor) => Some(self.place(cursor, sort)?),
            None => None,
        };
        let limit = query.limit.clamp(1, LIST_ROWS_MAX);
        let mut moment = self.moment(&query.filter)?;
        let total = if query.filter.asks_text() {
            None
        } else {
            Some(moment.count())
        };
        let mut found: Vec<Row> = Vec::new();
        let more = loop {
            // One more than asked for tells whether there is another page.
            let wanted = limit - found.len();
            let page = PageQuery {
                sort: sort.field,
                descending: sort.descending,
                after: after.take(),
                limit: wanted + 1,
            };
            let mut hits = moment.scan(|scan| scan.page(&page));
            let more = hits.len() > wanted;
            hits.truncate(wanted);
            after = hits.last().map(|hit| After {
                key: hit.key.clone(),
                id: hit.id,
            });
            let places: Vec<(usize, i64)> = hits.iter().map(|hit| (hit.part, hit.n)).collect();
            let rows = moment.rows(&places)?.into_iter();
            // A row that is hurt, or was removed since, is left out; the rest of the list is not.
            let rows = rows.zip(&hits).filter_map(|(row, hit)| Some((row?, hit)));
            found.extend(
                rows.filter(|(row, hit)| row.id == hit.id)
                    .map(|(row, _)| row),
            );
            if !more || found.len() >= limit {
                break more;
            }
        };
        Ok(Page {
            rows: found,
            next: after
                .filter(|_| more)
                .map(|after| Cursor::write(&after, sort)),
            total,
            partial: moment.partial,
        })
    }

    /// Returns how many flows a filter selects.
    pub(crate) fn count(&self, filter: &'a Checked) -> Result<Counted, ReadError> {
        let mut moment = self.moment(filter)?;
        Ok(Counted {
            flows: moment.count(),
            partial: moment.partial && !is_everything(filter),
        })
    }

    /// Returns what the numbers of groups of flows come to.
    pub(crate) fn groups(
        &self,
        filter: &'a Checked,
        by: &[GroupBy],
        measures: &[Measure],
    ) -> Result<Groups, ReadError> {
        let mut moment = self.moment(filter)?;
        let groups = moment.scan(|scan| scan.groups(by, measures));
        Ok(Groups {
            partial: moment.partial,
            ..groups
        })
    }

    /// Returns the names that most flows have, of each of some fields.
    pub(crate) fn facets(
        &self,
        filter: &'a Checked,
        fields: &[Field],
        names_max: usize,
    ) -> Result<Vec<Facets>, ReadError> {
        let mut moment = self.moment(filter)?;
        let facets = fields.iter().map(|field| {
            let facets = moment.scan(|scan| scan.facets(*field, names_max));
            Facets {
                partial: facets.partial || moment.partial,
                ..facets
            }
        });
        Ok(facets.collect())
    }

    /// Returns how the numbers of a field are spread, over so many buckets at most.
    pub(crate) fn histogram(
        &self,
        filter: &'a Checked,
        field: Field,
        scale: Scale,
        buckets: usize,
    ) -> Result<Spread, ReadError> {
        let mut moment = self.moment(filter)?;
        let range = moment.scan(|scan| scan.range(field));
        let buckets = buckets_of(range.unwrap_or_default(), scale, buckets);
        let mut spread = moment.scan(|scan| scan.spread(field, buckets));
        if range.is_none() {
            spread.buckets.clear();
        }
        Ok(Spread {
            partial: moment.partial,
            ..spread
        })
    }

    /// Makes the columns of every segment, so that no list lacks any that can be made.
    pub(crate) fn prepare(&self) -> Result<(), ReadError> {
        for segment in self.archive.registry.all().iter() {
            let sheet = &segment.sheet;
            if !sheet.is_missing() {
                continue;
            }
            if segment.is_sealed() && self.archive.registry.dir.is_some() {
                // One after the other, so that they do not all stand in memory.
                if let Err(error) = seal::make_file(segment) {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, segment = segment.name(), "columns cannot be made");
                }
            } else {
                let made = sheet.make(&sheet.turn(), || rows::columns(segment));
                unless_hurt(segment, made)?;
            }
        }
        Ok(())
    }

    /// Takes down what there is.
    fn moment(&self, filter: &'a Checked) -> Result<Moment<'a>, ReadError> {
        let registry = &*self.archive.registry;
        self.make_sheets()?;
        let wanted = |row: &Row| filter.matches(row, &Texts::default());
        let (rows, total, (mut sources, complete)) = self.memory.beside_columns(wanted, || {
            let (mut sources, mut complete) = (Vec::new(), true);
            let mut shown = Vec::new();
            for segment in registry.all().iter() {
                complete &= segment.sheet.show(&mut shown);
                sources.extend(shown.drain(..).map(|shown| Origin {
                    segment: Some(Arc::clone(segment)),
                    shown,
                }));
            }
            (sources, complete)
        });
        if !complete {
            registry.signal.raise();
        }
        for origin in &mut sources {
            let deleted = origin.segment.as_deref().and_then(deleted);
            if let Some(deleted) = deleted {
                let hidden = &mut origin.shown.hidden;
                *hidden = Some(match hidden.take() {
                    Some(hidden) => Arc::new(hidden.with(&deleted)),
                    None => deleted,
                });
            }
        }
        if !rows.is_empty() {
            sources.insert(0, in_memory(&rows));
        }
        let (texts, whole) = texts_of(filter, &sources, self.index);
        Ok(Moment {
            registry,
            filter,
            rows,
            texts,
            sources,
            total,
            partial: !complete || !whole,
        })
    }

    /// Makes the columns that are missing and that nobody else makes.
    fn make_sheets(&self) -> Result<(), ReadError> {
        let registry = &self.archive.registry;
        let all = registry.all();
        let made = |segment: &&Arc<Segment>| segment.is_sealed() && segment.sheet.is_live();
        let mut room = MADE_SHEETS_MAX.saturating_sub(all.iter().filter(made).count());
        for segment in all.iter() {
            let sheet = &segment.sheet;
            let sealed = segment.is_sealed();
            // The sealer makes those of sealed segments, where there is one.
            let wanted = !sealed || (registry.dir.is_none() && room > 0);
            if wanted && sheet.is_missing() {
                room = room.saturating_sub(usize::from(sealed));
                let made = sheet.make(&sheet.turn(), || rows::columns(segment));
                unless_hurt(segment, made)?;
            }
        }
        Ok(())
    }

    /// Returns the place that a cursor names.
    fn place(&self, cursor: &str, sort: Sort) -> Result<After, ReadError> {
        match Cursor::read(cursor, sort).ok_or(ReadError::BadCursor)? {
            Cursor::At(place) => Ok(place),
            Cursor::Of(id) => {
                let row = match self.memory.row(id) {
                    Some(row) => Some(row),
                    None => self.archive.row(id)?,
                };
                let place = row.map(|row| sort.place(&row));
                place.ok_or(ReadError::BadCursor)
            }
        }
    }
}

/// Passes an error on that is not one of the segment's file.
fn unless_hurt(segment: &Segment, done: Result<(), rusqlite::Error>) -> Result<(), ReadError> {
    match done.map_err(ReadError::from) {
        Err(error) if error.is_of_file() => {
            tracing::warn!(%error, segment = segment.name(), "rows cannot be listed");
            Ok(())
        }
        done => done,
    }
}

/// Returns the flows of a segment that were deleted but still stand in its columns.
fn deleted(segment: &Segment) -> Option<Arc<Bitmap>> {
    let buried = segment.buried();
    if buried.is_empty() {
        return None;
    }
    let mut deleted = Bitmap::default();
    buried.keys().for_each(|n| deleted.insert(*n));
    Some(Arc::new(deleted))
}

/// What the tests of text in a filter select, source by source and in the order in which a reader of the filter
/// meets the tests; none where that cannot be answered.
type TextSets = Vec<Vec<Option<Bitmap>>>;

/// Returns what the tests of text in a filter select, and whether all texts were looked at that had to be. Text of
/// flows in memory is not searched.
fn texts_of(filter: &Checked, sources: &[Origin], index: &TextIndex) -> (TextSets, bool) {
    let mut tests = Vec::new();
    text_tests(filter, &mut tests);
    let budget = Budget {
        checks_max: TEXT_CHECKS_MAX,
        deadline: Instant::now() + TEXT_TIME_MAX,
    };
    let mut whole = true;
    let mut texts: TextSets = Vec::with_capacity(sources.len());
    for (at, origin) in sources.iter().enumerate() {
        let Some(segment) = &origin.segment else {
            texts.push(vec![Some(Bitmap::default()); tests.len()]);
            continue;
        };
        // A file and the late rows beside it are of one segment.
        let before = at.checked_sub(1).and_then(|before| sources.get(before));
        let same = before
            .and_then(|before| before.segment.as_ref())
            .is_some_and(|before| before.number == segment.number);
        if let Some(same) = texts.last().filter(|_| same) {
            texts.push(same.clone());
            continue;
        }
        let answers = tests.iter().map(|test| {
            let found = selected(index, segment, test, budget)?;
            whole &= !found.1;
            Some(found.0)
        });
        let answers: Vec<_> = answers.collect();
        whole &= answers.iter().all(Option::is_some);
        texts.push(answers);
    }
    (texts, whole)
}

/// Returns the flows of a segment that hold a text, and whether there may be more; none where that cannot be said.
fn selected(
    index: &TextIndex,
    segment: &Segment,
    (scope, needle): &(Scope, Option<Needle>),
    budget: Budget,
) -> Option<(Bitmap, bool)> {
    // What is nothing but white space stands in no text.
    let Some(needle) = needle else {
        return Some((Bitmap::default(), false));
    };
    if Instant::now() >= budget.deadline {
        return None;
    }
    let buried = segment.buried();
    let shows = |n: i64| !buried.contains_key(&n);
    let test = TextTest {
        needle,
        scope: *scope,
    };
    match select::select(index, segment, test, &shows, budget) {
        Ok(found) => {
            let mut numbers = Bitmap::default();
            found.numbers.iter().for_each(|n| numbers.insert(*n));
            Some((numbers, found.partial))
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, segment = segment.name(), "texts cannot be searched");
            None
        }
    }
}

/// Adds the tests of text in a filter to `tests`.
fn text_tests(filter: &Checked, tests: &mut Vec<(Scope, Option<Needle>)>) {
    match filter {
        Checked::All(parts) | Checked::Any(parts) => {
            for part in parts {
                text_tests(part, tests);
            }
        }
        Checked::Not(part) => text_tests(part, tests),
        Checked::Test(Test::Text(scope, needle)) => tests.push((*scope, Needle::new(needle))),
        Checked::Test(_) => {}
    }
}

fn is_everything(filter: &Checked) -> bool {
    *filter == Checked::everything()
}

/// Returns columns of rows in memory.
fn in_memory(rows: &[Arc<Row>]) -> Origin {
    let mut columns = LiveColumns::new();
    for (n, row) in (1..).zip(rows) {
        if let Err(error) = columns.set(n, row) {
            tracing::warn!(flow = %row.id, %error, "a flow is not listed");
        }
    }
    Origin {
        segment: None,
        shown: Shown {
            source: Source::Live(columns.view()),
            hidden: None,
        },
    }
}

/// Returns so many buckets at most for values from `min` to `max`.
fn buckets_of((min, max): (i64, i64), scale: Scale, buckets: usize) -> Buckets {
    let count = buckets.clamp(1, LINEAR_BUCKETS_MAX);
    let values = u128::from(max.abs_diff(min)) + 1;
    if scale == Scale::Linear {
        let width = i64::try_from(values.div_ceil(count as u128)).unwrap_or(i64::MAX);
        // Few different values need few buckets.
        let needed = values.div_ceil(u128::from(width.unsigned_abs()));
        let count = usize::try_from(needed).map_or(count, |needed| needed.min(count));
        return Buckets::Linear { min, width, count };
    }
    let power = |number: i64| number.unsigned_abs().checked_ilog2().unwrap_or(0);
    let signs = u32::from(min < 0 && max >= 0) + 1;
    let powers = if signs == 1 {
        power(max).abs_diff(power(min)) + 1
    } else {
        power(max) + power(min) + 2
    };
    let powers = powers.min(2 * POWERS_MAX) as usize;
    let fits = |bits: &u32| powers << *bits <= count;
    let bits = (0..=BUCKET_BITS_MAX).rev().find(fits).unwrap_or(0);
    Buckets::Log { bits }
}

// === impl Moment ===

impl Moment<'_> {
    fn count(&mut self) -> u64 {
        if is_everything(self.filter) {
            self.total
        } else {
            self.scan(|scan: &Scan<'_>| Scan::count(scan))
        }
    }

    /// Returns the rows at these places, each a source and a number there.
    fn rows(&mut self, places: &[(usize, i64)]) -> Result<Vec<Option<Row>>, ReadError> {
        let mut sources: BTreeMap<usize, Vec<(usize, i64)>> = BTreeMap::new();
        for (at, (source, n)) in places.iter().enumerate() {
            sources.entry(*source).or_default().push((at, *n));
        }
        let mut found: BTreeMap<usize, Row> = BTreeMap::new();
        for (source, places) in sources {
            let origin = self.sources.get(source);
            if let Some(segment) = origin.and_then(|origin| origin.segment.as_ref()) {
                let numbers = places.iter().map(|(_, n)| *n);
                let read = segment.read(|connection| {
                    let rows = numbers.map(|n| rows::one(connection, n));
                    rows.collect::<Result<Vec<_>, _>>()
                });
                // A segment that is hurt or gone costs its own rows, and not the list.
                self.partial |= read.is_err();
                let read = read.map(|read| {
                    let rows = places.iter().zip(read);
                    found.extend(rows.filter_map(|((at, _), row)| Some((*at, row?))));
                });
                unless_hurt(segment, read)?;
            } else {
                let row = |n: i64| self.rows.get(usize::try_from(n - 1).ok()?);
                let rows = places.iter().filter_map(|(at, n)| Some((*at, row(*n)?)));
                found.extend(rows.map(|(at, row)| (at, Row::clone(row))));
            }
        }
        Ok((0..places.len()).map(|at| found.remove(&at)).collect())
    }

    /// Asks the columns. Those that turn out to be damaged are given up, and all others are asked again.
    fn scan<T: Default>(&mut self, act: impl Fn(&Scan<'_>) -> Result<T, ColumnError>) -> T {
        loop {
            let parts: Vec<Part<'_>> = self
                .sources
                .iter()
                .zip(&self.texts)
                .map(|(origin, text)| Part {
                    source: &origin.shown.source,
                    deleted: origin.shown.hidden.as_deref(),
                    text,
                })
                .collect();
            let scan = Scan {
                parts: &parts,
                filter: self.filter,
            };
            match act(&scan) {
                Ok(found) => return found,
                Err(error) => {
                    self.partial = true;
                    if !self.lose(&error) {
                        return T::default();
                    }
                }
            }
        }
    }

    /// Gives up the columns that an error is about. Returns false where there are none.
    fn lose(&mut self, error: &ColumnError) -> bool {
        let message = error as &dyn std::error::Error;
        tracing::warn!(error = message, "columns are made again");
        let file = |origin: &Origin| match &origin.shown.source {
            Source::File(file) if file.path() == error.path() => Some(Arc::clone(file)),
            Source::File(_) | Source::Live(_) => None,
        };
        let mut found = self.sources.iter().map(file).enumerate();
        let lost = found.find_map(|(at, file)| Some((at, file?)));
        let Some((at, file)) = lost else {
            return false;
        };
        let origin = self.sources.remove(at);
        self.texts.remove(at);
        if let Some(segment) = origin.segment {
            segment.sheet.lose(&file);
            self.registry.signal.raise();
        }
        true
    }
}

#[cfg(test)]
mod tests;
