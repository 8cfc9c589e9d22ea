use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Reads a document whole and returns its value and the codes of its diagnostics.
fn read(bytes: &[u8]) -> (Value, Vec<(u64, String)>) {
    let document = Document::new(bytes);
    let mut json = document.root();
    let value = json.value();
    json.end();
    let found = document.diagnostics();
    let found = found.map(|found| (found.offset.unwrap_or_default(), found.code));
    (value, found.collect())
}

#[track_caller]
fn check(text: &str, expect: &Value) {
    assert_eq!(
        read(text.as_bytes()),
        (expect.clone(), Vec::new()),
        "{text}"
    );
}

#[track_caller]
fn check_fault(bytes: &[u8], expect: &Value, offset: u64, code: &str) {
    let (value, found) = read(bytes);
    assert_eq!(&value, expect);
    assert_eq!(found, [(offset, code.to_owned())]);
}

#[test]
fn reads_every_kind_of_value() {
    check(
        " {\"a\" : [1, -2.5e3, true,false, null, \"x\"]}\r\n",
        &json!({"a": [1, -2500.0, true, false, null, "x"]}),
    );
    check("[]", &json!([]));
    check("{}", &json!({}));
    check("[[],{},[{}]]", &json!([[], {}, [{}]]));
    check("18446744073709551615", &json!(u64::MAX));
    check("-1", &json!(-1));
}

