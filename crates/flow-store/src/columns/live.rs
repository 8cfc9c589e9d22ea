//! The columns of a segment that is still written to.
//!
//! Rows are set, replaced and removed by their number. A reader takes a [`View`], which costs as much as there are
//! blocks: a block that is written to while a view holds it is copied first, so that readers neither wait for the
//! writer nor it for them. Of a full segment, 131,072 flows, they take some 20 MB.

use std::collections::HashMap;
use std::sync::Arc;

use flow_model::Row;
use flow_query::{Field, Flag, Value};

use super::bitmap::slot;
use super::block::{Codes, Rows, Zone};
use super::names::{self, LiveNames, Names};
use super::{BLOCK_ROWS, COLUMNS, Column, FILE_ROWS_MAX, halves, ordered};

/// The row has no place: its number is below 1 or past the most rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {n} has no place among the columns of {FILE_ROWS_MAX} rows")]
pub(crate) struct Full {
    pub(crate) n: i64,
}

/// Columns in memory that rows are added to.
#[derive(Debug)]
pub(crate) struct LiveColumns {
    view: View,
    /// Stands where a block has no rows.
    empty: Arc<Block>,
    /// The code of each name, by column.
    codes: Vec<CodeMap>,
}

/// Columns in memory as they were at one moment.
#[derive(Clone, Debug)]
pub(crate) struct View {
    blocks: Vec<Arc<Block>>,
    names: Vec<LiveNames>,
    rows: usize,
}

/// The codes of one column's names.
#[derive(Clone, Debug, Default)]
struct CodeMap {
    codes: HashMap<Arc<str>, u64>,
    /// The name that came last: most rows have the same as the one before them.
    last: Option<(Arc<str>, u64)>,
}

#[derive(Clone, Debug)]
struct Block {
    columns: Vec<LiveColumn>,
}

/// One column of one block. It begins narrow and becomes wide with the first value that needs it.
#[derive(Clone, Debug)]
struct LiveColumn {
    codes: LiveCodes,
    /// The value of code 0 while it is narrow.
    origin: u64,
    /// What has been set; what was replaced since may have made it too wide, which costs time and nothing else.
    zone: Zone,
}

#[derive(Clone, Debug)]
enum LiveCodes {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

// === impl LiveColumns ===

impl LiveColumns {
    /// Returns columns without rows.
    pub(crate) fn new() -> Self {
        Self {
            view: View {
                blocks: Vec::new(),
                names: vec![LiveNames::default(); COLUMNS],
                rows: 0,
            },
            empty: Arc::new(Block::new()),
            codes: vec![CodeMap::default(); COLUMNS],
        }
    }

    /// Sets the row with a number; the one that was there is replaced.
    pub(crate) fn set(&mut self, n: i64, row: &Row) -> Result<(), Full> {
        let slot = slot(n).ok_or(Full { n })?;
        while self.view.blocks.len() <= slot / BLOCK_ROWS {
            self.view.blocks.push(Arc::clone(&self.empty));
        }
        self.view.rows = self.view.rows.max(slot + 1);
        let Some(block) = self.view.blocks.get_mut(slot / BLOCK_ROWS) else {
            return Ok(());
        };
        let block = Arc::make_mut(block);
        let row_at = slot % BLOCK_ROWS;
        for field in Field::ALL {
            let column = Column::Field(field);
            let mut code = |name: &str| {
                let (codes, names) = (
                    self.codes.get_mut(column.index())?,
                    self.view.names.get_mut(column.index())?,
                );
                Some(codes.code(names, name))
            };
            let value = match field.value(row) {
                Value::None | Value::Names([]) => None,
                Value::Number(number) => Some(ordered(number)),
                Value::Name(name) => code(&name),
                Value::Names([name]) if !name.contains(['\n', '\\']) => code(name),
                Value::Names(list) => code(&names::join(list)),
            };
            block.set(column, row_at, value);
        }
        let (high, low) = halves(row.id);
        block.set(Column::Flags, row_at, Some(ordered(flags(row))));
        block.set(Column::IdHigh, row_at, Some(high));
        block.set(Column::IdLow, row_at, Some(low));
        Ok(())
    }

    /// Removes the row with a number.
    pub(crate) fn remove(&mut self, n: i64) {
        let Some(slot) = slot(n).filter(|slot| *slot < self.view.rows) else {
            return;
        };
        if let Some(all) = self.view.blocks.get_mut(slot / BLOCK_ROWS) {
            let block = Arc::make_mut(all);
            for column in Column::all() {
                block.set(column, slot % BLOCK_ROWS, None);
            }
            if block.is_empty() {
                // A store in memory removes as many rows as it adds.
                *all = Arc::clone(&self.empty);
            }
        }
    }

