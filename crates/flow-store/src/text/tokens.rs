//! Tokens: what of a folded text is indexed.
//!
//! | class | characters | tokens |
//! |---|---|---|
//! | word | letters and digits of scripts with spaces | the word; over 128 bytes, windows of 128 every 64 |
//! | dense | scripts without spaces: Chinese, Japanese, Korean, Thai, Lao, Khmer, Myanmar | every two neighbours; a lone character itself |
//! | gap | everything else, `_` and combining marks too | none |
//!
//! A token depends on nothing but the run of one class that it stands in. So whatever run lies within a needle,
//! with something else on both sides, has the same tokens in every text that contains the needle.
//!
//! Texts are folded before. A change here asks for a new [`super::file::VERSION`].

/// Bytes of the longest token; a window begins with a whole character, and is up to 3 bytes longer for that.
const WORD_BYTES_MAX: usize = 128;
/// Bytes between the starts of two windows of a long word.
const WINDOW_STEP_BYTES: usize = 64;
/// Bytes of any part of a word that one of its tokens is certain to hold whole: what two windows share, less what
/// their ends lose to whole characters.
pub(super) const PART_BYTES_MAX: usize = 60;

/// What kind of character one is to the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Gap,
    Word,
    Dense,
}

/// Characters of one class, as many as there are side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run<'a> {
    pub(super) class: Class,
    pub(super) text: &'a str,
    /// Whether the text before begins with this run.
    pub(super) first: bool,
}

/// The words and dense runs of a text.
pub(super) struct Runs<'a> {
    text: &'a str,
    at: usize,
}

/// The tokens of a text, in its order, as often as they stand there.
pub(super) struct Tokens<'a> {
    runs: Runs<'a>,
    rest: Rest<'a>,
}

/// What is left of a run that has several tokens.
enum Rest<'a> {
    None,
    Windows { word: &'a str, at: usize },
    Pairs(&'a str),
}

/// Returns the tokens of a folded text.
pub(super) fn tokens(folded: &str) -> Tokens<'_> {
    Tokens {
        runs: runs(folded),
        rest: Rest::None,
    }
}

/// Returns the words and dense runs of a folded text.
pub(super) fn runs(folded: &str) -> Runs<'_> {
    Runs {
        text: folded,
        at: 0,
    }
}

// === impl Runs ===

impl<'a> Iterator for Runs<'a> {
    type Item = Run<'a>;

    #[inline]
    fn next(&mut self) -> Option<Run<'a>> {
        let (mut class, mut width) = class_at(self.text, self.at)?;
        while class == Class::Gap {
            self.at += width;
            (class, width) = class_at(self.text, self.at)?;
        }
        let start = self.at;
        self.at += width;
        while let Some((next, width)) = class_at(self.text, self.at)
            && next == class
        {
            self.at += width;
        }
        Some(Run {
            class,
            text: self.text.get(start..self.at)?,
            first: start == 0,
        })
    }
}

impl Runs<'_> {
    /// Returns whether the last run reaches the end of the text.
    pub(super) fn at_end(&self) -> bool {
        self.at == self.text.len()
    }
}

// === impl Tokens ===

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        if let Some(token) = self.rest.next() {
            return Some(token);
        }
        let run = self.runs.next()?;
        self.rest = match run.class {
            Class::Dense => Rest::Pairs(run.text),
            _ if run.text.len() > WORD_BYTES_MAX => Rest::Windows {
                word: run.text,
                at: 0,
            },
            _ => return Some(run.text),
        };
        self.rest.next().or(Some(run.text))
    }
}

// === impl Rest ===

impl<'a> Rest<'a> {
    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        match *self {
            Self::None => None,
            Self::Windows { word, at } => {
                let start = word.floor_char_boundary(at);
                let end = at + WORD_BYTES_MAX;
                if end >= word.len() {
                    *self = Self::None;
                    return word.get(start..);
                }
                let at = at + WINDOW_STEP_BYTES;
                *self = Self::Windows { word, at };
                word.get(start..word.floor_char_boundary(end))
            }
            Self::Pairs(run) => {
                let first = run.chars().next()?.len_utf8();
                let Some(second) = run.get(first..).and_then(|rest| rest.chars().next()) else {
                    *self = Self::None;
                    return None;
                };
                *self = Self::Pairs(run.get(first..)?);
                run.get(..first + second.len_utf8())
            }
        }
    }
}

