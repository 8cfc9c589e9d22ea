//! The store's SQLite files: how they are named, made, checked and put aside.
//!
//! `segments/000001.db` is the first segment. A file that cannot be used is renamed to `000001.db.damaged-1` with
//! its log beside it, never deleted. New files are made under another name and renamed when they are complete, so
//! that a half-made one is never met. Every file is for its owner alone.
//!
//! An unsealed segment is checked by SQLite; a sealed one by its size and its header, which costs one read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::dir;
use crate::format::{self, FORMAT, Version};
use crate::place::{Access, PROBE, Place, cannot_open, is_damage};
use crate::store::OpenError;

/// Bytes of a page. Records of a kilobyte or two waste less room in pages of this size than in smaller ones.
const PAGE_BYTES: i64 = 8192;
/// Name of a segment that is being made.
const UNFINISHED: &str = "unfinished";
/// Ending of the name of a compacted segment that is to take its original's place.
const COMPACTED: &str = ".compact";
/// Ending of the name of a copy from which deleted flows are removed.
const PURGING: &str = ".purging";
/// Endings of the names of files that are derived from a segment, in place of its own.
const DERIVED: [&str; 2] = ["col", "fts"];
/// What SQLite keeps beside a file.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Ending of the name of a segment's columns.
const COLUMNS: &str = "col";
/// Bytes of the header of an SQLite file.
const HEADER_BYTES: usize = 100;
/// What stands at its place 18 while the file has a log.
const WITH_LOG: u8 = 2;
/// How such a file begins.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What is wrong with a file.
#[derive(Debug)]
pub(crate) enum Flaw {
    Damaged(String),
    Newer(Version),
    Unusable(rusqlite::Error),
    Unreachable(io::Error),
}

/// What a look at a sealed segment finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It is as it was sealed, as far as that can be told without reading it.
    Sealed,
    /// It has a log: somebody has written to it since.
    Written,
}

/// Returns the path of a segment.
pub(crate) fn segment_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(segment_name(number))
}

/// Returns the name of a segment's file.
pub(crate) fn segment_name(number: u32) -> String {
    format!("{number:06}.db")
}

/// Returns `path` with something more at its end.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns where the columns of a segment are.
pub(crate) fn columns_path(path: &Path) -> PathBuf {
    path.with_extension(COLUMNS)
}

/// Returns where a segment is compacted to.
pub(crate) fn compacted_path(path: &Path) -> PathBuf {
    beside(path, COMPACTED)
}

/// Returns where the copy of a segment is from which deleted flows are removed.
pub(crate) fn purging_path(path: &Path) -> PathBuf {
    beside(path, PURGING)
}

/// Returns the paths of a segment's files: its own first, then those that are derived from it.
fn family(path: &Path) -> Vec<PathBuf> {
    let own = [path.to_owned()];
    let derived = DERIVED.map(|ending| path.with_extension(ending));
    let bases = own.into_iter().chain(derived);
    let with_logs = |base: PathBuf| {
        let logs = LOGS.map(|suffix| beside(&base, suffix));
        std::iter::once(base).chain(logs)
    };
    bases.flat_map(with_logs).collect()
}

/// Returns the bytes of a segment's files.
pub(crate) fn bytes_of(path: &Path) -> u64 {
    let files = family(path).into_iter();
    files
        .filter_map(|path| fs::metadata(path).ok())
        .map(|found| found.len())
        .sum()
}

/// Removes a segment and what is derived from it.
pub(crate) fn remove_segment(path: &Path) -> Result<(), OpenError> {
    for path in family(path) {
        remove(&path)?;
    }
    let dir = path.parent().unwrap_or(path);
    Ok(dir::sync(dir).map_err(dir::failed("sync", dir))?)
}

/// Removes what is derived from a segment.
pub(crate) fn remove_derived(path: &Path) -> Result<(), OpenError> {
    let derived = family(path).into_iter().skip(1 + LOGS.len());
    derived.into_iter().try_for_each(|path| remove(&path))
}

/// Returns the segment files in a directory with their numbers, lowest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<(u32, PathBuf)>, OpenError> {
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

