use flow_model::{
    Choice, Dialect, Media, Message, Outcome, Part, Raw, RequestReading, ResponseReading, Role,
    StopReason, WireUsage,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::ResponseDecoder;
use crate::frames::encode::{event, exception};

fn response(pieces: &[&[u8]], complete: bool) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::BedrockConverse, 200, &[]);
    for piece in pieces {
        decoder.push(piece, 1);
    }
    decoder.finish(complete)
}

fn whole(body: &Value) -> ResponseReading {
    response(&[body.to_string().as_bytes()], true)
}

fn frames(events: &[(&str, Value)]) -> Vec<u8> {
    let framed = events
        .iter()
        .map(|(name, data)| event(name, &data.to_string()));
    framed.collect::<Vec<_>>().concat()
}

fn stream(events: &[(&str, Value)]) -> ResponseReading {
    response(&[&frames(events)], true)
}

fn request(body: &Value) -> RequestReading {
    let path = "/model/us.anthropic.claude-x-v1%3A0/converse-stream?x=1";
    crate::read_request(Dialect::BedrockConverse, path, body.to_string().as_bytes())
}

fn text(text: &str) -> Part {
    crate::dialects::text_part(text.to_owned())
}

fn only(reading: &ResponseReading) -> &Choice {
    let [choice] = &reading.choices[..] else {
        panic!("not one choice: {:?}", reading.choices);
    };
    choice
}

fn delta(index: u64, delta: &Value) -> (&'static str, Value) {
    let data = json!({"contentBlockIndex": index, "delta": delta, "p": "abcd"});
    ("contentBlockDelta", data)
}

fn answer_events() -> Vec<(&'static str, Value)> {
    let tool = json!({"toolUse": {"toolUseId": "t1", "name": "f"}});
    vec![
        ("messageStart", json!({"role": "assistant", "p": "ab"})),
        delta(0, &json!({"reasoningContent": {"text": "h"}})),
        delta(0, &json!({"reasoningContent": {"text": "m天"}})),
        delta(0, &json!({"reasoningContent": {"signature": "s"}})),
        ("contentBlockStop", json!({"contentBlockIndex": 0})),
        delta(1, &json!({"citation": {"title": "c"}})),
        delta(1, &json!({"text": "a"})),
        delta(1, &json!({"text": "b"})),
        (
            "contentBlockStart",
            json!({"contentBlockIndex": 2, "start": tool}),
        ),
        delta(2, &json!({"toolUse": {"input": "{\"x\""}})),
        delta(2, &json!({"toolUse": {"input": ":1}"}})),
        ("contentBlockStop", json!({"contentBlockIndex": 2})),
        ("messageStop", json!({"stopReason": "tool_use"})),
        (
            "metadata",
            json!({"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
                "metrics": {"latencyMs": 9}, "serviceTier": {"type": "flex"},
                "trace": {"promptRouter": {"invokedModelId": "m"}}}),
        ),
    ]
}

// === Whole responses ===

