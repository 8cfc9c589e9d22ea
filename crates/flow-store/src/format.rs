//! The shapes in which a segment holds flows. Everything that a later release must be able to read stands here.
//!
//! A segment is one SQLite file. Every flow has a number `n` in it, which joins its records:
//!
//! | table | holds | written |
//! |---|---|---|
//! | `requests` | id, exchange, chunks, rest of the body | when the request has been sent |
//! | `outcomes` | what of the exchange changed, chunks, rest of the body | at the end |
//! | `pieces` | long bodies but for their rest | while they arrive |
//! | `pending` | what arrived since the last piece | four times a second, gone at the end |
//! | `running` | numbers of flows without outcome | with the request, gone at the end |
//! | `rows` | derived rows | with or after the outcome; can be dropped |
//! | `unread` | numbers of ended flows without row | with an outcome that has none |
//! | `blobs` | elements of conversations and skeletons of bodies, each once | with the first request that has it |
//! | `nodes` | conversations: an element, the node before it, the flow that brought it | with that flow's request |
//! | `meta` | facts of the segment; up to 1.0 also the notes of the catalog | when it is created, and later |
//!
//! One record at the request and one at the end keep the work per flow small: bodies stand in the record that
//! ends them, the outcome leaves out the request's head, and only `requests.id` has an index. Every blob of truth
//! ends with a [`checksum`], because SQLite does not notice a changed byte inside a value.
//!
//! JSON is compressed with the built-in dictionary; in files of format 1 it stands as it is. A request's body of
//! the codec [`Codec::Chained`] is a plan, from which [`crate::blobs`] rebuilds it.

use std::borrow::Cow;

use flow_model::{
    BodyFacts, Chunk, EndReason, Exchange, Failure, RequestHead, ResponseHead, Route, Row, Side,
    Timings,
};
use serde::{Deserialize, Serialize};

use crate::dictionary::{self, Compression};

/// The format that this program writes. A newer major is refused, a newer minor is read and never written to.
///
/// Changes: 1.0, the first. 2.0, requests share what they repeat (`blobs`, `nodes`, codec 3), short bodies and all
/// JSON are compressed with the built-in dictionary (codec 2); rows stand alone, because columns sort them; notes are
/// in the catalog.
pub(crate) const FORMAT: Version = Version { major: 2, minor: 0 };

/// Marks the file as a segment: "Flow" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x466c_6f77;

/// Bytes of the checksum at the end of a sealed blob.
pub(crate) const CHECKSUM_BYTES: usize = 8;

/// Bytes of one compressed piece of JSON when unpacked: room for heads of the greatest size many times over.
const JSON_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The tables that a segment of any format cannot be without, but for `meta`.
pub(crate) const TRUTH_TABLES: [&str; 6] = [
    "requests", "outcomes", "pieces", "pending", "running", "unread",
];

pub(crate) const TRUTH: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE requests (
        n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, exchange BLOB NOT NULL, chunks BLOB NOT NULL,
        codec INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE outcomes (
        n INTEGER PRIMARY KEY, exchange BLOB NOT NULL, chunks BLOB NOT NULL,
        codec INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE pieces (
        n INTEGER NOT NULL, side INTEGER NOT NULL, seq INTEGER NOT NULL,
        codec INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (n, side, seq)) WITHOUT ROWID;
    CREATE TABLE pending (
        n INTEGER NOT NULL, side INTEGER NOT NULL, seq INTEGER NOT NULL, chunks BLOB NOT NULL,
        codec INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (n, side, seq)) WITHOUT ROWID;
    CREATE TABLE blobs (
        b INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,
        codec INTEGER NOT NULL, length INTEGER NOT NULL, body BLOB NOT NULL);
    CREATE TABLE nodes (
        node INTEGER PRIMARY KEY, parent INTEGER NOT NULL, b INTEGER NOT NULL, n INTEGER NOT NULL);
    CREATE TABLE running (n INTEGER PRIMARY KEY);
    CREATE TABLE unread (n INTEGER PRIMARY KEY);
";

pub(crate) const ROWS: &str = "
    CREATE TABLE rows (n INTEGER PRIMARY KEY, row BLOB NOT NULL);
";

/// Returns the key under which a note stands.
pub(crate) fn note_key(key: &str) -> String {
    format!("note {key}")
}

/// A format version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: i32,
    pub(crate) minor: i32,
}

impl Version {
    const MINORS: i32 = 1000;

    /// Returns the number that stands in the file's header (`user_version`).
    pub(crate) const fn code(self) -> i32 {
        self.major * Self::MINORS + self.minor
    }

    pub(crate) const fn from_code(code: i32) -> Self {
        Self {
            major: code / Self::MINORS,
            minor: code % Self::MINORS,
        }
    }
}

/// How the bytes of a body are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Raw,
    Zstd,
    /// Zstd with the built-in dictionary.
    ZstdDict,
    /// A plan: which blobs and nodes make up the body.
    Chained,
    /// Of an element of a conversation: without its cache mark it is another blob.
    Marked,
}

