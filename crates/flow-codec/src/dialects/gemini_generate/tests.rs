use flow_model::{
    Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
    WireUsage,
};
use serde_json::{Value, json};

use crate::ResponseDecoder;

const PATH: &str = "/v1beta/models/m-1:generateContent";

fn response(status: u16, body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::GeminiGenerate, status, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn whole(body: &Value) -> ResponseReading {
    response(200, &body.to_string())
}

/// Reads a stream of chunks with these lists of parts, as events with CRLF.
fn stream(chunks: &[Value]) -> ResponseReading {
    let chunks = chunks
        .iter()
        .map(|parts| format!("data: {}\r\n\r\n", candidate(parts)));
    response(200, &chunks.collect::<String>())
}

fn candidate(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}}]})
}

fn request(body: &Value) -> RequestReading {
    crate::read_request(Dialect::GeminiGenerate, PATH, body.to_string().as_bytes())
}

fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
        citations: Vec::new(),
        cache: None,
    }
}

fn thinking(text: &str, signed: bool) -> Part {
    Part::Thinking {
        text: text.to_owned(),
        signed,
        redacted: text.is_empty(),
    }
}

fn call(id: Option<&str>, name: &str, arguments: &str) -> Part {
    Part::ToolCall {
        id: id.map(str::to_owned),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        server: false,
    }
}

/// Checks how parts are read: in a request, in a whole response and in a stream.
#[track_caller]
fn check_parts(parts: &Value, expect: &[Part]) {
    let asked = request(&json!({"contents": [{"role": "model", "parts": parts}]}));
    assert_eq!(
        asked.messages.first().map(|message| &message.parts[..]),
        Some(expect)
    );
    check_answer(&whole(&candidate(parts)), expect);
    check_answer(&stream(std::slice::from_ref(parts)), expect);
}

#[track_caller]
fn check_answer(reading: &ResponseReading, expect: &[Part]) {
    assert_eq!(
        (reading.outcome, &reading.diagnostics[..]),
        (Outcome::Ok, &[][..])
    );
    let parts = reading
        .choices
        .first()
        .map(|choice| &choice.message.parts[..]);
    assert_eq!(parts, Some(expect));
}

// === Parts ===

