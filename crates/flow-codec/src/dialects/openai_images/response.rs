//! Whole responses and the events of a stream.

use flow_model::{Media, Part};

use crate::answer::{Answer, Piece};
use crate::dialects::inputs::image_mime;
use crate::dialects::stream::Failure;
use crate::dialects::{Event, inline_media, other_part, url_media};
use crate::json::{Json, Kind};

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// The newest image that is not complete yet.
    partial: Option<Media>,
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let (mut data, mut format) = (None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.word(),
            "model" => answer.model = json.owned(),
            "usage" => answer.count(json),
            "output_format" => format = json.owned(),
            "data" if json.kind() == Kind::Array => data = Some(*json),
            _ => {}
        }
    }
    let Some(mut data) = data.filter(|_| answer.draft(0).is_some()) else {
        return;
    };
    data.array();
    while data.element() {
        one_image(&mut data, format.as_deref(), answer);
    }
}

/// Reads one image, with the prompt that was made of the one that was asked.
fn one_image(json: &mut Json<'_>, format: Option<&str>, answer: &mut Answer) {
    let mut whole = *json;
    let names = ["url", "b64_json", "mime_type", "revised_prompt"];
    let Some([url, data, mime, revised]) = json.fields(names) else {
        return;
    };
    if let Some(mut revised) = revised
        && let Some(raw) = answer.keep_raw(&mut revised)
    {
        answer.part(0, other_part("revised_prompt", raw), 0);
    }
    let mime = mime.and_then(|mut mime| mime.owned());
    match media(url, data, mime, format) {
        Some(media) => made(media, answer),
        None => {
            if let Some(raw) = answer.keep_raw(&mut whole) {
                answer.part(0, other_part("image", raw), 0);
            }
        }
    }
}

/// Returns where an image is; its type is told by itself, by the answer, or by its first characters.
fn media(
    url: Option<Json<'_>>,
    data: Option<Json<'_>>,
    mime: Option<String>,
    format: Option<&str>,
) -> Option<Media> {
    let told = || format.map(|format| format!("image/{format}"));
    if let Some(mut data) = data
        && let Some(token) = data.string()
        && !token.is_empty()
    {
        let mime = mime.or_else(told).or_else(|| image_mime(token));
        return Some(inline_media(mime, token, data.document()));
    }
    let mut url = url?;
    let media = url_media(url.string()?, url.document());
    Some(Media {
        mime: mime.or(media.mime).or_else(told),
        ..media
    })
}

fn made(media: Media, answer: &mut Answer) {
    let images = answer.units.images.unwrap_or(0);
    answer.units.images = Some(images.saturating_add(1));
    answer.spoke();
    answer.part(0, Part::Image { media }, 0);
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let mut kind = event.kind();
        let (mut url, mut data, mut format) = (None, None, None);
        let mut failure = Failure::default();
        while let Some(name) = json.member() {
            match name.as_ref() {
                "type" => kind = json.owned().unwrap_or(kind),
                "b64_json" => data = Some(*json),
                "url" => url = Some(*json),
                "output_format" => format = json.owned(),
                "usage" => answer.count(json),
                "model" => answer.model = json.owned(),
                name => failure.member(name, json),
            }
        }
        if let Some(error) = failure.told(&kind) {
            return answer.fail(&error);
        }
        let media = media(url, data, None, format.as_deref());
        if kind.ends_with("partial_image") {
            answer.spoke();
            self.partial = media;
        } else if kind.ends_with(".completed") {
            self.partial = None;
            answer.closed = true;
            answer.draft(0);
            if let Some(media) = media {
                made(media, answer);
            }
        }
    }

    /// Shows the newest partial image of a stream that ended before the whole one came.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        if let Some(media) = self.partial.take()
            && let Some(draft) = answer.draft(0)
        {
            draft.push(Piece::Part(Part::Image { media }));
        }
    }
}
