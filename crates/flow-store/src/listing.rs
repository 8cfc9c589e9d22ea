//! What stands in the directory of segments, told by names alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::dir;
use crate::files;
use crate::store::OpenError;

/// Endings of the files that SQLite keeps beside a database.
const LOGS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What the names of files have in them that are being made.
const BEING_MADE: [&str; 3] = ["unfinished", ".compact", ".purging"];

/// What a name says of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The truth of a segment.
    Segment(u32),
    /// Something derived from the segment of this number, or a log of either.
    Beside(u32),
    /// A damaged file that was put aside, or its log.
    Aside,
    /// What a kill left of a file that was being made.
    Leftover,
    /// Nothing of ours.
    Foreign,
}

/// Returns every file in a directory with its name, in order; none where there is no such directory.
pub(crate) fn read(dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let files = match fs::read_dir(dir) {
        Ok(files) => files,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default();
        found.push((name.to_string_lossy().into_owned(), path));
    }
    found.sort_unstable();
    Ok(found)
}

/// Returns what a name in the directory of segments says.
pub(crate) fn sort(name: &str) -> Sort {
    let bare = LOGS.iter().find_map(|log| name.strip_suffix(log));
    let of = bare.unwrap_or(name);
    if let Some((number, ending)) = of.split_once('.')
        && let Ok(number) = number.parse()
        && files::segment_name(number).strip_suffix(".db") == of.split('.').next()
    {
        let aside = ending.strip_prefix("db.damaged-");
        return match ending {
            "db" if bare.is_none() => Sort::Segment(number),
            "db" | "col" | "fts" => Sort::Beside(number),
            _ if aside.is_some_and(|turn| turn.parse::<u32>().is_ok()) => Sort::Aside,
            _ if is_being_made(ending) => Sort::Leftover,
            _ => Sort::Foreign,
        };
    }
    if of == "unfinished" {
        Sort::Leftover
    } else {
        Sort::Foreign
    }
}

/// Removes what kills have left of files that were being made, and what is derived from segments that are gone.
/// Nobody else may use the directory.
pub(crate) fn remove_leftovers(dir: &Path) -> Result<(), OpenError> {
    for (name, path) in read(dir).map_err(dir::failed("read", dir))? {
        let left = match sort(&name) {
            Sort::Leftover => true,
            Sort::Beside(number) => !files::segment_path(dir, number).exists(),
            Sort::Segment(_) | Sort::Aside | Sort::Foreign => false,
        };
        if left && path.is_file() {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Returns whether a name is one of a file that is being made.
fn is_being_made(name: &str) -> bool {
    let name = format!(".{name}");
    BEING_MADE.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expect: Sort) {
        assert_eq!(sort(name), expect, "{name}");
    }

    #[test]
    fn a_name_says_what_a_file_is() {
        check("000001.db", Sort::Segment(1));
        check("1234567.db", Sort::Segment(1_234_567));
        check("000001.db-wal", Sort::Beside(1));
        check("000001.col", Sort::Beside(1));
        check("000012.fts-journal", Sort::Beside(12));
        check("000001.db.damaged-2", Sort::Aside);
        check("000001.db.damaged-2-wal", Sort::Aside);
        check("unfinished", Sort::Leftover);
        check("unfinished-journal", Sort::Leftover);
        check("000001.db.compact", Sort::Leftover);
        check("000001.db.purging-wal", Sort::Leftover);
        check("000001.col.unfinished", Sort::Leftover);
        for foreign in [
            "1.db",
            "notes",
            "000001.db.old",
            "000001",
            "",
            "a.db",
            "+00001.db",
            ".DS_Store",
        ] {
            check(foreign, Sort::Foreign);
        }
    }
}
