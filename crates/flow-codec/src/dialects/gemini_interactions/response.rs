//! Whole interactions, and what the interactions in a stream's events say.

use flow_model::Part;

use crate::answer::Answer;
use crate::dialects::other_part;
use crate::json::{Json, Kind};

use super::step::Step;
use super::stop_reason;

/// Reads a whole interaction; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(mut steps) = members(json, answer)
        && steps.array()
    {
        answer.draft(0);
        while steps.element() {
            let start = steps.offset();
            let parts = parts_of(&mut steps);
            let bytes = steps.end_offset().saturating_sub(start);
            let mut bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            for part in parts {
                answer.part(0, part, std::mem::take(&mut bytes));
            }
        }
    }
}

/// Reads the members of an interaction, all but its steps, which are returned where there are any.
pub(super) fn members<'a>(json: &mut Json<'a>, answer: &mut Answer) -> Option<Json<'a>> {
    let mut steps = None;
    while let Some(name) = json.member() {
        match name.as_ref() {
            "id" if json.kind() == Kind::String => answer.id = json.owned(),
            "model" if json.kind() == Kind::String => answer.model = json.owned(),
            "service_tier" if json.kind() == Kind::String => answer.service_tier = json.owned(),
            "status" => stop(json, answer),
            "usage" => answer.count(json),
            "steps" | "outputs" if json.kind() == Kind::Array => steps = Some(*json),
            "error" if json.kind() == Kind::Object => {
                let error = json.error_value();
                answer.fail(&error);
            }
            _ => {}
        }
    }
    steps
}

/// Notes how the answer stands, and with it that there is one.
pub(super) fn stop(json: &mut Json<'_>, answer: &mut Answer) {
    if let (Some(word), Some(draft)) = (json.owned(), answer.draft(0)) {
        draft.stop = stop_reason(&word);
        draft.stop_reason = Some(word);
    }
}

/// Returns the parts of one step of an answer.
pub(super) fn parts_of(json: &mut Json<'_>) -> Vec<Part> {
    let mut whole = *json;
    let mut parts = Vec::new();
    match Step::read(json) {
        Some(step) if step.is_input() => {
            parts.push(other_part("user_input", whole.verbatim()));
        }
        Some(step) => step.parts(&mut parts),
        None => {}
    }
    parts
}
