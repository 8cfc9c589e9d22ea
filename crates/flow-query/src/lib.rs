//! Questions about flows: which fields there are, what a filter means, and which flows it selects.
//!
//! One table of fields ([`Field`]) is behind everything. A [`Filter`] is the tree as it is written, in JSON; checked
//! it becomes a [`Checked`] tree, which every evaluator takes: the one here looks at one flow in memory, the
//! store's scans columns and text. Both read a flow through [`Field::value`], so that they select the same flows.
//!
//! ```text
//! Filter (JSON) ──check──► Checked ──► matches (one flow in memory)
//!                             └─────► the store's scan of columns and text
//! ```

#![warn(missing_docs)]

mod field;
mod filter;
mod pattern;
mod value;

pub use field::{Field, Kind, Unit};
pub use filter::{Checked, Filter, Range, Test};
pub use pattern::Pattern;
pub use value::{Flag, Scope, Value};
