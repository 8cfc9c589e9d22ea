//! The columns of one segment as they stand at the moment, and how they change.
//!
//! ```text
//! Missing ──(somebody asks)──► Building ──► Live ──(written to a file)──► File ◄──► File with late rows
//!    ▲                                       │                              │
//!    └──(much was removed)───────────────────┴──────(damaged, of another version)
//! ```
//!
//! Columns are derived: whoever finds them missing makes them from the segment's rows, one at a time. What the writer
//! sets or removes meanwhile is kept and done again behind what was read. A file does not change: rows that come
//! late stand beside it in columns of their own and hide those of the file.

use std::path::Path;
use std::sync::Arc;

use flow_model::Row;
use parking_lot::{Mutex, MutexGuard};

use crate::columns::{Bitmap, ColumnFile, LiveColumns, NameCache, Source, View};

/// Rows that are removed from columns in memory before these are made again: names of removed rows stay in them.
const REMOVED_ROWS_MAX: usize = 131_072;

/// The columns of one segment.
#[derive(Debug)]
pub(crate) struct Sheet {
    /// Changed with a moment's lock, under which no other is taken.
    state: Mutex<State>,
    /// Held while columns are made or written.
    turn: Mutex<()>,
}

#[derive(Debug)]
enum State {
    Missing,
    /// What has been set, or removed, since the first row was read.
    Building(Vec<(i64, Option<Arc<Row>>)>),
    Live {
        columns: Box<LiveColumns>,
        removed: usize,
    },
    File {
        file: Arc<ColumnFile>,
        late: Option<Box<Late>>,
    },
}

/// What came to a segment after its file was written.
#[derive(Debug, Default)]
struct Late {
    columns: LiveColumns,
    /// Flows that are not in the file any more, or not as they are there.
    hidden: Arc<Bitmap>,
}

/// One source of a segment's columns, at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) source: Source,
    /// Flows that are elsewhere, or gone.
    pub(crate) hidden: Option<Arc<Bitmap>>,
}

/// What is to be written to a file.
#[derive(Debug)]
pub(crate) enum Content {
    /// There is a file, and it is right.
    Written,
    Columns(View),
    /// There is nothing that is complete: the rows have to be read.
    Rows,
}

/// The right to make or to write a segment's columns.
pub(crate) type Turn<'a> = MutexGuard<'a, ()>;

// === impl Sheet ===

impl Sheet {
    fn new(state: State) -> Self {
        Self {
            state: Mutex::new(state),
            turn: Mutex::default(),
        }
    }

    /// Returns the columns of a segment without rows.
    pub(crate) fn empty() -> Self {
        Self::new(State::live(LiveColumns::new()))
    }

    /// Returns columns that are made when somebody asks for them.
    pub(crate) fn missing() -> Self {
        Self::new(State::Missing)
    }

    /// Returns the columns in a file; missing ones where it cannot be used.
    pub(crate) fn open(path: &Path, cache: &Arc<NameCache>) -> Self {
        match ColumnFile::open(path, cache) {
            Ok(file) => Self::new(State::file(file)),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::info!(error, "columns are made again");
                Self::missing()
            }
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        matches!(*self.state.lock(), State::Missing | State::Building(_))
    }

    /// Returns whether the columns are in memory alone.
    pub(crate) fn is_live(&self) -> bool {
        matches!(*self.state.lock(), State::Live { .. })
    }

