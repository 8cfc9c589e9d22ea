//! Selections: which flows of a segment hold a text, for the scan of its columns.
//!
//! A flow *holds* a needle in a scope where one of its texts of that scope does: what it introduced, and what earlier
//! flows of its conversation did, as far as its request has it too. [`Scope::New`] asks for the first alone: that is
//! what this flow brought into its segment, the skeleton of its request and its answer included.
//!
//! ```text
//! flows not indexed yet, newest first ─┐
//! index, newest text first ────────────┴─► flows, nodes ─► carriers ─► those that are shown
//! ```
//!
//! The flows that the index does not have yet are read themselves, so that what was just recorded is found at once.
//! Flows that run are not found, but what they brought is, in those that carry it. Numbers of flows that were
//! deleted may be among those found until the index is made anew; `shows` is there to leave them out.
//!
//! Limits: half of the budget for flows that are not indexed, all of it where there is no index; [`SNIPPETS_MAX`]
//! places are shown.

use std::collections::BTreeSet;
use std::time::Instant;

use flow_query::{Needle, Scope, TextKind};
use rusqlite::Connection;

use crate::index::TextIndex;
use crate::parts::{self, FlowTexts, Reader};
use crate::search::SearchError;
use crate::segment::Segment;
use crate::text::{Budget, Flows, Hit, Progress, Question, Source, TextError, TextReader, Use};

/// Places of a selection of which the text is given too.
const SNIPPETS_MAX: usize = 64;

/// The flows between two numbers, the newest first.
pub(crate) const NUMBERS: &str = "SELECT n FROM requests WHERE n > ?1 AND n < ?2 ORDER BY n DESC";

/// What is asked of a segment's texts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextTest<'a> {
    pub(crate) needle: &'a Needle,
    pub(crate) scope: Scope,
}

/// The flows of a segment that hold a text.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextSelection {
    /// Their numbers.
    pub(crate) numbers: BTreeSet<i64>,
    /// Places where flows among them introduced it, the newest ones.
    #[cfg_attr(not(test), expect(dead_code, reason = "lists do not show places yet"))]
    pub(crate) hits: Vec<Hit>,
    /// Whether the budget ended before all texts were looked at: there may be more flows.
    pub(crate) partial: bool,
}

/// Returns the flows of a segment that hold a text, of those that `shows` is true for.
pub(crate) fn select(
    index: &TextIndex,
    segment: &Segment,
    test: TextTest<'_>,
    shows: &dyn Fn(i64) -> bool,
    budget: Budget,
) -> Result<TextSelection, SearchError> {
    let question = Question::new(test.needle, test.scope);
    index.read(segment, |reader| {
        segment.read(|connection| {
            let select = Select {
                index,
                segment: segment.number,
                connection,
                reader,
                question: &question,
                test,
                shows,
            };
            select.run(budget)
        })
    })
}

/// A selection on its way.
struct Select<'a> {
    index: &'a TextIndex,
    segment: u32,
    connection: &'a Connection,
    reader: Option<&'a TextReader>,
    question: &'a Question,
    test: TextTest<'a>,
    shows: &'a dyn Fn(i64) -> bool,
}

/// What the flows say that the index does not have.
#[derive(Default)]
struct Fresh {
    found: Flows,
    heads: Vec<(i64, Vec<i64>)>,
    partial: bool,
}

// === impl Select ===

