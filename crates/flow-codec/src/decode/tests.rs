use flow_model::{ErrorClass, Part};
use proptest::prelude::*;

use super::*;

const DIALECTS: [Dialect; 9] = [
    Dialect::OpenaiChat,
    Dialect::AnthropicMessages,
    Dialect::GeminiGenerate,
    Dialect::OllamaChat,
    Dialect::OllamaGenerate,
    Dialect::CohereChat,
    Dialect::CohereGenerate,
    Dialect::OpenaiCompletions,
    Dialect::AnthropicComplete,
];

fn labelled(value: &str) -> [Header; 1] {
    [Header {
        name: "Content-Type".to_owned(),
        value: value.to_owned(),
        latin1: false,
    }]
}

fn decode(dialect: Dialect, status: u16, label: &str, body: &[u8]) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(dialect, status, &labelled(label));
    decoder.push(body, 1);
    decoder.finish(true)
}

fn codes(reading: &ResponseReading) -> Vec<&str> {
    let found = reading.diagnostics.iter();
    found.map(|found| found.code.as_str()).collect()
}

fn chat_text(reading: &ResponseReading) -> String {
    let parts = reading
        .choices
        .iter()
        .flat_map(|choice| &choice.message.parts);
    let texts = parts.filter_map(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

const CHAT_STREAM: &str = concat!(
    ": WAITING\n\n",
    "data: {\"id\":\"c\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"天\"}}]}\r\n\r\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\ud83e\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\udd80b\"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":\"}}]}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n",
    "data: [DONE]",
);

/// The event with the second half of a character, whose first half came before.
const SECOND_HALF: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\udd80b\"}}]}";

const MESSAGES_STREAM: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":\"m\",\"usage\":{\"input_tokens\":3}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"天\"}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":9}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

const GEMINI_ARRAY: &str = concat!(
    "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"天\",\"thought\":true}]}}],\"responseId\":\"r\"}\r\n,",
    "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\",\"willContinue\":true}}]}}]}\r\n,",
    "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"]}\"}]}}]},\"finishReason\":\"STOP\"}]}]",
);

const OLLAMA_LINES: &str = concat!(
    "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"天\"},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"content\":\"a\\ud83e\"},\"done\":false}\r\n\n",
    "{\"model\":\"m\",\"message\":{\"content\":\"\\udd80b\"},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"x\":1}}}]},\"done\":false}\n",
    "{\"model\":\"m\",\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":2}",
);

const COHERE_LINES: &str = concat!(
    "{\"is_finished\":false,\"event_type\":\"stream-start\",\"generation_id\":\"g\"}\n",
    "{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"天\"}\n",
    "{\"is_finished\":false,\"event_type\":\"tool-calls-chunk\",\"tool_call_delta\":{\"index\":0,\"name\":\"f\"}}\n",
    "{\"is_finished\":false,\"event_type\":\"tool-calls-chunk\",\"tool_call_delta\":{\"index\":0,\"parameters\":\"{ \"}}\n",
    "{\"is_finished\":false,\"event_type\":\"tool-calls-generation\",\"tool_calls\":[{\"name\":\"f\",\"parameters\":{}}]}\n",
    "{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\",\"response\":{\"response_id\":\"r\",\"text\":\"天\"}}\n",
);

const COHERE_EVENTS: &str = concat!(
    "event: message-start\ndata: {\"id\":\"r\",\"type\":\"message-start\",\"delta\":{\"message\":{\"content\":[]}}}\n\n",
    "data: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":\"天\"}}}\n\n",
    "data: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
    "data: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"ab\"}}}}\n\n",
    "data: {\"type\":\"tool-call-start\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}}}}\n\n",
    "data: {\"type\":\"tool-call-delta\",\"index\":0,\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":\"{}\"}}}}}\n\n",
    "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"TOOL_CALL\",\"usage\":{\"tokens\":{\"input_tokens\":3}}}}\n\ndata: [DONE]\n\n",
);

const CUMULATIVE: &str = concat!(
    "data: {\"completion\":\" a\",\"stop_reason\":null,\"log_id\":\"l\"}\r\n\r\n",
    "data: {\"completion\":\" ab\",\"stop_reason\":null,\"log_id\":\"l\"}\r\n\r\n",
    "data: {\"completion\":\" ab天\",\"stop_reason\":\"stop_sequence\",\"log_id\":\"l\"}\r\n\r\n",
    "data: [DONE]\r\n\r\n",
);

