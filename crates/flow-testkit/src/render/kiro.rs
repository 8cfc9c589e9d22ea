//! Kiro: the event stream of `CodeWhisperer`'s generateAssistantResponse, which is always a stream.
//!
//! Thinking stands in the text, between tags. Credits come beside tokens; the behaviour `nodone` leaves out the
//! tokens, as the service itself mostly does.

use serde_json::{Value, json};

use super::{Event, Kind, pieces};
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 18;
/// Tokens of the context that the service counts by.
const CONTEXT_TOKENS: u64 = 200_000;
/// Tokens that a hundredth of a credit pays for.
const CREDIT_TOKENS: u64 = 120;

pub(super) fn events(reply: &Reply) -> Vec<Event> {
    let mut events = Vec::new();
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => {
                let text = format!("<thinking>{text}</thinking>\n\n");
                events.extend(said(reply, &text));
            }
            Part::Text(text) | Part::Refusal(text) => events.extend(said(reply, text)),
            Part::Call { id, name, input } => {
                let input = Value::Object(input.clone()).to_string();
                events.extend(called(reply, id, name, &input));
            }
        }
    }
    let (input, output) = (reply.usage.input, reply.usage.output);
    let credits = hundredths((input + output).div_ceil(CREDIT_TOKENS));
    let context = hundredths(input * 10_000 / CONTEXT_TOKENS);
    events.push(event(
        "meteringEvent",
        &json!({"unit": "credit", "unitPlural": "credits", "usage": credits}),
    ));
    events.push(event(
        "contextUsageEvent",
        &json!({"contextUsagePercentage": context}),
    ));
    let counts = json!({"stopReason": stop(reply.stop), "tokenUsage": usage(&reply.usage)});
    events.push(Event {
        kind: Kind::Closing,
        ..event("metadataEvent", &counts)
    });
    events
}

fn event(name: &'static str, value: &Value) -> Event {
    Event::new(Some(name), value.to_string())
}

fn said(reply: &Reply, text: &str) -> Vec<Event> {
    let pieces = pieces(text, DELTA_BYTES, &reply.ids);
    let payloads = pieces
        .iter()
        .map(|piece| json!({"content": piece, "modelId": reply.model}));
    payloads
        .map(|payload| event("assistantResponseEvent", &payload))
        .collect()
}

fn called(reply: &Reply, id: &str, name: &str, input: &str) -> Vec<Event> {
    let mut payloads = vec![json!({"name": name, "toolUseId": id})];
    payloads.extend(
        pieces(input, DELTA_BYTES, &reply.ids)
            .iter()
            .map(|piece| json!({"input": piece, "name": name, "toolUseId": id})),
    );
    payloads.push(json!({"name": name, "stop": true, "toolUseId": id}));
    payloads
        .iter()
        .map(|payload| event("toolUseEvent", payload))
        .collect()
}

const fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "END_TURN",
        Stop::Tools => "TOOL_USE",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal => "CONTENT_FILTERED",
    }
}

fn usage(usage: &Usage) -> Value {
    json!({
        "uncachedInputTokens": usage.input - usage.cache_read - usage.cache_write,
        "outputTokens": usage.output,
        "totalTokens": usage.input + usage.output,
        "cacheReadInputTokens": usage.cache_read,
        "cacheWriteInputTokens": usage.cache_write,
    })
}

/// Returns a number of hundredths as a decimal fraction.
fn hundredths(count: u64) -> f64 {
    // Anything longer than 32 bits would be no plausible count.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / 100.0
}
