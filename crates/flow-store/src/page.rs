//! Reads one page of a list: rows in memory and rows in segments, merged into one order.
//!
//! Memory is read first: what is not there yet or any more by then is found in a segment, so no flow is missed. A
//! flow that both have counts as it is in memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use flow_model::{FlowId, Row};

use crate::list::{LIST_ROWS_MAX, ListQuery, Page, Place, Sort, SortKey};
use crate::memory::Memory;
use crate::read::{self, Archive, Found, ReadError};
use crate::segment::Segment;

/// Returns the page that `query` asks for.
pub(crate) fn read(
    memory: &Memory,
    archive: &Archive,
    query: &ListQuery,
) -> Result<Page, ReadError> {
    let sort = query.sort;
    let limit = query.limit.clamp(1, LIST_ROWS_MAX);
    let after = match &query.cursor {
        Some(cursor) => Some(Place::from_cursor(cursor, sort)?),
        None => None,
    };
    // One row more than asked for tells whether there is another page.
    let wanted = limit + 1;
    let place = |row: &Row| Place::of(row, sort.key);
    let mut rows: Vec<(Place, Row)> = memory
        .top(sort, after.as_ref(), wanted)
        .into_iter()
        .map(|row| (place(&row), row))
        .collect();
    let mut seen: HashSet<FlowId> = rows.iter().map(|(place, _)| place.id).collect();
    // Memory has been read: a flow that has left it since is in one of these.
    for (index, segment) in archive.registry.all().iter().enumerate() {
        let known = rows.len();
        // Rows behind the last of a full page are not needed.
        let until = rows.get(limit).map(|(place, _)| place.clone());
        let walk = Walk {
            memory,
            segment,
            buried: segment.buried(),
            newest: index == 0,
            sort,
            wanted,
            until,
        };
        if walk.is_beside(after.as_ref()) {
            continue;
        }
        walk.run(after.clone(), &mut seen, &mut rows)?;
        if rows.len() > known {
            rows.sort_by(|(left, _), (right, _)| sort.compare(left, right));
            rows.truncate(wanted);
        }
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    Ok(Page {
        next: last.map(|(place, _)| place.cursor(sort)),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
    })
}

/// A walk through one segment in order.
struct Walk<'a> {
    memory: &'a Memory,
    segment: &'a Segment,
    buried: Arc<BTreeMap<i64, FlowId>>,
    newest: bool,
    sort: Sort,
    wanted: usize,
    until: Option<Place>,
}

impl Walk<'_> {
    /// Returns whether no flow of a sealed segment can be on the page, as its first and its last flow tell.
    fn is_beside(&self, after: Option<&Place>) -> bool {
        if self.sort.key != SortKey::StartedAt || !self.segment.is_sealed() {
            return false;
        }
        let Some((first, last)) = self.segment.facts().extent.ids else {
            return true;
        };
        let (begin, end) = if self.sort.descending {
            (last, first)
        } else {
            (first, last)
        };
        let place = |id| Place { key: None, id };
        let before = |left: &Place, right: &Place| self.sort.compare(left, right).is_lt();
        let over = after.is_some_and(|after| !before(after, &place(end)));
        let until = self.until.as_ref();
        over || until.is_some_and(|until| before(until, &place(begin)))
    }

    /// Adds the rows wanted from behind `after` on, but for those in `seen` or in memory.
    fn run(
        &self,
        mut after: Option<Place>,
        seen: &mut HashSet<FlowId>,
        rows: &mut Vec<(Place, Row)>,
    ) -> Result<(), ReadError> {
        let mut added = 0;
        loop {
            let mut found = match self.places(after.as_ref()) {
                // An old segment that is hurt or gone costs its own flows, and not the list.
                Err(error) if !self.newest && error.is_of_file() => {
                    tracing::warn!(%error, segment = self.segment.name(), "rows cannot be listed");
                    return Ok(());
                }
                found => found?,
            };
            let full = found.len() == self.wanted;
            after = found.last().map(|found| found.place.clone());
            let past = self
                .until
                .as_ref()
                .zip(after.as_ref())
                .is_some_and(|(until, last)| self.sort.compare(until, last).is_lt());
            found.retain(|found| {
                !seen.contains(&found.place.id) && !self.buried.contains_key(&found.n)
            });
            self.memory.drop_held(&mut found, |found| found.place.id);
            for Found { place, n } in found {
                // A row that is hurt, or is to be derived again, is left out; the rest of the list is not.
                if let Some(row) = self.row(n, place.id)? {
                    seen.insert(place.id);
                    rows.push((place, row));
                    added += 1;
                }
            }
            if !full || past || added >= self.wanted {
                return Ok(());
            }
        }
    }

    fn places(&self, after: Option<&Place>) -> Result<Vec<Found>, ReadError> {
        let read = |connection: &_| read::places(connection, self.sort, after, self.wanted);
        Ok(self.segment.read(read)?)
    }

    fn row(&self, n: i64, id: FlowId) -> Result<Option<Row>, ReadError> {
        match self.segment.read(|connection| read::row(connection, n, id)) {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, segment = self.segment.name(), "a row cannot be read");
                Ok(None)
            }
            row => row,
        }
    }
}
