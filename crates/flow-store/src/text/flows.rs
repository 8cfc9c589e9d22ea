//! Flows: which of them are in an index, and of which chains their requests are made.

use std::collections::BTreeSet;

use super::file::{self, TextError};
use super::reader::{TextReader, garbled};
use crate::format;

const WATERMARK: &str = "SELECT value FROM meta WHERE key = 'watermark'";
const KEY: &str = "SELECT value FROM meta WHERE key = 'key'";
const HEADS: &str = "SELECT at, n, nodes FROM heads WHERE at > ?1 ORDER BY at";

/// Which flows are in an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// All flows up to this one are in.
    pub watermark: i64,
    /// Single ones beyond it.
    pub done: BTreeSet<i64>,
    /// Whether it takes no more.
    pub finished: bool,
}

/// The chains of flows, as they were added.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Tells this index from all others, one that was made anew included.
    pub key: Vec<u8>,
    /// Where to go on.
    pub at: i64,
    /// For each flow the last node of each chain.
    pub flows: Vec<(i64, Vec<i64>)>,
}

// === impl Progress ===

impl Progress {
    /// Returns whether a flow is in.
    pub fn is_done(&self, n: i64) -> bool {
        n <= self.watermark || self.done.contains(&n)
    }
}

// === impl TextReader ===

impl TextReader {
    /// Returns which flows are in.
    pub fn progress(&self) -> Result<Progress, TextError> {
        self.with(|connection| {
            let moment = connection.unchecked_transaction()?;
            let mut progress = Progress {
                watermark: moment.query_one(WATERMARK, [], |row| row.get(0))?,
                finished: moment.pragma_query_value(None, file::FINISHED, |row| {
                    Ok(row.get::<_, i64>(0)? != 0)
                })?,
                done: BTreeSet::new(),
            };
            let mut done = moment.prepare_cached("SELECT n FROM done")?;
            for n in done.query_map([], |row| row.get(0))? {
                progress.done.insert(n?);
            }
            Ok(progress)
        })
    }

    /// Returns the chains that were added behind the place `at`; all of them where that is of another index.
    pub fn heads(&self, key: &[u8], at: i64) -> Result<Heads, TextError> {
        self.with(|connection| {
            let moment = connection.unchecked_transaction()?;
            let found: Vec<u8> = moment.query_one(KEY, [], |row| row.get(0))?;
            let mut heads = Heads {
                at: if found == key { at } else { 0 },
                key: found,
                flows: Vec::new(),
            };
            let mut statement = moment.prepare_cached(HEADS)?;
            let mut rows = statement.query([heads.at])?;
            while let Some(row) = rows.next()? {
                heads.at = row.get(0)?;
                let mut blob = row.get_ref(2)?.as_blob()?;
                let mut nodes = Vec::new();
                while !blob.is_empty() {
                    let node = format::take_varint(&mut blob).ok_or_else(|| garbled(2))?;
                    nodes.push(node.cast_signed());
                }
                heads.flows.push((row.get(1)?, nodes));
            }
            Ok(heads)
        })
    }
}
