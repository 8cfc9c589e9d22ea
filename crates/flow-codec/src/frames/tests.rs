use proptest::prelude::*;

use super::*;

/// What a decoder handed out, in a form of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    start: u64,
    end: u64,
    name: Option<String>,
    id: Option<String>,
    data: String,
    open: bool,
}

fn collect(seen: &mut Vec<Result<Seen, String>>) -> impl FnMut(Framed<'_>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    move |framed| {
        seen.push(match framed {
            Framed::Frame(frame) => Ok(Seen {
                start: frame.start,
                end: frame.end,
                name: frame.name.map(text),
                id: frame.id.map(text),
                data: text(frame.data),
                open: frame.open,
            }),
            Framed::Fault(fault) => Err(fault.code),
        });
    }
}

/// Cuts a body that arrives in these pieces.
fn sse(pieces: &[&[u8]]) -> Vec<Result<Seen, String>> {
    let mut seen = Vec::new();
    let mut decoder = SseDecoder::default();
    let mut each = collect(&mut seen);
    for piece in pieces {
        decoder.push(piece, &mut each);
    }
    decoder.finish(&mut each);
    drop(each);
    seen
}

fn array(pieces: &[&[u8]]) -> Vec<Result<Seen, String>> {
    let mut seen = Vec::new();
    let mut decoder = ArrayDecoder::default();
    let mut each = collect(&mut seen);
    for piece in pieces {
        decoder.push(piece, &mut each);
    }
    decoder.finish(&mut each);
    drop(each);
    seen
}

fn lines(pieces: &[&[u8]]) -> Vec<Result<Seen, String>> {
    let mut seen = Vec::new();
    let mut decoder = LinesDecoder::default();
    let mut each = collect(&mut seen);
    for piece in pieces {
        decoder.push(piece, &mut each);
    }
    decoder.finish(&mut each);
    drop(each);
    seen
}

fn data_of(seen: &[Result<Seen, String>]) -> Vec<&str> {
    let frames = seen.iter().flatten();
    frames.map(|frame| frame.data.as_str()).collect()
}

#[track_caller]
fn check(body: &str, expect: &[&str]) {
    let seen = sse(&[body.as_bytes()]);
    assert_eq!(data_of(&seen), expect, "{body:?}");
    assert!(seen.iter().all(Result::is_ok), "{seen:?}");
}

