//! `flow-monitor run`: starts a command whose calls are recorded.
//!
//! ```text
//! a monitor runs on the data directory? ──yes──► it is used
//!            └──no──► one is started in this process, on free ports, and stopped afterwards
//! recipe ──► variables, arguments ──► child ──► its exit code is ours
//!                                       └──► what was seen of the run, in one line
//! ```
//!
//! The child has the terminal and the three streams. Our own words are few and go to standard error. The base URL
//! carries `/run/{id}/`, by which its calls are told from others'.

mod child;
mod lease;
mod seen;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use crate::Exit;
use crate::args::RunArgs;
use crate::config::{Config, Given};
use crate::instance::{Instance, Place};
use crate::recipes::{Chosen, Plan, Recipes, Surroundings};
use crate::serve::Beside;
use crate::shell::{self, Shell};
use crate::{files, text};
use anyhow::{Context as _, ensure};
use flow_store::{DirError, OpenError};

use self::lease::Lease;
use self::seen::Seen;

/// Characters of a program's name in the id of a run.
const NAME_CHARS_MAX: usize = 24;
/// Characters of a run's name that a user gives.
const RUN_ID_BYTES_MAX: usize = 128;
/// Characters behind a program's name that make a run's id unique.
const SUFFIX_CHARS: usize = 6;
/// Letters and digits that are not taken for one another.
const SUFFIX_ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Where the monitor will listen, for a dry run that starts none.
const FREE_PORT: &str = "127.0.0.1:PORT";
/// Looks at whether another process has started the monitor that this one could not start.
const LOOKS_MAX: u32 = 50;
/// Time between two of them.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The monitor that records a run.
enum Monitor {
    /// Another process runs it; the lease keeps it running.
    Other(Lease),
    /// This process runs it.
    Own(Box<Beside>, Lease),
}

/// Sets what a run needs otherwise than the other commands: free ports, and a quiet log, because the terminal is
/// the child's.
pub(crate) fn prepare(given: &mut Given) {
    let mut settle = |key: &'static str, value: &str| {
        if !given.flags.iter().any(|(flag, _)| *flag == key) {
            given.flags.push((key, value.to_owned()));
        }
    };
    settle("proxy_listen", "127.0.0.1:0");
    settle("ui_listen", "127.0.0.1:0");
    settle("log_level", "error");
}

pub(crate) fn run(config: &Config, args: &RunArgs) -> anyhow::Result<Exit> {
    let recipes = Recipes::load()?;
    let chosen = recipes.choose(&args.command)?;
    let run = match &args.name {
        Some(name) => checked_name(name)?.to_owned(),
        None if chosen.recipe.is_general() => run_id(&program(&args.command))?,
        None => run_id(&chosen.recipe.name)?,
    };
    if args.dry_run {
        return dry_run(config, args, &chosen, &run);
    }
    let (monitor, instance) = find_or_start(config)?;
    let say = |line: &str| {
        if !args.quiet {
            crate::complain(line);
        }
    };
    let ended = record(&instance, args, &chosen, &run, say);
    // The command's own end counts, whatever becomes of the monitor.
    if let Err(error) = monitor.stop(say) {
        crate::complain(&format!("{error:#}"));
    }
    Ok(Exit::Child(ended?))
}

/// Runs the command against a running monitor and tells what was seen. Returns the command's exit code.
fn record(
    instance: &Instance,
    args: &RunArgs,
    chosen: &Chosen<'_>,
    run: &str,
    say: impl Fn(&str),
) -> anyhow::Result<u8> {
    let place = instance.place()?;
    let plan = Plan::new(chosen.recipe, &surroundings(&place, Some(run))?);
    plan.warnings.iter().for_each(|warning| say(warning));
    let page = page(instance, &place);
    say(&format!("recording run {run}, page {page}"));
    let code = child::run(&plan.command(chosen, &args.command), &plan.set)?;
    let seen = match Seen::wait(instance, run) {
        Ok(seen) => seen,
        Err(error) => {
            crate::complain(&format!("what was seen cannot be told: {error:#}"));
            return Ok(code);
        }
    };
    if !seen.is_empty() {
        say(&seen.line(run));
    } else if !child::never_started(code) {
        let program = program(&args.command);
        say(&format!(
            "no call of {program} was seen in run {run}; likely causes:"
        ));
        let causes = chosen.recipe.unseen.iter();
        causes.for_each(|cause| say(&format!("- {cause}")));
    }
    Ok(code)
}

/// Prints what would be done.
fn dry_run(
    config: &Config,
    args: &RunArgs,
    chosen: &Chosen<'_>,
    run: &str,
) -> anyhow::Result<Exit> {
    let place = match Instance::running(config)? {
        Some(instance) => instance.place()?,
        None => Place {
            proxy_url: format!("http://{FREE_PORT}"),
            ..configured_place(config)
        },
    };
    let plan = Plan::new(chosen.recipe, &surroundings(&place, Some(run))?);
    let mut out = std::io::stdout().lock();
    let shell = Shell::Sh;
    writeln!(out, "{}", shell::comment(&chosen.recipe.title()))?;
    for (name, value) in &plan.set {
        writeln!(out, "{}", shell.export(name, value))?;
    }
    let command = plan.command(chosen, &args.command);
    let words: Vec<_> = command
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    writeln!(out, "{}", shell.command(&words))?;
    plan.warnings
        .iter()
        .for_each(|warning| crate::complain(warning));
    Ok(Exit::Success)
}

