//! Deriving the rows of stored flows again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::JsonBody;
use crate::reindex::{ReindexProgress, ReindexRefusal, ReindexTask};
use crate::state::App;

/// Returns how the run goes that is under way, or how the last one went.
#[utoipa::path(
    get,
    path = "/api/reindex",
    responses(
        (status = 200, description = "The progress", body = ReindexProgress),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "show_reindex",
    tag = "reindex"
)]
pub(crate) async fn show(State(app): State<App>) -> Json<ReindexProgress> {
    Json(app.reindex.progress())
}

/// Begins to derive rows again, in the background. What was on the wire is not touched.
#[utoipa::path(
    post,
    path = "/api/reindex",
    request_body = ReindexTask,
    responses(
        (status = 202, description = "It has begun", body = ReindexProgress),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 409, description = "A run is under way", body = ErrorBody),
        (status = 503, description = "The store cannot be written", body = ErrorBody),
    ),
    operation_id = "start_reindex",
    tag = "reindex"
)]
pub(crate) async fn start(
    State(app): State<App>,
    JsonBody(task): JsonBody<ReindexTask>,
) -> Result<(StatusCode, Json<ReindexProgress>), ApiError> {
    let starter = Arc::clone(&app);
    let started = app
        .blocking
        .run(move || starter.reindex.start(task))
        .await?;
    match started {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(app.reindex.progress()))),
        Err(ReindexRefusal::Running) => Err(ApiError::new(
            ErrorCode::ReindexRunning,
            "rows are being derived again already, as after a start with another release or other prices",
        )),
        Err(ReindexRefusal::Unavailable) => Err(ApiError::new(
            ErrorCode::StoreUnavailable,
            "the store cannot be written",
        )),
    }
}

/// Stops the run that is under way, if there is one. What it has changed stays.
#[utoipa::path(
    delete,
    path = "/api/reindex",
    responses(
        (status = 200, description = "How far it came", body = ReindexProgress),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "cancel_reindex",
    tag = "reindex"
)]
pub(crate) async fn cancel(State(app): State<App>) -> Result<Json<ReindexProgress>, ApiError> {
    let canceller = Arc::clone(&app);
    app.blocking.run(move || canceller.reindex.cancel()).await?;
    Ok(Json(app.reindex.progress()))
}
