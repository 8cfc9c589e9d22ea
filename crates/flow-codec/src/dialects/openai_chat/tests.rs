mod kept;

use flow_model::{
    Choice, Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role,
    StopReason, Tool, WireUsage,
};
use serde_json::{Value, json};

use crate::ResponseDecoder;

fn response(status: u16, body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiChat, status, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn whole(body: &Value) -> ResponseReading {
    response(200, &body.to_string())
}

/// Reads a stream of these chunks, `[DONE]` included.
fn stream(chunks: &[Value]) -> ResponseReading {
    let chunks = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    response(200, &(chunks.collect::<String>() + "data: [DONE]\n\n"))
}

fn delta(delta: &Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

fn request(body: &Value) -> RequestReading {
    crate::read_request(
        Dialect::OpenaiChat,
        "/v1/chat/completions",
        body.to_string().as_bytes(),
    )
}

fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
        citations: Vec::new(),
        cache: None,
    }
}

fn thinking(text: &str) -> Part {
    Part::Thinking {
        text: text.to_owned(),
        signed: false,
        redacted: false,
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

fn other(name: &str, raw: Value) -> Part {
    Part::Other {
        name: name.to_owned(),
        raw: raw.into(),
    }
}

#[track_caller]
fn check_stream(chunks: &[Value], expect: &[Part]) {
    let reading = stream(chunks);
    assert_eq!(reading.outcome, Outcome::Ok);
    assert_eq!(reading.diagnostics, []);
    let parts = reading
        .choices
        .first()
        .map(|choice| &choice.message.parts[..]);
    assert_eq!(parts, Some(expect));
}

#[track_caller]
fn check_message(message: &Value, expect: &[Part]) {
    let reading = whole(&json!({"choices": [{"index": 0, "message": message}]}));
    assert_eq!(reading.outcome, Outcome::Ok);
    let parts = reading
        .choices
        .first()
        .map(|choice| &choice.message.parts[..]);
    assert_eq!(parts, Some(expect));
}

// === Whole responses ===

#[test]
fn reads_a_whole_answer() {
    let reading = whole(&json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "m-1", "created": 1,
        "choices": [{
            "index": 0, "finish_reason": "length", "logprobs": {"content": [{"token": "a"}]},
            "message": {"role": "assistant", "content": "hello", "refusal": null,
                "annotations": [{"type": "url_citation"}]},
        }],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1}},
    }));
    let choice = Choice {
        index: 0,
        message: Message {
            role: Role::Assistant,
            name: None,
            parts: vec![Part::Text {
                text: "hello".to_owned(),
                citations: vec![json!({"type": "url_citation"}).into()],
                cache: None,
            }],
        },
        stop_reason: Some("length".to_owned()),
        stop: Some(StopReason::Length),
        logprobs: Some(json!({"content": [{"token": "a"}]}).into()),
    };
    assert_eq!(reading.choices, [choice]);
    assert_eq!(
        (reading.id.as_deref(), reading.model.as_deref()),
        (Some("chatcmpl-1"), Some("m-1"))
    );
    let usage = WireUsage {
        input: Some(9),
        output: Some(4),
        cache_read: Some(3),
        cache_write: Some(2),
        reasoning: Some(1),
        total: Some(13),
    };
    assert_eq!(reading.usage, Some(usage));
    assert!(!reading.streamed && reading.ttft_us.is_none());
}

