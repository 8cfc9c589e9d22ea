//! The table of fields: every name, type, unit and reader that filters, columns and statistics know.

use std::borrow::Cow;

use flow_model::Row;
use serde::Serialize;

use crate::value::{Flag, Value};

/// A field of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    /// When the request's head had been received.
    StartedAt,
    /// From the request received until the end.
    Duration,
    /// From the request sent until the first byte of the response.
    Ttfb,
    /// From the request received until the first text of the answer.
    Ttft,
    /// Output tokens for each second after the first text.
    Speed,
    /// HTTP status.
    Status,
    /// Input and output tokens together.
    Tokens,
    /// Tokens of the whole prompt.
    Input,
    /// Tokens of the answer.
    Output,
    /// Tokens read from the provider's cache.
    Cached,
    /// Tokens written to the provider's cache.
    CacheWrite,
    /// Tokens of reasoning.
    Reasoning,
    /// Money.
    Cost,
    /// Bytes of both bodies on the wire.
    Size,
    /// Bytes of the request's body on the wire.
    RequestSize,
    /// Bytes of the response's body on the wire.
    ResponseSize,
    /// Number of events in the stream.
    Events,
    /// Which try it is, counted from 1.
    Attempt,
    /// The model that answered, or else the one that was asked for.
    Model,
    /// Who served it.
    Provider,
    /// Name of the upstream that it went to.
    Upstream,
    /// The wire format.
    Dialect,
    /// What the flow is doing.
    State,
    /// How it ended.
    End,
    /// What kind of error it ended with.
    Error,
    /// HTTP method.
    Method,
    /// Path that the upstream saw, without the query.
    Path,
    /// The program that sent it, with its version.
    Client,
    /// The agent that sent it, without version.
    Agent,
    /// The library that spoke to the provider, without version.
    Sdk,
    /// The session that it belongs to.
    Session,
    /// The run that it belongs to.
    Run,
    /// The conversation that it belongs to.
    Thread,
    /// Why the answer stopped.
    Stop,
    /// Names of the tools that the answer calls.
    Tool,
}

/// What kind of values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number(Unit),
    /// Instants, in microseconds since the epoch.
    Time,
    /// One name.
    Name,
    /// Several names.
    Names,
}

/// What numbers count. Values are whole numbers of the base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Microseconds.
    Micros,
    /// Bytes.
    Bytes,
    /// Millionths of a millionth of a US dollar (10⁻¹²): exact for every price with six decimals a million tokens.
    PicoDollars,
    /// Thousandths of a token a second.
    MilliPerSecond,
}

/// Picodollars in a dollar have so many decimal places.
const PICO_PLACES: usize = 12;

impl Field {
    /// Every field, in the order of their numbers.
    pub const ALL: [Self; 35] = [
        Self::StartedAt,
        Self::Duration,
        Self::Ttfb,
        Self::Ttft,
        Self::Speed,
        Self::Status,
        Self::Tokens,
        Self::Input,
        Self::Output,
        Self::Cached,
        Self::CacheWrite,
        Self::Reasoning,
        Self::Cost,
        Self::Size,
        Self::RequestSize,
        Self::ResponseSize,
        Self::Events,
        Self::Attempt,
        Self::Model,
        Self::Provider,
        Self::Upstream,
        Self::Dialect,
        Self::State,
        Self::End,
        Self::Error,
        Self::Method,
        Self::Path,
        Self::Client,
        Self::Agent,
        Self::Sdk,
        Self::Session,
        Self::Run,
        Self::Thread,
        Self::Stop,
        Self::Tool,
    ];

    /// Returns what kind of values the field has.
    pub const fn kind(self) -> Kind {
        match self {
            Self::StartedAt => Kind::Time,
            Self::Duration | Self::Ttfb | Self::Ttft => Kind::Number(Unit::Micros),
            Self::Speed => Kind::Number(Unit::MilliPerSecond),
            Self::Cost => Kind::Number(Unit::PicoDollars),
            Self::Size | Self::RequestSize | Self::ResponseSize => Kind::Number(Unit::Bytes),
            Self::Status
            | Self::Tokens
            | Self::Input
            | Self::Output
            | Self::Cached
            | Self::CacheWrite
            | Self::Reasoning
            | Self::Events
            | Self::Attempt => Kind::Number(Unit::Count),
            Self::Tool => Kind::Names,
            _ => Kind::Name,
        }
    }

