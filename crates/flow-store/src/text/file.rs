//! The file: its tables, how it is opened, what can be wrong with it.
//!
//! The header's `application_id` says what the file is and which version; its `user_version` is 0 while the file is
//! written, and then a checksum over all the rest, which [`audit`] compares: SQLite does not notice a changed byte
//! inside a value, and what is missing from an index is not missed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use thiserror::Error;

/// The version of the tokens and of what the tables mean. A file of another one is made anew.
pub(super) const VERSION: u8 = 1;

/// What `application_id` is but for the version: "FTX" in ASCII.
const APPLICATION_ID: i32 = 0x4654_5800;
/// Where the header holds `user_version`.
const CHECKSUM_AT: usize = 60;
/// What the header's checksum is called: 0 says that the file is not finished.
pub(super) const FINISHED: &str = "user_version";
/// Bytes of the checksum.
const CHECKSUM_BYTES: usize = 4;
/// Bytes that are read at a time to compute it.
const AUDIT_BYTES: usize = 1 << 20;
/// Bytes of a page: terms are read faster from large ones, single texts written faster to small ones.
const PAGE_BYTES: i64 = 8192;
/// How long a connection waits for a lock that another one holds.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Pages of the log at which it is written into the file: 16 MB.
const CHECKPOINT_PAGES: i64 = 2000;
/// What the log is cut to after a checkpoint.
const LOG_BYTES_MAX: i64 = 32 * 1024 * 1024;
/// What FTS5 collects before it writes, unless the transaction ends before.
const COLLECTED_BYTES: i64 = 16 * 1024 * 1024;
/// Prepared statements that a connection keeps; more than there are.
const STATEMENTS_MAX: usize = 32;

const TABLES: &str = "
    CREATE VIRTUAL TABLE texts USING fts5(
        words, content='', columnsize=0, detail=none, tokenize='ascii');
    CREATE TABLE uses (
        t INTEGER NOT NULL, n INTEGER NOT NULL, node INTEGER NOT NULL, kind INTEGER NOT NULL, part INTEGER NOT NULL,
        PRIMARY KEY (t, n, node, kind, part)) WITHOUT ROWID;
    CREATE TABLE terms (chunk INTEGER PRIMARY KEY, words BLOB NOT NULL);
    CREATE TABLE hashes (t INTEGER PRIMARY KEY, hash INTEGER NOT NULL);
    CREATE TABLE heads (at INTEGER PRIMARY KEY, n INTEGER NOT NULL, nodes BLOB NOT NULL);
    CREATE TABLE done (n INTEGER PRIMARY KEY);
    CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    INSERT INTO meta VALUES ('key', randomblob(32)), ('watermark', 0);
";

/// Why a text index cannot be used.
#[derive(Debug, Error)]
pub enum TextError {
    /// Its content is wrong, or it is of another version: it is to be made anew.
    #[error("the text index {} has to be made anew: {what}", path.display())]
    Spoilt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It cannot be reached, read or written.
    #[error("cannot use the text index {}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// The same, of the file itself.
    #[error("cannot {act} the text index {}", path.display())]
    Io {
        /// What was to be done with it.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it could not.
        #[source]
        source: io::Error,
    },
}

/// Checks every byte of a finished file against its checksum. One that is still written to has none, and passes.
pub fn audit(path: &Path) -> Result<(), TextError> {
    let (found, computed) = sums(path).map_err(failed("read", path))?;
    if found == 0 || found == computed {
        Ok(())
    } else {
        Err(spoilt(path, "a byte of it has changed"))
    }
}

/// Writes the checksum into a file that nobody has open.
pub(super) fn seal(path: &Path) -> Result<(), TextError> {
    let write = || -> io::Result<()> {
        let (_, computed) = sums(path)?;
        let mut file = File::options().write(true).open(path)?;
        file.seek(SeekFrom::Start(CHECKSUM_AT as u64))?;
        file.write_all(&computed.to_be_bytes())?;
        file.sync_all()
    };
    write().map_err(failed("seal", path))
}

/// Creates an empty file for a connection that writes.
pub(super) fn create(path: &Path) -> Result<Connection, TextError> {
    remove(path)?;
    crate::dir::private_file(path).map_err(failed("create", path))?;
    let make = || -> Result<Connection, rusqlite::Error> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        prepare(&connection)?;
        connection.execute_batch("BEGIN")?;
        connection.execute_batch(TABLES)?;
        connection.pragma_update(None, "application_id", APPLICATION_ID | i32::from(VERSION))?;
        connection.execute_batch("COMMIT")?;
        collect(&connection)?;
        Ok(connection)
    };
    make().map_err(|error| sort(path, error))
}

