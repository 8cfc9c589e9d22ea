//! What changed lately, for feeds: a ring of flow ids under rising numbers.
//!
//! A reader that is further behind than the ring is long is told so, and reads the list again.

use std::collections::{HashSet, VecDeque};

use flow_model::FlowId;

/// Changes that are remembered.
const CHANGES_MAX: usize = 16_384;

/// What happened after a given number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The number to ask with next.
    pub next: u64,
    /// Flows that are new or changed, each once, in the order of their last change.
    pub changed: Vec<FlowId>,
    /// Flows that are no longer there.
    pub gone: Vec<FlowId>,
    /// Some changes were forgotten before they were asked for.
    pub missed: bool,
}

/// The ring.
#[derive(Default)]
pub(crate) struct ChangeLog {
    ring: VecDeque<Entry>,
    /// Number of the next change.
    next: u64,
    /// Every change below this number has left the ring for want of room.
    forgotten: u64,
}

struct Entry {
    number: u64,
    id: FlowId,
    change: Change,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Changed,
    Gone,
}

impl ChangeLog {
    pub(crate) fn push(&mut self, id: FlowId, change: Change) {
        let repeats = |last: &Entry| last.id == id && last.change == change;
        if self.ring.back().is_some_and(repeats) {
            // A flow that streams alone would otherwise fill the ring with itself.
            self.ring.pop_back();
        } else if self.ring.len() == CHANGES_MAX
            && let Some(oldest) = self.ring.pop_front()
        {
            self.forgotten = oldest.number + 1;
        }
        let number = self.next;
        self.ring.push_back(Entry { number, id, change });
        self.next += 1;
    }

    /// Returns what happened from the number `seq` on.
    pub(crate) fn since(&self, seq: u64) -> Changes {
        let mut changes = Changes {
            next: self.next,
            missed: seq < self.forgotten || seq > self.next,
            ..Changes::default()
        };
        let mut seen = HashSet::new();
        let skip = self.ring.partition_point(|entry| entry.number < seq);
        // Only the last change of a flow counts.
        for entry in self.ring.iter().skip(skip).rev() {
            if !seen.insert(entry.id) {
                continue;
            }
            match entry.change {
                Change::Changed => changes.changed.push(entry.id),
                Change::Gone => changes.gone.push(entry.id),
            }
        }
        changes.changed.reverse();
        changes.gone.reverse();
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> FlowId {
        FlowId::from_bytes([number; 16])
    }

    #[test]
    fn only_the_last_change_of_a_flow_is_told() {
        let mut log = ChangeLog::default();
        for number in [1, 2, 2, 1, 3] {
            log.push(id(number), Change::Changed);
        }
        log.push(id(3), Change::Gone);
        let all = log.since(0);
        assert_eq!(all.changed, [id(2), id(1)]);
        assert_eq!(all.gone, [id(3)]);
        assert!(!all.missed);
        assert_eq!(
            log.since(all.next),
            Changes {
                next: all.next,
                ..Changes::default()
            }
        );
        assert_eq!(log.since(3).changed, [id(1)]);
    }

    #[test]
    fn a_reader_that_is_too_far_behind_is_told() {
        let mut log = ChangeLog::default();
        for number in 0..=CHANGES_MAX {
            log.push(id(u8::try_from(number % 250).unwrap()), Change::Changed);
        }
        assert!(log.since(0).missed);
        assert!(!log.since(1).missed);
        assert!(log.since(u64::MAX).missed, "a number of an earlier run");
        // One flow alone never pushes others out.
        for _ in 0..=CHANGES_MAX {
            log.push(id(251), Change::Changed);
        }
        assert!(!log.since(2).missed);
    }
}
