//! What one message of a feed says. Everything here reads the store and may block.
//!
//! A message is bounded, because a connection whose client does not read keeps one: rows past
//! [`ROWS_BYTES_MAX`] are left for the next message, and of a flow longer than [`FLOW_BYTES_MAX`] the client is
//! told to read it itself.

use std::io;

use flow_model::{FlowId, Row};
use flow_store::{ListQuery, ReadError};
use serde::Serialize;
use serde_json::value::RawValue;

use super::topic::Topic;
use crate::shapes::{FeedKind, FlowProgress, FlowRows, FlowsGone, Health, Stats};
use crate::state::AppState;

/// Rows of the first snapshot.
const NEWEST_ROWS: usize = 200;
/// Changed flows that one message tells of; after more the client reads the list again.
pub(super) const ROWS_MAX: usize = 1000;
/// JSON of the rows of one message. The rows that follow are told in the next one; a row alone is told however
/// long it is.
pub(super) const ROWS_BYTES_MAX: usize = 256 << 10;
/// JSON of one flow in a message; the client of a longer one gets a reset and reads the flow by itself.
pub(super) const FLOW_BYTES_MAX: usize = 1 << 20;

/// What a round still has to tell to the subscription of this index.
#[derive(Debug)]
pub(super) enum Due {
    /// The newest rows of the list.
    Newest(usize),
    /// Rows that are new or changed.
    Rows(usize, Vec<FlowId>),
    /// Rows that are no longer there.
    Gone(usize, Vec<FlowId>),
    /// The client has to read the list again.
    Reset(usize),
    /// The state of a topic other than the list.
    Whole(usize),
    /// How one flow goes on.
    Flow(usize),
}

/// What was told last of a topic that is told as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Stats(Stats),
    Health(Box<Health>),
}

/// What a message carries as its cursor.
#[derive(Debug)]
pub(super) struct Cursors {
    /// Where it says all that was due.
    pub(super) whole: String,
    /// Where it leaves a rest.
    pub(super) cut: String,
}

/// What came of telling.
#[derive(Debug)]
pub(super) struct Telling {
    /// What was told last.
    pub(super) last: Option<Told>,
    /// The message and its cursor; none where nothing is news.
    pub(super) message: Option<(String, String)>,
    /// What did not fit.
    pub(super) rest: Option<Due>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    topic: String,
    cursor: &'a str,
    kind: FeedKind,
    data: Option<&'a RawValue>,
}

/// What the rows of one message take so far.
#[derive(Default)]
struct Room {
    bytes: usize,
}

/// Counts what is written; writing fails past the bound, so that nothing is kept of what is too long.
struct Length {
    bytes: usize,
    bytes_max: usize,
}

/// A kind of message and its data.
type Said = (FeedKind, Option<Box<RawValue>>);

// === impl Due ===

impl Due {
    pub(super) const fn index(&self) -> usize {
        match self {
            Self::Newest(index)
            | Self::Rows(index, _)
            | Self::Gone(index, _)
            | Self::Reset(index)
            | Self::Whole(index)
            | Self::Flow(index) => *index,
        }
    }

    /// Returns whether it belongs to the list of flows, which the cursor is about.
    pub(super) const fn is_of_list(&self) -> bool {
        matches!(
            self,
            Self::Newest(_) | Self::Rows(..) | Self::Gone(..) | Self::Reset(_)
        )
    }
}

// === impl Room ===

impl Room {
    /// Returns whether the row fits, and counts it if so. The first one always does.
    fn admits(&mut self, row: &Row) -> bool {
        let mut length = Length {
            bytes: self.bytes,
            bytes_max: ROWS_BYTES_MAX,
        };
        if serde_json::to_writer(&mut length, row).is_err() && self.bytes > 0 {
            return false;
        }
        // The comma after it; a row that is too long leaves no room for another.
        self.bytes = length.bytes + 1;
        true
    }
}

