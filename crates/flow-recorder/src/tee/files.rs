//! The directory of lines: one file a day, older ones compressed, the oldest removed.
//!
//! | file | holds |
//! |---|---|
//! | `2026-11-21.jsonl` | what is being written |
//! | `2026-11-21.1.jsonl` | what was written before it on that day: it had become too large |
//! | `….jsonl.zst` | the same, compressed |
//! | `….new` | one of them while it is being made; what a kill leaves is removed |
//!
//! No file is kept open: whoever removes or replaces one finds the next line in a new one.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flow_model::{FlowId, Timestamp};

use super::day::Day;
use super::line::Head;
use super::sift;

/// Bytes after which a file of a day is closed and the next begun.
const FILE_BYTES_MAX: u64 = 256 << 20;
const PLAIN: &str = ".jsonl";
const COMPRESSED: &str = ".jsonl.zst";
const NEW: &str = ".new";

/// The directory.
#[derive(Debug)]
pub(super) struct Files {
    dir: PathBuf,
    file_bytes_max: u64,
}

/// The name of a file; they sort in the order in which they were written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    day: Day,
    /// Which of the day's files that are full; the one being written comes last.
    part: u32,
    compressed: bool,
}

// === impl Name ===

impl Name {
    /// Number of the file that is being written.
    const CURRENT: u32 = u32::MAX;

