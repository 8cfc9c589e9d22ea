//! What must hold for any bytes, whatever they are and however they are cut.

use flow_codec::{ResponseDecoder, events};
use flow_model::{Dialect, Header, Outcome, ResponseReading};

/// Returns the headers of a response with this content type.
pub fn headers(content_type: &str) -> Vec<Header> {
    vec![Header {
        name: "content-type".to_owned(),
        value: content_type.to_owned(),
        latin1: false,
    }]
}

/// Checks a stream of one framing: its events are in order and within the body, and every way of cutting the body
/// gives the same reading. The first bytes of the input say where to cut.
pub fn check_framing(content_type: &str, dialect: Dialect, input: &[u8]) {
    let (cuts, body) = input.split_at(input.len().min(4));
    let headers = headers(content_type);
    check_events(&headers, body);
    check_cuts(dialect, 200, &headers, body, cuts);
}

/// Checks that the events of a body stand in order within it.
pub fn check_events(headers: &[Header], body: &[u8]) {
    let mut last = 0;
    for event in events(headers, body, &[]) {
        assert!(last <= event.start, "events overlap");
        assert!(event.start <= event.data.start && event.data.end <= event.end);
        assert!(event.data.start <= event.data.end && event.end <= body.len() as u64);
        last = event.end;
        drop(event.text(body));
    }
}

/// Checks that a body reads the same whole and in pieces, and that a beginning of it reads as a beginning.
pub fn check_cuts(dialect: Dialect, status: u16, headers: &[Header], body: &[u8], cuts: &[u8]) {
    let whole = read(dialect, status, headers, &[body], true);
    let mut places: Vec<usize> = cuts.iter().map(|cut| body.len() * usize::from(*cut) / 256).collect();
    places.sort_unstable();
    let mut pieces = Vec::new();
    let mut rest = body;
    let mut taken = 0;
    for place in places {
        let (piece, after) = rest.split_at(place - taken);
        pieces.push(piece);
        rest = after;
        taken = place;
    }
    pieces.push(rest);
    assert_eq!(read(dialect, status, headers, &pieces, true), whole, "a cut changes the reading");
    // A beginning may be framed otherwise than the whole, as `i` is otherwise than `id:`; it must only be read.
    if let Some(first) = pieces.first() {
        drop(read(dialect, status, headers, &[first], false));
    }
}

fn read(
    dialect: Dialect,
    status: u16,
    headers: &[Header],
    pieces: &[&[u8]],
    complete: bool,
) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(dialect, status, headers);
    for piece in pieces {
        decoder.push(piece, 1);
        let live = decoder.snapshot();
        assert_eq!(live.outcome, Outcome::Partial);
    }
    decoder.finish(complete)
}
