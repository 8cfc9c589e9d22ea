//! The relay: listener, routes, upstream connections and the tap.
//!
//! A request is routed by its path, checked, and sent on over a pooled connection with nothing changed but the
//! route's prefix, `Host` and what belongs to one hop. Every frame of both bodies passes a tap that copies it to
//! [`flow_capture`] and never waits. What the relay refuses it answers itself, in the shape of errors that the
//! client's dialect has, and records as well.
//!
//! ```text
//! listener → service → routes → refusals → relay → pool → connect (DNS, TCP, proxy, TLS) → upstream
//!                                            └── bodies (tap) ──► flow-capture
//! ```
//!
//! The crate knows no store and no codec, and reads neither environment nor files; all of it is handed in.

mod answers;
mod heads;
mod listener;
mod pool;
mod proxy;
mod refusals;
mod relay;
mod routes;
mod settings;
mod tasks;
mod upstreams;

pub use listener::serve;
pub use pool::{EnvironmentError, ProxyEnvironment};
pub use proxy::{Proxy, ProxyOptions};
pub use routes::{NoRoute, NoRouteReason, Routes, Target};
pub use settings::{OnClientAbort, Settings};
pub use upstreams::{Origin, Scheme, Upstream, UpstreamError, UpstreamInfo};
