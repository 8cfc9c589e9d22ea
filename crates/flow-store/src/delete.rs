//! Deletes flows: which ones, and what becomes of them at once. What is done later stands in `purge`.
//!
//! A flow that runs, or whose end is not stored yet, is never deleted. Everything happens in this order: the
//! catalog is told, in one transaction that also adds to the sums and takes pins away; then every reader, by the
//! set of deleted numbers that each segment keeps; then memory, which tells the feeds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use flow_model::{FlowId, Reading, Row, Timestamp};
use flow_query::{Checked, Field, Texts, Value};
use rusqlite::Connection;
use serde::Serialize;

use crate::memory::Memory;
use crate::place;
use crate::purge;
use crate::read::{self, ReadError};
use crate::registry::{self, Registry};
use crate::rollup::Rollups;
use crate::rows;
use crate::segment::{Location, Segment};

/// Rows that are read in one query, so that the log is not held for long.
const ROWS_AT_ONCE: usize = 256;

const ENDED: &str = "SELECT EXISTS (SELECT 1 FROM outcomes WHERE n = ?1)";
const ALL: &str = "SELECT n, id, EXISTS (SELECT 1 FROM outcomes AS o WHERE o.n = r.n)
    FROM requests AS r ORDER BY n";

/// Which flows to delete.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// These.
    Ids(&'a [FlowId]),
    /// Those that a filter selects, which must not ask for texts.
    Matching(&'a Checked),
    /// Those that began before an instant.
    Before(Timestamp),
}

/// What to delete, and how.
#[derive(Clone, Copy, Debug)]
pub struct Deletion<'a> {
    /// Which flows.
    pub which: Which<'a>,
    /// Pinned ones too.
    pub pinned: bool,
    /// Only say what would be deleted.
    pub dry_run: bool,
}

/// What was deleted, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// Which flows.
    #[serde(skip)]
    pub ids: Vec<FlowId>,
    /// How many flows.
    pub flows: u64,
    /// Bytes of their bodies on the wire.
    pub bytes: u64,
    /// Flows that were selected and are kept because they are pinned.
    pub kept_pinned: u64,
}

/// Why flows are not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// The store was opened for reading.
    #[error("the store is only read")]
    ReadOnly,
    /// The filter asks for texts.
    #[error("a filter that asks for texts cannot select what is deleted")]
    Text,
    /// The flows cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The catalog cannot be written to.
    #[error("the catalog cannot be written to")]
    Catalog(#[source] rusqlite::Error),
}

/// The flows that a deletion takes.
#[derive(Default)]
pub(crate) struct Selected {
    pub(crate) deleted: Deleted,
    /// Every record of them.
    pub(crate) records: Vec<(FlowId, Location)>,
    /// How many of the records are of flows whose end is stored.
    pub(crate) ended: u64,
    pub(crate) flows: Vec<FlowId>,
    pub(crate) sums: Rollups,
}

/// Deletes flows, but for what `purge` does.
pub(crate) fn run(
    registry: &Registry,
    memory: &Memory,
    deletion: &Deletion<'_>,
) -> Result<Deleted, DeleteError> {
    if registry.live().is_none() {
        return Err(DeleteError::ReadOnly);
    }
    let _alone = registry.deletion.lock();
    let selected = selected(registry, memory, deletion)?;
    if !deletion.dry_run && !selected.flows.is_empty() {
        bury(registry, memory, &selected).map_err(DeleteError::Catalog)?;
    }
    Ok(Deleted {
        ids: selected.flows,
        ..selected.deleted
    })
}

fn bury(registry: &Registry, memory: &Memory, selected: &Selected) -> Result<(), rusqlite::Error> {
    let Selected {
        records,
        flows,
        sums,
        ..
    } = selected;
    registry.catalog.bury(records, flows, sums)?;
    for segment in registry.all().iter() {
        let inside = records
            .iter()
            .filter(|(_, location)| location.segment == segment.number);
        segment.bury(inside.map(|(id, location)| (location.n, *id)));
    }
    memory.deleted(selected.ended, flows);
    registry.signal.raise();
    Ok(())
}

