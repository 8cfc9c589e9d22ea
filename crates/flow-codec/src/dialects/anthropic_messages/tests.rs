use std::fmt::Write as _;

use flow_model::{
    Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
    WireUsage,
};
use serde_json::{Value, json};

use crate::ResponseDecoder;

fn response(status: u16, body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::AnthropicMessages, status, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn events(events: &[Value]) -> String {
    let mut body = String::new();
    for event in events {
        let name = event
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let done = write!(body, "event: {name}\ndata: {event}\n\n");
        assert_eq!(done, Ok(()));
    }
    body
}

fn start() -> Value {
    json!({"type": "message_start", "message": {"id": "msg_1", "model": "m", "content": [],
        "usage": {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5}}})
}

fn begin(index: u64, block: &Value) -> Value {
    json!({"type": "content_block_start", "index": index, "content_block": block})
}

fn grow(index: u64, delta: &Value) -> Value {
    json!({"type": "content_block_delta", "index": index, "delta": delta})
}

fn stop() -> Value {
    json!({"type": "message_stop"})
}

/// Reads a stream of these blocks and increments.
fn stream(inner: &[Value]) -> ResponseReading {
    let all: Vec<Value> = [start()]
        .into_iter()
        .chain(inner.iter().cloned())
        .chain([stop()])
        .collect();
    response(200, &events(&all))
}

fn request(body: &Value) -> RequestReading {
    crate::read_request(
        Dialect::AnthropicMessages,
        "/v1/messages",
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

fn call(id: &str, name: &str, arguments: &str, server: bool) -> Part {
    Part::ToolCall {
        id: Some(id.to_owned()),
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        server,
    }
}

fn marker() -> Part {
    Part::Other {
        name: "cache_control".to_owned(),
        raw: json!({"type": "ephemeral"}).into(),
    }
}

#[track_caller]
fn check_stream(inner: &[Value], expect: &[Part]) {
    let reading = stream(inner);
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

/// Checks how a block is read, in a whole response and in a request.
#[track_caller]
fn check_block(block: &Value, expect: &[Part]) {
    let whole = response(
        200,
        &json!({"type": "message", "content": [block]}).to_string(),
    );
    assert_eq!(
        whole
            .choices
            .first()
            .map(|choice| &choice.message.parts[..]),
        Some(expect)
    );
    let asked = request(&json!({"messages": [{"role": "assistant", "content": [block]}]}));
    assert_eq!(
        asked.messages.first().map(|message| &message.parts[..]),
        Some(expect)
    );
}

// === Blocks ===

#[test]
fn text_carries_citations_and_its_cache_breakpoint() {
    let expect = Part::Text {
        text: "x".to_owned(),
        citations: vec![json!({"type": "char_location"}).into()],
        cache: Some(json!({"type": "ephemeral"}).into()),
    };
    check_block(
        &json!({"text": "x", "citations": [{"type": "char_location"}], "cache_control": {"type": "ephemeral"}, "type": "text"}),
        &[expect],
    );
    check_block(
        &json!({"type": "text", "text": "x", "citations": null, "cache_control": null}),
        &[text("x")],
    );
}

#[test]
fn thinking_tells_whether_it_is_signed_or_withheld() {
    let thinking = |text: &str, signed: bool, redacted: bool| Part::Thinking {
        text: text.to_owned(),
        signed,
        redacted,
    };
    check_block(
        &json!({"type": "thinking", "thinking": "hm", "signature": "QQ"}),
        &[thinking("hm", true, false)],
    );
    check_block(
        &json!({"type": "thinking", "thinking": "hm", "signature": ""}),
        &[thinking("hm", false, false)],
    );
    check_block(
        &json!({"type": "thinking", "thinking": "", "signature": "QQ"}),
        &[thinking("", true, true)],
    );
    check_block(
        &json!({"type": "redacted_thinking", "data": "QQ"}),
        &[thinking("", false, true)],
    );
}

#[test]
fn calls_tell_who_runs_them() {
    check_block(
        &json!({"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1, "b"]}}),
        &[call("t", "f", r#"{"a":[1,"b"]}"#, false)],
    );
    check_block(
        &json!({"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}}),
        &[call("t", "web_search", "{}", true)],
    );
    check_block(
        &json!({"type": "mcp_tool_use", "id": "t", "name": "f", "server_name": "s", "input": {}}),
        &[call("t", "f", "{}", true)],
    );
}

#[test]
fn results_nest_and_a_breakpoint_behind_them_is_kept() {
    let result = Part::ToolResult {
        call_id: Some("t".to_owned()),
        name: None,
        content: vec![
            text("done"),
            Part::Image {
                media: Media {
                    mime: Some("image/png".to_owned()),
                    url: Some("https://a.example/x".to_owned()),
                    ..Media::default()
                },
            },
        ],
        is_error: true,
        server: false,
    };
    check_block(
        &json!({"type": "tool_result", "tool_use_id": "t", "is_error": true, "cache_control": {"type": "ephemeral"}, "content": [
            {"type": "text", "text": "done"},
            {"type": "image", "source": {"type": "url", "media_type": "image/png", "url": "https://a.example/x"}},
        ]}),
        &[result, marker()],
    );
}

#[test]
fn results_of_the_providers_tools_are_kept_raw() {
    let result = |kind: &str, raw: Value, is_error: bool| Part::ToolResult {
        call_id: Some("t".to_owned()),
        name: None,
        content: vec![Part::Other {
            name: kind.to_owned(),
            raw: raw.into(),
        }],
        is_error,
        server: true,
    };
    let hits = json!([{"type": "web_search_result", "url": "https://a.example"}]);
    check_block(
        &json!({"type": "web_search_tool_result", "tool_use_id": "t", "content": hits}),
        &[result("web_search_tool_result", hits, false)],
    );
    let failed = json!({"type": "web_fetch_tool_result_error", "error_code": "unavailable"});
    check_block(
        &json!({"type": "web_fetch_tool_result", "tool_use_id": "t", "content": failed}),
        &[result("web_fetch_tool_result", failed, true)],
    );
}

#[test]
fn blocks_without_a_shape_of_their_own_are_kept_raw() {
    let block = json!({"type": "compaction", "content": "in short", "cache_control": {"type": "ephemeral"}});
    let other = Part::Other {
        name: "compaction".to_owned(),
        raw: block.clone().into(),
    };
    check_block(&block, &[other]);
}

#[test]
fn documents_and_uploads_are_files() {
    let file = |media: Media, name: Option<&str>| Part::File {
        media,
        name: name.map(str::to_owned),
    };
    let kept = Media {
        file_id: Some("file_1".to_owned()),
        ..Media::default()
    };
    check_block(
        &json!({"type": "document", "title": "a", "source": {"type": "file", "file_id": "file_1"}}),
        &[file(kept.clone(), Some("a"))],
    );
    check_block(
        &json!({"type": "container_upload", "file_id": "file_1"}),
        &[file(kept, None)],
    );

    let body = r#"{"messages":[{"role":"user","content":[{"type":"document","cache_control":{"type":"ephemeral"},"source":{"type":"base64","media_type":"application/pdf","data":"QUJD"}}]}]}"#;
    let reading = crate::read_request(Dialect::AnthropicMessages, "/", body.as_bytes());
    let inline = Media {
        mime: Some("application/pdf".to_owned()),
        data_chars: Some(4),
        data_offset: body.find("QUJD").map(|at| at as u64),
        ..Media::default()
    };
    assert_eq!(
        reading.messages.first().unwrap().parts,
        [file(inline, None), marker()]
    );
}

#[test]
fn a_document_made_of_blocks_is_kept_raw() {
    let block = json!({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}});
    let other = Part::Other {
        name: "document".to_owned(),
        raw: block.clone().into(),
    };
    check_block(&block, &[other]);
}

// === Requests ===

#[test]
fn reads_a_request() {
    let reading = request(&json!({
        "model": "m", "max_tokens": 9, "stream": false,
        "system": [{"type": "text", "text": "be brief"}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "again"},
            {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
        ],
        "tools": [
            {"name": "f", "description": "d", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    }));
    assert_eq!(reading.system, [text("be brief")]);
    let message = |role: Role, parts: Vec<Part>| Message {
        role,
        name: None,
        parts,
    };
    assert_eq!(
        reading.messages,
        [
            message(Role::User, vec![text("hi")]),
            message(Role::System, vec![text("again")]),
            message(Role::Assistant, vec![text("yes")]),
        ]
    );
    let tools: Vec<_> = reading
        .tools
        .iter()
        .map(|tool| {
            (
                tool.name.as_str(),
                tool.server,
                tool.schema.as_ref().map(flow_model::Raw::value),
            )
        })
        .collect();
    let search = json!({"type": "web_search_20250305", "name": "web_search"});
    assert_eq!(
        tools,
        [
            ("f", false, Some(json!({"type": "object"}))),
            ("web_search", true, Some(search))
        ]
    );
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["max_tokens", "thinking"]);
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(false))
    );
}

#[test]
fn a_system_prompt_may_be_a_string() {
    assert_eq!(
        request(&json!({"system": "be brief"})).system,
        [text("be brief")]
    );
}

#[test]
fn the_path_names_the_model_at_vertex() {
    let path = "/v1/projects/p/locations/l/publishers/anthropic/models/m-1:streamRawPredict";
    let reading = crate::read_request(
        Dialect::AnthropicMessages,
        path,
        br#"{"anthropic_version":"x"}"#,
    );
    assert_eq!(reading.model.as_deref(), Some("m-1"));
}

// === Responses ===

#[test]
fn reads_a_whole_answer() {
    let reading = response(
        200,
        &json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "stop_sequence",
            "content": [{"type": "text", "text": "x"}],
            "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1, "cache_creation_input_tokens": 2,
                "output_tokens_details": {"thinking_tokens": 1}}})
        .to_string(),
    );
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("stop_sequence"), Some(StopReason::Stop))
    );
    let usage = WireUsage {
        input: Some(3),
        output: Some(4),
        cache_read: Some(1),
        cache_write: Some(2),
        reasoning: Some(1),
        total: None,
    };
    assert_eq!(reading.usage, Some(usage));
    assert_eq!(
        (reading.outcome, reading.id.as_deref()),
        (Outcome::Ok, Some("msg_1"))
    );
}

#[test]
fn increments_are_folded_into_their_blocks() {
    check_stream(
        &[
            begin(
                0,
                &json!({"type": "thinking", "thinking": "", "signature": ""}),
            ),
            grow(0, &json!({"type": "thinking_delta", "thinking": "h"})),
            grow(0, &json!({"type": "thinking_delta", "thinking": "m"})),
            grow(0, &json!({"type": "signature_delta", "signature": "QQ"})),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "ping"}),
            begin(1, &json!({"type": "redacted_thinking", "data": "QQ"})),
            begin(2, &json!({"type": "text", "text": ""})),
            grow(2, &json!({"type": "text_delta", "text": "he"})),
            grow(
                2,
                &json!({"type": "citations_delta", "citation": {"type": "c"}}),
            ),
            grow(2, &json!({"type": "text_delta", "text": "y"})),
            begin(
                3,
                &json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}}),
            ),
            begin(
                4,
                &json!({"type": "tool_use", "id": "t2", "name": "g", "input": {}}),
            ),
            grow(3, &json!({"type": "input_json_delta", "partial_json": ""})),
            grow(
                3,
                &json!({"type": "input_json_delta", "partial_json": "{\"a\""}),
            ),
            grow(
                3,
                &json!({"type": "input_json_delta", "partial_json": ":1}"}),
            ),
        ],
        &[
            Part::Thinking {
                text: "hm".to_owned(),
                signed: true,
                redacted: false,
            },
            Part::Thinking {
                text: String::new(),
                signed: false,
                redacted: true,
            },
            Part::Text {
                text: "hey".to_owned(),
                citations: vec![json!({"type": "c"}).into()],
                cache: None,
            },
            call("t1", "f", "{\"a\":1}", false),
            call("t2", "g", "{}", false),
        ],
    );
}