#[test]
fn thoughts_and_signatures() {
    check_parts(
        &json!([{"text": "hm", "thought": true}, {"text": "x"}]),
        &[thinking("hm", false), text("x")],
    );
    check_parts(
        &json!([{"text": "hm", "thought": true, "thoughtSignature": "QQ"}]),
        &[thinking("hm", true)],
    );
    check_parts(
        &json!([{"text": "", "thoughtSignature": "QQ"}]),
        &[thinking("", true)],
    );
    check_parts(
        &json!([{"text": "x", "thought_signature": "QQ"}]),
        &[thinking("", true), text("x")],
    );
    check_parts(
        &json!([{"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "QQ"}]),
        &[thinking("", true), call(None, "f", "{\"a\":1}")],
    );
}

#[test]
fn a_call_needs_neither_arguments_nor_id() {
    check_parts(
        &json!([{"functionCall": {"name": "f"}}, {"functionCall": {"name": "g", "id": "c", "args": {}}}]),
        &[call(None, "f", "{}"), call(Some("c"), "g", "{}")],
    );
}

#[test]
fn what_the_provider_runs_is_told_apart() {
    let code = json!({"language": "PYTHON", "code": "1"});
    let output = json!({"outcome": "OUTCOME_FAILED", "output": "x"});
    check_parts(
        &json!([{"executableCode": code}, {"codeExecutionResult": output}]),
        &[
            Part::ToolCall {
                id: None,
                name: "executable_code".to_owned(),
                arguments: code.to_string(),
                server: true,
            },
            Part::ToolResult {
                call_id: None,
                name: None,
                content: vec![Part::Other {
                    name: "code_execution_result".to_owned(),
                    raw: output.into(),
                }],
                is_error: true,
                server: true,
            },
        ],
    );
}

#[test]
fn parts_without_a_shape_of_their_own_are_kept_raw() {
    let part = json!({"novelty": {"a": 1}});
    let other = Part::Other {
        name: "unknown".to_owned(),
        raw: part.clone().into(),
    };
    check_parts(&json!([part]), &[other]);
}

// === Requests ===

fn camel() -> Value {
    json!({
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.example/v"}}]},
            {"parts": [{"functionResponse": {"name": "f", "id": "c", "response": {"result": 1}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "description": "d", "parameters": {"type": "OBJECT"}}]}, {"googleSearch": {}}],
        "generationConfig": {"maxOutputTokens": 9},
    })
}

fn snake() -> Value {
    json!({
        "system_instruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "hi"}, {"file_data": {"mime_type": "video/mp4", "file_uri": "https://a.example/v"}}]},
            {"parts": [{"function_response": {"name": "f", "id": "c", "response": {"result": 1}}}]},
        ],
        "tools": [{"function_declarations": [{"name": "f", "description": "d", "parameters": {"type": "OBJECT"}}]}, {"google_search": {}}],
        "generation_config": {"max_output_tokens": 9},
    })
}

#[test]
fn reads_a_request_in_either_case() {
    let reading = request(&camel());
    let file = Part::File {
        media: Media {
            mime: Some("video/mp4".to_owned()),
            url: Some("https://a.example/v".to_owned()),
            ..Media::default()
        },
        name: None,
    };
    let result = Part::ToolResult {
        call_id: Some("c".to_owned()),
        name: Some("f".to_owned()),
        content: vec![text("{\"result\":1}")],
        is_error: false,
        server: false,
    };
    let message = |parts: Vec<Part>| Message {
        role: Role::User,
        name: None,
        parts,
    };
    assert_eq!(reading.system, [text("be brief")]);
    assert_eq!(
        reading.messages,
        [message(vec![text("hi"), file]), message(vec![result])]
    );
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m-1"), Some(false))
    );
    assert_eq!(
        reading.parameters.keys().collect::<Vec<_>>(),
        ["generationConfig"]
    );
    assert_eq!(reading.diagnostics, []);

    let other = request(&snake());
    assert_eq!(
        (&other.system, &other.messages),
        (&reading.system, &reading.messages)
    );
    let named = |reading: &RequestReading| -> Vec<(String, bool, Option<Value>)> {
        let tools = reading.tools.iter();
        tools
            .map(|tool| {
                (
                    tool.name.clone(),
                    tool.server,
                    tool.schema.as_ref().map(flow_model::Raw::value),
                )
            })
            .collect()
    };
    assert_eq!(
        named(&reading),
        [
            ("f".to_owned(), false, Some(json!({"type": "OBJECT"}))),
            ("googleSearch".to_owned(), true, Some(json!({})))
        ]
    );
    assert_eq!(named(&other).first(), named(&reading).first());
    assert_eq!(
        other.parameters.keys().collect::<Vec<_>>(),
        ["generation_config"]
    );
}

#[test]
fn lists_may_be_single_values() {
    let reading = request(&json!({
        "systemInstruction": "be brief",
        "contents": {"parts": {"text": "hi"}},
        "tools": {"functionDeclarations": [{"name": "f"}]},
    }));
    assert_eq!(reading.system, [text("be brief")]);
    assert_eq!(reading.messages.first().unwrap().parts, [text("hi")]);
    assert_eq!(reading.tools.len(), 1);
}

#[test]
fn media_is_pointed_to_also_in_base64url() {
    let body =
        r#"{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"_-JD"}}]}]}"#;
    let reading = crate::read_request(Dialect::GeminiGenerate, PATH, body.as_bytes());
    let expect = Part::Image {
        media: Media {
            mime: Some("image/png".to_owned()),
            data_chars: Some(4),
            data_offset: body.find("_-JD").map(|at| at as u64),
            ..Media::default()
        },
    };
    assert_eq!(reading.messages.first().unwrap().parts, [expect]);
}

#[test]
fn the_path_tells_model_and_stream() {
    let read = |path: &str| {
        let reading = crate::read_request(Dialect::GeminiGenerate, path, b"{}");
        (reading.model, reading.stream)
    };
    assert_eq!(
        read("/v1beta/models/m:streamGenerateContent?alt=sse"),
        (Some("m".to_owned()), Some(true))
    );
    assert_eq!(
        read("/v1/projects/p/locations/l/publishers/google/models/m-2:generateContent"),
        (Some("m-2".to_owned()), Some(false))
    );
    assert_eq!(read("/nowhere"), (None, None));
}

// === Responses ===

#[test]
fn reads_a_whole_answer() {
    let reading = whole(&json!({
        "candidates": [
            {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "MAX_TOKENS"},
            {"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP", "logprobsResult": {"chosenCandidates": []},
                "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://a.example"}}]}},
        ],
        "modelVersion": "m-1", "responseId": "r-1",
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "thoughtsTokenCount": 3,
            "cachedContentTokenCount": 1, "totalTokenCount": 10},
    }));
    let stops: Vec<_> = reading
        .choices
        .iter()
        .map(|choice| (choice.index, choice.stop))
        .collect();
    assert_eq!(
        stops,
        [(0, Some(StopReason::Stop)), (1, Some(StopReason::Length))]
    );
    let first = reading.choices.first().unwrap();
    let cited = Part::Text {
        text: "a".to_owned(),
        citations: vec![json!({"web": {"uri": "https://a.example"}}).into()],
        cache: None,
    };
    assert_eq!(first.message.parts, [cited]);
    assert_eq!(first.logprobs, Some(json!({"chosenCandidates": []}).into()));
    let usage = WireUsage {
        input: Some(5),
        output: Some(2),
        cache_read: Some(1),
        cache_write: None,
        reasoning: Some(3),
        total: Some(10),
    };
    assert_eq!(reading.usage, Some(usage));
    assert_eq!(
        (reading.model.as_deref(), reading.id.as_deref()),
        (Some("m-1"), Some("r-1"))
    );
}

