//! A model of the table, and its line.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::decimal::Decimal;
use super::pattern;

/// Dollars by what is paid. The names are those of flow-meter; what each is for is in [`UNITS`].
pub(super) type Rates = BTreeMap<&'static str, Decimal>;

/// What can be paid, and how many of it a price is for.
pub(super) const UNITS: &[(&str, i128)] = &[
    ("input", 1_000_000),
    ("output", 1_000_000),
    ("cache_read", 1_000_000),
    ("cache_write", 1_000_000),
    ("cache_write_1h", 1_000_000),
    ("reasoning", 1_000_000),
    ("input_audio", 1_000_000),
    ("output_audio", 1_000_000),
    ("cache_read_audio", 1_000_000),
    ("input_image", 1_000_000),
    ("output_image", 1_000_000),
    ("cache_read_image", 1_000_000),
    ("request", 1_000),
    ("search", 1_000),
    ("image", 1),
    ("audio_hour", 1),
    ("character", 1_000_000),
];

/// One model of one provider.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) provider: String,
    pub(super) id: String,
    /// Further names and patterns of names.
    pub(super) names: Vec<String>,
    /// Patterns of names that are not meant.
    pub(super) not: Vec<String>,
    /// Tokens that fit the prompt.
    pub(super) window: Option<u64>,
    /// Tokens that an answer may have.
    pub(super) output_max: Option<u64>,
    /// The date on which the provider stops serving it.
    pub(super) deprecated: Option<String>,
    pub(super) periods: Vec<Period>,
    pub(super) sources: BTreeSet<&'static str>,
    /// What the two sources disagree on.
    pub(super) disputed: Option<String>,
}

/// Prices that apply under a condition.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Period {
    /// The tier or speed of the request; none for the standard one.
    pub(super) when: Option<String>,
    /// The first day in UTC.
    pub(super) from: Option<String>,
    /// Hours of the day in UTC, such as `00:30-16:30`.
    pub(super) hours: Option<String>,
    pub(super) rates: Rates,
    /// Rates of requests whose prompt has more tokens than the number.
    pub(super) over: BTreeMap<u64, Rates>,
}

/// Returns how many of a unit its price is for.
pub(super) fn per(unit: &str) -> i128 {
    UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map_or(1, |(_, per)| *per)
}

// === impl Model ===

impl Model {
    /// Returns whether a pattern or a name of the model fits, and how much the best one says; an exact name says
    /// most.
    pub(super) fn fit(&self, name: &str) -> Option<usize> {
        if self.is_exactly(name) {
            return Some(usize::MAX);
        }
        if self.not.iter().any(|pattern| pattern::fits(pattern, name)) {
            return None;
        }
        let fitting = self.names.iter().filter(|one| pattern::fits(one, name));
        fitting.map(|one| pattern::weight(one)).max()
    }

    pub(super) fn is_exactly(&self, name: &str) -> bool {
        self.id == name || self.names.iter().any(|one| one == name)
    }

    /// Returns whether a name is the model's own, or a pattern of it with no more than a version added.
    pub(super) fn is_same(&self, name: &str) -> bool {
        let version = |rest: &str| {
            rest.split(['-', '@', ':', '.']).all(|piece| {
                let digits = piece.strip_prefix('v').unwrap_or(piece);
                digits.bytes().all(|byte| byte.is_ascii_digit()) || piece == "latest"
            })
        };
        let mut starts = self.names.iter().map(|one| one.trim_matches('*'));
        self.is_exactly(name) || starts.any(|start| name.strip_prefix(start).is_some_and(version))
    }

    /// Returns the standard prices of a day, hours aside.
    pub(super) fn standard(&self, day: &str) -> Option<&Period> {
        let plain = || {
            let periods = self.periods.iter();
            periods.filter(|period| period.when.is_none() && period.hours.is_none())
        };
        plain()
            .rfind(|period| period.from.as_deref().is_none_or(|from| from <= day))
            .or_else(|| plain().next())
    }

