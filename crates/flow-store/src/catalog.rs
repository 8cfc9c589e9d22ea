//! The catalog: the list of segments, and what no segment can hold.
//!
//! `catalog.db` is one SQLite file with a log, synchronous as the segments are. It holds:
//!
//! | table | holds |
//! |---|---|
//! | `segments` | what is known of each segment; of a sealed one also its size and its checksum |
//! | `tombstones` | flows that count as deleted, whose records are still to be removed |
//! | `retired` | segments that count as gone, whose files are still to be removed |
//! | `pins` | flows that are kept whatever becomes of their segment |
//! | `notes` | how far rows were derived, and which damaged files were salvaged |
//! | `gone` | sums over flows that are no longer there, by quarter of an hour |
//!
//! `catalog.copy` is a copy made whenever a segment is sealed, or is about to be written to again, so that what it
//! says of sealed segments always holds. A catalog that is damaged is put aside and restored from the copy; where
//! that is not sound either, it is made again from the segments, and what only it knew is lost.
//!
//! Length: one short method for each table of the catalog.

use std::path::{Path, PathBuf};

use flow_model::{FlowId, Timestamp};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::blobs::{self, HashKey};
use crate::dir;
use crate::files::{self, Flaw};
use crate::format::Version;
use crate::place::{self, Access, Place};
use crate::rollup::{self, Rollups};
use crate::segment::{Extent, Location, SegmentState};
use crate::store::OpenError;

/// The format that this program writes. A newer major is refused; a newer minor only adds to it.
///
/// Changes: 1.0, the first.
const FORMAT: Version = Version { major: 1, minor: 0 };
/// Name of the note that holds what parts of bodies are hashed with.
const HASH_KEY: &str = "hash key";
/// Marks the file as a catalog: "Flow" in ASCII, but for the last letter.
const APPLICATION_ID: i32 = 0x466c_7743;

pub(crate) const CATALOG: &str = "catalog.db";
pub(crate) const COPY: &str = "catalog.copy";
/// What the two are called while they are being made.
pub(crate) const UNFINISHED_CATALOG: &str = "catalog.db.unfinished";
pub(crate) const UNFINISHED_COPY: &str = "catalog.copy.unfinished";
/// What follows the name of a file that is being made.
const UNFINISHED: &str = ".unfinished";

const TABLES: &str = "
    CREATE TABLE segments (
        number INTEGER PRIMARY KEY, state INTEGER NOT NULL, flows INTEGER NOT NULL, unread INTEGER NOT NULL,
        bytes INTEGER NOT NULL, first_at INTEGER, last_at INTEGER, first_id BLOB, last_id BLOB, checksum BLOB,
        format_major INTEGER NOT NULL, format_minor INTEGER NOT NULL, sealed_at INTEGER);
    CREATE TABLE tombstones (
        segment INTEGER NOT NULL, n INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (segment, n)) WITHOUT ROWID;
    CREATE INDEX tombstones_by_id ON tombstones (id);
    CREATE TABLE retired (segment INTEGER PRIMARY KEY);
    CREATE TABLE pins (id BLOB PRIMARY KEY, pinned_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE notes (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
";
const TABLE_NAMES: [&str; 6] = ["segments", "tombstones", "retired", "pins", "notes", "gone"];

const PUT: &str = "INSERT OR REPLACE INTO segments VALUES
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
const LIST: &str =
    "SELECT number, state, flows, unread, bytes, first_at, last_at, first_id, last_id, checksum,
    format_major, format_minor, sealed_at FROM segments ORDER BY number";
const UNPIN: &str = "DELETE FROM pins WHERE id = ?1";

/// What the catalog knows of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) state: SegmentState,
    pub(crate) flows: u64,
    /// Ended flows without row.
    pub(crate) unread: u64,
    pub(crate) bytes: u64,
    pub(crate) extent: Extent,
    /// BLAKE3 of the sealed file.
    pub(crate) checksum: Option<[u8; 32]>,
    pub(crate) version: Version,
    pub(crate) sealed_at: Option<Timestamp>,
}

/// Where a catalog comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was there.
    Kept,
    /// From its copy.
    Restored,
    /// It is new and knows no segment.
    Made,
}

/// The catalog.
pub(crate) struct Catalog {
    connection: Mutex<Connection>,
    /// The data directory; none for a catalog in memory.
    dir: Option<PathBuf>,
}

