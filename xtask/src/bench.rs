//! Measures the monitor beside nginx and beside a bare hyper proxy, in one run.
//!
//! All three relay the same requests to the same upstream, in turns, several times over. CPU is what the process
//! used (`/proc`, all threads) divided by requests; for the monitor the time is read once everything is recorded,
//! so that work deferred behind the answer counts. Latency is measured apart, one request at a time. Ratios from
//! different runs or machines do not compare; the spread over the repetitions says how far to trust them.
//!
//! Everything measured is built in release mode, this tool too: `bench` builds and hands over to `measure`.

mod bare;
mod cpu;
mod latency;
mod line;
mod report;
mod scenario;
mod upstream;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};

pub(crate) use bare::{Options as BareProxyOptions, relay};

use crate::bench::line::Lines;
use crate::bench::report::Report;
use crate::bench::scenario::SCENARIOS;
use crate::bench::upstream::Upstream;
use crate::load::until_stopped;
use crate::workspace::{Profile, Workspace, run as run_command, which};
use crate::{generate, install, out};

/// How to measure.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    measure: Amounts,
    /// Says how to see where the monitor's time goes.
    #[arg(long)]
    profile: bool,
}

/// What is measured instead of the relay.
#[derive(Subcommand)]
enum Part {
    /// Measures the store with a directory that `generate` filled.
    Store(generate::Options),
}

/// What the release build of this tool is told.
#[derive(Args)]
pub(crate) struct MeasureOptions {
    #[command(flatten)]
    amounts: Amounts,
    /// The monitor's program.
    #[arg(long)]
    monitor: PathBuf,
    #[arg(long)]
    profile: bool,
}

/// How much to measure.
#[derive(Args, Clone, Copy)]
struct Amounts {
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    repetitions: usize,
    /// Percentage of the usual number of requests.
    #[arg(long, default_value_t = 100)]
    percent: usize,
}

/// Builds what is measured and measures it.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if let Some(Part::Store(options)) = &options.part {
        return generate::bench(workspace, options);
    }
    if !cfg!(target_os = "linux") {
        bail!("the benchmark reads CPU times from /proc, which only Linux has");
    }
    if which("nginx").is_none() {
        install::system_package("nginx-light")?;
    }
    workspace.build(Profile::Release, &["flow-monitor", "xtask"])?;
    let mut command = Command::new(workspace.binary(Profile::Release, "xtask"));
    command
        .current_dir(workspace.path("."))
        .arg("measure")
        .arg("--monitor")
        .arg(workspace.binary(Profile::Release, "flow-monitor"))
        .args(["--repetitions", &options.measure.repetitions.to_string()])
        .args(["--percent", &options.measure.percent.to_string()]);
    if options.profile {
        command.arg("--profile");
    }
    run_command(&mut command)
}

/// Measures; to be run from a release build.
pub(crate) fn measure(options: &MeasureOptions) -> Result<()> {
    let folder = tempfile::tempdir().context("make a folder for data")?;
    let report = until_stopped(async {
        let upstream = Upstream::start().await?;
        let mut lines = Lines::start(&options.monitor, folder.path(), upstream.address()).await?;
        if options.profile {
            profile_hint(&lines);
        }
        all(&mut lines, options.amounts).await
    })?;
    report.print();
    Ok(())
}

async fn all(lines: &mut Lines, amounts: Amounts) -> Result<Report> {
    let mut report = Report::default();
    let mut number = 0;
    for repetition in 1..=amounts.repetitions {
        for scenario in SCENARIOS {
            let requests = (scenario.requests * amounts.percent / 100).max(10);
            let mut costs = Vec::new();
            for line in lines.in_turn(repetition) {
                let cost = scenario::cost(line, scenario, requests, &mut number).await?;
                costs.push((line.name, cost));
            }
            let costs = report.add(scenario.name, costs);
            out::line(format_args!("{repetition}: {}: {costs}", scenario.name));
        }
    }
    let samples = (latency::SAMPLES * amounts.percent / 100).max(10);
    report.latencies = latency::measure(lines, samples, &mut number).await?;
    report.memory_peak_bytes = lines.monitor_memory_peak();
    Ok(report)
}

fn profile_hint(lines: &Lines) {
    let id = lines.monitor_id();
    out::line(format_args!(
        "to see where the monitor's time goes, in another terminal:\n  \
         perf record --freq 999 --call-graph fp --pid {id} --output perf.data\n  \
         perf report --input perf.data --no-children\n\
         built with `CARGO_PROFILE_RELEASE_DEBUG=line-tables-only RUSTFLAGS='-C force-frame-pointers=yes'`"
    ));
}

/// Returns this very program, to be started in another role.
fn own_program() -> Result<OsString> {
    let path = env::current_exe().context("find this program")?;
    Ok(path.into_os_string())
}
