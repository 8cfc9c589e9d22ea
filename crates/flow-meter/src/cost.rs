//! The arithmetic of one call.
//!
//! Counts are parts of one another: what was read from a cache is a part of the prompt. A part that has a rate of
//! its own is paid at it and taken out of the whole. A part that has none stays in the whole and is paid at its
//! rate, as both sources of the table do it:
//!
//! | part | without a rate of its own it is paid as |
//! |---|---|
//! | `cache_write_1h` | `cache_write` |
//! | `cache_read_audio` | `cache_read` |
//! | `cache_read`, `cache_write`, `input_audio`, `input_image` | `input` |
//! | `reasoning`, `output_audio`, `output_image` | `output` |
//! | `output` of a model that only makes images | `output_image` |
//!
//! What is counted and has no rate at all stands in `unpriced`.

use flow_model::{Cost, CostLine, Money, Timestamp, Tokens, Units};

use crate::prices::{Found, Prices};
use crate::rates::{self, Applied, Mode};
use crate::unit::Unit;

/// Groq's least length of sound that is paid, in milliseconds.
const GROQ_AUDIO_MS_MIN: u64 = 10_000;

/// One call, as far as its price depends on it.
#[derive(Clone, Copy, Debug)]
pub struct PriceQuery<'a> {
    /// Who served it.
    pub provider: Option<&'a str>,
    /// The model that answered, or else the one that was asked for.
    pub model: &'a str,
    /// When it began.
    pub at: Timestamp,
    /// Tokens that mean the same in every dialect.
    pub tokens: Tokens,
    /// What is counted beside them.
    pub units: &'a Units,
    /// The tier that served it, in the wire's word.
    pub tier: Option<&'a str>,
    /// The speed that it was served at, in the wire's word.
    pub speed: Option<&'a str>,
    /// It was a part of a batch.
    pub is_batch: bool,
}

/// Returns what a call cost; none where its model, or everything it counted, has no price.
pub fn cost(prices: &Prices, query: &PriceQuery<'_>) -> Option<Cost> {
    let tokens = &query.tokens;
    if tokens.input.is_none() && tokens.output.is_none() && query.units.is_empty() {
        return None;
    }
    let found = prices.find(query.provider, query.model)?;
    let mode = Mode {
        tier: query.tier,
        speed: query.speed,
        is_batch: query.is_batch,
    };
    let mut bill = Bill {
        applied: rates::apply(found.model, query.at, mode, tokens.input.unwrap_or(0)),
        lines: Vec::new(),
        unpriced: Vec::new(),
        is_priced: false,
    };
    bill.prompt(tokens);
    bill.answer(tokens);
    bill.units(query.units, tokens, &found.model.provider);
    bill.is_priced.then(|| bill.total(&found))
}

/// A cost in the making.
struct Bill<'a> {
    applied: Applied<'a>,
    lines: Vec<(Unit, CostLine)>,
    unpriced: Vec<String>,
    /// Something that was counted has a price, though it may be nought times it.
    is_priced: bool,
}

// === impl Bill ===