impl Select<'_> {
    fn run(&self, budget: Budget) -> Result<TextSelection, SearchError> {
        let progress = progress(self.reader)?;
        let share = match self.reader {
            Some(_) => half(budget),
            None => budget,
        };
        let fresh = self.fresh(&progress, share)?;
        let Fresh {
            mut found, heads, ..
        } = fresh;
        let mut partial = fresh.partial;
        if let Some(reader) = self.reader {
            let indexed = self.indexed(reader, budget)?;
            partial |= indexed.next.is_some();
            found.numbers.extend(indexed.numbers);
            found.nodes.extend(indexed.nodes);
            let room = SNIPPETS_MAX.saturating_sub(found.hits.len());
            found.hits.extend(indexed.hits.into_iter().take(room));
        }
        if self.carries() && !found.nodes.is_empty() {
            let source = (self.connection, self.reader);
            let carrying = self.index.carriers.with(self.segment, source, |chains| {
                chains.carrying(&found.nodes, &heads)
            })?;
            found.numbers.extend(carrying);
        }
        found.numbers.retain(|n| (self.shows)(*n));
        found.hits.retain(|hit| (self.shows)(hit.place.n));
        Ok(TextSelection {
            numbers: found.numbers,
            hits: found.hits,
            partial,
        })
    }

    /// Returns whether a flow may hold the text by what an earlier one introduced.
    fn carries(&self) -> bool {
        !matches!(self.test.scope, Scope::New | Scope::Response)
    }

    fn indexed(&self, reader: &TextReader, budget: Budget) -> Result<Flows, SearchError> {
        let mut texts = Reader::new(self.connection);
        let all = |_| true;
        let mut text = |place: &Use| texts.text_of(place);
        let mut source = Source {
            // What a flow that is not shown introduced is carried by others.
            shows: if self.carries() { &all } else { self.shows },
            text: &mut text,
        };
        let found = reader.flows_of(self.question, (None, SNIPPETS_MAX), &mut source, budget)?;
        texts.finish()?;
        Ok(found)
    }

    /// Looks at the flows that are not in the index, the newest first.
    fn fresh(&self, progress: &Progress, budget: Budget) -> Result<Fresh, SearchError> {
        let mut fresh = Fresh::default();
        let mut numbers = self.connection.prepare_cached(NUMBERS)?;
        let mut rows = numbers.query([progress.watermark, i64::MAX])?;
        let mut checks = 0;
        while let Some(row) = rows.next()? {
            let n: i64 = row.get(0)?;
            if progress.is_done(n) || !self.carries() && !(self.shows)(n) {
                continue;
            }
            if is_over(&budget, checks) {
                fresh.partial = true;
                break;
            }
            let Some(flow) = parts::readable(self.connection, n)? else {
                continue;
            };
            checks += flow.texts.len().max(1);
            self.look_at(n, &flow, &mut fresh.found);
            if flow.ended {
                fresh.heads.push((n, flow.heads));
            }
        }
        Ok(fresh)
    }

    fn look_at(&self, n: i64, flow: &FlowTexts, found: &mut Flows) {
        for (place, text) in flow.uses(n) {
            if !self.test.holds(place.kind, text) {
                continue;
            }
            if place.node != 0 {
                found.nodes.insert(place.node);
            }
            // What a running flow introduced counts for others only.
            if !flow.ended {
                continue;
            }
            if found.numbers.insert(n) && found.hits.len() < SNIPPETS_MAX {
                let snippet = self.question.snippet(text);
                found
                    .hits
                    .extend(snippet.map(|snippet| Hit { place, snippet }));
            }
        }
    }
}

// === impl TextTest ===

impl TextTest<'_> {
    pub(crate) fn holds(&self, kind: TextKind, text: &str) -> bool {
        self.scope.includes(kind) && self.needle.is_in(text)
    }
}

/// Returns which flows an index has.
pub(crate) fn progress(reader: Option<&TextReader>) -> Result<Progress, TextError> {
    reader.map_or_else(|| Ok(Progress::default()), TextReader::progress)
}

/// Returns whether nothing more is to be looked at.
pub(crate) fn is_over(budget: &Budget, checks: usize) -> bool {
    checks >= budget.checks_max || Instant::now() >= budget.deadline
}

/// Returns a budget of half the time and half the checks.
fn half(budget: Budget) -> Budget {
    let now = Instant::now();
    let left = budget.deadline.saturating_duration_since(now);
    Budget {
        checks_max: budget.checks_max.div_ceil(2),
        deadline: now.checked_add(left / 2).unwrap_or(budget.deadline),
    }
}
