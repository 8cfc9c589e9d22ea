use flow_model::{
    BodyFacts, EndReason, FlowId, RequestHead, ResponseHead, Route, Timestamp, Timings,
};

use super::*;
use crate::frames::encode::event;

const STREAM: &str = concat!(
    "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"completion_tokens_details\":{\"reasoning_tokens\":5}}}\n\n",
    "data: [DONE]\n\n",
);

fn exchange(path: &str, provider: &str) -> Exchange {
    let complete = BodyFacts {
        complete: true,
        ..BodyFacts::default()
    };
    Exchange {
        id: FlowId::from_bytes([0; 16]),
        started_at: Timestamp(0),
        peer: None,
        route: Route {
            provider: Some(provider.to_owned()),
            url: Some(format!("https://a.example{path}")),
            ..Route::default()
        },
        request: RequestHead {
            method: "POST".to_owned(),
            target: path.to_owned(),
            ..RequestHead::default()
        },
        request_body: complete.clone(),
        response: Some(ResponseHead {
            status: 200,
            ..ResponseHead::default()
        }),
        response_body: complete,
        timings: Timings::default(),
        end: Some(EndReason::Ended),
        failure: None,
    }
}

/// Returns one chunk for each event of a body, 10 microseconds apart.
fn chunks(body: &str) -> Vec<Chunk> {
    let ends = body.match_indices("\n\n").map(|(at, end)| at + end.len());
    let chunk = |(index, end): (usize, usize)| Chunk {
        at_us: index as u64 * 10,
        wire_bytes: 1,
        bytes_end: end as u64,
    };
    ends.enumerate().map(chunk).collect()
}

#[test]
fn an_exchange_is_read_with_the_times_of_its_chunks() {
    let request = br#"{"model":"asked","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
    let flow = exchange("/v1/chat/completions", "openai");
    let reading = read(&flow, request, STREAM.as_bytes(), &chunks(STREAM));
    assert_eq!(reading.dialect, Some(Dialect::OpenaiChat));
    assert_eq!(reading.request.model.as_deref(), Some("asked"));
    assert_eq!(reading.response.model.as_deref(), Some("m"));
    assert_eq!(reading.response.ttft_us, Some(10));
    assert_eq!(
        (reading.tokens.input, reading.tokens.output),
        (Some(3), Some(2))
    );
    assert!(!reading.estimated);
}

#[test]
fn counts_follow_the_provider() {
    let flow = exchange("/v1/chat/completions", "xai");
    let reading = read(&flow, b"", STREAM.as_bytes(), &[]);
    assert_eq!(
        (reading.tokens.output, reading.tokens.total),
        (Some(7), Some(10))
    );
}

#[test]
fn chunks_that_do_not_fit_the_body_do_no_harm() {
    let mut odd = chunks(STREAM);
    odd.reverse();
    odd.push(Chunk {
        at_us: 99,
        wire_bytes: 1,
        bytes_end: u64::MAX,
    });
    let flow = exchange("/v1/chat/completions", "openai");
    let reading = read(&flow, b"", STREAM.as_bytes(), &odd);
    assert_eq!(
        (reading.response.outcome, reading.response.events),
        (Outcome::Ok, 4)
    );
}

