use flow_model::{Dialect, Header, Media, Outcome, Part, RequestReading, ResponseReading};
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_request};

fn decode(body: &str, complete: bool) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiImages, 200, &[]);
    decoder.push(body.as_bytes(), 7);
    decoder.finish(complete)
}

fn request(body: &str) -> RequestReading {
    read_request(Dialect::OpenaiImages, "/v1/images/edits", body.as_bytes())
}

fn parts(reading: &ResponseReading) -> Vec<&Part> {
    let choices = reading.choices.iter();
    choices.flat_map(|choice| &choice.message.parts).collect()
}

fn events(events: &[Value]) -> String {
    let lines = events.iter().map(|event| format!("data: {event}\n\n"));
    lines.collect()
}

#[track_caller]
fn check_image(body: &Value, expect: &Media) {
    let reading = decode(&body.to_string(), true);
    let media: Vec<&Media> = parts(&reading)
        .into_iter()
        .filter_map(|part| match part {
            Part::Image { media } => Some(media),
            _ => None,
        })
        .collect();
    assert_eq!(media, [expect], "{body}");
    assert_eq!(reading.units.images, Some(1));
}

#[test]
fn images_are_pointed_to() {
    let linked = Media {
        mime: Some("image/jpeg".to_owned()),
        url: Some("https://h/i".to_owned()),
        ..Media::default()
    };
    check_image(
        &json!({"data": [{"url": "https://h/i", "mime_type": "image/jpeg"}]}),
        &linked,
    );
    let inline = |mime: &str, data_offset: u64| Media {
        mime: Some(mime.to_owned()),
        data_chars: Some(12),
        data_offset: Some(data_offset),
        ..Media::default()
    };
    // The format stands behind the data.
    check_image(
        &json!({"data": [{"b64_json": "iVBORw0KGgo="}], "output_format": "webp"}),
        &inline("image/webp", 22),
    );
    check_image(
        &json!({"data": [{"b64_json": "iVBORw0KGgo="}]}),
        &inline("image/png", 22),
    );
}

#[test]
fn a_revised_prompt_stands_in_front_of_its_image() {
    let body = json!({"data": [{"revised_prompt": "r", "url": "u"}, {"odd": 1}]});
    let reading = decode(&body.to_string(), true);
    let names = parts(&reading).into_iter().map(|part| match part {
        Part::Other { name, .. } => name.as_str(),
        _ => "part",
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        ["revised_prompt", "part", "image"]
    );
}

fn partial(data: &str) -> Value {
    json!({"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": data})
}

fn completed() -> Value {
    json!({"type": "image_edit.completed", "b64_json": "iVBORw0KGgo=", "output_format": "png",
        "usage": {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12, "input_tokens_details": {"cached_tokens": 1}}})
}

#[test]
fn a_stream_adds_up_to_the_completed_image() {
    let body = events(&[partial("AAAA"), partial("BBBB"), completed()]);
    let reading = decode(&body, true);
    assert_eq!((reading.outcome, reading.events), (Outcome::Ok, 3));
    assert_eq!((reading.ttft_us, reading.units.images), (Some(7), Some(1)));
    let usage = reading.usage.unwrap();
    assert_eq!((usage.input, usage.cache_read), (Some(3), Some(1)));
    let [Part::Image { media }] = parts(&reading)[..] else {
        panic!("{reading:?}");
    };
    let at = usize::try_from(media.data_offset.unwrap()).unwrap();
    assert_eq!(body.get(at..at + 4), Some("iVBO"));
}

#[test]
fn a_stream_that_breaks_off_shows_its_newest_partial_image() {
    let reading = decode(&events(&[partial("AAAA"), partial("BBBBBBBB")]), false);
    assert_eq!(reading.outcome, Outcome::StreamTruncated);
    let [Part::Image { media }] = parts(&reading)[..] else {
        panic!("{reading:?}");
    };
    assert_eq!((media.data_chars, reading.units.images), (Some(8), None));
}

#[test]
fn an_error_inside_a_stream_is_an_error() {
    for error in [
        json!({"type": "error", "error": {"code": "moderation_blocked", "message": "m"}}),
        json!({"type": "error", "code": "moderation_blocked", "message": "m"}),
    ] {
        let reading = decode(&events(&[partial("AAAA"), error]), true);
        assert_eq!(reading.outcome, Outcome::StreamError);
        let error = reading.error.unwrap();
        assert_eq!(error.code.as_deref(), Some("moderation_blocked"));
        assert_eq!(error.message.as_deref(), Some("m"));
    }
}

#[test]
fn requests_are_json_or_forms() {
    let body = json!({"model": "m", "prompt": "p", "stream": true, "size": "auto", "mask": {"file_id": "f-2"},
        "images": [{"image_url": "data:image/png;base64,AAAA"}, {"file_id": "f-1"}, {"type": "image_url", "url": "https://h/i"}, 5]});
    let reading = request(&body.to_string());
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(true))
    );
    assert_eq!(reading.parameters.len(), 1);
    let kinds = |reading: &RequestReading| {
        let parts = reading.messages.iter().flat_map(|message| &message.parts);
        let kind = |part: &Part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Image { media } => format!("image {:?}", media.bytes),
            Part::File { media, name } => format!("{name:?} {:?}", media.file_id),
            part => format!("{part:?}"),
        };
        parts.map(kind).collect::<Vec<_>>()
    };
    let found = kinds(&reading);
    assert_eq!(found.iter().filter(|kind| *kind == "image None").count(), 3);
    assert!(
        found.contains(&"Some(\"mask\") Some(\"f-2\")".to_owned()),
        "{found:?}"
    );
    let form = "--b\r\nContent-Disposition: form-data; name=\"image[]\"; filename=\"i.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\np\r\n--b--\r\n";
    let reading = request(form);
    assert_eq!(kinds(&reading), ["image Some(3)", "p"]);
    assert_eq!(reading.parameters.get("image[]"), Some(&json!("i.png")));
}

#[test]
fn azure_names_the_model_in_the_path() {
    let path = "/openai/deployments/d-1/images/generations";
    let reading = read_request(Dialect::OpenaiImages, path, br#"{"prompt":"p"}"#);
    assert_eq!(reading.model.as_deref(), Some("d-1"));
}

#[test]
fn an_error_body_is_an_error() {
    let headers: [Header; 0] = [];
    let mut decoder = ResponseDecoder::new(Dialect::OpenaiImages, 400, &headers);
    decoder.push(
        br#"{"error":{"code":"content_policy_violation","message":"m"}}"#,
        1,
    );
    assert_eq!(decoder.finish(true).outcome, Outcome::Error);
}
