//! Copies the store into another directory while it goes on recording.
//!
//! The copy is a data directory of its own with every flow that was committed before it began. It is made below the
//! name `unfinished` in its directory and moved up when it is whole, so that a half-made one is never taken for one.
//!
//! 1. The catalog is copied. What is deleted from then on is still in the copy.
//! 2. The segments follow, the oldest first: flows only ever go from older segments to newer ones. A sealed one is
//!    copied byte by byte and compared with its checksum; of another one SQLite writes the state of one moment.
//! 3. The copied catalog is told which segments there are.
//!
//! Columns and text indexes of sealed segments go with them; the others are made again. Secrets stay where they are:
//! neither the token nor the key of fingerprints is copied, nor the settings.
//!
//! A segment that is hurt is copied as it is, or left out where that cannot be, and named in the report.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::{self, Catalog, Entry, vacuum_into};
use crate::dir::{self, DirError};
use crate::files;
use crate::place::is_damage;
use crate::registry::Registry;
use crate::retain::TidyError;
use crate::segment::{Segment, SegmentState};
use crate::store::{OpenError, Store};
use crate::text;
use crate::work::Work;

/// Name of the directory in which the copy is made.
const UNFINISHED: &str = "unfinished";
/// Bytes that are copied at once.
const COPY_BYTES: usize = 1024 * 1024;
/// How often a segment is copied that becomes another one meanwhile.
const TURNS_MAX: u32 = 4;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupReport {
    /// The directory that holds the copy.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub to: PathBuf,
    /// Segments that were copied.
    pub segments: u64,
    /// Flows in them.
    pub flows: u64,
    /// Bytes of the copy.
    pub bytes: u64,
    /// Segments that were removed here once they were copied.
    pub removed: u64,
    /// What is hurt, or was left out, in words.
    pub notices: Vec<String>,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There are no files.
    #[error("the store is in memory: there is nothing to copy")]
    Memory,
    /// The directory for the copy has something in it.
    #[error("{} is not empty", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// It is part of what is to be copied.
    #[error("{} lies within the data directory", dir.display())]
    Within {
        /// The directory.
        dir: PathBuf,
    },
    /// It was told to stop.
    #[error("it was stopped before its end")]
    Cancelled,
    /// No segment is from that time alone.
    #[error("no segment holds only flows from before that time")]
    Nothing,
    /// A directory cannot be used.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// A file can be neither read nor written.
    #[error(transparent)]
    File(#[from] OpenError),
    /// What was copied cannot be removed.
    #[error(transparent)]
    Remove(#[from] TidyError),
}

/// A copy that is being made.
pub(crate) struct Copying<'a> {
    registry: &'a Registry,
    work: &'a Work,
    /// The directory that it is for.
    to: PathBuf,
    /// The directory in which it is made.
    made: PathBuf,
    entries: Vec<Entry>,
    pub(crate) report: BackupReport,
    done: bool,
}

/// What came of copying a segment.
enum Copied {
    Whole,
    /// It is copied, and hurt.
    Hurt,
    /// It became another one.
    Changed,
}

// === impl Store ===

impl Store {
    /// Copies the store into a directory that is new or empty.
    pub fn backup(&self, to: &Path, work: &Work) -> Result<BackupReport, BackupError> {
        let mut copying = Copying::begin(self, to, work)?;
        let segments: Vec<_> = self.registry().all().iter().rev().cloned().collect();
        for segment in &segments {
            work.expect(segment.info().bytes);
        }
        for segment in &segments {
            copying.segment(segment)?;
        }
        copying.finish(false, None)
    }
}

// === impl Copying ===

impl<'a> Copying<'a> {
    /// Makes the directory ready and copies the catalog.
    pub(crate) fn begin(store: &'a Store, to: &Path, work: &'a Work) -> Result<Self, BackupError> {
        let Some(root) = store.root() else {
            return Err(BackupError::Memory);
        };
        let to = prepare(root, to)?;
        let made = to.join(UNFINISHED);
        // From here on whatever is made is taken away where the copy comes to nothing.
        let copying = Self {
            registry: store.registry(),
            work,
            report: BackupReport {
                to: to.clone(),
                ..BackupReport::default()
            },
            to,
            made,
            entries: Vec::new(),
            done: false,
        };
        dir::prepare(&copying.made)?;
        dir::segments(&copying.made)?;
        // What is queued belongs to what was recorded before, as far as the disk takes it.
        store.flush();
        let catalog = copying.made.join(catalog::CATALOG);
        copying.registry.catalog.copy_to(&catalog)?;
        Ok(copying)
    }

    /// Copies a segment, unless it is gone.
    pub(crate) fn segment(&mut self, segment: &Segment) -> Result<Option<Entry>, BackupError> {
        for _ in 0..TURNS_MAX {
            if self.work.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            if self.registry.segment(segment.number).is_none() {
                return Ok(None);
            }
            let mut entry = segment.entry();
            let path = files::segment_path(&dir::segments_in(&self.made), segment.number);
            let copied = if entry.state == SegmentState::Sealed {
                self.copy_sealed(segment, &entry, &path)?
            } else {
                entry.state = SegmentState::Closing;
                entry.checksum = None;
                self.copy_unsealed(segment, &path)?
            };
            match copied {
                Copied::Changed => continue,
                Copied::Whole => {}
                Copied::Hurt if path.exists() => {
                    let what = "is hurt and was copied as it is";
                    self.notice(segment, what);
                }
                Copied::Hurt => {
                    self.notice(segment, "is hurt and could not be copied");
                    return Ok(None);
                }
            }
            let bytes = path.metadata().map_or(0, |found| found.len());
            self.report.segments += 1;
            self.report.flows += entry.flows;
            self.report.bytes += bytes;
            self.entries.push(entry.clone());
            return Ok(Some(entry));
        }
        self.notice(
            segment,
            "was written to again and again, and was not copied",
        );
        Ok(None)
    }

    fn notice(&mut self, segment: &Segment, what: &str) {
        self.report
            .notices
            .push(format!("{} {what}", segment.name()));
    }

    /// Copies a file that is only read. It becomes another one only with another entry.
    fn copy_sealed(
        &self,
        segment: &Segment,
        entry: &Entry,
        to: &Path,
    ) -> Result<Copied, BackupError> {
        let Some(from) = segment.path() else {
            return Ok(Copied::Changed);
        };
        let sum = match self.copy_file(from, to) {
            Ok(sum) => sum,
            Err(error) if segment.entry() == *entry => return Err(error),
            Err(_) => return Ok(Copied::Changed),
        };
        let same = segment.entry() == *entry;
        if entry.checksum.is_some_and(|expect| expect != sum) {
            return Ok(if same { Copied::Hurt } else { Copied::Changed });
        }
        for ending in ["col", "fts"] {
            let derived = from.with_extension(ending);
            let logged = files::beside(&derived, "-wal").exists();
            if !same || logged || !derived.exists() {
                continue;
            }
            let copy = to.with_extension(ending);
            // One that is missing is made again, so that no more is lost here than time.
            let copied = self.copy_file(&derived, &copy);
            let sound = ending != "fts" || text::audit(&copy).is_ok();
            if copied.is_err() || !sound || segment.entry() != *entry {
                files::remove(&copy)?;
            }
        }
        Ok(Copied::Whole)
    }

    /// Copies a file that only this user may read, and returns its checksum.
    fn copy_file(&self, from: &Path, to: &Path) -> Result<[u8; 32], BackupError> {
        let mut read = File::open(from).map_err(dir::failed("open", from))?;
        let mut file = files::new_file(to)?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            if self.work.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            let count = match read.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(dir::failed("read", from)(error).into()),
            };
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hasher.update(bytes);
            file.write_all(bytes).map_err(dir::failed("write", to))?;
            self.work.advance(bytes.len() as u64);
        }
        file.sync_all().map_err(dir::failed("sync", to))?;
        Ok(hasher.finalize().into())
    }

    /// Has SQLite copy the state of one moment.
    fn copy_unsealed(&self, segment: &Segment, to: &Path) -> Result<Copied, BackupError> {
        let file = files::new_file(to)?;
        match segment.read(|connection| vacuum_into(connection, to)) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => {
                files::remove(to)?;
                return Ok(Copied::Hurt);
            }
            Err(source) => {
                let path = segment.path().unwrap_or(to).to_owned();
                return Err(OpenError::Segment { path, source }.into());
            }
        }
        file.sync_all().map_err(dir::failed("sync", to))?;
        self.work.advance(segment.info().bytes);
        Ok(Copied::Whole)
    }

    /// Completes the copied catalog and moves everything to where it belongs. A part of the segments is an archive,
    /// with its description as a file.
    pub(crate) fn finish(
        mut self,
        is_part: bool,
        description: Option<(&str, &[u8])>,
    ) -> Result<BackupReport, BackupError> {
        let path = self.made.join(catalog::CATALOG);
        let (catalog, _, notice) = Catalog::open(&self.made)?;
        self.report.notices.extend(notice);
        let restricted = catalog.restrict(&self.entries, is_part);
        restricted.map_err(|source| OpenError::Segment { path, source })?;
        catalog.copy()?;
        catalog.rest();
        drop(catalog);
        // By its lock it is told whether somebody uses a directory.
        files::new_file(&self.made.join(dir::LOCK))?;
        let mut names = vec![dir::SEGMENTS, dir::LOCK, catalog::COPY];
        if let Some((name, content)) = description {
            let path = self.made.join(name);
            let mut file = files::new_file(&path)?;
            let written = file.write_all(content).and_then(|()| file.sync_all());
            written.map_err(dir::failed("write", &path))?;
            names.push(name);
        }
        names.push(catalog::CATALOG);
        for name in names {
            let (from, to) = (self.made.join(name), self.to.join(name));
            fs::rename(&from, &to).map_err(dir::failed("name", &to))?;
        }
        let segments = dir::segments_in(&self.to);
        for dir in [&segments, &self.to] {
            dir::sync(dir).map_err(dir::failed("sync", dir))?;
        }
        self.done = true;
        fs::remove_dir(&self.made).map_err(dir::failed("remove", &self.made))?;
        Ok(std::mem::take(&mut self.report))
    }
}

