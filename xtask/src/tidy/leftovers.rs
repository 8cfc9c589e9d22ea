//! Words that stand for unfinished work, tests that do not run, and paths of one machine.

use super::Finding;
use super::tree::File;

/// Words that no file of these extensions may hold, with what is wrong. They are put together here, so that this
/// file does not find itself.
const WORDS: &[(&[&str], &str, &str)] = &[
    (
        CODE,
        concat!("FIX", "ME"),
        "unfinished work belongs into an issue",
    ),
    (
        RUST,
        concat!("todo", "!("),
        "unfinished work belongs into an issue",
    ),
    (
        RUST,
        concat!("unimplemented", "!("),
        "unfinished work belongs into an issue",
    ),
    (RUST, concat!("#[ig", "nore"), "every test runs"),
    (
        RUST,
        concat!("#[should", "_panic"),
        "a test says what it expects instead of a panic",
    ),
    (WEB, concat!("test.sk", "ip("), "every test runs"),
    (WEB, concat!("it.sk", "ip("), "every test runs"),
    (WEB, concat!("describe.sk", "ip("), "every test runs"),
    (WEB, concat!("test.fix", "me("), "every test runs"),
    (WEB, concat!(".on", "ly("), "every test runs"),
    (PYTHON, concat!("pytest.mark.sk", "ip"), "every test runs"),
    (PYTHON, concat!("pytest.sk", "ip("), "every test runs"),
    (
        PYTHON,
        concat!("pytest.mark.x", "fail"),
        "every test passes",
    ),
];

const CODE: &[&str] = &[
    "css", "html", "js", "md", "mjs", "py", "rs", "sh", "toml", "ts", "tsx", "yml",
];
const RUST: &[&str] = &["rs"];
const WEB: &[&str] = &["js", "mjs", "ts", "tsx"];
const PYTHON: &[&str] = &["py"];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/t", "mp/"),
    concat!("C:\\Us", "ers\\"),
];

/// Checks every file with text.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            let words = WORDS
                .iter()
                .filter(|(kinds, word, _)| file.is(kinds) && line.contains(word));
            findings.extend(words.map(|(_, word, why)| {
                Finding::line(&file.path, number, format!("`{word}`: {why}"))
            }));
            findings.extend(machine_path(line).map(|path| {
                let message = format!("`{path}…` is a path of one machine");
                Finding::line(&file.path, number, message)
            }));
        }
        if file.name() == "mod.rs" {
            let message = "a module is `name.rs` beside its folder";
            findings.push(Finding::file(&file.path, message));
        }
    }
    findings
}

/// Returns the machine path that begins in a line; one that goes on from another path is none.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.iter().copied().find(|path| {
        line.match_indices(path).any(|(start, _)| {
            let before = line.get(..start).and_then(|rest| rest.chars().next_back());
            !before.is_some_and(|last| last.is_alphanumeric() || "._-~/*{}<>)]…".contains(last))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::tree::sample;

    fn check(path: &str, text: &str, expect: &[usize]) {
        let findings = super::check(&[sample(path, text)]);
        let found: Vec<usize> = findings.iter().map(|one| one.line).collect();
        assert_eq!(found, expect, "{findings:?}");
    }

    #[test]
    fn words_are_found_where_they_mean_something() {
        let word = concat!("// FIX", "ME later");
        check("a.rs", &format!("fine\n{word}\n"), &[2]);
        check("a.svg", word, &[]);
        check("a.rs", concat!("#[ig", "nore = \"slow\"]"), &[1]);
    }

    #[test]
    fn an_iterator_may_skip_but_a_test_may_not() {
        check("a.rs", "list.iter().skip(1)", &[]);
        check("a.ts", concat!("test.sk", "ip(\"later\")"), &[1]);
        check("a.py", concat!("@pytest.mark.sk", "ip"), &[1]);
    }

    #[test]
    fn a_path_of_one_machine_is_found_at_its_beginning_only() {
        check("a.md", concat!("see `/ro", "ot/x`"), &[1]);
        check("a.md", concat!("in /t", "mp/x"), &[1]);
        check("a.md", concat!("in $HOME/.cache and a/ho", "me/page"), &[]);
        check("a.ts", concat!("import \"./ho", "me/page\""), &[]);
    }

    #[test]
    fn modules_are_named_after_themselves() {
        check("src/a/mod.rs", "//! A.\n", &[0]);
    }
}
