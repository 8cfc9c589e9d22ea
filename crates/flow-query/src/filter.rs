//! The filter: as a tree of JSON, and checked.
//!
//! | JSON | selects flows |
//! |---|---|
//! | `{"all": […]}` `{"any": […]}` `{"not": …}` | that every one, one at least, or not this one selects |
//! | `{"field": "model", "is": "gpt-4*"}`, or a list of patterns | whose name matches |
//! | `{"field": "tokens", "min": 1000, "below": "2k"}` | whose number lies in the range; `above`, `max`, `equals` too |
//! | `{"known": "cost"}` | whose field is known |
//! | `{"has": "tools"}` `{"is": "running"}` | that have or are this |
//! | `{"id": ["…"]}` | with these ids |
//! | `{"text": "content", "contains": "…"}` | in whose text this stands, case and white space aside |
//!
//! What is unknown satisfies no test, and so the negation of every test.

use flow_model::FlowId;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{ErrorCode, FilterError};
use crate::{Field, Flag, Pattern, Scope};

/// Bytes of a filter as text.
const FILTER_BYTES_MAX: usize = 1024 * 1024;

/// A filter as it is written. It may make no sense: that is what [`Filter::check`] finds out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filter(pub(crate) Value);

/// A filter that means something: names are known, values have their field's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Checked {
    /// Every one of these; all flows where there are none.
    All(Vec<Self>),
    /// One of these at least; no flow where there are none.
    Any(Vec<Self>),
    /// Not this. What is unknown satisfies no test, and so the negation of every test.
    Not(Box<Self>),
    /// One test.
    Test(Test),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A field of kind [`crate::Kind::Name`] or [`crate::Kind::Names`] has a value that matches.
    Name(Field, Pattern),
    /// A field of kind [`crate::Kind::Number`] or [`crate::Kind::Time`] lies in the range.
    Number(Field, Range),
    /// The field is known.
    Known(Field),
    /// The flow has or is this.
    Flag(Flag),
    /// The flow is one of these, which stand in rising order.
    Id(Vec<FlowId>),
    /// The text is a case-folded, white-space-folded substring of this part of the flow.
    Text(Scope, String),
}

/// Numbers from `min` to `max`, both included, in the field's base unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The smallest.
    pub min: i64,
    /// The largest.
    pub max: i64,
}

// === impl Filter ===

impl Filter {
    /// Returns the filter that a text of JSON holds.
    pub fn from_json(text: &str) -> Result<Self, FilterError> {
        if text.len() > FILTER_BYTES_MAX {
            let message = format!("a filter has {FILTER_BYTES_MAX} bytes at most");
            return Err(FilterError::new("", ErrorCode::TooLarge, message));
        }
        serde_json::from_str(text).map(Self).map_err(|error| {
            let message = format!("the filter is no JSON: {error}");
            FilterError::new("", ErrorCode::InvalidJson, message)
        })
    }
}

impl From<Value> for Filter {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

// === impl Checked ===

impl Checked {
    /// Returns the filter that selects every flow.
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Returns whether a text of the flow is asked for, so that texts must be at hand.
    pub fn asks_text(&self) -> bool {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().any(Self::asks_text),
            Self::Not(filter) => filter.asks_text(),
            Self::Test(test) => matches!(test, Test::Text(..)),
        }
    }
}

impl Default for Checked {
    fn default() -> Self {
        Self::everything()
    }
}

// === impl Range ===

impl Range {
    /// Returns whether a number lies in the range.
    pub const fn contains(self, number: i64) -> bool {
        self.min <= number && number <= self.max
    }
}
