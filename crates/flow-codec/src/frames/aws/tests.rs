use proptest::prelude::*;

use super::*;
use crate::frames::encode::{event, exception, frame, prelude, raw};

/// What a decoder handed out: the name, the data, where the data stands, and whether it is an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Frame(String, String, std::ops::Range<u64>, bool),
    Fault(String, u64),
}

fn cut(pieces: &[&[u8]]) -> Vec<Seen> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut seen = Vec::new();
    let mut each = |framed: Framed<'_>| {
        seen.push(match framed {
            Framed::Frame(frame) => Seen::Frame(
                frame.name.map(text).unwrap_or_default(),
                text(frame.data),
                frame.data_start..frame.data_start + frame.data.len() as u64,
                frame.kind == FrameKind::Exception,
            ),
            Framed::Fault(fault) => Seen::Fault(fault.code, fault.offset.unwrap()),
        });
    };
    let mut decoder = AwsDecoder::default();
    for piece in pieces {
        decoder.push(piece, &mut each);
    }
    decoder.finish(&mut each);
    seen
}

/// Checks the data of the events and the document that a body gives, in order.
#[track_caller]
fn check(body: &[u8], expect: &[Result<&str, (&str, u64)>]) {
    let seen = cut(&[body]);
    let found: Vec<_> = seen
        .iter()
        .map(|seen| match seen {
            Seen::Frame(_, data, place, _) => {
                let place =
                    usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
                assert_eq!(body.get(place), Some(data.as_bytes()));
                Ok(data.as_str())
            }
            Seen::Fault(code, at) => Err((code.as_str(), *at)),
        })
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn checksums_are_those_of_iso_hdlc() {
    assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    assert_eq!(crc32(b""), 0);
}

#[test]
fn a_frame_is_its_bytes() {
    let hex = "0000007c0000005c3bddcf780b3a6576656e742d74797065070016617373697374616e74526573706f6e\
               73654576656e740d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a\
               6d6573736167652d747970650700056576656e747b22636f6e74656e74223a224869227db02babdc";
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16)?.try_into().ok())
        .collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    let data = r#"{"content":"Hi"}"#;
    let expect = Seen::Frame(
        "assistantResponseEvent".to_owned(),
        data.to_owned(),
        104..120,
        false,
    );
    assert_eq!(cut(&[&bytes]), [expect]);
    assert_eq!(event("assistantResponseEvent", data), bytes);
    assert!(is_prelude(&bytes));
}

#[test]
fn headers_of_all_types_are_passed_over() {
    let mut headers = Vec::new();
    for (kind, length) in [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 4),
        (5, 8),
        (8, 8),
        (9, 16),
    ] {
        headers.extend_from_slice(&[1, b'x', kind]);
        headers.extend(std::iter::repeat_n(7, length));
    }
    headers.extend_from_slice(&[1, b'y', 6, 0, 2, 0xFF, 0xFE]);
    headers.extend_from_slice(b"\x0b:event-type\x07\x00\x01n");
    let seen = cut(&[&raw(&headers, b"{}")]);
    assert!(matches!(&seen[..], [Seen::Frame(name, data, ..)] if name == "n" && data == "{}"));
}

#[test]
fn headers_that_make_no_sense_lose_no_payload() {
    for headers in [&b"\x01x\x0a"[..], b"\xFFx", b"\x01x\x07\xFF\xFFa", b"\x00"] {
        check(&raw(headers, b"{}"), &[Ok("{}")]);
    }
}

#[test]
fn exceptions_and_errors_are_named() {
    let mut body = exception("throttlingException", r#"{"message":"m"}"#);
    let headers = [
        (":message-type", "error"),
        (":error-code", "InternalError"),
        (":error-message", "gone"),
    ];
    body.extend(frame(&headers, b""));
    let seen = cut(&[&body]);
    let [
        Seen::Frame(first, _, _, true),
        Seen::Frame(second, message, place, true),
    ] = &seen[..]
    else {
        panic!("not two exceptions: {seen:?}");
    };
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("throttlingException", "InternalError")
    );
    let place = usize::try_from(place.start).unwrap();
    assert_eq!(message, "gone");
    assert!(body[place..].starts_with(b"gone"));
}

#[test]
fn a_frame_with_a_wrong_checksum_is_skipped() {
    let mut body = event("a", "1");
    let first = body.len() as u64;
    let mut bad = event("b", "2");
    let last = bad.len() - 5;
    bad[last] ^= 1;
    body.extend(bad);
    body.extend(event("c", "3"));
    check(&body, &[Ok("1"), Err(("wrong_checksum", first)), Ok("3")]);
}

#[test]
fn reading_goes_on_at_the_next_prelude() {
    let lost = event("a", "1");
    for junk in [&b"x"[..], &[0; 40], &lost[1..], &lost[..30]] {
        let mut body = event("a", "1");
        let at = body.len() as u64;
        body.extend_from_slice(junk);
        body.extend(event("b", "2"));
        body.extend(event("c", "3"));
        let seen = cut(&[&body]);
        let is_third = |seen: &Seen| matches!(seen, Seen::Frame(name, ..) if name == "c");
        assert!(seen.last().is_some_and(is_third), "{junk:?}: {seen:?}");
        assert!(
            matches!(seen.get(1), Some(Seen::Fault(_, found)) if *found == at),
            "{seen:?}"
        );
    }
}

#[test]
fn a_body_may_end_anywhere() {
    let whole = event("a", "1");
    let at = whole.len() as u64;
    for end in 1..whole.len() {
        let mut body = whole.clone();
        body.extend_from_slice(&whole[..end]);
        check(&body, &[Ok("1"), Err(("truncated_frame", at))]);
    }
    check(b"", &[]);
}

#[test]
fn a_frame_that_is_too_large_is_skipped() {
    let length = FRAME_BYTES_MAX + 1;
    let mut body = prelude(u32::try_from(length).unwrap(), 0);
    body.resize(length, b'x');
    body.extend(event("a", "1"));
    check(&body, &[Err(("event_too_large", 0)), Ok("1")]);
}

#[test]
fn lengths_that_do_not_fit_are_no_prelude() {
    for (total, headers) in [(15, 0), (16, 1), (0, 0), (40, u32::MAX)] {
        assert!(!is_prelude(&prelude(total, headers)), "{total} {headers}");
    }
    assert!(is_prelude(&prelude(16, 0)));
    assert!(!is_prelude(&prelude(16, 0)[..11]));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_frames(
        parts in prop::collection::vec((0..4_u8, prop::collection::vec(any::<u8>(), 0..60)), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut body = Vec::new();
        for (kind, bytes) in parts {
            match kind {
                0 => body.extend(bytes),
                1 => body.extend(raw(&bytes, b"{}")),
                2 => {
                    let mut bad = raw(b"", &bytes);
                    let last = bad.len() - 1;
                    bad[last] ^= 1;
                    body.extend(bad);
                }
                _ => body.extend(raw(b"", &bytes)),
            }
        }
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(cut(&pieces), cut(&[&body]));
    }
}
