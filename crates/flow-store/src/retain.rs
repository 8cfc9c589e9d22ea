//! Retention: old segments go whole, and the flows in them that are pinned move to the live one.
//!
//! Only sealed segments go. The live one is followed by another when its first flow is a day old, so that a store
//! with little traffic keeps to the days that were asked for, but for one.
//!
//! A segment goes in these steps, and a kill between any two of them loses no pinned flow and brings no other back:
//! its pinned flows are written into the live one and committed; the catalog counts it as gone and adds its flows to
//! the sums, in one transaction; its files are removed, at the next start if need be.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use flow_model::{FlowId, Timestamp};
use rusqlite::Connection;
use serde::Serialize;

use crate::delete;
use crate::files;
use crate::intake::Intake;
use crate::pack::OpKind;
use crate::purge;
use crate::read::{self, ReadError};
use crate::registry::{self, Registry};
use crate::rollup::Rollups;
use crate::salvage;
use crate::segment::{Segment, SegmentState};
use crate::store::OpenError;

/// Microseconds after which the live segment is followed by another.
const LIVE_US_MAX: i64 = 24 * 60 * 60 * 1_000_000;
/// Flows whose rows are read in one query.
const FLOWS_AT_ONCE: usize = 1024;

/// How much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Microseconds after which flows go; none keeps them for ever.
    pub age_us_max: Option<i64>,
    /// Bytes of all segments together; none sets no limit.
    pub bytes_max: Option<u64>,
}

/// What retention did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tidied {
    /// Segments that are gone.
    pub segments: u64,
    /// Flows that are gone with them.
    pub flows: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Pinned flows that were brought over to the live segment.
    pub kept_pinned: u64,
}

/// Why retention stopped.
#[derive(Debug, thiserror::Error)]
pub enum TidyError {
    /// The store was opened for reading.
    #[error("the store is only read")]
    ReadOnly,
    /// A segment cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The catalog or a file cannot be written to.
    #[error(transparent)]
    Write(#[from] OpenError),
}

/// What a plan is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) number: u32,
    pub(crate) state: SegmentState,
    pub(crate) flows: u64,
    pub(crate) pinned: u64,
    /// Bytes of all its files.
    pub(crate) bytes: u64,
    /// When its newest flow began.
    pub(crate) last_at: Option<Timestamp>,
}

/// Returns the segments that go, the oldest first: those past the age, then the oldest until all others fit.
///
/// One of which every flow is pinned stays: nothing would be gained by writing it anew.
pub(crate) fn plan(held: &[Held], retention: &Retention, now: Timestamp) -> Vec<u32> {
    let mut oldest: Vec<&Held> = held.iter().collect();
    oldest.sort_unstable_by_key(|held| held.number);
    let mut bytes = oldest.iter().map(|held| held.bytes).sum::<u64>();
    let mut going = BTreeSet::new();
    let may_go =
        |held: &Held| held.state == SegmentState::Sealed && held.pinned < held.flows.max(1);
    let freed = |held: &Held| {
        if held.flows == 0 {
            return held.bytes;
        }
        let share = u128::from(held.flows.saturating_sub(held.pinned));
        let freed = u128::from(held.bytes) * share / u128::from(held.flows);
        u64::try_from(freed).unwrap_or(held.bytes)
    };
    let is_old = |held: &Held| {
        let limit = retention.age_us_max.map(|age| now.0.saturating_sub(age));
        limit.is_some_and(|limit| held.last_at.is_none_or(|last| last.0 < limit))
    };
    for held in oldest.iter().filter(|held| may_go(held) && is_old(held)) {
        going.insert(held.number);
        bytes = bytes.saturating_sub(freed(held));
    }
    for held in oldest.iter().filter(|held| may_go(held)) {
        if retention
            .bytes_max
            .is_none_or(|bytes_max| bytes <= bytes_max)
        {
            break;
        }
        if going.insert(held.number) {
            bytes = bytes.saturating_sub(freed(held));
        }
    }
    going.into_iter().collect()
}

