use flow_model::{
    Choice, Dialect, Embeddings, Header, Outcome, Part, RequestReading, ResponseReading, Role,
    StopReason, WireUsage,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::dialects::base64::tests::encode;
use crate::frames::encode::{event, exception};
use crate::{ResponseDecoder, tokens};

fn response(headers: &[Header], pieces: &[&[u8]]) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::BedrockInvoke, 200, headers);
    for piece in pieces {
        decoder.push(piece, 1);
    }
    decoder.finish(true)
}

fn whole(body: &Value) -> ResponseReading {
    response(&[], &[body.to_string().as_bytes()])
}

/// Packs events as the gateway does.
fn frames(events: &[Value]) -> Vec<u8> {
    let packed = events.iter().map(|data| {
        let payload = json!({"bytes": encode(data.to_string().as_bytes()), "p": "abcdef"});
        event("chunk", &payload.to_string())
    });
    packed.collect::<Vec<_>>().concat()
}

fn stream(events: &[Value]) -> ResponseReading {
    response(&[], &[&frames(events)])
}

fn request(model: &str, body: &Value) -> RequestReading {
    let path = format!("/model/{model}/invoke");
    crate::read_request(Dialect::BedrockInvoke, &path, body.to_string().as_bytes())
}

fn words(choice: &Choice) -> String {
    let texts = choice.message.parts.iter().filter_map(|part| match part {
        Part::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

/// Checks the text, the reason to stop and the counts of an answer.
#[track_caller]
fn check(
    reading: &ResponseReading,
    text: &str,
    stop: (Option<&str>, Option<StopReason>),
    counts: [Option<u64>; 2],
) {
    assert_eq!(reading.outcome, Outcome::Ok, "{reading:?}");
    assert_eq!(reading.diagnostics, []);
    let choice = &reading.choices[0];
    assert_eq!(words(choice), text);
    assert_eq!((choice.stop_reason.as_deref(), choice.stop), stop);
    let usage = reading.usage.unwrap_or_default();
    assert_eq!([usage.input, usage.output], counts);
}

fn gateway() -> Value {
    json!({"inputTokenCount": 9, "outputTokenCount": 4, "invocationLatency": 1, "cacheReadInputTokenCount": 2})
}

fn measured(mut last: Value) -> Value {
    last["amazon-bedrock-invocationMetrics"] = gateway();
    last
}

// === Texts ===

#[test]
fn texts_of_every_family_are_read_whole() {
    let length = (Some("length"), Some(StopReason::Length));
    let check_body = |body: Value, stop, counts| check(&whole(&body), "ab", stop, counts);
    check_body(
        json!({"completion": "ab", "stop_reason": "stop_sequence", "stop": "\n"}),
        (Some("stop_sequence"), Some(StopReason::Stop)),
        [None, None],
    );
    check_body(
        json!({"inputTextTokenCount": 5, "results": [{"tokenCount": 2, "outputText": "ab", "completionReason": "FINISH"}]}),
        (Some("FINISH"), Some(StopReason::Stop)),
        [Some(5), Some(2)],
    );
    check_body(
        json!({"generation": "ab", "prompt_token_count": 5, "generation_token_count": 2, "stop_reason": "length"}),
        length,
        [Some(5), Some(2)],
    );
    check_body(
        json!({"outputs": [{"text": "ab", "stop_reason": "length"}]}),
        length,
        [None, None],
    );
    check_body(
        json!({"choices": [{"text": "ab", "stop_reason": "length"}]}),
        length,
        [None, None],
    );
    check_body(
        json!({"id": "g", "generations": [{"text": "ab", "finish_reason": "MAX_TOKENS"}], "prompt": "x"}),
        (Some("MAX_TOKENS"), Some(StopReason::Length)),
        [None, None],
    );
    check_body(
        json!({"id": 12, "prompt": {"text": "x"}, "completions": [{"data": {"text": "ab", "tokens": []}, "finishReason": {"reason": "endoftext"}}]}),
        (Some("endoftext"), Some(StopReason::Stop)),
        [None, None],
    );
    check_body(
        json!({"message": "ab", "finishReason": "length"}),
        length,
        [None, None],
    );
}

#[test]
fn several_answers_are_several_choices() {
    let body = json!({"inputTextTokenCount": 1, "results": [
        {"tokenCount": 2, "outputText": "a"}, {"tokenCount": 3, "outputText": "b"}]});
    let reading = whole(&body);
    let texts: Vec<String> = reading.choices.iter().map(words).collect();
    assert_eq!(texts, ["a", "b"]);
    assert_eq!(reading.usage.and_then(|usage| usage.output), Some(5));
}

#[test]
fn texts_of_every_family_are_streamed() {
    let length = (Some("length"), Some(StopReason::Length));
    check(
        &stream(&[
            json!({"generation": "a", "prompt_token_count": 5, "generation_token_count": 1, "stop_reason": null}),
            measured(
                json!({"generation": "b", "prompt_token_count": null, "generation_token_count": 2, "stop_reason": "length"}),
            ),
        ]),
        "ab",
        length,
        [Some(5), Some(2)],
    );
    check(
        &stream(&[
            json!({"outputText": "a", "index": 0.0, "totalOutputTextTokenCount": null, "inputTextTokenCount": 6.0}),
            json!({"outputText": "b", "index": 1, "totalOutputTextTokenCount": 3.0, "completionReason": "CONTENT_FILTERED"}),
        ]),
        "ab",
        (Some("CONTENT_FILTERED"), Some(StopReason::ContentFilter)),
        [Some(6), Some(3)],
    );
    check(
        &stream(&[
            json!({"type": "completion", "completion": "a", "stop_reason": null}),
            json!({"type": "completion", "completion": "b", "stop_reason": "max_tokens"}),
        ]),
        "ab",
        (Some("max_tokens"), Some(StopReason::Length)),
        [None, None],
    );
    check(
        &stream(&[
            json!({"outputs": [{"text": "a", "stop_reason": null}]}),
            json!({"outputs": [{"text": "b", "stop_reason": "length"}]}),
        ]),
        "ab",
        length,
        [None, None],
    );
}

#[test]
fn generations_of_a_stream_are_parts_of_one_answer() {
    let reading = stream(&[
        json!({"index": 0, "is_finished": false, "text": "a"}),
        json!({"index": 0, "is_finished": false, "text": "b"}),
        json!({"index": 1, "is_finished": false, "text": "c"}),
        measured(json!({"finish_reason": "COMPLETE", "is_finished": true})),
    ]);
    check(
        &reading,
        "abc",
        (Some("COMPLETE"), Some(StopReason::Stop)),
        [None, None],
    );
    assert_eq!(reading.choices[0].message.parts.len(), 2);
}

// === Shapes of other dialects ===

#[test]
fn claude_is_read_as_messages() {
    let events = [
        json!({"type": "message_start", "message": {"id": "m1", "model": "c", "usage": {"input_tokens": 3, "output_tokens": 1, "cache_read_input_tokens": 7}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "天"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        measured(json!({"type": "message_stop"})),
    ];
    let reading = stream(&events);
    let stop = (Some("end_turn"), Some(StopReason::Stop));
    check(&reading, "天", stop, [Some(3), Some(2)]);
    assert_eq!(
        (reading.id.as_deref(), reading.model.as_deref()),
        (Some("m1"), Some("c"))
    );
    assert_eq!(
        tokens(Dialect::BedrockInvoke, None, &reading).input,
        Some(10)
    );
    assert_eq!(
        reading.metrics,
        Some(WireUsage {
            input: Some(9),
            output: Some(4),
            cache_read: Some(2),
            ..WireUsage::default()
        })
    );
    assert_eq!(stream(&events[..4]).outcome, Outcome::StreamTruncated);
    let begun = stream(&events[..3]);
    assert_eq!(tokens(Dialect::BedrockInvoke, None, &begun).output, None);
    let body = json!({"id": "m1", "type": "message", "model": "c", "content": [{"type": "text", "text": "天"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 3, "output_tokens": 2}});
    assert_eq!(whole(&body).choices, reading.choices);
}

#[test]
fn nova_is_read_as_converse() {
    let events = [
        json!({"messageStart": {"role": "assistant"}}),
        json!({"contentBlockDelta": {"delta": {"text": "a"}, "contentBlockIndex": 0}}),
        json!({"contentBlockStop": {"contentBlockIndex": 0}}),
        json!({"messageStop": {"stopReason": "end_turn"}}),
        measured(json!({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}}})),
    ];
    let stop = (Some("end_turn"), Some(StopReason::Stop));
    check(&stream(&events), "a", stop, [Some(3), Some(2)]);
    assert_eq!(stream(&events[..3]).outcome, Outcome::StreamTruncated);
    let body = json!({"output": {"message": {"role": "assistant", "content": [{"text": "a"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 3, "outputTokens": 2}});
    check(&whole(&body), "a", stop, [Some(3), Some(2)]);
}

#[test]
fn chats_are_read_as_openais() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 2});
    let stop = (Some("stop"), Some(StopReason::Stop));
    let counts = [Some(3), Some(2)];
    let theirs = json!({"id": "c", "object": "chat.completion", "usage": usage,
        "choices": [{"index": 0, "message": {"content": "ab"}, "finish_reason": "stop"}]});
    check(&whole(&theirs), "ab", stop, counts);
    let mistrals = json!({"choices": [{"index": 0, "message": {"content": "ab"}, "stop_reason": "stop"}], "usage": usage});
    check(&whole(&mistrals), "ab", stop, counts);
    let chunk = |name: &str, text: &str, reason: &str, stop: Value| json!({"choices": [{"index": 0, name: {"content": text}, reason: stop}]});
    for (name, reason) in [("delta", "finish_reason"), ("message", "stop_reason")] {
        let reading = stream(&[
            chunk(name, "a", reason, Value::Null),
            chunk(name, "b", reason, json!("stop")),
            measured(json!({"choices": [], "usage": usage})),
        ]);
        check(&reading, "ab", stop, counts);
    }
}

// === Vectors and images ===

#[test]
fn vectors_are_counted() {
    let check = |body: Value, count: u64, dimensions: u64| {
        let reading = whole(&body);
        let expect = Embeddings {
            count,
            dimensions: Some(dimensions),
        };
        assert_eq!(reading.embeddings, Some(expect), "{body}");
        assert_eq!((reading.outcome, reading.choices.len()), (Outcome::Ok, 0));
    };
    let vector = json!([0.5, 1, -2]);
    check(
        json!({"embedding": vector, "embeddingsByType": {"float": vector}, "inputTextTokenCount": 4}),
        1,
        3,
    );
    check(
        json!({"embeddingsByType": {"binary": [0, 1]}, "inputTextTokenCount": 4}),
        1,
        2,
    );
    check(
        json!({"embeddings": [{"embeddingType": "TEXT", "embedding": vector}]}),
        1,
        3,
    );
    check(
        json!({"id": "e", "embeddings": [vector, vector], "texts": ["a", "b"]}),
        2,
        3,
    );
    check(
        json!({"embeddings": {"float": [vector, vector], "int8": [[1], [2]]}}),
        2,
        3,
    );
    check(
        json!({"data": [{"embedding": vector, "startSec": 0}]}),
        1,
        3,
    );
}

#[test]
fn heads_tell_counts_that_bodies_leave_out() {
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    };
    let headers = [
        header("X-Amzn-Bedrock-Input-Token-Count", "7"),
        header("X-Amzn-Bedrock-Cache-Write-Input-Token-Count", "20"),
        header("X-Amzn-Bedrock-Invocation-Latency", "5"),
    ];
    let reading = response(&headers, &[br#"{"embeddings":[[1,2]]}"#]);
    let counts = tokens(Dialect::BedrockInvoke, None, &reading);
    assert_eq!((counts.input, counts.cache_write), (Some(27), Some(20)));
    let reading = response(&headers, &[br#"{"embedding":[1],"inputTextTokenCount":6}"#]);
    assert_eq!(
        tokens(Dialect::BedrockInvoke, None, &reading).input,
        Some(6)
    );
}

#[test]
fn images_are_answers_each_with_its_end() {
    let reading = whole(
        &json!({"seeds": [1, 2], "images": ["iVBORw0KGgoA", "/9j/AA"],
        "finish_reasons": [null, "Filter reason: prompt"]}),
    );
    assert_eq!(reading.units.images, Some(2));
    let media_of = |choice: &Choice| match &choice.message.parts[..] {
        [Part::Image { media }] => (media.mime.clone(), media.data_chars),
        parts => panic!("no image: {parts:?}"),
    };
    let mimes: Vec<_> = reading.choices.iter().map(media_of).collect();
    let known = |mime: &str, chars| (Some(mime.to_owned()), Some(chars));
    assert_eq!(mimes, [known("image/png", 12), known("image/jpeg", 6)]);
    assert_eq!(reading.choices[0].stop, None);
    assert_eq!(reading.choices[1].stop, Some(StopReason::ContentFilter));
    let old = whole(
        &json!({"result": "success", "artifacts": [{"base64": "AA==", "finishReason": "SUCCESS"}]}),
    );
    assert_eq!(old.choices[0].stop_reason.as_deref(), Some("SUCCESS"));
}

#[test]
fn ranks_are_kept_raw() {
    let reading = whole(&json!({"results": [{"index": 2, "relevance_score": 0.5}]}));
    assert!(
        matches!(&reading.choices[0].message.parts[..], [Part::Other { name, .. }] if name == "result")
    );
    assert_eq!(reading.usage.and_then(|usage| usage.output), Some(0));
}

// === Requests ===

#[test]
fn requests_are_read_by_their_shape() {
    let asked = |reading: &RequestReading| {
        let message = reading.messages.first().expect("a message");
        assert_eq!(message.role, Role::User);
        assert_eq!(reading.stream, Some(false));
        match &message.parts[..] {
            [Part::Text { text, .. }] => text.clone(),
            parts => panic!("not one text: {parts:?}"),
        }
    };
    let check = |model: &str, body: Value, kept: &[&str]| {
        let reading = request(model, &body);
        assert_eq!(asked(&reading), "hi", "{body}");
        let names: Vec<&str> = reading.parameters.keys().map(String::as_str).collect();
        assert_eq!(names, kept, "{body}");
    };
    let blocks = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]);
    let bare = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    let plain = json!([{"role": "user", "content": "hi"}]);
    check(
        "m",
        json!({"messages": blocks, "anthropic_version": "v"}),
        &["anthropic_version"],
    );
    check(
        "us.anthropic.c",
        json!({"messages": plain, "max_tokens": 5}),
        &["max_tokens"],
    );
    check("m", json!({"messages": bare}), &[]);
    check(
        "m",
        json!({"messages": bare, "inferenceConfig": {}}),
        &["inferenceConfig"],
    );
    check(
        "openai.gpt",
        json!({"messages": plain, "max_tokens": 5}),
        &["max_tokens"],
    );
    check("m", json!({"prompt": "hi", "top_p": 1}), &["top_p"]);
    check(
        "m",
        json!({"inputText": "hi", "textGenerationConfig": {}}),
        &["textGenerationConfig"],
    );
    check(
        "m",
        json!({"query": "hi", "documents": ["d"]}),
        &["documents"],
    );
    check(
        "m",
        json!({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "hi"}}),
        &["taskType", "textToImageParams"],
    );
    check(
        "m",
        json!({"text_prompts": [{"text": "hi", "weight": 1}]}),
        &["text_prompts"],
    );
    check(
        "m",
        json!({"singleEmbeddingParams": {"text": {"value": "hi"}}}),
        &["singleEmbeddingParams"],
    );
}

#[test]
fn a_skim_finds_the_same_prompt() {
    for body in [
        r#"{"a":[1],"prompt":"hi"}"#,
        r#"{"text_prompts":[{"text":"hi"}]}"#,
    ] {
        let (path, body) = ("/model/m%3A0/invoke", body.as_bytes());
        let skim = crate::skim_request(Dialect::BedrockInvoke, path, body);
        let whole = crate::read_request(Dialect::BedrockInvoke, path, body);
        assert_eq!((&skim.messages, skim.model), (&whole.messages, whole.model));
        assert!(skim.parameters.is_empty());
    }
}

// === Document ===

#[test]
fn what_cannot_be_unpacked_is_noted() {
    let codes = |payload: &str| {
        let reading = response(&[], &[&event("chunk", payload)]);
        let codes = reading.diagnostics.into_iter();
        codes.map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(r#"{"bytes":"%%"}"#), ["invalid_base64"]);
    assert_eq!(
        codes(&json!({"bytes": encode(b"[1]")}).to_string()),
        ["unexpected_type"]
    );
    assert_eq!(
        codes(&json!({"bytes": encode(b"{\"a\":")}).to_string()),
        ["truncated_json"]
    );
    assert_eq!(codes(r#"{"p":"abc"}"#), Vec::<String>::new());
}

#[test]
fn an_exception_ends_a_stream() {
    let mut body = frames(&[json!({"generation": "a"})]);
    body.extend(exception(
        "throttlingException",
        r#"{"message":"slow down"}"#,
    ));
    let reading = response(&[], &[&body]);
    assert_eq!(reading.outcome, Outcome::StreamError);
    assert_eq!(words(&reading.choices[0]), "a");
}

proptest! {
    #[test]
    fn hostile_events_break_nothing(
        shape in prop::sample::select(vec!["type", "choices", "results", "output", "embeddings", "images", "generation", "event_type"]),
        value in prop::sample::select(vec!["null", "[]", "{}", "[[]]", "[{}]", "\"x\"", "1e9", "[{\"text\":1}]", "{\"a\":[1,[2"]),
    ) {
        let body = format!("{{\"{shape}\":{value},\"index\":1,\"is_finished\":true}}");
        let packed = json!({"bytes": encode(body.as_bytes())}).to_string();
        response(&[], &[body.as_bytes()]);
        let reading = response(&[], &[&event("chunk", &packed), &event("chunk", &packed)]);
        prop_assert_eq!(reading.events, 2);
    }
}
