//! `cargo xtask test`: the steps, their order, and what each of them needs.
//!
//! A step is timed and named. The first failure ends the run, unless `--keep-going` is given; then only the
//! steps that need the failed one are left out. A part of the tree that is not there is a failure, never a
//! silent pass. The last line counts the steps in a form that other tools read.

mod run;

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::out;
use crate::workspace::Workspace;

/// What to run.
#[derive(Args)]
pub(crate) struct Options {
    /// Leaves out what needs a browser, Python or a built page.
    #[arg(long)]
    quick: bool,
    /// Runs this step and what it needs; may be given several times.
    #[arg(long, value_name = "STEP", value_enum)]
    only: Vec<Step>,
    /// Goes on after a failure.
    #[arg(long)]
    keep_going: bool,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Step {
    /// Formatting of the Rust code.
    Fmt,
    /// Rules of the tree.
    Tidy,
    /// Packages of the page.
    WebInstall,
    /// Types of the page.
    WebTypes,
    /// Lints of the page.
    WebLint,
    /// Unit tests of the page.
    WebTest,
    /// The page, built.
    WebBuild,
    /// Lints of the Rust code.
    Clippy,
    /// Programs and tests, built.
    Build,
    /// Tests of the crates.
    Rust,
    /// Files made from the Rust types.
    Generated,
    /// The shared recordings, read and compared with what their vendors' SDKs read.
    Corpus,
    /// The official SDKs through the proxy.
    Sdk,
    /// The page in a browser.
    Page,
    /// A short kill test.
    Kill,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run: an earlier step failed, or this machine lacks what it needs.
    Skipped,
}

/// One step of a run that is over.
struct Ended {
    step: Step,
    outcome: Outcome,
    time: Duration,
}

/// Runs the steps that the options ask for.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut ended: Vec<Ended> = Vec::new();
    for step in plan(options) {
        let blocked = ended.iter().any(|earlier| {
            let needed = step.needs().contains(&earlier.step);
            match earlier.outcome {
                Outcome::Passed => false,
                Outcome::Skipped => needed,
                Outcome::Failed => needed || !options.keep_going,
            }
        });
        let start = Instant::now();
        let outcome = if blocked {
            Outcome::Skipped
        } else {
            one(workspace, step)
        };
        ended.push(Ended {
            step,
            outcome,
            time: start.elapsed(),
        });
    }
    summary(&ended)
}

fn one(workspace: &Workspace, step: Step) -> Outcome {
    out::line(format_args!("\n== {step}"));
    let start = Instant::now();
    let outcome = run::step(workspace, step);
    let seconds = start.elapsed().as_secs_f64();
    match outcome {
        Ok(outcome) => {
            out::line(format_args!("== {step}: {outcome} in {seconds:.1} s"));
            outcome
        }
        Err(error) => {
            out::line(format_args!(
                "== {step}: FAILED after {seconds:.1} s: {error:#}"
            ));
            Outcome::Failed
        }
    }
}

/// Returns the steps to run, each after what it needs.
fn plan(options: &Options) -> Vec<Step> {
    let mut wanted: BTreeSet<Step> = if options.only.is_empty() {
        let all = Step::value_variants().iter().copied();
        all.filter(|step| !options.quick || step.is_quick())
            .collect()
    } else {
        options.only.iter().copied().collect()
    };
    if !options.quick {
        let needs: Vec<Step> = wanted
            .iter()
            .flat_map(|step| step.needs())
            .copied()
            .collect();
        wanted.extend(needs);
    }
    // The order of the variants is the order of the run.
    wanted.into_iter().collect()
}

fn summary(ended: &[Ended]) -> Result<()> {
    out::line("");
    for Ended {
        step,
        outcome,
        time,
    } in ended
    {
        let seconds = time.as_secs_f64();
        out::line(format_args!("{outcome:<8}{seconds:>8.1} s  {step}"));
    }
    let count = |wanted| ended.iter().filter(|one| one.outcome == wanted).count();
    let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
    let line = match count(Outcome::Skipped) {
        0 => format!("{passed} passed, {failed} failed"),
        skipped => format!("{passed} passed, {failed} failed, {skipped} skipped"),
    };
    out::line(format_args!("\n{line}"));
    if let Some(first) = ended.iter().find(|one| one.outcome == Outcome::Failed) {
        bail!(
            "step {step} failed; run it alone with `cargo xtask test --only {step}`",
            step = first.step
        );
    }
    Ok(())
}

// === impl Step ===

impl Step {
    /// Returns every step that must have passed before this one can run.
    const fn needs(self) -> &'static [Self] {
        match self {
            Self::Fmt | Self::Tidy | Self::WebInstall => &[],
            Self::WebTypes | Self::WebLint | Self::WebTest | Self::WebBuild => &[Self::WebInstall],
            Self::Clippy | Self::Build | Self::Rust => &[Self::WebInstall, Self::WebBuild],
            Self::Generated | Self::Corpus | Self::Sdk | Self::Page | Self::Kill => {
                &[Self::WebInstall, Self::WebBuild, Self::Build]
            }
        }
    }

    /// Returns whether the step needs nothing but cargo.
    const fn is_quick(self) -> bool {
        matches!(self, Self::Fmt | Self::Tidy | Self::Clippy | Self::Rust)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.pad(value.as_ref().map_or("hidden", |value| value.get_name()))
    }
}

// === impl Outcome ===

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::Skipped => "skipped",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(quick: bool, only: &[Step], expect: &[Step]) {
        let options = Options {
            quick,
            only: only.to_vec(),
            keep_going: false,
        };
        assert_eq!(plan(&options), expect);
    }

    #[test]
    fn a_step_brings_what_it_needs_before_it() {
        check(
            false,
            &[Step::Page],
            &[Step::WebInstall, Step::WebBuild, Step::Build, Step::Page],
        );
        check(false, &[Step::Fmt], &[Step::Fmt]);
    }

    #[test]
    fn without_options_every_step_runs() {
        check(false, &[], Step::value_variants());
    }

    #[test]
    fn a_quick_run_needs_nothing_but_cargo() {
        let expect = [Step::Fmt, Step::Tidy, Step::Clippy, Step::Rust];
        check(true, &[], &expect);
    }

    #[test]
    fn what_a_step_needs_comes_earlier_and_brings_its_own_needs() {
        for step in Step::value_variants() {
            for need in step.needs() {
                assert!(need < step);
                assert!(need.needs().iter().all(|far| step.needs().contains(far)));
            }
        }
    }
}