impl Bill<'_> {
    fn prompt(&mut self, tokens: &Tokens) {
        let Some(input) = tokens.input else {
            return;
        };
        let written = tokens.cache_write.unwrap_or(0).min(input);
        let read = tokens.cache_read.unwrap_or(0).min(input);
        // Where reads and writes together are more than the prompt, the writes come on top of it: OpenRouter counts
        // Gemini's storage so.
        let mut beside = written;
        let is_beside = written.saturating_add(read) > input;
        let mut rest = input;
        let writes = if is_beside { &mut beside } else { &mut rest };
        let hour = self.part(Unit::CacheWrite1h, tokens.cache_write_1h, writes);
        self.part(Unit::CacheWrite, Some(written.saturating_sub(hour)), writes);
        let sound = self.part(Unit::CacheReadAudio, tokens.cache_read_audio, &mut rest);
        let read = self.part(Unit::CacheRead, Some(read.saturating_sub(sound)), &mut rest) + sound;
        // Sound that was read from the cache is paid as such, and not again as sound.
        let cached = tokens.cache_read_audio.unwrap_or(0).min(read);
        let audio = tokens.input_audio.unwrap_or(0).saturating_sub(cached);
        self.part(Unit::InputAudio, Some(audio), &mut rest);
        self.part(Unit::InputImage, tokens.input_image, &mut rest);
        self.whole(&[Unit::Input], rest);
    }

    fn answer(&mut self, tokens: &Tokens) {
        let Some(mut rest) = tokens.output else {
            return;
        };
        self.part(Unit::Reasoning, tokens.reasoning, &mut rest);
        self.part(Unit::OutputAudio, tokens.output_audio, &mut rest);
        self.part(Unit::OutputImage, tokens.output_image, &mut rest);
        self.whole(&[Unit::Output, Unit::OutputImage], rest);
    }

    fn units(&mut self, units: &Units, tokens: &Tokens, provider: &str) {
        let made = |(unit, _): &(Unit, CostLine)| matches!(unit, Unit::Output | Unit::OutputImage);
        let answered = self.lines.iter().any(made);
        if let Some(ms) = units.audio_ms.filter(|ms| *ms > 0) {
            let least = if provider == "groq" {
                GROQ_AUDIO_MS_MIN
            } else {
                0
            };
            let paid_by_token = tokens.input.is_some() && self.is_priced;
            self.counted(Unit::AudioHour, Some(ms.max(least)), paid_by_token);
        }
        self.counted(Unit::Image, units.images.filter(|_| !answered), answered);
        self.counted(Unit::Character, units.characters, self.is_priced);
        self.counted(Unit::Search, units.searches, false);
        if let Some(rate) = self.applied.rate(Unit::Request) {
            self.line(Unit::Request, 1, rate);
        }
    }

    /// Takes a part out of the whole where it has a rate of its own, and returns how much was.
    fn part(&mut self, unit: Unit, count: Option<u64>, rest: &mut u64) -> u64 {
        let count = count.unwrap_or(0).min(*rest);
        if count == 0 {
            return 0;
        }
        let Some(rate) = self.applied.rate(unit) else {
            self.applied.conditions.extend(paid_as(unit));
            return 0;
        };
        self.line(unit, count, rate);
        *rest -= count;
        count
    }

    /// Adds what is left of a whole, at the first rate that there is.
    fn whole(&mut self, units: &[Unit], count: u64) {
        let priced = units
            .iter()
            .find_map(|unit| Some((*unit, self.applied.rate(*unit)?)));
        match priced {
            Some((unit, rate)) => self.line(unit, count, rate),
            None if count > 0 => {
                let names = units.first().map(|unit| format!("{count} {}", unit.name()));
                self.unpriced.extend(names);
            }
            None => {}
        }
    }

    /// Adds what is counted beside tokens. It may be left out where the tokens pay for it.
    fn counted(&mut self, unit: Unit, count: Option<u64>, may_be_included: bool) {
        let Some(count) = count.filter(|count| *count > 0) else {
            return;
        };
        match self.applied.rate(unit) {
            Some(rate) => self.line(unit, count, rate),
            None if may_be_included => {}
            None => self.unpriced.push(format!("{count} {}", unit.name())),
        }
    }

    fn line(&mut self, unit: Unit, count: u64, price: Money) {
        self.is_priced = true;
        if count == 0 {
            return;
        }
        let per = unit.per();
        let line = CostLine {
            what: unit.name().to_owned(),
            count,
            price,
            per,
            amount: price.times(count, per),
        };
        self.lines.push((unit, line));
    }

    fn total(mut self, found: &Found<'_>) -> Cost {
        self.lines.sort_by_key(|(unit, _)| *unit);
        let lines: Vec<CostLine> = self.lines.into_iter().map(|(_, line)| line).collect();
        let mut conditions = self.applied.conditions;
        if found.borrowed {
            conditions.push(format!("price of {}", found.model.provider));
        }
        Cost {
            total: lines.iter().map(|line| line.amount).sum(),
            lines,
            price: found.price.clone(),
            version: found.version.to_owned(),
            conditions,
            disputed: found.model.disputed.as_deref().map(str::to_owned),
            unpriced: self.unpriced,
        }
    }
}

/// Returns what is to be said of a part without a rate. That reasoning is paid as the answer is so common that it
/// goes without saying.
fn paid_as(unit: Unit) -> Option<String> {
    let whole = match unit {
        Unit::Reasoning => return None,
        Unit::CacheWrite1h => "cache_write",
        Unit::CacheReadAudio => "cache_read",
        Unit::OutputAudio | Unit::OutputImage => "output",
        _ => "input",
    };
    Some(format!("{} at the price of {whole}", unit.name()))
}

#[cfg(test)]
mod tests;
