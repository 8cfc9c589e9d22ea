//! Which dialect a request speaks.
//!
//! | last part of the path | dialect |
//! |---|---|
//! | `…/chat/completions` | OpenAI chat |
//! | `…/v1/messages`; `…/messages` with a header `anthropic-version` | Anthropic messages |
//! | `…/publishers/anthropic/models/M:rawPredict`, `:streamRawPredict` | Anthropic messages, at Vertex |
//! | `…/M:generateContent`, `:streamGenerateContent` | Gemini |
//!
//! Anything may stand in front: Azure's deployments, OpenRouter's `/api/v1`, Vertex' projects. The host says
//! nothing, because most hosts speak more than one dialect. Only `POST` asks a model.

use flow_model::{Dialect, Header, exchange};

/// Returns the dialect of a request, from its method, path and headers; none where no codec reads it.
pub fn detect(method: &str, path: &str, headers: &[Header]) -> Option<Dialect> {
    if !method.eq_ignore_ascii_case("POST") {
        return None;
    }
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_end_matches('/');
    if path.ends_with("/chat/completions") {
        return Some(Dialect::OpenaiChat);
    }
    let anthropic = exchange::header(headers, "anthropic-version").is_some();
    if path.ends_with("/v1/messages") || (anthropic && path.ends_with("/messages")) {
        return Some(Dialect::AnthropicMessages);
    }
    let last = path.rsplit('/').next().unwrap_or(path);
    match last.rsplit_once(':')?.1 {
        "generateContent" | "streamGenerateContent" => Some(Dialect::GeminiGenerate),
        "rawPredict" | "streamRawPredict" if path.contains("/publishers/anthropic/") => {
            Some(Dialect::AnthropicMessages)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expect: Option<Dialect>) {
        assert_eq!(detect("POST", path, &[]), expect, "{path}");
    }

    #[test]
    fn knows_openai_chat_under_any_prefix() {
        let chat = Some(Dialect::OpenaiChat);
        check("/v1/chat/completions", chat);
        check("/chat/completions/", chat);
        check("/api/v1/chat/completions", chat);
        check(
            "/openai/deployments/d-1/chat/completions?api-version=2024-10-21",
            chat,
        );
        check("/v1beta/openai/chat/completions#stream", chat);
        check("/v1/completions", None);
        check("/v1/chat/completions/chatcmpl-1", None);
    }

    #[test]
    fn knows_anthropic_messages_but_not_its_neighbours() {
        let messages = Some(Dialect::AnthropicMessages);
        check("/v1/messages", messages);
        check("/v1/messages?beta=true", messages);
        check("/anthropic/v1/messages", messages);
        check("/v1/messages/count_tokens", None);
        check("/v1/messages/batches", None);
        check("/v1/threads/t/messages", None);
        check(
            "/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict",
            messages,
        );
        check("/v1/projects/p/locations/l/endpoints/1:rawPredict", None);
    }

    #[test]
    fn a_header_decides_where_the_path_does_not() {
        let header = Header {
            name: "Anthropic-Version".to_owned(),
            value: "2023-06-01".to_owned(),
            latin1: false,
        };
        let found = detect("POST", "/messages", std::slice::from_ref(&header));
        assert_eq!(found, Some(Dialect::AnthropicMessages));
        assert_eq!(detect("POST", "/v1/models", &[header]), None);
    }

    #[test]
    fn knows_gemini_by_the_method_suffix() {
        let gemini = Some(Dialect::GeminiGenerate);
        check("/v1beta/models/m:generateContent", gemini);
        check("/v1/models/m:streamGenerateContent?alt=sse", gemini);
        check(
            "/v1beta1/projects/p/locations/l/publishers/google/models/m:generateContent",
            gemini,
        );
        check("/v1beta/models/m:countTokens", None);
        check("/v1beta/models/m:batchGenerateContent", None);
        check("/v1beta/models", None);
    }

    #[test]
    fn only_post_asks_a_model() {
        assert_eq!(detect("GET", "/v1/chat/completions", &[]), None);
        assert_eq!(detect("OPTIONS", "/v1/messages", &[]), None);
    }
}
