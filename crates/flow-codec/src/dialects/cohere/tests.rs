use flow_model::{
    Dialect, Message, Outcome, Part, RequestReading, ResponseReading, Role, StopReason,
};
use serde_json::{Value, json};

use crate::ResponseDecoder;
use crate::dialects::{other_part, text_part};

fn read(dialect: Dialect, body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn whole(body: &Value) -> ResponseReading {
    read(Dialect::CohereChat, &body.to_string())
}

fn lines(events: &[Value]) -> ResponseReading {
    lines_of(Dialect::CohereChat, events)
}

fn generate(events: &[Value]) -> ResponseReading {
    lines_of(Dialect::CohereGenerate, events)
}

fn lines_of(dialect: Dialect, events: &[Value]) -> ResponseReading {
    let events = events.iter().map(|event| format!("{event}\n"));
    read(dialect, &events.collect::<String>())
}

fn events(events: &[Value]) -> ResponseReading {
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    let body = events.collect::<String>() + "data: [DONE]\n\n";
    read(Dialect::CohereChat, &body)
}

fn request(body: &Value) -> RequestReading {
    crate::read_request(Dialect::CohereChat, "/v2/chat", body.to_string().as_bytes())
}

fn parts(reading: &ResponseReading) -> &[Part] {
    let first = reading.choices.first();
    first.map_or(&[], |choice| &choice.message.parts)
}

fn text(text: &str) -> Part {
    text_part(text.to_owned())
}

fn cited(text: &str, citations: &[Value]) -> Part {
    Part::Text {
        text: text.to_owned(),
        citations: citations.iter().cloned().map(Into::into).collect(),
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
    other_part(name, raw.into())
}

fn result(id: Option<&str>, name: Option<&str>, content: Vec<Part>) -> Part {
    Part::ToolResult {
        call_id: id.map(str::to_owned),
        name: name.map(str::to_owned),
        content,
        is_error: false,
        server: false,
    }
}

#[track_caller]
fn check_turns(reading: &RequestReading, expect: &[(Role, Vec<Part>)]) {
    let found: Vec<(Role, Vec<Part>)> = reading
        .messages
        .iter()
        .map(|message| (message.role, message.parts.clone()))
        .collect();
    assert_eq!(found, expect);
    assert_eq!(reading.diagnostics, []);
}

// === The second version ===

#[test]
fn reads_a_whole_message() {
    let reading = whole(
        &json!({"id": "r1", "finish_reason": "TOOL_CALL", "message": {"role": "assistant",
        "tool_plan": "I will look.", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}, {"type": "novelty", "x": 1}],
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}}],
        "citations": [{"start": 0, "content_index": 1}, {"start": 1}]},
        "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 1}, "tokens": {"input_tokens": 9.0, "output_tokens": 4}, "cached_tokens": 2}}),
    );
    let expect = [
        other("tool_plan", json!("I will look.")),
        thinking("hm"),
        cited("a", &[json!({"start": 0, "content_index": 1})]),
        cited("b", &[json!({"start": 1})]),
        other("novelty", json!({"type": "novelty", "x": 1})),
        call(Some("c1"), "f", "{\"a\": 1}"),
    ];
    assert_eq!(parts(&reading), expect);
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.stop, Some(StopReason::ToolUse));
    let usage = reading.usage.unwrap();
    assert_eq!(
        (usage.input, usage.output, usage.cache_read),
        (Some(9), Some(4), Some(2))
    );
    assert_eq!((reading.id.as_deref(), reading.model), (Some("r1"), None));
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn events_say_what_the_whole_message_would() {
    let message = |kind: &str, index: u64, message: Value| json!({"type": kind, "index": index, "delta": {"message": message}});
    let streamed = events(&[
        json!({"id": "r1", "type": "message-start", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}}),
        message("tool-plan-delta", 0, json!({"tool_plan": "I will"})),
        message("tool-plan-delta", 0, json!({"tool_plan": " look."})),
        message(
            "content-start",
            0,
            json!({"content": {"type": "thinking", "thinking": ""}}),
        ),
        message("content-delta", 0, json!({"content": {"thinking": "hm"}})),
        json!({"type": "content-end", "index": 0}),
        message(
            "content-start",
            1,
            json!({"content": {"type": "text", "text": ""}}),
        ),
        message("content-delta", 1, json!({"content": {"text": "a"}})),
        message(
            "content-start",
            2,
            json!({"content": {"type": "text", "text": ""}}),
        ),
        message("content-delta", 2, json!({"content": {"text": "b"}})),
        message(
            "citation-start",
            0,
            json!({"citations": {"start": 0, "content_index": 1}}),
        ),
        json!({"type": "citation-end", "index": 0}),
        message(
            "tool-call-start",
            0,
            json!({"tool_calls": {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}}),
        ),
        message(
            "tool-call-delta",
            0,
            json!({"tool_calls": {"function": {"arguments": "{\"a\""}}}),
        ),
        message(
            "tool-call-start",
            1,
            json!({"tool_calls": {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}}}),
        ),
        message(
            "tool-call-delta",
            0,
            json!({"tool_calls": {"function": {"arguments": ": 1}"}}}),
        ),
        json!({"type": "debug", "prompt": "x"}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 9}}}}),
    ]);
    let whole = whole(
        &json!({"id": "r1", "finish_reason": "TOOL_CALL", "message": {
        "tool_plan": "I will look.", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{\"a\": 1}"}}, {"id": "c2", "function": {"name": "g", "arguments": ""}}],
        "citations": [{"start": 0, "content_index": 1}]},
        "usage": {"tokens": {"input_tokens": 9}}}),
    );
    assert_eq!(streamed.choices, whole.choices);
    assert_eq!((&streamed.usage, &streamed.id), (&whole.usage, &whole.id));
    assert_eq!(streamed.outcome, Outcome::Ok);
    assert_eq!(streamed.diagnostics, []);
}

