//! The reader's side: rebuilds bodies, and the elements that a flow brought.
//!
//! Files may be damaged or hostile. Every length is checked before memory is taken for it, a walk only goes to
//! smaller numbers and ends after as many nodes as the body has room for, and an error names what is wrong.
//! The connection should be within a transaction: a sweep may otherwise remove what the plan refers to.

use flow_codec::{CHAINS_MAX, SPAN_BYTES_MIN};
use rusqlite::{Connection, OptionalExtension};

use super::BODY_BYTES_MAX;
use super::mark::Marked;
use super::plan::{Plan, PlannedChain};
use crate::dictionary;
use crate::format::{Codec, unseal};

/// Skeletons of so many bytes are given with each element; longer ones with several elements at once, so that
/// the work stays in proportion to the body.
const SKELETON_BYTES_SMALL: usize = 16 * 1024;
/// What part of a longer skeleton the elements with it have to weigh at least.
const SKELETON_SHARE: usize = 8;

const NODE: &str = "SELECT parent, b, n FROM nodes WHERE node = ?1";
const BLOB: &str = "SELECT codec, length, body FROM blobs WHERE b = ?1";

/// Why a body cannot be rebuilt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The plan is damaged, or does not fit what it refers to.
    #[error("the plan of a body is damaged")]
    Plan,
    /// A node is missing or leads nowhere.
    #[error("node {node} of a conversation is damaged or missing")]
    Node {
        /// Its number.
        node: i64,
    },
    /// A blob is missing or damaged.
    #[error("blob {b} is damaged or missing")]
    Blob {
        /// Its number.
        b: i64,
    },
    /// The parts are not as long as the body.
    #[error("the parts of a body do not add up to its length")]
    Length,
    /// The segment does not answer.
    #[error("the segment cannot be read")]
    Segment(#[from] rusqlite::Error),
}

/// Returns the body of a plan; `length` stands in its record.
pub(crate) fn load(
    connection: &Connection,
    plan: &[u8],
    length: u64,
) -> Result<Vec<u8>, LoadError> {
    let length = usize::try_from(length).map_err(|_| LoadError::Length)?;
    if length > BODY_BYTES_MAX {
        return Err(LoadError::Length);
    }
    let plan = Plan::open(plan).ok_or(LoadError::Plan)?;
    let mut skeleton = Vec::new();
    append_blob(connection, plan.skeleton, length, &mut skeleton)?;
    let mut body = Vec::with_capacity(length);
    let mut from = 0;
    for chain in &plan.chains {
        let between = skeleton.get(from..chain.at).ok_or(LoadError::Plan)?;
        body.extend_from_slice(between);
        from = chain.at;
        for link in links(connection, chain.head, length, |_| true)? {
            append_blob(connection, link.b, length, &mut body)?;
        }
    }
    body.extend_from_slice(skeleton.get(from..).ok_or(LoadError::Plan)?);
    if body.len() == length {
        Ok(body)
    } else {
        Err(LoadError::Length)
    }
}

/// Calls `visit` with what flow `n` brought, as small bodies of the same dialect: first, with node 0, the skeleton
/// with what is in no chain; then for each new element, with its node, the skeleton with that element alone.
pub(crate) fn fresh<E: From<LoadError>>(
    connection: &Connection,
    n: i64,
    plan: &[u8],
    mut visit: impl FnMut(i64, &[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let plan = Plan::open(plan).ok_or(LoadError::Plan)?;
    let mut skeleton = Vec::new();
    append_blob(connection, plan.skeleton, BODY_BYTES_MAX, &mut skeleton)?;
    let parts = Parts::of(&skeleton, &plan.chains).ok_or(LoadError::Plan)?;
    let mut small = Vec::new();
    parts.join(None, &mut small);
    visit(0, &small)?;
    let share = match skeleton.len() {
        0..=SKELETON_BYTES_SMALL => 0,
        long => long / SKELETON_SHARE,
    };
    // No flow brought more than a body: one that claims to would make readers do the same work again and again.
    let mut room = BODY_BYTES_MAX;
    for (number, chain) in plan.chains.iter().enumerate() {
        let mut elements = Vec::new();
        let mut links = links(connection, chain.head, BODY_BYTES_MAX, |of| of == n)?
            .into_iter()
            .peekable();
        while let Some(link) = links.next() {
            append_blob(connection, link.b, room, &mut elements)?;
            if links.peek().is_some() && elements.len() < share {
                continue;
            }
            parts.join(Some((number, &elements)), &mut small);
            room -= elements.len();
            elements.clear();
            visit(link.node, &small)?;
        }
    }
    Ok(())
}

/// Returns what stands in each of the small bodies of [`fresh`] but the first: the skeleton with nothing in its
/// containers.
pub(crate) fn bare(connection: &Connection, plan: &[u8]) -> Result<Vec<u8>, LoadError> {
    let plan = Plan::open(plan).ok_or(LoadError::Plan)?;
    let mut skeleton = Vec::new();
    append_blob(connection, plan.skeleton, BODY_BYTES_MAX, &mut skeleton)?;
    let parts = Parts::of(&skeleton, &plan.chains).ok_or(LoadError::Plan)?;
    let mut bare = Vec::new();
    parts.join(Some((CHAINS_MAX, &[])), &mut bare);
    Ok(bare)
}

/// Returns the last node of each chain of a plan; none where the plan is damaged.
pub(crate) fn heads(plan: &[u8]) -> Option<Vec<i64>> {
    let plan = Plan::open(plan)?;
    Some(plan.chains.iter().map(|chain| chain.head).collect())
}

/// A skeleton, cut at its chains.
struct Parts<'a> {
    /// What stands before each chain, behind the rest of the one before.
    chains: Vec<Part<'a>>,
    /// What stands behind the last one.
    tail: &'a [u8],
}

struct Part<'a> {
    before: &'a [u8],
    /// The elements that were too short for a span.
    rest: &'a [u8],
    /// The container is an array, whose elements have commas.
    is_array: bool,
}

