//! Files that are made from the Rust types and kept in the tree.
//!
//! The binary prints its OpenAPI document (`flow-monitor openapi`, a hidden command), so that this tool need not
//! link the API. The page's TypeScript is made from the document by `npm run generate`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::install;
use crate::workspace::{Profile, Workspace, run, stdout_of};

/// The document, as kept in the tree.
const DOCUMENT: &str = "web/openapi.json";
/// The folder that `npm run generate` writes.
const GENERATED: &str = "web/src/api/generated";

/// Writes the document and the types made from it.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    workspace.build(Profile::Dev, &["flow-monitor"])?;
    fs::write(workspace.path(DOCUMENT), document(workspace)?)
        .with_context(|| format!("write {DOCUMENT}"))?;
    install::npm_packages(workspace)?;
    run(install::npm(workspace).args(["run", "generate"]))
}

/// Fails where the generated files are not what the Rust types give now; the tree stays as it was.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let kept = fs::read(workspace.path(DOCUMENT)).with_context(|| format!("read {DOCUMENT}"))?;
    ensure!(
        kept == document(workspace)?,
        "{DOCUMENT} is stale: run `cargo xtask codegen`"
    );
    let folder = workspace.path(GENERATED);
    let before = contents(&folder).with_context(|| format!("read {GENERATED}"))?;
    let outcome = run(install::npm(workspace).args(["run", "generate"]));
    let after = contents(&folder).with_context(|| format!("read {GENERATED}"))?;
    let fresh = before == after;
    for (path, bytes) in before {
        fs::write(path, bytes).context("put the generated types back")?;
    }
    outcome?;
    ensure!(fresh, "{GENERATED} is stale: run `cargo xtask codegen`");
    Ok(())
}

fn document(workspace: &Workspace) -> Result<Vec<u8>> {
    let program = workspace.binary(Profile::Dev, "flow-monitor");
    stdout_of(workspace.command(program, ".").arg("openapi"))
}

fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    fs::read_dir(folder)?
        .map(|entry| {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            Ok((path, bytes))
        })
        .collect()
}
