use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::conversation::Library;
use crate::reply::choose;
use crate::target::Provider;

mod dialects;

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

/// Returns the answer to a request that asks for nothing but what `words` do.
fn replied(api: Api, words: &str) -> (Reply, Ask, Behaviour) {
    let library = Library::built_in().unwrap();
    let mut behaviour = Behaviour::default();
    behaviour.add_header(words).unwrap();
    let body = json!({"model": "m", "stream_options": {"include_usage": true}});
    let ask = Ask::read(api, &body);
    let choice = choose(&library, &ask, &behaviour).unwrap();
    let reply = Reply::compose(api, &choice, &ask, &behaviour, 7);
    (reply, ask, behaviour)
}

fn streamed(api: Api, words: &str) -> Vec<Event> {
    let (reply, ask, behaviour) = replied(api, words);
    events(api, &reply, &ask, &behaviour)
}

fn rendered(api: Api, words: &str) -> (Value, Vec<Event>) {
    let (reply, ask, behaviour) = replied(api, words);
    let whole = serde_json::from_str(&whole(api, &reply, &ask, &behaviour)).unwrap();
    (whole, events(api, &reply, &ask, &behaviour))
}

/// Returns the values at `pointer` in all events that are JSON.
fn all(events: &[Event], pointer: &str) -> Vec<Value> {
    let values = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(&event.data).ok());
    values
        .filter_map(|value| value.pointer(pointer).cloned())
        .collect()
}

fn joined(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect()
}

#[test]
fn openai_events_say_what_the_whole_says() {
    for name in ["text", "chinese", "refusal", "length", "thinking", "long"] {
        let (whole, events) = rendered(Api::OpenAi, &format!("conversation={name}"));
        let message = &whole["choices"][0]["message"];
        for member in ["content", "refusal"] {
            let streamed = joined(&all(&events, &format!("/choices/0/delta/{member}")));
            assert_eq!(
                message[member].as_str().unwrap_or(""),
                streamed,
                "{name} {member}"
            );
        }
        let finish = all(&events, "/choices/0/finish_reason");
        assert_eq!(
            finish.iter().rfind(|value| value.is_string()),
            Some(&whole["choices"][0]["finish_reason"])
        );
        assert_eq!(all(&events, "/usage").last(), Some(&whole["usage"]));
        assert_eq!(
            events.last().map(|event| (event.data.as_str(), event.kind)),
            Some(("[DONE]", Kind::Closing))
        );
        assert_eq!(all(&events, "/id")[0], whole["id"]);
    }
}

