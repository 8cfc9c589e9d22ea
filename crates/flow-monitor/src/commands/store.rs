//! `flow-monitor store`: what the files of the record weigh, whether they are sound, and copies of them.
//!
//! A running monitor is asked to do it. Where none runs, stats and check only read the files; the others open them
//! as the monitor would, so that nobody else uses them meanwhile.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use flow_api::{ArchiveTask, BackupTask, CheckTask, Maintenance, StoreJob, StoreTask};
use flow_store::{CheckReport, RepairReport, Store, StoreOptions, Work};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Exit;
use crate::args::StoreCommand;
use crate::config::Config;
use crate::instance::Instance;
use crate::{serve, text};

/// Time between two looks at how it goes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Rows in memory where no monitor runs; nobody lists them.
const RECENT_ROWS_MAX: usize = 1;

/// Runs a command.
pub(crate) fn run(config: &Config, command: StoreCommand) -> anyhow::Result<Exit> {
    let dir = &config.data_dir;
    if !dir.exists() {
        bail!(
            "there is no record in {}: start the monitor once",
            dir.display()
        );
    }
    match command {
        StoreCommand::Stats { json } => {
            let stats = Instance::open(config)?.get("/api/store")?;
            print(json, &stats, |out| print_stats(out, &stats))
        }
        StoreCommand::Check { deep, json } => check(config, deep, json),
        StoreCommand::Repair { dry_run, json } => repair(config, dry_run, json),
        StoreCommand::Compact { json } => {
            let task = work(config, StoreJob::Compact)?;
            print(json, part(&task, "compact"), |out| {
                print_compact(out, &task)
            })?;
            Ok(exit(&task))
        }
        StoreCommand::Backup { to, json } => {
            let to = absolute(&to)?;
            copy(config, StoreJob::Backup(BackupTask { to }), json)
        }
        StoreCommand::Archive {
            before,
            to,
            remove,
            json,
        } => {
            let found = text::before(&before, serve::now());
            let before = found.with_context(|| {
                format!("`{before}` is neither a day, as 2026-11-21, nor an age, as 30d")
            })?;
            let to = absolute(&to)?;
            let task = ArchiveTask { to, before, remove };
            copy(config, StoreJob::Archive(task), json)
        }
    }
}

fn check(config: &Config, deep: bool, json: bool) -> anyhow::Result<Exit> {
    let report = match Instance::running(config)? {
        Some(instance) => {
            let task = through(&instance, &StoreJob::Check(CheckTask { deep }))?;
            part(&task, "check").clone()
        }
        None => {
            let report = watched(|work| flow_store::check_dir(&config.data_dir, deep, work))?;
            serde_json::to_value(report?)?
        }
    };
    print(json, &report, |out| print_check(out, &report))?;
    Ok(if is_sound(&report) {
        Exit::Success
    } else {
        Exit::Failure
    })
}

fn repair(config: &Config, dry_run: bool, json: bool) -> anyhow::Result<Exit> {
    if !dry_run && Instance::running(config)?.is_some() {
        bail!("a monitor runs on this record: stop it first");
    }
    let dir = &config.data_dir;
    let repaired = watched(|work| flow_store::repair(dir, dry_run, serve::now(), work))?;
    let report = repaired?;
    let value = serde_json::to_value(&report)?;
    print(json, &value, |out| print_repair(out, &report, dry_run))?;
    let sound = report
        .left
        .as_ref()
        .map_or_else(|| report.found.is_sound(), CheckReport::is_sound);
    Ok(if sound { Exit::Success } else { Exit::Failure })
}

fn copy(config: &Config, job: StoreJob, json: bool) -> anyhow::Result<Exit> {
    let task = work(config, job)?;
    print(json, part(&task, "copy"), |out| {
        print_copy(out, part(&task, "copy"))
    })?;
    Ok(exit(&task))
}

/// Opens the record of a monitor that does not run.
pub(crate) fn open_alone(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open(StoreOptions {
        dir: Some(config.data_dir.clone()),
        recent_rows_max: RECENT_ROWS_MAX,
        memory_bytes_max: 0,
        compressed: config.switch("storage.compressed"),
        now: serve::now(),
    })?;
    flow_recorder::recover(&store, &config.meter()?)
        .context("what the last run left could not be read")?;
    Ok(store)
}

