//! Reading: which texts hold a needle, newest first, as far as a budget goes.
//!
//! ```text
//! question ─► terms ─► FTS5 ─► t, newest first ─► uses ─► shown? ─► text ─► holds it? ─► hit
//! ```
//!
//! A text is checked once, whatever the number of its uses: that they have the same hash says that they are the
//! same. The order is that of the texts; the uses of one text follow each other, newest first. What a budget left
//! over is gone on with at the [`Cursor`], in a file that has grown meanwhile too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use flow_query::TextKind;
use parking_lot::Mutex;
use rusqlite::{Connection, Row, Statement, params};

use super::Use;
use super::file::{self, TextError};
use super::question::{Narrowed, Question};
use super::snippet::Snippet;
use super::terms::Search;

/// Connections that are kept open.
const IDLE_READERS_MAX: usize = 2;
/// Pages that a connection caches, in KiB.
const CACHE_KIB: i64 = 1024;

const MATCHING: &str =
    "SELECT rowid FROM texts WHERE texts MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC";
const EVERY: &str = "SELECT DISTINCT t FROM uses WHERE t <= ?1 ORDER BY t DESC";
const USES: &str = "
    SELECT n, node, kind, part FROM uses WHERE t = ?1 AND (n, node, kind, part) < (?2, ?3, ?4, ?5)
    ORDER BY n DESC, node DESC, kind DESC, part DESC";

/// A text index to search in.
pub struct TextReader {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

/// What a search has of the flows themselves.
pub struct Source<'a> {
    /// Whether a flow is of interest: it is not deleted, and whatever else is asked of it holds.
    pub shows: &'a dyn Fn(i64) -> bool,
    /// Returns the text that stands somewhere, decoded; none where it cannot be read.
    pub text: &'a mut dyn FnMut(&Use) -> Option<String>,
}

/// What a search may cost. One text is looked at in any case, so that going on comes to an end.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Texts that are decoded.
    pub checks_max: usize,
    /// When it ends.
    pub deadline: Instant,
}

/// The last place that a search looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the text.
    pub t: i64,
    /// The use of it; none where all were looked at.
    pub last: Option<Use>,
}

/// A place where a needle stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The place.
    pub place: Use,
    /// What stands there.
    pub snippet: Snippet,
}

/// Places where a needle stands, the newest text first.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The places.
    pub hits: Vec<Hit>,
    /// Where to go on; none where there is nothing more.
    pub next: Option<Cursor>,
    /// Whether the budget ended the search, and not the number of hits.
    pub partial: bool,
}

/// Flows that introduced a text which holds a needle.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    /// Their numbers.
    pub numbers: BTreeSet<i64>,
    /// The nodes that hold such a text: flows whose chain passes one carry it.
    pub nodes: BTreeSet<i64>,
    /// The newest places, as many as were asked for.
    pub hits: Vec<Hit>,
    /// Where to go on, where the budget ended the search.
    pub next: Option<Cursor>,
}

/// What a walk asks about a use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// Whether its text holds the needle.
    Check,
    /// Nothing: its text is known to.
    Take,
}

/// The answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Hit,
    /// A hit, and enough of them.
    Last,
    Miss,
    /// The text cannot be read here.
    Unknown,
}

/// Where and why a walk ended.
enum Ended {
    Whole,
    Enough(Cursor),
    Budget(Cursor),
}

/// A way through the uses of texts.
struct Walk<'a> {
    question: &'a Question,
    from: Option<Cursor>,
    budget: Budget,
    checks: usize,
    shows: &'a dyn Fn(i64) -> bool,
    visit: &'a mut dyn FnMut(Ask, &Use) -> Answer,
}

// === impl TextReader ===

impl TextReader {
    /// Opens an index, finished or not.
    pub fn open(path: &Path) -> Result<Self, TextError> {
        let connection = file::open_to_read(path, CACHE_KIB)?;
        Ok(Self {
            path: path.to_owned(),
            idle: Mutex::new(vec![connection]),
        })
    }

    /// Closes the connections that are kept.
    pub fn rest(&self) {
        self.idle.lock().clear();
    }

