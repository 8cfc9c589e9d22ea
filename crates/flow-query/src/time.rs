//! Instants as RFC 3339 writes them: `2026-09-21T14:13:20.5+02:00`.

use crate::number::Span;

/// Microseconds in a second.
const SECOND_US: i128 = 1_000_000;
/// Seconds in a day.
const DAY_SECONDS: i64 = 86_400;

/// Returns the instant that a text names, in microseconds since the epoch; none where it names none. An instant
/// between two microseconds is a span that is empty.
pub(crate) fn parse(text: &str) -> Option<Span> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = (rest.get(..8)?, rest.get(8..)?);
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|character: char| !character.is_ascii_digit())?;
            rest.split_at_checked(end).filter(|_| end > 0)?
        }
        None => ("", rest),
    };
    let seconds = seconds_of_date(date)? + seconds_of_time(time)? - seconds_of_zone(zone)?;
    let (known, finer) = fraction.split_at_checked(6).unwrap_or((fraction, ""));
    let micros: i128 = format!("{known:0<6}").parse().ok()?;
    let micros = i128::from(seconds) * SECOND_US + micros;
    Some(Span::between(
        micros,
        finer.bytes().all(|byte| byte == b'0'),
    ))
}

fn seconds_of_date(date: &str) -> Option<i64> {
    let (year, month, day) = fields(date, '-', 4)?;
    let long = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if long => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    // Years that begin in March have their odd day at the end, so that months before it have a regular length.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leaps + (153 * month + 2) / 5 + day - 1;
    // So many days lie between the first of March of the year 0 and the epoch.
    Some((days - 719_468) * DAY_SECONDS)
}

fn seconds_of_time(time: &str) -> Option<i64> {
    let (hour, minute, second) = fields(time, ':', 2)?;
    // A leap second is the first of the next minute.
    let known = hour < 24 && minute < 60 && second <= 60;
    known.then_some(hour * 3600 + minute * 60 + second)
}

fn seconds_of_zone(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    Some(sign * seconds_of_time(&format!("{rest}:00"))?)
}

/// Returns three numbers of a fixed width, the first of `first` digits and the others of two.
fn fields(text: &str, separator: char, first: usize) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(separator);
    let mut number = |width: usize| -> Option<i64> {
        let part = parts.next()?;
        let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse().ok()).flatten()
    };
    let found = (number(first)?, number(2)?, number(2)?);
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read() {
        fn check(text: &str, expect: Option<i128>) {
            let found = parse(text).map(|span| span.first);
            assert_eq!(found, expect, "{text}");
        }
        check("1970-01-01T00:00:00Z", Some(0));
        check("1969-12-31T23:59:59.999999Z", Some(-1));
        check("2026-09-21T14:13:20.5+02:00", Some(1_789_992_800_500_000));
        check("2026-09-21 12:13:20.500000Z", Some(1_789_992_800_500_000));
        check("2000-02-29t00:00:00-00:00", Some(951_782_400_000_000));
        check("0000-01-01T00:00:00Z", Some(-62_167_219_200_000_000));
        check("1900-02-29T00:00:00Z", None);
        check("2026-13-01T00:00:00Z", None);
        check("2026-00-01T00:00:00Z", None);
        check("2026-01-00T00:00:00Z", None);
        check("2026-01-01T24:00:00Z", None);
        check("2026-01-01T00:00:00", None);
        check("2026-01-01T00:00:00.Z", None);
        check("2026-01-01T00:00:00+2:00", None);
        check("2026-01-01", None);
        check("+026-01-01T00:00:00Z", None);
        check("２026-01-01T00:00:00Z", None);
        check("", None);
    }

    #[test]
    fn an_instant_between_two_microseconds_is_none_of_them() {
        let span = parse("1970-01-01T00:00:00.0000015Z").unwrap();
        assert_eq!((span.first, span.last), (2, 1));
        let span = parse("1970-01-01T00:00:00.0000010Z").unwrap();
        assert_eq!((span.first, span.last), (1, 1));
    }
}
