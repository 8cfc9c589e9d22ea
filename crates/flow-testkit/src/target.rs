//! What a request is addressed to: whose manner the answer follows, and what is wanted.
//!
//! | path ends with | answered as |
//! | --- | --- |
//! | `/chat/completions`, `/responses`, `/completions` | `OpenAI` |
//! | `/messages`, `/messages/count_tokens` | Anthropic |
//! | `/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens` | Gemini |
//! | `/models/{model}:embedContent`, `:batchEmbedContents` | Gemini |
//! | `/api/chat`, `/api/generate` | Ollama |
//! | `/v2/chat` | Cohere |
//! | `/model/{model}/converse`, `/converse-stream` | Bedrock |
//! | `/generateAssistantResponse`, or `x-amz-target` with that operation | Kiro |
//! | `/embeddings`, `/models` | `OpenAI`; the list of models as Anthropic or Gemini where headers or path say so |
//!
//! Whatever stands before is ignored, so that a proxy may put its own prefix there.

use http::HeaderMap;
use serde::Serialize;

/// Whose manner is spoken, and in which of their dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `OpenAI` chat completions.
    OpenAi,
    /// `OpenAI` responses.
    Responses,
    /// `OpenAI` completions, the older ones without messages.
    Completions,
    /// Anthropic messages.
    Anthropic,
    /// Gemini generateContent.
    Gemini,
    /// Ollama chat.
    Ollama,
    /// Ollama generate.
    OllamaGenerate,
    /// Cohere chat, version 2.
    Cohere,
    /// Bedrock Converse.
    Converse,
    /// Kiro, which is `CodeWhisperer`'s generateAssistantResponse.
    Kiro,
}

/// Who serves a dialect: what the headers, errors and ids of all of their dialects share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    OpenAi,
    Anthropic,
    Google,
    Ollama,
    Cohere,
    Bedrock,
    Kiro,
}

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An answer; the body names the model and says whether to stream.
    Chat(Api),
    /// An answer; the path says both.
    ChatAt {
        api: Api,
        model: String,
        framing: Framing,
    },
    CountTokens(Api),
    Embed(Embed),
    Models(Api),
    Unknown(Api),
}

/// In which form embeddings are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embed {
    OpenAi,
    Gemini,
    GeminiBatch,
}

/// How the events of an answer follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Whole,
    Sse,
    JsonArray,
    /// One JSON text a line.
    Lines,
    /// The binary frames of AWS.
    EventStream,
}

// === impl Api ===

impl Api {
    pub(crate) const fn provider(self) -> Provider {
        match self {
            Self::OpenAi | Self::Responses | Self::Completions => Provider::OpenAi,
            Self::Anthropic => Provider::Anthropic,
            Self::Gemini => Provider::Google,
            Self::Ollama | Self::OllamaGenerate => Provider::Ollama,
            Self::Cohere => Provider::Cohere,
            Self::Converse => Provider::Bedrock,
            Self::Kiro => Provider::Kiro,
        }
    }

    /// Returns whether a request streams that does not say so.
    pub(crate) const fn streams_unasked(self) -> bool {
        matches!(self, Self::Ollama | Self::OllamaGenerate | Self::Kiro)
    }

    /// Returns the framing of a stream.
    pub(crate) const fn framing(self) -> Framing {
        match self.provider() {
            Provider::OpenAi | Provider::Anthropic | Provider::Google | Provider::Cohere => {
                Framing::Sse
            }
            Provider::Ollama => Framing::Lines,
            Provider::Bedrock | Provider::Kiro => Framing::EventStream,
        }
    }
}

// === impl Target ===

