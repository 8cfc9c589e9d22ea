//! Which flows get a line, each once, in the order in which they ended.
//!
//! A flow that ended is written one round later, so that a row which is derived right behind its end is in the
//! line. Rows that are derived again long after change flows too; those have their line and get no other.

use std::collections::{HashSet, VecDeque};

use flow_model::{EndReason, FlowId, Row, Timestamp};
use flow_store::{LIST_ROWS_MAX, ListQuery, ReadError, Store};

use super::line::{Head, ended_at};

/// Flows that one round writes; of more than that the oldest are skipped.
const BEHIND_FLOWS_MAX: usize = 2_000;
/// Flows whose line is remembered. What ended before the oldest of them has its line, or gets none any more.
const WRITTEN_FLOWS_MAX: usize = 65_536;
/// How much later than flows that ended after it a flow's end may be committed, in microseconds.
const LATE_US: i64 = 10_000_000;

/// Follows a store.
pub(super) struct Follower {
    /// Number of the next change.
    next: u64,
    /// Ended flows that the store had at the last round.
    ended: u64,
    /// Ended flows that are written in the next round.
    due: VecDeque<FlowId>,
    /// Flows that got no line and are not told of yet.
    pub(super) skipped: u64,
    told: Told,
}

/// The flows that have their line, or are about to.
struct Told {
    ids: HashSet<FlowId>,
    order: VecDeque<Head>,
    /// What ended before it is no news.
    floor: Timestamp,
    /// The oldest flow of the lines from which this run went on; none where it began afresh.
    resumed: Option<FlowId>,
}

// === impl Follower ===

impl Follower {
    /// Begins behind the lines of an earlier run, or now where there are none.
    pub(super) fn begin(store: &Store, lines: &[Head], now: Timestamp) -> Self {
        // The number is taken before the list is read: what changes meanwhile is looked at twice, not missed.
        let next = store.changes_since(u64::MAX).next;
        let mut follower = Self {
            next,
            ended: ended(store),
            due: VecDeque::new(),
            skipped: 0,
            told: Told::new(lines, now),
        };
        if !lines.is_empty() {
            let newest = ListQuery {
                limit: LIST_ROWS_MAX,
                ..ListQuery::default()
            };
            match store.list(&newest) {
                Ok(page) => page.rows.iter().rev().for_each(|row| follower.see(row)),
                Err(error) => {
                    tracing::warn!(%error, "flows that ended before the start get no line");
                }
            }
        }
        follower
    }

    /// Returns whether flows wait for the next round.
    pub(super) fn is_waiting(&self) -> bool {
        !self.due.is_empty()
    }

    /// Takes in what changed, and returns the flows that are to be written now. `all`: there is no other round.
    pub(super) fn round(&mut self, store: &Store, all: bool) -> VecDeque<FlowId> {
        let mut due = std::mem::take(&mut self.due);
        let changes = store.changes_since(self.next);
        self.next = changes.next;
        let before = std::mem::replace(&mut self.ended, ended(store));
        for id in changes.changed {
            match store.row(id) {
                Ok(row) => row.iter().for_each(|row| self.see(row)),
                Err(error) => self.lose(id, &error),
            }
        }
        if changes.missed {
            // The store has forgotten which ones they were.
            let known = self.due.len() as u64;
            self.skipped += self.ended.saturating_sub(before).saturating_sub(known);
        }
        if all {
            due.append(&mut self.due);
        }
        let surplus = due.len().saturating_sub(BEHIND_FLOWS_MAX);
        due.drain(..surplus);
        self.skipped += surplus as u64;
        due
    }

    /// Notes that a flow cannot be read.
    pub(super) fn lose(&mut self, id: FlowId, error: &ReadError) {
        tracing::warn!(flow = %id, %error, "a flow cannot be read: it gets no line");
        self.skipped += 1;
    }

    fn see(&mut self, row: &Row) {
        if row.end.is_some() && self.told.take(row) {
            self.due.push_back(row.id);
        }
    }
}

/// Returns the number of ended flows.
fn ended(store: &Store) -> u64 {
    store.total().saturating_sub(store.in_flight())
}

// === impl Told ===

impl Told {
    fn new(lines: &[Head], now: Timestamp) -> Self {
        let late = |head: &Head| Timestamp(head.ended_at.0.saturating_sub(LATE_US));
        let mut told = Self {
            ids: HashSet::new(),
            order: VecDeque::new(),
            floor: lines.last().map_or(now, late),
            resumed: None,
        };
        let skip = lines.len().saturating_sub(WRITTEN_FLOWS_MAX);
        for head in lines.iter().skip(skip) {
            told.ids.insert(head.id);
            told.order.push_back(*head);
        }
        told.resumed = told.ids.iter().min().copied();
        told
    }

    /// Returns whether an ended flow gets a line, which it does once.
    fn take(&mut self, row: &Row) -> bool {
        let ended_at = ended_at(row);
        // A flow that the last run left unfinished gets its end, somewhere before that run's, from this one.
        let cut_off = row.end == Some(EndReason::Interrupted)
            && self.resumed.is_some_and(|oldest| row.id > oldest);
        if (ended_at < self.floor && !cut_off) || !self.ids.insert(row.id) {
            return false;
        }
        self.order.push_back(Head {
            ended_at,
            id: row.id,
        });
        while self.order.len() > WRITTEN_FLOWS_MAX {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.ids.remove(&oldest.id);
            self.floor = self.floor.max(oldest.ended_at);
        }
        true
    }
}

#[cfg(test)]
mod tests;
