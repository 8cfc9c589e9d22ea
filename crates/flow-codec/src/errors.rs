//! Errors: their shapes on the wire, and what kind of error they are.
//!
//! | shape | who |
//! |---|---|
//! | `{"error": {"message", "type", "code", "param"}}` | OpenAI and most imitations; `code` may be a number, `status` may stand for `type` |
//! | `{"error": {"code", "message", "innererror": {"code"}}}` | Azure |
//! | `{"type": "error", "error": {"type", "message"}}` | Anthropic |
//! | `{"error": {"code", "message", "status", "details"}}`, also as the element of an array | Google |
//! | `{"error": "…", "code": "…"}` | xAI, Ollama |
//! | `{"id", "message"}` | Cohere |
//! | `{"detail": "…"}`, `{"detail": [{"msg"}]}`, `{"object": "error", "message": {"detail": […]}}` | Mistral, some web frameworks |
//! | `{"error": {"code": "1113", "message"}}`, a number that tells what it is | Zhipu |
//! | `{"error": {"message", "code": 403, "metadata": {"raw", "reasons"}}}`, where `raw` is what the provider said | OpenRouter |
//! | `{"errors": [{"code", "message"}]}`, `{"error": ["…"]}` | Cloudflare, Hugging Face |
//! | `{"error_code", "message"}`, `{"error_code", "error_msg"}` | Databricks, Baidu |
//! | `{"fault": {"faultstring"}}` | Apigee |
//! | `{"error": "…", "error_description" or "message": "…"}`, where the first is the type | logins, web frameworks |
//! | `{"message": "…"}`, with `type`, `code` or `statusCode` beside it | gateways |
//! | `{"message": "…"}` or `{"Message": "…"}`, the type in the header `x-amzn-errortype` | Bedrock |
//! | `{"__type": "service#Type", "message": "…", "reason": "…"}` | Kiro and AWS' JSON protocol; the reason is the code |
//! | text, or HTML, whose title is the message | proxies in between |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`TEXT_CHARS_MAX`] | 1,000 characters of text in place of JSON | the rest is not in the message |
//! | [`MESSAGE_BYTES_MAX`] | 8 KiB of a message or a page are searched | the rest says nothing |
//! | [`REASONS_MAX`] | 32 reasons beside type and code | the rest says nothing |

mod class;
mod wait;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use flow_model::{Dialect, ErrorClass, ErrorReading, Header, exchange};
use serde_json::Value;

use self::class::{Hints, classify};

/// Characters of a body that is no JSON which are taken as its message.
const TEXT_CHARS_MAX: usize = 1_000;
/// Bytes of a message or a page that are searched.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Reasons beside type and code that are looked at.
const REASONS_MAX: usize = 32;

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
        let text = title(text).unwrap_or(text).trim();
        reading.message = (!text.is_empty()).then(|| text.chars().take(TEXT_CHARS_MAX).collect());
    }
    if reading.kind.is_none() {
        let told = exchange::header(headers, "x-amzn-errortype");
        reading.kind = told.and_then(aws_name);
    }
    reading.status = Some(status);
    reading.retry_after_us = wait::asked(headers, body, reading.message.as_deref());
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
    reading.retry_after_us = wait::asked(&[], Some(&body), reading.message.as_deref());
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
    let beside = |name: &str| word(body.get(name));
    let fault = body.get("fault").filter(|fault| fault.is_object());
    match body.get("error").or(fault) {
        Some(error @ Value::Object(_)) => ErrorReading {
            kind: word(error.get("type")).or_else(|| word(error.get("status"))),
            code: word(error.get("code")),
            message: word(error.get("message"))
                .or_else(|| detail(error))
                .or_else(|| beside("message")),
            ..ErrorReading::default()
        },
        Some(Value::String(error)) if !error.is_empty() => {
            let message = beside("error_description").or_else(|| beside("message"));
            let kind = beside("type").or_else(|| beside("error_type"));
            ErrorReading {
                // The words in its place are the type where the message stands beside them.
                kind: kind.or_else(|| message.as_ref().map(|_| error.clone())),
                code: beside("code"),
                message: message.or_else(|| Some(error.clone())),
                ..ErrorReading::default()
            }
        }
        _ => bare(body),
    }
}

