//! What a reading weighs: token counts where the wire has none, what the call costs, how full the window was.
//!
//! [`Prices`] is the table in the tree, with the user's own prices over it. [`cost`] applies it to one call and
//! shows the arithmetic; [`price`] does so for a reading and adds how much of the model's window it used. A model
//! that the table does not know has no cost: unknown is never 0.
//!
//! Nothing here reads a clock, a file or the environment: the table is compiled in, the time is an argument.

mod cost;
mod estimate;
mod measure;
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
pub use estimate::estimate;
pub use measure::Meter;
pub use meter::price;
pub use overrides::OverrideError;
pub use prices::{Prices, Window};