#[test]
fn a_stream_says_what_the_whole_answer_would() {
    let body = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "hm天", "signature": "s"}}},
            {"citationsContent": {"content": [{"text": "a"}, {"text": "b"}], "citations": [{"title": "c"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"x": 1}}},
        ]}},
        "stopReason": "tool_use",
        "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        "serviceTier": {"type": "flex"},
        "trace": {"promptRouter": {"invokedModelId": "m"}},
    });
    let (one, other) = (whole(&body), stream(&answer_events()));
    assert_eq!(one.choices, other.choices);
    let parts = [
        Part::Thinking {
            text: "hm天".to_owned(),
            signed: true,
            redacted: false,
        },
        Part::Text {
            text: "ab".to_owned(),
            citations: vec![Raw::new(r#"{"title":"c"}"#)],
            cache: None,
        },
        Part::ToolCall {
            id: Some("t1".to_owned()),
            name: "f".to_owned(),
            arguments: r#"{"x":1}"#.to_owned(),
            server: false,
        },
    ];
    assert_eq!(only(&one).message.parts, parts);
    assert_eq!(only(&one).stop, Some(StopReason::ToolUse));
    for reading in [one, other] {
        assert_eq!(reading.outcome, Outcome::Ok);
        assert_eq!(reading.model.as_deref(), Some("m"));
        assert_eq!(reading.service_tier.as_deref(), Some("flex"));
        assert_eq!(reading.usage.and_then(|usage| usage.total), Some(5));
        assert_eq!(reading.diagnostics, []);
    }
}

#[test]
fn the_cache_has_two_names() {
    let check = |usage: &Value, expect: [Option<u64>; 2]| {
        let found = crate::dialects::usage(Dialect::BedrockConverse, &usage.clone().into());
        assert_eq!([found.cache_read, found.cache_write], expect, "{usage}");
    };
    check(
        &json!({"cacheReadInputTokens": 0, "cacheWriteInputTokens": 7}),
        [Some(0), Some(7)],
    );
    check(
        &json!({"cacheReadInputTokenCount": 4, "cacheWriteInputTokenCount": 0}),
        [Some(4), None],
    );
    check(&json!({"inputTokens": 1}), [None, None]);
}

#[test]
fn tools_of_the_provider_are_told_apart() {
    let body = json!({"output": {"message": {"content": [
        {"toolUse": {"toolUseId": "s", "name": "search", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "type": "search_result", "status": "error", "content": [{"text": "x"}]}},
    ]}}, "stopReason": "end_turn"});
    let reading = whole(&body);
    let [call, result] = &only(&reading).message.parts[..] else {
        panic!("not two parts");
    };
    assert!(matches!(call, Part::ToolCall { server: true, .. }));
    let expect = Part::ToolResult {
        call_id: Some("s".to_owned()),
        name: None,
        content: vec![text("x")],
        is_error: true,
        server: true,
    };
    assert_eq!(result, &expect);
    // What the provider called is no reason for the client to act.
    assert_eq!(only(&reading).stop, Some(StopReason::Stop));
}

#[test]
fn sources_may_stand_behind_the_text() {
    let body = json!({"output": {"message": {"content": [
        {"text": "a"},
        {"citationsContent": {"citations": [{"location": {"web": {"url": "u"}}}]}},
    ]}}, "stopReason": "end_turn"});
    let sources = Part::Text {
        text: String::new(),
        citations: vec![Raw::new(r#"{"location":{"web":{"url":"u"}}}"#)],
        cache: None,
    };
    assert_eq!(only(&whole(&body)).message.parts, [text("a"), sources]);
}

#[test]
fn reasons_to_stop_have_common_words() {
    let check = |word: &str, expect| assert_eq!(super::stop_reason(word), expect, "{word}");
    check("end_turn", StopReason::Stop);
    check("model_context_window_exceeded", StopReason::Length);
    check("guardrail_intervened", StopReason::ContentFilter);
    check("malformed_tool_use", StopReason::Other);
}

// === Streams ===

#[test]
fn without_its_closing_event_a_stream_is_truncated() {
    let mut events = answer_events();
    events.truncate(12);
    assert_eq!(stream(&events).outcome, Outcome::StreamTruncated);
}

#[test]
fn an_exception_ends_a_stream_and_what_came_stays() {
    let mut body = frames(&answer_events()[..7]);
    body.extend(exception(
        "modelStreamErrorException",
        r#"{"message":"gone","originalStatusCode":503}"#,
    ));
    let reading = response(&[&body], true);
    assert_eq!(reading.outcome, Outcome::StreamError);
    assert_eq!(only(&reading).message.parts.len(), 2);
    let error = reading.error.unwrap();
    assert_eq!(error.kind.as_deref(), Some("modelStreamErrorException"));
    assert_eq!(error.message.as_deref(), Some("gone"));
    assert_eq!((error.status, error.retryable), (Some(503), Some(true)));
}

#[test]
fn hidden_reasoning_is_a_part_for_each_block() {
    let hidden = |index| {
        delta(
            index,
            &json!({"reasoningContent": {"redactedContent": "QUJD"}}),
        )
    };
    let end = ("messageStop", json!({"stopReason": "end_turn"}));
    let reading = stream(&[hidden(0), hidden(0), hidden(1), end]);
    let redacted = Part::Thinking {
        text: String::new(),
        signed: false,
        redacted: true,
    };
    assert_eq!(only(&reading).message.parts, [redacted.clone(), redacted]);
}

#[test]
fn results_of_the_providers_tools_come_in_pieces() {
    let start = json!({"contentBlockIndex": 0, "start": {"toolResult": {"toolUseId": "s", "type": "search_result"}}});
    let piece = |piece: Value| delta(0, &json!({"toolResult": [piece]}));
    let reading = stream(&[
        ("contentBlockStart", start),
        piece(json!({"text": "a"})),
        piece(json!({"text": "b"})),
        piece(json!({"json": {"n": 1}})),
        ("messageStop", json!({"stopReason": "end_turn"})),
    ]);
    let [
        Part::ToolResult {
            content,
            server: true,
            ..
        },
    ] = &only(&reading).message.parts[..]
    else {
        panic!("not one result: {reading:?}");
    };
    assert_eq!(content[0], text("ab"));
    assert_eq!(content.len(), 2);
}

#[test]
fn an_increment_of_another_kind_begins_a_part() {
    let end = ("messageStop", json!({"stopReason": "end_turn"}));
    let reading = stream(&[
        delta(0, &json!({"text": "a"})),
        delta(0, &json!({"toolUse": {"input": "{}"}})),
        delta(0, &json!({"novel": {"x": 1}})),
        end,
    ]);
    let [first, call, other] = &only(&reading).message.parts[..] else {
        panic!("not three parts: {reading:?}");
    };
    assert_eq!(first, &text("a"));
    assert!(matches!(call, Part::ToolCall { arguments, .. } if arguments == "{}"));
    assert!(matches!(other, Part::Other { name, .. } if name == "novel"));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_reading_and_any_beginning_some(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        end in any::<prop::sample::Index>(),
    ) {
        let body = frames(&answer_events());
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        let whole = response(&[&body], true);
        prop_assert_eq!(&response(&pieces, true), &whole);
        let part = response(&[&body[..end.index(body.len())]], false);
        prop_assert!(part.events <= whole.events);
    }

    #[test]
    fn hostile_events_break_nothing(
        events in prop::collection::vec(
            (
                prop::sample::select(vec!["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "novel"]),
                prop::sample::select(vec!["start", "delta", "contentBlockIndex", "stopReason", "usage", "trace", "serviceTier"]),
                prop::sample::select(vec!["null", "-1", "1e999", "\"<\"", "[{}]", "{\"toolUse\":1,\"text\":[]}", "{\"toolResult\":[[1]],\"citation\":2}", "{\"a\":[", "\"\\ud800"]),
            ),
            0..6,
        ),
    ) {
        let framed = events.iter().map(|(name, member, value)| event(name, &format!("{{\"{member}\":{value}}}")));
        let reading = response(&[&framed.collect::<Vec<_>>().concat()], true);
        prop_assert_eq!(reading.events, events.len() as u64);
    }
}

// === Requests ===

#[test]
fn every_member_of_a_request_has_its_place() {
    let body = json!({
        "system": [{"text": "s"}, {"cachePoint": {"type": "default"}}],
        "messages": [{"role": "user", "content": [
            {"text": "look"},
            {"cachePoint": {"type": "default", "ttl": "1h"}},
            {"image": {"format": "png", "source": {"bytes": "QUJD"}}},
            {"cachePoint": {"type": "default"}},
            {"document": {"format": "docx", "name": "d", "source": {"s3Location": {"uri": "s3://b/k"}}}},
            {"document": {"format": "txt", "name": "e", "source": {"text": "T"}}},
            {"document": {"format": "pdf", "name": "blocks", "source": {"content": [{"text": "x"}]}}},
            {"video": {"format": "three_gp", "source": {"bytes": "QQ=="}}},
            {"audio": {"format": "mp3", "source": {"bytes": "QQ=="}}},
            {"guardContent": {"text": {"text": "g"}}},
        ]}],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}},
                {"cachePoint": {"type": "default"}},
                {"systemTool": {"name": "nova_grounding"}},
            ],
            "toolChoice": {"any": {}},
        },
        "inferenceConfig": {"maxTokens": 5},
        "serviceTier": {"type": "flex"},
    });
    let reading = request(&body);
    assert_eq!(reading.model.as_deref(), Some("us.anthropic.claude-x-v1:0"));
    assert_eq!(reading.stream, Some(true));
    let cached = |words: &str, raw: &str| Part::Text {
        text: words.to_owned(),
        citations: Vec::new(),
        cache: Some(Raw::new(raw)),
    };
    assert_eq!(reading.system, [cached("s", r#"{"type":"default"}"#)]);
    let parts = &reading.messages[0].parts;
    assert_eq!(parts[0], cached("look", r#"{"type":"default","ttl":"1h"}"#));
    let seen: Vec<String> = parts[1..].iter().map(summary).collect();
    let expect = [
        "image image/png 4",
        "other cache_control",
        "file application/vnd.openxmlformats-officedocument.wordprocessingml.document s3://b/k",
        "file text/plain 1",
        "other document",
        "file video/3gpp 4",
        "audio audio/mp3 4",
        "other guardContent",
    ];
    assert_eq!(seen, expect);
    let [tool, server] = &reading.tools[..] else {
        panic!("not two tools: {:?}", reading.tools);
    };
    assert_eq!(
        (tool.name.as_str(), tool.server, tool.cache.is_some()),
        ("f", false, true)
    );
    assert_eq!(tool.schema, Some(Raw::new(r#"{"type":"object"}"#)));
    assert!(tool.bytes > 80, "{}", tool.bytes);
    assert_eq!(
        (server.name.as_str(), server.server),
        ("nova_grounding", true)
    );
    let kept = json!({"toolConfig": {"toolChoice": {"any": {}}}, "inferenceConfig": {"maxTokens": 5},
        "serviceTier": {"type": "flex"}});
    assert_eq!(Value::Object(reading.parameters), kept);
    assert_eq!(reading.diagnostics, []);
}

/// Returns what a part is and where its bytes are.
fn summary(part: &Part) -> String {
    let place = |kind: &str, media: &Media| {
        let mime = media.mime.clone().unwrap_or_default();
        let chars = media.data_chars.map(|chars| chars.to_string());
        format!(
            "{kind} {mime} {}",
            media.url.clone().or(chars).unwrap_or_default()
        )
    };
    match part {
        Part::Image { media } => place("image", media),
        Part::File { media, .. } => place("file", media),
        Part::Audio { media, .. } => place("audio", media),
        Part::Other { name, .. } => format!("other {name}"),
        part => format!("{part:?}"),
    }
}

#[test]
fn a_turn_of_tools_is_read() {
    let body = json!({"messages": [
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"json": {"b": 2}}, {"text": "x"}], "status": "success"}}]},
    ]});
    let reading = request(&body);
    let result = Part::ToolResult {
        call_id: Some("t".to_owned()),
        name: None,
        content: vec![
            Part::Other {
                name: "json".to_owned(),
                raw: Raw::new(r#"{"b":2}"#),
            },
            text("x"),
        ],
        is_error: false,
        server: false,
    };
    let last = Message {
        role: Role::User,
        name: None,
        parts: vec![result],
    };
    assert_eq!(reading.messages.last(), Some(&last));
}

#[test]
fn paths_name_the_model() {
    let check = |path: &str, model: Option<&str>, stream| {
        let (found, asked) = super::asked_in(path);
        assert_eq!((found.as_deref(), asked), (model, stream), "{path}");
    };
    check("/model/a%3A0/converse", Some("a:0"), Some(false));
    check(
        "/x/model/arn:aws:b::1:p/q/converse-stream",
        Some("arn:aws:b::1:p/q"),
        Some(true),
    );
    check("/model/a%2Fb%/invoke", Some("a/b%"), Some(false));
    check(
        "/model/%E5%A4%A9/invoke-with-response-stream#f",
        Some("天"),
        Some(true),
    );
    check("/v1/messages", None, None);
}

#[test]
fn wrong_kinds_are_kept_or_noted() {
    let reading = request(&json!({"messages": ["x"], "system": 5, "toolConfig": null}));
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(
        Value::Object(reading.parameters),
        json!({"system": 5, "toolConfig": null})
    );
    let odd = json!({"messages": [{"role": "critic", "content": [7, {"image": {"format": "png"}}, {"text": null}]}]});
    let reading = request(&odd);
    let message = &reading.messages[0];
    assert_eq!(
        (message.role, message.name.as_deref()),
        (Role::Other, Some("critic"))
    );
    let seen: Vec<String> = message.parts.iter().map(summary).collect();
    assert_eq!(seen, ["other unknown", "other image"]);
    let none = crate::dialects::usage(Dialect::BedrockConverse, &json!(null).into());
    assert_eq!(none, WireUsage::default());
}
