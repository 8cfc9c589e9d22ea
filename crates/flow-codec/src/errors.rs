//! Errors: their shapes on the wire, and what kind of error they are.
//!
//! | shape | who |
//! |---|---|
//! | `{"error": {"message", "type", "code", "param"}}` | OpenAI and most imitations; `code` may be a number, `status` may stand for `type` |
//! | `{"type": "error", "error": {"type", "message"}}` | Anthropic |
//! | `{"error": {"code", "message", "status", "details"}}`, also as the element of an array | Google |
//! | `{"error": "…", "code": "…"}` | xAI, Ollama |
//! | `{"id", "message"}` | Cohere |
//! | `{"detail": "…"}`, `{"detail": [{"msg"}]}`, `{"object": "error", "message": {"detail": […]}}` | Mistral, some web frameworks |
//! | `{"error": {"code": "1113", "message"}}`, a number that tells what it is | Zhipu |
//! | `{"error": {"message", "code": 403, "metadata": {"raw", "reasons"}}}`, where `raw` is what the provider said | OpenRouter |
//! | `{"errors": [{"code", "message"}]}`, `{"error": ["…"]}` | Cloudflare, Hugging Face |
//! | `{"error_code", "message"}`, `{"error_code", "error_msg"}` | Databricks, Baidu |
//! | `{"message": "…"}`, with `type`, `code` or `statusCode` beside it | gateways |
//! | `{"message": "…"}` or `{"Message": "…"}`, the type in the header `x-amzn-errortype` | Bedrock |
//! | `{"__type": "service#Type", "message": "…", "reason": "…"}` | Kiro and AWS' JSON protocol; the reason is the code |
//! | text or HTML | proxies in between |
//!
//! The wait that a provider asks for is in `retry-after-ms`, `retry-after` (seconds, or a date, counted from the
//! response's own `date`), or in Google's `RetryInfo`.

mod class;

#[cfg(test)]
mod tests;

use flow_model::{Dialect, ErrorClass, ErrorReading, Header, exchange};
use serde_json::Value;

use self::class::{Hints, classify};

/// Characters of a body that is no JSON which are taken as its message.
const TEXT_CHARS_MAX: usize = 1_000;

/// Returns whether a body that came with a good status is an error all the same.
pub(crate) fn is_error(body: &Value) -> bool {
    let error = body.get("error");
    error.is_some_and(|error| match error {
        Value::Object(members) => !members.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => false,
    })
}

/// Returns the reading of an error body.
pub(crate) fn read(
    dialect: Dialect,
    status: u16,
    headers: &[Header],
    body: Option<&Value>,
    text: &str,
) -> ErrorReading {
    let body = match body {
        Some(Value::Array(items)) => items.first(),
        body => body,
    };
    let mut reading = body.map(shape).unwrap_or_default();
    if body.is_none() {
        let text = text.trim();
        reading.message = (!text.is_empty()).then(|| text.chars().take(TEXT_CHARS_MAX).collect());
    }
    let named = || exchange::header(headers, "x-amzn-errortype").map(aws_type);
    reading.kind = reading.kind.or_else(named).filter(|kind| !kind.is_empty());
    reading.status = Some(status);
    reading.retry_after_us = retry_after(headers).or_else(|| body.and_then(retry_info));
    judge(dialect, &mut reading, body);
    let told = exchange::header(headers, "x-should-retry");
    match told.map(str::trim) {
        Some("true") => reading.retryable = Some(true),
        Some("false") => reading.retryable = Some(false),
        _ => {}
    }
    reading
}

/// Returns the reading of an error inside a stream. `error` is the value of the event's `error` member.
pub(crate) fn in_stream(dialect: Dialect, error: &Value) -> ErrorReading {
    let mut wrapped = serde_json::Map::new();
    wrapped.insert("error".to_owned(), error.clone());
    let body = Value::Object(wrapped);
    let mut reading = shape(&body);
    let numbers = ["status_code", "status", "code", "originalStatusCode"];
    reading.status = numbers
        .iter()
        .filter_map(|name| error.get(name).and_then(Value::as_u64))
        .find(|status| (400..600).contains(status))
        .and_then(|status| u16::try_from(status).ok());
    reading.retry_after_us = retry_info(&body);
    judge(dialect, &mut reading, Some(&body));
    reading
}

