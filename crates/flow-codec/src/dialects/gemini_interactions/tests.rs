use std::fmt::Write as _;

use flow_model::{
    Dialect, Media, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
    Tokens,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ResponseDecoder;

fn response(body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::GeminiInteractions, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn events(events: &[Value]) -> String {
    let mut body = String::new();
    for event in events {
        let name = event.get("event_type").and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let done = write!(body, "event: {name}\r\ndata: {event}\r\n\r\n");
        assert_eq!(done, Ok(()));
    }
    body + "event: done\r\ndata: [DONE]\r\n\r\n"
}

fn usage() -> Value {
    json!({"total_tokens": 50, "total_input_tokens": 10, "total_cached_tokens": 4, "total_output_tokens": 8,
        "total_tool_use_tokens": 12, "total_thought_tokens": 20,
        "input_tokens_by_modality": [{"modality": "text", "tokens": 7}, {"modality": "audio", "tokens": 3}],
        "cached_tokens_by_modality": [{"modality": "audio", "tokens": 2}]})
}

fn created() -> Value {
    json!({"event_type": "interaction.created",
        "interaction": {"id": "v1_a", "status": "in_progress", "object": "interaction", "model": "g"}})
}

fn completed(status: &str) -> Value {
    json!({"event_type": "interaction.completed",
        "interaction": {"id": "v1_a", "status": status, "model": "g", "usage": usage(), "service_tier": "standard"}})
}

fn begin(index: u64, step: &Value) -> Value {
    json!({"event_type": "step.start", "index": index, "step": step})
}

fn grow(index: u64, delta: &Value) -> Value {
    json!({"event_type": "step.delta", "index": index, "delta": delta})
}

fn stop(index: u64) -> Value {
    json!({"event_type": "step.stop", "index": index})
}

fn stream(inner: &[Value]) -> ResponseReading {
    let all = [
        vec![created()],
        inner.to_vec(),
        vec![completed("completed")],
    ]
    .concat();
    response(&events(&all))
}

/// Reads a whole interaction with these steps.
fn whole(steps: &Value) -> ResponseReading {
    let body = json!({"id": "v1_a", "object": "interaction", "model": "g", "status": "completed", "steps": steps,
        "usage": usage(), "service_tier": "standard"});
    response(&body.to_string())
}

fn request(body: &Value) -> RequestReading {
    let body = body.to_string();
    let dialect = Dialect::GeminiInteractions;
    crate::read_request(dialect, "/v1beta/interactions", body.as_bytes())
}

fn parts(reading: &ResponseReading) -> Vec<Part> {
    let choice = reading.choices.first();
    choice.map_or_else(Vec::new, |choice| choice.message.parts.clone())
}

fn text(text: &str) -> Part {
    crate::dialects::text_part(text.to_owned())
}

fn other(name: &str, raw: &Value) -> Part {
    crate::dialects::other_part(name, raw.clone().into())
}

fn thinking(text: &str, signed: bool, redacted: bool) -> Part {
    Part::Thinking {
        text: text.to_owned(),
        signed,
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

/// Checks how a step is read in a whole interaction and in a stream that begins with all of it.
#[track_caller]
fn check_step(step: &Value, expect: &[Part]) {
    assert_eq!(parts(&whole(&json!([step]))), expect);
    let streamed = stream(&[begin(0, step), stop(0)]);
    assert_eq!(parts(&streamed), expect);
    assert_eq!(
        (streamed.outcome, streamed.diagnostics),
        (Outcome::Ok, vec![])
    );
}

#[track_caller]
fn check_stream(inner: &[Value], expect: &[Part]) {
    let reading = stream(inner);
    assert_eq!(
        (reading.outcome, &reading.diagnostics[..]),
        (Outcome::Ok, &[][..])
    );
    assert_eq!(parts(&reading), expect);
}

// === Steps ===

#[test]
fn an_answer_is_made_of_contents() {
    let note = json!({"start_index": 0, "source": "https://a.example"});
    let cited = Part::Text {
        text: "so".to_owned(),
        citations: vec![note.clone().into()],
        cache: None,
    };
    let linked = Part::Image {
        media: Media {
            mime: Some("image/png".to_owned()),
            url: Some("https://a.example/x".to_owned()),
            ..Media::default()
        },
    };
    check_step(
        &json!({"content": [{"text": "so", "annotations": [note], "type": "text"},
            {"type": "image", "uri": "https://a.example/x", "mime_type": "image/png"}], "type": "model_output"}),
        &[cited, linked],
    );
    check_step(&json!({"type": "model_output"}), &[]);
}

#[test]
fn thoughts_tell_whether_they_are_signed_or_withheld() {
    check_step(
        &json!({"type": "thought", "signature": "QQ"}),
        &[thinking("", true, true)],
    );
    check_step(
        &json!({"type": "thought", "signature": "QQ", "summary": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}),
        &[thinking("ab", true, false)],
    );
    check_step(&json!({"type": "thought"}), &[thinking("", false, false)]);
}

#[test]
fn calls_and_results_tell_who_runs_them() {
    check_step(
        &json!({"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}}),
        &[call("c", "f", "{\"a\":1}", false)],
    );
    check_step(
        &json!({"type": "google_search_call", "id": "c", "arguments": {"queries": ["q"]}, "signature": "QQ"}),
        &[call(
            "c",
            "google_search_call",
            "{\"queries\":[\"q\"]}",
            true,
        )],
    );
    check_step(
        &json!({"type": "mcp_server_tool_call", "id": "c", "name": "ask", "server_name": "s", "arguments": {}}),
        &[call("c", "ask", "{}", true)],
    );
    let hits = json!([{"url": "https://a.example"}]);
    check_step(
        &json!({"type": "google_search_result", "call_id": "c", "result": hits}),
        &[result(
            "c",
            vec![other("google_search_result", &hits)],
            true,
        )],
    );
    check_step(
        &json!({"type": "code_execution_result", "call_id": "c", "result": "42\n"}),
        &[result("c", vec![text("42\n")], true)],
    );
}

#[test]
fn what_the_user_said_is_not_the_models() {
    let step = json!({"type": "user_input", "content": [{"type": "text", "text": "hi"}]});
    check_step(&step, &[other("user_input", &step)]);
    let dream = json!({"type": "dream", "of": 1});
    check_step(&dream, &[other("dream", &dream)]);
}

#[test]
fn flat_outputs_are_read_like_steps() {
    let body = json!({"id": "v1_a", "status": "requires_action", "outputs": [
        {"type": "thought", "signature": "QQ"}, {"type": "text", "text": "hi"},
        {"type": "function_call", "id": "c", "name": "f", "arguments": {}}]});
    let reading = response(&body.to_string());
    assert_eq!(
        parts(&reading),
        [
            thinking("", true, true),
            text("hi"),
            call("c", "f", "{}", false)
        ]
    );
    let stop = reading.choices.first().and_then(|choice| choice.stop);
    assert_eq!(stop, Some(StopReason::ToolUse));
}

// === Whole ===

#[test]
fn counts_add_up() {
    let reading = whole(&json!([]));
    let found = crate::tokens(Dialect::GeminiInteractions, None, &reading);
    let expect = Tokens {
        input: Some(22),
        output: Some(28),
        cache_read: Some(4),
        reasoning: Some(20),
        input_audio: Some(3),
        cache_read_audio: Some(2),
        total: Some(50),
        ..Tokens::default()
    };
    assert_eq!(found, expect);
    assert_eq!(reading.service_tier.as_deref(), Some("standard"));
}

#[test]
fn an_agent_that_works_on_has_no_reason_to_stop() {
    let reading = response(r#"{"id":"v1_a","status":"in_progress","agent":"research"}"#);
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("in_progress"), None)
    );
    assert_eq!((reading.outcome, reading.model), (Outcome::Ok, None));
}

// === Streams ===

#[test]
fn increments_add_up_to_the_whole() {
    let steps = json!([
        {"type": "thought", "signature": "QQ", "summary": [{"type": "text", "text": "hm, 天"}]},
        {"type": "model_output", "content": [{"type": "text", "text": "a🦀b", "annotations": [{"start_index": 0}]}]},
        {"type": "function_call", "id": "c", "name": "f", "arguments": {"x": 1}},
    ]);
    let summary =
        |text: &str| json!({"type": "thought_summary", "content": {"type": "text", "text": text}});
    let streamed = stream(&[
        begin(0, &json!({"type": "thought"})),
        grow(0, &summary("hm, ")),
        grow(0, &summary("天")),
        grow(0, &json!({"type": "thought_signature", "signature": "QQ"})),
        stop(0),
        begin(1, &json!({"type": "model_output"})),
        grow(1, &json!({"text": "a", "type": "text"})),
        grow(1, &json!({"text": "🦀b", "type": "text"})),
        grow(
            1,
            &json!({"type": "text_annotation_delta", "annotations": [{"start_index": 0}]}),
        ),
        begin(
            2,
            &json!({"type": "function_call", "id": "c", "name": "f", "arguments": {}}),
        ),
        grow(
            2,
            &json!({"type": "arguments_delta", "partial_arguments": "{\"x\":"}),
        ),
        grow(
            2,
            &json!({"type": "arguments_delta", "partial_arguments": "1}"}),
        ),
    ]);
    let told = whole(&steps);
    assert_eq!(streamed.choices, told.choices);
    assert_eq!(streamed.usage, told.usage);
    assert_eq!(
        (streamed.id.as_deref(), streamed.ttft_us),
        (Some("v1_a"), Some(1))
    );
}

#[test]
fn the_older_events_are_read_alike() {
    let old = |kind: &str, index: u64, member: &str, value: Value| json!({"event_type": kind, "index": index, member: value});
    let all = [
        json!({"event_type": "interaction.start", "interaction": {"id": "v1_a", "status": "in_progress"}}),
        old("content.start", 0, "content", json!({"type": "text"})),
        old(
            "content.delta",
            0,
            "delta",
            json!({"type": "text", "text": "hi"}),
        ),
        old(
            "content.start",
            1,
            "content",
            json!({"type": "function_call"}),
        ),
        old(
            "content.delta",
            1,
            "delta",
            json!({"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}}),
        ),
        json!({"event_type": "interaction.complete", "interaction": {"id": "v1_a", "status": "requires_action"}}),
    ];
    let reading = response(&events(&all));
    assert_eq!(
        parts(&reading),
        [text("hi"), call("c", "f", "{\"a\":1}", false)]
    );
    assert_eq!(reading.outcome, Outcome::Ok);
}

#[test]
fn increments_without_a_beginning_and_steps_side_by_side_are_read() {
    check_stream(
        &[
            grow(1, &json!({"type": "text", "text": "b"})),
            grow(0, &json!({"type": "text", "text": "a"})),
        ],
        &[text("a"), text("b")],
    );
    check_stream(
        &[grow(
            0,
            &json!({"type": "thought_signature", "signature": "QQ"}),
        )],
        &[thinking("", true, true)],
    );
}

#[test]
fn calls_of_the_provider_come_whole() {
    let hits = json!(["x"]);
    check_stream(
        &[
            begin(0, &json!({"type": "google_search_call", "id": "c"})),
            grow(
                0,
                &json!({"type": "google_search_call", "arguments": {"queries": ["q"]}}),
            ),
            begin(1, &json!({"type": "google_search_result", "call_id": "c"})),
            grow(
                1,
                &json!({"type": "google_search_result", "call_id": "c", "result": hits}),
            ),
        ],
        &[
            call("c", "google_search_call", "{\"queries\":[\"q\"]}", true),
            result("c", vec![other("google_search_result", &hits)], true),
        ],
    );
}

#[test]
fn sound_in_pieces_is_one_part_and_images_are_several() {
    let piece = |kind: &str| {
        grow(
            0,
            &json!({"type": kind, "data": "AAAA", "mime_type": "x/y"}),
        )
    };
    let sound = parts(&stream(&[piece("audio"), piece("audio")]));
    assert!(matches!(&sound[..], [Part::Audio { media, .. }]
        if media.data_chars == Some(8) && media.data_offset.is_none() && media.mime.is_some()));
    let one = parts(&stream(&[piece("audio")]));
    assert!(matches!(&one[..], [Part::Audio { media, .. }] if media.data_offset.is_some()));
    let images = parts(&stream(&[piece("image"), piece("image")]));
    assert!(matches!(
        &images[..],
        [Part::Image { .. }, Part::Image { .. }]
    ));
}

#[test]
fn steps_may_come_at_the_end_only() {
    let last = json!({"event_type": "interaction.completed", "interaction": {"id": "", "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "hi"}]}]}});
    let reading = response(&events(&[created(), last.clone()]));
    assert_eq!(
        (parts(&reading), reading.id.as_deref()),
        (vec![text("hi")], Some(""))
    );
    let both = response(&events(&[
        created(),
        grow(0, &json!({"type": "text", "text": "hi"})),
        last,
    ]));
    assert_eq!(parts(&both), [text("hi")]);
}

#[test]
fn a_stream_ends_with_a_status() {
    let check = |last: Value, outcome: Outcome, word: &str, stop: Option<StopReason>| {
        let all = [
            created(),
            grow(0, &json!({"type": "text", "text": "a"})),
            last,
        ];
        let reading = response(&events(&all));
        let choice = reading.choices.first().unwrap();
        assert_eq!(reading.outcome, outcome);
        assert_eq!(
            (choice.stop_reason.as_deref(), choice.stop),
            (Some(word), stop)
        );
        assert_eq!(choice.message.parts, [text("a")]);
    };
    check(
        completed("completed"),
        Outcome::Ok,
        "completed",
        Some(StopReason::Stop),
    );
    check(
        completed("incomplete"),
        Outcome::Ok,
        "incomplete",
        Some(StopReason::Length),
    );
    check(
        completed("cancelled"),
        Outcome::Ok,
        "cancelled",
        Some(StopReason::Other),
    );
    let update = json!({"event_type": "interaction.status_update", "interaction_id": "v1_a", "status": "failed"});
    check(update, Outcome::Ok, "failed", Some(StopReason::Other));
    check(stop(0), Outcome::StreamTruncated, "in_progress", None);
    let error = json!({"event_type": "error", "error": {"code": "internal", "message": "x"}});
    check(error, Outcome::StreamError, "in_progress", None);
}

// === Requests ===

#[test]
fn input_is_one_turn_or_several() {
    let user = |parts: Vec<Part>| Message {
        role: Role::User,
        name: None,
        parts,
    };
    let hi = json!({"type": "text", "text": "hi"});
    let asked = |input: Value| request(&json!({"input": input})).messages;
    assert_eq!(asked(json!("hi")), [user(vec![text("hi")])]);
    assert_eq!(asked(hi.clone()), [user(vec![text("hi")])]);
    assert_eq!(asked(json!([hi, hi])), [user(vec![text("hi"), text("hi")])]);
    let turns = json!([{"role": "user", "content": "hi"}, {"role": "model", "content": [hi]}]);
    let answer = Message {
        role: Role::Assistant,
        ..user(vec![text("hi")])
    };
    assert_eq!(asked(turns), [user(vec![text("hi")]), answer.clone()]);
    let steps = json!([{"type": "user_input", "content": [hi]}, {"type": "model_output", "content": [hi]},
        {"type": "function_result", "call_id": "c", "result": [hi]}]);
    let returned = Message {
        role: Role::Tool,
        ..user(vec![result("c", vec![text("hi")], false)])
    };
    assert_eq!(asked(steps), [user(vec![text("hi")]), answer, returned]);
}

#[test]
fn every_member_has_a_place() {
    let asked = request(
        &json!({"agent": "research", "input": "hi", "stream": false, "system_instruction": "be brief",
        "generation_config": {"temperature": 0}, "background": true, "tools": [
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
            {"type": "google_search"}, {"type": "mcp_server", "name": "s", "url": "https://a.example"}, {"type": "computer_use"}]}),
    );
    assert_eq!(
        (asked.model.as_deref(), asked.stream),
        (Some("research"), Some(false))
    );
    assert_eq!(asked.system, [text("be brief")]);
    let names: Vec<&str> = asked.parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["agent", "generation_config", "background"]);
    let tools: Vec<(&str, bool)> = asked
        .tools
        .iter()
        .map(|tool| (tool.name.as_str(), tool.server))
        .collect();
    assert_eq!(
        tools,
        [
            ("f", false),
            ("google_search", true),
            ("mcp_server", true),
            ("computer_use", false)
        ]
    );
    assert_eq!(asked.diagnostics, []);
    let odd = request(&json!({"input": 5}));
    assert_eq!((odd.diagnostics.len(), odd.parameters.len()), (1, 1));
}

proptest! {
    #[test]
    fn any_prefix_gives_a_beginning(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let inner = [
            begin(0, &json!({"type": "thought", "signature": "QQ"})),
            grow(1, &json!({"type": "text", "text": "天"})),
            grow(2, &json!({"type": "audio", "data": "AAAA"})),
        ];
        let all = [vec![created()], inner.to_vec(), vec![completed("completed")]].concat();
        let mut body = events(&all).into_bytes();
        let at = at.index(body.len());
        let mut decoder = ResponseDecoder::new(Dialect::GeminiInteractions, 200, &[]);
        decoder.push(body.get(..at).unwrap_or_default(), 1);
        let live = decoder.snapshot();
        decoder.push(body.get(at..).unwrap_or_default(), 1);
        let end = decoder.finish(true);
        prop_assert!(parts(&live).len() <= parts(&end).len());
        prop_assert_eq!(end, response(&events(&all)));
        body[at] = byte;
        response(&String::from_utf8_lossy(&body));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        response(&String::from_utf8_lossy(&bytes));
        crate::read_request(Dialect::GeminiInteractions, "/", &bytes);
    }
}
