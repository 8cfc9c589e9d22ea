//! `POST …/model/M/invoke` and `…/invoke-with-response-stream`: a model's own shape.
//!
//! The members of a body tell its shape; where they fit several, the model in the path does. What belongs to
//! another dialect is read by that dialect.
//!
//! | what the wire has | whose | what is read |
//! |---|---|---|
//! | `anthropic_version` and `messages`; `type: message`; `message_start` … | Claude | Anthropic messages |
//! | `prompt`; `completion` | Claude before messages | text |
//! | `messages` with `inferenceConfig` or `schemaVersion`; `output`; `{"messageStart": …}` … | Nova | Converse |
//! | `messages`; `choices` | gpt-oss, Jamba, Mistral, Qwen, DeepSeek | OpenAI chat |
//! | … with `stop_reason` for `finish_reason`, and `message` for `delta` in streams | Mistral | the same |
//! | `prompt`; `choices` with `text` | DeepSeek R1 | text |
//! | `inputText`; `results`, `outputText` | Titan | text; counts that may be written `6.0` |
//! | `prompt`; `generation` | Llama | text |
//! | `prompt`; `outputs` | Mistral before chat | text |
//! | `prompt`; `generations`; `text` with `is_finished` | Cohere command | text; in a stream each generation is a part, because one reason ends all |
//! | `message`; `text` or `message` with `generation_id`; `event_type` | Cohere command R | Cohere chat |
//! | `prompt`; `completions`, with a number for an id | Jurassic | text |
//! | `inputPrompt`; `message` as a string | Pegasus | text |
//! | `embedding`, `embeddings`, also by type | Titan, Nova, Cohere, Marengo | the number of vectors and of their numbers |
//! | `images`, `artifacts` | Titan, Nova, Stability | images, and why each ended |
//! | `query` and `documents`; `results` with `relevance_score` | rerankers | each result, raw |
//! | frames with `{"bytes": base64}` and padding in `p` | all streams | the event in the base64 |
//! | `amazon-bedrock-invocationMetrics` in the last event; `x-amzn-bedrock-…-token-count` in a head | all | counts beside the model's own |

mod completion;
mod media;
mod request;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{Dialect, Header, WireUsage, exchange};
use serde_json::{Map, Value};

use super::{anthropic_messages, bedrock_converse, cohere, openai_chat};
use crate::answer::Answer;
use crate::json::{Document, Json, Kind};
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::stream::Stream;

/// What a response or an event is shaped like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Messages,
    Converse,
    Chat,
    Cohere,
    Completion,
    Embeddings,
    Images,
}

// === impl Shape ===

impl Shape {
    /// Returns the shape that the members of an object tell; the cursor stands behind its opening bracket.
    fn of(mut json: Json<'_>) -> Self {
        let mut shape = Self::Completion;
        while let Some(name) = json.member() {
            let found = match (name.as_ref(), json.kind()) {
                ("type", Kind::String) => match json.text().as_deref() {
                    Some("completion") => Some(Self::Completion),
                    // Cohere's second chat names its events with hyphens.
                    Some(kind) if kind.contains('-') => Some(Self::Cohere),
                    _ => Some(Self::Messages),
                },
                (
                    "output" | "messageStart" | "messageStop" | "metadata" | "contentBlockStart"
                    | "contentBlockDelta" | "contentBlockStop",
                    Kind::Object,
                ) => Some(Self::Converse),
                ("choices", Kind::Array) => Some(Self::of_choices(json)),
                ("event_type" | "chat_history" | "generation_id", _) => Some(Self::Cohere),
                ("message", Kind::Object) => Some(Self::Cohere),
                ("completion" | "generation" | "outputText", Kind::String) => {
                    Some(Self::Completion)
                }
                ("results" | "outputs" | "generations" | "completions", Kind::Array) => {
                    Some(Self::Completion)
                }
                ("embedding" | "embeddings" | "embeddingsByType", Kind::Array | Kind::Object) => {
                    Some(Self::Embeddings)
                }
                ("data", Kind::Array) => Some(Self::Embeddings),
                ("images" | "artifacts", Kind::Array) => Some(Self::Images),
                _ => None,
            };
            if let Some(found) = found {
                return found;
            }
            if name == "object" {
                shape = Self::Chat;
            }
        }
        shape
    }

