//! The tee: one line of JSON for each flow as it ends, in daily files, for people who like `tail -F` and `jq`.
//!
//! It owns the directory of lines and one thread, which follows the store's changes and reads ended flows back.
//! Recording never waits for it: it holds nothing up, and where it cannot follow it skips flows and writes a line
//! that says how many. A disk that is full costs lines, a notice in the health, and nothing else. Lines are copies:
//! the store stays the truth, and what is missing here is there.
//!
//! ```text
//! store ─changes─► follow ─ids─► line (read back) ─► files ─► DIR/tee/2026-11-21.jsonl
//!                                      forget ─► sift ─┘   └► ….jsonl.zst ─► removed
//! ```
//!
//! After a start it goes on behind the last line, with the newest 1,000 flows at most.
//!
//! Limits: 1 MiB of each body (`line`); 2,000 flows a round (`follow`); 256 MiB a file (`files`).

mod day;
mod files;
mod follow;
mod line;
mod sift;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flow_capture::WallClock;
use flow_model::FlowId;
use flow_store::Store;
use parking_lot::{Condvar, Mutex};

use self::day::Day;
use self::files::Files;
use self::follow::Follower;

pub use line::TEE_BODY_BYTES_MAX;

/// Time from a flow's end to its line, at least: what ends together is read together.
const ROUND: Duration = Duration::from_millis(250);
/// Time without news after which the files are looked through for what a new day asks.
const IDLE_TIME_MAX: Duration = Duration::from_mins(10);

/// What a user sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TeeSettings {
    /// Lines are written.
    pub jsonl: bool,
    /// Days for which files are kept beside today's; 0 keeps all.
    pub keep_days: u64,
}

/// Writes ended flows as lines. Clones are the same.
#[derive(Clone)]
pub struct Tee {
    inner: Arc<Inner>,
}

struct Inner {
    signal: Arc<Signal>,
    files: Arc<Mutex<Files>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What wakes the thread. It does not hold the store, whose changes come through it.
#[derive(Default)]
struct Signal {
    /// Changes are of interest, and none has come since the last look.
    listening: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Clone, Copy, Default)]
struct State {
    settings: TeeSettings,
    news: bool,
    stopping: bool,
}

/// The thread's own.
struct Worker {
    store: Store,
    clock: WallClock,
    signal: Arc<Signal>,
    files: Arc<Mutex<Files>>,
    /// The day, and the days that files are kept, by which the files were last looked through.
    tidied: Option<(Day, u64)>,
    failing: bool,
}

// === impl Tee ===

