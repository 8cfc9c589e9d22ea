//! A checked filter, written as JSON again. Checking that gives the same tree.

use serde_json::{Value, json};

use crate::field::Field;
use crate::filter::{Checked, Filter, Range, Test};
use crate::number;

impl Checked {
    /// Returns the filter as it is written, with the proper name of each field and numbers in clear units.
    pub fn to_filter(&self) -> Filter {
        Filter(self.to_json())
    }

    fn to_json(&self) -> Value {
        let list = |filters: &[Self]| filters.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::All(filters) => json!({ "all": list(filters) }),
            Self::Any(filters) => json!({ "any": list(filters) }),
            Self::Not(filter) => json!({ "not": filter.to_json() }),
            Self::Test(test) => test.to_json(),
        }
    }
}

impl Test {
    fn to_json(&self) -> Value {
        match self {
            Self::Name(field, pattern) => json!({ "field": field.name(), "is": pattern.text() }),
            Self::Number(field, range) => range_to_json(*field, *range),
            Self::Known(field) => json!({ "known": field.name() }),
            Self::Flag(flag) => {
                let verb = flag.verb().name();
                json!({ verb: flag.name() })
            }
            Self::Id(ids) => json!({ "id": ids }),
            Self::Text(scope, text) => json!({ "text": scope.name(), "contains": text }),
        }
    }
}

fn range_to_json(field: Field, range: Range) -> Value {
    let write = |number| number::write(field.kind(), number);
    let name = field.name();
    let (open, full) = (range.min == i64::MIN, range.max == i64::MAX);
    match (open, full) {
        _ if range.min == range.max => json!({ "field": name, "equals": write(range.min) }),
        (false, false) | (true, true) => {
            json!({ "field": name, "min": write(range.min), "max": write(range.max) })
        }
        (false, true) => json!({ "field": name, "min": write(range.min) }),
        (true, false) => json!({ "field": name, "max": write(range.max) }),
    }
}
