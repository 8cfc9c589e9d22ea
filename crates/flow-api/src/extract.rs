//! Extractors whose rejections have the shape of every other error.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use flow_model::FlowId;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::{ApiError, ErrorCode};

/// Longest time until a body has arrived: one that never ends must not keep its connection.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The parameters of a query.
pub(crate) struct Params<T>(pub(crate) T);

/// A body of JSON.
pub(crate) struct JsonBody<T>(pub(crate) T);

/// The flow that the path names. That it exists is not said yet.
pub(crate) struct PathFlow(pub(crate) FlowId);

// === impl Params ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(ApiError::bad_query(rejection.body_text())),
        }
    }
}

// === impl JsonBody ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match timeout(BODY_TIME_MAX, Json::from_request(request, state)).await {
            Ok(Ok(Json(body))) => Ok(Self(body)),
            Ok(Err(rejection)) => Err(refused(&rejection)),
            Err(_) => {
                let message = format!("the body did not arrive within {BODY_TIME_MAX:?}");
                Err(ApiError::new(ErrorCode::BadBody, message))
            }
        }
    }
}

fn refused(rejection: &JsonRejection) -> ApiError {
    ApiError::new(ErrorCode::BadBody, rejection.body_text())
}

// === impl PathFlow ===

impl<S: Send + Sync> FromRequestParts<S> for PathFlow {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => text,
            Err(rejection) => return Err(ApiError::bad_query(rejection.body_text())),
        };
        // A UUID has several spellings; only the one that the API writes is an id.
        match text.parse::<FlowId>() {
            Ok(id) if id.to_string() == text => Ok(Self(id)),
            _ => Err(ApiError::no_such_flow(text)),
        }
    }
}
