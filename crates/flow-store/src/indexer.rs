//! The thread that indexes texts: follows the flows that end, and makes missing indexes anew.
//!
//! It looks for ended flows in the segments themselves, so that nothing has to be handed to it and nothing is missed:
//! the index says up to which flow all are in, and numbers beyond that whose flow has no end yet are remembered and
//! asked for again. A flow that streams for an hour holds up nobody.
//!
//! | segment | its index |
//! |---|---|
//! | live, closing | follows a moment behind what is committed |
//! | about to be sealed | is given to the thread that seals, complete |
//! | sealed, its index missing, spoilt or not complete | is made anew, the newest first, when nothing else is to do |
//! | from which flows were deleted | is made anew |
//!
//! It reads segments as everybody else does, a flow at a time, and so holds up neither writing nor sealing.
//!
//! Limits: [`GROUP_TEXTS`] texts and [`SLICE`] between two commits, [`FOUND_FLOWS_MAX`] flows looked up at a time,
//! [`GAP_FLOWS_MAX`] missing numbers in a row asked for again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::index::{self, Handed, Pauses, Round, TextIndex};
use crate::parts;
use crate::place;
use crate::registry::Registry;
use crate::segment::Segment;
use crate::text::{self, Progress, TextError, TextReader, TextWriter};

/// Texts after which a group is committed.
const GROUP_TEXTS: usize = 500;
/// How long one segment is worked on until the others are looked at.
const SLICE: Duration = Duration::from_millis(500);
/// The same for a sealed one.
const BACKGROUND_SLICE: Duration = Duration::from_millis(100);
/// Flows that are looked up at a time.
const FOUND_FLOWS_MAX: i64 = 4096;
/// Missing numbers in a row that are asked for again. Those of flows that are on their way are a few.
const GAP_FLOWS_MAX: i64 = 65_536;
/// The pauses of a store.
pub(crate) const PAUSES: Pauses = Pauses {
    between: Duration::from_millis(250),
    background: Duration::from_millis(50),
    retry: Duration::from_secs(1),
};

const FOUND: &str = "SELECT n FROM requests WHERE n > ?1 ORDER BY n LIMIT ?2";
const HAS_ENDED: &str = "SELECT EXISTS (SELECT 1 FROM outcomes WHERE n = ?1)";
const HAS_BEGUN: &str = "SELECT EXISTS (SELECT 1 FROM requests WHERE n = ?1)";

/// All that the thread works with.
pub(crate) struct Indexer {
    registry: Arc<Registry>,
    index: Arc<TextIndex>,
    followers: BTreeMap<u32, Follower>,
    /// Sealed segments whose index is complete, or cannot be made.
    checked: BTreeSet<u32>,
}

/// One segment's index, and how far it follows.
struct Follower {
    work: Work,
    /// The last number that was looked up.
    last: i64,
    /// Numbers up to that one whose flow has not ended, or is not there, or is still to be added.
    open: BTreeSet<i64>,
    /// Ended flows that are still to be added, and whether more are to be looked up.
    left: u64,
    more: bool,
}

enum Work {
    Writing(Box<TextWriter>),
    /// The index is finished, with these flows.
    Finished(Progress),
}

/// Why an index does not follow.
#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("the segment cannot be read")]
    Segment(#[from] rusqlite::Error),
}

// === impl Indexer ===

impl Indexer {
    pub(crate) fn new(registry: Arc<Registry>, index: Arc<TextIndex>) -> Self {
        index.signal.start();
        Self {
            registry,
            index,
            followers: BTreeMap::new(),
            checked: BTreeSet::new(),
        }
    }

    /// Indexes until the store is closed.
    pub(crate) fn run(mut self) {
        loop {
            let begun = Instant::now();
            let (round, problem) = match self.round() {
                Ok(round) => (round, None),
                Err(error) => (Round::Failed, Some(describe(&error))),
            };
            if let Some(problem) = &problem
                && self.index.signal.problem(Some(problem.clone()))
            {
                tracing::warn!(problem, "texts are not being indexed");
            }
            if problem.is_none() {
                self.index.signal.problem(None);
            }
            if !self.index.signal.next(round, begun, &PAUSES) {
                return;
            }
        }
    }

    fn round(&mut self) -> Result<Round, IndexError> {
        let mut failed = None;
        for number in self.index.signal.begin() {
            if let Err(error) = self.make_anew(number) {
                self.index.signal.anew(number);
                failed = Some(error);
            }
        }
        let held = self.index.signal.held();
        let unsealed = self.registry.unsealed();
        let until = Instant::now() + SLICE;
        let mut left = 0;
        for segment in &unsealed {
            if Some(segment.number) == held {
                continue;
            }
            match self.follow(segment, until) {
                Ok(()) => left += self.left_in(segment.number),
                Err(error) => {
                    self.followers.remove(&segment.number);
                    match error {
                        IndexError::Text(error @ TextError::Spoilt { .. }) => {
                            self.index.note(segment, &error);
                            left += 1;
                        }
                        error => failed = Some(error),
                    }
                }
            }
        }
        self.hand_over();
        let all = self.registry.all();
        self.followers
            .retain(|number, _| all.iter().any(|segment| segment.number == *number));
        if let Some(error) = failed {
            self.index.signal.left(left);
            return Err(error);
        }
        if left > 0 {
            self.index.signal.left(left);
            return Ok(Round::Behind);
        }
        self.background(&all)
    }

