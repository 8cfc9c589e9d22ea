//! Responses of the first version: chat and generate, whole and in events.

use flow_model::Part;

use crate::answer::{Answer, Call, Draft, Piece, Speech};
use crate::dialects::{arguments, other_part};
use crate::json::{Json, Kind, Text};

use super::{say, stop};

/// What a search brought, before the answer that is made of it.
const FOUND: [&str; 3] = ["search_queries", "search_results", "documents"];

/// The members of a whole response.
#[derive(Clone, Copy, Default)]
pub(super) struct Response<'a> {
    id: Option<Json<'a>>,
    generation: Option<Json<'a>>,
    text: Option<Json<'a>>,
    calls: Option<Json<'a>>,
    citations: Option<Json<'a>>,
    found: [Option<Json<'a>>; FOUND.len()],
    generations: Option<Json<'a>>,
}

/// The members of an event, which are those of a response and some of its own.
#[derive(Clone, Copy, Default)]
pub(super) struct Members<'a> {
    said: Response<'a>,
    call: Option<Json<'a>>,
    stop: Option<Json<'a>>,
    whole: Option<Json<'a>>,
}

// === impl Response ===

impl<'a> Response<'a> {
    /// Notes where a member stands; others are passed over.
    pub(super) fn member(&mut self, name: &str, json: &mut Json<'a>) {
        if json.kind() == Kind::Null {
            return;
        }
        let here = Some(*json);
        match name {
            "response_id" => self.id = here,
            "generation_id" => self.generation = here,
            "text" => self.text = here,
            "tool_calls" => self.calls = here,
            "citations" => self.citations = here,
            "generations" => self.generations = here,
            name => {
                let slot = FOUND.iter().position(|known| *known == name);
                if let Some(slot) = slot.and_then(|slot| self.found.get_mut(slot)) {
                    *slot = here;
                }
            }
        }
    }

    /// Reads what is there.
    pub(super) fn read(self, answer: &mut Answer) {
        self.identify(answer);
        self.searches(answer);
        if let Some(mut text) = self.text {
            answer.draft(0);
            say(0, Speech::Text, &mut text, answer);
        }
        calls(self.calls, answer);
        cite(self.citations, answer);
        if let Some(mut list) = self.generations
            && list.array()
        {
            generations(&mut list, answer);
        }
    }

    /// Reads the id: that of the response, before it comes that of what the model made.
    fn identify(self, answer: &mut Answer) {
        let word = |json: Option<Json<'_>>| json.and_then(|mut json| json.owned());
        if let Some(id) = word(self.id) {
            answer.id = Some(id);
        } else if answer.id.is_none() {
            answer.id = word(self.generation);
        }
    }

    fn searches(self, answer: &mut Answer) {
        for (name, place) in FOUND.iter().zip(self.found) {
            let Some(mut json) = place else {
                continue;
            };
            let mut list = json;
            let is_empty = list.array() && !list.element();
            if !is_empty && let Some(raw) = answer.keep_raw(&mut json) {
                answer.part(0, other_part(name, raw), 0);
            }
        }
    }

    /// Reads what a stream's last event repeats of it, so far as it has not come.
    fn complete(self, answer: &mut Answer) {
        let known = answer.draft(0).map(|draft| draft.pieces.as_slice());
        let known = known.unwrap_or_default();
        let has = |test: fn(&Piece) -> bool| known.iter().any(test);
        let spoken = has(|piece| matches!(piece, Piece::Text { .. }));
        let called = has(|piece| matches!(piece, Piece::Call(_)));
        let searched = has(|piece| matches!(piece, Piece::Part(_)));
        let cited =
            has(|piece| matches!(piece, Piece::Text { citations, .. } if !citations.is_empty()));
        let rest = Self {
            text: self.text.filter(|_| !spoken),
            calls: self.calls.filter(|_| !called),
            citations: self.citations.filter(|_| !cited),
            found: if searched {
                Default::default()
            } else {
                self.found
            },
            ..self
        };
        rest.read(answer);
    }
}

// === impl Members ===

impl<'a> Members<'a> {
    /// Notes where a member stands.
    pub(super) fn member(&mut self, name: &str, json: &mut Json<'a>) {
        let here = Some(*json);
        match (name, json.kind()) {
            ("tool_call_delta", Kind::Object) => self.call = here,
            ("finish_reason", Kind::String) => self.stop = here,
            ("response", Kind::Object) => self.whole = here,
            (name, _) => self.said.member(name, json),
        }
    }
}

/// Reads an event.
pub(super) fn event(found: &super::Members<'_>, answer: &mut Answer) {
    let index = found.index.unwrap_or(0);
    let members = found.of_first;
    let said = members.said;
    said.identify(answer);
    match found.first.as_deref() {
        Some("text-generation" | "tool-calls-chunk") | None => {
            if let Some(mut text) = said.text {
                say(index, Speech::Text, &mut text, answer);
            }
            if let Some(mut delta) = members.call {
                grow_call(&mut delta, answer);
            }
        }
        Some("tool-calls-generation") => {
            let silent = answer
                .draft(0)
                .is_some_and(|draft| !draft.pieces.iter().any(is_text));
            if let Some(mut text) = said.text.filter(|_| silent) {
                say(0, Speech::Text, &mut text, answer);
            }
            calls(said.calls, answer);
        }
        Some("citation-generation") => cite(said.citations, answer),
        Some("search-queries-generation" | "search-results") => said.searches(answer),
        Some(_) => {}
    }
    if let Some(mut word) = members.stop {
        stop(index, &mut word, answer);
    }
    if let Some(mut whole) = members.whole {
        last(&mut whole, answer);
    }
    answer.closed |= found.first.as_deref() == Some("stream-end");
}

