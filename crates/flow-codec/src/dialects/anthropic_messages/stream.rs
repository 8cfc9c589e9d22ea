//! Events of a stream.

use flow_model::Part;
use serde_json::Value;

use crate::answer::{Answer, Call, Piece};
use crate::dialects::Event;
use crate::json::{Json, Text};

use super::response::stop;
use super::{Block, owned, raws};

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// Which piece of the answer each block is: the wire's number of the block and the piece's place.
    blocks: Vec<(u64, usize)>,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands at its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let Event { name, open } = event;
        let names = [
            "type",
            "message",
            "index",
            "content_block",
            "delta",
            "usage",
            "error",
        ];
        let mut members = [None; 7];
        let mut whole = *json;
        while let Some(key) = json.member() {
            let slot = names.iter().position(|name| *name == key);
            if let Some(slot) = slot.and_then(|slot| members.get_mut(slot)) {
                *slot = Some(*json);
            }
        }
        let [kind, message, index, block, delta, usage, error] = members;
        let kind = owned(kind).or_else(|| Some(crate::json::lossy(name?).into_owned()));
        let index = index.and_then(|mut index| index.number()).unwrap_or(0);
        match (kind.as_deref().unwrap_or_default(), message, block, delta) {
            ("message_start", Some(mut message), ..) => self.start(&mut message, answer),
            ("content_block_start", _, Some(mut block), _) => self.begin(index, &mut block, answer),
            ("content_block_delta", .., Some(mut delta)) => self.grow(index, &mut delta, answer),
            ("message_delta", .., delta) => {
                if let Some([Some(mut reason)]) = delta.and_then(|mut d| d.fields(["stop_reason"]))
                {
                    stop(&mut reason, answer);
                }
                overlay(usage, answer);
            }
            ("message_stop", ..) => answer.closed |= !open,
            ("error", ..) => {
                let error = error.map_or_else(
                    || whole.inner_value("error"),
                    |mut error| error.error_value(),
                );
                answer.fail(&error);
            }
            _ => {}
        }
    }

    fn start(&mut self, message: &mut Json<'_>, answer: &mut Answer) {
        // Blocks of a second message begin anew at 0.
        self.blocks.clear();
        answer.draft(0);
        let names = ["id", "model", "usage", "content", "stop_reason"];
        let Some([id, model, usage, said, reason]) = message.fields(names) else {
            return;
        };
        answer.id = answer.id.take().or_else(|| owned(id));
        answer.model = answer.model.take().or_else(|| owned(model));
        overlay(usage, answer);
        if let Some(mut said) = said
            && said.array()
        {
            while said.element() {
                let bytes = said.width();
                super::block(&mut said, &mut |part| answer.part(0, part, bytes));
            }
        }
        if let Some(mut reason) = reason {
            stop(&mut reason, answer);
        }
    }

    fn begin(&mut self, index: u64, json: &mut Json<'_>, answer: &mut Answer) {
        let bytes = json.width();
        let Some(block) = Block::read(json).filter(|_| answer.admits(bytes)) else {
            return;
        };
        if let Some(model) = block.fallback_model() {
            answer.model = Some(model);
        }
        let piece = opened(block);
        if piece_speaks(&piece) {
            answer.spoke();
        }
        self.open(index, piece, answer);
    }

    /// Adds a piece and remembers which block it is.
    fn open(&mut self, index: u64, piece: Piece, answer: &mut Answer) -> Option<usize> {
        let draft = answer.draft(0)?;
        draft.push(piece)?;
        let at = draft.pieces.len() - 1;
        self.blocks.retain(|(known, _)| *known != index);
        self.blocks.push((index, at));
        Some(at)
    }

    fn grow(&mut self, index: u64, delta: &mut Json<'_>, answer: &mut Answer) {
        let names = [
            "type",
            "text",
            "thinking",
            "signature",
            "partial_json",
            "citation",
            "content",
        ];
        let document = delta.document();
        let Some([kind, text, thinking, signature, partial, citation, content]) =
            delta.fields(names)
        else {
            return;
        };
        let kind = owned(kind).unwrap_or_default();
        let found = self.blocks.iter().rfind(|(known, _)| *known == index);
        let at = match found.map(|(_, at)| *at) {
            Some(at) => at,
            // The block's start is missing: the increment tells what it is.
            None => match self.open(index, piece_for(&kind), answer) {
                Some(at) => at,
                None => return,
            },
        };
        let value = text.or(thinking).or(signature).or(partial).or(content);
        let token = value.and_then(|mut value| value.string());
        let bytes = token.map_or(0, |token| token.raw().len());
        let citation = citation.and_then(|mut citation| answer.keep_raw(&mut citation));
        if !answer.admits(bytes) {
            return;
        }
        let speaks = matches!(
            kind.as_str(),
            "text_delta" | "thinking_delta" | "input_json_delta"
        );
        if speaks && bytes > 0 {
            answer.spoke();
        }
        let Some(piece) = answer.draft(0).and_then(|draft| draft.pieces.get_mut(at)) else {
            return;
        };
        match (kind.as_str(), piece, token) {
            ("text_delta", Piece::Text { text, .. }, Some(token))
            | ("thinking_delta", Piece::Thinking { text, .. }, Some(token)) => {
                token.append_to(text, document);
            }
            ("signature_delta", Piece::Thinking { signed, .. }, Some(token)) => {
                *signed |= !token.is_empty();
            }
            ("input_json_delta", Piece::Call(call), Some(token)) => {
                token.append_to(&mut call.arguments, document);
            }
            ("citations_delta", Piece::Text { citations, .. }, _) => citations.extend(citation),
            (_, Piece::Grown { raw, .. }, Some(token)) => {
                append_content(raw, &token.decode(document));
            }
            _ => answer
                .diagnostics
                .once("unknown_delta", "an increment that does not fit its block"),
        }
    }
}

