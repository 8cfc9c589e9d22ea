//! The texts of one flow, from its records: what the index is made from, and what its answers are checked on.
//!
//! | record | texts | node |
//! |---|---|---|
//! | request, codec *Chained* | of the skeleton, and of elements too short for a node | 0 |
//! | | of each element that this flow brought | its node |
//! | other request of [`REQUEST_BYTES_MAX`] at most | all | 0 |
//! | answer | all | 0 |
//!
//! An element is read as the whole body would be, with the skeleton around it; what that says by itself is taken
//! away again. The order is that of the records, always the same, so that a [`Use`] finds its text. What of a flow is
//! damaged has no text; the rest of it has.

use std::collections::HashMap;

use flow_codec::{ResponseDecoder, read_request};
use flow_model::{Dialect, Exchange, FlowId, Side};
use flow_query::{TextKind, answer_parts};
use rusqlite::{Connection, OptionalExtension, params};

use crate::blobs::{self, LoadError};
use crate::format::{Codec, side_code};
use crate::pack;
use crate::place::is_damage;
use crate::read::{self, ReadError};
use crate::text::Use;

/// Bytes of a request that is read whole. The codec reads no more of one either, but for forms, whose files are no
/// text.
const REQUEST_BYTES_MAX: u64 = 16 * 1024 * 1024;

const FLOW: &str = "SELECT id, codec, length, EXISTS (SELECT 1 FROM outcomes WHERE n = ?1),
    CASE codec WHEN ?2 THEN body END FROM requests WHERE n = ?1";
const PIECES: &str =
    "SELECT codec, length, body FROM pieces WHERE n = ?1 AND side = ?2 ORDER BY seq";
const PIECES_LENGTH: &str =
    "SELECT coalesce(sum(length), 0) FROM pieces WHERE n = ?1 AND side = ?2";
const REQUEST: &str = "SELECT codec, length, body FROM requests WHERE n = ?1";
const ANSWER: &str = "SELECT codec, length, body FROM outcomes WHERE n = ?1";

/// A text and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) kind: TextKind,
    /// The node that holds it, or 0.
    pub(crate) node: i64,
    pub(crate) words: String,
}

/// What a flow introduced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FlowTexts {
    pub(crate) id: FlowId,
    /// Whether it has ended. One that runs has no texts but those of its nodes, which others may carry.
    pub(crate) ended: bool,
    /// The last node of each chain of its request.
    pub(crate) heads: Vec<i64>,
    pub(crate) texts: Vec<Text>,
}

/// Which records are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Only(Side),
}

/// Reads the texts of uses, one after the other; those of the last flow are kept.
pub(crate) struct Reader<'c> {
    connection: &'c Connection,
    last: Option<(i64, Side, Vec<Text>)>,
    /// Why a text could not be read, where that is not the flow's fault.
    failed: Option<rusqlite::Error>,
}

/// The record of a request, but for its body.
struct Record {
    id: FlowId,
    ended: bool,
    length: u64,
    /// What stands in the place of the body.
    plan: Option<Vec<u8>>,
}

/// Returns what flow `n` introduced; none where there is no such flow.
pub(crate) fn read(connection: &Connection, n: i64) -> Result<Option<FlowTexts>, rusqlite::Error> {
    texts(connection, n, Wanted::All)
}

/// Returns what flow `n` introduced; none where there is no such flow, or what is stored of it is hurt.
pub(crate) fn readable(
    connection: &Connection,
    n: i64,
) -> Result<Option<FlowTexts>, rusqlite::Error> {
    match read(connection, n) {
        Err(error) if is_damage(&error) => Ok(None),
        flow => flow,
    }
}

// === impl FlowTexts ===

impl FlowTexts {
    /// Returns the texts with their places, where `n` is the flow's number.
    pub(crate) fn uses(&self, n: i64) -> Vec<(Use, &str)> {
        let mut counts: HashMap<(TextKind, i64), u32> = HashMap::new();
        let places = self.texts.iter().map(|text| {
            let part = counts.entry((text.kind, text.node)).or_default();
            let place = Use {
                n,
                node: text.node,
                kind: text.kind,
                part: *part,
            };
            *part += 1;
            (place, text.words.as_str())
        });
        places.collect()
    }
}

// === impl Reader ===

