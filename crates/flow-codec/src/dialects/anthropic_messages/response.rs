//! Whole responses.

use crate::answer::Answer;
use crate::json::{Json, Kind};

use super::{block, stop_reason};

/// Reads a whole response; the cursor stands at the object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" => answer.id = json.owned(),
            "model" => answer.model = json.owned(),
            "usage" => answer.count(json),
            "content" if json.kind() == Kind::Array => {
                answer.draft(0);
                json.array();
                while json.element() {
                    let bytes = json.width();
                    block(json, &mut |part| answer.part(0, part, bytes));
                }
            }
            "stop_reason" => stop(json, answer),
            _ => {}
        }
    }
}

/// Reads why the answer stopped, where it says so.
pub(super) fn stop(json: &mut Json<'_>, answer: &mut Answer) {
    let word = json.owned();
    if let (Some(word), Some(draft)) = (word, answer.draft(0)) {
        draft.stop = Some(stop_reason(&word));
        draft.stop_reason = Some(word);
    }
}
