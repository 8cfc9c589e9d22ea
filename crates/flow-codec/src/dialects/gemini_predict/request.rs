//! Requests.

use flow_model::RequestReading;

use crate::dialects::inputs::{input, setting};
use crate::dialects::{Ask, Depth, named_in, other_part, text_part};
use crate::json::{Json, Kind};

use super::media;

/// Reads a request, whose path names the model.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |reading| {
        reading.model = named_in(path, "/models/", &['/', ':', '?', '#']);
    })
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("instances", Kind::Array) => {
            json.array();
            while json.element() {
                instance(json, ask);
            }
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

fn instance(json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    if !json.object() {
        return input(ask, other_part("instance", whole.verbatim()));
    }
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("content" | "text" | "prompt", Kind::String) => {
                input(ask, text_part(json.owned().unwrap_or_default()));
            }
            ("image" | "lastFrame" | "video", Kind::Object) => pictured(&name, json, ask),
            ("referenceImages", Kind::Array) => {
                json.array();
                while json.element() {
                    reference(json, ask);
                }
            }
            ("messages", Kind::Array) => {
                json.array();
                while json.element() {
                    input(ask, other_part("message", json.verbatim()));
                }
            }
            (_, Kind::Null) => {}
            (name, _) => setting(name, json, ask),
        }
    }
}

/// Reads a picture; what is none is kept as it is.
fn pictured(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    let part = media(json).unwrap_or_else(|| other_part(name, whole.verbatim()));
    input(ask, part);
}

/// Reads an image that is one of several, with what it stands for.
fn reference(json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    if !json.object() {
        return input(ask, other_part("referenceImages", whole.verbatim()));
    }
    while let Some(name) = json.member() {
        if name == "referenceImage" && json.kind() == Kind::Object {
            pictured(&name, json, ask);
        } else if json.kind() != Kind::Null {
            setting(&name, json, ask);
        }
    }
}
