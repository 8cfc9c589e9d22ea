//! Reads flows from segments: short queries, each on a connection of its own.
//!
//! Damage is found here, flow by flow, by checksums and by SQLite. It costs the flow that it hits and no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_model::{Chunk, Exchange, FlowId, Row, Side};
use rusqlite::{Connection, OptionalExtension, params};

use crate::blobs::{self, LoadError};
use crate::body::{Part, StoredBody};
use crate::format::{self, Codec, Outcome, side_code};
use crate::pack;
use crate::place::{self, is_damage};
use crate::registry::{Registry, find};
use crate::rows;
use crate::segment::Segment;

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The cursor is none that the store gave for this order.
    #[error("the cursor does not belong to this list")]
    BadCursor,
    /// The flow's records are hurt.
    #[error("flow {id} is damaged: {what}")]
    Damaged {
        /// The flow.
        id: FlowId,
        /// Which part of it.
        what: String,
    },
    /// The segment does not answer.
    #[error("the segment cannot be read")]
    Segment(#[from] rusqlite::Error),
}

impl ReadError {
    /// Returns whether a file is hurt or gone.
    pub(crate) fn is_of_file(&self) -> bool {
        let gone = matches!(self, Self::Segment(error) if place::cannot_open(error));
        gone || self.is_damage()
    }

    /// Returns whether the content of a file is wrong.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Segment(error) => is_damage(error),
            Self::BadCursor => false,
        }
    }
}

/// All segments, newest first.
pub(crate) struct Archive {
    pub(crate) registry: Arc<Registry>,
}

// === impl Archive ===

impl Archive {
    /// Calls `act` in the segment that has the flow; none where no segment has it.
    fn within<T>(
        &self,
        id: FlowId,
        act: impl Fn(&Arc<Segment>, &Connection, i64) -> Result<T, ReadError>,
    ) -> Result<Option<T>, ReadError> {
        let mut hurt = None;
        let all = self.registry.all();
        for segment in all.iter().filter(|segment| segment.may_hold(id)) {
            let buried = segment.buried();
            let found = segment.read(|connection| {
                let found = find(connection, id)?;
                let Some(n) = found.filter(|n| !buried.contains_key(n)) else {
                    return Ok(None);
                };
                act(segment, connection, n).map(Some)
            });
            match found.map_err(|error| name(error, id)) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => hurt = Some(error),
            }
        }
        hurt.map_or(Ok(None), Err)
    }

    /// Returns whether a segment has the flow, and it is not deleted.
    pub(crate) fn shows(&self, id: FlowId) -> Result<bool, ReadError> {
        Ok(self.within(id, |_, _, _| Ok(()))?.is_some())
    }

    /// Returns whether a segment has the flow, be it deleted.
    pub(crate) fn holds(&self, id: FlowId) -> bool {
        self.registry.find(id).is_ok_and(|found| found.is_some())
    }

    pub(crate) fn exchange(&self, id: FlowId) -> Result<Option<Exchange>, ReadError> {
        self.within(id, |_, connection, n| exchange(connection, n, id))
    }

    pub(crate) fn row(&self, id: FlowId) -> Result<Option<Row>, ReadError> {
        let row = self.within(id, |_, connection, n| Ok(rows::one(connection, n)?))?;
        Ok(row.flatten())
    }

    pub(crate) fn chunks(&self, id: FlowId, side: Side) -> Result<Option<Vec<Chunk>>, ReadError> {
        self.within(id, |_, connection, n| chunks(connection, n, id, side))
    }

    pub(crate) fn body(&self, id: FlowId, side: Side) -> Result<Option<StoredBody>, ReadError> {
        self.within(id, |segment, connection, n| {
            let parts = parts(connection, n, id, side)?;
            Ok(StoredBody {
                segment: Arc::clone(segment),
                n,
                id,
                side,
                parts,
            })
        })
    }

    /// Returns the exchanges of flows without outcome. A sealed segment has none.
    pub(crate) fn unfinished(&self) -> Result<Vec<Exchange>, ReadError> {
        let mut exchanges = Vec::new();
        for segment in self.registry.unsealed().iter().rev() {
            let buried = segment.buried();
            segment.read(|connection| unfinished(connection, &buried, &mut exchanges))?;
        }
        Ok(exchanges)
    }

    /// Returns ended flows which have no row, newest first.
    pub(crate) fn without_row(&self, flows_max: usize) -> Result<Vec<FlowId>, ReadError> {
        let mut flows = Vec::new();
        for segment in self.registry.all().iter() {
            if flows.len() >= flows_max || (segment.is_sealed() && segment.facts().unread == 0) {
                continue;
            }
            let buried = segment.buried();
            let left = flows_max - flows.len();
            let found = segment.read(|connection| unread(connection, &buried, left))?;
            flows.extend(found);
        }
        Ok(flows)
    }

    /// Returns a note. Where the catalog has none, a segment of format 1.0 may.
    pub(crate) fn note(&self, key: &str) -> Result<Option<String>, ReadError> {
        let key = format::note_key(key);
        if let Some(note) = self.registry.catalog.note(&key)? {
            return Ok(Some(note));
        }
        for segment in self.registry.unsealed() {
            let found = segment.read(|connection| {
                let mut note =
                    connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
                note.query_row([&key], |row| row.get(0)).optional()
            });
            if let Some(note) = found? {
                return Ok(Some(note));
            }
        }
        Ok(None)
    }

    /// Returns the number of ended flows.
    pub(crate) fn count(&self) -> Result<u64, ReadError> {
        let mut count = 0;
        for segment in self.registry.all().iter() {
            let buried = segment.buried();
            let mut others = buried.len();
            if !segment.is_sealed() {
                let running: Vec<i64> = segment.read(|connection| {
                    let mut running = connection.prepare_cached("SELECT n FROM running")?;
                    let numbers = running.query_map([], |row| row.get(0))?;
                    numbers.collect::<Result<_, rusqlite::Error>>()
                })?;
                others += running.iter().filter(|n| !buried.contains_key(n)).count();
            }
            count += segment.facts().flows.saturating_sub(others as u64);
        }
        Ok(count)
    }
}