#[test]
fn a_call_that_is_cut_off_keeps_what_came() {
    let reading = stream(&[
        begin(
            0,
            &json!({"type": "tool_use", "id": "t1", "name": "f", "input": {}}),
        ),
        grow(
            0,
            &json!({"type": "input_json_delta", "partial_json": "{\"a\":\"b"}),
        ),
        json!({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}}),
    ]);
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.message.parts, [call("t1", "f", "{\"a\":\"b", false)]);
    assert_eq!(choice.stop, Some(StopReason::Length));
}

#[test]
fn later_counts_replace_earlier_ones_and_others_stay() {
    let reading = stream(&[
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"},
        "usage": {"input_tokens": 12, "output_tokens": 7, "cache_read_input_tokens": null}}),
    ]);
    let usage = reading.usage.unwrap();
    assert_eq!(
        (usage.input, usage.output, usage.cache_read),
        (Some(12), Some(7), Some(5))
    );
    let raw = json!({"input_tokens": 12, "output_tokens": 7, "cache_read_input_tokens": 5});
    assert_eq!(reading.usage_raw, Some(raw.into()));
}

#[test]
fn compaction_grows_and_a_fallback_changes_the_model() {
    let reading = stream(&[
        begin(0, &json!({"type": "compaction", "content": null})),
        grow(0, &json!({"type": "compaction_delta", "content": "in "})),
        grow(0, &json!({"type": "compaction_delta", "content": "short"})),
        begin(
            1,
            &json!({"type": "fallback", "from": {"model": "m"}, "to": {"model": "m2"}}),
        ),
    ]);
    assert_eq!(reading.model.as_deref(), Some("m2"));
    let first = reading
        .choices
        .first()
        .and_then(|choice| choice.message.parts.first())
        .cloned();
    let expect = Part::Other {
        name: "compaction".to_owned(),
        raw: json!({"type": "compaction", "content": "in short"}).into(),
    };
    assert_eq!(first, Some(expect));
}

