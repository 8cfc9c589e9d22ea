//! What the monitor is and how it goes.

use axum::Json;
use axum::extract::State;
use utoipa::openapi::OpenApi;

use crate::error::ErrorBody;
use crate::shapes::{Alive, Health, Status};
use crate::state::App;

/// Says that the program answers. Needs no token.
#[utoipa::path(
    get,
    path = "/healthz",
    responses((status = 200, description = "It does", body = Alive)),
    security(()),
    tag = "status"
)]
pub(crate) async fn healthz() -> Json<Alive> {
    Json(Alive { ok: true })
}

/// Returns what the monitor is and where.
#[utoipa::path(
    get,
    path = "/api/status",
    responses(
        (status = 200, description = "The status", body = Status),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    tag = "status"
)]
pub(crate) async fn status(State(app): State<App>) -> Json<Status> {
    let facts = &app.facts;
    Json(Status {
        version: facts.version.clone(),
        proxy_url: facts.proxy_url.clone(),
        ui_url: facts.ui_url.clone(),
        recording: app.is_recording(),
        read_only: app.read_only,
        upstreams: facts.upstreams.clone(),
        started_at: facts.started_at,
        data_dir: facts.data_dir.clone(),
    })
}

/// Returns how recording goes.
#[utoipa::path(
    get,
    path = "/api/health",
    responses(
        (status = 200, description = "The report, of trouble too", body = Health),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    tag = "status"
)]
pub(crate) async fn health(State(app): State<App>) -> Json<Health> {
    Json(app.health())
}

/// Returns this document.
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    responses(
        (status = 200, description = "The OpenAPI document", body = Object),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    tag = "status"
)]
pub(crate) async fn openapi() -> Json<OpenApi> {
    Json(crate::openapi::openapi())
}
