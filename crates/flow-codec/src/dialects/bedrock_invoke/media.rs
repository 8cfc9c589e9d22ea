//! Answers that are vectors or images.

use flow_model::{Embeddings, Part, Raw};

use super::completion::{note_count, stop};
use super::whole_number;
use crate::answer::Answer;
use crate::dialects::inline_media;
use crate::json::{Document, Json, Kind, Token};

/// Reads vectors; the cursor stands behind the opening bracket of the object.
pub(super) fn embeddings(json: &mut Json<'_>, answer: &mut Answer) {
    let mut found = Embeddings::default();
    let mut by_type = None;
    // What was counted, if anything, stands beside the vectors or in the head.
    answer.usage = Some(Raw::new("{}"));
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.word(),
            "inputTextTokenCount" => {
                if let Some(number) = whole_number(json) {
                    note_count(&name, number, answer);
                }
            }
            "embeddingsByType" => by_type = Some(*json),
            "embedding" | "embeddings" | "data" => vectors(json, &mut found),
            _ => {}
        }
    }
    // Titan repeats under the type's name what it has already told, but for binary vectors.
    if let Some(mut by_type) = by_type.filter(|_| found.count == 0) {
        vectors(&mut by_type, &mut found);
    }
    answer.embeddings = Some(found);
}

/// Counts vectors: one, a list of them, or the same ones by types of number.
fn vectors(json: &mut Json<'_>, found: &mut Embeddings) {
    if json.object() {
        let mut is_first = true;
        while json.member().is_some() {
            if is_first {
                list(json, found);
            }
            is_first = false;
        }
        return;
    }
    list(json, found);
}

fn list(json: &mut Json<'_>, found: &mut Embeddings) {
    if !json.array() {
        return;
    }
    let mut numbers = 0;
    while json.element() {
        let mut each = *json;
        match each.kind() {
            Kind::Number => numbers += 1,
            Kind::Object => {
                if let Some([Some(mut vector)]) = each.fields(["embedding"]) {
                    note(&mut vector, found);
                }
            }
            _ => note(&mut each, found),
        }
    }
    if numbers > 0 {
        found.count += 1;
        found.dimensions = found.dimensions.or(Some(numbers));
    }
}

/// Counts one vector.
fn note(json: &mut Json<'_>, found: &mut Embeddings) {
    found.count += 1;
    if found.dimensions.is_some() || !json.array() {
        return;
    }
    let mut numbers = 0;
    while json.element() {
        numbers += 1;
    }
    found.dimensions = Some(numbers);
}

/// Reads images; the cursor stands behind the opening bracket of the object.
pub(super) fn images(json: &mut Json<'_>, answer: &mut Answer) {
    let mut count = 0;
    while let Some(name) = json.member() {
        match name.as_ref() {
            "images" if json.array() => {
                while json.element() {
                    let document = json.document();
                    if let Some(data) = json.string() {
                        picture(count, data, document, answer);
                        count += 1;
                    }
                }
            }
            "artifacts" if json.array() => {
                while json.element() {
                    let document = json.document();
                    let Some([data, reason]) = json.fields(["base64", "finishReason"]) else {
                        continue;
                    };
                    if let Some(data) = data.and_then(|mut data| data.string()) {
                        picture(count, data, document, answer);
                    }
                    stop(count, reason.and_then(|mut reason| reason.owned()), answer);
                    count += 1;
                }
            }
            "finish_reasons" if json.array() => {
                let mut index = 0;
                while json.element() {
                    stop(index, json.owned(), answer);
                    index += 1;
                }
            }
            _ => {}
        }
    }
    answer.units.images = Some(count);
}

fn picture(index: u64, data: Token<'_>, document: &Document<'_>, answer: &mut Answer) {
    // The first bytes of each format, in base64.
    let known = [
        (&b"iVBORw0KGgo"[..], "image/png"),
        (b"/9j/", "image/jpeg"),
        (b"UklGR", "image/webp"),
    ];
    let raw = data.raw();
    let mime = known.iter().find(|(start, _)| raw.starts_with(start));
    let mime = mime.map(|(_, mime)| (*mime).to_owned());
    let media = inline_media(mime, data, document);
    answer.part(index, Part::Image { media }, 0);
}
