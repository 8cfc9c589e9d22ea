//! Takes writes in: gives flows their places in the live segment, packs what is to be stored, and queues it.
//!
//! Everything that costs time is done here, on the threads that write. What has been written of a running flow
//! is known from its trail in [`Memory`], so that the segment need not be asked.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use bytes::Bytes;
use flow_model::exchange::header;
use flow_model::{Chunk, Exchange, FlowId, Reading, Row, Side};
use serde::Serialize;

use crate::blobs::Conversations;
use crate::dictionary::Compression;
use crate::format::{self, Outcome};
use crate::health::Health;
use crate::memory::{Ended, Memory, Trail};
use crate::pack::{self, Op, OpKind, Packed, Packer, Piece, RequestBody, RowRecord, Whole};
use crate::queue::{Limits, Queue};
use crate::registry::Registry;
use crate::segment::Location;
use crate::write::Write;

/// Number of the first piece that the outcome of an unknown flow brings: behind all that was written before.
const LATE_PIECE: i64 = 1 << 40;

/// The way into the store.
pub(crate) struct Intake {
    pub(crate) memory: Arc<Memory>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) health: Arc<Health>,
    packer: Packer,
    compression: Compression,
    /// None where flows are evicted one by one, because shared parts cannot be.
    conversations: Option<Conversations>,
    registry: Arc<Registry>,
}

impl Intake {
    pub(crate) fn new(
        memory: Arc<Memory>,
        limits: Limits,
        registry: Arc<Registry>,
        compression: Compression,
    ) -> Result<Self, rusqlite::Error> {
        let conversations = match &registry.dir {
            Some(_) => Some(Conversations::new(
                registry.catalog.hash_key()?,
                compression,
            )),
            None => None,
        };
        Ok(Self {
            memory,
            queue: Arc::new(Queue::new(limits)),
            health: Arc::default(),
            packer: Packer::new(compression),
            compression,
            conversations,
            registry,
        })
    }

    pub(crate) fn write(&self, write: Write) {
        match write {
            Write::Request {
                exchange,
                body,
                chunks,
            } => self.request(&exchange, body, &chunks),
            Write::Head { exchange } => self.head(&exchange),
            Write::Piece { id, side, bytes } => self.piece(id, side, bytes),
            Write::Pending {
                id,
                side,
                bytes,
                chunks,
            } => self.pending(id, side, bytes, &chunks),
            Write::Outcome {
                exchange,
                response,
                chunks,
                row,
            } => {
                let row = row.map(Arc::new);
                self.outcome(&exchange, response, &chunks, row.as_ref());
            }
            Write::Row(row) => {
                let row = Arc::new(row);
                self.memory.replace_row(&row);
                if let Some(record) = self.record(&row) {
                    self.push(row.id, None, OpKind::Row(record));
                }
            }
            Write::Forget(id) => {
                let location = self.memory.trail(id, |_, trail| trail.location).flatten();
                self.memory.forget(id);
                self.push(id, location, OpKind::Forget);
            }
            Write::Note { key, value } => {
                let key = format::note_key(key);
                // No flow has the id of zeros, so that the note goes no flow's way.
                self.push(
                    FlowId::from_bytes([0; 16]),
                    None,
                    OpKind::Note { key, value },
                );
            }
        }
    }

    /// Queues an operation, and notes what had to be given up for it.
    pub(crate) fn push(&self, flow: FlowId, location: Option<Location>, kind: OpKind) {
        let dropped = self.queue.push(Op {
            flow,
            location,
            kind,
        });
        self.health.not_stored(dropped.flows.len() as u64);
        self.memory.given_up(&dropped.ended);
    }

    /// Returns the place of a new flow, in the segment that is live at this moment.
    pub(crate) fn locate(&self) -> Location {
        self.registry.numbers.take()
    }

    fn request(&self, exchange: &Arc<Exchange>, body: Bytes, chunks: &[Chunk]) {
        let id = exchange.id;
        if !self.memory.holds(id) {
            let row = Row::new(exchange, &Reading::default());
            self.memory.announce(Arc::clone(exchange), row);
        }
        let plan = self.memory.trail(id, |_, trail| {
            let first = trail.location.is_none();
            let location = *trail.location.get_or_insert_with(|| self.locate());
            trail.begun = Some(Arc::clone(exchange));
            let request = trail.body(Side::Request);
            request.pending = None;
            let clear = std::mem::take(&mut request.was_pending);
            (
                first,
                location,
                clear,
                request.take(pack::pieces_of(body.len())),
            )
        });
        let Some((first, location, clear, seq)) = plan else {
            return;
        };
        let (pieces, rest) = self.request_body(exchange, body, seq);
        let started_at = exchange.started_at;
        let Some(exchange) = self.seal(id, &**exchange) else {
            return;
        };
        let chunks = format::seal_chunks(chunks);
        let kind = OpKind::Request {
            started_at,
            exchange,
            chunks,
            pieces,
            rest,
            first,
            clear,
        };
        self.push(id, Some(location), kind);
    }

    /// Returns the body of a request, or what follows its pieces, as it is to be stored. `seq` is the number of the
    /// next piece.
    pub(crate) fn request_body(
        &self,
        exchange: &Exchange,
        body: Bytes,
        seq: i64,
    ) -> (Vec<Piece>, RequestBody) {
        let whole = self.conversations.as_ref().filter(|_| seq == 0);
        let shared = whole
            .and_then(|conversations| conversations.prepare(conversation(exchange), body.clone()));
        match shared {
            Some(shared) => (Vec::new(), RequestBody::Shared(Box::new(shared))),
            None => {
                let (pieces, rest) = self.packer.split(body, seq);
                (pieces, RequestBody::Packed(rest))
            }
        }
    }

