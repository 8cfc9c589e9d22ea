//! The rows of fields.

use super::{About, FieldRow};
use crate::field::{Field, Kind, Unit};

const COUNT: Kind = Kind::Number(Unit::Count);
const MICROS: Kind = Kind::Number(Unit::Micros);
const BYTES: Kind = Kind::Number(Unit::Bytes);

pub(crate) static FIELDS: [FieldRow; 35] = [
    FieldRow {
        field: Field::StartedAt,
        kind: Kind::Time,
        about: About {
            name: "started_at",
            aliases: &["time", "started"],
            help: "When the request's head had been received; a text is read as RFC 3339.",
            example: r#"{"field":"started_at","min":"2026-09-21T14:00:00Z"}"#,
        },
    },
    FieldRow {
        field: Field::Duration,
        kind: MICROS,
        about: About {
            name: "duration",
            aliases: &["latency"],
            help: "From the request received until the end.",
            example: r#"{"field":"duration","above":"2s"}"#,
        },
    },
    FieldRow {
        field: Field::Ttfb,
        kind: MICROS,
        about: About {
            name: "ttfb",
            aliases: &["first_byte"],
            help: "From the request sent until the first byte of the response.",
            example: r#"{"field":"ttfb","above":"500ms"}"#,
        },
    },
    FieldRow {
        field: Field::Ttft,
        kind: MICROS,
        about: About {
            name: "ttft",
            aliases: &["first_token"],
            help: "From the request received until the first text of the answer; only streams have it.",
            example: r#"{"field":"ttft","below":"1s"}"#,
        },
    },
    FieldRow {
        field: Field::Speed,
        kind: Kind::Number(Unit::MilliPerSecond),
        about: About {
            name: "speed",
            aliases: &["tokens_per_second"],
            help: "Output tokens for each second after the first text; only streams have it.",
            example: r#"{"field":"speed","below":"20/s"}"#,
        },
    },
    FieldRow {
        field: Field::Status,
        kind: COUNT,
        about: About {
            name: "status",
            aliases: &["code"],
            help: "HTTP status; a class such as 4xx is a range.",
            example: r#"{"field":"status","equals":"4xx"}"#,
        },
    },
    FieldRow {
        field: Field::Tokens,
        kind: COUNT,
        about: About {
            name: "tokens",
            aliases: &["total_tokens"],
            help: "Input and output tokens together.",
            example: r#"{"field":"tokens","min":"10k"}"#,
        },
    },
    FieldRow {
        field: Field::Input,
        kind: COUNT,
        about: About {
            name: "input",
            aliases: &["input_tokens", "prompt_tokens"],
            help: "Tokens of the whole prompt, cached ones included.",
            example: r#"{"field":"input","above":"100k"}"#,
        },
    },
    FieldRow {
        field: Field::Output,
        kind: COUNT,
        about: About {
            name: "output",
            aliases: &["output_tokens", "completion_tokens"],
            help: "Tokens of the answer, reasoning included.",
            example: r#"{"field":"output","max":10}"#,
        },
    },
    FieldRow {
        field: Field::Cached,
        kind: COUNT,
        about: About {
            name: "cached",
            aliases: &["cache_read", "cached_tokens"],
            help: "Tokens of the prompt that were read from the provider's cache.",
            example: r#"{"field":"cached","equals":0}"#,
        },
    },
    FieldRow {
        field: Field::CacheWrite,
        kind: COUNT,
        about: About {
            name: "cache_write",
            aliases: &["cache_creation"],
            help: "Tokens of the prompt that were written to the provider's cache.",
            example: r#"{"field":"cache_write","above":0}"#,
        },
    },
    FieldRow {
        field: Field::Reasoning,
        kind: COUNT,
        about: About {
            name: "reasoning",
            aliases: &["reasoning_tokens"],
            help: "Tokens of the answer that are reasoning.",
            example: r#"{"field":"reasoning","min":1000}"#,
        },
    },
    FieldRow {
        field: Field::Cost,
        kind: Kind::Number(Unit::PicoDollars),
        about: About {
            name: "cost",
            aliases: &["price"],
            help: "Money in US dollars; unknown where the price or a count is.",
            example: r#"{"field":"cost","above":"$0.05"}"#,
        },
    },
    FieldRow {
        field: Field::Size,
        kind: BYTES,
        about: About {
            name: "size",
            aliases: &["bytes"],
            help: "Bytes of both bodies on the wire.",
            example: r#"{"field":"size","min":"1MB"}"#,
        },
    },
    FieldRow {
        field: Field::RequestSize,
        kind: BYTES,
        about: About {
            name: "request_size",
            aliases: &["request_bytes"],
            help: "Bytes of the request's body on the wire.",
            example: r#"{"field":"request_size","min":"200KB"}"#,
        },
    },
    FieldRow {
        field: Field::ResponseSize,
        kind: BYTES,
        about: About {
            name: "response_size",
            aliases: &["response_bytes"],
            help: "Bytes of the response's body on the wire.",
            example: r#"{"field":"response_size","equals":0}"#,
        },
    },
    FieldRow {
        field: Field::Events,
        kind: COUNT,
        about: About {
            name: "events",
            aliases: &["chunks"],
            help: "Number of events in the stream.",
            example: r#"{"field":"events","above":100}"#,
        },
    },
    FieldRow {
        field: Field::Attempt,
        kind: COUNT,
        about: About {
            name: "attempt",
            aliases: &["try"],
            help: "Which try it is, counted from 1, where the client tells.",
            example: r#"{"field":"attempt","min":2}"#,
        },
    },
    FieldRow {
        field: Field::Model,
        kind: Kind::Name,
        about: About {
            name: "model",
            aliases: &["m"],
            help: "The model that answered, or else the one that was asked for; a name also means its dated ids.",
            example: r#"{"field":"model","is":["gpt-4*","claude-*"]}"#,
        },
    },
    FieldRow {
        field: Field::Provider,
        kind: Kind::Name,
        about: About {
            name: "provider",
            aliases: &["vendor"],
            help: "Who served it; claude, google and codewhisperer also mean anthropic, gemini and kiro.",
            example: r#"{"field":"provider","is":"anthropic"}"#,
        },
    },
    FieldRow {
        field: Field::Upstream,
        kind: Kind::Name,
        about: About {
            name: "upstream",
            aliases: &[],
            help: "Name of the upstream that it went to.",
            example: r#"{"field":"upstream","is":"openai"}"#,
        },
    },
    FieldRow {
        field: Field::Dialect,
        kind: Kind::Name,
        about: About {
            name: "dialect",
            aliases: &["format"],
            help: "The wire format.",
            example: r#"{"field":"dialect","is":"anthropic_messages"}"#,
        },
    },
    FieldRow {
        field: Field::State,
        kind: Kind::Name,
        about: About {
            name: "state",
            aliases: &[],
            help: "What the flow is doing.",
            example: r#"{"field":"state","is":"failed"}"#,
        },
    },
    FieldRow {
        field: Field::End,
        kind: Kind::Name,
        about: About {
            name: "end",
            aliases: &["ended"],
            help: "How it ended.",
            example: r#"{"field":"end","is":"client_abort"}"#,
        },
    },
    FieldRow {
        field: Field::Error,
        kind: Kind::Name,
        about: About {
            name: "error",
            aliases: &["error_class"],
            help: "What kind of error it ended with.",
            example: r#"{"field":"error","is":["rate_limit","overloaded"]}"#,
        },
    },
    FieldRow {
        field: Field::Method,
        kind: Kind::Name,
        about: About {
            name: "method",
            aliases: &[],
            help: "HTTP method.",
            example: r#"{"field":"method","is":"post"}"#,
        },
    },
    FieldRow {
        field: Field::Path,
        kind: Kind::Name,
        about: About {
            name: "path",
            aliases: &["url"],
            help: "Path that the upstream saw, without the query.",
            example: r#"{"field":"path","is":"*/chat/completions"}"#,
        },
    },
    FieldRow {
        field: Field::Client,
        kind: Kind::Name,
        about: About {
            name: "client",
            aliases: &["program"],
            help: "The program that sent it, with its version.",
            example: r#"{"field":"client","is":"claude-code/2.*"}"#,
        },
    },
    FieldRow {
        field: Field::Agent,
        kind: Kind::Name,
        about: About {
            name: "agent",
            aliases: &[],
            help: "The agent that sent it, without version.",
            example: r#"{"field":"agent","is":"claude-code"}"#,
        },
    },
    FieldRow {
        field: Field::Sdk,
        kind: Kind::Name,
        about: About {
            name: "sdk",
            aliases: &["library"],
            help: "The library that spoke to the provider, without version.",
            example: r#"{"field":"sdk","is":"openai-python"}"#,
        },
    },
    FieldRow {
        field: Field::Session,
        kind: Kind::Name,
        about: About {
            name: "session",
            aliases: &[],
            help: "The session that it belongs to.",
            example: r#"{"field":"session","is":"9f2c*"}"#,
        },
    },
    FieldRow {
        field: Field::Run,
        kind: Kind::Name,
        about: About {
            name: "run",
            aliases: &[],
            help: "The run that it belongs to, where the base URL named one.",
            example: r#"{"field":"run","is":"nightly-*"}"#,
        },
    },
    FieldRow {
        field: Field::Thread,
        kind: Kind::Name,
        about: About {
            name: "thread",
            aliases: &["conversation"],
            help: "The conversation that it belongs to.",
            example: r#"{"known":"thread"}"#,
        },
    },
    FieldRow {
        field: Field::Stop,
        kind: Kind::Name,
        about: About {
            name: "stop",
            aliases: &["stop_reason", "finish_reason"],
            help: "Why the answer stopped.",
            example: r#"{"field":"stop","is":"length"}"#,
        },
    },
    FieldRow {
        field: Field::Tool,
        kind: Kind::Names,
        about: About {
            name: "tool",
            aliases: &["tools", "tool_name"],
            help: "Names of the tools that the answer calls; one of them must match.",
            example: r#"{"field":"tool","is":"bash"}"#,
        },
    },
];
