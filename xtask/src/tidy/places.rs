//! Sizes and permissions of files.

use super::Finding;
use super::ratchet::{FILE_BYTES_MAX, LARGE_FILES};
use super::tree::File;

/// Checks every file.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    files
        .iter()
        .flat_map(|file| [too_large(file), wrong_permission(file)])
        .flatten()
        .collect()
}

fn too_large(file: &File) -> Option<Finding> {
    let excused = LARGE_FILES
        .iter()
        .any(|place| file.path == *place || (place.ends_with('/') && file.path.starts_with(place)));
    (file.bytes > FILE_BYTES_MAX && !excused).then(|| {
        let message = format!(
            "{} bytes; no file has more than {FILE_BYTES_MAX}",
            file.bytes
        );
        Finding::file(&file.path, message)
    })
}

/// A file can be run exactly where its first line says by what. Rust's inner attributes begin alike.
fn wrong_permission(file: &File) -> Option<Finding> {
    let text = file.text();
    let script = text.starts_with("#!") && !text.starts_with("#![");
    let message = match (file.executable?, script) {
        (true, false) => "can be run, but its first line does not say by what",
        (false, true) => "is a script, but may not be run",
        _ => return None,
    };
    Some(Finding::file(&file.path, message))
}

#[cfg(test)]
mod tests {
    use super::super::tree::sample;
    use super::*;

    fn check(file: File, expect: &[&str]) {
        let findings = super::check(&[file]);
        let found: Vec<&str> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(found, expect);
    }

    fn large(path: &str, bytes: u64) -> File {
        File {
            bytes,
            ..sample(path, "")
        }
    }

    fn program(path: &str, text: &str) -> File {
        File {
            executable: Some(true),
            ..sample(path, text)
        }
    }

    #[test]
    fn large_files_stay_out() {
        check(large("a.bin", 262_144), &[]);
        let expect = "262145 bytes; no file has more than 262144";
        check(large("a.bin", 262_145), &[expect]);
        check(large("Cargo.lock", 262_145), &[]);
        check(large("docs/screenshots/a.png", 262_145), &[]);
        check(large("docs/Cargo.lock", 262_145), &[expect]);
    }

    #[test]
    fn scripts_and_only_scripts_can_be_run() {
        check(program("run", "#!/bin/sh\n"), &[]);
        check(sample("lib.rs", "#![warn(x)]\n"), &[]);
        check(
            sample("run", "#!/bin/sh\n"),
            &["is a script, but may not be run"],
        );
        let expect = "can be run, but its first line does not say by what";
        check(program("a.md", "text"), &[expect]);
    }
}
