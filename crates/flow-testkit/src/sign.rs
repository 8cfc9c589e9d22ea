//! The header fields that a provider sends with everything, and the ids that it gives to requests.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::digest::Ids;
use crate::target::{Api, Provider};

/// Returns the id that a provider gives to a request.
pub(crate) fn request_id(api: Api, request: u64) -> String {
    let ids = Ids::new("request");
    let label = request.to_string();
    match api.provider() {
        Provider::OpenAi => format!("req_{}", ids.hex(&label, 32)),
        Provider::Anthropic | Provider::Google | Provider::Ollama => {
            format!("req_011C{}", ids.letters(&label, 20))
        }
        Provider::Cohere | Provider::Bedrock | Provider::Kiro => ids.uuid(&label),
    }
}

/// Adds the header fields that a provider sends with everything.
pub(crate) fn sign(headers: &mut HeaderMap, api: Api, request: u64) {
    let id = request_id(api, request);
    match api.provider() {
        Provider::OpenAi => openai(headers, &id, request),
        Provider::Anthropic => anthropic(headers, &id, request),
        Provider::Google => google(headers, request),
        Provider::Ollama => {}
        Provider::Cohere => {
            put(headers, "x-debug-trace-id", &id.replace('-', ""));
            put(headers, "access-control-expose-headers", "X-Debug-Trace-ID");
            put(headers, "server", "envoy");
            put(headers, "via", "1.1 google");
        }
        Provider::Bedrock | Provider::Kiro => put(headers, "x-amzn-requestid", &id),
    }
}

fn openai(headers: &mut HeaderMap, id: &str, request: u64) {
    put(headers, "x-request-id", id);
    for (name, value) in [
        ("openai-organization", "example-org"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-limit-tokens", "800000"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-reset-tokens", "74ms"),
        ("x-content-type-options", "nosniff"),
    ] {
        put(headers, name, value);
    }
    for (name, value) in [
        ("openai-processing-ms", 180 + request % 700),
        ("x-ratelimit-remaining-requests", 4999 - request % 40),
        ("x-ratelimit-remaining-tokens", 799_000 - request % 997 * 31),
    ] {
        put(headers, name, &value.to_string());
    }
    cloudflare(headers, id);
}

fn anthropic(headers: &mut HeaderMap, id: &str, request: u64) {
    put(headers, "request-id", id);
    for (name, value) in [
        (
            "anthropic-organization-id",
            "00000000-0000-4000-8000-000000000000",
        ),
        ("anthropic-ratelimit-requests-limit", "4000"),
        ("anthropic-ratelimit-input-tokens-limit", "2000000"),
        ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ] {
        put(headers, name, value);
    }
    let thousands = request % 97 * 1000;
    for (name, value) in [
        (
            "anthropic-ratelimit-requests-remaining",
            3999 - request % 40,
        ),
        (
            "anthropic-ratelimit-input-tokens-remaining",
            1_999_000 - thousands,
        ),
        (
            "anthropic-ratelimit-output-tokens-remaining",
            399_000 - thousands,
        ),
    ] {
        put(headers, name, &value.to_string());
    }
    cloudflare(headers, id);
}

fn google(headers: &mut HeaderMap, request: u64) {
    let timing = format!("gfet4t7; dur={}", 240 + request % 900);
    put(headers, "server", "scaffolding on HTTPServer2");
    put(headers, "server-timing", &timing);
    put(headers, "x-content-type-options", "nosniff");
    put(headers, "x-frame-options", "SAMEORIGIN");
    put(headers, "x-xss-protection", "0");
    for field in ["Origin", "X-Origin", "Referer"] {
        headers.append(header::VARY, HeaderValue::from_static(field));
    }
}

fn cloudflare(headers: &mut HeaderMap, id: &str) {
    let ray = format!("{}-FRA", Ids::new("provider").hex(id, 16));
    put(headers, "cf-cache-status", "DYNAMIC");
    put(headers, "cf-ray", &ray);
    put(headers, "server", "cloudflare");
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_names_the_request() {
        let check = |api: Api, name: &str| {
            let mut headers = HeaderMap::new();
            sign(&mut headers, api, 7);
            let id = request_id(api, 7);
            assert_eq!(
                headers.get(name).map(HeaderValue::as_bytes),
                Some(id.as_bytes())
            );
            assert_ne!(id, request_id(api, 8));
        };
        check(Api::Responses, "x-request-id");
        check(Api::Anthropic, "request-id");
        check(Api::Converse, "x-amzn-requestid");
        check(Api::Kiro, "x-amzn-requestid");
    }
}
