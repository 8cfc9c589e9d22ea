//! Events of a stream.
//!
//! Items come one after another or side by side, and each is told up to four times: by increments, by the end of
//! a part, by the end of the item and by the end of the response. Every piece of the answer has a slot that says
//! which part of which item it is; what comes again finds it there.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`ITEMS_MAX`] | 16,384 items of one response | the rest is not read |

use flow_model::Part;
use serde_json::Value;

use crate::answer::{Answer, Piece, Speech};
use crate::dialects::Event;
use crate::json::{Json, Kind, lossy};

use super::content::Content;
use super::item::{Item, Place};
use super::piece::{Grows, append, empty, growth, is_blank, is_withheld, lay_over, speaks};
use super::response::{add_logprobs, logprobs, members, stop, tally};
use super::{filled, stop_reason};

/// Items of one response.
const ITEMS_MAX: usize = 16 * 1024;

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    items: Vec<Known>,
    /// Which part each piece of the answer is, in the order of the pieces.
    slots: Vec<Slot>,
}

/// An item that has been told of.
#[derive(Clone, Debug)]
struct Known {
    /// Its `output_index`.
    index: u64,
    id: Option<String>,
    kind: String,
    /// Its beginning was told, not only an increment of it.
    begun: bool,
    /// It was told whole.
    done: bool,
}

/// The part that a piece of the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    item: usize,
    place: Place,
}

/// The members of an event, unread.
#[derive(Default)]
struct Said<'a> {
    kind: String,
    index: Option<u64>,
    /// The number of a part in its item.
    part_index: u64,
    id: Option<Json<'a>>,
    delta: Option<Json<'a>>,
    /// The whole text that increments came to, under any of its names.
    text: Option<Json<'a>>,
    item: Option<Json<'a>>,
    part: Option<Json<'a>>,
    annotation: Option<Json<'a>>,
    logprobs: Option<Json<'a>>,
    response: Option<Json<'a>>,
}

// === impl Said ===