#[test]
fn a_blocked_prompt_has_no_answer() {
    let reading = whole(
        &json!({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}}),
    );
    assert_eq!(
        (reading.outcome, reading.block_reason.as_deref()),
        (Outcome::Ok, Some("SAFETY"))
    );
    assert_eq!((reading.choices.len(), reading.diagnostics.len()), (0, 0));
}

#[test]
fn a_candidate_may_lack_content_or_parts() {
    for candidate in [
        json!({"finishReason": "SAFETY"}),
        json!({"content": {"role": "model"}, "finishReason": "SAFETY"}),
    ] {
        let reading = whole(&json!({"candidates": [candidate]}));
        let choice = reading.choices.first().unwrap();
        assert_eq!(
            (choice.message.parts.len(), choice.stop),
            (0, Some(StopReason::ContentFilter))
        );
    }
}

#[test]
fn a_finish_reason_may_be_a_number() {
    let read = |reason: Value| {
        let reading = whole(&json!({"candidates": [{"finishReason": reason}]}));
        let choice = reading.choices.first().unwrap();
        (choice.stop_reason.clone().unwrap(), choice.stop.unwrap())
    };
    assert_eq!(read(json!(1)), ("STOP".to_owned(), StopReason::Stop));
    assert_eq!(
        read(json!(2)),
        ("MAX_TOKENS".to_owned(), StopReason::Length)
    );
    assert_eq!(read(json!(7)), ("7".to_owned(), StopReason::ContentFilter));
    assert_eq!(read(json!(10)), ("10".to_owned(), StopReason::Other));
    assert_eq!(read(json!("MALFORMED_FUNCTION_CALL")).1, StopReason::Other);
}

