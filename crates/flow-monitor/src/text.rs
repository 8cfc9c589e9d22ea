//! Numbers and texts for people who read a terminal.

use flow_model::Timestamp;

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
    fn hostile_text_does_not_steer_the_terminal() {
        assert_eq!(line("a\u{1b}[31m\nb", 80), "a [31m b");
        assert_eq!(line("流量监控", 3), "流量…");
        assert_eq!(block("a\u{1b}[2J\n\tb\r"), "a[2J\n\tb");
    }
}