/// Returns the class of the character at a place, and its bytes.
#[inline]
fn class_at(text: &str, at: usize) -> Option<(Class, usize)> {
    let &byte = text.as_bytes().get(at)?;
    if byte.is_ascii_alphanumeric() {
        return Some((Class::Word, 1));
    }
    if byte.is_ascii() {
        return Some((Class::Gap, 1));
    }
    let character = text.get(at..)?.chars().next()?;
    Some((class_of(character), character.len_utf8()))
}

fn class_of(character: char) -> Class {
    let dense = matches!(
        u32::from(character),
        0x4e00..=0x9fff         // Chinese characters
            | 0x3005..=0x3007 | 0x3021..=0x3029 | 0x3031..=0x3035 | 0x3038..=0x303c
            | 0x3041..=0x30fa | 0x30fc..=0x31bf | 0x31f0..=0x31ff // kana, bopomofo, Korean letters
            | 0xac00..=0xd7ff | 0x1100..=0x11ff | 0xa960..=0xa97f // Korean
            | 0x0e00..=0x0eff   // Thai and Lao
            | 0x1780..=0x17ff   // Khmer
            | 0x1000..=0x109f | 0xa9e0..=0xa9ff | 0xaa60..=0xaa7f // Myanmar
            | 0x2e80..=0x2fdf | 0x3400..=0x4dbf | 0xf900..=0xfaff // rarer Chinese characters
            | 0xff66..=0xffdc   // kana and Korean letters of half width
            | 0x1aff0..=0x1b16f // rarer kana
            | 0x2_0000..=0x3_ffff // rare Chinese characters
    );
    if dense {
        Class::Dense
    } else if character.is_alphanumeric() {
        Class::Word
    } else {
        Class::Gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(folded: &str, expect: &[&str]) {
        assert_eq!(
            tokens(folded).collect::<Vec<_>>(),
            expect,
            "tokens of {folded:?}"
        );
    }

    #[test]
    fn words_are_letters_and_digits() {
        check("", &[]);
        check(" .-_!🎉", &[]);
        check("the quick, brown", &["the", "quick", "brown"]);
        check(
            "snake_case_2 kebab-case",
            &["snake", "case", "2", "kebab", "case"],
        );
        check("naïve straße привет", &["naïve", "straße", "привет"]);
        check("e\u{301}te\u{301}", &["e", "te"]);
        check("x\0y", &["x", "y"]);
    }

    #[test]
    fn scripts_without_spaces_are_pairs() {
        check("数据库", &["数据", "据库"]);
        check("中", &["中"]);
        check("gpt模型v2", &["gpt", "模型", "v2"]);
        check("カタカナ・ひら", &["カタ", "タカ", "カナ", "ひら"]);
        check("한국어 a", &["한국", "국어", "a"]);
        check("ไทย", &["ไท", "ทย"]);
        check("你，好", &["你", "好"]);
    }

    #[test]
    fn long_words_are_windows() {
        let word = |bytes: usize| {
            (0..bytes)
                .map(|at| char::from(b'a' + u8::try_from(at % 23).unwrap()))
                .collect::<String>()
        };
        let whole = word(128);
        check(&whole, &[&whole]);
        let long = word(300);
        let window = |range| long.get(range).unwrap();
        check(
            &long,
            &[
                window(0..128),
                window(64..192),
                window(128..256),
                window(192..300),
            ],
        );
    }

    #[test]
    fn every_part_of_a_long_word_stands_whole_in_a_token() {
        for (letter, count) in [("é", 200), ("aé", 150), ("𝒳b", 100), ("ab𝒳", 77)] {
            let word = letter.repeat(count);
            let all: Vec<&str> = tokens(&word).collect();
            assert!(all.iter().all(|token| token.len() <= WORD_BYTES_MAX + 3));
            for (start, _) in word.char_indices() {
                let end = word.floor_char_boundary(start + PART_BYTES_MAX);
                let part = word.get(start..end).unwrap();
                assert!(all.iter().any(|token| token.contains(part)));
            }
            let (head, _) = word.split_at(word.floor_char_boundary(PART_BYTES_MAX));
            let (_, tail) = word.split_at(word.ceil_char_boundary(word.len() - PART_BYTES_MAX));
            assert!(all.first().unwrap().starts_with(head));
            assert!(all.last().unwrap().ends_with(tail));
        }
    }
}
