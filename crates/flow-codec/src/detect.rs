//! Which dialect a request speaks.
//!
//! The path decides, then the method and headers; the body decides where a path belongs to several dialects or
//! to none that is known. The host says nothing, because most hosts speak more than one dialect, and anything may
//! stand in front of the path: Azure's deployments, OpenRouter's `/api/v1`, Vertex' projects, a gateway's own.
//!
//! | last parts of the path | dialect |
//! |---|---|
//! | `/chat/completions`; Mistral's `/fim/completions`, `/agents/completions` | OpenAI chat |
//! | `/responses`, `/responses/ID`, `/responses/compact`; `/responses/input_tokens` | OpenAI responses; a count |
//! | `/completions`, `/embeddings`, `/images/…`, `/audio/…`, `/moderations` | OpenAI's others |
//! | `GET …/models`, `GET …/models/M`, `GET /api/tags` | models |
//! | `/v1/messages`; `/messages` with a header `anthropic-version` | Anthropic messages |
//! | `/messages/count_tokens`, `/messages/batches…`, `/v1/complete` | Anthropic's others |
//! | `/publishers/anthropic/models/M:rawPredict`, `:streamRawPredict` | Anthropic messages, at Vertex |
//! | `/publishers/anthropic/models/count-tokens:rawPredict` | a count of Anthropic's, at Vertex |
//! | `/publishers/OTHER/models/M:rawPredict`, `:streamRawPredict` | OpenAI chat, at Vertex |
//! | `M:generateContent`, `:streamGenerateContent` | Gemini |
//! | `M:embedContent`, `:batchEmbedContents`, `:countTokens`, `:predict…`, `:fetchPredictOperation`, `/interactions…` | Gemini's others |
//! | `/model/M/invoke`, `/converse`, with or without stream; `/count-tokens` | Bedrock |
//! | `/generateAssistantResponse`; `x-amz-target: ….GenerateAssistantResponse`, `….SendMessage` | Kiro |
//! | `/api/chat`, `/api/generate`, `/api/embed`, `/api/embeddings` | Ollama |
//! | `/v1/chat`, `/v2/chat`, `/v1/generate`, `/v1/embed`, `/v2/embed` | Cohere; OpenAI chat where `/v1/chat` has `messages` |
//! | anything else by `POST`: `conversationState`, `contents`, `messages` in the body | Kiro, Gemini, Anthropic or OpenAI chat |

#[cfg(test)]
mod tests;

use flow_model::{Dialect, Header, exchange};

use crate::json::{Document, Json, Kind};

/// Returns the dialect of a request, from its method, path, headers and content-decoded body; none where no codec
/// reads it. Without a body the answer may be less exact: it is asked for again once the body is there.
pub fn detect(
    method: &str,
    path: &str,
    headers: &[Header],
    body: Option<&[u8]>,
) -> Option<Dialect> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_end_matches('/');
    if method.eq_ignore_ascii_case("GET") {
        return of_get(path);
    }
    if !method.eq_ignore_ascii_case("POST") {
        return None;
    }
    let found = of_path(path, headers);
    match (found, body) {
        (None, Some(body)) if !body.is_empty() && !is_side_call(path) => of_body(headers, body),
        (Some(Dialect::CohereChat), Some(body)) if path.ends_with("/v1/chat") => {
            Some(cohere_or_chat(body))
        }
        _ => found,
    }
}

/// What is fetched: lists of models, and answers that the provider keeps.
fn of_get(path: &str) -> Option<Dialect> {
    let (before, last) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = before.rsplit('/').next().unwrap_or(before);
    match (parent, last) {
        ("models", _) | (_, "models") => Some(Dialect::Models),
        ("api", "tags") => Some(Dialect::Models),
        ("responses", _) => Some(Dialect::OpenaiResponses),
        ("interactions", _) => Some(Dialect::GeminiInteractions),
        (_, "batches") if parent == "messages" => Some(Dialect::AnthropicBatches),
        _ if path.contains("/messages/batches/") => Some(Dialect::AnthropicBatches),
        _ => None,
    }
}

fn of_path(path: &str, headers: &[Header]) -> Option<Dialect> {
    if let Some(target) = exchange::header(headers, "x-amz-target") {
        let operation = target.rsplit('.').next().unwrap_or(target);
        if matches!(operation, "GenerateAssistantResponse" | "SendMessage") {
            return Some(Dialect::Kiro);
        }
    }
    let (before, last) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = before.rsplit('/').next().unwrap_or(before);
    of_google(path, last)
        .or_else(|| of_anthropic(path, parent, last, headers))
        .or_else(|| of_bedrock(before, last))
        .or_else(|| of_names(parent, last))
}