// === impl Entry ===

impl Entry {
    /// Returns the entry of a segment that holds nothing yet.
    pub(crate) fn empty(number: u32, state: SegmentState, version: Version) -> Self {
        Self {
            number,
            state,
            flows: 0,
            unread: 0,
            bytes: 0,
            extent: Extent::default(),
            checksum: None,
            version,
            sealed_at: None,
        }
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        let times: (Option<i64>, Option<i64>) = (row.get(5)?, row.get(6)?);
        let ids: (Option<[u8; 16]>, Option<[u8; 16]>) = (row.get(7)?, row.get(8)?);
        let id = FlowId::from_bytes;
        Ok(Self {
            number: row.get(0)?,
            state: SegmentState::from_code(row.get(1)?),
            flows: whole(row.get(2)?),
            unread: whole(row.get(3)?),
            bytes: whole(row.get(4)?),
            extent: Extent {
                ids: ids.0.zip(ids.1).map(|(first, last)| (id(first), id(last))),
                times: times
                    .0
                    .zip(times.1)
                    .map(|(first, last)| (Timestamp(first), Timestamp(last))),
            },
            checksum: row.get(9)?,
            version: Version {
                major: row.get(10)?,
                minor: row.get(11)?,
            },
            sealed_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        })
    }
}

// === impl Catalog ===

