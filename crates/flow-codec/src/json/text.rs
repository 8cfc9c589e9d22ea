//! Strings: escapes, surrogates, bytes that are not UTF-8.
//!
//! A character outside the basic plane may come as two escapes in two deltas (`\ud83e`, then `\udd80`).
//! [`Text`] keeps the first half until the second arrives; a half that stays alone becomes U+FFFD.

use std::borrow::Cow;

use memchr::memchr;

use super::{Faults, lossy};

/// A string as it stands in a document, between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    /// The bytes between the quotes.
    pub(super) raw: &'a [u8],
    /// Where they start in the document.
    pub(super) start: usize,
    /// The document ends before the closing quote.
    pub(super) cut: bool,
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
        let escapes = memchr::memchr_iter(b'\\', self.raw).count();
        self.raw.len().saturating_sub(escapes) as u64
    }

    /// Returns where the string's first character stands in the body.
    pub(crate) fn offset(&self, faults: &Faults) -> u64 {
        faults.base().saturating_add(self.start as u64)
    }

    /// Returns whether the string is empty.
    pub(crate) fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Returns the string.
    pub(crate) fn decode(&self, faults: &Faults) -> Cow<'a, str> {
        let valid = self.utf8(faults);
        if memchr(b'\\', self.raw).is_none() {
            return valid;
        }
        let mut text = Text::default();
        text.text.reserve(self.raw.len());
        text.push_escaped(&valid);
        Cow::Owned(text.finish())
    }

    /// Appends the string to a text.
    pub(crate) fn append_to(&self, text: &mut Text, faults: &Faults) {
        text.push_escaped(&self.utf8(faults));
    }

    /// Returns the string, escapes unresolved, as text.
    fn utf8(&self, faults: &Faults) -> Cow<'a, str> {
        match std::str::from_utf8(self.raw) {
            Ok(text) => Cow::Borrowed(text),
            // A character that the end of the document cuts in two is no fault of its own.
            Err(error) if self.cut && error.error_len().is_none() => {
                lossy(self.raw.get(..error.valid_up_to()).unwrap_or_default())
            }
            Err(error) => {
                faults.note_utf8(self.start + error.valid_up_to());
                lossy(self.raw)
            }
        }
    }
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
        while let Some(slash) = memchr(b'\\', rest.as_bytes()) {
            let (plain, escape) = rest.split_at(slash);
            self.push_str(plain);
            rest = self.push_escape(escape);
        }
        self.push_str(rest);
    }

    /// Appends the escape at the start of a text and returns what follows it.
    fn push_escape<'a>(&mut self, escape: &'a str) -> &'a str {
        let after = |count: usize| escape.get(count..).unwrap_or_default();
        let plain = match escape.as_bytes().get(1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'u') => {
                if let Some(unit) = escape.get(2..6).and_then(hex_unit) {
                    self.push_unit(unit);
                    return after(6);
                }
                self.push('\\');
                return after(1);
            }
            // An escape that JSON does not know stays as it is.
            Some(_) => {
                self.push('\\');
                return after(1);
            }
            None => return after(1),
        };
        self.push(plain);
        after(2)
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