    /// Waits until nobody else makes or writes these columns.
    pub(crate) fn turn(&self) -> Turn<'_> {
        self.turn.lock()
    }

    /// Makes the columns from the rows that `read` returns, where they are missing.
    pub(crate) fn make<E>(
        &self,
        _turn: &Turn<'_>,
        read: impl FnOnce() -> Result<LiveColumns, E>,
    ) -> Result<(), E> {
        {
            let mut state = self.state.lock();
            if !matches!(*state, State::Missing) {
                return Ok(());
            }
            // What is committed from now on may or may not be read, so it is done again.
            *state = State::Building(Vec::new());
        }
        let read = read();
        let mut state = self.state.lock();
        let State::Building(changes) = std::mem::replace(&mut *state, State::Missing) else {
            return Ok(());
        };
        let mut made = State::live(read?);
        for (n, row) in changes {
            match row {
                Some(row) => made.set(n, &row),
                None => made.remove(n),
            };
        }
        *state = made;
        Ok(())
    }

    /// Sets the row of a flow that has ended. Returns whether it stands in the columns, or will.
    pub(crate) fn set(&self, n: i64, row: &Arc<Row>) -> bool {
        self.state.lock().set(n, row)
    }

    /// Removes a flow's row.
    pub(crate) fn remove(&self, n: i64) {
        self.state.lock().remove(n);
    }

    /// Adds the sources of the columns to `shown`. Returns false where they are missing.
    pub(crate) fn show(&self, shown: &mut Vec<Shown>) -> bool {
        match &*self.state.lock() {
            State::Missing | State::Building(_) => return false,
            State::Live { columns, .. } => shown.push(Shown {
                source: Source::Live(columns.view()),
                hidden: None,
            }),
            State::File { file, late } => {
                let late = late.as_ref();
                shown.extend(late.map(|late| Shown {
                    source: Source::Live(late.columns.view()),
                    hidden: None,
                }));
                shown.push(Shown {
                    source: Source::File(Arc::clone(file)),
                    hidden: late.map(|late| Arc::clone(&late.hidden)),
                });
            }
        }
        true
    }

    /// Returns what a file of these columns has to hold. Nobody must write to the segment meanwhile.
    pub(crate) fn content(&self) -> Content {
        match &*self.state.lock() {
            State::Missing | State::Building(_) | State::File { late: Some(_), .. } => {
                Content::Rows
            }
            State::File { late: None, .. } => Content::Written,
            State::Live { columns, .. } => Content::Columns(columns.view()),
        }
    }

    /// Puts a file that holds the same in the place of what was there.
    pub(crate) fn put(&self, file: ColumnFile) {
        *self.state.lock() = State::file(file);
    }

    /// Gives up the columns, which are made again when somebody asks.
    pub(crate) fn forget(&self) {
        *self.state.lock() = State::Missing;
    }

    /// Gives up a file that is damaged, unless another one has taken its place.
    pub(crate) fn lose(&self, damaged: &Arc<ColumnFile>) {
        let mut state = self.state.lock();
        if matches!(&*state, State::File { file, .. } if Arc::ptr_eq(file, damaged)) {
            *state = State::Missing;
        }
    }
}

// === impl State ===

impl State {
    fn live(columns: LiveColumns) -> Self {
        Self::Live {
            columns: Box::new(columns),
            removed: 0,
        }
    }

    fn file(file: ColumnFile) -> Self {
        Self::File {
            file: Arc::new(file),
            late: None,
        }
    }

    fn set(&mut self, n: i64, row: &Arc<Row>) -> bool {
        let set = match self {
            // It is read with the others.
            Self::Missing => return true,
            Self::Building(changes) => {
                changes.push((n, Some(Arc::clone(row))));
                return true;
            }
            Self::Live { columns, .. } => columns.set(n, row),
            Self::File { late, .. } => {
                let late = late.get_or_insert_default();
                Arc::make_mut(&mut late.hidden).insert(n);
                late.columns.set(n, row)
            }
        };
        if let Err(error) = set {
            tracing::warn!(flow = %row.id, %error, "a flow is not listed");
            return false;
        }
        true
    }

    fn remove(&mut self, n: i64) -> bool {
        match self {
            Self::Missing => {}
            Self::Building(changes) => changes.push((n, None)),
            Self::Live { columns, removed } => {
                columns.remove(n);
                *removed += 1;
                if *removed > REMOVED_ROWS_MAX {
                    *self = Self::Missing;
                }
            }
            Self::File { late, .. } => {
                let late = late.get_or_insert_default();
                Arc::make_mut(&mut late.hidden).insert(n);
                late.columns.remove(n);
            }
        }
        true
    }
}
