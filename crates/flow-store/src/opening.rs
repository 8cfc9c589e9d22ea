//! Brings a data directory to a registry of segments: at the start of a store, for writing or for reading.
//!
//! What the catalog lists as sealed is looked at, not read: its size and its header. All else counts as unsealed,
//! is checked by SQLite, and is sealed later in the background; that is how a kill at any moment of sealing, a lost
//! catalog and segments of an older format are dealt with alike. Of the unsealed segments the newest one stays
//! live, where it has this program's format and room for more.
//!
//! Damage never stops a start: a damaged file is put aside, named, and what is readable in it brought over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flow_model::{Exchange, FlowId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::catalog::{Catalog, Entry, Origin};
use crate::delete;
use crate::dir;
use crate::files::{self, Flaw, Sight};
use crate::format::{self, FORMAT};
use crate::listing;
use crate::place::{self, Access, Place};
use crate::registry::{Clock, Registry, SegmentLimits};
use crate::retain;
use crate::segment::{Extent, Readers, Segment, SegmentState};
use crate::store::OpenError;

/// The first major version whose segments are never without a catalog.
pub(crate) const CATALOG_SINCE: i32 = 2;

/// What a data directory holds.
pub(crate) struct Opened {
    pub(crate) registry: Registry,
    /// What was found damaged on this occasion, in words.
    pub(crate) notices: Vec<String>,
    /// Damaged files whose flows have not been brought over.
    pub(crate) to_salvage: Vec<PathBuf>,
}

/// Opens a database in memory that takes `bytes_max` at most.
pub(crate) fn in_memory(
    bytes_max: u64,
    limits: SegmentLimits,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    let name = NAMES.fetch_add(1, Ordering::Relaxed);
    let place = Place::Memory(format!("file:/flows-{name}?vfs=memdb"));
    let failed = |source| OpenError::Segment {
        path: "memory".into(),
        source,
    };
    let writer = place.create_in_memory(bytes_max).map_err(failed)?;
    let readers = Arc::<Readers>::default();
    let entry = Entry::empty(1, SegmentState::Live, FORMAT);
    let (access, kept) = (Access::Shared, Arc::clone(&readers));
    let segment = Segment::new(&entry, place, access, kept, Some(writer));
    let catalog = Catalog::in_memory().map_err(failed)?;
    let figures = (limits, Clock::new(now));
    let registry = Registry::new(None, catalog, readers, vec![Arc::new(segment)], figures);
    registry.numbers.begin(1, 1);
    Ok(Opened {
        registry,
        notices: Vec::new(),
        to_salvage: Vec::new(),
    })
}

/// Opens a data directory for writing.
pub(crate) fn open(dir: &Path, limits: SegmentLimits, now: Timestamp) -> Result<Opened, OpenError> {
    let segments = dir::segments(dir)?;
    listing::remove_leftovers(&segments)?;
    let (catalog, origin, notice) = Catalog::open(dir)?;
    catalog.remove_retired(&segments)?;
    let mut look = Look::new(&segments, Access::Shared, known(&catalog, dir)?);
    let told = notice.is_some();
    look.notices.extend(notice);
    for (number, path) in files::list(&segments)?.into_iter().rev() {
        match look.at(number, &path) {
            Ok(()) => {}
            Err(Flaw::Damaged(what)) => {
                let name = files::segment_name(number);
                look.notices
                    .push(files::put_aside(&segments, &name, &what)?);
                remove(&catalog, dir, number)?;
            }
            Err(flaw) => return Err(OpenError::flawed(&path, flaw, FORMAT.major)),
        }
    }
    for (number, entry) in std::mem::take(&mut look.known) {
        let path = files::segment_path(&segments, number);
        // A kill can come between putting a segment aside and removing its entry.
        if !look.is_aside(number)? {
            // They were counted when it was sealed. Nobody knows how many an unsealed one had.
            let flows = if entry.state == SegmentState::Sealed {
                format!(" with {} flows", entry.flows)
            } else {
                String::new()
            };
            look.notices
                .push(format!("{}{flows} is missing", path.display()));
        }
        remove(&catalog, dir, number)?;
    }
    if origin == Origin::Made && !told && look.is_later_than_catalogs() {
        let notice = "the catalog was missing and was made again from the segments";
        look.notices.push(notice.to_owned());
    }
    take_notes_over(&catalog, &look.found)?;
    let to_salvage = unsalvaged(&catalog, &segments)?;
    let Look { found, notices, .. } = look;
    let readers = Arc::clone(&look.readers);
    let figures = (limits, Clock::new(now));
    let registry = Registry::new(Some(segments), catalog, readers, found, figures);
    delete::hide(&registry).map_err(failed(dir))?;
    choose_live(&registry, now)?;
    retain::drop_halves(&registry).map_err(failed(dir))?;
    Ok(Opened {
        registry,
        notices,
        to_salvage,
    })
}