impl Drop for Copying<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = fs::remove_dir_all(&self.made)
        {
            let dir = self.made.display();
            tracing::warn!(%error, %dir, "a copy that came to nothing cannot be removed");
        }
    }
}

/// Makes sure that a directory is there, empty, and no part of the data directory. Returns where it really is.
fn prepare(root: &Path, to: &Path) -> Result<PathBuf, BackupError> {
    let real = |path: &Path| path.canonicalize().map_err(dir::failed("find", path));
    let root = real(root)?;
    // What does not exist yet must not be made within the data directory either.
    let mut above = to;
    while !above.exists() {
        match above.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => above = parent,
            _ => break,
        }
    }
    if above.exists() && real(above)?.starts_with(&root) {
        return Err(BackupError::Within { dir: to.to_owned() });
    }
    if to.is_dir() {
        let mut files = fs::read_dir(to).map_err(dir::failed("read", to))?;
        if files.next().is_some() {
            return Err(BackupError::NotEmpty { dir: to.to_owned() });
        }
    }
    dir::prepare(to)?;
    let made = real(to)?;
    // A path from the working directory on shows only now where it leads.
    if made.starts_with(&root) {
        return Err(BackupError::Within { dir: to.to_owned() });
    }
    Ok(made)
}

#[cfg(test)]
mod tests;