const COMPLETIONS: &str = concat!(
    "data: {\"id\":\"c\",\"choices\":[{\"text\":\"天\",\"index\":0,\"logprobs\":{\"tokens\":[\"x\"]}}]}\n\n",
    "data: {\"choices\":[{\"text\":\"a\",\"index\":0}]}\n\n",
    "data: {\"choices\":[{\"text\":\"b\",\"index\":0,\"logprobs\":{\"tokens\":[\"y\"]},\"finish_reason\":\"length\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\ndata: [DONE]\n\n",
);

const BODIES: [(Dialect, &str); 12] = [
    (Dialect::OllamaChat, OLLAMA_LINES),
    (Dialect::CohereChat, COHERE_LINES),
    (Dialect::CohereChat, COHERE_EVENTS),
    (Dialect::AnthropicComplete, CUMULATIVE),
    (Dialect::OpenaiCompletions, COMPLETIONS),
    (
        Dialect::OllamaGenerate,
        "{\"model\":\"m\",\"response\":\"天\",\"thinking\":\"b\",\"done\":true,\"eval_count\":1}",
    ),
    (Dialect::OpenaiChat, CHAT_STREAM),
    (Dialect::AnthropicMessages, MESSAGES_STREAM),
    (Dialect::GeminiGenerate, GEMINI_ARRAY),
    (
        Dialect::OpenaiChat,
        " \n{\"id\":\"c\",\"choices\":[{\"message\":{\"content\":\"天\"},\"finish_reason\":\"stop\"}]}",
    ),
    (
        Dialect::AnthropicMessages,
        "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"天\"}}",
    ),
    (
        Dialect::GeminiGenerate,
        "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"天\"}]}}]}",
    ),
];

// === Framing ===

#[test]
fn a_stream_labelled_as_json_is_a_stream() {
    let reading = decode(
        Dialect::OpenaiChat,
        200,
        "application/json",
        CHAT_STREAM.as_bytes(),
    );
    assert!(reading.streamed);
    assert_eq!(
        (reading.events, chat_text(&reading)),
        (8, "a🦀b".to_owned())
    );
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn an_error_labelled_as_a_stream_is_whole() {
    let body = br#"{"error": {"code": 404, "message": "x", "status": "NOT_FOUND"}}"#;
    let reading = decode(Dialect::GeminiGenerate, 404, "text/event-stream", body);
    assert_eq!((reading.outcome, reading.streamed), (Outcome::Error, false));
}

#[test]
fn a_good_status_may_carry_an_error() {
    for body in [
        &br#"{"error":{"message":"x"}}"#[..],
        br#"{"type":"error","error":{"message":"x"}}"#,
        br#"[{"error":{"message":"x"}}]"#,
    ] {
        let reading = decode(Dialect::OpenaiChat, 200, "application/json", body);
        assert_eq!(reading.outcome, Outcome::Error);
        assert_eq!(
            reading.error.and_then(|error| error.message).as_deref(),
            Some("x")
        );
    }
    let fine = decode(
        Dialect::OpenaiChat,
        200,
        "",
        br#"{"error":null,"choices":[]}"#,
    );
    assert_eq!(fine.outcome, Outcome::Ok);
}

#[test]
fn a_stream_with_a_bad_status_is_an_error() {
    let body = b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}\n\n";
    let reading = decode(Dialect::AnthropicMessages, 500, "text/event-stream", body);
    let error = reading.error.unwrap();
    assert_eq!(
        (reading.outcome, error.status, error.message.as_deref()),
        (Outcome::Error, Some(500), Some("x"))
    );
}

#[test]
fn the_status_of_a_stream_tells_what_its_error_does_not() {
    let class = |dialect, status, label: &str, body: &[u8]| {
        let error = decode(dialect, status, label, body).error.unwrap();
        (error.class, error.status)
    };
    let lines = "application/x-ndjson";
    let missing = b"{\"error\":\"model 'm' not found\"}";
    assert_eq!(
        class(Dialect::OllamaChat, 404, lines, missing),
        (Some(ErrorClass::ModelUnavailable), Some(404))
    );
    let busy = b"data: {\"error\":{\"message\":\"x\"}}\n\n";
    assert_eq!(
        class(Dialect::OpenaiChat, 503, "text/event-stream", busy),
        (Some(ErrorClass::Overloaded), Some(503))
    );
    let quota = b"data: {\"error\":{\"code\":\"insufficient_quota\"}}\n\n";
    assert_eq!(
        class(Dialect::OpenaiChat, 429, "text/event-stream", quota),
        (Some(ErrorClass::Quota), Some(429))
    );
}

