//! Where a scan reads: the columns of one segment, in memory or in a file, block by block.

use std::sync::Arc;

use super::block::{Code, Codes, Mask, Rows, Zone, unpack, unpack_one};
use super::file::{ColumnError, ColumnFile, Entry, block_rows};
use super::live::View;
use super::names::Names;
use super::{BLOCK_ROWS, COLUMNS, Column};

/// The columns of one segment.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Live(View),
    File(Arc<ColumnFile>),
}

/// Reads blocks of one source. A column of a block is read once, however often it is asked for.
pub(super) struct Reader<'a> {
    source: &'a Source,
    buffers: [Option<Box<Buffer>>; COLUMNS],
    bytes: Vec<u8>,
}

/// The codes of the block of a column that was read last.
struct Buffer {
    block: usize,
    codes: Unpacked,
    origin: u64,
    scale: u64,
    narrow: Vec<u32>,
    wide: Vec<u64>,
}

#[derive(Clone, Copy)]
enum Unpacked {
    Narrow,
    Wide,
}

// === impl Source ===

impl Source {
    /// Returns the number of rows, with holes.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Live(view) => view.rows(),
            Self::File(file) => file.rows(),
        }
    }

    pub(super) fn blocks(&self) -> usize {
        self.rows().div_ceil(BLOCK_ROWS)
    }

    pub(super) fn zone(&self, column: Column, block: usize) -> Zone {
        match self {
            Self::Live(view) => view.zone(column, block),
            Self::File(file) => file
                .entry(column, block)
                .map_or(Zone::EMPTY, |entry| entry.zone),
        }
    }

    /// Returns the zone of all blocks together.
    pub(super) fn whole_zone(&self, column: Column) -> Zone {
        let zones = (0..self.blocks()).map(|block| self.zone(column, block));
        zones.fold(Zone::EMPTY, Zone::with)
    }

    pub(super) fn names(&self, column: Column) -> Result<Names, ColumnError> {
        match self {
            Self::Live(view) => Ok(view.names(column)),
            Self::File(file) => file.dictionary(column).map(Names::Sorted),
        }
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self {
            source,
            buffers: [const { None }; COLUMNS],
            bytes: Vec::new(),
        }
    }

    /// Returns the codes of a block.
    pub(super) fn codes(&mut self, column: Column, block: usize) -> Result<Codes<'_>, ColumnError> {
        self.load(column, block)?;
        Ok(self.loaded(column, block))
    }

    /// Reads the codes of a block, unless they are here.
    pub(super) fn load(&mut self, column: Column, block: usize) -> Result<(), ColumnError> {
        let Source::File(file) = self.source else {
            return Ok(());
        };
        let Some(buffer) = self.buffers.get_mut(column.index()) else {
            return Ok(());
        };
        let buffer = buffer.get_or_insert_with(|| Box::new(Buffer::new()));
        if buffer.block == block {
            return Ok(());
        }
        let entry = file
            .entry(column, block)
            .ok_or_else(|| file.damaged(column))?;
        let rows = block_rows(file.rows(), block);
        file.read_block(column, entry, rows, &mut self.bytes)?;
        buffer.block = usize::MAX;
        buffer
            .unpack(entry, rows, &self.bytes)
            .ok_or_else(|| file.damaged(column))?;
        buffer.block = block;
        Ok(())
    }

    /// Returns the codes of a block that has been loaded.
    pub(super) fn loaded(&self, column: Column, block: usize) -> Codes<'_> {
        let none = Codes {
            rows: Rows::Narrow(&[]),
            origin: 0,
            scale: 1,
        };
        let codes = match self.source {
            Source::Live(view) => view.codes(column, block, block_rows(view.rows(), block)),
            Source::File(_) => {
                let buffer = self.buffers.get(column.index()).and_then(Option::as_ref);
                buffer
                    .filter(|buffer| buffer.block == block)
                    .map(|buffer| buffer.codes())
            }
        };
        codes.unwrap_or(none)
    }

    /// Adds the ids of rows of a block to `ids`. Where they are few, the others are not unpacked.
    pub(super) fn ids(
        &mut self,
        block: usize,
        rows: &[u32],
        ids: &mut Vec<(u64, u64)>,
    ) -> Result<(), ColumnError> {
        let halves = [Column::IdHigh, Column::IdLow];
        let Source::File(file) = self.source else {
            let [high, low] = halves.map(|half| self.loaded(half, block));
            let id = |row: usize| (high.value(high.code(row)), low.value(low.code(row)));
            ids.extend(rows.iter().map(|row| id(*row as usize)));
            return Ok(());
        };
        let first = ids.len();
        for half in halves {
            let entry = file.entry(half, block).ok_or_else(|| file.damaged(half))?;
            let all = block_rows(file.rows(), block);
            file.read_block(half, entry, all, &mut self.bytes)?;
            let (packing, origin) = (entry.packing, entry.packing.origin(entry.zone));
            for (at, row) in rows.iter().enumerate() {
                let code = unpack_one(&self.bytes, packing.bits, all, *row as usize)
                    .ok_or_else(|| file.damaged(half))?
                    .wrapping_add(u64::from(packing.first));
                let value = origin.wrapping_add(code.wrapping_mul(packing.scale));
                match ids.get_mut(first + at) {
                    Some((_, low)) => *low = value,
                    None => ids.push((value, 0)),
                }
            }
        }
        Ok(())
    }

    /// Marks the rows of a block that are there.
    pub(super) fn present(&mut self, block: usize, mask: &mut Mask) -> Result<(), ColumnError> {
        if !self.source.zone(Column::Flags, block).unknown {
            let rows = block_rows(self.source.rows(), block);
            for (at, word) in mask.iter_mut().enumerate() {
                *word = if at < rows / 64 { u64::MAX } else { 0 };
            }
            return Ok(());
        }
        self.codes(Column::Flags, block)?.known(mask);
        Ok(())
    }
}

// === impl Buffer ===

impl Buffer {
    const fn new() -> Self {
        Self {
            block: usize::MAX,
            codes: Unpacked::Narrow,
            origin: 0,
            scale: 1,
            narrow: Vec::new(),
            wide: Vec::new(),
        }
    }

    fn unpack(&mut self, entry: &Entry, rows: usize, bytes: &[u8]) -> Option<()> {
        let packing = entry.packing;
        self.origin = packing.origin(entry.zone);
        self.scale = packing.scale;
        if packing.is_narrow() {
            self.codes = Unpacked::Narrow;
            fill(
                &mut self.narrow,
                u32::from(packing.first),
                packing.bits,
                rows,
                bytes,
            )
        } else {
            self.codes = Unpacked::Wide;
            fill(
                &mut self.wide,
                u64::from(packing.first),
                packing.bits,
                rows,
                bytes,
            )
        }
    }

    fn codes(&self) -> Codes<'_> {
        Codes {
            rows: match self.codes {
                Unpacked::Narrow => Rows::Narrow(&self.narrow),
                Unpacked::Wide => Rows::Wide(&self.wide),
            },
            origin: self.origin,
            scale: self.scale,
        }
    }
}

fn fill<T: Code>(codes: &mut Vec<T>, first: T, bits: u8, rows: usize, bytes: &[u8]) -> Option<()> {
    codes.clear();
    codes.resize(rows, first);
    unpack(bytes, bits, codes)
}
