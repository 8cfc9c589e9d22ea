//! The parts of bodies: events of streamed answers, and chunks as they arrived.

#![expect(
    unused_qualifications,
    reason = "utoipa writes a path before the types named in `params`"
)]

use axum::Json;
use axum::extract::State;
use flow_codec::StreamEvent;
use flow_model::{Exchange, Side};
use flow_store::{LIST_ROWS_MAX, ReadError, Store};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::{ApiError, ErrorBody};
use crate::extract::{Params, PathFlow};
use crate::readings::READ_BYTES_MAX;
use crate::shapes::{ChunkList, EventPage, FlowEvent};
use crate::state::App;

/// Events of a page that names no limit.
const LIMIT_DEFAULT: usize = 200;
/// Bytes of one event's data that a page shows.
const DATA_BYTES_MAX: usize = 64 << 10;

/// What the list of events is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventParams {
    /// Number of the first event, from 0.
    from: Option<u64>,
    /// Events of a page: 200 without it, at most 1000.
    limit: Option<usize>,
}

/// Which body's chunks are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ChunkParams {
    /// The body; the response's without it.
    #[param(inline)]
    side: Option<Side>,
}

/// Returns events of a streamed answer, with the times at which they arrived.
#[utoipa::path(
    get,
    path = "/api/flows/{id}/events",
    params(("id" = String, Path, description = "The flow's id"), EventParams),
    responses(
        (status = 200, description = "The events; none where the answer is no stream", body = EventPage),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
    ),
    operation_id = "list_events",
    tag = "flows"
)]
pub(crate) async fn events(
    State(app): State<App>,
    PathFlow(id): PathFlow,
    Params(params): Params<EventParams>,
) -> Result<Json<EventPage>, ApiError> {
    let store = app.store.clone();
    let page = app
        .blocking
        .run(move || match store.exchange(id)? {
            Some(exchange) => read(&store, &exchange, &params).map(Some),
            None => Ok(None),
        })
        .await??;
    page.map(Json).ok_or_else(|| ApiError::no_such_flow(id))
}

/// Returns when each part of a body arrived.
#[utoipa::path(
    get,
    path = "/api/flows/{id}/chunks",
    params(("id" = String, Path, description = "The flow's id"), ChunkParams),
    responses(
        (status = 200, description = "The chunks", body = ChunkList),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
    ),
    operation_id = "list_chunks",
    tag = "flows"
)]
pub(crate) async fn chunks(
    State(app): State<App>,
    PathFlow(id): PathFlow,
    Params(params): Params<ChunkParams>,
) -> Result<Json<ChunkList>, ApiError> {
    let store = app.store.clone();
    let side = params.side.unwrap_or(Side::Response);
    let chunks = app
        .blocking
        .run(move || match store.exchange(id)? {
            Some(_) => store.chunks(id, side).map(Some),
            None => Ok(None),
        })
        .await??;
    let chunks = chunks.ok_or_else(|| ApiError::no_such_flow(id))?;
    Ok(Json(ChunkList { chunks }))
}

fn read(store: &Store, exchange: &Exchange, params: &EventParams) -> Result<EventPage, ReadError> {
    let none = || EventPage {
        events: Vec::new(),
        total: Some(0),
    };
    let Some(head) = &exchange.response else {
        return Ok(none());
    };
    let Some(stored) = store.body(exchange.id, Side::Response)? else {
        return Ok(none());
    };
    let whole = stored.len() <= READ_BYTES_MAX as u64;
    let body = stored.read_all(READ_BYTES_MAX)?;
    let chunks = store.chunks(exchange.id, Side::Response)?;
    let events = flow_codec::events(&head.headers, &body, &chunks);
    let limit = params
        .limit
        .unwrap_or(LIMIT_DEFAULT)
        .clamp(1, LIST_ROWS_MAX);
    let from = usize::try_from(params.from.unwrap_or(0)).unwrap_or(usize::MAX);
    let page = events.iter().enumerate().skip(from).take(limit);
    Ok(EventPage {
        total: whole.then_some(events.len() as u64),
        events: page
            .map(|(index, event)| shown(index, event, &body))
            .collect(),
    })
}

fn shown(index: usize, event: &StreamEvent, body: &[u8]) -> FlowEvent {
    let mut data = event.text(body).into_owned();
    data.truncate(data.floor_char_boundary(DATA_BYTES_MAX));
    FlowEvent {
        index: index as u64,
        at_us: event.at_us,
        name: event.name.clone(),
        data,
        bytes: event.end.saturating_sub(event.start),
        offset: event.start,
    }
}