#[test]
fn lines_are_read_as_a_stream_whatever_the_label_says() {
    let labelled = decode(
        Dialect::OllamaChat,
        200,
        "application/x-ndjson",
        OLLAMA_LINES.as_bytes(),
    );
    assert!(labelled.streamed && labelled.ttft_us.is_some());
    assert_eq!((labelled.outcome, labelled.events), (Outcome::Ok, 5));
    for label in ["", "application/json", "text/plain"] {
        let reading = decode(Dialect::OllamaChat, 200, label, OLLAMA_LINES.as_bytes());
        assert!(reading.streamed, "{label}");
        assert_eq!(reading.events, labelled.events, "{label}");
        assert_eq!(reading.choices, labelled.choices, "{label}");
        assert_eq!(reading.diagnostics, [], "{label}");
    }
    let other = decode(Dialect::OpenaiChat, 200, "", b"{\"choices\":[]}\n{}");
    assert!(!other.streamed);
    assert_eq!(codes(&other), ["trailing_data", "no_answer"]);
}

#[test]
fn a_last_line_counts_where_it_is_complete() {
    let (head, last) = OLLAMA_LINES.rsplit_once('\n').unwrap();
    let label = "application/x-ndjson";
    let cut = last.get(..last.len() - 1).unwrap();
    let half = decode(
        Dialect::OllamaChat,
        200,
        label,
        format!("{head}\n{cut}").as_bytes(),
    );
    assert_eq!(half.outcome, Outcome::StreamTruncated);
    assert_eq!(codes(&half), ["truncated_json"]);
    let whole = decode(Dialect::OllamaChat, 200, label, OLLAMA_LINES.as_bytes());
    assert_eq!(whole.outcome, Outcome::Ok);
}

#[test]
fn bodies_that_make_no_sense_are_no_answer() {
    let html = decode(Dialect::OpenaiChat, 200, "text/html", b"<html></html>");
    assert_eq!(html.outcome, Outcome::None);
    assert_eq!(codes(&html), ["unexpected_type"]);
    let failed = decode(
        Dialect::OpenaiChat,
        502,
        "text/html",
        b"<html>bad gateway</html>",
    );
    assert_eq!(failed.outcome, Outcome::Error);
    assert!(
        failed
            .error
            .unwrap()
            .message
            .unwrap()
            .contains("bad gateway")
    );
    for dialect in DIALECTS {
        assert_eq!(decode(dialect, 200, "", b"").outcome, Outcome::None);
        assert_eq!(
            decode(dialect, 200, "text/event-stream", b": x\n\n").outcome,
            Outcome::None
        );
    }
}

#[test]
fn events_that_make_no_sense_are_noted_with_their_place_and_the_rest_is_read() {
    let body = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: nope\n\ndata: 1\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b\xFF\"}}]}\n\n";
    let reading = decode(Dialect::OpenaiChat, 200, "", body);
    assert_eq!(chat_text(&reading), "ab\u{fffd}");
    assert_eq!(
        codes(&reading),
        ["invalid_json", "unexpected_type", "invalid_utf8"]
    );
    let places: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|found| found.offset)
        .collect();
    let at = |needle: &[u8]| memchr::memmem::find(body, needle).map(|at| at as u64);
    assert_eq!(places, [at(b"nope"), at(b"1\n"), at(b"\xFF")]);
}

#[test]
fn a_whole_body_that_is_cut_off_gives_its_beginning() {
    let body = br#"{"id":"c","choices":[{"message":{"content":"so f"#;
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiChat, 200, &[]);
    decoder.push(body, 1);
    let reading = decoder.finish(false);
    assert_eq!(
        (reading.outcome, chat_text(&reading)),
        (Outcome::StreamTruncated, "so f".to_owned())
    );
    assert_eq!(codes(&reading), ["truncated_json"]);
}

// === Time ===

