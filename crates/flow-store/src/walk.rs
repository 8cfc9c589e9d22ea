//! Goes over the rows of a table that may be damaged: a hole costs what is in it and nothing behind it.

use rusqlite::{Connection, OptionalExtension};

use crate::place::is_damage;

/// Numbers that are asked for at once.
const NUMBERS_MAX: i64 = 1000;

/// A stretch of a table that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// The first number that may stand in it.
    pub(crate) from: i64,
    /// The first one behind it that can be read; none where nothing more can be.
    pub(crate) to: Option<i64>,
}

/// Calls `visit` with the number of every row of a table, in order. Returns where none could be read.
pub(crate) fn numbers(
    connection: &Connection,
    table: &str,
    key: &str,
    mut visit: impl FnMut(i64) -> Result<(), rusqlite::Error>,
) -> Result<Vec<Hole>, rusqlite::Error> {
    let next =
        format!("SELECT {key} FROM {table} WHERE {key} >= ?1 ORDER BY {key} LIMIT {NUMBERS_MAX}");
    let (mut holes, mut from) = (Vec::new(), i64::MIN);
    let mut batch = Vec::new();
    loop {
        batch.clear();
        let read = read_batch(connection, &next, from, &mut batch);
        for &number in &batch {
            visit(number)?;
        }
        let last = batch.last().copied();
        if sound(read)?.is_some() {
            match last.and_then(|last| last.checked_add(1)) {
                Some(behind) => from = behind,
                None => return Ok(holes),
            }
            continue;
        }
        let hole_at = last.map_or(from, |last| last.saturating_add(1));
        let to = end_of_hole(connection, table, key, hole_at)?;
        holes.push(Hole { from: hole_at, to });
        match to {
            Some(to) => from = to,
            None => return Ok(holes),
        }
    }
}

fn read_batch(
    connection: &Connection,
    sql: &str,
    from: i64,
    batch: &mut Vec<i64>,
) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        batch.push(row.get(0)?);
    }
    Ok(())
}

/// Returns the first number behind `from` that can be read, as if there were only one hole: what lies between two
/// of them may be skipped with them.
fn end_of_hole(
    connection: &Connection,
    table: &str,
    key: &str,
    from: i64,
) -> Result<Option<i64>, rusqlite::Error> {
    let sql = format!("SELECT {key} FROM {table} WHERE {key} >= ?1 ORDER BY {key} LIMIT 1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut at = |from: i64| -> Result<Option<Option<i64>>, rusqlite::Error> {
        sound(statement.query_row([from], |row| row.get(0)).optional())
    };
    // Numbers begin at 1 in every table of ours.
    let (mut hurt, mut step) = (from.max(0), 1_i64);
    let mut readable = loop {
        let probe = hurt.saturating_add(step);
        match at(probe)? {
            Some(Some(found)) => break (probe, found),
            None if probe < i64::MAX => {
                hurt = probe;
                step = step.saturating_mul(2);
            }
            Some(None) | None => return Ok(None),
        }
    };
    while readable.0 - hurt > 1 {
        let middle = hurt + (readable.0 - hurt) / 2;
        match at(middle)? {
            Some(Some(found)) => readable = (middle, found),
            Some(None) | None => hurt = middle,
        }
    }
    Ok(Some(readable.1))
}

/// Returns none in the place of an error that comes from what stands in the file.
pub(crate) fn sound<T>(read: Result<T, rusqlite::Error>) -> Result<Option<T>, rusqlite::Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error @ rusqlite::Error::SqliteFailure(..)) => Err(error),
        // What is left are values of another type than the one that we wrote.
        Err(error) => {
            tracing::debug!(%error, "a value is not what was written");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::place;

    fn collect(path: &std::path::Path) -> (Vec<i64>, Vec<Hole>) {
        let connection = place::open_damaged(path).unwrap();
        let mut found = Vec::new();
        let holes = numbers(&connection, "t", "n", |n| {
            found.push(n);
            Ok(())
        });
        (found, holes.unwrap())
    }

    #[test]
    fn a_hurt_page_costs_its_rows_and_no_others() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("t.db");
        let made = Connection::open(&path).unwrap();
        let fill = "CREATE TABLE t (n INTEGER PRIMARY KEY, body BLOB);
            WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 3000)
            INSERT INTO t SELECT n, zeroblob(100) FROM k";
        made.execute_batch(fill).unwrap();
        drop(made);
        assert_eq!(collect(&path), ((1..=3000).collect(), Vec::new()));

        let mut bytes = fs::read(&path).unwrap();
        let page = 20 * 4096;
        bytes[page..page + 64].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let (found, holes) = collect(&path);
        assert_eq!(holes.len(), 1, "{holes:?}");
        let (from, to) = (holes[0].from, holes[0].to.unwrap());
        assert!(to - from < 60, "{holes:?}");
        assert_eq!(found, (1..from).chain(to..=3000).collect::<Vec<_>>());

        bytes.truncate(page);
        fs::write(&path, &bytes).unwrap();
        let (found, holes) = collect(&path);
        assert_eq!(holes.last().unwrap().to, None);
        assert!(found.len() > 500 && found.iter().zip(1..).all(|(&n, k)| n == k));
    }
}
