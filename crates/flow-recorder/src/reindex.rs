//! Derives the rows of stored flows again, newest first, on a thread of its own.
//!
//! A row is what a codec made of the truth on the day when the flow ended. A better codec or another price table
//! makes another row of the same truth; this puts it in the place of the old one. The truth is only read.
//!
//! What the rows were derived by is noted beside them, as a stamp: the release, [`DERIVATION`], and whatever else
//! the binary derives by. While the noted stamp is another, rows are *stale*.
//!
//! ```text
//! note: another stamp, or none ──► this stamp, page by page ──► this stamp, done
//! ```
//!
//! The note moves on behind each page of rows, once they are committed, so that a kill costs one page. Flows that
//! are recorded meanwhile have rows by the new stamp anyway. A row that comes out as it was is not written.
//!
//! Traffic never waits for it: the recorder's queue is bounded and spills, one page of rows at most waits in the
//! store's, and a run in the background rests three times as long as it works. A flow that is deleted meanwhile
//! stays deleted. A flow with a body over [`READ_BYTES_MAX`], or one that is not stored whole, keeps its row, which
//! was made while the body passed by; so does a flow that cannot be read.

mod mark;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flow_meter::Meter;
use flow_model::{Exchange, Row, Side, Timestamp};
use flow_store::{ListQuery, Page, ReadError, Store, Write};
use parking_lot::{Condvar, Mutex};
use serde_json::Value;

use self::mark::Mark;
use crate::limits::READ_BYTES_MAX;
use crate::recover::read;

/// What rows are derived by, as far as it is in the code. It grows with every change of the codec, the
/// recognisers of clients or the meter that makes other rows of the same flows.
pub const DERIVATION: u32 = 1;

/// Flows after which what was written is committed and the note moves on.
const PAGE_FLOWS: usize = 200;
/// How many times as long as it works a run in the background rests.
const REST_FACTOR: u32 = 3;

/// Which rows are derived again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Those that were derived by another stamp.
    #[default]
    Stale,
    /// All of them.
    All,
}

/// How much of the machine a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A quarter of one processor.
    Background,
    /// One processor.
    Full,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Which rows.
    pub scope: Scope,
    /// Only flows that began then or later; all without it.
    pub since: Option<Timestamp>,
    /// Nothing is written: only counted.
    pub dry_run: bool,
    /// How fast.
    pub pace: Pace,
}

/// How the run goes that is under way, or how the last one went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// A run is under way.
    pub running: bool,
    /// How the last run ended; none while one is under way, and before the first.
    pub outcome: Option<Outcome>,
    /// Nothing is written.
    pub dry_run: bool,
    /// How many flows there are to look at; none where that is not known.
    pub total: Option<u64>,
    /// Flows that were looked at.
    pub done: u64,
    /// Rows that came out otherwise than they were.
    pub changed: u64,
    /// Flows that could not be read.
    pub failed: u64,
    /// Flows that keep their row because a body is too long to be read as a whole, or not stored whole.
    pub kept: u64,
    /// How many rows changed in each member.
    pub fields: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every flow was looked at.
    Finished,
    /// It was told to stop.
    Cancelled,
    /// The store could not be read or written.
    Failed,
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is one under way.
    #[error("rows are being derived again already")]
    Running,
    /// What the rows were derived by cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No thread could be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Runs one task at a time. Clones are the same.
#[derive(Clone)]
pub struct Reindexer {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    meter: Meter,
    stamp: String,
    state: Mutex<State>,
    /// The thread rests here, and those who wait for its end.
    wake: Condvar,
}

#[derive(Default)]
struct State {
    progress: Progress,
    stopping: bool,
    thread: Option<JoinHandle<()>>,
}

/// What became of one flow.
enum Derived {
    Same,
    Changed(Box<Row>, Vec<String>),
    /// A body is too long, or not stored whole.
    Unreadable,
    /// It is gone, or has not ended.
    Nothing,
}

// === impl Reindexer ===