#[test]
fn the_events_name_stands_for_a_missing_type() {
    let body = "event: content-delta\ndata: {\"delta\":{\"message\":{\"content\":{\"text\":\"a\"}}}}\n\n\
                event: message-end\ndata: {\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n";
    let mut decoder = ResponseDecoder::new(Dialect::CohereChat, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    let reading = decoder.finish(false);
    assert_eq!(reading.outcome, Outcome::Ok);
    assert_eq!(parts(&reading), [text("a")]);
}

#[test]
fn an_error_at_the_end_keeps_what_came_before() {
    let reading = events(&[
        json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "so far"}}}}),
        json!({"type": "message-end", "delta": {"error": "boom", "finish_reason": "ERROR"}}),
    ]);
    assert_eq!(reading.outcome, Outcome::StreamError);
    assert_eq!(parts(&reading), [text("so far")]);
    let error = reading.error.unwrap();
    assert_eq!(error.message.as_deref(), Some("boom"));
}

#[test]
fn reads_a_request_with_every_role() {
    let reading = request(
        &json!({"model": "m", "stream": true, "temperature": 0, "documents": ["d"], "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]},
        {"role": "assistant", "tool_plan": "I will.", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "document", "document": {"id": "1", "data": "x"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so"}], "citations": [{"start": 0}]},
    ], "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}),
    );
    let image = Part::Image {
        media: flow_model::Media {
            url: Some("https://a.example/x.png".to_owned()),
            ..flow_model::Media::default()
        },
    };
    let document = json!({"type": "document", "document": {"id": "1", "data": "x"}});
    check_turns(
        &reading,
        &[
            (Role::System, vec![text("s")]),
            (Role::User, vec![text("look"), image]),
            (
                Role::Assistant,
                vec![
                    other("tool_plan", json!("I will.")),
                    call(Some("c1"), "f", "{}"),
                ],
            ),
            (
                Role::Tool,
                vec![result(Some("c1"), None, vec![other("document", document)])],
            ),
            (
                Role::Assistant,
                vec![thinking("hm"), cited("so", &[json!({"start": 0})])],
            ),
        ],
    );
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["temperature", "documents"]);
    let tool = reading.tools.first().unwrap();
    assert_eq!(tool.schema, Some(json!({"type": "object"}).into()));
}

// === The first version ===

#[test]
fn reads_a_whole_answer_of_the_first_version() {
    let reading = whole(
        &json!({"response_id": "r1", "generation_id": "g1", "text": "hi", "finish_reason": "COMPLETE",
        "tool_calls": [{"name": "f", "parameters": {"a": 1}}], "citations": [{"start": 0}],
        "documents": [{"id": "d"}], "search_queries": [], "chat_history": [{"role": "USER", "message": "x"}],
        "meta": {"api_version": {"version": "1"}, "billed_units": {"input_tokens": 7, "output_tokens": 2}}}),
    );
    let expect = [
        other("documents", json!([{"id": "d"}])),
        cited("hi", &[json!({"start": 0})]),
        call(None, "f", "{\"a\":1}"),
    ];
    assert_eq!(parts(&reading), expect);
    assert_eq!(reading.id.as_deref(), Some("r1"));
    let choice = reading.choices.first().unwrap();
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("COMPLETE"), Some(StopReason::ToolUse))
    );
    let usage = reading.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(7), Some(2)));
    let bare = whole(&json!({"text": "x", "meta": {"api_version": {"version": "1"}}}));
    assert_eq!(bare.usage, None);
}

