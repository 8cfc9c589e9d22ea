//! Gemini generateContent.
//!
//! A refusal is a candidate without content that stopped for `SAFETY`, which is how the real service refuses.

use serde_json::{Map, Value, json};

use super::{Event, Kind, google, pieces};
use crate::reply::{Part, Reply, Stop, Usage};

const DELTA_BYTES: usize = 96;

pub(super) fn whole(reply: &Reply) -> Value {
    let parts: Vec<Value> = reply
        .parts
        .iter()
        .filter_map(|part| whole_part(part, reply))
        .collect();
    chunk(reply, &parts, Some(reply.stop), reply.usage)
}

pub(super) fn events(reply: &Reply) -> Vec<Event> {
    let pieces: Vec<Value> = reply
        .parts
        .iter()
        .flat_map(|part| stream_parts(part, reply))
        .collect();
    let count = pieces.len() as u64;
    let shown = reply.usage.output - reply.usage.reasoning;
    let mut events = Vec::with_capacity(pieces.len() + 1);
    for (place, part) in (1_u64..).zip(pieces) {
        let thinking = part.get("thought").is_some();
        let so_far = if thinking {
            0
        } else {
            shown * place / (count + 1)
        };
        let usage = Usage {
            output: so_far + reply.usage.reasoning,
            ..reply.usage
        };
        events.push(event(&chunk(reply, &[part], None, usage)));
    }
    let last = if reply.stop == Stop::Refusal {
        Vec::new()
    } else {
        vec![json!({"text": ""})]
    };
    let closing = event(&chunk(reply, &last, Some(reply.stop), reply.usage));
    events.push(Event {
        kind: Kind::Closing,
        ..closing
    });
    events
}

fn event(value: &Value) -> Event {
    Event::new(None, google(value))
}

fn whole_part(part: &Part, reply: &Reply) -> Option<Value> {
    match part {
        Part::Thinking { text, .. } => Some(json!({"text": text, "thought": true})),
        Part::Text(text) => Some(json!({"text": text})),
        Part::Refusal(_) => None,
        Part::Call { id, name, input } => Some(call(id, name, input, reply)),
    }
}

fn stream_parts(part: &Part, reply: &Reply) -> Vec<Value> {
    let cut = |text: &str| pieces(text, DELTA_BYTES, &reply.ids);
    match part {
        Part::Thinking { text, .. } => cut(text)
            .iter()
            .map(|piece| json!({"text": piece, "thought": true}))
            .collect(),
        Part::Text(text) => cut(text)
            .iter()
            .map(|piece| json!({"text": piece}))
            .collect(),
        Part::Refusal(_) => Vec::new(),
        Part::Call { id, name, input } => vec![call(id, name, input, reply)],
    }
}

/// The signature of thinking stands beside the first call.
fn call(id: &str, name: &str, input: &Map<String, Value>, reply: &Reply) -> Value {
    let mut value = json!({"functionCall": {"name": name, "args": input, "id": id}});
    let first = reply.parts.iter().find_map(|part| match part {
        Part::Call { id, .. } => Some(id.as_str()),
        _ => None,
    });
    let signature = reply.parts.iter().find_map(|part| match part {
        Part::Thinking { signature, .. } => Some(signature.as_str()),
        _ => None,
    });
    if first == Some(id)
        && let (Some(object), Some(signature)) = (value.as_object_mut(), signature)
    {
        object.insert("thoughtSignature".into(), signature.into());
    }
    value
}

fn chunk(reply: &Reply, parts: &[Value], stop: Option<Stop>, usage: Usage) -> Value {
    let mut candidate = Map::new();
    if !parts.is_empty() {
        candidate.insert("content".into(), json!({"parts": parts, "role": "model"}));
    }
    if let Some(stop) = stop {
        candidate.insert("finishReason".into(), finish(stop).into());
    }
    candidate.insert("index".into(), 0.into());
    if stop == Some(Stop::Refusal) {
        let ratings = json!([{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true}]);
        candidate.insert("safetyRatings".into(), ratings);
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": metadata(&usage),
        "modelVersion": reply.model,
        "responseId": reply.ids.letters(&format!("answer {}", reply.turn), 23),
    })
}

fn metadata(usage: &Usage) -> Value {
    let shown = usage.output - usage.reasoning;
    let mut members = Map::new();
    members.insert("promptTokenCount".into(), usage.input.into());
    if shown > 0 {
        members.insert("candidatesTokenCount".into(), shown.into());
    }
    members.insert(
        "totalTokenCount".into(),
        (usage.input + usage.output).into(),
    );
    if usage.cache_read > 0 {
        members.insert("cachedContentTokenCount".into(), usage.cache_read.into());
    }
    let details = json!([{"modality": "TEXT", "tokenCount": usage.input}]);
    members.insert("promptTokensDetails".into(), details);
    if usage.reasoning > 0 {
        members.insert("thoughtsTokenCount".into(), usage.reasoning.into());
    }
    Value::Object(members)
}

const fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Tools => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
    }
}
