//! The bytes of bodies, as kept: content-decoded.
//!
//! They are sent as they come from the store, a piece at a time, so that a long body is never in memory whole. They
//! come from anywhere: their type is always `application/octet-stream`, and no browser shows them as a page.

use std::ops::Range;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use flow_model::{BodyFacts, Exchange, FlowId, Side};
use flow_store::{ReadError, StoredBody};
use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::error::{ApiError, ErrorBody, ErrorCode};
use crate::extract::PathFlow;
use crate::state::App;

const CODING: HeaderName = HeaderName::from_static("x-flow-coding");
const WIRE_BYTES: HeaderName = HeaderName::from_static("x-flow-wire-bytes");
const WIRE_SHA256: HeaderName = HeaderName::from_static("x-flow-wire-sha256");
const REDACTED: HeaderName = HeaderName::from_static("x-flow-redacted");

/// What is left to send of a body.
struct Rest {
    app: App,
    body: StoredBody,
    left: Range<u64>,
}

/// What a request's `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// Nothing that the body has.
    Nothing,
}

/// Returns the request's body, content-decoded.
#[utoipa::path(
    get,
    path = "/api/flows/{id}/request/body",
    params(
        ("id" = String, Path, description = "The flow's id"),
        ("range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The bytes; `x-flow-coding`, `x-flow-wire-bytes` and `x-flow-wire-sha256` say what was on the wire", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
        (status = 416, description = "The range lies outside of the body", body = ErrorBody),
    ),
    operation_id = "request_body",
    tag = "flows"
)]
pub(crate) async fn request(
    State(app): State<App>,
    PathFlow(id): PathFlow,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    body(app, id, Side::Request, &headers).await
}

/// Returns the response's body, content-decoded; of a running flow what has arrived.
#[utoipa::path(
    get,
    path = "/api/flows/{id}/response/body",
    params(
        ("id" = String, Path, description = "The flow's id"),
        ("range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The bytes; `x-flow-coding`, `x-flow-wire-bytes` and `x-flow-wire-sha256` say what was on the wire", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, description = "No token, or a wrong one", body = ErrorBody),
        (status = 404, description = "No flow has this id", body = ErrorBody),
        (status = 416, description = "The range lies outside of the body", body = ErrorBody),
    ),
    operation_id = "response_body",
    tag = "flows"
)]
pub(crate) async fn response(
    State(app): State<App>,
    PathFlow(id): PathFlow,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    body(app, id, Side::Response, &headers).await
}

