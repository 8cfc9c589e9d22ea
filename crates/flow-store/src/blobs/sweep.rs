//! Removes what no request refers to any more.
//!
//! One walk over the nodes, from the last to the first, marks those that a plan leads to: a parent is always
//! smaller, so it is met after its children.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::mark::Marked;
use super::plan::Plan;
use crate::format::Codec;

const PLANS: &str = "SELECT body FROM requests WHERE codec = ?1";
const NODES: &str = "SELECT node, parent, b FROM nodes ORDER BY node DESC";
const BLOBS: &str = "SELECT b FROM blobs";
const MARKED: &str = "SELECT b, body FROM blobs WHERE codec = ?1";
const REMOVE_NODE: &str = "DELETE FROM nodes WHERE node = ?1";
const REMOVE_BLOB: &str = "DELETE FROM blobs WHERE b = ?1";

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Nodes that were removed.
    pub(crate) nodes: u64,
    /// Blobs that were removed.
    pub(crate) blobs: u64,
    /// Requests whose plan is damaged. What only they referred to was removed.
    pub(crate) damaged: u64,
}

/// Removes every node and blob that no remaining request refers to, within the caller's transaction.
///
/// All [`super::Chains`] of the segment have to forget what they know.
pub(crate) fn sweep(connection: &Connection) -> Result<Swept, rusqlite::Error> {
    let mut swept = Swept::default();
    let mut kept = HashSet::new();
    let mut heads = HashSet::new();
    let mut plans = connection.prepare_cached(PLANS)?;
    let mut rows = plans.query([Codec::Chained.code()])?;
    while let Some(row) = rows.next()? {
        match row.get_ref(0)?.as_blob().ok().and_then(Plan::open) {
            Some(plan) => {
                kept.insert(plan.skeleton);
                heads.extend(plan.chains.iter().map(|chain| chain.head));
            }
            None => swept.damaged += 1,
        }
    }
    drop(rows);
    let lost_nodes = unmarked_nodes(connection, heads, &mut kept)?;
    let mut remove = connection.prepare_cached(REMOVE_NODE)?;
    for node in lost_nodes {
        remove.execute([node])?;
        swept.nodes += 1;
    }
    keep_bases(connection, &mut kept)?;
    let mut blobs = connection.prepare_cached(BLOBS)?;
    let mut lost = Vec::new();
    let mut rows = blobs.query([])?;
    while let Some(row) = rows.next()? {
        let b: i64 = row.get(0)?;
        if !kept.contains(&b) {
            lost.push(b);
        }
    }
    drop(rows);
    let mut remove = connection.prepare_cached(REMOVE_BLOB)?;
    for b in lost {
        remove.execute(params![b])?;
        swept.blobs += 1;
    }
    Ok(swept)
}

/// Notes the blobs that others are kept without their cache mark in.
fn keep_bases(connection: &Connection, kept: &mut HashSet<i64>) -> Result<(), rusqlite::Error> {
    let mut marked = connection.prepare_cached(MARKED)?;
    let mut rows = marked.query([Codec::Marked.code()])?;
    while let Some(row) = rows.next()? {
        let b = row.get(0)?;
        let blob = row.get_ref(1)?.as_blob().ok();
        if kept.contains(&b)
            && let Some(marked) = blob.and_then(|blob| Marked::open(b, blob))
        {
            kept.insert(marked.base);
        }
    }
    Ok(())
}

/// Returns the nodes that no chain passes through, and notes the blobs of the others in `kept`.
fn unmarked_nodes(
    connection: &Connection,
    mut marked: HashSet<i64>,
    kept: &mut HashSet<i64>,
) -> Result<Vec<i64>, rusqlite::Error> {
    let mut lost = Vec::new();
    let mut nodes = connection.prepare_cached(NODES)?;
    let mut rows = nodes.query([])?;
    while let Some(row) = rows.next()? {
        let node: i64 = row.get(0)?;
        if marked.remove(&node) {
            marked.insert(row.get(1)?);
            kept.insert(row.get(2)?);
        } else {
            lost.push(node);
        }
    }
    Ok(lost)
}