impl<'c> Reader<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            last: None,
            failed: None,
        }
    }

    /// Returns the text that stands somewhere; none where there is none any more.
    pub(crate) fn text_of(&mut self, place: &Use) -> Option<String> {
        let side = side_of(place.kind);
        let known = self.last.as_ref();
        if known.is_none_or(|(n, of, _)| (*n, *of) != (place.n, side)) {
            let texts = match texts(self.connection, place.n, Wanted::Only(side)) {
                Ok(found) => found.map(|flow| flow.texts),
                Err(error) => {
                    self.failed = Some(error);
                    return None;
                }
            };
            self.last = Some((place.n, side, texts.unwrap_or_default()));
        }
        let (_, _, texts) = self.last.as_ref()?;
        let mut same = texts
            .iter()
            .filter(|text| (text.kind, text.node) == (place.kind, place.node));
        let text = same.nth(usize::try_from(place.part).ok()?)?;
        Some(text.words.clone())
    }

    /// Returns why not all texts could be read, if so.
    pub(crate) fn finish(self) -> Result<(), rusqlite::Error> {
        self.failed.map_or(Ok(()), Err)
    }
}

/// Returns which record a text of this kind is in.
const fn side_of(kind: TextKind) -> Side {
    match kind {
        TextKind::System
        | TextKind::User
        | TextKind::Assistant
        | TextKind::Thinking
        | TextKind::ToolArguments
        | TextKind::ToolResult => Side::Request,
        TextKind::Answer
        | TextKind::AnswerThinking
        | TextKind::AnswerToolArguments
        | TextKind::Error => Side::Response,
    }
}

fn texts(
    connection: &Connection,
    n: i64,
    wanted: Wanted,
) -> Result<Option<FlowTexts>, rusqlite::Error> {
    // One state of the segment: what a plan refers to may otherwise be removed meanwhile.
    let _state = connection.unchecked_transaction()?;
    let Some(record) = record(connection, n)? else {
        return Ok(None);
    };
    let mut flow = FlowTexts {
        id: record.id,
        ended: record.ended,
        heads: Vec::new(),
        texts: Vec::new(),
    };
    if let Some(plan) = &record.plan {
        flow.heads = blobs::heads(plan).unwrap_or_default();
    }
    let exchange = match read::exchange(connection, n, record.id) {
        Ok(exchange) => exchange,
        Err(ReadError::Segment(error)) => return Err(error),
        Err(error) => {
            tracing::debug!(%error, "a flow has no texts");
            return Ok(Some(flow));
        }
    };
    let source = Source {
        connection,
        n,
        exchange: &exchange,
        record: &record,
    };
    if wanted != Wanted::Only(Side::Response) && (record.ended || record.plan.is_some()) {
        source.request(&mut flow.texts)?;
    }
    if wanted != Wanted::Only(Side::Request) && record.ended {
        source.answer(&mut flow.texts)?;
    }
    if !record.ended {
        flow.texts.retain(|text| text.node != 0);
    }
    Ok(Some(flow))
}

fn record(connection: &Connection, n: i64) -> Result<Option<Record>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(FLOW)?;
    let record = statement.query_row(params![n, Codec::Chained.code()], |row| {
        Ok(Record {
            id: FlowId::from_bytes(row.get(0)?),
            length: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            ended: row.get(3)?,
            plan: row.get(4)?,
        })
    });
    record.optional()
}

/// A flow whose records are read.
struct Source<'a> {
    connection: &'a Connection,
    n: i64,
    exchange: &'a Exchange,
    record: &'a Record,
}

// === impl Source ===

