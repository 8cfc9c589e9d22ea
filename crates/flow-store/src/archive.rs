//! Takes old segments out of the store: a directory of their own, which is only read.
//!
//! An archive has the form of a backup, with the sealed segments whose flows are all from before some time, and with
//! `archive.json`, by which it is known. Such a directory is never opened for writing. Segments that hold newer flows
//! too stay; the live one is ended where all of its flows are old enough.
//!
//! Where the segments are to be removed here, that happens once the archive is whole and on the disk. A segment that
//! was hurt, has been written to since, or holds pinned flows is kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flow_model::Timestamp;
use serde_json::json;

use crate::backup::{BackupError, BackupReport, Copying};
use crate::catalog::Entry;
use crate::registry::Registry;
use crate::segment::{Segment, SegmentState};
use crate::store::{OpenError, Store};
use crate::work::Work;

/// The file that makes a directory an archive.
const DESCRIPTION: &str = "archive.json";
/// The form of that file.
const DESCRIPTION_VERSION: u32 = 1;
/// How long segments are waited for that are about to be sealed.
const SEAL_WAIT_MAX: Duration = Duration::from_mins(2);

/// What is to be archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivePlan {
    /// Flows that began then or later stay.
    pub before: Timestamp,
    /// The segments are removed here once they are in the archive.
    pub remove: bool,
    /// The time of day.
    pub now: Timestamp,
}

/// Returns whether a directory is an archive.
pub fn is_archive(dir: &Path) -> bool {
    dir.join(DESCRIPTION).exists()
}

/// Refuses to write to an archive.
pub(crate) fn refuse(dir: &Path) -> Result<(), OpenError> {
    if is_archive(dir) {
        return Err(OpenError::Archive { dir: dir.into() });
    }
    Ok(())
}

// === impl Store ===

impl Store {
    /// Copies the segments with old flows into a directory that is new or empty, which becomes an archive.
    pub fn archive(
        &self,
        to: &Path,
        plan: ArchivePlan,
        work: &Work,
    ) -> Result<BackupReport, BackupError> {
        let mut copying = Copying::begin(self, to, work)?;
        let registry = self.registry();
        for segment in old_segments(registry, plan.before, work)? {
            if segment.is_sealed() {
                work.expect(segment.info().bytes);
            }
        }
        let mut copied = Vec::new();
        for segment in registry.all().iter().rev() {
            if !is_old(segment, plan.before) {
                continue;
            }
            if !segment.is_sealed() {
                let what = "stays: flows still run in it, or it could not be sealed";
                let notice = format!("{} {what}", segment.name());
                copying.report.notices.push(notice);
            } else if let Some(entry) = copying.segment(segment)? {
                copied.push((Arc::clone(segment), entry));
            }
        }
        if copied.is_empty() {
            return Err(BackupError::Nothing);
        }
        let whole = copying.report.notices.is_empty();
        let numbers: Vec<_> = copied.iter().map(|(_, entry)| entry.number).collect();
        let description = json!({
            "version": DESCRIPTION_VERSION,
            "made_at": plan.now,
            "before": plan.before,
            "flows": copying.report.flows,
            "segments": numbers,
        });
        let description = description.to_string();
        let mut report = copying.finish(true, Some((DESCRIPTION, description.as_bytes())))?;
        if plan.remove && whole {
            for (segment, entry) in &copied {
                match self.remove_segment(segment, entry)? {
                    None => report.removed += 1,
                    Some(why) => report
                        .notices
                        .push(format!("{} stays: {why}", segment.name())),
                }
            }
        } else if plan.remove {
            let notice = "nothing was removed, because not everything could be archived whole";
            report.notices.push(notice.to_owned());
        }
        Ok(report)
    }

    /// Takes a segment away that has been copied, as retention would; returns why it stays otherwise.
    fn remove_segment(
        &self,
        segment: &Arc<Segment>,
        copied: &Entry,
    ) -> Result<Option<&'static str>, BackupError> {
        if segment.entry() != *copied {
            return Ok(Some("it has been written to since"));
        }
        let kept = self.retire(segment)?;
        Ok(match (segment.is_gone(), kept) {
            (true, _) => None,
            (false, true) => Some("it has been written to since"),
            (false, false) => Some("a pinned flow in it cannot be kept"),
        })
    }
}

/// Returns whether a segment has flows, all of them from before `before`.
fn is_old(segment: &Segment, before: Timestamp) -> bool {
    let times = segment.facts().extent.times;
    times.is_some_and(|(_, last)| last < before)
}

/// Returns the segments with old flows alone, once those are sealed that can be.
fn old_segments(
    registry: &Registry,
    before: Timestamp,
    work: &Work,
) -> Result<Vec<Arc<Segment>>, BackupError> {
    if registry.live().is_some_and(|live| is_old(&live, before)) {
        registry.rotate()?;
    }
    let old = || -> Vec<_> {
        let all = registry.all();
        all.iter()
            .filter(|segment| is_old(segment, before))
            .cloned()
            .collect()
    };
    registry.signal.raise();
    registry.signal.wait_while_sealing(SEAL_WAIT_MAX, || {
        let closing = |segment: &Arc<Segment>| segment.state() != SegmentState::Sealed;
        work.is_cancelled() || !old().iter().any(closing)
    });
    if work.is_cancelled() {
        return Err(BackupError::Cancelled);
    }
    Ok(old())
}

#[cfg(test)]
mod tests;
