//! Requests.

use flow_model::{Part, RequestReading};

use crate::dialects::inputs::{image, images, input, inputs};
use crate::dialects::multipart::{self, Field};
use crate::dialects::{Ask, Depth, named_in, text_part};
use crate::json::{Json, Kind};

/// Reads a request, which is JSON or a form. `path` names the model in Azure's deployments.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    let mut reading = if multipart::is_form(body) {
        multipart::read(body, depth, field)
    } else {
        Ask::read(body, depth, member, |_| {})
    };
    let named = || named_in(path, "/deployments/", &['/', '?', '#']);
    reading.model = reading.model.take().or_else(named);
    reading
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("prompt", Kind::String | Kind::Array) => inputs(json, ask),
        ("image" | "images", Kind::String | Kind::Array | Kind::Object) => images(json, ask),
        ("mask", Kind::String | Kind::Object) => mask(json, ask),
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

fn mask(json: &mut Json<'_>, ask: &mut Ask) {
    let mut whole = *json;
    match image(json) {
        Some(media) => {
            let name = Some("mask".to_owned());
            input(ask, Part::File { media, name });
        }
        None => ask.parameter("mask", &mut whole),
    }
}

fn field(field: &Field<'_>) -> Option<Part> {
    let name = field.name.split('[').next().unwrap_or_default();
    match name {
        "prompt" => Some(text_part(field.words().into_owned())),
        "image" | "images" if field.file.is_some() || field.mime.is_some() => Some(Part::Image {
            media: field.media(),
        }),
        "mask" => Some(Part::File {
            media: field.media(),
            name: Some(name.to_owned()),
        }),
        _ => None,
    }
}