impl Source<'_> {
    fn request(&self, texts: &mut Vec<Text>) -> Result<(), rusqlite::Error> {
        let known = texts.len();
        let read = match &self.record.plan {
            Some(plan) => self.chained(plan, texts),
            None => self.whole(texts),
        };
        match read {
            Err(LoadError::Segment(error)) => Err(error),
            Err(error) => {
                tracing::debug!(%error, flow = %self.record.id, "a request has no texts");
                texts.truncate(known);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn whole(&self, texts: &mut Vec<Text>) -> Result<(), LoadError> {
        let body = self.body()?;
        if !body.is_empty()
            && let Some(dialect) = self.dialect_of(&body)
        {
            self.take(dialect, &body, 0, texts);
        }
        Ok(())
    }

    /// Returns the request's body; an empty one for one that is too long to be read whole.
    fn body(&self) -> Result<Vec<u8>, LoadError> {
        if let Some(plan) = &self.record.plan {
            return blobs::load(self.connection, plan, self.record.length);
        }
        let mut body = Vec::new();
        let pieces: i64 = self
            .connection
            .prepare_cached(PIECES_LENGTH)?
            .query_row(params![self.n, side_code(Side::Request)], |row| row.get(0))?;
        let pieces = u64::try_from(pieces).unwrap_or(0);
        if self.record.length.saturating_add(pieces) <= REQUEST_BYTES_MAX {
            self.each_piece(Side::Request, |piece| body.extend_from_slice(piece))?;
        }
        Ok(body)
    }

    fn chained(&self, plan: &[u8], texts: &mut Vec<Text>) -> Result<(), LoadError> {
        let Some(dialect) = self.dialect()? else {
            return Ok(());
        };
        let mut bare: Option<Vec<Text>> = None;
        blobs::fresh(self.connection, self.n, plan, |node, body| {
            let known = texts.len();
            self.take(dialect, body, node, texts);
            if node == 0 {
                return Ok(());
            }
            let bare = match &mut bare {
                Some(bare) => bare,
                none => none.insert(self.bare(dialect, plan)?),
            };
            if !bare.is_empty() {
                let all = texts.split_off(known);
                subtract(&all, bare, texts);
            }
            Ok::<_, LoadError>(())
        })
    }

    /// Returns the texts that stand in the small body of every element.
    fn bare(&self, dialect: Dialect, plan: &[u8]) -> Result<Vec<Text>, LoadError> {
        let mut texts = Vec::new();
        let body = blobs::bare(self.connection, plan)?;
        self.take(dialect, &body, 0, &mut texts);
        Ok(texts)
    }

    /// Adds the texts of a body, or of a part of one.
    fn take(&self, dialect: Dialect, body: &[u8], node: i64, texts: &mut Vec<Text>) {
        let reading = read_request(dialect, self.exchange.path(), body);
        texts.extend(flow_query::parts(&reading).map(|(kind, text)| Text {
            kind,
            node,
            words: text.to_owned(),
        }));
    }

    /// Returns the dialect. The body is read where the path does not settle it.
    fn dialect(&self) -> Result<Option<Dialect>, LoadError> {
        match self.detect(None) {
            None | Some(Dialect::CohereChat) => Ok(self.dialect_of(&self.body()?)),
            settled => Ok(settled),
        }
    }

    fn dialect_of(&self, body: &[u8]) -> Option<Dialect> {
        self.detect(Some(body))
    }

    fn detect(&self, body: Option<&[u8]>) -> Option<Dialect> {
        let head = &self.exchange.request;
        flow_codec::detect(&head.method, self.exchange.path(), &head.headers, body)
    }

    fn answer(&self, texts: &mut Vec<Text>) -> Result<(), rusqlite::Error> {
        let Some(head) = &self.exchange.response else {
            return Ok(());
        };
        let dialect = match self.dialect() {
            Ok(dialect) => dialect,
            Err(LoadError::Segment(error)) => return Err(error),
            Err(_) => None,
        };
        let Some(mut decoder) = ResponseDecoder::find(dialect, head.status, &head.headers) else {
            return Ok(());
        };
        let pushed = self.each_piece(Side::Response, |piece| decoder.push(piece, 0));
        // What stands before damage is read.
        if let Err(LoadError::Segment(error)) = pushed {
            return Err(error);
        }
        let reading = decoder.finish(self.exchange.response_body.complete);
        texts.extend(answer_parts(&reading).map(|(kind, text)| Text {
            kind,
            node: 0,
            words: text.to_owned(),
        }));
        Ok(())
    }

    /// Calls `act` with each part of a body.
    fn each_piece(&self, side: Side, mut act: impl FnMut(&[u8])) -> Result<(), LoadError> {
        let last = match side {
            Side::Request => REQUEST,
            Side::Response => ANSWER,
        };
        let mut pieces = self.connection.prepare_cached(PIECES)?;
        let mut rest = self.connection.prepare_cached(last)?;
        let mut pass = |row: &rusqlite::Row<'_>| -> Result<(), LoadError> {
            let length = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(u64::MAX);
            let blob = row.get_ref(2)?.as_blob().map_err(|_| LoadError::Length)?;
            let piece = pack::unpack(row.get(0)?, length, blob).ok_or(LoadError::Length)?;
            act(&piece);
            Ok(())
        };
        let mut rows = pieces.query(params![self.n, side_code(side)])?;
        while let Some(row) = rows.next()? {
            pass(row)?;
        }
        let mut rows = rest.query([self.n])?;
        while let Some(row) = rows.next()? {
            pass(row)?;
        }
        Ok(())
    }
}

/// Adds to `texts` those of an element's small body but for the ones that the bare skeleton has, each as often as
/// it has it.
fn subtract(all: &[Text], bare: &[Text], texts: &mut Vec<Text>) {
    let mut counts: HashMap<(TextKind, &str), usize> = HashMap::new();
    for text in bare {
        *counts.entry((text.kind, text.words.as_str())).or_default() += 1;
    }
    for text in all {
        match counts.get_mut(&(text.kind, text.words.as_str())) {
            Some(count) if *count > 0 => *count -= 1,
            _ => texts.push(text.clone()),
        }
    }
}
