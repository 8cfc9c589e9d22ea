//! Segment files: how they are named, created, checked and opened.
//!
//! `segments/000001.db` is the first. The one with the highest number is written to; any others are only read.
//! A file that cannot be used is renamed to `000001.db.damaged-1` with its log beside it, never deleted. New files
//! are made under another name and renamed when they are complete, so that a half-made one is never met.
//!
//! Where nothing is to be stored, the segment is a database in memory, and all else is the same.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flow_model::Timestamp;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::dir;
use crate::format::{self, FORMAT, Version};
use crate::store::OpenError;

/// Connections for reading that are kept open.
const IDLE_READERS_MAX: usize = 4;
/// How long a connection waits for a lock that another one holds.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Pages of the log at which it is written into the file: 16 MB.
const CHECKPOINT_PAGES: i64 = 4000;
/// What the log is cut to after a checkpoint.
const LOG_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// Pages that a connection caches, in KiB, as SQLite wants it: negative.
const CACHE_KIB: i64 = -8192;
/// Prepared statements that a connection keeps; more than there are.
const STATEMENTS_MAX: usize = 64;
/// Name of a segment that is being made.
const UNFINISHED: &str = "unfinished";

/// A segment to read from.
pub(crate) struct Segment {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

#[derive(Clone, Debug)]
enum Place {
    File(PathBuf),
    /// The name under which SQLite shares a database among the connections of this process.
    Memory(String),
}

/// What is wrong with a segment file.
pub(crate) enum Flaw {
    Damaged(String),
    Newer(Version),
    Unusable(rusqlite::Error),
}

/// What a directory of segments holds.
pub(crate) struct Segments {
    /// The segment that is written to, and the ones that are only read, newest first.
    pub(crate) all: Vec<Segment>,
    /// The connection that writes; none when opened for reading.
    pub(crate) writer: Option<Connection>,
    /// What was found damaged on this occasion, in words.
    pub(crate) notices: Vec<String>,
    /// Damaged files whose flows have not been brought over.
    pub(crate) to_salvage: Vec<PathBuf>,
}

// === impl Segment ===

impl Segment {
    fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::default(),
        }
    }

    /// Returns the segment's name for messages.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::Memory(_) => "memory".to_owned(),
        }
    }

    /// Calls `act` with a connection for reading.
    pub(crate) fn read<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.place.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        // After an error the connection is not kept: it may hold pages that are no longer what they were.
        let value = act(&connection)?;
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        Ok(value)
    }

    /// Closes the connections that are kept.
    pub(crate) fn rest(&self) {
        self.idle.lock().clear();
    }
}

// === impl Place ===

impl Place {
    fn open(&self, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(name) => {
                Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        connection.busy_timeout(LOCK_WAIT)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "cache_size", CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    }
}

// === impl Segments ===

impl Segments {
    /// Opens a database in memory that takes `bytes_max` at most.
    pub(crate) fn in_memory(bytes_max: u64) -> Result<Self, OpenError> {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "file:/flows-{}?vfs=memdb",
            NAMES.fetch_add(1, Ordering::Relaxed)
        );
        let place = Place::Memory(name);
        let failed = |source| OpenError::Segment {
            path: "memory".into(),
            source,
        };
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let writer = place.open(access).map_err(failed)?;
        create_tables(&writer).map_err(failed)?;
        limit_pages(&writer, bytes_max).map_err(failed)?;
        Ok(Self {
            all: vec![Segment::new(place)],
            writer: Some(writer),
            notices: Vec::new(),
            to_salvage: Vec::new(),
        })
    }

    /// Opens the segments in `dir` for writing. Damage never stops that: a damaged file is put aside.
    pub(crate) fn open(dir: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let mut notices = Vec::new();
        let mut readable = Vec::new();
        let mut live = None;
        for (number, path) in list(dir)?.into_iter().rev() {
            match check(&path) {
                Ok(version)
                    if live.is_none() && readable.is_empty() && version.minor <= FORMAT.minor =>
                {
                    live = Some(path);
                }
                Ok(_) => readable.push(path),
                Err(Flaw::Damaged(what)) => notices.push(put_aside(dir, number, &path, &what)?),
                Err(Flaw::Newer(version)) => {
                    let (found, known) = (version.major, FORMAT.major);
                    return Err(OpenError::Newer { path, found, known });
                }
                Err(Flaw::Unusable(source)) => return Err(OpenError::Segment { path, source }),
            }
        }
        let live = match live {
            Some(path) => path,
            None => create(dir, next_number(dir)?)?,
        };
        let failed = |source| OpenError::Segment {
            path: live.clone(),
            source,
        };
        let writer = open_writer(&live, now).map_err(failed)?;
        let to_salvage = unsalvaged(dir, &writer)?;
        let paths = std::iter::once(live).chain(readable);
        Ok(Self {
            all: paths.map(|path| Segment::new(Place::File(path))).collect(),
            writer: Some(writer),
            notices,
            to_salvage,
        })
    }

