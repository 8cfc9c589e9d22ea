//! The handle to the store.
//!
//! Length: the handle, one short method for each thing that it does.

mod upkeep;

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flow_model::{Chunk, EndReason, Exchange, FlowId, Reading, Row, Side, Timestamp};
use flow_query::{Checked, Field};
use parking_lot::Mutex;
use rusqlite::ErrorCode;

use crate::archive;
use crate::ask::{Ask, Scale};
use crate::body::StoredBody;
use crate::changes::Changes;
use crate::columns::{Facets, GroupBy, Groups, Measure, Spread};
use crate::dictionary::Compression;
use crate::dir::{self, Claim, DirError};
use crate::files::Flaw;
use crate::health::StoreHealth;
use crate::index::TextIndex;
use crate::indexer::Indexer;
use crate::intake::Intake;
use crate::list::{Counted, ListQuery, Page};
use crate::memory::{LiveView, Memory, Watch};
use crate::opening::{self, Opened};
use crate::queue::Limits;
use crate::read::{Archive, ReadError};
use crate::registry::Registry;
use crate::salvage;
use crate::seal::Sealer;
use crate::search::{self, SearchError, SearchPage, SearchQuery};
use crate::segment::SegmentInfo;
use crate::write::Write;
use crate::writer::Writer;

/// Longest wait of a reader for the commit of a flow that has just ended.
const SETTLE_TIME: Duration = Duration::from_millis(500);
/// The name of the thread that brings flows over from damaged files.
const SALVAGE: &str = "store-salvage";

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The data directory; none keeps everything in memory.
    pub dir: Option<PathBuf>,
    /// Rows of ended flows that stay in memory.
    pub recent_rows_max: usize,
    /// Bytes that a store without directory may take; the oldest flows go first.
    pub memory_bytes_max: u64,
    /// What is stored is compressed.
    pub compressed: bool,
    /// The time of day.
    pub now: Timestamp,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory is not to be used.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// A later release made the segment, or the catalog.
    #[error("{} has format {found}, and this program knows format {known}; use the release that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The major version of its format.
        found: i32,
        /// The one that is known.
        known: i32,
    },
    /// The segment, or the catalog, can be neither written nor put aside.
    #[error("cannot use {}", path.display())]
    Segment {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// The segment cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The directory is an archive.
    #[error("{} is an archive, which is only read", dir.display())]
    Archive {
        /// The directory.
        dir: PathBuf,
    },
    /// No thread could be started.
    #[error("cannot start the store's thread")]
    Thread(#[source] io::Error),
}

/// The store. Clones are the same store; the last one that goes closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    intake: Arc<Intake>,
    archive: Arc<Archive>,
    registry: Arc<Registry>,
    index: Arc<TextIndex>,
    /// The data directory; none in memory.
    root: Option<PathBuf>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// None when opened for reading, in memory, and once closed.
    claim: Mutex<Option<Claim>>,
}

// === impl OpenError ===

impl OpenError {
    /// Returns the error that a flaw is where damage does not count as one.
    pub(crate) fn flawed(path: &Path, flaw: Flaw, known: i32) -> Self {
        let path = path.to_owned();
        match flaw {
            Flaw::Newer(version) => Self::Newer {
                path,
                found: version.major,
                known,
            },
            Flaw::Unusable(source) => Self::Segment { path, source },
            Flaw::Unreachable(source) => dir::failed("read", &path)(source).into(),
            Flaw::Damaged(what) => Self::Segment {
                path,
                source: failure(ErrorCode::DatabaseCorrupt, what),
            },
        }
    }

    /// Returns the error as one of a commit.
    pub(crate) fn into_sqlite(self) -> rusqlite::Error {
        let code = match self {
            Self::Segment { source, .. } => return source,
            Self::Dir(DirError::Io { ref source, .. })
                if source.kind() == io::ErrorKind::StorageFull =>
            {
                ErrorCode::DiskFull
            }
            _ => ErrorCode::SystemIoFailure,
        };
        failure(code, self.to_string())
    }
}

fn failure(code: ErrorCode, what: String) -> rusqlite::Error {
    let error = rusqlite::ffi::Error {
        code,
        extended_code: 0,
    };
    rusqlite::Error::SqliteFailure(error, Some(what))
}