impl<'a> Said<'a> {
    fn read(event: Event<'_>, json: &mut Json<'a>) -> Self {
        let mut said = Self::default();
        while let Some(name) = json.member() {
            if json.kind() == Kind::Null {
                continue;
            }
            let here = Some(*json);
            match name.as_ref() {
                "type" => said.kind = json.owned().unwrap_or_default(),
                "output_index" => said.index = json.number(),
                "content_index" | "summary_index" => {
                    said.part_index = json.number().unwrap_or(0);
                }
                "item_id" => said.id = here,
                "delta" => said.delta = here,
                "text" | "refusal" | "arguments" | "input" | "code" | "diff" | "command"
                | "transcript" => said.text = here,
                "item" => said.item = here,
                "part" => said.part = here,
                "annotation" => said.annotation = here,
                "logprobs" => said.logprobs = here,
                "response" => said.response = here,
                _ => {}
            }
        }
        if said.kind.is_empty()
            && let Some(name) = event.name
        {
            said.kind = lossy(name).into_owned();
        }
        said
    }
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let mut whole = *json;
        let said = Said::read(event, json);
        match said.kind.as_str() {
            "error" | "response.error" => fail(&mut whole, answer),
            "response.output_item.added" => self.begin(&said, answer),
            "response.output_item.done" => self.item_done(&said, answer),
            "response.content_part.added"
            | "response.content_part.done"
            | "response.reasoning_summary_part.added"
            | "response.reasoning_summary_part.done" => self.part(&said, answer),
            "response.output_text.annotation.added" | "response.output_text_annotation.added" => {
                self.annotate(&said, answer);
            }
            "response.completed"
            | "response.incomplete"
            | "response.failed"
            | "response.cancelled"
            | "response.done" => self.end(&said, answer),
            kind => match growth(kind, said.part_index) {
                Some((grows, place)) => self.grow(grows, place, &said, answer),
                None => head(&said, answer),
            },
        }
    }

    /// Reads what is known only once the stream has ended: the order of the items, and what is counted in them.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        if self.slots.is_empty() {
            return;
        }
        let items = &self.items;
        let key = |slot: &Slot| (items.get(slot.item).map(|item| item.index), *slot);
        if !self.slots.is_sorted_by_key(key)
            && let Some(draft) = answer.draft(0)
        {
            let pieces = std::mem::take(&mut draft.pieces);
            let mut all: Vec<(Slot, Piece)> = self.slots.iter().copied().zip(pieces).collect();
            all.sort_by_key(|(slot, _)| key(slot));
            (self.slots, draft.pieces) = all.into_iter().unzip();
        }
        tally(answer);
    }

    /// Reads the beginning of an item: calls and items of the provider are shown while they run.
    fn begin(&mut self, said: &Said<'_>, answer: &mut Answer) {
        let Some((bytes, item)) = said.item.and_then(|mut item| Item::sized(&mut item)) else {
            return;
        };
        let told = |known: &Known| Some(known.index) == said.index && !known.begun;
        let found = self.items.iter().rposition(told);
        let Some(at) = found.or_else(|| self.add(said.index)) else {
            return;
        };
        if let Some(known) = self.items.get_mut(at) {
            known.begun = true;
            known.id.clone_from(&item.id);
            known.kind.clone_from(&item.kind);
        }
        // Text comes by increments; what came of a call comes with its end.
        let is_shown = |place| matches!(place, Place::Call | Place::Whole);
        if answer.admits(bytes) {
            self.settle(at, item, is_shown, answer);
        }
    }

    fn item_done(&mut self, said: &Said<'_>, answer: &mut Answer) {
        let Some((bytes, item)) = said.item.and_then(|mut item| Item::sized(&mut item)) else {
            return;
        };
        let is_same = |known: &Known| known.id.is_some() && known.id == item.id;
        let found = match said.index {
            Some(index) => self.items.iter().rposition(|known| known.index == index),
            None => self.items.iter().rposition(is_same),
        };
        let again = |known: &Known| known.done && !is_same(known);
        let found = found.filter(|at| !self.items.get(*at).is_some_and(again));
        if let Some(at) = found.or_else(|| self.add(said.index)) {
            self.complete(at, bytes, item, answer);
        }
    }

    /// Reads an item that is whole: what increments did not bring of it.
    fn complete(&mut self, at: usize, bytes: usize, item: Item<'_>, answer: &mut Answer) {
        let Some(known) = self.items.get_mut(at).filter(|known| !known.done) else {
            return;
        };
        known.done = true;
        known.id.clone_from(&item.id);
        known.kind.clone_from(&item.kind);
        if !answer.admits(bytes) {
            return;
        }
        if answer
            .draft(0)
            .is_some_and(|draft| draft.logprobs.is_none())
        {
            logprobs(&item, answer);
        }
        self.settle(at, item, |_| true, answer);
    }

    /// Adds the parts of an item to those that are known of it.
    fn settle(
        &mut self,
        at: usize,
        item: Item<'_>,
        is_shown: fn(Place) -> bool,
        answer: &mut Answer,
    ) {
        let mut said = Vec::new();
        item.parts(true, &mut |place, part| {
            if is_shown(place) {
                said.push((place, part));
            }
        });
        for (place, part) in said {
            let is_known = self.slots.iter().rev().any(|slot| slot.item == at);
            if is_known && is_withheld(&part) {
                continue;
            }
            let slot = Slot { item: at, place };
            if let Some(piece) = self.piece(slot, answer) {
                let spoken = lay_over(piece, part);
                if spoken {
                    answer.spoke();
                }
                continue;
            }
            let piece = Piece::open(part);
            if speaks(&piece) {
                answer.spoke();
            }
            self.open(slot, piece, answer);
        }
    }

    /// Reads the beginning or the end of a part.
    fn part(&mut self, said: &Said<'_>, answer: &mut Answer) {
        let Some(content) = said.part.and_then(|mut part| Content::read(&mut part)) else {
            return;
        };
        let is_summary = said.kind.starts_with("response.reasoning_summary_part");
        let place = match (is_summary, content.is_reasoning()) {
            (true, _) => Place::Summary(said.part_index),
            (_, true) => Place::Thought(said.part_index),
            _ => Place::Content(said.part_index),
        };
        let Some(at) = self.find(said) else {
            return;
        };
        let slot = Slot { item: at, place };
        let is_told = match self.piece(slot, answer) {
            Some(
                Piece::Text { text, .. } | Piece::Thinking { text, .. } | Piece::Refusal { text },
            ) => !text.is_empty(),
            Some(_) => true,
            None => false,
        };
        let bytes = said.part.map_or(0, Json::width);
        if is_told || !answer.admits(bytes) {
            return;
        }
        let part = match content.into_part() {
            Part::Text { text, .. } if is_summary => Part::Thinking {
                text,
                signed: false,
                redacted: false,
            },
            part => part,
        };
        let piece = Piece::open(part);
        if speaks(&piece) {
            answer.spoke();
        }
        match self.piece(slot, answer) {
            Some(known) => *known = piece,
            None => self.open(slot, piece, answer),
        }
    }

    fn annotate(&mut self, said: &Said<'_>, answer: &mut Answer) {
        let place = Place::Content(said.part_index);
        let Some(at) = self.find(said) else {
            return;
        };
        let note = said
            .annotation
            .and_then(|mut note| answer.keep_raw(&mut note));
        let slot = Slot { item: at, place };
        if self.piece(slot, answer).is_none() {
            self.open(slot, empty(Grows::Speech(Speech::Text)), answer);
        }
        if let Some(Piece::Text { citations, .. }) = self.piece(slot, answer) {
            citations.extend(note);
        }
    }

    /// Reads an increment, or the whole that increments came to, which counts where there were none.
    fn grow(&mut self, grows: Grows, place: Place, said: &Said<'_>, answer: &mut Answer) {
        let Some(mut value) = said.delta.or(said.text) else {
            return;
        };
        let document = value.document();
        let (Some(token), Some(at)) = (value.string(), self.find(said)) else {
            return;
        };
        if let Some(mut list) = said.logprobs.filter(|_| said.delta.is_some()) {
            add_logprobs(&mut list, answer);
        }
        let slot = Slot { item: at, place };
        if self.piece(slot, answer).is_none() {
            self.open(slot, empty(grows), answer);
        }
        // The data of sound is counted, not kept.
        let bytes = match grows {
            Grows::Sound => 0,
            _ => token.raw().len(),
        };
        if token.is_empty() || !answer.admits(bytes) {
            return;
        }
        let Some(piece) = self.piece(slot, answer) else {
            return;
        };
        if said.delta.is_none() && !is_blank(piece) {
            return;
        }
        if !append(piece, grows, token, document) {
            answer
                .diagnostics
                .once("unknown_delta", "an increment that does not fit its part");
        } else if bytes > 0 {
            answer.spoke();
        }
    }

    /// Reads the end of the response.
    fn end(&mut self, said: &Said<'_>, answer: &mut Answer) {
        let Some(mut response) = said.response.filter(Json::is_object) else {
            // Some imitations leave the response out.
            return close(said, None, answer);
        };
        response.object();
        let told = members(&mut response, answer, &mut |output, answer| {
            self.output(output, answer);
        });
        // What failed after an error event is the same error again, with less said of it.
        if answer.error.is_some() {
            return;
        }
        close(said, told.status, answer);
        if let Some(error) = told.error {
            answer.fail(&error);
        }
    }

    /// Reads the items of the whole response that the stream has not told whole.
    fn output(&mut self, output: &mut Json<'_>, answer: &mut Answer) {
        let mut index = 0;
        while output.element() {
            if let Some((bytes, item)) = Item::sized(output) {
                let same_id = |known: &Known| known.id.is_some() && known.id == item.id;
                let same_place = |known: &Known| {
                    known.index == index && (known.kind == item.kind || !known.begun)
                };
                let by_id = self.items.iter().rposition(same_id);
                let found = by_id.or_else(|| self.items.iter().rposition(same_place));
                if let Some(at) = found.or_else(|| self.add(Some(index))) {
                    self.complete(at, bytes, item, answer);
                }
            }
            index += 1;
        }
    }

    /// Returns the item that an event is about: by its index, else by its id, else the newest. What grows after
    /// its item was told whole is another item.
    fn find(&mut self, said: &Said<'_>) -> Option<usize> {
        let found = match said.index {
            Some(index) => self.items.iter().rposition(|known| known.index == index),
            None => {
                let id = filled(said.id);
                let by_id = self
                    .items
                    .iter()
                    .rposition(|known| known.id.is_some() && known.id == id);
                by_id.or(self.items.len().checked_sub(1))
            }
        };
        let grown = |at: &usize| {
            let known = self.items.get(*at);
            said.delta.is_some() && known.is_some_and(|known| known.done)
        };
        let found = found.filter(|at| !grown(at));
        found.or_else(|| self.add(said.index))
    }

    fn add(&mut self, index: Option<u64>) -> Option<usize> {
        if self.items.len() >= ITEMS_MAX {
            return None;
        }
        self.items.push(Known {
            index: index.unwrap_or(self.items.len() as u64),
            id: None,
            kind: String::new(),
            begun: false,
            done: false,
        });
        Some(self.items.len() - 1)
    }

    fn piece<'a>(&self, slot: Slot, answer: &'a mut Answer) -> Option<&'a mut Piece> {
        let at = self.slots.iter().rposition(|known| *known == slot)?;
        answer.draft(0)?.pieces.get_mut(at)
    }

    fn open(&mut self, slot: Slot, piece: Piece, answer: &mut Answer) {
        let added = answer.draft(0).and_then(|draft| draft.push(piece));
        if added.is_some() {
            self.slots.push(slot);
        }
    }
}

