//! What traffic is made, as it is told on the command line and remembered beside what was stored.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use flow_model::Timestamp;

use crate::clock::Clock;
use crate::generator::Plan;
use crate::session::Shape;
use crate::single::CALL_BYTES;

/// The file in a data directory that says what was generated there.
const FILE: &str = "traffic.txt";
/// 1 October 2026: the traffic is the same whenever it is made.
const FROM: Timestamp = Timestamp(1_790_812_800_000_000);
const DAY_US: u64 = 86_400_000_000;

/// What traffic is made.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traffic {
    /// Calls in all.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) flows: u64,
    /// Sessions of agents among them; the rest are calls on their own.
    #[arg(long, default_value_t = 0)]
    pub(crate) sessions: u64,
    /// Calls of a session.
    #[arg(long, default_value_t = 150)]
    pub(crate) turns: u32,
    /// Mean bytes of a request within a session.
    #[arg(long, default_value_t = 220_000)]
    pub(crate) request_bytes: u64,
    /// Bytes of a call on its own, about.
    #[arg(long, default_value_t = CALL_BYTES)]
    pub(crate) call_bytes: u64,
    /// Days over which the calls are spread.
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u64,
    /// The same seed gives the same traffic.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Traffic that was stored, with what it weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) traffic: Traffic,
    /// Bytes of all bodies.
    pub(crate) raw_bytes: u64,
}

// === impl Traffic ===

impl Traffic {
    /// One session as the goals of the store mean it.
    pub(crate) const AGENTS: Self = Self {
        flows: 150,
        sessions: 1,
        turns: 150,
        request_bytes: 220_000,
        call_bytes: CALL_BYTES,
        days: 30,
        seed: 1,
    };

    pub(crate) const fn plan(&self) -> Plan {
        Plan {
            clock: Clock {
                from: FROM,
                days: self.days,
                calls: self.flows,
                seed: self.seed,
            },
            sessions: self.sessions,
            shape: Shape {
                turns: self.turns,
                request_bytes: self.request_bytes,
            },
            call_bytes: self.call_bytes,
        }
    }

    /// Returns traffic of the same kind with no more than so many calls.
    pub(crate) fn part(&self, flows: u64) -> Self {
        let flows = flows.min(self.flows);
        Self {
            flows,
            // Whole sessions, so that requests are as long as in the whole.
            sessions: (self.sessions * flows).div_ceil(self.flows.max(1)),
            ..*self
        }
    }

    /// Returns the end of the days.
    pub(crate) fn end(&self) -> Timestamp {
        FROM.plus_us(self.days.saturating_mul(DAY_US))
    }
}

// === impl Stored ===

impl Stored {
    pub(crate) fn write(&self, dir: &Path) -> Result<()> {
        fs::write(dir.join(FILE), self.text()).context("note what was generated")
    }

    pub(crate) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("read {}: was this directory generated?", path.display()))?;
        Self::parse(&text).with_context(|| format!("understand {}", path.display()))
    }

    fn text(&self) -> String {
        let Traffic {
            flows,
            sessions,
            turns,
            request_bytes,
            call_bytes,
            days,
            seed,
        } = self.traffic;
        let raw_bytes = self.raw_bytes;
        format!(
            "{flows} {sessions} {turns} {request_bytes} {call_bytes} {days} {seed} {raw_bytes}\n"
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text
            .split_whitespace()
            .map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            traffic: Traffic {
                flows: next()?,
                sessions: next()?,
                turns: u32::try_from(next()?).ok()?,
                request_bytes: next()?,
                call_bytes: next()?,
                days: next()?,
                seed: next()?,
            },
            raw_bytes: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_generated_is_remembered() {
        let stored = Stored {
            traffic: Traffic {
                flows: 1,
                sessions: 2,
                turns: 3,
                request_bytes: 4,
                call_bytes: 5,
                days: 6,
                seed: 7,
            },
            raw_bytes: 8,
        };
        assert_eq!(Stored::parse(&stored.text()), Some(stored));
        assert_eq!(Stored::parse("1 2 3"), None);
    }
}
