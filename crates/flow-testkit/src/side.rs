//! The small endpoints beside answers: lists of models, counts of tokens, embeddings.
//!
//! Embeddings follow from their text: the same text always has the same vector. Behaviours do not reach these.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use crate::ask::{Ask, tokens};
use crate::conversation::Library;
use crate::digest::Ids;
use crate::plan::Plan;
use crate::target::{Api, Embed, Provider};

/// Numbers of a vector where a request does not say.
const DIMENSIONS: u64 = 16;
const DIMENSIONS_MAX: u64 = 4096;
/// Steps from 0 to 1 that a number of a vector takes.
const STEPS: u16 = 10_000;

/// Returns the list of models: one for each conversation.
pub(crate) fn models(api: Api, library: &Library, epoch_seconds: u64) -> Plan {
    let names = library.conversations().iter();
    let names = names.map(|conversation| format!("demo-{}", conversation.name));
    let body = match api.provider() {
        Provider::Anthropic => {
            let data: Vec<Value> = names
                .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"}))
                .collect();
            let end = |model: Option<&Value>| model.map(|model| model["id"].clone());
            json!({"data": data, "has_more": false, "first_id": end(data.first()), "last_id": end(data.last())})
        }
        Provider::Google => {
            let models: Vec<Value> = names
                .map(|id| {
                    json!({"name": format!("models/{id}"), "displayName": id,
                    "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"]})
                })
                .collect();
            json!({"models": models})
        }
        _ => {
            let data: Vec<Value> = names
                .map(|id| json!({"id": id, "object": "model", "created": epoch_seconds, "owned_by": "system"}))
                .collect();
            json!({"object": "list", "data": data})
        }
    };
    answer(&body)
}

/// Returns the count of a request's tokens.
pub(crate) fn count_tokens(api: Api, body: &[u8]) -> Plan {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    // Gemini's request may hold the one that is to be counted.
    let request = body.get("generateContentRequest").unwrap_or(&body);
    let tokens = Ask::read(api, request).tokens;
    let body = match api {
        Api::Gemini => json!({"totalTokens": tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}),
        _ => json!({"input_tokens": tokens}),
    };
    answer(&body)
}

/// Returns the embeddings of what a request holds.
pub(crate) fn embed(form: Embed, body: &[u8]) -> Plan {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let body = match form {
        Embed::OpenAi => openai(&body),
        Embed::Gemini => json!({"embedding": gemini(&body)}),
        Embed::GeminiBatch => {
            let requests = body.get("requests").and_then(Value::as_array);
            let embeddings: Vec<Value> = requests.into_iter().flatten().map(gemini).collect();
            json!({"embeddings": embeddings})
        }
    };
    answer(&body)
}

fn openai(body: &Value) -> Value {
    let input = body.get("input").unwrap_or(&Value::Null);
    let inputs = match input {
        // A list of numbers is one input of tokens.
        Value::Array(items) if !items.iter().all(Value::is_number) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let base64 = body.get("encoding_format").and_then(Value::as_str) == Some("base64");
    let (mut data, mut counted) = (Vec::new(), 0);
    for (index, input) in inputs.iter().enumerate() {
        let text = said(input);
        counted += input
            .as_array()
            .map_or_else(|| tokens(&text), |items| items.len() as u64);
        let vector = vector(&text, body.get("dimensions"));
        let embedding = if base64 {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect();
            STANDARD.encode(bytes).into()
        } else {
            json!(vector)
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
    }
    let model = body.get("model").unwrap_or(&Value::Null);
    json!({"object": "list", "data": data, "model": model,
        "usage": {"prompt_tokens": counted, "total_tokens": counted}})
}

fn gemini(request: &Value) -> Value {
    let text = said(request.get("content").unwrap_or(&Value::Null));
    let dimensions = request
        .get("outputDimensionality")
        .or_else(|| request.get("output_dimensionality"));
    json!({"values": vector(&text, dimensions)})
}

/// Returns what an input says, in a form that differs where inputs do.
fn said(input: &Value) -> String {
    input
        .as_str()
        .map_or_else(|| input.to_string(), str::to_owned)
}

fn vector(text: &str, dimensions: Option<&Value>) -> Vec<f32> {
    let asked = dimensions.and_then(Value::as_u64).unwrap_or(DIMENSIONS);
    let ids = Ids::new(text);
    let number = |place: u64| {
        let step = ids.below(&format!("dimension {place}"), u64::from(STEPS));
        let step = u16::try_from(step).unwrap_or(0);
        f32::from(step) / f32::from(STEPS) * 2.0 - 1.0
    };
    (0..asked.min(DIMENSIONS_MAX)).map(number).collect()
}

fn answer(body: &Value) -> Plan {
    let body = Bytes::from(body.to_string());
    Plan::fixed(StatusCode::OK, "application/json", body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector_of(value: &Value) -> Vec<f64> {
        let numbers = value.as_array().into_iter().flatten();
        numbers.filter_map(Value::as_f64).collect()
    }

    #[test]
    fn the_same_text_has_the_same_vector() {
        let body = json!({"model": "m", "input": ["one", "two", "one"], "dimensions": 5});
        let answer = openai(&body);
        let vector = |place: usize| vector_of(&answer["data"][place]["embedding"]);
        assert_eq!(vector(0).len(), 5);
        assert_eq!(vector(0), vector(2));
        assert_ne!(vector(0), vector(1));
        assert!(vector(1).iter().all(|number| (-1.0..=1.0).contains(number)));
        assert_eq!(answer["usage"]["total_tokens"], 3);
        assert_eq!(answer["data"][2]["index"], 2);
    }

    #[test]
    fn inputs_are_texts_or_tokens() {
        let check = |input: Value, count: usize, tokens: u64| {
            let answer = openai(&json!({"input": input}));
            assert_eq!(
                answer["data"].as_array().map(Vec::len),
                Some(count),
                "{input}"
            );
            assert_eq!(answer["usage"]["prompt_tokens"], tokens, "{input}");
        };
        check(json!("four"), 1, 1);
        check(json!(["four", "four"]), 2, 2);
        check(json!([5, 6, 7]), 1, 3);
        check(json!([[5, 6], [7]]), 2, 3);
    }

    #[test]
    fn base64_holds_the_same_numbers() {
        let plain = openai(&json!({"input": "x"}));
        let coded = openai(&json!({"input": "x", "encoding_format": "base64"}));
        let bytes = coded["data"][0]["embedding"].as_str().unwrap();
        let bytes = STANDARD.decode(bytes).unwrap();
        let decoded = bytes.chunks_exact(4).map(|four| {
            let number = f32::from_le_bytes(four.try_into().unwrap());
            json!(number).as_f64().unwrap()
        });
        let decoded: Vec<f64> = decoded.collect();
        assert_eq!(decoded, vector_of(&plain["data"][0]["embedding"]));
        assert_eq!(decoded.len() as u64, DIMENSIONS);
    }

    #[test]
    fn gemini_asks_in_either_spelling() {
        let content = json!({"parts": [{"text": "x"}]});
        let camel = gemini(&json!({"content": content, "outputDimensionality": 3}));
        let snake = gemini(&json!({"content": content, "output_dimensionality": 3}));
        assert_eq!(vector_of(&camel["values"]).len(), 3);
        assert_eq!(camel, snake);
    }
}
