//! `OpenAI` responses.
//!
//! Each part of an answer is one item of `output`. Thinking is a reasoning item; its summary is empty unless the
//! request asks for one (`reasoning.summary`) or the behaviour `reasoning` does. What `include` asks for as
//! `reasoning.encrypted_content` is the signature of the thinking.

use serde_json::{Map, Value, json};

use super::{Event, Kind, pieces};
use crate::ask::{Ask, response_id};
use crate::behaviour::Behaviour;
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 9;
const OBFUSCATION_MAX: u64 = 16;

pub(super) fn whole(reply: &Reply, ask: &Ask, behaviour: &Behaviour) -> Value {
    let items = reply.parts.iter().enumerate();
    let output: Vec<Value> = items
        .map(|(place, part)| item(reply, ask, behaviour, place, part))
        .collect();
    ended(reply, &output)
}

pub(super) fn events(reply: &Reply, ask: &Ask, behaviour: &Behaviour) -> Vec<Event> {
    let mut stream = Stream {
        reply,
        events: Vec::new(),
    };
    let begun = response(reply, "in_progress", &[]);
    stream.push("response.created", json!({"response": begun}));
    stream.push("response.in_progress", json!({"response": begun}));
    let mut output = Vec::new();
    for (place, part) in reply.parts.iter().enumerate() {
        let whole = item(reply, ask, behaviour, place, part);
        stream.item(place, part, &whole);
        output.push(whole);
    }
    let ended = ended(reply, &output);
    let name = match reply.stop {
        Stop::Length => "response.incomplete",
        Stop::End | Stop::Tools | Stop::Refusal => "response.completed",
    };
    stream.push(name, json!({"response": ended}));
    if let Some(last) = stream.events.last_mut() {
        last.kind = Kind::Closing;
    }
    stream.events
}

/// Returns the events of an error after so many others.
pub(super) fn failed(reply: &Reply, after: usize, code: &str, message: &str) -> Vec<Event> {
    let mut response = response(reply, "failed", &[]);
    response.insert("error".into(), json!({"code": code, "message": message}));
    let error = json!({"type": "error", "sequence_number": after,
        "error": {"type": code, "code": code, "message": message, "param": null}});
    let failed = json!({"type": "response.failed", "sequence_number": after + 1,
        "response": response});
    vec![
        Event::new(Some("error"), error.to_string()),
        Event::new(Some("response.failed"), failed.to_string()),
    ]
}

/// The words of a content part's events.
struct Words {
    delta: &'static str,
    done: &'static str,
    /// Member of `done` that holds the text.
    member: &'static str,
    part: fn(&str) -> Value,
    /// The events have a list of log probabilities, here an empty one.
    scored: bool,
}

const TEXT: Words = Words {
    delta: "response.output_text.delta",
    done: "response.output_text.done",
    member: "text",
    part: text_part,
    scored: true,
};
const REFUSAL: Words = Words {
    delta: "response.refusal.delta",
    done: "response.refusal.done",
    member: "refusal",
    part: refusal_part,
    scored: false,
};

struct Stream<'a> {
    reply: &'a Reply,
    events: Vec<Event>,
}

impl Stream<'_> {
    fn push(&mut self, name: &'static str, members: Value) {
        let mut event = Map::new();
        event.insert("type".into(), name.into());
        event.insert("sequence_number".into(), self.events.len().into());
        if let Value::Object(members) = members {
            event.extend(members);
        }
        let data = Value::Object(event).to_string();
        self.events.push(Event::new(Some(name), data));
    }

    fn item(&mut self, place: usize, part: &Part, whole: &Value) {
        let added = json!({"output_index": place, "item": opened(whole)});
        self.push("response.output_item.added", added);
        match part {
            Part::Thinking { .. } => self.thinking(place, whole),
            Part::Text(text) => self.message(place, whole, text, &TEXT),
            Part::Refusal(text) => self.message(place, whole, text, &REFUSAL),
            Part::Call { input, .. } => self.call(place, whole, &arguments(input)),
        }
        let done = json!({"output_index": place, "item": whole});
        self.push("response.output_item.done", done);
    }

    fn thinking(&mut self, place: usize, whole: &Value) {
        let Some(Value::String(text)) = whole.pointer("/summary/0/text") else {
            return;
        };
        let at = json!({"item_id": whole["id"], "output_index": place, "summary_index": 0});
        let part = |text: &str| json!({"part": {"type": "summary_text", "text": text}});
        self.push("response.reasoning_summary_part.added", and(&at, part("")));
        self.deltas("response.reasoning_summary_text.delta", &at, text);
        let done = and(&at, json!({"text": text}));
        self.push("response.reasoning_summary_text.done", done);
        self.push("response.reasoning_summary_part.done", and(&at, part(text)));
    }

    fn message(&mut self, place: usize, whole: &Value, text: &str, words: &Words) {
        let at = json!({"item_id": whole["id"], "output_index": place, "content_index": 0});
        let part = |text: &str| json!({"part": (words.part)(text)});
        self.push("response.content_part.added", and(&at, part("")));
        let mut beside = at.clone();
        if words.scored {
            beside["logprobs"] = json!([]);
        }
        self.deltas(words.delta, &beside, text);
        self.push(words.done, and(&beside, json!({words.member: text})));
        self.push("response.content_part.done", and(&at, part(text)));
    }

    fn call(&mut self, place: usize, whole: &Value, arguments: &str) {
        let at = json!({"item_id": whole["id"], "output_index": place});
        self.deltas("response.function_call_arguments.delta", &at, arguments);
        let done = and(&at, json!({"arguments": arguments}));
        self.push("response.function_call_arguments.done", done);
    }

    fn deltas(&mut self, name: &'static str, at: &Value, text: &str) {
        for piece in pieces(text, DELTA_BYTES, &self.reply.ids) {
            // The real service pads its deltas, so that their lengths do not tell the tokens.
            let length = self.reply.ids.below(&piece, OBFUSCATION_MAX);
            let length = usize::try_from(length).unwrap_or(0);
            let padding = self.reply.ids.letters(&piece, length);
            let delta = json!({"delta": piece, "obfuscation": padding});
            self.push(name, and(at, delta));
        }
    }
}

