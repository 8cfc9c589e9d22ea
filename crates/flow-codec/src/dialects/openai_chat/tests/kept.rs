//! What has no place of its own is kept; what says nothing is not.

use super::*;

#[track_caller]
fn check_request(message: &Value, expect: &[Part]) {
    let reading = request(&json!({ "messages": [message] }));
    assert_eq!(reading.diagnostics, []);
    let parts = reading.messages.first().map(|message| &message.parts[..]);
    assert_eq!(parts, Some(expect), "{message}");
}

#[track_caller]
fn check_part(part: &Value, expect: &[Part]) {
    check_request(&json!({"role": "user", "content": [part]}), expect);
}

fn linked(url: &str) -> Media {
    Media {
        url: Some(url.to_owned()),
        ..Media::default()
    }
}

#[test]
fn members_of_a_message_that_mean_nothing_here_are_kept() {
    check_request(
        &json!({"role": "assistant", "content": "so", "prefix": true, "partial": 1, "novelty": {"a": 1}}),
        &[
            text("so"),
            other("prefix", json!(true)),
            other("partial", json!(1)),
            other("novelty", json!({"a": 1})),
        ],
    );
    check_request(
        &json!({"role": "assistant", "content": "so", "prefix": false, "annotations": [], "audio": null,
            "tool_calls": null, "novelty": {}, "refusal": "", "cache_control": null}),
        &[text("so")],
    );
    check_request(
        &json!({"role": "user", "content": "so", "name": 3}),
        &[text("so"), other("name", json!(3))],
    );
}

#[test]
fn annotations_belong_to_the_last_text() {
    let noted = Part::Text {
        text: "so".to_owned(),
        citations: vec![json!({"n": 1}).into()],
        cache: None,
    };
    check_request(
        &json!({"role": "assistant", "annotations": [{"n": 1}], "content": "so"}),
        &[noted],
    );
    check_request(
        &json!({"role": "assistant", "annotations": [{"n": 1}], "content": null}),
        &[other("annotations", json!([{"n": 1}]))],
    );
}

#[test]
fn reasoning_is_told_once_and_what_else_there_is_of_it_is_kept() {
    let details = json!([{"type": "reasoning.text", "text": "hm", "signature": "s"}]);
    check_request(
        &json!({"role": "assistant", "content": "so", "reasoning": "hm", "reasoning_content": "hm",
            "reasoning_details": details}),
        &[
            thinking("hm"),
            text("so"),
            other("reasoning_details", details.clone()),
        ],
    );
    check_request(
        &json!({"role": "assistant", "reasoning": {"effort": "low"}, "reasoning_content": "hm"}),
        &[thinking("hm"), other("reasoning", json!({"effort": "low"}))],
    );
    check_request(
        &json!({"role": "assistant", "reasoning_details": details}),
        &[thinking("hm"), other("reasoning_details", details.clone())],
    );
    check_message(
        &json!({"reasoning": "hm", "reasoning_details": details}),
        &[thinking("hm")],
    );
}

#[test]
fn a_tools_result_keeps_what_stands_beside_it() {
    let result = Part::ToolResult {
        call_id: Some("c1".to_owned()),
        name: Some("f".to_owned()),
        content: vec![text("no")],
        is_error: true,
        server: false,
    };
    check_request(
        &json!({"role": "tool", "tool_call_id": "c1", "name": "f", "content": "no", "is_error": true, "novelty": 1}),
        &[result, other("novelty", json!(1))],
    );
}

