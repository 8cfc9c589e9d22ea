//! Who calls whom: providers with their models, and programs with their headers.
//!
//! The facts are those of the wire in late 2026; credentials stand as the fingerprints that the relay leaves.

use flow_model::{Client, Header, Software};

use crate::wire::Wire;

/// A program that calls models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sender {
    #[default]
    AnthropicPython,
    OpenaiPython,
    OpenaiJs,
    GenaiPython,
    ClaudeCode,
    Codex,
    Opencode,
    GeminiCli,
}

/// A model, as it is asked for and as it answers.
pub(crate) type Model = (&'static str, &'static str);

/// A provider and what calls it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Source {
    pub(crate) wire: Wire,
    /// Name of the upstream, and who serves it.
    pub(crate) provider: &'static str,
    pub(crate) host: &'static str,
    /// The path; of Gemini, what stands in front of the model.
    path: &'static str,
    pub(crate) sender: Sender,
    pub(crate) models: &'static [Model],
}

/// Calls on their own come from these.
pub(crate) const SINGLES: [Source; 7] = [
    Source {
        wire: Wire::Chat,
        provider: "openai",
        host: "api.openai.com",
        path: "/v1/chat/completions",
        sender: Sender::OpenaiPython,
        models: &[
            ("gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
            ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
            ("gpt-5-mini", "gpt-5-mini-2025-08-07"),
        ],
    },
    Source {
        wire: Wire::Anthropic,
        provider: "anthropic",
        host: "api.anthropic.com",
        path: "/v1/messages",
        sender: Sender::AnthropicPython,
        models: &[
            ("claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"),
            ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
        ],
    },
    Source {
        wire: Wire::Gemini,
        provider: "gemini",
        host: "generativelanguage.googleapis.com",
        path: "/v1beta/models/",
        sender: Sender::GenaiPython,
        models: &[
            ("gemini-2.5-flash", "gemini-2.5-flash"),
            ("gemini-2.5-flash-lite", "gemini-2.5-flash-lite"),
        ],
    },
    Source {
        wire: Wire::Chat,
        provider: "deepseek",
        host: "api.deepseek.com",
        path: "/chat/completions",
        sender: Sender::OpenaiJs,
        models: &[("deepseek-chat", "deepseek-chat")],
    },
    Source {
        wire: Wire::Responses,
        provider: "openai",
        host: "api.openai.com",
        path: "/v1/responses",
        sender: Sender::OpenaiPython,
        models: &[
            ("gpt-5.1", "gpt-5.1-2025-11-13"),
            ("gpt-4.1", "gpt-4.1-2025-04-14"),
        ],
    },
    Source {
        wire: Wire::Chat,
        provider: "mistral",
        host: "api.mistral.ai",
        path: "/v1/chat/completions",
        sender: Sender::OpenaiPython,
        models: &[("mistral-small-latest", "mistral-small-latest")],
    },
    Source {
        wire: Wire::Chat,
        provider: "openrouter",
        host: "openrouter.ai",
        path: "/api/v1/chat/completions",
        sender: Sender::OpenaiJs,
        models: &[
            ("google/gemini-2.5-pro", "google/gemini-2.5-pro"),
            ("deepseek/deepseek-chat-v3.1", "deepseek/deepseek-chat-v3.1"),
        ],
    },
];

/// Agents, each with what it calls.
pub(crate) const AGENTS: [Source; 4] = [
    Source {
        wire: Wire::Anthropic,
        provider: "anthropic",
        host: "api.anthropic.com",
        path: "/v1/messages?beta=true",
        sender: Sender::ClaudeCode,
        models: &[
            ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
            ("claude-opus-4-5-20251101", "claude-opus-4-5-20251101"),
        ],
    },
    Source {
        wire: Wire::Responses,
        provider: "openai",
        host: "api.openai.com",
        path: "/v1/responses",
        sender: Sender::Codex,
        models: &[
            ("gpt-5.1-codex", "gpt-5.1-codex"),
            ("gpt-5.1", "gpt-5.1-2025-11-13"),
        ],
    },
    Source {
        wire: Wire::Chat,
        provider: "deepseek",
        host: "api.deepseek.com",
        path: "/chat/completions",
        sender: Sender::Opencode,
        models: &[("deepseek-chat", "deepseek-chat")],
    },
    Source {
        wire: Wire::Gemini,
        provider: "gemini",
        host: "generativelanguage.googleapis.com",
        path: "/v1beta/models/",
        sender: Sender::GeminiCli,
        models: &[
            ("gemini-2.5-pro", "gemini-2.5-pro"),
            ("gemini-2.5-flash", "gemini-2.5-flash"),
        ],
    },
];

// === impl Source ===

impl Source {
    /// Returns the path with its query.
    pub(crate) fn path(&self, model: &str, stream: bool) -> String {
        match (self.wire, stream) {
            (Wire::Gemini, true) => [self.path, model, ":streamGenerateContent?alt=sse"].concat(),
            (Wire::Gemini, false) => [self.path, model, ":generateContent"].concat(),
            _ => self.path.to_owned(),
        }
    }
}

// === impl Sender ===

impl Sender {
    /// Returns what a reading says of the program.
    pub(crate) fn client(self, session: Option<&str>, attempt: u64) -> Client {
        let software = |name: &str, version: &str| {
            Some(Software {
                name: name.to_owned(),
                version: (!version.is_empty()).then(|| version.to_owned()),
            })
        };
        let (agent, sdk, counts) = match self {
            Self::AnthropicPython => (None, software("anthropic-python", "0.71.0"), true),
            Self::OpenaiPython => (None, software("openai-python", "2.7.1"), true),
            Self::OpenaiJs => (None, software("openai-js", "5.12.2"), true),
            Self::GenaiPython => (None, software("google-genai-python", "1.40.0"), false),
            Self::ClaudeCode => (
                software("claude-code", "2.1.329"),
                software("anthropic-js", "0.128.0"),
                true,
            ),
            Self::Codex => (software("codex", "0.169.0"), None, false),
            Self::Opencode => (
                software("opencode", "1.18.33"),
                software("ai-sdk", ""),
                false,
            ),
            Self::GeminiCli => (
                software("gemini-cli", "0.61.0"),
                software("google-genai-js", "1.30.0"),
                false,
            ),
        };
        Client {
            agent,
            sdk,
            session: session.map(str::to_owned),
            attempt: counts.then_some(attempt),
            ..Client::default()
        }
    }

    /// Returns the headers that the program sends, in its order.
    pub(crate) fn headers(
        self,
        host: &str,
        length: usize,
        session: Option<&str>,
        attempt: u64,
    ) -> Vec<Header> {
        let mut headers = Vec::with_capacity(20);
        let mut add = |name: &str, value: &str| headers.push(header(name, value));
        add("Host", host);
        let retries = [b'0' + u8::try_from(attempt.saturating_sub(1) % 10).unwrap_or(0)];
        let retries = std::str::from_utf8(&retries).unwrap_or("0");
        for (name, value) in self.own() {
            add(name, value);
        }
        match self {
            Self::AnthropicPython | Self::OpenaiPython | Self::OpenaiJs | Self::ClaudeCode => {
                add("x-stainless-retry-count", retries);
            }
            Self::GenaiPython | Self::Codex | Self::Opencode | Self::GeminiCli => {}
        }
        if let Some(session) = session {
            match self {
                Self::ClaudeCode => add("X-Claude-Code-Session-Id", session),
                Self::Codex => add("session-id", session),
                Self::Opencode => add("x-session-id", session),
                _ => {}
            }
        }
        add("Content-Type", "application/json");
        add("Content-Length", &length.to_string());
        headers
    }

    /// Returns the headers that are the same in all its requests.
    const fn own(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AnthropicPython => &[
                ("Accept", "application/json"),
                ("Accept-Encoding", "gzip, deflate"),
                ("User-Agent", "Anthropic/Python 0.71.0"),
                ("X-Stainless-Lang", "python"),
                ("X-Stainless-Package-Version", "0.71.0"),
                ("X-Stainless-OS", "Linux"),
                ("X-Stainless-Arch", "x64"),
                ("X-Stainless-Runtime", "CPython"),
                ("X-Stainless-Runtime-Version", "3.12.1"),
                ("anthropic-version", "2023-06-01"),
                ("x-api-key", "redacted-kQ3A-5d1f0a9b7c2e"),
            ],
            Self::OpenaiPython => &[
                ("Accept", "application/json"),
                ("Accept-Encoding", "gzip, deflate"),
                ("User-Agent", "OpenAI/Python 2.7.1"),
                ("X-Stainless-Lang", "python"),
                ("X-Stainless-Package-Version", "2.7.1"),
                ("X-Stainless-OS", "Linux"),
                ("X-Stainless-Arch", "x64"),
                ("X-Stainless-Runtime", "CPython"),
                ("X-Stainless-Runtime-Version", "3.12.1"),
                ("X-Stainless-Async", "false"),
                ("x-stainless-read-timeout", "600"),
                ("Authorization", "Bearer redacted-9fXo-0b6e4d2c8a11"),
            ],
            Self::OpenaiJs => &[
                ("Accept", "application/json"),
                ("Accept-Encoding", "gzip, deflate"),
                ("User-Agent", "OpenAI/JS 5.12.2"),
                ("X-Stainless-Lang", "js"),
                ("X-Stainless-Package-Version", "5.12.2"),
                ("X-Stainless-Runtime", "node"),
                ("X-Stainless-Runtime-Version", "v22.21.1"),
                ("Authorization", "Bearer redacted-Zt2m-7a9c1e3f5b08"),
            ],
            Self::GenaiPython => &[
                ("Accept", "*/*"),
                ("Accept-Encoding", "gzip, deflate"),
                ("User-Agent", "google-genai-sdk/1.40.0 gl-python/3.12.1"),
                (
                    "x-goog-api-client",
                    "google-genai-sdk/1.40.0 gl-python/3.12.1",
                ),
                ("x-goog-api-key", "redacted-pL0s-3e5d7c9b1a2f"),
            ],
            Self::ClaudeCode => &[
                ("Accept", "application/json"),
                ("Accept-Encoding", "gzip, deflate, br, zstd"),
                ("User-Agent", "claude-cli/2.1.329 (external, cli)"),
                ("x-app", "cli"),
                ("X-Stainless-Lang", "js"),
                ("X-Stainless-Package-Version", "0.128.0"),
                ("X-Stainless-Runtime", "node"),
                ("X-Stainless-Runtime-Version", "v24.11.0"),
                (
                    "anthropic-beta",
                    "claude-code-20250219,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14",
                ),
                ("anthropic-version", "2023-06-01"),
                ("x-api-key", "redacted-Wd8A-c4e6a8b0d2f1"),
            ],
            Self::Codex => &[
                ("Accept", "text/event-stream"),
                (
                    "User-Agent",
                    "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)",
                ),
                ("originator", "codex_exec"),
                ("Authorization", "Bearer redacted-9fXo-0b6e4d2c8a11"),
            ],
            Self::Opencode => &[
                ("Accept", "*/*"),
                ("Accept-Encoding", "gzip, deflate, br, zstd"),
                (
                    "User-Agent",
                    "opencode/1.18.33 ai-sdk/provider-utils/4.0.40 runtime/bun/1.3.14",
                ),
                ("Authorization", "Bearer redacted-Zt2m-7a9c1e3f5b08"),
            ],
            Self::GeminiCli => &[
                ("Accept", "*/*"),
                ("Accept-Encoding", "gzip, deflate"),
                (
                    "User-Agent",
                    "GeminiCLI-tui/0.61.0/gemini-2.5-pro (linux; x64; terminal)",
                ),
                (
                    "x-goog-api-client",
                    "google-genai-sdk/1.30.0 gl-node/v24.21.0",
                ),
                ("x-goog-api-key", "redacted-pL0s-3e5d7c9b1a2f"),
            ],
        }
    }
}

/// Returns a header field.
pub(crate) fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    }
}
