//! The feed as a WebSocket.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;

use super::{Feed, Item};

/// Longest message that a client may send. Nothing that clients say is read yet.
const INBOUND_BYTES_MAX: usize = 4096;
/// Time that one message may take to be handed to the network; a client that takes none for so long is let go.
const SEND_MAX: Duration = Duration::from_secs(30);
/// Silence of a client after which it is let go; it answers each sign of life.
const SILENCE_MAX: Duration = Duration::from_mins(1);

pub(super) fn accept(upgrade: WebSocketUpgrade, feed: Feed) -> Response {
    upgrade
        .max_message_size(INBOUND_BYTES_MAX)
        .max_frame_size(INBOUND_BYTES_MAX)
        .on_upgrade(|socket| run(socket, feed))
}

async fn run(socket: WebSocket, feed: Feed) {
    let (sink, stream) = socket.split();
    tokio::select! {
        () = send(sink, feed) => {}
        () = receive(stream) => {}
    }
}

/// Sends until the program stops or the client does not take any more.
async fn send(mut sink: SplitSink<WebSocket, Message>, mut feed: Feed) {
    while let Some(item) = feed.next().await {
        let message = match item {
            Item::Message { json, .. } => Message::text(json),
            Item::KeepAlive => Message::Ping(axum::body::Bytes::new()),
        };
        if !matches!(timeout(SEND_MAX, sink.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let close = Message::Close(Some(CloseFrame {
        code: close_code::AWAY,
        reason: "the monitor stops".into(),
    }));
    // The client may be gone already; either way the connection ends here.
    let _told = timeout(SEND_MAX, sink.send(close)).await.is_ok();
}

/// Receives until the client goes away, is silent for too long or sends too much.
async fn receive(mut stream: SplitStream<WebSocket>) {
    while let Ok(Some(Ok(message))) = timeout(SILENCE_MAX, stream.next()).await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}
