//! The evaluator of one flow in memory: what every other evaluator must agree with.

use flow_model::Row;

use crate::filter::{Checked, Test};
use crate::fold::Needle;
use crate::text::Texts;
use crate::value::{Flag, Value};

impl Checked {
    /// Returns whether the filter selects a flow, whose texts are looked at where it asks for them.
    pub fn matches(&self, row: &Row, texts: &Texts<'_>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(row, texts)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(row, texts)),
            Self::Not(filter) => !filter.matches(row, texts),
            Self::Test(test) => test.holds(row, texts),
        }
    }
}

impl Test {
    fn holds(&self, row: &Row, texts: &Texts<'_>) -> bool {
        match self {
            Self::Name(field, pattern) => match field.value(row) {
                Value::Name(name) => pattern.matches(&name),
                Value::Names(names) => names.iter().any(|name| pattern.matches(name)),
                Value::None | Value::Number(_) => false,
            },
            Self::Number(field, range) => match field.value(row) {
                Value::Number(number) => range.contains(number),
                Value::None | Value::Name(_) | Value::Names(_) => false,
            },
            Self::Known(field) => field.value(row) != Value::None,
            Self::Flag(flag) => Flag::of(*flag, row),
            Self::Id(ids) => ids.binary_search(&row.id).is_ok(),
            // An empty needle never comes out of a check.
            Self::Text(scope, text) => {
                Needle::new(text).is_some_and(|needle| texts.hold(*scope, &needle))
            }
        }
    }
}
