use proptest::prelude::*;

use super::*;

/// Texts of a length that counts.
const LONG: &str = "sixty-four bytes and a few more are needed for a span of its own, as here";

/// Checks what holds for every split, and returns the spans as text.
fn spans(body: &[u8]) -> Option<Vec<String>> {
    let split = split(body)?;
    let skeleton = split.skeleton(body);
    let mut out = Vec::new();
    let mut taken = 0;
    let mut from = 0;
    let mut all = Vec::new();
    for chain in split.chains() {
        let rest = chain.at() - from;
        out.extend_from_slice(&skeleton[taken..taken + rest]);
        taken += rest;
        from = chain.at();
        for span in chain.spans() {
            assert_eq!(span.start, from);
            assert!(span.len() >= SPAN_BYTES_MIN);
            out.extend_from_slice(&body[span.clone()]);
            all.push(String::from_utf8_lossy(&body[span.clone()]).into_owned());
            from = span.end;
        }
        assert!(chain.end() <= chain.close() && chain.close() < body.len());
    }
    out.extend_from_slice(&skeleton[taken..]);
    assert_eq!(out, body);
    assert_eq!(all.len(), split.spans());
    assert!(!all.is_empty());
    Some(all)
}

fn check(body: &str, expect: &[&str]) {
    let body = body.replace('@', LONG);
    let expect: Vec<String> = expect.iter().map(|span| span.replace('@', LONG)).collect();
    assert_eq!(spans(body.as_bytes()).unwrap_or_default(), expect, "{body}");
}

