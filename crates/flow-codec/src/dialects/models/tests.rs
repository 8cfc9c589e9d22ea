use flow_model::{Dialect, Outcome, Part, ResponseReading};
use serde_json::{Value, json};

use super::MODELS_MAX;
use crate::ResponseDecoder;

fn read(body: &Value) -> ResponseReading {
    let mut decoder = ResponseDecoder::new(Dialect::Models, 200, &[]);
    decoder.push(body.to_string().as_bytes(), 1);
    decoder.finish(true)
}

/// Checks the names of the parts, and the model that a single one is.
#[track_caller]
fn check(body: &Value, parts: &[&str], model: Option<&str>) {
    let reading = read(body);
    let found = reading
        .choices
        .iter()
        .flat_map(|choice| &choice.message.parts);
    let names = found.map(|part| match part {
        Part::Other { name, .. } => name.as_str(),
        _ => "part",
    });
    assert_eq!(names.collect::<Vec<_>>(), parts, "{body}");
    assert_eq!(
        (reading.outcome, reading.model.as_deref()),
        (Outcome::Ok, model)
    );
    assert_eq!(reading.usage, None);
}

#[test]
fn every_vendors_list_is_kept() {
    check(
        &json!({"data": [{"id": "a"}, {"id": "b"}]}),
        &["model", "model"],
        None,
    );
    check(
        &json!({"data": [{"id": "a"}], "has_more": true, "last_id": null}),
        &["model", "has_more"],
        None,
    );
    check(&json!({"models": [{"name": "models/a"}]}), &["model"], None);
    check(&json!([{"id": "a"}]), &["model"], None);
    check(&json!({"data": []}), &[], None);
}

#[test]
fn a_single_model_is_named() {
    check(
        &json!({"id": "a", "object": "model"}),
        &["model"],
        Some("a"),
    );
    check(&json!({"name": "models/a"}), &["model"], Some("models/a"));
}

#[test]
fn lists_are_bounded() {
    let reading = read(&json!({"data": vec![json!({}); MODELS_MAX + 1]}));
    let parts = reading
        .choices
        .first()
        .map(|choice| choice.message.parts.len());
    assert_eq!(parts, Some(MODELS_MAX));
    assert_eq!(reading.diagnostics.len(), 1);
}
