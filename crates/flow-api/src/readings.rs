//! Flows in full: facts and reading together.
//!
//! The reading of a running flow is the recorder's, where somebody watches it; any other is made from the stored
//! bodies. Readings of ended flows are kept for a while, bounded by the bytes of the bodies they were made from.
//! A body over [`READ_BYTES_MAX`] is not read; the reading says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use axum::body::Bytes;
use flow_model::{Diagnostic, Exchange, FlowId, Reading, RequestReading, Row, Side};
use flow_store::{LiveView, ReadError};
use parking_lot::Mutex;
use serde_json::Value;

use crate::shapes::Detail;
use crate::state::AppState;

/// Longest body that is read whole.
pub(crate) const READ_BYTES_MAX: usize = 16 << 20;
/// Bytes that one kept reading may stand for. A reading may be many times as large as hostile bodies are.
const KEPT_EACH_BYTES_MAX: u64 = KEPT_BYTES_MAX / 4;
/// Bytes that all kept readings may stand for.
const KEPT_BYTES_MAX: u64 = 64 << 20;
/// What a reading costs besides the text of its bodies.
const READING_BYTES: u64 = 4096;

/// A flow in full.
pub(crate) struct Look {
    pub(crate) row: Row,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) reading: Arc<Reading>,
    pinned: bool,
}

/// Readings that were made lately.
#[derive(Default)]
pub(crate) struct Readings(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// Longest unused first.
    readings: VecDeque<(FlowId, u64, Arc<Reading>)>,
    bytes: u64,
}

// === impl AppState ===

impl AppState {
    /// Returns a flow in full. Blocks.
    pub(crate) fn look(&self, id: FlowId) -> Result<Option<Look>, ReadError> {
        let live = self.store.live(id);
        let Some(row) = self.store.row(id)? else {
            return Ok(None);
        };
        if let Some(live) = live {
            return self.look_live(row, live).map(Some);
        }
        let Some(exchange) = self.store.exchange(id)? else {
            return Ok(None);
        };
        let reading = match self.readings.find(id) {
            Some(reading) => reading,
            None => self.read(&exchange)?,
        };
        Ok(Some(Look {
            row,
            exchange,
            reading,
            pinned: self.store.is_pinned(id)?,
        }))
    }

    /// Returns a running flow that somebody watches: its answer as the recorder has read it so far, its request
    /// from what is stored.
    fn look_live(&self, row: Row, live: LiveView) -> Result<Look, ReadError> {
        let exchange = live.exchange;
        let (request_body, _) = self.body_to_read(&exchange, Side::Request)?;
        let request = match row.dialect {
            Some(dialect) if !request_body.is_empty() => {
                flow_codec::read_request(dialect, exchange.path(), &request_body)
            }
            _ => RequestReading::default(),
        };
        let mut reading = Reading {
            dialect: row.dialect,
            request,
            response: (*live.response).clone(),
            client: flow_codec::read_client(&exchange.request.headers, &request_body),
            ..Reading::default()
        };
        flow_codec::count(&exchange, &mut reading);
        let pinned = self.store.is_pinned(exchange.id)?;
        Ok(Look {
            row,
            exchange,
            reading: Arc::new(reading),
            pinned,
        })
    }

    fn read(&self, exchange: &Exchange) -> Result<Arc<Reading>, ReadError> {
        let (request, request_whole) = self.body_to_read(exchange, Side::Request)?;
        let (response, response_whole) = self.body_to_read(exchange, Side::Response)?;
        let chunks = self.store.chunks(exchange.id, Side::Response)?;
        let mut reading = flow_codec::read(exchange, &request, &response, &chunks);
        self.meter.measure(exchange, &mut reading);
        if exchange.request_body.bytes > READ_BYTES_MAX as u64 {
            reading.request.diagnostics.push(too_long());
        }
        if exchange.response_body.bytes > READ_BYTES_MAX as u64 {
            reading.response.diagnostics.push(too_long());
        }
        let reading = Arc::new(reading);
        if exchange.end.is_some() && request_whole && response_whole {
            let bytes = (request.len() + response.len()) as u64 + READING_BYTES;
            self.readings.keep(exchange.id, bytes, &reading);
        }
        Ok(reading)
    }

    /// Returns a body, empty where it is too long, and whether it is all that the exchange tells of.
    fn body_to_read(&self, exchange: &Exchange, side: Side) -> Result<(Bytes, bool), ReadError> {
        let bytes = exchange.body(side).bytes;
        let Some(body) = self.store.body(exchange.id, side)? else {
            return Ok((Bytes::new(), bytes == 0));
        };
        if body.len() > READ_BYTES_MAX as u64 {
            return Ok((Bytes::new(), true));
        }
        let whole = body.len() == bytes;
        Ok((body.read_all(READ_BYTES_MAX)?, whole))
    }
}

fn too_long() -> Diagnostic {
    Diagnostic {
        offset: None,
        code: "body_too_long".to_owned(),
        message: format!("the body is over {READ_BYTES_MAX} bytes and was not read"),
    }
}

// === impl Look ===

impl Look {
    fn annotations(&self) -> BTreeMap<String, Value> {
        let pinned = self
            .pinned
            .then(|| ("pinned".to_owned(), Value::Bool(true)));
        pinned.into_iter().collect()
    }

    pub(crate) fn detail(&self) -> Detail<'_> {
        Detail {
            flow: &self.row,
            exchange: &self.exchange,
            reading: &self.reading,
            annotations: self.annotations(),
        }
    }
}

// === impl Readings ===

impl Readings {
    fn find(&self, id: FlowId) -> Option<Arc<Reading>> {
        let mut kept = self.0.lock();
        let index = kept.readings.iter().position(|(other, ..)| *other == id)?;
        let entry = kept.readings.remove(index)?;
        let reading = Arc::clone(&entry.2);
        kept.readings.push_back(entry);
        Some(reading)
    }

    fn keep(&self, id: FlowId, bytes: u64, reading: &Arc<Reading>) {
        let mut kept = self.0.lock();
        if bytes > KEPT_EACH_BYTES_MAX || kept.readings.iter().any(|(other, ..)| *other == id) {
            return;
        }
        kept.bytes += bytes;
        kept.readings.push_back((id, bytes, Arc::clone(reading)));
        while kept.bytes > KEPT_BYTES_MAX {
            let Some((_, bytes, _)) = kept.readings.pop_front() else {
                break;
            };
            kept.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> FlowId {
        let mut bytes = [0; 16];
        bytes[15] = number;
        FlowId::from_bytes(bytes)
    }

    #[test]
    fn readings_are_kept_within_their_bytes() {
        let readings = Readings::default();
        let reading = Arc::new(Reading::default());
        for number in 0..4 {
            readings.keep(id(number), KEPT_BYTES_MAX / 4, &reading);
        }
        assert!(readings.find(id(0)).is_some(), "all four fit");
        readings.keep(id(4), KEPT_BYTES_MAX / 4, &reading);
        assert!(readings.find(id(1)).is_none(), "the longest unused goes");
        assert!(readings.find(id(0)).is_some(), "it was used since");
        readings.keep(id(5), KEPT_BYTES_MAX + 1, &reading);
        assert!(readings.find(id(5)).is_none(), "it would fill everything");
        assert_eq!(readings.0.lock().bytes, KEPT_BYTES_MAX);
    }

    #[test]
    fn a_reading_is_counted_once() {
        let readings = Readings::default();
        let reading = Arc::new(Reading::default());
        readings.keep(id(0), 10, &reading);
        readings.keep(id(0), 10, &reading);
        assert_eq!(readings.0.lock().bytes, 10);
    }
}
