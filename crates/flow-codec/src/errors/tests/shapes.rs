//! Shapes of gateways, errors without a status, waits that no header tells.

use ErrorClass::*;
use Fault::Upstream;

use super::*;

const OPENAI: Dialect = Dialect::OpenaiChat;

#[test]
fn shapes_of_gateways() {
    check_shape(
        &json!({"success": false, "errors": [{"code": 7, "message": "m"}]}),
        [None, Some("7"), Some("m")],
    );
    check_shape(
        &json!({"fault": {"faultstring": "m", "detail": {"errorcode": "c"}}}),
        [None, None, Some("m")],
    );
    check_shape(
        &json!({"error": "invalid_grant", "error_description": "m"}),
        [Some("invalid_grant"), None, Some("m")],
    );
    check_shape(
        &json!({"__type": "com.amazon.x#Oops", "Message": "m"}),
        [Some("Oops"), None, Some("m")],
    );
    check_shape(
        &json!({"error": {"code": "c"}, "message": "m"}),
        [None, Some("c"), Some("m")],
    );
    check_shape(
        &json!({"error": "", "message": "m", "fault": "client"}),
        [None, None, Some("m")],
    );
    check_shape(
        &json!({"message": "", "errors": [{"type": "t", "message": "m"}, {"message": "n"}]}),
        [Some("t"), None, Some("m")],
    );
    check_shape(
        &json!({"type": "t", "title": "m", "errors": {"field": ["n"]}}),
        [Some("t"), None, Some("m")],
    );
}

#[test]
fn the_title_of_a_page_is_its_message() {
    let check = |page: &str, expect: &str| {
        let reading = read(OPENAI, 502, &[], None, page);
        assert_eq!(reading.message.as_deref(), Some(expect), "{page}");
    };
    check(
        "\n<html><head><title> 502 Bad Gateway</title></head>",
        "502 Bad Gateway",
    );
    check("<HTML><TITLE>\u{c4}rger</TITLE>", "\u{c4}rger");
    check("<html><title> </title>x", "<html><title> </title>x");
    check("no <title>page</title>", "no <title>page</title>");
    let far = format!("<!-- {} --><title>t</title>", "x".repeat(MESSAGE_BYTES_MAX));
    let reading = read(OPENAI, 502, &[], None, &far);
    assert_ne!(reading.message.as_deref(), Some("t"));
}

#[test]
fn every_status_means_something() {
    for status in 400..600 {
        for body in [
            None,
            Some(json!({})),
            Some(json!([])),
            Some(json!({"error": 1})),
        ] {
            let reading = read(OPENAI, status, &[], body.as_ref(), "<html>");
            assert!(
                reading.class.is_some() && reading.fault.is_some(),
                "{status}"
            );
            assert!(reading.retryable.is_some(), "{status}");
            let upstream = reading.fault == Some(Upstream);
            let theirs = status >= 500 || matches!(status, 408 | 424 | 498);
            assert_eq!(upstream, theirs, "{status}");
        }
    }
    assert_eq!(read_body(OPENAI, 409, &json!({})).retryable, Some(true));
}

#[test]
fn only_a_conflict_that_nothing_explains_is_tried_again() {
    let body = json!({"error": {"code": "insufficient_quota"}});
    let reading = read_body(OPENAI, 409, &body);
    assert_eq!(
        (reading.class, reading.retryable),
        (Some(Quota), Some(false))
    );
}

#[test]
fn a_rate_limit_may_be_an_empty_account() {
    let class = |message: &str| {
        let error = json!({"status": "RESOURCE_EXHAUSTED", "message": message});
        read_body(Dialect::GeminiGenerate, 429, &json!({ "error": error })).class
    };
    let current = "You exceeded your current quota, please check your plan and billing details.";
    assert_eq!(class(current), Some(RateLimit));
    assert_eq!(class("exceeded its monthly spending cap"), Some(Quota));
}

#[test]
fn a_phrase_counts_within_the_start_of_a_message() {
    let class = |before: usize| {
        let message = format!("{}prompt is too long", "\u{c4}".repeat(before));
        read_body(OPENAI, 400, &json!({ "error": message })).class
    };
    assert_eq!(class(100), Some(ContextTooLong));
    assert_eq!(class(MESSAGE_BYTES_MAX / 2), Some(BadRequest));
    let word = "context_length_exceeded".repeat(1_000);
    let reading = read_body(OPENAI, 400, &json!({"error": {"code": word}}));
    assert_eq!(reading.class, Some(BadRequest));
}

#[test]
fn a_bad_status_tells_what_an_event_does_not() {
    let class = |error: Value| {
        let known = in_stream(OPENAI, &error);
        let reading = with_status(OPENAI, 429, known);
        assert_eq!(reading.status, Some(429));
        reading.class
    };
    assert_eq!(class(json!({"message": "x"})), Some(RateLimit));
    assert_eq!(class(json!({"type": "overloaded_error"})), Some(Overloaded));
    assert_eq!(
        class(json!({"type": "invalid_request_error"})),
        Some(BadRequest)
    );
}

#[test]
fn an_event_has_words_only() {
    let class = |error: Value| in_stream(Dialect::AnthropicMessages, &error).class;
    assert_eq!(
        class(json!({"type": "throttlingException"})),
        Some(RateLimit)
    );
    assert_eq!(
        class(json!({"type": "modelStreamErrorException"})),
        Some(ServerError)
    );
    assert_eq!(
        class(json!({"type": "validationException"})),
        Some(BadRequest)
    );
    assert_eq!(class(json!({"type": "overloaded_error"})), Some(Overloaded));
    assert_eq!(
        class(json!({"type": "not_found_error", "message": "x"})),
        Some(BadRequest)
    );
    assert_eq!(class(json!({"code": "unsupported_file"})), Some(BadRequest));
    assert_eq!(class(json!({"code": 524, "message": "x"})), Some(Timeout));
}

#[track_caller]
fn check_told(body: &Value, expect: Option<u64>) {
    assert_eq!(
        read_body(OPENAI, 429, body).retry_after_us,
        expect,
        "{body}"
    );
}

#[test]
fn the_wait_is_read_from_bodies_and_words() {
    check_told(
        &json!({"error": {"resets_in_seconds": 90}}),
        Some(90_000_000),
    );
    check_told(&json!({"retry_after": "1.5"}), Some(1_500_000));
    let told = |words: &str| json!({"error": {"message": words}});
    check_told(
        &told("Please try again in 1h2m3.5s. Visit"),
        Some(3_723_500_000),
    );
    check_told(&told("Please try again in 20ms."), Some(20_000));
    check_told(&told("Please retry after 3 seconds."), Some(3_000_000));
    check_told(&told("Please retry in 17.25s."), Some(17_250_000));
    for words in [
        "try again in a while",
        "try again in ",
        "retry after 5",
        "retry in 1..2s",
        "later",
        &format!("{}try again in 2s", "\u{c4}".repeat(MESSAGE_BYTES_MAX)),
    ] {
        check_told(&told(words), None);
    }
}
