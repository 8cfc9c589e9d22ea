//! What a reading costs.
//!
//! [`Prices`] is the table in the tree, with the user's own prices over it. [`cost`] applies it to one call and
//! shows the arithmetic; [`price`] does so for a reading and adds how much of the model's window it used. A model
//! that the table does not know has no cost: unknown is never 0.
//!
//! Nothing here reads a clock, a file or the environment: the table is compiled in, the time is an argument.

mod cost;
mod meter;
mod name;
mod overrides;
mod pattern;
mod prices;
mod provider;
mod rates;
mod table;
mod unit;

pub use cost::{PriceQuery, cost};
pub use meter::price;
pub use overrides::OverrideError;
pub use prices::{Prices, Window};
