//! Searches: where a text stands, a place at a time, the newest segment and text first.
//!
//! ```text
//! segment ─► flows not indexed yet, newest first ─► index, newest text first ─► the segment before
//!            42.f.1007                               42.i.93 …                    a cursor behind each place
//! ```
//!
//! A hit is a flow that introduced the text, with the number of those that repeat it in their request
//! ([`crate::select`] says what that means). The answer of one flow that the next one repeats is a hit of both.
//!
//! Limits: [`HITS_MAX`] hits of one search.

mod cursor;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use flow_model::FlowId;
use flow_query::{Needle, Scope, TextKind};
use rusqlite::{Connection, OptionalExtension};

use self::cursor::{Phase, Place};
use crate::index::TextIndex;
use crate::parts::{self, Reader};
use crate::place::{cannot_open, is_damage};
use crate::registry::Registry;
use crate::segment::Segment;
use crate::select::{self, TextTest};
use crate::text::{
    Budget, Cursor, Hit, Progress, Question, Snippet, Source, TextError, TextReader, Use,
};

/// Hits of one search.
const HITS_MAX: usize = 1000;

const ID: &str = "SELECT id FROM requests WHERE n = ?1";

/// Why a text cannot be searched for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Nothing but white space is searched for.
    #[error("there is nothing to search for")]
    NoNeedle,
    /// The cursor is none that the store gave.
    #[error("the cursor does not belong to this search")]
    BadCursor,
    /// The index does not answer.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The segment does not answer.
    #[error("the segment cannot be read")]
    Segment(#[from] rusqlite::Error),
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct SearchQuery {
    /// The text. Case and white space make no difference.
    pub needle: String,
    /// In which texts.
    pub scope: Scope,
    /// Where the last page ended; none for the first.
    pub cursor: Option<String>,
    /// How many hits, 1,000 at most.
    pub limit: usize,
    /// What it may cost; checks count for each segment.
    pub budget: Budget,
}

/// A place where the text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    /// The flow that introduced it.
    pub id: FlowId,
    /// What part of the flow it is.
    pub kind: TextKind,
    /// What stands there.
    pub snippet: Snippet,
    /// How many other flows of the segment carry it in their request, as far as they are indexed.
    pub carried: u64,
}

/// Hits, of the newest segment and text first. A flow is there once, but may be on another page again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// The hits.
    pub hits: Vec<SearchHit>,
    /// Where to go on; none where there is nothing more.
    pub next: Option<String>,
    /// Whether the budget ended the search, and not the number of hits.
    pub partial: bool,
}

/// Returns one page of the places where a text stands.
pub(crate) fn search(
    index: &TextIndex,
    registry: &Registry,
    query: &SearchQuery,
) -> Result<SearchPage, SearchError> {
    let needle = Needle::new(&query.needle).ok_or(SearchError::NoNeedle)?;
    let mut from = match &query.cursor {
        Some(cursor) => Some(cursor.parse::<Place>()?),
        None => None,
    };
    let mut search = Search {
        index,
        question: Question::new(&needle, query.scope),
        test: TextTest {
            needle: &needle,
            scope: query.scope,
        },
        budget: query.budget,
        limit: query.limit.clamp(1, HITS_MAX),
        page: SearchPage::default(),
        seen: BTreeSet::new(),
    };
    let first = from.as_ref().map_or(u32::MAX, |from| from.segment);
    let all = registry.all();
    for segment in all.iter().filter(|segment| segment.number <= first) {
        let phase = from
            .take()
            .filter(|from| from.segment == segment.number)
            .map_or(Phase::START, |from| from.phase);
        if search.page.next.is_none() && (search.is_full() || search.is_late()) {
            search.stop(segment.number, phase);
        }
        if search.page.next.is_some() {
            break;
        }
        match search.within(segment, phase) {
            // An old segment that is hurt or gone costs its own flows, and not the search.
            Err(SearchError::Segment(error)) if is_damage(&error) || cannot_open(&error) => {
                tracing::warn!(%error, segment = segment.name(), "texts cannot be searched");
            }
            done => done?,
        }
    }
    Ok(search.page)
}

/// A search on its way.
struct Search<'a> {
    index: &'a TextIndex,
    question: Question,
    test: TextTest<'a>,
    budget: Budget,
    limit: usize,
    page: SearchPage,
    seen: BTreeSet<FlowId>,
}

// === impl Search ===

