//! Requests for chat completions as an agent sends them: a system prompt, tools, turns with calls and results.
//!
//! A template is written once; every request fills its slots, one in each message, with a number of its own. So
//! no two requests share a message, and making one costs a copy.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Random;

/// Stands in a template where each request has its own number.
const SLOT: &str = "0000000000000000";
/// About as long as the text of one turn.
const TURN_BYTES: usize = 3_000;
/// About as long as everything around the text of one turn, and around all turns.
const FRAME_BYTES: usize = 400;
const WORDS: &[&str] = &[
    "the",
    "parser",
    "returns",
    "an",
    "error",
    "when",
    "input",
    "ends",
    "inside",
    "a",
    "string",
    "so",
    "we",
    "check",
    "length",
    "first",
    "and",
    "keep",
    "position",
    "for",
    "message",
    "let",
    "mut",
    "buffer",
    "=",
    "Vec::with_capacity(64);",
    "if",
    "bytes.is_empty()",
    "{",
    "}",
    "test",
    "passes",
    "on",
    "both",
    "platforms",
    "but",
    "fails",
    "under",
    "load",
    "because",
    "of",
    "timeout",
    "in",
    "connection",
    "pool",
    "src/main.rs",
    "line",
    "42",
    "while",
    "reading",
    "缓存",
    "naïve",
    "\n",
    "\t",
    "\"quoted\"",
];

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// Length of the body, roughly.
    pub(crate) bytes: usize,
    /// Asks for a stream.
    pub(crate) stream: bool,
}

/// A body with slots.
pub(crate) struct Template {
    bytes: Vec<u8>,
    slots: Vec<usize>,
}

// === impl Template ===

impl Template {
    /// Writes a template; the seed decides its words.
    pub(crate) fn new(ask: Ask, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut messages = vec![json!({
            "role": "system",
            "content": prose(&mut random, (ask.bytes / 8).min(8 * TURN_BYTES)),
        })];
        let mut length = weight(&messages) + FRAME_BYTES;
        while length + FRAME_BYTES < ask.bytes {
            let rest = ask.bytes - length - FRAME_BYTES;
            let turn = turn(&mut random, rest.min(TURN_BYTES), messages.len());
            length += weight(&turn);
            messages.extend(turn);
        }
        messages.push(json!({"role": "user", "content": prose(&mut random, 200)}));
        let body = json!({
            "model": "gpt-5.1",
            "messages": messages,
            "stream": ask.stream,
            "stream_options": ask.stream.then(|| json!({"include_usage": true})),
        });
        let bytes = body.to_string().into_bytes();
        let slots = slots(&bytes);
        Self { bytes, slots }
    }

    /// Returns the body of request `number`.
    pub(crate) fn fill(&self, number: u64) -> Bytes {
        let digits = format!("{number:016x}");
        let mut bytes = self.bytes.clone();
        for slot in &self.slots {
            if let Some(place) = bytes.get_mut(*slot..slot + SLOT.len()) {
                place.copy_from_slice(digits.as_bytes());
            }
        }
        Bytes::from(bytes)
    }
}

fn slots(bytes: &[u8]) -> Vec<usize> {
    let mut slots = Vec::new();
    let mut from = 0;
    while let Some(rest) = bytes.get(from..from + SLOT.len()) {
        if rest == SLOT.as_bytes() {
            slots.push(from);
            from += SLOT.len();
        } else {
            from += 1;
        }
    }
    slots
}

/// Returns one turn of an agent: it says something, calls a tool, and gets the result.
fn turn(random: &mut Random, bytes: usize, index: usize) -> Vec<Value> {
    let id = format!("call_{index}_{SLOT}");
    let arguments = json!({"path": "src/main.rs", "note": prose(random, bytes / 10)}).to_string();
    vec![
        json!({"role": "user", "content": prose(random, bytes / 10)}),
        json!({
            "role": "assistant",
            "content": prose(random, bytes / 5),
            "tool_calls": [{
                "id": id,
                "type": "function",
                "function": {"name": "read_file", "arguments": arguments},
            }],
        }),
        json!({"role": "tool", "tool_call_id": id, "content": prose(random, bytes / 2)}),
    ]
}

/// Returns text of about that length, with a slot in front.
fn prose(random: &mut Random, bytes: usize) -> String {
    let mut text = SLOT.to_owned();
    while text.len() < bytes {
        text.push(' ');
        text.extend(random.pick(WORDS).copied());
    }
    text
}

fn weight(messages: &[Value]) -> usize {
    messages.iter().map(|one| one.to_string().len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: usize) {
        let template = Template::new(
            Ask {
                bytes,
                stream: false,
            },
            1,
        );
        let body = template.fill(0xABC);
        let error = body.len().abs_diff(bytes);
        assert!(error * 5 < bytes, "{} bytes instead of {bytes}", body.len());
        let value: Value = serde_json::from_slice(&body).unwrap();
        for message in value["messages"].as_array().unwrap() {
            let text = message["content"].as_str().unwrap();
            assert!(text.starts_with("0000000000000abc"), "{text}");
        }
    }

    #[test]
    fn bodies_have_their_length_and_a_number_in_every_message() {
        check(2_000);
        check(200_000);
    }
}
