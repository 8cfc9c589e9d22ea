use flow_model::{Dialect, Outcome, Part, ResponseReading, Role, StopReason};
use serde_json::json;

use crate::ResponseDecoder;
use crate::dialects::text_part;

fn read(body: &str) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::AnthropicComplete, 200, &[]);
    decoder.push(body.as_bytes(), 1);
    decoder.finish(true)
}

#[track_caller]
fn check_text(body: &str, expect: &str) {
    let reading = read(body);
    assert_eq!(reading.outcome, Outcome::Ok, "{body}");
    assert_eq!(reading.diagnostics, [], "{body}");
    let parts = reading.choices.first().map(|choice| &choice.message.parts);
    assert_eq!(parts, Some(&vec![text_part(expect.to_owned())]), "{body}");
}

#[track_caller]
fn check_prompt(prompt: &str, system: &[&str], turns: &[(Role, &str)]) {
    let body = json!({"model": "m", "prompt": prompt, "max_tokens_to_sample": 9}).to_string();
    let reading = crate::read_request(Dialect::AnthropicComplete, "/v1/complete", body.as_bytes());
    let words = |parts: &[Part]| -> Vec<String> {
        let texts = parts.iter().filter_map(|part| match part {
            Part::Text { text, .. } => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    };
    assert_eq!(words(&reading.system), system);
    let found: Vec<(Role, String)> = reading
        .messages
        .iter()
        .map(|message| (message.role, words(&message.parts).concat()))
        .collect();
    let expect: Vec<(Role, String)> = turns
        .iter()
        .map(|(role, text)| (*role, (*text).to_owned()))
        .collect();
    assert_eq!(found, expect, "{prompt:?}");
    let kept: Vec<_> = reading.parameters.keys().collect();
    assert_eq!(kept, ["max_tokens_to_sample"]);
}

#[test]
fn reads_a_whole_answer() {
    let reading = read(
        r#"{"type":"completion","id":"c1","completion":" hi","stop_reason":"stop_sequence","model":"m","stop":"\n\nHuman:","log_id":"l1"}"#,
    );
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.message.parts, [text_part(" hi".to_owned())]);
    assert_eq!(
        (choice.stop_reason.as_deref(), choice.stop),
        (Some("stop_sequence"), Some(StopReason::Stop))
    );
    assert_eq!(
        (reading.id.as_deref(), reading.model.as_deref()),
        (Some("c1"), Some("m"))
    );
    assert_eq!(reading.usage, None);
}

#[test]
fn the_log_id_stands_for_the_id() {
    let reading = read(r#"{"completion":"x","stop_reason":"max_tokens","log_id":"l1"}"#);
    assert_eq!(reading.id.as_deref(), Some("l1"));
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.stop, Some(StopReason::Length));
}

#[test]
fn named_events_hold_what_is_new() {
    let event = |text: &str| {
        format!(
            "event: completion\r\ndata: {{\"completion\":\"{text}\",\"stop_reason\":null}}\r\n\r\n"
        )
    };
    let body = [
        event("a"),
        "event: ping\ndata: {\"type\":\"ping\"}\n\n".to_owned(),
        event("ab"),
        event(""),
    ];
    check_text(&body.concat(), "aab");
}

#[test]
fn events_without_name_hold_what_is_new_or_all_so_far() {
    let body = |texts: &[&str]| -> String {
        let events = texts
            .iter()
            .map(|text| format!("data: {{\"completion\":\"{text}\",\"log_id\":\"l\"}}\n\n"));
        events.collect::<String>() + "data: [DONE]\n\n"
    };
    check_text(&body(&["a", "ab", "ab", "abc"]), "abc");
    check_text(&body(&["", "a", "ab"]), "ab");
    check_text(&body(&["a", "b", "abc"]), "ababc");
}

#[test]
fn an_error_event_keeps_what_came_before() {
    let body = "event: completion\ndata: {\"completion\":\"so far\"}\n\n\
                event: error\ndata: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}\n\n";
    let reading = read(body);
    assert_eq!(reading.outcome, Outcome::StreamError);
    let choice = reading.choices.first().unwrap();
    assert_eq!(choice.message.parts, [text_part("so far".to_owned())]);
}

#[test]
fn a_prompt_is_cut_into_its_turns() {
    check_prompt(
        "\n\nHuman: hi there\n\nAssistant:",
        &[],
        &[(Role::User, "hi there")],
    );
    check_prompt(
        "be brief\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: {",
        &["be brief"],
        &[
            (Role::User, "a"),
            (Role::Assistant, "b"),
            (Role::User, "c"),
            (Role::Assistant, "{"),
        ],
    );
    check_prompt("no turns", &[], &[(Role::User, "no turns")]);
    check_prompt(
        "\n\nAssistant:\n\nHuman:",
        &[],
        &[(Role::Assistant, ""), (Role::User, "")],
    );
    check_prompt("", &[], &[]);
}
