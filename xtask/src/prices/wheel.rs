//! Fetches a package and unzips it, without running anything that is in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::workspace::{Workspace, run};

/// An unzipped package.
pub(super) struct Wheel {
    folder: PathBuf,
    pub(super) version: String,
}

/// Downloads the newest version of a package and unzips it.
pub(super) fn fetch(workspace: &Workspace, folder: &Path, name: &str) -> Result<Wheel> {
    let folder = folder.join(name);
    let arguments = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ];
    run(workspace
        .command("python3", ".")
        .args(arguments)
        .arg("--dest")
        .arg(&folder)
        .arg(name))?;
    let file = fs::read_dir(&folder)
        .with_context(|| format!("read the folder of {name}"))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("pip gave no wheel of {name}"))?;
    let version = file
        .file_name()
        .and_then(|file| file.to_str())
        .and_then(|file| file.split('-').nth(1))
        .with_context(|| format!("the wheel of {name} has no version"))?
        .to_owned();
    let unzipped = folder.join("unzipped");
    run(workspace
        .command("python3", ".")
        .args(["-m", "zipfile", "--extract"])
        .args([&file, &unzipped]))?;
    Ok(Wheel {
        folder: unzipped,
        version,
    })
}

impl Wheel {
    /// Returns the text of one of its files.
    pub(super) fn text(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(path)).with_context(|| format!("read {path}"))
    }
}
