use serde_json::json;

use super::*;

#[test]
fn paths_say_what_is_asked() {
    let check = |path: &str, expect: Target| assert_eq!(Target::of(path), expect, "{path}");
    check("/v1/chat/completions", Target::Chat(Api::OpenAi));
    check("/openai/v1/chat/completions?x=1", Target::Chat(Api::OpenAi));
    check("/v1/messages?beta=true", Target::Chat(Api::Anthropic));
    check(
        "/v1/messages/count_tokens",
        Target::CountTokens(Api::Anthropic),
    );
    check("/v1/models", Target::Models(Api::OpenAi));
    check("/v1beta/models", Target::Models(Api::Gemini));
    check(
        "/v1beta/models/m:countTokens",
        Target::CountTokens(Api::Gemini),
    );
    check("/v1beta/models/m:fly", Target::Unknown(Api::Gemini));
    check("/v1/embeddings", Target::Unknown(Api::OpenAi));
    check("/anthropic/v1/batches", Target::Unknown(Api::Anthropic));
    for (path, framing) in [
        ("/v1/models/a-b:generateContent", Framing::Whole),
        (
            "/gemini/v1beta/models/a-b:streamGenerateContent?alt=sse",
            Framing::Sse,
        ),
        (
            "/v1beta/models/a-b%3AstreamGenerateContent",
            Framing::JsonArray,
        ),
    ] {
        check(
            path,
            Target::GeminiGenerate {
                model: "a-b".into(),
                framing,
            },
        );
    }
}

#[test]
fn the_same_conversation_reads_the_same_in_each_form() {
    let openai = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true},
        "tools": [{}], "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": null, "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
        {"role": "user", "content": [{"type": "text", "text": "last"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]}]});
    let anthropic = json!({"model": "m", "stream": true, "system": [{"type": "text", "text": "be brief"}],
        "tools": [{}], "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "n", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "42"},
            {"type": "text", "text": "last"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}}]}]});
    let gemini = json!({"systemInstruction": {"parts": [{"text": "be brief"}]}, "tools": [{}], "contents": [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "n"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "n", "response": {"output": "42"}}},
            {"text": "last"}, {"inlineData": {"mimeType": "image/png", "data": "AAEC"}}]}]});
    for (api, body) in [
        (Api::OpenAi, openai),
        (Api::Anthropic, anthropic),
        (Api::Gemini, gemini),
    ] {
        let ask = Ask::read(api, &body);
        assert_eq!(ask.system, "be brief", "{api:?}");
        assert_eq!(ask.opening, "first", "{api:?}");
        assert_eq!(ask.last, "last", "{api:?}");
        assert_eq!(ask.answers, 1, "{api:?}");
        assert_eq!(ask.results, ["42"], "{api:?}");
        assert_eq!(ask.images, [("image/png".to_owned(), 3)], "{api:?}");
        assert!(ask.tools, "{api:?}");
        assert!(ask.tokens > ask.tokens_before, "{api:?}");
        assert_eq!(ask.include_usage, api == Api::OpenAi, "{api:?}");
    }
}

#[test]
fn gemini_may_be_in_snake_case_and_base64url() {
    let ask = Ask::read(
        Api::Gemini,
        &json!({"system_instruction": {"parts": [{"text": "s"}]}, "contents": [{"parts": [
            {"function_response": {"name": "n", "response": {"result": "r"}}},
            {"inline_data": {"mime_type": "image/png", "data": "-_-_"}}]}]}),
    );
    assert_eq!(ask.system, "s");
    assert_eq!(ask.results, ["r"]);
    assert_eq!(ask.images, [("image/png".to_owned(), 3)]);
}

#[test]
fn any_json_is_read() {
    for body in [
        json!(null),
        json!([1]),
        json!({"messages": 3}),
        json!({"messages": [3, {"content": {}}]}),
    ] {
        for api in [Api::OpenAi, Api::Anthropic, Api::Gemini] {
            assert!(Ask::read(api, &body).opening.is_empty());
        }
    }
}

#[test]
fn tokens_grow_with_the_text() {
    assert_eq!(tokens(""), 0);
    assert_eq!(tokens("four"), 1);
    assert_eq!(tokens("数据库索引"), 4);
}
