//! Deriving rows again: in the background after a start with other rules, and for whoever asks through the API.

use flow_api::{
    ReindexHandle, ReindexOutcome, ReindexProgress, ReindexRefusal, ReindexScope, ReindexTask,
};
use flow_meter::Meter;
use flow_recorder::{DERIVATION, Outcome, Pace, Progress, Reindexer, Scope, StartError, Task};
use flow_store::Store;

/// Returns who derives rows again, by the rules of this program.
pub(crate) fn reindexer(store: &Store, meter: &Meter) -> Reindexer {
    let release = env!("CARGO_PKG_VERSION");
    let stamp = format!("{release} {DERIVATION}, prices {}", meter.stamp());
    Reindexer::new(store.clone(), meter.clone(), stamp)
}

/// Begins to derive rows again where they were made by other rules.
pub(super) fn catch_up(reindexer: &Reindexer) {
    let task = Task {
        scope: Scope::Stale,
        since: None,
        dry_run: false,
        pace: Pace::Background,
    };
    let begun = match reindexer.is_stale() {
        Ok(true) => reindexer.start(task),
        Ok(false) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = begun {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "rows that another release made stay as they are"
        );
    }
}

/// Returns what the API derives rows again with.
pub(super) fn handle(reindexer: &Reindexer) -> ReindexHandle {
    let (starts, shows, stops) = (reindexer.clone(), reindexer.clone(), reindexer.clone());
    ReindexHandle::new(
        move |task| starts.start(asked(task)).map_err(|error| refusal(&error)),
        move || shown(shows.progress()),
        move || drop(stops.cancel()),
    )
}

/// Returns what the API over the files of a stopped monitor does with it: nothing.
pub(super) fn refusing_handle() -> ReindexHandle {
    ReindexHandle::new(
        |_| Err(ReindexRefusal::Unavailable),
        ReindexProgress::default,
        || {},
    )
}

/// Returns how a run goes as the API shows it.
pub(crate) fn shown(progress: Progress) -> ReindexProgress {
    ReindexProgress {
        running: progress.running,
        outcome: progress.outcome.map(|outcome| match outcome {
            Outcome::Finished => ReindexOutcome::Finished,
            Outcome::Cancelled => ReindexOutcome::Cancelled,
            Outcome::Failed => ReindexOutcome::Failed,
        }),
        dry_run: progress.dry_run,
        total: progress.total,
        done: progress.done,
        changed: progress.changed,
        failed: progress.failed,
        kept: progress.kept,
        fields: progress.fields,
    }
}

fn asked(task: ReindexTask) -> Task {
    Task {
        scope: match task.scope {
            ReindexScope::Stale => Scope::Stale,
            ReindexScope::All => Scope::All,
        },
        since: task.since,
        dry_run: task.dry_run,
        pace: Pace::Full,
    }
}

fn refusal(error: &StartError) -> ReindexRefusal {
    match error {
        StartError::Running => ReindexRefusal::Running,
        StartError::Read(_) | StartError::Thread(_) => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "rows cannot be derived again"
            );
            ReindexRefusal::Unavailable
        }
    }
}
