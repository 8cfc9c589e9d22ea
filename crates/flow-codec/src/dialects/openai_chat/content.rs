//! Content: a text, or a list of parts of many kinds.

use flow_model::{Media, Part, Raw};

use crate::dialects::{inline_media, other_part, raws, text_part, url_media};
use crate::json::{Document, Json, Kind, Token};

use super::says_nothing;

/// The members of a part that hold media, each under the name of the part's type.
const MEDIA: [&str; 7] = [
    "image_url",
    "input_audio",
    "audio_url",
    "file",
    "file_id",
    "video_url",
    "document_url",
];

/// What one part of a list holds.
#[derive(Default)]
struct Members<'a> {
    kind: String,
    text: Option<Json<'a>>,
    refusal: Option<Json<'a>>,
    thinking: Option<Json<'a>>,
    signed: bool,
    cache: Option<Json<'a>>,
    notes: Option<Json<'a>>,
    title: Option<Json<'a>>,
    media: Option<(&'static str, Json<'a>)>,
    /// What has no place of its own.
    rest: Vec<Part>,
}

/// Reads a message's content: a string, a list of parts, an object, or null.
pub(super) fn content(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    match json.kind() {
        Kind::String => {
            let text = json.owned().unwrap_or_default();
            if !text.is_empty() {
                each(text_part(text));
            }
        }
        Kind::Array => {
            json.array();
            while json.element() {
                content_part(json, each);
            }
        }
        Kind::Object => each(text_part(json.compact())),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

/// Reads one part of a content list.
pub(crate) fn content_part(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    if json.kind() == Kind::String {
        each(text_part(json.owned().unwrap_or_default()));
        return;
    }
    let mut whole = *json;
    if !json.object() {
        each(other_part("unknown", json.verbatim()));
        return;
    }
    let mut found = members(json);
    let Some(part) = part(&mut found) else {
        each(other_part(&found.kind, whole.verbatim()));
        return;
    };
    let apart = !matches!(part, Part::Text { .. });
    each(part);
    if let Some((name, mut json)) = found.media {
        each(other_part(name, json.verbatim()));
    }
    for part in found.rest {
        each(part);
    }
    if let Some(marker) = crate::dialects::breakpoint(found.cache.filter(|_| apart)) {
        each(marker);
    }
}

fn members<'a>(json: &mut Json<'a>) -> Members<'a> {
    let mut found = Members::default();
    while let Some(name) = json.member() {
        if json.kind() == Kind::Null {
            continue;
        }
        let here = Some(*json);
        match name.as_ref() {
            "type" => found.kind = json.owned().unwrap_or_default(),
            "text" => found.text = here,
            "refusal" => found.refusal = here,
            "thinking" => found.thinking = here,
            "signature" => found.signed = !says_nothing(*json),
            // Mistral says with it that the thought is complete.
            "closed" => {}
            "cache_control" | "prompt_cache_breakpoint" => found.cache = here,
            "annotations" | "citations" if json.kind() == Kind::Array => found.notes = here,
            "document_name" => found.title = here,
            name => match MEDIA.into_iter().find(|known| *known == name) {
                Some(known) => found.media = Some((known, *json)),
                None if says_nothing(*json) => {}
                None => found.rest.push(other_part(name, json.verbatim())),
            },
        }
    }
    found
}

/// Returns the part that these members make; none where they have no shape that is known.
fn part(found: &mut Members<'_>) -> Option<Part> {
    match (found.kind.as_str(), found.text, found.thinking) {
        ("text" | "input_text" | "output_text" | "", Some(mut text), _) => Some(Part::Text {
            text: text.owned().unwrap_or_default(),
            citations: raws(found.notes),
            cache: found.cache.map(|mut cache| cache.verbatim()),
        }),
        ("thinking", _, Some(mut thinking)) => Some(Part::Thinking {
            text: joined_text(&mut thinking),
            signed: found.signed,
            redacted: false,
        }),
        ("refusal", ..) => found.refusal.map(|mut refusal| Part::Refusal {
            text: refusal.owned().unwrap_or_default(),
        }),
        _ => media_part(found),
    }
}

