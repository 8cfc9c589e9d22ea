//! The real program, a fake provider and plain clients, on loopback.

mod commands;
mod faults;
mod monitor;
mod record;
mod security;
