//! A borrowed pull reader for JSON.
//!
//! A [`Document`] knows where its strings and containers are; [`Json`] is a cursor over it. Containers are entered
//! and their items visited in one pass, and a value that the caller does not read is skipped in one step. Nothing
//! is built that was not asked for, so a base64 image costs one search for its closing quote and no copy.
//!
//! The reader never fails and never panics. What it cannot read ends the document at that place; what had been
//! read before stays, and the document says where and why. It is more lenient than the standard in what it
//! skips (numbers and words are not checked) and in strings (raw control characters, unknown escapes, lone
//! surrogates, bytes that are not UTF-8), because a recording must show what was sent.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`DEPTH_MAX`] | 128 levels | fault `json_too_deep`, the rest is not read |

mod document;
mod index;
mod text;
mod value;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use self::index::{Node, equal_bytes, plain_bytes};

pub(crate) use self::document::{Document, Fault};
pub(crate) use self::text::{Text, Token};

/// Levels of nesting. Recursion in the callers is bounded by it too.
const DEPTH_MAX: u32 = 128;

/// A cursor over one JSON document. Copies read the same document from the same place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Number of the first node at or behind the cursor.
    node: u32,
    /// A value starts at the cursor and has not been read.
    unread: bool,
    /// A container was just entered, so no comma stands before its next item.
    fresh: bool,
    document: &'a Document<'a>,
}

/// The kind of the value at the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    Bool,
    Null,
    /// No value, or none that JSON knows.
    None,
}

// === impl Json ===