#[test]
fn lines_end_in_lf_crlf_or_cr() {
    check("data: a\n\ndata: b\n\n", &["a", "b"]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\r\n\ndata: b\n\r\n", &["a", "b"]);
}

#[test]
fn one_blank_after_the_colon_is_left_out() {
    check("data:a\n\ndata:  b\n\ndata\n\n", &["a", " b", ""]);
}

#[test]
fn several_data_lines_are_joined() {
    check("data: {\ndata: }\n\n", &["{\n}"]);
}

#[test]
fn comments_and_unknown_fields_are_passed_over() {
    check(
        ": WAITING\n\n: WAITING\n\nretry: 10\ndata: a\nfoo: b\n\n",
        &["a"],
    );
}

#[test]
fn an_event_without_data_is_none() {
    check("event: ping\n\ndata: a\n\n", &["a"]);
}

#[test]
fn blank_lines_and_a_byte_order_mark_in_front_are_passed_over() {
    check("\u{feff}data: a\n\n", &["a"]);
    check("\n\n\ndata: a\n\n", &["a"]);
}

#[test]
fn name_and_id_belong_to_one_event() {
    let seen = sse(&[b"event: error\nid: 7\ndata: a\n\ndata: b\n\n"]);
    let expect = [
        Ok(Seen {
            start: 0,
            end: 26,
            name: Some("error".to_owned()),
            id: Some("7".to_owned()),
            data: "a".to_owned(),
            open: false,
        }),
        Ok(Seen {
            start: 28,
            end: 35,
            name: None,
            id: None,
            data: "b".to_owned(),
            open: false,
        }),
    ];
    assert_eq!(seen, expect);
}

#[test]
fn a_last_event_without_its_blank_line_is_handed_out_and_marked() {
    for body in ["data: a", "data: a\n", "data: a\r"] {
        let seen = sse(&[body.as_bytes()]);
        assert_eq!(data_of(&seen), ["a"], "{body:?}");
        assert!(seen.iter().flatten().all(|frame| frame.open));
    }
}

#[test]
fn a_line_over_the_limit_is_skipped_and_the_next_event_is_not() {
    let long = vec![b'x'; FRAME_BYTES_MAX];
    let pieces: [&[u8]; 3] = [b"data: ", &long, b"\n\ndata: b\n\n"];
    let seen = sse(&pieces);
    assert_eq!(seen.first(), Some(&Err("event_too_large".to_owned())));
    assert_eq!(data_of(&seen), ["b"]);
    assert_eq!(sse(&[&pieces.concat()]), seen);
}

#[test]
fn an_event_of_many_lines_over_the_limit_is_skipped() {
    let line = [b"data: ", &vec![b'x'; FRAME_BYTES_MAX / 2][..], b"\n"].concat();
    let body = [&line[..], &line, &line, b"\ndata: b\n\n"].concat();
    let seen = sse(&[&body]);
    assert_eq!(seen.iter().filter(|seen| seen.is_err()).count(), 1);
    assert_eq!(data_of(&seen), ["b"]);
}

#[test]
fn an_array_is_cut_into_its_elements() {
    let body = b" [{\"a\":\"]}\\\"\"}\r\n,\r\n{\"b\":[{}]} , 1,\"x,\\\\\", null]  ";
    let seen = array(&[body]);
    assert_eq!(
        data_of(&seen),
        [
            "{\"a\":\"]}\\\"\"}",
            "{\"b\":[{}]}",
            "1",
            "\"x,\\\\\"",
            "null"
        ]
    );
}

#[test]
fn an_element_that_is_cut_off_is_handed_out_and_marked() {
    let seen = array(&[b"[{\"a\":1},{\"b\":"]);
    assert_eq!(data_of(&seen), ["{\"a\":1}", "{\"b\":"]);
    let open: Vec<bool> = seen.iter().flatten().map(|frame| frame.open).collect();
    assert_eq!(open, [false, true]);
}

#[test]
fn an_element_over_the_limit_is_skipped() {
    let long = vec![b'x'; FRAME_BYTES_MAX];
    let seen = array(&[b"[{\"a\":\"", &long, b"\"},{\"b\":1}]"]);
    assert_eq!(seen.first(), Some(&Err("event_too_large".to_owned())));
    assert_eq!(data_of(&seen), ["{\"b\":1}"]);
}

#[test]
fn lines_are_cut_at_lf_and_crlf_and_blank_ones_are_passed_over() {
    let body = b"\xEF\xBB\xBF{\"a\":1}\r\n\n \n{\"b\":\"\\n\"}\n{}";
    let frame = |start: u64, data: &str, open: bool| {
        Ok(Seen {
            start,
            end: start + data.len() as u64,
            name: None,
            id: None,
            data: data.to_owned(),
            open,
        })
    };
    let expect = [
        frame(3, "{\"a\":1}", false),
        frame(15, "{\"b\":\"\\n\"}", false),
        frame(26, "{}", true),
    ];
    assert_eq!(lines(&[body]), expect);
    assert_eq!(lines(&[b"\n\r\n  "]), []);
}

#[test]
fn a_line_of_json_over_the_limit_is_skipped_and_the_next_is_not() {
    let long = vec![b'x'; FRAME_BYTES_MAX];
    let pieces: [&[u8]; 4] = [b"1\n\"", &long, b"\"\n2\n", &long];
    let seen = lines(&pieces);
    assert_eq!(data_of(&seen).first(), Some(&"1"));
    assert_eq!(data_of(&seen).get(1), Some(&"2"));
    assert_eq!(seen.get(1), Some(&Err("event_too_large".to_owned())));
    assert_eq!(seen.len(), 4);
    assert_eq!(lines(&[&pieces.concat()]), seen);
    let seen = lines(&[&long, b"x"]);
    assert_eq!(seen, [Err("event_too_large".to_owned())]);
}

#[test]
fn lines_are_told_from_one_value_by_what_follows_the_first() {
    let check = |body: &str, expect: bool| assert_eq!(is_lines(body.as_bytes()), expect, "{body}");
    check("{\"a\":1}\n{\"b\":1}", true);
    check("\u{feff} \n{\"a\":1} \r\n\r\n{", true);
    check("{\"a\":1}\n", false);
    check("{\"a\":1}", false);
    check("{\n\"a\": {}\n}", false);
    check("{\"a\":1}\nx", false);
    check("data: {}\n\n{}", false);
    check("", false);
}

#[track_caller]
fn check_sniff(head: &str, label: Option<&str>, expect: Option<Framing>) {
    assert_eq!(
        sniff(head.as_bytes(), label, true, false),
        expect,
        "{head:?}"
    );
}

#[test]
fn the_first_bytes_decide_before_the_label() {
    let json = Some("application/json");
    let stream = Some("text/event-stream; charset=utf-8");
    check_sniff("data: {}", json, Some(Framing::Sse));
    check_sniff(": comment", json, Some(Framing::Sse));
    check_sniff("event: x", None, Some(Framing::Sse));
    check_sniff("\n\n  {\"error\":1}", stream, Some(Framing::Whole));
    check_sniff("[{", stream, Some(Framing::Array));
    check_sniff("upstream failed", stream, Some(Framing::Sse));
    check_sniff("upstream failed", json, Some(Framing::Whole));
    check_sniff("datum", json, Some(Framing::Whole));
    let binary = Some("application/vnd.amazon.eventstream");
    check_sniff("\0\0", binary, Some(Framing::Aws));
    check_sniff("\n {\"message\":1}", binary, Some(Framing::Whole));
    check_sniff(" ", binary, None);
    check_sniff("\0\0\0\x7c", None, None);
    let frame = encode::event("a", "{}");
    assert_eq!(sniff(&frame, json, true, false), Some(Framing::Aws));
}

#[test]
fn too_few_bytes_decide_nothing_until_the_end() {
    for head in ["", " \n", "d", "data", "\u{feff}", "event"] {
        check_sniff(head, Some("text/event-stream"), None);
        let ended = sniff(head.as_bytes(), None, true, true);
        assert_eq!(ended, Some(Framing::Whole), "{head:?}");
    }
}

/// Bodies made of the bytes that framing looks at.
fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("data: "),
        Just("data:"),
        Just("event: x"),
        Just("id: 1"),
        Just(": note"),
        Just("\n"),
        Just("\r"),
        Just("\r\n"),
        Just("\n\n"),
        Just("{\"a\":\"中\"}"),
        Just("[1,{\"b\":\"]\\\"\"}]"),
        Just("[DONE]"),
        Just("\u{feff}"),
        Just("\""),
        Just(","),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

fn cut(body: &[u8], cuts: &[prop::sample::Index]) -> Vec<usize> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places
}

