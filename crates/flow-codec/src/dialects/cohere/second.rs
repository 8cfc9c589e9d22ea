//! Responses of the second version: whole messages and events.

use serde_json::Value;

use crate::answer::{Answer, Call, Draft, Piece, Speech};
use crate::dialects::{arguments, merge, other_part};
use crate::json::{Json, Kind, Text};

use super::{count, say, stop};

/// Reads the message of a whole response.
pub(super) fn message(json: &mut Json<'_>, answer: &mut Answer) {
    let names = ["tool_plan", "content", "tool_calls", "citations"];
    let Some([plan, content, calls, citations]) = json.fields(names) else {
        return;
    };
    answer.draft(0);
    if let Some(mut plan) = plan {
        grow_plan(&mut plan, answer);
    }
    if let Some(mut content) = content {
        blocks(&mut content, answer);
    }
    if let Some(mut calls) = calls
        && calls.array()
    {
        let mut position = 0;
        while calls.element() {
            call(position, &mut calls, answer);
            position += 1;
        }
    }
    cite(citations, answer);
}

/// Reads an event of this type.
pub(super) fn event(kind: &str, found: &super::Members<'_>, answer: &mut Answer) {
    let index = found.index.unwrap_or(0);
    if let Some(mut logprobs) = found.logprobs
        && let Some(logprobs) = answer.keep(&mut logprobs)
        && let Some(draft) = answer.draft(0)
    {
        // Each event has the likelihoods of its own text; a whole response has a list of them.
        match &mut draft.logprobs {
            Some(Value::Array(all)) => all.push(logprobs),
            slot => merge(slot, Value::Array(vec![logprobs])),
        }
    }
    if kind == "message-end" {
        answer.closed = true;
    }
    let Some(mut delta) = found.delta else {
        return;
    };
    let Some([message, reason, usage, error]) =
        delta.fields(["message", "finish_reason", "usage", "error"])
    else {
        return;
    };
    if let Some(mut error) = error {
        answer.fail(&error.error_value());
    }
    if let Some(mut usage) = usage {
        count(&mut usage, answer);
    }
    if let Some(mut reason) = reason {
        stop(0, &mut reason, answer);
    }
    let Some(mut message) = message else {
        return;
    };
    let names = ["content", "tool_plan", "tool_calls", "citations"];
    let Some([content, plan, calls, citations]) = message.fields(names) else {
        return;
    };
    answer.draft(0);
    if let Some(mut plan) = plan {
        grow_plan(&mut plan, answer);
    }
    if let Some(mut content) = content {
        if kind == "content-start" {
            begin(&content, answer);
        }
        blocks(&mut content, answer);
    }
    if let Some(mut calls) = calls {
        each(&mut calls, &mut |json| call(index, json, answer));
    }
    cite(citations, answer);
}

/// Calls `read` at a value, or at each element where it is a list.
fn each(json: &mut Json<'_>, read: &mut impl FnMut(&mut Json<'_>)) {
    if json.kind() != Kind::Array {
        return read(json);
    }
    json.array();
    while json.element() {
        read(json);
    }
}

/// Appends to what the model means to do.
fn grow_plan(json: &mut Json<'_>, answer: &mut Answer) {
    let Some(token) = json.string().filter(|token| !token.is_empty()) else {
        return;
    };
    if !answer.admits(token.raw().len()) {
        return;
    }
    answer.spoke();
    let Some(draft) = answer.draft(0) else {
        return;
    };
    let words = token.decode(json.document());
    let known = draft.pieces.iter_mut().find_map(|piece| match piece {
        Piece::Grown { name, raw } if name == "tool_plan" => Some(raw),
        _ => None,
    });
    match known {
        Some(Value::String(plan)) => plan.push_str(&words),
        _ => {
            draft.push(Piece::Grown {
                name: "tool_plan".to_owned(),
                raw: Value::String(words.into_owned()),
            });
        }
    }
}

/// Reads content: a text, a part, or a list of parts. A part's delta has no type.
fn blocks(json: &mut Json<'_>, answer: &mut Answer) {
    if json.kind() == Kind::String {
        return say(0, Speech::Text, json, answer);
    }
    let is_list = json.kind() == Kind::Array;
    each(json, &mut |json| {
        if is_list {
            begin(json, answer);
        }
        block(json, answer);
    });
}

