//! What a codec makes of an exchange.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Client, ContextUse, Cost, Dialect, Fault, Message, Part, Raw, Tokens, Tool, Units, WireUsage,
};

/// The view that people of this field have of an exchange. A reading always exists: bytes that make no sense
/// give diagnostics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reading {
    /// The wire format; none where no codec reads it yet.
    pub dialect: Option<Dialect>,
    /// What was asked.
    pub request: RequestReading,
    /// What was answered.
    pub response: ResponseReading,
    /// Token counts that mean the same in every dialect.
    pub tokens: Tokens,
    /// The counts are an estimate, because the wire has none.
    pub estimated: bool,
    /// What is counted beside tokens.
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    pub units: Units,
    /// What it cost; none where the price or a count is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// How much of the model's window it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextUse>,
    /// The program that asked.
    #[serde(default)]
    pub client: Client,
}

/// What was asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RequestReading {
    /// The model that was asked for.
    pub model: Option<String>,
    /// A stream was asked for.
    pub stream: Option<bool>,
    /// The system prompt, where the dialect keeps it apart from the messages.
    pub system: Vec<Part>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// The tools offered.
    pub tools: Vec<Tool>,
    /// Every other member of the request, as the wire has it.
    pub parameters: Map<String, Value>,
    /// What the codec could not make sense of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResponseReading {
    /// How it went, as far as the body says.
    pub outcome: Outcome,
    /// The body is a stream of events.
    pub streamed: bool,
    /// The error that the body carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReading>,
    /// The model that answered.
    pub model: Option<String>,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The answers; more than one where several were asked for.
    pub choices: Vec<Choice>,
    /// Token counts as the wire has them.
    pub usage: Option<WireUsage>,
    /// The wire's own usage object.
    pub usage_raw: Option<Raw>,
    /// Token counts that a gateway measured beside the model's own, such as Bedrock's invocation metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<WireUsage>,
    /// What is counted beside tokens.
    #[serde(default, skip_serializing_if = "Units::is_empty")]
    pub units: Units,
    /// The share of the model's window that is used, in hundredths of a per cent, where the wire tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_bp: Option<u64>,
    /// The tier that served the call, in the wire's word (`service_tier`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// The vectors that came, where the answer is embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<Embeddings>,
    /// Why the prompt was refused (Gemini's `promptFeedback.blockReason`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_reason: Option<String>,
    /// Number of events in the stream.
    pub events: u64,
    /// From the start until the first text, reasoning, refusal or tool argument that is not empty, in
    /// microseconds; none for whole answers.
    pub ttft_us: Option<u64>,
    /// What the codec could not make sense of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Choice {
    /// Its number on the wire.
    pub index: u64,
    /// The answer.
    pub message: Message,
    /// Why it stopped, in the wire's word.
    pub stop_reason: Option<String>,
    /// Why it stopped, in a word that means the same in every dialect.
    pub stop: Option<StopReason>,
    /// Log probabilities as the wire has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Raw>,
}

/// Vectors of an answer; their numbers stay in the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Embeddings {
    /// Number of vectors.
    pub count: u64,
    /// Numbers in the first vector; none where it is not a list of numbers.
    pub dimensions: Option<u64>,
}

/// Why an answer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model had finished, or met a stop sequence.
    Stop,
    /// A limit of tokens was reached.
    Length,
    /// The model calls a tool.
    ToolUse,
    /// A filter or a refusal stopped it.
    ContentFilter,
    /// Anything else.
    Other,
}

/// How an answer went, as far as its body says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing was read: no body, or no codec reads it.
    #[default]
    None,
    /// A stream that has not ended yet.
    Partial,
    /// An answer.
    Ok,
    /// The body is an error.
    Error,
    /// An error arrived inside a stream; what came before it is kept.
    StreamError,
    /// A stream ended without its closing event.
    StreamTruncated,
}

/// An error as the wire has it, and what kind it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorReading {
    /// HTTP status, or the status that an event inside the stream names.
    pub status: Option<u16>,
    /// The wire's type, such as `invalid_request_error`; Google's `status` word.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The wire's code.
    pub code: Option<String>,
    /// The wire's message.
    pub message: Option<String>,
    /// What kind of error it is, the same in every dialect.
    pub class: Option<ErrorClass>,
    /// Whose doing it was.
    pub fault: Option<Fault>,
    /// Trying again may help.
    pub retryable: Option<bool>,
    /// How long the provider asks to wait, in microseconds.
    pub retry_after_us: Option<u64>,
}

/// Kinds of errors, the same in every dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The upstream could not be reached or broke off.
    Network,
    /// A time limit passed.
    Timeout,
    /// The credential is missing, wrong or not allowed to.
    Authentication,
    /// Too many requests or tokens in a time.
    RateLimit,
    /// The provider has no room.
    Overloaded,
    /// The account has no money or no allowance left.
    Quota,
    /// A filter refused the prompt or the answer.
    ContentFilter,
    /// The request is wrong.
    BadRequest,
    /// The prompt does not fit the model's window.
    ContextTooLong,
    /// No such model, or not for this account.
    ModelUnavailable,
    /// The provider failed.
    ServerError,
}

/// Something that a codec could not make sense of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnostic {
    /// Offset in the (decoded) body, where it is known.
    pub offset: Option<u64>,
    /// A stable word for what is wrong, such as `invalid_json`.
    pub code: String,
    /// What is wrong, in words.
    pub message: String,
}