/// Returns the reading of an error inside a stream whose response has a bad status, which tells more where the
/// event's own words told nothing.
pub(crate) fn with_status(dialect: Dialect, status: u16, known: ErrorReading) -> ErrorReading {
    let mut reading = ErrorReading {
        status: Some(status),
        ..known
    };
    if reading.class == Some(ErrorClass::ServerError) {
        judge(dialect, &mut reading, None);
    }
    reading
}

/// Reads type, code and message out of any of the shapes.
fn shape(body: &Value) -> ErrorReading {
    let word = |value: Option<&Value>| match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let beside = |name: &str| word(body.get(name));
    match body.get("error") {
        Some(error @ Value::Object(_)) => ErrorReading {
            kind: word(error.get("type")).or_else(|| word(error.get("status"))),
            code: word(error.get("code")),
            message: word(error.get("message")).or_else(|| detail(error)),
            ..ErrorReading::default()
        },
        Some(Value::String(message)) => ErrorReading {
            kind: beside("type").or_else(|| beside("error_type")),
            code: beside("code"),
            message: Some(message.clone()),
            ..ErrorReading::default()
        },
        _ => ErrorReading {
            kind: beside("type").or_else(|| beside("__type").map(|kind| aws_type(&kind))),
            code: beside("code")
                .or_else(|| beside("statusCode"))
                .or_else(|| beside("reason"))
                .or_else(|| beside("error_code"))
                .or_else(|| word(first(body, "errors").and_then(|error| error.get("code")))),
            message: detail(body)
                .or_else(|| first(body, "error").and_then(detail_or_text))
                .or_else(|| first(body, "errors").and_then(detail_or_text)),
            ..ErrorReading::default()
        },
    }
}

/// Returns the bare name of a type that AWS writes with its service before or its origin behind it.
fn aws_type(word: &str) -> String {
    let word = word.split(':').next().unwrap_or(word);
    let name = word.rsplit('#').next().unwrap_or(word);
    name.trim().to_owned()
}

/// Returns the message of a body that has it beside everything else.
fn detail(body: &Value) -> Option<String> {
    let names = ["message", "Message", "detail", "msg", "error_msg", "title"];
    let found = names.iter().find_map(|name| body.get(name))?;
    match found {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => detail_or_text(items.first()?),
        Value::Object(_) => detail(found).or_else(|| Some(found.to_string())),
        _ => None,
    }
}

fn detail_or_text(value: &Value) -> Option<String> {
    detail(value).or_else(|| value.as_str().map(str::to_owned))
}

/// Returns the first element of the list with this name.
fn first<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name)?.as_array()?.first()
}

fn judge(dialect: Dialect, reading: &mut ErrorReading, body: Option<&Value>) {
    let reason = body.and_then(google_reason);
    let upstream = body.and_then(upstream);
    let hints = Hints {
        reason: reason.as_deref(),
        upstream: upstream.as_deref(),
    };
    let verdict = classify(dialect, reading, hints);
    reading.class = Some(verdict.class);
    reading.fault = Some(verdict.fault);
    reading.retryable = Some(verdict.retryable);
}

/// Returns what the provider behind OpenRouter said, as text.
fn upstream(body: &Value) -> Option<String> {
    match body.get("error")?.get("metadata")?.get("raw")? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        raw => Some(raw.to_string()),
    }
}

/// Returns the entries of Google's `details`.
fn details(body: &Value) -> impl Iterator<Item = &Value> {
    let list = body.get("error").and_then(|error| error.get("details"));
    list.and_then(Value::as_array).into_iter().flatten()
}

/// Returns the reason or the quota that Google's details name.
fn google_reason(body: &Value) -> Option<String> {
    details(body).find_map(|entry| {
        let violation = entry.get("violations").and_then(|list| list.get(0));
        let named = violation.and_then(|violation| violation.get("quotaId"));
        entry.get("reason").or(named)?.as_str().map(str::to_owned)
    })
}

/// Returns the wait in Google's `RetryInfo`, which is written like `17s` or `1.5s`.
fn retry_info(body: &Value) -> Option<u64> {
    let delay = details(body).find_map(|entry| entry.get("retryDelay")?.as_str())?;
    micros(delay.trim().strip_suffix('s')?, 1e6)
}

/// Returns the wait that headers ask for, in microseconds.
fn retry_after(headers: &[Header]) -> Option<u64> {
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
fn http_date(text: &str) -> Option<u64> {
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
