//! `OpenAI` chat completions.
//!
//! Thinking is counted, not shown, as the real service does; with the behaviour `reasoning` it is shown in
//! `reasoning_content`, as `DeepSeek` and many others do.

use serde_json::{Map, Value, json};

use super::{Event, Kind, pieces};
use crate::ask::Ask;
use crate::behaviour::Behaviour;
use crate::digest::Ids;
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 9;
const OBFUSCATION_MAX: u64 = 16;

pub(super) fn whole(reply: &Reply, behaviour: &Behaviour) -> Value {
    let mut message = Map::new();
    message.insert("role".into(), "assistant".into());
    message.insert(
        "content".into(),
        joined(reply, |part| match part {
            Part::Text(text) => Some(text),
            _ => None,
        }),
    );
    if behaviour.reasoning {
        message.insert(
            "reasoning_content".into(),
            joined(reply, |part| match part {
                Part::Thinking { text, .. } => Some(text),
                _ => None,
            }),
        );
    }
    let calls: Vec<Value> = reply.parts.iter().filter_map(call).collect();
    if !calls.is_empty() {
        message.insert("tool_calls".into(), calls.into());
    }
    message.insert(
        "refusal".into(),
        joined(reply, |part| match part {
            Part::Refusal(text) => Some(text),
            _ => None,
        }),
    );
    message.insert("annotations".into(), json!([]));
    json!({
        "id": id(&reply.ids, reply.turn),
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [{
            "index": 0,
            "message": message,
            "logprobs": null,
            "finish_reason": finish(reply.stop),
        }],
        "usage": usage(&reply.usage),
        "service_tier": "default",
        "system_fingerprint": fingerprint(&reply.ids),
    })
}

pub(super) fn events(reply: &Reply, ask: &Ask, behaviour: &Behaviour) -> Vec<Event> {
    let stream = Stream {
        reply,
        include_usage: ask.include_usage,
    };
    let only_calls = !reply.parts.iter().any(|part| matches!(part, Part::Text(_)));
    let content = if only_calls { Value::Null } else { "".into() };
    let first = json!({"role": "assistant", "content": content, "refusal": null});
    let mut events = vec![stream.delta(&first, None)];
    let mut calls = 0;
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } if behaviour.reasoning => {
                events.extend(stream.deltas(text, "reasoning_content"));
            }
            Part::Thinking { .. } => {}
            Part::Text(text) => events.extend(stream.deltas(text, "content")),
            Part::Refusal(text) => events.extend(stream.deltas(text, "refusal")),
            Part::Call { id, name, input } => {
                let head = json!({"tool_calls": [{"index": calls, "id": id, "type": "function",
                    "function": {"name": name, "arguments": ""}}]});
                events.push(stream.delta(&head, None));
                let arguments = Value::Object(input.clone()).to_string();
                events.extend(pieces(&arguments, DELTA_BYTES, &reply.ids).iter().map(|piece| {
                    let delta = json!({"tool_calls": [{"index": calls, "function": {"arguments": piece}}]});
                    stream.delta(&delta, None)
                }));
                calls += 1;
            }
        }
    }
    events.push(stream.delta(&json!({}), Some(finish(reply.stop))));
    if ask.include_usage {
        events.push(stream.usage());
    }
    events.push(Event {
        kind: Kind::Closing,
        ..Event::new(None, "[DONE]".into())
    });
    events
}

struct Stream<'a> {
    reply: &'a Reply,
    include_usage: bool,
}

impl Stream<'_> {
    fn deltas(&self, text: &str, member: &str) -> Vec<Event> {
        pieces(text, DELTA_BYTES, &self.reply.ids)
            .iter()
            .map(|piece| self.delta(&json!({member: piece}), None))
            .collect()
    }

    fn delta(&self, delta: &Value, finish: Option<&str>) -> Event {
        let mut chunk = self.head();
        chunk.insert(
            "choices".into(),
            json!([{
                "index": 0,
                "delta": delta,
                "logprobs": null,
                "finish_reason": finish,
            }]),
        );
        if self.include_usage {
            chunk.insert("usage".into(), Value::Null);
        }
        // The real service pads its chunks, so that their lengths do not tell the tokens.
        let label = delta.to_string();
        let length = self.reply.ids.below(&label, OBFUSCATION_MAX);
        let padding = self
            .reply
            .ids
            .letters(&label, usize::try_from(length).unwrap_or(0));
        chunk.insert("obfuscation".into(), padding.into());
        Event::new(None, Value::Object(chunk).to_string())
    }

    fn usage(&self) -> Event {
        let mut chunk = self.head();
        chunk.insert("choices".into(), json!([]));
        chunk.insert("usage".into(), usage(&self.reply.usage));
        chunk.insert("obfuscation".into(), "".into());
        Event::new(None, Value::Object(chunk).to_string())
    }

    fn head(&self) -> Map<String, Value> {
        let reply = self.reply;
        let members: [(&str, Value); 6] = [
            ("id", id(&reply.ids, reply.turn).into()),
            ("object", "chat.completion.chunk".into()),
            ("created", reply.created.into()),
            ("model", reply.model.as_str().into()),
            ("service_tier", "default".into()),
            ("system_fingerprint", fingerprint(&reply.ids).into()),
        ];
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

fn joined(reply: &Reply, text: impl Fn(&Part) -> Option<&String>) -> Value {
    let texts: Vec<&str> = reply
        .parts
        .iter()
        .filter_map(text)
        .map(String::as_str)
        .collect();
    if texts.is_empty() {
        Value::Null
    } else {
        texts.concat().into()
    }
}

fn call(part: &Part) -> Option<Value> {
    let Part::Call { id, name, input } = part else {
        return None;
    };
    let arguments = Value::Object(input.clone()).to_string();
    Some(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
}

const fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Refusal => "stop",
        Stop::Tools => "tool_calls",
        Stop::Length => "length",
    }
}

pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn id(ids: &Ids, turn: usize) -> String {
    format!("chatcmpl-{}", ids.letters(&format!("answer {turn}"), 29))
}

fn fingerprint(ids: &Ids) -> String {
    format!("fp_{}", ids.hex("fingerprint", 10))
}
