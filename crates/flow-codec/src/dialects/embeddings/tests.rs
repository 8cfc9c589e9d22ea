use flow_model::{Dialect, Embeddings, Part, RequestReading, ResponseReading, Tokens};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ResponseDecoder, read_request, skim_request, tokens};

use Dialect::{CohereEmbed, GeminiEmbed, OllamaEmbed, OpenaiEmbeddings};

fn response(dialect: Dialect, body: &Value) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    decoder.finish(true)
}

fn request(dialect: Dialect, path: &str, body: &Value) -> RequestReading {
    let body = body.to_string();
    let reading = read_request(dialect, path, body.as_bytes());
    let skim = skim_request(dialect, path, body.as_bytes());
    assert_eq!(
        (&skim.model, &skim.messages.is_empty()),
        (&reading.model, &reading.messages.is_empty())
    );
    reading
}

/// Returns the parts of the one message, each as a word.
fn words(reading: &RequestReading) -> Vec<String> {
    let parts = reading.messages.iter().flat_map(|message| &message.parts);
    let word = |part: &Part| match part {
        Part::Text { text, .. } => text.clone(),
        Part::Image { media } => {
            let place = media.url.clone().or(media.mime.clone());
            format!("image {}", place.unwrap_or_default())
        }
        Part::Other { name, raw } => format!("{name} {}", raw.as_str()),
        part => format!("{part:?}"),
    };
    assert!(reading.messages.len() <= 1);
    parts.map(word).collect()
}

#[track_caller]
fn check_inputs(dialect: Dialect, body: &Value, expect: &[&str]) {
    assert_eq!(words(&request(dialect, "/", body)), expect, "{body}");
}

#[test]
fn inputs_come_in_many_shapes() {
    check_inputs(OpenaiEmbeddings, &json!({"input": "a"}), &["a"]);
    check_inputs(OpenaiEmbeddings, &json!({"input": ["a", ""]}), &["a", ""]);
    check_inputs(
        OpenaiEmbeddings,
        &json!({"input": [1, 2]}),
        &["tokens [1,2]"],
    );
    check_inputs(
        OpenaiEmbeddings,
        &json!({"input": [[1], [2, 3]]}),
        &["tokens [1]", "tokens [2,3]"],
    );
    check_inputs(
        OpenaiEmbeddings,
        &json!({"input": [{"text": "a"}, {"image": "iVBORw0KGgo="}, {"image": "https://h/i"}]}),
        &["a", "image image/png", "image https://h/i"],
    );
    let content = json!([
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "https://h/i"}},
        {"type": "image_base64", "image_base64": "data:image/webp;base64,AAAA"},
    ]);
    check_inputs(
        CohereEmbed,
        &json!({"inputs": [{"content": content}]}),
        &["a", "image https://h/i", "image image/webp"],
    );
    check_inputs(
        CohereEmbed,
        &json!({"texts": ["a"], "images": ["data:image/gif;base64,AA"]}),
        &["a", "image image/gif"],
    );
    check_inputs(OllamaEmbed, &json!({"prompt": "a"}), &["a"]);
    check_inputs(
        OpenaiEmbeddings,
        &json!({"input": [{"role": "user", "content": "a"}]}),
        &[r#"message {"role":"user","content":"a"}"#],
    );
}

