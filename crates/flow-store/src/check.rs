//! Checks a data directory: every file of it, every flow in it, and that they say the same.
//!
//! It reads and never changes anything, not even a log that waits to be written into its file. It goes on behind
//! every damage, so that the report names all of it: each with its file, and with the flow where one is hurt.
//!
//! | what | how |
//! |---|---|
//! | catalog and its copy | SQLite's own check; the entry of each sealed segment against the segment |
//! | sealed segments | the checksum of the file |
//! | all segments | SQLite's own check; every record of every flow, by its checksum; every blob and node, once |
//! | bodies, when asked to look deep | each rebuilt, and its SHA-256 compared where that of the wire is known |
//! | text indexes that are finished | the checksum of the file |
//!
//! The directory may belong to this process's store, which goes on recording. A segment is then read in the state
//! of one moment; one that is found hurt and was written to meanwhile is read again.
//!
//! Limits: [`FINDINGS_MAX`] findings are kept, more are counted.

mod flow;
mod segment;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use flow_model::FlowId;
use serde::Serialize;

use crate::catalog::{self, Entry};
use crate::dir::{self, DirError};
use crate::files::{self, Flaw};
use crate::format::FORMAT;
use crate::listing::{self, Sort};
use crate::opening;
use crate::place::Access;
use crate::registry::Registry;
use crate::segment::SegmentState;
use crate::store::Store;
use crate::work::Work;

/// Findings that a report names.
const FINDINGS_MAX: usize = 10_000;
/// How often a segment is read that changes while it is.
const TURNS_MAX: u32 = 3;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckReport {
    /// Bodies were rebuilt, and compared with what was on the wire.
    pub deep: bool,
    /// It was not stopped before its end.
    pub finished: bool,
    /// Segments that were read.
    pub segments: u64,
    /// Flows that were read.
    pub flows: u64,
    /// Bytes of the files of segments.
    pub bytes: u64,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
    /// Findings that are not among those, because there are too many.
    pub findings_left_out: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// The file, from the data directory on.
    pub file: String,
    /// The flow that it costs; none where it costs none, or nobody can tell which.
    pub flow: Option<FlowId>,
    /// What is wrong, such as `is cut off`.
    pub what: String,
}

/// Kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// What was recorded is hurt.
    Damaged,
    /// A later release wrote the file, which this one cannot read.
    Newer,
    /// The system does not let the file be read.
    Unreachable,
    /// A file is not there.
    Missing,
    /// The catalog says otherwise than the segment.
    Disagrees,
    /// A file that can be made again is hurt.
    Derived,
    /// A damaged file was put aside, and what is readable in it has not been brought over yet.
    Aside,
    /// What a kill left of a file that was being made. It does no harm.
    Leftover,
    /// A file that is not of this program. It is left alone.
    Foreign,
}

/// A check under way.
struct Look<'a> {
    root: &'a Path,
    deep: bool,
    work: &'a Work,
    /// The segments of the store that runs on the directory; none where none does.
    running: Option<&'a Registry>,
    report: CheckReport,
}

// === impl FindingKind ===

impl FindingKind {
    /// Returns whether something is lost or wrong, and not only in the way.
    pub const fn is_damage(self) -> bool {
        match self {
            Self::Damaged
            | Self::Newer
            | Self::Unreachable
            | Self::Missing
            | Self::Disagrees
            | Self::Derived
            | Self::Aside => true,
            Self::Leftover | Self::Foreign => false,
        }
    }
}

