//! Cohere chat, version 2.
//!
//! What is said before calls is their plan, not content. Calls are numbered by themselves; content parts are
//! numbered from 0 as they come. A refusal is text.

use serde_json::{Map, Value, json};

use super::{Event, Kind, pieces};
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 6;

pub(super) fn whole(reply: &Reply) -> Value {
    let (mut content, mut calls, mut plan) = (Vec::new(), Vec::new(), String::new());
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => {
                content.push(json!({"type": "thinking", "thinking": text}));
            }
            Part::Text(text) | Part::Refusal(text) if reply.stop == Stop::Tools => {
                plan.push_str(text);
            }
            Part::Text(text) | Part::Refusal(text) => {
                content.push(json!({"type": "text", "text": text}));
            }
            Part::Call { id, name, input } => calls.push(call(id, name, &arguments(input))),
        }
    }
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    for (member, value) in [
        ("tool_plan", plan.into()),
        ("tool_calls", calls.into()),
        ("content", Value::from(content)),
    ] {
        if value != "" && value != json!([]) {
            message.insert(member.into(), value);
        }
    }
    json!({"id": id(reply), "message": message, "finish_reason": finish(reply.stop),
        "usage": usage(&reply.usage)})
}

pub(super) fn events(reply: &Reply) -> Vec<Event> {
    let message = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [],
        "citations": []});
    let start = json!({"id": id(reply), "type": "message-start", "delta": {"message": message}});
    let mut events = vec![Event::new(Some("message-start"), start.to_string())];
    let (mut contents, mut calls) = (0, 0);
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => {
                events.extend(content(reply, contents, "thinking", text));
                contents += 1;
            }
            Part::Text(text) | Part::Refusal(text) if reply.stop == Stop::Tools => {
                events.extend(planned(reply, text));
            }
            Part::Text(text) | Part::Refusal(text) => {
                events.extend(content(reply, contents, "text", text));
                contents += 1;
            }
            Part::Call { id, name, input } => {
                events.extend(called(reply, calls, id, name, &arguments(input)));
                calls += 1;
            }
        }
    }
    let end = json!({"type": "message-end",
        "delta": {"finish_reason": finish(reply.stop), "usage": usage(&reply.usage)}});
    for (name, data) in [
        (Some("message-end"), end.to_string()),
        (None, "[DONE]".into()),
    ] {
        events.push(Event {
            kind: Kind::Closing,
            ..Event::new(name, data)
        });
    }
    events
}

/// Returns the event of an error.
pub(super) fn failed(message: &str) -> Event {
    let delta = json!({"finish_reason": "ERROR", "error": message});
    let end = json!({"type": "message-end", "delta": delta});
    Event::new(Some("message-end"), end.to_string())
}

fn event(name: &'static str, index: Option<usize>, message: Option<Value>) -> Event {
    let mut value = Map::new();
    value.insert("type".into(), name.into());
    if let Some(index) = index {
        value.insert("index".into(), index.into());
    }
    if let Some(message) = message {
        value.insert("delta".into(), json!({"message": message}));
    }
    Event::new(Some(name), Value::Object(value).to_string())
}

fn content(reply: &Reply, index: usize, member: &str, text: &str) -> Vec<Event> {
    let place = Some(index);
    let opened = json!({"content": {"type": member, member: ""}});
    let mut events = vec![event("content-start", place, Some(opened))];
    events.extend(pieces(text, DELTA_BYTES, &reply.ids).iter().map(|piece| {
        let delta = json!({"content": {member: piece}});
        event("content-delta", place, Some(delta))
    }));
    events.push(event("content-end", place, None));
    events
}

fn planned(reply: &Reply, text: &str) -> Vec<Event> {
    let pieces = pieces(text, DELTA_BYTES, &reply.ids);
    let plans = pieces.iter().map(|piece| json!({"tool_plan": piece}));
    plans
        .map(|plan| event("tool-plan-delta", None, Some(plan)))
        .collect()
}

fn called(reply: &Reply, index: usize, id: &str, name: &str, arguments: &str) -> Vec<Event> {
    let place = Some(index);
    let opened = json!({"tool_calls": call(id, name, "")});
    let mut events = vec![event("tool-call-start", place, Some(opened))];
    let pieces = pieces(arguments, DELTA_BYTES, &reply.ids);
    events.extend(pieces.iter().map(|piece| {
        let delta = json!({"tool_calls": {"function": {"arguments": piece}}});
        event("tool-call-delta", place, Some(delta))
    }));
    events.push(event("tool-call-end", place, None));
    events
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
}

fn arguments(input: &Map<String, Value>) -> String {
    Value::Object(input.clone()).to_string()
}

fn id(reply: &Reply) -> String {
    reply.ids.uuid(&format!("answer {}", reply.turn))
}

const fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Refusal => "COMPLETE",
        Stop::Tools => "TOOL_CALL",
        Stop::Length => "MAX_TOKENS",
    }
}

fn usage(usage: &Usage) -> Value {
    let mut tokens = Map::new();
    tokens.insert("input_tokens".into(), usage.input.into());
    tokens.insert("output_tokens".into(), usage.output.into());
    if usage.reasoning > 0 {
        tokens.insert("reasoning_tokens".into(), usage.reasoning.into());
    }
    // Thinking and what the provider adds to a prompt are not billed.
    let billed =
        json!({"input_tokens": usage.input, "output_tokens": usage.output - usage.reasoning});
    json!({"billed_units": billed, "tokens": tokens, "cached_tokens": usage.cache_read})
}
