//! Patterns of header values, such as `claude-cli/{version}*`.
//!
//! | in a pattern | stands for |
//! |---|---|
//! | `*` | any characters, as few as let the next piece follow |
//! | `{version}` | letters, digits and `._~-`, one at least |
//! | `{id}` | letters, digits and `._-`, one at least |
//! | `{number}` | digits, one at least |
//! | anything else | itself, case included |
//!
//! A pattern matches the whole value. Nothing is tried twice, so that matching takes one pass over the value,
//! whatever it holds; at most one thing is captured.

use memchr::memmem::Finder;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PatternError {
    /// The word in braces means nothing.
    #[error("`{{{word}}}` is not known in the pattern `{pattern}`")]
    UnknownWord {
        /// The word.
        word: String,
        /// The pattern.
        pattern: String,
    },
    /// Two captures.
    #[error("the pattern `{pattern}` captures twice")]
    TwoCaptures {
        /// The pattern.
        pattern: String,
    },
}

/// A pattern, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Any,
    /// Text behind `*`, prepared to be looked for.
    Search(Box<Finder<'static>>),
    Word(Word),
}

/// What a capture consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Version,
    Id,
    Number,
}

// === impl Pattern ===

impl Pattern {
    /// Takes a pattern apart.
    pub(super) fn parse(pattern: &str) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut rest = pattern;
        while let Some(at) = rest.find(['*', '{']) {
            let (text, special) = rest.split_at(at);
            push_text(&mut pieces, text);
            if let Some(after) = special.strip_prefix('*') {
                pieces.push(Piece::Any);
                rest = after;
                continue;
            }
            let word = special.trim_start_matches('{');
            let (word, after) = word.split_once('}').unwrap_or((word, ""));
            if pieces.iter().any(|piece| matches!(piece, Piece::Word(_))) {
                let pattern = pattern.to_owned();
                return Err(PatternError::TwoCaptures { pattern });
            }
            let known = Word::named(word).ok_or_else(|| PatternError::UnknownWord {
                word: word.to_owned(),
                pattern: pattern.to_owned(),
            })?;
            pieces.push(Piece::Word(known));
            rest = after;
        }
        push_text(&mut pieces, rest);
        Ok(Self { pieces })
    }

    /// Returns what was captured, if the value matches: an empty text where the pattern captures nothing.
    pub(super) fn find<'v>(&self, value: &'v str) -> Option<&'v str> {
        let mut rest = value;
        let mut captured = "";
        let mut skipping = false;
        for piece in &self.pieces {
            match piece {
                Piece::Any => skipping = true,
                Piece::Search(text) => {
                    let at = text.find(rest.as_bytes())?;
                    rest = rest.get(at + text.needle().len()..)?;
                    skipping = false;
                }
                Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Piece::Word(word) => {
                    if std::mem::take(&mut skipping) {
                        rest = rest.trim_start_matches(|character| !word.takes(character));
                    }
                    let end = rest.find(|character| !word.takes(character));
                    let (found, after) = rest.split_at(end.unwrap_or(rest.len()));
                    if found.is_empty() {
                        return None;
                    }
                    (captured, rest) = (found, after);
                }
            }
        }
        (skipping || rest.is_empty()).then_some(captured)
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    pieces.push(match pieces.last() {
        Some(Piece::Any) => Piece::Search(Box::new(Finder::new(text).into_owned())),
        _ => Piece::Text(text.to_owned()),
    });
}

// === impl Word ===

impl Word {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "version" => Self::Version,
            "id" => Self::Id,
            "number" => Self::Number,
            _ => return None,
        })
    }

    fn takes(self, character: char) -> bool {
        let letter = character.is_ascii_alphanumeric();
        match self {
            Self::Version => letter || matches!(character, '.' | '_' | '~' | '-'),
            Self::Id => letter || matches!(character, '.' | '_' | '-'),
            Self::Number => character.is_ascii_digit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values() {
        let check = |pattern: &str, value: &str, expect: Option<&str>| {
            let found = Pattern::parse(pattern).unwrap();
            assert_eq!(found.find(value), expect, "{pattern} on {value}");
        };
        check("cli", "cli", Some(""));
        check("cli", "client", None);
        check("*", "", Some(""));
        check("curl/{version}*", "curl/8.5.0", Some("8.5.0"));
        check("curl/{version}*", "curl/8.5.0 (x) libcurl/8", Some("8.5.0"));
        check("curl/{version}*", "curl/", None);
        check("curl/{version}*", "xcurl/8", None);
        check("*aiohttp/{version}", "Python/3.11 aiohttp/3.9", Some("3.9"));
        check("A*/P {version}", "AsyncA/P 1.0-b.3", Some("1.0-b.3"));
        check("user_*_session_{id}", "user_a_session_b-c", Some("b-c"));
        check("user_*_session_{id}", "user_a_session_b c", None);
        check("{id}", "someone@example.org", None);
        check("attempt={number}*", "attempt=2; max=3", Some("2"));
        check("{id}:*", "0b1c:0", Some("0b1c"));
        check("*流{number}", "控制流12", Some("12"));
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let check = |pattern: &str, expect: &str| {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check(
            "a/{verson}",
            "`{verson}` is not known in the pattern `a/{verson}`",
        );
        check(
            "{id} {version}",
            "the pattern `{id} {version}` captures twice",
        );
        check("a/{idea", "`{idea}` is not known in the pattern `a/{idea`");
    }
}
