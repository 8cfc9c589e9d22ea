//! Patterns of model names: `*` stands for any characters, `#` for one digit.

/// Returns whether a name fits a pattern.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < name.len() {
        match (pattern.get(at), name.get(from)) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(b'#'), Some(byte)) if byte.is_ascii_digit() => (at, from) = (at + 1, from + 1),
            (Some(want), Some(byte)) if want == byte => (at, from) = (at + 1, from + 1),
            _ => {
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

/// Returns how many characters of a pattern are no `*`: the more, the more it says.
pub(super) fn weight(pattern: &str) -> usize {
    pattern.bytes().filter(|byte| *byte != b'*').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expect: bool) {
        assert_eq!(fits(pattern, name), expect, "{pattern} {name}");
    }

    #[test]
    fn patterns_fit() {
        check("gpt-4o", "gpt-4o", true);
        check("gpt-4o", "gpt-4o-mini", false);
        check("gpt-4o*", "gpt-4o-mini", true);
        check("*claude*", "us.anthropic.claude-2", true);
        check("*-tts", "a-tts-b-tts", true);
        check("gpt-####", "gpt-2024", true);
        check("gpt-####", "gpt-202x", false);
        check("*", "", true);
    }
}
