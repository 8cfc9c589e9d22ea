//! Files of columns: their layout, and how they are read.
//!
//! ```text
//! header   magic, version, columns, rows, place and checksum of the index, checksum of the header
//! data     for each column its dictionary, if it has one, and its blocks
//! index    for each column the place of the dictionary, then for each block its zone, packing, place, checksum
//! ```
//!
//! All numbers are little-endian. A file is read at places, never mapped: a file cut under a map ends the process.
//! Every byte is under a checksum, which is compared whenever the byte is read. Nothing in the file is trusted
//! beyond that: places are checked against its length, codes against the dictionary.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::block::{Packing, STEP_ROWS, Zone, checksum};
use super::names::Dictionary;
use super::{BLOCK_ROWS, COLUMNS, Column, FILE_ROWS_MAX, NameCache};

pub(super) const MAGIC: [u8; 8] = *b"FlowCols";
/// The version of the layout, and of what stands in the columns. It changes with every field and flag.
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER_BYTES: usize = 48;
const DICTIONARY_BYTES: usize = 32;
const ENTRY_BYTES: usize = 42;

/// Why columns cannot be read or written. All but the first mean that the file is to be made again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ColumnError {
    #[error("cannot {act} {}", path.display())]
    Io {
        act: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} has columns of another version", path.display())]
    OtherVersion { path: PathBuf },
    #[error("{} is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
}

/// The columns of a sealed segment.
#[derive(Debug)]
pub(crate) struct ColumnFile {
    path: PathBuf,
    file: Positioned,
    rows: usize,
    /// Block after block, column after column.
    entries: Vec<Entry>,
    dictionaries: Vec<Place>,
    cache: Arc<NameCache>,
    /// What it is called in the cache.
    number: u64,
}

/// One block of one column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) zone: Zone,
    pub(super) packing: Packing,
    pub(super) at: u64,
    pub(super) checksum: u64,
}

/// Where a dictionary stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) at: u64,
    pub(super) bytes: u64,
    pub(super) names: u64,
    pub(super) checksum: u64,
}

// === impl ColumnError ===

impl ColumnError {
    /// Returns the file that it is about.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. } | Self::OtherVersion { path } | Self::Damaged { path, .. } => {
                path
            }
        }
    }
}

// === impl ColumnFile ===

impl ColumnFile {
    /// Opens a file. Of its columns nothing is read yet.
    pub(crate) fn open(path: &Path, cache: &Arc<NameCache>) -> Result<Self, ColumnError> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);

        let io = |source| ColumnError::Io {
            act: "open",
            path: path.to_owned(),
            source,
        };
        let damaged = |what: &str| ColumnError::Damaged {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let file = Positioned::new(file);
        let mut header = [0; HEADER_BYTES];
        if length < HEADER_BYTES as u64 {
            return Err(damaged("its header is cut"));
        }
        file.read(&mut header, 0).map_err(io)?;
        let header = Header::read(&header).map_err(|flaw| match flaw {
            Flaw::OtherVersion => ColumnError::OtherVersion {
                path: path.to_owned(),
            },
            Flaw::Damaged => damaged("its header is wrong"),
        })?;
        let size = header.index_bytes();
        if header.index_at.checked_add(size as u64) != Some(length) {
            return Err(damaged("it is cut"));
        }
        let mut index = vec![0; size];
        file.read(&mut index, header.index_at).map_err(io)?;
        if checksum(&index) != header.index_checksum {
            return Err(damaged("its index is wrong"));
        }
        let (dictionaries, entries) = read_index(&index, header.rows, header.index_at)
            .ok_or_else(|| damaged("its index is wrong"))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            rows: header.rows,
            entries,
            dictionaries,
            cache: Arc::clone(cache),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn entry(&self, column: Column, block: usize) -> Option<&Entry> {
        let blocks = self.rows.div_ceil(BLOCK_ROWS);
        self.entries.get(column.index() * blocks + block)
    }

    /// Reads the packed codes of a block into `bytes`.
    pub(super) fn read_block(
        &self,
        column: Column,
        entry: &Entry,
        rows: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ColumnError> {
        bytes.resize(entry.packing.bytes(rows), 0);
        self.read(bytes, entry.at)?;
        if checksum(bytes) == entry.checksum {
            Ok(())
        } else {
            Err(self.damaged(column))
        }
    }

    /// Returns the names of a column, from the cache where it has them.
    pub(super) fn dictionary(&self, column: Column) -> Result<Arc<Dictionary>, ColumnError> {
        let key = (self.number, column.index());
        if let Some(dictionary) = self.cache.find(key) {
            return Ok(dictionary);
        }
        let damaged = || self.damaged(column);
        let place = self.dictionaries.get(column.index()).ok_or_else(damaged)?;
        let size = |number| usize::try_from(number).map_err(|_| damaged());
        let mut bytes = vec![0; size(place.bytes)?];
        self.read(&mut bytes, place.at)?;
        if checksum(&bytes) != place.checksum {
            return Err(damaged());
        }
        let dictionary = Dictionary::from_bytes(&bytes, size(place.names)?).ok_or_else(damaged)?;
        let dictionary = Arc::new(dictionary);
        self.cache.keep(key, &dictionary);
        Ok(dictionary)
    }

    pub(super) fn damaged(&self, column: Column) -> ColumnError {
        let what = match column {
            Column::Field(field) => format!("column {field:?}"),
            other => format!("column {other:?}"),
        };
        ColumnError::Damaged {
            path: self.path.clone(),
            what,
        }
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> Result<(), ColumnError> {
        let read = self.file.read(bytes, at);
        read.map_err(|source| ColumnError::Io {
            act: "read",
            path: self.path.clone(),
            source,
        })
    }
}

impl Drop for ColumnFile {
    fn drop(&mut self) {
        self.cache.forget(self.number);
    }
}

// === Header ===

pub(super) struct Header {
    pub(super) rows: usize,
    pub(super) index_at: u64,
    pub(super) index_checksum: u64,
}

enum Flaw {
    OtherVersion,
    Damaged,
}

impl Header {
    const CHECKSUM_AT: usize = HEADER_BYTES - 8;

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(u32::try_from(COLUMNS).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend((self.rows as u64).to_le_bytes());
        bytes.extend(self.index_at.to_le_bytes());
        bytes.extend(self.index_checksum.to_le_bytes());
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; HEADER_BYTES]) -> Result<Self, Flaw> {
        let mut numbers = Numbers(bytes);
        let (magic, kind) = (numbers.next(), numbers.next());
        let (content, _) = bytes
            .split_at_checked(Self::CHECKSUM_AT)
            .ok_or(Flaw::Damaged)?;
        let (rows, index_at, index_checksum) = (numbers.next(), numbers.next(), numbers.next());
        if magic != Some(u64::from_le_bytes(MAGIC)) || numbers.next() != Some(checksum(content)) {
            return Err(Flaw::Damaged);
        }
        if kind != Some((COLUMNS as u64) << 32 | u64::from(VERSION)) {
            return Err(Flaw::OtherVersion);
        }
        let rows = rows.and_then(|rows| usize::try_from(rows).ok());
        Ok(Self {
            rows: rows
                .filter(|&rows| rows <= FILE_ROWS_MAX)
                .ok_or(Flaw::Damaged)?,
            index_at: index_at.ok_or(Flaw::Damaged)?,
            index_checksum: index_checksum.ok_or(Flaw::Damaged)?,
        })
    }

    fn index_bytes(&self) -> usize {
        COLUMNS * (DICTIONARY_BYTES + ENTRY_BYTES * self.rows.div_ceil(BLOCK_ROWS))
    }
}

/// Reads numbers of eight bytes.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn next(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }
}

