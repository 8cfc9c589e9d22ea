//! Which of a model's rates apply to one call.
//!
//! The standard price is the last period whose day and hours hold the call, or else the first. A tier, a batch or
//! a speed then takes its place rate by rate; what it leaves out stays standard. A threshold of the prompt's
//! length raises the whole call to its rate, not only the tokens past it: no source knows a marginal one.

use flow_model::{Money, Timestamp};

use crate::table::{Model, Period};
use crate::unit::Unit;

/// Words of the wire for the standard tier.
const STANDARD: &[&str] = &["", "auto", "default", "on_demand", "standard"];

/// How a call was served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode<'a> {
    pub(crate) tier: Option<&'a str>,
    pub(crate) speed: Option<&'a str>,
    pub(crate) is_batch: bool,
}

/// The rates of one call.
pub(crate) struct Applied<'a> {
    standard: Option<&'a Period>,
    variants: Vec<&'a Period>,
    /// Tokens of the prompt.
    input: u64,
    /// What chose among the prices.
    pub(crate) conditions: Vec<String>,
}

/// Chooses among a model's periods.
pub(crate) fn apply<'a>(
    model: &'a Model,
    at: Timestamp,
    mode: Mode<'_>,
    input: u64,
) -> Applied<'a> {
    let plain = || model.prices.iter().filter(|period| period.when.is_none());
    let standard = plain()
        .rfind(|period| period.holds(at))
        .or_else(|| plain().next());
    let mut applied = Applied {
        standard,
        variants: Vec::new(),
        input,
        conditions: Vec::new(),
    };
    for word in mode.words() {
        let fits = |period: &&Period| period.when.as_deref() == Some(&*word) && period.holds(at);
        let variants: Vec<&Period> = model.prices.iter().filter(fits).collect();
        applied.conditions.push(if variants.is_empty() {
            format!("no price for {word}")
        } else {
            word
        });
        applied.variants.extend(variants);
    }
    if applied.is_free() {
        applied.conditions.push("listed as free".to_owned());
    }
    if let Some(hours) = standard.and_then(|period| period.hours) {
        applied.conditions.push(hours.to_string());
    }
    applied
}

// === impl Mode ===

impl Mode<'_> {
    /// Returns the words that variants may have, the most particular first.
    fn words(self) -> Vec<String> {
        let mut words = Vec::new();
        if self.is_batch {
            words.push("batch".to_owned());
        }
        let tier = self.tier.unwrap_or_default().trim().to_lowercase();
        let tier = tier.strip_prefix("on_demand_").unwrap_or(&tier);
        if !STANDARD.contains(&tier) && !words.iter().any(|word| word == tier) {
            words.push(tier.to_owned());
        }
        let speed = self.speed.unwrap_or_default().trim().to_lowercase();
        if !STANDARD.contains(&speed.as_str()) {
            words.push(format!("speed:{speed}"));
        }
        words
    }
}

// === impl Applied ===

impl Applied<'_> {
    /// Returns the rate of a unit, and notes the threshold that it passed.
    pub(crate) fn rate(&mut self, unit: Unit) -> Option<Money> {
        let mut periods = self.variants.iter().copied().chain(self.standard);
        let (rate, over) = periods.find_map(|period| period.rate(unit, self.input))?;
        if let Some(over) = over {
            let condition = format!("input > {over}");
            if !self.conditions.contains(&condition) {
                self.conditions.push(condition);
            }
        }
        Some(rate)
    }

    fn is_free(&self) -> bool {
        let mut rates = self.standard.into_iter().flat_map(|period| {
            let rates = period.over.values().chain([&period.rates]);
            rates.flat_map(|rates| rates.0.iter())
        });
        rates.next().is_some_and(|(_, rate)| *rate == Money::ZERO)
            && rates.all(|(_, rate)| *rate == Money::ZERO)
    }
}