/// Reads type, code and message out of a body that has them at its top, or in the first of a list of errors.
fn bare(body: &Value) -> ErrorReading {
    let beside = |name: &str| word(body.get(name));
    let first = |name: &str| body.get(name)?.as_array()?.first();
    let listed = first("error").or_else(|| first("errors"));
    let of_listed = |name: &str| word(listed?.get(name));
    ErrorReading {
        kind: beside("type")
            .or_else(|| aws_name(body.get("__type")?.as_str()?))
            .or_else(|| of_listed("type")),
        code: beside("code")
            .or_else(|| beside("statusCode"))
            .or_else(|| beside("reason"))
            .or_else(|| beside("error_code"))
            .or_else(|| of_listed("code")),
        message: detail(body).or_else(|| text_or_detail(listed?)),
        ..ErrorReading::default()
    }
}

fn word(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns the name of an error of AWS without its namespace in front and the address behind it.
fn aws_name(word: &str) -> Option<String> {
    let name = word.split(':').next().unwrap_or(word);
    let name = name.rsplit('#').next().unwrap_or(name).trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns the title of a page.
fn title(text: &str) -> Option<&str> {
    let page = start(text.trim_start());
    if !page.starts_with('<') {
        return None;
    }
    // Offsets stay the same, because only ASCII letters change.
    let lower = page.to_ascii_lowercase();
    let from = lower.find("<title>")? + "<title>".len();
    let length = lower.get(from..)?.find("</title>")?;
    let title = page.get(from..)?.get(..length)?;
    (!title.trim().is_empty()).then_some(title)
}

/// Returns the start of a text that is worth a search.
fn start(text: &str) -> &str {
    let end = text.floor_char_boundary(MESSAGE_BYTES_MAX);
    text.get(..end).unwrap_or(text)
}

/// Returns the message of a body that has it beside everything else.
fn detail(body: &Value) -> Option<String> {
    let names = [
        "message",
        "Message",
        "faultstring",
        "detail",
        "msg",
        "error_msg",
        "title",
    ];
    names.iter().find_map(|name| match body.get(name)? {
        Value::Array(items) => text_or_detail(items.first()?),
        found @ Value::Object(_) => detail(found).or_else(|| Some(found.to_string())),
        found => text_or_detail(found),
    })
}

fn text_or_detail(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| text.clone()),
        value => detail(value),
    }
}

fn judge(dialect: Dialect, reading: &mut ErrorReading, body: Option<&Value>) {
    let hints = body.map_or_else(Hints::default, |body| Hints {
        reasons: reasons(body),
        upstream: upstream(body),
    });
    let verdict = classify(dialect, reading, &hints);
    reading.class = Some(verdict.class);
    reading.fault = Some(verdict.fault);
    reading.retryable = Some(verdict.retryable);
}

/// Returns what the provider behind OpenRouter said, as text.
fn upstream(body: &Value) -> Option<Cow<'_, str>> {
    match body.get("error")?.get("metadata")?.get("raw")? {
        Value::String(text) => Some(text.into()),
        Value::Null => None,
        raw => Some(raw.to_string().into()),
    }
}

/// Returns the entries of Google's `details`.
fn details(body: &Value) -> impl Iterator<Item = &Value> {
    let list = body.get("error").and_then(|error| error.get("details"));
    list.and_then(Value::as_array).into_iter().flatten()
}

/// Returns what is named beside type and code: the reasons and quotas of Google's details, Azure's inner error,
/// Kiro's reason.
fn reasons(body: &Value) -> Vec<&str> {
    let error = body.get("error");
    let inner = error.and_then(|error| error.get("innererror")?.get("code"));
    let beside = [
        inner,
        body.get("reason"),
        error.and_then(|error| error.get("reason")),
    ];
    let quotas = details(body).flat_map(|entry| {
        let violations = entry.get("violations").and_then(Value::as_array);
        let named = violations.into_iter().flatten();
        named.filter_map(|violation| violation.get("quotaId"))
    });
    let named = details(body).filter_map(|entry| entry.get("reason"));
    let all = beside.into_iter().flatten().chain(named).chain(quotas);
    all.filter_map(Value::as_str).take(REASONS_MAX).collect()
}
