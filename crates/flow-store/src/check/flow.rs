//! One flow: every record of it.

use aws_lc_rs::digest::{Context, SHA256};
use flow_model::{BodyFacts, Exchange, FlowId, Side, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::blobs::{self, Audit};
use crate::format::{self, Codec, side_code};
use crate::pack;
use crate::read::{self, ReadError};
use crate::rows;
use crate::walk::sound;

/// What is known of a flow, and what of it cannot be read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) id: Option<FlowId>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) hurt: Vec<String>,
}

/// How closely flows are looked at: the segment's blobs, whether it has rows, whether bodies are rebuilt.
type How<'a> = (Option<&'a Audit>, bool, bool);

/// A stored part of a body.
struct Part {
    codec: i64,
    length: u64,
    blob: Vec<u8>,
}

/// The parts of one body, as they are read.
struct Body<'a> {
    connection: &'a Connection,
    audit: Option<&'a Audit>,
    /// Hashes what is read; none where that is compared with nothing.
    hash: Option<Context>,
    deep: bool,
    /// Why it cannot be read.
    hurt: Option<String>,
}

/// Reads a flow. What is wrong in the file is part of the answer; an error is one of reaching it.
pub(super) fn read(
    connection: &Connection,
    n: i64,
    (audit, rows, deep): How<'_>,
) -> Result<Found, rusqlite::Error> {
    let mut found = Found::default();
    let sql = "SELECT id FROM requests WHERE n = ?1";
    let id = connection
        .prepare_cached(sql)?
        .query_row([n], |row| row.get(0));
    found.id = sound(id.optional())?.flatten().map(FlowId::from_bytes);
    let Some(id) = found.id else {
        found.hurt.push("its id".to_owned());
        return Ok(found);
    };
    let exchange = match read::exchange(connection, n, id) {
        Ok(exchange) => Some(exchange),
        Err(error) => {
            found.hurt.push(reason(error)?);
            None
        }
    };
    found.started_at = exchange.as_ref().map(|exchange| exchange.started_at);
    match rows::is_hurt(connection, n) {
        Ok(true) if rows => found.hurt.push("its row".to_owned()),
        Err(error) if rows => found.hurt.push(reason(error.into())?),
        _ => {}
    }
    for side in [Side::Request, Side::Response] {
        if !chunks(connection, n, side)? {
            found.hurt.push(format!("the times of its {}", name(side)));
        }
        let facts = exchange
            .as_ref()
            .and_then(|exchange| wire_hash(exchange, side));
        let body = Body {
            connection,
            audit,
            hash: facts.filter(|_| deep).map(|_| Context::new(&SHA256)),
            deep,
            hurt: None,
        };
        if let Some(why) = body.read(n, side, facts)? {
            found
                .hurt
                .push(format!("the body of its {} ({why})", name(side)));
        }
    }
    Ok(found)
}

/// Returns in words what an error says is hurt.
fn reason(error: ReadError) -> Result<String, rusqlite::Error> {
    match error {
        ReadError::Damaged { what, .. } => Ok(what),
        ReadError::Segment(error) => {
            let what = format!("its records ({error})");
            sound::<()>(Err(error)).map(|_| what)
        }
        ReadError::BadCursor => Ok("its records".to_owned()),
    }
}

const fn name(side: Side) -> &'static str {
    match side {
        Side::Request => "request",
        Side::Response => "response",
    }
}

/// Returns the SHA-256 of a body that is stored as it was on the wire; none where there is none, or it is not.
fn wire_hash(exchange: &Exchange, side: Side) -> Option<&str> {
    let BodyFacts {
        coding,
        wire_sha256,
        truncated,
        gaps,
        decode_error,
        complete,
        ..
    } = match side {
        Side::Request => &exchange.request_body,
        Side::Response => &exchange.response_body,
    };
    let same = coding.is_none()
        && *complete
        && !*truncated
        && gaps.is_empty()
        && decode_error.is_none()
        && exchange.end.is_some();
    wire_sha256.as_deref().filter(|_| same)
}

