//! What the program hands to the API.

use std::fmt;

use flow_capture::Capture;
use flow_meter::Meter;
use flow_model::{FlowId, Timestamp};
use flow_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::access::Access;
use crate::error::FieldError;
use crate::maintenance::Maintenance;
use crate::reindex::ReindexHandle;

/// What the API needs.
pub struct ApiOptions {
    /// Where flows are read.
    pub store: Store,
    /// What is recorded, and how recording goes.
    pub capture: Capture,
    /// Who measures readings.
    pub meter: Meter,
    /// The settings.
    pub config: ConfigHandle,
    /// Who derives rows again.
    pub reindex: ReindexHandle,
    /// Who checks, compacts and copies the store.
    pub maintenance: Maintenance,
    /// Is told of flows that were deleted, for what is kept of them beside the store. It may block.
    pub deleted: DeletedHook,
    /// Nothing is recorded or changed: whatever would is refused.
    pub read_only: bool,
    /// What does not change while the program runs.
    pub facts: StatusFacts,
    /// Who may speak to the API.
    pub access: Access,
    /// Turns true, or loses its sender, when the program stops; feeds end then.
    pub shutdown: watch::Receiver<bool>,
}

/// Is called with the flows that were deleted.
pub type DeletedHook = Box<dyn Fn(&[FlowId]) + Send + Sync>;

/// What does not change while the program runs.
#[derive(Clone, Debug)]
pub struct StatusFacts {
    /// The program's version.
    pub version: String,
    /// Where clients send their requests, such as `http://127.0.0.1:8377`.
    pub proxy_url: String,
    /// Where the page is.
    pub ui_url: String,
    /// The upstreams that have a route.
    pub upstreams: Vec<UpstreamFacts>,
    /// When the program started.
    pub started_at: Timestamp,
    /// The data directory; none where nothing is kept.
    pub data_dir: Option<String>,
}

/// An upstream that has a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UpstreamFacts {
    /// Its name, the first part of the path.
    pub name: String,
    /// Who serves it.
    pub provider: Option<String>,
    /// Where its requests go.
    pub url: String,
    /// What a client takes as its base URL.
    pub base_url: String,
}

/// The settings: how to list them and how to change them.
pub struct ConfigHandle {
    list: Box<dyn Fn() -> Vec<ConfigEntry> + Send + Sync>,
    patch: Box<PatchConfig>,
}

/// Changes settings, all of them or none; refused ones are named one by one.
type PatchConfig =
    dyn Fn(Map<String, Value>) -> Result<Vec<ConfigEntry>, Vec<FieldError>> + Send + Sync;

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConfigEntry {
    /// Its name.
    pub key: String,
    /// Its value now.
    pub value: Value,
    /// Its value where nothing is set.
    pub default: Value,
    /// Where its value comes from.
    pub source: ConfigSource,
    /// The environment variable that sets it.
    pub env: Option<String>,
    /// It can be changed while the program runs.
    pub changeable: bool,
    /// What it does.
    pub help: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: ConfigKind,
}

/// Where a setting's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigSource {
    /// Nothing is set.
    Default,
    /// The configuration file.
    File,
    /// The environment.
    Environment,
    /// The command line.
    Flag,
    /// Changed while the program runs.
    Runtime,
}

/// Kinds of values that settings take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfigKind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list of texts.
    List,
    /// Names and their values.
    Table,
}

// === impl ConfigHandle ===

impl ConfigHandle {
    /// Returns the handle made of these two functions. Both may block; neither may wait for the API.
    pub fn new(
        list: impl Fn() -> Vec<ConfigEntry> + Send + Sync + 'static,
        patch: impl Fn(Map<String, Value>) -> Result<Vec<ConfigEntry>, Vec<FieldError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            list: Box::new(list),
            patch: Box::new(patch),
        }
    }

    pub(crate) fn list(&self) -> Vec<ConfigEntry> {
        (self.list)()
    }

    pub(crate) fn patch(
        &self,
        changes: Map<String, Value>,
    ) -> Result<Vec<ConfigEntry>, Vec<FieldError>> {
        (self.patch)(changes)
    }
}

impl fmt::Debug for ConfigHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigHandle").finish_non_exhaustive()
    }
}
