//! Stored exchanges read: the request, the response with the times of its chunks, the token counts, the events.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use flow_model::{
    Chunk, Diagnostic, Dialect, Exchange, Header, Outcome, Reading, RequestReading,
    ResponseReading, exchange,
};

use crate::client;
use crate::decode::{ResponseDecoder, read_request};
use crate::detect::detect;
use crate::frames::{Framed, Frames, Framing, is_lines, sniff};
use crate::json::lossy;
use crate::usage::count;

/// One event of a stored stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvent {
    /// When the event was complete, in microseconds after the exchange's start; none where no chunk tells.
    pub at_us: Option<u64>,
    /// Where its first line starts in the body.
    pub start: u64,
    /// Where its last line ends in the body, without the line's end.
    pub end: u64,
    /// The value of its `event:` field.
    pub name: Option<String>,
    /// The value of its `id:` field.
    pub id: Option<String>,
    /// The bytes of the body that hold its data. Where the data is spread over several lines, the lines between
    /// are within.
    pub data: Range<u64>,
    /// The data stands in several `data:` lines.
    pub spread: bool,
}

/// Reads an exchange from what is stored of it. Bodies are content-decoded.
pub fn read(
    exchange: &Exchange,
    request_body: &[u8],
    response_body: &[u8],
    chunks: &[Chunk],
) -> Reading {
    let path = exchange.path();
    let ask = &exchange.request;
    let dialect = detect(&ask.method, path, &ask.headers, Some(request_body));
    read_as(dialect, exchange, request_body, response_body, chunks)
}

/// Reads an exchange of a known dialect.
pub fn read_as(
    dialect: Option<Dialect>,
    exchange: &Exchange,
    request_body: &[u8],
    response_body: &[u8],
    chunks: &[Chunk],
) -> Reading {
    let client = client::read(&exchange.request.headers, request_body);
    let Some(dialect) = dialect else {
        return Reading {
            response: response(None, exchange, response_body, chunks),
            client,
            ..Reading::default()
        };
    };
    let request = match request_body {
        [] => RequestReading::default(),
        body => read_request(dialect, exchange.path(), body),
    };
    let mut response = response(Some(dialect), exchange, response_body, chunks);
    note_end(&mut response);
    let mut reading = Reading {
        dialect: Some(dialect),
        request,
        response,
        client,
        ..Reading::default()
    };
    count(exchange, &mut reading);
    reading
}

/// Notes that a stream came to its end without a reason to stop. Some imitations never send one, so that it is no
/// fault; but with the others the answer is cut off.
pub fn note_end(response: &mut ResponseReading) {
    let mut choices = response.choices.iter();
    let silent = choices.all(|choice| choice.stop_reason.is_none());
    if response.streamed
        && response.outcome == Outcome::Ok
        && silent
        && !response.choices.is_empty()
    {
        response.diagnostics.push(Diagnostic {
            offset: None,
            code: "no_stop_reason".to_owned(),
            message: "the stream ended without a reason to stop: the answer may be cut off"
                .to_owned(),
        });
    }
}

/// Returns the events of a stored stream; none where the body is no stream.
pub fn events(headers: &[Header], body: &[u8], chunks: &[Chunk]) -> Vec<StreamEvent> {
    let label = exchange::header(headers, "content-type");
    let framing = sniff(body, label, true, true);
    let mut found = Vec::new();
    let mut each = |framed: Framed<'_>| {
        let Framed::Frame(frame) = framed else {
            return;
        };
        // Behind the data of a binary frame stands its checksum.
        let spread = framing != Some(Framing::Aws)
            && frame.data_start + frame.data.len() as u64 != frame.end
            && frame.data.contains(&b'\n');
        let data_end = if spread {
            frame.end
        } else {
            frame.data_start + frame.data.len() as u64
        };
        found.push(StreamEvent {
            at_us: arrival(chunks, frame.end),
            start: frame.start,
            end: frame.end,
            name: frame.name.map(|name| lossy(name).into_owned()),
            id: frame.id.map(|id| lossy(id).into_owned()),
            data: frame.data_start..data_end,
            spread,
        });
    };
    let framing = match sniff(body, label, true, true) {
        Some(Framing::Whole) if is_lines(body) => Some(Framing::Lines),
        framing => framing,
    };
    if let Some(mut frames) = framing.and_then(Frames::new) {
        frames.push(body, &mut each);
        frames.finish(&mut each);
    }
    found
}

// === impl StreamEvent ===

impl StreamEvent {
    /// Returns the event's data as text, out of the body that it was found in.
    pub fn text<'a>(&self, body: &'a [u8]) -> Cow<'a, str> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let bytes = body.get(place(self.data.start)..place(self.data.end));
        let bytes = bytes.unwrap_or_default();
        if !self.spread {
            return lossy(bytes);
        }
        let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
        let mut joined = lines.next().unwrap_or_default().to_vec();
        for line in lines {
            if let Some(value) = line.strip_prefix(b"data") {
                let value = value.strip_prefix(b":").unwrap_or(value);
                joined.push(b'\n');
                joined.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            }
        }
        Cow::Owned(lossy(&joined).into_owned())
    }
}

fn response(
    dialect: Option<Dialect>,
    exchange: &Exchange,
    body: &[u8],
    chunks: &[Chunk],
) -> ResponseReading {
    let Some(head) = &exchange.response else {
        return ResponseReading::default();
    };
    let Some(mut decoder) = ResponseDecoder::find(dialect, head.status, &head.headers) else {
        return ResponseReading::default();
    };
    let mut from = 0;
    let mut at_us = 0;
    for chunk in chunks {
        at_us = chunk.at_us;
        let to = usize::try_from(chunk.bytes_end).unwrap_or(usize::MAX);
        let to = to.min(body.len());
        if let Some(piece) = body.get(from..to) {
            decoder.push(piece, at_us);
            from = to;
        }
    }
    decoder.push(body.get(from..).unwrap_or_default(), at_us);
    if exchange.end.is_none() {
        return decoder.snapshot();
    }
    let facts = &exchange.response_body;
    let mut reading = decoder.finish(facts.complete);
    // What was not kept says nothing about how the stream ended.
    let cut = facts.truncated || !facts.gaps.is_empty();
    if cut && facts.complete && reading.outcome == Outcome::StreamTruncated {
        reading.outcome = Outcome::Ok;
    }
    reading
}

/// Returns when the body was known up to `end`.
fn arrival(chunks: &[Chunk], end: u64) -> Option<u64> {
    let at = chunks.partition_point(|chunk| chunk.bytes_end < end);
    chunks.get(at).map(|chunk| chunk.at_us)
}
