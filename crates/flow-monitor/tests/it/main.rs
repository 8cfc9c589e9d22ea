//! The real program, a fake provider and plain clients, on loopback.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that tests share fail by panicking, as tests do"
)]

mod commands;
mod deletion;
mod faults;
mod monitor;
mod record;
mod reindex;
#[cfg(unix)]
mod run;
mod security;
mod store;
mod tee;
