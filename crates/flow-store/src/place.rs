//! Where a database is, and the connections to it.
//!
//! Connections are opened here and nowhere else, so that all of them distrust what a file says of itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::files;

/// How long a connection waits for a lock that another one holds.
const LOCK_WAIT: Duration = Duration::from_secs(1);
/// Pages of the log at which it is written into the file: 16 MB.
const CHECKPOINT_PAGES: i64 = 2000;
/// What the log is cut to after a checkpoint.
const LOG_BYTES_MAX: i64 = 64 * 1024 * 1024;
/// What a connection to an unsealed segment caches.
const CACHE_KIB: i64 = 8192;
/// The same for a sealed one, of which there are many.
const SEALED_CACHE_KIB: i64 = 1024;
/// Prepared statements that a connection keeps; more than there are.
const STATEMENTS_MAX: usize = 64;
/// A query that needs the file and its log.
pub(crate) const PROBE: &str = "SELECT count(*) FROM sqlite_schema";

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    File(PathBuf),
    /// The name under which SQLite shares a database among the connections of this process.
    Memory(String),
}

/// How a database is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Others may write to the file, through the log beside it.
    Shared,
    /// The same, but where no file can be made beside it, it is read without its log.
    Lenient,
    /// Nobody writes to the file: it is read without locks, and nothing is made beside it.
    Sealed,
}

// === impl Place ===

impl Place {
    /// Opens the database for reading.
    pub(crate) fn open_reader(&self, access: Access) -> Result<Connection, rusqlite::Error> {
        let path = match (self, access) {
            (Self::File(path), Access::Sealed) => return open_immutable(path),
            (Self::File(path), Access::Lenient) => path,
            (Self::File(_) | Self::Memory(_), _) => {
                return self.open(OpenFlags::SQLITE_OPEN_READ_ONLY);
            }
        };
        let opened = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY);
        let probed = opened.and_then(|connection| {
            connection.query_one(PROBE, [], |_| Ok(()))?;
            Ok(connection)
        });
        match probed {
            Err(error) if cannot_open(&error) => open_immutable(path),
            probed => probed,
        }
    }

    /// Opens the database for writing.
    pub(crate) fn open_writer(&self) -> Result<Connection, rusqlite::Error> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // A segment that was sealed, or was about to be, has no log.
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        // What is deleted is not to be found in the file. Only pending parts are deleted in normal life.
        connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        connection.pragma_update_and_check(
            None,
            "journal_size_limit",
            LOG_BYTES_MAX,
            |_| Ok(()),
        )?;
        Ok(connection)
    }

    /// Creates a database in memory that takes `bytes_max` at most.
    pub(crate) fn create_in_memory(&self, bytes_max: u64) -> Result<Connection, rusqlite::Error> {
        let access = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = self.open(access)?;
        files::create_tables(&connection)?;
        limit_pages(&connection, bytes_max)?;
        Ok(connection)
    }

    /// Opens the database with these flags, and no more.
    pub(crate) fn open(&self, access: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags)?,
            Self::Memory(name) => {
                Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)?
            }
        };
        configure(&connection, CACHE_KIB)?;
        Ok(connection)
    }
}

fn open_immutable(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(immutable_uri(path), flags)?;
    configure(&connection, SEALED_CACHE_KIB)?;
    Ok(connection)
}

fn configure(connection: &Connection, cache_kib: i64) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // A negative size is one in KiB.
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

/// Returns the name under which SQLite opens a file that nobody writes to.
fn immutable_uri(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    if cfg!(windows) && path.is_absolute() {
        uri.push('/');
    }
    for &byte in path.as_os_str().as_encoded_bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/.-_:".contains(&byte);
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            byte if plain => uri.push(char::from(byte)),
            byte => uri.extend(['%', hex(byte >> 4), hex(byte & 15)]),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn hex(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0')
}

/// Returns whether an error says that a file's content is wrong, rather than that it cannot be reached.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Returns whether an error says that a file, or one beside it, is not there and cannot be made.
pub(crate) fn cannot_open(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
}

/// Opens a damaged file to read what is left of it.
pub(crate) fn open_damaged(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let log = files::beside(path, "-wal").metadata();
    let connection = if log.is_ok_and(|found| found.len() > 0) {
        Connection::open_with_flags(path, flags)?
    } else {
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(immutable_uri(path), flags)?
    };
    // A file that was cut does not answer otherwise. This has to come before anything that reads the schema.
    connection.pragma_update(None, "writable_schema", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.busy_timeout(LOCK_WAIT)?;
    Ok(connection)
}

/// Bounds a database in memory. What a group adds before old flows are removed has room beside it.
fn limit_pages(connection: &Connection, bytes_max: u64) -> Result<(), rusqlite::Error> {
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let room = bytes_max.saturating_add(bytes_max / 4);
    let pages = i64::try_from(room).unwrap_or(i64::MAX) / page.max(1);
    connection.pragma_update_and_check(None, "max_page_count", pages.max(64), |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_can_be_read_as_a_sealed_file() {
        let root = tempfile::tempdir().unwrap();
        for name in ["plain.db", "a b?immutable=0#x%41.db", "深.db"] {
            let path = root.path().join(name);
            let made = Connection::open(&path).unwrap();
            made.execute_batch("CREATE TABLE t (a)").unwrap();
            drop(made);
            let place = Place::File(path);
            let read = place.open_reader(Access::Sealed).unwrap();
            let tables: i64 = read.query_one(PROBE, [], |row| row.get(0)).unwrap();
            assert_eq!(tables, 1, "{name}");
            assert!(read.execute_batch("DROP TABLE t").is_err());
        }
    }
}
