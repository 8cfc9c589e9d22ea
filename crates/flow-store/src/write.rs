//! What the recorder hands to the store.

use std::sync::Arc;

use bytes::Bytes;
use flow_model::{Chunk, Exchange, FlowId, Row, Side};

/// One write. The writes of one flow are made in order by one thread.
#[derive(Clone, Debug)]
pub enum Write {
    /// The request has been sent.
    Request {
        /// The exchange as far as it is known.
        exchange: Arc<Exchange>,
        /// The rest of the request's body after the pieces written before, content-decoded.
        body: Bytes,
        /// When each part of the request's body arrived.
        chunks: Vec<Chunk>,
    },
    /// The response's head has arrived: a kill from now on keeps it. `Outcome` brings it in any case.
    Head {
        /// The exchange as far as it is known.
        exchange: Arc<Exchange>,
    },
    /// The next final piece of a long body. It takes the place of that side's pending bytes.
    Piece {
        /// The flow.
        id: FlowId,
        /// Which body.
        side: Side,
        /// The bytes since the last piece, content-decoded.
        bytes: Bytes,
    },
    /// What arrived since the last pending write or piece, so that a kill loses no more than a moment.
    Pending {
        /// The flow.
        id: FlowId,
        /// Which body.
        side: Side,
        /// The bytes, content-decoded.
        bytes: Bytes,
        /// When each part of them arrived.
        chunks: Vec<Chunk>,
    },
    /// The flow has ended. What was pending is removed in the same transaction.
    Outcome {
        /// The exchange as it ended.
        exchange: Arc<Exchange>,
        /// The rest of the response's body after the pieces written before, content-decoded.
        response: Bytes,
        /// When each part of the whole response arrived.
        chunks: Vec<Chunk>,
        /// The row; none where it is to be derived later.
        row: Option<Row>,
    },
    /// A row that was derived again.
    Row(Row),
    /// The flow is not to be kept and leaves no trace.
    Forget(FlowId),
    /// Something to remember of the derived rows, such as how far they were derived again. It is committed after
    /// what was written before it, and takes the place of the note with the same key.
    Note {
        /// What it is about.
        key: &'static str,
        /// What is to be remembered.
        value: String,
    },
}
