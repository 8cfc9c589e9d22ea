//! Requests.

use flow_model::{Media, Part, RequestReading};

use crate::dialects::inputs::{input, inputs};
use crate::dialects::multipart::{self, Field};
use crate::dialects::{Ask, Depth, inline_media, named_in, text_part, url_media};
use crate::json::{Json, Kind};

/// Reads a request, which is a form or JSON. `path` names the model in Azure's deployments.
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
        ("input" | "prompt", Kind::String) => inputs(json, ask),
        ("input_audio" | "file_url" | "audio_url" | "url", Kind::Object | Kind::String) => {
            let mut whole = *json;
            match sound(json) {
                Some(media) => input(ask, sound_part(media)),
                None => ask.parameter(name, &mut whole),
            }
        }
        ("file_id", Kind::String) => {
            let file_id = json.owned();
            let media = Media {
                file_id,
                ..Media::default()
            };
            input(ask, sound_part(media));
        }
        ("stream_format", Kind::String) => {
            let mut word = *json;
            let stream = word.text().is_some_and(|word| word == "sse");
            ask.reading.stream = ask.reading.stream.or(Some(stream));
            if ask.depth == Depth::Whole {
                ask.parameter(name, json);
            }
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

/// Returns where a sound is: an address, or an object with one or with base64 text.
fn sound(json: &mut Json<'_>) -> Option<Media> {
    let document = json.document();
    if let Some(url) = json.string() {
        return Some(url_media(url, document));
    }
    let [data, url, format] = json.fields(["data", "url", "format"])?;
    let format = format.and_then(|mut format| format.owned());
    let mime = format.map(|format| format!("audio/{format}"));
    if let Some(data) = data.and_then(|mut data| data.string()) {
        return Some(inline_media(mime, data, document));
    }
    let media = url_media(url?.string()?, document);
    Some(Media {
        mime: mime.or(media.mime),
        ..media
    })
}

fn field(field: &Field<'_>) -> Option<Part> {
    let words = || field.words().into_owned();
    match field.name.as_str() {
        "prompt" | "input" => Some(text_part(words())),
        "file" if field.file.is_some() || field.mime.is_some() => Some(sound_part(field.media())),
        "file_url" | "url" => Some(sound_part(Media {
            url: Some(words()),
            ..Media::default()
        })),
        "file_id" => Some(sound_part(Media {
            file_id: Some(words()),
            ..Media::default()
        })),
        _ => None,
    }
}

fn sound_part(media: Media) -> Part {
    Part::Audio {
        media,
        transcript: None,
        id: None,
    }
}