/// Has the running monitor do it, or does it here. Returns how it ended, which is no failure.
fn work(config: &Config, job: StoreJob) -> anyhow::Result<Value> {
    if let Some(instance) = Instance::running(config)? {
        return through(&instance, &job);
    }
    let store = open_alone(config)?;
    let maintenance = Maintenance::new(store.clone(), serve::now);
    maintenance.start(job)?;
    let mut task = maintenance.task();
    while task.running {
        tell(task.done_bytes, task.total_bytes)?;
        std::thread::park_timeout(LOOK_EVERY);
        task = maintenance.task();
    }
    end_telling()?;
    maintenance.cancel();
    store.close();
    ended(&serde_json::to_value::<StoreTask>(task)?)
}

/// Asks the running monitor and follows it to the end. It goes on where this command is ended.
fn through(instance: &Instance, job: &StoreJob) -> anyhow::Result<Value> {
    let mut task = match job {
        StoreJob::Check(asked) => instance.post_json("/api/store/check", &json!(asked)),
        StoreJob::Compact => instance.post("/api/store/compact"),
        StoreJob::Backup(asked) => instance.post_json("/api/store/backup", &json!(asked)),
        StoreJob::Archive(asked) => instance.post_json("/api/store/archive", &json!(asked)),
    }?;
    while task.get("running").and_then(Value::as_bool) == Some(true) {
        tell(number(&task, "done_bytes"), number(&task, "total_bytes"))?;
        instance.pause(LOOK_EVERY);
        task = instance.get("/api/store/task")?;
    }
    end_telling()?;
    ended(&task)
}

/// Returns a task that came to its end, and says why another one did not.
fn ended(task: &Value) -> anyhow::Result<Value> {
    match task.get("outcome").and_then(Value::as_str) {
        Some("finished") => Ok(task.clone()),
        Some("cancelled") => bail!("it was stopped before its end"),
        _ => {
            let why = task.get("error").and_then(Value::as_str);
            bail!("{}", why.unwrap_or("it broke off: the log says why"))
        }
    }
}

/// Does something that takes long while a person at a terminal sees how it goes.
fn watched<T: Send>(act: impl FnOnce(&Work) -> T + Send) -> anyhow::Result<T> {
    let work = Work::default();
    std::thread::scope(|scope| {
        let (waiting, shared) = (std::thread::current(), &work);
        let acting = scope.spawn(move || {
            let value = act(shared);
            waiting.unpark();
            value
        });
        while !acting.is_finished() {
            tell(work.done_bytes(), work.total_bytes())?;
            std::thread::park_timeout(LOOK_EVERY);
        }
        end_telling()?;
        let value = acting.join();
        value.map_err(|_| anyhow::anyhow!("it broke off: please report it"))
    })
}

/// Returns a path as the monitor understands it, whose working directory is another one.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{} is no path", path.display()))
}

fn part<'a>(task: &'a Value, name: &str) -> &'a Value {
    task.get(name).unwrap_or(&Value::Null)
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// Returns whether a check came to its end and found nothing lost or wrong.
fn is_sound(report: &Value) -> bool {
    let harmless = |finding: &Value| {
        let kind = finding.get("kind").and_then(Value::as_str);
        matches!(kind, Some("leftover" | "foreign"))
    };
    report.get("finished").and_then(Value::as_bool) == Some(true)
        && number(report, "findings_left_out") == 0
        && list(report, "findings").iter().all(harmless)
}

/// Fails where something was hurt, or left undone.
fn exit(task: &Value) -> Exit {
    let parts = ["compact", "copy"];
    let whole = |name: &&str| list(part(task, name), "notices").is_empty();
    if parts.iter().all(whole) {
        Exit::Success
    } else {
        Exit::Failure
    }
}

/// Shows a person at a terminal how it goes.
fn tell(done: u64, total: u64) -> io::Result<()> {
    let mut out = io::stderr().lock();
    if !out.is_terminal() {
        return Ok(());
    }
    write!(out, "\r{} of {} ", text::bytes(done), text::bytes(total))?;
    out.flush()
}

fn end_telling() -> io::Result<()> {
    let mut out = io::stderr().lock();
    if out.is_terminal() {
        write!(out, "\r\x1b[K")?;
    }
    Ok(())
}

fn print(
    json: bool,
    value: &impl Serialize,
    words: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(value)?)?;
    } else {
        words(&mut out)?;
    }
    Ok(Exit::Success)
}

