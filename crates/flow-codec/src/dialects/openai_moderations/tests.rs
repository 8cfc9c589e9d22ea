use flow_model::{Dialect, Part, StopReason};
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_request};

#[track_caller]
fn check(body: &Value, parts: usize, flagged: bool) {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiModerations, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    let reading = decoder.finish(true);
    let choice = reading.choices.first().unwrap();
    let kept = choice.message.parts.iter();
    let kept = kept.filter(|part| matches!(part, Part::Other { name, .. } if name == "moderation"));
    assert_eq!(kept.count(), parts, "{body}");
    let expect = flagged.then_some(StopReason::ContentFilter);
    assert_eq!(choice.stop, expect, "{body}");
    assert_eq!(choice.stop_reason.as_deref(), flagged.then_some("flagged"));
}

#[test]
fn each_result_is_kept_and_a_flag_is_told() {
    let result = |flagged: bool| json!({"flagged": flagged, "categories": {"x": true}});
    check(&json!({"id": "i", "results": [result(false)]}), 1, false);
    check(&json!({"results": [result(false), result(true)]}), 2, true);
    check(&json!({"results": [result(true), result(false)]}), 2, true);
    check(
        &json!({"results": [{"categories": {"a": false, "b": true}}]}),
        1,
        true,
    );
    check(
        &json!({"results": [{"categories": {"a": false}}, 5]}),
        2,
        false,
    );
    check(&json!({"results": []}), 0, false);
}

#[test]
fn inputs_are_parts_of_the_user() {
    let body = json!({"model": "m", "input": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://h/i"}}], "x": 1});
    let reading = read_request(
        Dialect::OpenaiModerations,
        "/v1/moderations",
        body.to_string().as_bytes(),
    );
    let parts = &reading.messages.first().unwrap().parts;
    assert!(matches!(
        &parts[..],
        [Part::Text { .. }, Part::Image { .. }]
    ));
    assert_eq!(reading.parameters.get("x"), Some(&json!(1)));
}
