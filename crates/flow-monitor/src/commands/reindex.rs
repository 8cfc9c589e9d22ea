//! `flow-monitor reindex`: the rows of recorded flows, derived again.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::{Context as _, bail};
use flow_recorder::{Pace, Scope, Task};
use flow_store::{Store, StoreOptions};
use http::StatusCode;
use serde_json::{Value, json};

use crate::Exit;
use crate::args::ReindexArgs;
use crate::config::Config;
use crate::instance::{Instance, Refused};
use crate::serve;

/// Time between two looks at how it goes.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Rows in memory where no monitor runs; nobody lists them.
const RECENT_ROWS_MAX: usize = 1;

/// Derives rows again, through the running monitor or, where none runs, in its files.
pub(crate) fn run(config: &Config, args: ReindexArgs) -> anyhow::Result<Exit> {
    let progress = match Instance::running(config)? {
        Some(instance) => through(&instance, args)?,
        None => in_files(config, args)?,
    };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{progress}")?;
    } else {
        summary(&mut out, &progress)?;
    }
    let finished = progress.get("outcome").and_then(Value::as_str) == Some("finished");
    Ok(if finished {
        Exit::Success
    } else {
        Exit::Failure
    })
}

/// Asks the running monitor and follows it to the end. It goes on where this command is ended.
fn through(instance: &Instance, args: ReindexArgs) -> anyhow::Result<Value> {
    let task = json!({
        "scope": if args.all { "all" } else { "stale" },
        "dry_run": args.dry_run,
    });
    let mut progress = match instance.post_json("/api/reindex", &task) {
        // After a start by other rules the monitor does just that by itself.
        Err(error) if !args.all && !args.dry_run && is_conflict(&error) => {
            instance.get("/api/reindex")?
        }
        begun => begun?,
    };
    while is_running(&progress) {
        tell(&progress)?;
        instance.pause(LOOK_EVERY);
        progress = instance.get("/api/reindex")?;
    }
    end_telling()?;
    Ok(progress)
}

/// Does it here. A dry run only reads.
fn in_files(config: &Config, args: ReindexArgs) -> anyhow::Result<Value> {
    let dir = &config.data_dir;
    if !dir.exists() {
        bail!(
            "there is no record in {}: start the monitor once",
            dir.display()
        );
    }
    let meter = config.meter()?;
    let store = if args.dry_run {
        Store::open_read_only(dir)?
    } else {
        let store = Store::open(StoreOptions {
            dir: Some(dir.clone()),
            recent_rows_max: RECENT_ROWS_MAX,
            memory_bytes_max: 0,
            compressed: config.switch("storage.compressed"),
            now: serve::now(),
        })?;
        flow_recorder::recover(&store, &meter)
            .context("what the last run left could not be read")?;
        store
    };
    let reindexer = serve::reindexer(&store, &meter);
    reindexer.start(Task {
        scope: if args.all { Scope::All } else { Scope::Stale },
        since: None,
        dry_run: args.dry_run,
        pace: Pace::Full,
    })?;
    let mut progress = reindexer.progress();
    while progress.running {
        tell(&serde_json::to_value(serve::shown(progress))?)?;
        progress = reindexer.wait(LOOK_EVERY);
    }
    end_telling()?;
    store.close();
    Ok(serde_json::to_value(serve::shown(progress))?)
}

fn is_conflict(error: &anyhow::Error) -> bool {
    let refused = error.downcast_ref::<Refused>();
    refused.is_some_and(|refused| refused.status == StatusCode::CONFLICT)
}

fn is_running(progress: &Value) -> bool {
    progress.get("running").and_then(Value::as_bool) == Some(true)
}

fn number(progress: &Value, key: &str) -> u64 {
    progress.get(key).and_then(Value::as_u64).unwrap_or(0)
}

/// Shows a person at a terminal how it goes.
fn tell(progress: &Value) -> io::Result<()> {
    let mut out = io::stderr().lock();
    if !out.is_terminal() {
        return Ok(());
    }
    let (done, changed) = (number(progress, "done"), number(progress, "changed"));
    let total = progress.get("total").and_then(Value::as_u64);
    let of = total
        .map(|total| format!(" of {total}"))
        .unwrap_or_default();
    write!(out, "\r{done}{of} flows read, {changed} rows changed ")?;
    out.flush()
}

fn end_telling() -> io::Result<()> {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        write!(out, "\r\x1b[K")?;
    }
    Ok(())
}

fn summary(out: &mut impl Write, progress: &Value) -> io::Result<()> {
    let (done, changed) = (number(progress, "done"), number(progress, "changed"));
    let dry = progress.get("dry_run").and_then(Value::as_bool) == Some(true);
    let verb = if dry { "would change" } else { "changed" };
    writeln!(out, "{done} flows read, {changed} rows {verb}")?;
    let fields = progress.get("fields").and_then(Value::as_object);
    for (field, count) in fields.into_iter().flatten() {
        writeln!(out, "  {field:<16} {count}")?;
    }
    let (failed, kept) = (number(progress, "failed"), number(progress, "kept"));
    if failed > 0 {
        writeln!(out, "{failed} flows could not be read and keep their rows")?;
    }
    if kept > 0 {
        writeln!(
            out,
            "{kept} flows are too long to be read again and keep their rows"
        )?;
    }
    match progress.get("outcome").and_then(Value::as_str) {
        Some("cancelled") => writeln!(out, "it was stopped before its end"),
        Some("failed") => writeln!(out, "it broke off: the log says why"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(progress: &Value, expect: &str) {
        let mut out = Vec::new();
        summary(&mut out, progress).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn a_summary_names_what_changed() {
        check(
            &json!({"done": 3, "changed": 2, "fields": {"tokens": 2, "cost": 1}, "outcome": "finished"}),
            "3 flows read, 2 rows changed\n  tokens           2\n  cost             1\n",
        );
        check(
            &json!({"dry_run": true, "done": 3, "changed": 0, "failed": 1, "kept": 1, "outcome": "cancelled"}),
            "3 flows read, 0 rows would change\n1 flows could not be read and keep their rows\n\
             1 flows are too long to be read again and keep their rows\nit was stopped before its end\n",
        );
    }
}
