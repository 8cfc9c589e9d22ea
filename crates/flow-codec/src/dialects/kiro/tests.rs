use flow_model::{
    Dialect, ErrorClass, Message, Outcome, Part, Raw, RequestReading, ResponseReading, Role,
    StopReason,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frames::encode::{event, exception};
use crate::{ResponseDecoder, tokens};

fn response(pieces: &[&[u8]], complete: bool) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::Kiro, 200, &[]);
    for piece in pieces {
        decoder.push(piece, 1);
    }
    decoder.finish(complete)
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

fn said(content: &str) -> (&'static str, Value) {
    ("assistantResponseEvent", json!({"content": content}))
}

fn text(text: &str) -> Part {
    crate::dialects::text_part(text.to_owned())
}

fn thinking(text: &str) -> Part {
    Part::Thinking {
        text: text.to_owned(),
        signed: false,
        redacted: false,
    }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall {
        id: Some(id.to_owned()),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
        server: false,
    }
}

fn parts(reading: &ResponseReading) -> &[Part] {
    match &reading.choices[..] {
        [choice] => &choice.message.parts,
        choices => panic!("not one choice: {choices:?}"),
    }
}

fn codes(reading: &ResponseReading) -> Vec<&str> {
    let found = reading.diagnostics.iter();
    found.map(|found| found.code.as_str()).collect()
}

fn answer_events() -> Vec<(&'static str, Value)> {
    vec![
        ("initial-response", json!({"conversationId": "c"})),
        (
            "messageMetadataEvent",
            json!({"conversationId": "c", "utteranceId": "u"}),
        ),
        (
            "assistantResponseEvent",
            json!({"content": "<thin", "modelId": "claude-x"}),
        ),
        said("king>h"),
        said("m天</thinking>"),
        said("\n\na"),
        said("<b>"),
        ("toolUseEvent", json!({"toolUseId": "t1", "name": "f"})),
        (
            "toolUseEvent",
            json!({"toolUseId": "t1", "name": "f", "input": "{\"x\""}),
        ),
        (
            "toolUseEvent",
            json!({"toolUseId": "t2", "name": "f", "input": "{}", "stop": true}),
        ),
        (
            "toolUseEvent",
            json!({"toolUseId": "t1", "name": "f", "input": ":1}", "stop": true}),
        ),
        (
            "meteringEvent",
            json!({"usage": 0.1, "unit": "credit", "unitPlural": "credits"}),
        ),
        ("meteringEvent", json!({"usage": 0.2, "unit": "credit"})),
        (
            "contextUsageEvent",
            json!({"contextUsagePercentage": 54.36}),
        ),
        (
            "metadataEvent",
            json!({"tokenUsage": {"uncachedInputTokens": 3, "outputTokens": 2, "totalTokens": 15, "cacheReadInputTokens": 10},
                "stopReason": "TOOL_USE"}),
        ),
    ]
}

// === Streams ===

