//! Texts of any length that never repeat: prose in two languages, code, and what tools print.
//!
//! A small grammar is filled from the word lists. Names of identifiers, numbers, paths and hashes are made on the
//! spot, so that no two texts are the same and a search finds something rare as well as something common.

use std::fmt::Write as _;

use crate::random::Random;
use crate::words::Words;

/// Sixty-four letters of base64.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789abcdef";
const EXTENSIONS: [&str; 8] = ["rs", "ts", "py", "go", "md", "toml", "json", "sql"];
const ROOTS: [&str; 6] = ["src", "crates", "lib", "tests", "web", "internal"];

/// What joins another word to a clause.
const JOINS: [&str; 8] = [
    " of the ",
    " in the ",
    " without a ",
    " from the ",
    " on every ",
    " before the ",
    " with that ",
    " under this ",
];

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Chinese,
    Code,
}

/// Writes texts.
pub(crate) struct Author<'a> {
    words: &'a Words,
    pub(crate) random: Random,
}

// === impl Language ===

impl Language {
    /// Returns what somebody writes in: most of them English.
    pub(crate) fn of_person(random: &mut Random) -> Self {
        if random.chance(220) {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

// === impl Author ===

impl<'a> Author<'a> {
    pub(crate) const fn new(words: &'a Words, random: Random) -> Self {
        Self { words, random }
    }

    /// Writes about so many bytes: until they are reached, and to the end of the sentence or line.
    pub(crate) fn text(&mut self, out: &mut String, language: Language, bytes: u64) {
        let end = out
            .len()
            .saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        while out.len() < end {
            match language {
                Language::English => self.english(out),
                Language::Chinese => self.chinese(out),
                Language::Code => self.code(out),
            }
        }
        out.truncate(out.trim_end().len());
    }

    /// Writes what a tool prints: code, a listing, matches of a search, or a log.
    pub(crate) fn output(&mut self, out: &mut String, bytes: u64) {
        let end = out
            .len()
            .saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
        let kind = self.random.below(10);
        let mut number = self.random.between(1, 400);
        while out.len() < end {
            match kind {
                0..=4 => {
                    // Numbered lines, as agents read files.
                    write!(out, "{number:>6}\t").ok();
                    self.code(out);
                    number += 1;
                }
                5..=6 => self.found(out),
                7 => self.listed(out),
                8 => self.logged(out),
                _ => self.english(out),
            }
        }
        out.truncate(out.trim_end().len());
    }

    /// Writes one English sentence, with a blank or a new paragraph behind it.
    fn english(&mut self, out: &mut String) {
        let start = out.len();
        self.clause(out);
        match self.random.below(8) {
            0 => {
                out.push_str(", because ");
                self.clause(out);
            }
            1 => {
                out.push_str(", and ");
                self.clause(out);
            }
            2 => {
                out.push_str(" when ");
                self.clause(out);
            }
            3 => {
                out.push_str(" (see `");
                self.path(out);
                out.push_str("`)");
            }
            _ => {}
        }
        capitalise(out, start);
        out.push_str(match self.random.below(12) {
            0 => ".\n\n",
            1 => "? ",
            2 => ":\n- ",
            _ => ". ",
        });
    }

    fn clause(&mut self, out: &mut String) {
        self.subject(out);
        // One number chooses several words: drawing is a good part of the work.
        let drawn = self.random.next();
        if drawn.is_multiple_of(4) {
            out.push(' ');
            out.push_str(self.words.adverbs.word(drawn >> 40));
        }
        out.push(' ');
        out.push_str(self.words.verbs.word(drawn >> 4));
        out.push(' ');
        match (drawn >> 52) & 7 {
            0 => {
                out.push('`');
                self.identifier(out);
                out.push('`');
            }
            1 => {
                write!(out, "{} ", self.random.between(2, 100_000)).ok();
                out.push_str(self.words.nouns.word(drawn >> 16));
                out.push('s');
            }
            _ => {
                out.push_str("the ");
                out.push_str(self.words.adjectives.word(drawn >> 28));
                out.push(' ');
                out.push_str(self.words.nouns.word(drawn >> 16));
            }
        }
        if (drawn >> 56).is_multiple_of(4) {
            let drawn = self.random.next();
            let at = usize::try_from(drawn >> 61).unwrap_or(0);
            out.push_str(JOINS.get(at).copied().unwrap_or_default());
            out.push_str(self.words.nouns.word(drawn));
        }
    }

    fn subject(&mut self, out: &mut String) {
        let drawn = self.random.next();
        match drawn & 15 {
            0 => {
                out.push('`');
                self.identifier(out);
                out.push('`');
            }
            1 => out.push_str("this"),
            2 => out.push_str("it"),
            3..=6 => {
                out.push_str("the ");
                out.push_str(self.words.adjectives.word(drawn >> 8));
                out.push(' ');
                out.push_str(self.words.nouns.word(drawn >> 24));
            }
            7..=9 => {
                out.push_str("each ");
                out.push_str(self.words.nouns.word(drawn >> 24));
            }
            _ => {
                out.push_str("the ");
                out.push_str(self.words.nouns.word(drawn >> 24));
            }
        }
    }

    /// Writes one Chinese sentence.
    fn chinese(&mut self, out: &mut String) {
        let drawn = self.random.next();
        let words = self.words;
        match drawn & 7 {
            0 => {
                out.push_str("如果");
                out.push_str(words.things.word(drawn >> 8));
                out.push_str(words.acts.word(drawn >> 20));
                out.push_str("，就");
            }
            1 => out.push_str("我们"),
            2 => out.push('请'),
            3 => {
                out.push_str(words.marks.word(drawn >> 32));
                out.push_str(words.things.word(drawn >> 8));
                out.push_str("已经");
            }
            4 => {
                self.identifier(out);
                out.push_str(" 会");
            }
            _ => {
                out.push_str(words.things.word(drawn >> 8));
                out.push_str("可以");
            }
        }
        let drawn = self.random.next();
        out.push_str(words.acts.word(drawn));
        match (drawn >> 12) & 3 {
            0 => {
                write!(out, " {} 个", self.random.between(2, 10_000)).ok();
            }
            1 => {
                out.push_str(words.marks.word(drawn >> 16));
                out.push('的');
            }
            _ => {}
        }
        out.push_str(words.things.word(drawn >> 28));
        if (drawn >> 40).is_multiple_of(4) {
            out.push('和');
            out.push_str(words.things.word(drawn >> 44));
        }
        out.push_str(match drawn >> 60 {
            0 => "。\n\n",
            1 => "？",
            2..=4 => "，",
            _ => "。",
        });
    }

    /// Writes one line of code.
    fn code(&mut self, out: &mut String) {
        let drawn = self.random.next();
        let indent = usize::try_from(drawn & 3).unwrap_or(0);
        for _ in 0..indent {
            out.push_str("    ");
        }
        match (drawn >> 2) & 15 {
            0 => self.signature(out, drawn),
            1..=3 => {
                out.push_str("let ");
                self.identifier(out);
                out.push_str(" = ");
                out.push_str(self.words.stems.word(drawn >> 8));
                out.push('.');
                self.identifier(out);
                out.push_str("(\"");
                out.push_str(self.words.nouns.word(drawn >> 24));
                out.push_str("\");");
            }
            4..=5 => {
                out.push_str("if ");
                out.push_str(self.words.stems.word(drawn >> 8));
                write!(out, " > {} {{", drawn >> 54).ok();
            }
            6 => {
                out.push_str("// ");
                self.clause(out);
                out.push('.');
            }
            7..=8 => out.push('}'),
            9 => {
                out.push_str("assert_eq!(");
                self.identifier(out);
                write!(out, ", {});", drawn >> 50).ok();
            }
            10 => {
                out.push_str("return self.");
                self.identifier(out);
                out.push(';');
            }
            11 => {
                out.push_str("for ");
                out.push_str(self.words.stems.word(drawn >> 8));
                out.push_str(" in ");
                self.identifier(out);
                out.push_str(".iter() {");
            }
            12 => {
                out.push('"');
                self.identifier(out);
                out.push_str("\": \"");
                self.hex(out, 8);
                out.push_str("\",");
            }
            _ => {
                out.push_str("self.");
                self.identifier(out);
                out.push('(');
                out.push_str(self.words.stems.word(drawn >> 8));
                out.push_str(", ");
                out.push_str(self.words.stems.word(drawn >> 20));
                out.push_str(");");
            }
        }
        out.push('\n');
    }

    /// Writes the first line of a function.
    fn signature(&mut self, out: &mut String, drawn: u64) {
        out.push_str("pub fn ");
        self.identifier(out);
        out.push_str("(&self, ");
        out.push_str(self.words.stems.word(drawn >> 8));
        out.push_str(": &str) -> Result<");
        out.push_str(self.words.stems.word(drawn >> 20));
        out.push_str(", Error> {");
    }

    /// Writes one match of a search through files.
    fn found(&mut self, out: &mut String) {
        self.path(out);
        write!(out, ":{}:", self.random.between(1, 2000)).ok();
        self.code(out);
    }

    /// Writes one line of a listing of files.
    fn listed(&mut self, out: &mut String) {
        let size = self.random.between(100, 90_000);
        let minute = self.random.below(60);
        write!(
            out,
            "-rw-r--r-- 1 dev dev {size:>6} Oct {:>2} {:02}:{minute:02} ",
            size % 30 + 1,
            size % 24
        )
        .ok();
        self.path(out);
        out.push('\n');
    }

    /// Writes one line of a log.
    fn logged(&mut self, out: &mut String) {
        const LEVELS: [&str; 4] = ["INFO", "DEBUG", "WARN", "ERROR"];
        let micros = self.random.below(86_400_000);
        let seconds = micros / 1000;
        write!(
            out,
            "{:02}:{:02}:{:02}.{:03} {} ",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            micros % 1000,
            self.random.pick(&LEVELS)
        )
        .ok();
        self.identifier(out);
        out.push_str(": ");
        self.clause(out);
        writeln!(out, " took={}us", self.random.between(10, 90_000)).ok();
    }

    /// Writes a name as programs have them; one in three is found nowhere else.
    pub(crate) fn identifier(&mut self, out: &mut String) {
        let drawn = self.random.next();
        let (one, two) = (
            self.words.stems.word(drawn),
            self.words.stems.word(drawn >> 12),
        );
        let start = out.len();
        out.push_str(one);
        match (drawn >> 24) & 3 {
            0 => {
                let upper = out.len();
                out.push_str(two);
                capitalise(out, upper);
            }
            1 => {
                out.push('_');
                out.push_str(two);
                out.push('_');
                out.push_str(self.words.stems.word(drawn >> 28));
            }
            2 => {
                out.push('_');
                out.push_str(two);
            }
            _ => {
                capitalise(out, start);
                let upper = out.len();
                out.push_str(two);
                capitalise(out, upper);
            }
        }
        if (drawn >> 40).is_multiple_of(3) {
            write!(out, "{}", (drawn >> 42) % 100_000).ok();
        }
    }

    /// Writes the path of a file.
    pub(crate) fn path(&mut self, out: &mut String) {
        let drawn = self.random.next();
        out.push_str(self.random.pick(&ROOTS));
        out.push('/');
        out.push_str(self.words.stems.word(drawn));
        out.push('/');
        self.identifier(out);
        out.push('.');
        out.push_str(self.random.pick(&EXTENSIONS));
    }

    /// Writes so many hexadecimal digits.
    pub(crate) fn hex(&mut self, out: &mut String, digits: usize) {
        self.letters(out, digits, HEX);
    }

    /// Writes so many letters of base64, such as opaque blobs have.
    pub(crate) fn base64(&mut self, out: &mut String, letters: usize) {
        self.letters(out, letters, BASE64);
    }

    fn letters(&mut self, out: &mut String, count: usize, alphabet: &[u8]) {
        let bits = alphabet.len().trailing_zeros();
        let (mut drawn, mut left) = (0, 0);
        for _ in 0..count {
            if left < bits {
                (drawn, left) = (self.random.next(), 60);
            }
            let at = usize::try_from(drawn & 63).unwrap_or(0) & (alphabet.len() - 1);
            out.push(char::from(alphabet.get(at).copied().unwrap_or_default()));
            drawn >>= bits;
            left -= bits;
        }
    }

    /// Writes a UUID of the fourth version.
    pub(crate) fn uuid(&mut self, out: &mut String) {
        let bytes = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
        let uuid = uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid();
        write!(out, "{uuid}").ok();
    }
}

/// Makes the ASCII letter at a place a capital.
fn capitalise(out: &mut String, at: usize) {
    let first = out.get(at..).and_then(|rest| rest.chars().next());
    if let Some(first) = first.filter(char::is_ascii_lowercase) {
        let upper = first.to_ascii_uppercase();
        let mut held = [0; 4];
        out.replace_range(at..=at, upper.encode_utf8(&mut held));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Domain;

    fn check(language: Language, bytes: u64) -> String {
        let words = Words::new();
        let random = Random::keyed(3, Domain::Single, bytes);
        let mut text = String::new();
        Author::new(&words, random).text(&mut text, language, bytes);
        let length = text.len() as u64;
        assert!(
            (bytes.saturating_sub(2)..bytes + 400).contains(&length),
            "{length} of {bytes}"
        );
        text
    }

    #[test]
    fn texts_have_their_length_and_language() {
        for bytes in [1, 50, 3000] {
            assert!(check(Language::English, bytes).is_ascii());
            assert!(check(Language::Code, bytes).is_ascii());
        }
        let chinese = check(Language::Chinese, 3000);
        let letters = chinese.chars().filter(|letter| !letter.is_ascii());
        assert!(letters.count() > 700);
    }

    #[test]
    fn no_sentence_comes_twice() {
        let text = check(Language::English, 50_000);
        let mut sentences: Vec<&str> = text.split(". ").collect();
        let all = sentences.len();
        sentences.sort_unstable();
        sentences.dedup();
        assert!(
            sentences.len() * 100 >= all * 98,
            "{} of {all}",
            sentences.len()
        );
    }

    #[test]
    fn what_tools_print_is_made_of_lines_without_control_characters() {
        let words = Words::new();
        for index in 0..50 {
            let mut author = Author::new(&words, Random::keyed(3, Domain::Step, index));
            let mut text = String::new();
            author.output(&mut text, 900);
            assert!(text.len() >= 800);
            assert!(!text.contains(|letter: char| letter.is_control() && !"\n\t".contains(letter)));
        }
    }
}