impl Codec {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
            Self::ZstdDict => 2,
            Self::Chained => 3,
            Self::Marked => 4,
        }
    }

    pub(crate) const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            2 => Some(Self::ZstdDict),
            3 => Some(Self::Chained),
            4 => Some(Self::Marked),
            _ => None,
        }
    }
}

/// Returns the number that stands for a side.
pub(crate) const fn side_code(side: Side) -> i64 {
    match side {
        Side::Request => 0,
        Side::Response => 1,
    }
}

/// What an outcome adds to the exchange as it stood in the request's record.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome<'a> {
    /// What is the same as at the request is left out: a request's head is most of an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Cow<'a, RequestHead>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route: Option<Cow<'a, Route>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    peer: Option<Cow<'a, str>>,
    request_body: Cow<'a, BodyFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<Cow<'a, ResponseHead>>,
    response_body: Cow<'a, BodyFacts>,
    timings: Timings,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Cow<'a, Failure>>,
}

impl<'a> Outcome<'a> {
    /// Returns what `exchange` adds to `begun`, or all of it where the beginning is not known.
    pub(crate) fn new(exchange: &'a Exchange, begun: Option<&Exchange>) -> Self {
        let same_request = begun.is_some_and(|begun| begun.request == exchange.request);
        let same_route = begun.is_some_and(|begun| begun.route == exchange.route);
        let same_peer = begun.is_some_and(|begun| begun.peer == exchange.peer);
        Self {
            request: (!same_request).then_some(Cow::Borrowed(&exchange.request)),
            route: (!same_route).then_some(Cow::Borrowed(&exchange.route)),
            peer: exchange
                .peer
                .as_deref()
                .filter(|_| !same_peer)
                .map(Cow::Borrowed),
            request_body: Cow::Borrowed(&exchange.request_body),
            response: exchange.response.as_ref().map(Cow::Borrowed),
            response_body: Cow::Borrowed(&exchange.response_body),
            timings: exchange.timings,
            end: exchange.end,
            failure: exchange.failure.as_ref().map(Cow::Borrowed),
        }
    }

    /// Returns the exchange that ended.
    pub(crate) fn apply(self, begun: Exchange) -> Exchange {
        Exchange {
            id: begun.id,
            started_at: begun.started_at,
            peer: self.peer.map(Cow::into_owned).or(begun.peer),
            route: self.route.map_or(begun.route, Cow::into_owned),
            request: self.request.map_or(begun.request, Cow::into_owned),
            request_body: self.request_body.into_owned(),
            response: self.response.map(Cow::into_owned),
            response_body: self.response_body.into_owned(),
            timings: self.timings,
            end: self.end,
            failure: self.failure.map(Cow::into_owned),
        }
    }
}

/// Returns `value` as sealed JSON, compressed with the built-in dictionary.
pub(crate) fn seal_json<T: Serialize>(
    value: &T,
    compression: Compression,
) -> Result<Vec<u8>, serde_json::Error> {
    let json = serde_json::to_vec(value)?;
    // What stands as it is, for want of memory too, readers know from its first byte.
    let mut blob = compression.compress(&json).unwrap_or(json);
    seal(&mut blob);
    Ok(blob)
}