/// Returns the flows that a deletion takes. Nothing may be deleted or pinned meanwhile.
pub(crate) fn selected(
    registry: &Registry,
    memory: &Memory,
    deletion: &Deletion<'_>,
) -> Result<Selected, DeleteError> {
    if let Which::Matching(filter) = deletion.which
        && filter.asks_text()
    {
        return Err(DeleteError::Text);
    }
    let pins = registry.catalog.pins().map_err(DeleteError::Catalog)?;
    let mut choice = Choice {
        deletion,
        ids: match deletion.which {
            Which::Ids(ids) => ids.iter().copied().collect(),
            Which::Matching(_) | Which::Before(_) => BTreeSet::new(),
        },
        pins: pins.into_iter().map(|(id, _)| id).collect(),
        unsettled: memory.unsettled(),
        loose: memory.loose(),
        seen: HashSet::new(),
        selected: Selected::default(),
    };
    for (index, segment) in registry.all().iter().enumerate() {
        match choice.look(segment) {
            // An old segment that is hurt or gone keeps its own flows, and not all others.
            Err(error) if index > 0 && error.is_of_file() => {
                tracing::warn!(%error, segment = segment.name(), "flows cannot be selected");
            }
            looked => looked?,
        }
    }
    // Of these no segment has anything.
    let mut loose: Vec<Arc<Row>> = choice.loose.values().cloned().collect();
    loose.sort_unstable_by_key(|row| row.id);
    for row in loose {
        if !choice.seen.contains(&row.id) && choice.takes(row.id, Some(&row)) {
            choice.count(row.id, Some(&row));
        }
    }
    Ok(choice.selected)
}

/// Hides the deleted flows that the catalog knows of. A number that another flow has by now is not one of theirs.
pub(crate) fn hide(registry: &Registry) -> Result<(), rusqlite::Error> {
    for segment in registry.all().iter() {
        let mut buried = registry.catalog.buried(segment.number)?;
        if buried.is_empty() {
            continue;
        }
        let holders = match segment.read(|connection| holders(connection, &buried)) {
            Ok(holders) => holders,
            // What is hurt is found by those who read it.
            Err(error) if place::is_damage(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut holders = holders.into_iter();
        let mut removed = 0;
        buried.retain(|(id, _)| match holders.next() {
            Some(Some(holder)) => holder == *id,
            Some(None) => {
                removed += 1;
                true
            }
            None => true,
        });
        // All that are hidden are counted with the segment's flows, until nothing is left of them.
        segment.change_facts(|facts| facts.flows += removed);
        segment.bury(buried.into_iter().map(|(id, n)| (n, id)));
    }
    Ok(())
}

/// Returns which flows have these numbers.
fn holders(
    connection: &Connection,
    flows: &[(FlowId, i64)],
) -> Result<Vec<Option<FlowId>>, rusqlite::Error> {
    let flows = flows.iter();
    flows.map(|(_, n)| purge::holder(connection, *n)).collect()
}

/// A selection under way.
struct Choice<'a> {
    deletion: &'a Deletion<'a>,
    ids: BTreeSet<FlowId>,
    pins: HashSet<FlowId>,
    /// Flows that run or whose end is not stored.
    unsettled: HashSet<FlowId>,
    /// Flows whose end could not be stored.
    loose: HashMap<FlowId, Arc<Row>>,
    /// Flows that were met.
    seen: HashSet<FlowId>,
    selected: Selected,
}

/// A record of a flow in a segment.
struct Candidate {
    id: FlowId,
    n: i64,
    has_ended: bool,
}

impl Choice<'_> {
    fn look(&mut self, segment: &Segment) -> Result<(), ReadError> {
        // Before anything is read: what is removed for good meanwhile is still among these.
        let buried = segment.buried();
        let candidates = match self.deletion.which {
            Which::Ids(_) => {
                let ids = self.ids.iter().copied();
                let ids: Vec<FlowId> = ids.filter(|id| segment.may_hold(*id)).collect();
                if ids.is_empty() {
                    return Ok(());
                }
                segment.read(|connection| by_id(connection, &ids))?
            }
            Which::Matching(_) | Which::Before(_) => segment.read(all)?,
        };
        for some in candidates.chunks(ROWS_AT_ONCE) {
            let rows = segment.read(|connection| {
                let rows = some.iter().map(|found| row(connection, found.n, found.id));
                rows.collect::<Result<Vec<_>, ReadError>>()
            })?;
            for (found, row) in some.iter().zip(rows) {
                let loose = self.loose.get(&found.id).cloned();
                let ended = found.has_ended || loose.is_some();
                let hidden = buried.contains_key(&found.n) || self.unsettled.contains(&found.id);
                if hidden || !ended {
                    continue;
                }
                let row = loose.or_else(|| row.map(Arc::new));
                self.meet(segment.number, found, row.as_deref());
            }
        }
        Ok(())
    }

    fn meet(&mut self, segment: u32, found: &Candidate, row: Option<&Row>) {
        let again = self.seen.contains(&found.id);
        if !self.takes(found.id, row) {
            return;
        }
        let n = found.n;
        self.selected
            .records
            .push((found.id, Location { segment, n }));
        self.selected.ended += u64::from(found.has_ended);
        // One that was being brought over when the program was killed has two.
        if !again {
            self.count(found.id, row);
        }
    }

    /// Returns whether a flow is to be deleted.
    fn takes(&mut self, id: FlowId, row: Option<&Row>) -> bool {
        let first = self.seen.insert(id);
        let wanted = match self.deletion.which {
            Which::Ids(_) => self.ids.contains(&id),
            Which::Matching(filter) => {
                row.is_some_and(|row| filter.matches(row, &Texts::default()))
            }
            Which::Before(instant) => row.is_some_and(|row| row.started_at < instant),
        };
        let kept = wanted && !self.deletion.pinned && self.pins.contains(&id);
        self.selected.deleted.kept_pinned += u64::from(kept && first);
        wanted && !kept
    }

    fn count(&mut self, id: FlowId, row: Option<&Row>) {
        self.selected.flows.push(id);
        self.selected.deleted.flows += 1;
        if let Some(row) = row {
            if let Value::Number(bytes) = Field::Size.value(row) {
                let bytes = u64::try_from(bytes).unwrap_or(0);
                let sum = &mut self.selected.deleted.bytes;
                *sum = sum.saturating_add(bytes);
            }
            self.selected.sums.add(row);
        }
    }
}

