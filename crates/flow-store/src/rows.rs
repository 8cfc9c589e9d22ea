//! Reads the rows of a segment: some of them for a list, all of them for its columns.
//!
//! A row that cannot be read costs its flow a place in lists until it is derived again, and nothing else.

use std::num::NonZero;
use std::thread;

use flow_model::Row;
use rusqlite::{Connection, OptionalExtension};

use crate::columns::{FILE_ROWS_MAX, LiveColumns};
use crate::format;
use crate::place;
use crate::segment::Segment;

/// Rows that are read by one query.
const READ_ROWS: i64 = 4096;
/// Queries that may hit damage before the table counts as unreadable.
const FAULTS_MAX: usize = 2000;
/// Threads that take rows apart.
const THREADS_MAX: usize = 4;

/// Returns a row; none where there is none, or it is hurt and has to be derived again.
pub(crate) fn one(connection: &Connection, n: i64) -> Result<Option<Row>, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT row FROM rows WHERE n = ?1")?;
    let row = statement.query_row([n], |row| Ok(format::open_row(row.get_ref(0)?.as_bytes()?)));
    if let Ok(None) = &row {
        tracing::warn!(n, "a row is damaged");
    }
    row.optional().map(Option::flatten)
}

/// Returns whether there is a row that is hurt.
pub(crate) fn is_hurt(connection: &Connection, n: i64) -> Result<bool, rusqlite::Error> {
    let mut statement = connection.prepare_cached("SELECT row FROM rows WHERE n = ?1")?;
    let row = statement.query_row([n], |row| Ok(format::open_row(row.get_ref(0)?.as_bytes()?)));
    Ok(matches!(row.optional()?, Some(None)))
}

/// Returns columns of all rows.
pub(crate) fn columns(segment: &Segment) -> Result<LiveColumns, rusqlite::Error> {
    let last = segment.read(|connection| {
        if !connection.table_exists(None, "rows")? {
            return Ok(0);
        }
        let sql = "SELECT coalesce(max(n), 0) FROM rows";
        connection.query_one(sql, [], |row| row.get::<_, i64>(0))
    })?;
    let last = last.min(i64::try_from(FILE_ROWS_MAX).unwrap_or(i64::MAX));
    let mut columns = LiveColumns::new();
    let (mut read, mut faults) = (Vec::new(), 0);
    let mut first = 1;
    while first <= last {
        let past = first.saturating_add(READ_ROWS);
        stored(segment, first, past, &mut faults, &mut read)?;
        for (n, row) in opened(&read) {
            match row {
                Some(row) => columns.set(n, &row).unwrap_or_else(|error| {
                    tracing::warn!(%error, segment = segment.number, "a row is not listed");
                }),
                None => tracing::warn!(n, segment = segment.number, "a row is damaged"),
            }
        }
        read.clear();
        first = past;
    }
    Ok(columns)
}

/// Adds the rows from the number `first` on and before `past` to `read`, as they are stored. Around damage fewer and
/// fewer are read at once.
fn stored(
    segment: &Segment,
    first: i64,
    past: i64,
    faults: &mut usize,
    read: &mut Vec<(i64, Vec<u8>)>,
) -> Result<(), rusqlite::Error> {
    let known = read.len();
    let found = segment.read(|connection| {
        let sql = "SELECT n, row FROM rows WHERE n >= ?1 AND n < ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([first, past])?;
        while let Some(row) = rows.next()? {
            read.push((row.get(0)?, row.get_ref(1)?.as_bytes()?.to_vec()));
        }
        Ok(())
    });
    match found {
        Err(error) if place::is_damage(&error) && *faults < FAULTS_MAX => {
            *faults += 1;
            read.truncate(known);
            if past - first <= 1 {
                tracing::warn!(n = first, segment = segment.number, "a row cannot be read");
                return Ok(());
            }
            let middle = first + (past - first) / 2;
            stored(segment, first, middle, faults, read)?;
            stored(segment, middle, past, faults, read)
        }
        found => found,
    }
}

/// Takes rows apart, on several threads: that is most of the work.
fn opened(stored: &[(i64, Vec<u8>)]) -> Vec<(i64, Option<Row>)> {
    let open = |part: &[(i64, Vec<u8>)]| -> Vec<(i64, Option<Row>)> {
        let row = |(n, row): &(i64, Vec<u8>)| (*n, format::open_row(row));
        part.iter().map(row).collect()
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let size = stored.len().div_ceil(cores.min(THREADS_MAX)).max(256);
    let mut parts = stored.chunks(size);
    let first = parts.next().unwrap_or_default();
    thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || open(part))).collect();
        let mut rows = open(first);
        for other in others {
            let opened = other.join();
            rows.extend(opened.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        rows
    })
}
