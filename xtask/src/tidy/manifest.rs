//! Manifests and lint settings.
//!
//! Versions stand in one place, each with its reason. A crate's `clippy.toml` replaces the root's instead of
//! adding to it, so that it repeats the root's lines.

use super::Finding;
use super::tree::File;

/// The table of outside crates in the root manifest.
const DEPENDENCY_TABLE: &str = "[workspace.dependencies]";
/// Tables of dependencies in a crate's manifest.
const CRATE_TABLES: &[&str] = &[
    "[dependencies]",
    "[dev-dependencies]",
    "[build-dependencies]",
];
/// A ban that only crates with this dependency can state.
const TOKIO_BAN: &str = "\"tokio::";

/// Checks every manifest and lint file.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let root_lints = files.iter().find(|file| file.path == "clippy.toml");
    for file in files {
        match file.name() {
            "Cargo.toml" if file.path == "Cargo.toml" => findings.extend(reasons(file)),
            "Cargo.toml" => findings.extend(versions(file)),
            "clippy.toml" if file.path != "clippy.toml" => {
                findings.extend(root_lints.into_iter().flat_map(|root| lints(root, file)));
            }
            _ => {}
        }
    }
    findings
}

/// Every outside crate has a reason behind it.
fn reasons(file: &File) -> Vec<Finding> {
    entries(file, &[DEPENDENCY_TABLE])
        .filter(|(_, line)| !line.contains("path = \"crates/"))
        .filter(|(_, line)| reason(line).is_none())
        .map(|(number, _)| Finding::line(&file.path, number, "the dependency has no reason"))
        .collect()
}

/// Returns the words behind an entry.
fn reason(line: &str) -> Option<&str> {
    let (_, why) = line.rsplit_once("# ")?;
    Some(why.trim()).filter(|why| !why.is_empty())
}

/// Crates take every version from the root, unless they are a workspace of their own.
fn versions(file: &File) -> Vec<Finding> {
    let text = file.text.as_deref().unwrap_or_default();
    if text.lines().any(|line| line == "[workspace]") {
        return Vec::new();
    }
    entries(file, CRATE_TABLES)
        .filter(|(_, line)| !line.contains("workspace = true"))
        .map(|(number, _)| {
            let message = "the version belongs into the root manifest, with a reason";
            Finding::line(&file.path, number, message)
        })
        .collect()
}

/// Returns the entries of these tables: lines that begin a value.
fn entries<'a>(file: &'a File, tables: &'a [&str]) -> impl Iterator<Item = (usize, &'a str)> {
    let mut inside = false;
    file.lines().filter(move |(_, line)| {
        if line.starts_with('[') {
            inside = tables.contains(&line.trim());
            return false;
        }
        let name = line.starts_with(|first: char| first.is_ascii_alphanumeric());
        inside && name && line.contains('=')
    })
}

fn lints(root: &File, file: &File) -> Vec<Finding> {
    let own: Vec<&str> = file.text().lines().map(str::trim).collect();
    root.text()
        .lines()
        .map(str::trim)
        .filter(|line| !line.contains(TOKIO_BAN) && !own.contains(line))
        .map(|line| Finding::file(&file.path, format!("lacks the root's line `{line}`")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::sample;
    use super::*;

    fn check(files: &[(&str, &str)], expect: &[(&str, usize)]) {
        let files: Vec<File> = files
            .iter()
            .map(|(path, text)| sample(path, text))
            .collect();
        let findings = super::check(&files);
        let found: Vec<(&str, usize)> = findings
            .iter()
            .map(|one| (one.path.as_str(), one.line))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_dependency_has_a_reason() {
        let text = "[workspace.dependencies]\nours = { path = \"crates/ours\" }\na = \"1\" # errors\nb = \"1\"\n";
        check(&[("Cargo.toml", text)], &[("Cargo.toml", 4)]);
    }

    #[test]
    fn a_crate_takes_versions_from_the_root() {
        let text = "[package]\nversion = \"1\"\n[dependencies]\na.workspace = true\nb = \"1\"\n\
                    c = { workspace = true, features = [] }\n[lints]\nd = 1\n";
        check(
            &[("crates/x/Cargo.toml", text)],
            &[("crates/x/Cargo.toml", 5)],
        );
    }

    #[test]
    fn lints_of_a_crate_repeat_those_of_the_root() {
        let root = (
            "clippy.toml",
            "a = 1\nb = [\n  { path = \"tokio::task::spawn\" },\n]\n",
        );
        check(&[root, ("crates/x/clippy.toml", "b = [\n]\na = 1\n")], &[]);
        let expect = ("crates/x/clippy.toml", 0);
        check(&[root, ("crates/x/clippy.toml", "b = [\n]\n")], &[expect]);
    }
}