impl Catalog {
    /// Returns a catalog without file.
    pub(crate) fn in_memory() -> Result<Self, rusqlite::Error> {
        let connection = Connection::open_in_memory()?;
        create_tables(&connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
            dir: None,
        })
    }

    /// Opens the catalog of a data directory, or makes one. Damage is told in words.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Origin, Option<String>), OpenError> {
        let path = dir.join(CATALOG);
        let (found, mut notice) = match examine(&path) {
            Ok(found) => (found, None),
            Err(Flaw::Damaged(what)) => (false, Some(files::put_aside(dir, CATALOG, &what)?)),
            Err(flaw) => return Err(OpenError::flawed(&path, flaw, FORMAT.major)),
        };
        let origin = if found {
            Origin::Kept
        } else if matches!(examine(&dir.join(COPY)), Ok(true)) {
            restore(dir)?;
            let told = notice.unwrap_or_else(|| format!("{} was missing", path.display()));
            notice = Some(format!("{told}; it was restored from {COPY}"));
            Origin::Restored
        } else {
            let unfinished = files::beside(&path, UNFINISHED);
            files::create(&path, &unfinished, create_tables)?;
            notice = notice.map(|told| format!("{told}; it was made again from the segments"));
            Origin::Made
        };
        let place = Place::File(path.clone());
        let connection = place
            .open_writer()
            .map_err(|source| OpenError::Segment { path, source })?;
        let catalog = Self {
            connection: Mutex::new(connection),
            dir: Some(dir.to_owned()),
        };
        Ok((catalog, origin, notice))
    }

    /// Opens the catalog of a data directory for reading. One that is missing or damaged is as one without entries,
    /// and told in words where it is damaged.
    pub(crate) fn open_read_only(dir: &Path) -> Result<(Self, Option<String>), OpenError> {
        let path = dir.join(CATALOG);
        let failed = |source| OpenError::Segment {
            path: path.clone(),
            source,
        };
        let notice = match examine(&path) {
            Ok(true) => {
                let place = Place::File(path.clone());
                let connection = place.open_reader(Access::Lenient).map_err(failed)?;
                let catalog = Self {
                    connection: Mutex::new(connection),
                    dir: None,
                };
                return Ok((catalog, None));
            }
            Ok(false) => None,
            Err(Flaw::Damaged(what)) => Some(format!("{} {what}", path.display())),
            Err(flaw) => return Err(OpenError::flawed(&path, flaw, FORMAT.major)),
        };
        Ok((Self::in_memory().map_err(failed)?, notice))
    }

    /// Returns what is known of each segment, the lowest number first.
    pub(crate) fn segments(&self) -> Result<Vec<Entry>, rusqlite::Error> {
        entries(&self.connection.lock())
    }

    /// Enters what is known of a segment.
    pub(crate) fn put(&self, entry: &Entry) -> Result<(), rusqlite::Error> {
        let (ids, times) = (entry.extent.ids, entry.extent.times);
        let connection = self.connection.lock();
        connection.prepare_cached(PUT)?.execute(params![
            entry.number,
            entry.state.code(),
            stored(entry.flows),
            stored(entry.unread),
            stored(entry.bytes),
            times.map(|(first, _)| first.0),
            times.map(|(_, last)| last.0),
            ids.map(|(first, _)| first.to_bytes()),
            ids.map(|(_, last)| last.to_bytes()),
            entry.checksum,
            entry.version.major,
            entry.version.minor,
            entry.sealed_at.map(|at| at.0),
        ])?;
        Ok(())
    }

    /// Removes a segment that is no longer there. What was deleted of it stays so, for when the segment is salvaged.
    pub(crate) fn remove(&self, number: u32) -> Result<(), rusqlite::Error> {
        self.run("DELETE FROM segments WHERE number = ?1", [number])
    }

    /// Returns the value of a note, by its key as the table has it.
    pub(crate) fn note(&self, key: &str) -> Result<Option<String>, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut note = connection.prepare_cached("SELECT value FROM notes WHERE key = ?1")?;
        note.query_row([key], |row| row.get(0)).optional()
    }

    /// Sets a note.
    pub(crate) fn set_note(&self, key: &str, value: &str) -> Result<(), rusqlite::Error> {
        self.run("INSERT OR REPLACE INTO notes VALUES (?1, ?2)", [key, value])
    }

    /// Returns what parts of bodies are hashed with: made once, and the same in all segments.
    pub(crate) fn hash_key(&self) -> Result<HashKey, rusqlite::Error> {
        let key = self.note(HASH_KEY)?.and_then(|hex| blobs::key_of_hex(&hex));
        if let Some(key) = key {
            return Ok(key);
        }
        // With another key than before, parts that are stored already are stored once more.
        let mut key = HashKey::default();
        if let Err(error) = aws_lc_rs::rand::fill(&mut key) {
            tracing::warn!(%error, "the system gives no random numbers");
        }
        self.set_note(HASH_KEY, &blobs::hex_of_key(&key))?;
        Ok(key)
    }

    /// Sets a note that an older release kept elsewhere, unless there is one.
    pub(crate) fn take_note_over(&self, key: &str, value: &str) -> Result<(), rusqlite::Error> {
        self.run("INSERT OR IGNORE INTO notes VALUES (?1, ?2)", [key, value])
    }

    /// Copies the catalog, so that the copy is there in place of the one before or not at all.
    pub(crate) fn copy(&self) -> Result<(), OpenError> {
        let Some(dir) = &self.dir else {
            return Ok(());
        };
        let copy = dir.join(COPY);
        let unfinished = files::beside(&copy, UNFINISHED);
        let file = files::new_file(&unfinished)?;
        let copied = vacuum_into(&self.connection.lock(), &unfinished);
        copied.map_err(|source| OpenError::Segment {
            path: copy.clone(),
            source,
        })?;
        files::name(&file, &unfinished, &copy)
    }

    /// Writes a copy, without what was deleted, into a new file.
    pub(crate) fn copy_to(&self, path: &Path) -> Result<(), OpenError> {
        let file = files::new_file(path)?;
        let copied = vacuum_into(&self.connection.lock(), path);
        copied.map_err(|source| OpenError::Segment {
            path: path.to_owned(),
            source,
        })?;
        Ok(file.sync_all().map_err(dir::failed("sync", path))?)
    }

    /// Makes these the only segments that it knows. Of a part of the segments the sums over flows that are no longer
    /// there say nothing: they stay where the rest is.
    pub(crate) fn restrict(&self, entries: &[Entry], is_part: bool) -> Result<(), rusqlite::Error> {
        let known = self.segments()?;
        let kept = |number: u32| entries.iter().any(|entry| entry.number == number);
        for entry in known.iter().filter(|entry| !kept(entry.number)) {
            self.remove(entry.number)?;
        }
        for entry in entries {
            self.put(entry)?;
        }
        if is_part {
            self.run("DELETE FROM gone", [])?;
        }
        Ok(())
    }

    /// Returns how many flows are pinned, wait to be removed, and are no longer there.
    pub(crate) fn counts(&self) -> Result<[u64; 3], rusqlite::Error> {
        let connection = self.connection.lock();
        let count = |sql: &str| connection.query_one(sql, [], |row| row.get(0).map(whole));
        Ok([
            count("SELECT count(*) FROM pins")?,
            count("SELECT count(*) FROM tombstones")?,
            count("SELECT coalesce(sum(flows), 0) FROM gone")?,
        ])
    }

    /// Writes the log into the file.
    pub(crate) fn rest(&self) {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        if let Err(error) = self.connection.lock().query_one(checkpoint, [], |_| Ok(())) {
            tracing::debug!(%error, "the log cannot be written into the catalog");
        }
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<(), rusqlite::Error> {
        let connection = self.connection.lock();
        connection.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }
}

