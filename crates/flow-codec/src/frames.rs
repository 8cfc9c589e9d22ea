//! Framing: a body cut into the events of a stream, apart from what the events say.
//!
//! All decoders are pushed any pieces of a body and hand out the same [`Frame`]s for any way of cutting it.
//!
//! | what recordings contain | what happens |
//! |---|---|
//! | lines ended by LF, CRLF or CR, mixed | all end a line |
//! | comments (`: PROCESSING`), `retry:`, unknown fields | passed over |
//! | several `data:` lines | joined by LF |
//! | a byte order mark in front | passed over |
//! | no blank line after the last event | the event is handed out by `finish`, marked [`Frame::open`] |
//! | an event stream labelled `application/json`, JSON labelled `text/event-stream` | the first bytes decide |
//! | binary frames of AWS, often without a label | the checksum of the first one decides |
//! | sound, which may start with any bytes | never a stream |
//! | one JSON array sent piece by piece (Gemini without `alt=sse`) | each element is a frame |
//! | one JSON value a line (Ollama, Cohere's first chat), labelled otherwise or not at all | found once the body is there |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`FRAME_BYTES_MAX`] | 16 MiB for a line, an event, an element | diagnostic `event_too_large`, that event is skipped |

mod array;
mod aws;
#[cfg(test)]
pub(crate) mod encode;
mod lines;
mod sse;

#[cfg(test)]
mod tests;

use flow_model::Diagnostic;

use self::array::ArrayDecoder;
use self::aws::AwsDecoder;
use self::lines::LinesDecoder;
pub(crate) use self::lines::is_lines;
use self::sse::SseDecoder;

/// Bytes of one line, of one event and of one element of a streamed array.
pub(crate) const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a body is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The body is one value.
    Whole,
    /// Server-sent events.
    Sse,
    /// One JSON array whose elements are the events.
    Array,
    /// One JSON value a line.
    Lines,
    /// AWS event stream: binary frames with checksums.
    Aws,
}

/// Cuts a body of one framing.
#[derive(Clone, Debug)]
pub(crate) enum Frames {
    Sse(SseDecoder),
    Array(ArrayDecoder),
    Lines(LinesDecoder),
    Aws(AwsDecoder),
}

/// What a frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// An event of the dialect.
    #[default]
    Event,
    /// An error that the framing itself marks as one (AWS event stream).
    Exception,
}

/// One event of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// Where its first line starts in the body.
    pub(crate) start: u64,
    /// Where its last line ends in the body, without the line's end.
    pub(crate) end: u64,
    /// Where its data starts in the body.
    pub(crate) data_start: u64,
    /// The value of its `event:` field.
    pub(crate) name: Option<&'a [u8]>,
    /// The value of its `id:` field.
    pub(crate) id: Option<&'a [u8]>,
    /// Its data.
    pub(crate) data: &'a [u8],
    /// The body ended before the event was known to.
    pub(crate) open: bool,
    /// What it is.
    pub(crate) kind: FrameKind,
}

/// Something that a decoder hands out.
#[derive(Clone, Debug)]
pub(crate) enum Framed<'a> {
    /// An event.
    Frame(Frame<'a>),
    /// Something that it could not make sense of.
    Fault(Diagnostic),
}

// === impl Frames ===

impl Frames {
    /// Returns a decoder of a framing; none for whole bodies.
    pub(crate) fn new(framing: Framing) -> Option<Self> {
        match framing {
            Framing::Whole => None,
            Framing::Sse => Some(Self::Sse(SseDecoder::default())),
            Framing::Array => Some(Self::Array(ArrayDecoder::default())),
            Framing::Lines => Some(Self::Lines(LinesDecoder::default())),
            Framing::Aws => Some(Self::Aws(AwsDecoder::default())),
        }
    }

    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, bytes: &[u8], each: &mut impl FnMut(Framed<'_>)) {
        match self {
            Self::Sse(decoder) => decoder.push(bytes, each),
            Self::Array(decoder) => decoder.push(bytes, each),
            Self::Lines(decoder) => decoder.push(bytes, each),
            Self::Aws(decoder) => decoder.push(bytes, each),
        }
    }

