//! Questions about flows: which fields there are, what a filter means, and which flows it selects.
//!
//! One table of fields ([`Field`]) is behind everything. A [`Filter`] is the tree as it is written, in JSON; checked
//! it becomes a [`Checked`] tree, which every evaluator takes: the one here looks at one flow in memory, the
//! store's scans columns and text. Both read a flow through [`Field::value`] and its texts through [`Texts`], and
//! compare with [`Pattern`], [`Range`] and [`Needle`], so that they select the same flows.
//!
//! ```text
//! Filter (JSON) ──check──► Checked ──► matches (one flow in memory)
//!       ▲                    │ └─────► the store's scan of columns and text
//!       └─────to_filter──────┘
//! ```

#![warn(missing_docs)]

mod check;
mod error;
mod eval;
mod field;
mod filter;
mod fold;
mod number;
mod pattern;
mod print;
mod table;
mod text;
mod time;
mod value;

pub use error::{ErrorCode, FilterError};
pub use field::{Field, Kind, Unit};
pub use filter::{Checked, Filter, Range, Test};
pub use fold::{Needle, contains_folded, fold, lower};
pub use pattern::Pattern;
pub use table::About;
pub use text::{TextKind, Texts, answer_parts, parts};
pub use value::{Flag, Scope, Value};
