//! Whole responses: JSON, text, sound.

use std::borrow::Cow;

use flow_model::{Header, Media, Part, StopReason, exchange};

use crate::answer::{Answer, Speech};
use crate::dialects::{inline_media, other_part};
use crate::json::{Document, Json, Kind, Token, lossy};

/// Members of a transcription that are kept raw; OpenAI's formats have fewer than ten.
const EXTRAS_MAX: usize = 32;

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut said = Transcript::default();
    while let Some(name) = json.member() {
        match name.as_ref() {
            "audio_data" if json.kind() == Kind::String => {
                let document = json.document();
                if let Some(data) = json.string() {
                    let media = inline_media(sound_mime(data), data, document);
                    sounded(media, answer);
                }
            }
            _ => said.member(&name, json, answer),
        }
    }
    if let Some(token) = said.text {
        answer.draft(0);
        answer.say(0, Speech::Text, token, json.document());
    }
    said.close(answer);
}

/// Reads a whole response that is no JSON object: sound, or text.
pub(crate) fn read_other(body: &[u8], headers: &[Header], answer: &mut Answer) -> bool {
    let label = exchange::header(headers, "content-type").unwrap_or_default();
    let label = label.split(';').next().unwrap_or_default().trim();
    let label = label.to_ascii_lowercase();
    let is_text = std::str::from_utf8(body).is_ok();
    match label.as_str() {
        "application/json" => {
            let document = Document::new(body);
            let mut json = document.root();
            let Some(text) = json.string() else {
                return false;
            };
            answer.draft(0);
            answer.say(0, Speech::Text, text, &document);
        }
        "text/html" => return false,
        label if is_text && !label.starts_with("audio/") => {
            answer.draft(0);
            answer.say_str(0, Speech::Text, &lossy(body));
        }
        label => {
            let media = Media {
                mime: (!label.is_empty()).then(|| label.to_owned()),
                bytes: Some(body.len() as u64),
                data_offset: Some(0),
                ..Media::default()
            };
            sounded(media, answer);
        }
    }
    true
}

fn sounded(media: Media, answer: &mut Answer) {
    answer.spoke();
    let sound = Part::Audio {
        media,
        transcript: None,
        id: None,
    };
    answer.part(0, sound, 0);
}

/// Returns the type of a sound, which the first characters of its base64 text tell.
fn sound_mime(data: Token<'_>) -> Option<String> {
    let known = [
        ("SUQz", "audio/mpeg"),
        ("//", "audio/mpeg"),
        ("UklGR", "audio/wav"),
        ("T2dnUw", "audio/ogg"),
        ("ZkxhQ", "audio/flac"),
    ];
    let found = known
        .iter()
        .find(|(start, _)| data.raw().starts_with(start.as_bytes()));
    found.map(|(_, mime)| (*mime).to_owned())
}

/// What a transcription holds beside its text, whole or in the event that ends a stream.
#[derive(Default)]
pub(super) struct Transcript<'a> {
    pub(super) text: Option<Token<'a>>,
    stop_reason: Option<String>,
    logprobs: Option<serde_json::Value>,
    duration: Option<f64>,
    extras: Vec<(Cow<'a, str>, Json<'a>)>,
}

// === impl Transcript ===

impl<'a> Transcript<'a> {
    /// Reads a member.
    pub(super) fn member(&mut self, name: &str, json: &mut Json<'a>, answer: &mut Answer) {
        match name {
            "text" => self.text = json.string(),
            "model" => answer.model = json.owned().or(answer.model.take()),
            "id" => answer.id = json.word().or(answer.id.take()),
            "usage" => {
                let mut again = *json;
                answer.count(json);
                let tier = again.fields(["service_tier"]).and_then(|[tier]| tier);
                let tier = tier.and_then(|mut tier| tier.owned());
                answer.service_tier = tier.or(answer.service_tier.take());
            }
            "x_groq" => {
                let id = json.fields(["id"]).and_then(|[id]| id);
                answer.id = id.and_then(|mut id| id.owned()).or(answer.id.take());
            }
            "finish_reason" => self.stop_reason = json.owned(),
            "logprobs" if json.kind() == Kind::Array => self.logprobs = answer.keep(json),
            // Older servers write the number as text.
            "duration" => self.duration = json.word().and_then(|word| word.parse().ok()),
            _ if is_empty(*json) || self.extras.len() >= EXTRAS_MAX => {}
            _ => self.extras.push((name.to_owned().into(), *json)),
        }
    }

    /// Adds what belongs behind the text.
    pub(super) fn close(self, answer: &mut Answer) {
        for (name, mut json) in self.extras {
            if let Some(raw) = answer.keep_raw(&mut json) {
                answer.part(0, other_part(&name, raw), 0);
            }
        }
        if answer.usage.is_none() {
            answer.units.audio_ms = self.duration.and_then(millis).or(answer.units.audio_ms);
        }
        if (self.stop_reason.is_some() || self.logprobs.is_some())
            && let Some(draft) = answer.draft(0)
        {
            draft.stop = self.stop_reason.as_deref().map(stop_reason);
            draft.stop_reason = self.stop_reason;
            draft.logprobs = self.logprobs;
        }
    }
}

/// Returns the common word for a `finish_reason`.
pub(super) fn stop_reason(word: &str) -> StopReason {
    match word {
        "stop" => StopReason::Stop,
        "length" => StopReason::Length,
        _ => StopReason::Other,
    }
}

/// Returns whether a value says nothing: null, or a list without entries.
fn is_empty(mut json: Json<'_>) -> bool {
    match json.kind() {
        Kind::Null | Kind::None => true,
        Kind::Array => json.array() && !json.element(),
        _ => false,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn millis(seconds: f64) -> Option<u64> {
    // More than a year of sound is no length.
    let sane = seconds.is_finite() && (0.0..3.2e7).contains(&seconds);
    sane.then_some((seconds * 1_000.0).round() as u64)
}
