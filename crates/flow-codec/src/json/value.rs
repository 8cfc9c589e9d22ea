//! What is kept raw: whole values and compact text.

use flow_model::Raw;
use serde_json::{Map, Number, Value};

use super::index::string_end;
use super::{Json, Kind, lossy};

/// Bytes of an error that is taken apart: a value takes many times the room of its text.
const ERROR_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a larger one that are kept.
const ERROR_START_BYTES: usize = 1_000;
/// Members of an object that is an error.
const ERROR_MEMBERS_MAX: usize = 256;

impl Json<'_> {
    /// Reads the value at the cursor whole. What cannot be read in it is null.
    pub(crate) fn value(&mut self) -> Value {
        match self.kind() {
            Kind::Object => {
                let mut members = Map::new();
                if self.object() {
                    while let Some(name) = self.member() {
                        let value = self.value();
                        members.insert(name.into_owned(), value);
                    }
                }
                Value::Object(members)
            }
            Kind::Array => {
                let mut elements = Vec::new();
                if self.array() {
                    while self.element() {
                        elements.push(self.value());
                    }
                }
                Value::Array(elements)
            }
            Kind::String => Value::String(self.owned().unwrap_or_default()),
            Kind::Number => number(self.raw()),
            Kind::Bool => self.bool().map_or(Value::Null, Value::Bool),
            Kind::Null | Kind::None => {
                self.skip();
                Value::Null
            }
        }
    }

    /// Reads the value at the cursor as the text that it is.
    pub(crate) fn verbatim(&mut self) -> Raw {
        let raw = self.raw();
        let from = self.at - raw.len();
        match self.document.text() {
            Some(text) => Raw::new(text.get(from..self.at).unwrap_or_default()),
            None => {
                if std::str::from_utf8(raw).is_err() {
                    self.document.note_utf8(from);
                }
                Raw::new(lossy(raw))
            }
        }
    }

    /// Reads an error whole; of one that is too large the start, as text.
    pub(crate) fn error_value(&mut self) -> Value {
        if self.width() <= ERROR_BYTES_MAX {
            return self.value();
        }
        let raw = self.raw();
        let start = raw.get(..ERROR_START_BYTES).unwrap_or(raw);
        Value::String(lossy(start).into_owned())
    }

    /// Returns the error under this name in the object that was entered, or the whole object without it. The
    /// cursor stands behind the object's opening bracket.
    pub(crate) fn inner_value(&mut self, inner: &str) -> Value {
        let mut members = Map::new();
        while let Some(name) = self.member() {
            let value = self.error_value();
            if members.len() < ERROR_MEMBERS_MAX {
                members.insert(name.into_owned(), value);
            }
        }
        match members.remove(inner) {
            Some(value) if !value.is_null() => value,
            _ => Value::Object(members),
        }
    }

    /// Reads the value at the cursor as JSON text without white space between its tokens. Strings and numbers
    /// keep the wire's spelling.
    pub(crate) fn compact(&mut self) -> String {
        let raw = self.raw();
        if !raw.iter().any(u8::is_ascii_whitespace) {
            return lossy(raw).into_owned();
        }
        let mut out = Vec::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(quote) = memchr::memchr(b'"', rest) {
            let (between, string) = rest.split_at(quote);
            push_dense(&mut out, between);
            let end = string_end(string, 1).0.map_or(string.len(), |end| end + 1);
            let (string, after) = string.split_at(end);
            out.extend_from_slice(string);
            rest = after;
        }
        push_dense(&mut out, rest);
        lossy(&out).into_owned()
    }
}

fn push_dense(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
}

/// Returns the number that a token spells; one that JSON does not allow is kept as text.
fn number(raw: &[u8]) -> Value {
    let text = lossy(raw);
    if let Ok(number) = text.parse::<u64>() {
        return Value::Number(number.into());
    }
    let number: Result<Number, _> = serde_json::from_str(&text);
    number.map_or_else(|_| Value::String(text.into_owned()), Value::Number)
}
