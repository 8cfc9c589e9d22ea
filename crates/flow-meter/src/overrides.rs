//! Prices that the user gives.

use std::collections::BTreeMap;

use flow_model::Money;
use serde::Deserialize;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde_json::{Map, Value};

use crate::pattern;
use crate::table::{Model, Period, Rates};
use crate::unit::Unit;

/// A price that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The prices of a model are no object.
    #[error("prices of `{model}`: an object of dollars by unit is expected")]
    NoObject {
        /// The pattern.
        model: String,
    },
    /// A member names nothing that is paid.
    #[error("prices of `{model}`: `{unit}` is nothing that has a price")]
    Unit {
        /// The pattern.
        model: String,
        /// The member.
        unit: String,
    },
    /// A price is no amount.
    #[error("prices of `{model}`: `{unit}` is no amount of dollars from 0 on")]
    Amount {
        /// The pattern.
        model: String,
        /// The member.
        unit: String,
    },
}

/// One pattern and its prices.
pub(crate) struct Override {
    /// A model whose id is the pattern.
    pub(crate) model: Model,
}

/// Reads the user's prices.
pub(crate) fn read(prices: &Map<String, Value>) -> Result<Vec<Override>, OverrideError> {
    prices
        .iter()
        .map(|(model, rates)| Override::read(model, rates))
        .collect()
}

// === impl Override ===

impl Override {
    fn read(model: &str, rates: &Value) -> Result<Self, OverrideError> {
        let members = rates.as_object().ok_or_else(|| OverrideError::NoObject {
            model: model.to_owned(),
        })?;
        let amount = |unit: &str| OverrideError::Amount {
            model: model.to_owned(),
            unit: unit.to_owned(),
        };
        let mut read = BTreeMap::new();
        let mut limits = [None, None];
        for (name, value) in members {
            let limit = match name.as_str() {
                "window" => Some(0),
                "output_max" => Some(1),
                _ => None,
            };
            if let Some(limit) = limit.and_then(|at: usize| limits.get_mut(at)) {
                *limit = Some(value.as_u64().ok_or_else(|| amount(name))?);
                continue;
            }
            let unit: Result<Unit, ValueError> = Unit::deserialize(StrDeserializer::new(name));
            let unit = unit.map_err(|_| OverrideError::Unit {
                model: model.to_owned(),
                unit: name.clone(),
            })?;
            read.insert(unit, money(value).ok_or_else(|| amount(name))?);
        }
        let [window, output_max] = limits;
        let period = Period {
            rates: Rates(read.into_iter().collect()),
            ..Period::default()
        };
        let id = model.trim().to_lowercase().into_boxed_str();
        Ok(Self {
            model: Model {
                provider: Box::default(),
                id,
                names: Box::default(),
                not: Box::default(),
                window,
                output_max,
                prices: Box::new([period]),
                disputed: None,
            },
        })
    }

    /// Returns whether the pattern fits a model, alone or with the provider in front of it.
    pub(crate) fn fits(&self, provider: &str, model: &str) -> bool {
        let pattern = &*self.model.id;
        let rest = pattern
            .strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix('/'));
        pattern::fits(pattern, model)
            || rest.is_some_and(|rest| !provider.is_empty() && pattern::fits(rest, model))
    }

    /// Returns how much the pattern says; a plain name says more than any pattern.
    pub(crate) fn weight(&self) -> (bool, usize) {
        (
            !pattern::is_pattern(&self.model.id),
            pattern::weight(&self.model.id),
        )
    }
}

/// Reads an amount of dollars, written as a text or as a number.
fn money(value: &Value) -> Option<Money> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let money: Money = text.parse().ok()?;
    (money >= Money::ZERO).then_some(money)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(prices: &Value, expect: &str) {
        let read = read(prices.as_object().unwrap());
        assert_eq!(
            read.err()
                .map(|error| error.to_string())
                .unwrap_or_default(),
            expect
        );
    }

    #[test]
    fn prices_are_numbers_or_texts() {
        check(
            &json!({"m": {"input": 3, "output": "15", "cache_read": 0.3, "window": 9, "output_max": 3}}),
            "",
        );
        check(
            &json!({"m": 3}),
            "prices of `m`: an object of dollars by unit is expected",
        );
        check(
            &json!({"m": {"inptu": 3}}),
            "prices of `m`: `inptu` is nothing that has a price",
        );
        check(
            &json!({"m": {"input": -3}}),
            "prices of `m`: `input` is no amount of dollars from 0 on",
        );
        check(
            &json!({"m": {"input": "x"}}),
            "prices of `m`: `input` is no amount of dollars from 0 on",
        );
        check(
            &json!({"m": {"window": "x"}}),
            "prices of `m`: `window` is no amount of dollars from 0 on",
        );
    }

    #[test]
    fn patterns_may_name_a_provider() {
        let prices = json!({"openai/GPT-*": {"input": 1}});
        let read = read(prices.as_object().unwrap()).unwrap();
        assert!(read[0].fits("openai", "gpt-9"));
        assert!(read[0].fits("openrouter", "openai/gpt-9"));
        assert!(!read[0].fits("azure", "gpt-9"));
    }
}
