//! Refuses what would change a record that is only read.
//!
//! Everything that is not a question is refused but for signing in and for checking the files, so that a route which
//! is added later is refused too unless it stands here.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use crate::error::{ApiError, ErrorCode};
use crate::state::App;

/// Routes that change nothing of the record.
const HARMLESS: [&str; 5] = [
    "/api/session",
    // A question that is too long for a query.
    "/api/stats",
    "/api/session/link",
    "/api/store/check",
    "/api/store/task",
];

/// Lets a request pass or refuses it.
pub(crate) async fn refuse(State(app): State<App>, request: Request, next: Next) -> Response {
    let question = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if app.read_only && !question && !HARMLESS.contains(&request.uri().path()) {
        let message = "this record is only read: nothing is recorded or changed in it";
        return ApiError::new(ErrorCode::ReadOnly, message).into_response();
    }
    next.run(request).await
}