#[test]
fn a_second_message_start_goes_on_after_the_first() {
    let again = json!({"type": "message_start", "message": {"id": "msg_2", "model": "m2"}});
    let reading = stream(&[
        begin(0, &json!({"type": "text", "text": "a"})),
        again,
        begin(0, &json!({"type": "text", "text": ""})),
        grow(0, &json!({"type": "text_delta", "text": "b"})),
    ]);
    assert_eq!(
        (reading.id.as_deref(), reading.model.as_deref()),
        (Some("msg_1"), Some("m"))
    );
    assert_eq!(
        reading.choices.first().unwrap().message.parts,
        [text("a"), text("b")]
    );
}

#[test]
fn increments_without_their_blocks_start_are_kept() {
    check_stream(
        &[grow(3, &json!({"type": "text_delta", "text": "x"}))],
        &[text("x")],
    );
}

#[test]
fn an_increment_of_another_kind_is_noted() {
    let reading = stream(&[
        begin(0, &json!({"type": "text", "text": "x"})),
        grow(0, &json!({"type": "novel_delta", "novelty": 1})),
    ]);
    let codes: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect();
    assert_eq!(codes, ["unknown_delta"]);
}

#[test]
fn data_may_leave_the_type_to_the_events_name() {
    let body = "event: message_start\ndata: {\"message\":{\"id\":\"a\",\"model\":\"m\"}}\n\nevent: message_stop\ndata: {}\n\n";
    let reading = response(200, body);
    assert_eq!(
        (reading.outcome, reading.id.as_deref()),
        (Outcome::Ok, Some("a"))
    );
}

