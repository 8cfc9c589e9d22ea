//! Load: programs to drive, clients that drive them, bodies that look like an agent's.
//!
//! Everything runs on this machine's loopback address, bounded in count and time.

mod api;
mod bodies;
mod client;
mod programs;
mod random;

pub(crate) use api::{Api, Progress};
pub(crate) use bodies::{Ask, Template};
pub(crate) use client::{Connection, post};
pub(crate) use programs::{Monitor, Provider, Running, free_port, until_stopped};
pub(crate) use random::Random;
