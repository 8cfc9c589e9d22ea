//! What the relay tells the recorder, and the bounded way between them.
//!
//! The relay calls a [`FlowTap`]; nothing in it waits. Events go into one queue per recorder worker, each flow
//! pinned to one worker, bounded by bytes and by count over all of them. Over the bound the payload of frames
//! goes to an encrypted spill file on a thread of its own; where that cannot follow, the frame becomes a
//! [`Gap`](flow_model::Gap) that is counted and shown. Heads and ends are always taken once a flow has begun:
//! there are few of them and a flow without an end would stay open for ever.
//!
//! Heads and URLs must be free of credentials before they come here.

mod event;
mod policy;
mod queue;
mod spill;
mod tap;

pub use event::{Begin, BodyEnd, CaptureEvent, ConnectTimings, EventKind, FlowStart};
pub use policy::{Policy, PolicyError};
pub use queue::{CaptureOptions, CaptureStats, Receiver};
pub use tap::{Capture, FlowTap, WallClock};
