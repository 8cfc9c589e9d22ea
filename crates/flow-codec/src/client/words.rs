//! Words that a request says of its sender, made safe to keep and to show.

/// Bytes of an id.
const ID_BYTES_MAX: usize = 128;
/// Bytes of a version.
const VERSION_BYTES_MAX: usize = 32;
/// Bytes of what an unknown program calls itself.
const OTHER_BYTES_MAX: usize = 64;
/// Hexadecimal digits in a row that are a hash: of a build or, worse, of a machine.
const HASH_DIGITS_MIN: usize = 16;

/// Starts of vendors' keys, which some programs send where an id belongs.
const SECRETS: [&str; 12] = [
    "sk-",
    "sk_",
    "pk-",
    "rk-",
    "xai-",
    "gsk_",
    "ghp_",
    "github_pat_",
    "AIza",
    "AKIA",
    "eyJ",
    "r8_",
];
/// Hexadecimal digits of an id that are a fingerprint of a device or an account, not the number of a session.
const FINGERPRINT_DIGITS_MIN: usize = 40;

/// Returns whether a captured word can be kept as an id: short, no key, and no fingerprint.
pub(super) fn is_id(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_hexdigit).count();
    let is_fingerprint = digits >= FINGERPRINT_DIGITS_MIN && digits == word.len();
    let is_secret = SECRETS.iter().any(|start| begins_somewhere(word, start));
    !word.is_empty() && word.len() <= ID_BYTES_MAX && !is_fingerprint && !is_secret
}

/// Returns whether a word, or a part of it behind a sign, begins like this.
fn begins_somewhere(word: &str, start: &str) -> bool {
    word.match_indices(start).any(|(at, _)| {
        let before = word.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_ascii_alphanumeric())
    })
}

/// Returns a version without its build and without the hash that may stand behind it.
pub(super) fn version(word: &str) -> Option<String> {
    let word = word.split('+').next().unwrap_or_default();
    let mut end = hash(word).unwrap_or(word.len());
    if end > VERSION_BYTES_MAX {
        end = word.find('-').unwrap_or(end).min(end);
    }
    let kept = word.get(..end)?;
    let kept = kept.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
    (!kept.is_empty() && kept.len() <= VERSION_BYTES_MAX).then(|| kept.to_owned())
}

/// Returns the program that a user agent names first, with its version. `engines` are names that browsers put in
/// front for history's sake.
pub(super) fn product(user_agent: &str, engines: &[String]) -> Option<String> {
    let is_engine = |name: &str| engines.iter().any(|engine| engine == name);
    let mut depth = 0_u32;
    let mut first = None;
    for word in user_agent.split_ascii_whitespace() {
        let outside = depth == 0 && !word.starts_with('(');
        for character in word.chars() {
            match character {
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let (name, version) = word.split_once('/').unwrap_or((word, ""));
        // An address of a person is no name of a program.
        if name.contains('@') {
            return None;
        }
        if !outside || plain(name).is_empty() {
            continue;
        }
        if !is_engine(name) {
            return Some(joined(name, version));
        }
        first = first.or(Some((name, version)));
    }
    first.map(|(name, version)| joined(name, version))
}

fn joined(name: &str, version: &str) -> String {
    let name = plain(name);
    let name = hash(name).and_then(|at| name.get(..at)).unwrap_or(name);
    let name = name.get(..OTHER_BYTES_MAX).unwrap_or(name);
    let whole = self::version(plain(version)).map(|version| format!("{name}/{version}"));
    whole
        .filter(|whole| whole.len() <= OTHER_BYTES_MAX)
        .unwrap_or_else(|| name.to_owned())
}

/// Returns the word up to its first character that is neither a letter, a digit nor one of `.+_~-`.
fn plain(word: &str) -> &str {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '+' | '_' | '~' | '-')
    };
    let end = word.find(|character| !is_plain(character));
    word.get(..end.unwrap_or(word.len())).unwrap_or_default()
}

/// Returns where a hash starts in a word of ASCII characters.
fn hash(word: &str) -> Option<usize> {
    let mut run = 0;
    for (at, byte) in word.bytes().enumerate() {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run == HASH_DIGITS_MIN {
            return Some(at + 1 - run);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

    #[test]
    fn versions_lose_their_hashes() {
        let check = |word: &str, expect: Option<&str>| {
            assert_eq!(version(word).as_deref(), expect, "{word}");
        };
        check("2.1.329", Some("2.1.329"));
        check("1.0.0-beta.3", Some("1.0.0-beta.3"));
        check("1.0.0-", Some("1.0.0"));
        check("3.4.0+afc", Some("3.4.0"));
        check(&format!("0.7.45-{MACHINE}"), Some("0.7.45"));
        check(MACHINE, None);
        check("1.2.3-7f0e1a2b-11d4-4f6a-9b3c-0242ac120002", Some("1.2.3"));
        check(&"7.".repeat(40), None);
    }

    #[test]
    fn keys_and_fingerprints_are_no_ids() {
        let check = |word: &str, expect: bool| assert_eq!(is_id(word), expect, "{word}");
        check("7f0e1a2b-11d4-4f6a-9b3c-0242ac120002", true);
        check("ses_42", true);
        check("task-1", true);
        check("sk-ant-api03-AAAA", false);
        check("user_sk-proj-1", false);
        check(MACHINE, false);
        check("", false);
        assert_eq!(product("joe@example.org/1.0", &[]), None);
    }

    #[test]
    fn unknown_programs_are_named_by_their_first_product() {
        let engines = ["Mozilla", "AppleWebKit"].map(str::to_owned);
        let check = |user_agent: &str, expect: Option<&str>| {
            let found = product(user_agent, &engines);
            assert_eq!(found.as_deref(), expect, "{user_agent}");
        };
        check("acme-agent/1.4 (linux; x64)", Some("acme-agent/1.4"));
        check("acme", Some("acme"));
        check("acme/", Some("acme"));
        check(
            "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Code/1.95.3 Electron/32",
            Some("Code/1.95.3"),
        );
        check("Mozilla/5.0 (X11; Linux)", Some("Mozilla/5.0"));
        check(&format!("acme/1.0-{MACHINE}"), Some("acme/1.0"));
        check(&format!("acme-{MACHINE}"), Some("acme-"));
        check("a\u{1b}[31m/1", Some("a/1"));
        check("(only) (comments)", None);
        check("", None);
        check("流量/1", None);
        let long = "x".repeat(200);
        check(&long, long.get(..OTHER_BYTES_MAX));
    }
}
