//! The wait that a provider asks for.
//!
//! | where | who |
//! |---|---|
//! | `retry-after-ms` | OpenAI, Azure |
//! | `retry-after` in seconds, or as a date, counted from the response's own `date` | all |
//! | `RetryInfo.retryDelay`, such as `17.5s` | Google |
//! | `retry_after`, `resets_in_seconds` in the body | gateways, OpenAI with a `ChatGPT` login |
//! | "try again in 1m2.5s" in the message | OpenAI, Groq, Azure, Google |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`super::MESSAGE_BYTES_MAX`] | 8 KiB of a message are searched | the rest is not |

use flow_model::{Header, exchange};
use serde_json::Value;

use super::{details, start};

/// Members of a body or of its error that hold seconds to wait.
const SECONDS: [&str; 4] = [
    "retry_after",
    "retry_after_seconds",
    "retryAfter",
    "resets_in_seconds",
];
/// Words in front of a wait, in lower case.
const BEFORE: [&str; 3] = ["try again in ", "retry in ", "retry after "];

/// Returns the wait that a response asks for, in microseconds.
pub(super) fn asked(
    headers: &[Header],
    body: Option<&Value>,
    message: Option<&str>,
) -> Option<u64> {
    in_headers(headers)
        .or_else(|| body.and_then(in_body))
        .or_else(|| message.and_then(in_words))
}

/// Returns the wait in a body.
fn in_body(body: &Value) -> Option<u64> {
    let delay = details(body).find_map(|entry| entry.get("retryDelay")?.as_str());
    let told = delay.and_then(|delay| micros(delay.trim().strip_suffix('s')?, 1e6));
    told.or_else(|| {
        let places = [body.get("error"), Some(body)];
        places.into_iter().flatten().find_map(seconds)
    })
}

fn seconds(place: &Value) -> Option<u64> {
    let found = SECONDS.iter().find_map(|name| place.get(name))?;
    match found {
        Value::Number(number) => micros(&number.to_string(), 1e6),
        Value::String(text) => micros(text, 1e6),
        _ => None,
    }
}

/// Returns the wait that a message tells, such as `1m2.5s`, `20ms` or `3 seconds`.
fn in_words(message: &str) -> Option<u64> {
    let lower = start(message).to_ascii_lowercase();
    let found = BEFORE
        .iter()
        .find_map(|words| Some(lower.find(words)? + words.len()))?;
    let mut rest = lower.get(found..)?;
    let mut total: Option<u64> = None;
    loop {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let (number, behind) = rest.split_at(digits.unwrap_or(rest.len()));
        let unit_start = behind.trim_start();
        let letters = unit_start.find(|letter: char| !letter.is_ascii_alphabetic());
        let (unit, behind) = unit_start.split_at(letters.unwrap_or(unit_start.len()));
        let scale = match unit {
            "h" | "hour" | "hours" => 3.6e9,
            "m" | "min" | "minute" | "minutes" => 6e7,
            "s" | "sec" | "second" | "seconds" => 1e6,
            "ms" | "millisecond" | "milliseconds" => 1e3,
            _ => return total,
        };
        let Some(wait) = micros(number.trim_end_matches('.'), scale) else {
            return total;
        };
        total = Some(total.unwrap_or(0).saturating_add(wait));
        rest = behind;
    }
}

/// Returns the wait that headers ask for, in microseconds.
fn in_headers(headers: &[Header]) -> Option<u64> {
    let millis = exchange::header(headers, "retry-after-ms");
    if let Some(wait) = millis.and_then(|value| micros(value, 1e3)) {
        return Some(wait);
    }
    let value = exchange::header(headers, "retry-after")?.trim();
    micros(value, 1e6).or_else(|| {
        let until = http_date(value)?;
        let now = http_date(exchange::header(headers, "date")?.trim())?;
        Some(until.saturating_sub(now).saturating_mul(1_000_000))
    })
}

/// Returns a number of units of `scale` microseconds each.
fn micros(text: &str, scale: f64) -> Option<u64> {
    let count: f64 = text.trim().parse().ok()?;
    let micros = count * scale;
    // Longer than a year is no wait that anybody means.
    let sane = micros.is_finite() && (0.0..3.2e13).contains(&micros);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was just checked"
    )]
    sane.then_some(micros.round() as u64)
}

/// Returns the seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn http_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, date) = text.split_once(", ")?;
    let mut words = date.split_ascii_whitespace();
    let day: u64 = words.next()?.parse().ok()?;
    let word = words.next()?;
    let month = MONTHS.iter().position(|month| *month == word)? as u64 + 1;
    let year: u64 = words.next()?.parse().ok()?;
    let clock = words.next()?;
    let mut seconds = 0;
    for part in clock.split(':') {
        seconds = seconds * 60 + part.parse::<u64>().ok().filter(|part| *part < 62)?;
    }
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) || seconds > 86_400 {
        return None;
    }
    // Days since 1 March of the year 0, which puts the leap day at a year's end.
    let (years, shifted) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = years * 365 + years / 4 - years / 100 + years / 400 + (shifted * 153 + 2) / 5 + day;
    Some(days.checked_sub(719_469)? * 86_400 + seconds)
}
