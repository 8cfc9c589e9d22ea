//! One segment: its file, its tables, its flows, its entry in the catalog, and what is derived from it.

use std::fs::File;
use std::path::Path;

use flow_model::FlowId;
use rusqlite::Connection;

use super::{FindingKind, Look};
use crate::blobs::Audit;
use crate::catalog::Entry;
use crate::files::{self, Flaw, Sight};
use crate::format::{self, FORMAT};
use crate::place;
use crate::seal;
use crate::segment::{Extent, SegmentState};
use crate::text;
use crate::walk::{self, Hole};

/// Lines of SQLite's own check that are told of a file.
const LINES_MAX: usize = 100;

/// What was read of a segment.
#[derive(Default)]
struct Tally {
    flows: u64,
    extent: Extent,
    holes: bool,
}

impl Look<'_> {
    /// Checks a segment, in the state of one moment.
    pub(super) fn segment(&mut self, path: &Path, entry: Option<&Entry>) {
        let bytes = path.metadata().map_or(0, |found| found.len());
        self.report.segments += 1;
        self.report.bytes += bytes;
        let sealed = entry.filter(|entry| entry.state == SegmentState::Sealed);
        let is_sealed = sealed.is_some_and(|entry| self.sealed(path, entry));
        if let Some(connection) = self.open(path, is_sealed) {
            let tally = self.tables(path, &connection);
            if let Some(entry) = sealed.filter(|_| is_sealed && !tally.holes)
                && !self.work.is_cancelled()
            {
                self.entry(&connection, entry, &tally);
            }
        }
        if is_sealed || self.running.is_none() {
            self.derived(path);
        }
        self.work.advance(bytes);
    }

    /// Compares a sealed segment with its checksum. Returns whether it is one as far as its size and header tell.
    fn sealed(&mut self, path: &Path, entry: &Entry) -> bool {
        match files::check_sealed(path, entry.bytes, entry.version) {
            Ok(Sight::Sealed) => {}
            Ok(Sight::Written) => {
                let name = files::segment_name(entry.number);
                self.disagree(format!("says that {name} is sealed, but it was written to"));
                return false;
            }
            // SQLite says better what it is.
            Err(Flaw::Newer(_)) => return false,
            Err(flaw) => {
                self.find_flaw(path, flaw);
                return false;
            }
        }
        let summed = File::open(path).and_then(|file| seal::sum(file, || self.work.is_cancelled()));
        match summed {
            Ok(Some((found, _))) if entry.checksum.is_some_and(|expect| expect != found) => {
                let what = "is not as it was when it was sealed";
                self.find(FindingKind::Damaged, path, what);
            }
            Ok(_) => {}
            Err(error) => self.find_flaw(path, Flaw::Unreachable(error)),
        }
        true
    }

    /// Opens a segment, by force where it is damaged.
    fn open(&mut self, path: &Path, is_sealed: bool) -> Option<Connection> {
        let access = self.access(path, is_sealed);
        let connection = match files::examine(path, access, format::APPLICATION_ID, FORMAT) {
            Ok((connection, _)) => connection,
            Err(flaw) => {
                let hurt = matches!(flaw, Flaw::Damaged(_));
                self.find_flaw(path, flaw);
                let forced = hurt.then(|| place::open_damaged(path).ok()).flatten()?;
                // What is not ours, or has lost its schema, holds nothing that could be named.
                let requests = forced.table_exists(None, "requests");
                return requests.is_ok_and(|there| there).then_some(forced);
            }
        };
        // All of it is read as it stands at this moment.
        if let Err(error) = connection.execute_batch("BEGIN") {
            self.find_flaw(path, Flaw::Unusable(error));
        }
        Some(connection)
    }

    /// Reads every table.
    fn tables(&mut self, path: &Path, connection: &Connection) -> Tally {
        self.integrity(path, connection);
        let has = |table: &str| {
            connection
                .table_exists(None, table)
                .is_ok_and(|there| there)
        };
        for table in format::TRUTH_TABLES {
            if !has(table) {
                self.find(
                    FindingKind::Damaged,
                    path,
                    format!("lacks the table {table}"),
                );
            }
        }
        if format::TRUTH_TABLES.into_iter().any(|table| !has(table)) {
            return Tally {
                holes: true,
                ..Tally::default()
            };
        }
        let mut audit = None;
        if has("blobs") && has("nodes") {
            let mut hurt = Vec::new();
            let audited = Audit::new(connection, |error| hurt.push(error.to_string()));
            for what in hurt {
                self.find(FindingKind::Damaged, path, what);
            }
            match audited {
                Ok(audited) => audit = Some(audited),
                Err(error) => self.find_flaw(path, Flaw::Unusable(error)),
            }
        }
        let rows = has("rows");
        let tally = self.flows(path, connection, audit.as_ref(), rows);
        if !tally.holes {
            self.joins(path, connection, rows);
        }
        tally
    }

    /// Has SQLite check its pages and indexes.
    fn integrity(&mut self, path: &Path, connection: &Connection) {
        let check = || -> Result<Vec<String>, rusqlite::Error> {
            let mut check = connection.prepare(&format!("PRAGMA integrity_check({LINES_MAX})"))?;
            let lines = check.query_map([], |row| row.get(0))?;
            lines.collect()
        };
        match check() {
            Ok(lines) => {
                let hurt = lines.into_iter().filter(|line| line != "ok");
                for line in
                    hurt.flat_map(|line| line.lines().map(str::to_owned).collect::<Vec<_>>())
                {
                    self.find(FindingKind::Damaged, path, format!("is damaged ({line})"));
                }
            }
            Err(error) if place::is_damage(&error) => {
                self.find(FindingKind::Damaged, path, format!("is damaged ({error})"));
            }
            Err(error) => self.find_flaw(path, Flaw::Unusable(error)),
        }
    }

    /// Reads every flow.
    fn flows(
        &mut self,
        path: &Path,
        connection: &Connection,
        audit: Option<&Audit>,
        rows: bool,
    ) -> Tally {
        let mut tally = Tally::default();
        let walked = walk::numbers(connection, "requests", "n", |n| {
            if self.work.is_cancelled() {
                return Ok(());
            }
            let found = super::flow::read(connection, n, (audit, rows, self.deep))?;
            tally.flows += 1;
            self.report.flows += 1;
            if let (Some(id), Some(at)) = (found.id, found.started_at) {
                tally.extent.add(id, at);
            }
            if !found.hurt.is_empty() {
                let what = format!("cannot be read: {}", found.hurt.join(", "));
                self.find_flow(FindingKind::Damaged, path, found.id, what);
            }
            Ok(())
        });
        match walked {
            Ok(holes) => {
                tally.holes = !holes.is_empty();
                for hole in holes {
                    self.hole(path, connection, hole, rows);
                }
            }
            Err(error) => {
                tally.holes = true;
                self.find_flaw(path, Flaw::Unusable(error));
            }
        }
        tally
    }

    /// Names the flows of a stretch that cannot be read, as far as their rows tell.
    fn hole(&mut self, path: &Path, connection: &Connection, hole: Hole, rows: bool) {
        let (first, behind) = (hole.from.max(1), hole.to.unwrap_or(i64::MAX));
        let what = match hole.to {
            Some(to) => format!(
                "the flows with the numbers from {first} to {} cannot be read",
                to - 1
            ),
            None => format!("the flows with the numbers from {first} on cannot be read"),
        };
        self.find(FindingKind::Damaged, path, what);
        let named = || -> Result<Vec<FlowId>, rusqlite::Error> {
            let sql = "SELECT row FROM rows WHERE n >= ?1 AND n < ?2 LIMIT 10000";
            let mut named = connection.prepare(sql)?;
            let rows = named.query_map([first, behind], |row| {
                Ok(format::open_row(row.get_ref(0)?.as_bytes()?))
            })?;
            rows.map(|row| Ok(row?.map(|row| row.id)))
                .filter_map(Result::transpose)
                .collect()
        };
        if !rows {
            return;
        }
        // Their rows may be hurt as well, and then nobody knows their ids.
        for id in named().unwrap_or_default() {
            let what = "cannot be read: its request";
            self.find_flow(FindingKind::Damaged, path, Some(id), what);
        }
    }

    /// Checks that the tables fit each other.
    fn joins(&mut self, path: &Path, connection: &Connection, rows: bool) {
        let mut rules = vec![
            (
                "SELECT count(*) FROM outcomes WHERE n NOT IN (SELECT n FROM requests)",
                "outcomes of flows that it does not have",
            ),
            (
                "SELECT count(*) FROM pieces WHERE n NOT IN (SELECT n FROM requests)",
                "pieces of flows that it does not have",
            ),
            (
                "SELECT count(*) FROM running WHERE n IN (SELECT n FROM outcomes)",
                "flows that count as running and have ended",
            ),
        ];
        if rows {
            rules.push((
                "SELECT count(*) FROM outcomes WHERE n NOT IN (SELECT n FROM rows)
                 AND n NOT IN (SELECT n FROM unread)",
                "ended flows without row that are not listed as such",
            ));
        }
        for (sql, what) in rules {
            match connection.query_one(sql, [], |row| row.get::<_, i64>(0)) {
                Ok(0) => {}
                Ok(count) => self.find(FindingKind::Damaged, path, format!("holds {count} {what}")),
                // A hurt page of these tables has been told by SQLite's own check.
                Err(error) if place::is_damage(&error) => {}
                Err(error) => self.find_flaw(path, Flaw::Unusable(error)),
            }
        }
    }

    /// Compares a sealed segment with its entry in the catalog.
    fn entry(&mut self, connection: &Connection, entry: &Entry, tally: &Tally) {
        let name = files::segment_name(entry.number);
        if entry.flows != tally.flows {
            self.disagree(format!(
                "says that {name} has {} flows, but it has {}",
                entry.flows, tally.flows
            ));
        }
        if entry.extent.ids != tally.extent.ids {
            self.disagree(format!(
                "says wrong which are the first and the last flow of {name}"
            ));
        }
        let within = match (entry.extent.times, tally.extent.times) {
            (Some((first, last)), Some((from, to))) => from <= first && first <= last && last <= to,
            (entered, found) => entered.is_none() && found.is_none(),
        };
        if !within {
            self.disagree(format!(
                "says wrong from when to when the flows of {name} are"
            ));
        }
        let unread = connection.query_one("SELECT count(*) FROM unread", [], |row| row.get(0));
        if unread.is_ok_and(|found: i64| i64::try_from(entry.unread) != Ok(found)) {
            self.disagree(format!("says wrong how many flows of {name} have no row"));
        }
        if entry.checksum.is_none() {
            self.disagree(format!("has no checksum of {name}"));
        }
    }

    fn disagree(&mut self, what: String) {
        let path = self.root.join(crate::catalog::CATALOG);
        self.find(FindingKind::Disagrees, &path, what);
    }

    /// Checks what is derived from a segment and is not written to. What is not there is made in its time.
    fn derived(&mut self, path: &Path) {
        let texts = path.with_extension("fts");
        if texts.exists()
            && let Err(error) = text::audit(&texts)
        {
            self.find(FindingKind::Derived, &texts, error.to_string());
        }
    }
}