/// Does what `retention` asks for.
pub(crate) fn tidy(
    intake: &Intake,
    registry: &Registry,
    now: Timestamp,
    retention: &Retention,
) -> Result<Tidied, TidyError> {
    let live = registry.live().ok_or(TidyError::ReadOnly)?;
    let mut tidied = Tidied::default();
    if registry.dir.is_none() {
        return Ok(tidied);
    }
    registry.remove_retired()?;
    let pins = pins(registry)?;
    if is_old(&live, &pins, now)? {
        intake.push(NO_FLOW, None, OpKind::Rotate(live.number));
        intake.queue.flush();
    }
    let mut held = Vec::new();
    for segment in registry.all().iter() {
        let info = segment.info();
        held.push(Held {
            number: segment.number,
            state: info.state,
            flows: info.flows,
            pinned: pinned_in(segment, &pins).map_or(0, |pinned| pinned.len() as u64),
            bytes: segment.path().map_or(0, files::bytes_of),
            last_at: info.last_at,
        });
    }
    for number in plan(&held, retention, now) {
        if let Some(segment) = registry.segment(number) {
            // One that cannot go must not keep all others.
            let what = match retire(intake, registry, &segment, &mut tidied) {
                Ok(true) => continue,
                Ok(false) => "a pinned flow in it cannot be read".to_owned(),
                Err(TidyError::Read(error)) if error.is_of_file() => error.to_string(),
                Err(error) => return Err(error),
            };
            let name = segment.name();
            let notice = format!("{name} is past its time and stays ({what})");
            intake.health.notice(notice);
        }
    }
    // Whoever waits for deletions need not wait for those that went this way.
    registry.signal.raise();
    Ok(tidied)
}

/// No flow has the id of zeros.
const NO_FLOW: FlowId = FlowId::from_bytes([0; 16]);

fn pins(registry: &Registry) -> Result<HashSet<FlowId>, TidyError> {
    let pins = registry.catalog.pins().map_err(ReadError::from)?;
    Ok(pins.into_iter().map(|(id, _)| id).collect())
}

/// Returns whether the first flow of the live segment is so old that another one is to follow. Those that are
/// pinned may have been brought over, and tell nothing.
fn is_old(live: &Segment, pins: &HashSet<FlowId>, now: Timestamp) -> Result<bool, ReadError> {
    live.read(|connection| {
        let mut first = connection.prepare_cached("SELECT n, id FROM requests ORDER BY id")?;
        let mut rows = first.query([])?;
        while let Some(row) = rows.next()? {
            let (n, id) = (row.get(0)?, FlowId::from_bytes(row.get(1)?));
            if pins.contains(&id) {
                continue;
            }
            return match read::exchange(connection, n, id) {
                Ok(first) => Ok(now.0.saturating_sub(first.started_at.0) > LIVE_US_MAX),
                Err(ReadError::Damaged { .. }) => continue,
                Err(error) => Err(error),
            };
        }
        Ok(false)
    })
}

/// Returns the pinned flows of a segment that are not deleted.
fn pinned_in(segment: &Segment, pins: &HashSet<FlowId>) -> Result<Vec<(FlowId, i64)>, ReadError> {
    let buried = segment.buried();
    let mut here: Vec<FlowId> = pins.iter().copied().collect();
    here.retain(|id| segment.may_hold(*id));
    if here.is_empty() {
        return Ok(Vec::new());
    }
    here.sort_unstable();
    segment.read(|connection| {
        let mut found = Vec::new();
        for id in here {
            if let Some(n) = registry::find(connection, id)?
                && !buried.contains_key(&n)
            {
                found.push((id, n));
            }
        }
        Ok(found)
    })
}