// === impl Length ===

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the message that is due.
pub(super) fn tell(
    app: &AppState,
    due: Due,
    topic: Topic,
    cursors: Cursors,
    last: Option<Told>,
) -> Telling {
    let mut rest = None;
    let (last, said) = match (due, topic) {
        (Due::Newest(index), _) => (None, newest(app, index, &mut rest)),
        (Due::Rows(index, ids), _) => (None, rows(app, index, &ids, &mut rest)),
        (Due::Gone(_, ids), _) => (None, Ok(Some(gone(ids)))),
        (Due::Reset(_), _) | (_, Topic::Flows) => (None, Ok(Some((FeedKind::Reset, None)))),
        (Due::Whole(_), Topic::Flow(id)) => (None, whole_flow(app, id)),
        (Due::Flow(_), Topic::Flow(id)) => (None, flow(app, id)),
        (_, Topic::Stats) => fresh(last, Told::Stats(stats(app))),
        (_, Topic::Health) => fresh(last, Told::Health(Box::new(app.health()))),
    };
    let said = said.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, %topic, "cannot read for a feed");
        Some((FeedKind::Reset, None))
    });
    let cursor = if rest.is_some() {
        cursors.cut
    } else {
        cursors.whole
    };
    let message = said.and_then(|(kind, data)| {
        let envelope = Envelope {
            topic: topic.to_string(),
            cursor: &cursor,
            kind,
            data: data.as_deref(),
        };
        let json = serde_json::to_string(&envelope).ok()?;
        Some((cursor, json))
    });
    Telling {
        last,
        message,
        rest,
    }
}

/// Returns the state of a topic where it differs from what was told last.
fn fresh(last: Option<Told>, now: Told) -> (Option<Told>, Result<Option<Said>, ReadError>) {
    if last.as_ref() == Some(&now) {
        return (last, Ok(None));
    }
    let said = match &now {
        Told::Stats(stats) => say(FeedKind::Snapshot, stats),
        Told::Health(health) => say(FeedKind::Snapshot, health),
    };
    (Some(now), Ok(Some(said)))
}

fn newest(app: &AppState, index: usize, rest: &mut Option<Due>) -> Result<Option<Said>, ReadError> {
    let query = ListQuery {
        limit: NEWEST_ROWS,
        ..ListQuery::default()
    };
    let mut flows = app.store.list(&query)?.rows;
    let mut room = Room::default();
    let fitting = flows
        .iter()
        .position(|row| !room.admits(row))
        .unwrap_or(flows.len());
    let left: Vec<FlowId> = flows.drain(fitting..).map(|row| row.id).collect();
    *rest = (!left.is_empty()).then_some(Due::Rows(index, left));
    Ok(Some(say(FeedKind::Snapshot, &FlowRows { flows })))
}

fn rows(
    app: &AppState,
    index: usize,
    ids: &[FlowId],
    rest: &mut Option<Due>,
) -> Result<Option<Said>, ReadError> {
    let mut rows = FlowRows { flows: Vec::new() };
    let mut room = Room::default();
    for (at, id) in ids.iter().enumerate() {
        // A flow that has gone since is told of in the next round.
        let Some(row) = app.store.row(*id)? else {
            continue;
        };
        if !room.admits(&row) {
            *rest = Some(Due::Rows(index, ids.iter().skip(at).copied().collect()));
            break;
        }
        rows.flows.push(row);
    }
    let news = !rows.flows.is_empty();
    Ok(news.then(|| say(FeedKind::Update, &rows)))
}

fn gone(ids: Vec<FlowId>) -> Said {
    say(FeedKind::Gone, &FlowsGone { ids })
}

fn stats(app: &AppState) -> Stats {
    Stats {
        total: app.store.total(),
        in_flight: app.store.in_flight(),
    }
}

fn whole_flow(app: &AppState, id: FlowId) -> Result<Option<Said>, ReadError> {
    Ok(Some(match app.look(id)? {
        Some(look) => say_flow(FeedKind::Snapshot, &look.detail()),
        None => gone(vec![id]),
    }))
}

/// Tells the answer so far of a running flow, and everything of one that has ended.
fn flow(app: &AppState, id: FlowId) -> Result<Option<Said>, ReadError> {
    let Some(live) = app.store.live(id) else {
        return whole_flow(app, id);
    };
    let Some(row) = app.store.row(id)? else {
        return Ok(Some(gone(vec![id])));
    };
    let progress = FlowProgress {
        flow: &row,
        exchange: &live.exchange,
        response: &live.response,
    };
    Ok(Some(say_flow(FeedKind::Update, &progress)))
}

/// Says a flow in full where it is not too long for that.
fn say_flow(kind: FeedKind, data: &impl Serialize) -> Said {
    let mut length = Length {
        bytes: 0,
        bytes_max: FLOW_BYTES_MAX,
    };
    match serde_json::to_writer(&mut length, data) {
        Ok(()) => say(kind, data),
        Err(_) => (FeedKind::Reset, None),
    }
}

fn say(kind: FeedKind, data: &impl Serialize) -> Said {
    match serde_json::value::to_raw_value(data) {
        Ok(data) => (kind, Some(data)),
        Err(error) => {
            tracing::error!(%error, "cannot write a message of the feed");
            (FeedKind::Reset, None)
        }
    }
}