    /// Returns places where the needle stands, `hits_max` at most.
    pub fn search(
        &self,
        question: &Question,
        (from, hits_max): (Option<Cursor>, usize),
        source: &mut Source<'_>,
        budget: Budget,
    ) -> Result<Found, TextError> {
        let mut found = Found::default();
        let mut snippet = Snippet::default();
        let mut visit = |ask, place: &Use| {
            if ask == Ask::Check {
                let Some(text) = (source.text)(place) else {
                    return Answer::Unknown;
                };
                let Some(new) = question.snippet(&text) else {
                    return Answer::Miss;
                };
                snippet = new;
            }
            found.hits.push(Hit {
                place: *place,
                snippet: snippet.clone(),
            });
            if found.hits.len() < hits_max {
                Answer::Hit
            } else {
                Answer::Last
            }
        };
        let ended = self.walk(Walk {
            question,
            from,
            budget,
            checks: 0,
            shows: source.shows,
            visit: &mut visit,
        })?;
        (found.next, found.partial) = match ended {
            Ended::Whole => (None, false),
            Ended::Enough(cursor) => (Some(cursor), false),
            Ended::Budget(cursor) => (Some(cursor), true),
        };
        Ok(found)
    }

    /// Returns the flows that introduced a text with the needle, and the nodes that hold one; of the newest places,
    /// `hits_max` at most, what stands there too.
    pub fn flows_of(
        &self,
        question: &Question,
        (from, hits_max): (Option<Cursor>, usize),
        source: &mut Source<'_>,
        budget: Budget,
    ) -> Result<Flows, TextError> {
        let mut found = Flows::default();
        let mut visit = |ask, place: &Use| {
            if ask == Ask::Check {
                match (source.text)(place) {
                    None => return Answer::Unknown,
                    Some(text) if !question.holds(&text) => return Answer::Miss,
                    Some(text) if found.hits.len() < hits_max => {
                        found
                            .hits
                            .extend(question.snippet(&text).map(|snippet| Hit {
                                place: *place,
                                snippet,
                            }));
                    }
                    Some(_) => {}
                }
            }
            found.numbers.insert(place.n);
            if place.node != 0 {
                found.nodes.insert(place.node);
            }
            Answer::Hit
        };
        let ended = self.walk(Walk {
            question,
            from,
            budget,
            checks: 0,
            shows: source.shows,
            visit: &mut visit,
        })?;
        found.next = match ended {
            Ended::Whole => None,
            Ended::Enough(cursor) | Ended::Budget(cursor) => Some(cursor),
        };
        Ok(found)
    }

    /// Returns places whose text may hold the needle, `places_max` at most, and where to go on.
    pub fn candidates(
        &self,
        question: &Question,
        (from, places_max): (Option<Cursor>, usize),
        shows: &dyn Fn(i64) -> bool,
        budget: Budget,
    ) -> Result<(Vec<Use>, Option<Cursor>), TextError> {
        let mut places = Vec::new();
        let mut visit = |_, place: &Use| {
            places.push(*place);
            if places.len() < places_max {
                Answer::Hit
            } else {
                Answer::Last
            }
        };
        let ended = self.walk(Walk {
            question,
            from,
            budget,
            checks: 0,
            shows,
            visit: &mut visit,
        })?;
        let next = match ended {
            Ended::Whole => None,
            Ended::Enough(cursor) | Ended::Budget(cursor) => Some(cursor),
        };
        Ok((places, next))
    }

    fn walk(&self, mut walk: Walk<'_>) -> Result<Ended, TextError> {
        self.with(|connection| walk.run(connection))
    }

    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, TextError> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => file::open_to_read(&self.path, CACHE_KIB)?,
        };
        // After an error the connection is not kept: it may hold pages that are no longer what they were.
        let value = act(&connection).map_err(|error| file::sort(&self.path, error))?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        Ok(value)
    }
}

// === impl Walk ===