impl Reindexer {
    /// Returns a reindexer of this store. `stamp` names what rows are derived by in this process.
    pub fn new(store: Store, meter: Meter, stamp: String) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                meter,
                stamp,
                state: Mutex::default(),
                wake: Condvar::new(),
            }),
        }
    }

    /// Returns whether rows were derived by another stamp. A store without flows has none that were.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn is_stale(&self) -> Result<bool, ReadError> {
        let inner = &self.inner;
        let mark = Mark::read(&inner.store)?;
        if mark.is_some_and(|mark| mark.is_done(&inner.stamp)) {
            return Ok(false);
        }
        if inner.store.total() > inner.store.in_flight() {
            return Ok(true);
        }
        Mark::done(&inner.stamp).write(&inner.store);
        Ok(false)
    }

    /// Begins a run.
    ///
    /// # Errors
    /// One is under way already, or nothing can be read.
    pub fn start(&self, task: Task) -> Result<(), StartError> {
        let mut state = self.inner.state.lock();
        if state.progress.running {
            return Err(StartError::Running);
        }
        let plan = self.inner.plan(task)?;
        state.progress = Progress {
            running: true,
            dry_run: task.dry_run,
            total: plan.total,
            ..Progress::default()
        };
        state.stopping = false;
        let inner = Arc::clone(&self.inner);
        let builder = thread::Builder::new().name("reindex".to_owned());
        match builder.spawn(move || inner.run(plan)) {
            Ok(thread) => {
                // The thread before it has ended: nothing was running.
                drop(state.thread.replace(thread));
                Ok(())
            }
            Err(error) => {
                state.progress = Progress::default();
                Err(StartError::Thread(error))
            }
        }
    }

    /// Returns how it goes.
    pub fn progress(&self) -> Progress {
        self.inner.state.lock().progress.clone()
    }

    /// Tells the run that is under way to stop, and waits until it has. Returns how far it came.
    pub fn cancel(&self) -> Progress {
        let mut state = self.inner.state.lock();
        state.stopping = true;
        self.inner.wake.notify_all();
        let thread = state.thread.take();
        drop(state);
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that derives rows again has panicked");
        }
        self.progress()
    }

    /// Waits for a change of the progress, `wait_max` at most, and returns it.
    pub fn wait(&self, wait_max: Duration) -> Progress {
        let mut state = self.inner.state.lock();
        if state.progress.running {
            self.inner.wake.wait_for(&mut state, wait_max);
        }
        state.progress.clone()
    }
}

/// A task, with where it begins.
struct Plan {
    task: Task,
    total: Option<u64>,
    cursor: Option<String>,
    /// There is nothing to do.
    empty: bool,
    /// The note follows the run.
    marks: bool,
}

// === impl Inner ===

impl Inner {
    fn plan(&self, task: Task) -> Result<Plan, ReadError> {
        let mark = Mark::read(&self.store)?;
        let done = mark.as_ref().is_some_and(|mark| mark.is_done(&self.stamp));
        let cursor = match task.scope {
            // What a run before this one came to need not be done twice.
            Scope::Stale => mark.and_then(|mark| mark.resume(&self.stamp)),
            Scope::All => None,
        };
        let empty = done && task.scope == Scope::Stale;
        let total = if empty {
            Some(0)
        } else if task.since.is_some() || cursor.is_some() {
            None
        } else {
            Some(self.store.total().saturating_sub(self.store.in_flight()))
        };
        Ok(Plan {
            task,
            total,
            cursor,
            empty,
            marks: !task.dry_run && task.since.is_none() && !done,
        })
    }

