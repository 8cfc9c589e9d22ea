//! AWS event stream: binary frames with checksums.
//!
//! ```text
//! prelude: total length u32 │ length of the headers u32 │ CRC-32 of these 8 bytes
//! headers: length of the name u8 │ name │ type u8 │ value        … as often as there are headers
//! payload
//! CRC-32 of everything before
//! ```
//!
//! | what recordings contain | what happens |
//! |---|---|
//! | `:message-type: event` | an event, named by `:event-type` |
//! | `:message-type: exception` | an exception, named by `:exception-type` |
//! | `:message-type: error`, whose message is a header | an exception, named by `:error-code`; the message is its data |
//! | headers of any of the ten types | passed over, but for the named ones |
//! | a frame whose own checksum is wrong | diagnostic `wrong_checksum`; that frame is skipped |
//! | a prelude whose checksum is wrong | diagnostic `no_frame`; reading goes on at the next prelude that is right |
//! | a body that ends within a frame | diagnostic `truncated_frame`; no event, because half a payload says nothing |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`FRAME_BYTES_MAX`] | 16 MiB for a frame | diagnostic `event_too_large`, that frame is skipped |

use flow_model::Diagnostic;
use memchr::memchr;

use super::{FRAME_BYTES_MAX, Frame, FrameKind, Framed, too_large};

/// Bytes of a frame before its headers.
pub(super) const PRELUDE_BYTES: usize = 12;
/// Bytes of the checksum behind the payload.
const CHECKSUM_BYTES: usize = 4;
/// Bytes of the smallest frame: one without headers and payload.
const FRAME_BYTES_MIN: usize = PRELUDE_BYTES + CHECKSUM_BYTES;

/// Cuts an AWS event stream into its frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsDecoder {
    /// Where the kept bytes start in the body.
    offset: u64,
    /// What came of a frame that is not complete.
    kept: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before a frame.
    #[default]
    Between,
    /// Among bytes that belong to no frame.
    Lost,
    /// At a frame whose prelude is right.
    Within(Prelude),
    /// In a frame that is too large, so many bytes before its end.
    Skipping(usize),
}

/// What a prelude says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Prelude {
    total: usize,
    headers: usize,
}

/// Returns whether a body starts with a frame's prelude, whose checksum is right. The length of a first frame
/// starts with a zero byte, so that one byte tells whether to wait for the rest of a prelude.
pub(super) fn is_prelude(head: &[u8]) -> bool {
    Prelude::read(head).is_some_and(|prelude| prelude.total < FRAME_BYTES_MAX)
}

// === impl AwsDecoder ===

impl AwsDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        if self.kept.is_empty() {
            let taken = self.read(bytes, each);
            let rest = bytes.get(taken..).unwrap_or_default();
            self.kept.extend_from_slice(rest);
            return;
        }
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(bytes);
        let taken = self.read(&kept, each);
        kept.drain(..taken);
        self.kept = kept;
    }

    /// Ends the body.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Framed<'_>)) {
        let is_cut = match self.place {
            Place::Between => !self.kept.is_empty(),
            Place::Within(_) => true,
            // What was wrong with these has been said.
            Place::Lost | Place::Skipping(_) => false,
        };
        if is_cut {
            let what = "the body ends within a frame";
            each(fault(self.offset, "truncated_frame", what));
        }
        *self = Self::default();
    }

    /// Reads all frames that are complete and returns how many bytes they took.
    fn read(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) -> usize {
        let mut at = 0;
        while let Some(taken) = self.step(bytes.get(at..).unwrap_or_default(), each) {
            at += taken;
            self.offset += taken as u64;
        }
        at
    }

    /// Reads some of the bytes and returns how many; none where more have to come first.
    fn step(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) -> Option<usize> {
        match self.place {
            Place::Lost if bytes.first().is_some_and(|byte| *byte != 0) => {
                // The length of a frame within the limit begins with 0.
                Some(memchr(0, bytes).unwrap_or(bytes.len()))
            }
            Place::Between | Place::Lost => {
                let head = bytes.get(..PRELUDE_BYTES)?;
                Some(self.begin(head, each))
            }
            Place::Within(prelude) => {
                let frame = bytes.get(..prelude.total)?;
                self.place = Place::Between;
                each(self.frame(prelude, frame));
                Some(prelude.total)
            }
            Place::Skipping(0) => {
                self.place = Place::Between;
                Some(0)
            }
            Place::Skipping(left) => {
                let taken = left.min(bytes.len());
                self.place = Place::Skipping(left - taken);
                (taken > 0).then_some(taken)
            }
        }
    }

    /// Reads a prelude, which stays in place. Where there is none, the first byte is passed over: each byte is
    /// looked at a fixed number of times, however long the search is.
    fn begin(&mut self, head: &[u8], each: &mut impl FnMut(Framed<'_>)) -> usize {
        match Prelude::read(head) {
            Some(prelude) if prelude.total > FRAME_BYTES_MAX => {
                each(too_large(self.offset));
                self.place = Place::Skipping(prelude.total);
                0
            }
            Some(prelude) => {
                self.place = Place::Within(prelude);
                0
            }
            None => {
                if self.place == Place::Between {
                    let what = "no frame starts here; what follows is passed over up to the next";
                    each(fault(self.offset, "no_frame", what));
                }
                self.place = Place::Lost;
                1
            }
        }
    }

    /// Reads a frame that is complete.
    fn frame<'a>(&self, prelude: Prelude, bytes: &'a [u8]) -> Framed<'a> {
        let body_end = prelude.total - CHECKSUM_BYTES;
        let headers_end = PRELUDE_BYTES + prelude.headers;
        let (body, checksum) = bytes.split_at_checked(body_end).unwrap_or_default();
        if number(checksum, 0) != Some(crc32(body)) {
            let what = "the checksum of a frame is wrong; it was skipped";
            return fault(self.offset, "wrong_checksum", what);
        }
        let headers = Headers::read(body.get(PRELUDE_BYTES..headers_end).unwrap_or_default());
        let payload = body.get(headers_end..).unwrap_or_default();
        let (data_at, data) = match headers.message {
            Some((at, message)) if payload.is_empty() => (PRELUDE_BYTES + at, message),
            _ => (headers_end, payload),
        };
        let is_exception = matches!(headers.kind, Some(b"exception" | b"error"));
        Framed::Frame(Frame {
            start: self.offset,
            end: self.offset + prelude.total as u64,
            data_start: self.offset + data_at as u64,
            name: headers.name,
            id: None,
            data,
            open: false,
            kind: if is_exception {
                FrameKind::Exception
            } else {
                FrameKind::Event
            },
        })
    }
}

