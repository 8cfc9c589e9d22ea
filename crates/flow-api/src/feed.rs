//! The feed: what changes, as it changes, over a WebSocket or as server-sent events.
//!
//! A connection pulls. It remembers the number of the last change that it has told and, when there is news and
//! its client has taken in what came before, asks the store what changed since. So nothing is queued for a slow
//! client: changes of one flow fold into its newest row, and a client that is further behind than the store
//! remembers gets a `reset` and reads the list again. One message is bounded in bytes: rows that do not fit follow
//! in the next one. Clients that listen to a quiet monitor cost nothing but a sign of life every [`KEEP_ALIVE`].
//!
//! ```text
//! connect          flows: snapshot            every other topic: snapshot
//! resume=cursor    flows: what changed since  every other topic: snapshot
//!                  flows: reset, where the cursor is of another run or too old
//! then             rounds of at most ten a second; a topic without news is silent
//! ```
//!
//! The number is taken before the snapshot is read, so that a change during the snapshot is told again, never
//! lost: rows are put in place of those with the same id. Only `flows` depends on the cursor and it comes first in
//! every round; each message carries the cursor from which nothing that it did not tell is missing.

#![expect(
    unused_qualifications,
    reason = "utoipa writes a path before the types named in `params`"
)]

mod round;
mod socket;
mod sse;
mod topic;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use flow_store::{Changes, Watch};
use http::{HeaderMap, header};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use utoipa::IntoParams;

use self::round::{Cursors, Due, Told};
use self::topic::{FeedCursor, Topic};
use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::Params;
use crate::serve::stopped;
use crate::shapes::FeedMessage;
use crate::state::App;

/// Feeds that are open at a time.
pub(crate) const CONNECTIONS_MAX: usize = 64;
/// Time between two rounds: ten updates a second and topic.
const ROUND: Duration = Duration::from_millis(100);
/// Time between two looks at the health, which changes without news from the store.
const HEALTH_POLL: Duration = Duration::from_secs(1);
/// Silence after which a sign of life is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// What a feed is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParams {
    /// Topics, separated by commas: `flows`, `flow/{id}`, `stats`, `health`; at most 16.
    topics: String,
    /// The cursor of the last message that was taken in. The header `Last-Event-ID` goes before it.
    resume: Option<String>,
}

/// One connection's view of what changes.
struct Feed {
    app: App,
    subscriptions: Vec<Subscription>,
    /// Changes before this number have been told.
    told: u64,
    /// The number that the round under way leads to.
    goal: u64,
    /// What the round under way still has to tell.
    due: VecDeque<Due>,
    news: watch::Receiver<()>,
    shutdown: watch::Receiver<bool>,
    pace: Interval,
    /// Ticks where the health is subscribed to.
    poll: Option<Interval>,
    quiet_since: Instant,
    _permit: OwnedSemaphorePermit,
}

struct Subscription {
    topic: Topic,
    /// Keeps the recorder telling of a flow while it runs.
    _watch: Option<Watch>,
    /// What was told last, of topics that are told as a whole.
    last: Option<Told>,
}

/// What a connection sends next.
enum Item {
    Message { cursor: String, json: String },
    KeepAlive,
}

enum Wake {
    Stop,
    News,
    Poll,
    Quiet,
}

/// Tells what changes, as a WebSocket or, without an upgrade, as server-sent events.
#[utoipa::path(
    get,
    path = "/api/feed",
    params(FeedParams),
    responses(
        (status = 200, description = "Server-sent events; each one's data is a message, its id the cursor", body = FeedMessage, content_type = "text/event-stream"),
        (status = 101, description = "A WebSocket; each text message is a message of the feed"),
        (status = 400, description = "The parameters make no sense", body = ErrorBody),
        (status = 503, description = "Too many feeds are open", body = ErrorBody),
    ),
    tag = "feed"
)]
pub(crate) async fn feed(
    State(app): State<App>,
    Params(params): Params<FeedParams>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let topics = topic::topics(&params.topics)?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let resume = last
        .or(params.resume.as_deref())
        .filter(|cursor| !cursor.is_empty());
    let feed = Feed::open(app, &topics, resume)?;
    match upgrade {
        Ok(upgrade) => Ok(socket::accept(upgrade, feed)),
        Err(rejection) if headers.contains_key(header::UPGRADE) => {
            Err(ApiError::bad_query(rejection.body_text()))
        }
        Err(_) => Ok(sse::respond(feed)),
    }
}

/// The same as `/api/feed`.
#[utoipa::path(
    get,
    path = "/events",
    params(FeedParams),
    responses(
        (status = 200, description = "Server-sent events; each one's data is a message, its id the cursor", body = FeedMessage, content_type = "text/event-stream"),
        (status = 101, description = "A WebSocket; each text message is a message of the feed"),
    ),
    operation_id = "feed_alias",
    tag = "feed"
)]
pub(crate) async fn alias(
    state: State<App>,
    params: Params<FeedParams>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    feed(state, params, headers, upgrade).await
}

// === impl Feed ===

