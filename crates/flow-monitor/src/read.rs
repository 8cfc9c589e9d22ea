//! `flow-monitor read`: rows of recorded exchanges to readings.
//!
//! A row is one JSON object: `id`, `api`, `provider`, `request` and `response` with `headers` as pairs and a
//! `body` as text or a `body_b64`. The request's path names the dialect; where there is none, `api` does. The
//! reading has a fixed form that other programs compare: absent values are null, nothing is left out. A line
//! that is no such row, or whose dialect no codec reads, gives `"outcome": "not_read"`. Prices are those of
//! `started_at` (microseconds since 1970), or else of the reader's own instant.

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_meter::Meter;
use flow_model::{
    BodyFacts, Choice, Dialect, EndReason, ErrorReading, Exchange, FlowId, Header, Outcome, Part,
    Reading, RequestHead, ResponseHead, ResponseReading, Route, Timestamp, Timings, WireUsage,
};
use serde_json::{Value, json};

/// Types of items of Responses that are calls without a name of their own.
const ITEM_CALLS: [&str; 11] = [
    "apply_patch_call",
    "code_interpreter_call",
    "computer_call",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "program",
    "shell_call",
    "tool_search_call",
    "web_search_call",
    "x_search_call",
];

/// Reads rows, and prices them.
pub(crate) struct Reader {
    meter: Meter,
    /// When rows without a time of their own were recorded.
    at: Timestamp,
}

// === impl Reader ===

impl Reader {
    /// Returns a reader with the built-in prices. They hold at `at` for rows without a time of their own.
    pub(crate) fn new(at: Timestamp) -> Self {
        Self {
            meter: Meter::default(),
            at,
        }
    }

    /// Reads one row and returns its reading.
    pub(crate) fn read(&self, line: &str) -> Value {
        read_row(line, self)
    }
}

fn read_row(line: &str, reader: &Reader) -> Value {
    let Ok(row) = serde_json::from_str::<Value>(line) else {
        return not_read(&Value::Null);
    };
    let id = row.get("id").unwrap_or(&Value::Null);
    let Some(body) = body_of(member(&row, "response")) else {
        return not_read(id);
    };
    let exchange = exchange_of(&row, reader.at);
    let request_body = body_of(member(&row, "request")).unwrap_or_default();
    let ask = &exchange.request;
    let by_api = || {
        let api = row.get("api").and_then(Value::as_str)?;
        dialect_of(api, row.get("provider").and_then(Value::as_str))
    };
    let found = flow_codec::detect(
        &ask.method,
        exchange.path(),
        &ask.headers,
        Some(&request_body),
    );
    let Some(dialect) = found.or_else(by_api) else {
        return not_read(id);
    };
    let mut reading = flow_codec::read_as(Some(dialect), &exchange, &request_body, &body, &[]);
    reader.meter.measure(&exchange, &mut reading);
    let mut shown = show(dialect, &reading);
    if let Value::Object(members) = &mut shown {
        members.insert("id".to_owned(), id.clone());
    }
    shown
}

/// Returns the row's facts as an exchange that ended.
fn exchange_of(row: &Value, at: Timestamp) -> Exchange {
    let (request, response) = (member(row, "request"), member(row, "response"));
    let status = response.get("status").and_then(Value::as_u64);
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    let url = text(request, "url").unwrap_or_default();
    let target = match url.split_once("://") {
        Some((_, rest)) => rest
            .find('/')
            .and_then(|slash| rest.get(slash..))
            .unwrap_or("/"),
        None => &url,
    };
    let provider = text(row, "provider").filter(|provider| provider != "other");
    let started_at = row.get("started_at").and_then(Value::as_i64);
    Exchange {
        id: FlowId::from_bytes([0; 16]),
        started_at: started_at.map_or(at, Timestamp),
        peer: None,
        route: Route {
            provider: provider.or_else(|| text(row, "vendor")),
            ..Route::default()
        },
        request: RequestHead {
            method: text(request, "method").unwrap_or_default(),
            target: target.to_owned(),
            headers: headers_of(request),
            ..RequestHead::default()
        },
        request_body: BodyFacts::default(),
        response: Some(ResponseHead {
            status: status
                .and_then(|status| u16::try_from(status).ok())
                .unwrap_or(200),
            headers: headers_of(response),
            ..ResponseHead::default()
        }),
        response_body: BodyFacts {
            complete: true,
            ..BodyFacts::default()
        },
        timings: Timings::default(),
        end: Some(EndReason::Ended),
        failure: None,
    }
}

fn member<'a>(row: &'a Value, name: &str) -> &'a Value {
    row.get(name).unwrap_or(&Value::Null)
}

fn not_read(id: &Value) -> Value {
    json!({ "id": id, "outcome": "not_read" })
}

