//! Flow Monitor: records, explains and controls the traffic between programs and large language models.
//!
//! This crate reads arguments, environment, configuration and the time of day, and wires the other crates
//! together. Results go to standard output, all else to standard error.

mod args;
mod commands;
mod config;
mod files;
mod instance;
mod logging;
mod read;
mod recipes;
mod serve;
mod shell;
mod text;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use flow_model::Timestamp;

use crate::args::{Cli, Command, ConfigCommand};
use crate::config::{Config, Given};
use crate::read::Reader;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// Everything was done.
    Success,
    /// Something went wrong.
    Failure,
    /// What was asked for does not exist.
    NotFound,
    /// As the command ended that was run.
    Child(u8),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let exit = run(cli).unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return Exit::Success;
        }
        complain(&format!("{error:#}"));
        Exit::Failure
    });
    ExitCode::from(exit.code())
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Read { files, at } = command {
        let at = at.map(|seconds| Timestamp(seconds.saturating_mul(1_000_000)));
        let reader = Reader::new(at.unwrap_or_else(serve::now));
        return commands::read::run(&files, &reader);
    }
    if matches!(command, Command::Openapi) {
        return commands::openapi::run();
    }
    let mut given = Given {
        data_dir: cli.options.data_dir.clone(),
        config: cli.options.config.clone(),
        flags: cli.options.settings(),
        environment: std::env::vars()
            .filter(|(name, _)| name.starts_with("FLOW_MONITOR_"))
            .collect(),
        home: std::env::home_dir(),
    };
    let demo = match &command {
        Command::Demo(args) => Some(commands::demo::prepare(args, &mut given)?),
        _ => None,
    };
    if matches!(command, Command::Run(_)) {
        commands::run::prepare(&mut given);
    }
    let config = Config::load(&given)?;
    let color = std::env::var_os("NO_COLOR").is_none();
    logging::start(config.text("log_level"), config.text("log_format"), color);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    match command {
        Command::Serve => serve::run(config, None),
        Command::Demo(_) => serve::run(config, demo),
        Command::Flows(flows) => commands::flows::run(&config, flows),
        Command::Reindex(args) => commands::reindex::run(&config, args),
        Command::Store(store) => commands::store::run(&config, store),
        Command::Config(ConfigCommand::Show { json }) => commands::config::show(&config, json),
        Command::Token { link } => commands::token::run(&config, link),
        Command::Run(args) => commands::run::run(&config, &args),
        Command::Env(args) => commands::env::show(&config, &args),
        Command::Read { .. } | Command::Openapi => Ok(Exit::Success),
    }
}

// === impl Exit ===

impl Exit {
    const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::NotFound => 4,
            Self::Child(code) => code,
        }
    }
}

/// Returns whether the reader of our output has gone, which is no failure: `flow-monitor flows list | head`.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// Says what went wrong, in the way of command lines.
#[expect(clippy::print_stderr, reason = "the last words of the program")]
fn complain(message: &str) {
    eprintln!("flow-monitor: {message}");
}
