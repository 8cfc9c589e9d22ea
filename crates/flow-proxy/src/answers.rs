//! What the monitor itself answers, in the shape of errors that the client's dialect has.
//!
//! | family | body |
//! |---|---|
//! | OpenAI, others | `{"error": {"message", "type", "param", "code"}}` |
//! | Anthropic | `{"type": "error", "error": {"type", "message"}}` |
//! | Gemini | `{"error": {"code", "message", "status"}}` |
//! | AWS | `{"message"}` with `x-amzn-errortype` |
//!
//! Every such answer carries `x-flow-monitor-error` with a stable code, so that it cannot be taken for one of
//! the upstream's.

use bytes::Bytes;
use flow_model::Api;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// The header that marks answers of the monitor's own.
pub(crate) const MARK: HeaderName = HeaderName::from_static("x-flow-monitor-error");
const AWS_ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// An error that the monitor answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Stable name of the error.
    pub(crate) code: &'static str,
    /// What happened, to which thing, and what to do; free of credentials.
    pub(crate) message: String,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// Returns the response in the shape of the family.
    pub(crate) fn response(&self, api: Api) -> Response<Bytes> {
        let body = Bytes::from(self.body(api).to_string());
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(MARK, HeaderValue::from_static(self.code));
        if api == Api::Aws {
            headers.insert(AWS_ERROR_TYPE, HeaderValue::from_static(self.aws_type()));
        }
        response
    }

    fn body(&self, api: Api) -> Value {
        let message = self.message.as_str();
        match api {
            Api::Openai | Api::Other => json!({
                "error": {"message": message, "type": self.openai_type(), "param": null, "code": self.code},
            }),
            Api::Anthropic => json!({
                "type": "error",
                "error": {"type": self.anthropic_type(), "message": message},
            }),
            Api::Gemini => json!({
                "error": {"code": self.status.as_u16(), "message": message, "status": self.gemini_status()},
            }),
            Api::Aws => json!({"message": message}),
        }
    }

    fn openai_type(&self) -> &'static str {
        if self.status.is_server_error() {
            "server_error"
        } else {
            "invalid_request_error"
        }
    }

    const fn anthropic_type(&self) -> &'static str {
        match self.status.as_u16() {
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            504 => "timeout_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        }
    }

    const fn gemini_status(&self) -> &'static str {
        match self.status.as_u16() {
            403 | 421 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            426 => "FAILED_PRECONDITION",
            504 => "DEADLINE_EXCEEDED",
            500.. => "UNAVAILABLE",
            _ => "INVALID_ARGUMENT",
        }
    }

    const fn aws_type(&self) -> &'static str {
        match self.status.as_u16() {
            403 | 421 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            500.. => "ServiceUnavailableException",
            _ => "ValidationException",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(api: Api, status: u16, expect: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let response = Answer::new(status, "some_code", "it \"broke\"").response(api);
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[MARK], "some_code");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        let expect: Value = serde_json::from_str(expect).unwrap();
        assert_eq!(body, expect);
    }

    #[test]
    fn each_family_gets_its_shape() {
        let openai = r#"{"error": {"message": "it \"broke\"", "type": "server_error", "param": null,
            "code": "some_code"}}"#;
        check(Api::Openai, 502, openai);
        check(Api::Other, 502, openai);
        let anthropic =
            r#"{"type": "error", "error": {"type": "not_found_error", "message": "it \"broke\""}}"#;
        check(Api::Anthropic, 404, anthropic);
        let gemini =
            r#"{"error": {"code": 504, "message": "it \"broke\"", "status": "DEADLINE_EXCEEDED"}}"#;
        check(Api::Gemini, 504, gemini);
        check(Api::Aws, 403, r#"{"message": "it \"broke\""}"#);
        let aws = Answer::new(StatusCode::FORBIDDEN, "c", "m").response(Api::Aws);
        assert_eq!(aws.headers()[AWS_ERROR_TYPE], "AccessDeniedException");
    }
}
