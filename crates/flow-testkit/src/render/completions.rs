//! `OpenAI` completions: a text that goes on, without messages, thinking or calls.

use serde_json::{Value, json};

use super::{Event, Kind, openai, pieces};
use crate::ask::Ask;
use crate::reply::{Part, Reply, Stop};

const DELTA_BYTES: usize = 9;

pub(super) fn whole(reply: &Reply) -> Value {
    let mut body = chunk(reply, &text(reply), Some(finish(reply.stop)));
    body["usage"] = openai::usage(&reply.usage);
    body
}

pub(super) fn events(reply: &Reply, ask: &Ask) -> Vec<Event> {
    let data = |value: &Value| Event::new(None, value.to_string());
    let mut events: Vec<Event> = pieces(&text(reply), DELTA_BYTES, &reply.ids)
        .iter()
        .map(|piece| data(&chunk(reply, piece, None)))
        .collect();
    events.push(data(&chunk(reply, "", Some(finish(reply.stop)))));
    if ask.include_usage {
        let mut last = chunk(reply, "", None);
        last["choices"] = json!([]);
        last["usage"] = openai::usage(&reply.usage);
        events.push(data(&last));
    }
    events.push(Event {
        kind: Kind::Closing,
        ..Event::new(None, "[DONE]".into())
    });
    events
}

fn chunk(reply: &Reply, text: &str, finish: Option<&str>) -> Value {
    json!({
        "id": format!("cmpl-{}", reply.ids.letters(&format!("answer {}", reply.turn), 29)),
        "object": "text_completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [{"text": text, "index": 0, "logprobs": null, "finish_reason": finish}],
    })
}

fn text(reply: &Reply) -> String {
    let texts = reply.parts.iter().filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text.as_str()),
        Part::Thinking { .. } | Part::Call { .. } => None,
    });
    texts.collect()
}

const fn finish(stop: Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Tools | Stop::Refusal => "stop",
        Stop::Length => "length",
    }
}
