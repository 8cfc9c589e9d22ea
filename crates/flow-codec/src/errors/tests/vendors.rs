//! The words of those who imitate OpenAI or speak a dialect of their own.

use super::*;

/// Checks the class of a body as it comes.
#[track_caller]
fn check_body(dialect: Dialect, status: u16, body: &Value, expect: ErrorClass) {
    let reading = read_body(dialect, status, body);
    assert_eq!(reading.class, Some(expect), "{status} {body}");
}

#[test]
fn the_words_of_cohere_mistral_and_ollama_tell_the_class() {
    use ErrorClass::*;
    let cohere = |status, message: &str, class| {
        let body = json!({"id": "e-1", "message": message});
        check_body(Dialect::CohereChat, status, &body, class);
    };
    cohere(401, "invalid api token", Authentication);
    cohere(404, "model 'm' was removed on some day", ModelUnavailable);
    cohere(429, "a key limited to 1000 API calls / month", Quota);
    cohere(429, "a key limited to 40 API calls / minute", RateLimit);
    cohere(400, "too many tokens: 5000 of 4096", ContextTooLong);
    cohere(422, "no valid response", BadRequest);
    let mistral = |status, kind: &str, code: &str, class| {
        let body = json!({"object": "error", "message": "m", "type": kind, "code": code});
        check_body(Dialect::OpenaiChat, status, &body, class);
    };
    mistral(429, "rate_limited", "1300", RateLimit);
    mistral(429, "service_tier_capacity_exceeded", "3505", Overloaded);
    mistral(400, "invalid_model", "1500", ModelUnavailable);
    check_body(
        Dialect::OpenaiChat,
        422,
        &json!({"detail": [{"type": "missing", "msg": "Field required"}]}),
        BadRequest,
    );
    let ollama = |status, message: &str, class| {
        let body = json!({ "error": message });
        check_body(Dialect::OllamaChat, status, &body, class);
    };
    ollama(404, "model 'm' not found", ModelUnavailable);
    ollama(400, "m does not support tools", BadRequest);
    ollama(503, "server busy, try again", Overloaded);
    ollama(
        400,
        "the input length exceeds the context length",
        ContextTooLong,
    );
}

#[test]
fn the_words_of_openais_imitations_tell_the_class() {
    use ErrorClass::*;
    let check = |status, error: Value, class| {
        let body = json!({ "error": error });
        check_body(Dialect::OpenaiChat, status, &body, class);
    };
    let large = "Request too large for model `m` on tokens per minute";
    check(
        413,
        json!({"code": "rate_limit_exceeded", "message": large}),
        ContextTooLong,
    );
    check(498, json!({"code": "capacity_exceeded"}), Overloaded);
    check(402, json!({"type": "credit_limit"}), Quota);
    let inputs = "`inputs` tokens + `max_new_tokens` must be <= 9";
    check(422, json!({ "message": inputs }), ContextTooLong);
    check(412, json!("suspended: monthly spending limit"), Quota);
    check(429, json!({"type": "exceeded_current_quota_error"}), Quota);
    check(429, json!({"type": "engine_overloaded_error"}), Overloaded);
    check(429, json!({"type": "rate_limit_reached_error"}), RateLimit);
    check(400, json!({"code": "Arrearage"}), Quota);
    check(
        400,
        json!({"code": "data_inspection_failed"}),
        ContentFilter,
    );
    check(429, json!({"code": "Throttling.RateQuota"}), RateLimit);
    check(403, json!({"code": "AllocationQuota.FreeTierOnly"}), Quota);
    check(403, json!({"code": "Model.AccessDenied"}), ModelUnavailable);
    check(
        402,
        json!({"message": "Insufficient Balance", "type": "unknown_error", "code": "invalid_request_error"}),
        Quota,
    );
    check(
        500,
        json!({"message": "x", "type": "internal_error", "code": "invalid_request_error"}),
        ServerError,
    );
}

#[test]
fn zhipus_numbers_tell_the_class_where_no_type_does() {
    use ErrorClass::*;
    let check = |status, code: &str, class| {
        let body = json!({"error": {"code": code, "message": "m"}});
        check_body(Dialect::OpenaiChat, status, &body, class);
    };
    check(401, "1002", Authentication);
    check(429, "1113", Quota);
    check(400, "1211", ModelUnavailable);
    check(400, "1214", BadRequest);
    check(400, "1261", ContextTooLong);
    check(400, "1301", ContentFilter);
    check(429, "1302", RateLimit);
    check(429, "1308", Quota);
    let typed = json!({"error": {"code": "1301", "type": "rate_limited"}});
    check_body(Dialect::OpenaiChat, 429, &typed, RateLimit);
}

#[test]
fn openrouter_tells_what_the_provider_behind_it_said() {
    use ErrorClass::*;
    let check = |code: u16, message: &str, metadata: Value, class| {
        let body = json!({"error": {"code": code, "message": message, "metadata": metadata}});
        check_body(Dialect::OpenaiChat, code, &body, class);
    };
    let returned = "Provider returned error";
    check(
        400,
        returned,
        json!({"raw": "{\"error\":{\"message\":\"prompt is too long: 9 > 8\"}}"}),
        ContextTooLong,
    );
    check(
        400,
        returned,
        json!({"raw": {"message": "maximum context length"}}),
        ContextTooLong,
    );
    check(429, returned, json!({"provider_name": "p"}), RateLimit);
    check(
        403,
        "Your input was flagged",
        json!({"reasons": ["violence"], "provider_name": "p"}),
        ContentFilter,
    );
    check(402, "Insufficient credits", Value::Null, Quota);
    check(
        404,
        "No endpoints found for m",
        Value::Null,
        ModelUnavailable,
    );
    let daily = "Rate limit exceeded: free-models-per-day";
    check(429, daily, Value::Null, Quota);
}
