//! Rules of the tree that no compiler checks.
//!
//! Each rule is a pure function from files to findings; all findings are printed, and one is enough to fail.
//! Files are those that git tracks or would track. Limits and exceptions stand in [`ratchet`] and may only
//! become tighter: an exception that is no longer needed is a finding too.

mod crates;
mod leftovers;
mod length;
mod links;
mod manifest;
mod places;
mod ratchet;
mod tree;

use std::fmt;

use anyhow::{Result, bail};

use crate::out;
use crate::workspace::Workspace;

/// Something that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    /// Line, counted from 1; 0 where the whole file is meant.
    line: usize,
    message: String,
}

/// Checks every rule.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = tree::read(workspace)?;
    let mut findings = crates::check(workspace.metadata());
    findings.extend(manifest::check(&files));
    findings.extend(length::check(&files));
    findings.extend(leftovers::check(&files));
    findings.extend(links::check(&files));
    findings.extend(places::check(&files));
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        out::line(finding);
    }
    match findings.len() {
        0 => {
            out::line(format_args!("{} files are tidy", files.len()));
            Ok(())
        }
        count => bail!("{count} findings in the tree"),
    }
}

// === impl Finding ===

impl Finding {
    fn file(path: &str, message: impl Into<String>) -> Self {
        Self::line(path, 0, message)
    }

    fn line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}
