//! The files of the tree, read once.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::{Workspace, stdout_of};

/// One file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// Its length in bytes.
    pub(super) bytes: u64,
    /// The text; none where the file is not UTF-8.
    pub(super) text: Option<String>,
    /// The owner may run it; none where the system knows no such permission.
    pub(super) executable: Option<bool>,
}

// === impl File ===

impl File {
    /// Returns the text, empty for a file without.
    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Returns whether the name ends in one of these extensions.
    pub(super) fn is(&self, extensions: &[&str]) -> bool {
        let extension = Path::new(&self.path).extension();
        extension.is_some_and(|own| extensions.iter().any(|wanted| own == *wanted))
    }

    /// Returns the last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Returns the lines with their numbers, counted from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text().lines())
    }
}

/// Reads every file that git tracks, or would track.
pub(super) fn read(workspace: &Workspace) -> Result<Vec<File>> {
    let output = stdout_of(workspace.command("git", ".").args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))
    .context("list the files of the tree")?;
    let mut files = Vec::new();
    for name in output
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        let path = String::from_utf8_lossy(name).into_owned();
        let place = workspace.path(&path);
        // A file that was removed but is still tracked has nothing to check.
        let Ok(metadata) = fs::symlink_metadata(&place) else {
            continue;
        };
        if !metadata.is_file() {
            continue;
        }
        let content = fs::read(&place).with_context(|| format!("read {path}"))?;
        files.push(File {
            path,
            bytes: metadata.len(),
            text: String::from_utf8(content).ok(),
            executable: executable(&metadata),
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.dedup_by(|a, b| a.path == b.path);
    Ok(files)
}

#[cfg(unix)]
#[expect(
    clippy::unnecessary_wraps,
    reason = "other systems know no such permission"
)]
fn executable(metadata: &fs::Metadata) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt;
    Some(metadata.permissions().mode() & 0o100 != 0)
}

#[cfg(not(unix))]
fn executable(_: &fs::Metadata) -> Option<bool> {
    None
}

/// Makes a file for a test of a rule.
#[cfg(test)]
pub(super) fn sample(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        bytes: text.len() as u64,
        text: Some(text.to_owned()),
        executable: Some(false),
    }
}
