//! `flows delete`, `flows pin` and `flows unpin`: through the running monitor or, where none runs, on its files.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use flow_model::FlowId;
use flow_query::Filter;
use flow_recorder::{Tee, TeeSettings};
use flow_store::{Deletion, Store, Which};
use serde_json::{Value, json};

use crate::Exit;
use crate::args::DeleteArgs;
use crate::commands::store::open_alone;
use crate::config::Config;
use crate::instance::Instance;
use crate::serve;
use crate::text;

/// Longest time until nothing of what was deleted is in any file.
const SETTLE_TIME_MAX: Duration = Duration::from_mins(30);

/// Who deletes.
enum Place {
    Running(Instance),
    Alone(Store),
}

pub(super) fn delete(config: &Config, args: &DeleteArgs) -> anyhow::Result<Exit> {
    let mut what = what(args)?;
    let place = Place::find(config)?;
    let would = place.delete(config, &what, true)?;
    let number = |answer: &Value, name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    let flows = number(&would, "flows");
    let sum = |answer: &Value| {
        let kept = match number(answer, "kept_pinned") {
            0 => String::new(),
            kept => format!(", {kept} pinned ones stay"),
        };
        let bytes = text::bytes(number(answer, "bytes"));
        format!("{} flows, {bytes} of bodies{kept}", number(answer, "flows"))
    };
    if args.dry_run || flows == 0 {
        print(args.json, &would, &format!("would delete {}", sum(&would)))?;
        return Ok(Exit::Success);
    }
    if !args.yes && !agreed(&sum(&would))? {
        crate::complain("nothing was deleted");
        return Ok(Exit::Failure);
    }
    if let Some(what) = what.as_object_mut() {
        what.insert("wait".to_owned(), json!(true));
    }
    let deleted = place.delete(config, &what, false)?;
    print(args.json, &deleted, &format!("deleted {}", sum(&deleted)))?;
    let pending = number(&deleted, "pending");
    ensure!(
        pending == 0,
        "{pending} flows are shown no more, but something of them is still in files; it is removed as soon as that can be done"
    );
    Ok(Exit::Success)
}

pub(super) fn pin(config: &Config, ids: &[String], pinned: bool) -> anyhow::Result<Exit> {
    let place = Place::find(config)?;
    for id in ids {
        let id = flow(id)?;
        match &place {
            Place::Running(instance) => instance.pin(&id.to_string(), pinned)?,
            Place::Alone(store) => ensure!(store.pin(id, pinned)?, "there is no flow `{id}`"),
        }
    }
    place.close();
    Ok(Exit::Success)
}

// === impl Place ===

impl Place {
    fn find(config: &Config) -> anyhow::Result<Self> {
        Ok(match Instance::running(config)? {
            Some(instance) => Self::Running(instance),
            None => Self::Alone(open_alone(config)?),
        })
    }

    fn delete(&self, config: &Config, what: &Value, dry_run: bool) -> anyhow::Result<Value> {
        let mut what = what.clone();
        if let Some(what) = what.as_object_mut() {
            what.insert("dry_run".to_owned(), json!(dry_run));
        }
        match self {
            Self::Running(instance) => instance.delete_json("/api/flows", &what),
            Self::Alone(store) => alone(config, store, &what, dry_run),
        }
    }

    fn close(&self) {
        if let Self::Alone(store) = self {
            store.close();
        }
    }
}

/// Deletes in the files of a monitor that does not run.
fn alone(config: &Config, store: &Store, what: &Value, dry_run: bool) -> anyhow::Result<Value> {
    let ids: Vec<FlowId> = match what.get("ids") {
        Some(ids) => serde_json::from_value(ids.clone())?,
        None => Vec::new(),
    };
    let filter = match what.get("filter") {
        Some(tree) => Some(checked(tree)?),
        None => None,
    };
    let before = what.get("before").and_then(Value::as_i64);
    let which = match (&filter, before) {
        (Some(filter), _) => Which::Matching(filter),
        (None, Some(before)) => Which::Before(flow_model::Timestamp(before)),
        (None, None) => Which::Ids(&ids),
    };
    let pinned = what.get("pinned").and_then(Value::as_bool) == Some(true);
    let deleted = store.delete(&Deletion {
        which,
        pinned,
        dry_run,
    })?;
    if !dry_run {
        let lines = Tee::start(
            store,
            config.data_dir.join(serve::TEE_DIR),
            std::sync::Arc::new(serve::now),
            TeeSettings::default(),
        )?;
        lines.forget(&deleted.ids)?;
        lines.stop();
        store.settle_deletions(SETTLE_TIME_MAX);
    }
    Ok(json!({
        "flows": deleted.flows,
        "bytes": deleted.bytes,
        "kept_pinned": deleted.kept_pinned,
        "dry_run": dry_run,
        "pending": store.health().flows_being_deleted,
    }))
}

fn checked(tree: &Value) -> anyhow::Result<flow_query::Checked> {
    Filter::from(tree.clone()).check().map_err(|errors| {
        let messages: Vec<_> = errors.iter().map(|error| error.message.clone()).collect();
        anyhow::anyhow!("the filter makes no sense: {}", messages.join("; "))
    })
}

/// Returns what is to be deleted as the API takes it.
fn what(args: &DeleteArgs) -> anyhow::Result<Value> {
    let ways = [
        !args.ids.is_empty(),
        args.filter.is_some(),
        args.before.is_some(),
    ];
    ensure!(
        ways.into_iter().filter(|way| *way).count() == 1,
        "say which flows by their ids, or by one of --filter and --before"
    );
    let mut what = json!({ "pinned": args.pinned });
    let (name, value) = if let Some(filter) = &args.filter {
        let tree: Value = serde_json::from_str(filter).context("the filter is no JSON")?;
        ("filter", tree)
    } else if let Some(before) = &args.before {
        let Some(instant) = text::before(before, serve::now()) else {
            bail!("`{before}` is neither a day such as 2026-11-21 nor an age such as 30d");
        };
        ("before", json!(instant))
    } else {
        let ids = args.ids.iter().map(|id| flow(id));
        ("ids", json!(ids.collect::<anyhow::Result<Vec<_>>>()?))
    };
    if let Some(what) = what.as_object_mut() {
        what.insert(name.to_owned(), value);
    }
    Ok(what)
}

fn flow(id: &str) -> anyhow::Result<FlowId> {
    id.parse()
        .ok()
        .with_context(|| format!("`{id}` is no id of a flow; `flows list` shows them"))
}

/// Asks the person at the terminal. Where there is none, nobody has agreed.
fn agreed(what: &str) -> anyhow::Result<bool> {
    ensure!(
        io::stdin().is_terminal(),
        "this would delete {what}; give --yes to do it"
    );
    let mut err = io::stderr().lock();
    write!(err, "delete {what}? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn print(json: bool, answer: &Value, line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{answer}")
    } else {
        writeln!(out, "{line}")
    }
}
