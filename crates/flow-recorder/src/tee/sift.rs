//! Passes a file of lines through, some of them left out, whatever its length and that of its lines.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Write};
use std::path::Path;

use flow_model::FlowId;

use super::line::{HEAD_BYTES, Head};

/// How hard compressed files are compressed: several hundred megabytes a second.
const COMPRESSION: i32 = 3;
/// Bytes that are read at a time.
const READ_BYTES: usize = 1 << 16;

/// What a file turned out to hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sifted {
    /// The flows whose lines were left out, each as often as it had one.
    pub(super) dropped: Vec<FlowId>,
    /// Bytes up to the end of the last line that has one.
    pub(super) whole_bytes: u64,
}

/// Returns which lines `drops` picks.
pub(super) fn scan(
    path: &Path,
    compressed: bool,
    drops: impl FnMut(Head) -> bool,
) -> io::Result<Sifted> {
    sift_file(path, compressed, drops, &mut io::sink())
}

/// Copies a file without the lines of some flows.
pub(super) fn rewrite(
    from: &Path,
    to: File,
    compressed: bool,
    ids: &HashSet<FlowId>,
) -> io::Result<()> {
    let drops = |head: Head| ids.contains(&head.id);
    if compressed {
        let mut out = zstd::Encoder::new(to, COMPRESSION)?;
        sift_file(from, true, drops, &mut out)?;
        out.finish()?.sync_all()
    } else {
        let mut out = BufWriter::new(to);
        sift_file(from, false, drops, &mut out)?;
        out.into_inner()?.sync_all()
    }
}

/// Copies a file compressed.
pub(super) fn compress(from: &Path, to: File) -> io::Result<()> {
    let mut out = zstd::Encoder::new(to, COMPRESSION)?;
    out.include_checksum(true)?;
    io::copy(&mut File::open(from)?, &mut out)?;
    out.finish()?.sync_all()
}

fn sift_file(
    path: &Path,
    compressed: bool,
    drops: impl FnMut(Head) -> bool,
    out: &mut impl Write,
) -> io::Result<Sifted> {
    let mut file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    if compressed {
        let plain = zstd::Decoder::with_buffer(file)?;
        sift(&mut BufReader::new(plain), drops, out)
    } else {
        sift(&mut file, drops, out)
    }
}

fn sift(
    lines: &mut impl BufRead,
    mut drops: impl FnMut(Head) -> bool,
    out: &mut impl Write,
) -> io::Result<Sifted> {
    let mut sifted = Sifted::default();
    let mut bytes = 0;
    let mut start = Vec::with_capacity(HEAD_BYTES);
    loop {
        start.clear();
        let mut head = lines.by_ref().take(HEAD_BYTES as u64);
        bytes += head.read_until(b'\n', &mut start)? as u64;
        if start.is_empty() {
            return Ok(sifted);
        }
        let dropped = Head::parse(&start).filter(|head| drops(*head));
        sifted.dropped.extend(dropped.map(|head| head.id));
        let mut ended = start.ends_with(b"\n");
        if dropped.is_none() {
            out.write_all(&start)?;
        }
        while !ended {
            let buffer = lines.fill_buf()?;
            let end = buffer.iter().position(|&byte| byte == b'\n');
            let part = buffer.get(..end.map_or(buffer.len(), |end| end + 1));
            let part = part.unwrap_or_default();
            if part.is_empty() {
                return Ok(sifted);
            }
            if dropped.is_none() {
                out.write_all(part)?;
            }
            ended = end.is_some();
            let taken = part.len();
            bytes += taken as u64;
            lines.consume(taken);
        }
        sifted.whole_bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u8, padding: usize) -> Vec<u8> {
        let id = FlowId::from_bytes([number; 16]);
        let padding = "x".repeat(padding);
        format!(
            "{{\"version\":1,\"ended_at\":1,\"flow\":{{\"id\":\"{id}\"}},\"x\":\"{padding}\"}}\n"
        )
        .into()
    }

    #[test]
    fn lines_of_any_length_are_kept_or_left_out_whole() {
        let skip: &[u8] = b"{\"version\":1,\"skipped\":3,\"at\":7}\n";
        for padding in [0, 1, 40, 60, 61, 62, 63, 64, 65, 200, 100_000] {
            let (one, two, end) = (line(1, padding), line(2, padding), b"{\"version\"".to_vec());
            let all = [&one, skip, &two, b"\n", &one, &end].concat();
            for buffer in [1, 7, 1 << 16] {
                let mut out = Vec::new();
                let mut lines = BufReader::with_capacity(buffer, all.as_slice());
                let drops = |head: Head| head.id == FlowId::from_bytes([1; 16]);
                let sifted = sift(&mut lines, drops, &mut out).unwrap();
                assert_eq!(out, [skip, &two, b"\n", &end].concat(), "{padding}");
                assert_eq!(sifted.dropped.len(), 2);
                assert_eq!(sifted.whole_bytes, (all.len() - end.len()) as u64);
            }
        }
    }
}
