//! Events of a stream.

use flow_model::{Media, Part};

use crate::answer::{Answer, Call, Piece};
use crate::dialects::{Event, raws};
use crate::json::{Json, Kind, Text, lossy};

use super::response::{members, parts_of, stop};
use super::step::Step;

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// Which step each piece of the answer is of, in the order of the pieces.
    steps: Vec<u64>,
}

/// What an increment adds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grows {
    Text,
    Thought,
    Call,
    Result,
    Audio,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let (mut kind, mut index) = (None, 0);
        let (mut interaction, mut step, mut delta) = (None, None, None);
        let (mut status, mut error) = (None, None);
        while let Some(name) = json.member() {
            let here = Some(*json);
            match name.as_ref() {
                "event_type" | "type" => kind = json.owned(),
                "index" => index = json.number().unwrap_or(0),
                "interaction" => interaction = here,
                "step" | "content" => step = here,
                "delta" => delta = here,
                "status" => status = here,
                "error" if json.kind() != Kind::Null => error = here,
                _ => {}
            }
        }
        let kind = kind.or_else(|| Some(lossy(event.name?).into_owned()));
        match (kind.as_deref().unwrap_or_default(), step, delta, status) {
            ("step.start" | "content.start", Some(mut step), ..) => {
                self.begin(index, &mut step, answer);
            }
            ("step.delta" | "content.delta", _, Some(mut delta), _) => {
                self.grow(index, &mut delta, answer);
            }
            ("interaction.status_update", .., Some(mut status)) => stop(&mut status, answer),
            _ => {}
        }
        if let Some(mut interaction) = interaction.filter(Json::is_object) {
            interaction.object();
            let steps = members(&mut interaction, answer);
            self.steps_of(steps, answer);
        }
        if let Some(mut error) = error {
            answer.fail(&error.error_value());
        }
    }

    /// Reads what is known only once the stream has ended: the order of the steps.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        if self.steps.is_sorted() {
            return;
        }
        if let Some(draft) = answer.draft(0) {
            let pieces = std::mem::take(&mut draft.pieces);
            let mut all: Vec<(u64, Piece)> = self.steps.iter().copied().zip(pieces).collect();
            all.sort_by_key(|(step, _)| *step);
            (self.steps, draft.pieces) = all.into_iter().unzip();
        }
    }

    /// Reads the steps of a whole interaction, where no event told of any.
    fn steps_of(&mut self, steps: Option<Json<'_>>, answer: &mut Answer) {
        let Some(mut steps) = steps.filter(|_| self.steps.is_empty()) else {
            return;
        };
        steps.array();
        let mut index = 0;
        while steps.element() {
            self.begin(index, &mut steps, answer);
            index += 1;
        }
    }

    fn begin(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        for part in parts_of(json) {
            self.open(index, Piece::open(part), answer);
        }
    }

    /// Adds a piece to a step.
    fn open(&mut self, index: u64, piece: Piece, answer: &mut Answer) {
        if !answer.admits(weight(&piece)) {
            return;
        }
        if speaks(&piece) {
            answer.spoke();
        }
        let added = answer.draft(0).and_then(|draft| draft.push(piece));
        if added.is_some() {
            self.steps.push(index);
        }
    }

    /// Returns the newest piece of a step, where it is what grows; it is begun where it is not.
    fn piece<'a>(
        &mut self,
        index: u64,
        grows: Grows,
        answer: &'a mut Answer,
    ) -> Option<&'a mut Piece> {
        let newest = self.steps.iter().rposition(|step| *step == index);
        let fits = newest.filter(|at| {
            let draft = answer.draft(0);
            let piece = draft.and_then(|draft| draft.pieces.get(*at));
            piece.is_some_and(|piece| grows.fits(piece))
        });
        let at = match fits {
            Some(at) => at,
            None => {
                self.open(index, grows.empty(), answer);
                self.steps.len().checked_sub(1)?
            }
        };
        let piece = answer.draft(0)?.pieces.get_mut(at)?;
        grows.fits(piece).then_some(piece)
    }

    fn grow(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let mut whole = *json;
        let Some(delta) = Step::read(json) else {
            return;
        };
        match delta.kind.as_str() {
            "text" => {
                self.say(index, Grows::Text, delta.text, answer);
                self.annotate(index, &delta, answer);
            }
            "text_annotation_delta" | "text_annotation" => self.annotate(index, &delta, answer),
            "thought_summary" => self.summary(index, &delta, answer),
            "thought_signature" => {
                if let Some(Piece::Thinking { signed, .. }) =
                    self.piece(index, Grows::Thought, answer)
                {
                    *signed |= delta.is_signed();
                }
            }
            "arguments_delta" => self.say(index, Grows::Call, delta.partial, answer),
            "audio" => self.sound(index, &mut whole, answer),
            kind if kind.ends_with("_call") => self.call(index, &mut whole, answer),
            kind if kind.ends_with("_result") => self.result(index, &mut whole, answer),
            _ => self.begin(index, &mut whole, answer),
        }
    }

    /// Appends a string to the piece that grows.
    fn say(&mut self, index: u64, grows: Grows, text: Option<Json<'_>>, answer: &mut Answer) {
        let Some(mut text) = text else {
            return;
        };
        let document = text.document();
        let Some(token) = text.string() else {
            return;
        };
        if !answer.admits(token.raw().len()) {
            return;
        }
        if !token.is_empty() {
            answer.spoke();
        }
        match self.piece(index, grows, answer) {
            Some(Piece::Text { text, .. } | Piece::Thinking { text, .. }) => {
                token.append_to(text, document);
            }
            Some(Piece::Call(call)) => token.append_to(&mut call.arguments, document),
            _ => {}
        }
    }

    fn annotate(&mut self, index: u64, delta: &Step<'_>, answer: &mut Answer) {
        let notes = raws(delta.annotations);
        let bytes = notes.iter().map(|note| note.as_str().len()).sum();
        if notes.is_empty() || !answer.admits(bytes) {
            return;
        }
        if let Some(Piece::Text { citations, .. }) = self.piece(index, Grows::Text, answer) {
            citations.extend(notes);
        }
    }

    fn summary(&mut self, index: u64, delta: &Step<'_>, answer: &mut Answer) {
        let Some(mut content) = delta.content else {
            return;
        };
        let mut peeked = content;
        match Step::read(&mut peeked) {
            Some(step) if step.kind == "text" => {
                self.say(index, Grows::Thought, step.text, answer);
            }
            Some(_) => self.begin(index, &mut content, answer),
            None => {}
        }
    }

    /// Reads a call that an increment tells whole.
    fn call(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let told = parts_of(json).into_iter().map(Piece::open).next();
        let Some(Piece::Call(told)) = told else {
            return;
        };
        let bytes = told.initial.as_ref().map_or(0, String::len);
        if !answer.admits(bytes) {
            return;
        }
        answer.spoke();
        if let Some(Piece::Call(call)) = self.piece(index, Grows::Call, answer) {
            call.id = told.id.or(call.id.take());
            call.initial = told.initial;
            call.name = told.name;
            call.server = told.server;
        }
    }

    /// Reads a result, whose call the beginning of its step has named.
    fn result(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let Some(told @ Part::ToolResult { .. }) = parts_of(json).into_iter().next() else {
            return;
        };
        let piece = Piece::Part(told);
        if !answer.admits(weight(&piece)) {
            return;
        }
        let known = self.piece(index, Grows::Result, answer);
        if let (
            Some(Piece::Part(Part::ToolResult {
                call_id,
                name,
                content,
                is_error,
                server,
            })),
            Piece::Part(Part::ToolResult {
                call_id: told_id,
                name: told_name,
                content: mut more,
                is_error: failed,
                server: told_server,
            }),
        ) = (known, piece)
        {
            *call_id = call_id.take().or(told_id);
            *name = name.take().or(told_name);
            content.append(&mut more);
            *is_error |= failed;
            *server = told_server;
        }
    }

    /// Reads sound, whose data may come in pieces; then it stands in no single place.
    fn sound(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let Some(Part::Audio { media: more, .. }) = parts_of(json).into_iter().next() else {
            return;
        };
        if let Some(Piece::Part(Part::Audio { media, .. })) =
            self.piece(index, Grows::Audio, answer)
        {
            match (&mut media.data_chars, more.data_chars) {
                (Some(chars), Some(more)) => {
                    *chars += more;
                    media.data_offset = None;
                }
                _ => *media = more,
            }
        }
    }
}

