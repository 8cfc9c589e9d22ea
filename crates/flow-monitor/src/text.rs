//! Numbers and texts for people who read a terminal.

use flow_model::Timestamp;

/// Microseconds of a day.
const DAY_US: i64 = 86_400 * 1_000_000;

/// Returns a duration with the unit that fits: `310 ms`, `9.6 s`, `2 m 12 s`.
pub(crate) fn duration(micros: Option<u64>) -> String {
    let Some(micros) = micros else {
        return "-".to_owned();
    };
    let tenths = micros / 100_000;
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..60_000_000 => format!("{}.{} s", tenths / 10, tenths % 10),
        _ => format!("{} m {} s", micros / 60_000_000, micros / 1_000_000 % 60),
    }
}

/// Returns a count as lists show it: `831`, `98.3k`, `1.24M`.
pub(crate) fn count(count: Option<u64>) -> String {
    let Some(count) = count else {
        return "-".to_owned();
    };
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}.{}k", count / 1_000, count / 100 % 10),
        _ => format!("{}.{:02}M", count / 1_000_000, count / 10_000 % 100),
    }
}

/// Returns an instant as `2026-11-21 14:03:22` in UTC.
pub(crate) fn instant(at: Timestamp) -> String {
    let seconds = at.0.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Returns the instant that a day of UTC (`2026-11-21`) or an age in days (`30d`) names; none where it names none.
pub(crate) fn before(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(days) = text.strip_suffix('d') {
        let age = days.parse::<u32>().ok()?;
        return Some(Timestamp(now.0 - i64::from(age) * DAY_US));
    }
    let mut parts = text.splitn(3, '-').map(|part| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    });
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) {
        return None;
    }
    let days = days(year, month, day);
    // Days that do not exist do not come back as they were.
    (civil(days) == (year, month, day)).then_some(Timestamp(days * DAY_US))
}

/// Returns the number of days since the epoch: what [`civil`] takes apart.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their odd day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (153 * month + 2) / 5 + day - 719_469
}

/// Returns a number of bytes with the unit that fits: `831 B`, `98.3 kB`, `1.2 GB`.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        1_000_000..1_000_000_000 => {
            format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
        }
        _ => format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10),
    }
}

/// Returns year, month and day of a number of days since the epoch (H. Hinnant, "chrono-compatible low-level
/// date algorithms").
const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Returns the text without characters that would steer a terminal, on one line, at most `chars_max` long.
pub(crate) fn line(text: &str, chars_max: usize) -> String {
    let clean = text.chars().map(|character| {
        if character.is_control() || turns(character) {
            ' '
        } else {
            character
        }
    });
    let mut line: String = clean.take(chars_max).collect();
    if text.chars().nth(chars_max).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

/// Returns the text without characters that would steer a terminal; lines and tabs stay.
pub(crate) fn block(text: &str) -> String {
    let keep = |character: &char| {
        (!character.is_control() && !turns(*character)) || matches!(character, '\n' | '\t')
    };
    text.chars().filter(keep).collect()
}

/// Returns whether a character turns the direction of the text around it, so that it reads as another.
const fn turns(character: char) -> bool {
    matches!(character, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_be_turned_around() {
        assert_eq!(line("a\u{202E}b", 9), "a b");
        assert_eq!(block("a\u{202E}b\n"), "ab\n");
    }

    #[test]
    fn numbers_are_short_and_right() {
        assert_eq!(duration(None), "-");
        assert_eq!(duration(Some(310_400)), "310 ms");
        assert_eq!(duration(Some(9_570_000)), "9.5 s");
        assert_eq!(duration(Some(132_000_000)), "2 m 12 s");
        assert_eq!(count(Some(98_340)), "98.3k");
        assert_eq!(count(Some(1_240_000)), "1.24M");
        assert_eq!(count(None), "-");
        assert_eq!(instant(Timestamp(0)), "1970-01-01 00:00:00");
        assert_eq!(
            instant(Timestamp(1_709_210_096_000_000)),
            "2024-02-29 12:34:56"
        );
        assert_eq!(instant(Timestamp(-1_000_000)), "1969-12-31 23:59:59");
    }

    #[test]
    fn a_day_or_an_age_is_an_instant() {
        let now = Timestamp(100 * DAY_US);
        let check = |text: &str, expect: Option<&str>| {
            let found = before(text, now).map(instant);
            assert_eq!(found, expect.map(|day| format!("{day} 00:00:00")), "{text}");
        };
        check("30d", Some("1970-03-12"));
        check("0d", Some("1970-04-11"));
        for day in [
            "1970-01-01",
            "2024-02-29",
            "2026-11-21",
            "2000-03-01",
            "2100-02-28",
            "9999-12-31",
        ] {
            check(day, Some(day));
        }
        for none in [
            "",
            "d",
            "-1d",
            "2026",
            "2026-02-29",
            "2026-13-01",
            "2026-11-31",
            "2026-+1-01",
            "1969-12-31",
            "soon",
        ] {
            check(none, None);
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(bytes(831), "831 B");
        assert_eq!(bytes(98_340), "98.3 kB");
        assert_eq!(bytes(1_270_000), "1.2 MB");
        assert_eq!(bytes(2_000_000_000), "2.0 GB");
    }

    #[test]
    fn hostile_text_does_not_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[31m\nb", 80), "a [31m b");
        assert_eq!(line("流量监控", 3), "流量…");
        assert_eq!(block("a\u{1b}[2J\n\tb\r"), "a[2J\n\tb");
    }
}
