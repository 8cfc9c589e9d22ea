//! Money, exact.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Parts of a US dollar in one unit of [`Money`]: a price of a token has up to 13 decimal places.
const UNITS: i128 = 1_000_000_000_000_000;
/// Decimal places of [`UNITS`].
const PLACES: usize = 15;

/// An amount of US dollars, in femtodollars (10⁻¹⁵). Written as a decimal string, such as `0.0123`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String))]
pub struct Money(i128);

/// A text that is no amount of dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseMoneyError;

/// What a call cost, and how that was computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cost {
    /// The sum of the lines.
    pub total: Money,
    /// The arithmetic.
    pub lines: Vec<CostLine>,
    /// The price that was applied, such as `anthropic/claude-sonnet-4-5`.
    pub price: String,
    /// Version of the price table, or `user` for a price of the user's own.
    pub version: String,
    /// What chose among the model's prices, such as `batch` or `input > 200000`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// The two sources of the price table disagree on this price; their difference in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed: Option<String>,
    /// Something that was counted has no price, so that the total is too low; what, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpriced: Vec<String>,
}

/// One line of the arithmetic: `count` × `price` ÷ `per` = `amount`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CostLine {
    /// What is counted, such as `input` or `cache_read`.
    pub what: String,
    /// How many.
    pub count: u64,
    /// Dollars for `per` of them.
    pub price: Money,
    /// Number that the price is for: 1,000,000 for tokens.
    pub per: u64,
    /// Dollars.
    pub amount: Money,
}

impl fmt::Display for ParseMoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount of dollars: a decimal number with at most 15 places is expected")
    }
}

impl std::error::Error for ParseMoneyError {}

// === impl Money ===

impl Money {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Returns the amount of so many femtodollars.
    pub const fn from_femtos(femtos: i128) -> Self {
        Self(femtos)
    }

    /// Returns the amount in femtodollars.
    pub const fn femtos(self) -> i128 {
        self.0
    }

    /// Returns `count` times this price, which is for `per` of them; rounded to the nearest femtodollar.
    #[must_use]
    pub const fn times(self, count: u64, per: u64) -> Self {
        let per = if per == 0 { 1 } else { per as i128 };
        let product = self.0.saturating_mul(count as i128);
        Self(product.saturating_add(per / 2).div_euclid(per))
    }

    /// Returns the amount in dollars, for charts and comparisons; not exact.
    #[expect(clippy::cast_precision_loss, reason = "an approximation by name")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / UNITS as f64
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let absolute = self.0.unsigned_abs();
        let units = UNITS.unsigned_abs();
        let places = format!("{:0width$}", absolute % units, width = PLACES);
        let places = places.trim_end_matches('0');
        let point = if places.is_empty() { "" } else { "." };
        write!(f, "{sign}{}{point}{places}", absolute / units)
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    /// Reads a decimal number, also one with an exponent such as `1.5e-07`.
    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
                (mantissa, exponent.parse().map_err(|_| ParseMoneyError)?)
            }
            None => (text, 0_i32),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, mantissa),
        };
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{places}");
        let is_number = !all.is_empty() && all.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || all.len() > 30 {
            return Err(ParseMoneyError);
        }
        let number: i128 = all.parse().map_err(|_| ParseMoneyError)?;
        let places = i32::try_from(places.len()).map_err(|_| ParseMoneyError)?;
        let shift = exponent
            .checked_sub(places)
            .and_then(|shift| shift.checked_add(15))
            .ok_or(ParseMoneyError)?;
        let factor = 10_i128
            .checked_pow(shift.unsigned_abs())
            .ok_or(ParseMoneyError)?;
        let femtos = if shift >= 0 {
            number.checked_mul(factor).ok_or(ParseMoneyError)?
        } else if number % factor == 0 {
            number / factor
        } else {
            return Err(ParseMoneyError);
        };
        Ok(Self(sign * femtos))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let found = text.parse::<Money>().ok().map(|money| money.to_string());
        assert_eq!(found.as_deref(), expect, "{text}");
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        check("0", Some("0"));
        check("3", Some("3"));
        check("0.15", Some("0.15"));
        check("1.50", Some("1.5"));
        check("1.5e-07", Some("0.00000015"));
        check("2.5E+1", Some("25"));
        check("-0.5", Some("-0.5"));
        check("0.0000000000000001", None);
        check("1e-400000000000", None);
        check("1e400", None);
        check("", None);
        check(".", None);
        check("1.2.3", None);
        check("0x1", None);
        check("1000000000", Some("1000000000"));
    }

    #[test]
    fn prices_are_multiplied_exactly() {
        let price: Money = "0.15".parse().unwrap();
        assert_eq!(price.times(1_234, 1_000_000).to_string(), "0.0001851");
        assert_eq!(price.times(0, 1_000_000), Money::ZERO);
        assert_eq!(price.times(1, 0), price);
        let third: Money = "1".parse().unwrap();
        assert_eq!(third.times(1, 3).to_string(), "0.333333333333333");
    }

    #[test]
    fn money_is_a_string_in_json() {
        let money: Money = serde_json::from_str("\"0.25\"").unwrap();
        assert_eq!(serde_json::to_string(&money).unwrap(), "\"0.25\"");
        assert!((money.dollars() - 0.25).abs() < 1e-12);
    }
}
