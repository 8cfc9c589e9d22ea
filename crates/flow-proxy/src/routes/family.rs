//! The family that a request belongs to, told by its path, its method suffix and its headers.

use flow_model::Api;
use http::HeaderMap;

use crate::upstreams::split_segment;

/// Methods behind the colon of Gemini's and Vertex's paths.
const GEMINI_METHODS: [&str; 12] = [
    "asyncBatchEmbedContent",
    "batchEmbedContents",
    "batchGenerateContent",
    "countTokens",
    "embedContent",
    "generateAnswer",
    "generateContent",
    "predict",
    "predictLongRunning",
    "streamGenerateContent",
    "rawPredict",
    "streamRawPredict",
];

/// A family that bare paths are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Openai,
    Anthropic,
    Gemini,
}

impl Family {
    /// Returns the name of the upstream that serves it.
    pub(crate) const fn upstream(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    pub(crate) const fn api(self) -> Api {
        match self {
            Self::Openai => Api::Openai,
            Self::Anthropic => Api::Anthropic,
            Self::Gemini => Api::Gemini,
        }
    }
}

/// Returns the family of a request that names no upstream.
///
/// The prefix tells little: `/v1/models/` is in all three. Anthropic's newer SDKs send a bearer token, so that
/// `anthropic-version` is the mark and not `x-api-key`.
pub(crate) fn bare_family(path: &str, headers: &HeaderMap) -> Family {
    if headers.contains_key("anthropic-version") {
        return Family::Anthropic;
    }
    if has_gemini_method(path) || headers.contains_key("x-goog-api-key") {
        return Family::Gemini;
    }
    let (first, rest) = split_segment(path);
    let (second, _) = split_segment(rest);
    match (first, second) {
        ("v1beta" | "v1alpha", _) => Family::Gemini,
        ("v1", "messages" | "complete") | ("messages" | "complete", _) => Family::Anthropic,
        _ if headers.contains_key("x-api-key") => Family::Anthropic,
        _ => Family::Openai,
    }
}

/// Returns the family whose shape of errors a client at a named upstream expects, where the request tells.
pub(crate) fn told_family(rest: &str, headers: &HeaderMap) -> Option<Api> {
    let is_messages =
        |path: &str| path.ends_with("/messages") || path.ends_with("/messages/count_tokens");
    if headers.contains_key("anthropic-version") || is_messages(rest) {
        return Some(Api::Anthropic);
    }
    if has_gemini_method(rest) || headers.contains_key("x-goog-api-key") {
        return Some(Api::Gemini);
    }
    None
}

fn has_gemini_method(path: &str) -> bool {
    path.rsplit_once(':')
        .is_some_and(|(_, method)| GEMINI_METHODS.contains(&method))
}