    fn run(&self, plan: Plan) {
        if !plan.empty {
            tracing::info!(stamp = self.stamp, "rows are being derived again");
        }
        let outcome = match self.walk(plan) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "rows cannot be derived again"
                );
                Outcome::Failed
            }
        };
        let mut state = self.state.lock();
        state.progress.running = false;
        state.progress.outcome = Some(outcome);
        let Progress {
            done,
            changed,
            failed,
            ..
        } = state.progress;
        drop(state);
        self.wake.notify_all();
        tracing::info!(?outcome, done, changed, failed, "rows were derived again");
    }

    fn walk(&self, plan: Plan) -> Result<Outcome, ReadError> {
        if plan.empty {
            return Ok(Outcome::Finished);
        }
        let mut cursor = plan.cursor;
        loop {
            if plan.marks {
                // From the first page on the rows are no longer those of the stamp before.
                Mark::until(&self.stamp, cursor.clone()).write(&self.store);
            }
            let page = self.page(cursor)?;
            for row in &page.rows {
                if plan.task.since.is_some_and(|since| row.started_at < since) {
                    return Ok(self.settle(Outcome::Finished));
                }
                if !self.flow(row, &plan.task) {
                    return Ok(self.settle(Outcome::Cancelled));
                }
            }
            if self.settle(Outcome::Finished) == Outcome::Failed {
                return Ok(Outcome::Failed);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        if plan.marks {
            Mark::done(&self.stamp).write(&self.store);
        }
        Ok(self.settle(Outcome::Finished))
    }

    fn page(&self, cursor: Option<String>) -> Result<Page, ReadError> {
        let list = |cursor| {
            self.store.list(&ListQuery {
                limit: PAGE_FLOWS,
                cursor,
                ..ListQuery::default()
            })
        };
        let page = match list(cursor.clone()) {
            // Another release notes in another way how far it came: this run begins again.
            Err(ReadError::BadCursor) => return list(None),
            page => page?,
        };
        if !page.partial {
            return Ok(page);
        }
        // Flows that lists lack for the moment are to be derived again too.
        self.store.prepare_lists()?;
        list(cursor)
    }

    /// Waits until what was written is committed. Returns the outcome, or that it could not be.
    fn settle(&self, outcome: Outcome) -> Outcome {
        if self.store.flush() && self.store.health().is_recording() {
            outcome
        } else {
            Outcome::Failed
        }
    }

    /// Derives one row again. Returns false where the run is to stop.
    fn flow(&self, row: &Row, task: &Task) -> bool {
        let begun = Instant::now();
        let derived = self.derive(row);
        let mut state = self.state.lock();
        if state.stopping {
            return false;
        }
        let progress = &mut state.progress;
        match derived {
            Ok(Derived::Nothing) => return true,
            Ok(Derived::Same) => {}
            Ok(Derived::Unreadable) => progress.kept += 1,
            Ok(Derived::Changed(row, fields)) => {
                progress.changed += 1;
                for field in fields {
                    *progress.fields.entry(field).or_default() += 1;
                }
                if !task.dry_run {
                    // The store may wait for room; nobody who asks how it goes is to wait with it.
                    parking_lot::MutexGuard::unlocked(&mut state, || {
                        self.store.write(Write::Row(*row));
                    });
                }
            }
            Err(error) => {
                tracing::warn!(flow = %row.id, %error, "a flow cannot be read again");
                progress.failed += 1;
            }
        }
        state.progress.done += 1;
        if task.pace == Pace::Background && !state.stopping {
            let rest = begun.elapsed() * REST_FACTOR;
            self.wake.wait_for(&mut state, rest);
        }
        !state.stopping
    }

    fn derive(&self, row: &Row) -> Result<Derived, ReadError> {
        let ended = |exchange: &Arc<Exchange>| exchange.end.is_some();
        let Some(exchange) = self.store.exchange(row.id)?.filter(ended) else {
            return Ok(Derived::Nothing);
        };
        for side in [Side::Request, Side::Response] {
            if !self.is_readable(&exchange, side)? {
                return Ok(Derived::Unreadable);
            }
        }
        let reading = read(&self.store, &self.meter, &exchange)?;
        let derived = Row::new(&exchange, &reading);
        Ok(if derived == *row {
            Derived::Same
        } else {
            let fields = differences(row, &derived);
            Derived::Changed(Box::new(derived), fields)
        })
    }

    /// Returns whether a body is stored as the exchange tells, and can be read as a whole.
    fn is_readable(&self, exchange: &Exchange, side: Side) -> Result<bool, ReadError> {
        let bytes = exchange.body(side).bytes;
        if bytes == 0 || bytes > READ_BYTES_MAX as u64 {
            return Ok(bytes == 0);
        }
        let body = self.store.body(exchange.id, side)?;
        Ok(body.is_some_and(|body| body.len() == bytes))
    }
}

/// Returns the members in which two rows differ, as JSON has them.
fn differences(old: &Row, new: &Row) -> Vec<String> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return Vec::new();
    };
    let names = new.keys().filter(|name| old.get(*name) != new.get(*name));
    names.cloned().collect()
}
