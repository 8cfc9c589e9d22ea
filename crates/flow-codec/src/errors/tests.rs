use flow_model::Fault;
use serde_json::json;

use super::*;

mod aws;
mod shapes;
mod table;
mod vendors;

fn read_body(dialect: Dialect, status: u16, body: &Value) -> ErrorReading {
    read(dialect, status, &[], Some(body), "")
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    }
}

/// Checks type, code and message that are read out of a body.
#[track_caller]
fn check_shape(body: &Value, expect: [Option<&str>; 3]) {
    let reading = read_body(Dialect::OpenaiChat, 400, body);
    let found = [reading.kind, reading.code, reading.message];
    assert_eq!(found.each_ref().map(Option::as_deref), expect, "{body}");
    assert_eq!(reading.status, Some(400));
}

#[test]
fn reads_every_shape() {
    check_shape(
        &json!({"error": {"message": "m", "type": "t", "code": "c", "param": null}}),
        [Some("t"), Some("c"), Some("m")],
    );
    check_shape(
        &json!({"error": {"message": "m", "code": 401}}),
        [None, Some("401"), Some("m")],
    );
    check_shape(
        &json!({"error": {"message": "m", "type": null, "status": 400}}),
        [Some("400"), None, Some("m")],
    );
    check_shape(
        &json!({"type": "error", "error": {"type": "t", "message": "m"}, "request_id": "r"}),
        [Some("t"), None, Some("m")],
    );
    check_shape(
        &json!([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}]),
        [Some("INVALID_ARGUMENT"), Some("400"), Some("m")],
    );
    check_shape(
        &json!({"error": "m", "code": "c"}),
        [None, Some("c"), Some("m")],
    );
    check_shape(&json!({"detail": "m"}), [None, None, Some("m")]);
    check_shape(
        &json!({"detail": [{"loc": ["body"], "msg": "m", "type": "missing"}]}),
        [None, None, Some("m")],
    );
    check_shape(
        &json!({"object": "error", "message": "m", "type": "t", "code": 3000}),
        [Some("t"), Some("3000"), Some("m")],
    );
    check_shape(
        &json!({"statusCode": 404, "message": "m"}),
        [None, Some("404"), Some("m")],
    );
    check_shape(
        &json!({"id": "e-1", "message": "m"}),
        [None, None, Some("m")],
    );
    check_shape(&json!({"error": "m"}), [None, None, Some("m")]);
    check_shape(&json!({"error": ["m", "n"]}), [None, None, Some("m")]);
    check_shape(
        &json!({"success": false, "errors": [{"message": "m", "code": 5006}]}),
        [None, Some("5006"), Some("m")],
    );
    check_shape(
        &json!({"object": "error", "message": {"detail": [{"msg": "m"}]}, "type": "t", "code": null}),
        [Some("t"), None, Some("m")],
    );
    check_shape(
        &json!({"error_code": 110, "error_msg": "m"}),
        [None, Some("110"), Some("m")],
    );
    check_shape(&json!({}), [None, None, None]);
}

#[test]
fn text_is_its_own_message_up_to_a_limit() {
    let long = "x".repeat(TEXT_CHARS_MAX + 1);
    let reading = read(Dialect::OpenaiChat, 502, &[], None, &format!("  {long}\n"));
    assert_eq!(
        reading.message.map(|message| message.len()),
        Some(TEXT_CHARS_MAX)
    );
    assert_eq!(reading.class, Some(ErrorClass::ServerError));
    assert_eq!(read(Dialect::OpenaiChat, 500, &[], None, " ").message, None);
}

#[track_caller]
fn check_class(dialect: Dialect, status: u16, error: &Value, expect: (ErrorClass, Fault, bool)) {
    let reading = read_body(dialect, status, &json!({ "error": error }));
    let found = reading.class.zip(reading.fault).zip(reading.retryable);
    assert_eq!(
        found,
        Some(((expect.0, expect.1), expect.2)),
        "{status} {error}"
    );
}

#[test]
fn the_wires_words_tell_the_class() {
    use ErrorClass::*;
    let openai = |status: u16, error: Value, class: ErrorClass, retryable: bool| {
        check_class(
            Dialect::OpenaiChat,
            status,
            &error,
            (class, Fault::Client, retryable),
        );
    };
    openai(
        429,
        json!({"code": "insufficient_quota", "type": "insufficient_quota"}),
        Quota,
        false,
    );
    openai(
        429,
        json!({"code": "rate_limit_exceeded", "type": "tokens"}),
        RateLimit,
        true,
    );
    openai(
        400,
        json!({"code": "context_length_exceeded", "type": "invalid_request_error"}),
        ContextTooLong,
        false,
    );
    openai(
        400,
        json!({"type": "invalid_request_error", "message": "Prompt too long; exceeded max context length"}),
        ContextTooLong,
        false,
    );
    openai(
        404,
        json!({"code": "model_not_found", "type": "invalid_request_error"}),
        ModelUnavailable,
        false,
    );
    openai(404, json!({"message": "no such path"}), BadRequest, false);
    openai(
        401,
        json!({"code": "invalid_api_key", "type": "invalid_request_error"}),
        Authentication,
        false,
    );
    openai(
        400,
        json!({"code": "content_filter", "status": 400}),
        ContentFilter,
        false,
    );
    openai(
        400,
        json!({"type": "invalid_request_error", "code": "unsupported_parameter"}),
        BadRequest,
        false,
    );
    openai(402, json!({"message": "pay"}), Quota, false);
}

