//! What one message of a feed says. Everything here reads the store and may block.

use flow_model::FlowId;
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
    Health(Health),
}

#[derive(Serialize)]
struct Envelope<'a> {
    topic: String,
    cursor: &'a str,
    kind: FeedKind,
    data: Option<&'a RawValue>,
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

/// Returns the message that is due, none where nothing of it is news, and what was told last.
pub(super) fn tell(
    app: &AppState,
    due: Due,
    topic: Topic,
    cursor: &str,
    last: Option<Told>,
) -> (Option<Told>, Option<String>) {
    let (told, said) = match (due, topic) {
        (Due::Newest(_), _) => (None, newest(app)),
        (Due::Rows(_, ids), _) => (None, rows(app, &ids)),
        (Due::Gone(_, ids), _) => (None, Ok(Some(gone(ids)))),
        (Due::Reset(_), _) | (_, Topic::Flows) => (None, Ok(Some((FeedKind::Reset, None)))),
        (Due::Whole(_), Topic::Flow(id)) => (None, whole_flow(app, id)),
        (Due::Flow(_), Topic::Flow(id)) => (None, flow(app, id)),
        (_, Topic::Stats) => fresh(last, stats(app).map(Told::Stats)),
        (_, Topic::Health) => fresh(last, Ok(Told::Health(app.health()))),
    };
    let said = said.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, %topic, "cannot read for a feed");
        Some((FeedKind::Reset, None))
    });
    let json = said.and_then(|(kind, data)| {
        let envelope = Envelope {
            topic: topic.to_string(),
            cursor,
            kind,
            data: data.as_deref(),
        };
        serde_json::to_string(&envelope).ok()
    });
    (told, json)
}

/// Returns the state of a topic where it differs from what was told last.
fn fresh(
    last: Option<Told>,
    now: Result<Told, ReadError>,
) -> (Option<Told>, Result<Option<Said>, ReadError>) {
    let now = match now {
        Ok(now) => now,
        Err(error) => return (last, Err(error)),
    };
    if last.as_ref() == Some(&now) {
        return (last, Ok(None));
    }
    let said = match &now {
        Told::Stats(stats) => say(FeedKind::Snapshot, stats),
        Told::Health(health) => say(FeedKind::Snapshot, health),
    };
    (Some(now), Ok(Some(said)))
}

fn newest(app: &AppState) -> Result<Option<Said>, ReadError> {
    let query = ListQuery {
        limit: NEWEST_ROWS,
        ..ListQuery::default()
    };
    let page = app.store.list(&query)?;
    let rows = FlowRows { flows: page.rows };
    Ok(Some(say(FeedKind::Snapshot, &rows)))
}

fn rows(app: &AppState, ids: &[FlowId]) -> Result<Option<Said>, ReadError> {
    let mut rows = FlowRows { flows: Vec::new() };
    for id in ids {
        // A flow that has gone since is told of in the next round.
        rows.flows.extend(app.store.row(*id)?);
    }
    let news = !rows.flows.is_empty();
    Ok(news.then(|| say(FeedKind::Update, &rows)))
}

fn gone(ids: Vec<FlowId>) -> Said {
    say(FeedKind::Gone, &FlowsGone { ids })
}

fn stats(app: &AppState) -> Result<Stats, ReadError> {
    Ok(Stats {
        total: app.store.count()?,
        in_flight: app.store.in_flight(),
    })
}

fn whole_flow(app: &AppState, id: FlowId) -> Result<Option<Said>, ReadError> {
    Ok(Some(match app.look(id)? {
        Some(look) => say(FeedKind::Snapshot, &look.detail()),
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
    Ok(Some(say(FeedKind::Update, &progress)))
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
