//! Folding: what two texts must have in common to be the same to a search.
//!
//! | folded | how |
//! |---|---|
//! | case | each character by itself, as `char::to_lowercase` says (`İ` gives two) |
//! | white space | a run of it is one space; there is none at the ends |
//!
//! Nothing else is: accents (`é`, `e`), composed and decomposed forms, full and half width (`Ａ`, `A`), `ß` and `ss`,
//! `ς` and `σ`, traditional and simplified characters, and characters without width stay what they are. Folding
//! what is folded changes nothing.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem::Finder;

/// What a text is searched for: folded, and ready to search many texts.
#[derive(Clone, Debug)]
pub struct Needle {
    folded: String,
    finder: Finder<'static>,
    /// What must stand in a text as it is: the text is folded only where it does.
    anchor: Finder<'static>,
}

/// Returns a text with its case and white space folded.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return fold_ascii(text);
    }
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        push_folded(&mut folded, character);
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

/// Returns a name in lower case, each character by itself: unlike `str::to_lowercase`, which looks at a sigma's
/// neighbours, so that the lower case of a beginning would not begin the lower case of the whole.
pub fn lower(name: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_lower) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().flat_map(char::to_lowercase).collect())
}

/// Returns whether a text, folded, holds another, folded. A needle of nothing is in every text.
pub fn contains_folded(haystack: &str, needle: &str) -> bool {
    Needle::new(needle).is_none_or(|needle| needle.is_in(haystack))
}

// === impl Needle ===

impl Needle {
    /// Returns the needle that a text means; none where nothing but white space is in it.
    pub fn new(text: &str) -> Option<Self> {
        let folded = fold(text);
        if folded.is_empty() {
            return None;
        }
        let finder = |text: &str| Finder::new(text.as_bytes()).into_owned();
        Some(Self {
            finder: finder(&folded),
            anchor: finder(anchor(&folded)),
            folded,
        })
    }

    /// Returns the folded text.
    pub fn as_str(&self) -> &str {
        &self.folded
    }

    /// Returns whether a text, folded, holds this.
    pub fn is_in(&self, haystack: &str) -> bool {
        self.anchor.find(haystack.as_bytes()).is_some() && self.is_in_folded(&fold(haystack))
    }

    /// Returns whether a text that is folded already holds this.
    pub fn is_in_folded(&self, haystack: &str) -> bool {
        self.finder.find(haystack.as_bytes()).is_some()
    }

