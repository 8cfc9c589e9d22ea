//! `GET …/models`: lists of models, in every vendor's shape. Nothing is generated, so that nothing is counted.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `data[]` | OpenAI, Anthropic, `OpenRouter` | a part `model` each, kept raw |
//! | `models[]`, `publisherModels[]` | Google, Ollama, Cohere, Vertex | the same |
//! | a bare list | Together | the same |
//! | `id`, `name` without a list | one model of any vendor | one part `model`; its name is the model that answered |
//! | `has_more`, `nextPageToken` and the like | all | kept raw, under their names |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`MODELS_MAX`] | 2,048 models | diagnostic `too_many_models`, the rest is not kept |

#[cfg(test)]
mod tests;

use flow_model::RequestReading;
use serde_json::{Map, Value};

use super::{Ask, Depth, other_part};
use crate::answer::Answer;
use crate::json::{Document, Json, Kind};

/// Models of one list.
const MODELS_MAX: usize = 2_048;

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    ask.parameter(name, json);
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut listed = false;
    let mut one = Map::new();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("data" | "models" | "publisherModels", Kind::Array) => {
                listed = true;
                list(json, answer);
            }
            (_, Kind::Null | Kind::None) => {}
            _ => {
                if let Some(value) = answer.keep(json) {
                    one.insert(name.into_owned(), value);
                }
            }
        }
    }
    if listed {
        for (name, value) in one {
            answer.part(0, other_part(&name, value.into()), 0);
        }
    } else if !one.is_empty() {
        let name = one.get("id").or_else(|| one.get("name"));
        answer.model = name.and_then(Value::as_str).map(str::to_owned);
        answer.part(0, other_part("model", Value::Object(one).into()), 0);
    }
}

/// Reads a whole response that is a bare list.
pub(crate) fn read_other(body: &[u8], answer: &mut Answer) -> bool {
    let document = Document::new(body);
    let mut json = document.root();
    let is_list = json.kind() == Kind::Array;
    if is_list {
        list(&mut json, answer);
    }
    json.end();
    answer.note(&document);
    is_list
}

fn list(json: &mut Json<'_>, answer: &mut Answer) {
    answer.draft(0);
    json.array();
    let mut count = 0;
    while json.element() {
        count += 1;
        if count > MODELS_MAX {
            let what = "more models than are kept; the rest was not read";
            answer.diagnostics.once("too_many_models", what);
        } else if let Some(raw) = answer.keep_raw(json) {
            answer.part(0, other_part("model", raw), 0);
        }
    }
}