/// Returns a response at its end.
fn ended(reply: &Reply, output: &[Value]) -> Value {
    let status = match reply.stop {
        Stop::Length => "incomplete",
        Stop::End | Stop::Tools | Stop::Refusal => "completed",
    };
    let mut response = response(reply, status, output);
    if reply.stop == Stop::Length {
        let reason = json!({"reason": "max_output_tokens"});
        response.insert("incomplete_details".into(), reason);
    } else {
        response.insert("completed_at".into(), reply.created.into());
    }
    response.insert("usage".into(), usage(&reply.usage));
    Value::Object(response)
}

fn response(reply: &Reply, status: &str, output: &[Value]) -> Map<String, Value> {
    let value = json!({
        "id": response_id(&reply.ids, reply.turn),
        "object": "response",
        "created_at": reply.created,
        "status": status,
        "background": false,
        "completed_at": null,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "model": reply.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "reasoning": {"effort": "medium", "summary": null},
        "safety_identifier": null,
        "service_tier": "default",
        "store": false,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": null,
        "user": null,
        "metadata": {},
    });
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn item(reply: &Reply, ask: &Ask, behaviour: &Behaviour, place: usize, part: &Part) -> Value {
    let id = |prefix: &str| {
        let label = format!("item {} {place}", reply.turn);
        format!("{prefix}_{}", reply.ids.hex(&label, 50))
    };
    let message = |content: Value| {
        json!({"id": id("msg"), "type": "message", "status": "completed", "role": "assistant",
            "content": [content]})
    };
    match part {
        Part::Thinking { text, signature } => {
            let shown = ask.show_reasoning || behaviour.reasoning;
            let summary = if shown {
                json!([{"type": "summary_text", "text": text}])
            } else {
                json!([])
            };
            let item = json!({"id": id("rs"), "type": "reasoning", "summary": summary});
            if ask.encrypt_reasoning {
                and(&item, json!({"encrypted_content": signature}))
            } else {
                item
            }
        }
        Part::Text(text) => message(text_part(text)),
        Part::Refusal(text) => message(refusal_part(text)),
        Part::Call {
            id: call,
            name,
            input,
        } => {
            json!({"id": id("fc"), "type": "function_call", "status": "completed",
                "arguments": arguments(input), "call_id": call, "name": name})
        }
    }
}

/// Returns an item as it is when it is added: without what follows in deltas.
fn opened(whole: &Value) -> Value {
    let mut item = whole.clone();
    for (member, empty) in [
        ("status", Value::from("in_progress")),
        ("content", json!([])),
        ("summary", json!([])),
        ("arguments", "".into()),
    ] {
        if let Some(value) = item.get_mut(member) {
            *value = empty;
        }
    }
    item
}

fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

fn refusal_part(text: &str) -> Value {
    json!({"type": "refusal", "refusal": text})
}

fn arguments(input: &Map<String, Value>) -> String {
    Value::Object(input.clone()).to_string()
}

/// Returns an object with the members of both.
fn and(one: &Value, other: Value) -> Value {
    let mut both = one.clone();
    if let (Value::Object(members), Value::Object(other)) = (&mut both, other) {
        members.extend(other);
    }
    both
}

fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    })
}
