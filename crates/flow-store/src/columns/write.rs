//! Writes a file of columns, once, from columns in memory.
//!
//! It is written under another name, made durable and renamed, so that a half-made one is never met.

use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::block::{Zone, checksum, pack};
use super::file::{
    ColumnError, Entry, HEADER_BYTES, Header, Place, block_rows, write_entry, write_place,
};
use super::live::View;
use super::{BLOCK_ROWS, Column};
use crate::dir;

/// Added to the name of a file that is being written.
const UNFINISHED: &str = "col.unfinished";
/// Bytes that are written at once.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Writes columns to the file at `path`; one that is there is replaced.
pub(crate) fn write(path: &Path, columns: &View) -> Result<(), ColumnError> {
    let unfinished = path.with_extension(UNFINISHED);
    let written = create(&unfinished, columns).and_then(|()| std::fs::rename(&unfinished, path));
    let named = written.and_then(|()| path.parent().map_or(Ok(()), dir::sync));
    named.map_err(|source| ColumnError::Io {
        act: "write",
        path: path.to_owned(),
        source,
    })
}

fn create(path: &Path, columns: &View) -> io::Result<()> {
    let file = dir::private_file(path)?;
    file.set_len(0)?;
    let mut out = Out {
        to: BufWriter::with_capacity(BUFFER_BYTES, file),
        at: 0,
    };
    out.write(&[0; HEADER_BYTES])?;
    let mut index = Vec::new();
    for column in Column::all() {
        write_column(column, columns, &mut out, &mut index)?;
    }
    let header = Header {
        rows: columns.rows(),
        index_at: out.at,
        index_checksum: checksum(&index),
    };
    out.write(&index)?;
    let mut file = out
        .to
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header.write())?;
    file.sync_all()
}

fn write_column(
    column: Column,
    columns: &View,
    out: &mut Out,
    index: &mut Vec<u8>,
) -> io::Result<()> {
    let blocks = columns.rows().div_ceil(BLOCK_ROWS);
    let ranks = if column.has_names() {
        let (place, ranks) = write_names(column, columns, out)?;
        write_place(&place, index);
        Some(ranks)
    } else {
        write_place(&Place::default(), index);
        None
    };
    let mut bytes = Vec::new();
    for block in 0..blocks {
        let mut values = values(column, columns, block);
        if let Some(ranks) = &ranks {
            for value in values.iter_mut().flatten() {
                let rank = usize::try_from(*value)
                    .ok()
                    .and_then(|code| ranks.get(code));
                *value = rank.copied().map_or(0, u64::from);
            }
        }
        bytes.clear();
        let (zone, packing) = pack(&values, ranks.is_none(), &mut bytes);
        let entry = Entry {
            zone,
            packing,
            at: out.at,
            checksum: checksum(&bytes),
        };
        out.write(&bytes)?;
        write_entry(&entry, index);
    }
    Ok(())
}

/// Writes the names that rows have. Those of rows that were replaced or removed are not among them.
fn write_names(column: Column, columns: &View, out: &mut Out) -> io::Result<(Place, Vec<u32>)> {
    let names = columns.names(column);
    let mut used = vec![false; names.len()];
    for block in 0..columns.rows().div_ceil(BLOCK_ROWS) {
        for value in values(column, columns, block).into_iter().flatten() {
            let code = usize::try_from(value).ok();
            if let Some(used) = code.and_then(|code| used.get_mut(code)) {
                *used = true;
            }
        }
    }
    let (dictionary, ranks) = names.sorted(|code| used.get(code).copied().unwrap_or(false));
    let bytes = dictionary.to_bytes();
    let place = Place {
        at: out.at,
        bytes: bytes.len() as u64,
        names: dictionary.len() as u64,
        checksum: checksum(&bytes),
    };
    out.write(&bytes)?;
    Ok((place, ranks))
}

/// Returns the values of a block, with those that fill its last word.
fn values(column: Column, columns: &View, block: usize) -> Vec<Option<u64>> {
    let rows = block_rows(columns.rows(), block);
    let Some(codes) = columns.codes(column, block, rows) else {
        return Vec::new();
    };
    let mut values: Vec<Option<u64>> = (0..rows).map(|row| codes.at(row)).collect();
    if matches!(column, Column::IdHigh | Column::IdLow) {
        // Every number can be half of an id, so none is left to mean that there is no flow.
        let zone = values.iter().flatten().fold(Zone::EMPTY, |mut zone, half| {
            zone.add(Some(*half));
            zone
        });
        let any = if zone.is_known() { zone.min } else { 0 };
        for value in &mut values {
            value.get_or_insert(any);
        }
    }
    values
}

/// A file that is written from its beginning on.
struct Out {
    to: BufWriter<std::fs::File>,
    at: u64,
}

impl Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}
