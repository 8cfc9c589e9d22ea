//! How providers refuse: the body of an error, and what a reading makes of it.

use flow_model::ErrorClass;

use crate::text::Author;
use crate::wire::{Piece, Wire, put_json};

/// An error that a provider answers with.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) class: ErrorClass,
    pub(crate) message: String,
    pub(crate) body: String,
}

/// Returns one of the errors of a dialect.
pub(crate) fn draw(wire: Wire, model: &str, author: &mut Author<'_>) -> Refusal {
    let kind = author.random.below(10);
    let number = author.random.between(200_001, 900_000).to_string();
    let (status, class, word, message) = match (wire, kind) {
        (_, 0) => (
            400,
            ErrorClass::BadRequest,
            "invalid_request_error",
            ["messages.", &number, ": the value is not allowed here"].concat(),
        ),
        (Wire::Anthropic, 1) => (
            400,
            ErrorClass::ContextTooLong,
            "invalid_request_error",
            ["prompt is too long: ", &number, " tokens > 200000 maximum"].concat(),
        ),
        (Wire::Anthropic, 2..=6) => (
            529,
            ErrorClass::Overloaded,
            "overloaded_error",
            "Overloaded".to_owned(),
        ),
        (Wire::Gemini, 2..=6) => (
            503,
            ErrorClass::Overloaded,
            "UNAVAILABLE",
            "The model is overloaded. Please try again later.".to_owned(),
        ),
        (_, 7) => (
            500,
            ErrorClass::ServerError,
            "server_error",
            ["The server had an error. Reference ", &number, "."].concat(),
        ),
        _ => (
            429,
            ErrorClass::RateLimit,
            "rate_limit_error",
            [
                "Rate limit reached for ",
                model,
                ": limit 200000, used ",
                &number,
                ".",
            ]
            .concat(),
        ),
    };
    Refusal {
        body: body(wire, status, word, &message),
        status,
        class,
        message,
    }
}

fn body(wire: Wire, status: u16, word: &str, message: &str) -> String {
    let mut out = String::with_capacity(message.len() + 120);
    let (before, between, after) = match wire {
        Wire::Anthropic => (
            r#"{"type":"error","error":{"type":"#,
            r#","message":"#,
            "}}",
        ),
        Wire::Responses | Wire::Chat => (
            r#"{"error":{"type":"#,
            r#","message":"#,
            r#","param":null,"code":null}}"#,
        ),
        Wire::Gemini => (r#"{"error":{"status":"#, r#","message":"#, ""),
    };
    put_json(
        &mut out,
        &[
            Piece::Raw(before),
            Piece::Text(word),
            Piece::Raw(between),
            Piece::Text(message),
            Piece::Raw(after),
        ],
    );
    if wire == Wire::Gemini {
        put_json(
            &mut out,
            &[
                Piece::Raw(r#","code":"#),
                Piece::Number(u64::from(status)),
                Piece::Raw("}}"),
            ],
        );
    }
    out
}
