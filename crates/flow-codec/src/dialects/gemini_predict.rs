//! `POST …:predict`: Vertex' embeddings and images.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | the model in the path | `model` |
//! | `instances[]` with `content`, `text` or `prompt` | texts of one message of the user |
//! | … with `image`, `referenceImages`, `video` | images and files of the user |
//! | … with anything else, such as `task_type` | a parameter; where instances differ in it, kept behind each |
//! | `predictions[].embeddings.values`, `textEmbedding`, `imageEmbedding`, `videoEmbeddings` | vectors, counted |
//! | `embeddings.statistics.token_count`, for each vector | the usage object: their sum |
//! | `metadata.billableCharacterCount` | characters |
//! | `bytesBase64Encoded` or `gcsUri`, with `mimeType` | images, sounds and videos of one answer |
//! | `raiFilteredReason`, `safetyAttributes`, `prompt` | kept raw; without any image the reason why the prompt was refused |
//! | `videos[]` or `generatedSamples[]` of an operation that is done | the same as predictions |
//! | any other prediction | kept raw |

mod request;
mod response;

#[cfg(test)]
mod tests;

use flow_model::{Media, Part, WireUsage};

use super::inline_media;
use crate::json::Json;
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::response::read_whole;

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    WireUsage {
        input: usage.count(&["token_count"]),
        ..WireUsage::default()
    }
}

/// Reads an object that holds the bytes of an image, sound or video, or tells where they are.
fn media(json: &mut Json<'_>) -> Option<Part> {
    let document = json.document();
    let names = [
        "bytesBase64Encoded",
        "gcsUri",
        "uri",
        "mimeType",
        "encodedVideo",
        "encoding",
    ];
    let [data, place, uri, mime, video, encoding] = json.fields(names)?;
    let mime = mime.or(encoding).and_then(|mut mime| mime.owned());
    let data = data.or(video).and_then(|mut data| data.string());
    let media = match data {
        Some(data) => inline_media(mime, data, document),
        None => Media {
            mime,
            url: Some(place.or(uri)?.owned()?),
            ..Media::default()
        },
    };
    let kind = media
        .mime
        .as_deref()
        .and_then(|mime| mime.split('/').next());
    Some(match kind {
        Some("audio") => Part::Audio {
            media,
            transcript: None,
            id: None,
        },
        Some("image") | None => Part::Image { media },
        Some(_) => Part::File { media, name: None },
    })
}