/// Returns the monitor of the data directory, started here where none runs.
fn find_or_start(config: &Config) -> anyhow::Result<(Monitor, Instance)> {
    flow_store::prepare_dir(&config.data_dir)?;
    let mut looks = 0;
    loop {
        let lease = Lease::take(&config.data_dir).context("the list of runs cannot be kept")?;
        if let Some(instance) = Instance::running(config)? {
            return Ok((Monitor::Other(lease), instance));
        }
        match Beside::start(config.clone()) {
            Ok(own) => {
                let instance = Instance::running(config)?;
                let instance = instance.context("the monitor was started and is not found")?;
                return Ok((Monitor::Own(Box::new(own), lease), instance));
            }
            // Another process has just taken the directory and will say where it listens.
            Err(error) if is_in_use(&error) && looks < LOOKS_MAX => {
                looks += 1;
                std::thread::park_timeout(LOOK_EVERY);
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| {
        matches!(cause.downcast_ref(), Some(DirError::InUse { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(OpenError::Dir(DirError::InUse { .. }))
            )
    })
}

/// Returns where a monitor will listen that does not run yet.
pub(crate) fn configured_place(config: &Config) -> Place {
    Place {
        proxy_url: format!("http://{}", config.text("proxy_listen")),
        ui_url: format!("http://{}", config.text("ui_listen")),
        upstreams: config.upstreams(),
    }
}

/// Returns what a recipe is applied to: this process' environment and the monitor.
pub(crate) fn surroundings(place: &Place, run: Option<&str>) -> anyhow::Result<Surroundings> {
    let run = run.map(checked_name).transpose()?;
    let root = match run {
        Some(run) => format!("{}/run/{run}", place.proxy_url),
        None => place.proxy_url.clone(),
    };
    let texts = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Ok(Surroundings {
        environment: std::env::vars_os()
            .filter_map(texts)
            .collect::<BTreeMap<_, _>>(),
        home: std::env::home_dir(),
        root,
        upstreams: place.upstreams.clone(),
    })
}

/// Returns where to look: a link that signs in, for a person at a terminal only.
fn page(instance: &Instance, place: &Place) -> String {
    let link = || -> Option<String> {
        let answer = instance.post("/api/session/link").ok()?;
        answer.get("url")?.as_str().map(str::to_owned)
    };
    let person = std::io::stderr().is_terminal();
    let link = person.then(link).flatten();
    link.unwrap_or_else(|| place.ui_url.clone())
}

/// Returns a run's name if it can stand in a base URL.
fn checked_name(name: &str) -> anyhow::Result<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = (1..=RUN_ID_BYTES_MAX).contains(&name.len());
    ensure!(
        fits && name.bytes().all(plain) && !matches!(name, "." | ".."),
        "a run's name consists of letters, digits, `-`, `_` and `.`, at most {RUN_ID_BYTES_MAX}"
    );
    Ok(name)
}

/// Returns an id that is new and says which program it was: `claude-7k2m9x`.
fn run_id(program: &str) -> anyhow::Result<String> {
    let random = files::random().context("a run needs an id")?;
    let suffix = random.iter().take(SUFFIX_CHARS).filter_map(|byte| {
        let letter = SUFFIX_ALPHABET.get(usize::from(byte & 31));
        letter.map(|letter| char::from(*letter))
    });
    let name: String = program
        .chars()
        .map(|character| character.to_ascii_lowercase())
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .take(NAME_CHARS_MAX)
        .collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "run" } else { name };
    Ok(format!("{name}-{}", suffix.collect::<String>()))
}

/// Returns a command's name for people.
fn program(command: &[OsString]) -> String {
    let name = command.first().and_then(|word| Path::new(word).file_name());
    let name = name.unwrap_or_default().to_string_lossy();
    text::line(&name, NAME_CHARS_MAX)
}

// === impl Monitor ===

impl Monitor {
    /// Stops the monitor if it is this process' own and no other run uses it any more.
    fn stop(self, say: impl Fn(&str)) -> anyhow::Result<()> {
        match self {
            Self::Other(_lease) => Ok(()),
            Self::Own(own, lease) => {
                let alone = lease.wait_until_alone(|| {
                    say("other runs use this monitor: it goes on until they have ended; Ctrl-C stops it now");
                });
                let stopped = own.stop();
                drop(alone);
                stopped
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_have_short_unique_names() {
        let check = |program: &str, expect: &str| {
            let program = super::program(&[OsString::from(program)]);
            let (one, two) = (run_id(&program).unwrap(), run_id(&program).unwrap());
            assert_ne!(one, two);
            let (name, suffix) = one.rsplit_once('-').unwrap();
            assert_eq!((name, suffix.len()), (expect, SUFFIX_CHARS), "{one}");
            checked_name(&one).unwrap();
        };
        check("/usr/bin/claude", "claude");
        check("My Tool.sh", "mytoolsh");
        check("流", "run");
        check(&"x".repeat(99), &"x".repeat(NAME_CHARS_MAX - 1));
    }

    #[test]
    fn names_that_do_not_fit_into_a_url_are_refused() {
        let check = |name: &str, fits: bool| assert_eq!(checked_name(name).is_ok(), fits, "{name}");
        check("fix-123_a.b", true);
        check("a/b", false);
        check("..", false);
        check("", false);
        check(&"x".repeat(129), false);
    }
}
