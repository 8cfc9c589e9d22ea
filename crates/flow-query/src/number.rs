//! Numbers as filters write them: in the unit that people use for the field, or with a unit behind them.
//!
//! | unit | bare | units |
//! |---|---|---|
//! | count | things | `k` `M` `G` (or `B`); of statuses also a class, `4xx` |
//! | time | milliseconds | `us` `ms` `s` `m` (or `min`) `h` `d` |
//! | bytes | bytes | `B`, `kB` `MB` `GB` (thousands), `KiB` `MiB` `GiB` (1,024) |
//! | money | dollars | `$` in front |
//! | speed | a second | `/s` |
//!
//! The case of a unit does not matter. Numbers are read exactly, never as binary fractions.

use serde_json::Value;

use crate::error::{Echo, ErrorCode, FilterError};
use crate::field::{Field, Kind, Unit};
use crate::time;

/// Digits of a number: more cannot be told apart in any unit.
const DIGITS_MAX: usize = 25;
/// Powers of ten that fit the arithmetic.
const POWER_MAX: u32 = 38;

/// The whole numbers that a written value means: one, or the class `4xx`. A value between two whole numbers is the
/// empty span between them, so that "at least" and "at most" come out right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The smallest whole number that is not below the value.
    pub(crate) first: i128,
    /// The largest whole number that is not above it.
    pub(crate) last: i128,
}

/// Why a text is no number.
enum Fault {
    Number,
    Unit,
    Range,
}

/// A decimal number: digits × 10^exponent.
struct Decimal {
    digits: i128,
    exponent: i32,
}

// === impl Span ===

impl Span {
    /// Returns the value `floor` where it is exact, or else the one between it and the next.
    pub(crate) const fn between(floor: i128, exact: bool) -> Self {
        let first = if exact { floor } else { floor + 1 };
        Self { first, last: floor }
    }

    fn fits(self) -> bool {
        i64::try_from(self.first).is_ok() && i64::try_from(self.last).is_ok()
    }
}

/// Returns what a value of JSON means as a number or time of this field.
pub(crate) fn read(field: Field, value: &Value, at: &str) -> Result<Span, FilterError> {
    let wrong = |code, message: String| FilterError::new(at, code, message).help(help(field));
    let found = match (value, field.kind()) {
        (Value::Number(number), kind) => plain(&number.to_string(), bare(kind)),
        (Value::String(text), Kind::Time) => match time::parse(text) {
            Some(span) => Ok(span),
            None => {
                let message = format!("{} is no instant", Echo(text));
                return Err(wrong(ErrorCode::InvalidTime, message));
            }
        },
        (Value::String(text), kind) => with_unit(field, kind, text),
        (_, _) => {
            let message = format!("{} is compared with a number or a text", field.name());
            return Err(wrong(ErrorCode::WrongType, message));
        }
    };
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = Echo(&text);
    match found {
        Ok(span) if span.fits() => Ok(span),
        Ok(_) | Err(Fault::Range) => {
            let message = format!("{text} is out of range");
            Err(wrong(ErrorCode::InvalidNumber, message))
        }
        Err(Fault::Number) => {
            let message = format!("{text} is no number");
            Err(wrong(ErrorCode::InvalidNumber, message))
        }
        Err(Fault::Unit) => {
            let message = format!("{text} has no unit of {}", field.name());
            Err(wrong(ErrorCode::UnknownUnit, message))
        }
    }
}

/// Returns a number of the field's base unit as a filter writes it; reading it gives the same number.
pub(crate) fn write(kind: Kind, number: i64) -> Value {
    match kind {
        Kind::Number(Unit::Micros) => {
            let (unit, per) = [("s", 1_000_000), ("ms", 1000)]
                .into_iter()
                .find(|(_, per)| number % per == 0)
                .unwrap_or(("us", 1));
            format!("{}{unit}", number / per).into()
        }
        Kind::Number(Unit::PicoDollars) => format!("${}", fraction(number, 12)).into(),
        Kind::Number(Unit::MilliPerSecond) => format!("{}/s", fraction(number, 3)).into(),
        _ => number.into(),
    }
}

/// Returns what can be written for a field, in words.
pub(crate) const fn help(field: Field) -> &'static str {
    match field.kind() {
        Kind::Time => "microseconds since 1970, or \"2026-09-21T14:13:20Z\"",
        Kind::Number(Unit::Micros) => "milliseconds, or a text such as \"1.5s\", \"250ms\", \"2m\"",
        Kind::Number(Unit::Bytes) => "bytes, or a text such as \"4KB\", \"1.5MiB\"",
        Kind::Number(Unit::PicoDollars) => "dollars, or a text such as \"$0.05\"",
        Kind::Number(Unit::MilliPerSecond) => "tokens a second, or a text such as \"50/s\"",
        Kind::Number(Unit::Count) if matches!(field, Field::Status) => {
            "a status, or a class such as \"4xx\""
        }
        Kind::Number(Unit::Count) => "a number, or a text such as \"10k\", \"2M\"",
        Kind::Name | Kind::Names => "a name, with * for any characters",
    }
}

