//! Made-up traffic and the benchmarks of the store, which a program of their own holds.
//!
//! This tool depends on no other crate of the project, so that it builds when they do not; it builds
//! `flow-bench` in release mode and hands its arguments over.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::workspace::{Profile, Workspace, run as run_command};

/// The program.
const PROGRAM: &str = "flow-bench";

/// What is handed over.
#[derive(Args)]
pub(crate) struct Options {
    /// Arguments of `flow-bench`; `--help` tells them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Fills a data directory with made-up traffic.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    hand_over(workspace, "generate", options)
}

/// Measures the store with a directory that was filled so.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<()> {
    hand_over(workspace, "store", options)
}

fn hand_over(workspace: &Workspace, task: &str, options: &Options) -> Result<()> {
    workspace.build(Profile::Release, &[PROGRAM])?;
    let mut command = Command::new(workspace.binary(Profile::Release, PROGRAM));
    run_command(command.arg(task).args(&options.arguments))
}
