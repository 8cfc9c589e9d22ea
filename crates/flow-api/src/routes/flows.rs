//! The list of flows, and one flow.

#![expect(
    unused_qualifications,
    reason = "utoipa writes a path before the types named in `params`"
)]

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use flow_store::{LIST_ROWS_MAX, ListQuery, ReadError, Sort};
use http::header;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::{Params, PathFlow};
use crate::filter;
use crate::shapes::{Detail, FlowCount, FlowPage};
use crate::state::App;

/// Rows of a page that names no limit.
const LIMIT_DEFAULT: usize = 50;

/// What the list is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Which flows: a filter as a tree of JSON, such as `{"field":"model","is":"gpt-*"}`. Without it all of them.
    filter: Option<String>,
    /// `started_at`, `duration` (or `latency`), `ttft`, `tokens`, `cost`, `size`, `model`, or any other field of one
    /// value; `-` in front for descending. Without it the newest come first.
    sort: Option<String>,
    /// Rows of a page: 50 without it, at most 1000.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What counting is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CountParams {
    /// Which flows: a filter as a tree of JSON, such as `{"field":"model","is":"gpt-*"}`. Without it all of them.
    filter: Option<String>,
}

/// Lists the flows that a filter selects, running ones included.
#[utoipa::path(
    get,
    path = "/api/flows",
    params(ListParams),
    responses(
        (status = 200, description = "One page", body = FlowPage),
        (status = 400, description = "The parameters make no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "list_flows",
    tag = "flows"
)]
pub(crate) async fn list(
    State(app): State<App>,
    Params(params): Params<ListParams>,
) -> Result<Json<FlowPage>, ApiError> {
    let filter = filter::checked(params.filter.as_deref())?;
    let sort = match params.sort.as_deref().filter(|sort| !sort.is_empty()) {
        Some(text) => text
            .parse()
            .map_err(|error: flow_store::SortError| ApiError::bad_query(error.to_string()))?,
        None => Sort::default(),
    };
    if params.limit == Some(0) {
        return Err(ApiError::bad_query("`limit` is at least 1"));
    }
    let query = ListQuery {
        filter,
        sort,
        limit: params.limit.unwrap_or(LIMIT_DEFAULT).min(LIST_ROWS_MAX),
        cursor: params.cursor.filter(|cursor| !cursor.is_empty()),
    };
    let store = app.store.clone();
    let page = app
        .blocking
        .run(move || {
            let page = store.list(&query)?;
            Ok::<_, ReadError>(FlowPage {
                flows: page.rows,
                next_cursor: page.next,
                total: page.total,
                partial: page.partial,
            })
        })
        .await??;
    Ok(Json(page))
}

/// Counts the flows that a filter selects, exactly, running ones included.
#[utoipa::path(
    get,
    path = "/api/flows/count",
    params(CountParams),
    responses(
        (status = 200, description = "The number", body = FlowCount),
        (status = 400, description = "The parameters make no sense", body = ErrorBody),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
    ),
    operation_id = "count_flows",
    tag = "flows"
)]
pub(crate) async fn count(
    State(app): State<App>,
    Params(params): Params<CountParams>,
) -> Result<Json<FlowCount>, ApiError> {
    let filter = filter::checked(params.filter.as_deref())?;
    let store = app.store.clone();
    let counted = app.blocking.run(move || store.count(&filter)).await??;
    Ok(Json(FlowCount {
        count: counted.flows,
        partial: counted.partial,
    }))
}

/// Returns everything about a flow but the bytes of its bodies.
#[utoipa::path(
    get,
    path = "/api/flows/{id}",
    params(("id" = String, Path, description = "The flow's id")),
    responses(
        (status = 200, description = "The flow", body = Detail<'static>),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
    ),
    operation_id = "show_flow",
    tag = "flows"
)]
pub(crate) async fn detail(
    State(app): State<App>,
    PathFlow(id): PathFlow,
) -> Result<Response, ApiError> {
    let reader = Arc::clone(&app);
    // A detail may be megabytes long, so it is written where blocking does no harm.
    let json = app
        .blocking
        .run(move || match reader.look(id)? {
            Some(look) => serde_json::to_vec(&look.detail()).map_err(|error| {
                tracing::error!(%error, "cannot write the detail of a flow");
                ApiError::new(ErrorCode::Internal, "the flow cannot be written as JSON")
            }),
            None => Err(ApiError::no_such_flow(id)),
        })
        .await??;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
