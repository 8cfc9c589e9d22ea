//! Events of a stream.

use flow_model::{Media, Part};

use super::{about, block, is_server_call, is_server_result, owned, stop};
use crate::answer::{Answer, Call, Piece};
use crate::dialects::{Event, other_part};
use crate::json::{Json, Kind, Text, lossy};

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// Which piece of the answer each block is: the wire's number of the block and the piece's place.
    blocks: Vec<(u64, usize)>,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        match event.name {
            Some(name) => self.named(&lossy(name), json, answer),
            None => self.wrapped(json, answer),
        }
    }

    /// Reads events that stand as members of an object.
    pub(in crate::dialects) fn wrapped(&mut self, json: &mut Json<'_>, answer: &mut Answer) {
        while let Some(name) = json.member() {
            let mut inner = *json;
            if inner.object() {
                self.named(&name, &mut inner, answer);
            }
        }
    }

    fn named(&mut self, name: &str, json: &mut Json<'_>, answer: &mut Answer) {
        let (mut index, mut start, mut delta) = (0, None, None);
        match name {
            "messageStart" => {
                answer.draft(0);
            }
            "messageStop" => answer.closed = true,
            _ => {}
        }
        while let Some(member) = json.member() {
            match (name, member.as_ref()) {
                (_, "contentBlockIndex") => index = json.number().unwrap_or(0),
                ("contentBlockStart", "start") => start = Some(*json),
                ("contentBlockDelta", "delta") => delta = Some(*json),
                ("messageStop", "stopReason") => stop(json, answer),
                ("metadata", member) => about(member, json, answer),
                _ => {}
            }
        }
        if let Some(mut start) = start {
            self.start(index, &mut start, answer);
        }
        if let Some(mut delta) = delta {
            self.delta(index, &mut delta, answer);
        }
    }

    fn start(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let bytes = json.width();
        if !json.object() || !answer.admits(bytes) {
            return;
        }
        while let Some(name) = json.member() {
            let mut whole = *json;
            let names = ["toolUseId", "name", "type", "status", "format"];
            let Some([id, title, kind, status, format]) = json.fields(names) else {
                continue;
            };
            let piece = match name.as_ref() {
                "toolUse" => Piece::Call(Call {
                    id: owned(id),
                    name: owned(title).unwrap_or_default(),
                    server: is_server_call(kind),
                    ..Call::default()
                }),
                "toolResult" => Piece::Part(Part::ToolResult {
                    call_id: owned(id),
                    name: None,
                    content: Vec::new(),
                    is_error: owned(status).as_deref() == Some("error"),
                    server: is_server_result(kind),
                }),
                "image" => Piece::Part(Part::Image {
                    media: Media {
                        mime: owned(format).map(|format| super::mime("image", &format)),
                        ..Media::default()
                    },
                }),
                name => Piece::Part(other_part(name, whole.verbatim())),
            };
            self.open(index, piece, answer);
        }
    }

    /// Adds a piece and remembers which block it is.
    fn open(&mut self, index: u64, piece: Piece, answer: &mut Answer) -> Option<usize> {
        let draft = answer.draft(0)?;
        draft.push(piece)?;
        let at = draft.pieces.len() - 1;
        match self.blocks.iter_mut().rfind(|(known, _)| *known == index) {
            Some((_, place)) => *place = at,
            None => self.blocks.push((index, at)),
        }
        Some(at)
    }

    /// Returns the piece of a block; a new one where the block has none of that kind.
    fn piece<'a>(
        &mut self,
        index: u64,
        fits: fn(&Piece) -> bool,
        new: fn() -> Piece,
        answer: &'a mut Answer,
    ) -> Option<&'a mut Piece> {
        let found = self.blocks.iter().rfind(|(known, _)| *known == index);
        let known = found.map(|(_, at)| *at).filter(|at| {
            let piece = answer.draft(0).and_then(|draft| draft.pieces.get(*at));
            piece.is_some_and(fits)
        });
        let at = match known {
            Some(at) => at,
            None => self.open(index, new(), answer)?,
        };
        answer.draft(0)?.pieces.get_mut(at)
    }

    fn delta(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let bytes = json.width();
        if !json.object() || !answer.admits(bytes) {
            return;
        }
        while let Some(name) = json.member() {
            match name.as_ref() {
                "text" => self.say(index, json, answer),
                "reasoningContent" => self.think(index, json, answer),
                "toolUse" => {
                    if let Some([Some(mut input)]) = json.fields(["input"]) {
                        self.call(index, &mut input, answer);
                    }
                }
                "citation" => {
                    if let Some(Piece::Text { citations, .. }) =
                        self.piece(index, is_text, new_text, answer)
                    {
                        citations.push(json.verbatim());
                    }
                }
                "toolResult" => self.result(index, json, answer),
                "image" => self.picture(index, json, answer),
                _ if json.kind() == Kind::Null => {}
                name => {
                    let part = other_part(name, json.verbatim());
                    self.open(index, Piece::Part(part), answer);
                }
            }
        }
    }

    fn say(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let document = json.document();
        let Some(token) = json.string() else {
            return;
        };
        if !token.is_empty() {
            answer.spoke();
        }
        if let Some(Piece::Text { text, .. }) = self.piece(index, is_text, new_text, answer) {
            token.append_to(text, document);
        }
    }

    fn think(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let document = json.document();
        let names = ["text", "signature", "redactedContent"];
        let Some([said, signature, hidden]) = json.fields(names) else {
            return;
        };
        let said = said.and_then(|mut said| said.string());
        if said.is_some_and(|said| !said.is_empty()) {
            answer.spoke();
        }
        let signature = signature.and_then(|mut signature| signature.string());
        let piece = self.piece(index, is_thinking, new_thinking, answer);
        let Some(Piece::Thinking {
            text,
            signed,
            redacted,
        }) = piece
        else {
            return;
        };
        if let Some(said) = said {
            said.append_to(text, document);
        }
        *signed |= signature.is_some_and(|signature| !signature.is_empty());
        *redacted |= hidden.is_some();
    }

    fn call(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let document = json.document();
        let token = json.string();
        if token.is_some_and(|token| !token.is_empty()) {
            answer.spoke();
        }
        let Some(Piece::Call(call)) = self.piece(index, is_call, new_call, answer) else {
            return;
        };
        match token {
            Some(token) => token.append_to(&mut call.arguments, document),
            None => call.arguments.push_str(&json.compact()),
        }
    }

    /// Appends to what a tool of the provider returned.
    fn result(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let piece = self.piece(index, is_result, new_result, answer);
        let Some(Piece::Part(Part::ToolResult { content, .. })) = piece else {
            return;
        };
        if !json.array() {
            return;
        }
        let mut parts = Vec::new();
        while json.element() {
            block(json, &mut parts);
            for part in parts.drain(..) {
                match (content.last_mut(), part) {
                    (Some(Part::Text { text, .. }), Part::Text { text: more, .. }) => {
                        text.push_str(&more);
                    }
                    (_, part) => content.push(part),
                }
            }
        }
    }

    fn picture(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let source = json.fields(["source"]).and_then(|[source]| source);
        let bytes = source.and_then(|mut source| source.fields(["bytes"]));
        let Some(data) = bytes.and_then(|[bytes]| bytes?.string()) else {
            return;
        };
        let piece = self.piece(index, is_picture, new_picture, answer);
        if let Some(Piece::Part(Part::Image { media })) = piece {
            *media.data_chars.get_or_insert(0) += data.ascii_chars();
        }
    }
}

fn is_text(piece: &Piece) -> bool {
    matches!(piece, Piece::Text { .. })
}

fn new_text() -> Piece {
    Piece::Text {
        text: Text::default(),
        citations: Vec::new(),
    }
}

fn is_thinking(piece: &Piece) -> bool {
    matches!(piece, Piece::Thinking { .. })
}

fn new_thinking() -> Piece {
    Piece::Thinking {
        text: Text::default(),
        signed: false,
        redacted: false,
    }
}

fn is_call(piece: &Piece) -> bool {
    matches!(piece, Piece::Call(_))
}

fn new_call() -> Piece {
    Piece::Call(Call::default())
}

fn is_result(piece: &Piece) -> bool {
    matches!(piece, Piece::Part(Part::ToolResult { .. }))
}

fn new_result() -> Piece {
    Piece::Part(Part::ToolResult {
        call_id: None,
        name: None,
        content: Vec::new(),
        is_error: false,
        server: true,
    })
}

fn is_picture(piece: &Piece) -> bool {
    matches!(piece, Piece::Part(Part::Image { .. }))
}

fn new_picture() -> Piece {
    Piece::Part(Part::Image {
        media: Media::default(),
    })
}
