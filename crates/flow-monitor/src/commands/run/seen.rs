//! What was seen of a run, asked of the monitor once the command has ended.

use std::time::Duration;

use flow_model::{Dialect, Money, Row, State};
use serde_json::Value;

use crate::instance::Instance;
use crate::text;

/// Newest flows among which those of the run are looked for.
const FLOWS_MAX: usize = 10_000;
/// Flows asked for at once.
const PAGE_FLOWS: usize = 1000;
/// Looks at flows that are still under way.
const LOOKS_MAX: u32 = 100;
/// Looks that must show the same before it is taken for all: a flow appears a moment after its request.
const LOOKS_SAME: u32 = 5;
/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Sums over the flows of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Flows of whatever kind.
    flows: u64,
    /// Those of them that call a model.
    calls: u64,
    failed: u64,
    running: u64,
    input: Option<u64>,
    output: Option<u64>,
    estimated: bool,
    cost: Option<Money>,
    /// A call has no known cost.
    unpriced: bool,
}

// === impl Seen ===

impl Seen {
    /// Waits a moment until the run's flows have ended, and sums them up.
    pub(super) fn wait(instance: &Instance, run: &str) -> anyhow::Result<Self> {
        let mut seen = Self::look(instance, run)?;
        let mut same = 0;
        for _ in 0..LOOKS_MAX {
            if same >= LOOKS_SAME && seen.running == 0 {
                break;
            }
            std::thread::park_timeout(LOOK_EVERY);
            let now = Self::look(instance, run)?;
            same = if now == seen { same + 1 } else { 0 };
            seen = now;
        }
        Ok(seen)
    }

    /// Returns whether nothing of the run was seen.
    pub(super) const fn is_empty(&self) -> bool {
        self.flows == 0
    }

    /// Returns the line that tells it all.
    pub(super) fn line(&self, run: &str) -> String {
        let calls = match self.calls {
            1 => "1 call".to_owned(),
            calls => format!("{calls} calls"),
        };
        let failed = match self.failed {
            0 => String::new(),
            failed => format!(" ({failed} failed)"),
        };
        let about = if self.estimated { "~" } else { "" };
        let cost = match self.cost {
            Some(cost) if self.unpriced => format!(", at least ${cost}"),
            Some(cost) => format!(", ${cost}"),
            None => String::new(),
        };
        let tokens = if self.input.is_some() || self.output.is_some() {
            format!(
                ", {about}{} tokens in, {about}{} out",
                text::count(self.input),
                text::count(self.output)
            )
        } else {
            String::new()
        };
        // Probes, lists of models, a refused WebSocket.
        let others = match self.flows.saturating_sub(self.calls) {
            0 => String::new(),
            1 => ", 1 other request".to_owned(),
            others => format!(", {others} other requests"),
        };
        format!("run {run}: {calls}{failed}{tokens}{cost}{others}")
    }

    fn look(instance: &Instance, run: &str) -> anyhow::Result<Self> {
        let mut seen = Self::default();
        let (mut looked_at, mut cursor) = (0, String::new());
        while looked_at < FLOWS_MAX {
            let mut path = format!("/api/flows?limit={PAGE_FLOWS}");
            if !cursor.is_empty() {
                path.push_str("&cursor=");
                path.push_str(&cursor);
            }
            let page = instance.get(&path)?;
            let flows = page.get("flows").and_then(Value::as_array);
            let flows = flows.map_or(&[][..], Vec::as_slice);
            let found = seen.flows;
            for flow in flows {
                if flow.get("run").and_then(Value::as_str) == Some(run) {
                    seen.add(&serde_json::from_value(flow.clone())?);
                }
            }
            looked_at += flows.len();
            let next = page.get("next_cursor").and_then(Value::as_str);
            // Lists begin with the newest: behind a page without any of its flows, the run had not begun.
            let Some(next) = next.filter(|_| seen.flows > found) else {
                break;
            };
            next.clone_into(&mut cursor);
        }
        Ok(seen)
    }

    fn add(&mut self, row: &Row) {
        let sum = |sum: &mut Option<u64>, count: Option<u64>| {
            if let Some(count) = count {
                *sum = Some(sum.unwrap_or(0).saturating_add(count));
            }
        };
        let is_call = row
            .dialect
            .is_some_and(|dialect| dialect != Dialect::Models);
        self.flows += 1;
        self.calls += u64::from(is_call);
        match row.state {
            State::Failed | State::Cancelled => self.failed += u64::from(is_call),
            State::Pending | State::Streaming | State::Intercepted => self.running += 1,
            State::Completed => {}
        }
        sum(&mut self.input, row.tokens.input);
        sum(&mut self.output, row.tokens.output);
        self.estimated |= row.estimated;
        match row.cost.as_deref().map(str::parse::<Money>) {
            Some(Ok(cost)) => self.cost = Some(self.cost.unwrap_or(Money::ZERO) + cost),
            _ => self.unpriced |= row.tokens.input.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        let check = |seen: Seen, expect: &str| assert_eq!(seen.line("r"), expect);
        check(
            Seen {
                flows: 1,
                calls: 1,
                ..Seen::default()
            },
            "run r: 1 call",
        );
        check(
            Seen {
                flows: 5,
                calls: 3,
                failed: 1,
                input: Some(12_345),
                output: Some(678),
                cost: "0.0123".parse().ok(),
                ..Seen::default()
            },
            "run r: 3 calls (1 failed), 12.3k tokens in, 678 out, $0.0123, 2 other requests",
        );
        check(
            Seen {
                flows: 3,
                calls: 2,
                input: Some(1),
                estimated: true,
                cost: Some(Money::ZERO),
                unpriced: true,
                ..Seen::default()
            },
            "run r: 2 calls, ~1 tokens in, ~- out, at least $0, 1 other request",
        );
    }
}
