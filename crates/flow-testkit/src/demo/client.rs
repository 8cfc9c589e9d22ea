//! The programs that the agents are: their paths and header fields, as measured on their newest versions.
//!
//! | client | marks |
//! | --- | --- |
//! | Claude Code | `x-app: cli`, session in `x-claude-code-session-id` and in `metadata.user_id`, all codings |
//! | `OpenAI` Python | `x-stainless-*`, bearer key |
//! | Anthropic Python | `x-stainless-*`, bearer key, `anthropic-version: 2026-10-21` |
//! | Gemini CLI | `x-goog-api-client`, `x-goog-api-key` |

use crate::target::Api;

/// A program that talks to providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    ClaudeCode,
    OpenAiPython,
    AnthropicPython,
    GeminiCli,
}

/// One run of a client.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// The user's first words, with what tells this run from others.
    pub(super) opening: String,
}

impl Client {
    pub(super) const fn api(self) -> Api {
        match self {
            Self::ClaudeCode | Self::AnthropicPython => Api::Anthropic,
            Self::OpenAiPython => Api::OpenAi,
            Self::GeminiCli => Api::Gemini,
        }
    }

    /// Returns the request target at the proxy.
    pub(super) fn target(self, model: &str, stream: bool) -> String {
        match self {
            Self::ClaudeCode => "/anthropic/v1/messages?beta=true".into(),
            Self::AnthropicPython => "/anthropic/v1/messages".into(),
            Self::OpenAiPython => "/openai/v1/chat/completions".into(),
            Self::GeminiCli if stream => {
                format!("/gemini/v1beta/models/{model}:streamGenerateContent?alt=sse")
            }
            Self::GeminiCli => format!("/gemini/v1beta/models/{model}:generateContent"),
        }
    }

    /// Returns the header fields of a request.
    pub(super) fn headers(self, session: &Session, attempt: usize) -> Vec<(&'static str, String)> {
        let mut headers: Vec<(&'static str, String)> = self
            .fixed()
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        if self != Self::GeminiCli {
            headers.push(("x-stainless-retry-count", attempt.to_string()));
        }
        if self == Self::ClaudeCode {
            headers.push(("x-claude-code-session-id", session.id.clone()));
        }
        headers
    }

    const fn fixed(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::ClaudeCode => &[
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("user-agent", "claude-cli/2.1.329 (external, cli)"),
                ("x-app", "cli"),
                ("x-api-key", "demo-key-of-no-value-claude-code"),
                ("anthropic-version", "2023-06-01"),
                (
                    "anthropic-beta",
                    "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
                ),
                ("anthropic-dangerous-direct-browser-access", "true"),
                ("x-stainless-arch", "x64"),
                ("x-stainless-lang", "js"),
                ("x-stainless-os", "Linux"),
                ("x-stainless-package-version", "0.128.0"),
                ("x-stainless-runtime", "node"),
                ("x-stainless-runtime-version", "v24.3.0"),
                ("x-stainless-timeout", "600"),
                ("accept-encoding", "gzip, deflate, br, zstd"),
            ],
            Self::OpenAiPython => &[
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("user-agent", "OpenAI/Python 3.52.0"),
                ("authorization", "Bearer demo-key-of-no-value-openai"),
                ("x-stainless-arch", "x64"),
                ("x-stainless-async", "false"),
                ("x-stainless-lang", "python"),
                ("x-stainless-os", "Linux"),
                ("x-stainless-package-version", "3.52.0"),
                ("x-stainless-read-timeout", "600"),
                ("x-stainless-runtime", "CPython"),
                ("x-stainless-runtime-version", "3.12.11"),
                ("accept-encoding", "gzip, deflate"),
            ],
            Self::AnthropicPython => &[
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("user-agent", "Anthropic/Python 2.11.0"),
                ("authorization", "Bearer demo-key-of-no-value-anthropic"),
                ("anthropic-version", "2026-10-21"),
                ("x-stainless-arch", "x64"),
                ("x-stainless-async", "false"),
                ("x-stainless-helper-method", "stream"),
                ("x-stainless-lang", "python"),
                ("x-stainless-os", "Linux"),
                ("x-stainless-package-version", "2.11.0"),
                ("x-stainless-runtime", "CPython"),
                ("x-stainless-runtime-version", "3.12.11"),
                ("x-stainless-timeout", "NOT_GIVEN"),
                ("accept-encoding", "gzip, deflate"),
            ],
            Self::GeminiCli => &[
                ("accept", "*/*"),
                ("content-type", "application/json"),
                (
                    "user-agent",
                    "GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)",
                ),
                (
                    "x-goog-api-client",
                    "google-genai-sdk/1.30.0 gl-node/v24.21.0",
                ),
                ("x-goog-api-key", "demo-key-of-no-value-gemini"),
                ("accept-encoding", "gzip, deflate"),
            ],
        }
    }
}
