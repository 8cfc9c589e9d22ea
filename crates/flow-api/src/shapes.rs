//! The JSON of answers, where it is not a type of the model.

pub(crate) mod figures;

use std::collections::BTreeMap;

use flow_capture::CaptureStats;
use flow_model::{Chunk, Exchange, FlowId, Reading, ResponseReading, Row, Timestamp};
use flow_store::StoreHealth;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::options::{ConfigEntry, UpstreamFacts};
use crate::reindex::ReindexProgress;

/// One page of the list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowPage {
    /// The rows, in the order asked for.
    pub flows: Vec<Row>,
    /// What gives the next page as `cursor`; none where this is the last.
    pub next_cursor: Option<String>,
    /// How many flows there are over all pages; none where that would take too long.
    pub total: Option<u64>,
    /// Some flows could not be looked at, and may be missing.
    pub partial: bool,
}

/// How many flows there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FlowCount {
    /// The number.
    pub count: u64,
    /// Some flows could not be looked at, and are not counted.
    pub partial: bool,
}

/// Everything about one flow but the bytes of its bodies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Detail<'a> {
    /// The line that lists show.
    pub flow: &'a Row,
    /// What was on the wire.
    pub exchange: &'a Exchange,
    /// What the codec makes of it.
    pub reading: &'a Reading,
    /// What the user added: `pinned` where the flow is pinned.
    pub annotations: BTreeMap<String, Value>,
}

/// What a feed tells of a flow while its answer arrives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowProgress<'a> {
    /// The line that lists show.
    pub flow: &'a Row,
    /// What was on the wire so far.
    pub exchange: &'a Exchange,
    /// The answer so far.
    pub response: &'a ResponseReading,
}

/// Some events of a streamed answer.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct EventPage {
    /// The events, in order.
    pub events: Vec<FlowEvent>,
    /// How many there are; none where the body is too long to be read whole, and only its beginning was.
    pub total: Option<u64>,
}

/// One event of a streamed answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FlowEvent {
    /// Its number, from 0.
    pub index: u64,
    /// When its last byte arrived, in microseconds after the flow's start; none where that is not known.
    pub at_us: Option<u64>,
    /// The event's name, where it has one.
    pub name: Option<String>,
    /// Its data, with replacement characters where it is no UTF-8; only its beginning where it is very long.
    pub data: String,
    /// Length of the whole event in the body.
    pub bytes: u64,
    /// Where it begins in the body.
    pub offset: u64,
}

/// When each part of a body arrived.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ChunkList {
    /// The parts, in order.
    pub chunks: Vec<Chunk>,
}

/// The settings.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct ConfigList {
    /// All of them.
    pub entries: Vec<ConfigEntry>,
}

/// What the monitor is and where.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// The program's version.
    pub version: String,
    /// Where clients send their requests.
    pub proxy_url: String,
    /// Where the page is.
    pub ui_url: String,
    /// New flows are being recorded.
    pub recording: bool,
    /// Nothing is recorded or changed here, as in an archive.
    pub read_only: bool,
    /// The upstreams that have a route.
    pub upstreams: Vec<UpstreamFacts>,
    /// When the program started.
    pub started_at: Timestamp,
    /// The data directory; none where nothing is kept.
    pub data_dir: Option<String>,
}

/// How recording goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Health {
    /// The store takes what is recorded. What was lost earlier stands in the counts below.
    pub ok: bool,
    /// New flows are being recorded; false while paused or switched off.
    pub recording: bool,
    /// Between relay and recorder.
    pub capture: CaptureHealth,
    /// Between recorder and disk.
    pub store: StoreReport,
    /// How rows are derived again; not there where that has not been done since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reindex: Option<Box<ReindexProgress>>,
}

/// What has been queued, spilled and lost between relay and recorder since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CaptureHealth {
    /// Bytes of bodies in memory.
    pub queued_bytes: u64,
    /// Events waiting for the recorder.
    pub queued_events: u64,
    /// Frames that went to the spill.
    pub spilled_frames: u64,
    /// Their bytes.
    pub spilled_bytes: u64,
    /// Frames that could not be kept.
    pub gap_frames: u64,
    /// Their bytes.
    pub gap_bytes: u64,
    /// Flows that were recorded from their beginning.
    pub flows_begun: u64,
    /// Flows that were not recorded at all, because the queue was full.
    pub flows_lost: u64,
}