/// Opens a data directory for reading. Damaged segments are named and left where they are.
pub(crate) fn open_read_only(dir: &Path) -> Result<Opened, OpenError> {
    let segments = dir::segments_in(dir);
    let (catalog, notice) = Catalog::open_read_only(dir)?;
    let mut look = Look::new(&segments, Access::Lenient, known(&catalog, dir)?);
    look.notices.extend(notice);
    for (number, path) in files::list(&segments)?.into_iter().rev() {
        match look.at(number, &path) {
            Ok(()) => {
                if !files::is_log_readable(&path) {
                    let notice = "is read without what its log holds, because the directory cannot be written to";
                    look.notices.push(format!("{} {notice}", path.display()));
                }
            }
            Err(Flaw::Damaged(what)) => look.notices.push(format!("{} {what}", path.display())),
            Err(flaw) => return Err(OpenError::flawed(&path, flaw, FORMAT.major)),
        }
    }
    let Look { found, notices, .. } = look;
    let readers = Arc::clone(&look.readers);
    let figures = (SegmentLimits::DEFAULT, Clock::new(Timestamp(0)));
    let registry = Registry::new(None, catalog, readers, found, figures);
    delete::hide(&registry).map_err(failed(dir))?;
    Ok(Opened {
        registry,
        notices,
        to_salvage: Vec::new(),
    })
}

/// A look at the files of a directory, one after the other.
struct Look<'a> {
    dir: &'a Path,
    access: Access,
    /// What the catalog knows of segments that have not been looked at.
    known: BTreeMap<u32, Entry>,
    readers: Arc<Readers>,
    found: Vec<Arc<Segment>>,
    notices: Vec<String>,
}

