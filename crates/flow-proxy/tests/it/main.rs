//! The relay between real sockets: what goes in on one side is compared with what comes out on the other, and
//! with what the record says of it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail by panicking, as tests do"
)]

mod aborts;
mod errors;
mod http2;
mod proxies;
mod record;
mod refusals;
mod relay;
mod shutdown;
mod support;
mod tls;
