//! Errors in each provider's shape.

use serde_json::{Value, json};

use super::{Event, google, pretty};
use crate::ask::Api;

/// Returns the body of an error.
pub(crate) fn error_body(api: Api, status: u16, message: &str, request_id: &str) -> String {
    match api {
        Api::OpenAi => pretty(&openai(status, message)),
        Api::Anthropic => anthropic(status, message, request_id).to_string(),
        Api::Gemini => pretty(&gemini(status, message)),
    }
}

/// Returns the event that tells of an error inside a stream.
pub(crate) fn error_event(api: Api, request_id: &str) -> Event {
    let (status, message) = match api {
        Api::Anthropic => (529, "Overloaded"),
        Api::OpenAi | Api::Gemini => (500, error_message(api, 500)),
    };
    match api {
        Api::OpenAi => Event::new(None, openai(status, message).to_string()),
        Api::Anthropic => Event::new(
            Some("error"),
            anthropic(status, message, request_id).to_string(),
        ),
        Api::Gemini => Event::new(None, google(&gemini(status, message))),
    }
}

/// Returns what a provider says with a status.
pub(crate) const fn error_message(api: Api, status: u16) -> &'static str {
    match (api, status) {
        (Api::OpenAi, 401) => {
            "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
        }
        (Api::OpenAi, 404) => "The model does not exist or you do not have access to it.",
        (Api::OpenAi, 429) => {
            "Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 2s."
        }
        (Api::OpenAi, 503) => "The engine is currently overloaded, please try again later.",
        (Api::OpenAi, 500..) => {
            "The server had an error while processing your request. Sorry about that!"
        }
        (Api::Anthropic, 401) => "invalid x-api-key",
        (Api::Anthropic, 403) => {
            "Your API key does not have permission to use the specified resource."
        }
        (Api::Anthropic, 404) => "model: this model does not exist",
        (Api::Anthropic, 413) => "Request exceeds the maximum size",
        (Api::Anthropic, 429) => {
            "This request would exceed your organization's rate limit of 50 requests per minute."
        }
        (Api::Anthropic, 529) => "Overloaded",
        (Api::Anthropic, 500..) => "Internal server error",
        (Api::Gemini, 401) => "Request had invalid authentication credentials.",
        (Api::Gemini, 403) => "Method doesn't allow unregistered callers. Please use API Key.",
        (Api::Gemini, 404) => {
            "The model is not found for this API version, or is not supported for generateContent."
        }
        (Api::Gemini, 429) => "Resource exhausted. Please try again later.",
        (Api::Gemini, 503) => "The model is overloaded. Please try again later.",
        (Api::Gemini, 500..) => "An internal error has occurred. Please retry.",
        (_, _) => "The request was not understood.",
    }
}

fn openai(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Value::from("invalid_api_key")),
        404 => ("invalid_request_error", Value::from("model_not_found")),
        429 => ("requests", Value::from("rate_limit_exceeded")),
        500.. => ("server_error", Value::Null),
        _ => ("invalid_request_error", Value::Null),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

fn anthropic(status: u16, message: &str, request_id: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})
}

fn gemini(status: u16, message: &str) -> Value {
    let word = match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({"error": {"code": status, "message": message, "status": word}})
}