#[test]
fn a_request_for_a_stream_may_be_answered_by_a_whole_error() {
    let mut flow = exchange("/v1/messages", "anthropic");
    flow.response = Some(ResponseHead {
        status: 529,
        ..ResponseHead::default()
    });
    let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#;
    let reading = read(&flow, br#"{"stream":true}"#, body, &[]);
    assert_eq!(reading.request.stream, Some(true));
    assert_eq!(
        (reading.response.outcome, reading.response.streamed),
        (Outcome::Error, false)
    );
}

#[test]
fn a_flow_without_dialect_or_response_has_an_empty_reading() {
    let flow = exchange("/v1/files", "openai");
    assert_eq!(read(&flow, b"{}", b"{}", &[]), Reading::default());
    let mut flow = exchange("/v1/messages", "anthropic");
    flow.response = None;
    let reading = read(&flow, b"", b"", &[]);
    assert_eq!(reading.request, RequestReading::default());
    assert_eq!(reading.response, ResponseReading::default());
}

#[test]
fn a_running_flow_is_partial_and_a_cut_one_is_truncated() {
    let head = STREAM.get(..STREAM.len() / 2).unwrap();
    let mut flow = exchange("/v1/chat/completions", "openai");
    flow.response_body.complete = false;
    assert_eq!(
        read(&flow, b"", head.as_bytes(), &[]).response.outcome,
        Outcome::StreamTruncated
    );
    flow.end = None;
    assert_eq!(
        read(&flow, b"", head.as_bytes(), &[]).response.outcome,
        Outcome::Partial
    );
}

#[test]
fn a_body_that_was_not_kept_whole_is_no_break_of_the_upstream() {
    let mut flow = exchange("/v1/messages", "anthropic");
    flow.response_body.truncated = true;
    let head =
        b"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\"}}\n\n";
    assert_eq!(read(&flow, b"", head, &[]).response.outcome, Outcome::Ok);
    flow.response_body.truncated = false;
    assert_eq!(
        read(&flow, b"", head, &[]).response.outcome,
        Outcome::StreamTruncated
    );
}

// === Events ===

#[track_caller]
fn check_events(body: &str, expect: &[(Option<&str>, &str)]) {
    let found = events(&[], body.as_bytes(), &[]);
    let found: Vec<_> = found
        .iter()
        .map(|event| (event.name.as_deref(), event.text(body.as_bytes())))
        .collect();
    let found: Vec<_> = found
        .iter()
        .map(|(name, text)| (*name, text.as_ref()))
        .collect();
    assert_eq!(found, expect);
}

#[test]
fn events_of_a_stream_are_listed() {
    check_events(
        "event: a\ndata: 1\n\n: note\n\ndata: 2\r\n\r\ndata: 3",
        &[(Some("a"), "1"), (None, "2"), (None, "3")],
    );
    check_events(
        "data: {\ndata:  \"a\": 1\nid: 4\ndata: }\n\n",
        &[(None, "{\n \"a\": 1\n}")],
    );
    check_events("data: {\r\ndata: }\r\n\r\n", &[(None, "{\n}")]);
    check_events(
        "[{\"a\":1},\r\n{\"b\":2}]",
        &[(None, "{\"a\":1}"), (None, "{\"b\":2}")],
    );
    check_events(
        "{\"a\":1}\n\n{\"b\":2}\r\n",
        &[(None, "{\"a\":1}"), (None, "{\"b\":2}")],
    );
    check_events("{\"a\":1}", &[]);
    check_events("", &[]);
}

#[test]
fn events_of_binary_frames_are_their_payloads() {
    let (first, second) = (event("a", "{\n\"x\": 1}"), event("b", "2"));
    let body = [first.as_slice(), &second].concat();
    let found = events(&[], &body, &[]);
    let seen: Vec<_> = found
        .iter()
        .map(|event| (event.name.as_deref(), event.text(&body), event.start))
        .collect();
    let at = first.len() as u64;
    let expect = [
        (Some("a"), "{\n\"x\": 1}".into(), 0),
        (Some("b"), "2".into(), at),
    ];
    assert_eq!(seen, expect);
    assert!(found.iter().all(|event| !event.spread));
    assert_eq!(found.last().map(|event| event.end), Some(body.len() as u64));
}

#[test]
fn events_carry_the_time_at_which_they_were_complete() {
    let found = events(&[], STREAM.as_bytes(), &chunks(STREAM));
    let times: Vec<_> = found.iter().map(|event| event.at_us).collect();
    assert_eq!(times, [Some(0), Some(10), Some(20), Some(30)]);
    let bare = events(&[], STREAM.as_bytes(), &[]);
    assert!(bare.iter().all(|event| event.at_us.is_none()));
}