#[test]
fn an_answer_is_put_together() {
    let reading = stream(&answer_events());
    assert_eq!(
        (reading.outcome, codes(&reading)),
        (Outcome::Ok, Vec::new())
    );
    assert_eq!(reading.id.as_deref(), Some("u"));
    assert_eq!(reading.model.as_deref(), Some("claude-x"));
    let expect = [
        thinking("hm天"),
        text("a<b>"),
        call("t1", r#"{"x":1}"#),
        call("t2", "{}"),
    ];
    assert_eq!(parts(&reading), expect);
    assert_eq!(reading.choices[0].stop_reason.as_deref(), Some("TOOL_USE"));
    assert_eq!(reading.choices[0].stop, Some(StopReason::ToolUse));
    assert_eq!(reading.units.credits.as_deref(), Some("0.3"));
    assert_eq!(reading.context_bp, Some(5_436));
    let counts = tokens(Dialect::Kiro, None, &reading);
    assert_eq!(
        [counts.input, counts.cache_read, counts.output],
        [Some(13), Some(10), Some(2)]
    );
}

#[test]
fn credits_are_no_tokens() {
    let reading = stream(&[
        said("a"),
        ("meteringEvent", json!({"usage": 1.5, "unit": "credit"})),
    ]);
    assert_eq!((reading.usage, reading.outcome), (None, Outcome::Ok));
    assert_eq!(reading.units.credits.as_deref(), Some("1.5"));
    let other = stream(&[
        said("a"),
        ("meteringEvent", json!({"usage": 1.5, "unit": "bean"})),
    ]);
    assert_eq!(
        (other.units.credits.as_deref(), codes(&other)),
        (None, vec!["unknown_unit"])
    );
}

#[test]
fn tags_count_at_the_start_of_a_text() {
    let check = |pieces: &[&str], expect: &[Part]| {
        let events: Vec<_> = pieces.iter().map(|piece| said(piece)).collect();
        assert_eq!(parts(&stream(&events)), expect, "{pieces:?}");
        let joined = pieces.concat();
        assert_eq!(super::thought::split(&joined), expect, "{joined}");
    };
    check(
        &["\n<thinking>a</thinking>\r\n\nb"],
        &[thinking("a"), text("b")],
    );
    check(
        &["<", "thinking>a<", "/thinkin", "g", ">", "\n", "\n", "b"],
        &[thinking("a"), text("b")],
    );
    check(&["<thinking>a</think"], &[thinking("a</think")]);
    check(
        &["<thinking>a < b</b></thinking>"],
        &[thinking("a < b</b>")],
    );
    check(&["<thin"], &[text("<thin")]);
    check(&["<thinker>x"], &[text("<thinker>x")]);
    check(
        &["so: <thinking>a</thinking>"],
        &[text("so: <thinking>a</thinking>")],
    );
    check(&["<thinking></thinking>b\n\nc"], &[text("b\n\nc")]);
    check(&[&" ".repeat(80), "x"], &[text(&(" ".repeat(80) + "x"))]);
}

#[test]
fn halves_of_a_character_find_each_other() {
    let half = |content: &str| {
        event(
            "assistantResponseEvent",
            &format!("{{\"content\":\"{content}\"}}"),
        )
    };
    let body = [
        half("<thinking>a"),
        half(r"\ud83e"),
        half(r"\udd80"),
        half("</thinking>"),
        half("b"),
        half(r"\ud83e"),
        half(r"\udd80"),
    ];
    let reading = response(&[&body.concat()], true);
    assert_eq!(parts(&reading), [thinking("a🦀"), text("b🦀")]);
}

#[test]
fn a_text_that_comes_twice_stays_and_is_noted() {
    let long = "this is a long enough sentence. ";
    let reading = stream(&[said(long), said(long), said("ha"), said("ha")]);
    assert_eq!(parts(&reading), [text(&format!("{long}{long}haha"))]);
    assert_eq!(codes(&reading), ["repeated_event"]);
    let apart = stream(&[said(long), said("x"), said(long)]);
    assert_eq!(codes(&apart), Vec::<&str>::new());
}

#[test]
fn reasoning_events_are_thinking() {
    let reasoning = |data: Value| ("reasoningContentEvent", data);
    let reading = stream(&[
        reasoning(json!({"text": "a"})),
        reasoning(json!({"text": "b"})),
        reasoning(json!({"signature": "s"})),
        reasoning(json!({"redactedContent": "QQ=="})),
        said("c"),
    ]);
    let signed = Part::Thinking {
        text: "ab".to_owned(),
        signed: true,
        redacted: false,
    };
    assert_eq!(parts(&reading)[0], signed);
    assert_eq!(parts(&reading).last(), Some(&text("c")));
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let reading = stream(&[(
        "toolUseEvent",
        json!({"toolUseId": "t", "name": "f", "stop": true}),
    )]);
    assert_eq!(parts(&reading), [call("t", "{}")]);
}

#[test]
fn other_events_are_kept_raw() {
    let link = json!({"supplementaryWebLinks": [{"url": "u"}]});
    let reading = stream(&[
        said("a"),
        ("supplementaryWebLinksEvent", link.clone()),
        (
            "toolResultEvent",
            json!({"toolResult": {"toolUseId": "t", "status": "success", "content": [{"text": "r"}]}}),
        ),
        said("b"),
    ]);
    let [_, other, result, last] = parts(&reading) else {
        panic!("not four parts: {reading:?}");
    };
    let expect = Part::Other {
        name: "supplementaryWebLinksEvent".to_owned(),
        raw: Raw::from(link),
    };
    assert_eq!((other, last), (&expect, &text("b")));
    assert!(matches!(result, Part::ToolResult { call_id: Some(id), .. } if id == "t"));
}

#[test]
fn a_stream_without_an_answer_is_told() {
    let metered = frames(&[("meteringEvent", json!({"usage": 0.1, "unit": "credit"}))]);
    let empty = frames(&[said("")]);
    for body in [&b""[..], &metered, &empty] {
        let reading = response(&[body], true);
        assert_eq!(
            (reading.outcome, codes(&reading)),
            (Outcome::None, vec!["empty_stream"])
        );
    }
}

#[test]
fn errors_in_a_stream_keep_what_came() {
    let state = json!({"reason": "INVALID_TASK_ASSIST_PLAN", "message": "m"});
    let reading = stream(&[said("a"), ("invalidStateEvent", state)]);
    assert_eq!(
        (reading.outcome, parts(&reading)),
        (Outcome::StreamError, &[text("a")][..])
    );
    let error = reading.error.unwrap();
    assert_eq!(error.kind.as_deref(), Some("invalidStateEvent"));
    assert_eq!(error.code.as_deref(), Some("INVALID_TASK_ASSIST_PLAN"));

    let mut body = frames(&[said("a")]);
    body.extend(exception(
        "ContentLengthExceededException",
        r#"{"message":"m"}"#,
    ));
    let reading = response(&[&body], true);
    assert_eq!(reading.outcome, Outcome::StreamError);
    assert_eq!(reading.choices[0].stop, Some(StopReason::Length));
    assert_eq!(
        reading.error.and_then(|error| error.class),
        Some(ErrorClass::ContextTooLong)
    );
}

#[test]
fn a_full_window_is_a_limit() {
    let full = (
        "contextUsageEvent",
        json!({"contextUsagePercentage": 100.0}),
    );
    let reading = stream(&[said("a"), full]);
    assert_eq!(reading.context_bp, Some(10_000));
    let choice = &reading.choices[0];
    assert_eq!(
        (choice.stop, choice.stop_reason.as_deref()),
        (Some(StopReason::Length), None)
    );
}

#[test]
fn errors_with_a_good_status_are_errors() {
    let body = br#"{"__type":"com.amazon.kiro#ThrottlingException","message":"m","reason":"MONTHLY_REQUEST_COUNT"}"#;
    let reading = response(&[body], true);
    assert_eq!(reading.outcome, Outcome::Error);
    assert_eq!(
        reading.error.and_then(|error| error.message).as_deref(),
        Some("m")
    );
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
    fn texts_cut_anywhere_are_split_alike(
        text in "[<>/a \n]{0,6}(<thinking>)?[<>/a天 \n]{0,6}(</thinking>)?[<>/a\n]{0,6}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let letters: Vec<char> = text.chars().collect();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(letters.len() + 1)).collect();
        places.extend([0, letters.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|pair| letters[pair[0]..pair[1]].iter().collect::<String>());
        let events: Vec<_> = pieces.map(|piece| said(&piece)).collect();
        let reading = stream(&events);
        let found = reading.choices.into_iter().next();
        let found = found.map(|choice| choice.message.parts).unwrap_or_default();
        prop_assert_eq!(found, super::thought::split(&text));
    }

    #[test]
    fn hostile_events_break_nothing(
        events in prop::collection::vec(
            (
                prop::sample::select(vec!["assistantResponseEvent", "toolUseEvent", "meteringEvent", "metadataEvent", "contextUsageEvent", "reasoningContentEvent", "toolResultEvent", "invalidStateEvent", "novelEvent"]),
                prop::sample::select(vec!["content", "toolUseId", "input", "usage", "tokenUsage", "contextUsagePercentage", "signature", "toolResult", "reason"]),
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

fn request(body: &Value) -> RequestReading {
    crate::read_request(
        Dialect::Kiro,
        "/generateAssistantResponse",
        body.to_string().as_bytes(),
    )
}

fn conversation() -> Value {
    json!({
        "profileArn": "arn",
        "conversationState": {
            "chatTriggerType": "MANUAL",
            "conversationId": "c",
            "currentMessage": {"userInputMessage": {
                "content": "next",
                "modelId": "claude-x",
                "origin": "AI_EDITOR",
                "images": [{"format": "png", "source": {"bytes": "QUJD"}}],
                "userInputMessageContext": {
                    "tools": [
                        {"toolSpecification": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}},
                        {"cachePoint": {"type": "default"}},
                        {"type": "web_search"},
                    ],
                    "toolResults": [{"toolUseId": "t1", "status": "error", "content": [{"text": "r"}]}],
                    "envState": {"operatingSystem": "linux"},
                },
            }},
            "history": [
                {"userInputMessage": {"content": "rules\n\nfirst", "modelId": "old", "origin": "AI_EDITOR"}},
                {"assistantResponseMessage": {"content": "<thinking>h</thinking>\n\nok", "toolUses": [{"toolUseId": "t1", "name": "f", "input": {"x": 1}}]}},
            ],
        },
    })
}

#[test]
fn a_conversation_is_read_in_its_order() {
    let reading = request(&conversation());
    assert_eq!(reading.model.as_deref(), Some("claude-x"));
    assert_eq!(reading.stream, Some(true));
    let [first, answer, next] = &reading.messages[..] else {
        panic!("not three messages: {:?}", reading.messages);
    };
    let message = |role, parts: Vec<Part>| Message {
        role,
        name: None,
        parts,
    };
    assert_eq!(first, &message(Role::User, vec![text("rules\n\nfirst")]));
    let said = vec![thinking("h"), text("ok"), call("t1", r#"{"x":1}"#)];
    assert_eq!(answer, &message(Role::Assistant, said));
    let [result, asked, image] = &next.parts[..] else {
        panic!("not three parts: {next:?}");
    };
    assert!(matches!(
        result,
        Part::ToolResult {
            is_error: true,
            server: false,
            ..
        }
    ));
    assert_eq!(asked, &text("next"));
    assert!(matches!(image, Part::Image { media } if media.data_chars == Some(4)));
    let [tool, search] = &reading.tools[..] else {
        panic!("not two tools: {:?}", reading.tools);
    };
    assert_eq!((tool.name.as_str(), tool.cache.is_some()), ("f", true));
    assert_eq!((search.name.as_str(), search.server), ("web_search", true));
    let kept = json!({"profileArn": "arn", "conversationState": {"chatTriggerType": "MANUAL", "conversationId": "c",
        "origin": "AI_EDITOR", "envState": {"operatingSystem": "linux"}}});
    assert_eq!(Value::Object(reading.parameters), kept);
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn a_skim_finds_the_newest_messages() {
    let body = conversation().to_string();
    let skim = crate::skim_request(Dialect::Kiro, "/", body.as_bytes());
    let whole = request(&conversation());
    assert_eq!((skim.model, skim.messages), (whole.model, whole.messages));
    assert!(skim.tools.is_empty() && skim.parameters.is_empty());
}

#[test]
fn wrong_kinds_are_kept_or_noted() {
    let reading =
        request(&json!({"conversationState": {"history": [5, {"novel": 1}], "currentMessage": 7}}));
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(reading.messages[0].role, Role::Other);
    assert_eq!(
        reading.parameters["conversationState"],
        json!({"currentMessage": 7})
    );
}