    /// Returns the field's value in a flow's row.
    pub fn value(self, row: &Row) -> Value<'_> {
        let tokens = &row.tokens;
        match self {
            Self::StartedAt => Value::Number(row.started_at.0),
            Self::Duration => number(row.duration_us),
            Self::Ttfb => number(row.ttfb_us),
            Self::Ttft => number(row.ttft_us),
            Self::Speed => number(speed(row)),
            Self::Status => number(row.status.map(u64::from)),
            Self::Tokens => number(tokens.total),
            Self::Input => number(tokens.input),
            Self::Output => number(tokens.output),
            Self::Cached => number(tokens.cache_read),
            Self::CacheWrite => number(tokens.cache_write),
            Self::Reasoning => number(tokens.reasoning),
            Self::Cost => cost(row),
            Self::Size => number(Some(row.request_bytes.saturating_add(row.response_bytes))),
            Self::RequestSize => number(Some(row.request_bytes)),
            Self::ResponseSize => number(Some(row.response_bytes)),
            Self::Events => number(Some(row.events)),
            Self::Attempt => number(row.attempt),
            Self::Model => name(row.model.as_deref()),
            Self::Provider => name(row.provider.as_deref()),
            Self::Upstream => name(row.upstream.as_deref()),
            Self::Dialect => name(row.dialect.map(flow_model::Dialect::name)),
            Self::State => word(&row.state),
            Self::End => row.end.as_ref().map_or(Value::None, word),
            Self::Error => row.error_class.as_ref().map_or(Value::None, word),
            Self::Method => name(Some(&row.method)),
            Self::Path => name(Some(&row.path)),
            Self::Client => name(row.client.as_deref()),
            Self::Agent => name(row.agent.as_deref()),
            Self::Sdk => name(row.sdk.as_deref()),
            Self::Session => name(row.session.as_deref()),
            Self::Run => name(row.run.as_deref()),
            Self::Thread => name(row.thread.as_deref()),
            Self::Stop => row.stop.as_ref().map_or(Value::None, word),
            Self::Tool => Value::Names(&row.tools),
        }
    }
}

impl Flag {
    /// Every flag, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Streaming,
        Self::Error,
        Self::Tools,
        Self::Estimated,
        Self::Gap,
        Self::Truncated,
        Self::Diagnostics,
        Self::Running,
        Self::Priced,
    ];

    /// Returns whether a flow has or is this.
    pub const fn of(self, row: &Row) -> bool {
        match self {
            Self::Streaming => row.streaming,
            Self::Error => matches!(row.state, flow_model::State::Failed),
            Self::Tools => !row.tools.is_empty(),
            Self::Estimated => row.estimated,
            Self::Gap => row.gap,
            Self::Truncated => row.truncated,
            Self::Diagnostics => row.diagnostics,
            Self::Running => row.end.is_none(),
            Self::Priced => row.cost.is_some(),
        }
    }
}

fn number(number: Option<u64>) -> Value<'static> {
    number.map_or(Value::None, |number| {
        Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
    })
}

fn name(name: Option<&str>) -> Value<'_> {
    name.map_or(Value::None, |name| Value::Name(Cow::Borrowed(name)))
}

/// Returns the word by which JSON names a variant: one source for rows, filters and columns.
fn word<T: Serialize>(value: &T) -> Value<'static> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Value::Name(Cow::Owned(word)),
        _ => Value::None,
    }
}

/// Returns output tokens for each second after the first text, in thousandths.
fn speed(row: &Row) -> Option<u64> {
    let output = row.tokens.output?;
    let time = row.duration_us?.checked_sub(row.ttft_us?)?;
    (time > 0).then(|| output.saturating_mul(1_000_000_000) / time)
}

/// Returns a decimal string of dollars in picodollars; what is smaller is cut.
fn cost(row: &Row) -> Value<'static> {
    let parse = |text: &str| -> Option<i64> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let part = part.get(..part.len().min(PICO_PLACES))?;
        format!("{whole}{part:0<PICO_PLACES$}").parse().ok()
    };
    row.cost
        .as_deref()
        .and_then(parse)
        .map_or(Value::None, Value::Number)
}
