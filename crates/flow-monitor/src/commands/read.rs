//! `flow-monitor read`: exchanges in, readings out, a line each.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::Exit;
use crate::read::Reader;

/// Bytes of a line; a longer one is an error.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Reads every file and prints one reading a line. What a row holds is never a failure; a file that cannot be
/// read is.
pub(crate) fn run(files: &[PathBuf], reader: &Reader) -> anyhow::Result<Exit> {
    let mut out = BufWriter::new(io::stdout().lock());
    for path in files {
        if path == Path::new("-") {
            read_lines(io::stdin().lock(), &mut out, path, reader)?;
        } else {
            let file =
                File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
            read_lines(BufReader::new(file), &mut out, path, reader)?;
        }
    }
    out.flush()?;
    Ok(Exit::Success)
}

fn read_lines(
    mut input: impl BufRead,
    out: &mut impl Write,
    path: &Path,
    reader: &Reader,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = io::Read::take(&mut input, LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        if count == 0 {
            return Ok(());
        }
        anyhow::ensure!(
            line.ends_with(b"\n") || (count as u64) < LINE_BYTES_MAX,
            "{} has a line of more than {LINE_BYTES_MAX} bytes",
            path.display()
        );
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            serde_json::to_writer(&mut *out, &reader.read(text.trim())).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_gives_a_line_whatever_it_holds() {
        let input = "{\"id\":\"a\"}\n\nnot json\n{\"id\":\"b\",\"api\":\"messages\",\"provider\":\"anthropic\"}";
        let mut out = Vec::new();
        read_lines(
            input.as_bytes(),
            &mut out,
            Path::new("-"),
            &Reader::new(flow_model::Timestamp(0)),
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        for line in text.lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}