fn print_stats(out: &mut dyn Write, stats: &Value) -> io::Result<()> {
    writeln!(
        out,
        "{:>8} {:<8} {:>9} {:>10} {:>10} {:>10} {:>10}  from, to (UTC)",
        "segment", "state", "flows", "on wire", "stored", "columns", "text"
    )?;
    for segment in list(stats, "segments") {
        let size = |key| text::bytes(number(segment, key));
        let at = |key| {
            let at = segment.get(key).and_then(Value::as_i64);
            at.map_or_else(
                || "-".to_owned(),
                |at| text::instant(flow_model::Timestamp(at)),
            )
        };
        let wire = segment.get("wire_bytes").and_then(Value::as_u64);
        writeln!(
            out,
            "{:>8} {:<8} {:>9} {:>10} {:>10} {:>10} {:>10}  {}, {}",
            number(segment, "number"),
            segment.get("state").and_then(Value::as_str).unwrap_or("?"),
            number(segment, "flows"),
            wire.map_or_else(|| "?".to_owned(), text::bytes),
            size("truth_bytes"),
            size("columns_bytes"),
            size("text_bytes"),
            at("first_at"),
            at("last_at"),
        )?;
    }
    let (wire, stored) = (number(stats, "wire_bytes"), number(stats, "stored_bytes"));
    let share = stored.saturating_mul(1000).checked_div(wire);
    let share = share.map_or_else(String::new, |share| {
        format!(" ({}.{} %)", share / 10, share % 10)
    });
    writeln!(
        out,
        "\n{} flows; {} on the wire, {} on the disk{share}",
        number(stats, "flows"),
        text::bytes(wire),
        text::bytes(stored)
    )?;
    writeln!(
        out,
        "{} pinned, {} being deleted, {} gone of which the sums are kept",
        number(stats, "pinned"),
        number(stats, "being_deleted"),
        number(stats, "summed_up")
    )
}

fn print_check(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    for finding in list(report, "findings") {
        let text = |key| finding.get(key).and_then(Value::as_str);
        let (file, what) = (text("file").unwrap_or("?"), text("what").unwrap_or("?"));
        let flow = text("flow").map_or_else(String::new, |flow| format!("flow {flow}: "));
        writeln!(
            out,
            "{}: {flow}{}",
            text::line(file, 200),
            text::line(what, 400)
        )?;
    }
    let more = number(report, "findings_left_out");
    if more > 0 {
        writeln!(out, "and {more} more")?;
    }
    let verdict = if is_sound(report) {
        "all is sound"
    } else if report.get("finished").and_then(Value::as_bool) == Some(true) {
        "not all is sound; `flow-monitor store repair` puts right what can be"
    } else {
        "it was stopped before its end"
    };
    writeln!(
        out,
        "{} segments, {} flows, {} read: {verdict}",
        number(report, "segments"),
        number(report, "flows"),
        text::bytes(number(report, "bytes"))
    )
}

fn print_repair(out: &mut dyn Write, report: &RepairReport, dry_run: bool) -> io::Result<()> {
    for finding in &report.found.findings {
        writeln!(out, "found: {}", text::line(&finding.to_string(), 400))?;
    }
    for done in &report.done {
        let verb = if dry_run { "would be done" } else { "done" };
        writeln!(out, "{verb}: {}", text::line(done, 400))?;
    }
    let Some(left) = &report.left else {
        let verdict = if report.found.is_sound() {
            "all is sound: there is nothing to repair"
        } else {
            "nothing was changed"
        };
        return writeln!(out, "{verdict}");
    };
    let (kept, lost) = (report.flows_kept, report.flows_lost);
    writeln!(
        out,
        "{kept} flows were brought over from hurt segments, {lost} are lost"
    )?;
    for finding in &left.findings {
        writeln!(out, "left: {}", text::line(&finding.to_string(), 400))?;
    }
    let verdict = if left.is_sound() {
        "all is sound"
    } else {
        "not all is sound"
    };
    writeln!(out, "{verdict} now")
}

fn print_compact(out: &mut dyn Write, task: &Value) -> io::Result<()> {
    let report = part(task, "compact");
    print_notices(out, report)?;
    let (segments, freed) = (number(report, "segments"), number(report, "bytes_freed"));
    writeln!(
        out,
        "{segments} segments became smaller, {} freed",
        text::bytes(freed)
    )
}

fn print_copy(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    print_notices(out, report)?;
    let to = report.get("to").and_then(Value::as_str).unwrap_or("?");
    writeln!(
        out,
        "{} flows in {} segments ({}) copied to {}",
        number(report, "flows"),
        number(report, "segments"),
        text::bytes(number(report, "bytes")),
        text::line(to, 4096)
    )?;
    match number(report, "removed") {
        0 => Ok(()),
        removed => writeln!(out, "{removed} segments removed here"),
    }
}

fn print_notices(out: &mut dyn Write, report: &Value) -> io::Result<()> {
    for notice in list(report, "notices") {
        let notice = notice.as_str().unwrap_or("?");
        writeln!(out, "note: {}", text::line(notice, 400))?;
    }
    Ok(())
}
