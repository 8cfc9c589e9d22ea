//! What kind of error it is, whose doing, and whether to try again.
//!
//! The wire's own words come first, because a status means several things: 429 is a rate limit or an empty
//! account, 400 a wrong request or a prompt that is too long, 404 a wrong path or an unknown model.

mod aws;

use flow_model::{Dialect, ErrorClass, ErrorReading, Fault};

/// What is said of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) class: ErrorClass,
    pub(super) fault: Fault,
    pub(super) retryable: bool,
}

/// Words of `type`, `code` or Google's reason, and what they mean. Matched whole, without regard to case.
const WORDS: [(&str, ErrorClass); 67] = [
    ("insufficient_quota", ErrorClass::Quota),
    ("billing_error", ErrorClass::Quota),
    ("billing_hard_limit_reached", ErrorClass::Quota),
    ("billing_not_active", ErrorClass::Quota),
    ("insufficient_balance", ErrorClass::Quota),
    ("payment_required", ErrorClass::Quota),
    ("exceeded_current_quota_error", ErrorClass::Quota),
    ("credit_limit", ErrorClass::Quota),
    ("budget_exceeded", ErrorClass::Quota),
    ("arrearage", ErrorClass::Quota),
    ("allocationquota", ErrorClass::Quota),
    ("context_length_exceeded", ErrorClass::ContextTooLong),
    ("string_above_max_length", ErrorClass::ContextTooLong),
    ("exceed_context_size_error", ErrorClass::ContextTooLong),
    ("content_filter", ErrorClass::ContentFilter),
    ("content_policy_violation", ErrorClass::ContentFilter),
    ("responsibleaipolicyviolation", ErrorClass::ContentFilter),
    ("moderation_blocked", ErrorClass::ContentFilter),
    ("data_inspection_failed", ErrorClass::ContentFilter),
    ("datainspectionfailed", ErrorClass::ContentFilter),
    ("model_not_found", ErrorClass::ModelUnavailable),
    ("model_not_available", ErrorClass::ModelUnavailable),
    ("model_decommissioned", ErrorClass::ModelUnavailable),
    ("deploymentnotfound", ErrorClass::ModelUnavailable),
    ("invalid_model", ErrorClass::ModelUnavailable),
    ("modelnotfound", ErrorClass::ModelUnavailable),
    ("model.accessdenied", ErrorClass::ModelUnavailable),
    ("invalid_api_key", ErrorClass::Authentication),
    ("incorrect_api_key", ErrorClass::Authentication),
    ("api_key_invalid", ErrorClass::Authentication),
    ("invalidapikey", ErrorClass::Authentication),
    ("wrong_api_key", ErrorClass::Authentication),
    ("incorrect_api_key_error", ErrorClass::Authentication),
    ("invalid_authentication_error", ErrorClass::Authentication),
    ("permission_denied_error", ErrorClass::Authentication),
    ("accessdenied", ErrorClass::Authentication),
    ("authentication_error", ErrorClass::Authentication),
    ("permission_error", ErrorClass::Authentication),
    ("permission_denied", ErrorClass::Authentication),
    ("unauthenticated", ErrorClass::Authentication),
    ("unauthorized", ErrorClass::Authentication),
    ("overloaded_error", ErrorClass::Overloaded),
    ("overloaded", ErrorClass::Overloaded),
    ("unavailable", ErrorClass::Overloaded),
    ("service_unavailable", ErrorClass::Overloaded),
    ("engine_overloaded", ErrorClass::Overloaded),
    ("engine_overloaded_error", ErrorClass::Overloaded),
    ("capacity_exceeded", ErrorClass::Overloaded),
    ("service_tier_capacity_exceeded", ErrorClass::Overloaded),
    ("queue_exceeded", ErrorClass::Overloaded),
    ("rate_limit_error", ErrorClass::RateLimit),
    ("rate_limit_exceeded", ErrorClass::RateLimit),
    ("rate_limit_reached", ErrorClass::RateLimit),
    ("rate_limit_reached_error", ErrorClass::RateLimit),
    ("rate_limited", ErrorClass::RateLimit),
    ("throttling", ErrorClass::RateLimit),
    ("limit_requests", ErrorClass::RateLimit),
    ("limit_burst_rate", ErrorClass::RateLimit),
    ("request_quota_exceeded", ErrorClass::RateLimit),
    ("token_quota_exceeded", ErrorClass::RateLimit),
    ("too_many_requests", ErrorClass::RateLimit),
    ("resource_exhausted", ErrorClass::RateLimit),
    ("timeout_error", ErrorClass::Timeout),
    ("deadline_exceeded", ErrorClass::Timeout),
    ("server_error", ErrorClass::ServerError),
    ("api_error", ErrorClass::ServerError),
    ("internal", ErrorClass::ServerError),
];

