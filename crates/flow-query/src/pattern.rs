//! Patterns of names: whole, without regard to case, with `*` for any characters.
//!
//! A star cannot be quoted: no name that flows have holds one.

use std::borrow::Cow;

use crate::field::Field;
use crate::fold::lower;

/// Names that people use for others, by field.
const ALIASES: [(Field, &str, &str); 5] = [
    (Field::Provider, "claude", "anthropic"),
    (Field::Provider, "google", "gemini"),
    (Field::Provider, "codewhisperer", "kiro"),
    (Field::State, "error", "failed"),
    (Field::State, "canceled", "cancelled"),
];

/// A pattern of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// The pattern in lower case, cut at its stars: `gpt-*` is `["gpt-", ""]`, a literal one piece.
    pieces: Vec<String>,
    also: Also,
}

/// What matches beside the pattern itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Also {
    Nothing,
    /// The name with a date behind it.
    Dated,
    /// Another name for the same.
    Name(&'static str),
}

impl Pattern {
    /// Returns the pattern that a text means in a field whose names are all alike.
    pub fn new(text: &str) -> Self {
        Self {
            pieces: lower(text).split('*').map(str::to_owned).collect(),
            also: Also::Nothing,
        }
    }

    /// Returns the pattern that a text means in this field: a model's name also means its dated ids, and a
    /// provider's or state's other name also the proper one.
    pub fn of(field: Field, text: &str) -> Self {
        let mut pattern = Self::new(text);
        if let Some(literal) = pattern.literal() {
            let alias = ALIASES
                .iter()
                .find(|(place, name, _)| *place == field && *name == literal);
            pattern.also = match (field, alias) {
                (_, Some((_, _, name))) => Also::Name(name),
                (Field::Model, None) if !literal.is_empty() => Also::Dated,
                _ => Also::Nothing,
            };
        }
        pattern
    }

    /// Returns the only name that matches, in lower case; none where others may match too.
    pub fn literal(&self) -> Option<&str> {
        match (self.pieces.as_slice(), self.also) {
            ([only], Also::Nothing) => Some(only),
            _ => None,
        }
    }

    /// Returns what every matching name begins with, in lower case.
    pub fn prefix(&self) -> &str {
        match self.also {
            Also::Name(_) => "",
            Also::Nothing | Also::Dated => self.first(),
        }
    }

    /// Returns the pattern as it is written, in lower case.
    pub fn text(&self) -> Cow<'_, str> {
        match self.pieces.as_slice() {
            [only] => Cow::Borrowed(only),
            pieces => Cow::Owned(pieces.join("*")),
        }
    }

    /// Returns whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let name = lower(name);
        self.matches_lower(&name)
            || match self.also {
                Also::Nothing => false,
                Also::Name(other) => name == other,
                Also::Dated => name
                    .strip_prefix(self.first())
                    .and_then(|rest| rest.strip_prefix(['-', '@']))
                    .is_some_and(is_date),
            }
    }

    fn first(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    fn matches_lower(&self, name: &str) -> bool {
        let (Some((first, rest)), Some(mut left)) =
            (self.pieces.split_first(), name.strip_prefix(self.first()))
        else {
            return false;
        };
        let Some((last, middle)) = rest.split_last() else {
            return name == *first;
        };
        for piece in middle {
            match left.split_once(piece.as_str()) {
                Some((_, rest)) => left = rest,
                None => return false,
            }
        }
        left.ends_with(last.as_str())
    }
}