#[test]
fn lines_say_what_the_whole_answer_would() {
    let event = |kind: &str, members: Value| {
        let mut event = json!({"is_finished": kind == "stream-end", "event_type": kind});
        if let (Value::Object(event), Value::Object(members)) = (&mut event, members) {
            event.extend(members);
        }
        event
    };
    let response = json!({"response_id": "r1", "generation_id": "g1", "text": "hi", "finish_reason": "COMPLETE",
        "citations": [{"start": 0}], "tool_calls": [{"name": "f", "parameters": {"a": 1}}, {"name": "g", "parameters": {}}],
        "meta": {"tokens": {"input_tokens": 7, "output_tokens": 2}}});
    let before = [
        event("stream-start", json!({"generation_id": "g1"})),
        event("text-generation", json!({"text": "h"})),
        event("text-generation", json!({"text": "i"})),
        event("citation-generation", json!({"citations": [{"start": 0}]})),
        event(
            "tool-calls-chunk",
            json!({"tool_call_delta": {"index": 0, "name": "f"}}),
        ),
        event(
            "tool-calls-chunk",
            json!({"tool_call_delta": {"index": 0, "parameters": "{\n  \"a\": 1\n}"}}),
        ),
        event(
            "tool-calls-generation",
            json!({"text": "hi", "tool_calls": [{"name": "f", "parameters": {"a": 1}}, {"name": "g", "parameters": {}}]}),
        ),
    ];
    let end = event(
        "stream-end",
        json!({"finish_reason": "COMPLETE", "response": response}),
    );
    let whole = whole(&response);
    for told in [&before[..], &before[..1]] {
        let streamed = lines(&[told, std::slice::from_ref(&end)].concat());
        assert_eq!(streamed.choices, whole.choices);
        assert_eq!((&streamed.usage, &streamed.id), (&whole.usage, &whole.id));
        assert_eq!(
            (streamed.outcome, &streamed.diagnostics),
            (Outcome::Ok, &vec![])
        );
    }
    let cut = lines(&before);
    assert_eq!(cut.id.as_deref(), Some("g1"));
    assert_eq!(
        cut.choices.first().map(|choice| &choice.message),
        whole.choices.first().map(|choice| &choice.message)
    );
}

#[test]
fn searches_come_before_the_text() {
    let reading = lines(&[
        json!({"event_type": "search-queries-generation", "search_queries": [{"text": "q"}]}),
        json!({"event_type": "search-results", "documents": [{"id": "d"}], "search_results": [{"n": 1}]}),
        json!({"event_type": "text-generation", "text": "hi"}),
        json!({"event_type": "stream-end", "response": {"text": "hi", "documents": [{"id": "d"}]}}),
    ]);
    let expect = [
        other("search_queries", json!([{"text": "q"}])),
        other("search_results", json!([{"n": 1}])),
        other("documents", json!([{"id": "d"}])),
        text("hi"),
    ];
    assert_eq!(parts(&reading), expect);
}

#[test]
fn generate_gives_several_answers() {
    let end = json!({"id": "r1", "prompt": "p", "meta": {"billed_units": {"input_tokens": 7}}, "generations": [
        {"id": "a", "text": "x", "finish_reason": "COMPLETE"}, {"id": "b", "text": "y", "finish_reason": "MAX_TOKENS"}]});
    let whole = read(Dialect::CohereGenerate, &end.to_string());
    let found: Vec<_> = whole
        .choices
        .iter()
        .map(|choice| (choice.message.parts.clone(), choice.stop))
        .collect();
    let expect = [
        (vec![text("x")], Some(StopReason::Stop)),
        (vec![text("y")], Some(StopReason::Length)),
    ];
    assert_eq!(found, expect);
    let streamed = generate(&[
        json!({"text": "x", "index": 0, "is_finished": false}),
        json!({"text": "y", "index": 1, "is_finished": false, "event_type": "text-generation"}),
        json!({"is_finished": true, "event_type": "stream-end", "response": end}),
    ]);
    assert_eq!(streamed.choices, whole.choices);
    assert_eq!((&streamed.id, &streamed.usage), (&whole.id, &whole.usage));
}

#[test]
fn the_history_comes_before_what_is_said_now() {
    let reading = request(
        &json!({"message": "now", "model": "m", "preamble": "s", "connectors": [{"id": "web"}],
        "chat_history": [
            {"role": "User", "message": "then"},
            {"role": "CHATBOT", "message": "", "tool_calls": [{"name": "f", "parameters": {"a": 1}}]},
            {"role": "TOOL", "tool_results": [{"call": {"name": "f", "parameters": {"a": 1}}, "outputs": [{"b": 2}, "c"]}]},
            {"role": "narrator", "message": "x"}],
        "tool_results": [{"call": {"name": "g"}, "outputs": []}],
        "tools": [{"name": "f", "description": "d", "parameter_definitions": {"a": {"type": "int"}}}]}),
    );
    let found = result(None, Some("f"), vec![text("{\"b\":2}"), text("c")]);
    check_turns(
        &reading,
        &[
            (Role::User, vec![text("then")]),
            (Role::Assistant, vec![call(None, "f", "{\"a\":1}")]),
            (Role::Tool, vec![call(None, "f", "{\"a\":1}"), found]),
            (Role::Other, vec![text("x")]),
            (Role::User, vec![text("now")]),
            (
                Role::Tool,
                vec![call(None, "g", ""), result(None, Some("g"), vec![])],
            ),
        ],
    );
    let narrator: Option<&Message> = reading.messages.get(3);
    assert_eq!(
        narrator.and_then(|message| message.name.as_deref()),
        Some("narrator")
    );
    assert_eq!(reading.system, [text("s")]);
    let tool = reading.tools.first().unwrap();
    assert_eq!(tool.schema, Some(json!({"a": {"type": "int"}}).into()));
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["connectors"]);
}