#[test]
fn the_first_output_of_a_stream_is_timed() {
    let timed = |dialect: Dialect, events: &[&str]| {
        let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
        for (index, event) in events.iter().enumerate() {
            decoder.push(format!("data: {event}\n\n").as_bytes(), index as u64 * 10);
        }
        decoder.finish(true).ttft_us
    };
    let chat = |delta: &str| format!("{{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}");
    let empty = chat(r#"{"role":"assistant","content":"","tool_calls":null}"#);
    for first in [
        r#"{"content":"x"}"#,
        r#"{"reasoning":"x"}"#,
        r#"{"refusal":"x"}"#,
        r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#,
        r#"{"function_call":{"arguments":"{"}}"#,
        r#"{"audio":{"transcript":"x"}}"#,
    ] {
        let first = chat(first);
        let events = [&empty, &empty, &first, &first].map(String::as_str);
        assert_eq!(timed(Dialect::OpenaiChat, &events), Some(20), "{first}");
    }
    let named =
        chat(r#"{"tool_calls":[{"index":0,"id":"t","function":{"name":"f","arguments":""}}]}"#);
    assert_eq!(timed(Dialect::OpenaiChat, &[&empty, &named]), None);
    let begin =
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let grow =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#;
    assert_eq!(timed(Dialect::AnthropicMessages, &[begin, grow]), Some(10));
    let none = r#"{"candidates":[{"content":{"parts":[{"text":""}]}}]}"#;
    let some =
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}"#;
    assert_eq!(timed(Dialect::GeminiGenerate, &[none, some]), Some(10));
}

#[test]
fn whole_answers_have_no_first_output() {
    let reading = decode(
        Dialect::OpenaiChat,
        200,
        "",
        br#"{"choices":[{"message":{"content":"x"}}]}"#,
    );
    assert_eq!((reading.ttft_us, reading.events), (None, 0));
}

#[test]
fn a_snapshot_shows_what_has_arrived_and_changes_nothing() {
    let (head, tail) = CHAT_STREAM.split_at(CHAT_STREAM.find(SECOND_HALF).unwrap());
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiChat, 200, &[]);
    assert_eq!(decoder.snapshot().outcome, Outcome::Partial);
    decoder.push(head.as_bytes(), 1);
    let live = decoder.snapshot();
    assert_eq!(
        (live.outcome, chat_text(&live)),
        (Outcome::Partial, "a\u{fffd}".to_owned())
    );
    decoder.push(tail.as_bytes(), 1);
    let end = decoder.finish(true);
    assert_eq!(
        end,
        decode(Dialect::OpenaiChat, 200, "", CHAT_STREAM.as_bytes())
    );
}

#[test]
fn half_an_event_at_the_end_is_noted_and_not_read() {
    let body = b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"b";
    let reading = decode(Dialect::OpenaiChat, 200, "", body);
    assert_eq!(
        (chat_text(&reading), codes(&reading)),
        ("a".to_owned(), vec!["truncated_json"])
    );
    let array = br#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"content":{"parts":[{"text":"hm","thou"#;
    let reading = decode(Dialect::GeminiGenerate, 200, "", array);
    assert_eq!(
        (chat_text(&reading), codes(&reading)),
        ("a".to_owned(), vec!["truncated_json"])
    );
}

#[test]
fn a_response_without_answer_says_so() {
    for (dialect, body) in [
        (Dialect::OpenaiChat, "{\"id\":\"c\"}"),
        (Dialect::AnthropicMessages, "{\"id\":\"m\"}"),
        (Dialect::GeminiGenerate, "{\"responseId\":\"r\"}"),
    ] {
        let reading = decode(dialect, 200, "", body.as_bytes());
        assert_eq!(
            (reading.outcome, codes(&reading)),
            (Outcome::Ok, vec!["no_answer"])
        );
    }
}

// === Limits ===

#[test]
fn bodies_over_the_limit_are_not_read() {
    let mut body = b"{\"model\":\"m\",\"pad\":\"".to_vec();
    body.resize(BODY_BYTES_MAX - 2, b'x');
    body.extend_from_slice(b"\"}");
    let fits = decode(Dialect::OpenaiChat, 200, "", &body);
    assert_eq!(
        (fits.model.as_deref(), codes(&fits)),
        (Some("m"), vec!["no_answer"])
    );
    assert_eq!(
        read_request(Dialect::OpenaiChat, "/", &body)
            .model
            .as_deref(),
        Some("m")
    );
    body.push(b' ');
    let over = decode(Dialect::OpenaiChat, 200, "", &body);
    assert_eq!(
        (over.outcome, codes(&over)),
        (Outcome::None, vec!["too_large"])
    );
    let path = "/v1beta/models/g:generateContent";
    let request = read_request(Dialect::GeminiGenerate, path, &body);
    assert_eq!(request.model.as_deref(), Some("g"));
    assert_eq!(
        request.diagnostics.first().map(|found| found.code.as_str()),
        Some("too_large")
    );
}