impl Feed {
    fn open(app: App, topics: &[Topic], resume: Option<&str>) -> Result<Self, ApiError> {
        let permit = Arc::clone(&app.feeds).try_acquire_owned().map_err(|_| {
            let message = format!("{CONNECTIONS_MAX} feeds are open already");
            ApiError::new(ErrorCode::TooManyFeeds, message)
        })?;
        // News is marked as seen before the number is taken: what comes in between is news again.
        let mut news = app.news.clone();
        news.mark_unchanged();
        let resume =
            resume.map(|text| FeedCursor::parse(text).filter(|at| at.instance == app.instance));
        let changes = match &resume {
            Some(Some(cursor)) => app.store.changes_since(cursor.seq),
            Some(None) | None => app.store.changes_since(u64::MAX),
        };
        let (goal, told) = match &resume {
            Some(Some(cursor)) if !changes.missed => (changes.next, cursor.seq),
            _ => (changes.next, changes.next),
        };
        let subscriptions = topics
            .iter()
            .map(|topic| Subscription::new(&app, *topic))
            .collect();
        let mut pace = interval(ROUND);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut feed = Self {
            subscriptions,
            told,
            goal,
            due: VecDeque::new(),
            news,
            shutdown: app.shutdown.clone(),
            pace,
            poll: topics
                .contains(&Topic::Health)
                .then(|| interval(HEALTH_POLL)),
            quiet_since: Instant::now(),
            _permit: permit,
            app,
        };
        feed.begin(resume.is_some(), &changes);
        Ok(feed)
    }

    /// Plans the first round.
    fn begin(&mut self, resumed: bool, changes: &Changes) {
        for index in 0..self.subscriptions.len() {
            match self.subscriptions[index].topic {
                Topic::Flows if resumed => self.plan_flows(index, changes),
                Topic::Flows => self.due.push_back(Due::Newest(index)),
                Topic::Flow(_) | Topic::Stats | Topic::Health => {
                    self.due.push_back(Due::Whole(index));
                }
            }
        }
        self.advance();
    }

    /// Returns what to send next; none once the program stops.
    async fn next(&mut self) -> Option<Item> {
        loop {
            if *self.shutdown.borrow() {
                return None;
            }
            if let Some(item) = self.tell().await {
                self.quiet_since = Instant::now();
                return Some(item);
            }
            match self.wait().await {
                Wake::Stop => return None,
                Wake::News => {
                    self.pace.tick().await;
                    self.plan();
                }
                Wake::Poll => self.plan_health(),
                Wake::Quiet => {
                    self.quiet_since = Instant::now();
                    return Some(Item::KeepAlive);
                }
            }
        }
    }

    /// Tells the next thing that is due; none where nothing is, or nothing of it is news.
    async fn tell(&mut self) -> Option<Item> {
        while let Some(due) = self.due.pop_front() {
            let index = due.index();
            let (before, cut) = (self.told, self.cursor());
            // The cursor moves on with the last message of the list of flows.
            self.advance();
            let whole = self.cursor();
            let cursors = Cursors { whole, cut };
            let last = self.subscriptions[index].last.take();
            let topic = self.subscriptions[index].topic;
            let app = Arc::clone(&self.app);
            let work = move || round::tell(&app, due, topic, cursors, last);
            let Ok(telling) = self.app.blocking.run(work).await else {
                continue;
            };
            self.subscriptions[index].last = telling.last;
            if let Some(rest) = telling.rest {
                self.due.push_front(rest);
                self.told = before;
            }
            if let Some((cursor, json)) = telling.message {
                return Some(Item::Message { cursor, json });
            }
        }
        None
    }

    /// Moves the cursor to the round's end where the list of flows has nothing left to tell.
    fn advance(&mut self) {
        if !self.due.iter().any(Due::is_of_list) {
            self.told = self.goal;
        }
    }

    fn cursor(&self) -> String {
        let cursor = FeedCursor {
            instance: self.app.instance.clone(),
            seq: self.told,
        };
        cursor.to_string()
    }

    /// Plans a round from what changed since the last one.
    fn plan(&mut self) {
        let changes = self.app.store.changes_since(self.told);
        self.goal = changes.next;
        if changes.next == self.told && !changes.missed {
            return;
        }
        for index in 0..self.subscriptions.len() {
            match self.subscriptions[index].topic {
                Topic::Flows => self.plan_flows(index, &changes),
                Topic::Flow(id) => {
                    let touched = changes.changed.contains(&id) || changes.gone.contains(&id);
                    if touched || changes.missed {
                        self.due.push_back(Due::Flow(index));
                    }
                }
                Topic::Stats | Topic::Health => self.due.push_back(Due::Whole(index)),
            }
        }
        self.advance();
    }

    fn plan_flows(&mut self, index: usize, changes: &Changes) {
        if changes.missed || changes.changed.len() > round::ROWS_MAX {
            self.due.push_back(Due::Reset(index));
            return;
        }
        if !changes.gone.is_empty() {
            self.due.push_back(Due::Gone(index, changes.gone.clone()));
        }
        if !changes.changed.is_empty() {
            self.due
                .push_back(Due::Rows(index, changes.changed.clone()));
        }
    }

    fn plan_health(&mut self) {
        let health = |subscription: &Subscription| subscription.topic == Topic::Health;
        if let Some(index) = self.subscriptions.iter().position(health) {
            self.due.push_back(Due::Whole(index));
        }
    }

    async fn wait(&mut self) -> Wake {
        let poll = async {
            match &mut self.poll {
                Some(poll) => poll.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopped(self.shutdown.clone()) => Wake::Stop,
            changed = self.news.changed() => changed.map_or(Wake::Stop, |()| Wake::News),
            _ = poll => Wake::Poll,
            () = sleep_until(self.quiet_since + KEEP_ALIVE) => Wake::Quiet,
        }
    }
}

// === impl Subscription ===

impl Subscription {
    fn new(app: &App, topic: Topic) -> Self {
        let watch = match topic {
            Topic::Flow(id) => Some(app.store.watch(id)),
            Topic::Flows | Topic::Stats | Topic::Health => None,
        };
        Self {
            topic,
            _watch: watch,
            last: None,
        }
    }
}

#[cfg(test)]
mod tests;