    /// Returns where in a text, as it is, this stands first.
    pub fn find_in(&self, haystack: &str) -> Option<Range<usize>> {
        let start = self.finder.find(fold(haystack).as_bytes())?;
        let end = start + self.folded.len();
        let mut folded = String::new();
        let mut found = None;
        // The folding is done again, now that a hit is known, to see which character gave which bytes.
        for (at, character) in haystack.char_indices() {
            let before = folded.len();
            push_folded(&mut folded, character);
            if folded.len() > start && folded.len() > before {
                let from = *found.get_or_insert(at);
                if folded.len() >= end {
                    return Some(from..at + character.len_utf8());
                }
            }
        }
        None
    }
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Needle {}

/// Appends a character to a folded text. A space may remain at the end.
fn push_folded(folded: &mut String, character: char) {
    if is_blank(character) {
        if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    } else if character.is_ascii() {
        folded.push(character.to_ascii_lowercase());
    } else if is_caseless(character) {
        folded.push(character);
    } else {
        folded.extend(character.to_lowercase());
    }
}

/// Returns whether a character is white space; the tables are asked only about those that may be.
fn is_blank(character: char) -> bool {
    match character {
        '\0'..='\x7f' => matches!(character, ' ' | '\t'..='\r'),
        '\u{80}'..='\u{3000}' => character.is_whitespace(),
        _ => false,
    }
}

/// Folds text of ASCII characters without a branch for each of them: every byte is written, and one that is not
/// to stay is overwritten by the next.
fn fold_ascii(text: &str) -> String {
    let mut bytes = vec![0; text.len()];
    let (mut length, mut last) = (0, b' ');
    for byte in text.bytes() {
        let blank = matches!(byte, b' ' | b'\t'..=b'\r');
        let byte = if blank {
            b' '
        } else {
            byte.to_ascii_lowercase()
        };
        if let Some(place) = bytes.get_mut(length) {
            *place = byte;
        }
        length += usize::from(!(blank && last == b' '));
        last = byte;
    }
    length -= usize::from(length > 0 && last == b' ');
    bytes.truncate(length);
    // Only ASCII was written, so nothing is lost here.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Returns whether a character is known, without a look at the tables, to stay what it is, and to be what no other
/// character becomes.
const fn is_caseless(character: char) -> bool {
    matches!(character, '!'..='@' | '['..='`' | '{'..='~' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Returns the longest run of a folded text that stands in the same bytes in every text which holds it.
fn anchor(folded: &str) -> &str {
    let runs = folded.split(|character| !is_caseless(character));
    runs.max_by_key(|run| run.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The folding as it is described, without any haste.
    fn plain(text: &str) -> String {
        let words: Vec<String> = text
            .split_whitespace()
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect();
        words.join(" ")
    }

    #[test]
    fn texts_are_folded() {
        fn check(text: &str, expect: &str) {
            assert_eq!(fold(text), expect, "{text:?}");
        }
        check("", "");
        check(" \t\n ", "");
        check("  Read\r\n\tthe  FILE ", "read the file");
        check("A\u{a0}\u{3000}B", "a b");
        check("ÄÖ ΣΑΣ", "äö σασ");
        check("İ", "i\u{307}");
        check("读取\u{3000}文件", "读取 文件");
        check("Ａ ß é", "ａ ß é");
        check("a\u{200b}b", "a\u{200b}b");
    }

    #[test]
    fn every_character_folds_once() {
        for character in '\0'..=char::MAX {
            let once = fold(&format!("x{character}x"));
            assert_eq!(once, plain(&format!("x{character}x")), "{character:?}");
            assert_eq!(fold(&once), once, "{character:?}");
        }
    }

    #[test]
    fn caseless_characters_come_from_themselves_alone() {
        for character in '\0'..=char::MAX {
            let folded = fold(character.encode_utf8(&mut [0; 4]));
            for other in folded.chars().filter(|other| is_caseless(*other)) {
                assert_eq!(other, character);
            }
            assert!(!is_caseless(character) || folded.chars().eq([character]));
        }
    }

    #[test]
    fn anchors_are_what_case_cannot_change() {
        fn check(text: &str, expect: &str) {
            assert_eq!(anchor(&fold(text)), expect, "{text}");
        }
        check("hello", "");
        check("error[E0308]: x", "0308]:");
        check("读取 README 文件", "文件");
        check("a_b", "_");
    }

    #[test]
    fn needles_are_found() {
        fn check(text: &str, needle: &str, expect: Option<&str>) {
            let needle = Needle::new(needle).unwrap();
            let place = needle.find_in(text);
            assert_eq!(needle.is_in(text), place.is_some(), "{text:?}");
            assert_eq!(place.and_then(|place| text.get(place)), expect, "{text:?}");
        }
        check("The  Quick\nFox", "quick fox", Some("Quick\nFox"));
        check("  The", "the", Some("The"));
        check("错误：文件不存在", "文件", Some("文件"));
        check("xİstanbul", "i\u{307}s", Some("İs"));
        check("a b", "ab", None);
        check("ab", "a b", None);
        check("trailing  ", "g ", Some("g"));
    }

    #[test]
    fn nothing_is_in_everything() {
        assert!(Needle::new(" \n").is_none());
        assert!(contains_folded("", " "));
        assert!(!contains_folded("", "a"));
    }

    proptest! {
        #[test]
        fn folding_is_as_described(text in r"[ \t\naAzZ\u{a0}éÉ读Σ]{0,40}") {
            prop_assert_eq!(fold(&text), plain(&text));
        }

        #[test]
        fn a_part_of_a_text_is_in_it(text in "[ \nabAB读İ]{1,30}", from in 0..30_usize, take in 1..8_usize) {
            let part: String = text.chars().skip(from).take(take).collect();
            prop_assert!(contains_folded(&text, &part));
            if let Some(needle) = Needle::new(&part) {
                let place = needle.find_in(&text).unwrap();
                let found = text.get(place).unwrap();
                prop_assert!(needle.is_in(found));
            }
        }

        #[test]
        fn the_lower_case_of_a_beginning_begins_the_lower_case(left in r"\PC{0,6}", right in r"\PC{0,6}") {
            let whole = format!("{left}{right}");
            prop_assert!(lower(&whole).starts_with(&*lower(&left)));
        }
    }
}
