//! `multipart/form-data`, read where it lies: nothing of a file is copied.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | a boundary that only a header names | the first line, which is the boundary behind two dashes |
//! | lines ended by CRLF, or by LF from some clients | both |
//! | `filename`, quoted, bare, or as `filename*=UTF-8''…` | the file's name |
//! | `Content-Type` empty or absent | none |
//! | a form that breaks off | its last field as far as it came, with diagnostic `truncated` |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`FIELDS_MAX`] | 1,024 fields | diagnostic `too_many_fields`, the rest is not read |
//! | [`HEAD_BYTES_MAX`] | 16 KiB of the lines above a field's data | the form ends there |
//! | [`TEXT_BYTES_MAX`] | 1 MiB of a field that is no file | diagnostic `field_too_large`, the rest is not read |

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use flow_model::{Media, Part, RequestReading};
use memchr::{memchr, memmem};

use super::{Ask, Depth, inputs};
use crate::json::{Document, lossy};

/// Fields of one form.
const FIELDS_MAX: usize = 1_024;
/// Bytes of the lines above a field's data.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a field that is no file.
const TEXT_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the line between two fields; the standard allows 72.
const DELIMITER_BYTES_MAX: usize = 256;

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: String,
    /// The name of its file; a field without one is text.
    pub(crate) file: Option<String>,
    pub(crate) mime: Option<String>,
    pub(crate) data: &'a [u8],
    /// Where its data starts in the body.
    pub(crate) start: u64,
}

/// The fields of a form, in the wire's order.
#[derive(Clone, Debug)]
struct Form<'a> {
    body: &'a [u8],
    delimiter: &'a [u8],
    at: usize,
    /// The form ended within a field.
    truncated: bool,
}

/// Returns whether a body is a form.
pub(crate) fn is_form(body: &[u8]) -> bool {
    Form::new(body).is_some()
}

/// Reads a form as a request: its model, its wish for a stream, what `part` makes of the others, and parameters.
pub(crate) fn read(
    body: &[u8],
    depth: Depth,
    part: fn(&Field<'_>) -> Option<Part>,
) -> RequestReading {
    let mut ask = Ask::new(depth);
    let Some(mut form) = Form::new(body) else {
        return ask.into_reading(&Document::new(b"{}"));
    };
    let mut count = 0;
    while let Some(field) = form.next() {
        count += 1;
        if count > FIELDS_MAX {
            let what = "more fields than are kept; the rest was not read";
            ask.diagnostics.once("too_many_fields", what);
            break;
        }
        one_field(&field, &mut ask, part);
    }
    if form.truncated {
        let end = body.len() as u64;
        ask.diagnostics.at(end, "truncated", "the form breaks off");
    }
    ask.into_reading(&Document::new(b"{}"))
}

fn one_field(field: &Field<'_>, ask: &mut Ask, part: fn(&Field<'_>) -> Option<Part>) {
    match field.name.as_str() {
        "model" => ask.reading.model = Some(field.text(ask)),
        "stream" => {
            let word = field.text(ask);
            match word.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => ask.reading.stream = Some(true),
                "false" | "0" => ask.reading.stream = Some(false),
                _ => inputs::repeated(&field.name, word, ask),
            }
        }
        name => match (part(field), &field.file) {
            (Some(part), file) => {
                inputs::input(ask, part);
                if let (Some(file), Depth::Whole) = (file, ask.depth) {
                    inputs::repeated(name, file.clone(), ask);
                }
            }
            (None, Some(_)) => {
                let media = field.media();
                let name = field.file.clone();
                inputs::input(ask, Part::File { media, name });
            }
            (None, None) if ask.depth == Depth::Skim => {}
            (None, None) => {
                let word = field.text(ask);
                inputs::repeated(name, word, ask);
            }
        },
    }
}

// === impl Field ===

impl Field<'_> {
    /// Returns where the field's bytes are.
    pub(crate) fn media(&self) -> Media {
        Media {
            mime: self.mime.clone(),
            bytes: Some(self.data.len() as u64),
            data_offset: Some(self.start),
            ..Media::default()
        }
    }

    /// Returns the field's data as text.
    pub(crate) fn words(&self) -> Cow<'_, str> {
        lossy(self.data.get(..TEXT_BYTES_MAX).unwrap_or(self.data))
    }

    fn text(&self, ask: &mut Ask) -> String {
        if self.data.len() > TEXT_BYTES_MAX {
            let what = "a field is too large; its rest was not read";
            ask.diagnostics.once("field_too_large", what);
        }
        self.words().into_owned()
    }
}