    /// Tells texts from messages by the first choice.
    fn of_choices(mut json: Json<'_>) -> Self {
        json.array();
        let first = json
            .element()
            .then(|| json.fields(["text", "message", "delta"]));
        match first.flatten() {
            Some([Some(_), None, None]) => Self::Completion,
            _ => Self::Chat,
        }
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    match Shape::of(*json) {
        Shape::Messages => anthropic_messages::read_whole(json, answer),
        Shape::Converse => bedrock_converse::read_whole(json, answer),
        Shape::Chat => chat(json, answer),
        Shape::Cohere => as_cohere(answer, |answer| cohere::read_whole(json, answer)),
        Shape::Completion => completion::read_whole(json, answer),
        Shape::Embeddings => media::embeddings(json, answer),
        Shape::Images => media::images(json, answer),
    }
}

/// Reads what is shaped like OpenAI's chat.
fn chat(json: &mut Json<'_>, answer: &mut Answer) {
    let Some(respelled) = respelled("message", json) else {
        return openai_chat::read_whole(json, answer);
    };
    let document = Document::at(&respelled, json.document().base());
    let mut json = document.root();
    if json.object() {
        openai_chat::read_whole(&mut json, answer);
    }
}

/// Returns a response or event of Mistral's with OpenAI's names; none where it has them already. `said` is the
/// name under which a message has to stand. The cursor stands behind the opening bracket, and is moved to the end
/// only where something is returned.
fn respelled(said: &str, json: &mut Json<'_>) -> Option<Vec<u8>> {
    let mut seen = *json;
    let mut differs = false;
    while let Some(name) = seen.member() {
        if name == "choices" && seen.array() {
            while seen.element() {
                let found = seen.fields(["stop_reason", "message", "delta"]);
                differs |= match found {
                    Some([Some(_), ..]) => true,
                    Some([None, Some(_), None]) => said != "message",
                    _ => false,
                };
            }
        }
    }
    if !differs {
        return None;
    }
    let mut body = Map::new();
    while let Some(name) = json.member() {
        body.insert(name.into_owned(), json.value());
    }
    let choices = body.get_mut("choices").and_then(Value::as_array_mut);
    for choice in choices.into_iter().flatten() {
        let Some(choice) = choice.as_object_mut() else {
            continue;
        };
        for (from, to) in [("stop_reason", "finish_reason"), ("message", said)] {
            if let Some(value) = choice.remove(from) {
                choice.entry(to).or_insert(value);
            }
        }
    }
    Some(Value::Object(body).to_string().into_bytes())
}

/// Reads something of Cohere's, whose code asks which of its dialects it is.
fn as_cohere(answer: &mut Answer, read: impl FnOnce(&mut Answer)) {
    let outer = std::mem::replace(&mut answer.dialect, Dialect::CohereChat);
    read(answer);
    answer.dialect = outer;
}

/// Reads the counts that the head of a response holds.
pub(crate) fn read_head(headers: &[Header], answer: &mut Answer) {
    let read = |name: &str| exchange::header(headers, name)?.trim().parse().ok();
    let counts = WireUsage {
        input: read("x-amzn-bedrock-input-token-count"),
        output: read("x-amzn-bedrock-output-token-count"),
        cache_read: read("x-amzn-bedrock-cache-read-input-token-count"),
        cache_write: read("x-amzn-bedrock-cache-write-input-token-count"),
        reasoning: None,
        total: None,
    };
    answer.metrics = (counts != WireUsage::default()).then_some(counts);
}

/// Returns the counts that the gateway measured.
fn metrics(json: &mut Json<'_>) -> Option<WireUsage> {
    let names = [
        "inputTokenCount",
        "outputTokenCount",
        "cacheReadInputTokenCount",
        "cacheWriteInputTokenCount",
    ];
    let found = json.fields(names)?;
    let [input, output, cache_read, cache_write] =
        found.map(|json| json.and_then(|mut json| whole_number(&mut json)));
    Some(WireUsage {
        input,
        output,
        cache_read,
        cache_write,
        reasoning: None,
        total: None,
    })
}

/// Reads a whole number, which may be spelled with a fraction of 0.
fn whole_number(json: &mut Json<'_>) -> Option<u64> {
    if json.kind() != Kind::Number {
        return None;
    }
    let word = json.word()?;
    let plain = match word.split_once('.') {
        Some((plain, fraction)) if fraction.bytes().all(|digit| digit == b'0') => plain,
        _ => &word,
    };
    plain.parse().ok()
}

/// Returns the counts of a usage object, by the shape that it has.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let has = |name: &str| usage.has(&[name]);
    if has("input_tokens") {
        return anthropic_messages::usage(usage);
    }
    if has("inputTokens") {
        return bedrock_converse::usage(usage);
    }
    if has("billed_units") || has("tokens") {
        return cohere::usage(usage);
    }
    if has("prompt_tokens") {
        return openai_chat::usage(usage);
    }
    let first = |names: &[&str]| names.iter().find_map(|name| usage.count(&[name]));
    WireUsage {
        input: first(&["inputTextTokenCount", "prompt_token_count"]),
        output: first(&[
            "totalOutputTextTokenCount",
            "tokenCount",
            "generation_token_count",
        ]),
        ..WireUsage::default()
    }
}
