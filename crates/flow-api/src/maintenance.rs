//! Long pieces of work on the store: what is asked for, how it goes, and the one thread that does it.
//!
//! One is under way at a time. What the last one came to is told until the next begins.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use flow_model::Timestamp;
use flow_store::{
    ArchivePlan, BackupError, BackupReport, CheckReport, CompactError, CompactReport, Store, Work,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What of a check is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckTask {
    /// Bodies are rebuilt, and compared with the hash of what was on the wire.
    pub deep: bool,
}

/// Where a backup goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupTask {
    /// A directory of this machine, new or empty, as a path from the root on.
    #[schema(value_type = String)]
    pub to: PathBuf,
}

/// What is archived, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveTask {
    /// A directory of this machine, new or empty, as a path from the root on.
    #[schema(value_type = String)]
    pub to: PathBuf,
    /// Flows that began then or later stay.
    pub before: Timestamp,
    /// Remove here what has been archived.
    #[serde(default)]
    pub remove: bool,
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreJob {
    /// Checks every file and every flow.
    Check(CheckTask),
    /// Gives room back.
    Compact,
    /// Copies all of it.
    Backup(BackupTask),
    /// Copies what is old, and may remove it.
    Archive(ArchiveTask),
}

/// Kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreTaskKind {
    /// Checks every file and every flow.
    Check,
    /// Gives room back.
    Compact,
    /// Copies all of it.
    Backup,
    /// Copies what is old, and may remove it.
    Archive,
}

/// How the work goes that is under way, or how the last one went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoreTask {
    /// What it is; none before the first.
    pub task: Option<StoreTaskKind>,
    /// It is under way.
    pub running: bool,
    /// How it ended; none while it is under way.
    pub outcome: Option<StoreTaskOutcome>,
    /// Bytes of files that there are to read, as far as that is known.
    pub total_bytes: u64,
    /// Bytes of those that were read.
    pub done_bytes: u64,
    /// Why it failed.
    pub error: Option<String>,
    /// What a check found, as far as it came.
    pub check: Option<CheckReport>,
    /// What was given back.
    pub compact: Option<CompactReport>,
    /// What was copied.
    pub copy: Option<BackupReport>,
}

/// How work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreTaskOutcome {
    /// It came to its end.
    Finished,
    /// It was told to stop.
    Cancelled,
    /// It could not be done.
    Failed,
}

/// Why work does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreTaskRefusal {
    /// There is some under way.
    #[error("work on the store is under way already")]
    Running,
    /// No thread could be started.
    #[error("cannot start a thread")]
    Unavailable,
}

/// Who does the work. Clones are the same one.
#[derive(Clone)]
pub struct Maintenance {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    now: fn() -> Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    task: StoreTask,
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

// === impl StoreJob ===

impl StoreJob {
    const fn kind(&self) -> StoreTaskKind {
        match self {
            Self::Check(_) => StoreTaskKind::Check,
            Self::Compact => StoreTaskKind::Compact,
            Self::Backup(_) => StoreTaskKind::Backup,
            Self::Archive(_) => StoreTaskKind::Archive,
        }
    }
}

// === impl Maintenance ===

impl Maintenance {
    /// Returns who works on this store. It has to be stopped before the store is closed.
    pub fn new(store: Store, now: fn() -> Timestamp) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                now,
                state: Mutex::default(),
            }),
        }
    }

    /// Begins to work.
    pub fn start(&self, job: StoreJob) -> Result<(), StoreTaskRefusal> {
        let mut state = self.inner.state.lock();
        if state.task.running {
            return Err(StoreTaskRefusal::Running);
        }
        let work = Arc::new(Work::default());
        let (inner, done) = (Arc::clone(&self.inner), Arc::clone(&work));
        let task = StoreTask {
            task: Some(job.kind()),
            running: true,
            ..StoreTask::default()
        };
        let builder = thread::Builder::new().name("store-task".to_owned());
        let thread = builder.spawn(move || inner.run(&job, &done));
        let thread = thread.map_err(|error| {
            tracing::error!(%error, "a thread for work on the store cannot be started");
            StoreTaskRefusal::Unavailable
        })?;
        *state = State {
            task,
            work,
            thread: Some(thread),
        };
        Ok(())
    }

    /// Returns how it goes.
    pub fn task(&self) -> StoreTask {
        let state = self.inner.state.lock();
        StoreTask {
            total_bytes: state.work.total_bytes(),
            done_bytes: state.work.done_bytes(),
            ..state.task.clone()
        }
    }

    /// Tells the work that is under way to stop, and waits until it has.
    pub fn cancel(&self) {
        let mut state = self.inner.state.lock();
        state.work.cancel();
        let thread = state.thread.take();
        drop(state);
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that works on the store has panicked");
        }
    }
}

impl fmt::Debug for Maintenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maintenance").finish_non_exhaustive()
    }
}

// === impl Inner ===

impl Inner {
    fn run(&self, job: &StoreJob, work: &Work) {
        let mut task = StoreTask {
            task: Some(job.kind()),
            ..StoreTask::default()
        };
        let done = match job {
            StoreJob::Check(asked) => {
                let checked = self.store.check(asked.deep, work);
                checked
                    .map(|report| task.check = Some(report))
                    .map_err(failed)
            }
            StoreJob::Compact => match self.store.compact(work) {
                Err(CompactError::Cancelled) => Ok(()),
                compacted => compacted
                    .map(|report| task.compact = Some(report))
                    .map_err(failed),
            },
            StoreJob::Backup(asked) => copied(self.store.backup(&asked.to, work), &mut task),
            StoreJob::Archive(asked) => {
                let plan = ArchivePlan {
                    before: asked.before,
                    remove: asked.remove,
                    now: (self.now)(),
                };
                copied(self.store.archive(&asked.to, plan, work), &mut task)
            }
        };
        let whole = task.check.as_ref().is_none_or(|report| report.finished)
            && (task.check.is_some() || task.compact.is_some() || task.copy.is_some());
        task.outcome = Some(match &done {
            Err(_) => StoreTaskOutcome::Failed,
            Ok(()) if whole => StoreTaskOutcome::Finished,
            Ok(()) => StoreTaskOutcome::Cancelled,
        });
        if let Err(error) = done {
            tracing::error!(%error, "work on the store came to nothing");
            task.error = Some(error);
        }
        self.state.lock().task = task;
    }
}

fn copied(copied: Result<BackupReport, BackupError>, task: &mut StoreTask) -> Result<(), String> {
    match copied {
        Err(BackupError::Cancelled) => Ok(()),
        copied => copied
            .map(|report| task.copy = Some(report))
            .map_err(failed),
    }
}

/// Returns an error in words, with what caused it: whoever asked named the directory and has to know.
fn failed(error: impl std::error::Error + 'static) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    told
}