#[test]
fn content_may_be_a_list_an_object_or_missing() {
    check_message(
        &json!({"content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "yes"},
        ]}),
        &[thinking("hm"), text("yes")],
    );
    check_message(
        &json!({"content": {"a": [1, "b c"]}}),
        &[text(r#"{"a":[1,"b c"]}"#)],
    );
    check_message(&json!({"role": "assistant"}), &[]);
    check_message(
        &json!({"content": null, "refusal": "no"}),
        &[Part::Refusal {
            text: "no".to_owned(),
        }],
    );
}

#[test]
fn reasoning_is_read_from_the_first_place_that_holds_text() {
    check_message(
        &json!({"reasoning_content": "a", "reasoning": "a", "content": "x"}),
        &[thinking("a"), text("x")],
    );
    check_message(
        &json!({"reasoning_content": "", "reasoning": "b"}),
        &[thinking("b")],
    );
    let details = json!([{"type": "reasoning.text", "text": "c"}]);
    check_message(
        &json!({"reasoning": "b", "reasoning_details": details}),
        &[thinking("b")],
    );
    check_message(&json!({"reasoning_details": details}), &[thinking("c")]);
    let withheld = Part::Thinking {
        text: String::new(),
        signed: false,
        redacted: true,
    };
    check_message(
        &json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "QQ"}]}),
        &[withheld],
    );
    check_message(&json!({"reasoning_details": []}), &[]);
}

#[test]
fn calls_keep_the_wires_arguments() {
    check_message(
        &json!({"content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{ \"a\": 1 }"}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": {"b": 2}}},
            {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "raw"}},
            {"type": "function", "function": {"name": "k", "arguments": null}},
        ]}),
        &[
            call(Some("c1"), "f", "{ \"a\": 1 }"),
            call(Some("c2"), "g", "{\"b\":2}"),
            call(Some("c3"), "h", "raw"),
            call(Some(""), "k", ""),
        ],
    );
    check_message(
        &json!({"content": null, "function_call": {"name": "f", "arguments": "{}"}}),
        &[call(None, "f", "{}")],
    );
    check_message(
        &json!({"content": "x", "function_call": {"name": "", "arguments": ""}, "audio": {"id": "", "data": "", "transcript": ""}}),
        &[text("x")],
    );
}

#[test]
fn sound_is_pointed_to_and_not_copied() {
    let body = r#"{"choices":[{"message":{"content":null,"audio":{"id":"a1","data":"QUJDRA==","transcript":"hi"}}}]}"#;
    let reading = response(200, body);
    let expect = Part::Audio {
        media: Media {
            data_chars: Some(8),
            data_offset: body.find("QUJD").map(|at| at as u64),
            ..Media::default()
        },
        transcript: Some("hi".to_owned()),
        id: Some("a1".to_owned()),
    };
    assert_eq!(
        reading
            .choices
            .first()
            .map(|choice| &choice.message.parts[..]),
        Some(&[expect][..])
    );
}

#[test]
fn usage_falls_back_to_other_places() {
    let groq = whole(&json!({"choices": [], "x_groq": {"usage": {"prompt_tokens": 5}}}));
    assert_eq!(groq.usage.and_then(|usage| usage.input), Some(5));
    let hits =
        whole(&json!({"choices": [], "usage": {"prompt_tokens": 5, "prompt_cache_hit_tokens": 4}}));
    assert_eq!(hits.usage.and_then(|usage| usage.cache_read), Some(4));
}

#[test]
fn white_space_in_front_is_no_fault() {
    let reading = response(
        200,
        "\n\n   \n{\"choices\":[{\"message\":{\"content\":\"x\"}}]}",
    );
    assert_eq!(
        (reading.outcome, reading.diagnostics.len()),
        (Outcome::Ok, 0)
    );
}

#[test]
fn an_answer_that_calls_a_tool_stops_for_it_whatever_word_is_sent() {
    let reading = whole(&json!({"choices": [{"finish_reason": "stop",
        "message": {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}}]}));
    let stops: Vec<_> = reading
        .choices
        .iter()
        .map(|choice| (choice.stop_reason.as_deref(), choice.stop))
        .collect();
    assert_eq!(stops, [(Some("stop"), Some(StopReason::ToolUse))]);
}

#[test]
fn an_error_within_a_choice_makes_the_response_one() {
    let reading = whole(
        &json!({"choices": [{"message": {"content": "so far"}, "finish_reason": "error",
        "error": {"code": 502, "message": "provider failed"}}]}),
    );
    assert_eq!(reading.outcome, Outcome::Error);
    assert_eq!(
        reading.error.and_then(|error| error.message).as_deref(),
        Some("provider failed")
    );
    assert_eq!(reading.choices.len(), 1);
}

