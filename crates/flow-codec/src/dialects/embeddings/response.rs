//! Whole responses.

use flow_model::Embeddings;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::json::{Document, Json, Kind, Token};
use crate::usage::counted;

/// Bytes of a number that OpenAI packs in base64.
const FLOAT_BYTES: u64 = 4;

/// The types of Cohere's vectors whose entries are one number each.
const PLAIN_TYPES: [&str; 3] = ["float", "int8", "uint8"];

/// Vectors, counted.
#[derive(Clone, Copy, Default)]
struct Counted {
    count: u64,
    /// Numbers of the first vector.
    dimensions: Option<u64>,
    /// Numbers of the first vector if it holds floats in base64.
    floats: Option<u64>,
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut found = None;
    let mut counts = Map::new();
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.word(),
            "model" => answer.model = json.owned(),
            "data" | "embeddings" => found = vectors(json).or(found),
            "embedding" if json.kind() != Kind::Null => {
                let mut one = Counted::default();
                one.add(*json);
                found = Some(one);
            }
            "usage" | "usageMetadata" | "meta" => answer.count(json),
            "prompt_eval_count" | "total_duration" | "load_duration" => {
                counts.insert(name.clone().into_owned(), json.value());
            }
            _ => {}
        }
    }
    if counts.contains_key("prompt_eval_count") {
        answer.usage = Some(Value::Object(counts).into());
    }
    tell(found, answer);
}

/// Reads a whole response that is a bare list of vectors.
pub(crate) fn read_other(body: &[u8], answer: &mut Answer) -> bool {
    let document = Document::new(body);
    let mut json = document.root();
    let found = if json.kind() == Kind::Array {
        vectors(&mut json)
    } else {
        None
    };
    json.end();
    answer.note(&document);
    tell(found, answer);
    found.is_some()
}

/// Keeps the counts. What base64 holds is told by no wire, but only OpenAI's own usage goes with its floats.
fn tell(found: Option<Counted>, answer: &mut Answer) {
    let floats = answer.usage.as_ref().is_some_and(|usage| {
        counted(usage, |usage| {
            let asked = usage.has(&["prompt_tokens"]) || usage.has(&["billed_units"]);
            asked && !usage.has_object(&["cost"])
        })
    });
    answer.embeddings = found.map(|found| Embeddings {
        count: found.count,
        dimensions: found.dimensions.or(found.floats.filter(|_| floats)),
    });
}

/// Counts a list of vectors, or lists of them by type.
fn vectors(json: &mut Json<'_>) -> Option<Counted> {
    if json.array() {
        let mut counted = Counted::default();
        while json.element() {
            counted.add(*json);
        }
        return Some(counted);
    }
    if !json.object() {
        return None;
    }
    let (mut found, mut is_plain) = (None, false);
    while let Some(name) = json.member() {
        let plain = PLAIN_TYPES.contains(&name.as_ref());
        if !is_plain && (plain || found.is_none()) && json.kind() == Kind::Array {
            found = vectors(json);
            is_plain = plain;
        }
    }
    found
}

// === impl Counted ===

impl Counted {
    /// Counts one vector: numbers, base64, or an object with one of them.
    fn add(&mut self, mut json: Json<'_>) {
        self.count += 1;
        if self.count > 1 {
            return;
        }
        if json.kind() == Kind::Object {
            let inner = json.fields(["embedding", "values"]);
            let Some(vector) = inner.and_then(|[vector, values]| vector.or(values)) else {
                return;
            };
            json = vector;
        }
        if let Some(packed) = json.string() {
            self.floats = floats_in(packed);
        } else {
            self.dimensions = numbers_in(json);
        }
    }
}

/// Returns the length of a list of numbers.
fn numbers_in(mut json: Json<'_>) -> Option<u64> {
    if !json.array() {
        return None;
    }
    let mut count = 0;
    while json.element() {
        if count == 0 && json.kind() != Kind::Number {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// Returns how many floats base64 text holds; none where they do not come out even.
fn floats_in(packed: Token<'_>) -> Option<u64> {
    let padding = packed.raw().iter().rev().take_while(|byte| **byte == b'=');
    let padding = padding.count() as u64;
    let bytes = packed.ascii_chars().saturating_sub(padding) * 3 / 4;
    bytes
        .is_multiple_of(FLOAT_BYTES)
        .then_some(bytes / FLOAT_BYTES)
}