impl<'a> Json<'a> {
    /// Returns what kind of value stands at the cursor.
    pub(crate) fn kind(&mut self) -> Kind {
        if !self.unread {
            return Kind::None;
        }
        match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') => Kind::Null,
            _ => Kind::None,
        }
    }

    /// Returns whether the value at the cursor is an object.
    pub(crate) fn is_object(&self) -> bool {
        let mut here = *self;
        here.kind() == Kind::Object
    }

    /// Enters the object at the cursor. Returns false, and reads nothing, where the value is none.
    ///
    /// After true, [`Json::member`] must be called until it returns none.
    pub(crate) fn object(&mut self) -> bool {
        self.kind() == Kind::Object && self.enter()
    }

    /// Enters the array at the cursor, like [`Json::object`]; its items come from [`Json::element`].
    pub(crate) fn array(&mut self) -> bool {
        self.kind() == Kind::Array && self.enter()
    }

    /// Moves to the next member of the object that was entered last and returns its name.
    pub(crate) fn member(&mut self) -> Option<Cow<'a, str>> {
        if !self.next_item(b'}') {
            return None;
        }
        if self.peek() != Some(b'"') {
            self.break_off(Fault::Syntax);
            return None;
        }
        let name = self.token().decode(self.document);
        if self.peek() != Some(b':') {
            self.break_off(Fault::Syntax);
            return None;
        }
        self.at += 1;
        self.unread = true;
        Some(name)
    }

    /// Moves to the next element of the array that was entered last; false at its end.
    pub(crate) fn element(&mut self) -> bool {
        self.unread = self.next_item(b']');
        self.unread
    }

    /// Reads the object at the cursor and returns cursors at the members of these names, each where it is
    /// present and not null. None where the value is not an object. Of equal names the last one counts.
    pub(crate) fn fields<const N: usize>(&mut self, names: [&str; N]) -> Option<[Option<Self>; N]> {
        self.fields_by(names, |key, name| key == name)
    }

    /// Reads the object at the cursor like [`Json::fields`], with another notion of equal names.
    pub(crate) fn fields_by<const N: usize>(
        &mut self,
        names: [&str; N],
        same: impl Fn(&str, &str) -> bool,
    ) -> Option<[Option<Self>; N]> {
        if !self.object() {
            return None;
        }
        let mut found = [None; N];
        while let Some(key) = self.member() {
            let slot = names.iter().position(|name| same(&key, name));
            if let Some(slot) = slot.and_then(|slot| found.get_mut(slot)) {
                let mut at = *self;
                *slot = (at.kind() != Kind::Null).then_some(at);
            }
        }
        Some(found)
    }

    /// Reads the string at the cursor, still escaped.
    pub(crate) fn string(&mut self) -> Option<Token<'a>> {
        (self.kind() == Kind::String).then(|| self.token())
    }

    /// Reads the string at the cursor.
    pub(crate) fn text(&mut self) -> Option<Cow<'a, str>> {
        self.string().map(|token| token.decode(self.document))
    }

    /// Reads the string at the cursor into a string of its own.
    pub(crate) fn owned(&mut self) -> Option<String> {
        self.text().map(Cow::into_owned)
    }

    /// Appends the string at the cursor to a text; false where there is none.
    pub(crate) fn append_to(&mut self, text: &mut Text) -> bool {
        let token = self.string();
        token.is_some_and(|token| {
            token.append_to(text, self.document);
            true
        })
    }

    /// Reads the string, number or word at the cursor as text; none for null and containers.
    pub(crate) fn word(&mut self) -> Option<String> {
        match self.kind() {
            Kind::String => self.owned(),
            Kind::Number | Kind::Bool => Some(lossy(self.raw()).into_owned()),
            Kind::Object | Kind::Array | Kind::Null | Kind::None => None,
        }
    }

    /// Reads the whole number at the cursor.
    pub(crate) fn number(&mut self) -> Option<u64> {
        if self.kind() != Kind::Number {
            return None;
        }
        std::str::from_utf8(self.raw()).ok()?.parse().ok()
    }

    /// Reads the truth value at the cursor.
    pub(crate) fn bool(&mut self) -> Option<bool> {
        match (self.kind(), self.peek()) {
            (Kind::Bool, first) => {
                self.skip();
                Some(first == Some(b't'))
            }
            _ => None,
        }
    }

    /// Skips the value at the cursor and returns its bytes.
    pub(crate) fn raw(&mut self) -> &'a [u8] {
        self.peek();
        let start = self.at;
        self.skip();
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Returns the length of the value at the cursor, which stays unread.
    pub(crate) fn width(mut self) -> usize {
        self.raw().len()
    }

    /// Skips the value at the cursor, if it has not been read.
    pub(crate) fn skip(&mut self) {
        if !self.unread {
            return;
        }
        self.unread = false;
        match self.peek() {
            Some(b'"') => {
                self.token();
            }
            Some(b'{' | b'[') => self.skip_container(),
            Some(b',' | b':' | b'}' | b']') => self.break_off(Fault::Syntax),
            Some(_) => self.skip_word(),
            None => self.break_off(Fault::Truncated),
        }
    }

    /// Ends the document: notes what follows it.
    pub(crate) fn end(mut self) {
        self.skip();
        if self.peek().is_some() {
            self.document.note(self.at, Fault::Trailing);
        }
    }

    /// Returns where in the body the cursor stands.
    pub(crate) fn offset(&mut self) -> u64 {
        self.peek();
        self.document.base().saturating_add(self.at as u64)
    }

    /// Returns where in the body the value that was read last ends.
    pub(crate) fn end_offset(&self) -> u64 {
        self.document.base().saturating_add(self.at as u64)
    }

    /// Returns the document.
    pub(crate) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Passes over white space and returns the byte at the cursor.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn enter(&mut self) -> bool {
        self.at += 1;
        self.node += 1;
        self.unread = false;
        self.fresh = true;
        true
    }

    /// Moves to the next item of the current container; false at its end, where the container is left.
    fn next_item(&mut self, close: u8) -> bool {
        self.skip();
        let mut byte = self.peek();
        if byte == Some(b',') && !self.fresh {
            self.at += 1;
            // A comma before the closing bracket is let pass: some imitations write their JSON by hand.
            byte = self.peek();
        } else if !self.fresh && byte.is_some_and(|byte| byte != close) {
            self.break_off(Fault::Syntax);
            return false;
        }
        self.fresh = false;
        match byte {
            Some(byte) if byte == close => {
                self.at += 1;
                false
            }
            Some(_) => true,
            None => {
                self.break_off(Fault::Truncated);
                false
            }
        }
    }

    /// Returns the node at the cursor, where a quote or an opening bracket stands.
    fn here(&self) -> Option<Node> {
        let node = self.document.node(self.node);
        node.filter(|node| node.start as usize == self.at)
    }

    /// Reads the string whose opening quote is at the cursor. One that is cut off gives what there is of it.
    fn token(&mut self) -> Token<'a> {
        self.unread = false;
        let start = self.at + 1;
        let Some(node) = self.here() else {
            self.break_off(Fault::Syntax);
            return Token::default();
        };
        let end = node.end as usize;
        let token = Token {
            raw: self.bytes.get(start..end).unwrap_or_default(),
            text: self.document.text().and_then(|text| text.get(start..end)),
            start,
            cut: node.open,
            escaped: node.escaped,
        };
        self.node += 1;
        self.at = end + 1;
        if node.open {
            self.break_off(Fault::Truncated);
        }
        token
    }

    fn skip_container(&mut self) {
        let Some(node) = self.here() else {
            return self.break_off(Fault::Syntax);
        };
        self.node = node.next;
        self.at = node.end as usize + 1;
        if node.open {
            self.break_off(Fault::Truncated);
        }
    }

    fn skip_word(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_end = |byte: &u8| {
            matches!(
                byte,
                b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\n' | b'\r' | b'\t'
            )
        };
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let numeric = matches!(word.first(), Some(b'-' | b'0'..=b'9'));
        if numeric || matches!(word, b"true" | b"false" | b"null") {
            self.at += length;
        } else {
            let cut = length == rest.len()
                && [&b"true"[..], b"false", b"null"]
                    .iter()
                    .any(|full| full.starts_with(word));
            self.break_off(if cut { Fault::Truncated } else { Fault::Syntax });
        }
    }

    /// Notes a fault and moves to the end, where every further question is answered with nothing.
    fn break_off(&mut self, fault: Fault) {
        let at = match fault {
            Fault::Truncated => self.bytes.len(),
            _ => self.at.min(self.bytes.len()),
        };
        self.document.note(at, fault);
        self.at = self.bytes.len();
        self.unread = false;
    }
}

/// Returns bytes as text; those that are not UTF-8 become U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