/// Returns the value in a blob of sealed JSON; none where it is damaged.
pub(crate) fn open_json<T: for<'de> Deserialize<'de>>(blob: &[u8]) -> Option<T> {
    from_json(unseal(blob)?)
}

/// Returns the row in a blob of sealed JSON, or in the text that stands in format 1; none where it is damaged.
pub(crate) fn open_row(stored: &[u8]) -> Option<Row> {
    // Text has no seal, and a seal in the place of its last bytes would be no JSON.
    open_json(stored).or_else(|| serde_json::from_slice(stored).ok())
}

fn from_json<T: for<'de> Deserialize<'de>>(content: &[u8]) -> Option<T> {
    if content.first() == Some(&b'{') {
        return serde_json::from_slice(content).ok();
    }
    let json = dictionary::decompress(content, JSON_BYTES_MAX)?;
    serde_json::from_slice(&json).ok()
}

/// Returns chunks as a sealed blob: per chunk the differences of time and of bytes known, and its length on the
/// wire, as variable-length numbers.
pub(crate) fn seal_chunks(chunks: &[Chunk]) -> Vec<u8> {
    let mut blob = Vec::with_capacity(chunks.len() * 6 + CHECKSUM_BYTES);
    let mut last = (0_u64, 0_u64);
    for chunk in chunks {
        put_varint(&mut blob, zigzag(chunk.at_us.wrapping_sub(last.0)));
        put_varint(&mut blob, u64::from(chunk.wire_bytes));
        put_varint(&mut blob, zigzag(chunk.bytes_end.wrapping_sub(last.1)));
        last = (chunk.at_us, chunk.bytes_end);
    }
    seal(&mut blob);
    blob
}

/// Appends the chunks of a blob to `chunks`; none where it is damaged.
pub(crate) fn open_chunks(blob: &[u8], chunks: &mut Vec<Chunk>) -> Option<()> {
    let mut rest = unseal(blob)?;
    let mut last = (0_u64, 0_u64);
    while !rest.is_empty() {
        let at_us = last.0.wrapping_add(unzigzag(take_varint(&mut rest)?));
        let wire_bytes = u32::try_from(take_varint(&mut rest)?).ok()?;
        let bytes_end = last.1.wrapping_add(unzigzag(take_varint(&mut rest)?));
        chunks.push(Chunk {
            at_us,
            wire_bytes,
            bytes_end,
        });
        last = (at_us, bytes_end);
    }
    Some(())
}

/// Appends the checksum of a blob to it.
pub(crate) fn seal(blob: &mut Vec<u8>) {
    let sum = checksum(blob);
    blob.extend_from_slice(&sum.to_le_bytes());
}

/// Returns a sealed blob without its checksum; none where that is wrong.
pub(crate) fn unseal(blob: &[u8]) -> Option<&[u8]> {
    let (content, sum) = blob.split_last_chunk::<CHECKSUM_BYTES>()?;
    (checksum(content) == u64::from_le_bytes(*sum)).then_some(content)
}

/// Returns a number that any change within one word of eight bytes changes for certain, since each step can be
/// undone, and any other damage almost for certain. It is no defence against intent.
fn checksum(bytes: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, word: [u8; 8]| {
        let mixed = (sum ^ u64::from_le_bytes(word)).wrapping_mul(ODD);
        mixed ^ (mixed >> 29)
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut sum = words
        .iter()
        .fold(bytes.len() as u64, |sum, word| step(sum, *word));
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    sum = step(sum, last);
    sum
}

const fn zigzag(difference: u64) -> u64 {
    let signed = difference.cast_signed();
    (signed << 1 ^ signed >> 63).cast_unsigned()
}

const fn unzigzag(code: u64) -> u64 {
    (code >> 1) ^ (code & 1).wrapping_neg()
}

pub(crate) fn put_varint(blob: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        blob.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    blob.push(number.to_le_bytes()[0]);
}

pub(crate) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit only.
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests;