    /// Ends the body: what is left of it is handed out, marked as open.
    pub(crate) fn finish(&mut self, each: &mut impl FnMut(Framed<'_>)) {
        match self {
            Self::Sse(decoder) => decoder.finish(each),
            Self::Array(decoder) => decoder.finish(each),
            Self::Lines(decoder) => decoder.finish(each),
            Self::Aws(decoder) => decoder.finish(each),
        }
    }

    /// Returns whether the framing itself said that the stream is complete.
    pub(crate) fn is_closed(&self) -> bool {
        match self {
            Self::Array(decoder) => decoder.is_closed(),
            Self::Sse(_) | Self::Lines(_) | Self::Aws(_) => false,
        }
    }
}

/// Returns how a body is framed, judged by its first bytes and then by its content type; none while more bytes
/// could change the answer. `ended` says that there are no more.
pub(crate) fn sniff(
    head: &[u8],
    content_type: Option<&str>,
    arrays: bool,
    ended: bool,
) -> Option<Framing> {
    // Raw sound may start with any bytes.
    if is_sound(content_type) {
        return Some(Framing::Whole);
    }
    let label = label(content_type);
    if aws::is_prelude(head) {
        return Some(Framing::Aws);
    }
    if label == Framing::Aws {
        match head.trim_ascii_start().first() {
            // A proxy in between answers in JSON, and may leave the label of what was asked for.
            Some(b'{') => return Some(Framing::Whole),
            None if !ended => return None,
            _ => return Some(Framing::Aws),
        }
    }
    // The first byte of a prelude is that of a length under 16 MiB.
    if head.first() == Some(&0) && head.len() < aws::PRELUDE_BYTES && !ended {
        return None;
    }
    let mark = b"\xEF\xBB\xBF";
    if mark.starts_with(head) && !ended {
        return None;
    }
    let head = head.strip_prefix(mark).unwrap_or(head);
    let head = head.trim_ascii_start();
    match head.first() {
        None => return ended.then_some(label),
        Some(b'{') if label == Framing::Lines => return Some(Framing::Lines),
        Some(b'{') => return Some(Framing::Whole),
        Some(b'[') if arrays => return Some(Framing::Array),
        Some(b':') => return Some(Framing::Sse),
        Some(_) => {}
    }
    for field in [&b"data:"[..], b"event:", b"id:", b"retry:"] {
        if head.starts_with(field) {
            return Some(Framing::Sse);
        }
        if field.starts_with(head) && !ended {
            return None;
        }
    }
    Some(label)
}

/// Returns whether a content type is that of sound.
pub(crate) fn is_sound(content_type: Option<&str>) -> bool {
    let start = content_type.and_then(|value| value.trim_start().get(..6));
    start.is_some_and(|start| start.eq_ignore_ascii_case("audio/"))
}

/// Returns the framing that a content type names.
fn label(content_type: Option<&str>) -> Framing {
    let value = content_type.unwrap_or_default();
    let value = value.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| value.eq_ignore_ascii_case(name);
    if is("text/event-stream") {
        Framing::Sse
    } else if is("application/vnd.amazon.eventstream") {
        Framing::Aws
    } else if [
        "application/x-ndjson",
        "application/ndjson",
        "application/stream+json",
        "application/jsonl",
        "application/x-jsonl",
    ]
    .into_iter()
    .any(is)
    {
        Framing::Lines
    } else {
        Framing::Whole
    }
}

fn too_large(offset: u64) -> Framed<'static> {
    Framed::Fault(Diagnostic {
        offset: Some(offset),
        code: "event_too_large".to_owned(),
        message: format!("an event of more than {FRAME_BYTES_MAX} bytes was skipped"),
    })
}