#[test]
fn an_error_inside_a_stream_keeps_what_came_before() {
    let body = events(&[
        start(),
        begin(0, &json!({"type": "text", "text": "so far"})),
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ]);
    let reading = response(200, &body);
    assert_eq!(reading.outcome, Outcome::StreamError);
    let error = reading.error.unwrap();
    assert_eq!(
        (
            error.kind.as_deref(),
            error.message.as_deref(),
            error.status
        ),
        (Some("overloaded_error"), Some("Overloaded"), None)
    );
    assert_eq!(
        reading.choices.first().unwrap().message.parts,
        [text("so far")]
    );
}

#[test]
fn a_stream_needs_its_closing_event_and_that_events_blank_line() {
    let body = events(&[start(), begin(0, &json!({"type": "text", "text": "x"}))]);
    assert_eq!(response(200, &body).outcome, Outcome::StreamTruncated);
    let closed = body + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n";
    assert_eq!(response(200, &closed).outcome, Outcome::StreamTruncated);
    assert_eq!(response(200, &(closed + "\n")).outcome, Outcome::Ok);
}

#[test]
fn a_last_event_without_its_blank_line_is_not_lost() {
    let body = events(&[start()])
        + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":42}}";
    let reading = response(200, &body);
    assert_eq!(reading.usage.and_then(|usage| usage.output), Some(42));
    assert_eq!(
        reading.choices.first().and_then(|choice| choice.stop),
        Some(StopReason::Stop)
    );
}
