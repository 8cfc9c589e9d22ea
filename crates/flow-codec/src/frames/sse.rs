//! Server-sent events.
//!
//! ```text
//! line:  event | data | id      → the event grows
//!        empty                  → the event is handed out, if it has data
//!        anything else          → passed over
//! ```

use memchr::memchr2;

use super::{FRAME_BYTES_MAX, Frame, FrameKind, Framed, too_large};

/// Cuts a stream of server-sent events.
#[derive(Clone, Debug, Default)]
pub(crate) struct SseDecoder {
    /// Bytes of the body that were consumed.
    offset: u64,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Where the current line starts in the body.
    line_start: u64,
    /// The last byte was a CR, so that an LF that follows belongs to it.
    after_cr: bool,
    /// The first line has been seen.
    begun: bool,
    /// The current line is too long; it is passed over up to its end.
    line_too_large: bool,
    event: Event,
}

/// The event that is being read.
#[derive(Clone, Debug, Default)]
struct Event {
    start: Option<u64>,
    end: u64,
    data_start: u64,
    has_data: bool,
    too_large: bool,
    name: Option<Vec<u8>>,
    id: Option<Vec<u8>>,
    data: Vec<u8>,
}

// === impl SseDecoder ===

impl SseDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            if let Some(after) = rest.strip_prefix(b"\n") {
                self.offset += 1;
                self.line_start = self.offset;
                rest = after;
            }
        }
        while let Some(at) = memchr2(b'\n', b'\r', rest) {
            let (line, tail) = rest.split_at(at);
            self.offset += at as u64;
            self.take_line(line, each);
            rest = self.pass_line_end(tail);
        }
        self.offset += rest.len() as u64;
        self.keep(rest);
    }

    /// Ends the body: a last event without its blank line is handed out too.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Framed<'_>)) {
        if !self.line.is_empty() || self.line_too_large {
            self.take_line(&[], each);
        }
        self.event.hand_out(true, each);
    }

    /// Passes over the end of a line at the start of `tail`.
    fn pass_line_end<'a>(&mut self, tail: &'a [u8]) -> &'a [u8] {
        let length = match tail {
            [b'\r', b'\n', ..] => 2,
            [b'\r'] => {
                self.after_cr = true;
                1
            }
            _ => 1,
        };
        self.offset += length as u64;
        self.line_start = self.offset;
        tail.get(length..).unwrap_or_default()
    }

    /// Keeps the beginning of a line until its end comes.
    fn keep(&mut self, bytes: &[u8]) {
        if self.line_too_large || self.line.len() + bytes.len() > FRAME_BYTES_MAX {
            self.line_too_large |= !bytes.is_empty();
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    /// Reads a line, of which `rest` is what follows the kept beginning.
    fn take_line(&mut self, rest: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        if self.line_too_large || self.line.len() + rest.len() > FRAME_BYTES_MAX {
            each(too_large(self.line_start));
            self.event.too_large = true;
            self.event.end = self.offset;
            self.line_too_large = false;
            self.line = Vec::new();
            self.begun = true;
            return;
        }
        let mut kept = std::mem::take(&mut self.line);
        let line = if kept.is_empty() {
            rest
        } else {
            kept.extend_from_slice(rest);
            &kept
        };
        let line_start = self.line_start;
        let (line, line_start) = match line.strip_prefix(b"\xEF\xBB\xBF") {
            Some(line) if !self.begun => (line, line_start + 3),
            _ => (line, line_start),
        };
        self.begun = true;
        if line.is_empty() {
            self.event.hand_out(false, each);
        } else {
            self.event.field(line, line_start, each);
        }
        kept.clear();
        self.line = kept;
    }
}

// === impl Event ===

impl Event {
    fn field(&mut self, line: &[u8], line_start: u64, each: &mut impl FnMut(Framed<'_>)) {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                let value_start = line_start + (line.len() - value.len()) as u64;
                self.data(value, value_start, each);
            }
            b"event" => self.name = Some(value.to_vec()),
            b"id" => self.id = Some(value.to_vec()),
            _ => return,
        }
        self.start.get_or_insert(line_start);
        self.end = line_start + line.len() as u64;
    }

    fn data(&mut self, value: &[u8], value_start: u64, each: &mut impl FnMut(Framed<'_>)) {
        if self.too_large {
            return;
        }
        if self.data.len() + value.len() >= FRAME_BYTES_MAX {
            self.too_large = true;
            self.data = Vec::new();
            each(too_large(value_start));
            return;
        }
        if self.has_data {
            self.data.push(b'\n');
        } else {
            self.data_start = value_start;
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
    }

    /// Hands the event out, where it has data, and begins the next one.
    fn hand_out(&mut self, open: bool, each: &mut impl FnMut(Framed<'_>)) {
        if self.has_data && !self.too_large {
            each(Framed::Frame(Frame {
                start: self.start.unwrap_or(self.data_start),
                end: self.end,
                data_start: self.data_start,
                name: self.name.as_deref(),
                id: self.id.as_deref(),
                data: &self.data,
                open,
                kind: FrameKind::Event,
            }));
        }
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        *self = Self {
            data,
            ..Self::default()
        };
    }
}
