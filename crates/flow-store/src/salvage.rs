//! Brings whole flows over from damaged segments that were put aside, while the program runs.
//!
//! Flows are read one by one through the number that every one has, so that a hole costs only what is in it. A
//! flow counts as readable when every record of it is; a flow without outcome becomes an interrupted one. When
//! all are done the catalog remembers that, and otherwise the next start goes over the file again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_model::{EndReason, Exchange, FlowId, Row, Side, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::blobs;
use crate::format::{self, Codec, Outcome, side_code};
use crate::intake::Intake;
use crate::pack::{self, OpKind, Packed, Piece, RequestBody};
use crate::place::{Access, Place};
use crate::read::Archive;
use crate::{opening, place, rows};

/// Numbers that are tried behind the last readable flow where the end of the table cannot be read.
const HOLE_MAX: u64 = 10_000;

/// Bytes that may wait to be committed before salvaging pauses: what is recorded now comes first.
const AHEAD_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Salvages what is readable in each of the files.
pub(crate) fn run(intake: &Intake, archive: &Archive, files: &[PathBuf]) {
    for file in files {
        if !salvage(intake, archive, file) {
            return;
        }
    }
}

/// Returns false where the store is being closed.
fn salvage(intake: &Intake, archive: &Archive, file: &Path) -> bool {
    let name = file.display();
    let damaged = match place::open_damaged(file) {
        Ok(connection) => Damaged { connection },
        Err(error) => {
            let notice = format!("{name} cannot be read at all ({error})");
            intake.health.notice(notice);
            return note_done(intake, file);
        }
    };
    let last = damaged.last();
    let (mut readable, mut hurt, mut hole) = (0_u64, 0_u64, 0_u64);
    for n in 1..=last.unwrap_or(i64::MAX) {
        if intake.queue.is_closing() {
            return false;
        }
        if intake.queue.bytes() > AHEAD_BYTES_MAX {
            intake.queue.flush();
        }
        match damaged.bring_over(intake, archive, n) {
            Brought::Unreadable => {
                hole += 1;
                if last.is_none() && hole == HOLE_MAX {
                    break;
                }
                continue;
            }
            Brought::Whole => readable += 1,
            Brought::Hurt => hurt += 1,
            Brought::Nothing => {}
        }
        hurt += std::mem::take(&mut hole);
    }
    // Where the end of the table is unreadable, nobody knows how many flows it held.
    let rest = if last.is_none() {
        " and so is whatever followed"
    } else {
        ""
    };
    hurt += if last.is_some() { hole } else { 0 };
    intake.health.salvaged(readable, hurt);
    let notice = format!("{name}: {readable} flows were brought over, {hurt} are lost{rest}");
    intake.health.notice(notice);
    // What was brought over is to be safe before the file counts as done.
    intake.queue.flush() && note_done(intake, file)
}

fn note_done(intake: &Intake, file: &Path) -> bool {
    let key = opening::salvaged_key(file);
    intake.push(FlowId::from_bytes([0; 16]), None, OpKind::Salvaged(key));
    true
}

/// Brings flows of a segment that is about to go over to the live one. Returns whether all of them could be read.
pub(crate) fn bring_over(intake: &Intake, file: &Path, flows: &[(FlowId, i64)]) -> bool {
    let from = Place::File(file.to_owned()).open_reader(Access::Sealed);
    let from = from.map(|connection| Damaged { connection });
    let Ok(from) = from else {
        return false;
    };
    let mut whole = true;
    for &(id, n) in flows {
        whole &= from
            .flow(intake, n)
            .and_then(|flow| from.push(intake, n, id, flow))
            .is_ok();
    }
    whole
}

struct Damaged {
    connection: Connection,
}

enum Brought {
    Whole,
    /// The flow is there, but not whole.
    Hurt,
    /// The place where the flow would be cannot be read.
    Unreadable,
    /// There is no such flow, or another segment has it.
    Nothing,
}

/// Something of a flow cannot be read.
struct Hurt;

/// The record of a request or of an outcome.
struct Record {
    exchange: Vec<u8>,
    chunks: Vec<u8>,
    rest: Rest,
}

/// The end of a body, or all of it.
enum Rest {
    Packed(Packed),
    /// A body that shared parts with others.
    Whole(Vec<u8>),
}

