use flow_model::{
    Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
    WireUsage,
};
use serde_json::{Value, json};

use crate::ResponseDecoder;
use crate::dialects::{other_part, text_part};

fn read(dialect: Dialect, body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn stream(dialect: Dialect, lines: &[Value]) -> ResponseReading {
    let lines = lines.iter().map(|line| format!("{line}\n"));
    read(dialect, &lines.collect::<String>())
}

fn parts(reading: &ResponseReading) -> &[Part] {
    let first = reading.choices.first();
    first.map_or(&[], |choice| &choice.message.parts)
}

fn request(dialect: Dialect, body: &str) -> RequestReading {
    crate::read_request(dialect, "/api/chat", body.as_bytes())
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

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
    }
}

// === Responses ===

#[test]
fn reads_a_whole_answer() {
    let reading = read(
        Dialect::OllamaChat,
        r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"hi","thinking":"hm",
            "tool_calls":[{"id":"c1","function":{"index":0,"name":"f","arguments":{"a": [1, 2]}}},{"function":{"name":"g"}}]},
            "done":true,"done_reason":"stop","total_duration":9,"prompt_eval_count":3,"eval_count":2,"eval_duration":5}"#,
    );
    let expect = [
        thinking("hm"),
        text_part("hi".to_owned()),
        call(Some("c1"), "f", r#"{"a":[1,2]}"#),
        call(None, "g", ""),
    ];
    assert_eq!(parts(&reading), expect);
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("stop"), Some(StopReason::ToolUse))
    );
    let usage = WireUsage {
        input: Some(3),
        output: Some(2),
        ..WireUsage::default()
    };
    assert_eq!(reading.usage, Some(usage));
    let raw =
        json!({"total_duration": 9, "prompt_eval_count": 3, "eval_count": 2, "eval_duration": 5});
    assert_eq!(reading.usage_raw, Some(raw.into()));
    assert_eq!((reading.outcome, reading.streamed), (Outcome::Ok, false));
    assert_eq!((reading.model.as_deref(), reading.id), (Some("m"), None));
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn a_stream_says_what_the_whole_answer_would() {
    let lines = [
        json!({"model": "m", "message": {"role": "assistant", "content": "", "thinking": "h"}, "done": false}),
        json!({"model": "m", "message": {"content": "", "thinking": "m"}, "done": false}),
        json!({"model": "m", "message": {"content": "h"}, "logprobs": [{"token": "h"}], "done": false}),
        json!({"model": "m", "message": {"content": "i"}, "logprobs": [{"token": "i"}], "done": false}),
        json!({"model": "m", "message": {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, "done": false}),
        json!({"model": "m", "message": {"content": ""}, "done": true, "done_reason": "length", "eval_count": 2}),
    ];
    let whole = json!({"model": "m", "message": {"content": "hi", "thinking": "hm", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
        "logprobs": [{"token": "h"}, {"token": "i"}], "done": true, "done_reason": "length", "eval_count": 2});
    let streamed = stream(Dialect::OllamaChat, &lines);
    let whole = read(Dialect::OllamaChat, &whole.to_string());
    assert_eq!(streamed.choices, whole.choices);
    assert_eq!(streamed.usage_raw, whole.usage_raw);
    assert_eq!((streamed.outcome, streamed.events), (Outcome::Ok, 6));
    assert_eq!(streamed.diagnostics, []);
}

#[test]
fn generate_has_its_text_at_the_top() {
    let whole = json!({"model": "m", "response": "hi", "thinking": "hm", "context": [1, 2], "done": true, "prompt_eval_count": 1});
    let reading = read(Dialect::OllamaGenerate, &whole.to_string());
    let expect = [thinking("hm"), text_part("hi".to_owned())];
    assert_eq!(parts(&reading), expect);
    let lines = [
        json!({"response": "", "thinking": "hm", "done": false}),
        json!({"response": "h", "done": false}),
        json!({"response": "i", "done": false}),
        json!({"response": "", "done": true, "context": [1]}),
    ];
    let reading = stream(Dialect::OllamaGenerate, &lines);
    assert_eq!(parts(&reading), expect);
    let choice = reading.choices.first().unwrap();
    assert_eq!((&choice.stop_reason, choice.stop), (&None, None));
    assert_eq!((reading.outcome, reading.usage), (Outcome::Ok, None));
}

#[test]
fn what_loads_a_model_is_an_empty_answer() {
    let body = r#"{"model":"m","response":"","done":true,"done_reason":"load"}"#;
    let reading = read(Dialect::OllamaGenerate, body);
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.message.parts, []);
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("load"), Some(StopReason::Other))
    );
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn images_of_an_answer_are_pointed_to() {
    for body in [
        r#"{"message":{"content":"","images":["QUJD"]},"done":true}"#,
        r#"{"response":"","image":"QUJD","done":true}"#,
    ] {
        let reading = read(Dialect::OllamaChat, body);
        let media = Media {
            data_chars: Some(4),
            data_offset: body.find("QUJD").map(|at| at as u64),
            ..Media::default()
        };
        assert_eq!(parts(&reading), [Part::Image { media }], "{body}");
    }
}