/// Reads an event that says how the response stands, and nothing else that is read.
fn head(said: &Said<'_>, answer: &mut Answer) {
    let Some(mut response) = said.response.filter(Json::is_object) else {
        return;
    };
    response.object();
    let told = members(&mut response, answer, &mut |output, _| {
        while output.element() {}
    });
    if let Some(status) = told.status.filter(|_| answer.error.is_none()) {
        stop(status, answer);
    }
}

/// Notes the end of the response, in its own word or else in that of the event.
fn close(said: &Said<'_>, status: Option<String>, answer: &mut Answer) {
    let word = match said.kind.rsplit('.').next() {
        Some("done") | None => "completed",
        Some(word) => word,
    };
    stop(status.unwrap_or_else(|| word.to_owned()), answer);
    if let Some(draft) = answer.draft(0) {
        // A status that was forgotten at `in_progress` does not undo the event.
        draft.stop = draft.stop.or_else(|| stop_reason(word));
    }
}

/// Reads an error event, whose members stand in an object `error` or right there.
fn fail(json: &mut Json<'_>, answer: &mut Answer) {
    let mut error = json.inner_value("error");
    if let Value::Object(members) = &mut error {
        // Beside the error's members, these two are the event's.
        if members.get("type").is_some_and(|kind| kind == "error") {
            members.remove("type");
        }
        members.remove("sequence_number");
    }
    if answer.error.is_none() {
        answer.fail(&error);
    }
}
