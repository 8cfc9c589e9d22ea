//! Stores operations in one segment: prepared statements inside one transaction a group.
//!
//! A group that fails is rolled back and tried again whole, so nothing here remembers more than its transaction.

use std::collections::BTreeSet;
use std::sync::Arc;

use flow_model::{FlowId, Row, Side, Timestamp};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, ToSql, params};

use crate::blobs::Chains;
use crate::format::{self, Codec, side_code};
use crate::pack::{Op, OpKind, Packed, Piece, RequestBody, RowRecord, Whole};
use crate::purge;
use crate::registry;
use crate::segment::Extent;
use crate::sheet::Sheet;

const REQUEST: &str = "INSERT INTO requests (n, id, exchange, chunks, codec, length, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (n) DO UPDATE SET exchange = excluded.exchange, chunks = excluded.chunks,
        codec = excluded.codec, length = excluded.length, body = excluded.body";
const HEAD: &str = "UPDATE requests SET exchange = ?2 WHERE n = ?1";
const OUTCOME: &str = "INSERT INTO outcomes (n, exchange, chunks, codec, length, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const PIECE: &str =
    "INSERT INTO pieces (n, side, seq, codec, length, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const PENDING: &str = "INSERT INTO pending (n, side, seq, chunks, codec, length, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
// The chunks stay until the end: no piece carries them.
const REPLACE_PENDING: &str = "UPDATE pending SET length = 0, body = x''
    WHERE n = ?1 AND side = ?2 AND seq >= ?3";
const CLEAR_PENDING_SIDE: &str = "DELETE FROM pending WHERE n = ?1 AND side = ?2";
const CLEAR_PENDING: &str = "DELETE FROM pending WHERE n = ?1";
const KEEP_REQUEST: &str = "INSERT INTO pieces (n, side, seq, codec, length, body)
    SELECT n, side, seq, codec, length, body FROM pending WHERE n = ?1 AND side = ?2 AND length > 0";
const PENDING_CHUNKS: &str = "SELECT chunks FROM pending WHERE n = ?1 AND side = ?2 ORDER BY seq";
const KEEP_CHUNKS: &str = "UPDATE requests SET chunks = ?2 WHERE n = ?1";
const RUNNING: &str = "INSERT INTO running VALUES (?1)";
const NOT_RUNNING: &str = "DELETE FROM running WHERE n = ?1";
const UNREAD: &str = "INSERT OR IGNORE INTO unread VALUES (?1)";
const NOT_UNREAD: &str = "DELETE FROM unread WHERE n = ?1";
const ROW: &str = "INSERT OR REPLACE INTO rows (n, row) VALUES (?1, ?2)";
// Format 1 wants an id beside the number.
const ROW_WITH_ID: &str = "INSERT OR REPLACE INTO rows (n, id, row)
    SELECT n, id, ?2 FROM requests WHERE n = ?1";
const HAS_ENDED: &str = "SELECT EXISTS (SELECT 1 FROM outcomes WHERE n = ?1)";
const CODEC: &str = "SELECT codec FROM requests WHERE n = ?1";
const FORGET_REQUEST: &str = "DELETE FROM requests WHERE n = ?1";
const FORGET: &[&str] = &[
    "DELETE FROM outcomes WHERE n = ?1",
    "DELETE FROM pieces WHERE n = ?1",
    "DELETE FROM rows WHERE n = ?1",
];
const OLDEST: &str = "SELECT r.n, r.id FROM requests AS r JOIN outcomes AS o ON o.n = r.n
    ORDER BY r.id LIMIT ?1";

/// What a transaction did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Flows whose end is stored.
    pub(crate) ended: Vec<Settled>,
    /// Flows with a new row.
    pub(crate) reread: Vec<Settled>,
    /// Ended flows that were removed, with their numbers.
    pub(crate) removed: Vec<(FlowId, i64)>,
    /// Flows with an operation that can never be stored.
    pub(crate) refused: Vec<FlowId>,
    /// How many flows have a record that had none, and from where to where they reach.
    pub(crate) begun: u64,
    pub(crate) extent: Extent,
    /// How many flows have no record any more.
    pub(crate) gone: u64,
    /// Something was removed that must not be found in any file.
    pub(crate) forgot: bool,
}

