//! The feed as server-sent events.
//!
//! The connection asks for a message when it has room, which [`serve`](crate::serve()) bounds: a client that does
//! not read costs one message and a buffer, and is let go when it takes nothing for a while.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header;

use super::{Feed, Item};

pub(super) fn respond(feed: Feed) -> Response {
    let events = stream::unfold(feed, |mut feed| async move {
        let text = match feed.next().await? {
            // JSON has no line breaks of its own, so one line of data holds it.
            Item::Message { cursor, json } => ["id: ", &cursor, "\ndata: ", &json, "\n\n"].concat(),
            Item::KeepAlive => ": still here\n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(text), feed))
    });
    let fields = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (fields, Body::from_stream(events)).into_response()
}
