use flow_model::{Dialect, Embeddings, Part, RequestReading, ResponseReading};
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_request, tokens};

fn response(body: &Value) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::GeminiPredict, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    decoder.finish(true)
}

fn request(body: &Value) -> RequestReading {
    let path = "/v1/projects/p/locations/l/publishers/google/models/m-1:predict";
    read_request(Dialect::GeminiPredict, path, body.to_string().as_bytes())
}

fn names(parts: &[Part]) -> Vec<&str> {
    let names = parts.iter().map(|part| match part {
        Part::Text { text, .. } => text.as_str(),
        Part::Other { name, .. } => name.as_str(),
        Part::Image { .. } => "image",
        Part::Audio { .. } => "audio",
        _ => "file",
    });
    names.collect()
}

#[track_caller]
fn check_request(body: &Value, expect: &[&str], parameters: &Value) {
    let reading = request(body);
    assert_eq!(reading.model.as_deref(), Some("m-1"));
    let said = reading.messages.first().map(|said| names(&said.parts));
    assert_eq!(said.unwrap_or_default(), expect, "{body}");
    assert_eq!(Some(&reading.parameters), parameters.as_object(), "{body}");
}

#[test]
fn instances_are_parts_of_the_user() {
    check_request(
        &json!({"instances": [{"content": "a", "task_type": "X"}, {"content": "b", "task_type": "X"}], "parameters": {"n": 1}}),
        &["a", "b"],
        &json!({"task_type": "X", "parameters": {"n": 1}}),
    );
    check_request(
        &json!({"instances": [{"content": "a", "task_type": "X"}, {"content": "b", "task_type": "Y"}]}),
        &["a", "b", "task_type"],
        &json!({"task_type": "X"}),
    );
    let image = json!({"bytesBase64Encoded": "iVBORw0KGgo=", "mimeType": "image/png"});
    check_request(
        &json!({"instances": [{"prompt": "p", "image": image, "video": {"gcsUri": "gs://b/v", "mimeType": "video/mp4"}}]}),
        &["p", "image", "file"],
        &json!({}),
    );
    check_request(
        &json!({"instances": [{"prompt": "p", "referenceImages": [{"referenceId": 1, "referenceImage": image}]}, 5]}),
        &["p", "image", "instance"],
        &json!({"referenceId": 1}),
    );
}

#[test]
fn vectors_are_counted_with_their_tokens() {
    let vector = |tokens: Value| json!({"embeddings": {"values": [1, 2, 3], "statistics": {"token_count": tokens}}});
    let reading = response(
        &json!({"predictions": [vector(json!(5)), vector(json!(7.0))], "metadata": {"billableCharacterCount": 40}}),
    );
    let expect = Embeddings {
        count: 2,
        dimensions: Some(3),
    };
    assert_eq!(reading.embeddings, Some(expect));
    assert_eq!(reading.units.characters, Some(40));
    let counts = tokens(Dialect::GeminiPredict, None, &reading);
    assert_eq!((counts.input, counts.total), (Some(12), Some(12)));
    let several = response(
        &json!({"predictions": [{"textEmbedding": [1, 2], "imageEmbedding": [1, 2], "videoEmbeddings": [{"embedding": [1, 2]}]}]}),
    );
    let expect = Embeddings {
        count: 3,
        dimensions: Some(2),
    };
    assert_eq!((several.embeddings, several.usage), (Some(expect), None));
}

#[track_caller]
fn check_made(body: &Value, expect: &[&str], images: Option<u64>, blocked: Option<&str>) {
    let reading = response(body);
    let parts = reading
        .choices
        .first()
        .map(|choice| names(&choice.message.parts));
    assert_eq!(parts.unwrap_or_default(), expect, "{body}");
    assert_eq!(
        (reading.units.images, reading.block_reason.as_deref()),
        (images, blocked)
    );
}

#[test]
fn what_was_made_is_pointed_to() {
    let image =
        json!({"bytesBase64Encoded": "iVBORw0KGgo=", "mimeType": "image/png", "prompt": "p"});
    check_made(
        &json!({"predictions": [image, image]}),
        &["prompt", "image", "prompt", "image"],
        Some(2),
        None,
    );
    check_made(
        &json!({"predictions": [{"raiFilteredReason": "r"}]}),
        &["prediction"],
        None,
        Some("r"),
    );
    check_made(
        &json!({"name": "operations/1", "done": true, "response": {"videos": [{"gcsUri": "gs://b/v", "mimeType": "video/mp4"}], "raiMediaFilteredCount": 0}}),
        &["done", "file"],
        None,
        None,
    );
    check_made(
        &json!({"response": {"generateVideoResponse": {"generatedSamples": [{"video": {"uri": "https://h/v", "encoding": "video/mp4"}}]}}}),
        &["file"],
        None,
        None,
    );
    check_made(
        &json!({"predictions": [{"content": "old"}, 7]}),
        &["prediction", "prediction"],
        None,
        None,
    );
}
