//! The filter: as a tree of JSON, and checked.

use flow_model::FlowId;
use serde::{Deserialize, Serialize};

use crate::{Field, Flag, Pattern, Scope};

/// A filter as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Every one of these.
    All(Vec<Self>),
}

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
    /// The flow is one of these.
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

impl Checked {
    /// Returns the filter that selects every flow.
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }
}

impl Default for Checked {
    fn default() -> Self {
        Self::everything()
    }
}
