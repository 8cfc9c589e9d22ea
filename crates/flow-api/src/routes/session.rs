//! Signing a browser in.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderName, StatusCode};

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::JsonBody;
use crate::shapes::{SessionCode, SessionLink};
use crate::state::App;

/// Exchanges a one-time code for the cookie that signs the browser in. Needs no token: the code is one.
#[utoipa::path(
    post,
    path = "/api/session",
    request_body = SessionCode,
    responses(
        (status = 204, description = "Signed in; the cookie is `flow_monitor_<port>`"),
        (status = 401, description = "The code is unknown, used or too old", body = ErrorBody),
        (status = 429, description = "Too many wrong codes or tokens were tried", body = ErrorBody),
    ),
    security(()),
    tag = "session"
)]
pub(crate) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    JsonBody(session): JsonBody<SessionCode>,
) -> Result<(StatusCode, [(HeaderName, String); 1]), ApiError> {
    let cookie = app.access.redeem(&session.code, &headers, Instant::now())?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]))
}

/// Makes a link that signs a browser in, once, within ten minutes.
#[utoipa::path(
    post,
    path = "/api/session/link",
    responses(
        (status = 200, description = "The link", body = SessionLink),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "make_link",
    tag = "session"
)]
pub(crate) async fn link(State(app): State<App>) -> Result<Json<SessionLink>, ApiError> {
    match app.access.link() {
        Ok(url) => Ok(Json(SessionLink { url })),
        Err(error) => Err(ApiError::new(ErrorCode::Internal, error.to_string())),
    }
}