    const fn current(day: Day) -> Self {
        Self {
            day,
            part: Self::CURRENT,
            compressed: false,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (stem, compressed) = match text.strip_suffix(COMPRESSED) {
            Some(stem) => (stem, true),
            None => (text.strip_suffix(PLAIN)?, false),
        };
        let (day, part) = match stem.split_once('.') {
            Some((day, part)) => (day, part.parse().ok()?),
            None => (stem, Self::CURRENT),
        };
        let day = Day::parse(day)?;
        Some(Self {
            day,
            part,
            compressed,
        })
    }

    fn path(&self, dir: &Path) -> PathBuf {
        let end = if self.compressed { COMPRESSED } else { PLAIN };
        dir.join(match self.part {
            Self::CURRENT => format!("{}{end}", self.day),
            part => format!("{}.{part}{end}", self.day),
        })
    }
}

// === impl Files ===

impl Files {
    pub(super) const fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            file_bytes_max: FILE_BYTES_MAX,
        }
    }

    /// Writes a line, as a whole or not at all. Returns whether a file became full before it.
    pub(super) fn append(&self, day: &Day, line: &[u8]) -> io::Result<bool> {
        let path = Name::current(day.clone()).path(&self.dir);
        let mut file = self.open(&path)?;
        let mut length = file.metadata()?.len();
        let full = length > 0 && length.saturating_add(line.len() as u64) > self.file_bytes_max;
        if full {
            fs::rename(&path, self.next_part(day)?.path(&self.dir))?;
            file = self.open(&path)?;
            length = 0;
        }
        if let Err(error) = file.write_all(line) {
            // Half a line would spoil the next one.
            file.set_len(length)?;
            return Err(error);
        }
        Ok(full)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let mut options = private();
        options.append(true).create(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(&self.dir)?;
                options.open(path)
            }
            opened => opened,
        }
    }

    fn next_part(&self, day: &Day) -> io::Result<Name> {
        let names = self.names()?.into_iter();
        let parts = names.filter(|name| name.day == *day && name.part != Name::CURRENT);
        let last = parts.map(|name| name.part).max().unwrap_or(0);
        Ok(Name {
            part: last.saturating_add(1),
            ..Name::current(day.clone())
        })
    }

    /// Returns the flows of the newest file that is not compressed, in the order of their lines; none where there
    /// is no such file. Half a line at its end, which a kill left, is taken away.
    pub(super) fn resume(&self) -> io::Result<Vec<Head>> {
        let plain = |name: &Name| !name.compressed && name.part == Name::CURRENT;
        let Some(name) = self.names()?.into_iter().rfind(plain) else {
            return Ok(Vec::new());
        };
        let path = name.path(&self.dir);
        let whole_bytes = sift::scan(&path, false, |_| false)?.whole_bytes;
        if fs::metadata(&path)?.len() > whole_bytes {
            let file = private().write(true).open(&path)?;
            file.set_len(whole_bytes)?;
        }
        let mut heads = Vec::new();
        sift::scan(&path, false, |head| {
            heads.push(head);
            false
        })?;
        Ok(heads)
    }

    /// Compresses what is not written any more, and removes what is older than `days_max` days; 0 keeps all.
    pub(super) fn tidy(&self, now: Timestamp, days_max: u64) -> io::Result<()> {
        let today = Day::of(now);
        let oldest = (days_max > 0).then(|| Day::before(now, days_max));
        for entry in entries(&self.dir)? {
            if entry.ends_with(NEW) {
                fs::remove_file(self.dir.join(entry))?;
            }
        }
        for name in self.names()? {
            let path = name.path(&self.dir);
            if oldest.as_ref().is_some_and(|oldest| name.day < *oldest) {
                fs::remove_file(path)?;
            } else if !name.compressed && (name.day < today || name.part != Name::CURRENT) {
                let mut compressed = Name {
                    compressed: true,
                    ..name
                };
                if compressed.path(&self.dir).exists() {
                    // The clock went back over midnight: what was compressed before is another file.
                    compressed.part = self.next_part(&compressed.day)?.part;
                }
                self.replace(&compressed.path(&self.dir), |new| {
                    sift::compress(&path, new)
                })?;
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Removes the lines of these flows. Returns how many there were. A file that cannot be read or replaced does
    /// not keep the others from being seen to; the first such error is returned then.
    pub(super) fn forget(&self, ids: &[FlowId]) -> io::Result<u64> {
        let mut left: HashSet<FlowId> = ids.iter().copied().collect();
        // A flow's line stands in the file of the day on which it ended, or of a later one.
        let Some(first) = left.iter().map(|id| Day::of(begun_at(*id))).min() else {
            return Ok(0);
        };
        let (mut lines, mut failed) = (0, None);
        for name in self.names()?.into_iter().filter(|name| name.day >= first) {
            if left.is_empty() {
                break;
            }
            match self.forget_in(&name, &left) {
                Ok(dropped) => {
                    lines += dropped.len() as u64;
                    left.retain(|id| !dropped.contains(id));
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(lines), Err)
    }

    fn forget_in(&self, name: &Name, ids: &HashSet<FlowId>) -> io::Result<Vec<FlowId>> {
        let path = name.path(&self.dir);
        let found = sift::scan(&path, name.compressed, |head| ids.contains(&head.id))?;
        if !found.dropped.is_empty() {
            self.replace(&path, |new| sift::rewrite(&path, new, name.compressed, ids))?;
        }
        Ok(found.dropped)
    }

    /// Puts a new file in the place of one, in one step.
    fn replace(&self, path: &Path, write: impl FnOnce(File) -> io::Result<()>) -> io::Result<()> {
        let mut new = path.as_os_str().to_owned();
        new.push(NEW);
        let new = PathBuf::from(new);
        let mut options = private();
        options.write(true).create(true).truncate(true);
        let written = options
            .open(&new)
            .and_then(write)
            .and_then(|()| fs::rename(&new, path));
        if written.is_err() {
            // The error at hand is the one to tell.
            let _removed = fs::remove_file(&new).is_ok();
            return written;
        }
        sync(&self.dir)
    }

    /// Returns the files of lines, in the order in which they were written.
    fn names(&self) -> io::Result<Vec<Name>> {
        let mut names: Vec<_> = entries(&self.dir)?
            .iter()
            .filter_map(|name| Name::parse(name))
            .collect();
        names.sort();
        Ok(names)
    }
}

/// Returns the names in a directory; none where it does not exist.
fn entries(dir: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

/// Returns when a flow began, by its id.
fn begun_at(id: FlowId) -> Timestamp {
    let bytes = id.to_bytes().into_iter().take(6);
    let millis = bytes.fold(0, |millis, byte| millis << 8 | i64::from(byte));
    Timestamp(millis.saturating_mul(1000))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Makes sure that names given to files in `dir` survive a power cut.
fn sync(dir: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened as a file, and names are durable without.
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
