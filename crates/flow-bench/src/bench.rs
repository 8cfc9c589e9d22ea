//! Measures the store: what is asked of a directory that was generated, and what goes into a new one.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use flow_meter::{Meter, Prices};
use flow_store::ListQuery;

use crate::generate;
use crate::generator::Generator;
use crate::measure::{memory_bytes, millis, size};
use crate::report::{Figure, Report};
use crate::samples::Samples;
use crate::size::{share, weigh};
use crate::traffic::{Stored, Traffic};
use crate::{ingest, out, peer, queries};

/// Flows that are being written when the process is killed.
const KILLED_FLOWS: u64 = 200;
/// Those of them that have not ended.
const RUNNING_FLOWS: u64 = 10;
/// What the process that is to be killed says once it writes.
const WRITING: &str = "writing";

/// What is measured, and how often.
#[derive(Args)]
pub(crate) struct Options {
    /// A data directory that was generated. Some flows are added to it.
    #[arg(long)]
    dir: PathBuf,
    /// How often each query runs.
    #[arg(long, default_value_t = 200)]
    runs: u64,
    /// Turns of agents that are fed to a recorder; 0 for none.
    #[arg(long, default_value_t = 3_000)]
    agent_turns: u64,
    /// Small flows that are fed to a recorder; 0 for none.
    #[arg(long, default_value_t = 20_000)]
    small_flows: u64,
    /// Flows of the same traffic that a plain table takes; 0 for no such table.
    #[arg(long, default_value_t = 0)]
    peer_flows: u64,
}

/// What the process that is to be killed writes to.
#[derive(Args)]
pub(crate) struct HoldOptions {
    #[arg(long)]
    dir: PathBuf,
}

/// Measures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stored = Stored::read(&options.dir)?;
    let mut report = Report::default();
    report.noise.sample();
    weighed(&options.dir, &stored, &mut report)?;
    // Memory is looked at first, before anything else has taken any.
    asked(options, &stored.traffic, &mut report)?;
    started(&options.dir, &stored.traffic, &mut report)?;
    ingested(options, &stored.traffic, &mut report)?;
    if options.peer_flows > 0 {
        let traffic = stored.traffic.part(options.peer_flows);
        let dir = scratch(&options.dir)?;
        peer::measure(dir.path(), &traffic, options.runs, &mut report)?;
    }
    out::line(report);
    Ok(())
}

fn weighed(dir: &Path, stored: &Stored, report: &mut Report) -> Result<()> {
    let kinds = weigh(dir)?;
    let all: u64 = kinds.values().sum();
    let part = share(all, stored.raw_bytes);
    report.add(Figure::Stored, "", format_args!("{part} ({})", size(all)));
    Ok(())
}

/// Kills a process that writes, and opens what it leaves.
fn started(dir: &Path, traffic: &Traffic, report: &mut Report) -> Result<()> {
    let mut child = Command::new(env::current_exe().context("find this program")?)
        .arg("hold")
        .arg("--dir")
        .arg(dir)
        .stdout(Stdio::piped())
        .spawn()
        .context("start the process that is to be killed")?;
    let stdout = child.stdout.take().context("hear the process")?;
    let said = BufReader::new(stdout).lines().next().transpose()?;
    child.kill().context("kill the process")?;
    child.wait().context("wait for the process")?;
    ensure!(
        said.as_deref() == Some(WRITING),
        "the process that is to be killed did not write"
    );
    let begun = Instant::now();
    let store = generate::open(dir, traffic)?;
    let page = store.list(&ListQuery {
        limit: 50,
        ..ListQuery::default()
    })?;
    let took = begun.elapsed();
    ensure!(!page.rows.is_empty(), "nothing is listed after the kill");
    let ended = flow_recorder::recover(&store, &Meter::default())?;
    let recovered = begun.elapsed();
    report.add(Figure::Start, "to the first page", millis(took));
    let what = format!("and until {ended} flows that were running have ended");
    report.add(Figure::Start, what, millis(recovered));
    Ok(())
}

/// Writes without end, until the process is killed.
pub(crate) fn hold(options: &HoldOptions) -> Result<()> {
    let Stored { traffic, .. } = Stored::read(&options.dir)?;
    let store = generate::open(&options.dir, &traffic)?;
    let prices = Prices::default();
    // Later than everything in the directory, and calls on their own only.
    let mut plan = Traffic {
        flows: KILLED_FLOWS,
        sessions: 0,
        ..traffic
    }
    .plan();
    plan.clock.from = traffic.end();
    plan.clock.seed ^= u64::from(std::process::id());
    let mut generator = Generator::new(plan);
    for position in 0..KILLED_FLOWS {
        let call = generator.call(position);
        let row = call.row(&prices);
        generate::write_request(&store, &call, &row);
        // The last ones are still running when the process dies, and the ones before may not be committed.
        if position < KILLED_FLOWS - RUNNING_FLOWS {
            generate::write_outcome(&store, call, row);
        }
        if position == KILLED_FLOWS / 2 {
            ensure!(store.flush(), "the disk does not take what is written");
        }
    }
    out::line(WRITING);
    loop {
        // The parent kills this process; nothing else ends it.
        std::thread::park_timeout(Duration::from_mins(1));
    }
}

fn asked(options: &Options, traffic: &Traffic, report: &mut Report) -> Result<()> {
    let store = generate::open(&options.dir, traffic)?;
    store.list(&ListQuery {
        limit: 50,
        ..ListQuery::default()
    })?;
    if let Some(bytes) = memory_bytes() {
        report.add(Figure::Memory, "after a list", size(bytes));
    }
    let prices = Prices::default();
    let samples = Samples::of(traffic, &prices);
    queries::measure(&store, &samples, &prices, options.runs, report)
}

fn ingested(options: &Options, traffic: &Traffic, report: &mut Report) -> Result<()> {
    if options.agent_turns > 0 {
        let dir = scratch(&options.dir)?;
        let sessions = options
            .agent_turns
            .div_ceil(u64::from(Traffic::AGENTS.turns));
        let agents = Traffic {
            flows: options.agent_turns,
            sessions,
            seed: traffic.seed,
            ..Traffic::AGENTS
        };
        ingest::measure(dir.path(), &agents, report)?;
    }
    if options.small_flows > 0 {
        let dir = scratch(&options.dir)?;
        let small = Traffic {
            flows: options.small_flows,
            sessions: 0,
            ..*traffic
        };
        ingest::measure(dir.path(), &small, report)?;
    }
    Ok(())
}

/// Returns a directory beside another one, on the same disk, that goes with the measurement.
fn scratch(dir: &Path) -> Result<tempfile::TempDir> {
    let beside = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    tempfile::tempdir_in(beside.unwrap_or(Path::new("."))).context("make a directory beside")
}