// === impl Form ===

impl<'a> Form<'a> {
    /// Returns the form that a body is; none where it is something else.
    fn new(body: &'a [u8]) -> Option<Self> {
        let head = body.get(..DELIMITER_BYTES_MAX).unwrap_or(body);
        let line = head.get(..memchr(b'\n', head)?)?;
        let delimiter = line.trim_ascii_end();
        let is_named = delimiter.len() > 2 && delimiter.starts_with(b"--");
        is_named.then_some(Self {
            body,
            delimiter,
            at: line.len() + 1,
            truncated: false,
        })
    }

    /// Returns the next field; none at the form's end.
    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.body.get(self.at..)?;
        if rest.is_empty() {
            return None;
        }
        let Some(head_end) = blank_line(rest) else {
            self.truncated = true;
            self.at = self.body.len();
            return None;
        };
        let (head, data) = rest.split_at(head_end);
        let start = self.at + head_end;
        let end = self.delimiter_in(data);
        let length = end.unwrap_or(data.len());
        self.at = match end {
            Some(end) => self.behind(start + end),
            None => {
                self.truncated = true;
                self.body.len()
            }
        };
        let mut field = Field {
            name: String::new(),
            file: None,
            mime: None,
            data: without_line_end(data.get(..length)?, end.is_some()),
            start: start as u64,
        };
        for line in head.split(|byte| *byte == b'\n') {
            field.head(&lossy(line));
        }
        Some(field)
    }

    /// Returns where the line of the next delimiter starts.
    fn delimiter_in(&self, data: &[u8]) -> Option<usize> {
        // A field without data has the delimiter at once.
        if data.starts_with(self.delimiter) {
            return Some(0);
        }
        let finder = memmem::Finder::new(self.delimiter);
        let mut from = 0;
        loop {
            let at = from + finder.find(data.get(from..)?)?;
            if data.get(at.checked_sub(1)?) == Some(&b'\n') {
                return Some(at);
            }
            from = at + self.delimiter.len();
        }
    }

    /// Returns where the line behind a delimiter starts; the body's end behind the last one.
    fn behind(&self, delimiter: usize) -> usize {
        let from = delimiter + self.delimiter.len();
        let rest = self.body.get(from..).unwrap_or_default();
        match memchr(b'\n', rest) {
            Some(end) if !rest.starts_with(b"--") => from + end + 1,
            _ => self.body.len(),
        }
    }
}

impl Field<'_> {
    /// Reads one of the lines above the data.
    fn head(&mut self, line: &str) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        if name.eq_ignore_ascii_case("content-type") && !value.is_empty() {
            self.mime = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-disposition") {
            self.disposition(value);
        }
    }

    /// Reads the names in `form-data; name="…"; filename="…"`.
    fn disposition(&mut self, value: &str) {
        let mut rest = value;
        while let Some((_, behind)) = rest.split_once(';') {
            let Some((key, tail)) = behind.split_once('=') else {
                return;
            };
            let (word, tail) = quoted(tail.trim_start());
            match key.trim().to_ascii_lowercase().as_str() {
                "name" => self.name = word,
                "filename" if self.file.is_none() => self.file = Some(word),
                "filename*" => self.file = Some(unescaped(&word)),
                _ => {}
            }
            rest = tail;
        }
    }
}

/// Returns where the data starts: behind the first blank line.
fn blank_line(rest: &[u8]) -> Option<usize> {
    let head = rest.get(..HEAD_BYTES_MAX).unwrap_or(rest);
    let mut at = 0;
    while let Some(length) = memchr(b'\n', head.get(at..)?) {
        let line = head.get(at..at + length)?;
        at += length + 1;
        if line.trim_ascii().is_empty() {
            return Some(at);
        }
    }
    None
}

/// Returns data without the line end that belongs to the delimiter behind it.
fn without_line_end(data: &[u8], delimited: bool) -> &[u8] {
    if !delimited {
        return data;
    }
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    data.strip_suffix(b"\r").unwrap_or(data)
}

/// Returns a word, quoted or not, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return (word.trim().to_owned(), rest);
    };
    let mut word = String::new();
    let mut letters = inner.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (word, inner.get(at + 1..).unwrap_or_default()),
            '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
            letter => word.push(letter),
        }
    }
    (word, "")
}

/// Returns the text of `UTF-8''a%20b`.
fn unescaped(word: &str) -> String {
    let text = word.rsplit('\'').next().unwrap_or(word);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = behind.get(..2);
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(b'%');
                rest = behind;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    lossy(&bytes).into_owned()
}