#[test]
fn an_answer_that_calls_a_tool_stops_for_it() {
    let reading = whole(
        &json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}),
    );
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("STOP"), Some(StopReason::ToolUse))
    );
}

// === Streams ===

#[test]
fn chunks_are_joined_and_a_signature_ends_its_thought() {
    check_answer(
        &stream(&[
            json!([{"text": "h", "thought": true}]),
            json!([{"text": "m", "thought": true, "thoughtSignature": "QQ"}]),
            json!([{"text": "so", "thought": true}]),
            json!([{"text": "a"}, {"text": "b"}]),
            json!([{"text": "", "thoughtSignature": "QQ"}]),
        ]),
        &[
            thinking("hm", true),
            thinking("so", false),
            text("ab"),
            thinking("", true),
        ],
    );
}

#[test]
fn the_last_usage_counts() {
    let usage = |counts: Value| format!("data: {}\r\n\r\n", json!({"usageMetadata": counts}));
    let body = usage(json!({"promptTokenCount": 4, "candidatesTokenCount": 1}))
        + &usage(json!({"promptTokenCount": 5}));
    let usage = response(200, &body).usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(5), None));
}

#[test]
fn an_array_is_a_stream_too() {
    let first = candidate(&json!([{"text": "a"}]));
    let second = candidate(&json!([{"text": "b]\"}"}]));
    let reading = response(200, &format!("[{first}\r\n,\r\n{second}\r\n]"));
    assert!(reading.streamed);
    assert_eq!(reading.events, 2);
    check_answer(&reading, &[text("ab]\"}")]);
}

#[test]
fn arguments_in_pieces_become_one_call() {
    let piece = |path: &str, value: (&str, Value), more: bool| json!([{"functionCall": {"partialArgs": [{"jsonPath": path, (value.0): value.1, "willContinue": more}], "willContinue": true}}]);
    check_answer(
        &stream(&[
            json!([{"functionCall": {"name": "f", "id": "c", "willContinue": true}}]),
            piece("$.city", ("stringValue", json!("Ber")), true),
            piece("$.city", ("stringValue", json!("lin")), false),
            piece("$.list[1]['a b']", ("numberValue", json!(2)), false),
            piece("$.list[0]", ("boolValue", json!(true)), false),
            piece("$.none", ("nullValue", Value::Null), false),
            json!([{"functionCall": {}}]),
            json!([{"functionCall": {"name": "g", "args": {}}}]),
        ]),
        &[
            call(
                Some("c"),
                "f",
                r#"{"city":"Berlin","list":[true,{"a b":2}],"none":null}"#,
            ),
            call(None, "g", "{}"),
        ],
    );
}

#[test]
fn pieces_with_a_path_that_is_too_long_or_none_are_left_out() {
    let long = format!("${}", ".a".repeat(65));
    for path in [long.as_str(), "$.a[10000]", "a", "$[", "$['a", "$[x]"] {
        let reading = stream(&[
            json!([{"functionCall": {"name": "f", "willContinue": true}}]),
            json!([{"functionCall": {"partialArgs": [{"jsonPath": path, "stringValue": "x"}]}}]),
        ]);
        check_answer(&reading, &[call(None, "f", "{}")]);
    }
}

#[test]
fn an_error_is_one_whatever_it_is_labelled() {
    let error =
        json!({"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}});
    let pretty = serde_json::to_string_pretty(&error).unwrap();
    for body in [pretty.clone(), format!("[{pretty}]")] {
        let reading = response(429, &body);
        assert_eq!(reading.outcome, Outcome::Error);
        let error = reading.error.unwrap();
        assert_eq!(
            (error.status, error.kind.as_deref(), error.code.as_deref()),
            (Some(429), Some("RESOURCE_EXHAUSTED"), Some("429"))
        );
    }
    let inside = format!(
        "data: {}\r\n\r\ndata: {error}\r\n\r\n",
        candidate(&json!([{"text": "a"}]))
    );
    assert_eq!(response(200, &inside).outcome, Outcome::StreamError);
}