/// Reads one entry of `reasoning_details`: its text; encrypted text as thinking that is withheld; a summary as
/// it is, because it is not the reasoning.
pub(super) fn detail(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    let mut whole = *json;
    let names = ["type", "text", "data", "summary"];
    let Some([kind, text, data, summary]) = json.fields(names) else {
        return;
    };
    let text = text.and_then(|mut text| text.owned());
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        each(Part::Thinking {
            text,
            signed: false,
            redacted: false,
        });
    } else if data.is_some() {
        each(Part::Thinking {
            text: String::new(),
            signed: false,
            redacted: true,
        });
    } else if summary.is_some() {
        let kind = kind.and_then(|mut kind| kind.owned());
        each(other_part(&kind.unwrap_or_default(), whole.verbatim()));
    }
}

/// Returns the text of a string, or of the text parts of a list, joined.
fn joined_text(json: &mut Json<'_>) -> String {
    if json.kind() == Kind::String {
        return json.owned().unwrap_or_default();
    }
    let mut all = String::new();
    if json.array() {
        while json.element() {
            if let Some([Some(mut text)]) = json.fields(["text"]) {
                all.push_str(&text.text().unwrap_or_default());
            }
        }
    }
    all
}

/// Reads a part that holds an image, a sound or a file; none where it does not have the shape of one.
fn media_part(found: &mut Members<'_>) -> Option<Part> {
    let (name, mut json) = found.media.take()?;
    match (found.kind.as_str(), name) {
        ("image_url" | "input_image", "image_url") => {
            let (media, detail) = linked(&mut json)?;
            found
                .rest
                .extend(detail.map(|raw| other_part("detail", raw)));
            Some(Part::Image { media })
        }
        ("input_audio", "input_audio") => sound(&mut json),
        ("audio_url", "audio_url") => Some(Part::Audio {
            media: linked(&mut json)?.0,
            transcript: None,
            id: None,
        }),
        ("file", "file") => file(&mut json),
        ("file", "file_id") => Some(Part::File {
            media: Media {
                file_id: json.owned(),
                ..Media::default()
            },
            name: None,
        }),
        ("video_url", "video_url") | ("document_url", "document_url") => Some(Part::File {
            media: linked(&mut json)?.0,
            name: found.title.and_then(|mut name| name.owned()),
        }),
        _ => None,
    }
}

/// Reads a sound: data with its format, or Mistral's bare string of base64 or an address.
fn sound(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let media = if let Some(data) = json.string() {
        anywhere(data, document)
    } else {
        let [data, format] = json.fields(["data", "format"])?;
        let format = format.and_then(|mut format| format.owned());
        let mime = format.map(|format| format!("audio/{format}"));
        inline_media(mime, data?.string()?, document)
    };
    Some(Part::Audio {
        media,
        transcript: None,
        id: None,
    })
}

fn file(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let names = ["file_data", "file_id", "filename", "file_url"];
    let [data, id, name, url] = json.fields(names)?;
    let data = data.or(url).and_then(|mut data| data.string());
    let mut media = data.map_or_else(Media::default, |data| anywhere(data, document));
    media.file_id = id.and_then(|mut id| id.owned());
    let name = name.and_then(|mut name| name.owned());
    Some(Part::File { media, name })
}

/// Returns where a file is whose data may be base64, a `data:` URL or an address.
fn anywhere(data: Token<'_>, document: &Document<'_>) -> Media {
    if data.raw().starts_with(b"data:") || data.raw().starts_with(b"http") {
        url_media(data, document)
    } else {
        inline_media(None, data, document)
    }
}

/// Reads a URL that stands as a string or as `{"url": …}`, and how closely the model should look.
fn linked(json: &mut Json<'_>) -> Option<(Media, Option<Raw>)> {
    let document = json.document();
    if let Some(url) = json.string() {
        return Some((url_media(url, document), None));
    }
    let [url, detail] = json.fields(["url", "detail"])?;
    let media = url_media(url?.string()?, document);
    Some((media, detail.map(|mut detail| detail.verbatim())))
}