#[test]
fn elements_are_spans_with_the_comma_before_them() {
    check(
        r#"{"model":"m","messages":[{"a":"@"},{"b":"@"} , "@"],"stream":true}"#,
        &[r#"{"a":"@"}"#, r#",{"b":"@"}"#, r#" , "@""#],
    );
}

#[test]
fn texts_and_objects_are_what_stands_between_their_ends() {
    check(r#"{"system":"@ \" \\"}"#, &[r#"@ \" \\"#]);
    check(
        r#"{"systemInstruction":{"parts":[{"text":"@"}]}}"#,
        &[r#""parts":[{"text":"@"}]"#],
    );
    check(r#"{"prompt":{"messages":["@"],"n":1}}"#, &[r#""@""#]);
}

#[test]
fn short_elements_are_joined_and_the_rest_stays() {
    let tens = r#""0123456789""#;
    let body = format!(r#"{{"input":[{}]}}"#, [tens; 7].join(","));
    check(&body, &[&[tens; 5].join(",")]);
    check(&format!(r#"{{"input":[{}]}}"#, [tens; 4].join(",")), &[]);
}

#[test]
fn containers_are_found_by_name_and_level() {
    check(r#"{"conversationState":{"history":["@"]}}"#, &[r#""@""#]);
    check(r#"{"a":{"b":{"c":{"d":{"tools":["@"]}}}}}"#, &[r#""@""#]);
    check(r#"{"a":{"b":{"c":{"d":{"e":{"tools":["@"]}}}}}}"#, &[]);
    check(r#"{"a":[{"tools":["@"]}],"message":"@"}"#, &[]);
    check(r#"{"mess\u0061ges":["@"]}"#, &[]);
    check(
        r#"{"messages":["@"],"messages":["@"]}"#,
        &[r#""@""#, r#""@""#],
    );
}

#[test]
fn what_is_not_clean_is_not_split() {
    for body in [
        "",
        "[]",
        r#"["@"]"#,
        r#"{"messages":["@"]"#,
        r#"{"messages":["@"]}}"#,
        r#"{"messages":["@"]} x"#,
        r#"{"messages":["@",]}"#,
        r#"{"messages":[,"@"]}"#,
        r#"{"messages":["@""@"]}"#,
        r#"{"messages":["@"],}"#,
        r#"{"messages":["@"] "a":1}"#,
        r#"{"messages" ["@"]}"#,
        r#"{"messages":["@",[}]]}"#,
        r#"{"messages":["@",nil]}"#,
        r#"{"messages":["@",1x]}"#,
        r#"{messages:["@"]}"#,
        r#"{"system":"@}"#,
    ] {
        check(body, &[]);
    }
    check(
        " {\r\n\t\"messages\" : [ \"@\" ] , \"n\" : -1.5e+3 } \n",
        &[r#" "@""#],
    );
}

#[test]
fn nesting_is_bounded_without_a_stack() {
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"messages":[{open}"{LONG}"{close}]}}"#)
    };
    let limit = scan::DEPTH_MAX as usize;
    assert!(split(nested(limit).as_bytes()).is_some());
    assert!(split(nested(limit + 1).as_bytes()).is_none());
    assert!(split(nested(1_000_000).as_bytes()).is_none());
}

#[test]
fn many_elements_and_containers_are_no_flood() {
    let numbers = vec!["7"; 1_000_000].join(",");
    let body = format!(r#"{{"input":[{numbers}]}}"#);
    let count = spans(body.as_bytes()).unwrap().len();
    assert!(count < 8 * SPANS_PER_STEP, "{count}");
    let members = vec![format!(r#""tools":["{LONG}"]"#); 1000].join(",");
    let count = spans(format!("{{{members}}}").as_bytes()).unwrap().len();
    assert_eq!(count, CHAINS_MAX);
}

/// Checks that an earlier body changes nothing but the time it takes.
fn check_like(earlier: &str, body: &str) {
    let known = split(earlier.as_bytes()).unwrap_or_default();
    let like = like(body.as_bytes(), earlier.as_bytes(), &known);
    assert_eq!(like, split(body.as_bytes()), "{earlier} then {body}");
}

/// Splits like an earlier body, and checks that what was recognised is the same.
fn like(body: &[u8], earlier: &[u8], known: &Split) -> Option<Split> {
    let (split, same) = split_like(body, earlier, known)?;
    let all = |split: &Split| -> Vec<_> { split.chains().iter().flat_map(Chain::spans).collect() };
    let (spans, earlier_spans) = (all(&split), all(known));
    assert_eq!(spans.len(), same.len());
    for (span, same) in spans.into_iter().zip(same) {
        let Some(same) = same else { continue };
        assert_eq!(body[span], earlier[earlier_spans[same].clone()]);
    }
    Some(split)
}

#[test]
fn what_repeats_is_recognised_around_a_change() {
    let element = |number: usize| format!("\"{LONG} {number}\"");
    let body = |numbers: &[usize]| {
        let all: Vec<_> = numbers.iter().map(|number| element(*number)).collect();
        format!(r#"{{"tools":["{LONG}"],"messages":[{}]}}"#, all.join(","))
    };
    let earlier = body(&[0, 1, 2, 3, 4]);
    let known = split(earlier.as_bytes()).unwrap();
    for (numbers, expect) in [
        (&[0, 1, 2, 3, 4, 5][..], &[1, 2, 3, 4, 5][..]),
        (&[0, 9, 2, 3], &[1, 3, 4]),
        (&[0, 9, 1, 2], &[1, 2, 3]),
        (&[0, 3, 4], &[1, 4, 5]),
        (&[9, 1, 2], &[2, 3]),
    ] {
        let later = body(numbers);
        let (_, same) = split_like(later.as_bytes(), earlier.as_bytes(), &known).unwrap();
        let same: Vec<_> = same.into_iter().flatten().collect();
        assert_eq!(same, [&[0], expect].concat(), "{numbers:?}");
    }
}

#[test]
fn a_known_span_ends_where_reading_it_would() {
    let zeros = "0".repeat(80);
    let list = |inner: &str| format!(r#"{{"messages":[{inner}]}}"#);
    check_like(&list(&zeros), &list(&format!("{zeros}1")));
    check_like(&list(&zeros), &list(&format!("{zeros} ,1")));
    check_like(&list(&zeros), &list(&format!("{zeros}x")));
    let text = |inner: &str| format!(r#"{{"system":"{inner}"}}"#);
    check_like(&text(LONG), &text(&format!("{LONG} more")));
    check_like(&text(LONG), &text(&format!(r#"{LONG}\""#)));
    let object = |inner: &str| format!(r#"{{"system":{{{inner}}}}}"#);
    let member = format!(r#""a":"{LONG}""#);
    check_like(&object(&member), &object(&format!("{member},\"b\":1")));
    check_like(&object(&member), &list(&member));
    check_like(&object(&member), &format!(r#"{{"a":{}}}"#, object(&member)));
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("messages".to_owned()),
        Just("system".to_owned()),
        Just("input".to_owned()),
        Just("a".to_owned()),
        "[a-z\\\\u0-9]{0,6}",
    ]
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => "[ \n\r\t]{1,3}"]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        "-?[0-9]{1,30}",
        "\"([a-z]|\\\\n|\\\\\"|\\\\\\\\|é){0,90}\"",
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        let element = (blank(), inner, blank())
            .prop_map(|(a, value, b)| a + &value + &b)
            .boxed();
        let member = (blank(), name(), blank(), element.clone())
            .prop_map(|(a, name, b, value)| format!("{a}\"{name}\"{b}:{value}"));
        prop_oneof![
            prop::collection::vec(element, 0..8).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    prop::collection::vec((name(), json()), 0..6).prop_map(|members| {
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn any_bytes_come_out_as_they_went_in(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        spans(&bytes);
    }

    #[test]
    fn any_json_comes_out_as_it_went_in(body in body(), cut in any::<prop::sample::Index>()) {
        spans(body.as_bytes());
        spans(&body.as_bytes()[..cut.index(body.len() + 1)]);
    }

    #[test]
    fn an_earlier_body_changes_nothing(
        body in body(), other in body(),
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        patch in "[\\[\\]{}\", :\\\\0-9a]{0,4}",
    ) {
        // The same body with a part of it replaced, as bytes.
        let (from, to) = (from.index(body.len() + 1), to.index(body.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        let bytes = body.as_bytes();
        let edited = [&bytes[..from], patch.as_bytes(), &bytes[to..]].concat();
        for (earlier, later) in [
            (bytes, bytes), (bytes, &edited[..]), (&edited[..], bytes), (other.as_bytes(), bytes),
        ] {
            let known = split(earlier).unwrap_or_default();
            prop_assert_eq!(like(later, earlier, &known), split(later));
        }
    }
}
