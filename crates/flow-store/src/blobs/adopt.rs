//! Hands the elements that a removed flow had brought to one that still has them.
//!
//! What reads a flow's own elements ([`super::fresh`]) goes from the head of a chain to the first node of another
//! flow. A node without flow would be read by nobody. It goes to the first flow of those to which its children
//! belong or which end with it, so that the nodes of every flow stay the last ones of its chains.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::plan::Plan;
use crate::format::Codec;

const FLOWS: &str = "SELECT n FROM requests";
const PLANS: &str = "SELECT n, body FROM requests WHERE codec = ?1";
const NODES: &str = "SELECT node, parent, n FROM nodes ORDER BY node DESC";
const ADOPT: &str = "UPDATE nodes SET n = ?2 WHERE node = ?1";

/// Gives every node whose flow is gone to one that passes through it, within the caller's transaction. Nodes that
/// no flow passes through have to be swept before. Returns how many nodes have another flow now.
pub(crate) fn adopt(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let mut flows = connection.prepare_cached(FLOWS)?;
    let there: Result<HashSet<i64>, _> = flows.query_map([], |row| row.get(0))?.collect();
    let there = there?;
    // For each node that is still to come the first flow that has it.
    let mut first: HashMap<i64, i64> = HashMap::new();
    let offer = |first: &mut HashMap<i64, i64>, node: i64, n: i64| {
        let known = first.entry(node).or_insert(n);
        *known = (*known).min(n);
    };
    let mut plans = connection.prepare_cached(PLANS)?;
    let mut rows = plans.query([Codec::Chained.code()])?;
    while let Some(row) = rows.next()? {
        let n = row.get(0)?;
        let plan = row.get_ref(1)?.as_blob().ok().and_then(Plan::open);
        for chain in plan.iter().flat_map(|plan| &plan.chains) {
            offer(&mut first, chain.head, n);
        }
    }
    let mut orphans = Vec::new();
    let mut nodes = connection.prepare_cached(NODES)?;
    let mut rows = nodes.query([])?;
    while let Some(row) = rows.next()? {
        let (node, parent, of): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let heir = first.remove(&node);
        let owner = match heir {
            Some(heir) if !there.contains(&of) => {
                orphans.push((node, heir));
                heir
            }
            _ => of,
        };
        offer(&mut first, parent, owner);
    }
    let mut adopt = connection.prepare_cached(ADOPT)?;
    for (node, heir) in &orphans {
        adopt.execute(params![node, heir])?;
    }
    Ok(orphans.len() as u64)
}
