//! What takes too long for every day.

use anyhow::Result;

use crate::kill;
use crate::out;
use crate::workspace::{self, Workspace, succeeds};

/// Runs the checks that are left out of `cargo xtask test`.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    workspace::run(
        workspace
            .cargo()
            .args([
                "doc",
                "--workspace",
                "--no-deps",
                "--document-private-items",
            ])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )?;
    if succeeds(workspace.cargo().args(["deny", "--version"])) {
        workspace::run(
            workspace
                .cargo()
                .args(["deny", "check", "bans", "licenses", "sources"]),
        )?;
    } else {
        out::line("cargo-deny is not installed: licences and sources are not checked");
    }
    kill::run(workspace, &kill::Options::long())
}
