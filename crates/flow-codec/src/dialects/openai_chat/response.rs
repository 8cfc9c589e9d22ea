//! Whole responses.

use flow_model::Part;

use crate::answer::{Answer, Piece};
use crate::json::{Json, Text};

use super::request::assistant_parts;
use super::stop_reason;

/// Reads a whole response; the cursor stands at the object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut sources = None;
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.word(),
            "model" => answer.model = json.owned(),
            "service_tier" => answer.service_tier = json.owned(),
            "choices" => choices(json, answer),
            "usage" => super::stream::usage(json, answer),
            "x_groq" => super::stream::groq_usage(json, answer),
            "citations" => sources = Some(*json),
            _ => {}
        }
    }
    if let Some(mut sources) = sources {
        super::stream::cite_all(&mut sources, answer);
    }
}

fn choices(json: &mut Json<'_>, answer: &mut Answer) {
    if !json.array() {
        return;
    }
    let mut position = 0;
    while json.element() {
        let names = [
            "index",
            "message",
            "delta",
            "finish_reason",
            "logprobs",
            "error",
        ];
        let Some([index, message, delta, stop, logprobs, error]) = json.fields(names) else {
            continue;
        };
        if let Some(mut error) = error {
            answer.fail(&error.error_value());
        }
        let index = index
            .and_then(|mut index| index.number())
            .unwrap_or(position);
        position += 1;
        let mut message = message.or(delta);
        let bytes = message.map_or(0, Json::width);
        let parts = match &mut message {
            Some(message) if answer.admits(bytes) => assistant_parts(message),
            _ => Vec::new(),
        };
        let stop = stop.and_then(|mut stop| stop.word());
        let logprobs = logprobs.and_then(|mut logprobs| answer.keep(&mut logprobs));
        if let Some(draft) = answer.draft(index) {
            for part in parts {
                draft.push(piece(part));
            }
            draft.stop = stop.as_deref().and_then(stop_reason);
            draft.stop_reason = stop;
            draft.logprobs = logprobs;
        }
    }
}

/// Text stays open, so that citations that stand elsewhere in the response can be attached to it.
fn piece(part: Part) -> Piece {
    match part {
        Part::Text {
            text,
            citations,
            cache: None,
        } => Piece::Text {
            text: Text::from(text),
            citations,
        },
        part => Piece::Part(part),
    }
}
