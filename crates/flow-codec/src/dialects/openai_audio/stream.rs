//! The events of a stream.

use serde_json::Value;

use crate::answer::{Answer, Piece};
use crate::dialects::Event;
use crate::dialects::stream::Failure;
use crate::json::{Document, Json, Kind, Text, Token};

use super::response::{Transcript, stop_reason};

/// The part in which segments are kept, as in a whole response.
const SEGMENTS: &str = "segments";

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// Segments came one by one.
    segmented: bool,
}

/// What an event holds, whatever its type.
#[derive(Default)]
struct Held<'a> {
    delta: Option<Json<'a>>,
    text: Option<Json<'a>>,
    sound: Option<Json<'a>>,
    choices: Option<Json<'a>>,
    language: Option<Json<'a>>,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let start = *json;
        let mut kind = event.kind();
        let mut held = Held::default();
        let mut failure = Failure::default();
        while let Some(name) = json.member() {
            let here = Some(*json);
            match name.as_ref() {
                "type" => kind = json.owned().unwrap_or(kind),
                "delta" => held.delta = here,
                "text" => held.text = here,
                "audio" | "audio_data" => held.sound = here,
                "choices" => held.choices = here,
                "audio_language" => held.language = here,
                "id" if json.kind() == Kind::String => {
                    answer.id = answer.id.take().or(json.owned());
                }
                "model" => answer.model = json.owned().or(answer.model.take()),
                "usage" => answer.count(json),
                name => failure.member(name, json),
            }
        }
        if let Some(error) = failure.told(&kind) {
            return answer.fail(&error);
        }
        match kind.rsplit_once('.') {
            Some((_, "delta")) => held.grow(answer),
            Some((_, "segment")) => self.segment(start, answer),
            Some((_, "language")) => held.language(answer),
            Some((before, "done")) => {
                answer.closed = true;
                if before != "speech.audio" {
                    self.done(start, answer);
                }
            }
            _ => held.grow(answer),
        }
    }

    /// Keeps a segment, as a whole response lists it: without the event's type.
    fn segment(&mut self, mut event: Json<'_>, answer: &mut Answer) {
        let mut segment = serde_json::Map::new();
        while let Some(name) = event.member() {
            if name != "type"
                && let Some(value) = answer.keep(&mut event)
            {
                segment.insert(name.into_owned(), value);
            }
        }
        self.segmented = true;
        let Some(draft) = answer.draft(0) else {
            return;
        };
        let is_list =
            |piece: &Piece| matches!(piece, Piece::Grown { name, .. } if name == SEGMENTS);
        if !draft.pieces.iter().any(is_list) {
            draft.push(Piece::Grown {
                name: SEGMENTS.to_owned(),
                raw: Value::Array(Vec::new()),
            });
        }
        for piece in &mut draft.pieces {
            if let Piece::Grown {
                name,
                raw: Value::Array(all),
            } = piece
                && name == SEGMENTS
            {
                all.push(Value::Object(segment));
                return;
            }
        }
    }

    /// Reads the event that ends a transcription, which repeats the whole response.
    fn done(&mut self, mut event: Json<'_>, answer: &mut Answer) {
        let document = event.document();
        let mut said = Transcript::default();
        while let Some(name) = event.member() {
            let known = name == "type" || (name == SEGMENTS && self.segmented);
            let told = name == "language" && has_language(answer);
            if !known && !told {
                said.member(&name, &mut event, answer);
            }
        }
        let spoken = answer.draft(0).is_some_and(|draft| {
            let mut pieces = draft.pieces.iter();
            pieces.any(|piece| matches!(piece, Piece::Text { .. }))
        });
        if let Some(text) = said.text.filter(|_| !spoken) {
            say(text, document, answer);
        }
        said.close(answer);
    }
}

fn has_language(answer: &mut Answer) -> bool {
    answer.draft(0).is_some_and(|draft| {
        let mut pieces = draft.pieces.iter();
        pieces.any(|piece| matches!(piece, Piece::Grown { name, .. } if name == "language"))
    })
}

// === impl Held ===

impl Held<'_> {
    /// Appends an increment of text or sound.
    fn grow(&self, answer: &mut Answer) {
        for json in [self.delta, self.text].into_iter().flatten() {
            let mut json = json;
            let document = json.document();
            if let Some(token) = json.string() {
                return say(token, document, answer);
            }
        }
        if let Some(data) = self.sound.and_then(|mut json| json.string())
            && !data.is_empty()
        {
            answer.spoke();
            if let Some(Piece::Audio { data_chars, .. }) =
                answer.draft(0).and_then(|draft| draft.audio())
            {
                *data_chars = data_chars.saturating_add(data.ascii_chars());
            }
        }
        if let Some(mut choices) = self.choices {
            chunk(&mut choices, answer);
        }
    }

    /// Keeps the language, which comes in an event of its own.
    fn language(self, answer: &mut Answer) {
        if let Some(mut language) = self.language
            && let Some(raw) = answer.keep(&mut language)
            && let Some(draft) = answer.draft(0)
        {
            draft.push(Piece::Grown {
                name: "language".to_owned(),
                raw,
            });
        }
    }
}

/// Reads the choices of an event in the manner of a chat.
fn chunk(choices: &mut Json<'_>, answer: &mut Answer) {
    let document = choices.document();
    if !choices.array() {
        return;
    }
    while choices.element() {
        let Some([delta, stop]) = choices.fields(["delta", "finish_reason"]) else {
            continue;
        };
        let content = delta.and_then(|mut delta| delta.fields(["content"]));
        if let Some([Some(mut content)]) = content
            && let Some(token) = content.string()
        {
            say(token, document, answer);
        }
        if let Some(word) = stop.and_then(|mut stop| stop.owned())
            && let Some(draft) = answer.draft(0)
        {
            draft.stop = Some(stop_reason(&word));
            draft.stop_reason = Some(word);
        }
    }
}

/// Appends text to the one text of the answer, which stands in front of everything else.
fn say(token: Token<'_>, document: &Document<'_>, answer: &mut Answer) {
    if !answer.admits(token.raw().len()) {
        return;
    }
    if !token.is_empty() {
        answer.spoke();
    }
    let Some(draft) = answer.draft(0) else {
        return;
    };
    if token.is_empty() {
        return;
    }
    if !matches!(draft.pieces.first(), Some(Piece::Text { .. })) {
        let text = Piece::Text {
            text: Text::default(),
            citations: Vec::new(),
        };
        draft.pieces.insert(0, text);
    }
    if let Some(Piece::Text { text, .. }) = draft.pieces.first_mut() {
        token.append_to(text, document);
    }
}
