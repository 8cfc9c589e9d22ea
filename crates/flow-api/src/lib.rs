//! The API, the feed and the embedded page.
//!
//! It owns every JSON shape that leaves the program, who may ask for it, and how changes are told while they
//! happen. It reads the store and the settings; it never writes a flow and never speaks to an upstream.
//!
//! Reading order: [`routes`] is the table of what there is, [`guard`] and [`Access`] decide who may pass, [`feed`]
//! tells what changes, [`page`] serves the files of the page, [`serve()`] runs it all.

mod options;
mod routes;

mod access;
mod error;
mod extract;
mod feed;
mod filter;
mod guard;
mod page;
mod read_only;

mod blocking;
mod maintenance;
mod readings;
mod reindex;
mod shapes;
mod state;

mod openapi;
mod serve;

#[cfg(test)]
mod testing;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

pub use access::{Access, AccessError};
pub use error::FieldError;
pub use maintenance::{
    ArchiveTask, BackupTask, CheckTask, Maintenance, StoreJob, StoreTask, StoreTaskKind,
    StoreTaskOutcome, StoreTaskRefusal,
};
pub use openapi::{openapi, openapi_json};
pub use options::{
    ApiOptions, ConfigEntry, ConfigHandle, ConfigKind, ConfigSource, DeletedHook, StatusFacts,
    UpstreamFacts,
};
pub use reindex::{
    ReindexHandle, ReindexOutcome, ReindexProgress, ReindexRefusal, ReindexScope, ReindexTask,
};
pub use serve::serve;

/// Returns the router of all routes, behind its guard.
pub fn router(options: ApiOptions) -> Router {
    let access = options.access.clone();
    let app = Arc::new(state::AppState::new(options));
    routes::routes()
        .into_router()
        .with_state(Arc::clone(&app))
        .layer(from_fn_with_state(app, read_only::refuse))
        .layer(from_fn_with_state(access, guard::guard))
}
