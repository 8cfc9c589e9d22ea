use flow_model::{Dialect, Part, RequestReading, ResponseReading, StopReason, Tokens};
use serde_json::{Value, json};

use super::{REQUESTS_MAX, Stream};
use crate::answer::Answer;
use crate::dialects::Event;
use crate::json::Document;
use crate::{ResponseDecoder, read_request, tokens};

fn response(body: &Value) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::AnthropicBatches, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    decoder.finish(true)
}

fn request(body: &Value) -> RequestReading {
    let path = "/v1/messages/batches";
    read_request(Dialect::AnthropicBatches, path, body.to_string().as_bytes())
}

fn names(parts: &[Part]) -> Vec<&str> {
    let names = parts.iter().map(|part| match part {
        Part::Other { name, .. } => name.as_str(),
        _ => "part",
    });
    names.collect()
}

#[test]
fn a_new_batch_is_its_requests_and_their_number() {
    let one = json!({"custom_id": "a", "params": {"model": "m", "messages": []}});
    let reading = request(&json!({"requests": [one, {"custom_id": "b"}]}));
    assert_eq!(reading.model.as_deref(), Some("m"));
    assert_eq!(reading.parameters.get("requests"), Some(&json!(2)));
    let said = reading.messages.first().unwrap();
    assert_eq!(names(&said.parts), ["request", "request"]);
    let many = REQUESTS_MAX + 5;
    let all = vec![json!({}); usize::try_from(many).unwrap()];
    let reading = request(&json!({"requests": all}));
    assert_eq!(reading.parameters.get("requests"), Some(&json!(many)));
    let kept = reading.messages.first().unwrap().parts.len();
    assert_eq!(kept as u64, REQUESTS_MAX);
}

#[test]
fn a_batch_is_kept_as_it_is() {
    let body = json!({"id": "b", "type": "message_batch", "processing_status": "ended", "request_counts": {"succeeded": 2}, "results_url": null});
    let reading = response(&body);
    assert_eq!(reading.id.as_deref(), Some("b"));
    let [Part::Other { name, raw }] = &reading.choices.first().unwrap().message.parts[..] else {
        panic!("{reading:?}");
    };
    assert_eq!(name, "message_batch");
    assert_eq!(raw.value().get("processing_status"), Some(&json!("ended")));
    let list = response(&json!({"data": [body, {}], "has_more": false, "last_id": "b"}));
    let parts = &list.choices.first().unwrap().message.parts;
    assert_eq!(names(parts), ["message_batch", "message_batch"]);
}

#[test]
fn each_result_is_an_answer() {
    let usage = json!({"input_tokens": 9, "output_tokens": 1});
    let lines = [
        json!({"custom_id": "a", "result": {"type": "succeeded", "message": {"model": "m", "content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn", "usage": usage}}}),
        json!({"custom_id": "b", "result": {"type": "errored", "error": {"type": "error"}}}),
        json!({"custom_id": "c", "result": {"type": "expired"}}),
    ];
    let mut answer = Answer::new(Dialect::AnthropicBatches);
    let mut stream = Stream::default();
    for line in &lines {
        let body = line.to_string();
        let document = Document::new(body.as_bytes());
        let mut json = document.root();
        assert!(json.object());
        let event = Event {
            name: None,
            open: false,
        };
        stream.event(event, &mut json, &mut answer);
    }
    let reading = answer.into_reading(flow_model::Outcome::Ok, true);
    let found: Vec<_> = reading
        .choices
        .iter()
        .map(|choice| (names(&choice.message.parts), choice.stop_reason.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (vec!["custom_id", "part", "usage"], Some("end_turn")),
            (vec!["custom_id", "error"], Some("errored")),
            (vec!["custom_id"], Some("expired")),
        ]
    );
    assert_eq!(reading.model.as_deref(), Some("m"));
    let counts = tokens(Dialect::AnthropicBatches, None, &reading);
    assert_eq!(counts, Tokens::default(), "a result may be fetched again");
    // A single line has no other line to be told by.
    let one = response(lines.first().unwrap());
    let choice = one.choices.first().unwrap();
    assert_eq!(choice.stop, Some(StopReason::Stop));
}