// What deletion, retention and pins keep here.
impl Catalog {
    /// Marks records of flows as deleted, lets go of the pins of flows and adds to the sums: all of that or nothing.
    pub(crate) fn bury(
        &self,
        records: &[(FlowId, Location)],
        unpinned: &[FlowId],
        sums: &Rollups,
    ) -> Result<(), rusqlite::Error> {
        let connection = self.connection.lock();
        let all = connection.unchecked_transaction()?;
        let mut bury =
            all.prepare_cached("INSERT OR REPLACE INTO tombstones VALUES (?1, ?2, ?3)")?;
        for (id, Location { segment, n }) in records {
            bury.execute(params![segment, n, id.to_bytes()])?;
        }
        drop(bury);
        let mut unpin = all.prepare_cached(UNPIN)?;
        for id in unpinned {
            unpin.execute([id.to_bytes()])?;
        }
        drop(unpin);
        sums.store(&all)?;
        all.commit()
    }

    /// Forgets that flows of a segment were deleted, once nothing is left of them.
    pub(crate) fn unbury(&self, segment: u32, numbers: &[i64]) -> Result<(), rusqlite::Error> {
        let connection = self.connection.lock();
        let all = connection.unchecked_transaction()?;
        let mut unbury =
            all.prepare_cached("DELETE FROM tombstones WHERE segment = ?1 AND n = ?2")?;
        for n in numbers {
            unbury.execute(params![segment, n])?;
        }
        drop(unbury);
        all.commit()
    }

    /// Returns the deleted flows of a segment, by their number.
    pub(crate) fn buried(&self, segment: u32) -> Result<Vec<(FlowId, i64)>, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut buried = connection
            .prepare_cached("SELECT id, n FROM tombstones WHERE segment = ?1 ORDER BY n")?;
        let flows = buried.query_map([segment], |row| {
            Ok((FlowId::from_bytes(row.get(0)?), row.get(1)?))
        })?;
        flows.collect()
    }

    /// Returns whether a flow was deleted in any segment.
    pub(crate) fn is_buried(&self, id: FlowId) -> Result<bool, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut buried =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM tombstones WHERE id = ?1)")?;
        buried.query_row([id.to_bytes()], |row| row.get(0))
    }

    /// Counts a segment as gone, adds to the sums and forgets what was deleted of it: all of that or nothing.
    pub(crate) fn retire(&self, number: u32, sums: &Rollups) -> Result<(), rusqlite::Error> {
        let connection = self.connection.lock();
        let all = connection.unchecked_transaction()?;
        all.execute("INSERT OR IGNORE INTO retired VALUES (?1)", [number])?;
        all.execute("DELETE FROM tombstones WHERE segment = ?1", [number])?;
        all.execute("DELETE FROM segments WHERE number = ?1", [number])?;
        sums.store(&all)?;
        all.commit()
    }

    /// Returns the segments that count as gone and whose files may still be there.
    pub(crate) fn retired(&self) -> Result<Vec<u32>, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut retired =
            connection.prepare_cached("SELECT segment FROM retired ORDER BY segment")?;
        let numbers = retired.query_map([], |row| row.get(0))?;
        numbers.collect()
    }

    /// Removes the files of segments that count as gone from the directory of segments.
    pub(crate) fn remove_retired(&self, segments: &Path) -> Result<(), OpenError> {
        let failed = |source| OpenError::Segment {
            path: segments.to_owned(),
            source,
        };
        for number in self.retired().map_err(failed)? {
            files::remove_segment(&files::segment_path(segments, number))?;
            self.forget_retired(number).map_err(failed)?;
        }
        Ok(())
    }

    /// Notes that the files of a segment are gone.
    pub(crate) fn forget_retired(&self, number: u32) -> Result<(), rusqlite::Error> {
        self.run("DELETE FROM retired WHERE segment = ?1", [number])
    }

    /// Calls `act` with the catalog's connection.
    pub(crate) fn with<T>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, rusqlite::Error> {
        act(&self.connection.lock())
    }

    /// Pins a flow. One that is pinned keeps the time at which it was.
    pub(crate) fn pin(&self, id: FlowId, now: Timestamp) -> Result<(), rusqlite::Error> {
        self.run(
            "INSERT OR IGNORE INTO pins VALUES (?1, ?2)",
            params![id.to_bytes(), now.0],
        )
    }

    pub(crate) fn unpin(&self, id: FlowId) -> Result<(), rusqlite::Error> {
        self.run(UNPIN, [id.to_bytes()])
    }

    pub(crate) fn is_pinned(&self, id: FlowId) -> Result<bool, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut pinned =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM pins WHERE id = ?1)")?;
        pinned.query_row([id.to_bytes()], |row| row.get(0))
    }

    /// Returns the pinned flows with the time at which each was, by their id.
    pub(crate) fn pins(&self) -> Result<Vec<(FlowId, Timestamp)>, rusqlite::Error> {
        let connection = self.connection.lock();
        let mut pins = connection.prepare_cached("SELECT id, pinned_at FROM pins ORDER BY id")?;
        let flows = pins.query_map([], |row| {
            Ok((FlowId::from_bytes(row.get(0)?), Timestamp(row.get(1)?)))
        })?;
        flows.collect()
    }
}

