use serde_json::json;

use super::*;

fn check(filter: &Value, expect: &[(&str, ErrorCode)]) {
    let errors = Filter(filter.clone()).check().err().unwrap_or_default();
    let found: Vec<(&str, ErrorCode)> = errors
        .iter()
        .map(|error| (error.at.as_str(), error.code))
        .collect();
    assert_eq!(found, expect, "{filter}");
}

fn check_help(filter: &Value, expect: &str) {
    let errors = Filter(filter.clone()).check().unwrap_err();
    let help = errors.first().and_then(|error| error.help.as_deref());
    assert_eq!(help, Some(expect), "{filter}");
}

#[test]
fn every_mistake_is_told() {
    use ErrorCode::{InvalidNumber, UnknownField, UnknownFlag, UnknownTest};
    check(
        &json!({"all": [
            {"field": "modle", "is": "x"},
            {"not": {"has": "wings"}},
            {"field": "tokens", "min": "x", "max": "y"},
            {"fields": 1},
        ]}),
        &[
            ("/all/0/field", UnknownField),
            ("/all/1/not/has", UnknownFlag),
            ("/all/2/min", InvalidNumber),
            ("/all/2/max", InvalidNumber),
            ("/all/3", UnknownTest),
        ],
    );
}

#[test]
fn shapes_are_checked() {
    use ErrorCode::{MissingMember, UnknownMember, UnknownTest, WrongType};
    check(&json!([]), &[("", WrongType)]);
    check(&json!("model:gpt-4"), &[("", WrongType)]);
    check(&json!({}), &[("", UnknownTest)]);
    check(&json!({"all": {}}), &[("/all", WrongType)]);
    check(&json!({"any": [null]}), &[("/any/0", WrongType)]);
    check(&json!({"not": []}), &[("/not", WrongType)]);
    check(&json!({"all": [], "any": []}), &[("/any", UnknownMember)]);
    check(
        &json!({"all": [], "a/b~c": 1}),
        &[("/a~1b~0c", UnknownMember)],
    );
    check(&json!({"field": 5}), &[("/field", WrongType)]);
    check(&json!({"field": "model"}), &[("", MissingMember)]);
    check(&json!({"field": "tokens"}), &[("", MissingMember)]);
    check(
        &json!({"field": "model", "min": 5}),
        &[("/min", UnknownMember)],
    );
    check(
        &json!({"field": "tokens", "is": "5"}),
        &[("/is", UnknownMember)],
    );
    check(&json!({"field": "model", "is": 5}), &[("/is", WrongType)]);
    check(
        &json!({"field": "model", "is": ["a", 5]}),
        &[("/is/1", WrongType)],
    );
    check(
        &json!({"field": "model", "is": "a", "contains": "b"}),
        &[("/contains", UnknownMember)],
    );
    check(&json!({"text": "content"}), &[("", MissingMember)]);
    check(
        &json!({"text": "content", "contains": 5}),
        &[("/contains", WrongType)],
    );
    check(&json!({"known": ["cost"]}), &[("/known", WrongType)]);
    check(&json!({"has": true}), &[("/has", WrongType)]);
}

#[test]
fn values_are_checked() {
    use ErrorCode::{
        Conflict, Empty, EmptyRange, InvalidId, InvalidTime, UnknownScope, UnknownUnit,
        UnknownValue, WrongType,
    };
    check(
        &json!({"field": "state", "is": "broken"}),
        &[("/is", UnknownValue)],
    );
    check(
        &json!({"field": "end", "is": "x*"}),
        &[("/is", UnknownValue)],
    );
    check(
        &json!({"field": "dialect", "is": ["kiro", "smtp"]}),
        &[("/is/1", UnknownValue)],
    );
    check(&json!({"field": "model", "is": []}), &[("/is", Empty)]);
    check(
        &json!({"field": "duration", "min": "3 parsecs"}),
        &[("/min", UnknownUnit)],
    );
    check(
        &json!({"field": "started_at", "min": "noon"}),
        &[("/min", InvalidTime)],
    );
    check(
        &json!({"field": "tokens", "min": 2, "max": 1}),
        &[("", EmptyRange)],
    );
    check(
        &json!({"field": "tokens", "above": 1, "below": 2}),
        &[("", EmptyRange)],
    );
    check(
        &json!({"field": "tokens", "equals": 1.5}),
        &[("", EmptyRange)],
    );
    check(
        &json!({"field": "tokens", "above": i64::MAX}),
        &[("", EmptyRange)],
    );
    check(
        &json!({"field": "tokens", "min": 1, "above": 1}),
        &[("/above", Conflict)],
    );
    check(
        &json!({"field": "tokens", "equals": 1, "max": 1}),
        &[("/max", Conflict)],
    );
    check(
        &json!({"text": "body", "contains": "x"}),
        &[("/text", UnknownScope)],
    );
    check(
        &json!({"text": "content", "contains": " \n"}),
        &[("/contains", Empty)],
    );
    check(&json!({"id": "x"}), &[("/id", InvalidId)]);
    check(
        &json!({"id": ["x", 5]}),
        &[("/id/0", InvalidId), ("/id/1", WrongType)],
    );
}