/// Returns the highest number that a file of any segment has or had; 0 where there is none.
pub(crate) fn number_max(dir: &Path) -> Result<u32, OpenError> {
    let numbers = entries(dir)?.into_iter().filter_map(|(name, _)| {
        let (digits, rest) = name.split_once('.')?;
        digits
            .parse::<u32>()
            .ok()
            .filter(|_| rest.starts_with("db"))
    });
    Ok(numbers.max().unwrap_or(0))
}

/// Returns the damaged segments that were put aside, the first one first.
pub(crate) fn put_aside_before(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let mut paths = Vec::new();
    for (name, path) in entries(dir)? {
        let number = name
            .rsplit_once(".db.damaged-")
            .map(|(_, number)| number.parse::<u32>());
        if matches!(number, Some(Ok(_))) {
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

/// Checks what can be checked of an unsealed segment without reading it: its header, its schema and the ends of its
/// tables.
pub(crate) fn check(path: &Path, access: Access) -> Result<Version, Flaw> {
    let (connection, version) = examine(path, access, format::APPLICATION_ID, FORMAT)?;
    let number = |sql: &str| {
        connection
            .query_one(sql, [], |row| row.get::<_, i64>(0))
            .map_err(flaw)
    };
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

/// Opens a database that should be one of ours, and returns its version. The known one's major is the limit.
pub(crate) fn examine(
    path: &Path,
    access: Access,
    application: i32,
    known: Version,
) -> Result<(Connection, Version), Flaw> {
    // SQLite takes an empty file for a new database, and would throw away a log that belongs to it.
    if fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        return Err(Flaw::Damaged("is empty".to_owned()));
    }
    let place = Place::File(path.to_owned());
    let connection = place.open_reader(access).map_err(flaw)?;
    let number = |sql: &str| {
        connection
            .query_one(sql, [], |row| row.get::<_, i64>(0))
            .map_err(flaw)
    };
    if number("PRAGMA application_id")? != i64::from(application) {
        return Err(Flaw::Damaged("is no file of this store".to_owned()));
    }
    let code = i32::try_from(number("PRAGMA user_version")?).unwrap_or(0);
    let version = Version::from_code(code);
    if version.major > known.major {
        return Err(Flaw::Newer(version));
    }
    Ok((connection, version))
}

/// Checks a sealed segment by its size and its header.
pub(crate) fn check_sealed(path: &Path, bytes: u64, version: Version) -> Result<Sight, Flaw> {
    let mut file = File::open(path).map_err(Flaw::Unreachable)?;
    let found = file.metadata().map_err(Flaw::Unreachable)?.len();
    let mut header = [0; HEADER_BYTES];
    match file.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Err(Flaw::Damaged("is cut off".to_owned()));
        }
        Err(error) => return Err(Flaw::Unreachable(error)),
    }
    let number = |at: usize| {
        let bytes = header.get(at..at + 4)?;
        Some(i32::from_be_bytes(bytes.try_into().ok()?))
    };
    if !header.starts_with(MAGIC) || number(68) != Some(format::APPLICATION_ID) {
        return Err(Flaw::Damaged("has a damaged header".to_owned()));
    }
    let stands = Version::from_code(number(60).unwrap_or(0));
    if stands.major > FORMAT.major {
        return Err(Flaw::Newer(stands));
    }
    let logs = ["-wal", "-journal"];
    let logged = logs.iter().any(|suffix| beside(path, suffix).exists());
    if logged || header.get(18) == Some(&WITH_LOG) {
        return Ok(Sight::Written);
    }
    if stands != version {
        return Err(Flaw::Damaged("has a damaged header".to_owned()));
    }
    if found != bytes {
        return Err(Flaw::Damaged(format!(
            "has {found} bytes, and {bytes} were sealed"
        )));
    }
    Ok(Sight::Sealed)
}

/// Takes back what a kill left half-done in a segment that was about to lose or to get its log. Where that cannot
/// be done the check of the segment tells.
pub(crate) fn roll_back(path: &Path) {
    if beside(path, "-journal").exists() {
        let opened = Place::File(path.to_owned()).open(OpenFlags::SQLITE_OPEN_READ_WRITE);
        let probed = opened.and_then(|connection| connection.query_one(PROBE, [], |_| Ok(())));
        if let Err(error) = probed {
            tracing::warn!(%error, "a segment cannot be rolled back");
        }
    }
}

/// Returns whether what stands in a segment's log, if anything, is read too.
pub(crate) fn is_log_readable(path: &Path) -> bool {
    if fs::metadata(beside(path, "-wal")).map_or(0, |found| found.len()) == 0 {
        return true;
    }
    let opened = Place::File(path.to_owned()).open(OpenFlags::SQLITE_OPEN_READ_ONLY);
    let probed = opened.and_then(|connection| connection.query_one(PROBE, [], |_| Ok(())));
    !matches!(probed, Err(error) if cannot_open(&error))
}

fn flaw(error: rusqlite::Error) -> Flaw {
    if is_damage(&error) {
        Flaw::Damaged(format!("is damaged ({error})"))
    } else {
        Flaw::Unusable(error)
    }
}

/// Renames a file that cannot be used, with its log. Returns in words what was done.
pub(crate) fn put_aside(dir: &Path, name: &str, what: &str) -> Result<String, OpenError> {
    let path = dir.join(name);
    let taken = entries(dir)?;
    let mut turn = 1_u32;
    while taken
        .iter()
        .any(|(found, _)| *found == format!("{name}.damaged-{turn}"))
    {
        turn += 1;
    }
    let aside = dir.join(format!("{name}.damaged-{turn}"));
    // The log goes first: a file without its log is old, a log without its file is nothing.
    for suffix in ["-wal", "-shm", "-journal", ""] {
        let from = beside(&path, suffix);
        if suffix.is_empty() || from.exists() {
            fs::rename(&from, beside(&aside, suffix)).map_err(dir::failed("move aside", &from))?;
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
pub(crate) fn create_segment(dir: &Path, number: u32) -> Result<PathBuf, OpenError> {
    let path = segment_path(dir, number);
    create(&path, &dir.join(UNFINISHED), create_tables)?;
    Ok(path)
}

/// Creates a database with a log, complete, by way of the name `unfinished` in the same directory.
pub(crate) fn create(
    path: &Path,
    unfinished: &Path,
    fill: impl FnOnce(&Connection) -> Result<(), rusqlite::Error>,
) -> Result<(), OpenError> {
    // A log that lost its file would be taken for the new one's.
    for suffix in ["-wal", "-shm", "-journal"] {
        remove(&beside(path, suffix))?;
    }
    let file = new_file(unfinished)?;
    let make = || -> Result<(), rusqlite::Error> {
        let place = Place::File(unfinished.to_owned());
        let connection = place.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        fill(&connection)?;
        connection.close().map_err(|(_, error)| error)
    };
    make().map_err(|source| OpenError::Segment {
        path: path.to_owned(),
        source,
    })?;
    name(&file, unfinished, path)
}

/// Creates an empty file that only this user may read, in place of whatever a kill left under its name.
pub(crate) fn new_file(path: &Path) -> Result<File, OpenError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        remove(&beside(path, suffix))?;
    }
    // SQLite gives the log the permissions of the file.
    Ok(dir::private_file(path).map_err(dir::failed("create", path))?)
}

/// Gives a complete file its name, so that neither it nor the name is lost by a power cut.
pub(crate) fn name(file: &File, unfinished: &Path, path: &Path) -> Result<(), OpenError> {
    file.sync_all().map_err(dir::failed("sync", unfinished))?;
    fs::rename(unfinished, path).map_err(dir::failed("name", path))?;
    let dir = path.parent().unwrap_or(path);
    Ok(dir::sync(dir).map_err(dir::failed("sync", dir))?)
}

pub(crate) fn remove(path: &Path) -> Result<(), OpenError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(dir::failed("remove", path)(error).into())
        }
        _ => Ok(()),
    }
}

pub(crate) fn create_tables(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch("BEGIN")?;
    connection.execute_batch(format::TRUTH)?;
    connection.execute_batch(format::ROWS)?;
    connection.pragma_update(None, "application_id", format::APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT.code())?;
    connection.execute_batch("COMMIT")
}

/// Makes the table of rows where it was dropped, and lists every ended flow as one without row.
pub(crate) fn make_rows(connection: &Connection) -> Result<(), rusqlite::Error> {
    if connection.table_exists(None, "rows")? {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(format::ROWS)?;
    connection.execute_batch("INSERT OR IGNORE INTO unread SELECT n FROM outcomes")?;
    connection.execute_batch("COMMIT")
}
