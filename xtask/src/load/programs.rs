//! The programs under load: the monitor and the fake provider.
//!
//! Both say on their first line of output that they are ready, and where. What they log goes to a file, whose end
//! is shown when they do not start. Whatever is started here ends with the value that stands for it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::{succeeds, wait};

/// How long a program may take until it is ready.
const START_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a program may take to end when it is asked to.
const STOP_TIME_MAX: Duration = Duration::from_secs(15);
/// How long any work under load may take; 50 kills and the longest benchmark take a few minutes.
const WORK_TIME_MAX: Duration = Duration::from_mins(30);
/// Bytes of a log that are shown.
const LOG_TAIL_BYTES: usize = 4_000;
/// A program that runs.
pub(crate) struct Running {
    child: Child,
    end: End,
}

/// How a program is ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// At once.
    Kill,
    /// By asking it, since it has children of its own to end.
    Ask,
}

/// A monitor that runs.
pub(crate) struct Monitor {
    running: Running,
    /// Where clients connect.
    pub(crate) proxy: SocketAddr,
    /// Where the API is.
    pub(crate) ui: SocketAddr,
    /// The API's token.
    pub(crate) token: String,
}

/// A fake provider that runs.
pub(crate) struct Provider {
    _running: Running,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

// === impl Running ===

impl Running {
    /// Starts a program and returns its first line of output.
    fn start(command: &mut Command, log: &Path) -> Result<(Self, String)> {
        let program = Path::new(command.get_program()).to_owned();
        let name = program.file_name().unwrap_or(OsStr::new("program"));
        let name = name.to_string_lossy();
        let log_file = File::create(log).context("create the log")?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file)
            .spawn()
            .with_context(|| format!("start {name}"))?;
        let stdout = child.stdout.take().context("read what it prints")?;
        let running = Self {
            child,
            end: End::Kill,
        };
        let (sender, receiver) = mpsc::channel();
        // The thread ends with the child's output. It reads on, so that the pipe never fills.
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut line = String::new();
            reader.read_line(&mut line).ok();
            sender.send(line).ok();
            std::io::copy(&mut reader, &mut std::io::sink()).ok();
        });
        match receiver.recv_timeout(START_TIME_MAX) {
            Ok(line) if !line.trim().is_empty() => Ok((running, line)),
            _ => bail!("{name} did not start; its log ends with:\n{}", tail(log)),
        }
    }

    /// Starts a program that prints nothing when it is ready, and that may start others.
    pub(crate) fn silent(command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        Ok(Self {
            child,
            end: End::Ask,
        })
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the program: SIGKILL where there are signals.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill().context("kill")?;
        self.child.wait().context("wait for its end")?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.end == End::Ask {
            let asked = succeeds(Command::new("kill").arg(self.id().to_string()));
            if asked && matches!(wait(&mut self.child, STOP_TIME_MAX), Ok(Some(_))) {
                return;
            }
        }
        // A program that has ended by itself cannot be killed, and need not be.
        self.kill().ok();
    }
}

// === impl Monitor ===

impl Monitor {
    /// Starts a monitor on a data directory, with upstreams of these names and URLs.
    pub(crate) fn start(
        program: &Path,
        data: &Path,
        upstreams: &[(&str, String)],
        log: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--data-dir").arg(data).args([
            "--proxy-listen",
            "127.0.0.1:0",
            "--ui-listen",
            "127.0.0.1:0",
        ]);
        for (name, url) in upstreams {
            command.arg("--upstream").arg(format!("{name}={url}"));
        }
        let (running, line) = Running::start(&mut command, log)?;
        let ready: Value = serde_json::from_str(&line).context("the monitor's first line")?;
        let token = fs::read_to_string(data.join("token")).context("read the token")?;
        Ok(Self {
            running,
            proxy: address(&ready, "proxy")?,
            ui: address(&ready, "ui")?,
            token: token.trim().to_owned(),
        })
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }

    /// Kills it without a warning.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.running.kill()
    }
}

// === impl Provider ===

impl Provider {
    /// Starts a fake provider.
    pub(crate) fn start(program: &Path, log: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0"]);
        let (running, line) = Running::start(&mut command, log)?;
        let ready: Value = serde_json::from_str(&line).context("the provider's first line")?;
        Ok(Self {
            _running: running,
            address: address(&ready, "addr")?,
        })
    }
}

/// Returns the address under a key, which may hold it as a URL.
fn address(ready: &Value, key: &str) -> Result<SocketAddr> {
    let text = ready[key].as_str().unwrap_or_default();
    let text = text.strip_prefix("http://").unwrap_or(text);
    let text = text.split('/').next().unwrap_or(text);
    text.parse()
        .with_context(|| format!("no address under `{key}` in {ready}"))
}

/// Returns an address on which nothing listens at the moment.
pub(crate) fn free_port() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    listener.local_addr().context("find a free port")
}

fn tail(log: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(log) {
        file.read_to_end(&mut bytes).ok();
    }
    let start = bytes.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned()
}

/// Does some work on a runtime of its own. A signal to stop ends the work early, so that the programs under load
/// end with this one.
pub(crate) fn until_stopped<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            outcome = work => outcome,
            () = stop_asked() => bail!("stopped by a signal"),
            () = tokio::time::sleep(WORK_TIME_MAX) => bail!("not done in time"),
        }
    })
}

#[cfg(unix)]
async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn stop_asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