impl Target {
    /// Returns what a request asks for, from its path and query and its headers.
    pub(crate) fn of(target: &str, headers: &HeaderMap) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        if let Some((_, rest)) = path.rsplit_once("/models/")
            && let Some((model, method)) = rest.rsplit_once(':')
        {
            return Self::gemini(model, method, query);
        }
        if let Some((_, rest)) = path.split_once("/model/")
            && let Some((model, method)) = rest.rsplit_once('/')
        {
            return Self::bedrock(model, method);
        }
        let operation = headers.get("x-amz-target").map(http::HeaderValue::as_bytes);
        if operation.is_some_and(|name| name.ends_with(b".GenerateAssistantResponse")) {
            return Self::Chat(Api::Kiro);
        }
        Self::named(&path, caller(headers))
    }

    fn named(path: &str, caller: Api) -> Self {
        const CHATS: [(&str, Api); 8] = [
            ("/chat/completions", Api::OpenAi),
            ("/responses", Api::Responses),
            ("/completions", Api::Completions),
            ("/messages", Api::Anthropic),
            ("/api/chat", Api::Ollama),
            ("/api/generate", Api::OllamaGenerate),
            ("/v2/chat", Api::Cohere),
            ("/generateAssistantResponse", Api::Kiro),
        ];
        if let Some((_, api)) = CHATS.iter().find(|(end, _)| path.ends_with(end)) {
            Self::Chat(*api)
        } else if path.ends_with("/messages/count_tokens") {
            Self::CountTokens(Api::Anthropic)
        } else if path.ends_with("/embeddings") {
            Self::Embed(Embed::OpenAi)
        } else if path.ends_with("/v1beta/models") {
            Self::Models(Api::Gemini)
        } else if path.ends_with("/models") {
            Self::Models(caller)
        } else if path.contains("/v1beta") {
            Self::Unknown(Api::Gemini)
        } else if path.contains("anthropic") {
            Self::Unknown(Api::Anthropic)
        } else {
            Self::Unknown(caller)
        }
    }

    fn gemini(model: &str, method: &str, query: &str) -> Self {
        let framing = match method {
            "generateContent" => Framing::Whole,
            "streamGenerateContent" if query.split('&').any(|pair| pair == "alt=sse") => {
                Framing::Sse
            }
            "streamGenerateContent" => Framing::JsonArray,
            "countTokens" => return Self::CountTokens(Api::Gemini),
            "embedContent" => return Self::Embed(Embed::Gemini),
            "batchEmbedContents" => return Self::Embed(Embed::GeminiBatch),
            _ => return Self::Unknown(Api::Gemini),
        };
        Self::ChatAt {
            api: Api::Gemini,
            model: model.to_owned(),
            framing,
        }
    }

    fn bedrock(model: &str, method: &str) -> Self {
        let framing = match method {
            "converse" => Framing::Whole,
            "converse-stream" => Framing::EventStream,
            _ => return Self::Unknown(Api::Converse),
        };
        Self::ChatAt {
            api: Api::Converse,
            model: model.to_owned(),
            framing,
        }
    }

    /// Returns whose manner the answer follows.
    pub(crate) const fn api(&self) -> Api {
        match self {
            Self::Chat(api)
            | Self::ChatAt { api, .. }
            | Self::CountTokens(api)
            | Self::Models(api)
            | Self::Unknown(api) => *api,
            Self::Embed(Embed::OpenAi) => Api::OpenAi,
            Self::Embed(Embed::Gemini | Embed::GeminiBatch) => Api::Gemini,
        }
    }
}

