//! One exchange, from the request's head to the end of both bodies.
//!
//! The state machine of a flow's end: whoever sees the end first says how it was, through [`Flow::finish`]. The
//! response's body does so when it ends, breaks or is dropped; before a response has come, the exchange itself.
//! What is dropped without having finished is the client's doing, unless the monitor stops or panics.

mod body;
mod exchange;
mod failure;
mod flow;

pub(crate) use body::RequestBody;
pub(crate) use exchange::Caller;
