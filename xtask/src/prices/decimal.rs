//! Decimal numbers, exact to 15 places.

use std::fmt;

/// Decimal places that are kept.
const PLACES: i32 = 15;

/// An amount of dollars. The table holds it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decimal(i128);

impl Decimal {
    pub(super) const ZERO: Self = Self(0);

    /// Reads a decimal number such as `0.15`, or with an exponent. Places past the fifteenth are no price.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
            None => (text, 0),
        };
        let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let places = places.trim_end_matches('0');
        let number: i128 = format!("{whole}{places}").parse().ok()?;
        let shift = PLACES + exponent - i32::try_from(places.len()).ok()?;
        let factor = 10_i128.checked_pow(shift.unsigned_abs())?;
        if shift >= 0 {
            number.checked_mul(factor).map(Self)
        } else {
            (number % factor == 0).then_some(Self(number / factor))
        }
    }

    /// Returns the decimal number that a binary one stands for: eleven digits are more than any price has, and
    /// hide the noise of sums and quotients.
    pub(super) fn from_float(value: f64) -> Option<Self> {
        Self::parse(&format!("{value:.10e}"))
    }

    pub(super) fn times(self, factor: i128) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// Returns whether two amounts differ by no more than one part of so many.
    pub(super) fn is_near(self, other: Self, parts: i128) -> bool {
        self.0.abs_diff(other.0) <= (self.0 / parts).unsigned_abs()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_i128.pow(PLACES.unsigned_abs());
        let text = format!("{}.{:015}", self.0 / unit, self.0 % unit);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Option<Decimal>, expect: &str) {
        assert_eq!(found.map(|one| one.to_string()).unwrap_or_default(), expect);
    }

    #[test]
    fn numbers_are_read_exactly() {
        check(Decimal::parse("0.150"), "0.15");
        check(Decimal::parse("10"), "10");
        check(Decimal::parse("1e-9"), "0.000000001");
        check(Decimal::parse("none"), "");
        check(
            Decimal::from_float(1.5e-7).map(|one| one.times(1_000_000)),
            "0.15",
        );
        check(Decimal::from_float(0.1 + 0.2), "0.3");
        check(Decimal::from_float(0.0), "0");
    }
}