#[test]
fn choices_past_the_limit_are_left_out() {
    let chunk = |index: usize| {
        format!("data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"x\"}}}}]}}\n\n")
    };
    let body: String = (0..300).map(chunk).collect();
    let reading = decode(Dialect::OpenaiChat, 200, "", body.as_bytes());
    assert_eq!(
        (reading.choices.len(), codes(&reading)),
        (256, vec!["too_many_choices"])
    );
}

#[test]
fn text_past_the_limit_is_left_out_and_counts_still_come() {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiChat, 200, &[]);
    let long = "x".repeat(1024 * 1024);
    let chunk =
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{long}\"}}}}]}}\n\n");
    for _ in 0..40 {
        decoder.push(chunk.as_bytes(), 1);
    }
    decoder.push(
        b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3}}\n\n",
        1,
    );
    let reading = decoder.finish(true);
    assert_eq!(chat_text(&reading).len(), 32 * 1024 * 1024);
    assert_eq!(reading.usage.and_then(|usage| usage.input), Some(3));
    assert_eq!(codes(&reading), ["answer_too_large"]);
}

#[test]
fn deep_nesting_ends_the_reading_and_not_the_stack() {
    let levels = 500;
    let open = "{\"type\":\"tool_result\",\"content\":[".repeat(levels);
    let body = format!("{{\"content\":[{open}{}]}}", "]}".repeat(levels));
    let reading = decode(Dialect::AnthropicMessages, 200, "", body.as_bytes());
    assert_eq!(codes(&reading).last(), Some(&"json_too_deep"));
    let body = format!("{{\"messages\":[{{\"role\":\"user\",\"content\":[{open}");
    let request = read_request(Dialect::AnthropicMessages, "/", body.as_bytes());
    assert_eq!(request.diagnostics.len(), 1);
    let args = format!(
        "{{\"candidates\":[{{\"content\":{{\"parts\":[{{\"functionCall\":{{\"name\":\"f\",\"args\":{}",
        "[".repeat(levels)
    );
    let reading = decode(Dialect::GeminiGenerate, 200, "", args.as_bytes());
    assert!(codes(&reading).contains(&"json_too_deep"));
}

#[test]
fn diagnostics_are_limited() {
    let body = "data: nope\n\n".repeat(200);
    assert_eq!(
        decode(Dialect::OpenaiChat, 200, "", body.as_bytes())
            .diagnostics
            .len(),
        64
    );
}

// === Properties ===

/// Pushes a body cut at these places, all at one time.
fn pieces(dialect: Dialect, body: &[u8], cuts: &[prop::sample::Index]) -> ResponseReading {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
    for pair in places.windows(2) {
        if let [from, to] = pair {
            decoder.push(body.get(*from..*to).unwrap_or_default(), 1);
        }
    }
    decoder.finish(true)
}

proptest! {
    #[test]
    fn any_split_gives_the_same_reading(
        which in 0..BODIES.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let (dialect, body) = *BODIES.get(which).unwrap();
        prop_assert_eq!(pieces(dialect, body.as_bytes(), &cuts), pieces(dialect, body.as_bytes(), &[]));
    }

    #[test]
    fn any_prefix_gives_a_reading_that_the_whole_begins_with(
        which in 0..BODIES.len(),
        at in any::<prop::sample::Index>(),
    ) {
        let (dialect, body) = *BODIES.get(which).unwrap();
        let body = body.as_bytes();
        let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
        decoder.push(body.get(..at.index(body.len() + 1)).unwrap_or_default(), 1);
        let live = decoder.snapshot();
        let part = decoder.finish(false);
        let all = pieces(dialect, body, &[]);
        prop_assert!(live.events <= part.events && part.events <= all.events);
        prop_assert!(part.choices.len() <= all.choices.len());
        let begun = chat_text(&part);
        let begun = begun.trim_end_matches(char::REPLACEMENT_CHARACTER);
        prop_assert!(chat_text(&all).starts_with(begun));
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        status in 200_u16..600,
    ) {
        for dialect in DIALECTS {
            decode(dialect, status, "text/event-stream", &bytes);
            read_request(dialect, "/", &bytes);
        }
    }

    #[test]
    fn bodies_with_bytes_changed_never_panic(
        which in 0..BODIES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (_, body) = *BODIES.get(which).unwrap();
        let mut body = body.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(body.len());
            if let Some(slot) = body.get_mut(at) {
                *slot = byte;
            }
        }
        for dialect in DIALECTS {
            decode(dialect, 200, "", &body);
            read_request(dialect, "/", &body);
        }
    }
}