impl Tee {
    /// Starts the thread, which sleeps while nothing is to be written. `dir` is made when it is needed.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(
        store: &Store,
        dir: PathBuf,
        clock: WallClock,
        settings: TeeSettings,
    ) -> io::Result<Self> {
        let signal = Arc::new(Signal::default());
        signal.state.lock().settings = settings;
        let files = Arc::new(Mutex::new(Files::new(dir)));
        let worker = Worker {
            store: store.clone(),
            clock,
            signal: Arc::clone(&signal),
            files: Arc::clone(&files),
            tidied: None,
            failing: false,
        };
        let wakes = Arc::clone(&signal);
        store.on_change(Box::new(move || wakes.changed()));
        let builder = thread::Builder::new().name("tee".to_owned());
        let thread = builder.spawn(move || worker.run())?;
        Ok(Self {
            inner: Arc::new(Inner {
                signal,
                files,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    /// Puts settings in force.
    pub fn set(&self, settings: TeeSettings) {
        self.inner.signal.tell(|state| state.settings = settings);
    }

    /// Removes the lines of flows that have been removed from the store, and returns how many there were. It must
    /// be called after that, or a line could be written in between; it blocks while files are written anew.
    ///
    /// # Errors
    /// A file could not be read or replaced; lines may be left in it.
    pub fn forget(&self, ids: &[FlowId]) -> io::Result<u64> {
        self.inner.files.lock().forget(ids)
    }

    /// Writes the flows that have ended and stops the thread. The store must still be open.
    pub fn stop(&self) {
        self.inner.signal.tell(|state| state.stopping = true);
        let thread = self.inner.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that writes lines has panicked");
        }
    }
}

// === impl Signal ===

impl Signal {
    /// Takes note of a change. Nearly all changes find that one has been noted already.
    fn changed(&self) {
        if self.listening.swap(false, Ordering::AcqRel) {
            self.tell(|state| state.news = true);
        }
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.wake.notify_all();
    }

    /// Waits for something to do and returns what holds then. `before`: the settings that are in force; `due`:
    /// flows wait to be written.
    fn wait(&self, before: TeeSettings, due: bool) -> State {
        let mut state = self.state.lock();
        let same = |state: &mut State| !state.stopping && state.settings == before;
        if !due {
            let quiet = |state: &mut State| same(state) && !state.news;
            self.wake.wait_while_for(&mut state, quiet, IDLE_TIME_MAX);
        }
        if before.jsonl {
            // Changes come in showers: one look sees them all.
            self.wake.wait_while_for(&mut state, same, ROUND);
        }
        // From here on, before the look, every change is news for the next one.
        state.news = false;
        self.listening
            .store(state.settings.jsonl, Ordering::Release);
        *state
    }
}

// === impl Worker ===

impl Worker {
    fn run(mut self) {
        let mut settings = TeeSettings::default();
        let mut follower: Option<Follower> = None;
        loop {
            let due = follower.as_ref().is_some_and(Follower::is_waiting);
            let state = self.signal.wait(settings, due);
            settings = state.settings;
            if !settings.jsonl {
                follower = None;
            } else if follower.is_none() {
                follower = Some(self.begin());
            }
            if let Some(follower) = &mut follower {
                self.round(follower, state.stopping);
            }
            self.tidy(settings.keep_days);
            if state.stopping {
                return;
            }
        }
    }

    fn begin(&mut self) -> Follower {
        let lines = self.files.lock().resume();
        let lines = lines.unwrap_or_else(|error| {
            self.fail(&error);
            Vec::new()
        });
        Follower::begin(&self.store, &lines, (self.clock)())
    }

    fn round(&mut self, follower: &mut Follower, stopping: bool) {
        if stopping {
            // What the recorder has just written is not committed, and a flow's end is told only then.
            self.store.flush();
        }
        for id in follower.round(&self.store, stopping) {
            self.write(follower, id);
        }
        self.write_skipped(follower);
    }

    fn write(&mut self, follower: &mut Follower, id: FlowId) {
        // A flow that is deleted is forgotten either before it is read here, or after its line was written.
        let files = Arc::clone(&self.files);
        let files = files.lock();
        match line::line(&self.store, id) {
            Ok(Some(line)) => {
                if !self.append(&files, &line) {
                    follower.skipped += 1;
                }
            }
            Ok(None) => {}
            Err(error) => follower.lose(id, &error),
        }
    }

    fn write_skipped(&mut self, follower: &mut Follower) {
        if follower.skipped > 0 {
            let line = line::skipped(follower.skipped, (self.clock)());
            let files = Arc::clone(&self.files);
            if self.append(&files.lock(), &line) {
                follower.skipped = 0;
            }
        }
    }

    fn append(&mut self, files: &Files, line: &[u8]) -> bool {
        match files.append(&Day::of((self.clock)()), line) {
            Ok(full) => {
                if full {
                    self.tidied = None;
                }
                if std::mem::take(&mut self.failing) {
                    tracing::info!("lines are being written again");
                }
                true
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    /// Looks through the files where the day or the setting is another than the last time.
    fn tidy(&mut self, keep_days: u64) {
        let now = (self.clock)();
        let by = Some((Day::of(now), keep_days));
        if self.tidied == by {
            return;
        }
        // What fails now is tried again on the next day, or once the next file is full.
        self.tidied = by;
        let tidied = self.files.lock().tidy(now, keep_days);
        if let Err(error) = tidied {
            self.fail(&error);
        }
    }

    /// Says once that the files cannot be used.
    fn fail(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.failing, true) {
            self.store.notice(format!(
                "the lines of flows (`tee.jsonl`) cannot be written: {error}"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