/// Returns whether a text is a date as vendors put it behind a model's name: `2024-08-06`, `20241022`, `0613`,
/// `2402`, `241215`, `05-06`, `09-2025`, `2024-08`. Digits without a month are no date: `8192` is a window.
fn is_date(text: &str) -> bool {
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok());
    let month = |from: usize| part(from, from + 2).is_some_and(|month| (1..=12).contains(&month));
    let day = |from: usize| part(from, from + 2).is_some_and(|day: u32| (1..=31).contains(&day));
    let shape: String = text
        .chars()
        .map(|character| match character {
            '0'..='9' => 'd',
            other => other,
        })
        .take(11)
        .collect();
    match shape.as_str() {
        "dddd-dd-dd" => month(5) && day(8),
        "dddddddd" => month(4) && day(6),
        "dddddd" => month(2) && day(4),
        "dddd" => (month(0) && day(2)) || month(2),
        "dd-dd" => month(0) && day(3),
        "dd-dddd" => month(0),
        "dddd-dd" => month(5),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A matcher that tries everything.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match (pattern.split_first(), name.split_first()) {
            (None, _) => name.is_empty(),
            (Some(('*', rest)), None) => naive(rest, name),
            (Some(('*', rest)), Some((_, tail))) => naive(rest, name) || naive(pattern, tail),
            (Some(_), None) => false,
            (Some((one, rest)), Some((other, tail))) => one == other && naive(rest, tail),
        }
    }

    #[test]
    fn models_match_with_their_dates() {
        fn check(pattern: &str, name: &str, expect: bool) {
            let pattern = Pattern::of(Field::Model, pattern);
            assert_eq!(pattern.matches(name), expect, "{pattern:?} {name}");
            assert!(!expect || lower(name).starts_with(pattern.prefix()));
        }
        check("gpt-4", "gpt-4", true);
        check("GPT-4", "gpt-4-0613", true);
        check("gpt-4o", "gpt-4o-2024-08-06", true);
        check("claude-3-5-sonnet", "claude-3-5-sonnet-20241022", true);
        check("claude-sonnet-4", "claude-sonnet-4@20250514", true);
        check("mistral-large", "Mistral-Large-2402", true);
        check(
            "gemini-2.5-pro-preview",
            "gemini-2.5-pro-preview-05-06",
            true,
        );
        check("gpt-4", "gpt-4o", false);
        check("gpt-4", "gpt-4-turbo", false);
        check("gpt-4", "gpt-4-turbo-2024-04-09", false);
        check("gpt-4", "gpt-4-", false);
        check("mixtral-8x7b", "mixtral-8x7b-32768", false);
        check("llama-3", "llama-3-8192", false);
        check("gpt-4*", "gpt-4-turbo", true);
        check("*-4", "gpt-4-4", true);
        check("", "-0613", false);
    }

    #[test]
    fn names_have_aliases() {
        fn check(field: Field, pattern: &str, name: &str, expect: bool) {
            let pattern = Pattern::of(field, pattern);
            assert_eq!(
                pattern.matches(name),
                expect,
                "{field:?} {pattern:?} {name}"
            );
            assert!(
                pattern
                    .literal()
                    .is_none_or(|_| pattern == Pattern::new(&pattern.text()))
            );
        }
        check(Field::Provider, "Claude", "anthropic", true);
        check(Field::Provider, "google", "gemini", true);
        check(Field::Provider, "google", "google", true);
        check(Field::Provider, "codewhisperer", "kiro", true);
        check(Field::Provider, "anthropic", "anthropic", true);
        check(Field::Provider, "gemini", "google", false);
        check(Field::Upstream, "claude", "anthropic", false);
        check(Field::State, "error", "failed", true);
        check(Field::Path, "gpt-4", "gpt-4-0613", false);
    }

    proptest! {
        #[test]
        fn stars_match_as_if_all_ways_were_tried(pattern in "[ab*]{0,8}", name in "[ab]{0,12}") {
            let (left, right): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(Pattern::new(&pattern).matches(&name), naive(&left, &right));
        }

        #[test]
        fn case_does_not_matter(name in r"\PC{0,12}") {
            let upper = name.to_uppercase();
            // Some characters have no way back from their upper case, such as ß.
            if lower(&upper) == lower(&name) {
                prop_assert!(Pattern::new(&name.replace('*', "")).matches(&upper.replace('*', "")));
            }
        }
    }
}
