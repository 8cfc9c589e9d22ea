use flow_model::{Dialect, Outcome, Part, RequestReading, ResponseReading, Role, StopReason};
use serde_json::{Value, json};

use crate::ResponseDecoder;
use crate::dialects::{other_part, text_part};

fn read(body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiCompletions, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

fn stream(events: &[Value]) -> ResponseReading {
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    read(&events.collect::<String>())
}

fn request(path: &str, body: &Value) -> RequestReading {
    crate::read_request(
        Dialect::OpenaiCompletions,
        path,
        body.to_string().as_bytes(),
    )
}

fn parts(reading: &ResponseReading) -> Vec<(u64, Vec<Part>)> {
    let choices = reading.choices.iter();
    choices
        .map(|choice| (choice.index, choice.message.parts.clone()))
        .collect()
}

fn text(text: &str) -> Vec<Part> {
    vec![text_part(text.to_owned())]
}

#[test]
fn reads_several_answers_of_a_whole_body() {
    let reading = read(
        &json!({"id": "c1", "model": "m", "prompt": [], "choices": [
            {"index": 1, "text": "b", "finish_reason": "length", "logprobs": {"tokens": ["b"]}},
            {"index": 0, "text": "a", "finish_reason": "stop", "stop_reason": 7, "logprobs": null},
        ], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
        .to_string(),
    );
    assert_eq!(parts(&reading), [(0, text("a")), (1, text("b"))]);
    let stops: Vec<_> = reading.choices.iter().map(|choice| choice.stop).collect();
    assert_eq!(stops, [Some(StopReason::Stop), Some(StopReason::Length)]);
    let likelihoods: Vec<_> = reading
        .choices
        .iter()
        .map(|choice| choice.logprobs.clone())
        .collect();
    assert_eq!(likelihoods, [None, Some(json!({"tokens": ["b"]}).into())]);
    let usage = reading.usage.unwrap();
    assert_eq!(
        (usage.input, usage.output, usage.total),
        (Some(3), Some(2), Some(5))
    );
}

#[test]
fn choices_without_index_are_numbered() {
    let body = json!({"choices": [{"text": "a", "log_probs": null}, {"text": "b"}]});
    assert_eq!(
        parts(&read(&body.to_string())),
        [(0, text("a")), (1, text("b"))]
    );
}

#[test]
fn a_stream_says_what_the_whole_answer_would() {
    let reading = stream(&[
        json!({"id": "c1", "model": "m", "choices": [{"index": 1, "text": "b", "logprobs": {"tokens": ["b"], "text_offset": [0]}}]}),
        json!({"id": "c1", "choices": [{"index": 0, "text": "a"}]}),
        json!({"id": "c1", "choices": [{"index": 1, "text": "c", "logprobs": {"tokens": ["c"], "text_offset": [1]}, "finish_reason": "length"}]}),
        json!({"id": "c1", "choices": [{"index": 0, "text": "", "finish_reason": "length"}]}),
        json!({"id": "c1", "choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
        json!({"id": "c1", "choices": [], "usage": {"prompt_tokens": 3}}),
    ]);
    assert_eq!(parts(&reading), [(0, text("a")), (1, text("bc"))]);
    let first = reading.choices.first().unwrap();
    assert_eq!(first.stop_reason.as_deref(), Some("stop"));
    let second = reading.choices.last().unwrap();
    assert_eq!(
        second.logprobs,
        Some(json!({"tokens": ["b", "c"], "text_offset": [0, 1]}).into())
    );
    assert_eq!(
        (reading.outcome, reading.usage.and_then(|usage| usage.input)),
        (Outcome::Ok, Some(3))
    );
}

#[test]
fn imitations_have_their_words_elsewhere() {
    let check = |events: &[Value], expect: Vec<Part>| {
        let reading = stream(events);
        assert_eq!(parts(&reading), [(0, expect)]);
        assert_eq!(reading.diagnostics, []);
    };
    check(&[json!({"value": "a"}), json!({"value": "b"})], text("ab"));
    check(
        &[
            json!({"choices": [{"delta": {"content": "a"}}]}),
            json!({"choices": [{"delta": {"content": "b"}}]}),
        ],
        text("ab"),
    );
    let thought = Part::Thinking {
        text: "hm".to_owned(),
        signed: false,
        redacted: false,
    };
    check(
        &[
            json!({"choices": [{"text": "", "reasoning": "hm"}]}),
            json!({"choices": [{"text": "a", "reasoning": null}]}),
        ],
        [vec![thought], text("a")].concat(),
    );
    let whole = read(&json!({"choices": [{"message": {"content": "a"}}]}).to_string());
    assert_eq!(parts(&whole), [(0, text("a"))]);
}

#[test]
fn an_error_inside_a_stream_keeps_what_came_before() {
    let before = "data: {\"choices\":[{\"text\":\"so far\"}]}\n\n";
    for event in [
        "event: error\ndata: {\"message\":\"boom\"}\n\n",
        "data: {\"error\":{\"message\":\"boom\"}}\n\n",
    ] {
        let reading = read(&format!("{before}{event}"));
        assert_eq!(reading.outcome, Outcome::StreamError, "{event}");
        assert_eq!(parts(&reading), [(0, text("so far"))]);
        let error = reading.error.unwrap();
        assert_eq!(error.message.as_deref(), Some("boom"));
    }
}

#[test]
fn a_prompt_may_be_a_text_a_list_or_tokens() {
    let check = |prompt: Value, expect: &[Part]| {
        let reading = request(
            "/v1/completions",
            &json!({"model": "m", "prompt": prompt, "suffix": "s", "stream": true}),
        );
        let found: Vec<Part> = reading
            .messages
            .iter()
            .flat_map(|message| message.parts.clone())
            .collect();
        assert_eq!(found, expect);
        assert!(
            reading
                .messages
                .iter()
                .all(|message| message.role == Role::User && message.parts.len() == 1)
        );
        let kept: Vec<_> = reading.parameters.keys().collect();
        assert_eq!(kept, ["suffix"]);
        assert_eq!(reading.stream, Some(true));
    };
    check(json!("a"), &text("a"));
    check(json!(["a", "b"]), &[text("a"), text("b")].concat());
    let tokens = |tokens: Value| other_part("tokens", tokens.into());
    check(json!([1, 2]), &[tokens(json!([1, 2]))]);
    check(
        json!([[1], [2, 3]]),
        &[tokens(json!([1])), tokens(json!([2, 3]))],
    );
    check(json!([]), &[]);
}

#[test]
fn the_path_names_the_model_where_the_body_does_not() {
    let model = |path: &str| request(path, &json!({"prompt": "x"})).model;
    assert_eq!(
        model("/openai/deployments/d/completions").as_deref(),
        Some("d")
    );
    assert_eq!(model("/v1/engines/e/completions").as_deref(), Some("e"));
    assert_eq!(model("/v1/completions"), None);
}
