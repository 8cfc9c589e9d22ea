use super::*;
use crate::prices::decimal::Decimal;

fn rates(pairs: &[(&'static str, &str)]) -> Rates {
    let pairs = pairs
        .iter()
        .map(|(unit, rate)| (*unit, Decimal::parse(rate).unwrap()));
    pairs.collect()
}

fn model(id: &str, names: &[&str], pairs: &[(&'static str, &str)]) -> Model {
    Model {
        provider: "p".to_owned(),
        id: id.to_owned(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        not: Vec::new(),
        window: None,
        output_max: None,
        deprecated: None,
        periods: vec![Period {
            rates: rates(pairs),
            ..Period::default()
        }],
        sources: BTreeSet::new(),
        disputed: None,
    }
}

fn merged(first: Vec<Model>, second: Vec<Model>) -> Merged {
    let dropped = BTreeMap::new;
    merge(
        Genai {
            models: first,
            dropped: dropped(),
        },
        Litellm {
            models: second,
            dropped: dropped(),
        },
        "2026-01-01",
    )
}

#[track_caller]
fn check(first: Model, second: Model, expect: &[(&str, &str)]) {
    let merged = merged(vec![first], vec![second]);
    let lines: Vec<(String, String)> = merged
        .models
        .iter()
        .map(|model| {
            let rates = model.periods[0]
                .rates
                .iter()
                .map(|(unit, rate)| format!("{unit} {rate}"));
            (model.id.clone(), rates.collect::<Vec<_>>().join(", "))
        })
        .collect();
    let lines: Vec<(&str, &str)> = lines
        .iter()
        .map(|(id, rates)| (id.as_str(), rates.as_str()))
        .collect();
    assert_eq!(lines, expect);
}

#[test]
fn what_is_left_out_is_filled() {
    let first = model("m", &[], &[("input", "1"), ("output", "2")]);
    let second = model(
        "m",
        &[],
        &[("input", "1"), ("output", "2"), ("cache_read", "0.1")],
    );
    check(first, second, &[("m", "cache_read 0.1, input 1, output 2")]);
}

#[test]
fn nothing_is_filled_from_a_source_that_disagrees() {
    let first = model("m", &[], &[("input", "1")]);
    let second = model("m", &[], &[("input", "2"), ("cache_read", "0.1")]);
    let merged = merged(vec![first.clone()], vec![second.clone()]);
    let disputed = merged.models[0].disputed.as_deref();
    assert_eq!(disputed, Some("input 1 (litellm: 2)"));
    assert_eq!(merged.disagreements.len(), 1);
    check(first, second, &[("m", "input 1")]);
}

#[test]
fn another_price_under_a_pattern_is_another_model() {
    let first = model("m", &["m-*"], &[("input", "1")]);
    let second = model("m-mini", &[], &[("input", "0.5")]);
    check(
        first.clone(),
        second,
        &[("m", "input 1"), ("m-mini", "input 0.5")],
    );
    let same = model("m-2", &[], &[("input", "1")]);
    check(first.clone(), same, &[("m", "input 1")]);
    let version = model("m-2026-01-01", &[], &[("input", "0.5")]);
    assert_eq!(merged(vec![first], vec![version]).disagreements.len(), 1);
}

#[test]
fn vertex_charges_what_gemini_charges() {
    let mut first = model("gemini-9", &[], &[("input", "1")]);
    "gemini".clone_into(&mut first.provider);
    let mut second = model("gemini-9", &[], &[("input", "1")]);
    "vertex".clone_into(&mut second.provider);
    check(first, second, &[("gemini-9", "input 1")]);
}
