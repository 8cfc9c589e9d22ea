//! The names, phrases and reasons of Bedrock and Kiro.

use super::*;

fn named(kind: &str) -> [Header; 1] {
    [header("x-amzn-ErrorType", kind)]
}

#[test]
fn the_type_stands_in_a_header_or_in_the_body() {
    let check = |head: &str, body: Value, expect: Option<&str>| {
        let reading = read(Dialect::BedrockConverse, 400, &named(head), Some(&body), "");
        assert_eq!(reading.kind.as_deref(), expect, "{head} {body}");
        assert_eq!(reading.message.as_deref(), Some("m"));
    };
    let origin = "ValidationException:http://internal.example/coral/";
    check(origin, json!({"message": "m"}), Some("ValidationException"));
    check("a.b#Odd", json!({"Message": "m"}), Some("Odd"));
    check("", json!({"message": "m"}), None);
    let typed = json!({"__type": "com.example.service#ExpiredTokenException", "message": "m"});
    check("Other", typed, Some("ExpiredTokenException"));
}

#[track_caller]
fn check(status: u16, kind: &str, body: &Value, expect: ErrorClass, again: bool) {
    let reading = read(Dialect::Kiro, status, &named(kind), Some(body), "");
    let found = (reading.class, reading.retryable);
    assert_eq!(found, (Some(expect), Some(again)), "{status} {kind} {body}");
}

#[test]
fn names_and_phrases_tell_the_class() {
    use ErrorClass::*;
    let said = |message: &str| json!({ "message": message });
    let plain = said("m");
    check(
        429,
        "ThrottlingException",
        &said("Too many tokens, please wait."),
        RateLimit,
        true,
    );
    check(
        429,
        "ThrottlingException",
        &said("Too many tokens per day"),
        Quota,
        false,
    );
    check(400, "ServiceQuotaExceededException", &plain, Quota, false);
    check(408, "ModelTimeoutException", &plain, Timeout, true);
    check(429, "ModelNotReadyException", &plain, Overloaded, true);
    check(424, "ModelErrorException", &plain, ServerError, true);
    check(503, "ServiceUnavailableException", &plain, Overloaded, true);
    check(403, "AccessDeniedException", &plain, Authentication, false);
    check(403, "ExpiredTokenException", &plain, Authentication, false);
    check(
        403,
        "AccessDeniedException",
        &said("You don't have access to the model."),
        ModelUnavailable,
        false,
    );
    check(
        404,
        "ResourceNotFoundException",
        &plain,
        ModelUnavailable,
        false,
    );
    check(400, "ValidationException", &plain, BadRequest, false);
    check(
        400,
        "ValidationException",
        &said("Input is too long for requested model."),
        ContextTooLong,
        false,
    );
    check(
        400,
        "ValidationException",
        &said("The provided model identifier is invalid."),
        ModelUnavailable,
        false,
    );
}

#[test]
fn kiros_reasons_tell_more_than_names() {
    use ErrorClass::*;
    let reason = |reason: &str| json!({"message": "m", "reason": reason});
    check(
        429,
        "ThrottlingException",
        &reason("MONTHLY_REQUEST_COUNT"),
        Quota,
        false,
    );
    check(
        429,
        "ThrottlingException",
        &reason("INSUFFICIENT_MODEL_CAPACITY"),
        Overloaded,
        true,
    );
    check(
        400,
        "ValidationException",
        &reason("CONTENT_LENGTH_EXCEEDS_THRESHOLD"),
        ContextTooLong,
        false,
    );
    check(
        400,
        "ValidationException",
        &reason("REQUEST_BODY_INVALID"),
        BadRequest,
        false,
    );
}

#[test]
fn exceptions_of_a_stream_begin_with_a_small_letter() {
    let check = |error: Value, class: ErrorClass, status: Option<u16>| {
        let reading = in_stream(Dialect::BedrockConverse, &error);
        assert_eq!(
            (reading.class, reading.status),
            (Some(class), status),
            "{error}"
        );
    };
    check(
        json!({"type": "throttlingException"}),
        ErrorClass::RateLimit,
        None,
    );
    check(
        json!({"type": "internalServerException"}),
        ErrorClass::ServerError,
        None,
    );
    check(
        json!({"type": "modelStreamErrorException", "originalStatusCode": 429}),
        ErrorClass::RateLimit,
        Some(429),
    );
}

#[test]
fn a_resource_that_is_not_there_is_a_model() {
    let gone = json!({"message": "gone"});
    check(404, "", &gone, ErrorClass::ModelUnavailable, false);
    check(
        404,
        "UnknownOperationException",
        &gone,
        ErrorClass::BadRequest,
        false,
    );
}
