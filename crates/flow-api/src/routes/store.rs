//! What the store weighs, and long pieces of work on it.

use std::path::Path;

use axum::Json;
use axum::extract::State;
use flow_store::StoreStats;
use http::StatusCode;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::JsonBody;
use crate::maintenance::{
    ArchiveTask, BackupTask, CheckTask, StoreJob, StoreTask, StoreTaskRefusal,
};
use crate::state::App;

type Started = Result<(StatusCode, Json<StoreTask>), ApiError>;

/// Returns what the store holds and what it weighs. It reads every row.
#[utoipa::path(
    get,
    path = "/api/store",
    responses(
        (status = 200, description = "The figures", body = StoreStats),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 503, description = "The store cannot be read", body = ErrorBody),
    ),
    operation_id = "store_stats",
    tag = "store"
)]
pub(crate) async fn stats(State(app): State<App>) -> Result<Json<StoreStats>, ApiError> {
    let store = app.store.clone();
    let stats = app.blocking.run(move || store.stats()).await?;
    Ok(Json(stats?))
}

/// Returns how the work on the store goes that is under way, or how the last one went.
#[utoipa::path(
    get,
    path = "/api/store/task",
    responses(
        (status = 200, description = "The progress", body = StoreTask),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "store_task",
    tag = "store"
)]
pub(crate) async fn task(State(app): State<App>) -> Json<StoreTask> {
    Json(app.maintenance.task())
}

/// Stops the work that is under way, if there is some. A copy that is not whole is taken away.
#[utoipa::path(
    delete,
    path = "/api/store/task",
    responses(
        (status = 200, description = "How far it came", body = StoreTask),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "cancel_store_task",
    tag = "store"
)]
pub(crate) async fn cancel(State(app): State<App>) -> Result<Json<StoreTask>, ApiError> {
    let maintenance = app.maintenance.clone();
    app.blocking.run(move || maintenance.cancel()).await?;
    Ok(Json(app.maintenance.task()))
}

/// Begins to check every file and every flow. Nothing is changed.
#[utoipa::path(
    post,
    path = "/api/store/check",
    request_body = CheckTask,
    responses(
        (status = 202, description = "It has begun", body = StoreTask),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 409, description = "Other work is under way", body = ErrorBody),
    ),
    operation_id = "check_store",
    tag = "store"
)]
pub(crate) async fn check(State(app): State<App>, JsonBody(task): JsonBody<CheckTask>) -> Started {
    start(&app, StoreJob::Check(task))
}

/// Begins to give room back: segments lose their free pages.
#[utoipa::path(
    post,
    path = "/api/store/compact",
    responses(
        (status = 202, description = "It has begun", body = StoreTask),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 403, description = "The record is only read", body = ErrorBody),
        (status = 409, description = "Other work is under way", body = ErrorBody),
    ),
    operation_id = "compact_store",
    tag = "store"
)]
pub(crate) async fn compact(State(app): State<App>) -> Started {
    start(&app, StoreJob::Compact)
}

/// Begins to copy the store into another directory, which can be used as a data directory. Recording goes on.
#[utoipa::path(
    post,
    path = "/api/store/backup",
    request_body = BackupTask,
    responses(
        (status = 202, description = "It has begun", body = StoreTask),
        (status = 400, description = "The path does not begin at the root", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 403, description = "The record is only read", body = ErrorBody),
        (status = 409, description = "Other work is under way", body = ErrorBody),
    ),
    operation_id = "backup_store",
    tag = "store"
)]
pub(crate) async fn backup(
    State(app): State<App>,
    JsonBody(task): JsonBody<BackupTask>,
) -> Started {
    from_root(&task.to)?;
    start(&app, StoreJob::Backup(task))
}

/// Begins to copy the segments with old flows into another directory, which is only read from then on.
#[utoipa::path(
    post,
    path = "/api/store/archive",
    request_body = ArchiveTask,
    responses(
        (status = 202, description = "It has begun", body = StoreTask),
        (status = 400, description = "The path does not begin at the root", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 403, description = "The record is only read", body = ErrorBody),
        (status = 409, description = "Other work is under way", body = ErrorBody),
    ),
    operation_id = "archive_store",
    tag = "store"
)]
pub(crate) async fn archive(
    State(app): State<App>,
    JsonBody(task): JsonBody<ArchiveTask>,
) -> Started {
    from_root(&task.to)?;
    start(&app, StoreJob::Archive(task))
}

/// Refuses a path that means something else to the monitor than to whoever asks.
fn from_root(to: &Path) -> Result<(), ApiError> {
    if to.is_absolute() {
        return Ok(());
    }
    let message = format!("`{}` is not a path from the root on", to.display());
    Err(ApiError::new(ErrorCode::BadBody, message))
}

fn start(app: &App, job: StoreJob) -> Started {
    match app.maintenance.start(job) {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(app.maintenance.task()))),
        Err(refusal @ StoreTaskRefusal::Running) => Err(ApiError::new(
            ErrorCode::StoreTaskRunning,
            refusal.to_string(),
        )),
        Err(refusal @ StoreTaskRefusal::Unavailable) => Err(ApiError::new(
            ErrorCode::StoreUnavailable,
            refusal.to_string(),
        )),
    }
}
