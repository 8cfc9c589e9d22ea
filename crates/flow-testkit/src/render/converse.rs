//! Bedrock Converse.
//!
//! Each payload of a stream is padded with a member `p`, so that lengths do not tell tokens. A block of text opens
//! with its first delta; only calls have an event for it.

use serde_json::{Map, Value, json};

use super::{Event, Kind, pieces};
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 18;
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

pub(super) fn whole(reply: &Reply) -> Value {
    let content: Vec<Value> = reply.parts.iter().map(block).collect();
    json!({
        "metrics": {"latencyMs": latency(reply)},
        "output": {"message": {"content": content, "role": "assistant"}},
        "stopReason": stop(reply.stop),
        "usage": usage(&reply.usage),
    })
}

pub(super) fn events(reply: &Reply) -> Vec<Event> {
    let mut events = vec![event(reply, "messageStart", json!({"role": "assistant"}))];
    for (index, part) in reply.parts.iter().enumerate() {
        if let Part::Call { id, name, .. } = part {
            let start = json!({"toolUse": {"name": name, "toolUseId": id}});
            let start = json!({"contentBlockIndex": index, "start": start});
            events.push(event(reply, "contentBlockStart", start));
        }
        for delta in deltas(reply, part) {
            let delta = json!({"contentBlockIndex": index, "delta": delta});
            events.push(event(reply, "contentBlockDelta", delta));
        }
        let end = json!({"contentBlockIndex": index});
        events.push(event(reply, "contentBlockStop", end));
    }
    let end = json!({"stopReason": stop(reply.stop)});
    events.push(event(reply, "messageStop", end));
    let counts = json!({"metrics": {"latencyMs": latency(reply)}, "usage": usage(&reply.usage)});
    events.push(Event {
        kind: Kind::Closing,
        ..event(reply, "metadata", counts)
    });
    events
}

fn event(reply: &Reply, name: &'static str, mut value: Value) -> Event {
    let data = value.to_string();
    let limit = u64::try_from(PADDING.len()).unwrap_or(0);
    let length = usize::try_from(reply.ids.below(&data, limit)).unwrap_or(0);
    value["p"] = PADDING.get(..length).unwrap_or_default().into();
    Event::new(Some(name), value.to_string())
}

fn block(part: &Part) -> Value {
    match part {
        Part::Thinking { text, signature } => {
            json!({"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}})
        }
        Part::Text(text) | Part::Refusal(text) => json!({"text": text}),
        Part::Call { id, name, input } => {
            json!({"toolUse": {"input": input, "name": name, "toolUseId": id}})
        }
    }
}

fn deltas(reply: &Reply, part: &Part) -> Vec<Value> {
    let cut = |text: &str| pieces(text, DELTA_BYTES, &reply.ids);
    match part {
        Part::Thinking { text, signature } => cut(text)
            .iter()
            .map(|piece| json!({"reasoningContent": {"text": piece}}))
            .chain([json!({"reasoningContent": {"signature": signature}})])
            .collect(),
        Part::Text(text) | Part::Refusal(text) => cut(text)
            .iter()
            .map(|piece| json!({"text": piece}))
            .collect(),
        Part::Call { input, .. } => cut(&Value::Object(input.clone()).to_string())
            .iter()
            .map(|piece| json!({"toolUse": {"input": piece}}))
            .collect(),
    }
}

const fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Tools => "tool_use",
        Stop::Length => "max_tokens",
        Stop::Refusal => "content_filtered",
    }
}

fn usage(usage: &Usage) -> Value {
    let mut members = Map::new();
    for (name, count) in [
        ("cacheReadInputTokens", usage.cache_read),
        ("cacheWriteInputTokens", usage.cache_write),
    ] {
        if count > 0 {
            members.insert(name.into(), count.into());
        }
    }
    let uncached = usage.input - usage.cache_read - usage.cache_write;
    members.insert("inputTokens".into(), uncached.into());
    members.insert("outputTokens".into(), usage.output.into());
    // The total counts what was read from and written to the cache as well.
    let total = usage.input + usage.output;
    members.insert("totalTokens".into(), total.into());
    Value::Object(members)
}

const fn latency(reply: &Reply) -> u64 {
    300 + reply.usage.output * 9
}