/// A flow of which every record was read once.
struct Whole {
    started_at: Timestamp,
    request: Record,
    outcome: Record,
    /// Where the other parts of its bodies are.
    parts: Vec<(Table, Side, i64)>,
    row: Option<Row>,
}

#[derive(Clone, Copy)]
enum Table {
    Pieces,
    Pending,
}

impl Damaged {
    /// Returns the highest number of a flow; none where no table tells.
    fn last(&self) -> Option<i64> {
        let highest = |table| {
            let sql = format!("SELECT max(n) FROM {table}");
            self.connection
                .query_one(&sql, [], |row| row.get::<_, Option<i64>>(0))
                .ok()
                .flatten()
        };
        ["requests", "outcomes", "rows"]
            .into_iter()
            .filter_map(highest)
            .max()
    }

    fn bring_over(&self, intake: &Intake, archive: &Archive, n: i64) -> Brought {
        let id = match self.id(n) {
            Ok(Some(id)) => id,
            Ok(None) => return Brought::Nothing,
            Err(Hurt) => return Brought::Unreadable,
        };
        let deleted = archive.registry.catalog.is_buried(id);
        if archive.holds(id) || deleted.unwrap_or(false) {
            return Brought::Nothing;
        }
        let brought = self
            .flow(intake, n)
            .and_then(|flow| self.push(intake, n, id, flow));
        if brought.is_err() {
            tracing::warn!(flow = %id, "a flow of a damaged segment cannot be read");
            return Brought::Hurt;
        }
        Brought::Whole
    }

    fn push(&self, intake: &Intake, n: i64, id: FlowId, flow: Whole) -> Result<(), Hurt> {
        let Whole {
            started_at,
            request,
            outcome,
            parts,
            row,
        } = flow;
        let location = Some(intake.locate());
        let (pieces, rest) = match request.rest {
            Rest::Packed(rest) => (Vec::new(), RequestBody::Packed(rest)),
            // Parts that a flow shares with others are of no use in another segment.
            Rest::Whole(body) => {
                let begun: Exchange = format::open_json(&request.exchange).ok_or(Hurt)?;
                intake.request_body(&begun, body.into(), 0)
            }
        };
        let Rest::Packed(answer) = outcome.rest else {
            return Err(Hurt);
        };
        let kind = OpKind::Request {
            started_at,
            exchange: request.exchange,
            chunks: request.chunks,
            pieces,
            rest,
            first: true,
            clear: false,
        };
        intake.push(id, location, kind);
        for (table, side, seq) in parts {
            let Ok(body) = self.part(table, n, side, seq) else {
                intake.push(id, location, OpKind::Forget);
                return Err(Hurt);
            };
            let pieces = vec![Piece { seq, body }];
            intake.push(
                id,
                location,
                OpKind::Pieces {
                    side,
                    pieces,
                    clear: None,
                },
            );
        }
        let kind = OpKind::Outcome {
            exchange: outcome.exchange,
            chunks: outcome.chunks,
            pieces: Vec::new(),
            rest: answer,
            row: row.map(Arc::new).and_then(|row| intake.record(&row)),
            whole: None,
            clear: false,
        };
        intake.push(id, location, kind);
        Ok(())
    }

    fn flow(&self, intake: &Intake, n: i64) -> Result<Whole, Hurt> {
        let request = self.record("requests", n)?.ok_or(Hurt)?;
        let begun: Exchange = format::open_json(&request.exchange).ok_or(Hurt)?;
        let started_at = begun.started_at;
        let mut parts = self.parts(Table::Pieces, n)?;
        let outcome = match self.record("outcomes", n)? {
            Some(outcome) => {
                format::open_json::<Outcome<'_>>(&outcome.exchange).ok_or(Hurt)?;
                outcome
            }
            None => {
                parts.extend(self.parts(Table::Pending, n)?);
                self.interrupted(intake, n, begun)?
            }
        };
        for &(table, side, seq) in &parts {
            self.part(table, n, side, seq)?;
        }
        Ok(Whole {
            started_at,
            request,
            outcome,
            parts,
            row: self.row(n),
        })
    }