/// Removes a sealed segment but for its pinned flows. Returns false where those cannot be brought over.
pub(crate) fn retire(
    intake: &Intake,
    registry: &Registry,
    segment: &Arc<Segment>,
    tidied: &mut Tidied,
) -> Result<bool, TidyError> {
    // Nothing is pinned or deleted meanwhile.
    let _alone = registry.deletion.lock();
    let pinned = pinned_in(segment, &pins(registry)?)?;
    if !bring_over(intake, registry, segment, &pinned)? {
        return Ok(false);
    }
    let kept: HashSet<i64> = pinned.iter().map(|(_, n)| *n).collect();
    let buried = segment.buried();
    let flows = segment.read(flows)?;
    let mut sums = Rollups::default();
    let mut gone = Vec::new();
    for some in flows.chunks(FLOWS_AT_ONCE) {
        segment.read(|connection| {
            for &(n, id) in some {
                if kept.contains(&n) || buried.contains_key(&n) {
                    continue;
                }
                gone.push(id);
                if let Some(row) = delete::row(connection, n, id)? {
                    sums.add(&row);
                }
            }
            Ok::<_, ReadError>(())
        })?;
    }
    let bytes = segment.path().map_or(0, files::bytes_of);
    let mut writing = segment.writing();
    if !segment.is_sealed() {
        // It was written to meanwhile; its turn comes again.
        return Ok(true);
    }
    registry.retire(segment, &mut writing, &sums)?;
    drop(writing);
    let ended = (gone.len() + kept.len()) as u64;
    intake.memory.deleted(ended, &gone);
    tidied.segments += 1;
    tidied.flows += gone.len() as u64;
    tidied.bytes += bytes;
    tidied.kept_pinned += kept.len() as u64;
    tracing::info!(
        segment = segment.number,
        flows = gone.len(),
        pinned = kept.len(),
        "a segment was removed because it is past its time"
    );
    Ok(true)
}

fn flows(connection: &Connection) -> Result<Vec<(i64, FlowId)>, ReadError> {
    let mut all = connection.prepare_cached("SELECT n, id FROM requests ORDER BY n")?;
    let found = all.query_map([], |row| Ok((row.get(0)?, FlowId::from_bytes(row.get(1)?))))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Writes the pinned flows of a segment into the live one, and waits until they are there. Returns whether they
/// are, all of them.
fn bring_over(
    intake: &Intake,
    registry: &Registry,
    segment: &Segment,
    pinned: &[(FlowId, i64)],
) -> Result<bool, TidyError> {
    let number = segment.number;
    let is_there = |id: FlowId| -> Result<bool, ReadError> {
        match registry.find(id)? {
            Some(found) if found.number > number => Ok(found.read(|to| has_ended(to, id))?),
            Some(_) | None => Ok(false),
        }
    };
    let mut left = Vec::new();
    for &(id, n) in pinned {
        // One that was brought over before a kill is there already.
        if !is_there(id)? {
            left.push((id, n));
        }
    }
    if left.is_empty() {
        return Ok(true);
    }
    let Some(path) = segment.path() else {
        return Ok(true);
    };
    let whole = salvage::bring_over(intake, path, &left);
    intake.queue.flush();
    let mut there = true;
    for (id, _) in left {
        there &= is_there(id)?;
    }
    Ok(whole && there)
}

/// Removes the flows that were being brought over when the program was killed, so that they are brought over again.
/// Their first half would be taken for a flow that was running.
pub(crate) fn drop_halves(registry: &Registry) -> Result<(), rusqlite::Error> {
    let all = registry.all();
    for segment in registry.unsealed() {
        let running = segment.read(running)?;
        let mut halves = Vec::new();
        for (id, n) in running {
            let older = all.iter().filter(|older| older.number < segment.number);
            for older in older.filter(|older| older.is_sealed() && older.may_hold(id)) {
                let buried = older.buried();
                let found = older.read(|connection| registry::find(connection, id));
                if found.is_ok_and(|found| found.is_some_and(|n| !buried.contains_key(&n))) {
                    halves.push((id, n));
                }
            }
        }
        if !halves.is_empty() && segment.is_writable() {
            let removed = registry.write(&segment, |connection| {
                let whole = connection.unchecked_transaction()?;
                let removed = purge::remove(&whole, &halves)?;
                purge::sweep(&whole)?;
                whole.commit()?;
                Ok(removed)
            })?;
            segment.change_facts(|facts| facts.flows = facts.flows.saturating_sub(removed));
        }
    }
    Ok(())
}

fn running(connection: &Connection) -> Result<Vec<(FlowId, i64)>, rusqlite::Error> {
    let mut running =
        connection.prepare_cached("SELECT id, n FROM running JOIN requests USING (n)")?;
    let found = running.query_map([], |row| Ok((FlowId::from_bytes(row.get(0)?), row.get(1)?)))?;
    found.collect()
}

fn has_ended(connection: &Connection, id: FlowId) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM outcomes JOIN requests USING (n) WHERE id = ?1)";
    connection.query_one(sql, [id.to_bytes()], |row| row.get(0))
}

#[cfg(test)]
mod tests;