/// Phrases of messages, in lower case, and what they mean. The first that occurs counts.
const PHRASES: [(&str, ErrorClass); 42] = [
    ("credit balance is too low", ErrorClass::Quota),
    ("exceeded your current quota", ErrorClass::Quota),
    ("insufficient balance", ErrorClass::Quota),
    ("insufficient credits", ErrorClass::Quota),
    ("requires more credits", ErrorClass::Quota),
    ("doesn't have any credits", ErrorClass::Quota),
    ("credit limit exceeded", ErrorClass::Quota),
    ("spending limit", ErrorClass::Quota),
    ("check your plan and billing details", ErrorClass::Quota),
    ("api calls / month", ErrorClass::Quota),
    ("free-models-per-day", ErrorClass::Quota),
    ("maximum context length", ErrorClass::ContextTooLong),
    ("max context length", ErrorClass::ContextTooLong),
    ("context window", ErrorClass::ContextTooLong),
    ("prompt is too long", ErrorClass::ContextTooLong),
    ("prompt too long", ErrorClass::ContextTooLong),
    ("input is too long", ErrorClass::ContextTooLong),
    ("too many tokens: ", ErrorClass::ContextTooLong),
    ("exceeds the context length", ErrorClass::ContextTooLong),
    (
        "exceeds the available context size",
        ErrorClass::ContextTooLong,
    ),
    ("exceeded model token limit", ErrorClass::ContextTooLong),
    (
        "range of input length should be",
        ErrorClass::ContextTooLong,
    ),
    (
        "tokens + `max_new_tokens` must be",
        ErrorClass::ContextTooLong,
    ),
    ("request too large for", ErrorClass::ContextTooLong),
    (
        "exceeds the maximum number of tokens",
        ErrorClass::ContextTooLong,
    ),
    ("content management policy", ErrorClass::ContentFilter),
    ("content filter", ErrorClass::ContentFilter),
    ("requires moderation", ErrorClass::ContentFilter),
    ("input was flagged", ErrorClass::ContentFilter),
    ("flagged as potentially", ErrorClass::ContentFilter),
    (
        "rejected as a result of our safety system",
        ErrorClass::ContentFilter,
    ),
    (
        "output blocked by content filtering",
        ErrorClass::ContentFilter,
    ),
    ("api key not valid", ErrorClass::Authentication),
    ("invalid api key", ErrorClass::Authentication),
    ("incorrect api key", ErrorClass::Authentication),
    ("api key is invalid", ErrorClass::Authentication),
    (
        "does not exist or you do not have access",
        ErrorClass::ModelUnavailable,
    ),
    ("is not found for api version", ErrorClass::ModelUnavailable),
    ("is not a valid model", ErrorClass::ModelUnavailable),
    ("no endpoints found", ErrorClass::ModelUnavailable),
    ("capacity exceeded", ErrorClass::Overloaded),
    ("over capacity", ErrorClass::Overloaded),
];

/// Codes of Zhipu, which have no type beside them, and what they mean.
const NUMBERS: [(std::ops::RangeInclusive<u16>, ErrorClass); 11] = [
    (1000..=1004, ErrorClass::Authentication),
    (1110..=1112, ErrorClass::Authentication),
    (1113..=1113, ErrorClass::Quota),
    (1211..=1211, ErrorClass::ModelUnavailable),
    (1220..=1220, ErrorClass::Authentication),
    (1221..=1222, ErrorClass::ModelUnavailable),
    (1261..=1261, ErrorClass::ContextTooLong),
    (1300..=1301, ErrorClass::ContentFilter),
    (1302..=1303, ErrorClass::RateLimit),
    (1304..=1304, ErrorClass::Quota),
    (1308..=1310, ErrorClass::Quota),
];

/// What is known of an error beside its reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hints<'a> {
    /// The reason or the quota that Google's details name.
    pub(super) reason: Option<&'a str>,
    /// What the provider behind a gateway said.
    pub(super) upstream: Option<&'a str>,
}