impl<'a> Look<'a> {
    fn new(dir: &'a Path, access: Access, known: BTreeMap<u32, Entry>) -> Self {
        Self {
            dir,
            access,
            known,
            readers: Arc::default(),
            found: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Looks at a segment and adds it to those that were found.
    fn at(&mut self, number: u32, path: &Path) -> Result<(), Flaw> {
        let known = self.known.remove(&number);
        if let Some(entry) = &known
            && entry.state == SegmentState::Sealed
            && files::check_sealed(path, entry.bytes, entry.version)? == Sight::Sealed
        {
            self.add(entry, path, Access::Sealed);
            return Ok(());
        }
        if self.access == Access::Shared {
            files::roll_back(path);
        }
        let version = files::check(path, self.access)?;
        let mut entry = Entry::empty(number, SegmentState::Closing, version);
        entry.extent = known.map_or_else(Extent::default, |known| known.extent);
        let place = Place::File(path.to_owned());
        let connection = place.open_reader(self.access).map_err(Flaw::Unusable)?;
        match measure(&connection, &mut entry) {
            Ok(()) => {}
            Err(error) if place::is_damage(&error) => {
                return Err(Flaw::Damaged(format!("is damaged ({error})")));
            }
            Err(error) => return Err(Flaw::Unusable(error)),
        }
        self.add(&entry, path, self.access);
        Ok(())
    }

    fn add(&mut self, entry: &Entry, path: &Path, access: Access) {
        // One that is sealed may be written to later.
        let access = if access == Access::Sealed {
            self.access
        } else {
            access
        };
        let place = Place::File(path.to_owned());
        let readers = Arc::clone(&self.readers);
        let segment = Segment::new(entry, place, access, readers, None);
        self.found.push(Arc::new(segment));
    }

    /// Returns whether a segment has been put aside.
    fn is_aside(&self, number: u32) -> Result<bool, OpenError> {
        let name = files::segment_name(number);
        let is = |path: &PathBuf| {
            let found = path.file_name().unwrap_or_default().to_string_lossy();
            found.starts_with(&name)
        };
        Ok(files::put_aside_before(self.dir)?.iter().any(is))
    }

    /// Returns whether a segment was made by a release that kept a catalog.
    fn is_later_than_catalogs(&self) -> bool {
        let later = |segment: &Arc<Segment>| segment.version.major >= CATALOG_SINCE;
        self.found.iter().any(later)
    }
}

fn known(catalog: &Catalog, dir: &Path) -> Result<BTreeMap<u32, Entry>, OpenError> {
    let entries = catalog.segments().map_err(failed(dir))?;
    Ok(entries
        .into_iter()
        .map(|entry| (entry.number, entry))
        .collect())
}

fn remove(catalog: &Catalog, dir: &Path, number: u32) -> Result<(), OpenError> {
    catalog.remove(number).map_err(failed(dir))
}

fn failed(dir: &Path) -> impl FnOnce(rusqlite::Error) -> OpenError {
    let path = dir.to_owned();
    move |source| OpenError::Segment { path, source }
}

/// Finds out what an unsealed segment holds.
///
/// Its times are those of its first and its last flow by id, which sort by time unless a clock was put back.
fn measure(connection: &Connection, entry: &mut Entry) -> Result<(), rusqlite::Error> {
    let flows: i64 = connection.query_one("SELECT count(*) FROM requests", [], |row| row.get(0))?;
    entry.flows = u64::try_from(flows).unwrap_or(0);
    for order in ["ASC", "DESC"] {
        let sql = format!("SELECT id, exchange FROM requests ORDER BY id {order} LIMIT 1");
        let found = connection
            .query_row(&sql, [], |row| {
                // A record that is hurt is its flow's loss and no more.
                let exchange = row.get_ref(1)?.as_blob().ok();
                let begun: Option<Exchange> = exchange.and_then(format::open_json);
                Ok((row.get(0).ok().map(FlowId::from_bytes), begun))
            })
            .optional()?;
        if let Some((id, begun)) = found {
            let times = begun.map(|begun| (begun.started_at, begun.started_at));
            let ids = id.map(|id| (id, id));
            entry.extent.join(Extent { ids, times });
        }
    }
    Ok(())
}

/// Takes the notes over that releases without a catalog kept in the segment.
fn take_notes_over(catalog: &Catalog, segments: &[Arc<Segment>]) -> Result<(), OpenError> {
    for segment in segments {
        if segment.is_sealed() || segment.version.major >= CATALOG_SINCE {
            continue;
        }
        let taken = segment.read(|connection| {
            let mut notes = connection.prepare(
                "SELECT key, CAST(value AS TEXT) FROM meta
                 WHERE key LIKE 'note %' OR key LIKE 'salvaged %'",
            )?;
            let mut rows = notes.query([])?;
            while let Some(row) = rows.next()? {
                let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
                catalog.take_note_over(&key, &value)?;
            }
            Ok::<_, rusqlite::Error>(())
        });
        taken.map_err(failed(segment.path().unwrap_or(Path::new("memory"))))?;
    }
    Ok(())
}

/// Returns the damaged files whose flows have not been brought over.
fn unsalvaged(catalog: &Catalog, dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut paths = Vec::new();
    for path in files::put_aside_before(dir)? {
        let done = catalog
            .note(&salvaged_key(&path))
            .map_err(failed(dir))?
            .is_some();
        if !done {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// Returns the key under which it is noted that a damaged file needs no more salvaging.
pub(crate) fn salvaged_key(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!("salvaged {}", name.to_string_lossy())
}

/// Makes the newest segment the live one, or begins another.
fn choose_live(registry: &Registry, now: Timestamp) -> Result<(), OpenError> {
    let all = registry.all();
    let newest = all.first().filter(|segment| {
        let file = segment.path().and_then(|path| path.metadata().ok());
        let bytes = file.map_or(0, |file| file.len());
        !segment.is_sealed()
            && segment.version.major == FORMAT.major
            && segment.is_writable()
            && !registry.limits.is_full(segment, bytes)
    });
    let live = if let Some(segment) = newest {
        segment.begin_living();
        Arc::clone(segment)
    } else {
        registry.begin()?
    };
    let path = live.path().unwrap_or(Path::new("memory"));
    // A full or read-only disk is to be found now, with a clear error, and not by the first flow.
    let opened = "INSERT OR REPLACE INTO meta VALUES ('opened_at', ?1)";
    registry
        .write(&live, |connection| connection.execute(opened, [now.0]))
        .map_err(failed(path))?;
    // No flow gets a number of one that is deleted and not removed yet.
    let n = live.read(number_max).map_err(failed(path))?;
    let buried = live.buried().last_key_value().map_or(0, |(n, _)| *n);
    let n = n.max(buried);
    registry.numbers.begin(live.number, n.saturating_add(1));
    // Those that lost their rows are to be listed as flows without.
    for segment in registry.unsealed() {
        let rows = segment.read(|connection| connection.table_exists(None, "rows"));
        let path = segment.path().unwrap_or(Path::new("memory"));
        if !rows.map_err(failed(path))? && segment.is_writable() {
            registry.write(&segment, |_| Ok(())).map_err(failed(path))?;
        }
    }
    Ok(())
}

/// Returns the highest number that a flow has in a segment.
fn number_max(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let sql = "SELECT max((SELECT coalesce(max(n), 0) FROM requests),
        (SELECT coalesce(max(n), 0) FROM outcomes), (SELECT coalesce(max(n), 0) FROM pieces),
        (SELECT coalesce(max(n), 0) FROM pending))";
    connection.query_one(sql, [], |row| row.get(0))
}