#[test]
fn a_skim_finds_the_newest_messages_only() {
    let check = |dialect, path: &str, body: serde_json::Value, count: usize| {
        let text = body.to_string();
        let whole = read_request(dialect, path, text.as_bytes());
        let skim = skim_request(dialect, path, text.as_bytes());
        assert_eq!(skim.model, whole.model);
        assert_eq!(skim.stream, whole.stream);
        assert_eq!(skim.messages.len(), count);
        assert!(whole.messages.ends_with(&skim.messages));
        assert!(skim.tools.is_empty() && skim.system.is_empty() && skim.parameters.is_empty());
        assert!(skim.diagnostics.is_empty(), "{:?}", skim.diagnostics);
    };
    let turns: Vec<_> = (0..20)
        .map(|turn| serde_json::json!({"role": "user", "content": format!("turn {turn}")}))
        .collect();
    let tools = serde_json::json!([{"name": "Read", "input_schema": {}}]);
    let messages = serde_json::json!({"tools": tools, "system": "s", "messages": turns, "stream": true, "model": "m"});
    check(Dialect::AnthropicMessages, "/v1/messages", messages, 8);
    let chat =
        serde_json::json!({"model": "m", "temperature": 0, "messages": turns[..3], "tools": []});
    check(Dialect::OpenaiChat, "/v1/chat/completions", chat, 3);
    let ollama = serde_json::json!({"model": "m", "messages": turns, "tools": []});
    check(Dialect::OllamaChat, "/api/chat", ollama, 8);
    let generate = serde_json::json!({"system": "s", "prompt": "p", "images": ["QUJD"]});
    check(Dialect::OllamaGenerate, "/api/generate", generate, 1);
    let history: Vec<_> = (0..20)
        .map(|turn| serde_json::json!({"role": "USER", "message": format!("turn {turn}")}))
        .collect();
    let cohere = serde_json::json!({"message": "now", "chat_history": history, "preamble": "s"});
    check(Dialect::CohereChat, "/v1/chat", cohere, 9);
    let prompts: Vec<_> = (0..20).map(|turn| format!("turn {turn}")).collect();
    let completions = serde_json::json!({"prompt": prompts, "model": "m", "suffix": "s"});
    check(
        Dialect::OpenaiCompletions,
        "/v1/completions",
        completions,
        8,
    );
    let complete = serde_json::json!({"prompt": "s\n\nHuman: a\n\nAssistant: b", "stream": true});
    check(Dialect::AnthropicComplete, "/v1/complete", complete, 2);
    let contents: Vec<_> = (0..20)
        .map(
            |turn| serde_json::json!({"role": "user", "parts": [{"text": format!("turn {turn}")}]}),
        )
        .collect();
    let gemini = serde_json::json!({"contents": contents, "generationConfig": {"temperature": 0}});
    check(
        Dialect::GeminiGenerate,
        "/v1beta/models/m:streamGenerateContent",
        gemini,
        8,
    );
}

#[test]
fn a_form_may_be_larger_than_what_is_kept() {
    let mut body =
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n".to_vec();
    body.resize(BODY_BYTES_MAX, b'x');
    body.extend_from_slice(
        b"\r\n--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--\r\n",
    );
    for dialect in [Dialect::OpenaiAudio, Dialect::OpenaiImages] {
        let reading = read_request(dialect, "/", &body);
        assert_eq!(reading.model.as_deref(), Some("m"));
        assert_eq!(reading.diagnostics, []);
    }
    let reading = read_request(Dialect::OpenaiChat, "/", &body);
    assert_eq!(reading.diagnostics.len(), 1);
}
