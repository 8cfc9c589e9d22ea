//! Turns capture events into stored flows.
//!
//! A few workers, each flow pinned to one, take events from the capture queues, decode contents, read dialects
//! and hand everything to the store. Nothing here holds up the relay; a store that is slow holds up the workers,
//! their queues fill, and the queues spill.

mod body;
mod coding;
mod estimator;
mod flow;
mod limits;
mod recover;
mod reindex;
mod tee;
mod worker;

pub use limits::{DECODED_RATIO_MAX, KEPT_BYTES_MAX, PIECE_BYTES, READ_BYTES_MAX};
pub use recover::recover;
pub use reindex::{DERIVATION, Outcome, Pace, Progress, Reindexer, Scope, StartError, Task};
pub use tee::{TEE_BODY_BYTES_MAX, Tee, TeeSettings};
pub use worker::Recorder;