proptest! {
    #[test]
    fn any_split_gives_the_same_frames(
        body in any_body(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let places = cut(&body, &cuts);
        let pieces: Vec<&[u8]> = places
            .windows(2)
            .filter_map(|pair| body.get(*pair.first()?..*pair.last()?))
            .collect();
        prop_assert_eq!(sse(&pieces), sse(&[&body]));
        prop_assert_eq!(array(&pieces), array(&[&body]));
        prop_assert_eq!(lines(&pieces), lines(&[&body]));
    }

    #[test]
    fn a_decision_on_few_bytes_holds_for_more(body in any_body(), at in any::<prop::sample::Index>()) {
        let head = body.get(..at.index(body.len() + 1)).unwrap_or_default();
        if let Some(framing) = sniff(head, None, true, false) {
            prop_assert_eq!(sniff(&body, None, true, true), Some(framing));
        }
    }

    #[test]
    fn frames_lie_in_the_body_in_order(body in any_body()) {
        for seen in [sse(&[&body]), lines(&[&body])] {
            let mut last = 0;
            for frame in seen.iter().flatten() {
                prop_assert!(last <= frame.start && frame.start <= frame.end);
                prop_assert!(frame.end <= body.len() as u64);
                last = frame.end;
            }
        }
    }
}

#[test]
fn a_first_frame_beyond_the_limit_is_no_prelude() {
    // The checksum of these eight bytes happens to be right.
    let body = [
        0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, b'\n',
    ];
    let sse = Some("text/event-stream");
    assert_eq!(sniff(&body, sse, false, true), Some(Framing::Sse));
    assert_eq!(sniff(&body[..4], sse, false, false), Some(Framing::Sse));
}
