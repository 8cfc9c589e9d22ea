//! Every kind of error in the shapes of every family.

use ErrorClass::*;
use Fault::{Client, Upstream};

use super::*;

/// A status, a body and what kind of error they are.
type Case = (u16, &'static str, ErrorClass);

const OPENAI: [Case; 17] = [
    (
        401,
        r#"{"error":{"type":"invalid_request_error","message":"missing bearer"}}"#,
        Authentication,
    ),
    (
        403,
        r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
        Authentication,
    ),
    (
        429,
        r#"{"error":{"type":"tokens","code":"rate_limit_exceeded","message":"Limit 1"}}"#,
        RateLimit,
    ),
    (
        429,
        r#"{"error":{"type":"requests","message":"slow"}}"#,
        RateLimit,
    ),
    (
        429,
        r#"{"error":{"code":"429","message":"exceeded call rate limit"}}"#,
        RateLimit,
    ),
    (429, r#"{"error":{"type":"usage_limit_reached"}}"#, Quota),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","code":"billing_hard_limit_reached"}}"#,
        Quota,
    ),
    (
        503,
        r#"{"error":{"type":"server_error","message":"overloaded"}}"#,
        Overloaded,
    ),
    (503, r#"{"error":{"code":"slow_down"}}"#, Overloaded),
    (500, r#"{"error":{"type":"server_error"}}"#, ServerError),
    (
        400,
        r#"{"error":{"type":"user_error","code":"moderation_blocked"}}"#,
        ContentFilter,
    ),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","code":"invalid_prompt"}}"#,
        ContentFilter,
    ),
    (
        400,
        r#"{"error":{"status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        ContentFilter,
    ),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","message":"The maximum context length is 5 tokens"}}"#,
        ContextTooLong,
    ),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","code":"invalid_value","message":"Unsupported value: 'x'"}}"#,
        BadRequest,
    ),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound"}}"#,
        ModelUnavailable,
    ),
    (
        401,
        r#"{"statusCode":401,"message":"Access token is missing"}"#,
        Authentication,
    ),
];

