//! `POST …/generateAssistantResponse`: Kiro and CodeWhisperer.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | `conversationState.history` and `currentMessage` | the messages; the rest of both stays parameters |
//! | no system role: instructions stand in front of the first message of the user | left there |
//! | `userInputMessageContext.toolResults`, `images` | parts of the user's message |
//! | … `tools` with `toolSpecification`; `{"type": "web_search"}` | tools; a tool of the provider |
//! | `assistantResponseEvent` | text, and the model |
//! | … twice in a row with the same content | both: a model repeats itself too. Long ones give a diagnostic `repeated_event` |
//! | `<thinking>…</thinking>` and blank lines at the start of a text | thinking, without the tags; elsewhere they are text |
//! | `reasoningContentEvent` | thinking, signed or redacted |
//! | `toolUseEvent`, once for each fragment of `input` | one call for each id |
//! | `meteringEvent` | credits, summed as decimals; they are no tokens |
//! | `metadataEvent` with `tokenUsage` | the only token counts that there are; without it they are unknown |
//! | `contextUsageEvent` | the share of the window that is used; at 100 % a limit was reached |
//! | `messageMetadataEvent` | the id of the answer |
//! | `invalidStateEvent`, exceptions | stream error; what came before stays |
//! | `ContentLengthExceededException` after an answer began | the same, and the answer was cut by a limit |
//! | citations, code references, follow-ups and events to come | kept raw |
//! | 200 without any answer | outcome none, diagnostic `empty_stream` |

mod credits;
mod request;
mod stream;
mod thought;

#[cfg(test)]
mod tests;

use flow_model::{StopReason, WireUsage};
use serde_json::Map;

use crate::answer::Answer;
use crate::json::Json;
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::stream::Stream;

/// Returns the common word for a `stopReason`.
fn stop_reason(word: &str) -> StopReason {
    match word {
        "END_TURN" | "STOP_SEQUENCE" => StopReason::Stop,
        "MAX_TOKENS" | "MODEL_CONTEXT_WINDOW_EXCEEDED" => StopReason::Length,
        "TOOL_USE" => StopReason::ToolUse,
        "CONTENT_FILTERED" => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object. Answers are streams, so
/// that this is an error that came with a good status, or nothing.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut body = Map::new();
    while let Some(name) = json.member() {
        if matches!(name.as_ref(), "message" | "Message" | "reason" | "__type") {
            body.insert(name.into_owned(), json.value());
        }
    }
    if !body.is_empty() {
        answer.fail(&body.into());
    }
}

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |name: &str| usage.count(&[name]);
    WireUsage {
        input: count("uncachedInputTokens"),
        output: count("outputTokens"),
        cache_read: count("cacheReadInputTokens"),
        cache_write: count("cacheWriteInputTokens"),
        reasoning: None,
        total: count("totalTokens"),
    }
}

fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}
