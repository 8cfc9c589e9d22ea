//! The line that lists show of a flow.

use serde::{Deserialize, Serialize};

use crate::{
    Dialect, EndReason, ErrorClass, Exchange, FailureKind, FlowId, Outcome, Part, Reading, Role,
    Software, State, StopReason, Timestamp, Tokens,
};

/// Characters of a preview.
const PREVIEW_CHARS_MAX: usize = 200;
/// Names of tools that a row carries.
const TOOLS_MAX: usize = 8;

/// The line that lists show of a flow: derived from its exchange and reading, and cheap to fetch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Row {
    /// The flow's id.
    pub id: FlowId,
    /// When the request's head had been received.
    pub started_at: Timestamp,
    /// What the flow is doing.
    pub state: State,
    /// How it ended.
    pub end: Option<EndReason>,
    /// Name of the upstream that it went to.
    pub upstream: Option<String>,
    /// Who served it.
    pub provider: Option<String>,
    /// The wire format; none where no codec reads it yet.
    pub dialect: Option<Dialect>,
    /// HTTP method.
    pub method: String,
    /// Path that the upstream saw, without the query.
    pub path: String,
    /// HTTP status.
    pub status: Option<u16>,
    /// The model that answered, or else the one that was asked for.
    pub model: Option<String>,
    /// The model that was asked for.
    pub requested_model: Option<String>,
    /// The answer is or was to be a stream.
    pub streaming: bool,
    /// Token counts that mean the same in every dialect.
    pub tokens: Tokens,
    /// The counts are an estimate.
    pub estimated: bool,
    /// Money in US dollars as a decimal string; none where it is unknown.
    pub cost: Option<String>,
    /// From the request received until the end.
    pub duration_us: Option<u64>,
    /// From the request sent until the first byte of the response.
    pub ttfb_us: Option<u64>,
    /// From the request received until the first text of the answer.
    pub ttft_us: Option<u64>,
    /// Bytes of the request's body on the wire.
    pub request_bytes: u64,
    /// Bytes of the response's body on the wire.
    pub response_bytes: u64,
    /// The program that sent it, with its version: the agent, or else the library.
    pub client: Option<String>,
    /// The agent that sent it, without version.
    pub agent: Option<String>,
    /// The library that spoke to the provider, without version.
    pub sdk: Option<String>,
    /// Which try it is, counted from 1, where the client tells.
    pub attempt: Option<u64>,
    /// What kind of error it ended with.
    pub error_class: Option<ErrorClass>,
    /// Kiro's credits, as a decimal string.
    pub credits: Option<String>,
    /// The session that it belongs to: the client's own, or else the run.
    pub session: Option<String>,
    /// The run that it belongs to, where the base URL named one.
    pub run: Option<String>,
    /// The conversation that it belongs to.
    pub thread: Option<String>,
    /// The first words of what is new in the prompt.
    pub preview: Option<String>,
    /// The first words of the answer, or of the error.
    pub answer: Option<String>,
    /// Names of the tools that the answer calls.
    pub tools: Vec<String>,
    /// Why the answer stopped.
    pub stop: Option<StopReason>,
    /// Number of events in the stream.
    pub events: u64,
    /// A part of a body could not be recorded.
    pub gap: bool,
    /// A body is longer than the setting allowed to keep.
    pub truncated: bool,
    /// The reading has diagnostics.
    pub diagnostics: bool,
}