#[test]
fn a_stream_without_done_is_truncated() {
    let line = json!({"message": {"content": "x"}, "done": false});
    let reading = stream(Dialect::OllamaChat, &[line.clone(), line]);
    assert_eq!(reading.outcome, Outcome::StreamTruncated);
    assert_eq!(parts(&reading), [text_part("xx".to_owned())]);
}

#[test]
fn an_error_line_keeps_what_came_before() {
    let lines = [
        json!({"message": {"content": "so far"}, "done": false}),
        json!({"error": "the runner has stopped"}),
    ];
    let reading = stream(Dialect::OllamaChat, &lines);
    assert_eq!(reading.outcome, Outcome::StreamError);
    let error = reading.error.as_ref().unwrap();
    assert_eq!(error.message.as_deref(), Some("the runner has stopped"));
    assert_eq!(parts(&reading), [text_part("so far".to_owned())]);
}

// === Requests ===

#[test]
fn reads_the_messages_of_a_chat() {
    let body = r#"{"model":"m","stream":false,"options":{"num_ctx":9},"keep_alive":"5m","format":"json","think":true,
        "messages":[{"role":"system","content":"s"},
        {"role":"user","images":["QUJD"],"content":"look"},
        {"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},
        {"role":"tool","tool_name":"f","content":"done","novelty":1},
        {"role":"critic","content":"x"}],
        "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]}"#;
    let reading = request(Dialect::OllamaChat, body);
    let image = Part::Image {
        media: Media {
            data_chars: Some(4),
            data_offset: body.find("QUJD").map(|at| at as u64),
            ..Media::default()
        },
    };
    let text = |text: &str| text_part(text.to_owned());
    let result = Part::ToolResult {
        call_id: None,
        name: Some("f".to_owned()),
        content: vec![text("done")],
        is_error: false,
        server: false,
    };
    let expect = [
        message(Role::System, vec![text("s")]),
        message(Role::User, vec![text("look"), image]),
        message(
            Role::Assistant,
            vec![thinking("hm"), call(None, "f", r#"{"a":1}"#)],
        ),
        message(
            Role::Tool,
            vec![result, other_part("novelty", json!(1).into())],
        ),
        Message {
            name: Some("critic".to_owned()),
            ..message(Role::Other, vec![text("x")])
        },
    ];
    assert_eq!(reading.messages, expect);
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(false))
    );
    let tool = reading.tools.first().unwrap();
    assert_eq!(
        (tool.name.as_str(), tool.description.as_deref()),
        ("f", Some("d"))
    );
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["options", "keep_alive", "format", "think"]);
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn a_prompt_and_its_images_are_one_message_in_any_order() {
    for body in [
        r#"{"model":"m","system":"s","prompt":"look","images":["QUJD"],"suffix":"x","raw":true}"#,
        r#"{"model":"m","system":"s","images":["QUJD"],"prompt":"look","suffix":"x","raw":true}"#,
    ] {
        let reading = request(Dialect::OllamaGenerate, body);
        let parts = &reading.messages.first().unwrap().parts;
        assert!(
            matches!(&parts[..], [Part::Text { text, .. }, Part::Image { .. }] if text == "look"),
            "{parts:?}"
        );
        assert_eq!(reading.messages.len(), 1);
        assert_eq!(reading.system, [text_part("s".to_owned())]);
        let kept: Vec<_> = reading.parameters.keys().collect();
        assert_eq!(kept, ["suffix", "raw"]);
    }
}

#[test]
fn what_is_empty_or_of_another_kind_is_a_parameter() {
    let body = r#"{"model":"m","prompt":"","images":[],"system":"","messages":"x"}"#;
    let reading = request(Dialect::OllamaGenerate, body);
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["prompt", "images", "system", "messages"]);
    assert_eq!(reading.messages, []);
    assert_eq!(reading.diagnostics.len(), 1);
}