fn is_text(piece: &Piece) -> bool {
    matches!(piece, Piece::Text { .. })
}

/// Reads the whole response that the last event holds.
fn last(json: &mut Json<'_>, answer: &mut Answer) {
    let mut response = Response::default();
    json.object();
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("id", Kind::String) => answer.id = json.owned(),
            ("meta", Kind::Object) => super::count(json, answer),
            ("finish_reason", Kind::String) => stop(0, json, answer),
            (name, _) => response.member(name, json),
        }
    }
    response.complete(answer);
}

fn cite(citations: Option<Json<'_>>, answer: &mut Answer) {
    if let Some(mut list) = citations
        && list.array()
    {
        while list.element() {
            answer.cite(0, &mut list);
        }
    }
}

/// Reads whole calls. Those that came in pieces get the spelling of the whole ones.
fn calls(json: Option<Json<'_>>, answer: &mut Answer) {
    let Some(mut list) = json else {
        return;
    };
    if !list.array() {
        return;
    }
    let mut position = 0;
    while list.element() {
        let bytes = list.width();
        if let Some((name, given)) = call(&mut list)
            && answer.admits(bytes)
        {
            if !given.is_empty() {
                answer.spoke();
            }
            if let Some(call) = answer.draft(0).and_then(|draft| nth(draft, position)) {
                call.name = name;
                call.arguments = Text::from(given);
            }
        }
        position += 1;
    }
}

/// Reads a call: its parameters are an object.
pub(super) fn call(json: &mut Json<'_>) -> Option<(String, String)> {
    let [name, given] = json.fields(["name", "parameters"])?;
    let name = name.and_then(|mut name| name.owned()).unwrap_or_default();
    let given = given.map_or_else(String::new, |mut given| arguments(&mut given));
    Some((name, given))
}

/// Returns the call with this number; it is begun where there is none.
fn nth(draft: &mut Draft, index: u64) -> Option<&mut Call> {
    let of_index = |piece: &Piece| matches!(piece, Piece::Call(call) if call.index == Some(index));
    let found = draft.pieces.iter().position(of_index);
    let at = match found {
        Some(at) => at,
        None => {
            draft.push(Piece::Call(Call {
                index: Some(index),
                ..Call::default()
            }))?;
            draft.pieces.len() - 1
        }
    };
    match draft.pieces.get_mut(at) {
        Some(Piece::Call(call)) => Some(call),
        _ => None,
    }
}

/// Reads a piece of a call: its name, or a piece of the text of its parameters.
fn grow_call(json: &mut Json<'_>, answer: &mut Answer) {
    let bytes = json.width();
    let Some([index, name, given]) = json.fields(["index", "name", "parameters"]) else {
        return;
    };
    if !answer.admits(bytes) {
        return;
    }
    let index = index.and_then(|mut index| index.number()).unwrap_or(0);
    let Some(call) = answer.draft(0).and_then(|draft| nth(draft, index)) else {
        return;
    };
    if let Some(name) = name.and_then(|mut name| name.owned()) {
        call.name = name;
    }
    let grown = given.is_some_and(|mut given| {
        given.append_to(&mut call.arguments) && !call.arguments.is_empty()
    });
    if grown {
        answer.spoke();
    }
}

/// Reads the answers of generate. In the last event of a stream they repeat what came.
fn generations(list: &mut Json<'_>, answer: &mut Answer) {
    let mut position = 0;
    while list.element() {
        let names = ["index", "text", "finish_reason", "token_likelihoods"];
        let Some([index, text, reason, likelihoods]) = list.fields(names) else {
            continue;
        };
        let index = index
            .and_then(|mut index| index.number())
            .unwrap_or(position);
        position += 1;
        let silent = answer
            .draft(index)
            .is_some_and(|draft| draft.pieces.is_empty());
        if let Some(mut text) = text.filter(|_| silent) {
            say(index, Speech::Text, &mut text, answer);
        }
        if let Some(mut reason) = reason {
            stop(index, &mut reason, answer);
        }
        let likelihoods = likelihoods.and_then(|mut json| answer.keep(&mut json));
        if let Some(likelihoods) = likelihoods
            && let Some(draft) = answer.draft(index)
        {
            draft.logprobs = Some(likelihoods);
        }
    }
}

/// Returns a call as a part.
pub(super) fn call_part(json: &mut Json<'_>) -> Option<Part> {
    let (name, arguments) = call(json)?;
    Some(Part::ToolCall {
        id: None,
        name,
        arguments,
        server: false,
    })
}
