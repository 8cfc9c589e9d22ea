//! `flow-monitor read`: rows of recorded exchanges to readings.
//!
//! A row is one JSON object: `id`, `api`, `provider`, `request` and `response` with `headers` as pairs and a
//! `body` as text or a `body_b64`. The request's path names the dialect; where there is none, `api` does. The
//! reading has a fixed form that other programs compare: absent values are null, nothing is left out. A line
//! that is no such row, or whose dialect no codec reads, gives `"outcome": "not_read"`.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_codec::ResponseDecoder;
use flow_model::{
    Choice, Dialect, ErrorReading, Header, Outcome, Part, ResponseReading, WireUsage,
};
use serde_json::{Value, json};

/// Reads one row and returns its reading.
pub(crate) fn read_row(line: &str) -> Value {
    let Ok(row) = serde_json::from_str::<Value>(line) else {
        return not_read(&Value::Null);
    };
    let id = row.get("id").unwrap_or(&Value::Null);
    let Some(dialect) = dialect_of(&row) else {
        return not_read(id);
    };
    let response = row.get("response").unwrap_or(&Value::Null);
    let status = response.get("status").and_then(Value::as_u64);
    let status = status.and_then(|status| u16::try_from(status).ok());
    let headers = headers_of(response);
    let Some(body) = body_of(response) else {
        return not_read(id);
    };
    let mut decoder = ResponseDecoder::new(dialect, status.unwrap_or(200), &headers);
    decoder.push(&body, 0);
    let reading = decoder.finish(true);
    let provider = row.get("provider").and_then(Value::as_str);
    let tokens = flow_codec::tokens(dialect, provider, &reading);
    let mut shown = show(dialect, &reading);
    if let Value::Object(members) = &mut shown {
        members.insert("id".to_owned(), id.clone());
        members.insert("tokens".to_owned(), json!(tokens));
    }
    shown
}

fn not_read(id: &Value) -> Value {
    json!({ "id": id, "outcome": "not_read" })
}

/// Returns the dialect that the request's path names, or else the row's `api`.
fn dialect_of(row: &Value) -> Option<Dialect> {
    let request = row.get("request").unwrap_or(&Value::Null);
    let method = request.get("method").and_then(Value::as_str);
    let url = request.get("url").and_then(Value::as_str);
    let named = method.zip(url).and_then(|(method, url)| {
        let path = url.split_once("://").map_or(url, |(_, rest)| rest);
        flow_codec::detect(method, path, &headers_of(request))
    });
    named.or_else(|| match row.get("api").and_then(Value::as_str)? {
        "chat_completions" => Some(Dialect::OpenaiChat),
        "messages" => Some(Dialect::AnthropicMessages),
        "generate_content" => Some(Dialect::GeminiGenerate),
        _ => None,
    })
}

fn headers_of(message: &Value) -> Vec<Header> {
    let pairs = message.get("headers").and_then(Value::as_array);
    let pairs = pairs.into_iter().flatten();
    let header = |pair: &Value| {
        Some(Header {
            name: pair.get(0)?.as_str()?.to_owned(),
            value: pair.get(1)?.as_str()?.to_owned(),
            latin1: false,
        })
    };
    pairs.filter_map(header).collect()
}

fn body_of(message: &Value) -> Option<Vec<u8>> {
    if let Some(text) = message.get("body").and_then(Value::as_str) {
        return Some(text.as_bytes().to_vec());
    }
    let encoded = message.get("body_b64").and_then(Value::as_str)?;
    STANDARD.decode(encoded).ok()
}

/// Returns a reading in the form of the rows that it is compared with.
fn show(dialect: Dialect, reading: &ResponseReading) -> Value {
    let choices = reading.choices.iter();
    let choices: Vec<Value> = choices.map(|choice| show_choice(dialect, choice)).collect();
    json!({
        "id": null,
        "outcome": outcome(reading.outcome),
        "error": reading.error.as_ref().map(show_error),
        "model": reading.model,
        "response_id": reading.id,
        "choices": choices,
        "usage": reading.usage.as_ref().map(show_usage),
        "usage_raw": reading.usage_raw,
        "embeddings": null,
        "block_reason": reading.block_reason,
        "tokens": null,
        "diagnostics": reading.diagnostics,
    })
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::None => "none",
        Outcome::Partial => "partial",
        Outcome::Ok => "ok",
        Outcome::Error => "error",
        Outcome::StreamError => "stream_error",
        Outcome::StreamTruncated => "stream_truncated",
    }
}

