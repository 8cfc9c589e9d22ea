//! Strings: escapes, surrogates, bytes that are not UTF-8.
//!
//! A character outside the basic plane may come as two escapes in two deltas (`\ud83e`, then `\udd80`).
//! [`Text`] keeps the first half until the second arrives; a half that stays alone becomes U+FFFD.

use std::borrow::Cow;

use memchr::memchr;

use super::index::{SHORT_BYTES, equal_bytes};
use super::{Document, lossy};

/// A string as it stands in a document, between its quotes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Token<'a> {
    /// The bytes between the quotes.
    pub(super) raw: &'a [u8],
    /// The same as text, where the whole document is UTF-8.
    pub(super) text: Option<&'a str>,
    /// Where they start in the document.
    pub(super) start: usize,
    /// The document ends before the closing quote.
    pub(super) cut: bool,
    /// There is a backslash in it.
    pub(super) escaped: bool,
}

/// A text that grows by the strings of one delta after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text {
    text: String,
    /// The first half of a surrogate pair, whose second half has not come yet.
    high: Option<u16>,
}

// === impl Token ===

impl<'a> Token<'a> {
    /// Returns the bytes between the quotes, escapes unresolved.
    pub(crate) fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Returns the number of characters if all are ASCII, as in base64; `\/` counts once.
    pub(crate) fn ascii_chars(&self) -> u64 {
        if !self.escaped {
            return self.raw.len() as u64;
        }
        let escapes = memchr::memchr_iter(b'\\', self.raw).count();
        self.raw.len().saturating_sub(escapes) as u64
    }

    /// Returns where the string's first character stands in the body.
    pub(crate) fn offset(&self, document: &Document<'_>) -> u64 {
        document.base().saturating_add(self.start as u64)
    }

    /// Returns whether the document ends before the string does.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Returns whether the string is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Returns the string.
    pub(crate) fn decode(&self, document: &Document<'_>) -> Cow<'a, str> {
        let valid = self.utf8(document);
        if !self.escaped {
            return valid;
        }
        let mut text = Text::default();
        text.push_escaped(&valid);
        Cow::Owned(text.finish())
    }

    /// Appends the string to a text.
    pub(crate) fn append_to(&self, text: &mut Text, document: &Document<'_>) {
        let valid = self.utf8(document);
        if self.escaped {
            text.push_escaped(&valid);
        } else {
            text.push_str(&valid);
        }
    }

    /// Returns the string, escapes unresolved, as text.
    fn utf8(&self, document: &Document<'_>) -> Cow<'a, str> {
        if let Some(text) = self.text {
            return Cow::Borrowed(text);
        }
        match std::str::from_utf8(self.raw) {
            Ok(text) => Cow::Borrowed(text),
            // A character that the end of the document cuts in two is no fault of its own.
            Err(error) if self.cut && error.error_len().is_none() => {
                lossy(self.raw.get(..error.valid_up_to()).unwrap_or_default())
            }
            Err(error) => {
                document.note_utf8(self.start + error.valid_up_to());
                lossy(self.raw)
            }
        }
    }
}

/// Returns the character that an escape of one letter stands for.
const fn one_letter(letter: u8) -> Option<u8> {
    Some(match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'"' | b'\\' | b'/' => letter,
        _ => return None,
    })
}

/// Returns where the first backslash stands. They are close together: eight bytes at a time first.
fn slash_in(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words.iter().take(SHORT_BYTES / 8) {
        let found = equal_bytes(u64::from_le_bytes(*word), b'\\');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr(b'\\', bytes.get(at..)?)?)
}

fn hex_unit(digits: &str) -> Option<u16> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

// === impl Text ===

impl Text {
    /// Appends a text.
    pub(crate) fn push_str(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.flush();
        self.text.push_str(text);
    }

    /// Appends a character.
    pub(crate) fn push(&mut self, character: char) {
        self.flush();
        self.text.push(character);
    }

    /// Returns whether nothing was appended.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.high.is_none()
    }

    /// Returns what was appended, but for half a character at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the whole text.
    pub(crate) fn finish(mut self) -> String {
        self.flush();
        self.text
    }

    /// Appends a text whose escapes are unresolved.
    fn push_escaped(&mut self, escaped: &str) {
        let mut rest = escaped;
        while !rest.is_empty() {
            let simple = self.push_simple(rest.as_bytes());
            rest = rest.get(simple..).unwrap_or_default();
            if !rest.is_empty() {
                rest = self.push_escape(rest);
            }
        }
    }

    /// Appends a text up to its first escape that is more than one letter (`\u…`, and what JSON does not know).
    /// Returns how many of its bytes that is. Code and prose hold a `\n` or `\"` every few words.
    fn push_simple(&mut self, escaped: &[u8]) -> usize {
        let mut out = Vec::with_capacity(escaped.len());
        let mut rest = escaped;
        while let Some(slash) = slash_in(rest) {
            let (plain, escape) = rest.split_at(slash);
            out.extend_from_slice(plain);
            rest = escape;
            let Some(byte) = escape.get(1).and_then(|letter| one_letter(*letter)) else {
                break;
            };
            out.push(byte);
            rest = escape.get(2..).unwrap_or_default();
        }
        if !rest.starts_with(b"\\") {
            out.extend_from_slice(rest);
            rest = &[];
        }
        match String::from_utf8(out) {
            Ok(text) if self.is_empty() => self.text = text,
            Ok(text) => self.push_str(&text),
            // An escape never cuts a character in two, so that what is between them is text.
            Err(_) => {}
        }
        escaped.len() - rest.len()
    }

    /// Appends the escape at the start of a text and returns what follows it.
    fn push_escape<'a>(&mut self, escape: &'a str) -> &'a str {
        let after = |count: usize| escape.get(count..).unwrap_or_default();
        if escape.as_bytes().get(1) == Some(&b'u')
            && let Some(unit) = escape.get(2..6).and_then(hex_unit)
        {
            self.push_unit(unit);
            return after(6);
        }
        // An escape that JSON does not know stays as it is; a backslash at the end is the half of one.
        if escape.len() > 1 {
            self.push('\\');
        }
        after(1)
    }

    /// Appends one UTF-16 unit of an escape.
    fn push_unit(&mut self, unit: u16) {
        match (self.high, unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                self.high = None;
                let pair = char::decode_utf16([high, unit]);
                self.text.extend(pair.flatten());
            }
            (_, 0xD800..=0xDBFF) => {
                self.flush();
                self.high = Some(unit);
            }
            _ => {
                self.flush();
                let character = char::from_u32(u32::from(unit));
                self.text
                    .push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
    }

    fn flush(&mut self) {
        if self.high.take().is_some() {
            self.text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, high: None }
    }
}
