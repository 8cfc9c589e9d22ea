//! What a crash left behind, ended as interrupted flows.

use std::sync::Arc;

use bytes::Bytes;
use flow_meter::Meter;
use flow_model::{EndReason, Exchange, Failure, FailureKind, Fault, FlowId, Reading, Row, Side};
use flow_store::{ReadError, Store, StoredBody, Write};

use crate::limits::READ_BYTES_MAX;

/// Stored flows without a row that are read again at a start.
const UNREAD_FLOWS_MAX: usize = 10_000;

/// Ends every flow that was running when the monitor last stopped. Returns how many there were.
///
/// # Errors
/// The store could not be read; what it holds stays as it is.
pub fn recover(store: &Store, meter: &Meter) -> Result<usize, ReadError> {
    let unfinished = store.unfinished()?;
    let count = unfinished.len();
    for exchange in unfinished {
        let id = exchange.id;
        if let Err(error) = interrupt(store, meter, exchange) {
            tracing::error!(flow = %id, %error, "a flow that was cut off could not be read back");
        }
    }
    for id in store.without_row(UNREAD_FLOWS_MAX)? {
        if let Err(error) = read_again(store, meter, id) {
            tracing::error!(flow = %id, %error, "a stored flow cannot be read: it is missing in lists");
        }
    }
    Ok(count)
}

/// Derives the row of a stored flow.
pub(crate) fn read_again(store: &Store, meter: &Meter, id: FlowId) -> Result<(), ReadError> {
    if let Some(exchange) = store.exchange(id)? {
        let reading = read(store, meter, &exchange)?;
        store.write(Write::Row(Row::new(&exchange, &reading)));
    }
    Ok(())
}

/// Ends one flow with what had been saved of it.
fn interrupt(store: &Store, meter: &Meter, mut exchange: Exchange) -> Result<(), ReadError> {
    let id = exchange.id;
    let chunks = store.chunks(id, Side::Response)?;
    let body = store.body(id, Side::Response)?;
    exchange.response_body.bytes = body.as_ref().map_or(0, StoredBody::len);
    exchange.response_body.wire_bytes =
        chunks.iter().map(|chunk| u64::from(chunk.wire_bytes)).sum();
    exchange.response_body.chunks = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
    exchange.response_body.wire_sha256 = None;
    exchange.timings.duration_us = chunks.last().map(|chunk| chunk.at_us);
    exchange.end = Some(EndReason::Interrupted);
    exchange.failure = Some(Failure {
        kind: FailureKind::Stopped,
        fault: Fault::Monitor,
        message: "the monitor stopped while the exchange was running".to_owned(),
    });
    let reading = read(store, meter, &exchange)?;
    store.write(Write::Outcome {
        row: Some(Row::new(&exchange, &reading)),
        exchange: Arc::new(exchange),
        response: body.map_or_else(Bytes::new, |body| body.pending()),
        chunks,
    });
    Ok(())
}

/// Reads a stored flow again, from the truth. Bodies that are too long to be read as a whole are left out.
pub(crate) fn read(
    store: &Store,
    meter: &Meter,
    exchange: &Exchange,
) -> Result<Reading, ReadError> {
    let body = |side| -> Result<Bytes, ReadError> {
        let body = store.body(exchange.id, side)?;
        let body = body.filter(|body| body.len() <= READ_BYTES_MAX as u64);
        body.map_or_else(|| Ok(Bytes::new()), |body| body.read_all(READ_BYTES_MAX))
    };
    let chunks = store.chunks(exchange.id, Side::Response)?;
    let request = body(Side::Request)?;
    let mut reading = flow_codec::read(exchange, &request, &body(Side::Response)?, &chunks);
    meter.measure(exchange, &mut reading);
    Ok(reading)
}