    /// Returns the columns as they are now.
    pub(crate) fn view(&self) -> View {
        self.view.clone()
    }
}

impl Default for LiveColumns {
    fn default() -> Self {
        Self::new()
    }
}

fn flags(row: &Row) -> i64 {
    let bits = Flag::ALL.into_iter().enumerate();
    bits.fold(0, |bits, (at, flag)| bits | i64::from(flag.of(row)) << at)
}

// === impl CodeMap ===

impl CodeMap {
    /// Returns the code of a name, which is added to `names` where it is new.
    fn code(&mut self, names: &mut LiveNames, name: &str) -> u64 {
        if let Some((last, code)) = &self.last
            && **last == *name
        {
            return *code;
        }
        let (name, code) = match self.codes.get_key_value(name) {
            Some((name, code)) => (Arc::clone(name), *code),
            None => {
                let name: Arc<str> = Arc::from(name);
                let code = names.push(Arc::clone(&name));
                self.codes.insert(Arc::clone(&name), code);
                (name, code)
            }
        };
        self.last = Some((name, code));
        code
    }
}

// === impl View ===

impl View {
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn zone(&self, column: Column, block: usize) -> Zone {
        let found = self.column(column, block);
        found.map_or(Zone::EMPTY, |column| column.zone)
    }

    /// Returns the codes of the first rows of a block.
    pub(super) fn codes(&self, column: Column, block: usize, rows: usize) -> Option<Codes<'_>> {
        let column = self.column(column, block)?;
        Some(match &column.codes {
            LiveCodes::Narrow(codes) => Codes {
                rows: Rows::Narrow(codes.get(..rows)?),
                origin: column.origin,
                scale: 1,
            },
            LiveCodes::Wide(codes) => Codes {
                rows: Rows::Wide(codes.get(..rows)?),
                origin: 0,
                scale: 1,
            },
        })
    }

    pub(super) fn names(&self, column: Column) -> Names {
        let names = self.names.get(column.index());
        Names::Live(names.cloned().unwrap_or_default())
    }

    fn column(&self, column: Column, block: usize) -> Option<&LiveColumn> {
        self.blocks.get(block)?.columns.get(column.index())
    }
}

// === impl Block ===

impl Block {
    fn new() -> Self {
        Self {
            columns: Column::all().map(LiveColumn::new).collect(),
        }
    }

    /// Returns whether no row is there.
    fn is_empty(&self) -> bool {
        let flags = self.columns.get(Column::Flags.index());
        flags.is_none_or(|flags| match &flags.codes {
            LiveCodes::Narrow(codes) => codes.iter().all(|code| *code == 0),
            LiveCodes::Wide(codes) => codes.iter().all(|code| *code == 0),
        })
    }

    fn set(&mut self, column: Column, row: usize, value: Option<u64>) {
        if let Some(column) = self.columns.get_mut(column.index()) {
            column.set(row, value);
        }
    }
}

// === impl LiveColumn ===

impl LiveColumn {
    fn new(column: Column) -> Self {
        let wide = matches!(column, Column::IdHigh | Column::IdLow);
        Self {
            codes: if wide {
                LiveCodes::Wide(vec![0; BLOCK_ROWS])
            } else {
                LiveCodes::Narrow(vec![0; BLOCK_ROWS])
            },
            origin: if column.has_names() {
                u64::MAX
            } else {
                ordered(-1)
            },
            zone: Zone {
                unknown: true,
                ..Zone::EMPTY
            },
        }
    }

    fn set(&mut self, row: usize, value: Option<u64>) {
        self.zone.add(value);
        if let LiveCodes::Narrow(codes) = &mut self.codes {
            let code = value.map_or(Some(0), |value| narrow(value, self.origin));
            match code {
                Some(code) => {
                    if let Some(place) = codes.get_mut(row) {
                        *place = code;
                    }
                    return;
                }
                None => self.widen(),
            }
        }
        if let LiveCodes::Wide(codes) = &mut self.codes
            && let Some(place) = codes.get_mut(row)
        {
            *place = value.unwrap_or_default();
        }
    }

    fn widen(&mut self) {
        let LiveCodes::Narrow(codes) = &self.codes else {
            return;
        };
        let wide = |code: &u32| match code {
            0 => 0,
            code => self.origin.wrapping_add(u64::from(*code)),
        };
        self.codes = LiveCodes::Wide(codes.iter().map(wide).collect());
    }
}

/// Returns the code of a value, which is never 0; none where it is not a narrow one.
fn narrow(value: u64, origin: u64) -> Option<u32> {
    u32::try_from(value.wrapping_sub(origin))
        .ok()
        .filter(|code| *code != 0)
}