// === impl Store ===
impl Store {
    /// Opens the store and starts its threads. Damage does not stop that; it is told in [`Store::health`].
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        Self::open_with(options, Limits::DEFAULT)
    }

    pub(crate) fn open_with(options: StoreOptions, limits: Limits) -> Result<Self, OpenError> {
        let StoreOptions {
            dir,
            recent_rows_max,
            memory_bytes_max,
            compressed,
            now,
        } = options;
        let compression = if compressed {
            Compression::On
        } else {
            Compression::Off
        };
        let (opened, claim) = match &dir {
            Some(dir) => {
                dir::prepare(dir)?;
                let claim = dir::claim(dir)?;
                archive::refuse(dir)?;
                (opening::open(dir, limits.segment, now)?, Some(claim))
            }
            None => (
                opening::in_memory(memory_bytes_max, limits.segment, now)?,
                None,
            ),
        };
        let memory_bytes_max = dir.is_none().then_some(memory_bytes_max);
        Self::start(
            opened,
            (dir, claim),
            recent_rows_max,
            memory_bytes_max,
            compression,
            limits,
        )
    }

    /// Opens a data directory for reading while no instance runs. Flows that an instance left unfinished are
    /// listed as interrupted.
    pub fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        let opened = opening::open_read_only(dir)?;
        let place = (Some(dir.to_owned()), None);
        let store = Self::start(
            opened,
            place,
            usize::MAX,
            None,
            Compression::On,
            Limits::DEFAULT,
        )?;
        for mut exchange in store.inner.archive.unfinished()? {
            exchange.end = Some(EndReason::Interrupted);
            let row = Row::new(&exchange, &Reading::default());
            store.inner.intake.memory.announce(Arc::new(exchange), row);
        }
        Ok(store)
    }

    fn start(
        opened: Opened,
        (root, claim): (Option<PathBuf>, Option<Claim>),
        recent_rows_max: usize,
        memory_bytes_max: Option<u64>,
        compression: Compression,
        limits: Limits,
    ) -> Result<Self, OpenError> {
        let Opened {
            registry,
            notices,
            to_salvage,
        } = opened;
        let registry = Arc::new(registry);
        let archive = Arc::new(Archive {
            registry: Arc::clone(&registry),
        });
        let memory = Arc::new(Memory::new(recent_rows_max, archive.count()?));
        let intake = Intake::new(memory, limits, Arc::clone(&registry), compression);
        let intake = intake.map_err(ReadError::from)?;
        let intake = Arc::new(intake);
        for notice in notices {
            intake.health.notice(notice);
        }
        let inner = Inner {
            intake,
            archive,
            registry,
            index: Arc::default(),
            root,
            threads: Mutex::default(),
            claim: Mutex::new(claim),
        };
        if inner.registry.live().is_some() {
            inner.start_writer(memory_bytes_max)?;
            inner.start_sealer()?;
        } else {
            drop(inner.intake.queue.closed());
        }
        if inner.registry.dir.is_some() {
            inner.start_indexer()?;
        }
        if !to_salvage.is_empty() {
            inner.start_salvage(to_salvage)?;
        }
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Makes a flow visible that has begun.
    pub fn announce(&self, exchange: Arc<Exchange>, row: Row) {
        self.inner.intake.memory.announce(exchange, row);
    }

    /// Replaces the row, and the exchange where one is given, of a running flow.
    pub fn refresh(&self, row: Row, exchange: Option<Arc<Exchange>>) {
        self.inner.intake.memory.refresh(row, exchange);
    }

    /// Shows a running flow as it is read so far.
    pub fn publish(&self, id: FlowId, live: LiveView) {
        self.inner.intake.memory.publish(id, live);
    }

    /// Says that somebody looks at a flow, until the watch is dropped.
    pub fn watch(&self, id: FlowId) -> Watch {
        self.inner.intake.memory.watch(id)
    }

    /// Returns whether anybody looks at a flow.
    pub fn is_watched(&self, id: FlowId) -> bool {
        self.inner.intake.memory.is_watched(id)
    }

    /// Queues a write. Waits where the disk is slower than what is written, but not where it fails or hangs:
    /// then the oldest flows that wait are given up and counted.
    pub fn write(&self, write: Write) {
        self.inner.intake.write(write);
    }

    /// Returns one page of the flows that are running, recent or stored.
    pub fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        self.ask().list(query)
    }

    /// Returns one page of the places where a text stands, of the newest segment first.
    pub fn search(&self, query: &SearchQuery) -> Result<SearchPage, SearchError> {
        search::search(&self.inner.index, &self.inner.registry, query)
    }

    /// Waits until the texts of all flows that were committed before are indexed. Returns false where they are not
    /// by then, or the store has no index.
    pub fn settle_index(&self, timeout: Duration) -> bool {
        self.inner.index.signal.settle(timeout)
    }

    /// Returns how many flows a filter selects, exactly.
    pub fn count(&self, filter: &Checked) -> Result<Counted, ReadError> {
        self.ask().count(filter)
    }

    /// Returns what the numbers of groups of flows come to, in the order of their keys.
    pub fn groups(
        &self,
        filter: &Checked,
        by: &[GroupBy],
        measures: &[Measure],
    ) -> Result<Groups, ReadError> {
        self.ask().groups(filter, by, measures)
    }

    /// Returns the names that most of the selected flows have, `names_max` at most of each field of names.
    pub fn facets(
        &self,
        filter: &Checked,
        fields: &[Field],
        names_max: usize,
    ) -> Result<Vec<Facets>, ReadError> {
        self.ask().facets(filter, fields, names_max)
    }

    /// Returns how the numbers of a field are spread over the selected flows: over some `buckets`, 1,024 at most.
    pub fn histogram(
        &self,
        filter: &Checked,
        field: Field,
        scale: Scale,
        buckets: usize,
    ) -> Result<Spread, ReadError> {
        self.ask().histogram(filter, field, scale, buckets)
    }

    /// Waits until lists and counts lack no flow of which there is a row: after a start, or where columns were
    /// damaged, they are made from the rows in the background.
    pub fn prepare_lists(&self) -> Result<(), ReadError> {
        self.ask().prepare()
    }

    /// Returns the number of all flows, those included whose row has not been derived.
    pub fn total(&self) -> u64 {
        self.inner.intake.memory.count()
    }

    fn ask(&self) -> Ask<'_> {
        Ask {
            memory: &self.inner.intake.memory,
            archive: &self.inner.archive,
            index: &self.inner.index,
        }
    }

    /// Returns the number of running flows.
    pub fn in_flight(&self) -> u64 {
        self.inner.intake.memory.in_flight()
    }

    /// Returns a flow's row; none where there is no such flow, or its row has not been derived.
    pub fn row(&self, id: FlowId) -> Result<Option<Row>, ReadError> {
        match self.inner.intake.memory.row(id) {
            Some(row) => Ok(Some(row)),
            None => self.inner.archive.row(id),
        }
    }

    /// Returns a flow's exchange.
    pub fn exchange(&self, id: FlowId) -> Result<Option<Arc<Exchange>>, ReadError> {
        match self.inner.intake.memory.exchange(id) {
            Some(exchange) => Ok(Some(exchange)),
            None => Ok(self.inner.archive.exchange(id)?.map(Arc::new)),
        }
    }

    /// Returns one of a flow's bodies as far as it has been committed; none where no part of the flow has.
    /// The end of a flow that has just ended is waited for, as long as the disk takes it.
    pub fn body(&self, id: FlowId, side: Side) -> Result<Option<StoredBody>, ReadError> {
        self.settle(id);
        self.inner.archive.body(id, side)
    }

    /// Returns when the parts of a body arrived, as far as that has been committed; waits like [`Self::body`].
    pub fn chunks(&self, id: FlowId, side: Side) -> Result<Vec<Chunk>, ReadError> {
        self.settle(id);
        Ok(self.inner.archive.chunks(id, side)?.unwrap_or_default())
    }

    /// Waits for the commit of a flow that is in memory as ended: its row is there a moment before its bodies.
    fn settle(&self, id: FlowId) {
        if self.inner.intake.memory.is_ending(id) {
            self.inner.intake.queue.settle(SETTLE_TIME);
        }
    }

    /// Returns a running flow as it is read so far; none where nobody watched it.
    pub fn live(&self, id: FlowId) -> Option<LiveView> {
        self.inner.intake.memory.live(id)
    }

    /// Returns the flows that an earlier process left without outcome.
    pub fn unfinished(&self) -> Result<Vec<Exchange>, ReadError> {
        let mut left = self.inner.archive.unfinished()?;
        self.inner
            .intake
            .memory
            .drop_held(&mut left, |exchange| exchange.id);
        Ok(left)
    }

    /// Returns ended flows, newest first and `flows_max` at most, whose row is to be derived again.
    pub fn without_row(&self, flows_max: usize) -> Result<Vec<FlowId>, ReadError> {
        self.inner.archive.without_row(flows_max)
    }

    /// Returns the note with this key; none where there is none. One that was just written may not be there yet.
    pub fn note(&self, key: &str) -> Result<Option<String>, ReadError> {
        self.inner.archive.note(key)
    }

    /// Returns what changed from the number `seq` on, which an earlier answer gave as `next`.
    pub fn changes_since(&self, seq: u64) -> Changes {
        self.inner.intake.memory.changes_since(seq)
    }

    /// Calls `wake` after every change, from whichever thread made it. It must be quick, and
    /// must not hold the store, which would then never be closed by itself.
    pub fn on_change(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.inner.intake.memory.on_change(wake);
    }

    /// Returns what is known of each segment, newest first.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        let all = self.inner.registry.all();
        all.iter().map(|segment| segment.info()).collect()
    }

    /// Returns the state of the store.
    pub fn health(&self) -> StoreHealth {
        let mut health = self.inner.intake.health.report();
        health.backlog_bytes = self.inner.intake.queue.bytes() as u64;
        health.flows_being_deleted = self.inner.registry.flows_buried();
        (health.text_lag_flows, health.text_problem) = self.inner.index.signal.lag();
        if health.problem.is_none() && self.inner.intake.queue.is_hanging() {
            health.problem = Some("the disk does not answer".to_owned());
        }
        health
    }

    /// Adds a notice to the health, of something that goes wrong beside the store.
    pub fn notice(&self, notice: String) {
        self.inner.intake.health.notice(notice);
    }

    #[cfg(test)]
    pub(crate) fn index(&self) -> &TextIndex {
        &self.inner.index
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Returns the data directory; none where the store is in memory.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.inner.root.as_deref()
    }

    /// Waits until what is readable in damaged files has been brought over.
    pub(crate) fn settle_salvage(&self) {
        let mut threads = self.inner.threads.lock();
        let is_salvage = |thread: &JoinHandle<()>| thread.thread().name() == Some(SALVAGE);
        let at = threads.iter().position(is_salvage);
        let thread = at.map(|at| threads.remove(at));
        drop(threads);
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a thread of the store has panicked");
        }
        self.flush();
    }

    /// Waits until what was written is committed. Returns false where the disk fails or hangs.
    pub fn flush(&self) -> bool {
        self.inner.intake.queue.flush()
    }

    /// Commits what was written, writes the log into the segment and stops the threads. Later writes are lost.
    pub fn close(&self) {
        self.inner.close();
    }
}

