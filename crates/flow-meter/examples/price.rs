//! Prices calls: reads `{"provider", "model", "at", "tokens", "units", "tier", "speed"}` line by line and writes the
//! cost of each, or `null`. The comparison with the sources of the price table is made with it.

#![expect(clippy::print_stdout, reason = "a filter between two pipes")]

use std::io::{self, BufRead};

use flow_meter::{PriceQuery, Prices, cost};
use flow_model::{Timestamp, Tokens, Units};
use serde::Deserialize;

#[derive(Deserialize)]
struct Call {
    provider: Option<String>,
    model: String,
    at: Timestamp,
    tokens: Tokens,
    #[serde(default)]
    units: Units,
    tier: Option<String>,
    speed: Option<String>,
}

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let call: Call = serde_json::from_str(&line?)?;
        let query = PriceQuery {
            provider: call.provider.as_deref(),
            model: &call.model,
            at: call.at,
            tokens: call.tokens,
            units: &call.units,
            tier: call.tier.as_deref(),
            speed: call.speed.as_deref(),
            is_batch: false,
        };
        println!(
            "{}",
            serde_json::to_string(&cost(Prices::builtin(), &query))?
        );
    }
    Ok(())
}