// === Streams ===

#[test]
fn deltas_are_joined_and_empty_first_ids_replaced() {
    let reading = stream(&[
        json!({"id": "", "model": "", "choices": [], "prompt_filter_results": []}),
        json!({"id": "c1", "model": "m1", "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}),
        json!({"id": "c2", "model": "m2", "choices": [{"index": 0, "delta": {"content": "he"}}]}),
        delta(&json!({"content": "llo"})),
        json!({"choices": [{"index": 0, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}),
    ]);
    assert_eq!(
        (reading.id.as_deref(), reading.model.as_deref()),
        (Some("c1"), Some("m1"))
    );
    assert_eq!(reading.usage.and_then(|usage| usage.total), Some(5));
    assert_eq!(reading.events, 7);
    assert!(reading.streamed);
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.message.parts, [text("hello")]);
    assert_eq!(choice.stop, Some(StopReason::Stop));
}

#[test]
fn the_last_usage_counts_and_null_is_none() {
    let usage = |count: u64| json!({"choices": [], "usage": {"prompt_tokens": count}});
    let reading = stream(&[usage(1), usage(2), json!({"choices": [], "usage": null})]);
    assert_eq!(reading.usage.and_then(|usage| usage.input), Some(2));
    let groq =
        stream(&[json!({"choices": [], "x_groq": {"id": "r", "usage": {"prompt_tokens": 7}}})]);
    assert_eq!(groq.usage.and_then(|usage| usage.input), Some(7));
    assert_eq!(stream(&[delta(&json!({"content": "x"}))]).usage, None);
}

#[test]
fn an_id_and_name_that_each_chunk_repeats_are_read_once() {
    let chunk = |arguments: &str| {
        delta(
            &json!({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "look", "arguments": arguments}}]}),
        )
    };
    check_stream(
        &[chunk("{\"a\""), chunk(":1}")],
        &[call(Some("c1"), "look", "{\"a\":1}")],
    );
}

#[test]
fn calls_without_index_are_told_apart_by_id() {
    check_stream(
        &[delta(&json!({"tool_calls": [
            {"id": "c1", "function": {"name": "f", "arguments": "{}"}},
            {"id": "c2", "function": {"name": "f", "arguments": "{\"x\":1}"}},
        ]}))],
        &[
            call(Some("c1"), "f", "{}"),
            call(Some("c2"), "f", "{\"x\":1}"),
        ],
    );
}

#[test]
fn calls_with_one_index_and_several_ids_are_several() {
    let chunk = |id: &str| {
        delta(
            &json!({"tool_calls": [{"index": 0, "id": id, "function": {"name": "f", "arguments": "{}"}}]}),
        )
    };
    check_stream(
        &[chunk("c1"), chunk("c2")],
        &[call(Some("c1"), "f", "{}"), call(Some("c2"), "f", "{}")],
    );
}

#[test]
fn parallel_calls_interleave_and_need_not_start_at_0() {
    let piece = |index: u64, arguments: &str| {
        delta(&json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}))
    };
    check_stream(
        &[
            delta(
                &json!({"tool_calls": [{"index": 1, "id": "c1", "function": {"name": "f", "arguments": null}}]}),
            ),
            delta(
                &json!({"tool_calls": [{"index": 2, "id": "", "function": {"name": "g", "arguments": ""}}]}),
            ),
            piece(1, "{\"a\":"),
            piece(2, "[]"),
            piece(1, "1}"),
            delta(&json!({"tool_calls": null})),
        ],
        &[
            call(Some("c1"), "f", "{\"a\":1}"),
            call(Some(""), "g", "[]"),
        ],
    );
}