    /// Returns the outcome of a flow that had none.
    fn interrupted(&self, intake: &Intake, n: i64, mut exchange: Exchange) -> Result<Record, Hurt> {
        let begun = exchange.clone();
        exchange.end = Some(EndReason::Interrupted);
        let exchange = intake
            .seal(exchange.id, &Outcome::new(&exchange, Some(&begun)))
            .ok_or(Hurt)?;
        let sql = "SELECT chunks FROM pending WHERE n = ?1 AND side = ?2 ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut chunks = Vec::new();
        let mut rows = statement.query(params![n, side_code(Side::Response)])?;
        while let Some(row) = rows.next()? {
            format::open_chunks(row.get_ref(0)?.as_blob().map_err(|_| Hurt)?, &mut chunks)
                .ok_or(Hurt)?;
        }
        let chunks = format::seal_chunks(&chunks);
        Ok(Record {
            exchange,
            chunks,
            rest: Rest::Packed(Packed::empty()),
        })
    }

    fn id(&self, n: i64) -> Result<Option<FlowId>, Hurt> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM requests WHERE n = ?1")?;
        let id = statement.query_row([n], |row| row.get(0)).optional()?;
        Ok(id.map(FlowId::from_bytes))
    }

    fn record(&self, table: &str, n: i64) -> Result<Option<Record>, Hurt> {
        let sql = format!("SELECT codec, length, body, exchange, chunks FROM {table} WHERE n = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([n])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let record = Record {
            exchange: row.get(3)?,
            chunks: row.get(4)?,
            rest: self.rest(row)?,
        };
        format::open_chunks(&record.chunks, &mut Vec::new()).ok_or(Hurt)?;
        Ok(Some(record))
    }

    fn rest(&self, row: &rusqlite::Row<'_>) -> Result<Rest, Hurt> {
        if Codec::from_code(row.get(0)?) != Some(Codec::Chained) {
            return Ok(Rest::Packed(packed(row)?));
        }
        let length = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Hurt)?;
        let plan = row.get_ref(2)?.as_blob().map_err(|_| Hurt)?;
        let body = blobs::load(&self.connection, plan, length).map_err(|_| Hurt)?;
        Ok(Rest::Whole(body))
    }

    fn parts(&self, table: Table, n: i64) -> Result<Vec<(Table, Side, i64)>, Hurt> {
        let sql = match table {
            Table::Pieces => "SELECT side, seq FROM pieces WHERE n = ?1 ORDER BY seq",
            Table::Pending => {
                "SELECT side, seq FROM pending WHERE n = ?1 AND length > 0 ORDER BY seq"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([n])?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            let response = row.get::<_, i64>(0)? == side_code(Side::Response);
            let side = if response {
                Side::Response
            } else {
                Side::Request
            };
            parts.push((table, side, row.get(1)?));
        }
        Ok(parts)
    }

    fn part(&self, table: Table, n: i64, side: Side, seq: i64) -> Result<Packed, Hurt> {
        let sql = match table {
            Table::Pieces => {
                "SELECT codec, length, body FROM pieces WHERE n = ?1 AND side = ?2 AND seq = ?3"
            }
            Table::Pending => {
                "SELECT codec, length, body FROM pending WHERE n = ?1 AND side = ?2 AND seq = ?3"
            }
        };
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![n, side_code(side), seq])?;
        packed(rows.next()?.ok_or(Hurt)?)
    }

    /// Returns the flow's row; none where it is to be derived again.
    fn row(&self, n: i64) -> Option<Row> {
        rows::one(&self.connection, n).ok().flatten()
    }
}

impl From<rusqlite::Error> for Hurt {
    fn from(_: rusqlite::Error) -> Self {
        Self
    }
}

/// Returns the body in the first three columns of a row, once it has been unpacked for a check.
fn packed(row: &rusqlite::Row<'_>) -> Result<Packed, Hurt> {
    let (code, length, blob) = (
        row.get(0)?,
        row.get::<_, i64>(1)?,
        row.get::<_, Vec<u8>>(2)?,
    );
    let length = usize::try_from(length).map_err(|_| Hurt)?;
    pack::unpack(code, length as u64, &blob).ok_or(Hurt)?;
    let codec = Codec::from_code(code).ok_or(Hurt)?;
    Ok(Packed {
        codec,
        length,
        blob,
    })
}