/// Returns the dialect of rows that have no request to tell it.
fn dialect_of(api: &str, provider: Option<&str>) -> Option<Dialect> {
    Some(match (api, provider) {
        ("chat_completions", _) => Dialect::OpenaiChat,
        ("responses", _) => Dialect::OpenaiResponses,
        ("completions", _) => Dialect::OpenaiCompletions,
        ("images", _) => Dialect::OpenaiImages,
        ("audio", _) => Dialect::OpenaiAudio,
        ("moderations", _) => Dialect::OpenaiModerations,
        ("messages", _) => Dialect::AnthropicMessages,
        ("complete", _) => Dialect::AnthropicComplete,
        ("generate_content", _) => Dialect::GeminiGenerate,
        ("interactions", _) => Dialect::GeminiInteractions,
        ("predict", _) => Dialect::GeminiPredict,
        ("invoke_model", _) => Dialect::BedrockInvoke,
        ("converse", _) => Dialect::BedrockConverse,
        ("chat", Some("cohere")) => Dialect::CohereChat,
        ("chat", _) => Dialect::OllamaChat,
        ("generate", Some("cohere")) => Dialect::CohereGenerate,
        ("generate", _) => Dialect::OllamaGenerate,
        ("embeddings", Some("gemini")) => Dialect::GeminiEmbed,
        ("embeddings", Some("ollama")) => Dialect::OllamaEmbed,
        ("embeddings", Some("cohere")) => Dialect::CohereEmbed,
        ("embeddings", _) => Dialect::OpenaiEmbeddings,
        ("count_tokens", Some("gemini")) => Dialect::GeminiCountTokens,
        ("count_tokens", Some("bedrock")) => Dialect::BedrockCountTokens,
        ("count_tokens", Some("openai")) => Dialect::OpenaiInputTokens,
        ("count_tokens", _) => Dialect::AnthropicCountTokens,
        _ => return None,
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
fn show(dialect: Dialect, reading: &Reading) -> Value {
    let reply = &reading.response;
    let choices = reply.choices.iter();
    let choices: Vec<Value> = choices.map(|choice| show_choice(dialect, choice)).collect();
    let ask = &reading.request;
    json!({
        "id": null,
        "dialect": dialect,
        "outcome": outcome(dialect, reply),
        "error": reply.error.as_ref().map(show_error),
        "model": reply.model,
        "response_id": show_id(dialect, reply.id.as_deref()),
        "choices": choices,
        "usage": reply.usage.as_ref().map(show_usage),
        "usage_raw": reply.usage_raw,
        "embeddings": reply.embeddings,
        "block_reason": reply.block_reason,
        "invocation_metrics": reply.metrics,
        "service_tier": reply.service_tier,
        "request": {
            "model": ask.model,
            "stream": ask.stream,
            "system": ask.system,
            "messages": ask.messages,
            "tools": ask.tools,
            "parameters": ask.parameters,
            "diagnostics": ask.diagnostics,
        },
        "tokens": reading.tokens,
        "units": reading.units,
        "estimated": reading.estimated,
        "cost": reading.cost,
        "context": reading.context,
        "client": reading.client,
        "diagnostics": reply.diagnostics,
    })
}

/// Returns an id; those of AI21's first models are numbers on the wire.
fn show_id(dialect: Dialect, id: Option<&str>) -> Value {
    let number = id.and_then(|id| id.parse::<u64>().ok());
    match number {
        Some(number) if dialect == Dialect::BedrockInvoke => number.into(),
        _ => id.into(),
    }
}

fn outcome(dialect: Dialect, reply: &ResponseReading) -> &'static str {
    // Responses tell a failure in the answer itself, which is an object like any other.
    let failed = |choice: &Choice| choice.stop_reason.as_deref() == Some("failed");
    if dialect == Dialect::OpenaiResponses && reply.choices.iter().any(failed) {
        return "failed";
    }
    match reply.outcome {
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
        "class": error.class,
        "fault": error.fault,
        "retryable": error.retryable,
        "retry_after_us": error.retry_after_us,
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
                // Of interactions, the rows do not count signatures.
                let counted = *signed && dialect != Dialect::GeminiInteractions;
                self.signatures += u64::from(counted);
                if *redacted && !signed && dialect != Dialect::OpenaiResponses {
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
            // Of Responses, only calls with names that the program gave are calls of the client in the rows.
            Part::ToolCall { name, .. }
                if dialect == Dialect::OpenaiResponses && ITEM_CALLS.contains(&name.as_str()) =>
            {
                self.server_items.push(name.clone());
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
    if dialect == Dialect::OpenaiResponses {
        return responses_item(part);
    }
    let gemini = dialect == Dialect::GeminiGenerate;
    match part {
        Part::ToolCall { .. }
            if matches!(
                dialect,
                Dialect::AnthropicMessages | Dialect::BedrockConverse | Dialect::BedrockInvoke
            ) =>
        {
            Some("server_tool_use".to_owned())
        }
        Part::ToolResult { .. } if dialect == Dialect::BedrockConverse => {
            Some("toolResult".to_owned())
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

/// Returns the type of the item that a part of Responses stands for. What came of a call, and an image, are parts
/// of the call's item.
fn responses_item(part: &Part) -> Option<String> {
    match part {
        // Other calls of the provider bear the type of their item.
        Part::ToolCall { .. } => Some("mcp_call".to_owned()),
        Part::Other { name, .. } => Some(name.clone()),
        Part::ToolResult { content, .. } => match content.first() {
            Some(Part::Other { name, .. }) if name.ends_with("_output") => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}
