//! What each step does.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Outcome, Step};
use crate::install::{self, npm};
use crate::workspace::{Profile, Workspace, in_ci, run, succeeds};
use crate::{codegen, kill, out, tidy};

/// Folder of the SDK tests.
const SDK_TESTS: &str = "tests/sdk";
/// Names the folder of the shared recordings.
const CORPUS_VARIABLE: &str = "FLOW_MONITOR_CORPUS";
/// Readings that may disagree, because what they are compared with is wrong: DESIGN.md has the proofs.
const ROWS_ODD_MAX: u64 = 3;
/// Names the programs under test to the SDK and page tests.
const MONITOR_VARIABLE: &str = "MONITOR_BIN";
/// Names the fake provider to the SDK and page tests.
const PROVIDER_VARIABLE: &str = "FAKE_PROVIDER_BIN";

/// Runs one step. Only the page tests may be left out, and only outside CI.
pub(super) fn step(workspace: &Workspace, step: Step) -> Result<Outcome> {
    let outcome = match step {
        Step::Fmt => run(workspace.cargo().args(["fmt", "--all", "--check"])),
        Step::Tidy => tidy::run(workspace),
        Step::WebInstall => install::npm_packages(workspace),
        Step::WebTypes => script(workspace, "typecheck"),
        Step::WebLint => script(workspace, "lint"),
        Step::WebTest => script(workspace, "test"),
        Step::WebBuild => script(workspace, "build"),
        Step::Clippy => clippy(workspace),
        Step::Build => build(workspace),
        Step::Rust => rust(workspace),
        Step::Generated => codegen::check(workspace),
        Step::Corpus => corpus(workspace),
        Step::Sdk => sdk(workspace),
        Step::Page => return page(workspace),
        Step::Kill => kill::run(workspace, &kill::Options::short()),
    };
    outcome.map(|()| Outcome::Passed)
}

/// Runs a script of the page's package; one that is missing fails.
fn script(workspace: &Workspace, name: &str) -> Result<()> {
    run(npm(workspace).args(["run", name]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    run(workspace
        .cargo()
        .args(["clippy", "--workspace", "--all-targets", "--quiet"])
        .args(["--", "--deny", "warnings"]))
}

/// Builds programs and tests at once, so that each crate is compiled in one form. This tool itself is left out:
/// a running program cannot be replaced on every system.
fn build(workspace: &Workspace) -> Result<()> {
    run(workspace.cargo().args([
        "build",
        "--workspace",
        "--exclude",
        "xtask",
        "--all-targets",
    ]))
}

fn rust(workspace: &Workspace) -> Result<()> {
    if succeeds(workspace.cargo().args(["nextest", "--version"])) {
        run(workspace
            .cargo()
            .args(["nextest", "run", "--workspace", "--no-fail-fast"]))
    } else {
        run(workspace
            .cargo()
            .args(["test", "--workspace", "--all-targets", "--no-fail-fast"]))
    }
}

/// Reads the shared recordings where [`CORPUS_VARIABLE`] names them; without them there is nothing to compare.
fn corpus(workspace: &Workspace) -> Result<()> {
    let Some(folder) = std::env::var_os(CORPUS_VARIABLE).map(PathBuf::from) else {
        out::line(format_args!(
            "{CORPUS_VARIABLE} is not set: nothing to compare"
        ));
        return Ok(());
    };
    let readings = workspace.target("corpus-readings.jsonl");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("{} cannot be listed", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "jsonl"));
    files.sort();
    let mut read = Command::new(workspace.binary(Profile::Dev, "flow-monitor"));
    read.arg("read")
        .args(&files)
        .stdout(std::fs::File::create(&readings)?);
    run(&mut read)?;
    let mut compare = Command::new("python3");
    compare.arg(folder.join("compare.py")).arg(&readings);
    let told = compare
        .output()
        .context("the recordings' compare.py cannot be run")?;
    let told = String::from_utf8_lossy(&told.stdout);
    out::line(&*told);
    let odd = disagreeing(&told).context("compare.py did not say how many readings agree")?;
    ensure!(
        odd <= ROWS_ODD_MAX,
        "{odd} readings disagree; DESIGN.md explains {ROWS_ODD_MAX}"
    );
    Ok(())
}

/// Returns how many readings disagree, from the last line of `compare.py`: `2526 of 2529 readings agree …`.
fn disagreeing(told: &str) -> Option<u64> {
    let mut words = told.lines().last()?.split(' ');
    let agree: u64 = words.next()?.parse().ok()?;
    let all: u64 = words.nth(1)?.parse().ok()?;
    all.checked_sub(agree)
}

fn sdk(workspace: &Workspace) -> Result<()> {
    let requirements = workspace.path(SDK_TESTS).join("requirements.txt");
    ensure!(
        requirements.is_file(),
        "{SDK_TESTS}/requirements.txt is missing: the SDK tests are part of the project"
    );
    let python = install::python(workspace, &requirements)?;
    run(workspace
        .command(python, ".")
        .args(["-m", "pytest", "-p", "no:cacheprovider", SDK_TESTS])
        .env(
            MONITOR_VARIABLE,
            workspace.binary(Profile::Dev, "flow-monitor"),
        )
        .env(
            PROVIDER_VARIABLE,
            workspace.binary(Profile::Dev, "fake-provider"),
        )
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

fn page(workspace: &Workspace) -> Result<Outcome> {
    ensure!(
        Path::new(&workspace.path("web/e2e")).is_dir(),
        "web/e2e is missing: the page tests are part of the project"
    );
    let chromium = match install::chromium() {
        Ok(path) => path,
        Err(error) if !in_ci() => {
            out::line(format_args!("WARNING: page tests NOT RUN: {error:#}"));
            return Ok(Outcome::Skipped);
        }
        Err(error) => return Err(error).context("the page tests need a browser"),
    };
    run(npm(workspace)
        .args(["run", "e2e"])
        .env(
            MONITOR_VARIABLE,
            workspace.binary(Profile::Dev, "flow-monitor"),
        )
        .env(
            PROVIDER_VARIABLE,
            workspace.binary(Profile::Dev, "fake-provider"),
        )
        .env("CHROMIUM_PATH", chromium))?;
    Ok(Outcome::Passed)
}