#[test]
fn the_old_function_call_is_joined() {
    check_stream(
        &[
            delta(&json!({"function_call": {"name": "f", "arguments": ""}})),
            delta(&json!({"function_call": {"arguments": "{\"a\""}})),
            delta(&json!({"function_call": {"arguments": ":1}"}})),
        ],
        &[call(None, "f", "{\"a\":1}")],
    );
}

#[test]
fn reasoning_and_text_keep_their_order() {
    check_stream(
        &[
            delta(&json!({"reasoning_content": "a", "content": null})),
            delta(&json!({"reasoning": "b", "content": ""})),
            delta(&json!({"reasoning_details": [{"type": "reasoning.text", "text": "c"}]})),
            delta(
                &json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "d"}]}]}),
            ),
            delta(&json!({"content": [{"type": "text", "text": "x"}]})),
            delta(&json!({"content": "y"})),
        ],
        &[thinking("abcd"), text("xy")],
    );
}

#[test]
fn encrypted_reasoning_shows_that_it_is_withheld() {
    let piece =
        delta(&json!({"reasoning_details": [{"type": "reasoning.encrypted", "data": "QQ"}]}));
    let withheld = Part::Thinking {
        text: String::new(),
        signed: false,
        redacted: true,
    };
    check_stream(&[piece.clone(), piece], &[withheld]);
}

