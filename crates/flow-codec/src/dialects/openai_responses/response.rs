//! Whole responses, and what the response objects in a stream say.

use flow_model::Part;
use serde_json::Value;

use crate::answer::{Answer, Piece};
use crate::dialects::merge;
use crate::json::{Document, Json, Kind};
use crate::usage::counted;

use super::content::Content;
use super::item::Item;
use super::{owned, stop_reason};

/// What a response object says beside what goes into the answer at once.
pub(super) struct Told {
    /// Why the answer is incomplete, else how it stands.
    pub(super) status: Option<String>,
    pub(super) error: Option<Value>,
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let told = members(json, answer, &mut |output, answer| {
        answer.draft(0);
        while output.element() {
            whole_item(output, answer);
        }
    });
    if let Some(status) = told.status {
        stop(status, answer);
    }
    if answer.is_begun() {
        tally(answer);
    }
    // A body that holds nothing else is an error, not an answer that failed.
    if let Some(error) = told.error.filter(|_| answer.is_begun()) {
        answer.fail(&error);
    }
}

/// Reads the members of a response object; of a later one, what it has replaces what was known. The items are
/// read by `output`, which finds the array of them entered and must come to its end.
pub(super) fn members(
    json: &mut Json<'_>,
    answer: &mut Answer,
    output: &mut impl FnMut(&mut Json<'_>, &mut Answer),
) -> Told {
    let (mut status, mut reason, mut error) = (None, None, None);
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => replace(&mut answer.id, json.owned()),
            "model" => replace(&mut answer.model, json.owned()),
            "service_tier" => replace(&mut answer.service_tier, json.owned()),
            "status" => status = json.owned(),
            "incomplete_details" => {
                reason = json.fields(["reason"]).and_then(|[reason]| owned(reason));
            }
            "error" if !matches!(json.kind(), Kind::Null | Kind::None) => {
                error = Some(json.error_value());
            }
            "usage" => answer.count(json),
            "output" if json.array() => output(json, answer),
            "tool_usage" => searches(json, answer),
            _ => {}
        }
    }
    let reason = reason.filter(|reason| !reason.is_empty());
    Told {
        status: reason.or(status),
        error,
    }
}

/// Reads the wire's own count of searches.
fn searches(json: &mut Json<'_>, answer: &mut Answer) {
    if let Some([Some(mut search)]) = json.fields(["web_search"])
        && let Some([Some(mut number)]) = search.fields(["num_requests"])
    {
        answer.units.searches = number.number().filter(|number| *number > 0);
    }
}

/// Notes how the answer stands, and with it that there is one.
pub(super) fn stop(status: String, answer: &mut Answer) {
    if let Some(draft) = answer.draft(0) {
        draft.stop = stop_reason(&status);
        draft.stop_reason = Some(status);
    }
}

fn replace(slot: &mut Option<String>, value: Option<String>) {
    if let Some(value) = value
        && (slot.is_none() || !value.is_empty())
    {
        *slot = Some(value);
    }
}

fn whole_item(json: &mut Json<'_>, answer: &mut Answer) {
    let Some((mut bytes, item)) = Item::sized(json) else {
        return;
    };
    logprobs(&item, answer);
    item.parts(true, &mut |_, part| {
        answer.part(0, part, std::mem::take(&mut bytes));
    });
}

/// Reads the log probabilities of a message.
pub(super) fn logprobs(item: &Item<'_>, answer: &mut Answer) {
    let Some(mut content) = item.content() else {
        return;
    };
    if !content.array() {
        return;
    }
    while content.element() {
        let list = Content::read(&mut content).and_then(|content| content.logprobs);
        if let Some(mut list) = list {
            add_logprobs(&mut list, answer);
        }
    }
}

/// Appends a list of log probabilities, in the form that chat completions have.
pub(super) fn add_logprobs(list: &mut Json<'_>, answer: &mut Answer) {
    let mut peeked = *list;
    if !peeked.array() || !peeked.element() {
        return;
    }
    let Some(list) = answer.keep(list) else {
        return;
    };
    if let Some(draft) = answer.draft(0) {
        let mut members = serde_json::Map::new();
        members.insert("content".to_owned(), list);
        merge(&mut draft.logprobs, Value::Object(members));
    }
}

/// Counts what is paid beside tokens: images made, and searches of the web where the wire has no count of them.
pub(super) fn tally(answer: &mut Answer) {
    let told = answer.usage.as_ref().is_some_and(|usage| {
        counted(usage, |usage| {
            usage.has(&["server_side_tool_usage_details", "web_search_calls"])
        })
    });
    let Some(draft) = answer.draft(0) else {
        return;
    };
    let images = draft.pieces.iter().filter(|piece| is_image(piece)).count() as u64;
    let searches = draft.pieces.iter().filter(|piece| is_search(piece)).count() as u64;
    if images > 0 {
        answer.units.images = Some(images);
    }
    if searches > 0 && answer.units.searches.is_none() && !told {
        answer.units.searches = Some(searches);
    }
}

fn is_image(piece: &Piece) -> bool {
    matches!(piece, Piece::Part(Part::Image { .. }))
}

/// Returns whether a call searches the web; opening a page that was found is free.
fn is_search(piece: &Piece) -> bool {
    let (name, given) = match piece {
        Piece::Call(call) => (&call.name, call.initial.as_deref().unwrap_or_default()),
        Piece::Part(Part::ToolCall {
            name, arguments, ..
        }) => (name, arguments.as_str()),
        _ => return false,
    };
    if name != "web_search_call" {
        return false;
    }
    let document = Document::new(given.as_bytes());
    let kind = document.root().fields(["type"]);
    let kind = kind.and_then(|[kind]| owned(kind));
    kind.is_none_or(|kind| kind == "search")
}