pub(super) fn write_place(place: &Place, bytes: &mut Vec<u8>) {
    for number in [place.at, place.bytes, place.names, place.checksum] {
        bytes.extend(number.to_le_bytes());
    }
}

pub(super) fn write_entry(entry: &Entry, bytes: &mut Vec<u8>) {
    let (zone, packing) = (entry.zone, entry.packing);
    for number in [zone.min, zone.max, packing.scale, entry.at, entry.checksum] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([packing.bits, packing.first]);
}

/// Returns what the index says, all of it within the first `limit` bytes of the file.
fn read_index(index: &[u8], rows: usize, limit: u64) -> Option<(Vec<Place>, Vec<Entry>)> {
    let blocks = rows.div_ceil(BLOCK_ROWS);
    let mut numbers = Numbers(index);
    let (mut places, mut entries) = (Vec::new(), Vec::with_capacity(blocks * COLUMNS));
    let within = |at: u64, bytes: u64| at.checked_add(bytes).is_some_and(|end| end <= limit);
    for _ in 0..COLUMNS {
        let place = Place {
            at: numbers.next()?,
            bytes: numbers.next()?,
            names: numbers.next()?,
            checksum: numbers.next()?,
        };
        if !within(place.at, place.bytes) {
            return None;
        }
        places.push(place);
        for block in 0..blocks {
            let (min, max) = (numbers.next()?, numbers.next()?);
            let (scale, at, checksum) = (numbers.next()?, numbers.next()?, numbers.next()?);
            let (bits, first) = (numbers.next_byte()?, numbers.next_byte()?);
            let packing = Packing { bits, first, scale };
            let size = packing.bytes(block_rows(rows, block));
            if bits > 64 || first > 1 || scale == 0 || !within(at, size as u64) {
                return None;
            }
            let zone = Zone {
                min,
                max,
                unknown: first == 0,
            };
            entries.push(Entry {
                zone,
                packing,
                at,
                checksum,
            });
        }
    }
    Some((places, entries))
}

/// Returns the rows that a block holds, with those that fill its last word.
pub(super) fn block_rows(rows: usize, block: usize) -> usize {
    let rest = rows.saturating_sub(block * BLOCK_ROWS);
    rest.min(BLOCK_ROWS).next_multiple_of(STEP_ROWS)
}

/// A file that is read at places by several threads.
#[derive(Debug)]
struct Positioned {
    #[cfg(unix)]
    file: File,
    /// Elsewhere reading at a place moves the file's own.
    #[cfg(not(unix))]
    file: parking_lot::Mutex<File>,
}

#[cfg(unix)]
impl Positioned {
    const fn new(file: File) -> Self {
        Self { file }
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }
}

#[cfg(not(unix))]
impl Positioned {
    const fn new(file: File) -> Self {
        Self {
            file: parking_lot::Mutex::new(file),
        }
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        let mut file = self.file.lock();
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}
