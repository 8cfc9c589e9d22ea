//! Makes a data directory whole again, as far as it can be: what a check finds, put right.
//!
//! | found | done |
//! |---|---|
//! | a hurt segment | put aside, and every flow that is readable in it brought over into the live one |
//! | a segment that is missing | its entry is removed: its flows are lost |
//! | a hurt catalog | put aside, and restored from its copy or made again from the segments |
//! | an entry that is wrong | made again from the segment |
//! | a hurt derived file | removed: it is made again in the background |
//! | leftovers of a kill | removed |
//! | files that are not ours, of a later release, or that the system does not let be read | left alone |
//!
//! Nothing is deleted of what was recorded: a file that is put aside stays until somebody removes it. Nobody else may
//! use the directory meanwhile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flow_model::Timestamp;
use serde::Serialize;

use crate::archive;
use crate::catalog::{Catalog, Entry};
use crate::check::{self, CheckReport, Finding, FindingKind};
use crate::dir::{self, DirError};
use crate::files;
use crate::listing::{self, Sort};
use crate::segment::SegmentState;
use crate::store::{OpenError, Store, StoreOptions};
use crate::work::Work;

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    /// What was wrong.
    pub found: CheckReport,
    /// What was done about it, or would be, in words.
    pub done: Vec<String>,
    /// Flows that were brought over from hurt segments.
    pub flows_kept: u64,
    /// Flows of hurt segments that cannot be read any more.
    pub flows_lost: u64,
    /// What is still wrong; none where nothing was changed.
    pub left: Option<CheckReport>,
}

/// Why a directory cannot be put right.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// It was told to stop.
    #[error("it was stopped before its end")]
    Cancelled,
    /// The directory cannot be used.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// A file can be neither put aside nor made again.
    #[error(transparent)]
    File(#[from] OpenError),
}

/// Puts a data directory right that no store uses. A dry run only says what would be done.
pub fn repair(
    root: &Path,
    dry_run: bool,
    now: Timestamp,
    work: &Work,
) -> Result<RepairReport, RepairError> {
    let found = check::check_dir(root, false, work)?;
    if !found.finished {
        return Err(RepairError::Cancelled);
    }
    let mut repair = Repair::plan(root, found)?;
    if dry_run || repair.is_idle() {
        return Ok(repair.report);
    }
    archive::refuse(root)?;
    let claim = dir::claim(root)?;
    repair.put_aside()?;
    drop(claim);
    let store = Store::open(StoreOptions {
        dir: Some(root.to_owned()),
        recent_rows_max: 1,
        memory_bytes_max: 0,
        compressed: true,
        now,
    })?;
    store.settle_salvage();
    let health = store.health();
    store.close();
    let mut report = repair.report;
    report.flows_kept = health.flows_salvaged;
    report.flows_lost = health.flows_unreadable;
    report.done.extend(health.notices);
    report.left = Some(check::check_dir(root, false, work)?);
    Ok(report)
}

/// What is to be done.
struct Repair<'a> {
    root: &'a Path,
    /// Segments that are hurt.
    hurt: BTreeSet<u32>,
    /// Segments whose entry is wrong.
    misread: BTreeSet<u32>,
    /// Files that are removed.
    removed: Vec<PathBuf>,
    /// The start of a store does the rest.
    restart: bool,
    report: RepairReport,
}

// === impl Repair ===

impl<'a> Repair<'a> {
    fn plan(root: &'a Path, found: CheckReport) -> Result<Self, RepairError> {
        let mut repair = Self {
            root,
            hurt: BTreeSet::new(),
            misread: BTreeSet::new(),
            removed: Vec::new(),
            restart: false,
            report: RepairReport::default(),
        };
        for finding in &found.findings {
            repair.consider(finding);
        }
        let disagrees = |finding: &Finding| finding.kind == FindingKind::Disagrees;
        if found.findings.iter().any(disagrees) {
            // The catalog does not tell which entry; every sealed segment is measured again.
            let segments = dir::segments_in(root);
            let all = files::list(&segments)?
                .into_iter()
                .map(|(number, _)| number);
            repair.misread.extend(all);
            let what = "the entries of the catalog are made again from the segments";
            repair.report.done.push(what.to_owned());
        }
        repair.report.found = found;
        Ok(repair)
    }

    fn consider(&mut self, finding: &Finding) {
        let path = self.root.join(&finding.file);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let done = match (finding.kind, listing::sort(&name)) {
            (FindingKind::Damaged, Sort::Segment(number)) => {
                if !self.hurt.insert(number) {
                    return;
                }
                format!(
                    "{} is put aside, and what is readable in it brought over",
                    finding.file
                )
            }
            (FindingKind::Damaged | FindingKind::Missing | FindingKind::Aside, _) => {
                self.restart = true;
                return;
            }
            (FindingKind::Derived | FindingKind::Leftover, _) => {
                self.removed.push(path);
                format!("{} is removed", finding.file)
            }
            (
                FindingKind::Newer
                | FindingKind::Unreachable
                | FindingKind::Disagrees
                | FindingKind::Foreign,
                _,
            ) => return,
        };
        self.report.done.push(done);
    }

    fn is_idle(&self) -> bool {
        let nothing = self.hurt.is_empty() && self.misread.is_empty() && self.removed.is_empty();
        nothing && !self.restart
    }

    /// Does what has to be done before the store is opened.
    fn put_aside(&mut self) -> Result<(), RepairError> {
        let segments = dir::segments(self.root)?;
        for path in &self.removed {
            files::remove(path)?;
        }
        let (catalog, _, notice) = Catalog::open(self.root)?;
        self.report.done.extend(notice);
        let failed = |source| OpenError::Segment {
            path: self.root.to_owned(),
            source,
        };
        let entries = catalog.segments().map_err(failed)?;
        for &number in &self.hurt {
            let name = files::segment_name(number);
            let aside = files::put_aside(&segments, &name, "is damaged")?;
            self.report.done.push(aside);
            for ending in ["col", "fts"] {
                let derived = files::segment_path(&segments, number).with_extension(ending);
                for log in ["-wal", "-shm", "-journal", ""] {
                    files::remove(&files::beside(&derived, log))?;
                }
            }
            catalog.remove(number).map_err(failed)?;
        }
        for entry in entries {
            if self.misread.contains(&entry.number) && !self.hurt.contains(&entry.number) {
                let fresh = Entry::empty(entry.number, SegmentState::Closing, entry.version);
                catalog.put(&fresh).map_err(failed)?;
            }
        }
        catalog.copy()?;
        catalog.rest();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
