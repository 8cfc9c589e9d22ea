//! What the tests need beyond cargo: npm packages, a Python environment, system packages.
//!
//! Each is installed where it is missing and the user may install it; else one line says what to do. What is
//! installed is remade only when the list that it was made from changes: a copy of that list lies beside it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::out;
use crate::workspace::{Workspace, run, succeeds, which};

/// Names that a Chromium goes by in `PATH`.
const CHROMIUM_NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
/// Where a Chromium lies on systems that do not put it into `PATH`.
const CHROMIUM_PATHS: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];
/// Names the browser to use instead of looking for one.
const CHROMIUM_VARIABLE: &str = "CHROMIUM_PATH";

/// Installs the page's packages where the lock file changed since they were installed.
pub(crate) fn npm_packages(workspace: &Workspace) -> Result<()> {
    let lock = workspace.path("web/package-lock.json");
    ensure!(
        lock.is_file(),
        "web/package-lock.json is missing: the page is part of the project"
    );
    ensure!(
        which("npm").is_some() || cfg!(windows),
        "npm is not installed; install Node 20 or newer with your system's package manager"
    );
    let stamp = workspace.path("web/node_modules/.installed-lock.json");
    if same_bytes(&lock, &stamp) {
        return Ok(());
    }
    // `npm ci` refuses a lock file without the optional packages of every other system, and not every registry
    // serves those; `install` takes the same versions from it. Browsers of Playwright's own are never needed: the
    // tests use the system's Chromium.
    run(npm(workspace)
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .args(["install", "--no-save", "--no-audit", "--no-fund"]))?;
    fs::copy(&lock, &stamp).context("remember which packages are installed")?;
    Ok(())
}

/// Returns an npm command that runs in the page's folder.
pub(crate) fn npm(workspace: &Workspace) -> Command {
    let name = if cfg!(windows) { "npm.cmd" } else { "npm" };
    workspace.command(name, "web")
}

/// Returns the Python of an environment with the packages of `requirements`, made in the build directory.
pub(crate) fn python(workspace: &Workspace, requirements: &Path) -> Result<PathBuf> {
    let folder = workspace.target("venv");
    let stamp = folder.join("installed-requirements.txt");
    let python = folder.join(if cfg!(windows) {
        "Scripts/python.exe"
    } else {
        "bin/python"
    });
    if python.is_file() && same_bytes(requirements, &stamp) {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("remove the old Python environment")?;
    }
    make_environment(&folder)?;
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .arg("--requirement")
        .arg(requirements))?;
    fs::copy(requirements, &stamp).context("remember which packages are installed")?;
    Ok(python)
}

fn make_environment(folder: &Path) -> Result<()> {
    let name = if cfg!(windows) { "python" } else { "python3" };
    if !succeeds(Command::new(name).arg("--version")) {
        system_package("python3")?;
    }
    let mut make = Command::new(name);
    make.args(["-m", "venv"]).arg(folder);
    if succeeds(&mut make) {
        return Ok(());
    }
    // Debian ships the module without its parts.
    system_package("python3-venv")?;
    run(&mut make)
}

/// Returns a Chromium: the one that the environment names, one that is installed, or a new one.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from) {
        ensure!(path.is_file(), "{CHROMIUM_VARIABLE} names no file");
        return Ok(path);
    }
    if let Some(path) = installed_chromium() {
        return Ok(path);
    }
    system_package("chromium")?;
    installed_chromium().context("chromium was installed but is not found")
}

fn installed_chromium() -> Option<PathBuf> {
    let named = CHROMIUM_NAMES.iter().find_map(|name| which(name));
    named.or_else(|| {
        let mut paths = CHROMIUM_PATHS.iter().map(PathBuf::from);
        paths.find(|path| path.is_file())
    })
}

/// Installs a package of Debian or its children where the user may.
pub(crate) fn system_package(name: &str) -> Result<()> {
    let Some(mut install) = apt(["install", "--yes", "--no-install-recommends", name]) else {
        bail!("{name} is not installed, and you may not install it here; install it yourself");
    };
    out::line(format_args!("{name} is missing: installing it"));
    if let Some(mut update) = apt(["update"]) {
        // A stale list may still serve; if not, the install says so.
        succeeds(&mut update);
    }
    run(&mut install).with_context(|| format!("{name} could not be installed; install it yourself"))
}

/// Returns an `apt-get` command; none where there is no `apt-get` or it would ask for a password.
fn apt<const N: usize>(arguments: [&str; N]) -> Option<Command> {
    let program = which("apt-get")?;
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = if root {
        Command::new(program)
    } else {
        succeeds(Command::new("sudo").args(["-n", "true"])).then_some(())?;
        let mut sudo = Command::new("sudo");
        sudo.arg("-n").arg(program);
        sudo
    };
    command
        .args(arguments.map(OsStr::new))
        .env("DEBIAN_FRONTEND", "noninteractive");
    Some(command)
}

fn same_bytes(left: &Path, right: &Path) -> bool {
    match (fs::read(left), fs::read(right)) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}