/// Returns how many base units a bare number counts in.
const fn bare(kind: Kind) -> i128 {
    match kind {
        Kind::Number(Unit::Micros | Unit::MilliPerSecond) => 1000,
        Kind::Number(Unit::PicoDollars) => 1_000_000_000_000,
        _ => 1,
    }
}

/// Returns how many base units one of this unit, in lower case, has.
fn multiple(unit: Unit, name: &str) -> Option<i128> {
    Some(match (unit, name) {
        (Unit::Count, "k") => 1000,
        (Unit::Count, "m") => 1_000_000,
        (Unit::Count, "g" | "b") => 1_000_000_000,
        (Unit::Micros, "us" | "\u{b5}s" | "\u{3bc}s") => 1,
        (Unit::Micros, "ms") => 1000,
        (Unit::Micros, "s") => 1_000_000,
        (Unit::Micros, "m" | "min") => 60_000_000,
        (Unit::Micros, "h") => 3_600_000_000,
        (Unit::Micros, "d") => 86_400_000_000,
        (Unit::Bytes, "b") => 1,
        (Unit::Bytes, "k" | "kb") => 1000,
        (Unit::Bytes, "m" | "mb") => 1_000_000,
        (Unit::Bytes, "g" | "gb") => 1_000_000_000,
        (Unit::Bytes, "kib") => 1 << 10,
        (Unit::Bytes, "mib") => 1 << 20,
        (Unit::Bytes, "gib") => 1 << 30,
        (Unit::MilliPerSecond, "/s") => 1000,
        (_, "") => bare(Kind::Number(unit)),
        _ => return None,
    })
}

fn with_unit(field: Field, kind: Kind, text: &str) -> Result<Span, Fault> {
    let Kind::Number(unit) = kind else {
        return Err(Fault::Number);
    };
    let text = text.trim();
    if field == Field::Status
        && let Some(class) = class(text)
    {
        return Ok(class);
    }
    let text = match (unit, text.strip_prefix('$')) {
        (Unit::PicoDollars, Some(rest)) => rest,
        _ => text,
    };
    let end = text
        .find(|character: char| !matches!(character, '0'..='9' | '.' | '-'))
        .unwrap_or(text.len());
    let (number, name) = text.split_at_checked(end).ok_or(Fault::Number)?;
    if number.is_empty() {
        return Err(Fault::Number);
    }
    let name = name.trim_start().to_lowercase();
    plain(number, multiple(unit, &name).ok_or(Fault::Unit)?)
}

/// Returns the statuses of a class such as `4xx`.
fn class(text: &str) -> Option<Span> {
    let digit = text
        .strip_suffix("xx")
        .or_else(|| text.strip_suffix("XX"))?;
    let digit: u8 = digit.parse().ok().filter(|digit| (1..=9).contains(digit))?;
    let first = i128::from(digit) * 100;
    Some(Span {
        first,
        last: first + 99,
    })
}

/// Returns a decimal number times the base units that it counts.
fn plain(text: &str, multiple: i128) -> Result<Span, Fault> {
    let decimal = decimal(text)?;
    let number = decimal.digits.checked_mul(multiple).ok_or(Fault::Range)?;
    let power = decimal.exponent.unsigned_abs();
    if number == 0 {
        return Ok(Span::between(0, true));
    }
    if power > POWER_MAX {
        return match decimal.exponent {
            ..0 => Ok(Span::between(if number < 0 { -1 } else { 0 }, false)),
            _ => Err(Fault::Range),
        };
    }
    let power = 10_i128.pow(power);
    if decimal.exponent >= 0 {
        let number = number.checked_mul(power).ok_or(Fault::Range)?;
        return Ok(Span::between(number, true));
    }
    let exact = number % power == 0;
    Ok(Span::between(number.div_euclid(power), exact))
}

/// Reads digits with a point, and the exponent that JSON's numbers may have.
fn decimal(text: &str) -> Result<Decimal, Fault> {
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, exponent.parse().map_err(|_| Fault::Number)?),
        None => (text, 0),
    };
    let (minus, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::Number);
    }
    let significant = digits.trim_start_matches('0');
    if significant.len() > DIGITS_MAX {
        return Err(Fault::Range);
    }
    let number: i128 = format!("0{significant}")
        .parse()
        .map_err(|_| Fault::Range)?;
    let places = i32::try_from(part.len()).map_err(|_| Fault::Range)?;
    Ok(Decimal {
        digits: if minus { -number } else { number },
        exponent: i32::saturating_sub(exponent, places),
    })
}

/// Returns a number of fractions of 10^places as a decimal number without needless zeros.
fn fraction(number: i64, places: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, part) = digits
        .split_at_checked(digits.len().saturating_sub(places))
        .unwrap_or((&digits, ""));
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests;