#[test]
fn the_delta_counts_where_a_message_stands_beside_it() {
    let chunk =
        json!({"choices": [{"index": 0, "delta": {"content": "a"}, "message": {"content": "a"}}]});
    let last =
        json!({"choices": [{"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}]});
    check_stream(&[chunk, last.clone()], &[text("a")]);
    check_stream(&[last], &[text("a")]);
}

#[test]
fn several_answers_interleave() {
    let piece = |index: u64, content: &str| json!({"choices": [{"index": index, "delta": {"content": content}}]});
    let reading = stream(&[piece(1, "c"), piece(0, "a"), piece(1, "d"), piece(0, "b")]);
    let texts: Vec<_> = reading
        .choices
        .iter()
        .map(|choice| (choice.index, choice.message.parts.clone()))
        .collect();
    assert_eq!(texts, [(0, vec![text("ab")]), (1, vec![text("cd")])]);
}

#[test]
fn a_reason_to_stop_may_come_twice_or_be_empty() {
    let stop =
        |reason: Value| json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
    let read = |chunks: &[Value]| {
        let reading = stream(chunks);
        let choice = reading.choices.first().unwrap();
        (choice.stop_reason.clone(), choice.stop)
    };
    assert_eq!(
        read(&[
            stop(json!("tool_calls")),
            stop(json!("stop")),
            stop(Value::Null)
        ]),
        (Some("stop".to_owned()), Some(StopReason::Stop))
    );
    assert_eq!(read(&[stop(json!(""))]), (Some(String::new()), None));
    assert_eq!(
        read(&[stop(json!("content_filter"))]).1,
        Some(StopReason::ContentFilter)
    );
}

#[test]
fn logprobs_refusals_and_sound_are_joined() {
    let reading = stream(&[
        json!({"choices": [{"index": 0, "delta": {"refusal": "I "}, "logprobs": {"content": null, "refusal": [1]}}]}),
        json!({"choices": [{"index": 0, "delta": {"refusal": "won't"}, "logprobs": {"content": null, "refusal": [2]}}]}),
        delta(&json!({"audio": {"id": "a1", "transcript": "he"}})),
        delta(&json!({"audio": {"data": "QUJD"}})),
        delta(&json!({"audio": {"data": "REVG", "transcript": "y"}})),
    ]);
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        choice.logprobs,
        Some(json!({"content": null, "refusal": [1, 2]}).into())
    );
    let sound = Part::Audio {
        media: Media {
            data_chars: Some(8),
            ..Media::default()
        },
        transcript: Some("hey".to_owned()),
        id: Some("a1".to_owned()),
    };
    assert_eq!(
        choice.message.parts,
        [
            Part::Refusal {
                text: "I won't".to_owned()
            },
            sound
        ]
    );
}

#[test]
fn sources_of_the_whole_response_are_attached_once() {
    let chunk = |content: &str| json!({"choices": [{"index": 0, "delta": {"content": content}}], "citations": ["https://a.example"]});
    let expect = Part::Text {
        text: "ab".to_owned(),
        citations: vec![json!("https://a.example").into()],
        cache: None,
    };
    check_stream(&[chunk("a"), chunk("b")], &[expect]);
}

#[test]
fn an_error_inside_a_stream_keeps_what_came_before() {
    let before = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so far\"}}]}\n\n";
    for event in [
        "event: error\ndata: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"status_code\":503}}\n\n",
        "data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"code\":503},\"choices\":[]}\n\n",
        "event: error\ndata: {\"message\":\"boom\",\"type\":\"server_error\",\"code\":503}\n\n",
    ] {
        let reading = response(200, &format!("{before}{event}"));
        assert_eq!(reading.outcome, Outcome::StreamError, "{event}");
        assert_eq!(reading.diagnostics, [], "{event}");
        let error = reading.error.unwrap();
        assert_eq!(
            (error.message.as_deref(), error.status),
            (Some("boom"), Some(503))
        );
        assert_eq!(
            reading.choices.first().unwrap().message.parts,
            [text("so far")]
        );
    }
}

#[test]
fn a_stream_without_done_is_whole_if_its_body_is() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
    assert_eq!(response(200, body).outcome, Outcome::Ok);
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiChat, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    assert_eq!(decoder.finish(false).outcome, Outcome::StreamTruncated);
}

#[test]
fn a_character_split_over_two_deltas_is_joined() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\ud83e\"}}]}\n\n\
                data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\udd80\"}}]}\n\n";
    let reading = response(200, body);
    assert_eq!(reading.choices.first().unwrap().message.parts, [text("🦀")]);
    assert_eq!(reading.diagnostics, []);
}

// === Requests ===

#[test]
fn reads_every_role_of_a_request() {
    let reading = request(
        &json!({"model": "m", "stream": true, "temperature": 0.5, "response_format": {"type": "json_object"},
        "messages": [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "name": "ann", "content": [
                {"type": "text", "text": "look", "cache_control": {"type": "ephemeral"}},
                {"type": "image_url", "image_url": {"url": "https://a.example/x.png", "detail": "low"}},
            ]},
            {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "done"},
            {"role": "function", "name": "old", "content": "done"},
            {"role": "critic", "content": "x"},
        ]}),
    );
    let image = Part::Image {
        media: Media {
            url: Some("https://a.example/x.png".to_owned()),
            ..Media::default()
        },
    };
    let detail = other("detail", json!("low"));
    let marked = Part::Text {
        text: "look".to_owned(),
        citations: Vec::new(),
        cache: Some(json!({"type": "ephemeral"}).into()),
    };
    let result = |id: Option<&str>, name: Option<&str>| Part::ToolResult {
        call_id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        content: vec![text("done")],
        is_error: false,
        server: false,
    };
    let message = |role: Role, name: Option<&str>, parts: Vec<Part>| Message {
        role,
        name: name.map(str::to_owned),
        parts,
    };
    let expect = [
        message(Role::System, None, vec![text("be brief")]),
        message(Role::User, Some("ann"), vec![marked, image, detail]),
        message(
            Role::Assistant,
            None,
            vec![thinking("hm"), call(Some("c1"), "f", "{}")],
        ),
        message(Role::Tool, None, vec![result(Some("c1"), None)]),
        message(Role::Tool, None, vec![result(None, Some("old"))]),
        message(Role::Other, Some("critic"), vec![text("x")]),
    ];
    assert_eq!(reading.messages, expect);
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(true))
    );
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["temperature", "response_format"]);
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn messages_past_the_limit_are_left_out_and_the_rest_is_read() {
    let many = vec![json!({"role": "user", "content": "a"}); 100_001];
    let reading = request(&json!({"messages": many, "temperature": 1}));
    assert_eq!(reading.messages.len(), 100_000);
    assert_eq!(reading.parameters.get("temperature"), Some(&json!(1)));
    let codes: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|note| note.code.as_str())
        .collect();
    assert_eq!(codes, ["too_many_messages"]);
}

