//! The settings.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::JsonBody;
use crate::shapes::ConfigList;
use crate::state::App;

/// Returns every setting: its value, where that comes from, and whether it can be changed now.
#[utoipa::path(
    get,
    path = "/api/config",
    responses(
        (status = 200, description = "The settings", body = ConfigList),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "list_config",
    tag = "config"
)]
pub(crate) async fn list(State(app): State<App>) -> Result<Json<ConfigList>, ApiError> {
    let config = Arc::clone(&app);
    let entries = app.blocking.run(move || config.config.list()).await?;
    Ok(Json(ConfigList { entries }))
}

/// Changes settings: all that are named, or none where one is refused.
#[utoipa::path(
    patch,
    path = "/api/config",
    request_body(content = Object, description = "Keys and their new values"),
    responses(
        (status = 200, description = "The settings after the change", body = ConfigList),
        (status = 400, description = "Refused; `fields` names each bad key", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "change_config",
    tag = "config"
)]
pub(crate) async fn patch(
    State(app): State<App>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<ConfigList>, ApiError> {
    let config = Arc::clone(&app);
    let changed = app
        .blocking
        .run(move || config.config.patch(changes))
        .await?;
    let entries = changed.map_err(|fields| {
        let keys: Vec<_> = fields
            .iter()
            .map(|field| format!("`{}`", field.key))
            .collect();
        let message = format!("refused: {}", keys.join(", "));
        ApiError::new(ErrorCode::BadConfig, message).with_fields(fields)
    })?;
    Ok(Json(ConfigList { entries }))
}