    /// Opens the segments in `dir` for reading. Damaged ones are named and left where they are.
    pub(crate) fn open_read_only(dir: &Path) -> Result<Self, OpenError> {
        let mut notices = Vec::new();
        let mut all = Vec::new();
        for (_, path) in list(dir)?.into_iter().rev() {
            match check(&path) {
                Ok(_) => all.push(Segment::new(Place::File(path))),
                Err(Flaw::Damaged(what)) => notices.push(format!("{} {what}", path.display())),
                Err(Flaw::Newer(version)) => {
                    let (found, known) = (version.major, FORMAT.major);
                    return Err(OpenError::Newer { path, found, known });
                }
                Err(Flaw::Unusable(source)) => return Err(OpenError::Segment { path, source }),
            }
        }
        Ok(Self {
            all,
            writer: None,
            notices,
            to_salvage: Vec::new(),
        })
    }
}

/// Returns whether an error says that a file's content is wrong, rather than that it cannot be reached.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Opens a damaged file to read what is left of it.
pub(crate) fn open_damaged(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // A file that was cut does not answer otherwise. This has to come before anything that reads the schema.
    connection.pragma_update(None, "writable_schema", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.busy_timeout(LOCK_WAIT)?;
    Ok(connection)
}

/// Notes in the segment that a damaged file needs no more salvaging.
pub(crate) const SALVAGED: &str = "INSERT OR REPLACE INTO meta VALUES (?1, 1)";

/// Returns the key under which that is noted.
pub(crate) fn salvaged_key(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    format!("salvaged {}", name.to_string_lossy())
}

/// Returns the segment files in a directory with their numbers, lowest first.
fn list(dir: &Path) -> Result<Vec<(u32, PathBuf)>, OpenError> {
    let mut found = Vec::new();
    for (name, path) in entries(dir)? {
        if let Some(number) = name
            .strip_suffix(".db")
            .and_then(|digits| digits.parse().ok())
        {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Returns a number that no segment has or had.
fn next_number(dir: &Path) -> Result<u32, OpenError> {
    let numbers = entries(dir)?.into_iter().filter_map(|(name, _)| {
        let (digits, rest) = name.split_once('.')?;
        digits
            .parse::<u32>()
            .ok()
            .filter(|_| rest.starts_with("db"))
    });
    Ok(numbers.max().unwrap_or(0).saturating_add(1))
}

fn unsalvaged(dir: &Path, writer: &Connection) -> Result<Vec<PathBuf>, OpenError> {
    let mut paths = Vec::new();
    for (name, path) in entries(dir)? {
        let number = name
            .rsplit_once(".db.damaged-")
            .map(|(_, number)| number.parse::<u32>());
        if !matches!(number, Some(Ok(_))) {
            continue;
        }
        let done = writer.query_one(
            "SELECT EXISTS (SELECT 1 FROM meta WHERE key = ?1)",
            [salvaged_key(&path)],
            |row| row.get(0),
        );
        if !done.map_err(|source| OpenError::Segment {
            path: path.clone(),
            source,
        })? {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, OpenError> {
    let failed = |source| dir::failed("read", dir)(source);
    let mut found = Vec::new();
    let files = match fs::read_dir(dir) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(failed(error).into()),
    };
    for file in files {
        let file = file.map_err(failed)?;
        if let Ok(name) = file.file_name().into_string() {
            found.push((name, file.path()));
        }
    }
    Ok(found)
}

/// Checks what can be checked without reading the file: its header, its schema and the ends of its tables.
fn check(path: &Path) -> Result<Version, Flaw> {
    // SQLite takes an empty file for a new database, and would throw away a log that belongs to it.
    if fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        return Err(Flaw::Damaged("is empty".to_owned()));
    }
    let flaw = |error: rusqlite::Error| {
        if is_damage(&error) {
            Flaw::Damaged(format!("is damaged ({error})"))
        } else {
            Flaw::Unusable(error)
        }
    };
    let place = Place::File(path.to_owned());
    let connection = place.open(OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(flaw)?;
    let number = |sql: &str| {
        connection
            .query_one(sql, [], |row| row.get::<_, i64>(0))
            .map_err(flaw)
    };
    if number("PRAGMA application_id")? != i64::from(format::APPLICATION_ID) {
        return Err(Flaw::Damaged("is not a segment of flows".to_owned()));
    }
    let code = i32::try_from(number("PRAGMA user_version")?).unwrap_or(0);
    let version = Version::from_code(code);
    if version.major > FORMAT.major {
        return Err(Flaw::Newer(version));
    }
    for table in format::TRUTH_TABLES {
        let listed = format!("SELECT count(*) FROM sqlite_schema WHERE name = '{table}'");
        if number(&listed)? == 0 {
            return Err(Flaw::Damaged(format!("lacks the table {table}")));
        }
        number(&format!("SELECT coalesce(max(n), 0) FROM {table}"))?;
    }
    number("SELECT count(*) FROM requests")?;
    Ok(version)
}

fn put_aside(dir: &Path, number: u32, path: &Path, what: &str) -> Result<String, OpenError> {
    let name = format!("{number:06}.db.damaged-");
    let taken = entries(dir)?;
    let mut turn = 1_u32;
    while taken
        .iter()
        .any(|(found, _)| *found == format!("{name}{turn}"))
    {
        turn += 1;
    }
    let aside = dir.join(format!("{name}{turn}"));
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    // The log goes first: a file without its log is old, a log without its file is nothing.
    for suffix in ["-wal", "-shm", ""] {
        let from = with(path, suffix);
        if suffix.is_empty() || from.exists() {
            fs::rename(&from, with(&aside, suffix)).map_err(dir::failed("move aside", &from))?;
        }
    }
    dir::sync(dir).map_err(dir::failed("sync", dir))?;
    Ok(format!(
        "{} {what}; it was moved to {}",
        path.display(),
        aside.display()
    ))
}

/// Creates a segment, complete, and returns its path.
fn create(dir: &Path, number: u32) -> Result<PathBuf, OpenError> {
    let unfinished = dir.join(UNFINISHED);
    let path = dir.join(format!("{number:06}.db"));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let left = dir.join(format!("{UNFINISHED}{suffix}"));
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(dir::failed("remove", &left)(error).into());
            }
            _ => {}
        }
    }
    // SQLite gives the log the permissions of the file.
    let file = dir::private_file(&unfinished).map_err(dir::failed("create", &unfinished))?;
    let make = || -> Result<(), rusqlite::Error> {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Place::File(unfinished.clone()).open(access)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        create_tables(&connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|source| OpenError::Segment {
        path: path.clone(),
        source,
    })?;
    file.sync_all().map_err(dir::failed("sync", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(dir::failed("name", &path))?;
    dir::sync(dir).map_err(dir::failed("sync", dir))?;
    Ok(path)
}

fn create_tables(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(format::TRUTH)?;
    connection.execute_batch(format::ROWS)?;
    connection.pragma_update(None, "application_id", format::APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT.code())?;
    connection.execute_batch("COMMIT")
}

fn open_writer(path: &Path, now: Timestamp) -> Result<Connection, rusqlite::Error> {
    let place = Place::File(path.to_owned());
    let connection = place.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "full")?;
    // What is deleted is not to be found in the file. Only pending parts are deleted in normal life.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_MAX, |_| Ok(()))?;
    // A full or read-only disk is to be found now, with a clear error, and not by the first flow.
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ('opened_at', ?1)",
        [now.0],
    )?;
    make_rows(&connection)?;
    Ok(connection)
}

/// Makes the table of rows where it was dropped, and lists every ended flow as one without row.
fn make_rows(connection: &Connection) -> Result<(), rusqlite::Error> {
    if connection.table_exists(None, "rows")? {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(format::ROWS)?;
    connection.execute_batch("INSERT OR IGNORE INTO unread SELECT n FROM outcomes")?;
    connection.execute_batch("COMMIT")
}

/// Bounds a database in memory. What a group adds before old flows are removed has room beside it.
fn limit_pages(connection: &Connection, bytes_max: u64) -> Result<(), rusqlite::Error> {
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let room = bytes_max.saturating_add(bytes_max / 4);
    let pages = i64::try_from(room).unwrap_or(i64::MAX) / page.max(1);
    connection.pragma_update_and_check(None, "max_page_count", pages.max(64), |_| Ok(()))
}