// === impl Parts ===

impl<'a> Parts<'a> {
    fn of(skeleton: &'a [u8], chains: &[PlannedChain]) -> Option<Self> {
        let mut from = 0;
        let mut parts = Vec::with_capacity(chains.len());
        for chain in chains {
            let before = skeleton.get(from..chain.at)?;
            from = chain.at.checked_add(chain.rest)?;
            parts.push(Part {
                before,
                rest: skeleton.get(chain.at..from)?,
                is_array: before.last() == Some(&b'['),
            });
        }
        let tail = skeleton.get(from..)?;
        Some(Self {
            chains: parts,
            tail,
        })
    }

    /// Writes the skeleton with some elements of one chain, or with the rest of each container, into `small`.
    fn join(&self, elements: Option<(usize, &[u8])>, small: &mut Vec<u8>) {
        small.clear();
        for (number, part) in self.chains.iter().enumerate() {
            small.extend_from_slice(part.before);
            let inside = match elements {
                Some((of, elements)) if of == number => elements,
                Some(_) => &[],
                None => part.rest,
            };
            small.extend_from_slice(if part.is_array {
                without_comma(inside)
            } else {
                inside
            });
        }
        small.extend_from_slice(self.tail);
    }
}

/// Returns elements of an array without the comma that stands before them.
fn without_comma(elements: &[u8]) -> &[u8] {
    let trimmed = elements.trim_ascii_start();
    trimmed.strip_prefix(b",").unwrap_or(trimmed)
}

/// A node and its blob.
struct Link {
    node: i64,
    b: i64,
}

/// Returns the last nodes of a chain, as far back as `wanted` says of the flow that brought each, in the order of
/// the body. A body of `length` bytes bounds their number.
fn links(
    connection: &Connection,
    head: i64,
    length: usize,
    wanted: impl Fn(i64) -> bool,
) -> Result<Vec<Link>, LoadError> {
    let nodes_max = length / SPAN_BYTES_MIN;
    let mut statement = connection.prepare_cached(NODE)?;
    let mut links = Vec::new();
    let mut node = head;
    if node == 0 {
        return Err(LoadError::Plan);
    }
    while node != 0 {
        let found: Option<(i64, i64, i64)> = statement
            .query_row([node], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let (parent, b, n) = found.ok_or(LoadError::Node { node })?;
        if !wanted(n) {
            break;
        }
        if !(0..node).contains(&parent) || links.len() == nodes_max {
            return Err(LoadError::Node { node });
        }
        links.push(Link { node, b });
        node = parent;
    }
    links.reverse();
    Ok(links)
}

/// Appends a blob, where `out` has no more than `bytes_max` bytes with it.
pub(super) fn append_blob(
    connection: &Connection,
    b: i64,
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), LoadError> {
    let mut statement = connection.prepare_cached(BLOB)?;
    let mut rows = statement.query([b])?;
    let row = rows.next()?.ok_or(LoadError::Blob { b })?;
    let (codec, length) = (row.get(0)?, row.get(1)?);
    let blob = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
    if Codec::from_code(codec) == Some(Codec::Marked) {
        return append_marked(connection, (b, length), blob, bytes_max, out);
    }
    append(codec, length, blob, bytes_max, out).ok_or(LoadError::Blob { b })
}

/// Appends an element without its cache mark, and puts the mark in.
fn append_marked(
    connection: &Connection,
    (b, length): (i64, i64),
    blob: &[u8],
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), LoadError> {
    let damaged = || LoadError::Blob { b };
    let marked = Marked::open(b, blob).ok_or_else(damaged)?;
    let start = out.len();
    let mut statement = connection.prepare_cached(BLOB)?;
    let mut rows = statement.query([marked.base])?;
    let row = rows.next()?.ok_or_else(damaged)?;
    let base = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
    append(row.get(0)?, row.get(1)?, base, bytes_max, out).ok_or_else(damaged)?;
    let at = start.checked_add(marked.at);
    let at = at.filter(|at| *at <= out.len()).ok_or_else(damaged)?;
    out.splice(at..at, marked.mark.iter().copied());
    let fits = out.len() <= bytes_max && usize::try_from(length) == Ok(out.len() - start);
    fits.then_some(()).ok_or_else(damaged)
}

fn append(codec: i64, length: i64, blob: &[u8], bytes_max: usize, out: &mut Vec<u8>) -> Option<()> {
    let length = usize::try_from(length).ok()?;
    let start = out.len();
    let end = start.checked_add(length).filter(|end| *end <= bytes_max)?;
    let content = unseal(blob)?;
    match Codec::from_code(codec)? {
        Codec::Raw if content.len() == length => out.extend_from_slice(content),
        Codec::ZstdDict => {
            out.resize(end, 0);
            dictionary::decompress_into(content, out.get_mut(start..)?)?;
        }
        Codec::Raw | Codec::Zstd | Codec::Chained | Codec::Marked => return None,
    }
    Some(())
}
