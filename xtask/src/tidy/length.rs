//! How long files are, and that each Rust file says what it is for.
//!
//! A file of tests is described by the module that it tests, and need not say why it is long; the last limit holds
//! for it too.

use super::Finding;
use super::ratchet::{FILE_LINES_MAX, FILE_LINES_REASON, INLINE_TEST_LINES_MAX, LONG_FILES};
use super::tree::File;

/// Extensions of code whose length counts.
const CODE: &[&str] = &["css", "mjs", "py", "rs", "ts", "tsx"];
/// Folders whose files are made by a program.
const GENERATED: &[&str] = &["web/src/api/generated/"];
/// Marks the reason for a length in the head of a file.
const REASON: &str = "Length:";
/// Lines that count as the head of a file.
const HEAD_LINES: usize = 40;

/// Checks every file of code.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = stale_exceptions(files, LONG_FILES);
    for file in files.iter().filter(|file| file.is(CODE)) {
        if !GENERATED.iter().any(|folder| file.path.starts_with(folder)) {
            findings.extend(too_long(file, LONG_FILES));
        }
        if file.is(&["rs"]) {
            findings.extend(undocumented(file));
        }
    }
    findings
}

fn too_long(file: &File, exceptions: &[(&str, usize)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let total = file.text().lines().count();
    let code = code_lines(file);
    let limit = exceptions
        .iter()
        .find(|(path, _)| *path == file.path)
        .map_or(FILE_LINES_MAX, |(_, lines)| *lines);
    if code > limit {
        let message = format!("{code} lines; no file has more than {limit}");
        findings.push(Finding::file(&file.path, message));
    } else if code > FILE_LINES_REASON && !is_tests(file) && !has_reason(file) {
        let message = format!(
            "{code} lines; past {FILE_LINES_REASON} the head says why, in a line that begins with `{REASON}`"
        );
        findings.push(Finding::file(&file.path, message));
    }
    if total - code > INLINE_TEST_LINES_MAX {
        let message = format!(
            "{} lines of tests inside; past {INLINE_TEST_LINES_MAX} they have a file of their own",
            total - code
        );
        findings.push(Finding::line(&file.path, code + 1, message));
    }
    findings
}

/// Returns the lines in front of the test module.
fn code_lines(file: &File) -> usize {
    let lines: Vec<&str> = file.text().lines().collect();
    lines
        .windows(2)
        .position(|pair| {
            pair.first() == Some(&"#[cfg(test)]")
                && pair
                    .last()
                    .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        })
        .unwrap_or(lines.len())
}

fn has_reason(file: &File) -> bool {
    let mut head = file.text().lines().take(HEAD_LINES);
    head.any(|line| {
        line.trim_start_matches(['/', '!', '*', '#', ' ', '"'])
            .starts_with(REASON)
    })
}

fn is_tests(file: &File) -> bool {
    file.name() == "tests.rs"
}

fn undocumented(file: &File) -> Option<Finding> {
    let documented = file.text().starts_with("//! ") || is_tests(file);
    (!documented).then(|| Finding::line(&file.path, 1, "the file does not begin with a `//!` doc"))
}

/// An exception for a file that no longer needs it would let the file grow again.
fn stale_exceptions(files: &[File], exceptions: &[(&str, usize)]) -> Vec<Finding> {
    let lines = |path: &str| files.iter().find(|file| file.path == path).map(code_lines);
    exceptions
        .iter()
        .filter(|(path, allowed)| lines(path) != Some(*allowed) || *allowed <= FILE_LINES_MAX)
        .map(|(path, _)| {
            let message = "its exception in xtask/src/tidy/ratchet.rs is not what it needs";
            Finding::file(path, message)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tree::sample;
    use super::*;

    const TESTS: &str = "#[cfg(test)]\nmod tests {\n";

    fn check(text: &str, expect: &[&str]) {
        check_file("src/a.rs", text, expect);
    }

    fn check_file(path: &str, text: &str, expect: &[&str]) {
        let findings = super::check(&[sample(path, text)]);
        let found: Vec<&str> = findings.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(found, expect);
    }

    fn lines(head: &str, count: usize) -> String {
        format!("{head}{}", "x\n".repeat(count - head.lines().count()))
    }

    #[test]
    fn a_file_begins_with_its_doc() {
        check("//! What it is for.\n", &[]);
        check("use a;\n", &["the file does not begin with a `//!` doc"]);
        check_file("src/a/tests.rs", "use a;\n", &[]);
    }

    #[test]
    fn a_long_file_says_why() {
        check(&lines("//! A.\n", 500), &[]);
        let expect = "501 lines; past 500 the head says why, in a line that begins with `Length:`";
        check(&lines("//! A.\n", 501), &[expect]);
        check(&lines("//! A.\n//!\n//! Length: one table.\n", 501), &[]);
        check_file("src/a/tests.rs", &lines("//! A.\n", 501), &[]);
    }

    #[test]
    fn a_very_long_file_fails_whatever_it_says() {
        let expect = "801 lines; no file has more than 800";
        check(&lines("//! A.\n//! Length: one table.\n", 801), &[expect]);
    }

    #[test]
    fn tests_inside_do_not_count_but_have_their_own_limit() {
        let code = lines("//! A.\n", 400);
        check(&format!("{code}{}", lines(TESTS, 150)), &[]);
        let expect = "151 lines of tests inside; past 150 they have a file of their own";
        check(&format!("{code}{}", lines(TESTS, 151)), &[expect]);
    }

    #[test]
    fn an_exception_holds_exactly_and_only_while_it_is_needed() {
        let file = sample("src/a.rs", &lines("//! A.\n//! Length: one table.\n", 900));
        let exact = [("src/a.rs", 900)];
        assert_eq!(too_long(&file, &exact), []);
        assert_eq!(stale_exceptions(&[file], &exact), []);
        let shorter = sample("src/a.rs", &lines("//! A.\n", 700));
        assert_eq!(stale_exceptions(&[shorter], &exact).len(), 1);
        assert_eq!(stale_exceptions(&[], &exact).len(), 1);
    }
}