/// Opens a file to go on writing.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, TextError> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        prepare(&connection)?;
        Ok(connection)
    };
    let connection = open().map_err(|error| sort(path, error))?;
    if check(path, &connection)? {
        return Err(spoilt(path, "it is finished"));
    }
    collect(&connection).map_err(|error| sort(path, error))?;
    Ok(connection)
}

/// Opens a file to read.
pub(super) fn open_to_read(path: &Path, cache_kib: i64) -> Result<Connection, TextError> {
    let open = || -> Result<Connection, rusqlite::Error> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        Ok(connection)
    };
    let connection = open().map_err(|error| sort(path, error))?;
    check(path, &connection)?;
    Ok(connection)
}

/// Removes a file with its log.
pub(super) fn remove(path: &Path) -> Result<(), TextError> {
    // The log goes first: a log without its file would be taken for the log of the next one.
    remove_log(path)?;
    remove_one(path)
}

/// Removes the log of a file.
pub(super) fn remove_log(path: &Path) -> Result<(), TextError> {
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        remove_one(Path::new(&name))?;
    }
    Ok(())
}

fn remove_one(path: &Path) -> Result<(), TextError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Returns what an error of SQLite says of the file. The statements are ours and sound, so one that is refused
/// meets a file that is not what it was.
pub(super) fn sort(path: &Path, error: rusqlite::Error) -> TextError {
    use ErrorCode as Code;

    let outside = matches!(
        error.sqlite_error_code(),
        Some(
            Code::PermissionDenied
                | Code::OperationAborted
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::OutOfMemory
                | Code::ReadOnly
                | Code::OperationInterrupted
                | Code::SystemIoFailure
                | Code::DiskFull
                | Code::CannotOpen
                | Code::FileLockingProtocolFailed
                | Code::NoLargeFileSupport
        )
    );
    if outside {
        TextError::Unusable {
            path: path.to_owned(),
            source: error,
        }
    } else {
        spoilt(path, &error.to_string())
    }
}

pub(super) fn spoilt(path: &Path, what: &str) -> TextError {
    TextError::Spoilt {
        path: path.to_owned(),
        what: what.to_owned(),
    }
}

pub(super) fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TextError {
    let path = path.to_owned();
    move |source| TextError::Io { act, path, source }
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

/// Sets what a connection that writes needs. Nothing waits for the disk but the end of a log: the file is derived.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_MAX, |_| Ok(()))
}

/// Sets how much FTS5 collects; this is kept in the file, and read with the first statement.
fn collect(connection: &Connection) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO texts (texts, rank) VALUES ('hashsize', ?1)";
    connection.execute(sql, [COLLECTED_BYTES])?;
    Ok(())
}

/// Returns whether a file is finished, once it is known to be one that this program can read. Of a finished one
/// the length is known too; SQLite itself takes half a page for a whole one.
fn check(path: &Path, connection: &Connection) -> Result<bool, TextError> {
    let number = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i32>(0))
            .map_err(|error| sort(path, error))
    };
    let id = number("application_id")?;
    if id & !0xff != APPLICATION_ID {
        return Err(spoilt(path, "it is not a text index"));
    }
    if id & 0xff != i32::from(VERSION) {
        return Err(spoilt(path, "it is of another version"));
    }
    let finished = number(FINISHED)? != 0;
    if finished {
        let length = i64::from(number("page_size")?) * i64::from(number("page_count")?);
        let found = std::fs::metadata(path).map_err(failed("read", path))?.len();
        if u64::try_from(length) != Ok(found) {
            return Err(spoilt(path, "it has another length"));
        }
    }
    Ok(finished)
}

/// Returns the checksum in a file's header and the one of its bytes.
fn sums(path: &Path) -> io::Result<(u32, u32)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; AUDIT_BYTES];
    let mut found = [0; CHECKSUM_BYTES];
    let mut first = true;
    loop {
        let count = fill(&mut file, &mut buffer)?;
        let Some(bytes) = buffer.get_mut(..count).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        let sum = bytes.get_mut(CHECKSUM_AT..CHECKSUM_AT + CHECKSUM_BYTES);
        if let (true, Some(sum)) = (first, sum) {
            found.copy_from_slice(sum);
            sum.fill(0);
        }
        first = false;
        hasher.update(bytes);
    }
    let computed = hasher.finalize();
    let computed = computed.as_bytes().first_chunk::<CHECKSUM_BYTES>();
    let computed = u32::from_be_bytes(computed.copied().unwrap_or_default());
    // 0 says that the file has no checksum.
    Ok((u32::from_be_bytes(found), computed.max(1)))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read(room)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}
