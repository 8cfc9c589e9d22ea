//! Properties of filters: no JSON panics, what is printed is the same filter, negation behaves.

use flow_query::{Checked, Field, Filter, Flag, Kind, Scope};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::flows::Spec;

/// Words that filters know, and some that they do not.
fn word() -> impl Strategy<Value = String> {
    let members = [
        "all", "any", "not", "field", "is", "min", "max", "above", "below", "equals", "has",
        "known", "id", "text", "contains",
    ];
    let fields = Field::ALL.map(Field::name);
    let others = [
        "4xx",
        "1.5s",
        "$5",
        "gpt-4*",
        "",
        "019a0000-0000-7000-8000-000000000001",
    ];
    let known = [&members[..], &fields[..], &others[..]].concat();
    prop_oneof![
        4 => prop::sample::select(known).prop_map(str::to_owned),
        1 => r"\PC{0,6}",
    ]
}

/// Any JSON, of words that look like a filter's.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        word().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inside), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A test that makes sense.
fn test() -> impl Strategy<Value = Value> {
    let field = prop::sample::select(Field::ALL.to_vec());
    let texts = prop::sample::select(vec![
        "The",
        "capital  of",
        "文件",
        "E",
        "parser",
        "you",
        "σ",
    ]);
    prop_oneof![
        (
            field.clone(),
            any::<prop::sample::Index>(),
            -3..2_000_000_i64,
            0..9_u8
        )
            .prop_map(|(field, index, number, way)| field_test(field, index, number, way)),
        field.prop_map(|field| json!({ "known": field.name() })),
        prop::sample::select(Flag::ALL.to_vec()).prop_map(|flag| json!({ "has": flag.name() })),
        (prop::sample::select(Scope::ALL.to_vec()), texts)
            .prop_map(|(scope, text)| json!({"text": scope.name(), "contains": text})),
        prop::collection::vec(0..12_u8, 0..4).prop_map(|numbers| {
            let id = |number| format!("019a0000-0000-7000-8000-{number:012}");
            json!({"id": numbers.into_iter().map(id).collect::<Vec<_>>()})
        }),
    ]
}

fn field_test(field: Field, index: prop::sample::Index, number: i64, way: u8) -> Value {
    let name = field.name();
    if let Kind::Name | Kind::Names = field.kind() {
        let words = field.words();
        let words = words.unwrap_or_else(|| vec!["gpt-4", "*a*", "OpenAI", "google", "*", "İ"]);
        let word = index.get(&words);
        return match way % 2 {
            0 => json!({"field": name, "is": word}),
            _ => json!({"field": name, "is": [word, "*"]}),
        };
    }
    match way {
        0 => json!({"field": name, "min": number}),
        1 => json!({"field": name, "max": number}),
        2 => json!({"field": name, "above": number}),
        3 => json!({"field": name, "below": number}),
        4 => json!({"field": name, "min": number, "max": number + 1000}),
        5 => json!({"field": name, "above": number, "below": number + 2}),
        _ => json!({"field": name, "equals": number}),
    }
}

/// A filter that makes sense.
fn filter() -> impl Strategy<Value = Value> {
    test().prop_recursive(4, 24, 4, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 0..4).prop_map(|list| json!({ "all": list })),
            prop::collection::vec(inside.clone(), 0..4).prop_map(|list| json!({ "any": list })),
            inside.prop_map(|one| json!({ "not": one })),
        ]
    })
}

fn checked(filter: Value) -> Checked {
    let text = filter.to_string();
    let checked = Filter::from(filter).check();
    checked.unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn mask(spec: &Spec, filter: &Checked) -> Vec<bool> {
    let flows = spec.flows.iter().enumerate();
    flows
        .map(|(number, flow)| flow.is_selected(number, filter))
        .collect()
}

fn not(filter: Checked) -> Checked {
    Checked::Not(Box::new(filter))
}

proptest! {
    #[test]
    fn any_json_is_checked(json in json()) {
        match Filter::from(json).check() {
            Ok(checked) => prop_assert_eq!(checked.to_filter().check(), Ok(checked)),
            Err(errors) => prop_assert!(!errors.is_empty()),
        }
    }

    #[test]
    fn errors_point_into_the_filter(json in json()) {
        let errors = Filter::from(json.clone()).check().err().unwrap_or_default();
        for error in errors {
            prop_assert!(json.pointer(&error.at).is_some(), "{:?} {}", error, json);
        }
    }

    #[test]
    fn what_is_printed_is_the_same_filter(filter in filter()) {
        let checked = checked(filter);
        let text = serde_json::to_string(&checked.to_filter()).unwrap();
        prop_assert_eq!(Filter::from_json(&text).unwrap().check(), Ok(checked));
    }

    #[test]
    fn de_morgan(left in filter(), right in filter()) {
        let spec = Spec::read();
        let (left, right) = (checked(left), checked(right));
        let both = [left.clone(), right.clone()].to_vec();
        let neither = [not(left), not(right)].to_vec();
        prop_assert_eq!(
            mask(&spec, &not(Checked::All(both.clone()))),
            mask(&spec, &Checked::Any(neither.clone()))
        );
        prop_assert_eq!(
            mask(&spec, &not(Checked::Any(both))),
            mask(&spec, &Checked::All(neither))
        );
    }

    #[test]
    fn a_number_lies_on_one_side(number in -3..2_000_000_i64, index in 0..Field::ALL.len()) {
        let field = *Field::ALL.get(index).unwrap();
        if let Kind::Number(_) | Kind::Time = field.kind() {
            let spec = Spec::read();
            let at = |way: &str| mask(&spec, &checked(json!({"field": field.name(), way: number})));
            let sides = at("below").into_iter().zip(at("equals")).zip(at("above"));
            let known = mask(&spec, &checked(json!({"known": field.name()})));
            for (((below, equal), above), known) in sides.zip(known) {
                let count = u8::from(below) + u8::from(equal) + u8::from(above);
                prop_assert_eq!(count, u8::from(known));
            }
        }
    }
}
