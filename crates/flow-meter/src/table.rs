//! The price table: one line a model, sorted by provider and id. `cargo xtask prices` writes it.
//!
//! | member | meaning |
//! |---|---|
//! | `provider`, `id` | who serves it, and its name there |
//! | `names`, `not` | further names and patterns, and patterns of names that are others |
//! | `window`, `output_max` | tokens that fit the prompt, and the answer |
//! | `prices` | periods: `rates` in dollars for as many as [`Unit::per`] says |
//! | … `from`, `hours` | the first day, the hours of the day, both in UTC; the last period that fits counts |
//! | … `when` | a tier or speed, which takes the place of the standard one rate by rate |
//! | … `over` | rates of the whole request where its prompt has more tokens than the number |
//! | `sources`, `disputed` | who says so, and what they disagree on |

use std::collections::BTreeMap;

use flow_model::{Money, Timestamp};
use serde::{Deserialize, Deserializer, de};

use crate::unit::Unit;

/// The table itself.
const LINES: &str = include_str!("../prices/table.jsonl");
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// The table as it is compiled in.
pub(crate) struct Table {
    /// Date and versions of the sources.
    pub(crate) version: String,
    /// Sorted by provider and id.
    pub(crate) models: Vec<Model>,
}

/// One model of one provider.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub(crate) provider: Box<str>,
    pub(crate) id: Box<str>,
    #[serde(default)]
    pub(crate) names: Box<[Box<str>]>,
    #[serde(default)]
    pub(crate) not: Box<[Box<str>]>,
    pub(crate) window: Option<u64>,
    pub(crate) output_max: Option<u64>,
    pub(crate) prices: Box<[Period]>,
    pub(crate) disputed: Option<Box<str>>,
}

/// Prices that apply under a condition.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Period {
    pub(crate) when: Option<Box<str>>,
    pub(crate) from: Option<Day>,
    pub(crate) hours: Option<Hours>,
    pub(crate) rates: Rates,
    #[serde(default)]
    pub(crate) over: BTreeMap<u64, Rates>,
}

/// Dollars by unit.
#[derive(Debug, Default)]
pub(crate) struct Rates(pub(crate) Box<[(Unit, Money)]>);

/// A day in UTC, counted from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day(i64);

/// Hours of each day in UTC, as minutes from midnight; they may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hours {
    start: i64,
    end: i64,
}

#[derive(Deserialize)]
struct Head {
    version: String,
}

// === impl Table ===

impl Table {
    /// Reads the table that is compiled in. A line that makes no sense is left out; a test says that there is none.
    pub(crate) fn builtin() -> Self {
        Self::read(LINES)
    }

    fn read(lines: &str) -> Self {
        let mut lines = lines.lines();
        let head: Option<Head> = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        Self {
            version: head.map(|head| head.version).unwrap_or_default(),
            models: lines
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect(),
        }
    }
}

// === impl Period ===

impl Period {
    /// Returns whether the period's days and hours hold an instant.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        let day = at.0.div_euclid(DAY_US);
        let minute = at.0.rem_euclid(DAY_US) / MINUTE_US;
        self.from.is_none_or(|from| from.0 <= day)
            && self.hours.is_none_or(|hours| hours.hold(minute))
    }

    /// Returns the rate of a unit for a prompt of so many tokens, and the threshold that it passed.
    pub(crate) fn rate(&self, unit: Unit, input: u64) -> Option<(Money, Option<u64>)> {
        let passed = self.over.range(..input).rev();
        let mut long = passed.filter_map(|(over, rates)| Some((rates.of(unit)?, Some(*over))));
        long.next().or_else(|| Some((self.rates.of(unit)?, None)))
    }
}

// === impl Rates ===

impl Rates {
    pub(crate) fn of(&self, unit: Unit) -> Option<Money> {
        self.0
            .iter()
            .find(|(one, _)| *one == unit)
            .map(|(_, rate)| *rate)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rates: BTreeMap<Unit, Money> = BTreeMap::deserialize(deserializer)?;
        Ok(Self(rates.into_iter().collect()))
    }
}

// === impl Day ===

impl Day {
    /// Reads `YYYY-MM-DD`, by the common arithmetic of eras of 400 years.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !(1_970..=9_999).contains(&year)
            || !(1..=12).contains(&month)
            || !(1..=31).contains(&day)
        {
            return None;
        }
        let year = if month <= 2 { year - 1 } else { year };
        let of_era = year % 400;
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Some(Self(year / 400 * 146_097 + days - 719_468))
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::parse(text).ok_or_else(|| de::Error::custom("not a day"))
    }
}

// === impl Hours ===

impl Hours {
    /// Reads `HH:MM-HH:MM`.
    fn parse(text: &str) -> Option<Self> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
            let real = (0..24).contains(&hour) && (0..60).contains(&minute);
            real.then_some(hour * 60 + minute)
        };
        let (start, end) = text.split_once('-')?;
        Some(Self {
            start: minute(start)?,
            end: minute(end)?,
        })
    }

    fn hold(self, minute: i64) -> bool {
        if self.end < self.start {
            minute >= self.start || minute < self.end
        } else {
            (self.start..self.end).contains(&minute)
        }
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { start, end } = self;
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02} UTC",
            start / 60,
            start % 60,
            end / 60,
            end % 60
        )
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::parse(text).ok_or_else(|| de::Error::custom("no hours of the day"))
    }
}

#[cfg(test)]
mod tests;
