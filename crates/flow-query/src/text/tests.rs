use serde_json::json;

use super::*;

fn reading() -> Reading {
    let text = |text: &str| json!({"kind": "text", "text": text});
    let nested =
        json!({"kind": "tool_result", "is_error": false, "content": [text("listed"), text("")]});
    let mut reading = Reading::default();
    reading.request.system = vec![part(text("be brief"))];
    reading.request.messages = vec![
        message("system", &[text("be kind")]),
        message(
            "user",
            &[
                text("hello"),
                json!({"kind": "image", "media": {"url": "https://x"}}),
            ],
        ),
        message(
            "assistant",
            &[
                json!({"kind": "thinking", "text": "hm", "signed": true, "redacted": false}),
                json!({"kind": "thinking", "text": "", "signed": false, "redacted": true}),
                text("hi"),
                json!({"kind": "tool_call", "name": "ls", "arguments": "{\"path\":\"/\"}"}),
            ],
        ),
        message("tool", &[nested.clone(), text("bare")]),
        message(
            "other",
            &[
                json!({"kind": "other", "name": "blob", "raw": "AAAA"}),
                text("odd"),
            ],
        ),
    ];
    let answer = message(
        "assistant",
        &[
            json!({"kind": "thinking", "text": "so", "signed": false, "redacted": false}),
            text("done"),
            json!({"kind": "refusal", "text": "no"}),
            json!({"kind": "audio", "media": {}, "transcript": "spoken"}),
            json!({"kind": "tool_call", "name": "rm", "arguments": "{}"}),
            nested,
        ],
    );
    reading.response = serde_json::from_value(json!({
        "outcome": "ok", "streamed": false, "events": 0, "id": null, "model": null,
        "usage": null, "usage_raw": null, "ttft_us": null,
        "choices": [{"index": 0, "message": answer, "stop_reason": null, "stop": null}],
        "error": {"message": "too long", "type": "invalid_request_error", "code": null,
            "status": null, "class": null, "fault": null, "retryable": null, "retry_after_us": null},
    }))
    .unwrap();
    reading
}

fn part(part: serde_json::Value) -> Part {
    serde_json::from_value(part).unwrap()
}

fn message(role: &str, parts: &[serde_json::Value]) -> Message {
    serde_json::from_value(json!({"role": role, "parts": parts})).unwrap()
}

#[test]
fn every_text_has_its_kind() {
    let reading = reading();
    let asked: Vec<_> = parts(&reading.request).collect();
    let expect = [
        (TextKind::System, "be brief"),
        (TextKind::System, "be kind"),
        (TextKind::User, "hello"),
        (TextKind::Thinking, "hm"),
        (TextKind::Assistant, "hi"),
        (TextKind::ToolArguments, "{\"path\":\"/\"}"),
        (TextKind::ToolResult, "listed"),
        (TextKind::ToolResult, "bare"),
        (TextKind::User, "odd"),
    ];
    assert_eq!(asked, expect);
    let answered: Vec<_> = answer_parts(&reading.response).collect();
    let expect = [
        (TextKind::AnswerThinking, "so"),
        (TextKind::Answer, "done"),
        (TextKind::Answer, "no"),
        (TextKind::Answer, "spoken"),
        (TextKind::AnswerToolArguments, "{}"),
        (TextKind::AnswerToolArguments, "listed"),
        (TextKind::Error, "too long"),
        (TextKind::Error, "invalid_request_error"),
    ];
    assert_eq!(answered, expect);
}

#[test]
fn only_what_earlier_flows_did_not_bring_is_new() {
    let reading = reading();
    let check = |known: usize, text: &str, expect: bool| {
        let texts = Texts::after(&reading, known);
        let needle = Needle::new(text).unwrap();
        assert!(texts.hold(Scope::Content, &needle), "{text}");
        assert_eq!(texts.hold(Scope::New, &needle), expect, "{known} {text}");
    };
    check(0, "be brief", true);
    check(0, "hello", true);
    check(2, "be brief", false);
    check(2, "hello", false);
    check(2, "hi", true);
    check(5, "odd", false);
    check(5, "done", true);
}

#[test]
fn results_within_results_are_bounded() {
    let mut deep = json!({"kind": "text", "text": "deep"});
    for _ in 0..=RESULT_DEPTH_MAX {
        deep = json!({"kind": "tool_result", "is_error": false, "content": [deep]});
    }
    let request = RequestReading {
        messages: vec![message("tool", &[deep])],
        ..RequestReading::default()
    };
    assert_eq!(parts(&request).count(), 0);
}

#[test]
fn numbers_fit_four_bits() {
    for (number, kind) in TextKind::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(kind.number()), number);
        assert_eq!(TextKind::from_number(kind.number()), Some(kind));
        assert!(kind.number() < 16);
    }
    assert_eq!(TextKind::from_number(10), None);
}
