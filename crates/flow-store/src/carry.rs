//! Carriers: which flows have a text that an earlier flow of their conversation brought.
//!
//! A segment's nodes say what each element follows, the text index of which nodes each flow's request is made. Both
//! are kept in memory between questions, and only what was added since is read; an index that was made anew has
//! another key, and all is read again.
//!
//! Limits: [`KEPT_BYTES_MAX`] of chains in memory, of the segments asked last; [`NODES_MAX`] nodes of a segment.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::search::SearchError;
use crate::text::{self, TextReader};

/// Bytes of all chains that are kept.
const KEPT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Nodes of a segment that count. One of 256 MiB has room for a fraction of them.
const NODES_MAX: i64 = 1 << 24;

const NODES: &str = "SELECT node, parent FROM nodes WHERE node > ?1 ORDER BY node";

/// The chains of all segments that were asked for lately, the last one at the end.
#[derive(Default)]
pub(crate) struct Carriers {
    kept: Mutex<Vec<(u32, Arc<Mutex<Chains>>)>>,
}

/// The chains of one segment.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    /// Which index they are from, and how far it was read.
    key: Vec<u8>,
    at: i64,
    /// The parent of each node; the first place is of no node.
    parents: Vec<u32>,
    /// The last nodes of flows, one each.
    heads: Vec<(i64, u32)>,
}

// === impl Carriers ===

impl Carriers {
    /// Calls `act` with the chains of a segment, as they are now.
    pub(crate) fn with<T>(
        &self,
        segment: u32,
        (connection, reader): (&Connection, Option<&TextReader>),
        act: impl FnOnce(&Chains) -> T,
    ) -> Result<T, SearchError> {
        let chains = self.take(segment);
        let mut chains = chains.lock();
        if let Err(error) = chains.update(connection, reader) {
            *chains = Chains::default();
            return Err(error);
        }
        let value = act(&chains);
        drop(chains);
        self.trim();
        Ok(value)
    }

    fn take(&self, segment: u32) -> Arc<Mutex<Chains>> {
        let mut kept = self.kept.lock();
        let at = kept.iter().position(|(number, _)| *number == segment);
        let chains = at.map_or_else(Arc::default, |at| kept.remove(at).1);
        kept.push((segment, Arc::clone(&chains)));
        chains
    }

    /// Forgets the segments that were not asked for the longest time, until the others have room.
    fn trim(&self) {
        let mut kept = self.kept.lock();
        let mut bytes = 0;
        let mut from = kept.len();
        while let Some((_, chains)) = from.checked_sub(1).and_then(|at| kept.get(at)) {
            // One that is in use is not asked how large it is, and stays.
            bytes += chains.try_lock().map_or(0, |chains| chains.bytes());
            if bytes > KEPT_BYTES_MAX {
                break;
            }
            from -= 1;
        }
        kept.drain(..from);
    }
}

// === impl Chains ===

impl Chains {
    fn bytes(&self) -> usize {
        self.parents.capacity() * size_of::<u32>() + self.heads.capacity() * size_of::<(i64, u32)>()
    }

    fn update(
        &mut self,
        connection: &Connection,
        reader: Option<&TextReader>,
    ) -> Result<(), SearchError> {
        match reader {
            Some(reader) => {
                let found = reader.heads(&self.key, self.at)?;
                if found.key != self.key {
                    *self = Self {
                        key: found.key,
                        ..Self::default()
                    };
                }
                self.at = found.at;
                for (n, nodes) in found.flows {
                    let nodes = nodes
                        .into_iter()
                        .filter_map(|node| u32::try_from(node).ok());
                    self.heads.extend(nodes.map(|node| (n, node)));
                }
            }
            // Without an index nothing says whether nodes were removed.
            None => *self = Self::default(),
        }
        if self.parents.is_empty() {
            self.parents.push(0);
        }
        let last = i64::try_from(self.parents.len()).unwrap_or(NODES_MAX) - 1;
        let mut nodes = connection.prepare_cached(NODES)?;
        let mut rows = nodes.query([last])?;
        while let Some(row) = rows.next()? {
            let node: i64 = row.get(0)?;
            let Some(place) = usize::try_from(node).ok().filter(|_| node <= NODES_MAX) else {
                break;
            };
            let parent = u32::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            self.parents.resize(place, 0);
            self.parents.push(parent);
        }
        Ok(())
    }

    /// Returns the flows whose chain passes one of some nodes; `more` are chains that the index does not have yet.
    pub(crate) fn carrying(
        &self,
        nodes: &BTreeSet<i64>,
        more: &[(i64, Vec<i64>)],
    ) -> BTreeSet<i64> {
        let marks = text::carriers(&self.parents, nodes);
        let marked = |node: usize| marks.get(node).copied().unwrap_or(false);
        let known = self.heads.iter();
        let mut flows: BTreeSet<i64> = known
            .filter(|(_, node)| marked(*node as usize))
            .map(|(n, _)| *n)
            .collect();
        for (n, heads) in more {
            let mut heads = heads.iter().filter_map(|node| usize::try_from(*node).ok());
            if heads.any(marked) {
                flows.insert(*n);
            }
        }
        flows
    }
}
