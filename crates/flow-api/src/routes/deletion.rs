//! Deleting flows, and pins that keep flows from it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use flow_model::{FlowId, Timestamp};
use flow_query::Checked;
use flow_store::{DeleteError, Deletion, Which};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::{JsonBody, PathFlow};
use crate::filter;
use crate::state::App;

/// Longest time that an answer waits until nothing of what was deleted is in any file.
const SETTLE_TIME_MAX: Duration = Duration::from_mins(5);

/// What is to be deleted: one of `ids`, `filter` and `before`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeleteFlows {
    /// These flows.
    pub ids: Option<Vec<FlowId>>,
    /// The flows that a filter selects, as a tree of JSON.
    pub filter: Option<Value>,
    /// The flows that began before this instant.
    pub before: Option<Timestamp>,
    /// Pinned flows too.
    pub pinned: bool,
    /// Nothing is deleted: only counted.
    pub dry_run: bool,
    /// The answer waits until nothing of them is in any file.
    pub wait: bool,
}

/// What was deleted, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowsDeleted {
    /// How many flows.
    pub flows: u64,
    /// Bytes of their bodies on the wire.
    pub bytes: u64,
    /// Flows that were selected and are kept because they are pinned.
    pub kept_pinned: u64,
    /// Nothing was deleted.
    pub dry_run: bool,
    /// Flows that are shown no more and of which something is still in files. It is removed in the background.
    pub pending: u64,
}

/// Whether a flow is pinned.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Pin {
    /// The flow.
    pub id: FlowId,
    /// Retention and deletion leave it alone.
    pub pinned: bool,
}

enum Asked {
    Ids(Vec<FlowId>),
    Filter(Checked),
    Before(Timestamp),
}

/// Deletes flows for good: from lists at once, from all files soon after. Running flows are never deleted.
#[utoipa::path(
    delete,
    path = "/api/flows",
    request_body = DeleteFlows,
    responses(
        (status = 200, description = "What was deleted", body = FlowsDeleted),
        (status = 400, description = "Not exactly one of `ids`, `filter` and `before`, or a filter that makes no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 503, description = "The store cannot be written", body = ErrorBody),
    ),
    operation_id = "delete_flows",
    tag = "flows"
)]
pub(crate) async fn delete(
    State(app): State<App>,
    JsonBody(body): JsonBody<DeleteFlows>,
) -> Result<Json<FlowsDeleted>, ApiError> {
    let DeleteFlows {
        ids,
        filter,
        before,
        pinned,
        dry_run,
        wait,
    } = body;
    let asked = match (ids, filter, before) {
        (Some(ids), None, None) => Asked::Ids(ids),
        (None, Some(tree), None) => Asked::Filter(filter::checked_tree(Some(tree))?),
        (None, None, Some(before)) => Asked::Before(before),
        _ => {
            let message = "say which flows by exactly one of `ids`, `filter` and `before`";
            return Err(ApiError::new(ErrorCode::BadBody, message));
        }
    };
    let (store, deleter) = (app.store.clone(), std::sync::Arc::clone(&app));
    let run = move || {
        let which = match &asked {
            Asked::Ids(ids) => Which::Ids(ids),
            Asked::Filter(filter) => Which::Matching(filter),
            Asked::Before(before) => Which::Before(*before),
        };
        let deleted = store.delete(&Deletion {
            which,
            pinned,
            dry_run,
        })?;
        if !dry_run {
            (deleter.deleted)(&deleted.ids);
            if wait {
                store.settle_deletions(SETTLE_TIME_MAX);
            }
        }
        Ok::<_, DeleteError>(FlowsDeleted {
            flows: deleted.flows,
            bytes: deleted.bytes,
            kept_pinned: deleted.kept_pinned,
            dry_run,
            pending: store.health().flows_being_deleted,
        })
    };
    Ok(Json(app.blocking.run(run).await??))
}

/// Pins a flow: retention leaves it alone, and deletion too unless it says otherwise.
#[utoipa::path(
    put,
    path = "/api/flows/{id}/pin",
    params(("id" = String, Path, description = "The flow's id")),
    responses(
        (status = 200, description = "It is pinned", body = Pin),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
        (status = 503, description = "The store cannot be written", body = ErrorBody),
    ),
    operation_id = "pin_flow",
    tag = "flows"
)]
pub(crate) async fn pin(
    State(app): State<App>,
    PathFlow(id): PathFlow,
) -> Result<Json<Pin>, ApiError> {
    set_pin(app, id, true).await
}

/// Unpins a flow.
#[utoipa::path(
    delete,
    path = "/api/flows/{id}/pin",
    params(("id" = String, Path, description = "The flow's id")),
    responses(
        (status = 200, description = "It is not pinned", body = Pin),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
        (status = 503, description = "The store cannot be written", body = ErrorBody),
    ),
    operation_id = "unpin_flow",
    tag = "flows"
)]
pub(crate) async fn unpin(
    State(app): State<App>,
    PathFlow(id): PathFlow,
) -> Result<Json<Pin>, ApiError> {
    set_pin(app, id, false).await
}

async fn set_pin(app: App, id: FlowId, pinned: bool) -> Result<Json<Pin>, ApiError> {
    let store = app.store.clone();
    let known = app.blocking.run(move || store.pin(id, pinned)).await??;
    if known {
        Ok(Json(Pin { id, pinned }))
    } else {
        Err(ApiError::no_such_flow(id))
    }
}

impl From<DeleteError> for ApiError {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Read(error) => error.into(),
            DeleteError::ReadOnly => {
                Self::new(ErrorCode::StoreUnavailable, "the store is only read")
            }
            DeleteError::Text => Self::new(ErrorCode::BadBody, error.to_string()),
            DeleteError::Catalog(_) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "flows cannot be deleted or pinned"
                );
                let message = "the catalog of the store cannot be written to";
                Self::new(ErrorCode::StoreUnavailable, message)
            }
        }
    }
}
