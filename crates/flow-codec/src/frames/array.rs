//! One JSON array whose elements arrive one after the other.

use memchr::memchr2;

use super::{FRAME_BYTES_MAX, Frame, FrameKind, Framed, too_large};

/// Cuts a streamed JSON array into its elements. Brackets are counted, not checked: whether an element is JSON
/// is for its reader to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct ArrayDecoder {
    /// Bytes of the body that were consumed.
    offset: u64,
    place: Place,
    element: Vec<u8>,
    start: u64,
    too_large: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before the opening bracket.
    #[default]
    Before,
    /// Between two elements.
    Between,
    /// In an element that is a number or word.
    Word,
    /// In an element with this many brackets open.
    Nested(u32),
    /// In a string within so many brackets; true after a backslash.
    String(u32, bool),
    /// After the closing bracket.
    After,
}

// === impl ArrayDecoder ===

impl ArrayDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.step(rest, each).clamp(1, rest.len());
            self.offset += taken as u64;
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Ends the body. An element that is cut off is handed out as it is.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Framed<'_>)) {
        let within = !matches!(self.place, Place::Before | Place::Between | Place::After);
        if within {
            self.hand_out(self.offset, true, each);
        }
        self.place = Place::After;
    }

    /// Returns whether the closing bracket came.
    pub(crate) fn is_closed(&self) -> bool {
        self.place == Place::After
    }

    /// Reads some of the bytes and returns how many.
    fn step(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) -> usize {
        let Some(&byte) = bytes.first() else {
            return 0;
        };
        match self.place {
            Place::Before => {
                if byte == b'[' {
                    self.place = Place::Between;
                }
                1
            }
            Place::After => bytes.len(),
            Place::Between => self.between(byte),
            Place::Word => self.word(byte, each),
            Place::String(depth, escaped) => self.string(bytes, depth, escaped, each),
            Place::Nested(depth) => self.nested(bytes, depth, each),
        }
    }

    fn between(&mut self, byte: u8) -> usize {
        match byte {
            b']' => self.place = Place::After,
            b',' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => {
                self.start = self.offset;
                self.element.clear();
                self.too_large = false;
                self.keep(&[byte]);
                self.place = match byte {
                    b'{' | b'[' => Place::Nested(1),
                    b'"' => Place::String(0, false),
                    _ => Place::Word,
                };
            }
        }
        1
    }

    fn word(&mut self, byte: u8, each: &mut impl FnMut(Framed<'_>)) -> usize {
        if !matches!(byte, b',' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
            self.keep(&[byte]);
            return 1;
        }
        self.hand_out(self.offset, false, each);
        self.between(byte)
    }

    fn string(
        &mut self,
        bytes: &[u8],
        depth: u32,
        escaped: bool,
        each: &mut impl FnMut(Framed<'_>),
    ) -> usize {
        if escaped {
            self.keep(bytes.get(..1).unwrap_or_default());
            self.place = Place::String(depth, false);
            return 1;
        }
        let Some(at) = memchr2(b'"', b'\\', bytes) else {
            self.keep(bytes);
            return bytes.len();
        };
        self.keep(bytes.get(..=at).unwrap_or_default());
        if bytes.get(at) == Some(&b'\\') {
            self.place = Place::String(depth, true);
        } else if depth > 0 {
            self.place = Place::Nested(depth);
        } else {
            self.hand_out(self.offset + at as u64 + 1, false, each);
        }
        at + 1
    }

    fn nested(&mut self, bytes: &[u8], depth: u32, each: &mut impl FnMut(Framed<'_>)) -> usize {
        let is_mark = |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b'"');
        let Some(at) = bytes.iter().position(is_mark) else {
            self.keep(bytes);
            return bytes.len();
        };
        self.keep(bytes.get(..=at).unwrap_or_default());
        self.place = match bytes.get(at) {
            Some(b'"') => Place::String(depth, false),
            Some(b'{' | b'[') => Place::Nested(depth.saturating_add(1)),
            _ if depth > 1 => Place::Nested(depth - 1),
            _ => {
                self.hand_out(self.offset + at as u64 + 1, false, each);
                Place::Between
            }
        };
        at + 1
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.too_large || self.element.len() + bytes.len() > FRAME_BYTES_MAX {
            self.too_large = true;
            self.element = Vec::new();
        } else {
            self.element.extend_from_slice(bytes);
        }
    }

    fn hand_out(&mut self, end: u64, open: bool, each: &mut impl FnMut(Framed<'_>)) {
        self.place = Place::Between;
        if self.too_large {
            each(too_large(self.start));
            return;
        }
        each(Framed::Frame(Frame {
            start: self.start,
            end,
            data_start: self.start,
            name: None,
            id: None,
            data: &self.element,
            open,
            kind: FrameKind::Event,
        }));
    }
}
