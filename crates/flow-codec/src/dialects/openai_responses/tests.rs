mod streams;

use std::fmt::Write as _;

use flow_model::{
    Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
    WireUsage,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ResponseDecoder;

fn response(body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiResponses, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

/// Reads a whole response with these items.
fn whole(items: &Value) -> ResponseReading {
    response(&finished("completed", items).to_string())
}

fn finished(status: &str, items: &Value) -> Value {
    json!({"id": "resp_1", "object": "response", "model": "m-1", "status": status, "error": null,
        "incomplete_details": null, "service_tier": "default", "output": items,
        "instructions": "be brief", "tools": [{"type": "function", "name": "f"}],
        "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4},
            "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 5}, "total_tokens": 16}})
}

fn request(body: &Value) -> RequestReading {
    let body = body.to_string();
    crate::read_request(Dialect::OpenaiResponses, "/v1/responses", body.as_bytes())
}

fn parts(reading: &ResponseReading) -> Vec<Part> {
    let choice = reading.choices.first();
    choice.map_or_else(Vec::new, |choice| choice.message.parts.clone())
}

fn text(text: &str) -> Part {
    crate::dialects::text_part(text.to_owned())
}

fn thinking(text: &str, redacted: bool) -> Part {
    Part::Thinking {
        text: text.to_owned(),
        signed: false,
        redacted,
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

fn result(id: &str, content: Vec<Part>, server: bool) -> Part {
    Part::ToolResult {
        call_id: Some(id.to_owned()),
        name: None,
        content,
        is_error: false,
        server,
    }
}

fn other(name: &str, raw: &Value) -> Part {
    crate::dialects::other_part(name, raw.clone().into())
}

/// Checks how an item is read in a response and, the same, in a request.
#[track_caller]
fn check_item(item: &Value, expect: &[Part]) {
    let reading = whole(&json!([item]));
    assert_eq!(
        (reading.outcome, reading.diagnostics),
        (Outcome::Ok, vec![])
    );
    assert_eq!(parts(&whole(&json!([item]))), expect);
    let asked = request(&json!({"input": [item]}));
    assert_eq!(
        asked.messages.first().map(|message| &message.parts[..]),
        Some(expect)
    );
}

fn said(content: &Value) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content})
}

// === Items ===

#[test]
fn messages_are_their_parts() {
    let note = json!({"type": "url_citation", "url": "https://a.example", "start_index": 0});
    let cited = Part::Text {
        text: "so".to_owned(),
        citations: vec![note.clone().into()],
        cache: None,
    };
    let content = json!([
        {"type": "output_text", "text": "so", "annotations": [note], "refusal": null},
        {"type": "refusal", "refusal": "no"},
        {"type": "output_hologram", "depth": 3},
    ]);
    let refusal = Part::Refusal {
        text: "no".to_owned(),
    };
    let hologram = other(
        "output_hologram",
        &json!({"type": "output_hologram", "depth": 3}),
    );
    check_item(&said(&content), &[cited, refusal, hologram]);
}

#[test]
fn reasoning_is_its_summary_then_its_content() {
    check_item(
        &json!({"content": [{"type": "reasoning_text", "text": "c"}], "id": "rs_1", "type": "reasoning",
            "encrypted_content": "Zm9v", "summary": [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]}),
        &[
            thinking("a", false),
            thinking("b", false),
            thinking("c", false),
        ],
    );
    check_item(
        &json!({"type": "reasoning", "summary": [], "content": "plain"}),
        &[thinking("plain", false)],
    );
    for hidden in [json!("Zm9v"), json!(null)] {
        check_item(
            &json!({"type": "reasoning", "summary": [], "encrypted_content": hidden}),
            &[thinking("", true)],
        );
    }
}

#[test]
fn a_signature_is_told() {
    let item = json!({"type": "reasoning", "signature": "QQ", "summary": [],
        "content": [{"type": "reasoning_text", "text": "hm"}]});
    let signed = Part::Thinking {
        text: "hm".to_owned(),
        signed: true,
        redacted: false,
    };
    check_item(&item, &[signed]);
}

#[test]
fn calls_of_the_client_carry_the_id_that_it_answers() {
    check_item(
        &json!({"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "namespace": "n", "arguments": "{\"a\":1}"}),
        &[call("c", "f", "{\"a\":1}", false)],
    );
    check_item(
        &json!({"type": "custom_tool_call", "id": "ct_1", "call_id": "c", "name": "sql", "input": "SELECT 1"}),
        &[call("c", "sql", "SELECT 1", false)],
    );
    let named = [
        (
            "local_shell_call",
            "action",
            json!({"type":"exec","command":["ls"]}),
        ),
        (
            "apply_patch_call",
            "operation",
            json!({"type":"delete_file","path":"a"}),
        ),
        ("computer_call", "action", json!({"type":"wait"})),
        ("computer_call", "actions", json!([{"type":"wait"}])),
        ("shell_call", "action", json!({"commands":["ls"]})),
    ];
    for (kind, member, given) in named {
        let item = json!({"type": kind, "id": "x_1", "call_id": "c", member: given, "status": "completed"});
        check_item(&item, &[call("c", kind, &given.to_string(), false)]);
    }
}

#[test]
fn calls_of_the_provider_are_told_apart() {
    let action = json!({"type": "search", "query": "q"});
    check_item(
        &json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": action}),
        &[call("ws_1", "web_search_call", &action.to_string(), true)],
    );
    check_item(
        &json!({"type": "web_search_call", "id": "ws_1", "call_id": "", "name": "web_search", "arguments": "{}"}),
        &[call("ws_1", "web_search_call", "{}", true)],
    );
    check_item(
        &json!({"type": "shell_call", "id": "sh_1", "call_id": "c", "action": {"commands": []},
            "environment": {"type": "container_reference"}}),
        &[call("c", "shell_call", "{\"commands\":[]}", true)],
    );
    for (execution, server) in [("server", true), ("client", false)] {
        check_item(
            &json!({"type": "tool_search_call", "id": "ts_1", "call_id": null, "execution": execution, "arguments": {}}),
            &[call("ts_1", "tool_search_call", "{}", server)],
        );
    }
    let stop = whole(&json!([{"type": "program", "id": "p_1", "call_id": "c", "code": "1+1"}]));
    assert_eq!(parts(&stop), [call("c", "program", "1+1", true)]);
    let stop = stop.choices.first().map(|choice| choice.stop);
    assert_eq!(stop, Some(Some(StopReason::Stop)));
}

#[test]
fn what_came_of_the_providers_calls_stands_behind_them() {
    check_item(
        &json!({"type": "mcp_call", "id": "mcp_1", "name": "ask", "server_label": "s", "arguments": "{}", "output": "yes", "error": null}),
        &[
            call("mcp_1", "ask", "{}", true),
            result("mcp_1", vec![text("yes")], true),
        ],
    );
    let failed = Part::ToolResult {
        call_id: Some("mcp_1".to_owned()),
        name: None,
        content: vec![text("no")],
        is_error: true,
        server: true,
    };
    check_item(
        &json!({"type": "mcp_call", "id": "mcp_1", "name": "ask", "arguments": "{}", "output": null, "error": "no"}),
        &[call("mcp_1", "ask", "{}", true), failed],
    );
    let image = Part::Image {
        media: Media {
            url: Some("https://a.example/p.png".to_owned()),
            ..Media::default()
        },
    };
    check_item(
        &json!({"type": "code_interpreter_call", "id": "ci_1", "code": "plot()", "container_id": "k",
            "outputs": [{"type": "logs", "logs": "ok"}, {"type": "image", "url": "https://a.example/p.png"}]}),
        &[
            call("ci_1", "code_interpreter_call", "plot()", true),
            result("ci_1", vec![text("ok"), image], true),
        ],
    );
    let hits = json!([{"file_id": "f", "score": 0.5}]);
    check_item(
        &json!({"type": "file_search_call", "id": "fs_1", "queries": ["a"], "results": hits}),
        &[
            call("fs_1", "file_search_call", "[\"a\"]", true),
            result("fs_1", vec![other("file_search_call", &hits)], true),
        ],
    );
}

#[test]
fn an_image_that_was_made_stays_in_the_body() {
    let body = finished(
        "completed",
        &json!([{"type": "image_generation_call", "id": "ig_1", "output_format": "webp",
        "result": "iVBORw", "revised_prompt": "a cat", "status": "completed"}]),
    );
    let body = body.to_string();
    let reading = response(&body);
    let at = body.find("iVBORw").map(|at| at as u64);
    let media = Media {
        mime: Some("image/webp".to_owned()),
        data_chars: Some(6),
        data_offset: at,
        ..Media::default()
    };
    assert_eq!(
        parts(&reading),
        [
            call("ig_1", "image_generation_call", "a cat", true),
            Part::Image { media }
        ]
    );
    assert_eq!(reading.units.images, Some(1));
}

#[test]
fn items_without_a_shape_of_their_own_are_kept_raw() {
    for kind in [
        "compaction",
        "mcp_list_tools",
        "mcp_approval_request",
        "dream",
    ] {
        let item = json!({"type": kind, "id": "x_1", "tools": [1], "arguments": "{}"});
        check_item(&item, &[other(kind, &item)]);
    }
}

#[test]
fn a_message_of_the_user_in_an_answer_is_not_the_models() {
    let kept = json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]});
    let body = json!({"id": "resp_2", "object": "response.compaction", "output": [kept], "usage": {"input_tokens": 1}});
    let reading = response(&body.to_string());
    assert_eq!(parts(&reading), [other("message", &kept)]);
    assert_eq!(reading.usage.and_then(|usage| usage.input), Some(1));
}

// === Responses ===

#[test]
fn a_whole_response_is_one_answer() {
    let reading = whole(&json!([said(
        &json!([{"type": "output_text", "text": "hi"}])
    )]));
    assert_eq!(reading.id.as_deref(), Some("resp_1"));
    assert_eq!(reading.model.as_deref(), Some("m-1"));
    assert_eq!(reading.service_tier.as_deref(), Some("default"));
    let usage = WireUsage {
        input: Some(9),
        output: Some(7),
        cache_read: Some(4),
        cache_write: None,
        reasoning: Some(5),
        total: Some(16),
    };
    assert_eq!(reading.usage, Some(usage));
    assert_eq!(reading.choices.len(), 1);
}

#[test]
fn a_status_tells_why_the_answer_stopped() {
    let check = |status: &str, details: Value, word: &str, stop: Option<StopReason>| {
        let mut body = finished(status, &json!([]));
        body["incomplete_details"] = details;
        let reading = response(&body.to_string());
        let choice = reading.choices.first().unwrap();
        assert_eq!(
            (choice.stop_reason.as_deref(), choice.stop),
            (Some(word), stop)
        );
    };
    let cut = |reason: &str| json!({"reason": reason});
    check(
        "completed",
        json!(null),
        "completed",
        Some(StopReason::Stop),
    );
    check(
        "incomplete",
        cut("max_output_tokens"),
        "max_output_tokens",
        Some(StopReason::Length),
    );
    check(
        "incomplete",
        cut("content_filter"),
        "content_filter",
        Some(StopReason::ContentFilter),
    );
    check(
        "incomplete",
        json!(null),
        "incomplete",
        Some(StopReason::Other),
    );
    check(
        "cancelled",
        json!(null),
        "cancelled",
        Some(StopReason::Other),
    );
    check("queued", json!(null), "queued", None);
    check("in_progress", json!(null), "in_progress", None);
}

#[test]
fn a_call_of_the_client_is_the_reason_to_stop() {
    let reading =
        whole(&json!([{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]));
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("completed"), Some(StopReason::ToolUse))
    );
}