    /// Returns a value as sealed JSON. Plain records always have one; the error is there for the day when one has not.
    pub(crate) fn seal<T: Serialize>(&self, id: FlowId, value: &T) -> Option<Vec<u8>> {
        match format::seal_json(value, self.compression) {
            Ok(blob) => Some(blob),
            Err(error) => {
                tracing::error!(flow = %id, %error, "a flow cannot be stored");
                None
            }
        }
    }

    /// Returns a row as it is stored.
    pub(crate) fn record(&self, row: &Arc<Row>) -> Option<RowRecord> {
        Some(RowRecord {
            json: self.seal(row.id, &**row)?,
            row: Arc::clone(row),
        })
    }

    fn head(&self, exchange: &Arc<Exchange>) {
        let id = exchange.id;
        let begun = self.begun(id, |trail| trail.begun = Some(Arc::clone(exchange)));
        if let Some((location, ())) = begun
            && let Some(exchange) = self.seal(id, &**exchange)
        {
            self.push(id, Some(location), OpKind::Head(exchange));
        }
    }

    fn piece(&self, id: FlowId, side: Side, bytes: Bytes) {
        let parts = pack::pieces_of(bytes.len()) + 1;
        let plan = self.begun(id, |trail| {
            let body = trail.body(side);
            (body.pending.take(), body.take(parts))
        });
        let Some((location, (clear, seq))) = plan else {
            return;
        };
        let pieces = self.packer.split_all(bytes, seq);
        self.push(
            id,
            Some(location),
            OpKind::Pieces {
                side,
                pieces,
                clear,
            },
        );
    }

    fn pending(&self, id: FlowId, side: Side, bytes: Bytes, chunks: &[Chunk]) {
        let parts = pack::pieces_of(bytes.len()) + 1;
        let plan = self.begun(id, |trail| {
            let body = trail.body(side);
            let seq = body.take(parts);
            body.pending.get_or_insert(seq);
            body.was_pending = true;
            seq
        });
        let Some((location, seq)) = plan else { return };
        let mut chunks = format::seal_chunks(chunks);
        for piece in self.packer.split_all(bytes, seq) {
            let kind = OpKind::Pending {
                side,
                piece,
                chunks,
            };
            self.push(id, Some(location), kind);
            chunks = format::seal_chunks(&[]);
        }
    }

    fn outcome(
        &self,
        exchange: &Arc<Exchange>,
        response: Bytes,
        chunks: &[Chunk],
        row: Option<&Arc<Row>>,
    ) {
        let id = exchange.id;
        let trail = match self.memory.end(exchange, row) {
            Ended::Now(trail) => trail,
            Ended::Unknown => Trail::unknown(LATE_PIECE),
            Ended::Before => return,
        };
        let begun = trail.begun.as_deref();
        let Some(outcome) = self.seal(id, &Outcome::new(exchange, begun)) else {
            return;
        };
        let whole = if trail.location.is_none() {
            self.seal(id, &**exchange).map(|whole| Whole {
                started_at: exchange.started_at,
                exchange: whole,
                location: self.locate(),
            })
        } else {
            None
        };
        let [_, written] = trail.bodies;
        let (pieces, rest) = self.packer.split(response, written.next);
        let kind = OpKind::Outcome {
            exchange: outcome,
            chunks: format::seal_chunks(chunks),
            pieces,
            rest,
            row: row.and_then(|row| self.record(row)),
            whole,
            clear: trail.was_pending(),
        };
        self.push(id, trail.location, kind);
    }

    /// Calls `act` with what was written of a running flow and returns the flow's place too; none where it is
    /// not running. A flow whose request is still being sent gets its record now, as far as it is known, so that
    /// what has arrived is not an orphan after a kill.
    fn begun<T>(&self, id: FlowId, act: impl FnOnce(&mut Trail) -> T) -> Option<(Location, T)> {
        let (location, begins, value) = self.memory.trail(id, |exchange, trail| {
            let begins = trail.location.is_none().then(|| Arc::clone(exchange));
            let location = *trail.location.get_or_insert_with(|| self.locate());
            if let Some(exchange) = &begins {
                trail.begun = Some(Arc::clone(exchange));
            }
            (location, begins, act(trail))
        })?;
        if let Some(exchange) = begins {
            let kind = OpKind::Request {
                started_at: exchange.started_at,
                exchange: self.seal(id, &*exchange)?,
                chunks: format::seal_chunks(&[]),
                pieces: Vec::new(),
                rest: RequestBody::Packed(Packed::empty()),
                first: true,
                clear: false,
            };
            self.push(id, Some(location), kind);
        }
        Some((location, value))
    }
}

/// Returns what the requests of one conversation have in common: program, credential, path and run. Others may
/// have it in common with them.
fn conversation(exchange: &Exchange) -> u64 {
    const NAMES: [&str; 4] = ["user-agent", "authorization", "x-api-key", "x-goog-api-key"];
    let head = &exchange.request;
    let fields = NAMES.map(|name| header(&head.headers, name).unwrap_or_default());
    let mut hasher = DefaultHasher::new();
    (fields, exchange.path(), exchange.route.run.as_deref()).hash(&mut hasher);
    hasher.finish()
}