    /// Returns how many ended flows of a segment are not in its index, as far as is known.
    fn left_in(&self, number: u32) -> u64 {
        let follower = self.followers.get(&number);
        follower.map_or(0, |follower| follower.left + u64::from(follower.more))
    }

    /// Adds the flows that have ended, until a moment.
    fn follow(&mut self, segment: &Segment, until: Instant) -> Result<(), IndexError> {
        if !self.followers.contains_key(&segment.number) {
            let Some(follower) = self.open(segment)? else {
                return Ok(());
            };
            self.followers.insert(segment.number, follower);
        }
        let Some(follower) = self.followers.get_mut(&segment.number) else {
            return Ok(());
        };
        let ended = segment.read(|connection| follower.find_ended(connection))?;
        if matches!(follower.work, Work::Finished(_)) && !ended.is_empty() {
            self.make_anew(segment.number)?;
            if let Some(follower) = self.followers.get_mut(&segment.number) {
                follower.more = true;
            }
            return Ok(());
        }
        let signal = &self.index.signal;
        follower.add(segment, &ended, || {
            signal.is_stopping() || Instant::now() >= until
        })
    }

    /// Opens the index of a segment to go on with it; none where the segment has no file.
    fn open(&self, segment: &Segment) -> Result<Option<Follower>, IndexError> {
        let Some(path) = index::path(segment) else {
            return Ok(None);
        };
        let progress = TextReader::open(&path).and_then(|reader| reader.progress());
        let opened = match progress {
            Ok(progress) if progress.finished => return Ok(Some(Follower::finished(progress))),
            Ok(_) => TextWriter::open(&path),
            Err(error) => Err(error),
        };
        match opened {
            Ok(writer) => Ok(Some(Follower::writing(writer))),
            Err(TextError::Spoilt { .. }) => Ok(Some(self.create(segment)?)),
            Err(_) if !path.exists() => Ok(Some(self.create(segment)?)),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins the index of a segment, as nobody reads the one before.
    fn create(&self, segment: &Segment) -> Result<Follower, TextError> {
        let path = index::path(segment).unwrap_or_default();
        let created = self
            .index
            .alone(segment.number, || TextWriter::create(&path));
        Ok(Follower::writing(created?))
    }

    /// Begins an index again, from the first flow on.
    fn make_anew(&mut self, number: u32) -> Result<(), IndexError> {
        self.followers.remove(&number);
        self.checked.remove(&number);
        if let Some(segment) = self.registry.segment(number)
            && segment.path().is_some()
        {
            let follower = self.create(&segment)?;
            self.followers.insert(number, follower);
        }
        Ok(())
    }

    /// Gives the index that is asked for to the thread that seals, once all is in it.
    fn hand_over(&mut self) {
        let Some(number) = self.index.signal.asked() else {
            return;
        };
        let segment = self.registry.segment(number);
        let answer = match (segment, self.followers.get_mut(&number)) {
            (Some(segment), Some(follower)) => {
                if follower.left > 0 || follower.more {
                    return;
                }
                match segment.read(|connection| follower.runs(connection)) {
                    Ok(true) => Handed::Postponed,
                    Ok(false) => self.take(number),
                    Err(error) => {
                        tracing::debug!(%error, number, "a text index is not finished");
                        Handed::Postponed
                    }
                }
            }
            _ => Handed::Failed,
        };
        self.index.signal.answer(number, answer);
    }

    fn take(&mut self, number: u32) -> Handed {
        match self.followers.remove(&number) {
            Some(follower) if matches!(follower.work, Work::Finished(_)) => Handed::Finished,
            Some(follower) => match follower.complete() {
                Ok(Some(writer)) => Handed::Writer(writer),
                Ok(None) => Handed::Finished,
                Err(error) => {
                    tracing::warn!(%error, number, "a text index is not finished");
                    Handed::Failed
                }
            },
            None => Handed::Failed,
        }
    }

    /// Works a little on the newest sealed segment whose index is not known to be complete.
    fn background(&mut self, all: &[Arc<Segment>]) -> Result<Round, IndexError> {
        let mut sealed = all.iter().filter(|segment| {
            segment.is_sealed()
                && segment.path().is_some()
                && !self.checked.contains(&segment.number)
        });
        let Some(segment) = sealed.next() else {
            self.index.signal.left(0);
            return Ok(Round::Idle);
        };
        let worked = self.work_on(segment);
        let left = self.left_in(segment.number);
        self.index.signal.left(left);
        match worked {
            Ok(()) => Ok(Round::Background),
            Err(IndexError::Text(error @ TextError::Spoilt { .. })) => {
                self.index.note(segment, &error);
                Ok(Round::Background)
            }
            Err(IndexError::Segment(error))
                if place::is_damage(&error) || place::cannot_open(&error) =>
            {
                tracing::warn!(%error, segment = segment.name(), "texts cannot be indexed");
                self.followers.remove(&segment.number);
                self.checked.insert(segment.number);
                Ok(Round::Background)
            }
            Err(error) => {
                self.followers.remove(&segment.number);
                Err(error)
            }
        }
    }

    fn work_on(&mut self, segment: &Segment) -> Result<(), IndexError> {
        let number = segment.number;
        self.follow(segment, Instant::now() + BACKGROUND_SLICE)?;
        if self.left_in(number) > 0 || self.index.signal.is_stopping() {
            return Ok(());
        }
        let Some(follower) = self.followers.remove(&number) else {
            return Ok(());
        };
        match follower.complete()? {
            Some(writer) => self.index.replace(number, writer.finish()?)?,
            None => text::audit(&index::path(segment).unwrap_or_default())?,
        }
        self.checked.insert(number);
        Ok(())
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        // Files are closed before anybody is told.
        self.followers.clear();
        self.index.signal.ended();
    }
}

// === impl Work ===

impl Work {
    fn has(&self, n: i64) -> bool {
        match self {
            Self::Writing(writer) => writer.is_done(n),
            Self::Finished(progress) => progress.is_done(n),
        }
    }
}

// === impl Follower ===

impl Follower {
    fn writing(writer: TextWriter) -> Self {
        Self {
            last: writer.watermark(),
            work: Work::Writing(Box::new(writer)),
            open: BTreeSet::new(),
            left: 0,
            more: true,
        }
    }

    fn finished(progress: Progress) -> Self {
        Self {
            last: progress.watermark,
            work: Work::Finished(progress),
            open: BTreeSet::new(),
            left: 0,
            more: true,
        }
    }

    /// Looks up new numbers, unless enough are known, and returns the flows that have ended.
    fn find_ended(&mut self, connection: &Connection) -> Result<Vec<i64>, rusqlite::Error> {
        if self.left == 0 {
            self.find(connection)?;
        }
        let mut has_ended = connection.prepare_cached(HAS_ENDED)?;
        let mut ended = Vec::new();
        for n in &self.open {
            if has_ended.query_row([n], |row| row.get(0))? {
                ended.push(*n);
            }
        }
        Ok(ended)
    }

    fn find(&mut self, connection: &Connection) -> Result<(), rusqlite::Error> {
        let mut statement = connection.prepare_cached(FOUND)?;
        let mut rows = statement.query([self.last, FOUND_FLOWS_MAX])?;
        let mut found = 0;
        while let Some(row) = rows.next()? {
            let n: i64 = row.get(0)?;
            // Numbers are given before records are written, and so may be missing for a moment.
            let from = if n.saturating_sub(self.last) <= GAP_FLOWS_MAX {
                self.last + 1
            } else {
                n
            };
            for n in from..=n {
                if !self.work.has(n) {
                    self.open.insert(n);
                }
            }
            self.last = n;
            found += 1;
        }
        self.more = found == FOUND_FLOWS_MAX;
        Ok(())
    }

    /// Adds flows that have ended, until `stop` says so. A group is committed when it is full, and at the end.
    fn add(
        &mut self,
        segment: &Segment,
        ended: &[i64],
        stop: impl Fn() -> bool,
    ) -> Result<(), IndexError> {
        self.left = ended.len() as u64;
        let Work::Writing(writer) = &mut self.work else {
            return Ok(());
        };
        let mut texts = 0;
        for &n in ended {
            if stop() {
                break;
            }
            let flow = segment.read(|connection| parts::readable(connection, n))?;
            if let Some(flow) = flow {
                let parts: Vec<_> = flow
                    .texts
                    .iter()
                    .map(|text| (text.kind, text.node, text.words.as_str()))
                    .collect();
                texts += parts.len();
                writer.add_heads(n, &flow.heads)?;
                writer.add(n, &parts)?;
            } else {
                writer.add(n, &[])?;
            }
            self.open.remove(&n);
            self.left -= 1;
            if texts >= GROUP_TEXTS {
                writer.commit()?;
                texts = 0;
            }
        }
        writer.commit()?;
        Ok(())
    }

    /// Returns whether a flow that is not in the index is still there.
    fn runs(&self, connection: &Connection) -> Result<bool, rusqlite::Error> {
        let mut has_begun = connection.prepare_cached(HAS_BEGUN)?;
        for n in &self.open {
            if has_begun.query_row([n], |row| row.get(0))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the writer, with nothing to come; none where the index is finished. The numbers that are missing are
    /// of flows that were given up or deleted.
    fn complete(self) -> Result<Option<Box<TextWriter>>, TextError> {
        let Work::Writing(mut writer) = self.work else {
            return Ok(None);
        };
        for n in self.open {
            writer.add(n, &[])?;
        }
        writer.commit()?;
        Ok(Some(writer))
    }
}

/// Returns an error and what is behind it.
fn describe(error: &IndexError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