#[test]
fn a_failed_response_is_an_error_that_keeps_what_there_is() {
    let mut body = finished(
        "failed",
        &json!([said(&json!([{"type": "output_text", "text": "so f"}]))]),
    );
    body["error"] = json!({"code": "server_error", "message": "x"});
    let reading = response(&body.to_string());
    assert_eq!(
        (reading.outcome, parts(&reading)),
        (Outcome::Error, vec![text("so f")])
    );
    assert_eq!(
        reading.error.and_then(|error| error.code).as_deref(),
        Some("server_error")
    );
    let bare = response(r#"{"error": {"code": "x", "message": "y"}}"#);
    assert_eq!((bare.outcome, bare.choices.len()), (Outcome::Error, 0));
}

#[test]
fn searches_are_counted_where_the_wire_does_not() {
    let calls = json!([
        {"type": "web_search_call", "id": "a", "action": {"type": "search", "query": "q"}},
        {"type": "web_search_call", "id": "b", "action": {"type": "open_page", "url": "u"}},
        {"type": "web_search_call", "id": "c", "arguments": "{\"query\":\"q\"}"},
    ]);
    assert_eq!(whole(&calls).units.searches, Some(2));
    let mut told = finished("completed", &calls);
    told["tool_usage"] = json!({"web_search": {"num_requests": 5}});
    assert_eq!(response(&told.to_string()).units.searches, Some(5));
}

#[test]
fn log_probabilities_are_joined() {
    let content = json!([
        {"type": "output_text", "text": "a", "logprobs": [{"token": "a", "logprob": -0.5}]},
        {"type": "output_text", "text": "b", "logprobs": []},
        {"type": "output_text", "text": "c", "logprobs": [{"token": "c", "logprob": -0.25}]},
    ]);
    let reading = whole(&json!([said(&content)]));
    let found = reading
        .choices
        .first()
        .and_then(|choice| choice.logprobs.clone());
    let expect =
        json!({"content": [{"token": "a", "logprob": -0.5}, {"token": "c", "logprob": -0.25}]});
    assert_eq!(found.map(|raw| raw.value()), Some(expect));
}

// === Requests ===

#[test]
fn input_is_a_string_or_items() {
    let message = |role: Role, name: Option<&str>, parts: Vec<Part>| Message {
        role,
        name: name.map(str::to_owned),
        parts,
    };
    let plain = request(&json!({"model": "m", "input": "hi", "stream": true}));
    assert_eq!(
        plain.messages,
        [message(Role::User, None, vec![text("hi")])]
    );
    assert_eq!(
        (plain.model.as_deref(), plain.stream),
        (Some("m"), Some(true))
    );
    let reference = json!({"type": "item_reference", "id": "msg_1"});
    let items = request(&json!({"input": [
        {"role": "developer", "content": "be brief"},
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        reference,
        {"role": "critic", "content": "hm"},
    ]}));
    let expect = [
        message(Role::System, None, vec![text("be brief")]),
        message(Role::User, None, vec![text("hi")]),
        message(Role::Assistant, None, vec![call("c", "f", "{}", false)]),
        message(Role::Tool, None, vec![result("c", vec![text("1")], false)]),
        message(
            Role::Other,
            Some("item_reference"),
            vec![other("item_reference", &reference)],
        ),
        message(Role::Other, Some("critic"), vec![text("hm")]),
    ];
    assert_eq!(items.messages, expect);
    assert_eq!(items.diagnostics, []);
}

#[test]
fn outputs_are_text_parts_or_raw() {
    let check = |item: Value, content: Vec<Part>| {
        let asked = request(&json!({"input": [item]}));
        let expect = Message {
            role: Role::Tool,
            name: None,
            parts: vec![result("c", content, false)],
        };
        assert_eq!(asked.messages, [expect]);
    };
    let shot = Media {
        url: Some("https://a.example/s.png".to_owned()),
        ..Media::default()
    };
    check(
        json!({"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "image_url": "https://a.example/s.png"}}),
        vec![Part::Image { media: shot }],
    );
    check(
        json!({"type": "custom_tool_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]}),
        vec![text("a")],
    );
    let ran = json!([{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]);
    check(
        json!({"type": "shell_call_output", "call_id": "c", "output": ran}),
        vec![other("shell_call_output", &ran)],
    );
    check(
        json!({"type": "local_shell_call_output", "call_id": "c", "output": "a"}),
        vec![text("a")],
    );
    let failed = request(
        &json!({"input": [{"type": "apply_patch_call_output", "call_id": "c", "status": "failed"}]}),
    );
    let part = failed
        .messages
        .first()
        .and_then(|message| message.parts.first());
    assert!(matches!(
        part,
        Some(Part::ToolResult { is_error: true, .. })
    ));
}

#[test]
fn images_files_and_sounds_stay_in_the_body() {
    let asked = |part: Value| -> Vec<Part> {
        let asked = request(&json!({"input": [{"role": "user", "content": [part]}]}));
        asked
            .messages
            .into_iter()
            .flat_map(|message| message.parts)
            .collect()
    };
    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,AAAA"});
    let body = json!({"input": [{"role": "user", "content": [image]}]}).to_string();
    let at = body.find("AAAA").map(|at| at as u64);
    let inline = Media {
        mime: Some("image/png".to_owned()),
        data_chars: Some(4),
        data_offset: at,
        ..Media::default()
    };
    assert_eq!(asked(image), [Part::Image { media: inline }]);
    let kept = Media {
        file_id: Some("file_1".to_owned()),
        ..Media::default()
    };
    assert_eq!(
        asked(json!({"type": "input_image", "file_id": "file_1", "image_url": null})),
        [Part::Image {
            media: kept.clone()
        }]
    );
    assert_eq!(
        asked(json!({"type": "input_file", "file_id": "file_1", "filename": "a.pdf"})),
        [Part::File {
            media: kept,
            name: Some("a.pdf".to_owned())
        }]
    );
    let sound =
        asked(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}));
    assert!(matches!(&sound[..], [Part::Audio { media, .. }]
        if media.mime.as_deref() == Some("audio/wav") && media.data_chars == Some(4)));
    let empty = json!({"type": "input_file"});
    assert_eq!(asked(empty.clone()), [other("input_file", &empty)]);
}

#[test]
fn a_cache_breakpoint_is_on_text_or_behind_its_part() {
    let point = json!({"mode": "explicit"});
    let asked = request(&json!({"input": [{"role": "user", "content": [
        {"type": "input_text", "text": "a", "prompt_cache_breakpoint": point},
        {"type": "input_image", "file_id": "f", "prompt_cache_breakpoint": point},
    ]}]}));
    let parts = asked.messages.first().map(|message| &message.parts[..]);
    let Some([Part::Text { cache, .. }, Part::Image { .. }, marker]) = parts else {
        panic!("{parts:?}")
    };
    assert_eq!(
        cache.as_ref().map(flow_model::Raw::value),
        Some(point.clone())
    );
    assert_eq!(marker, &other("prompt_cache_breakpoint", &point));
}

#[test]
fn every_member_has_a_place() {
    let asked = request(
        &json!({"model": "m", "instructions": "be brief", "input": null, "prompt": {"id": "p"},
        "previous_response_id": "resp_0", "conversation": "conv_1", "prompt_cache_key": "k",
        "text": {"format": {"type": "text"}}, "tools": "none"}),
    );
    assert_eq!(asked.system, [text("be brief")]);
    let names: Vec<&str> = asked.parameters.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "input",
            "prompt",
            "previous_response_id",
            "conversation",
            "prompt_cache_key",
            "text",
            "tools"
        ]
    );
    assert_eq!(asked.diagnostics, []);
    let odd = request(&json!({"input": 5}));
    let codes: Vec<&str> = odd
        .diagnostics
        .iter()
        .map(|found| found.code.as_str())
        .collect();
    assert_eq!(codes, ["unexpected_type"]);
}

#[test]
fn tools_tell_who_runs_them() {
    let schema = json!({"type": "object"});
    let asked = request(
        &json!({"input": [{"type": "additional_tools", "role": "developer",
            "tools": [{"type": "function", "name": "late"}]}],
        "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": schema, "strict": true},
            {"type": "custom", "name": "g", "format": {"type": "text"}},
            {"type": "function", "function": {"name": "h"}},
            {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "i"}]},
            {"type": "web_search"},
            {"type": "apply_patch"},
            {"type": "shell", "environment": {"type": "container_auto"}},
            {"type": "shell"},
            {"type": "tool_search", "execution": "client"},
        ]}),
    );
    let found: Vec<(&str, bool)> = asked
        .tools
        .iter()
        .map(|tool| (tool.name.as_str(), tool.server))
        .collect();
    assert_eq!(
        found,
        [
            ("late", false),
            ("f", false),
            ("g", false),
            ("h", false),
            ("i", false),
            ("web_search", true),
            ("apply_patch", false),
            ("shell", true),
            ("shell", false),
            ("tool_search", false)
        ]
    );
    let first = &asked.tools[1];
    assert_eq!(
        first.schema.as_ref().map(flow_model::Raw::value),
        Some(schema)
    );
    assert!(first.bytes > 60);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        response(&String::from_utf8_lossy(&bytes));
        crate::read_request(Dialect::OpenaiResponses, "/", &bytes);
    }
}
