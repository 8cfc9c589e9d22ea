use serde_json::json;

use super::*;

const APIS: [Api; 10] = [
    Api::OpenAi,
    Api::Responses,
    Api::Completions,
    Api::Anthropic,
    Api::Gemini,
    Api::Ollama,
    Api::OllamaGenerate,
    Api::Cohere,
    Api::Converse,
    Api::Kiro,
];

#[test]
fn the_same_conversation_reads_the_same_in_each_form() {
    let openai = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true},
        "tools": [{"type": "function", "function": {"name": "n"}}], "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": null, "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
        {"role": "user", "content": [{"type": "text", "text": "last"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]}]});
    let anthropic = json!({"model": "m", "stream": true, "system": [{"type": "text", "text": "be brief"}],
        "tools": [{"name": "n"}], "messages": [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "n", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "42"},
            {"type": "text", "text": "last"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}}]}]});
    let gemini = json!({"systemInstruction": {"parts": [{"text": "be brief"}]},
        "tools": [{"functionDeclarations": [{"name": "n"}]}], "contents": [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "n"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "n", "response": {"output": "42"}}},
            {"text": "last"}, {"inlineData": {"mimeType": "image/png", "data": "AAEC"}}]}]});
    let responses = json!({"model": "m", "stream": true, "instructions": "be brief",
        "tools": [{"type": "function", "name": "n"}], "input": [
        {"role": "user", "content": "first"},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "last"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAEC"}]}]});
    let cohere = json!({"model": "m", "stream": true, "tools": [{"function": {"name": "n"}}], "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "first"},
        {"role": "assistant", "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "document", "document": {"data": "42"}}]},
        {"role": "user", "content": [{"type": "text", "text": "last"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]}]});
    let converse = json!({"system": [{"text": "be brief"}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "n"}}]}, "messages": [
        {"role": "user", "content": [{"text": "first"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c", "name": "n", "input": {}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "42"}]}},
            {"text": "last"}, {"image": {"format": "png", "source": {"bytes": "AAEC"}}}]}]});
    for (api, body) in [
        (Api::OpenAi, openai),
        (Api::Anthropic, anthropic),
        (Api::Gemini, gemini),
        (Api::Responses, responses),
        (Api::Cohere, cohere),
        (Api::Converse, converse),
    ] {
        let ask = Ask::read(api, &body);
        assert_eq!(ask.system, "be brief", "{api:?}");
        assert_eq!(ask.opening, "first", "{api:?}");
        assert_eq!(ask.last(), "last", "{api:?}");
        assert_eq!(ask.answers, 1, "{api:?}");
        assert_eq!(ask.results, ["42"], "{api:?}");
        assert_eq!(ask.images, [("image/png".to_owned(), 3)], "{api:?}");
        assert_eq!(ask.tools, ["n"], "{api:?}");
        assert!(ask.tokens > ask.tokens_before, "{api:?}");
        assert_eq!(ask.include_usage, api == Api::OpenAi, "{api:?}");
    }
}

#[test]
fn ollama_has_pictures_beside_the_text() {
    let chat =
        json!({"model": "m", "messages": [{"role": "user", "content": "hi", "images": ["AAEC"]}]});
    let generate =
        json!({"model": "m", "system": "s", "prompt": "hi", "images": ["AAEC"], "stream": false});
    for (api, body, stream) in [
        (Api::Ollama, chat, true),
        (Api::OllamaGenerate, generate, false),
    ] {
        let ask = Ask::read(api, &body);
        assert_eq!(ask.opening, "hi", "{api:?}");
        assert_eq!(ask.images, [("image".to_owned(), 3)], "{api:?}");
        assert_eq!(ask.stream, stream, "{api:?}");
    }
}

#[test]
fn kiro_has_a_history_and_a_current_message() {
    let context = json!({"toolResults": [{"toolUseId": "t", "status": "success", "content": [{"text": "42"}]}],
        "tools": [{"toolSpecification": {"name": "n"}}]});
    let now = json!({"content": "", "modelId": "demo-tools", "userInputMessageContext": context,
        "images": [{"format": "png", "source": {"bytes": "AAEC"}}]});
    let body = json!({"conversationState": {"history": [
        {"userInputMessage": {"content": "first"}},
        {"assistantResponseMessage": {"content": "", "toolUses": []}}],
        "currentMessage": {"userInputMessage": now}}});
    let ask = Ask::read(Api::Kiro, &body);
    assert_eq!(
        (ask.model.as_str(), ask.answers, ask.stream),
        ("demo-tools", 1, true)
    );
    assert_eq!((ask.opening.as_str(), ask.last()), ("first", "first"));
    assert_eq!(ask.results, ["42"]);
    assert_eq!(ask.tools, ["n"]);
    assert_eq!(ask.images, [("image/png".to_owned(), 3)]);
}

#[test]
fn an_answer_of_responses_is_a_run_of_items() {
    let check = |input: Value, answers: usize| {
        let ask = Ask::read(Api::Responses, &json!({"input": input}));
        assert_eq!(ask.answers, answers, "{input}");
    };
    let user = json!({"role": "user", "content": "hi"});
    let call = json!({"type": "function_call", "call_id": "c"});
    let output = json!({"type": "function_call_output", "call_id": "c", "output": "42"});
    let said = json!({"type": "message", "role": "assistant", "content": []});
    check(json!("hi"), 0);
    check(json!([user, said, call, call, output, output]), 1);
    check(json!([user, call, output, call, output, said, user]), 3);
}

#[test]
fn an_id_of_responses_stands_for_its_conversation() {
    for turn in [0, 1, 41, TURN_MAX] {
        let id = response_id(&Ids::new("x"), turn);
        let ask = Ask::read(
            Api::Responses,
            &json!({"previous_response_id": id, "input": "go on"}),
        );
        assert_eq!(ask.answers, turn + 1);
    }
    for id in ["", "resp_", "resp_zz", "chat_01"] {
        assert_eq!(turn_of(id), None, "{id}");
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
        json!({"input": [3, {"content": 4}], "prompt": 5}),
        json!({"conversationState": {"history": [3], "currentMessage": 4}}),
        json!({"messages": 3}),
        json!({"messages": [3, {"content": {}}]}),
    ] {
        for api in APIS {
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
