//! The parts of a message, of reasoning and of what a tool returned.

use flow_model::{Media, Part};

use crate::dialects::{inline_media, other_part, raws, text_part, url_media};
use crate::json::{Document, Json, Kind, Token};

use super::filled;

/// The members of one part, unread.
pub(super) struct Content<'a> {
    kind: String,
    text: Option<Token<'a>>,
    annotations: Option<Json<'a>>,
    pub(super) logprobs: Option<Json<'a>>,
    /// Where an image is: an address, or an object that holds one.
    link: Option<Json<'a>>,
    file_id: Option<Json<'a>>,
    filename: Option<Json<'a>>,
    /// The file's data or address.
    file: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    data: Option<Json<'a>>,
    transcript: Option<Json<'a>>,
    cache: Option<Json<'a>>,
    whole: Json<'a>,
}

/// Reads content: a string, a list of parts, or one part.
pub(super) fn contents(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    match json.kind() {
        Kind::String => each(text_part(json.owned().unwrap_or_default())),
        Kind::Array => {
            json.array();
            while json.element() {
                content(json, each);
            }
        }
        Kind::Object => content(json, each),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

fn content(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    let Some(content) = Content::read(json) else {
        match json.owned() {
            Some(text) => each(text_part(text)),
            None => each(other_part("unknown", json.verbatim())),
        }
        return;
    };
    let cache = content.cache;
    let part = content.into_part();
    // Text has a place for its breakpoint, and a raw part still holds it.
    let told = matches!(part, Part::Text { .. } | Part::Other { .. });
    each(part);
    if let Some(mut cache) = cache.filter(|_| !told) {
        each(other_part("prompt_cache_breakpoint", cache.verbatim()));
    }
}

// === impl Content ===

impl<'a> Content<'a> {
    pub(super) fn read(json: &mut Json<'a>) -> Option<Self> {
        let whole = *json;
        if !json.object() {
            return None;
        }
        let mut content = Self {
            kind: String::new(),
            text: None,
            annotations: None,
            logprobs: None,
            link: None,
            file_id: None,
            filename: None,
            file: None,
            audio: None,
            data: None,
            transcript: None,
            cache: None,
            whole,
        };
        while let Some(name) = json.member() {
            if json.kind() == Kind::Null {
                continue;
            }
            let here = Some(*json);
            match name.as_ref() {
                "type" => content.kind = json.owned().unwrap_or_default(),
                "annotations" => content.annotations = here,
                "logprobs" => content.logprobs = here,
                "image_url" | "url" => content.link = here,
                "file_id" => content.file_id = here,
                "filename" => content.filename = here,
                "file_data" | "file_url" => content.file = here,
                "input_audio" => content.audio = here,
                "data" => content.data = here,
                "transcript" => content.transcript = here,
                "prompt_cache_breakpoint" | "cache_control" => content.cache = here,
                // A part of text may carry an empty `refusal` beside it.
                "text" | "logs" => content.text = json.string().or(content.text),
                "refusal" => content.text = content.text.or(json.string()),
                _ => {}
            }
        }
        Some(content)
    }

    /// Returns whether the part is reasoning.
    pub(super) fn is_reasoning(&self) -> bool {
        self.kind == "reasoning_text"
    }

    fn words(&self) -> String {
        let document = self.whole.document();
        self.text
            .map(|text| text.decode(document).into_owned())
            .unwrap_or_default()
    }

    pub(super) fn into_part(mut self) -> Part {
        let known = match self.kind.as_str() {
            "input_text" | "output_text" | "text" | "summary_text" | "logs" => Some(Part::Text {
                text: self.words(),
                citations: raws(self.annotations),
                cache: self.cache.take().map(|mut cache| cache.verbatim()),
            }),
            "reasoning_text" => Some(Part::Thinking {
                text: self.words(),
                signed: false,
                redacted: false,
            }),
            "refusal" => Some(Part::Refusal { text: self.words() }),
            "input_image" | "computer_screenshot" | "image" => self.image(),
            "input_file" => self.file(),
            "input_audio" | "output_audio" => self.audio(),
            _ => None,
        };
        known.unwrap_or_else(|| other_part(&self.kind, self.whole.verbatim()))
    }

    fn image(&self) -> Option<Part> {
        let document = self.whole.document();
        let link = self.link.and_then(|mut link| match link.kind() {
            Kind::Object => link.fields(["url"])?[0],
            _ => Some(link),
        });
        let linked = link.and_then(|mut link| link.string());
        let mut media = linked.map_or_else(Media::default, |link| url_media(link, document));
        media.file_id = filled(self.file_id);
        (media != Media::default()).then_some(Part::Image { media })
    }

    fn file(&self) -> Option<Part> {
        let mut media = self.file.map_or_else(Media::default, |file| {
            file_media(file, self.whole.document())
        });
        media.file_id = filled(self.file_id);
        let name = filled(self.filename);
        (media != Media::default()).then_some(Part::File { media, name })
    }

    fn audio(&self) -> Option<Part> {
        let document = self.whole.document();
        let held = self
            .audio
            .and_then(|mut audio| audio.fields(["data", "format"]));
        let [data, format] = held.unwrap_or([self.data, None]);
        let mime = filled(format).map(|format| format!("audio/{format}"));
        let data = data.and_then(|mut data| data.string());
        let transcript = filled(self.transcript);
        if data.is_none() && transcript.is_none() {
            return None;
        }
        Some(Part::Audio {
            media: data.map_or_else(Media::default, |data| inline_media(mime, data, document)),
            transcript,
            id: None,
        })
    }
}

/// Returns where a file is: at an address, in a `data:` URL, or right there as base64.
fn file_media(mut file: Json<'_>, document: &Document<'_>) -> Media {
    let Some(file) = file.string() else {
        return Media::default();
    };
    let linked = file.raw().starts_with(b"data:") || file.raw().starts_with(b"http");
    if linked {
        url_media(file, document)
    } else {
        inline_media(None, file, document)
    }
}