/// Returns what is said of an error, from its status, type, code and message, and from what else is known.
pub(super) fn classify(dialect: Dialect, error: &ErrorReading, hints: Hints<'_>) -> Verdict {
    let reason = hints.reason;
    // A daily quota does not come back by waiting a moment, though it is told as a rate limit.
    let daily = reason.is_some_and(|reason| reason.contains("PerDay"));
    let said = [reason, error.code.as_deref(), error.kind.as_deref()];
    let by_word = by_number(error).or_else(|| said.into_iter().flatten().find_map(by_word));
    let status = error.status.filter(|status| *status >= 400);
    let told = [error.message.as_deref(), hints.upstream];
    let class = match (told.into_iter().flatten().find_map(by_phrase), by_word) {
        _ if daily => ErrorClass::Quota,
        // A rate limit stays one whatever its message says of quotas, unless it is about money.
        (Some(ErrorClass::Quota), Some(ErrorClass::RateLimit))
            if dialect == Dialect::GeminiGenerate =>
        {
            ErrorClass::RateLimit
        }
        (Some(class), _) => class,
        (None, Some(ErrorClass::ServerError)) => status.map_or(ErrorClass::ServerError, by_status),
        (None, Some(class)) => class,
        (None, None) if is_unknown_model(error) => ErrorClass::ModelUnavailable,
        (None, None) => status.map_or(ErrorClass::ServerError, by_status),
    };
    // A fault inside a stream has no status, so its type has the last word.
    let word = error.kind.as_deref().or(error.code.as_deref());
    let class = match (class, word) {
        (ErrorClass::ServerError, Some("invalid_request_error" | "INVALID_ARGUMENT")) => {
            ErrorClass::BadRequest
        }
        (class, _) => class,
    };
    verdict(class)
}

fn verdict(class: ErrorClass) -> Verdict {
    let (fault, retryable) = match class {
        ErrorClass::Network
        | ErrorClass::Timeout
        | ErrorClass::Overloaded
        | ErrorClass::ServerError => (Fault::Upstream, true),
        ErrorClass::RateLimit => (Fault::Client, true),
        ErrorClass::Authentication
        | ErrorClass::Quota
        | ErrorClass::ContentFilter
        | ErrorClass::BadRequest
        | ErrorClass::ContextTooLong
        | ErrorClass::ModelUnavailable => (Fault::Client, false),
    };
    Verdict {
        class,
        fault,
        retryable,
    }
}

fn by_word(word: &str) -> Option<ErrorClass> {
    let known = |word: &str| {
        let mut words = WORDS.iter().chain(&aws::WORDS);
        let found = words.find(|(known, _)| word.eq_ignore_ascii_case(known));
        found.map(|(_, class)| *class)
    };
    // Alibaba's words have a finer one behind a dot.
    known(word).or_else(|| known(word.split_once('.')?.0))
}

fn by_number(error: &ErrorReading) -> Option<ErrorClass> {
    let code = error.code.as_ref().filter(|_| error.kind.is_none())?;
    let code = code.parse().ok()?;
    let found = NUMBERS.iter().find(|(codes, _)| codes.contains(&code));
    found.map(|(_, class)| *class)
}

fn by_phrase(message: &str) -> Option<ErrorClass> {
    let message = message.to_ascii_lowercase();
    let mut known = PHRASES.iter().chain(&aws::PHRASES);
    let found = known.find(|(phrase, _)| message.contains(phrase));
    found.map(|(_, class)| *class)
}

/// Returns whether something was not found, and that something is a model.
fn is_unknown_model(error: &ErrorReading) -> bool {
    let missing = error.status == Some(404) || error.kind.as_deref() == Some("not_found_error");
    let message = error.message.as_deref().unwrap_or_default();
    missing && message.to_ascii_lowercase().contains("model")
}

fn by_status(status: u16) -> ErrorClass {
    match status {
        401 | 403 => ErrorClass::Authentication,
        402 => ErrorClass::Quota,
        408 | 504 => ErrorClass::Timeout,
        429 => ErrorClass::RateLimit,
        503 | 529 => ErrorClass::Overloaded,
        // Bedrock's model failed.
        424 | 500.. => ErrorClass::ServerError,
        _ => ErrorClass::BadRequest,
    }
}
