//! Decimal numbers that are added without rounding: credits come as `0.34`, one event after another.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`DIGITS_MAX`] | 18 digits behind the point | the rest is left out |
//! | [`WHOLE_MAX`] | a million million credits | it is no number of credits |

/// Digits behind the point.
const DIGITS_MAX: usize = 18;
/// Parts of one, as many as there are digits.
const ONE: u128 = 1_000_000_000_000_000_000;
/// Credits that one number may stand for.
const WHOLE_MAX: u128 = 1_000_000_000_000;

/// Returns the sum of two decimal numbers; the first one where the second is none.
pub(super) fn add(sum: Option<&str>, more: &str) -> Option<String> {
    let Some(more) = parse(more) else {
        return sum.map(str::to_owned);
    };
    let known = sum.and_then(parse).unwrap_or(0);
    Some(spell(known.saturating_add(more)))
}

/// Returns the parts of one that a number stands for.
fn parse(text: &str) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    // The point is moved within the digits, so that no digit is lost before it has to be.
    let digits = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let kept = point.checked_add(i32::try_from(DIGITS_MAX).ok()?)?;
    let Ok(kept) = usize::try_from(kept) else {
        return Some(0);
    };
    let significant = digits.trim_start_matches('0');
    let kept = kept.saturating_sub(digits.len() - significant.len());
    // 18 digits behind the point and 13 before it.
    if kept > DIGITS_MAX + 13 {
        return significant.is_empty().then_some(0);
    }
    let mut parts: u128 = 0;
    for at in 0..kept {
        let digit = significant
            .as_bytes()
            .get(at)
            .map_or(0, |digit| digit - b'0');
        parts = parts * 10 + u128::from(digit);
    }
    (parts <= WHOLE_MAX * ONE).then_some(parts)
}

fn spell(parts: u128) -> String {
    let (whole, fraction) = (parts / ONE, parts % ONE);
    let text = format!("{whole}.{fraction:0DIGITS_MAX$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_are_added_without_rounding() {
        let check = |numbers: &[&str], expect: Option<&str>| {
            let sum = numbers
                .iter()
                .fold(None, |sum: Option<String>, more| add(sum.as_deref(), more));
            assert_eq!(sum.as_deref(), expect, "{numbers:?}");
        };
        check(&["0.34"], Some("0.34"));
        check(&["0.1", "0.2"], Some("0.3"));
        check(&["1", "0"], Some("1"));
        check(&["10.50", "0.007"], Some("10.507"));
        check(&["0.17300000000000001"], Some("0.17300000000000001"));
        check(&["3.4e-1", "1E2", "0.5e1"], Some("105.34"));
        check(&["1e-30", "0.0000000000000000001"], Some("0"));
        check(&["1e900", "-1", "x", "", ".5", "1e"], None);
        check(&["0e900"], Some("0"));
        check(&["999999999999", "x"], Some("999999999999"));
        check(&["1000000000001"], None);
    }

    proptest! {
        #[test]
        fn thousandths_add_up(numbers in prop::collection::vec(0..100_000_u32, 1..20)) {
            let spelled = numbers.iter().map(|n| format!("{}.{:03}", n / 1000, n % 1000));
            let sum = spelled.fold(None, |sum: Option<String>, more| add(sum.as_deref(), &more));
            let all: u32 = numbers.iter().sum();
            prop_assert_eq!(parse(&sum.unwrap()), Some(u128::from(all) * (ONE / 1000)));
        }

        #[test]
        fn nothing_panics(text in "[-0-9.eE]{0,60}") {
            add(Some("1"), &text);
        }
    }
}
