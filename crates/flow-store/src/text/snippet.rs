//! Snippets: a piece of the text around what was found, as it stands there.

use std::ops::Range;

use flow_query::Needle;

/// Characters of a snippet.
const SNIPPET_CHARS_MAX: usize = 120;
/// Characters before what was found, where there are so many.
const BEFORE_CHARS: usize = 40;

/// A piece of a text around the first place where a needle was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippet {
    /// The piece, not folded.
    pub text: String,
    /// Which of its characters, counted from 0, are what was found; the end may be cut off.
    pub hit: Range<usize>,
    /// Whether the text has more before it.
    pub more_before: bool,
    /// Whether the text has more after it.
    pub more_after: bool,
}

// === impl Snippet ===

impl Snippet {
    /// Returns the piece around the first place of a needle; none where the text does not hold it.
    pub fn new(text: &str, needle: &Needle) -> Option<Self> {
        let found = needle.find_in(text)?;
        let before = text.get(..found.start)?;
        let start = match BEFORE_CHARS.checked_sub(1) {
            Some(last) => before.char_indices().rev().nth(last),
            None => None,
        };
        let start = start.map_or(0, |(start, _)| start);
        let rest = text.get(start..)?;
        let end = rest.char_indices().nth(SNIPPET_CHARS_MAX);
        let end = end.map_or(text.len(), |(end, _)| start + end);
        let hit_start = text.get(start..found.start)?.chars().count();
        let hit_end = text.get(start..found.end.min(end))?.chars().count();
        Some(Self {
            text: text.get(start..end)?.to_owned(),
            hit: hit_start..hit_end,
            more_before: start > 0,
            more_after: end < text.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, needle: &str, hit: &str, more: (bool, bool)) {
        let snippet = Snippet::new(text, &Needle::new(needle).unwrap()).unwrap();
        let found: String = snippet
            .text
            .chars()
            .skip(snippet.hit.start)
            .take(snippet.hit.len())
            .collect();
        assert_eq!(found, hit, "{text:?} {needle:?}");
        assert!(text.contains(&snippet.text));
        assert!(snippet.text.chars().count() <= SNIPPET_CHARS_MAX);
        assert_eq!((snippet.more_before, snippet.more_after), more);
    }

    #[test]
    fn a_snippet_shows_the_text_as_it_is() {
        check(
            "The Quick\n Brown fox",
            "quick brown",
            "Quick\n Brown",
            (false, false),
        );
        check("在İstanbul", "i\u{307}S", "İs", (false, false));
        let long = format!("{}Här{}", "é ".repeat(200), " ü".repeat(200));
        check(&long, "här", "Här", (true, true));
        check(&long, &"ü ".repeat(150), &"ü ".repeat(40), (true, true));
        check("x".repeat(41).as_str(), "x", "x", (false, false));
        assert_eq!(Snippet::new("abc", &Needle::new("d").unwrap()), None);
    }
}