/// A flow whose end or row is stored.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) id: FlowId,
    pub(crate) n: i64,
    /// None where it is to be derived.
    pub(crate) row: Option<Arc<Row>>,
}

impl Settled {
    /// Sets the row in the columns of the flow's segment. Returns false where there is none, or no room for it.
    pub(crate) fn is_set_in(&self, sheet: &Sheet) -> bool {
        self.row.as_ref().is_some_and(|row| sheet.set(self.n, row))
    }
}

/// Stores operations in one transaction. Leaves the segment as it was where it fails.
pub(crate) fn store(
    connection: &Connection,
    chains: &mut Chains,
    ops: &[&Op],
) -> Result<Applied, rusqlite::Error> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let stored =
        Transaction::new(connection).and_then(|transaction| transaction.store(chains, ops));
    let stored = stored.and_then(|applied| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(applied)
    });
    match &stored {
        Ok(_) => chains.committed(),
        Err(_) => chains.rolled_back(),
    }
    if stored.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    stored
}

/// Removes the oldest ended flows, `flows` of them at most. Returns those.
pub(crate) fn evict(connection: &Connection, flows: i64) -> Result<Applied, rusqlite::Error> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let evicted = Transaction::new(connection).and_then(|mut transaction| transaction.evict(flows));
    let end = if evicted.is_ok() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    connection.execute_batch(end)?;
    evicted
}

/// The statements of every flow. Others are prepared when they are needed.
struct Transaction<'c> {
    connection: &'c Connection,
    request: CachedStatement<'c>,
    outcome: CachedStatement<'c>,
    row: CachedStatement<'c>,
    /// Flows that began in this group and have not ended in it.
    begun: BTreeSet<i64>,
    applied: Applied,
}

