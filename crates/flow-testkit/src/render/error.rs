//! Errors in each provider's shape.

use serde_json::{Value, json};

use super::{Event, Kind, cohere, google, pretty, responses};
use crate::reply::Reply;
use crate::target::{Api, Provider};

/// Returns the body of an error.
pub(crate) fn error_body(api: Api, status: u16, message: &str, request_id: &str) -> String {
    match api.provider() {
        Provider::OpenAi => pretty(&openai(status, message)),
        Provider::Anthropic => anthropic(status, message, request_id).to_string(),
        Provider::Google => pretty(&gemini(status, message)),
        Provider::Ollama => json!({"error": message}).to_string(),
        Provider::Cohere => json!({"id": request_id, "message": message}).to_string(),
        Provider::Bedrock => json!({"message": message}).to_string(),
        Provider::Kiro => json!({"message": message, "reason": kiro_reason(status)}).to_string(),
    }
}

/// Returns the events that tell of an error inside a stream, after so many others.
pub(crate) fn error_events(api: Api, reply: &Reply, after: usize, request_id: &str) -> Vec<Event> {
    let message = error_message(api, 500);
    if api == Api::Responses {
        return responses::failed(reply, after, "server_error", message);
    }
    let event = match api.provider() {
        Provider::OpenAi => Event::new(None, openai(500, message).to_string()),
        Provider::Anthropic => {
            let error = anthropic(529, "Overloaded", request_id);
            Event::new(Some("error"), error.to_string())
        }
        Provider::Google => Event::new(None, google(&gemini(500, message))),
        Provider::Ollama => Event::new(None, json!({"error": message}).to_string()),
        Provider::Cohere => cohere::failed(message),
        Provider::Bedrock => thrown("modelStreamErrorException", &json!({"message": message})),
        Provider::Kiro => {
            let error = json!({"message": error_message(api, 429), "reason": kiro_reason(429)});
            thrown(exception(429), &error)
        }
    };
    vec![event]
}

fn thrown(kind: &'static str, error: &Value) -> Event {
    Event {
        kind: Kind::Exception,
        ..Event::new(Some(kind), error.to_string())
    }
}

/// Returns the name of the exception that AWS gives with a status.
pub(crate) const fn exception(status: u16) -> &'static str {
    match status {
        401 | 403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        500.. => "InternalServerException",
        _ => "ValidationException",
    }
}

/// Returns what a provider says with a status.
pub(crate) const fn error_message(api: Api, status: u16) -> &'static str {
    match api.provider() {
        Provider::OpenAi => openai_message(status),
        Provider::Anthropic => anthropic_message(status),
        Provider::Google => gemini_message(status),
        Provider::Ollama => ollama_message(status),
        Provider::Cohere => cohere_message(status),
        Provider::Bedrock | Provider::Kiro => aws_message(status),
    }
}

const NOT_UNDERSTOOD: &str = "The request was not understood.";

const fn openai_message(status: u16) -> &'static str {
    match status {
        401 => {
            "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys."
        }
        404 => "The model does not exist or you do not have access to it.",
        429 => {
            "Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 2s."
        }
        503 => "The engine is currently overloaded, please try again later.",
        500.. => "The server had an error while processing your request. Sorry about that!",
        _ => NOT_UNDERSTOOD,
    }
}

const fn anthropic_message(status: u16) -> &'static str {
    match status {
        401 => "invalid x-api-key",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => "model: this model does not exist",
        413 => "Request exceeds the maximum size",
        429 => {
            "This request would exceed your organization's rate limit of 50 requests per minute."
        }
        529 => "Overloaded",
        500.. => "Internal server error",
        _ => NOT_UNDERSTOOD,
    }
}

const fn gemini_message(status: u16) -> &'static str {
    match status {
        401 => "Request had invalid authentication credentials.",
        403 => "Method doesn't allow unregistered callers. Please use API Key.",
        404 => {
            "The model is not found for this API version, or is not supported for generateContent."
        }
        429 => "Resource exhausted. Please try again later.",
        503 => "The model is overloaded. Please try again later.",
        500.. => "An internal error has occurred. Please retry.",
        _ => NOT_UNDERSTOOD,
    }
}

const fn ollama_message(status: u16) -> &'static str {
    match status {
        401 => "unauthorized",
        404 => "model not found, try pulling it first",
        503 => "server busy, please try again.  maximum pending requests exceeded",
        500.. => "an error was encountered while running the model",
        _ => "invalid request",
    }
}

const fn cohere_message(status: u16) -> &'static str {
    match status {
        401 => "invalid api token",
        404 => {
            "model not found, make sure the correct model ID was used and that you have access to the model."
        }
        429 => "You are past the per minute request limit, please wait and try again later.",
        500.. => "internal server error, this has been reported to our developers",
        _ => "invalid request: the request was not understood",
    }
}

const fn aws_message(status: u16) -> &'static str {
    match status {
        401 | 403 => "The security token included in the request is invalid.",
        404 => "The provided model identifier is invalid.",
        429 => "Too many requests, please wait before trying again.",
        503 => "The service is unable to process your request. Please try again.",
        500.. => {
            "The system encountered an unexpected error during processing. Try your request again."
        }
        _ => "Improperly formed request.",
    }
}

const fn kiro_reason(status: u16) -> &'static str {
    match status {
        429 => "INSUFFICIENT_MODEL_CAPACITY",
        404 => "INVALID_MODEL_ID",
        400 => "REQUEST_BODY_INVALID",
        _ => "UNKNOWN",
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