    /// Returns the line of the table.
    pub(super) fn line(&self) -> String {
        let mut line = Map::new();
        line.insert("provider".to_owned(), json!(self.provider));
        line.insert("id".to_owned(), json!(self.id));
        let mut names = self.names.clone();
        names.retain(|name| *name != self.id);
        names.sort();
        names.dedup();
        let mut put = |name: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                line.insert(name.to_owned(), value);
            }
        };
        put("names", json!(names));
        put("not", json!(self.not));
        put("window", json!(self.window));
        put("output_max", json!(self.output_max));
        put("deprecated", json!(self.deprecated));
        put("prices", self.periods.iter().map(Period::value).collect());
        put("sources", json!(self.sources));
        put("disputed", json!(self.disputed));
        Value::Object(line).to_string()
    }
}

// === impl Period ===

impl Period {
    pub(super) fn is_standard(&self) -> bool {
        self.when.is_none() && self.from.is_none() && self.hours.is_none()
    }

    /// Takes out what is said twice: reasoning at the price of the answer, a rate above a threshold that is the
    /// one below it.
    pub(super) fn trim(&mut self) {
        let reasoning = |rates: &Rates| rates.get("reasoning").copied();
        let apart = reasoning(&self.rates) != self.rates.get("output").copied()
            || self
                .over
                .values()
                .any(|rates| reasoning(rates) != rates.get("output").copied());
        if !apart {
            self.rates.remove("reasoning");
            for rates in self.over.values_mut() {
                rates.remove("reasoning");
            }
        }
        self.over.retain(|_, rates| !rates.is_empty());
    }

    fn value(&self) -> Value {
        let mut value = Map::new();
        let conditions = [
            ("when", &self.when),
            ("from", &self.from),
            ("hours", &self.hours),
        ];
        for (name, condition) in conditions {
            if let Some(condition) = condition {
                value.insert(name.to_owned(), json!(condition));
            }
        }
        value.insert("rates".to_owned(), rates(&self.rates));
        if !self.over.is_empty() {
            let over = self
                .over
                .iter()
                .map(|(above, at)| (above.to_string(), rates(at)));
            value.insert("over".to_owned(), Value::Object(over.collect()));
        }
        Value::Object(value)
    }
}

fn rates(rates: &Rates) -> Value {
    let of = |unit: &str| {
        rates
            .get(unit)
            .map(|rate| (unit.to_owned(), json!(rate.to_string())))
    };
    Value::Object(UNITS.iter().filter_map(|(unit, _)| of(unit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(names: &[&str]) -> Model {
        Model {
            provider: "p".to_owned(),
            id: "m".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            not: vec!["*-tts".to_owned()],
            window: Some(1_000),
            output_max: None,
            deprecated: None,
            periods: vec![
                Period {
                    rates: Rates::from([
                        ("output", Decimal::parse("2").unwrap()),
                        ("input", Decimal::ZERO),
                    ]),
                    ..Period::default()
                },
                Period {
                    from: Some("2026-01-01".to_owned()),
                    over: BTreeMap::from([(
                        5,
                        Rates::from([("input", Decimal::parse("1").unwrap())]),
                    )]),
                    ..Period::default()
                },
            ],
            sources: BTreeSet::from(["litellm"]),
            disputed: None,
        }
    }

    #[test]
    fn a_line_has_what_is_known_in_one_order() {
        let expect = "{\"provider\":\"p\",\"id\":\"m\",\"names\":[\"m-*\"],\"not\":[\"*-tts\"],\"window\":1000,\
            \"prices\":[{\"rates\":{\"input\":\"0\",\"output\":\"2\"}},\
            {\"from\":\"2026-01-01\",\"rates\":{},\"over\":{\"5\":{\"input\":\"1\"}}}],\
            \"sources\":[\"litellm\"]}";
        assert_eq!(model(&["m-*", "m"]).line(), expect);
    }

    #[test]
    fn names_fit_with_a_weight() {
        let model = model(&["m-*"]);
        assert_eq!(model.fit("m"), Some(usize::MAX));
        assert_eq!(model.fit("m-mini"), Some(2));
        assert_eq!(model.fit("m-tts"), None);
        assert_eq!(model.fit("n"), None);
    }

    #[test]
    fn the_standard_price_depends_on_the_day() {
        let model = model(&[]);
        let from = |day: &str| model.standard(day).and_then(|period| period.from.clone());
        assert_eq!(from("2025-12-31"), None);
        assert_eq!(from("2026-01-01").as_deref(), Some("2026-01-01"));
    }
}
