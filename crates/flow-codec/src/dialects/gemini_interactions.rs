//! `…/interactions`, as Google defines them.
//!
//! | what the wire has | when | what is read |
//! |---|---|---|
//! | `input` as a string, a content, a list of contents | always | one message of the user |
//! | … as a list of turns with `role` | until 2026-05 | a message each |
//! | … as a list of steps | since | a message each |
//! | `agent` in place of `model` | always | the model that was asked for, and a parameter |
//! | `outputs`: a flat list of contents, with thoughts and calls among them | until 2026-05 | the parts of one answer |
//! | `steps`: `model_output` with contents, `thought`, `…_call`, `…_result` | since | the same |
//! | `user_input` among the steps of an answer | when asked for | raw: the model did not say it |
//! | `thought` with a `signature`, with or without `summary` | always | thinking, signed; redacted without summary |
//! | `function_call` | always | a call of the client |
//! | other `…_call`s and `…_result`s | always | calls that the provider runs, and what came of them, raw |
//! | `step.start`, `step.delta`; `content.start`, `content.delta` | since; until 2026-05 | folded by `index` |
//! | `arguments_delta` | since | joined; without any, the call's `arguments` |
//! | `interaction.completed`, `interaction.complete` | since; until 2026-05 | the end, with counts and nearly always without steps |
//! | `status` `in_progress` | background, agents | no reason to stop that is known |
//! | `id` empty | `store: false` | as it is |
//! | `error` as an event | always | stream error; what came before stays |
//! | no `status` that is final in a stream | always | stream truncated, `[DONE]` or not |

mod request;
mod response;
mod step;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{StopReason, WireUsage};

use crate::json::Json;
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::response::read_whole;
pub(crate) use self::stream::Stream;

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |name: &str| usage.count(&[name]);
    WireUsage {
        input: count("total_input_tokens"),
        output: count("total_output_tokens"),
        cache_read: count("total_cached_tokens"),
        cache_write: None,
        reasoning: count("total_thought_tokens").or_else(|| count("total_reasoning_tokens")),
        total: count("total_tokens"),
    }
}

/// Returns the common word for a status; none while it is not known how the answer ends.
fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" | "in_progress" | "queued" => return None,
        "completed" => StopReason::Stop,
        "requires_action" => StopReason::ToolUse,
        // Google's own example of it is a limit of tokens.
        "incomplete" => StopReason::Length,
        _ => StopReason::Other,
    })
}

/// Returns the string at a member, where there is one.
fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}