fn by_id(connection: &Connection, ids: &[FlowId]) -> Result<Vec<Candidate>, ReadError> {
    let mut found = Vec::new();
    let mut ended = connection.prepare_cached(ENDED)?;
    for &id in ids {
        if let Some(n) = registry::find(connection, id)? {
            let has_ended = ended.query_row([n], |row| row.get(0))?;
            found.push(Candidate { id, n, has_ended });
        }
    }
    Ok(found)
}

fn all(connection: &Connection) -> Result<Vec<Candidate>, ReadError> {
    let mut all = connection.prepare_cached(ALL)?;
    let found = all.query_map([], |row| {
        Ok(Candidate {
            n: row.get(0)?,
            id: FlowId::from_bytes(row.get(1)?),
            has_ended: row.get(2)?,
        })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Returns a flow's row, or else what its exchange tells; none where both are hurt.
pub(crate) fn row(connection: &Connection, n: i64, id: FlowId) -> Result<Option<Row>, ReadError> {
    let derived = if connection.table_exists(None, "rows")? {
        rows::one(connection, n).map_err(ReadError::from)
    } else {
        Ok(None)
    };
    let found = match derived {
        Ok(Some(row)) => Ok(row),
        Ok(None) | Err(ReadError::Damaged { .. }) => read::exchange(connection, n, id)
            .map(|exchange| Row::new(&exchange, &Reading::default())),
        Err(error) => Err(error),
    };
    match found {
        Ok(row) => Ok(Some(row)),
        Err(ReadError::Damaged { .. }) => Ok(None),
        // It was removed after it was found.
        Err(ReadError::Segment(rusqlite::Error::QueryReturnedNoRows)) => Ok(None),
        Err(error) => Err(error),
    }
}
