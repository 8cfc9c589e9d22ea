//! Framing: a body cut into the events of a stream, apart from what the events say.
//!
//! Both decoders are pushed any pieces of a body and hand out the same [`Frame`]s for any way of cutting it.
//!
//! | what recordings contain | what happens |
//! |---|---|
//! | lines ended by LF, CRLF or CR, mixed | all end a line |
//! | comments (`: PROCESSING`), `retry:`, unknown fields | passed over |
//! | several `data:` lines | joined by LF |
//! | a byte order mark in front | passed over |
//! | no blank line after the last event | the event is handed out by `finish`, marked [`Frame::open`] |
//! | an event stream labelled `application/json`, JSON labelled `text/event-stream` | the first bytes decide |
//! | one JSON array sent piece by piece (Gemini without `alt=sse`) | each element is a frame |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`FRAME_BYTES_MAX`] | 16 MiB for a line, an event, an element | diagnostic `event_too_large`, that event is skipped |

mod array;
mod sse;

#[cfg(test)]
mod tests;

use flow_model::Diagnostic;

pub(crate) use self::array::ArrayDecoder;
pub(crate) use self::sse::SseDecoder;

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
    /// The body ended before the blank line that ends an event.
    pub(crate) open: bool,
}

/// Something that a decoder hands out.
#[derive(Clone, Debug)]
pub(crate) enum Framed<'a> {
    /// An event.
    Frame(Frame<'a>),
    /// Something that it could not make sense of.
    Fault(Diagnostic),
}

/// Returns how a body is framed, judged by its first bytes and then by its content type; none while more bytes
/// could change the answer. `ended` says that there are no more.
pub(crate) fn sniff(
    head: &[u8],
    content_type: Option<&str>,
    arrays: bool,
    ended: bool,
) -> Option<Framing> {
    let mark = b"\xEF\xBB\xBF";
    if mark.starts_with(head) && !ended {
        return None;
    }
    let head = head.strip_prefix(mark).unwrap_or(head);
    let head = head.trim_ascii_start();
    let labelled = content_type.is_some_and(|value| {
        let value = value.trim_start().get(..17).unwrap_or_default();
        value.eq_ignore_ascii_case("text/event-stream")
    });
    let by_label = if labelled {
        Framing::Sse
    } else {
        Framing::Whole
    };
    match head.first() {
        None => return ended.then_some(by_label),
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
    Some(by_label)
}

fn too_large(offset: u64) -> Framed<'static> {
    Framed::Fault(Diagnostic {
        offset: Some(offset),
        code: "event_too_large".to_owned(),
        message: format!("an event of more than {FRAME_BYTES_MAX} bytes was skipped"),
    })
}