const ANTHROPIC: [Case; 10] = [
    (
        401,
        r#"{"error":{"type":"authentication_error","message":"invalid x-api-key"}}"#,
        Authentication,
    ),
    (402, r#"{"error":{"type":"billing_error"}}"#, Quota),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits."}}"#,
        Quota,
    ),
    (413, r#"{"error":{"type":"request_too_large"}}"#, BadRequest),
    (
        404,
        r#"{"error":{"type":"not_found_error","message":"no such path"}}"#,
        BadRequest,
    ),
    (
        429,
        r#"{"error":{"type":"rate_limit_error","message":"would exceed your rate limit"}}"#,
        RateLimit,
    ),
    (529, r#"{"error":{"type":"overloaded_error"}}"#, Overloaded),
    (529, "{}", Overloaded),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","message":"input and `max_tokens` exceed context limit"}}"#,
        ContextTooLong,
    ),
    (
        400,
        r#"{"error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}}"#,
        ContentFilter,
    ),
];

const GOOGLE: [Case; 11] = [
    (
        403,
        r#"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#,
        Authentication,
    ),
    (
        403,
        r#"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"BILLING_DISABLED"}]}}"#,
        Quota,
    ),
    (
        429,
        r#"{"error":{"status":"RESOURCE_EXHAUSTED","message":"exceeded your current quota"}}"#,
        RateLimit,
    ),
    (
        429,
        r#"[{"error":{"status":"RESOURCE_EXHAUSTED","message":"exceeded your current quota"}}]"#,
        RateLimit,
    ),
    (
        429,
        r#"{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"reason":"MODEL_CAPACITY_EXHAUSTED"}]}}"#,
        Overloaded,
    ),
    (
        429,
        r#"{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"reason":"RATE_LIMIT_EXCEEDED"},{"violations":[{"quotaId":"PerMinute"},{"quotaId":"TokensPerDay"}]}]}}"#,
        Quota,
    ),
    (504, r#"{"error":{"status":"DEADLINE_EXCEEDED"}}"#, Timeout),
    (500, r#"{"error":{"status":"INTERNAL"}}"#, ServerError),
    (
        400,
        r#"{"error":{"status":"FAILED_PRECONDITION","message":"User location is not supported"}}"#,
        BadRequest,
    ),
    (
        404,
        r#"{"error":{"status":"NOT_FOUND","message":"Publisher Model `m` was not found"}}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"error":{"status":"INVALID_ARGUMENT","message":"violates Responsible AI practices"}}"#,
        ContentFilter,
    ),
];

const AWS: [Case; 19] = [
    (
        429,
        r#"{"__type":"ns#ThrottlingException","message":"Too many tokens, please wait"}"#,
        RateLimit,
    ),
    (
        400,
        r#"{"__type":"ns#ServiceQuotaExceededException","message":""}"#,
        Quota,
    ),
    (
        403,
        r#"{"__type":"ns#AccessDeniedException","message":"no"}"#,
        Authentication,
    ),
    (
        403,
        r#"{"__type":"ns#ExpiredTokenException","message":""}"#,
        Authentication,
    ),
    (
        403,
        r#"{"__type":"ns#AccessDeniedException","message":"You don't have access to the model."}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"__type":"ns#ValidationException","message":"The model identifier is invalid."}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"__type":"ns#ValidationException","message":"On-demand throughput isn\u2019t supported"}"#,
        ModelUnavailable,
    ),
    (
        404,
        r#"{"__type":"ns#ResourceNotFoundException","message":"gone"}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"__type":"ns#ValidationException","message":"Input is too long for it."}"#,
        ContextTooLong,
    ),
    (
        400,
        r#"{"__type":"ns#ValidationException","message":"bad"}"#,
        BadRequest,
    ),
    (
        408,
        r#"{"__type":"ns#ModelTimeoutException","message":""}"#,
        Timeout,
    ),
    (
        424,
        r#"{"__type":"ns#ModelErrorException","message":""}"#,
        ServerError,
    ),
    (
        500,
        r#"{"__type":"ns#InternalServerException","message":""}"#,
        ServerError,
    ),
    (
        429,
        r#"{"__type":"ns#ModelNotReadyException","message":""}"#,
        Overloaded,
    ),
    (
        503,
        r#"{"__type":"ns#ServiceUnavailableException","message":""}"#,
        Overloaded,
    ),
    (
        429,
        r#"{"reason":"INSUFFICIENT_MODEL_CAPACITY"}"#,
        Overloaded,
    ),
    (429, r#"{"reason":"MONTHLY_REQUEST_COUNT"}"#, Quota),
    (
        400,
        r#"{"reason":"CONTENT_LENGTH_EXCEEDS_THRESHOLD"}"#,
        ContextTooLong,
    ),
    (400, r#"{"reason":"INVALID_MODEL_ID"}"#, ModelUnavailable),
];

const OTHERS: [Case; 15] = [
    (
        400,
        r#"{"code":"c","error":"Incorrect API key provided"}"#,
        Authentication,
    ),
    (
        403,
        r#"{"code":"c","error":"has either used all available credits"}"#,
        Quota,
    ),
    (402, r#"{"error":{"message":"x"}}"#, Quota),
    (
        404,
        r#"{"error":"model 'm' not found, try pulling it first"}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"detail":"Model m is not supported. Others are."}"#,
        ModelUnavailable,
    ),
    (
        400,
        r#"{"error":{"message":"Web search is not supported with this model."}}"#,
        BadRequest,
    ),
    (
        404,
        r#"{"error":{"code":"404","message":"No endpoints found for v/m."}}"#,
        ModelUnavailable,
    ),
    (498, "{}", Overloaded),
    (
        429,
        r#"{"type":"service_tier_capacity_exceeded","message":""}"#,
        Overloaded,
    ),
    (
        400,
        r#"{"error":{"type":"exceed_context_size_error"}}"#,
        ContextTooLong,
    ),
    (
        400,
        r#"{"success":false,"errors":[{"code":7,"message":"m"}]}"#,
        BadRequest,
    ),
    (
        200,
        r#"{"error":{"code":"429","message":"provider returned error"}}"#,
        RateLimit,
    ),
    (408, r#"{"message":"too slow"}"#, Timeout),
    (524, "{}", Timeout),
    (521, "{}", Network),
];

#[track_caller]
fn check(dialect: Dialect, cases: &[Case]) {
    for (status, body, class) in cases {
        let body: Value = serde_json::from_str(body).unwrap();
        let reading = read_body(dialect, *status, &body);
        let (fault, retryable) = match class {
            Network | Timeout | Overloaded | ServerError => (Upstream, true),
            RateLimit => (Client, true),
            _ => (Client, false),
        };
        let found = (reading.class, reading.fault, reading.retryable);
        let expect = (Some(*class), Some(fault), Some(retryable));
        assert_eq!(found, expect, "{status} {body}");
    }
}

#[test]
fn each_family_tells_every_kind_in_its_own_words() {
    check(Dialect::OpenaiChat, &OPENAI);
    check(Dialect::AnthropicMessages, &ANTHROPIC);
    check(Dialect::GeminiEmbed, &GOOGLE);
    check(Dialect::BedrockConverse, &AWS);
    check(Dialect::OpenaiChat, &OTHERS);
}

#[test]
fn aws_names_the_type_in_a_header() {
    let headers = [header("x-amzn-ErrorType", "ThrottlingException:http://h/")];
    let body = json!({"message": "m"});
    let reading = read(Dialect::BedrockInvoke, 400, &headers, Some(&body), "");
    assert_eq!(reading.kind.as_deref(), Some("ThrottlingException"));
    assert_eq!(reading.class, Some(RateLimit));
}