#[test]
fn what_googles_requests_agree_on_is_a_parameter() {
    let body = json!({"requests": [
        {"model": "models/m-1", "content": {"parts": [{"text": "a"}]}, "taskType": "X"},
        {"model": "models/m-1", "content": {"parts": [{"text": "b"}]}, "taskType": "Y"},
    ]});
    let reading = request(GeminiEmbed, "/v1beta/models/m-1:batchEmbedContents", &body);
    assert_eq!(reading.model.as_deref(), Some("m-1"));
    assert_eq!(reading.parameters.get("taskType"), Some(&json!("X")));
    assert_eq!(words(&reading), ["a", "b", r#"taskType "Y""#]);
    let one = json!({"content": {"parts": [{"text": "a"}]}, "output_dimensionality": 3});
    let reading = request(GeminiEmbed, "/v1/models/m-2:embedContent?key=x", &one);
    assert_eq!(reading.model.as_deref(), Some("m-2"));
    assert_eq!(reading.parameters.len(), 1);
}

#[test]
fn azure_names_the_model_in_the_path() {
    let path = "/openai/deployments/d-1/embeddings?api-version=1";
    let reading = request(OpenaiEmbeddings, path, &json!({"input": "a", "user": "u"}));
    assert_eq!(reading.model.as_deref(), Some("d-1"));
    assert_eq!(reading.parameters.get("user"), Some(&json!("u")));
}

#[track_caller]
fn check(dialect: Dialect, body: &Value, expect: Option<(u64, Option<u64>)>) {
    let expect = expect.map(|(count, dimensions)| Embeddings { count, dimensions });
    let reading = response(dialect, body);
    assert_eq!(reading.embeddings, expect, "{body}");
    assert_eq!(reading.choices, []);
}

#[test]
fn vectors_are_counted() {
    let two = json!({"data": [{"embedding": [1, 2.5, -3e-4]}, {"embedding": [1]}]});
    check(OpenaiEmbeddings, &two, Some((2, Some(3))));
    check(
        OpenaiEmbeddings,
        &json!([{"embedding": [[1, 2]]}]),
        Some((1, None)),
    );
    check(OpenaiEmbeddings, &json!([[1, 2]]), Some((1, Some(2))));
    check(OpenaiEmbeddings, &json!({"data": []}), Some((0, None)));
    check(OpenaiEmbeddings, &json!({"object": "x"}), None);
    check(
        GeminiEmbed,
        &json!({"embedding": {"values": [1, 2]}}),
        Some((1, Some(2))),
    );
    check(
        GeminiEmbed,
        &json!({"embeddings": [{"values": [1]}, {}]}),
        Some((2, Some(1))),
    );
    check(
        OllamaEmbed,
        &json!({"embedding": [1, 2]}),
        Some((1, Some(2))),
    );
    check(
        CohereEmbed,
        &json!({"embeddings": [[1, 2], [3, 4]]}),
        Some((2, Some(2))),
    );
    let typed =
        json!({"embeddings": {"ubinary": [[7]], "int8": [[1, 2]], "uint8": null}, "id": "i"});
    check(CohereEmbed, &typed, Some((1, Some(2))));
    assert_eq!(response(CohereEmbed, &typed).id.as_deref(), Some("i"));
}

#[test]
fn base64_holds_floats_only_where_the_usage_is_openais() {
    let body = |usage: Value| json!({"data": [{"embedding": "AAAAAAAAAAA="}], "usage": usage});
    let openai = json!({"prompt_tokens": 1, "total_tokens": 1});
    check(OpenaiEmbeddings, &body(openai), Some((1, Some(2))));
    check(
        OpenaiEmbeddings,
        &body(json!({"total_tokens": 1})),
        Some((1, None)),
    );
    let priced = json!({"prompt_tokens": 1, "cost": {"currency": "USD"}});
    check(OpenaiEmbeddings, &body(priced), Some((1, None)));
    let uneven = json!({"data": [{"embedding": "AAAA"}], "usage": {"prompt_tokens": 1}});
    check(OpenaiEmbeddings, &uneven, Some((1, None)));
}

#[track_caller]
fn check_tokens(dialect: Dialect, body: &Value, expect: [Option<u64>; 3]) {
    let reading = response(dialect, body);
    let Tokens {
        input,
        total,
        input_image,
        ..
    } = tokens(dialect, None, &reading);
    assert_eq!([input, total, input_image], expect, "{body}");
}

#[test]
fn every_token_of_an_embedding_is_of_the_prompt() {
    let usage = |usage: Value| json!({"data": [], "usage": usage});
    check_tokens(
        OpenaiEmbeddings,
        &usage(json!({"total_tokens": 8})),
        [Some(8), Some(8), None],
    );
    let both = json!({"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4});
    check_tokens(OpenaiEmbeddings, &usage(both), [Some(4), Some(4), None]);
    let google = json!({"embedding": {}, "usageMetadata": {"promptTokenCount": 3}});
    check_tokens(GeminiEmbed, &google, [Some(3), Some(3), None]);
    let ollama = json!({"embeddings": [[1]], "prompt_eval_count": 5, "load_duration": 9});
    check_tokens(OllamaEmbed, &ollama, [Some(5), Some(5), None]);
    let old = json!({"embedding": [1], "load_duration": 9});
    check_tokens(OllamaEmbed, &old, [None; 3]);
    let units = json!({"embeddings": [[1]], "meta": {"billed_units": {"input_tokens": 7, "image_tokens": 50}}});
    check_tokens(CohereEmbed, &units, [Some(57), Some(57), Some(50)]);
}

proptest! {
    #[test]
    fn no_bytes_break_it(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for dialect in [OpenaiEmbeddings, GeminiEmbed, OllamaEmbed, CohereEmbed] {
            read_request(dialect, "/", &body);
            let mut decoder = ResponseDecoder::new(dialect, 200, &[]);
            decoder.push(&body, 1);
            decoder.finish(true);
        }
    }
}