fn of_names(parent: &str, last: &str) -> Option<Dialect> {
    Some(match (parent, last) {
        ("chat" | "fim" | "agents", "completions") => Dialect::OpenaiChat,
        (_, "completions") => Dialect::OpenaiCompletions,
        ("responses", "input_tokens") => Dialect::OpenaiInputTokens,
        (_, "responses") | ("responses", "compact") => Dialect::OpenaiResponses,
        ("api", "embed" | "embeddings") => Dialect::OllamaEmbed,
        (_, "embeddings") => Dialect::OpenaiEmbeddings,
        ("images", "generations" | "edits" | "variations") => Dialect::OpenaiImages,
        ("audio", "transcriptions" | "translations" | "speech") => Dialect::OpenaiAudio,
        (_, "moderations") => Dialect::OpenaiModerations,
        ("api", "chat") => Dialect::OllamaChat,
        ("api", "generate") => Dialect::OllamaGenerate,
        ("v1" | "v2", "chat") => Dialect::CohereChat,
        ("v1", "generate") => Dialect::CohereGenerate,
        ("v1" | "v2", "embed") => Dialect::CohereEmbed,
        (_, "interactions") => Dialect::GeminiInteractions,
        (_, "generateAssistantResponse") => Dialect::Kiro,
        _ => return None,
    })
}

fn of_anthropic(path: &str, parent: &str, last: &str, headers: &[Header]) -> Option<Dialect> {
    let versioned = exchange::header(headers, "anthropic-version").is_some();
    Some(match (parent, last) {
        ("v1", "messages") => Dialect::AnthropicMessages,
        (_, "messages") if versioned => Dialect::AnthropicMessages,
        ("messages", "count_tokens") => Dialect::AnthropicCountTokens,
        ("messages", "batches") => Dialect::AnthropicBatches,
        (_, "cancel") if path.contains("/messages/batches/") => Dialect::AnthropicBatches,
        ("v1", "complete") => Dialect::AnthropicComplete,
        (_, "complete") if versioned => Dialect::AnthropicComplete,
        _ => return None,
    })
}

fn of_google(path: &str, last: &str) -> Option<Dialect> {
    Some(match last.rsplit_once(':')?.1 {
        "generateContent" | "streamGenerateContent" => Dialect::GeminiGenerate,
        "embedContent" | "batchEmbedContents" => Dialect::GeminiEmbed,
        "countTokens" => Dialect::GeminiCountTokens,
        "predict" | "predictLongRunning" | "fetchPredictOperation" => Dialect::GeminiPredict,
        "rawPredict" if last.starts_with("count-tokens:") => Dialect::AnthropicCountTokens,
        "rawPredict" | "streamRawPredict" if path.contains("/publishers/anthropic/") => {
            Dialect::AnthropicMessages
        }
        "rawPredict" | "streamRawPredict" if path.contains("/publishers/") => Dialect::OpenaiChat,
        _ => return None,
    })
}

fn of_bedrock(before: &str, last: &str) -> Option<Dialect> {
    // A model may be an ARN, whose slashes are not always escaped.
    if !before.starts_with("/model/") && !before.contains("/model/") {
        return None;
    }
    Some(match last {
        "invoke" | "invoke-with-response-stream" => Dialect::BedrockInvoke,
        "converse" | "converse-stream" => Dialect::BedrockConverse,
        "count-tokens" => Dialect::BedrockCountTokens,
        _ => return None,
    })
}

/// Paths that no body makes a call of a model: they manage things.
fn is_side_call(path: &str) -> bool {
    let kept = [
        "/threads",
        "/assistants",
        "/files",
        "/batches",
        "/conversations",
        "/vector_stores",
    ];
    kept.iter().any(|name| path.contains(name))
}

/// Returns the dialect that a body's members tell, for paths that tell nothing.
fn of_body(headers: &[Header], body: &[u8]) -> Option<Dialect> {
    let names = [
        "conversationState",
        "contents",
        "messages",
        "anthropic_version",
    ];
    let document = Document::new(body);
    let [state, contents, messages, version] = document.root().fields(names)?;
    if state.is_some_and(|json| json.is_object()) {
        return Some(Dialect::Kiro);
    }
    let is_list = |json: Option<Json<'_>>| json.is_some_and(|mut json| json.kind() == Kind::Array);
    if is_list(contents) {
        return Some(Dialect::GeminiGenerate);
    }
    if !is_list(messages) {
        return None;
    }
    let anthropic = version.is_some() || exchange::header(headers, "anthropic-version").is_some();
    Some(if anthropic {
        Dialect::AnthropicMessages
    } else {
        Dialect::OpenaiChat
    })
}

/// Tells Cohere's first chat, which has one `message`, from imitations of OpenAI's under the same path.
fn cohere_or_chat(body: &[u8]) -> Dialect {
    let document = Document::new(body);
    match document.root().fields(["message", "messages"]) {
        Some([None, Some(_)]) => Dialect::OpenaiChat,
        _ => Dialect::CohereChat,
    }
}
