//! Whole responses.

use flow_model::{Embeddings, Part};
use serde_json::json;

use crate::answer::Answer;
use crate::dialects::other_part;
use crate::json::{Json, Kind};

use super::media;

/// What is added up over all predictions.
#[derive(Default)]
struct Totals {
    vectors: u64,
    /// Numbers of the first vector.
    dimensions: Option<u64>,
    tokens: Option<u64>,
    filtered: Option<String>,
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut totals = Totals::default();
    while let Some(name) = json.member() {
        totals.member(&name, json, answer);
    }
    totals.close(answer);
}

// === impl Totals ===

impl Totals {
    fn member(&mut self, name: &str, json: &mut Json<'_>, answer: &mut Answer) {
        match (name, json.kind()) {
            ("predictions" | "videos" | "generatedSamples", Kind::Array) => {
                json.array();
                while json.element() {
                    self.prediction(json, answer);
                }
            }
            // What an operation gave once it is done.
            ("response" | "generateVideoResponse", Kind::Object) => {
                json.object();
                while let Some(name) = json.member() {
                    self.member(&name, json, answer);
                }
            }
            ("metadata", Kind::Object) => {
                let found = json.fields(["billableCharacterCount"]);
                if let Some([Some(mut characters)]) = found {
                    answer.units.characters = characters.number();
                }
            }
            ("model", Kind::String) => {
                let model = json.owned().unwrap_or_default();
                answer.model = model.rsplit('/').next().map(str::to_owned);
            }
            ("name", Kind::String) => answer.id = json.owned(),
            ("raiMediaFilteredReasons", Kind::Array) => {
                let mut reasons = *json;
                if reasons.array() && reasons.element() {
                    self.filtered = reasons.owned();
                }
                raw_part(name, json, answer);
            }
            ("done", Kind::Bool) => raw_part(name, json, answer),
            _ => {}
        }
    }

    fn prediction(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        let mut whole = *json;
        let names = [
            "embeddings",
            "textEmbedding",
            "imageEmbedding",
            "videoEmbeddings",
            "raiFilteredReason",
            "video",
        ];
        let Some([embeddings, text, image, videos, filtered, video]) = json.fields(names) else {
            return raw_part("prediction", &mut whole, answer);
        };
        let vectors = self.vectors;
        for vector in [embeddings, text, image].into_iter().flatten() {
            self.vector(vector);
        }
        if let Some(mut videos) = videos
            && videos.array()
        {
            while videos.element() {
                self.vector(videos);
            }
        }
        if self.vectors > vectors {
            return;
        }
        let mut source = video.filter(Json::is_object).unwrap_or(whole);
        if let Some(part) = media(&mut source) {
            made(part, &mut whole, answer);
            return;
        }
        let filtered = filtered.and_then(|mut reason| reason.owned());
        self.filtered = self.filtered.take().or(filtered);
        raw_part("prediction", &mut whole, answer);
    }

    /// Counts one vector: numbers, or an object with them and the number of tokens that they stand for.
    fn vector(&mut self, mut json: Json<'_>) {
        self.vectors += 1;
        if json.kind() == Kind::Object {
            let inner = json.fields(["values", "embedding", "statistics"]);
            let Some([values, embedding, statistics]) = inner else {
                return;
            };
            let tokens = statistics.and_then(|mut json| json.fields(["token_count"]));
            if let Some([Some(mut tokens)]) = tokens
                && let Some(tokens) = whole_number(&mut tokens)
            {
                self.tokens = Some(self.tokens.unwrap_or(0).saturating_add(tokens));
            }
            let Some(inner) = values.or(embedding) else {
                return;
            };
            json = inner;
        }
        if self.vectors == 1 && json.array() {
            let mut count = 0;
            while json.element() {
                count += 1;
            }
            self.dimensions = Some(count);
        }
    }

    fn close(self, answer: &mut Answer) {
        if self.vectors > 0 {
            answer.embeddings = Some(Embeddings {
                count: self.vectors,
                dimensions: self.dimensions,
            });
        }
        if let Some(tokens) = self.tokens {
            answer.usage = Some(json!({ "token_count": tokens }).into());
        }
        if answer.units.images.is_none() {
            answer.block_reason = self.filtered;
        }
    }
}

/// Adds what was made, behind what is said of it.
fn made(part: Part, json: &mut Json<'_>, answer: &mut Answer) {
    if json.object() {
        while let Some(name) = json.member() {
            if matches!(
                name.as_ref(),
                "prompt" | "safetyAttributes" | "raiFilteredReason"
            ) {
                raw_part(&name, json, answer);
            }
        }
    }
    if matches!(part, Part::Image { .. }) {
        let images = answer.units.images.unwrap_or(0);
        answer.units.images = Some(images.saturating_add(1));
    }
    answer.part(0, part, 0);
}

/// Reads a number that some encoders write with a fraction of zero.
fn whole_number(json: &mut Json<'_>) -> Option<u64> {
    let word = json.word()?;
    word.strip_suffix(".0").unwrap_or(&word).parse().ok()
}

fn raw_part(name: &str, json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(raw) = answer.keep_raw(json) {
        answer.part(0, other_part(name, raw), 0);
    }
}
