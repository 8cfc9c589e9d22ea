//! Makes traffic up and measures the store with it.
//!
//! `generate` fills a data directory, `size` weighs it, `store` measures what is asked of it and what goes into a
//! new one, `peer` does the same to a plain SQLite table. All of it is made again from a seed: nothing of anybody's
//! traffic is in it. To be run in release mode.
//!
//! ```text
//! words ─► text ─► agent, single ─► session ─► draft ─► Call ─► generate ─► store
//!                     wire ─────────────┘        │       ├────► ingest ──► recorder ─► store
//!                     source, refusal ───────────┘       └────► peer
//! ```

mod bench;
mod generate;
mod ingest;
mod measure;
mod out;
mod peer;
mod queries;
mod report;
mod samples;
mod size;
mod speed;
mod traffic;

mod agent;
mod call;
mod clock;
mod draft;
mod generator;
mod random;
mod refusal;
mod session;
mod single;
mod source;
mod text;
mod wire;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Makes traffic up and measures the store with it.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fills a data directory with made-up traffic.
    Generate(generate::Options),
    /// Weighs a data directory that was generated.
    Size(size::Options),
    /// Measures the store with a data directory that was generated.
    Store(bench::Options),
    /// Measures a plain SQLite table with the same traffic.
    Peer(peer::Options),
    /// Measures how long it takes to make calls.
    Speed(speed::Options),
    /// Writes until it is killed.
    #[command(hide = true)]
    Hold(bench::HoldOptions),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Task::Generate(options) => generate::run(&options),
        Task::Size(options) => size::run(&options),
        Task::Store(options) => bench::run(&options),
        Task::Peer(options) => peer::run(&options),
        Task::Speed(options) => speed::run(&options),
        Task::Hold(options) => bench::hold(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::line(format_args!("flow-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