#[test]
fn limits_hold() {
    use ErrorCode::TooLarge;
    let deep = |depth: usize| {
        let inside = json!({"is": "running"});
        (1..depth).fold(inside, |inside, _| json!({ "not": inside }))
    };
    check(&deep(DEPTH_MAX), &[]);
    check(
        &deep(DEPTH_MAX + 1),
        &[(&"/not".repeat(DEPTH_MAX), TooLarge)],
    );
    let wide = |nodes: usize| json!({"any": vec![json!({"has": "tools"}); nodes - 1]});
    check(&wide(NODES_MAX), &[]);
    check(&wide(NODES_MAX + 1), &[("/any/999", TooLarge)]);
    let names = |nodes: usize| json!({"field": "model", "is": vec!["x"; nodes - 1]});
    check(&names(NODES_MAX), &[]);
    check(&names(NODES_MAX + 1), &[("/is", TooLarge)]);
    let needle = |bytes: usize| json!({"text": "new", "contains": "x".repeat(bytes)});
    check(&needle(NEEDLE_BYTES_MAX), &[]);
    check(&needle(NEEDLE_BYTES_MAX + 1), &[("/contains", TooLarge)]);
    let name = |bytes: usize| json!({"field": "path", "is": "x".repeat(bytes)});
    check(&name(NEEDLE_BYTES_MAX), &[]);
    check(&name(NEEDLE_BYTES_MAX + 1), &[("/is", TooLarge)]);
    let id = "019a0000-0000-7000-8000-000000000001";
    let ids = |count: usize| json!({ "id": vec![id; count] });
    check(&ids(IDS_MAX), &[]);
    check(&ids(IDS_MAX + 1), &[("/id", TooLarge)]);
    let halves = json!({"any": [ids(IDS_MAX / 2 + 1), ids(IDS_MAX / 2)]});
    check(&halves, &[("/any/1/id", TooLarge)]);
    let wrong = json!({"id": vec!["x"; 100]});
    assert_eq!(Filter(wrong).check().unwrap_err().len(), ERRORS_MAX);
    let long = format!("\"{}\"", "x".repeat(2 * 1024 * 1024));
    assert_eq!(Filter::from_json(&long).unwrap_err().code, TooLarge);
}

#[test]
fn help_says_what_to_write() {
    check_help(
        &json!({"field": "modle", "is": "x"}),
        "did you mean \"model\"?",
    );
    check_help(
        &json!({"field": "latancy", "min": 1}),
        "did you mean \"duration\"?",
    );
    check_help(&json!({"known": "statuss"}), "did you mean \"status\"?");
    check_help(&json!({"is": "runing"}), "did you mean \"running\"?");
    check_help(
        &json!({"text": "contnt", "contains": "x"}),
        "did you mean \"content\"?",
    );
    check_help(&json!({"feild": "model"}), "did you mean \"field\"?");
    check_help(
        &json!({"field": "model", "si": "x"}),
        "did you mean \"is\"?",
    );
    check_help(
        &json!({"field": "end", "is": "timeuot"}),
        "did you mean \"timeout\"?",
    );
    check_help(
        &json!({"field": "state", "is": "weather"}),
        "known are pending, streaming, intercepted, completed, failed, cancelled",
    );
    check_help(
        &json!({"field": "cost", "min": "5 €"}),
        "dollars, or a text such as \"$0.05\"",
    );
    check_help(&json!({"field": "model", "equals": "x"}), "use \"is\"");
}

#[test]
fn errors_are_data() {
    let error = Filter(json!({"is": "runing"}))
        .check()
        .unwrap_err()
        .remove(0);
    assert_eq!(
        json!(error),
        json!({
            "at": "/is",
            "code": "unknown_flag",
            "message": "nothing that a flow has or is has the name \"runing\"",
            "help": "did you mean \"running\"?",
        })
    );
    let error = Filter::from_json("{").unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidJson);
    let long = "y".repeat(5000);
    let errors = Filter(json!({ "is": long })).check().unwrap_err();
    assert!(errors.iter().all(|error| error.to_string().len() < 600));
}
