//! The ways to the upstream that are compared.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{cpu, own_program};
use crate::load::{Api, Connection, Monitor, Running, free_port};

/// Names of the ways, as the report shows them.
pub(super) const DIRECT: &str = "direct";
pub(super) const NGINX: &str = "nginx";
pub(super) const BARE: &str = "bare hyper";
pub(super) const MONITOR: &str = "monitor";

/// How long a proxy may take until it listens.
const LISTEN_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it is tried.
const LISTEN_INTERVAL: Duration = Duration::from_millis(20);
/// Settings of nginx, with places to fill in.
const NGINX_CONFIG: &str = include_str!("../../../tests/bench/nginx.conf");

/// One way to the upstream.
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) address: SocketAddr,
    /// Stands in front of every path.
    prefix: &'static str,
    process: Process,
}

enum Process {
    /// Nothing is in between.
    None,
    Proxy(Running),
    Monitor {
        monitor: Monitor,
        api: Api,
    },
}

/// All ways.
pub(super) struct Lines(Vec<Line>);

// === impl Line ===

impl Line {
    /// Returns the path that leads to this path of the upstream.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// Returns the processes whose time counts.
    pub(super) fn processes(&self) -> Vec<u32> {
        match &self.process {
            Process::None => Vec::new(),
            Process::Proxy(running) => cpu::family(running.id()),
            Process::Monitor { monitor, .. } => cpu::family(monitor.id()),
        }
    }

    /// Waits until work that was put off is done.
    pub(super) async fn settle(&mut self) -> Result<()> {
        match &mut self.process {
            Process::None | Process::Proxy(_) => Ok(()),
            Process::Monitor { api, .. } => api.settle().await,
        }
    }
}

// === impl Lines ===

impl Lines {
    /// Starts every proxy.
    pub(super) async fn start(program: &Path, folder: &Path, upstream: SocketAddr) -> Result<Self> {
        let line = |name, address, process| Line {
            name,
            address,
            prefix: "",
            process,
        };
        let (nginx_at, nginx) = nginx(folder, upstream)?;
        let (bare_at, bare) = bare(upstream)?;
        for address in [nginx_at, bare_at] {
            listens(address).await?;
        }
        Ok(Self(vec![
            line(DIRECT, upstream, Process::None),
            line(NGINX, nginx_at, Process::Proxy(nginx)),
            line(BARE, bare_at, Process::Proxy(bare)),
            monitor(program, folder, upstream).await?,
        ]))
    }

    /// Returns every way, another one first in each repetition.
    pub(super) fn in_turn(&mut self, repetition: usize) -> impl Iterator<Item = &mut Line> {
        let start = repetition % self.0.len();
        let (head, tail) = self.0.split_at_mut(start);
        tail.iter_mut().chain(head)
    }

    /// Returns the monitor's process id.
    pub(super) fn monitor_id(&self) -> u32 {
        let ids = self.0.iter().filter(|line| line.name == MONITOR);
        ids.flat_map(Line::processes).next().unwrap_or(0)
    }

    /// Returns the most memory that the monitor has held.
    pub(super) fn monitor_memory_peak(&self) -> Option<u64> {
        cpu::memory_peak(self.monitor_id())
    }
}

fn nginx(folder: &Path, upstream: SocketAddr) -> Result<(SocketAddr, Running)> {
    let address = free_port()?;
    let config = NGINX_CONFIG
        .replace("{folder}", &folder.display().to_string())
        .replace("{listen}", &address.to_string())
        .replace("{upstream}", &upstream.to_string());
    let path = folder.join("nginx.conf");
    fs::write(&path, config).context("write the settings of nginx")?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path);
    let running = Running::silent(command.args(["-e", "stderr", "-g", "daemon off;"]))?;
    Ok((address, running))
}

fn bare(upstream: SocketAddr) -> Result<(SocketAddr, Running)> {
    let address = free_port()?;
    let mut command = Command::new(own_program()?);
    command
        .arg("bare-proxy")
        .args(["--listen", &address.to_string()])
        .args(["--upstream", &upstream.to_string()]);
    Ok((address, Running::silent(&mut command)?))
}

async fn monitor(program: &Path, folder: &Path, upstream: SocketAddr) -> Result<Line> {
    let upstreams = [("bench", format!("http://{upstream}"))];
    let log = folder.join("monitor.log");
    let monitor = Monitor::start(program, &folder.join("data"), &upstreams, &log)?;
    let api = Api::open(monitor.ui, &monitor.token).await?;
    Ok(Line {
        name: MONITOR,
        address: monitor.proxy,
        prefix: "/bench",
        process: Process::Monitor { monitor, api },
    })
}

/// Waits until something listens.
async fn listens(address: SocketAddr) -> Result<()> {
    let start = Instant::now();
    while Connection::open(address).await.is_err() {
        if start.elapsed() > LISTEN_TIME_MAX {
            bail!("nothing listens on {address}");
        }
        tokio::time::sleep(LISTEN_INTERVAL).await;
    }
    Ok(())
}
