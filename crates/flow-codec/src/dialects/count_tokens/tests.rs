use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_model::{Dialect, Outcome, Part, RequestReading, Tokens};
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_request, skim_request, tokens};

use Dialect::{AnthropicCountTokens, BedrockCountTokens, GeminiCountTokens, OpenaiInputTokens};

fn request(dialect: Dialect, path: &str, body: &Value) -> RequestReading {
    let body = body.to_string();
    let reading = read_request(dialect, path, body.as_bytes());
    let skim = skim_request(dialect, path, body.as_bytes());
    assert_eq!(skim.model, reading.model);
    assert!(reading.messages.ends_with(&skim.messages));
    reading
}

#[test]
fn the_request_is_read_by_the_dialect_of_the_call() {
    let body = json!({"model": "m", "system": "s", "messages": [{"role": "user", "content": "a"}], "tools": [{"name": "f"}], "x": 1});
    let reading = request(AnthropicCountTokens, "/v1/messages/count_tokens", &body);
    let counts = (
        reading.system.len(),
        reading.messages.len(),
        reading.tools.len(),
    );
    assert_eq!((reading.model.as_deref(), counts), (Some("m"), (1, 1, 1)));
    assert_eq!(reading.parameters.get("x"), Some(&json!(1)));
}

#[test]
fn a_wrapped_request_keeps_its_places_in_the_body() {
    let contents = json!([{"role": "user", "parts": [{"text": "a"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}]}]);
    let path = "/v1beta/models/m-1:countTokens";
    let plain = request(GeminiCountTokens, path, &json!({"contents": contents}));
    let body =
        json!({"a": 1, "generateContentRequest": {"contents": contents, "model": "models/m-1"}});
    let reading = request(GeminiCountTokens, path, &body);
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m-1"), None)
    );
    assert_eq!(reading.messages.len(), plain.messages.len());
    assert_eq!(
        reading.parameters,
        json!({"a": 1}).as_object().unwrap().clone()
    );
    let Some(Part::Image { media }) = reading.messages.first().and_then(|said| said.parts.get(1))
    else {
        panic!("no image in {reading:?}");
    };
    let start = usize::try_from(media.data_offset.unwrap()).unwrap();
    assert_eq!(body.to_string().get(start..start + 4), Some("iVBO"));
}

#[test]
fn bedrocks_model_stands_in_the_path() {
    let path = "/model/vendor.m-1-v1:0/count-tokens";
    let packed = STANDARD.encode(r#"{"messages":[]}"#);
    for input in [
        json!({"converse": {"messages": []}}),
        json!({"invokeModel": {"body": packed}}),
        json!({"invokeModel": {"body": "no base64"}}),
        json!({"other": 1}),
    ] {
        let reading = request(BedrockCountTokens, path, &json!({"input": input}));
        let found = reading.model.as_deref();
        assert_eq!(found, Some("vendor.m-1-v1:0"), "{input}");
    }
    let lost = request(BedrockCountTokens, path, &json!({"input": {"other": 1}}));
    assert_eq!(lost.parameters.get("input"), Some(&json!({"other": 1})));
}

#[track_caller]
fn check(dialect: Dialect, body: &Value, expect: [Option<u64>; 3]) {
    let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    let reading = decoder.finish(true);
    assert_eq!((reading.outcome, reading.choices.len()), (Outcome::Ok, 0));
    let usage = reading.usage.unwrap_or_default();
    assert_eq!(
        [usage.input, usage.total, usage.cache_read],
        expect,
        "{body}"
    );
    assert_eq!(
        tokens(dialect, None, &reading),
        Tokens::default(),
        "nothing was generated"
    );
}

#[test]
fn the_answer_is_the_usage() {
    check(
        AnthropicCountTokens,
        &json!({"input_tokens": 5}),
        [Some(5), None, None],
    );
    check(
        OpenaiInputTokens,
        &json!({"object": "o", "input_tokens": 5}),
        [Some(5), None, None],
    );
    check(
        BedrockCountTokens,
        &json!({"inputTokens": 5}),
        [Some(5), None, None],
    );
    check(
        GeminiCountTokens,
        &json!({"totalTokens": 5, "cachedContentTokenCount": 2}),
        [None, Some(5), Some(2)],
    );
    check(GeminiCountTokens, &json!({"x": 5}), [None; 3]);
}
