//! The dialects beside chat completions, messages and generateContent.

use super::*;

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().filter_map(|event| event.name).collect()
}

fn last(events: &[Event]) -> Value {
    let closing = events.iter().find(|event| event.kind == Kind::Closing);
    serde_json::from_str(&closing.unwrap().data).unwrap()
}

#[test]
fn responses_end_with_what_the_whole_says() {
    for name in ["text", "chinese", "refusal", "length", "thinking", "tools"] {
        let (whole, events) = rendered(Api::Responses, &format!("conversation={name}"));
        assert_eq!(last(&events)["response"], whole, "{name}");
        assert_eq!(last(&events)["type"], names(&events)[events.len() - 1]);
        let done = all(&events, "/item");
        let done: Vec<_> = done.iter().skip(1).step_by(2).collect();
        let output = whole["output"].as_array().unwrap();
        assert_eq!(done, output.iter().collect::<Vec<_>>(), "{name}");
        let numbers = all(&events, "/sequence_number");
        assert!(
            (0..)
                .zip(&numbers)
                .all(|(place, number)| number == &json!(place))
        );
        assert_eq!(numbers.len(), events.len());
    }
    let (whole, events) = rendered(Api::Responses, "conversation=length");
    assert_eq!(whole["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(names(&events).last(), Some(&"response.incomplete"));
}

#[test]
fn deltas_of_responses_make_the_item() {
    for (name, delta, place) in [
        ("text", "response.output_text.delta", "/content/0/text"),
        ("refusal", "response.refusal.delta", "/content/0/refusal"),
    ] {
        let (whole, events) = rendered(Api::Responses, &format!("conversation={name}"));
        let deltas: Vec<Event> = of(&events, delta);
        assert!(deltas.len() > 3, "{name}");
        let text = joined(&all(&deltas, "/delta"));
        assert_eq!(whole["output"][0].pointer(place).unwrap(), &json!(text));
    }
    let (whole, events) = rendered(Api::Responses, "conversation=tools");
    let deltas = of(&events, "response.function_call_arguments.delta");
    let first: Vec<Event> = deltas
        .into_iter()
        .filter(|event| event.data.contains("\"output_index\":1,"))
        .collect();
    assert_eq!(
        whole["output"][1]["arguments"],
        joined(&all(&first, "/delta"))
    );
}

fn of(events: &[Event], name: &str) -> Vec<Event> {
    let events = events.iter().filter(|event| event.name == Some(name));
    events.cloned().collect()
}

#[test]
fn responses_show_thinking_only_when_asked() {
    let (whole, events) = rendered(Api::Responses, "conversation=thinking");
    assert_eq!(whole["output"][0]["summary"], json!([]));
    assert!(of(&events, "response.reasoning_summary_text.delta").is_empty());
    let (whole, events) = rendered(Api::Responses, "conversation=thinking,reasoning");
    let shown = &whole["output"][0]["summary"][0]["text"];
    let deltas = of(&events, "response.reasoning_summary_text.delta");
    assert_eq!(shown, &json!(joined(&all(&deltas, "/delta"))));
    let details = &whole["usage"]["output_tokens_details"];
    assert!(details["reasoning_tokens"].as_u64() > Some(0));
}

#[test]
fn a_failed_response_counts_on() {
    let (reply, _, _) = replied(Api::Responses, "");
    let events = error_events(Api::Responses, &reply, 4, "");
    assert_eq!(names(&events), ["error", "response.failed"]);
    assert_eq!(all(&events, "/sequence_number"), [4, 5]);
    assert_eq!(all(&events, "/response/error/code"), ["server_error"]);
}

#[test]
fn completions_are_a_text_in_pieces() {
    let (whole, events) = rendered(Api::Completions, "conversation=text");
    assert_eq!(
        whole["choices"][0]["text"],
        joined(&all(&events, "/choices/0/text"))
    );
    assert_eq!(all(&events, "/usage"), [whole["usage"].clone()]);
}

#[test]
fn ollama_says_the_same_on_each_line() {
    for (api, place) in [
        (Api::Ollama, "/message/content"),
        (Api::OllamaGenerate, "/response"),
    ] {
        let (whole, events) = rendered(api, "conversation=thinking");
        let text = whole.pointer(place).unwrap();
        assert_eq!(text, &json!(joined(&all(&events, place))), "{api:?}");
        let thinking = place
            .replace("content", "thinking")
            .replace("response", "thinking");
        let thought = whole.pointer(&thinking).unwrap();
        assert_eq!(thought, &json!(joined(&all(&events, &thinking))), "{api:?}");
        for member in ["done_reason", "prompt_eval_count", "eval_count"] {
            assert_eq!(whole[member], last(&events)[member], "{api:?} {member}");
        }
        let lines = frames(&events, Framing::Lines, false);
        assert!(lines.iter().all(|line| line.ends_with(b"}\n")));
    }
    let (whole, events) = rendered(Api::Ollama, "conversation=tools");
    let streamed = all(&events, "/message/tool_calls/0");
    assert_eq!(whole["message"]["tool_calls"], json!(streamed));
}

#[test]
fn cohere_plans_calls_and_says_the_rest() {
    let (whole, events) = rendered(Api::Cohere, "conversation=tools");
    let plan = joined(&all(&events, "/delta/message/tool_plan"));
    assert_eq!(whole["message"]["tool_plan"], plan);
    assert!(whole["message"].get("content").is_none());
    let calls = of(&events, "tool-call-start");
    assert_eq!(all(&calls, "/index"), [0, 1, 2]);
    let (whole, events) = rendered(Api::Cohere, "conversation=thinking");
    for (place, member) in [(0, "thinking"), (1, "text")] {
        let said = joined(&all(&events, &format!("/delta/message/content/{member}")));
        assert_eq!(whole["message"]["content"][place][member], said);
    }
    let end = of(&events, "message-end");
    assert_eq!(all(&end, "/delta/usage"), [whole["usage"].clone()]);
    assert_eq!(
        events.last().map(|event| event.data.as_str()),
        Some("[DONE]")
    );
}

#[test]
fn converse_blocks_hold_what_the_whole_holds() {
    let (whole, events) = rendered(Api::Converse, "conversation=tools");
    let content = whole["output"]["message"]["content"].as_array().unwrap();
    assert_eq!(content[0]["text"], joined(&all(&events, "/delta/text")));
    let starts = all(&events, "/start/toolUse/toolUseId");
    let ids: Vec<Value> = content[1..]
        .iter()
        .map(|block| block["toolUse"]["toolUseId"].clone())
        .collect();
    assert_eq!(starts, ids);
    assert_eq!(all(&events, "/stopReason"), ["tool_use"]);
    assert_eq!(last(&events)["usage"], whole["usage"]);
    assert!(all(&events, "/p").len() == events.len(), "all are padded");
    let (whole, events) = rendered(Api::Converse, "conversation=thinking");
    let thought = &whole["output"]["message"]["content"][0]["reasoningContent"]["reasoningText"];
    for member in ["text", "signature"] {
        let streamed = all(&events, &format!("/delta/reasoningContent/{member}"));
        assert_eq!(thought[member], joined(&streamed));
    }
}

#[test]
fn kiro_counts_credits_and_tokens() {
    let events = streamed(Api::Kiro, "conversation=thinking");
    let text = joined(&all(&events, "/content"));
    assert!(text.starts_with("<thinking>The formula") && text.contains("</thinking>\n\nUse a"));
    let ends = names(&events);
    let ends = &ends[ends.len() - 3..];
    assert_eq!(
        ends,
        ["meteringEvent", "contextUsageEvent", "metadataEvent"]
    );
    assert!(all(&events, "/usage")[0].as_f64() > Some(0.0));
    let tokens = &last(&events)["tokenUsage"];
    assert!(tokens["outputTokens"].as_u64() > Some(100), "{tokens}");

    let events = of(&streamed(Api::Kiro, "conversation=tools"), "toolUseEvent");
    let ids = all(&events, "/toolUseId");
    let first: Vec<Event> = events
        .iter()
        .filter(|event| event.data.contains(ids[0].as_str().unwrap()))
        .cloned()
        .collect();
    let input: Value = serde_json::from_str(&joined(&all(&first, "/input"))).unwrap();
    assert_eq!(input["city"], "Paris");
    assert_eq!(all(&first, "/stop"), [true]);
}