fn show_error(error: &ErrorReading) -> Value {
    json!({
        "status": error.status,
        "type": error.kind,
        "code": error.code,
        "message": error.message,
    })
}

fn show_usage(usage: &WireUsage) -> Value {
    json!({
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "reasoning": usage.reasoning,
        "total": usage.total,
    })
}

/// A choice taken apart by kind of part.
#[derive(Default)]
struct Shown {
    text: String,
    thinking: String,
    refusal: Option<String>,
    signatures: u64,
    calls: Vec<Value>,
    old_call: Value,
    server_items: Vec<String>,
    audio: Value,
}

fn show_choice(dialect: Dialect, choice: &Choice) -> Value {
    let mut shown = Shown::default();
    for part in &choice.message.parts {
        shown.add(dialect, part);
    }
    json!({
        "index": choice.index,
        "text": shown.text,
        "thinking": shown.thinking,
        "refusal": shown.refusal,
        "tool_calls": shown.calls,
        "function_call": shown.old_call,
        "server_items": shown.server_items,
        "signatures": shown.signatures,
        "audio": shown.audio,
        "stop_reason": choice.stop_reason,
    })
}

impl Shown {
    fn add(&mut self, dialect: Dialect, part: &Part) {
        match part {
            Part::Text { text, .. } => self.text.push_str(text),
            Part::Thinking {
                text,
                signed,
                redacted,
            } => {
                self.thinking.push_str(text);
                self.signatures += u64::from(*signed);
                if *redacted && !signed {
                    self.server_items.push("redacted_thinking".to_owned());
                }
            }
            Part::Refusal { text } => {
                self.refusal.get_or_insert_default().push_str(text);
            }
            // In a chat answer, only the single call of the time before tools has no id at all.
            Part::ToolCall {
                id: None,
                name,
                arguments,
                server: false,
            } if dialect == Dialect::OpenaiChat => {
                self.old_call = json!({ "name": name, "arguments": arguments });
            }
            Part::ToolCall {
                id,
                name,
                arguments,
                server: false,
            } => self.calls.push(show_call(id.as_deref(), name, arguments)),
            Part::Audio {
                media,
                transcript,
                id,
            } => {
                self.audio = json!({
                    "id": id,
                    "transcript": transcript,
                    "data_chars": media.data_chars,
                });
            }
            part => self.server_items.extend(server_item(dialect, part)),
        }
    }
}

fn show_call(id: Option<&str>, name: &str, arguments: &str) -> Value {
    json!({
        "id": id,
        "name": name,
        "arguments": arguments,
        "valid_json": serde_json::from_str::<Value>(arguments).is_ok(),
    })
}

/// Returns the word for a part that is neither text nor thinking nor a call of the client's tools.
fn server_item(dialect: Dialect, part: &Part) -> Option<String> {
    let gemini = dialect == Dialect::GeminiGenerate;
    match part {
        Part::ToolCall { .. } if dialect == Dialect::AnthropicMessages => {
            Some("server_tool_use".to_owned())
        }
        Part::ToolCall { name, .. } | Part::Other { name, .. } => Some(name.clone()),
        Part::ToolResult { content, .. } => match content.first() {
            Some(Part::Other { name, .. }) => Some(name.clone()),
            _ => Some("tool_result".to_owned()),
        },
        Part::Image { .. } | Part::File { .. } if gemini => Some("inline_data".to_owned()),
        Part::Image { .. } => Some("image".to_owned()),
        Part::File { .. } => Some("file".to_owned()),
        Part::Text { .. } | Part::Thinking { .. } | Part::Refusal { .. } | Part::Audio { .. } => {
            None
        }
    }
}