// === impl Prelude ===

impl Prelude {
    /// Reads the prelude at the start of these bytes; none where its checksum or its lengths are wrong.
    fn read(bytes: &[u8]) -> Option<Self> {
        let lengths = bytes.get(..8)?;
        let total = usize::try_from(number(lengths, 0)?).ok()?;
        let headers = usize::try_from(number(lengths, 4)?).ok()?;
        let fits = headers <= total.checked_sub(FRAME_BYTES_MIN)?;
        let is_right = fits && number(bytes, 8)? == crc32(lengths);
        is_right.then_some(Self { total, headers })
    }
}

/// The headers that say what a frame is.
#[derive(Clone, Copy, Debug, Default)]
struct Headers<'a> {
    kind: Option<&'a [u8]>,
    name: Option<&'a [u8]>,
    /// The message of an error, and where it starts among the headers.
    message: Option<(usize, &'a [u8])>,
}

// === impl Headers ===

impl<'a> Headers<'a> {
    /// Reads headers. What follows one that makes no sense is not read.
    fn read(bytes: &'a [u8]) -> Self {
        let mut headers = Self::default();
        let mut at = 0;
        while let Some((name, value, end)) = header(bytes, at) {
            match name {
                b":message-type" => headers.kind = Some(value),
                b":event-type" | b":exception-type" | b":error-code" => headers.name = Some(value),
                b":error-message" => headers.message = Some((end - value.len(), value)),
                _ => {}
            }
            at = end;
        }
        headers
    }
}

/// Returns the name and the value of the header at a place, and where it ends.
fn header(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let name_start = at + 1;
    let name_end = name_start + usize::from(*bytes.get(at)?);
    let name = bytes.get(name_start..name_end)?;
    let start = name_end + 1;
    let (start, length) = match bytes.get(name_end)? {
        // Truth values have no bytes of their own.
        0 | 1 => (start, 0),
        2 => (start, 1),
        3 => (start, 2),
        4 => (start, 4),
        // Whole numbers and times.
        5 | 8 => (start, 8),
        // Bytes and strings begin with their length.
        6 | 7 => {
            let length = bytes.get(start..start + 2)?.try_into().ok()?;
            (start + 2, usize::from(u16::from_be_bytes(length)))
        }
        // A UUID.
        9 => (start, 16),
        _ => return None,
    };
    let end = start + length;
    Some((name, bytes.get(start..end)?, end))
}

fn fault(offset: u64, code: &str, message: &str) -> Framed<'static> {
    Framed::Fault(Diagnostic {
        offset: Some(offset),
        code: code.to_owned(),
        message: message.to_owned(),
    })
}

/// Returns the number of 32 bits at a place.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

/// Remainders of each byte.
const REMAINDERS: [u32; 256] = remainders();

const fn remainders() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte: u32 = 0;
    while byte < 256 {
        let mut rest = byte;
        let mut bit = 0;
        while bit < 8 {
            let odd = rest & 1 == 1;
            rest >>= 1;
            if odd {
                rest ^= 0xEDB8_8320;
            }
            bit += 1;
        }
        table[byte as usize] = rest;
        byte += 1;
    }
    table
}

/// Returns the CRC-32 (ISO-HDLC) of bytes.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let rest = bytes.iter().fold(u32::MAX, |rest, byte| {
        let [low, ..] = (rest ^ u32::from(*byte)).to_le_bytes();
        let remainder = REMAINDERS.get(usize::from(low)).copied();
        remainder.unwrap_or_default() ^ (rest >> 8)
    });
    !rest
}

#[cfg(test)]
mod tests;
