//! Links of Markdown files to other files of the tree.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::File;

/// Checks that every link to a file leads somewhere.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let places = places(files);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is(&["md"])) {
        for (number, target) in links(file) {
            let Some(path) = resolve(&file.path, target) else {
                let message = format!("`{target}` points out of the tree");
                findings.push(Finding::line(&file.path, number, message));
                continue;
            };
            if !places.contains(path.as_str()) {
                let message = format!("`{target}` leads nowhere");
                findings.push(Finding::line(&file.path, number, message));
            }
        }
    }
    findings
}

/// Returns every file and every folder.
fn places(files: &[File]) -> BTreeSet<&str> {
    let mut places = BTreeSet::from([""]);
    for file in files {
        places.insert(&file.path);
        let slashes = file.path.match_indices('/');
        places.extend(slashes.filter_map(|(end, _)| file.path.get(..end)));
    }
    places
}

/// Returns the targets of links to files, outside of code.
fn links(file: &File) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // The text before a link's bracket may hold code; the target itself never does.
        for (index, piece) in line.split("](").enumerate() {
            let Some((target, _)) = piece.split_once(')').filter(|_| index > 0) else {
                continue;
            };
            let target = target.split([' ', '#']).next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !target.is_empty() {
                found.push((number, target));
            }
        }
    }
    found
}

/// Returns the path from the root that a link in a file means; none where it leaves the tree.
fn resolve(from: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::sample;

    fn check(text: &str, expect: &[&str]) {
        let files = [sample("docs/a.md", text), sample("src/b.rs", "")];
        let findings = super::check(&files);
        let found: Vec<&str> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn links_to_files_and_folders_lead_somewhere() {
        check("[b](../src/b.rs), [it](a.md#part), [all](../src/)", &[]);
        check("[gone](../src/c.rs)", &["`../src/c.rs` leads nowhere"]);
        check("![gone](c.png \"title\")", &["`c.png` leads nowhere"]);
    }

    #[test]
    fn links_stay_in_the_tree() {
        check(
            "[x](../../other/a.md)",
            &["`../../other/a.md` points out of the tree"],
        );
    }

    #[test]
    fn addresses_anchors_and_code_are_left_alone() {
        check(
            "[x](https://example.org/a), [y](#part), [z](mailto:a@b)",
            &[],
        );
        check("```\n[x](gone.md)\n```\n", &[]);
    }
}
