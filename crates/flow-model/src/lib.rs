//! The nouns of Flow Monitor.
//!
//! An [`Exchange`] holds what was on the wire. A [`Reading`] is what a codec makes of it. A [`Row`] is the line
//! that lists show. Nothing here reads a clock, a file or the network; the types only carry facts.

#![warn(missing_docs)]

pub mod client;
pub mod dialect;
pub mod exchange;
pub mod id;
pub mod message;
pub mod money;
pub mod raw;
pub mod reading;
pub mod row;
pub mod time;
pub mod usage;

pub use client::{Client, Software};
pub use dialect::{Api, Dialect};
pub use exchange::{
    BodyFacts, Chunk, EndReason, Exchange, Failure, FailureKind, Fault, Gap, Header, RequestHead,
    ResponseHead, Route, Side, State, Timings,
};
pub use id::FlowId;
pub use message::{Media, Message, Part, Role, Tool};
pub use money::{Cost, CostLine, Money, ParseMoneyError};
pub use raw::Raw;
pub use reading::{
    Choice, Diagnostic, Embeddings, ErrorClass, ErrorReading, Outcome, Reading, RequestReading,
    ResponseReading, StopReason,
};
pub use row::Row;
pub use time::Timestamp;
pub use usage::{ContextUse, Tokens, Units, WireUsage};
