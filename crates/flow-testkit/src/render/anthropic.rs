//! Anthropic messages.

use serde_json::{Value, json};

use super::{Event, Kind, pieces};
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 28;
/// The real service pads its events by up to so many blanks before the last brace.
const PADDING_MAX: u64 = 16;

pub(super) fn whole(reply: &Reply) -> Value {
    let content: Vec<Value> = reply.parts.iter().map(block).collect();
    json!({
        "model": reply.model,
        "id": id(reply),
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop(reply.stop),
        "stop_sequence": null,
        "stop_details": null,
        "usage": usage(&reply.usage, reply.usage.output),
    })
}

pub(super) fn events(reply: &Reply) -> Vec<Event> {
    let mut events = Vec::new();
    let mut push = |name: &'static str, value: &Value| events.push(event(reply, name, value));
    push("message_start", &start(reply));
    for (index, part) in reply.parts.iter().enumerate() {
        let block =
            json!({"type": "content_block_start", "index": index, "content_block": empty(part)});
        push("content_block_start", &block);
        if index == 0 {
            push("ping", &json!({"type": "ping"}));
        }
        for delta in deltas(reply, part) {
            let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
            push("content_block_delta", &delta);
        }
        push(
            "content_block_stop",
            &json!({"type": "content_block_stop", "index": index}),
        );
    }
    let stop =
        json!({"stop_reason": stop(reply.stop), "stop_sequence": null, "stop_details": null});
    let counts = json!({
        "input_tokens": uncached(&reply.usage),
        "cache_creation_input_tokens": reply.usage.cache_write,
        "cache_read_input_tokens": reply.usage.cache_read,
        "output_tokens": reply.usage.output,
    });
    push(
        "message_delta",
        &json!({"type": "message_delta", "delta": stop, "usage": counts}),
    );
    push("message_stop", &json!({"type": "message_stop"}));
    if let Some(last) = events.last_mut() {
        last.kind = Kind::Closing;
    }
    events
}

fn event(reply: &Reply, name: &'static str, value: &Value) -> Event {
    let mut data = value.to_string();
    if name == "ping" {
        return Event::new(Some(name), r#"{"type": "ping"}"#.into());
    }
    let padding = reply.ids.below(&data, PADDING_MAX);
    if data.pop().is_some() {
        data.extend((0..padding).map(|_| ' '));
        data.push('}');
    }
    Event::new(Some(name), data)
}

fn start(reply: &Reply) -> Value {
    json!({"type": "message_start", "message": {
        "model": reply.model,
        "id": id(reply),
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "stop_details": null,
        "usage": usage(&reply.usage, 1),
    }})
}

fn block(part: &Part) -> Value {
    match part {
        Part::Thinking { text, signature } => {
            json!({"type": "thinking", "thinking": text, "signature": signature})
        }
        Part::Text(text) | Part::Refusal(text) => json!({"type": "text", "text": text}),
        Part::Call { id, name, input } => {
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    }
}

fn empty(part: &Part) -> Value {
    match part {
        Part::Thinking { .. } => json!({"type": "thinking", "thinking": "", "signature": ""}),
        Part::Text(_) | Part::Refusal(_) => json!({"type": "text", "text": ""}),
        Part::Call { id, name, .. } => {
            json!({"type": "tool_use", "id": id, "name": name, "input": {}})
        }
    }
}

fn deltas(reply: &Reply, part: &Part) -> Vec<Value> {
    let cut = |text: &str| pieces(text, DELTA_BYTES, &reply.ids);
    match part {
        Part::Thinking { text, signature } => cut(text)
            .iter()
            .map(|piece| json!({"type": "thinking_delta", "thinking": piece}))
            .chain([json!({"type": "signature_delta", "signature": signature})])
            .collect(),
        Part::Text(text) | Part::Refusal(text) => cut(text)
            .iter()
            .map(|piece| json!({"type": "text_delta", "text": piece}))
            .collect(),
        // A call without arguments has one empty delta, as on the real wire.
        Part::Call { input, .. } if input.is_empty() => {
            vec![json!({"type": "input_json_delta", "partial_json": ""})]
        }
        Part::Call { input, .. } => [String::new()]
            .into_iter()
            .chain(cut(&Value::Object(input.clone()).to_string()))
            .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
            .collect(),
    }
}

fn usage(usage: &Usage, output: u64) -> Value {
    json!({
        "input_tokens": uncached(usage),
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": 0,
        },
        "output_tokens": output,
        "service_tier": "standard",
        "inference_geo": "global",
    })
}

const fn uncached(usage: &Usage) -> u64 {
    usage.input - usage.cache_read - usage.cache_write
}

const fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::End => "end_turn",
        Stop::Tools => "tool_use",
        Stop::Length => "max_tokens",
        Stop::Refusal => "refusal",
    }
}

fn id(reply: &Reply) -> String {
    let label = format!("answer {}", reply.turn);
    format!("msg_01{}", reply.ids.letters(&label, 22))
}