impl Walk<'_> {
    fn run(&mut self, connection: &Connection) -> Result<Ended, rusqlite::Error> {
        // Terms and texts are to be of one moment, or a text that came in between would be missed.
        let moment = connection.unchecked_transaction()?;
        let below = self.from.map_or(i64::MAX, |from| match from.last {
            Some(_) => from.t,
            None => from.t.saturating_sub(1),
        });
        let mut uses = moment.prepare_cached(USES)?;
        match narrow(&moment, self.question)? {
            Narrowed::Nothing => Ok(Ended::Whole),
            Narrowed::Match(expression) => {
                let mut texts = moment.prepare_cached(MATCHING)?;
                let texts = texts.query_map(params![expression, below], |row| row.get(0))?;
                self.texts(texts, &mut uses)
            }
            Narrowed::Everything => {
                let mut texts = moment.prepare_cached(EVERY)?;
                let texts = texts.query_map([below], |row| row.get(0))?;
                self.texts(texts, &mut uses)
            }
        }
    }

    fn texts(
        &mut self,
        texts: impl Iterator<Item = Result<i64, rusqlite::Error>>,
        uses: &mut Statement<'_>,
    ) -> Result<Ended, rusqlite::Error> {
        for t in texts {
            let t = t?;
            if let Some(ended) = self.text(t, uses)? {
                return Ok(ended);
            }
            if Instant::now() >= self.budget.deadline {
                return Ok(Ended::Budget(Cursor { t, last: None }));
            }
        }
        Ok(Ended::Whole)
    }

    /// Looks at the uses of one text; returns how the walk ends, if here.
    fn text(&mut self, t: i64, uses: &mut Statement<'_>) -> Result<Option<Ended>, rusqlite::Error> {
        let last = self.from.filter(|from| from.t == t);
        let (n, node, kind, part) = match last.and_then(|from| from.last) {
            Some(last) => (last.n, last.node, last.kind.number(), last.part),
            None => (i64::MAX, 0, 0, 0),
        };
        let mut rows = uses.query(params![t, n, node, kind, part])?;
        let mut ask = Ask::Check;
        while let Some(row) = rows.next()? {
            let place = place(row)?;
            if !self.question.includes(place.kind) || !(self.shows)(place.n) {
                continue;
            }
            let cursor = Cursor {
                t,
                last: Some(place),
            };
            let answer = (self.visit)(ask, &place);
            match answer {
                Answer::Hit => {}
                Answer::Last => return Ok(Some(Ended::Enough(cursor))),
                Answer::Miss | Answer::Unknown => {}
            }
            if ask == Ask::Take {
                continue;
            }
            self.checks += 1;
            let spent = self.checks >= self.budget.checks_max;
            match answer {
                Answer::Miss if spent => {
                    return Ok(Some(Ended::Budget(Cursor { t, last: None })));
                }
                Answer::Miss => return Ok(None),
                _ if spent || Instant::now() >= self.budget.deadline => {
                    return Ok(Some(Ended::Budget(cursor)));
                }
                Answer::Unknown => {}
                Answer::Hit | Answer::Last => ask = Ask::Take,
            }
        }
        Ok(None)
    }
}

/// Marks the nodes whose chain passes a hit: `parents` holds the parent of each node, 0 for none, and a parent's
/// number is smaller. The node with a number stands at that place; the first place is of no node.
pub fn carriers(parents: &[u32], hit: &BTreeSet<i64>) -> Vec<bool> {
    let mut marks = vec![false; parents.len()];
    for node in hit {
        let mark = usize::try_from(*node)
            .ok()
            .and_then(|node| marks.get_mut(node));
        if let Some(mark) = mark {
            *mark = true;
        }
    }
    for (node, &parent) in parents.iter().enumerate() {
        let parent = parent as usize;
        if parent > 0
            && parent < node
            && marks.get(parent) == Some(&true)
            && let Some(mark) = marks.get_mut(node)
        {
            *mark = true;
        }
    }
    marks
}

/// Returns which texts of a file can hold the needle.
fn narrow(connection: &Connection, question: &Question) -> Result<Narrowed, rusqlite::Error> {
    let plan = &question.plan;
    let mut searches: Vec<Search<'_>> = plan.parts.iter().map(Search::new).collect();
    if !searches.is_empty() {
        let mut statement = connection.prepare_cached("SELECT words FROM terms")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()?
            && searches.iter().any(|search| search.found.is_some())
        {
            let chunk = row.get_ref(0)?.as_blob()?;
            for search in &mut searches {
                search.look(chunk).map_err(|_| garbled(0))?;
            }
        }
    }
    let terms: Vec<_> = searches.into_iter().map(|search| search.found).collect();
    Ok(plan.narrow(&terms))
}

fn place(row: &Row<'_>) -> Result<Use, rusqlite::Error> {
    Ok(Use {
        n: row.get(0)?,
        node: row.get(1)?,
        kind: TextKind::from_number(row.get(2)?).ok_or_else(|| garbled(2))?,
        part: row.get(3)?,
    })
}

/// The error of a value that the writer cannot have written.
pub(super) fn garbled(column: usize) -> rusqlite::Error {
    let what = "a value is not what was written".into();
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, what)
}