#[test]
fn resolves_escapes() {
    check(
        r#""a\"b\\c\/d\n\t\r\b\f\u0041\u4e2d""#,
        &json!("a\"b\\c/d\n\t\r\u{8}\u{c}A中"),
    );
    check(r#""\ud83e\udd80""#, &json!("🦀"));
    check(r#"{"k\u0065y":1}"#, &json!({"key": 1}));
    check(
        r#""ends in a backslash \\""#,
        &json!("ends in a backslash \\"),
    );
}

#[test]
fn lone_surrogates_become_replacement_characters() {
    check(r#""\ud83e""#, &json!("\u{fffd}"));
    check(r#""\udd80x""#, &json!("\u{fffd}x"));
    check(r#""\ud83e\ud83e\udd80""#, &json!("\u{fffd}🦀"));
    check(r#""\ud83e\n""#, &json!("\u{fffd}\n"));
}

#[test]
fn halves_of_a_character_join_across_deltas() {
    let mut text = Text::default();
    for delta in [r#""a\ud83e""#, r#""""#, r#""\udd80b""#] {
        let document = Document::new(delta.as_bytes());
        assert!(document.root().append_to(&mut text));
    }
    assert_eq!(text.finish(), "a🦀b");
}

#[test]
fn keeps_escapes_that_json_does_not_know() {
    check(r#""\x41 \u12""#, &json!(r"\x41 \u12"));
}

#[test]
fn passes_over_a_byte_order_mark() {
    assert_eq!(
        read(b"\xEF\xBB\xBF{\"a\":1}"),
        (json!({"a": 1}), Vec::new())
    );
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_noted() {
    check_fault(
        b"{\"a\":\"x\xFFy\"}",
        &json!({"a": "x\u{fffd}y"}),
        7,
        "invalid_utf8",
    );
}

#[test]
fn what_was_read_before_a_fault_stays() {
    check_fault(
        b"{\"a\":1,\"b\":}",
        &json!({"a": 1, "b": null}),
        11,
        "invalid_json",
    );
    check_fault(b"{\"a\":1 \"b\":2}", &json!({"a": 1}), 7, "invalid_json");
    check_fault(b"{\"a\":[1,2", &json!({"a": [1, 2]}), 9, "truncated_json");
    check_fault(
        b"{\"a\":\"cut of",
        &json!({"a": "cut of"}),
        12,
        "truncated_json",
    );
    check_fault(b"{\"a\":tr", &json!({"a": true}), 7, "truncated_json");
    check_fault(b"{} x", &json!({}), 3, "trailing_data");
    check_fault(b"", &json!(null), 0, "truncated_json");
    check_fault(b"<html>", &json!(null), 0, "invalid_json");
    check_fault(b"[1}", &json!([1]), 2, "invalid_json");
}

#[test]
fn a_character_cut_in_two_by_the_end_is_left_out() {
    check_fault(
        "\"a中".as_bytes().get(..3).unwrap_or_default(),
        &json!("a"),
        3,
        "truncated_json",
    );
}

#[test]
fn nesting_is_limited_when_read_and_when_skipped() {
    let depth = DEPTH_MAX as usize;
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(read(nested(depth).as_bytes()).1, []);
    let (_, found) = read(nested(depth + 1).as_bytes());
    assert_eq!(found, [(depth as u64, "json_too_deep".to_owned())]);

    let skipped = nested(depth + 1);
    let document = Document::new(skipped.as_bytes());
    document.root().end();
    assert_eq!(document.syntax(), Some(Fault::TooDeep));
    let skipped = nested(depth);
    let document = Document::new(skipped.as_bytes());
    document.root().end();
    assert_eq!(document.syntax(), None);
}

#[test]
fn values_that_are_not_read_are_skipped() {
    let text = br#"{"skip":{"deep":["\"}",{"x":[]}]},"want":"this","more":[1,2]}"#;
    let document = Document::new(text);
    let mut json = document.root();
    let mut found = None;
    assert!(json.object());
    while let Some(name) = json.member() {
        if name == "want" {
            found = json.owned();
        }
    }
    json.end();
    assert_eq!(found.as_deref(), Some("this"));
    assert_eq!(document.syntax(), None);
}

#[test]
fn fields_are_found_in_any_order_and_null_is_absent() {
    let document = Document::new(br#"{"b":null,"a":1,"c":2,"a":3}"#);
    let mut json = document.root();
    let [a, b, missing] = json.fields(["a", "b", "missing"]).unwrap();
    assert_eq!(a.and_then(|mut a| a.number()), Some(3));
    assert!(b.is_none() && missing.is_none());
}

#[test]
fn a_value_of_another_kind_is_left_for_the_next_reader() {
    let document = Document::new(b"[1,\"a\"]");
    let mut json = document.root();
    assert!(!json.object() && json.text().is_none() && json.bool().is_none());
    assert!(json.array() && json.element());
    assert!(json.text().is_none());
    assert_eq!(json.number(), Some(1));
    assert!(json.element());
    assert_eq!(json.number(), None);
    assert_eq!(json.owned().as_deref(), Some("a"));
    assert!(!json.element());
}

#[test]
fn compact_text_keeps_strings_and_numbers_as_they_are() {
    let text = b"{ \"a b\" : [ 1.0 , \"x \\\" \\\\\" ] ,\n \"c\":\t{ } }";
    let document = Document::new(text);
    let mut json = document.root();
    assert_eq!(json.compact(), r#"{"a b":[1.0,"x \" \\"],"c":{}}"#);
}

#[test]
fn offsets_count_from_the_start_of_the_body() {
    let document = Document::at(b"{\"data\": \"QUJD\"}", 100);
    let mut json = document.root();
    let [data] = json.fields(["data"]).unwrap();
    let token = data.unwrap().string().unwrap();
    assert_eq!((token.offset(&document), token.ascii_chars()), (110, 4));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_serde_json_on_valid_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value)
        } else {
            serde_json::to_string(&value)
        };
        let text = text.unwrap();
        let expect: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read(text.as_bytes()), (expect.clone(), Vec::new()));
        let document = Document::new(text.as_bytes());
        let compact = document.root().compact();
        prop_assert_eq!(serde_json::from_str::<Value>(&compact).unwrap(), expect);
    }

    #[test]
    fn reading_and_skipping_agree_on_where_a_value_ends(value in any_json()) {
        let text = serde_json::to_string(&value).unwrap() + " ,";
        let document = Document::new(text.as_bytes());
        let json = document.root();
        let (mut read, mut skipped) = (json, json);
        read.value();
        skipped.skip();
        prop_assert_eq!(read.end_offset(), skipped.end_offset());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }

    #[test]
    fn bytes_that_look_like_json_never_panic(text in r#"[\[\]{}",:\\ua-f0-9 \n-]{0,120}"#) {
        read(text.as_bytes());
        let document = Document::new(text.as_bytes());
        document.root().end();
        document.root().compact();
    }
}

#[test]
fn an_error_that_is_too_large_is_kept_as_its_start() {
    let many = format!("{{\"x\":[{}1]}}", "[],".repeat(400_000));
    let document = Document::new(many.as_bytes());
    let Value::String(start) = document.root().error_value() else {
        panic!("it was taken apart")
    };
    assert_eq!(start.len(), 1_000);
    let small = Document::new(b"{\"x\":1}");
    assert_eq!(small.root().error_value(), json!({"x": 1}));
}