/// Returns the flows of a segment without row, newest first, and `left` of them at most.
fn unread(
    connection: &Connection,
    buried: &BTreeMap<i64, FlowId>,
    left: usize,
) -> Result<Vec<FlowId>, ReadError> {
    let mut unread = connection
        .prepare_cached("SELECT n, id FROM unread JOIN requests USING (n) ORDER BY n DESC")?;
    let mut rows = unread.query([])?;
    let mut flows = Vec::new();
    while flows.len() < left
        && let Some(row) = rows.next()?
    {
        if !buried.contains_key(&row.get(0)?) {
            flows.push(FlowId::from_bytes(row.get(1)?));
        }
    }
    Ok(flows)
}

fn unfinished(
    connection: &Connection,
    buried: &BTreeMap<i64, FlowId>,
    exchanges: &mut Vec<Exchange>,
) -> Result<(), ReadError> {
    let mut running = connection
        .prepare_cached("SELECT n, id FROM running JOIN requests USING (n) ORDER BY n")?;
    let flows = running.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for flow in flows {
        let (n, id) = flow?;
        if buried.contains_key(&n) {
            continue;
        }
        match exchange(connection, n, FlowId::from_bytes(id)) {
            Ok(exchange) => exchanges.push(exchange),
            Err(error) => tracing::warn!(%error, "an unfinished flow cannot be read"),
        }
    }
    Ok(())
}

/// Returns one part of a body.
pub(crate) fn part(body: &StoredBody, part: &Part) -> Result<Vec<u8>, ReadError> {
    let (n, id, side) = (body.n, body.id, side_code(body.side));
    let read = |connection: &Connection| match part {
        Part::Piece { seq, .. } => {
            let sql =
                "SELECT codec, length, body FROM pieces WHERE n = ?1 AND side = ?2 AND seq = ?3";
            unpacked(connection, sql, params![n, side, seq], id)
        }
        Part::Rest { .. } => unpacked(connection, rest_sql(body.side), params![n], id),
        Part::Held(bytes) => Ok(Some(bytes.to_vec())),
    };
    let bytes = body.segment.read(read).map_err(|error| name(error, id))?;
    bytes.ok_or_else(|| damaged(id, "a part of its body is gone"))
}

