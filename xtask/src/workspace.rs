//! Where the project lies, and how its tools are run in it.
//!
//! Every child process has a time limit, so that a test that hangs ends as a failure with a name.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::out;

/// How long one command may run; a cold build of everything takes about half of it.
const COMMAND_TIME_MAX: Duration = Duration::from_mins(30);
/// How often a running command is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Tells the compiler where the built page is; read while flow-monitor is compiled.
const WEB_DIST_VARIABLE: &str = "FLOW_MONITOR_WEB_DIST";

/// The project's tree and its build directory.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    metadata: Value,
}

/// How binaries are built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quick to build, with checks.
    Dev,
    /// As users run it.
    Release,
}

// === impl Workspace ===

impl Workspace {
    /// Asks cargo where the project and its build directory are.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let manifest = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => Path::new(&folder).join("Cargo.toml"),
            None => manifest,
        };
        let output = stdout_of(
            Command::new(cargo())
                .args(["metadata", "--no-deps", "--format-version=1"])
                .arg("--manifest-path")
                .arg(manifest),
        )?;
        let metadata: Value =
            serde_json::from_slice(&output).context("read the answer of cargo metadata")?;
        let folder = |key: &str| {
            metadata[key]
                .as_str()
                .map(PathBuf::from)
                .with_context(|| format!("cargo metadata names no {key}"))
        };
        Ok(Self {
            root: folder("workspace_root")?,
            target: folder("target_directory")?,
            metadata,
        })
    }

    /// Returns the path of something in the tree.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Returns the path of something in the build directory.
    pub(crate) fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }

    /// Returns what `cargo metadata` says of the crates here.
    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }

    /// Returns the path of a built program.
    pub(crate) fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.target(folder)
            .join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Returns a command that runs in a folder of the tree.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(folder)).stdin(Stdio::null());
        command
    }

    /// Returns a cargo command. All of them get the same folder of the built page, or each would undo the
    /// other's build; where it is not built, none get one.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = self.command(cargo(), ".");
        let dist = self.path("web/dist");
        if dist.join("index.html").is_file() {
            command.env(WEB_DIST_VARIABLE, dist);
        }
        command
    }

    /// Builds programs of the project.
    pub(crate) fn build(&self, profile: Profile, packages: &[&str]) -> Result<()> {
        let mut command = self.cargo();
        command.arg("build");
        if profile == Profile::Release {
            command.arg("--release");
        }
        for package in packages {
            command.args(["--package", package]);
        }
        run(command.arg("--bins"))
    }
}

/// Runs a command to its end, with its output shown, and fails when it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    out::line(format_args!("$ {name}"));
    let mut child = command.spawn().with_context(|| format!("start `{name}`"))?;
    let Some(status) = wait(&mut child, COMMAND_TIME_MAX)? else {
        child.kill().ok();
        child.wait().ok();
        let minutes = COMMAND_TIME_MAX.as_secs() / 60;
        bail!("`{name}` did not end within {minutes} minutes");
    };
    ensure!(status.success(), "`{name}` failed ({status})");
    Ok(())
}

/// Runs a command silently and returns what it printed.
pub(crate) fn stdout_of(command: &mut Command) -> Result<Vec<u8>> {
    let name = describe(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("start `{name}`"))?;
    ensure!(
        output.status.success(),
        "`{name}` failed ({})",
        output.status
    );
    Ok(output.stdout)
}

/// Returns whether a command can be started and ends well; its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Waits for a child's end; none when the limit passed first.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("wait for a child process")? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            return Ok(None);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the standard library has no wait with a limit, so the child is polled"
        )]
        thread::sleep(POLL_INTERVAL);
    }
}

/// Returns where a program of this name is found in `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

/// Returns whether this run is one of CI, where nothing may be left out.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
}

fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Returns a command as a person would type it, with the program's name alone.
fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut line = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}
