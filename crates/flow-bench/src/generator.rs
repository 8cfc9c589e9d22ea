//! Traffic by position: which call stands where, in the order of time.
//!
//! Calls on their own and the steps of sessions are spread evenly over all positions; eight sessions go on at a
//! time, step by step in turn. Any position can be asked for; the one after the last is the cheap one, because a
//! session is made from its first step on.

use crate::call::Call;
use crate::clock::Clock;
use crate::session::{Session, Shape};
use crate::single::Singles;
use crate::words::Words;

/// Sessions that go on at a time.
const LANES: u64 = 8;

/// What traffic is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) clock: Clock,
    pub(crate) sessions: u64,
    pub(crate) shape: Shape,
    /// Bytes of a call on its own, about.
    pub(crate) call_bytes: u64,
}

/// Makes the calls of a plan.
pub(crate) struct Generator {
    plan: Plan,
    words: Words,
    singles: Singles,
    /// The sessions that go on.
    lanes: Vec<Option<Session>>,
}

/// Which call stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A call on its own, with its number.
    Single(u64),
    /// A step of a session.
    Step {
        session: u64,
        step: u32,
        lane: usize,
    },
}

// === impl Plan ===

impl Plan {
    /// Returns the number of calls that are steps of sessions.
    fn steps(&self) -> u64 {
        (self.sessions * u64::from(self.shape.turns)).min(self.clock.calls)
    }

    /// Returns which call stands at a position.
    pub(crate) fn place(&self, position: u64) -> Place {
        let until = |position: u64| {
            let part = u128::from(self.steps()) * u128::from(position);
            u64::try_from(part / u128::from(self.clock.calls.max(1))).unwrap_or(u64::MAX)
        };
        let before = until(position);
        if until(position + 1) == before {
            return Place::Single(position - before);
        }
        let turns = u64::from(self.shape.turns.max(1));
        let (group, within) = (before / (LANES * turns), before % (LANES * turns));
        let lanes = LANES
            .min(self.sessions.saturating_sub(group * LANES))
            .max(1);
        Place::Step {
            session: group * LANES + within % lanes,
            step: u32::try_from(within / lanes).unwrap_or(u32::MAX),
            lane: usize::try_from(within % lanes).unwrap_or(0),
        }
    }
}

// === impl Generator ===

impl Generator {
    pub(crate) fn new(plan: Plan) -> Self {
        let words = Words::new();
        Self {
            singles: Singles::new(plan.clock.seed, plan.call_bytes, &words),
            plan,
            words,
            lanes: (0..LANES).map(|_| None).collect(),
        }
    }

    /// Returns the call at a position.
    pub(crate) fn call(&mut self, position: u64) -> Call {
        let started_at = self.plan.clock.at(position);
        match self.plan.place(position) {
            Place::Single(number) => self.singles.call(number, started_at, &self.words),
            Place::Step {
                session,
                step,
                lane,
            } => {
                let held = self.lanes.get_mut(lane).and_then(Option::take);
                let held = held.filter(|held| held.number() == session && held.next() <= step);
                let seed = self.plan.clock.seed;
                let shape = self.plan.shape;
                let mut held =
                    held.unwrap_or_else(|| Session::new(seed, session, shape, &self.words));
                while held.next() < step {
                    held.step(started_at, &self.words);
                }
                let call = held.step(started_at, &self.words);
                if let Some(slot) = self.lanes.get_mut(lane) {
                    *slot = Some(held);
                }
                call
            }
        }
    }
}

#[cfg(test)]
mod tests;
