//! The words of Bedrock and Kiro.

use flow_model::ErrorClass;

/// Names of exceptions, whose first letter is small in streams, and Kiro's reasons.
pub(super) const WORDS: [(&str, ErrorClass); 41] = [
    ("throttlingexception", ErrorClass::RateLimit),
    ("throttlederror", ErrorClass::RateLimit),
    ("toomanyrequestsexception", ErrorClass::RateLimit),
    ("servicequotaexceededexception", ErrorClass::Quota),
    ("limitexceededexception", ErrorClass::Quota),
    ("daily_request_count", ErrorClass::Quota),
    ("monthly_request_count", ErrorClass::Quota),
    ("overage_request_limit_exceeded", ErrorClass::Quota),
    ("conversation_limit_exceeded", ErrorClass::Quota),
    ("insufficient_model_capacity", ErrorClass::Overloaded),
    ("modelnotreadyexception", ErrorClass::Overloaded),
    ("serviceunavailableexception", ErrorClass::Overloaded),
    ("serviceunavailable", ErrorClass::Overloaded),
    ("modeltimeoutexception", ErrorClass::Timeout),
    ("requesttimeout", ErrorClass::Timeout),
    ("requesttimeoutexception", ErrorClass::Timeout),
    ("accessdeniedexception", ErrorClass::Authentication),
    ("accessdenied", ErrorClass::Authentication),
    ("expiredtokenexception", ErrorClass::Authentication),
    ("expiredtoken", ErrorClass::Authentication),
    ("requestexpired", ErrorClass::Authentication),
    ("unrecognizedclientexception", ErrorClass::Authentication),
    ("invalidclienttokenid", ErrorClass::Authentication),
    ("invalidsignatureexception", ErrorClass::Authentication),
    ("signaturedoesnotmatch", ErrorClass::Authentication),
    ("incompletesignatureexception", ErrorClass::Authentication),
    (
        "missingauthenticationtokenexception",
        ErrorClass::Authentication,
    ),
    ("notauthorized", ErrorClass::Authentication),
    ("optinrequired", ErrorClass::Authentication),
    ("resourcenotfoundexception", ErrorClass::ModelUnavailable),
    ("invalid_model_id", ErrorClass::ModelUnavailable),
    (
        "content_length_exceeds_threshold",
        ErrorClass::ContextTooLong,
    ),
    ("contentlengthexceededexception", ErrorClass::ContextTooLong),
    ("validationexception", ErrorClass::BadRequest),
    ("serializationexception", ErrorClass::BadRequest),
    ("conflictexception", ErrorClass::BadRequest),
    ("invalidstateevent", ErrorClass::BadRequest),
    ("modelerrorexception", ErrorClass::ServerError),
    ("modelstreamerrorexception", ErrorClass::ServerError),
    ("internalserverexception", ErrorClass::ServerError),
    ("internalfailure", ErrorClass::ServerError),
];

/// Phrases of messages, in lower case.
pub(super) const PHRASES: [(&str, ErrorClass); 12] = [
    ("too many tokens per day", ErrorClass::Quota),
    ("too many input tokens", ErrorClass::ContextTooLong),
    ("exceed context limit", ErrorClass::ContextTooLong),
    ("exceeds the maximum length", ErrorClass::ContextTooLong),
    ("expected maxlength", ErrorClass::ContextTooLong),
    ("model input limit", ErrorClass::ContextTooLong),
    ("model identifier is invalid", ErrorClass::ModelUnavailable),
    ("on-demand throughput", ErrorClass::ModelUnavailable),
    (
        "don't have access to the model",
        ErrorClass::ModelUnavailable,
    ),
    ("end of its life", ErrorClass::ModelUnavailable),
    (
        "security token included in the request",
        ErrorClass::Authentication,
    ),
    ("blocked by our content filters", ErrorClass::ContentFilter),
];

#[cfg(test)]
mod tests {
    use flow_model::{Dialect, ErrorClass, Header};
    use serde_json::{Value, json};

    use crate::errors::{in_stream, read};

    fn header(kind: &str) -> [Header; 1] {
        [Header {
            name: "x-amzn-ErrorType".to_owned(),
            value: kind.to_owned(),
            latin1: false,
        }]
    }

    #[test]
    fn the_type_stands_in_a_header_or_in_the_body() {
        let check = |head: &str, body: Value, expect: Option<&str>| {
            let reading = read(
                Dialect::BedrockConverse,
                400,
                &header(head),
                Some(&body),
                "",
            );
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
        let reading = read(Dialect::Kiro, status, &header(kind), Some(body), "");
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
}