/// Returns an exchange, as it ended or as far as it is known.
pub(crate) fn exchange(connection: &Connection, n: i64, id: FlowId) -> Result<Exchange, ReadError> {
    let mut begun = connection.prepare_cached("SELECT exchange FROM requests WHERE n = ?1")?;
    let begun: Option<Exchange> =
        begun.query_row([n], |row| Ok(format::open_json(row.get_ref(0)?.as_blob()?)))?;
    let begun = begun.ok_or_else(|| damaged(id, "the record of its request"))?;
    let mut outcome = connection.prepare_cached("SELECT exchange FROM outcomes WHERE n = ?1")?;
    let outcome = outcome.query_row([n], |row| {
        Ok(format::open_json::<Outcome<'_>>(row.get_ref(0)?.as_blob()?))
    });
    match outcome.optional()? {
        None => Ok(begun),
        Some(Some(outcome)) => Ok(outcome.apply(begun)),
        Some(None) => Err(damaged(id, "the record of its outcome")),
    }
}

fn chunks(
    connection: &Connection,
    n: i64,
    id: FlowId,
    side: Side,
) -> Result<Vec<Chunk>, ReadError> {
    let ended = match side {
        Side::Request => "SELECT chunks FROM requests WHERE n = ?1",
        Side::Response => "SELECT chunks FROM outcomes WHERE n = ?1",
    };
    let pending = "SELECT chunks FROM pending WHERE n = ?1 AND side = ?2 ORDER BY seq";
    // One state of the segment: chunks move from the one table to the other.
    let _state = connection.unchecked_transaction()?;
    let mut chunks = Vec::new();
    let mut whole = Some(());
    let mut read = |row: &rusqlite::Row<'_>| {
        whole = whole.and(format::open_chunks(row.get_ref(0)?.as_blob()?, &mut chunks));
        Ok(())
    };
    connection
        .prepare_cached(ended)?
        .query_row([n], &mut read)
        .optional()?;
    let mut pending = connection.prepare_cached(pending)?;
    let found: Result<Vec<()>, _> = pending
        .query_map(params![n, side_code(side)], read)?
        .collect();
    found?;
    whole
        .map(|()| chunks)
        .ok_or_else(|| damaged(id, "the times of its chunks"))
}

/// Returns the parts of a body. What is pending is read at once, because a piece may take its place.
fn parts(connection: &Connection, n: i64, id: FlowId, side: Side) -> Result<Vec<Part>, ReadError> {
    let code = side_code(side);
    let _state = connection.unchecked_transaction()?;
    let mut pieces = connection
        .prepare_cached("SELECT seq, length FROM pieces WHERE n = ?1 AND side = ?2 ORDER BY seq")?;
    let found = pieces.query_map(params![n, code], |row| {
        Ok(Part::Piece {
            seq: row.get(0)?,
            length: length(row.get(1)?),
        })
    })?;
    let mut parts: Vec<Part> = found.collect::<Result<_, _>>()?;
    let table = match side {
        Side::Request => "SELECT length FROM requests WHERE n = ?1",
        Side::Response => "SELECT length FROM outcomes WHERE n = ?1",
    };
    let rest = connection
        .prepare_cached(table)?
        .query_row([n], |row| Ok(length(row.get(0)?)));
    parts.extend(
        rest.optional()?
            .filter(|&length| length > 0)
            .map(|length| Part::Rest { length }),
    );
    let mut pending = connection.prepare_cached(
        "SELECT codec, length, body FROM pending WHERE n = ?1 AND side = ?2 AND length > 0 ORDER BY seq",
    )?;
    let found = pending.query_map(params![n, code], |row| {
        Ok(pack::unpack(
            row.get(0)?,
            length(row.get(1)?),
            row.get_ref(2)?.as_blob()?,
        ))
    })?;
    for bytes in found {
        let bytes = bytes?.ok_or_else(|| damaged(id, "what was pending of its body"))?;
        parts.push(Part::Held(bytes.into()));
    }
    Ok(parts)
}

const fn rest_sql(side: Side) -> &'static str {
    match side {
        Side::Request => "SELECT codec, length, body FROM requests WHERE n = ?1",
        Side::Response => "SELECT codec, length, body FROM outcomes WHERE n = ?1",
    }
}

fn unpacked(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    id: FlowId,
) -> Result<Option<Vec<u8>>, ReadError> {
    // The parts of a body are of one state with its plan.
    let _state = connection.unchecked_transaction()?;
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let (codec, length) = (row.get(0)?, length(row.get(1)?));
    let stored = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
    if Codec::from_code(codec) == Some(Codec::Chained) {
        return match blobs::load(connection, stored, length) {
            Ok(body) => Ok(Some(body)),
            Err(LoadError::Segment(error)) => Err(error.into()),
            Err(error) => Err(damaged(id, &error.to_string())),
        };
    }
    let bytes = pack::unpack(codec, length, stored);
    bytes.map(Some).ok_or_else(|| damaged(id, "its body"))
}

fn length(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

fn damaged(id: FlowId, what: &str) -> ReadError {
    ReadError::Damaged {
        id,
        what: what.to_owned(),
    }
}

/// Names the flow in an error that comes from the file's content.
fn name(error: ReadError, id: FlowId) -> ReadError {
    match error {
        ReadError::Segment(error) if is_damage(&error) => ReadError::Damaged {
            id,
            what: error.to_string(),
        },
        other => other,
    }
}