// === impl Grows ===

impl Grows {
    fn fits(self, piece: &Piece) -> bool {
        matches!(
            (self, piece),
            (Self::Text, Piece::Text { .. })
                | (Self::Thought, Piece::Thinking { .. })
                | (Self::Call, Piece::Call(_))
                | (Self::Result, Piece::Part(Part::ToolResult { .. }))
                | (Self::Audio, Piece::Part(Part::Audio { .. }))
        )
    }

    fn empty(self) -> Piece {
        let text = Text::default();
        match self {
            Self::Text => Piece::Text {
                text,
                citations: Vec::new(),
            },
            Self::Thought => Piece::Thinking {
                text,
                signed: false,
                redacted: false,
            },
            Self::Call => Piece::Call(Call::default()),
            Self::Result => Piece::Part(Part::ToolResult {
                call_id: None,
                name: None,
                content: Vec::new(),
                is_error: false,
                server: true,
            }),
            Self::Audio => Piece::Part(Part::Audio {
                media: Media::default(),
                transcript: None,
                id: None,
            }),
        }
    }
}

/// Returns the bytes that a piece keeps.
fn weight(piece: &Piece) -> usize {
    match piece {
        Piece::Text { text, .. } | Piece::Thinking { text, .. } => text.as_str().len(),
        Piece::Call(call) => call.initial.as_ref().map_or(0, String::len),
        Piece::Part(Part::Other { raw, .. }) => raw.as_str().len(),
        Piece::Part(Part::ToolResult { content, .. }) => content.iter().map(raw_weight).sum(),
        _ => 0,
    }
}

fn raw_weight(part: &Part) -> usize {
    match part {
        Part::Other { raw, .. } => raw.as_str().len(),
        Part::Text { text, .. } => text.len(),
        _ => 0,
    }
}

fn speaks(piece: &Piece) -> bool {
    match piece {
        Piece::Text { text, .. } | Piece::Thinking { text, .. } => !text.is_empty(),
        // A call that begins without arguments has `{}`.
        Piece::Call(call) => call.initial.as_ref().is_some_and(|text| text.len() > 2),
        _ => false,
    }
}