// === impl Inner ===

impl Inner {
    fn start_writer(&self, memory_bytes_max: Option<u64>) -> Result<(), OpenError> {
        let writer = Writer {
            registry: Arc::clone(&self.registry),
            queue: Arc::clone(&self.intake.queue),
            memory: Arc::clone(&self.intake.memory),
            health: Arc::clone(&self.intake.health),
            index: Arc::clone(&self.index),
            memory_bytes_max,
            chains: RefCell::default(),
            traces: RefCell::default(),
            rotation_failed_at: Cell::new(None),
        };
        self.spawn("store-writer", move || writer.run())
    }

    fn start_indexer(&self) -> Result<(), OpenError> {
        let indexer = Indexer::new(Arc::clone(&self.registry), Arc::clone(&self.index));
        self.spawn("store-indexer", move || {
            step_back();
            indexer.run();
        })
    }

    fn start_sealer(&self) -> Result<(), OpenError> {
        let sealer = Sealer {
            registry: Arc::clone(&self.registry),
            memory: Arc::clone(&self.intake.memory),
            health: Arc::clone(&self.intake.health),
            queue: Arc::clone(&self.intake.queue),
            index: Arc::clone(&self.index),
        };
        self.spawn("store-sealer", move || {
            step_back();
            sealer.run();
        })
    }

    fn start_salvage(&self, files: Vec<PathBuf>) -> Result<(), OpenError> {
        let (intake, archive) = (Arc::clone(&self.intake), Arc::clone(&self.archive));
        self.spawn(SALVAGE, move || {
            salvage::run(&intake, &archive, &files);
        })
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.lock().push(thread.map_err(OpenError::Thread)?);
        Ok(())
    }

    fn close(&self) {
        if !self.intake.queue.close() {
            // Threads that wait for a disk which hangs are left to the end of the process, with their claim.
            tracing::error!("the disk hangs; what is not committed yet is lost");
            return;
        }
        self.registry.signal.stop();
        self.index.signal.stop();
        let threads = std::mem::take(&mut *self.threads.lock());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store has panicked");
            }
        }
        self.index.close();
        self.registry.close();
        drop(self.claim.lock().take());
    }
}

/// Lets every other thread of the machine go first: what is derived can wait, what is recorded cannot.
fn step_back() {
    /// Of 19: a thread that has waited still gets its turn on a busy machine.
    #[cfg(target_os = "linux")]
    const NICENESS: i32 = 10;
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS)
    {
        tracing::debug!(%error, "a thread in the background has the priority of all others");
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests;