impl Search<'_> {
    fn is_full(&self) -> bool {
        self.page.hits.len() >= self.limit
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.budget.deadline
    }

    /// Ends the page in front of a place.
    fn stop(&mut self, segment: u32, phase: Phase) {
        self.page.next = Some(Place { segment, phase }.to_string());
        self.page.partial = !self.is_full();
    }

    fn within(&mut self, segment: &Segment, phase: Phase) -> Result<(), SearchError> {
        let index = self.index;
        let known = self.page.hits.len();
        index.read(segment, |reader| {
            // It is called again where the index turns out to be spoilt.
            let again = self.page.hits.split_off(known);
            for hit in again {
                self.seen.remove(&hit.id);
            }
            segment.read(|connection| self.both(segment.number, (connection, reader), phase))
        })
    }

    /// Looks at the flows that are not in the index, and then at those that are.
    fn both(
        &mut self,
        segment: u32,
        (connection, reader): (&Connection, Option<&TextReader>),
        phase: Phase,
    ) -> Result<(), SearchError> {
        let progress = select::progress(reader)?;
        let from = match phase {
            Phase::Indexed { from } => from,
            Phase::Fresh { below } => {
                if self.fresh(segment, connection, (&progress, below))? {
                    return Ok(());
                }
                None
            }
        };
        reader.map_or(Ok(()), |reader| {
            self.indexed(segment, (connection, reader), from)
        })
    }

    /// Looks at the flows that are not in the index. Returns whether the page ends there.
    fn fresh(
        &mut self,
        segment: u32,
        connection: &Connection,
        (progress, below): (&Progress, i64),
    ) -> Result<bool, SearchError> {
        let mut numbers = connection.prepare_cached(select::NUMBERS)?;
        let mut rows = numbers.query([progress.watermark, below])?;
        let (mut checks, mut last) = (0, below);
        while let Some(row) = rows.next()? {
            let n: i64 = row.get(0)?;
            if progress.is_done(n) {
                continue;
            }
            // One flow is looked at in any case, so that going on comes to an end.
            if checks > 0 && (self.is_full() || select::is_over(&self.budget, checks)) {
                self.stop(segment, Phase::Fresh { below: last });
                return Ok(true);
            }
            last = n;
            let flow = parts::readable(connection, n)?.filter(|flow| flow.ended);
            let Some(flow) = flow else { continue };
            checks += flow.texts.len().max(1);
            let place = flow
                .uses(n)
                .into_iter()
                .find(|(place, text)| self.test.holds(place.kind, text));
            if let Some((place, text)) = place
                && let Some(snippet) = self.question.snippet(text)
                && self.seen.insert(flow.id)
            {
                self.page.hits.push(SearchHit {
                    id: flow.id,
                    kind: place.kind,
                    snippet,
                    carried: 0,
                });
            }
        }
        Ok(false)
    }

    fn indexed(
        &mut self,
        segment: u32,
        (connection, reader): (&Connection, &TextReader),
        mut from: Option<Cursor>,
    ) -> Result<(), SearchError> {
        loop {
            if self.is_full() {
                self.stop(segment, Phase::Indexed { from });
                return Ok(());
            }
            let mut texts = Reader::new(connection);
            let mut text = |place: &Use| texts.text_of(place);
            let mut source = Source {
                shows: &|_| true,
                text: &mut text,
            };
            let room = self.limit - self.page.hits.len();
            let found = reader.search(&self.question, (from, room), &mut source, self.budget)?;
            texts.finish()?;
            self.add(segment, (connection, reader), found.hits)?;
            match found.next {
                None => return Ok(()),
                next if found.partial => {
                    self.stop(segment, Phase::Indexed { from: next });
                    return Ok(());
                }
                next => from = next,
            }
        }
    }

    fn add(
        &mut self,
        segment: u32,
        source: (&Connection, &TextReader),
        hits: Vec<Hit>,
    ) -> Result<(), SearchError> {
        let mut counts = BTreeMap::new();
        for hit in hits {
            let Some(id) = id(source.0, hit.place.n)? else {
                continue;
            };
            if !self.seen.insert(id) {
                continue;
            }
            let Use { n, node, kind, .. } = hit.place;
            let carried = match (node, counts.get(&node)) {
                (0, _) => 0,
                (_, Some(count)) => *count,
                (_, None) => {
                    let nodes = BTreeSet::from([node]);
                    let source = (source.0, Some(source.1));
                    let carrying = self.index.carriers.with(segment, source, |chains| {
                        let flows = chains.carrying(&nodes, &[]);
                        flows.iter().filter(|of| **of != n).count() as u64
                    })?;
                    counts.insert(node, carrying);
                    carrying
                }
            };
            self.page.hits.push(SearchHit {
                id,
                kind,
                snippet: hit.snippet,
                carried,
            });
        }
        Ok(())
    }
}

fn id(connection: &Connection, n: i64) -> Result<Option<FlowId>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(ID)?;
    let id = statement.query_row([n], |row| Ok(FlowId::from_bytes(row.get(0)?)));
    id.optional()
}

#[cfg(test)]
mod tests;
