//! Checks every blob and node of a segment once, so that a plan can be checked without rebuilding its body.
//!
//! A conversation of a thousand requests is the same elements a thousand times: each is unpacked once here, and of
//! each node it is kept how many bytes the chain has up to it. A node whose blob, or whose parent, is hurt is not
//! kept, so that whatever refers to it is found.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::BODY_BYTES_MAX;
use super::load::{self, LoadError};
use super::plan::Plan;
use crate::walk;

const NODE: &str = "SELECT parent, b FROM nodes WHERE node = ?1";

/// The blobs and nodes of a segment that are sound.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// The length of each blob.
    blobs: HashMap<i64, u64>,
    /// The bytes of each chain up to a node.
    nodes: HashMap<i64, u64>,
}

// === impl Audit ===

impl Audit {
    /// Reads every blob and every node. `hurt` is called with each one that is not sound.
    pub(crate) fn new(
        connection: &Connection,
        mut hurt: impl FnMut(LoadError),
    ) -> Result<Self, rusqlite::Error> {
        let mut audit = Self::default();
        let mut content = Vec::new();
        let holes = walk::numbers(connection, "blobs", "b", |b| {
            content.clear();
            match load::append_blob(connection, b, BODY_BYTES_MAX, &mut content) {
                Ok(()) => drop(audit.blobs.insert(b, content.len() as u64)),
                Err(LoadError::Segment(error)) => {
                    if walk::sound::<()>(Err(error))?.is_none() {
                        hurt(LoadError::Blob { b });
                    }
                }
                Err(_) => hurt(LoadError::Blob { b }),
            }
            Ok(())
        })?;
        for hole in holes {
            hurt(LoadError::Blob { b: hole.from });
        }
        let mut statement = connection.prepare(NODE)?;
        let holes = walk::numbers(connection, "nodes", "node", |node| {
            let found = statement.query_row([node], |row| Ok((row.get(0)?, row.get(1)?)));
            let found: Option<(i64, i64)> = walk::sound(found.optional())?.flatten();
            match found.and_then(|(parent, b)| audit.length_with(parent, b)) {
                Some(length) => drop(audit.nodes.insert(node, length)),
                None => hurt(LoadError::Node { node }),
            }
            Ok(())
        })?;
        for hole in holes {
            hurt(LoadError::Node { node: hole.from });
        }
        Ok(audit)
    }

    /// Checks that a body can be rebuilt from its plan, and is as long as its record says.
    pub(crate) fn plan(&self, plan: &[u8], length: u64) -> Result<(), LoadError> {
        let plan = Plan::open(plan).ok_or(LoadError::Plan)?;
        let b = plan.skeleton;
        let skeleton = *self.blobs.get(&b).ok_or(LoadError::Blob { b })?;
        let mut sum = skeleton;
        for chain in &plan.chains {
            let node = chain.head;
            let bytes = self.nodes.get(&node).ok_or(LoadError::Node { node })?;
            sum = sum.saturating_add(*bytes);
            if chain.at as u64 > skeleton {
                return Err(LoadError::Plan);
            }
        }
        if sum == length {
            Ok(())
        } else {
            Err(LoadError::Length)
        }
    }

    /// Returns the bytes of a chain that ends with this blob. Parents have smaller numbers, so they are known.
    fn length_with(&self, parent: i64, b: i64) -> Option<u64> {
        let before = match parent {
            0 => 0,
            parent => *self.nodes.get(&parent)?,
        };
        before.checked_add(*self.blobs.get(&b)?)
    }
}
