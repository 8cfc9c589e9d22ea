//! The fields of a flow: what they are, and the one reader of their values.
//!
//! Filters, columns and statistics see a flow through [`Field::value`] only. Names and help stand in the table.

use std::borrow::Cow;

use flow_model::{Dialect, Row};
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

/// Words of [`Field::State`].
const STATES: [&str; 6] = [
    "pending",
    "streaming",
    "intercepted",
    "completed",
    "failed",
    "cancelled",
];
/// Words of [`Field::End`].
const ENDS: [&str; 8] = [
    "ended",
    "upstream_error",
    "client_abort",
    "upstream_break",
    "timeout",
    "empty",
    "blocked",
    "interrupted",
];
/// Words of [`Field::Error`].
const ERRORS: [&str; 11] = [
    "network",
    "timeout",
    "authentication",
    "rate_limit",
    "overloaded",
    "quota",
    "content_filter",
    "bad_request",
    "context_too_long",
    "model_unavailable",
    "server_error",
];
/// Words of [`Field::Stop`].
const STOPS: [&str; 5] = ["stop", "length", "tool_use", "content_filter", "other"];

impl Field {
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
            Self::Dialect => name(row.dialect.map(Dialect::name)),
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
            // No names are nothing known, in every evaluator.
            Self::Tool if row.tools.is_empty() => Value::None,
            Self::Tool => Value::Names(&row.tools),
        }
    }
}

impl Field {
    /// Returns every name that the field can have; none where that is open.
    pub fn words(self) -> Option<Vec<&'static str>> {
        match self {
            Self::State => Some(STATES.to_vec()),
            Self::End => Some(ENDS.to_vec()),
            Self::Error => Some(ERRORS.to_vec()),
            Self::Stop => Some(STOPS.to_vec()),
            Self::Dialect => Some(Dialect::ALL.map(Dialect::name).to_vec()),
            _ => None,
        }
    }
}

impl Flag {
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

#[cfg(test)]
mod tests {
    use flow_model::{EndReason, ErrorClass, State, StopReason};
    use serde::de::DeserializeOwned;

    use super::*;

    /// Checks that the words are those of the enum: each is read, and the compiler knows how many there are.
    fn check<T: DeserializeOwned + Serialize + Copy>(field: Field, number: fn(T) -> usize) {
        let words = field.words().unwrap();
        for (index, text) in words.into_iter().enumerate() {
            let variant: T = serde_json::from_value(text.into()).unwrap();
            assert_eq!(number(variant), index, "{text}");
        }
    }

    #[test]
    fn closed_sets_have_the_words_of_their_types() {
        check(Field::State, |state: State| state as usize);
        check(Field::End, |end: EndReason| end as usize);
        check(Field::Error, |class: ErrorClass| class as usize);
        check(Field::Stop, |stop: StopReason| stop as usize);
        let last = (State::Cancelled as usize, EndReason::Interrupted as usize);
        assert_eq!((STATES.len(), ENDS.len()), (last.0 + 1, last.1 + 1));
        let last = (ErrorClass::ServerError as usize, StopReason::Other as usize);
        assert_eq!((ERRORS.len(), STOPS.len()), (last.0 + 1, last.1 + 1));
    }
}