// === impl Finding ===

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flow {
            Some(flow) => write!(f, "{}: flow {flow}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

// === impl CheckReport ===

impl CheckReport {
    /// Returns whether all of it was read and nothing is lost or wrong.
    pub fn is_sound(&self) -> bool {
        let damage = self.findings.iter().any(|finding| finding.kind.is_damage());
        self.finished && !damage && self.findings_left_out == 0
    }
}

// === impl Store ===

impl Store {
    /// Checks the data directory of this store, which goes on recording meanwhile. A store in memory has nothing
    /// to check.
    pub fn check(&self, deep: bool, work: &Work) -> Result<CheckReport, DirError> {
        let Some(root) = self.root() else {
            return Ok(CheckReport {
                deep,
                finished: true,
                ..CheckReport::default()
            });
        };
        // What is queued is to be on the disk, as far as the disk takes it.
        self.flush();
        let registry = self.registry();
        let running = registry.dir.is_some().then_some(registry);
        Look::new(root, deep, work, running).run()
    }
}

/// Checks a data directory that no store uses, and keeps others from using it meanwhile.
pub fn check_dir(root: &Path, deep: bool, work: &Work) -> Result<CheckReport, DirError> {
    let _shared = dir::share(root)?;
    Look::new(root, deep, work, None).run()
}

// === impl Look ===

impl<'a> Look<'a> {
    fn new(root: &'a Path, deep: bool, work: &'a Work, running: Option<&'a Registry>) -> Self {
        let report = CheckReport {
            deep,
            ..CheckReport::default()
        };
        Self {
            root,
            deep,
            work,
            running,
            report,
        }
    }

    fn run(mut self) -> Result<CheckReport, DirError> {
        let segments = dir::segments_in(self.root);
        let listed = listing::read(&segments).map_err(dir::failed("read", &segments))?;
        let mut entries = self.catalog();
        let mut found = Vec::new();
        for (name, path) in listed {
            match listing::sort(&name) {
                Sort::Segment(number) if path.is_file() => found.push((number, path)),
                sort => self.beside(sort, &path, &segments),
            }
        }
        for (_, path) in &found {
            let bytes = path.metadata().map_or(0, |found| found.len());
            self.work.expect(bytes);
        }
        for (number, path) in found {
            if self.work.is_cancelled() {
                return Ok(self.report);
            }
            self.segment_in_turns(number, &path, entries.remove(&number));
        }
        for entry in entries.values() {
            let gone = |registry: &Registry| registry.segment(entry.number).is_none();
            if self.running.is_some_and(gone) {
                continue;
            }
            let flows = match entry.state {
                SegmentState::Sealed => format!(" with {} flows", entry.flows),
                // Nobody counted them.
                SegmentState::Live | SegmentState::Closing => String::new(),
            };
            let path = files::segment_path(&segments, entry.number);
            self.find(FindingKind::Missing, &path, format!("is missing{flows}"));
        }
        self.report.finished = !self.work.is_cancelled();
        Ok(self.report)
    }

    /// Adds a finding that concerns no flow.
    fn find(&mut self, kind: FindingKind, path: &Path, what: impl Into<String>) {
        self.find_flow(kind, path, None, what);
    }

    fn find_flow(
        &mut self,
        kind: FindingKind,
        path: &Path,
        flow: Option<FlowId>,
        what: impl Into<String>,
    ) {
        if self.report.findings.len() >= FINDINGS_MAX {
            self.report.findings_left_out += 1;
            return;
        }
        let file = path.strip_prefix(self.root).unwrap_or(path);
        self.report.findings.push(Finding {
            kind,
            file: file.to_string_lossy().into_owned(),
            flow,
            what: what.into(),
        });
    }

    /// Adds the finding that a flaw is.
    fn find_flaw(&mut self, path: &Path, flaw: Flaw) {
        let (kind, what) = match flaw {
            Flaw::Damaged(what) => (FindingKind::Damaged, what),
            Flaw::Newer(version) => (
                FindingKind::Newer,
                format!(
                    "has format {}, and this program knows format {}",
                    version.major, FORMAT.major
                ),
            ),
            Flaw::Unusable(error) => (
                FindingKind::Unreachable,
                format!("cannot be used ({error})"),
            ),
            Flaw::Unreachable(error) => (
                FindingKind::Unreachable,
                format!("cannot be read ({error})"),
            ),
        };
        self.find(kind, path, what);
    }

    /// Checks the catalog and its copy. Returns what it knows of segments.
    fn catalog(&mut self) -> BTreeMap<u32, Entry> {
        for name in [catalog::UNFINISHED_CATALOG, catalog::UNFINISHED_COPY] {
            let path = self.root.join(name);
            if self.running.is_none() && path.exists() {
                self.find(FindingKind::Leftover, &path, "was being made at a kill");
            }
        }
        let copy = self.root.join(catalog::COPY);
        // It is replaced whole, and nobody has it open: no lock of SQLite is lost with it.
        if copy.exists()
            && let Err(flaw) = catalog::inspect(&copy, Access::Sealed)
        {
            self.find_flaw(&copy, flaw);
        }
        let path = self.root.join(catalog::CATALOG);
        if !path.exists() {
            if self.has_segments_of_catalogs() {
                self.find(FindingKind::Missing, &path, "is missing");
            }
            return BTreeMap::new();
        }
        let access = self.access(&path, false);
        let read = catalog::inspect(&path, access)
            .and_then(|connection| catalog::entries(&connection).map_err(Flaw::Unusable));
        match read {
            Ok(entries) => entries
                .into_iter()
                .map(|entry| (entry.number, entry))
                .collect(),
            Err(flaw) => {
                self.find_flaw(&path, flaw);
                BTreeMap::new()
            }
        }
    }

    /// Returns whether there is a segment of a release that keeps a catalog.
    fn has_segments_of_catalogs(&self) -> bool {
        let later = |(_, path): (u32, PathBuf)| {
            let access = self.access(&path, false);
            let version = files::check(&path, access).map(|version| version.major);
            version.is_ok_and(|major| major >= opening::CATALOG_SINCE)
        };
        let listed = files::list(&dir::segments_in(self.root));
        listed.is_ok_and(|segments| segments.into_iter().any(later))
    }

    /// Returns how a file is read without changing anything.
    fn access(&self, path: &Path, sealed: bool) -> Access {
        let log = files::beside(path, "-wal");
        let logged = log.metadata().is_ok_and(|found| found.len() > 0);
        if self.running.is_some() && !sealed {
            Access::Shared
        } else if logged {
            Access::Lenient
        } else {
            Access::Sealed
        }
    }

    /// Looks at what is no segment.
    fn beside(&mut self, sort: Sort, path: &Path, segments: &Path) {
        match sort {
            Sort::Aside => self.aside(path),
            // What is being made is somebody's while a store runs.
            Sort::Leftover if self.running.is_none() => {
                self.find(FindingKind::Leftover, path, "was being made at a kill");
            }
            Sort::Beside(number)
                if self.running.is_none() && !files::segment_path(segments, number).exists() =>
            {
                self.find(FindingKind::Leftover, path, "belongs to no segment");
            }
            Sort::Leftover | Sort::Beside(_) => {}
            Sort::Foreign | Sort::Segment(_) => {
                self.find(FindingKind::Foreign, path, "is not of this program");
            }
        }
    }

    /// Looks at a damaged file that was put aside, or its log.
    fn aside(&mut self, path: &Path) {
        let name = path.to_string_lossy();
        let is_log = ["-wal", "-shm", "-journal"]
            .iter()
            .any(|log| name.ends_with(log));
        if is_log || self.is_salvaged(path) {
            return;
        }
        let what = "was put aside as damaged, and its flows have not been brought over";
        self.find(FindingKind::Aside, path, what);
    }

    fn is_salvaged(&self, path: &Path) -> bool {
        let key = opening::salvaged_key(path);
        if let Some(registry) = self.running {
            return registry.catalog.note(&key).is_ok_and(|note| note.is_some());
        }
        let catalog = self.root.join(catalog::CATALOG);
        let access = self.access(&catalog, false);
        let noted = catalog::inspect(&catalog, access)
            .ok()
            .and_then(|connection| {
                let sql = "SELECT count(*) FROM notes WHERE key = ?1";
                connection
                    .query_row(sql, [&key], |row| row.get::<_, i64>(0))
                    .ok()
            });
        noted.is_some_and(|notes| notes > 0)
    }

    /// Checks a segment, again where it is hurt and was written to meanwhile.
    fn segment_in_turns(&mut self, number: u32, path: &Path, mut entry: Option<Entry>) {
        for turn in 1..=TURNS_MAX {
            let kept = self.report.clone();
            let Some(registry) = self.running else {
                self.segment(path, entry.as_ref());
                return;
            };
            let Some(segment) = registry.segment(number) else {
                return;
            };
            let stamp = || (segment.is_sealed(), segment.facts().checksum);
            let before = stamp();
            entry = Some(segment.entry());
            self.segment(path, entry.as_ref());
            let hurt = self.report.findings.len() > kept.findings.len();
            let gone = registry.segment(number).is_none();
            if !hurt || (stamp() == before && !gone) || turn == TURNS_MAX {
                return;
            }
            self.report = kept;
        }
    }
}

#[cfg(test)]
mod tests;