/// What the store says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StoreReport {
    /// Why nothing is being recorded at the moment; none where all is well.
    pub problem: Option<String>,
    /// Groups of writes committed since the start.
    pub commits: u64,
    /// How long the last commit took, in microseconds.
    pub commit_us_last: u64,
    /// How long the longest commit took, in microseconds.
    pub commit_us_max: u64,
    /// Bytes that wait to be committed.
    pub backlog_bytes: u64,
    /// Flows that could not be stored, in whole or in part.
    pub flows_not_stored: u64,
    /// Ended flows that were dropped to stay within the memory that an unpersisted store may use.
    pub flows_evicted: u64,
    /// Flows brought over from damaged segments.
    pub flows_salvaged: u64,
    /// Flows of damaged segments that could not be read any more.
    pub flows_unreadable: u64,
    /// Deleted flows that are shown no more and of which something is still in files.
    pub flows_being_deleted: u64,
    /// Flows that are not in the text index yet.
    pub text_lag_flows: u64,
    /// Why texts are not indexed at the moment; none where all is well.
    pub text_problem: Option<String>,
    /// What was found damaged, and where it was put.
    pub notices: Vec<String>,
}

/// Numbers of all flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Stats {
    /// How many flows there are.
    pub total: u64,
    /// How many of them are running.
    pub in_flight: u64,
}

/// A one-time code.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SessionCode {
    /// The code that stands in the link after `#code=`.
    pub code: String,
}

/// A link that signs a browser in, once.
#[derive(Serialize, ToSchema)]
pub(crate) struct SessionLink {
    /// The link.
    pub url: String,
}

/// A sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Alive {
    /// Always true.
    pub ok: bool,
}

/// One message of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedMessage {
    /// The topic, as it was asked for.
    pub topic: String,
    /// Where a later connection resumes, once this message has been taken in.
    pub cursor: String,
    /// What `data` is.
    pub kind: FeedKind,
    /// For `flows`: `FlowRows` (snapshot, update) or `FlowsGone`; for `flow/{id}`: `Detail` (snapshot),
    /// `FlowProgress` (update) or `FlowsGone`; for `stats`: `Stats`; for `health`: `Health`; null for a reset.
    pub data: Value,
}

/// What a message of the feed carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeedKind {
    /// The whole state of the topic.
    Snapshot,
    /// What is new or changed, to be put in place of what was there under the same id.
    Update,
    /// Flows that are no longer there.
    Gone,
    /// Something was missed: read the topic's state again.
    Reset,
}

/// New and changed rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowRows {
    /// The rows, each flow once.
    pub flows: Vec<Row>,
}

/// Flows that are no longer there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowsGone {
    /// Their ids.
    pub ids: Vec<FlowId>,
}

// === impl Health ===

impl Health {
    /// Returns the report made of what both sides say.
    pub(crate) fn new(
        recording: bool,
        capture: &CaptureStats,
        store: StoreHealth,
        reindex: ReindexProgress,
    ) -> Self {
        Self {
            ok: store.problem.is_none(),
            recording,
            capture: CaptureHealth::new(capture),
            store: StoreReport::new(store),
            reindex: reindex.has_begun().then(|| Box::new(reindex)),
        }
    }
}

impl CaptureHealth {
    const fn new(stats: &CaptureStats) -> Self {
        Self {
            queued_bytes: stats.queued_bytes,
            queued_events: stats.queued_events,
            spilled_frames: stats.spilled_frames,
            spilled_bytes: stats.spilled_bytes,
            gap_frames: stats.gap_frames,
            gap_bytes: stats.gap_bytes,
            flows_begun: stats.flows_begun,
            flows_lost: stats.flows_lost,
        }
    }
}

impl StoreReport {
    fn new(health: StoreHealth) -> Self {
        Self {
            problem: health.problem,
            commits: health.commits,
            commit_us_last: health.commit_us_last,
            commit_us_max: health.commit_us_max,
            backlog_bytes: health.backlog_bytes,
            flows_not_stored: health.flows_not_stored,
            flows_evicted: health.flows_evicted,
            flows_salvaged: health.flows_salvaged,
            flows_unreadable: health.flows_unreadable,
            flows_being_deleted: health.flows_being_deleted,
            text_lag_flows: health.text_lag_flows,
            text_problem: health.text_problem,
            notices: health.notices,
        }
    }
}