fn block(json: &mut Json<'_>, answer: &mut Answer) {
    let mut whole = *json;
    let Some([kind, text, thinking]) = json.fields(["type", "text", "thinking"]) else {
        return;
    };
    let kind = kind.and_then(|mut kind| kind.owned());
    match (kind.as_deref(), text, thinking) {
        (Some("text") | None, Some(mut text), _) => say(0, Speech::Text, &mut text, answer),
        (Some("thinking") | None, _, Some(mut thinking)) => {
            say(0, Speech::Thinking, &mut thinking, answer);
        }
        (Some("text" | "thinking") | None, ..) => {}
        (Some(kind), ..) => {
            if let Some(raw) = answer.keep_raw(&mut whole) {
                answer.part(0, other_part(kind, raw), 0);
            }
        }
    }
}

/// Begins a part, so that two texts in a row stay two. The first of a kind begins by itself.
fn begin(json: &Json<'_>, answer: &mut Answer) {
    let mut json = *json;
    let Some([Some(mut kind)]) = json.fields(["type"]) else {
        return;
    };
    let kind = kind.text();
    let Some(draft) = answer.draft(0) else {
        return;
    };
    let fresh = match (kind.as_deref(), draft.pieces.last()) {
        (Some("text"), Some(Piece::Text { text, .. })) if !text.is_empty() => Piece::Text {
            text: Text::default(),
            citations: Vec::new(),
        },
        (Some("thinking"), Some(Piece::Thinking { text, .. })) if !text.is_empty() => {
            Piece::Thinking {
                text: Text::default(),
                signed: false,
                redacted: false,
            }
        }
        _ => return,
    };
    draft.push(fresh);
}

/// Reads a call, or what is new of it.
fn call(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let bytes = json.width();
    let Some([id, function]) = json.fields(["id", "function"]) else {
        return;
    };
    let inner = function.and_then(|mut function| function.fields(["name", "arguments"]));
    let [name, given] = inner.unwrap_or_default();
    if !answer.admits(bytes) {
        return;
    }
    let Some(call) = answer.draft(0).and_then(|draft| nth(draft, index)) else {
        return;
    };
    if let Some(id) = id.and_then(|mut id| id.word()) {
        call.id = Some(id);
    }
    if let Some(name) = name.and_then(|mut name| name.owned()) {
        call.name = name;
    }
    if let Some(mut given) = given {
        let before = call.arguments.as_str().len();
        if !given.append_to(&mut call.arguments) {
            call.arguments.push_str(&arguments(&mut given));
        }
        if call.arguments.as_str().len() > before {
            answer.spoke();
        }
    }
}

/// Returns the call with this number; it is begun where there is none.
fn nth(draft: &mut Draft, index: u64) -> Option<&mut Call> {
    if !draft.calls().any(|call| call.index == Some(index)) {
        draft.push(Piece::Call(Call {
            index: Some(index),
            ..Call::default()
        }))?;
    }
    draft.calls().find(|call| call.index == Some(index))
}

/// Attaches citations: to the text that they name, else to the last.
fn cite(citations: Option<Json<'_>>, answer: &mut Answer) {
    let Some(mut citations) = citations else {
        return;
    };
    each(&mut citations, &mut |json| {
        let mut peeked = *json;
        let Some([place]) = peeked.fields(["content_index"]) else {
            return;
        };
        let place = place.and_then(|mut place| place.number());
        let named = place.and_then(|place| text_at(answer, place));
        let Some(at) = named else {
            return answer.cite(0, json);
        };
        let Some(raw) = answer.keep_raw(json) else {
            return;
        };
        let piece = answer.draft(0).and_then(|draft| draft.pieces.get_mut(at));
        if let Some(Piece::Text { citations, .. }) = piece {
            citations.push(raw);
        }
    });
}

/// Returns the place of the text that is this part of the content, where it is one.
fn text_at(answer: &mut Answer, index: u64) -> Option<usize> {
    let pieces = &answer.draft(0)?.pieces;
    let is_content = |piece: &Piece| {
        matches!(
            piece,
            Piece::Text { .. } | Piece::Thinking { .. } | Piece::Part(_)
        )
    };
    let mut content = pieces
        .iter()
        .enumerate()
        .filter(|(_, piece)| is_content(piece));
    let (at, piece) = content.nth(usize::try_from(index).ok()?)?;
    matches!(piece, Piece::Text { .. }).then_some(at)
}
