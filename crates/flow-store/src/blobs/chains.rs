//! The writer's side: puts the parts of a body into a segment and makes its plan.
//!
//! The last chains of each conversation are remembered with their numbers in the segment, so that a body that
//! grew costs its new elements and nothing else. What is remembered belongs to one segment and to what was
//! committed there: after a rollback, and whenever nodes may have been removed, it has to be forgotten.

use std::collections::HashMap;

use flow_codec::Chain;
use rusqlite::{Connection, OptionalExtension, params};

use super::mark::Marked;
use super::plan::{Plan, PlannedChain};
use super::recent::Recent;
use super::{ENTRY_BYTES, Hash, Prepared, Span, pack};
use crate::dictionary::Compression;
use crate::format::Codec;
use crate::pack::Packed;

/// Bytes of all last chains.
pub(super) const RECENT_BYTES_MAX: usize = 16 * 1024 * 1024;

const FIND: &str = "SELECT b FROM blobs WHERE hash = ?1";
const BLOB: &str = "INSERT INTO blobs (hash, codec, length, body) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (hash) DO NOTHING";
const NODE: &str = "INSERT INTO nodes (parent, b, n) VALUES (?1, ?2, ?3)";

/// The last chains of conversations in one segment.
pub(crate) struct Chains {
    recent: Recent<u64, Vec<Vec<Link>>>,
    /// Conversations whose chains are not committed.
    touched: Vec<u64>,
}

/// An element of a chain, as the segment has it.
#[derive(Clone, Copy, Debug)]
struct Link {
    hash: Hash,
    b: i64,
    node: i64,
}

// === impl Chains ===

impl Default for Chains {
    fn default() -> Self {
        Self {
            recent: Recent::new(RECENT_BYTES_MAX),
            touched: Vec::new(),
        }
    }
}

impl Chains {
    /// Stores what the segment lacks of the body of flow `n`. Returns the plan that takes the body's place.
    ///
    /// Within a transaction, whose end has to be told by [`Chains::committed`] or [`Chains::rolled_back`].
    pub(crate) fn store(
        &mut self,
        connection: &Connection,
        n: i64,
        body: &Prepared,
    ) -> Result<Vec<u8>, rusqlite::Error> {
        // Taken out, so that an error leaves nothing behind that is half true.
        let earlier = self.recent.remove(&body.lineage).unwrap_or_default();
        let mut plan = Plan {
            skeleton: put_blob(connection, &body.skeleton.hash, &body.skeleton.packed)?,
            chains: Vec::new(),
        };
        let mut chains = Vec::new();
        let (mut first, mut taken) = (0, 0);
        for chain in body.body.split.chains() {
            let links = put_chain(connection, n, body, (chain, first), &earlier)?;
            plan.chains.push(PlannedChain {
                at: chain.at() - taken,
                rest: chain.close() - chain.end(),
                head: links.last().map_or(0, |link| link.node),
            });
            taken += chain.end() - chain.at();
            first += links.len();
            chains.push(links);
        }
        if first > 0 {
            let bytes = ENTRY_BYTES + first * size_of::<Link>();
            self.recent.insert(body.lineage, chains, bytes);
            self.touched.push(body.lineage);
        }
        Ok(plan.seal())
    }

    /// What was stored has been committed.
    pub(crate) fn committed(&mut self) {
        self.touched.clear();
    }

    /// What was stored since the last commit is not in the segment.
    pub(crate) fn rolled_back(&mut self) {
        for lineage in self.touched.drain(..) {
            self.recent.remove(&lineage);
        }
    }

    /// Nodes or blobs may have been removed, or another segment is written to.
    pub(crate) fn forget_all(&mut self) {
        self.recent.clear();
        self.touched.clear();
    }
}

/// Stores the nodes that a chain does not share with one of the chains `earlier`. `first` is the number of its
/// first span among all of the body.
fn put_chain(
    connection: &Connection,
    n: i64,
    body: &Prepared,
    (chain, first): (&Chain, usize),
    earlier: &[Vec<Link>],
) -> Result<Vec<Link>, rusqlite::Error> {
    let hashes = body.body.hashes.get(first..).unwrap_or_default();
    let shared = |links: &Vec<Link>| {
        let pairs = links.iter().zip(hashes).take(chain.spans().len());
        pairs.take_while(|(link, hash)| link.hash == **hash).count()
    };
    let alike = earlier.iter().map(|links| (shared(links), links));
    let (common, known) = match alike.max_by_key(|(common, _)| *common) {
        Some((common, links)) => links.split_at_checked(common).unwrap_or_default(),
        None => Default::default(),
    };
    let mut links = Vec::with_capacity(chain.spans().len());
    links.extend_from_slice(common);
    // Behind a change the elements are mostly the same, and need not be looked for in the segment.
    let known: HashMap<Hash, i64> = known.iter().map(|link| (link.hash, link.b)).collect();
    let mut node = connection.prepare_cached(NODE)?;
    for (number, span) in chain.spans().enumerate().skip(common.len()) {
        let Some(hash) = hashes.get(number).copied() else {
            break;
        };
        let packed = body.spans.get(first + number).and_then(Option::as_ref);
        let b = match (known.get(&hash), packed) {
            (Some(b), _) => *b,
            (None, Some(span)) => put_span(connection, &hash, span)?,
            (None, None) => {
                let bytes = body.body.bytes.get(span).unwrap_or_default();
                find_or_put(connection, &hash, bytes, body.compression)?
            }
        };
        let parent = links.last().map_or(0, |link: &Link| link.node);
        node.execute(params![parent, b, n])?;
        let node = connection.last_insert_rowid();
        links.push(Link { hash, b, node });
    }
    Ok(links)
}

/// Returns the number of a blob that the segment most likely has, and stores it where it has not.
fn find_or_put(
    connection: &Connection,
    hash: &Hash,
    bytes: &[u8],
    compression: Compression,
) -> Result<i64, rusqlite::Error> {
    match find(connection, hash)? {
        Some(b) => Ok(b),
        // Another segment had it.
        None => put_blob(connection, hash, &pack(bytes, compression)),
    }
}

/// Stores a span that the segment most likely lacks, and returns its blob's number.
fn put_span(connection: &Connection, hash: &Hash, span: &Span) -> Result<i64, rusqlite::Error> {
    let (length, base, at, mark) = match span {
        Span::Plain(packed) => return put_blob(connection, hash, packed),
        Span::Marked {
            length,
            base,
            at,
            mark,
        } => (*length, base, *at, mark),
    };
    if let Some(b) = find(connection, hash)? {
        return Ok(b);
    }
    let base = put_blob(connection, &base.hash, &base.packed)?;
    let marked = Packed {
        codec: Codec::Marked,
        length,
        blob: Marked { base, at, mark }.seal(),
    };
    put_blob(connection, hash, &marked)
}

/// Stores a blob that the segment most likely lacks, and returns its number.
fn put_blob(connection: &Connection, hash: &Hash, blob: &Packed) -> Result<i64, rusqlite::Error> {
    let length = i64::try_from(blob.length).unwrap_or(i64::MAX);
    let mut insert = connection.prepare_cached(BLOB)?;
    if insert.execute(params![hash, blob.codec.code(), length, blob.blob])? == 1 {
        return Ok(connection.last_insert_rowid());
    }
    find(connection, hash)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn find(connection: &Connection, hash: &Hash) -> Result<Option<i64>, rusqlite::Error> {
    let mut find = connection.prepare_cached(FIND)?;
    find.query_row([hash], |row| row.get(0)).optional()
}