fn chunks(connection: &Connection, n: i64, side: Side) -> Result<bool, rusqlite::Error> {
    let ended = match side {
        Side::Request => "SELECT chunks FROM requests WHERE n = ?1",
        Side::Response => "SELECT chunks FROM outcomes WHERE n = ?1",
    };
    let pending = "SELECT chunks FROM pending WHERE n = ?1 AND side = ?2 ORDER BY seq";
    let opens = |row: &Row<'_>| {
        let blob = row.get_ref(0)?.as_blob()?;
        Ok(format::open_chunks(blob, &mut Vec::new()).is_some())
    };
    let ended = connection.prepare_cached(ended)?.query_row([n], opens);
    let ended = sound(ended.optional())?;
    let mut pending = connection.prepare_cached(pending)?;
    let pending = pending.query_map(params![n, side_code(side)], opens)?;
    let pending = sound(pending.collect::<Result<Vec<bool>, _>>())?;
    let whole = pending.is_some_and(|pending| pending.into_iter().all(|opens| opens));
    Ok(whole && ended.is_some_and(|ended| ended.unwrap_or(true)))
}

// === impl Body ===

impl Body<'_> {
    /// Reads all parts, in order. Returns why they cannot be, or are not what was on the wire.
    fn read(
        mut self,
        n: i64,
        side: Side,
        expect: Option<&str>,
    ) -> Result<Option<String>, rusqlite::Error> {
        let rest = match side {
            Side::Request => "SELECT codec, length, body FROM requests WHERE n = ?1",
            Side::Response => "SELECT codec, length, body FROM outcomes WHERE n = ?1",
        };
        let pieces =
            "SELECT codec, length, body FROM pieces WHERE n = ?1 AND side = ?2 ORDER BY seq";
        let pending =
            "SELECT codec, length, body FROM pending WHERE n = ?1 AND side = ?2 ORDER BY seq";
        let code = side_code(side);
        self.parts(pieces, params![n, code])?;
        self.parts(rest, params![n])?;
        self.parts(pending, params![n, code])?;
        if let Some(hash) = self.hash.take()
            && self.hurt.is_none()
            && expect.is_some_and(|expect| expect != hex(hash.finish().as_ref()))
        {
            self.hurt = Some("it is not what was on the wire".to_owned());
        }
        Ok(self.hurt)
    }

    fn parts(&mut self, sql: &str, params: impl rusqlite::Params) -> Result<(), rusqlite::Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        loop {
            let part = match rows.next() {
                Ok(None) => return Ok(()),
                Ok(Some(row)) => part(row),
                Err(error) => Err(error),
            };
            let Some(part) = sound(part)? else {
                self.hurt = Some("a part cannot be read".to_owned());
                return Ok(());
            };
            self.part(&part);
        }
    }

    fn part(&mut self, part: &Part) {
        let chained = Codec::from_code(part.codec) == Some(Codec::Chained);
        let bytes = if !chained {
            pack::unpack(part.codec, part.length, &part.blob)
                .ok_or_else(|| "a part of it is damaged".to_owned())
        } else if self.deep {
            blobs::load(self.connection, &part.blob, part.length).map_err(|error| error.to_string())
        } else {
            let planned = self.audit.map(|audit| audit.plan(&part.blob, part.length));
            match planned {
                Some(Ok(())) => Ok(Vec::new()),
                Some(Err(error)) => Err(error.to_string()),
                None => Err("its parts are nowhere".to_owned()),
            }
        };
        match (bytes, &mut self.hash) {
            (Ok(bytes), Some(hash)) => hash.update(&bytes),
            (Ok(_), None) => {}
            (Err(why), _) => self.hurt = Some(why),
        }
    }
}

fn part(row: &Row<'_>) -> Result<Part, rusqlite::Error> {
    Ok(Part {
        codec: row.get(0)?,
        length: u64::try_from(row.get::<_, i64>(1)?).unwrap_or(u64::MAX),
        blob: row.get(2)?,
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
