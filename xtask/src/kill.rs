//! Kills the monitor under load and looks for what is lost.
//!
//! Each round: clients send small, large and very large requests and read whole answers and streams; at a random
//! moment the monitor is killed without a warning; it is started again on the same directory and asked, through
//! its API, for every call. What must be there:
//!
//! | call | must be |
//! | --- | --- |
//! | answered completely more than 50 ms before the kill | whole, both bodies equal to what the client sent and received |
//! | cut off in its stream | `interrupted`, with everything that had arrived 250 ms before the kill |
//! | sent but not answered, 250 ms before the kill | `interrupted`, with the whole request |
//!
//! That run's longest commit is added to each of these times: no promise can be faster than the disk.
//!
//! At the end every flow that was found whole in any round must still be listed. The moments repeat with the seed;
//! the load does not, since it depends on the machine.

mod check;
mod clients;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tempfile::TempDir;

use crate::kill::check::Figures;
use crate::kill::clients::Clients;
use crate::load::{Api, Monitor, Progress, Provider, Random, until_stopped};
use crate::out;
use crate::workspace::{Profile, Workspace};

/// Rounds of the test that every run of the suite includes.
const SHORT_ROUNDS: u32 = 5;
/// Rounds of the test on demand.
const LONG_ROUNDS: u32 = 50;
/// The load before a kill lasts at least this long, and at most that much longer.
const LOAD_TIME_MIN: Duration = Duration::from_millis(400);
const LOAD_TIME_SPREAD_MS: u64 = 2_000;
/// How often the recorder is asked how far it is while the load runs.
const POLL_INTERVAL: Duration = Duration::from_millis(25);
/// Microseconds by which the clock of the day may be off between two readings.
const CLOCK_MARGIN_US: i64 = 2_000_000;

/// How to kill.
#[derive(Args)]
pub(crate) struct Options {
    /// How often to kill.
    #[arg(long, default_value_t = LONG_ROUNDS)]
    rounds: u32,
    /// Decides the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Kills the program as users run it instead of the one for tests.
    #[arg(long)]
    release: bool,
    /// Takes the programs as they are, instead of building them.
    #[arg(long)]
    built: bool,
}

/// What stays the same over all rounds.
struct Bench {
    program: PathBuf,
    folder: TempDir,
    provider: Provider,
}

/// What was seen of a run until its kill.
struct Watched {
    progress: Progress,
    /// When a commit had ended, or nothing waited for one, for the last time.
    committed_at: Instant,
}

/// Kills the monitor as often as the options say.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let profile = if options.release {
        Profile::Release
    } else {
        Profile::Dev
    };
    if !options.built {
        workspace.build(profile, &["flow-monitor", "flow-testkit"])?;
    }
    let folder = tempfile::Builder::new()
        .prefix("kill-")
        .tempdir_in(workspace.target("."))
        .context("make a folder for the data")?;
    let provider = Provider::start(
        &workspace.binary(profile, "fake-provider"),
        &folder.path().join("provider.log"),
    )?;
    let bench = Bench {
        program: workspace.binary(profile, "flow-monitor"),
        folder,
        provider,
    };
    let outcome = until_stopped(rounds(&bench, options));
    if outcome.is_err() {
        let kept = bench.folder.keep();
        out::line(format_args!("data and logs are kept in {}", kept.display()));
    }
    outcome
}

async fn rounds(bench: &Bench, options: &Options) -> Result<()> {
    let mut random = Random::new(options.seed);
    let mut total = Figures::default();
    let mut whole: BTreeSet<String> = BTreeSet::new();
    let mut monitor = bench.start()?;
    for number in 1..=options.rounds {
        let load_time = LOAD_TIME_MIN + Duration::from_millis(random.below(LOAD_TIME_SPREAD_MS));
        let since_us = now_us() - CLOCK_MARGIN_US;
        let clients = Clients::start(number, options.seed, monitor.proxy);
        let watched = watch(&monitor, load_time).await?;
        let killed_at = Instant::now();
        monitor.kill()?;
        let calls = clients.end().await;
        monitor = bench.start()?;
        let restart = killed_at.elapsed();
        let mut api = Api::open(monitor.ui, &monitor.token).await?;
        let flows = api.flows_since(since_us).await?;
        let moment = check::Moment {
            killed_at,
            commit_max: watched.commit_max(killed_at),
        };
        let figures = check::round(&mut api, &flows, &calls, moment, &mut whole).await?;
        out::line(format_args!(
            "round {number}: killed after {} ms, {} events and {} bytes waiting, up again after {} ms: {figures}",
            load_time.as_millis(),
            watched.progress.queued_events,
            watched.progress.backlog_bytes,
            restart.as_millis()
        ));
        total.add(figures);
    }
    let mut api = Api::open(monitor.ui, &monitor.token).await?;
    let listed = api.flows_since(0).await?;
    let ids: BTreeSet<&str> = listed.iter().filter_map(|row| row["id"].as_str()).collect();
    let gone = whole.iter().filter(|id| !ids.contains(id.as_str())).count();
    out::line(format_args!("{} kills: {total}", options.rounds));
    ensure!(gone == 0, "{gone} flows of earlier rounds are gone");
    ensure!(
        total.answered > 0,
        "no call was answered: nothing was tested"
    );
    ensure!(total.cut > 0, "no stream was cut off: nothing was tested");
    let problems = total.problems.len();
    ensure!(problems == 0, "{problems} calls were lost or damaged");
    Ok(())
}

/// Lets the load run, and returns how far the recorder was at last.
async fn watch(monitor: &Monitor, load_time: Duration) -> Result<Watched> {
    let end = tokio::time::Instant::now() + load_time;
    let mut api = Api::open(monitor.ui, &monitor.token).await?;
    let mut watched = Watched {
        progress: Progress::default(),
        committed_at: Instant::now(),
    };
    while tokio::time::Instant::now() < end {
        // A busy monitor may answer late; the moment of the kill does not wait for it.
        if let Ok(answer) = tokio::time::timeout_at(end, api.progress()).await {
            let progress = answer?;
            if progress.commits != watched.progress.commits || progress.backlog_bytes == 0 {
                watched.committed_at = Instant::now();
            }
            watched.progress = progress;
        }
        let next = tokio::time::Instant::now() + POLL_INTERVAL;
        tokio::time::sleep_until(next.min(end)).await;
    }
    Ok(watched)
}

fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    })
}

// === impl Watched ===

impl Watched {
    /// Returns how long the longest commit took, the one included that the kill cut short.
    fn commit_max(&self, killed_at: Instant) -> Duration {
        let last = killed_at.saturating_duration_since(self.committed_at);
        let is_running = self.progress.backlog_bytes > 0;
        let running = if is_running { last } else { Duration::ZERO };
        running.max(self.progress.commit_max)
    }
}

// === impl Bench ===

impl Bench {
    fn start(&self) -> Result<Monitor> {
        let folder: &Path = self.folder.path();
        let data = folder.join("data");
        Monitor::start(
            &self.program,
            &data,
            &[("fake", format!("http://{}", self.provider.address))],
            &folder.join("monitor.log"),
        )
    }
}

// === impl Options ===

impl Options {
    /// Returns the options of the test that every run of the suite includes.
    pub(crate) const fn short() -> Self {
        Self {
            rounds: SHORT_ROUNDS,
            seed: 1,
            release: false,
            built: true,
        }
    }

    /// Returns the options of the long test.
    pub(crate) const fn long() -> Self {
        Self {
            rounds: LONG_ROUNDS,
            seed: 2,
            release: true,
            built: false,
        }
    }
}