impl Row {
    /// Returns the row of a flow.
    pub fn new(exchange: &Exchange, reading: &Reading) -> Self {
        let (ask, reply) = (&reading.request, &reading.response);
        let bodies = [&exchange.request_body, &exchange.response_body];
        let end = end_of(exchange, reading);
        Self {
            id: exchange.id,
            started_at: exchange.started_at,
            state: end.map_or_else(|| exchange.state(), EndReason::state),
            end,
            upstream: exchange.route.upstream.clone(),
            provider: exchange.route.provider.clone(),
            dialect: reading.dialect,
            method: exchange.request.method.clone(),
            path: exchange.path().to_owned(),
            status: exchange.response.as_ref().map(|head| head.status),
            // Some imitations send an empty name, which says nothing.
            model: reply
                .model
                .clone()
                .filter(|model| !model.is_empty())
                .or_else(|| ask.model.clone()),
            requested_model: ask.model.clone(),
            streaming: reply.streamed || ask.stream == Some(true),
            tokens: reading.tokens,
            estimated: reading.estimated,
            cost: reading.cost.as_ref().map(|cost| cost.total.to_string()),
            duration_us: exchange.timings.duration_us,
            ttfb_us: exchange.timings.ttfb_us,
            ttft_us: reply.ttft_us,
            request_bytes: exchange.request_body.wire_bytes,
            response_bytes: exchange.response_body.wire_bytes,
            client: reading.client.label(),
            agent: name_of(reading.client.agent.as_ref()),
            sdk: name_of(reading.client.sdk.as_ref()),
            attempt: reading.client.attempt,
            error_class: reply.error.as_ref().and_then(|error| error.class),
            credits: reading.units.credits.clone(),
            session: reading
                .client
                .session
                .clone()
                .or_else(|| exchange.route.run.clone()),
            run: exchange.route.run.clone(),
            thread: None,
            preview: prompt_preview(reading),
            answer: answer_preview(exchange, reading),
            tools: tool_names(reading),
            stop: reply.choices.first().and_then(|choice| choice.stop),
            events: reply.events,
            gap: bodies.iter().any(|body| !body.gaps.is_empty()),
            truncated: bodies.iter().any(|body| body.truncated),
            diagnostics: !ask.diagnostics.is_empty()
                || !reply.diagnostics.is_empty()
                || bodies.iter().any(|body| body.decode_error.is_some()),
        }
    }
}

fn name_of(software: Option<&Software>) -> Option<String> {
    software.map(|software| software.name.clone())
}

/// Returns how a flow ended. The exchange only knows the wire; an error inside a stream, or a stream without
/// its closing event, is known to the reading alone.
fn end_of(exchange: &Exchange, reading: &Reading) -> Option<EndReason> {
    let end = exchange.end?;
    Some(match (end, reading.response.outcome) {
        (EndReason::Ended, Outcome::Error | Outcome::StreamError) => EndReason::UpstreamError,
        (EndReason::Ended, Outcome::StreamTruncated) => EndReason::UpstreamBreak,
        // OpenAI's Python SDK closes its connection at `[DONE]`, without waiting for the end of the body. The
        // answer is whole; nobody aborted it.
        (EndReason::ClientAbort, Outcome::Ok) => EndReason::Ended,
        _ => end,
    })
}

/// Returns the first words of what is new in the prompt: of the last message, or of the last one with text.
fn prompt_preview(reading: &Reading) -> Option<String> {
    let messages = reading.request.messages.iter().rev();
    messages
        .take_while(|message| message.role != Role::Assistant)
        .find_map(|message| parts_preview(&message.parts))
}

/// Returns the first words of the answer, or what went wrong.
fn answer_preview(exchange: &Exchange, reading: &Reading) -> Option<String> {
    let reply = &reading.response;
    if let Some(failure) = exchange
        .failure
        .as_ref()
        .filter(|failure| failure.kind != FailureKind::ClientGone)
    {
        return Some(preview(&failure.message));
    }
    if let Some(message) = reply
        .error
        .as_ref()
        .and_then(|error| error.message.as_deref())
    {
        return Some(preview(message));
    }
    reply
        .choices
        .first()
        .and_then(|choice| parts_preview(&choice.message.parts))
}

fn parts_preview(parts: &[Part]) -> Option<String> {
    parts.iter().rev().find_map(|part| match part {
        Part::Text { text, .. } | Part::Refusal { text } if !text.trim().is_empty() => {
            Some(preview(text))
        }
        Part::ToolResult { content, .. } => parts_preview(content),
        _ => None,
    })
}

fn tool_names(reading: &Reading) -> Vec<String> {
    let parts = reading
        .response
        .choices
        .iter()
        .flat_map(|choice| &choice.message.parts);
    parts
        .filter_map(|part| match part {
            Part::ToolCall { name, .. } => Some(name.clone()),
            _ => None,
        })
        .take(TOOLS_MAX)
        .collect()
}

/// Returns the first words of a text on one line.
fn preview(text: &str) -> String {
    let mut line = String::new();
    for (count, character) in text
        .trim_start()
        .chars()
        .take(PREVIEW_CHARS_MAX)
        .enumerate()
    {
        let blank = character.is_whitespace() || character.is_control();
        if !blank {
            line.push(character);
        } else if count > 0 && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end().len());
    line
}
