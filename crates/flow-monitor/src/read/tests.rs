use super::*;

/// Checks the members of a reading that `expect` names.
#[track_caller]
fn check(row: &Value, expect: &Value) {
    let reading = read_row(&row.to_string(), &Reader::new(Timestamp(0)));
    for (name, value) in expect.as_object().unwrap() {
        assert_eq!(reading.get(name), Some(value), "{name} of {reading}");
    }
}

fn chat_row(body: &Value) -> Value {
    json!({"id": "r1", "api": "chat_completions", "provider": "openai", "request": null,
        "response": {"status": null, "headers": [], "body": body.to_string()}})
}

#[test]
fn a_row_without_request_is_read_by_its_api() {
    let body = json!({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "content": "x", "reasoning": "hm", "refusal": null,
        "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{"}}]}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}});
    let choice = json!({"index": 0, "text": "x", "thinking": "hm", "refusal": null,
        "tool_calls": [{"id": "t", "name": "f", "arguments": "{", "valid_json": false}],
        "function_call": null, "server_items": [], "signatures": 0, "audio": null, "stop_reason": "stop"});
    let usage = json!({"input": 3, "output": 2, "cache_read": null, "cache_write": null, "reasoning": null, "total": 5});
    check(
        &chat_row(&body),
        &json!({"id": "r1", "outcome": "ok", "error": null, "model": "m", "response_id": "c", "choices": [choice],
            "usage": usage, "usage_raw": body["usage"], "embeddings": null, "block_reason": null, "tokens": usage, "diagnostics": []}),
    );
}

#[test]
fn the_requests_path_names_the_dialect_before_the_api() {
    let body = json!({"type": "message", "id": "m1", "content": [{"type": "text", "text": "x"}]});
    let row = json!({"id": "r", "api": "other", "provider": "anthropic",
        "request": {"method": "POST", "url": "https://a.example/v1/messages?beta=true", "headers": []},
        "response": {"status": 200, "headers": [["Content-Type", "application/json"]], "body": body.to_string()}});
    check(&row, &json!({"outcome": "ok", "response_id": "m1"}));
}

#[test]
fn bodies_may_be_base64() {
    let body = STANDARD
        .encode(b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xFF\"}}]}\n\n");
    let row = json!({"id": "r", "api": "chat_completions", "response": {"status": 200, "headers": [], "body_b64": body}});
    let reading = read_row(&row.to_string(), &Reader::new(Timestamp(0)));
    assert_eq!(reading["choices"][0]["text"], "\u{fffd}");
    assert_eq!(reading["diagnostics"][0]["code"], "invalid_utf8");
}

#[test]
fn errors_show_what_the_wire_said() {
    let body = json!({"error": {"type": "t", "code": 7, "message": "m"}});
    let mut row = chat_row(&body);
    row["response"]["status"] = json!(404);
    let error = json!({"status": 404, "type": "t", "code": "7", "message": "m", "class": "bad_request",
        "fault": "client", "retryable": false, "retry_after_us": null});
    check(
        &row,
        &json!({"outcome": "error", "error": error, "choices": []}),
    );
}

#[test]
fn the_old_single_call_stands_apart() {
    let body =
        json!({"choices": [{"message": {"function_call": {"name": "f", "arguments": "{}"}}}]});
    let reading = read_row(&chat_row(&body).to_string(), &Reader::new(Timestamp(0)));
    assert_eq!(
        reading["choices"][0]["function_call"],
        json!({"name": "f", "arguments": "{}"})
    );
    assert_eq!(reading["choices"][0]["tool_calls"], json!([]));
}

#[test]
fn items_of_the_provider_are_named() {
    let body = json!({"type": "message", "content": [
        {"type": "redacted_thinking", "data": "QQ"},
        {"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "t", "content": []},
        {"type": "compaction", "content": "x"},
    ]});
    let row = json!({"id": "r", "api": "messages", "response": {"status": 200, "headers": [], "body": body.to_string()}});
    let expect = json!([
        "redacted_thinking",
        "server_tool_use",
        "web_search_tool_result",
        "compaction"
    ]);
    assert_eq!(
        read_row(&row.to_string(), &Reader::new(Timestamp(0)))["choices"][0]["server_items"],
        expect
    );
}

#[test]
fn what_no_codec_reads_is_said_so() {
    for line in [
        "",
        "not json",
        "[]",
        "{}",
        "{\"id\":\"r\",\"api\":\"files\",\"response\":{\"body\":\"{}\"}}",
    ] {
        assert_eq!(
            read_row(line, &Reader::new(Timestamp(0)))["outcome"],
            "not_read",
            "{line}"
        );
    }
    let row = json!({"id": "r", "api": "messages", "response": {"body_b64": "!"}});
    assert_eq!(
        read_row(&row.to_string(), &Reader::new(Timestamp(0))),
        json!({"id": "r", "outcome": "not_read"})
    );
}

#[test]
fn an_id_that_is_a_number_on_the_wire_is_shown_as_one() {
    let body = json!({"id": 12, "completions": [{"data": {"text": "x"}, "finishReason": {"reason": "length"}}]});
    let row = json!({"id": "r", "api": "invoke_model", "provider": "bedrock",
        "response": {"status": 200, "headers": [], "body": body.to_string()}});
    check(&row, &json!({"outcome": "ok", "response_id": 12}));
}