/// Copies a database into an empty file, without what was deleted from it.
pub(crate) fn vacuum_into(connection: &Connection, to: &Path) -> Result<(), rusqlite::Error> {
    // SQLite takes names as text; a path that is none cannot be given to it.
    let Some(to) = to.to_str() else {
        return Err(rusqlite::Error::InvalidPath(to.to_owned()));
    };
    connection.execute("VACUUM INTO ?1", [to])?;
    Ok(())
}

/// Returns what a catalog knows of each segment, the lowest number first.
pub(crate) fn entries(connection: &Connection) -> Result<Vec<Entry>, rusqlite::Error> {
    let mut list = connection.prepare_cached(LIST)?;
    let entries = list.query_map([], Entry::read)?;
    entries.collect()
}

/// Checks a catalog, all of it: it is small. Returns whether there is one.
fn examine(path: &Path) -> Result<bool, Flaw> {
    if !path.exists() {
        return Ok(false);
    }
    inspect(path, Access::Lenient).map(|_| true)
}

/// Opens a catalog for reading once all of it has been checked.
pub(crate) fn inspect(path: &Path, access: Access) -> Result<Connection, Flaw> {
    let (connection, _) = files::examine(path, access, APPLICATION_ID, FORMAT)?;
    let text = |sql: &str| connection.query_one(sql, [], |row| row.get::<_, String>(0));
    let damaged = |what: &dyn std::fmt::Display| Flaw::Damaged(format!("is damaged ({what})"));
    match text("PRAGMA quick_check(1)") {
        Ok(said) if said == "ok" => {}
        Ok(said) => return Err(damaged(&said)),
        Err(error) if place::is_damage(&error) => return Err(damaged(&error)),
        Err(error) => return Err(Flaw::Unusable(error)),
    }
    for name in TABLE_NAMES {
        match connection.table_exists(None, name) {
            Ok(true) => {}
            Ok(false) => return Err(Flaw::Damaged(format!("lacks the table {name}"))),
            Err(error) => return Err(Flaw::Unusable(error)),
        }
    }
    Ok(connection)
}

fn restore(dir: &Path) -> Result<(), OpenError> {
    let (copy, path) = (dir.join(COPY), dir.join(CATALOG));
    // The log of a catalog that was removed would be taken for this one's.
    for suffix in ["-wal", "-shm"] {
        files::remove(&files::beside(&path, suffix))?;
    }
    let unfinished = files::beside(&path, UNFINISHED);
    let mut file = files::new_file(&unfinished)?;
    let mut from = std::fs::File::open(&copy).map_err(dir::failed("open", &copy))?;
    std::io::copy(&mut from, &mut file).map_err(dir::failed("copy", &copy))?;
    files::name(&file, &unfinished, &path)
}

fn create_tables(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(TABLES)?;
    connection.execute_batch(rollup::TABLE)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT.code())?;
    connection.execute_batch("COMMIT")
}

fn whole(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
