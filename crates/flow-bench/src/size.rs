//! What a data directory weighs, by kind of file, beside the bodies that are in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use crate::measure::size;
use crate::out;
use crate::traffic::Stored;

/// Which directory is weighed.
#[derive(Args)]
pub(crate) struct Options {
    /// A data directory that was generated.
    #[arg(long)]
    dir: PathBuf,
}

/// Weighs.
pub(crate) fn run(options: &Options) -> Result<()> {
    print(&options.dir, &Stored::read(&options.dir)?)
}

/// Prints what a directory weighs.
pub(crate) fn print(dir: &Path, stored: &Stored) -> Result<()> {
    let kinds = weigh(dir)?;
    let total: u64 = kinds.values().sum();
    out::line("| files | bytes | share of the bodies |\n| --- | ---: | ---: |");
    out::line(format_args!("| bodies | {} | |", size(stored.raw_bytes)));
    let all = kinds.iter().map(|(kind, bytes)| (kind.as_str(), *bytes));
    for (kind, bytes) in all.chain([("together", total)]) {
        out::line(format_args!(
            "| {kind} | {} | {} |",
            size(bytes),
            share(bytes, stored.raw_bytes)
        ));
    }
    let each = total / stored.traffic.flows.max(1);
    out::line(format_args!("{each} bytes a flow"));
    Ok(())
}

/// Returns a part of a whole in hundredths.
pub(crate) fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with two places")]
    let share = part as f64 / whole.max(1) as f64;
    format!("{:.2} %", share * 100.0)
}

/// Returns the bytes of all files below a directory, by their extension.
pub(crate) fn weigh(dir: &Path) -> Result<BTreeMap<String, u64>> {
    let mut kinds = BTreeMap::new();
    let mut left = vec![dir.to_owned()];
    while let Some(folder) = left.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let facts = entry.metadata()?;
            let path = entry.path();
            if facts.is_dir() {
                left.push(path);
                continue;
            }
            let kind = path
                .extension()
                .map(|kind| kind.to_string_lossy().into_owned());
            *kinds
                .entry(kind.unwrap_or_else(|| "other".to_owned()))
                .or_insert(0) += facts.len();
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_weighed_by_their_kind() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("segments");
        fs::create_dir(&folder).unwrap();
        for (name, bytes) in [("1.db", 10), ("2.db", 20), ("1.col", 5), ("lock", 1)] {
            fs::write(folder.join(name), vec![0; bytes]).unwrap();
        }
        let kinds = weigh(dir.path()).unwrap();
        let kinds: Vec<(&str, u64)> = kinds
            .iter()
            .map(|(kind, bytes)| (kind.as_str(), *bytes))
            .collect();
        assert_eq!(kinds, [("col", 5), ("db", 30), ("other", 1)]);
        assert_eq!(share(5, 200), "2.50 %");
        assert_eq!(share(5, 0), "500.00 %");
    }
}
