//! The project's one tool: `cargo xtask test` is what developers and CI run alike.
//!
//! It checks the tree, runs every test, writes generated files, and measures the monitor. It installs what the
//! tests need where the user may, and says in one line what is missing where not. It needs nothing beyond cargo
//! to start, takes no part in the product, and no other crate depends on it.

mod bench;
mod codegen;
mod dictionary;
mod full;
mod generate;
mod install;
mod kill;
mod load;
mod out;
mod prices;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Checks, tests and measures Flow Monitor.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Runs every check and every test, and installs what they need.
    Test(suite::Options),
    /// Checks the tree alone: directions, lengths, links, leftovers.
    Tidy,
    /// Writes the OpenAPI document and the types that the page takes from it.
    Codegen,
    /// Makes the price table from the packages of two public data sets.
    Prices,
    /// Makes the dictionary with which the store compresses.
    Dictionary,
    /// Kills the monitor under load, again and again, and looks for what is lost.
    Kill(kill::Options),
    /// Fills a data directory with made-up traffic.
    Generate(generate::Options),
    /// Measures CPU per request and added latency beside nginx and a bare proxy; `bench store` measures the store.
    Bench(bench::Options),
    /// Runs what takes too long for every day: documentation, a long kill test, licences.
    Full,
    /// Takes the measurements of `bench`; built in release mode.
    #[command(hide = true)]
    Measure(bench::MeasureOptions),
    /// Relays without recording; what `bench` compares with.
    #[command(hide = true)]
    BareProxy(bench::BareProxyOptions),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::line(format_args!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Test(options) => suite::run(&Workspace::locate()?, &options),
        Task::Tidy => tidy::run(&Workspace::locate()?),
        Task::Codegen => codegen::write(&Workspace::locate()?),
        Task::Prices => prices::write(&Workspace::locate()?),
        Task::Dictionary => dictionary::write(&Workspace::locate()?),
        Task::Kill(options) => kill::run(&Workspace::locate()?, &options),
        Task::Generate(options) => generate::run(&Workspace::locate()?, &options),
        Task::Bench(options) => bench::run(&Workspace::locate()?, &options),
        Task::Full => full::run(&Workspace::locate()?),
        Task::Measure(options) => bench::measure(&options),
        Task::BareProxy(options) => bench::relay(&options),
    }
}