#[test]
fn parts_of_many_kinds_are_read() {
    let marked = Part::Text {
        text: "a".to_owned(),
        citations: vec![json!({"n": 1}).into()],
        cache: Some(json!({"ttl": "1h"}).into()),
    };
    check_part(
        &json!({"type": "text", "text": "a", "image_url": null, "annotations": [{"n": 1}],
            "prompt_cache_breakpoint": {"ttl": "1h"}, "novelty": 1}),
        &[marked, other("novelty", json!(1))],
    );
    let file = |media: Media, name: Option<&str>| Part::File {
        media,
        name: name.map(str::to_owned),
    };
    let pdf = "https://a.example/a.pdf";
    check_part(
        &json!({"type": "document_url", "document_url": pdf, "document_name": "a.pdf"}),
        &[file(linked(pdf), Some("a.pdf"))],
    );
    let stored = Media {
        file_id: Some("f1".to_owned()),
        ..Media::default()
    };
    check_part(
        &json!({"type": "file", "file_id": "f1"}),
        &[file(stored, None)],
    );
    let wav = "https://a.example/a.wav";
    let sound = Part::Audio {
        media: linked(wav),
        transcript: None,
        id: None,
    };
    check_part(
        &json!({"type": "input_audio", "input_audio": wav}),
        std::slice::from_ref(&sound),
    );
    check_part(
        &json!({"type": "audio_url", "audio_url": {"url": wav}}),
        &[sound],
    );
    let reference = json!({"type": "reference", "reference_ids": [1]});
    check_part(&reference, &[other("reference", reference.clone())]);
    let signed = Part::Thinking {
        text: "hm".to_owned(),
        signed: true,
        redacted: false,
    };
    check_part(
        &json!({"type": "thinking", "closed": true, "signature": "s", "thinking": [{"type": "text", "text": "hm"}]}),
        &[signed],
    );
    let image = Part::Image { media: linked(pdf) };
    check_part(
        &json!({"type": "image_url", "image_url": pdf, "cache_control": {"type": "ephemeral"}}),
        &[image, other("cache_control", json!({"type": "ephemeral"}))],
    );
}

#[test]
fn a_calls_extras_stand_behind_it_whole_and_in_streams() {
    let extra = json!({"google": {"thought_signature": "s"}});
    let expect = [
        call(Some("c1"), "f", "{}"),
        other("extra_content", extra.clone()),
        call(Some("c2"), "g", "{}"),
    ];
    let calls = json!([
        {"index": 0, "id": "c1", "type": "function", "extra_content": extra, "function": {"name": "f", "arguments": "{}"}},
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]);
    check_message(&json!({ "tool_calls": calls }), &expect);
    check_stream(&[delta(&json!({ "tool_calls": calls }))], &expect);
    let piece = |arguments: &str| json!({"tool_calls": [{"index": 0, "id": "c1", "extra_content": extra, "function": {"name": "f", "arguments": arguments}}]});
    check_stream(
        &[delta(&piece("{")), delta(&piece("}"))],
        expect.get(..2).unwrap(),
    );
}

#[test]
fn what_deltas_repeat_is_kept_once_at_the_end() {
    check_stream(
        &[
            delta(&json!({"role": "assistant", "name": "n", "content": "a", "channel": "x"})),
            delta(&json!({"content": "b", "channel": "x", "novelty": null})),
            delta(&json!({"content": "c", "channel": "y", "executed_tools": [{"type": "search"}]})),
        ],
        &[
            text("abc"),
            other("channel", json!("x")),
            other("channel", json!("y")),
            other("executed_tools", json!([{"type": "search"}])),
        ],
    );
    check_message(
        &json!({"content": "abc", "executed_tools": [{"type": "search"}]}),
        &[
            text("abc"),
            other("executed_tools", json!([{"type": "search"}])),
        ],
    );
}

#[test]
fn what_deltas_hold_beside_is_limited() {
    let chunks: Vec<Value> = (0..100).map(|n| delta(&json!({ "novelty": n }))).collect();
    let reading = stream(&chunks);
    let parts = &reading.choices.first().unwrap().message.parts;
    assert_eq!(parts.len(), 64);
}

#[test]
fn the_middle_is_filled_in_between_prompt_and_suffix() {
    let reading = request(&json!({"model": "m", "prompt": "fn a() {", "suffix": "}"}));
    let message = reading.messages.first().unwrap();
    assert_eq!(
        (message.role, &message.parts),
        (Role::User, &vec![text("fn a() {")])
    );
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["suffix"]);
}
