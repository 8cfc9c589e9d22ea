//! The check of what is asked of a field: names by patterns, numbers and times by a range.

use serde_json::{Map, Value};

use super::{Check, DEPTH_MAX, NEEDLE_BYTES_MAX};
use crate::error::{Echo, ErrorCode, FilterError};
use crate::field::{Field, Kind};
use crate::filter::{Checked, Range, Test};
use crate::number;
use crate::pattern::Pattern;

/// What may be asked of a field.
pub(super) const MEMBERS: [&str; 6] = ["is", "min", "max", "above", "below", "equals"];

impl Check {
    pub(super) fn field(
        &mut self,
        object: &Map<String, Value>,
        at: &str,
        depth: usize,
    ) -> Option<Checked> {
        let name = object.get("field").unwrap_or(&Value::Null);
        let field = self.field_name(name, &format!("{at}/field"))?;
        let is_number = matches!(field.kind(), Kind::Number(_) | Kind::Time);
        let (found, wrong): (Vec<&str>, Vec<&str>) = MEMBERS
            .into_iter()
            .filter(|member| object.contains_key(*member))
            .partition(|member| is_number == (*member != "is"));
        for member in &wrong {
            let place = format!("{at}/{member}");
            let message = format!("{} cannot be tested by {member:?}", field.name());
            let error = FilterError::new(&place, ErrorCode::UnknownMember, message);
            let help = if is_number {
                "use \"equals\", \"min\", \"max\", \"above\", \"below\""
            } else {
                "use \"is\""
            };
            self.fail::<()>(error.help(help));
        }
        if found.is_empty() {
            if !wrong.is_empty() {
                return None;
            }
            let message = format!("what is asked of {} is missing", field.name());
            let error = FilterError::new(at, ErrorCode::MissingMember, message);
            return self.fail(error.help(field.about().example));
        }
        match object.get("is") {
            Some(value) if !is_number => self.name(field, value, &format!("{at}/is"), depth),
            _ => {
                let range = self.range(field, object, at)?;
                Some(Checked::Test(Test::Number(field, range)))
            }
        }
    }

    fn name(&mut self, field: Field, value: &Value, at: &str, depth: usize) -> Option<Checked> {
        let Value::Array(values) = value else {
            return self.pattern(field, value, at);
        };
        if values.is_empty() {
            let error = FilterError::new(at, ErrorCode::Empty, "the list of names is empty");
            return self.fail(error);
        }
        // A list is written back as one filter for each name, and must then be within the limits too.
        self.count(values.len(), at)?;
        if depth == DEPTH_MAX {
            let message = format!("filters stand {DEPTH_MAX} deep at most");
            return self.fail(FilterError::new(at, ErrorCode::TooLarge, message));
        }
        let mut list = Vec::new();
        for (index, value) in values.iter().enumerate() {
            list.extend(self.pattern(field, value, &format!("{at}/{index}")));
        }
        (list.len() == values.len()).then_some(Checked::Any(list))
    }

    fn pattern(&mut self, field: Field, value: &Value, at: &str) -> Option<Checked> {
        let text = self.word(value, at)?;
        let pattern = Pattern::of(field, text);
        // What is written back counts: some characters are longer in lower case.
        if pattern.text().len() > NEEDLE_BYTES_MAX {
            let message = format!("a name has {NEEDLE_BYTES_MAX} bytes at most");
            return self.fail(FilterError::new(at, ErrorCode::TooLarge, message));
        }
        if let Some(words) = field.words()
            && !words.iter().any(|word| pattern.matches(word))
        {
            let message = format!("{} is never {}", field.name(), Echo(text));
            let error = FilterError::new(at, ErrorCode::UnknownValue, message);
            return self.fail(error.names(text, words.iter().map(|word| (*word, *word))));
        }
        Some(Checked::Test(Test::Name(field, pattern)))
    }

    fn range(&mut self, field: Field, object: &Map<String, Value>, at: &str) -> Option<Range> {
        for (one, other) in [("min", "above"), ("max", "below")] {
            self.conflict(object, one, other, at);
        }
        for other in ["min", "max", "above", "below"] {
            self.conflict(object, "equals", other, at);
        }
        let (mut min, mut max) = (i128::from(i64::MIN), i128::from(i64::MAX));
        let mut whole = true;
        for (member, value) in object {
            let bound = member.as_str();
            if !matches!(bound, "min" | "max" | "above" | "below" | "equals") {
                continue;
            }
            let place = format!("{at}/{bound}");
            let Some(span) = self.take(number::read(field, value, &place)) else {
                whole = false;
                continue;
            };
            match bound {
                "min" => min = span.first,
                "max" => max = span.last,
                "above" => min = span.last + 1,
                "below" => max = span.first - 1,
                _ => (min, max) = (span.first, span.last),
            }
        }
        if !whole {
            return None;
        }
        let range = i64::try_from(min).ok().zip(i64::try_from(max).ok());
        match range.filter(|(min, max)| min <= max) {
            Some((min, max)) => Some(Range { min, max }),
            None => {
                let message = format!("no value of {} lies in this range", field.name());
                self.fail(FilterError::new(at, ErrorCode::EmptyRange, message))
            }
        }
    }

    fn conflict(&mut self, object: &Map<String, Value>, one: &str, other: &str, at: &str) {
        if object.contains_key(one) && object.contains_key(other) {
            let place = format!("{at}/{other}");
            let message = format!("{other:?} has no place beside {one:?}");
            self.fail::<()>(FilterError::new(&place, ErrorCode::Conflict, message));
        }
    }
}