/// Returns the piece that a block begins.
fn opened(block: Block<'_>) -> Piece {
    match block.kind.as_str() {
        "text" => Piece::Text {
            text: Text::from(owned(block.text).unwrap_or_default()),
            citations: raws(block.citations),
        },
        "thinking" => Piece::Thinking {
            signed: block.is_signed(),
            text: Text::from(owned(block.thinking).unwrap_or_default()),
            redacted: false,
        },
        "tool_use" | "server_tool_use" | "mcp_tool_use" => Piece::Call(Call {
            index: None,
            server: block.is_server_call(),
            id: owned(block.id),
            name: owned(block.name).unwrap_or_default(),
            arguments: Text::default(),
            initial: block.input.map(|mut input| input.compact()),
        }),
        _ => match block.into_part() {
            Part::Other { name, raw } => Piece::Grown {
                name,
                raw: raw.value(),
            },
            part => Piece::Part(part),
        },
    }
}

/// Returns an empty piece of the kind that an increment grows.
fn piece_for(delta: &str) -> Piece {
    match delta {
        "thinking_delta" | "signature_delta" => Piece::Thinking {
            text: Text::default(),
            signed: false,
            redacted: false,
        },
        "input_json_delta" => Piece::Call(Call::default()),
        _ => Piece::Text {
            text: Text::default(),
            citations: Vec::new(),
        },
    }
}

fn piece_speaks(piece: &Piece) -> bool {
    match piece {
        Piece::Text { text, .. } | Piece::Thinking { text, .. } => !text.is_empty(),
        _ => false,
    }
}

/// Appends to the `content` of a raw block, as compaction does.
fn append_content(raw: &mut Value, more: &str) {
    let Value::Object(members) = raw else {
        return;
    };
    match members.get_mut("content") {
        Some(Value::String(content)) => content.push_str(more),
        _ => {
            members.insert("content".to_owned(), Value::String(more.to_owned()));
        }
    }
}

/// Lays a usage object over the known one: what it names and is not null replaces what was there.
fn overlay(usage: Option<Json<'_>>, answer: &mut Answer) {
    let Some(mut usage) = usage else {
        return;
    };
    let known = answer.usage.take();
    answer.count(&mut usage);
    let later = answer.usage.take();
    answer.usage = match (known, later) {
        (Some(known), Some(later)) => match (known.value(), later.value()) {
            (Value::Object(mut known), Value::Object(later)) => {
                known.extend(later.into_iter().filter(|(_, value)| !value.is_null()));
                Some(Value::Object(known).into())
            }
            _ => Some(later),
        },
        (known, later) => later.or(known),
    };
}
