//! Patterns of model names: `*` stands for any characters, `#` for one digit.

/// Returns whether a name fits a pattern. Takes time in proportion to both lengths multiplied at worst; names and
/// patterns are short.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = name.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(b'#') if byte.is_ascii_digit() => (at, from) = (at + 1, from + 1),
            Some(want) if want == byte => (at, from) = (at + 1, from + 1),
            _ => {
                // The last star takes one more byte, and what follows it is tried again.
                let Some((back, begin)) = star else {
                    return false;
                };
                star = Some((back, begin + 1));
                (at, from) = (back + 1, begin + 1);
            }
        }
    }
    pattern.iter().skip(at).all(|byte| *byte == b'*')
}

/// Returns whether a text is a pattern and not a plain name.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '#'])
}

/// Returns how much a pattern says: its characters that are no `*`.
pub(crate) fn weight(pattern: &str) -> usize {
    pattern.bytes().filter(|byte| *byte != b'*').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expect: bool) {
        assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
    }

    #[test]
    fn patterns_fit_whole_names() {
        check("gpt-4o", "gpt-4o", true);
        check("gpt-4o", "gpt-4o-mini", false);
        check("gpt-4o*", "gpt-4o-mini", true);
        check("*claude-3*", "us.anthropic.claude-3-haiku", true);
        check("*-tts", "a-tts-b-tts", true);
        check("*-tts", "a-tts-b", false);
        check("m-####-##-##", "m-2026-01-02", true);
        check("m-####-##-##", "m-2026-01-0x", false);
        check("#", "", false);
        check("*", "", true);
        check("", "", true);
    }
}