#[test]
fn reads_tools_of_every_kind() {
    let reading = request(&json!({
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
            {"type": "web_search", "engine": "x"},
        ],
        "functions": [{"name": "old", "parameters": {}}],
    }));
    let tool =
        |name: &str, description: Option<&str>, schema: Value, bytes: usize, server: bool| Tool {
            name: name.to_owned(),
            description: description.map(str::to_owned),
            schema: Some(schema.into()),
            bytes: bytes as u64,
            server,
            cache: None,
        };
    let entry = json!({"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}});
    let search = json!({"type": "web_search", "engine": "x"});
    let expect = [
        tool(
            "f",
            Some("d"),
            json!({"type": "object"}),
            entry.to_string().len(),
            false,
        ),
        tool(
            "web_search",
            None,
            search.clone(),
            search.to_string().len(),
            true,
        ),
        tool(
            "old",
            None,
            json!({}),
            json!({"name": "old", "parameters": {}}).to_string().len(),
            false,
        ),
    ];
    assert_eq!(reading.tools, expect);
}

#[test]
fn media_in_a_request_is_pointed_to() {
    let body = r#"{"messages":[{"role":"user","content":[
        {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJDRA=="}},
        {"type":"input_audio","input_audio":{"data":"QUJE","format":"wav"}},
        {"type":"file","file":{"filename":"a.pdf","file_data":"data:application\/pdf;base64,QUJF"}},
        {"type":"file","file":{"file_id":"file-1"}},
        {"type":"novelty","value":1}]}]}"#;
    let reading = crate::read_request(Dialect::OpenaiChat, "/", body.as_bytes());
    let at = |text: &str| body.find(text).map(|at| at as u64);
    let media = |mime: &str, chars: u64, offset: Option<u64>| Media {
        mime: Some(mime.to_owned()),
        data_chars: Some(chars),
        data_offset: offset,
        ..Media::default()
    };
    let expect = [
        Part::Image {
            media: media("image/png", 8, at("QUJDRA")),
        },
        Part::Audio {
            media: media("audio/wav", 4, at("QUJE")),
            transcript: None,
            id: None,
        },
        Part::File {
            media: media("application/pdf", 4, at("QUJF")),
            name: Some("a.pdf".to_owned()),
        },
        Part::File {
            media: Media {
                file_id: Some("file-1".to_owned()),
                ..Media::default()
            },
            name: None,
        },
        Part::Other {
            name: "novelty".to_owned(),
            raw: json!({"type": "novelty", "value": 1}).into(),
        },
    ];
    assert_eq!(reading.messages.first().unwrap().parts, expect);
}

#[test]
fn the_path_names_the_model_where_the_body_does_not() {
    let path = "/openai/deployments/my-model/chat/completions";
    let reading = crate::read_request(Dialect::OpenaiChat, path, b"{}");
    assert_eq!(reading.model.as_deref(), Some("my-model"));
    let reading = crate::read_request(Dialect::OpenaiChat, path, br#"{"model":"other"}"#);
    assert_eq!(reading.model.as_deref(), Some("other"));
}

#[test]
fn members_of_the_wrong_kind_are_kept_and_noted() {
    let reading = request(&json!({"messages": "hi", "model": 3}));
    assert_eq!(reading.parameters.get("messages"), Some(&json!("hi")));
    assert_eq!(reading.parameters.get("model"), Some(&json!(3)));
    let codes: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect();
    assert_eq!(codes, ["unexpected_type"]);
    let reading = request(&json!({"messages": ["hi", {"role": "user", "content": "x"}]}));
    assert_eq!((reading.messages.len(), reading.diagnostics.len()), (1, 1));
}