#[test]
fn anthropics_words_tell_the_class() {
    let check = |status: u16, kind: &str, message: &str, expect: (ErrorClass, Fault, bool)| {
        check_class(
            Dialect::AnthropicMessages,
            status,
            &json!({"type": kind, "message": message}),
            expect,
        );
    };
    check(
        529,
        "overloaded_error",
        "Overloaded",
        (ErrorClass::Overloaded, Fault::Upstream, true),
    );
    check(
        500,
        "api_error",
        "Internal",
        (ErrorClass::ServerError, Fault::Upstream, true),
    );
    check(
        504,
        "timeout_error",
        "",
        (ErrorClass::Timeout, Fault::Upstream, true),
    );
    check(
        429,
        "rate_limit_error",
        "",
        (ErrorClass::RateLimit, Fault::Client, true),
    );
    check(
        404,
        "not_found_error",
        "model: m-1",
        (ErrorClass::ModelUnavailable, Fault::Client, false),
    );
    check(
        400,
        "invalid_request_error",
        "prompt is too long: 2 tokens > 1",
        (ErrorClass::ContextTooLong, Fault::Client, false),
    );
    check(
        400,
        "invalid_request_error",
        "Your credit balance is too low",
        (ErrorClass::Quota, Fault::Client, false),
    );
    check(
        403,
        "permission_error",
        "",
        (ErrorClass::Authentication, Fault::Client, false),
    );
}

#[test]
fn googles_details_tell_more_than_its_status() {
    let gemini = |status: u16, error: Value, class: ErrorClass, retryable: bool| {
        let fault = if retryable && class != ErrorClass::RateLimit {
            Fault::Upstream
        } else {
            Fault::Client
        };
        check_class(
            Dialect::GeminiGenerate,
            status,
            &error,
            (class, fault, retryable),
        );
    };
    gemini(
        400,
        json!({"status": "INVALID_ARGUMENT", "message": "x", "details": [{"reason": "API_KEY_INVALID"}]}),
        ErrorClass::Authentication,
        false,
    );
    gemini(
        429,
        json!({"status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota", "details": [{"violations": [{"quotaId": "RequestsPerMinute"}]}]}),
        ErrorClass::RateLimit,
        true,
    );
    gemini(
        429,
        json!({"status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "RequestsPerDayPerModel"}]}]}),
        ErrorClass::Quota,
        false,
    );
    gemini(
        503,
        json!({"status": "UNAVAILABLE", "message": "busy"}),
        ErrorClass::Overloaded,
        true,
    );
    gemini(
        400,
        json!({"status": "INVALID_ARGUMENT", "message": "The input token count (2) exceeds the maximum number of tokens allowed (1)."}),
        ErrorClass::ContextTooLong,
        false,
    );
}

#[test]
fn an_error_inside_a_stream_is_judged_without_a_status() {
    let judge = |error: Value| in_stream(Dialect::OpenaiChat, &error);
    assert_eq!(
        judge(json!({"type": "invalid_request_error", "message": "x"})).class,
        Some(ErrorClass::BadRequest)
    );
    assert_eq!(
        judge(json!({"code": 429, "message": "x"})).class,
        Some(ErrorClass::RateLimit)
    );
    assert_eq!(
        judge(json!({"message": "x"})).class,
        Some(ErrorClass::ServerError)
    );
    assert_eq!(
        judge(json!("plain words")).message.as_deref(),
        Some("plain words")
    );
}

#[track_caller]
fn check_wait(headers: &[(&str, &str)], expect: Option<u64>) {
    let headers: Vec<Header> = headers
        .iter()
        .map(|(name, value)| header(name, value))
        .collect();
    let reading = read(Dialect::OpenaiChat, 429, &headers, Some(&json!({})), "");
    assert_eq!(reading.retry_after_us, expect, "{headers:?}");
}

#[test]
fn the_wait_is_read_from_headers() {
    check_wait(&[("Retry-After", "2")], Some(2_000_000));
    check_wait(&[("retry-after", "0.5")], Some(500_000));
    check_wait(
        &[("retry-after", "9"), ("retry-after-ms", "1500")],
        Some(1_500_000),
    );
    let dates = [
        ("retry-after", "Thu, 01 Mar 2029 00:00:30 GMT"),
        ("date", "Wed, 28 Feb 2029 23:59:00 GMT"),
    ];
    check_wait(&dates, Some(90_000_000));
    check_wait(&[("retry-after", "Thu, 01 Mar 2029 00:00:30 GMT")], None);
    for nonsense in [
        "-1",
        "soon",
        "NaN",
        "inf",
        "1e300",
        "",
        "Thu, 99 Foo 2029 00:00:00 GMT",
    ] {
        check_wait(
            &[
                ("retry-after", nonsense),
                ("date", "Wed, 28 Feb 2029 23:59:00 GMT"),
            ],
            None,
        );
    }
}

#[test]
fn the_wait_is_read_from_googles_details() {
    let body = json!({"error": {"code": 429, "details": [{"@type": "x"}, {"@type": "y.RetryInfo", "retryDelay": "17.5s"}]}});
    assert_eq!(
        read_body(Dialect::GeminiGenerate, 429, &body).retry_after_us,
        Some(17_500_000)
    );
}

#[test]
fn dates_count_from_1970() {
    assert_eq!(wait::http_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
    assert_eq!(
        wait::http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
        Some(784_111_777)
    );
    assert_eq!(
        wait::http_date("Thu, 29 Feb 2024 12:00:00 GMT"),
        Some(1_709_208_000)
    );
}

#[test]
fn the_provider_may_say_whether_to_try_again() {
    let retryable = |value: &str| {
        let headers = [header("x-should-retry", value)];
        read(Dialect::OpenaiChat, 500, &headers, None, "").retryable
    };
    assert_eq!(
        (retryable("false"), retryable("true"), retryable("x")),
        (Some(false), Some(true), Some(true))
    );
}
