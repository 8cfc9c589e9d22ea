//! Wire formats and the interfaces that they belong to.

use serde::{Deserialize, Serialize};

/// A wire format that a codec reads. A host may speak a dialect that another vendor invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `POST …/chat/completions`, as OpenAI defines it and many imitate it.
    OpenaiChat,
    /// `…/responses`, as OpenAI defines it.
    OpenaiResponses,
    /// `POST …/responses/input_tokens`: counts a prompt.
    OpenaiInputTokens,
    /// `POST …/completions`, the time before chat.
    OpenaiCompletions,
    /// `POST …/embeddings`.
    OpenaiEmbeddings,
    /// `POST …/images/…`.
    OpenaiImages,
    /// `POST …/audio/…`: transcription, translation, speech.
    OpenaiAudio,
    /// `POST …/moderations`.
    OpenaiModerations,
    /// `GET …/models`: lists of models, in every vendor's shape.
    Models,
    /// `POST …/v1/messages`, as Anthropic defines it.
    AnthropicMessages,
    /// `POST …/v1/messages/count_tokens`.
    AnthropicCountTokens,
    /// `POST …/v1/complete`, the time before messages.
    AnthropicComplete,
    /// `…/v1/messages/batches…`.
    AnthropicBatches,
    /// `POST …:generateContent` and `…:streamGenerateContent`, as Google defines them.
    GeminiGenerate,
    /// `…/interactions`, as Google defines them.
    GeminiInteractions,
    /// `POST …:embedContent` and `…:batchEmbedContents`.
    GeminiEmbed,
    /// `POST …:countTokens`.
    GeminiCountTokens,
    /// `POST …:predict`: Vertex' embeddings and images.
    GeminiPredict,
    /// `POST …/model/M/invoke` and `…/invoke-with-response-stream`: a model's own shape.
    BedrockInvoke,
    /// `POST …/model/M/converse` and `…/converse-stream`.
    BedrockConverse,
    /// `POST …/model/M/count-tokens`.
    BedrockCountTokens,
    /// `POST …/generateAssistantResponse`: Kiro and CodeWhisperer.
    Kiro,
    /// `POST /api/chat`, as Ollama defines it.
    OllamaChat,
    /// `POST /api/generate`, as Ollama defines it.
    OllamaGenerate,
    /// `POST /api/embed` and `/api/embeddings`, as Ollama defines them.
    OllamaEmbed,
    /// `POST /v1/chat` and `/v2/chat`, as Cohere defines them.
    CohereChat,
    /// `POST /v1/generate`, as Cohere defines it.
    CohereGenerate,
    /// `POST /v1/embed` and `/v2/embed`, as Cohere defines them.
    CohereEmbed,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 28] = [
        Self::OpenaiChat,
        Self::OpenaiResponses,
        Self::OpenaiInputTokens,
        Self::OpenaiCompletions,
        Self::OpenaiEmbeddings,
        Self::OpenaiImages,
        Self::OpenaiAudio,
        Self::OpenaiModerations,
        Self::Models,
        Self::AnthropicMessages,
        Self::AnthropicCountTokens,
        Self::AnthropicComplete,
        Self::AnthropicBatches,
        Self::GeminiGenerate,
        Self::GeminiInteractions,
        Self::GeminiEmbed,
        Self::GeminiCountTokens,
        Self::GeminiPredict,
        Self::BedrockInvoke,
        Self::BedrockConverse,
        Self::BedrockCountTokens,
        Self::Kiro,
        Self::OllamaChat,
        Self::OllamaGenerate,
        Self::OllamaEmbed,
        Self::CohereChat,
        Self::CohereGenerate,
        Self::CohereEmbed,
    ];

    /// Returns the name used in JSON and in filters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenaiChat => "openai_chat",
            Self::OpenaiResponses => "openai_responses",
            Self::OpenaiInputTokens => "openai_input_tokens",
            Self::OpenaiCompletions => "openai_completions",
            Self::OpenaiEmbeddings => "openai_embeddings",
            Self::OpenaiImages => "openai_images",
            Self::OpenaiAudio => "openai_audio",
            Self::OpenaiModerations => "openai_moderations",
            Self::Models => "models",
            Self::AnthropicMessages => "anthropic_messages",
            Self::AnthropicCountTokens => "anthropic_count_tokens",
            Self::AnthropicComplete => "anthropic_complete",
            Self::AnthropicBatches => "anthropic_batches",
            Self::GeminiGenerate => "gemini_generate",
            Self::GeminiInteractions => "gemini_interactions",
            Self::GeminiEmbed => "gemini_embed",
            Self::GeminiCountTokens => "gemini_count_tokens",
            Self::GeminiPredict => "gemini_predict",
            Self::BedrockInvoke => "bedrock_invoke",
            Self::BedrockConverse => "bedrock_converse",
            Self::BedrockCountTokens => "bedrock_count_tokens",
            Self::Kiro => "kiro",
            Self::OllamaChat => "ollama_chat",
            Self::OllamaGenerate => "ollama_generate",
            Self::OllamaEmbed => "ollama_embed",
            Self::CohereChat => "cohere_chat",
            Self::CohereGenerate => "cohere_generate",
            Self::CohereEmbed => "cohere_embed",
        }
    }

    /// Returns the dialect with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }
}

/// The family whose manner of authentication and of errors a route follows. It is known before any body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// OpenAI and everything compatible with it.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Gemini and Vertex.
    Gemini,
    /// AWS Bedrock and Kiro: errors with a type in `x-amzn-errortype`.
    Aws,
    /// Anything else.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for dialect in Dialect::ALL {
            assert_eq!(serde_json::json!(dialect), dialect.name());
            assert_eq!(Dialect::from_name(dialect.name()), Some(dialect));
        }
    }
}