#[test]
fn openai_shows_thinking_only_when_asked() {
    let (whole, events) = rendered(Api::OpenAi, "conversation=thinking");
    assert!(
        whole["choices"][0]["message"]
            .get("reasoning_content")
            .is_none()
    );
    assert!(all(&events, "/choices/0/delta/reasoning_content").is_empty());
    assert!(whole["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let (whole, events) = rendered(Api::OpenAi, "conversation=thinking,reasoning");
    let shown = whole["choices"][0]["message"]["reasoning_content"]
        .as_str()
        .unwrap();
    assert!(shown.starts_with("The formula"));
    assert_eq!(
        joined(&all(&events, "/choices/0/delta/reasoning_content")),
        shown
    );
}

#[test]
fn anthropic_blocks_open_grow_and_close() {
    for name in ["text", "tools", "thinking", "refusal"] {
        let (whole, events) = rendered(Api::Anthropic, &format!("conversation={name}"));
        let names: Vec<&str> = events.iter().filter_map(|event| event.name).collect();
        assert_eq!(names.first(), Some(&"message_start"));
        assert_eq!(&names[names.len() - 2..], ["message_delta", "message_stop"]);
        assert!(names.contains(&"ping"));
        for (index, block) in whole["content"].as_array().unwrap().iter().enumerate() {
            let of_block: Vec<Event> = events
                .iter()
                .filter(|event| event.data.contains(&format!("\"index\":{index},")))
                .cloned()
                .collect();
            let text = joined(&all(&of_block, "/delta/text"));
            let thinking = joined(&all(&of_block, "/delta/thinking"));
            let input = joined(&all(&of_block, "/delta/partial_json"));
            assert_eq!(block["text"].as_str().unwrap_or(""), text);
            assert_eq!(block["thinking"].as_str().unwrap_or(""), thinking);
            if let Some(whole) = block.get("input") {
                assert_eq!(whole, &serde_json::from_str::<Value>(&input).unwrap());
            }
            if let Some(signature) = block.get("signature") {
                assert_eq!(
                    all(&of_block, "/delta/signature"),
                    std::slice::from_ref(signature)
                );
            }
        }
        assert_eq!(
            all(&events, "/delta/stop_reason"),
            [whole["stop_reason"].clone()]
        );
        assert_eq!(
            all(&events, "/usage/output_tokens"),
            [whole["usage"]["output_tokens"].clone()]
        );
    }
}

#[test]
fn gemini_chunks_say_what_the_whole_says() {
    for name in ["text", "chinese", "tools", "length"] {
        let (whole, events) = rendered(Api::Gemini, &format!("conversation={name}"));
        let text = |values: Vec<Value>| -> String {
            let parts = values.iter().filter_map(Value::as_array).flatten();
            parts.filter_map(|part| part["text"].as_str()).collect()
        };
        assert_eq!(
            text(all(&events, "/candidates/0/content/parts")),
            text(vec![whole["candidates"][0]["content"]["parts"].clone()])
        );
        assert_eq!(
            all(&events, "/candidates/0/finishReason"),
            [whole["candidates"][0]["finishReason"].clone()]
        );
        assert_eq!(
            all(&events, "/usageMetadata").last(),
            Some(&whole["usageMetadata"])
        );
    }
    let (whole, _) = rendered(Api::Gemini, "conversation=refusal");
    assert_eq!(whole["candidates"][0]["finishReason"], "SAFETY");
    assert!(whole["candidates"][0].get("content").is_none());
}

#[test]
fn gemini_counts_add_up() {
    let (whole, _) = rendered(Api::Gemini, "conversation=thinking");
    let count = |name: &str| whole["usageMetadata"][name].as_u64().unwrap();
    let sum =
        count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount");
    assert_eq!(count("totalTokenCount"), sum);
}

#[test]
fn frames_are_sse_or_one_array() {
    let (_, events) = rendered(Api::Gemini, "conversation=text");
    let sse = frames(&events, Framing::Sse, true).concat();
    let sse = String::from_utf8(sse).unwrap();
    assert!(
        sse.starts_with("data: {\"candidates\": [{") && sse.ends_with("}\r\n\r\n"),
        "{sse}"
    );
    let array = frames(&events, Framing::JsonArray, true).concat();
    let array: Vec<Value> = serde_json::from_slice(&array).unwrap();
    assert_eq!(array.len(), events.len());
    let (_, events) = rendered(Api::Anthropic, "conversation=text");
    let sse = String::from_utf8(frames(&events, Framing::Sse, false).concat()).unwrap();
    assert!(
        sse.starts_with("event: message_start\ndata: {\"type\":\"message_start\""),
        "{sse}"
    );
}

#[test]
fn errors_have_the_shape_of_their_provider() {
    for api in APIS {
        let place = match api.provider() {
            Provider::OpenAi | Provider::Anthropic | Provider::Google => "/error/message",
            Provider::Ollama => "/error",
            Provider::Cohere | Provider::Bedrock | Provider::Kiro => "/message",
        };
        for status in [400, 401, 403, 404, 413, 429, 500, 503, 529] {
            let body = error_body(api, status, error_message(api, status), "req_1");
            let body: Value = serde_json::from_str(&body).unwrap();
            let message = body.pointer(place).and_then(Value::as_str);
            assert!(
                message.is_some_and(|message| !message.is_empty()),
                "{api:?} {status}"
            );
        }
        let (reply, _, _) = replied(api, "");
        for event in error_events(api, &reply, 3, "req_1") {
            let thrown = event.kind == Kind::Exception;
            assert_eq!(thrown, api.framing() == Framing::EventStream, "{api:?}");
            assert!(
                thrown || event.data.contains("error"),
                "{api:?} {}",
                event.data
            );
        }
    }
    let body = error_body(Api::Anthropic, 529, "Overloaded", "req_1");
    let expect = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;
    assert_eq!(body, expect);
}

proptest! {
    #[test]
    fn pieces_make_the_text(text in ".{0,400}", size in 1_usize..200) {
        let ids = Ids::new("x");
        prop_assert_eq!(pieces(&text, size, &ids).concat(), text);
    }
}

#[test]
fn long_texts_become_long_pieces() {
    let text = "word ".repeat(1 << 20);
    let count = pieces(&text, 4, &Ids::new("x")).len();
    assert!(count <= TEXT_EVENTS_MAX * 2, "{count}");
}