/// Returns whose client a request comes from, for the paths that `OpenAI`, Anthropic and Gemini share.
fn caller(headers: &HeaderMap) -> Api {
    if headers.contains_key("anthropic-version") {
        Api::Anthropic
    } else if headers.contains_key("x-goog-api-key") {
        Api::Gemini
    } else {
        Api::OpenAi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields.iter().map(|(name, value)| {
            let name = http::HeaderName::from_static(name);
            (name, http::HeaderValue::from_static(value))
        });
        fields.collect()
    }

    #[test]
    fn paths_say_what_is_asked() {
        let check = |path: &str, expect: Target| {
            assert_eq!(Target::of(path, &HeaderMap::new()), expect, "{path}");
        };
        check("/v1/chat/completions", Target::Chat(Api::OpenAi));
        check("/openai/v1/chat/completions?x=1", Target::Chat(Api::OpenAi));
        check("/v1/responses", Target::Chat(Api::Responses));
        check("/v1/completions", Target::Chat(Api::Completions));
        check("/v1/messages?beta=true", Target::Chat(Api::Anthropic));
        check("/api/chat", Target::Chat(Api::Ollama));
        check("/api/generate", Target::Chat(Api::OllamaGenerate));
        check("/cohere/v2/chat", Target::Chat(Api::Cohere));
        check("/generateAssistantResponse", Target::Chat(Api::Kiro));
        check(
            "/v1/messages/count_tokens",
            Target::CountTokens(Api::Anthropic),
        );
        check("/v1/embeddings", Target::Embed(Embed::OpenAi));
        check("/v1/models/m:embedContent", Target::Embed(Embed::Gemini));
        check(
            "/v1beta/models/m:batchEmbedContents",
            Target::Embed(Embed::GeminiBatch),
        );
        check("/v1/models", Target::Models(Api::OpenAi));
        check("/v1beta/models", Target::Models(Api::Gemini));
        check(
            "/v1beta/models/m:countTokens",
            Target::CountTokens(Api::Gemini),
        );
        check("/v1beta/models/m:fly", Target::Unknown(Api::Gemini));
        check("/v1/responses/resp_1", Target::Unknown(Api::OpenAi));
        check("/api/hello", Target::Unknown(Api::OpenAi));
        check("/anthropic/v1/batches", Target::Unknown(Api::Anthropic));
        check("/model/m/invoke", Target::Unknown(Api::Converse));
    }

    #[test]
    fn a_path_may_name_the_model_and_the_framing() {
        let check = |path: &str, api: Api, model: &str, framing: Framing| {
            let expect = Target::ChatAt {
                api,
                model: model.into(),
                framing,
            };
            assert_eq!(Target::of(path, &HeaderMap::new()), expect, "{path}");
        };
        let gemini = Api::Gemini;
        check(
            "/v1/models/a-b:generateContent",
            gemini,
            "a-b",
            Framing::Whole,
        );
        check(
            "/gemini/v1beta/models/a-b:streamGenerateContent?alt=sse",
            gemini,
            "a-b",
            Framing::Sse,
        );
        check(
            "/v1beta/models/a-b%3AstreamGenerateContent",
            gemini,
            "a-b",
            Framing::JsonArray,
        );
        check("/model/a:0/converse", Api::Converse, "a:0", Framing::Whole);
        let arn = "arn:aws:bedrock:x:1:inference-profile/us.a-v2:0";
        let path =
            "/model/arn%3Aaws%3Abedrock%3Ax%3A1%3Ainference-profile%2Fus.a-v2%3A0/converse-stream";
        check(path, Api::Converse, arn, Framing::EventStream);
    }

    #[test]
    fn headers_tell_apart_what_shares_a_path() {
        let check = |path: &str, fields: &[(&'static str, &'static str)], expect: Target| {
            assert_eq!(Target::of(path, &headers(fields)), expect, "{path}");
        };
        let version = [("anthropic-version", "2023-06-01")];
        check("/v1/models", &version, Target::Models(Api::Anthropic));
        check("/api/hello", &version, Target::Unknown(Api::Anthropic));
        let key = [("x-goog-api-key", "x")];
        check("/v1/models", &key, Target::Models(Api::Gemini));
        let operation = "AmazonCodeWhispererStreamingService.GenerateAssistantResponse";
        check("/", &[("x-amz-target", operation)], Target::Chat(Api::Kiro));
        check(
            "/",
            &[("x-amz-target", "X.Other")],
            Target::Unknown(Api::OpenAi),
        );
    }
}
