//! One JSON value a line (NDJSON).
//!
//! Lines end in LF or CRLF; blank ones are passed over. A last line without its end is handed out too, marked as
//! open: whether it is complete is for its reader to say, because a complete value needs nothing behind it.

use memchr::memchr;

use super::{FRAME_BYTES_MAX, Frame, FrameKind, Framed, too_large};

/// Cuts a body into its lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinesDecoder {
    /// Bytes of the body that were consumed.
    offset: u64,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    /// Where the current line starts in the body.
    start: u64,
    /// The first line has been seen.
    begun: bool,
    /// The current line is too long; it is passed over up to its end.
    too_large: bool,
}

/// Returns whether a body is lines in spite of what its label says: a complete object on its first line, and a
/// further object on another.
pub(crate) fn is_lines(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let body = body.trim_ascii_start();
    let Some(end) = memchr(b'\n', body) else {
        return false;
    };
    let (first, rest) = body.split_at(end);
    let first = first.trim_ascii_end();
    first.starts_with(b"{") && first.ends_with(b"}") && rest.trim_ascii_start().starts_with(b"{")
}

// === impl LinesDecoder ===

impl LinesDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        let mut rest = bytes;
        while let Some(at) = memchr(b'\n', rest) {
            let (line, tail) = rest.split_at(at);
            self.offset += at as u64;
            self.take(line, false, each);
            self.offset += 1;
            self.start = self.offset;
            rest = tail.get(1..).unwrap_or_default();
        }
        self.offset += rest.len() as u64;
        self.keep(rest);
    }

    /// Ends the body: a last line without its end is handed out too.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Framed<'_>)) {
        self.take(&[], true, each);
    }

    /// Keeps the beginning of a line until its end comes.
    fn keep(&mut self, bytes: &[u8]) {
        if self.too_large || self.line.len() + bytes.len() > FRAME_BYTES_MAX {
            self.too_large = true;
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    /// Reads a line, of which `rest` is what follows the kept beginning.
    fn take(&mut self, rest: &[u8], open: bool, each: &mut impl FnMut(Framed<'_>)) {
        let mut kept = std::mem::take(&mut self.line);
        if self.too_large || kept.len() + rest.len() > FRAME_BYTES_MAX {
            self.too_large = false;
            self.begun = true;
            each(too_large(self.start));
            return;
        }
        let line = if kept.is_empty() {
            rest
        } else {
            kept.extend_from_slice(rest);
            &kept
        };
        self.hand_out(line, open, each);
        kept.clear();
        self.line = kept;
    }

    fn hand_out(&mut self, line: &[u8], open: bool, each: &mut impl FnMut(Framed<'_>)) {
        let unmarked = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| !self.begun);
        self.begun = true;
        let data = unmarked.unwrap_or(line).trim_ascii_end();
        if data.trim_ascii_start().is_empty() {
            return;
        }
        let mark = if unmarked.is_some() { 3 } else { 0 };
        let start = self.start + mark;
        each(Framed::Frame(Frame {
            start,
            end: start + data.len() as u64,
            data_start: start,
            name: None,
            id: None,
            data,
            open,
            kind: FrameKind::Event,
        }));
    }
}