impl<'c> Transaction<'c> {
    fn new(connection: &'c Connection) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            connection,
            request: connection.prepare_cached(REQUEST)?,
            outcome: connection.prepare_cached(OUTCOME)?,
            row: connection.prepare_cached(if connection.column_exists(None, "rows", "id")? {
                ROW_WITH_ID
            } else {
                ROW
            })?,
            begun: BTreeSet::new(),
            applied: Applied::default(),
        })
    }

    fn store(mut self, chains: &mut Chains, ops: &[&Op]) -> Result<Applied, rusqlite::Error> {
        for op in ops {
            match self.apply(chains, op) {
                Err(error) if is_refusal(&error) => {
                    tracing::error!(flow = %op.flow, %error, "a flow cannot be stored");
                    self.applied.refused.push(op.flow);
                }
                applied => applied?,
            }
        }
        let mut running = self.connection.prepare_cached(RUNNING)?;
        for n in &self.begun {
            running.execute([n])?;
        }
        Ok(self.applied)
    }

    fn apply(&mut self, chains: &mut Chains, op: &Op) -> Result<(), rusqlite::Error> {
        let id = op.flow;
        let n = op.location.map(|location| location.n);
        match &op.kind {
            OpKind::Request {
                started_at,
                exchange,
                chunks,
                pieces,
                rest,
                first,
                clear,
            } => {
                let Some(n) = n else { return Ok(()) };
                if *clear {
                    self.run(CLEAR_PENDING_SIDE, params![n, side_code(Side::Request)])?;
                }
                self.pieces(n, Side::Request, pieces)?;
                self.request(chains, (n, id), (exchange, chunks), rest)?;
                if *first {
                    self.note_begun(n, op.flow, *started_at);
                }
            }
            OpKind::Pieces {
                side,
                pieces,
                clear,
            } => {
                let Some(n) = n else { return Ok(()) };
                if let Some(from) = clear {
                    self.run(REPLACE_PENDING, params![n, side_code(*side), from])?;
                }
                self.pieces(n, *side, pieces)?;
            }
            OpKind::Pending {
                side,
                piece,
                chunks,
            } => {
                let Some(n) = n else { return Ok(()) };
                let (codec, length, body) = columns(&piece.body);
                let side = side_code(*side);
                self.run(
                    PENDING,
                    params![n, side, piece.seq, chunks, codec, length, body],
                )?;
            }
            OpKind::Head(exchange) => {
                let Some(n) = n else { return Ok(()) };
                self.run(HEAD, params![n, exchange])?;
            }
            OpKind::Outcome { .. } => self.end(op)?,
            OpKind::Row(row) => self.row_again(op, row)?,
            OpKind::Forget => {
                if let Some(n) = self.number(op)? {
                    self.forget(chains, n, id)?;
                }
            }
            // These go to the catalog, or concern a segment as a whole.
            OpKind::Salvaged(_) | OpKind::Note { .. } | OpKind::Purge(_) | OpKind::Rotate(_) => {}
        }
        Ok(())
    }

    fn request(
        &mut self,
        chains: &mut Chains,
        (n, id): (i64, FlowId),
        (exchange, chunks): (&[u8], &[u8]),
        body: &RequestBody,
    ) -> Result<(), rusqlite::Error> {
        let id = id.to_bytes();
        match body {
            RequestBody::Packed(body) => {
                let (codec, length, body) = columns(body);
                self.request
                    .execute(params![n, id, exchange, chunks, codec, length, body])?;
            }
            RequestBody::Shared(body) => {
                let plan = chains.store(self.connection, n, body)?;
                let (codec, length) = (Codec::Chained.code(), whole(body.length()));
                self.request
                    .execute(params![n, id, exchange, chunks, codec, length, plan])?;
            }
        }
        Ok(())
    }

    fn row_again(&mut self, op: &Op, row: &RowRecord) -> Result<(), rusqlite::Error> {
        if let Some(n) = self.number(op)?
            && self.has_ended(n)?
        {
            self.row(n, row)?;
            self.run(NOT_UNREAD, [n])?;
            self.applied.reread.push(Settled {
                id: op.flow,
                n,
                row: Some(Arc::clone(&row.row)),
            });
        }
        Ok(())
    }

    fn end(&mut self, op: &Op) -> Result<(), rusqlite::Error> {
        let OpKind::Outcome {
            exchange,
            chunks,
            pieces,
            rest,
            row,
            whole,
            clear,
        } = &op.kind
        else {
            return Ok(());
        };
        let n = match (self.number(op)?, whole) {
            (Some(n), _) => n,
            (None, Some(whole)) => self.begin(op.flow, whole)?,
            (None, None) => return Ok(()),
        };
        // A flow that is not running has ended before, or its request was given up.
        if !self.begun.remove(&n) && self.run(NOT_RUNNING, [n])? == 0 {
            if !self.has_ended(n)? {
                self.applied.refused.push(op.flow);
            }
            return Ok(());
        }
        if *clear {
            self.keep_request(n)?;
            self.run(CLEAR_PENDING, [n])?;
        }
        self.pieces(n, Side::Response, pieces)?;
        let (codec, length, body) = columns(rest);
        self.outcome
            .execute(params![n, exchange, chunks, codec, length, body])?;
        match row {
            Some(row) => self.row(n, row)?,
            None => {
                self.run(UNREAD, [n])?;
            }
        }
        self.applied.ended.push(Settled {
            id: op.flow,
            n,
            row: row.as_ref().map(|row| Arc::clone(&row.row)),
        });
        Ok(())
    }

    fn note_begun(&mut self, n: i64, id: FlowId, at: Timestamp) {
        self.begun.insert(n);
        self.applied.begun += 1;
        self.applied.extent.add(id, at);
    }

    /// Makes the request's record of a flow of which the end alone was written. Returns its number.
    fn begin(&mut self, id: FlowId, whole: &Whole) -> Result<i64, rusqlite::Error> {
        let empty = Packed::empty();
        let (codec, length, body) = columns(&empty);
        let chunks = format::seal_chunks(&[]);
        let n = whole.location.n;
        self.request.execute(params![
            n,
            id.to_bytes(),
            whole.exchange,
            chunks,
            codec,
            length,
            body
        ])?;
        self.note_begun(n, id, whole.started_at);
        Ok(n)
    }

    /// Keeps what is pending of a request of which no more will be written: the flow ended while it was being
    /// sent.
    fn keep_request(&self, n: i64) -> Result<(), rusqlite::Error> {
        let side = side_code(Side::Request);
        self.run(KEEP_REQUEST, params![n, side])?;
        let mut pending = self.connection.prepare_cached(PENDING_CHUNKS)?;
        let mut rows = pending.query(params![n, side])?;
        let mut chunks = Vec::new();
        while let Some(row) = rows.next()? {
            let blob = row.get_ref(0)?;
            if blob
                .as_blob()
                .ok()
                .and_then(|blob| format::open_chunks(blob, &mut chunks))
                .is_none()
            {
                tracing::warn!("times of a request that was being sent are damaged");
            }
        }
        if !chunks.is_empty() {
            self.run(KEEP_CHUNKS, params![n, format::seal_chunks(&chunks)])?;
        }
        Ok(())
    }

    fn pieces(&self, n: i64, side: Side, pieces: &[Piece]) -> Result<(), rusqlite::Error> {
        for piece in pieces {
            let (codec, length, body) = columns(&piece.body);
            self.run(
                PIECE,
                params![n, side_code(side), piece.seq, codec, length, body],
            )?;
        }
        Ok(())
    }

    fn row(&mut self, n: i64, row: &RowRecord) -> Result<(), rusqlite::Error> {
        self.row.execute(params![n, Blob(&row.json)])?;
        Ok(())
    }

    fn forget(&mut self, chains: &mut Chains, n: i64, id: FlowId) -> Result<(), rusqlite::Error> {
        self.applied.forgot = true;
        let ended = self.has_ended(n)?;
        let shares = self.shares(n)?;
        self.applied.gone += u64::from(self.remove(n)?);
        if shares {
            purge::sweep(self.connection)?;
            chains.forget_all();
        }
        if ended {
            self.applied.removed.push((id, n));
        }
        Ok(())
    }

    /// Returns whether parts of a flow's request are kept apart from it.
    fn shares(&self, n: i64) -> Result<bool, rusqlite::Error> {
        let mut codec = self.connection.prepare_cached(CODEC)?;
        let codec: Option<i64> = codec.query_row([n], |row| row.get(0)).optional()?;
        Ok(codec == Some(Codec::Chained.code()))
    }

    /// Removes a flow. Returns whether it had a record.
    fn remove(&mut self, n: i64) -> Result<bool, rusqlite::Error> {
        self.begun.remove(&n);
        let had = self.run(FORGET_REQUEST, [n])? > 0;
        for sql in FORGET
            .iter()
            .chain(&[CLEAR_PENDING, NOT_RUNNING, NOT_UNREAD])
        {
            self.run(sql, [n])?;
        }
        Ok(had)
    }

    fn evict(&mut self, flows: i64) -> Result<Applied, rusqlite::Error> {
        let mut oldest = self.connection.prepare_cached(OLDEST)?;
        let read = |row: &rusqlite::Row<'_>| Ok((FlowId::from_bytes(row.get(1)?), row.get(0)?));
        let removed: Vec<(FlowId, i64)> =
            oldest.query_map([flows], read)?.collect::<Result<_, _>>()?;
        for (_, n) in &removed {
            self.remove(*n)?;
        }
        Ok(Applied {
            gone: removed.len() as u64,
            removed,
            ..Applied::default()
        })
    }

    /// Returns the number of the operation's flow in the segment; none where it is not there.
    fn number(&self, op: &Op) -> Result<Option<i64>, rusqlite::Error> {
        match op.location {
            Some(location) => Ok(Some(location.n)),
            None => registry::find(self.connection, op.flow),
        }
    }

    fn has_ended(&self, n: i64) -> Result<bool, rusqlite::Error> {
        self.connection
            .prepare_cached(HAS_ENDED)?
            .query_row([n], |row| row.get(0))
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, rusqlite::Error> {
        self.connection.prepare_cached(sql)?.execute(params)
    }
}

/// Returns whether an error lies in the value and not in the disk, so that trying again is no use.
fn is_refusal(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch
        ),
        None => true,
    }
}

/// A blob bound as it stands, without a copy.
struct Blob<'a>(&'a [u8]);

impl ToSql for Blob<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0)))
    }
}

fn columns(body: &Packed) -> (i64, i64, Blob<'_>) {
    (body.codec.code(), whole(body.length), Blob(&body.blob))
}

fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