async fn body(app: App, id: FlowId, side: Side, headers: &HeaderMap) -> Result<Response, ApiError> {
    let store = app.store.clone();
    let find = move || -> Result<_, ReadError> { Ok((store.exchange(id)?, store.body(id, side)?)) };
    let (Some(exchange), stored) = app.blocking.run(find).await?? else {
        return Err(ApiError::no_such_flow(id));
    };
    let length = stored.as_ref().map_or(0, StoredBody::len);
    let (status, part) = match asked(headers, length) {
        Asked::Whole => (StatusCode::OK, 0..length),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Asked::Nothing => {
            let message = format!("the body has {length} bytes, the range none of them");
            let error = ApiError::new(ErrorCode::RangeNotSatisfiable, message);
            return Err(error.with_length(length));
        }
    };
    let bytes = match stored {
        Some(stored) => Body::from_stream(send(Rest {
            app,
            body: stored,
            left: part.clone(),
        })),
        None => Body::empty(),
    };
    let mut response = (status, bytes).into_response();
    describe(response.headers_mut(), &exchange, side);
    let fields = response.headers_mut();
    fields.insert(
        header::CONTENT_LENGTH,
        HeaderValue::from(part.end - part.start),
    );
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!(
            "bytes {}-{}/{length}",
            part.start,
            part.end.saturating_sub(1)
        );
        insert(fields, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// Says what was on the wire.
fn describe(fields: &mut HeaderMap, exchange: &Exchange, side: Side) {
    let facts: &BodyFacts = exchange.body(side);
    let name = match side {
        Side::Request => "request",
        Side::Response => "response",
    };
    let file = format!("attachment; filename=\"{}-{name}.bin\"", exchange.id);
    insert(fields, header::CONTENT_TYPE, "application/octet-stream");
    insert(fields, header::CONTENT_DISPOSITION, &file);
    insert(fields, header::ACCEPT_RANGES, "bytes");
    fields.insert(WIRE_BYTES, HeaderValue::from(facts.wire_bytes));
    insert(fields, REDACTED, "false");
    if let Some(coding) = &facts.coding {
        insert(fields, CODING, coding);
    }
    if let Some(hash) = &facts.wire_sha256 {
        insert(fields, WIRE_SHA256, hash);
    }
}

/// Sets a field where its value can stand in one: a coding comes from the wire and may be anything.
fn insert(fields: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

fn send(rest: Rest) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send {
    stream::try_unfold(rest, |rest| async move {
        if rest.left.is_empty() {
            return Ok(None);
        }
        let app = Arc::clone(&rest.app);
        let next = app.blocking.run(move || next(rest)).await;
        next.map_err(|_| std::io::Error::other("reading broke off"))?
    })
}

/// Returns the next bytes to send and what is left then.
fn next(mut rest: Rest) -> Result<Option<(Bytes, Rest)>, std::io::Error> {
    let mut bytes = match rest.body.read_from(rest.left.start) {
        Ok(Some(bytes)) => bytes,
        // The length is promised already: whoever reads must see that the body broke off.
        Ok(None) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot read a body"
            );
            return Err(std::io::Error::other(error));
        }
    };
    let left = rest.left.end - rest.left.start;
    bytes.truncate(usize::try_from(left).unwrap_or(usize::MAX));
    rest.left.start += bytes.len() as u64;
    Ok(Some((bytes, rest)))
}

/// Reads `Range`. What is no single range of bytes is ignored, as HTTP allows; so is a range under a condition,
/// because bodies have no validator.
fn asked(headers: &HeaderMap, length: u64) -> Asked {
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let Some(range) = range.filter(|_| !headers.contains_key(header::IF_RANGE)) else {
        return Asked::Whole;
    };
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number past 64 bits is past every body.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first, number(first), last, number(last)) {
        ("", _, _, Some(0)) => Asked::Nothing,
        ("", _, _, Some(_)) if length == 0 => Asked::Nothing,
        ("", _, _, Some(most)) => Asked::Part(length.saturating_sub(most)..length),
        (_, Some(start), "", _) if start < length => Asked::Part(start..length),
        (_, Some(start), _, Some(end)) if start > end => Asked::Whole,
        (_, Some(start), _, Some(end)) if start < length => {
            Asked::Part(start..end.saturating_add(1).min(length))
        }
        (_, Some(_), "", _) | (_, Some(_), _, Some(_)) => Asked::Nothing,
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        let check = |range: &str, length: u64, expect: Asked| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, HeaderValue::from_str(range).unwrap());
            assert_eq!(asked(&headers, length), expect, "{range} of {length}");
        };
        check("bytes=0-9", 100, Asked::Part(0..10));
        check("bytes=90-200", 100, Asked::Part(90..100));
        check("bytes=99-", 100, Asked::Part(99..100));
        check("bytes=-10", 100, Asked::Part(90..100));
        check("bytes=-200", 100, Asked::Part(0..100));
        check("bytes=0-18446744073709551615", 100, Asked::Part(0..100));
        check("bytes=0-99999999999999999999999", 100, Asked::Part(0..100));
        check("bytes=100-", 100, Asked::Nothing);
        check("bytes=100-200", 100, Asked::Nothing);
        check("bytes=-0", 100, Asked::Nothing);
        check("bytes=0-", 0, Asked::Nothing);
        check("bytes=-5", 0, Asked::Nothing);
        check("bytes=9-1", 100, Asked::Whole);
        check("bytes=0-1,5-6", 100, Asked::Whole);
        check("bytes=-", 100, Asked::Whole);
        check("bytes=a-b", 100, Asked::Whole);
        check("lines=0-1", 100, Asked::Whole);
    }

    #[test]
    fn a_range_under_a_condition_is_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        headers.insert(header::IF_RANGE, HeaderValue::from_static("\"x\""));
        assert_eq!(asked(&headers, 100), Asked::Whole);
    }
}
