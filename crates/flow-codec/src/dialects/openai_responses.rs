//! `…/responses`, as OpenAI defines it and others imitate it.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `input` as a string, or as items with and without `type` | all | a message each |
//! | `output` as items | all | one answer: the parts of all items, in the order of `output_index` |
//! | `message` of another role than the assistant's in `output` | compaction | raw: the model did not say it |
//! | `reasoning` with `summary` and `content` | all | thinking: the summary's parts, then the content's |
//! | … with neither, with or without `encrypted_content` | OpenAI | thinking, redacted |
//! | `function_call`, `custom_tool_call`, `apply_patch_call`, `computer_call`, `local_shell_call` | all | calls that the client runs |
//! | `shell_call`, `tool_search_call` | OpenAI | the same, unless their `environment` or `execution` is the provider's |
//! | `web_search_call`, `file_search_call`, `code_interpreter_call`, `mcp_call`, `program`, `x_search_call` | OpenAI, xAI | calls that the provider runs; what came of them stands behind as their result |
//! | `image_generation_call` | OpenAI | such a call and its image, which stays in the body |
//! | `…_output` | all | results, of the client in a request |
//! | `mcp_list_tools`, `mcp_approval_request`, `compaction`, items to come | all | raw |
//! | `additional_tools` among the items of `input` | OpenAI | raw, and its tools are offered |
//! | `prompt_cache_breakpoint` | OpenAI | on text, its cache breakpoint; elsewhere a raw part behind |
//! | a fresh item id in each event of one `output_index` | Copilot | the index counts |
//! | `output_index` missing, or 0 for all items | imitations | told apart by id, else by `output_item.added` |
//! | an item's increments, `….done` and `response.completed` tell the same | all | the last one that is not empty counts |
//! | `output` empty in `response.completed`, or only there | ChatGPT, imitations | what was streamed; what is there |
//! | `sequence_number`, `event:` names missing | OpenRouter, mantle | not needed |
//! | `error` as an event, flat or in a member; `response.failed` | OpenAI | stream error; what came before stays, the first one counts |
//! | no `response.completed`, `.incomplete`, `.failed` | all | stream truncated, `[DONE]` or not |
//! | `status` `failed` in a 200 | OpenAI | error; what there is of an answer stays |
//! | `status` `queued`, `in_progress` | background | no reason to stop that is known |
//! | `keepalive`, `….in_progress`, `….searching` and other words of progress | all | passed over |
//! | partial images | OpenAI | passed over |

mod content;
mod item;
mod piece;
mod request;
mod response;
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
    let count = |path: &[&str]| usage.count(path);
    WireUsage {
        input: count(&["input_tokens"]).or_else(|| count(&["prompt_tokens"])),
        output: count(&["output_tokens"]).or_else(|| count(&["completion_tokens"])),
        cache_read: count(&["input_tokens_details", "cached_tokens"])
            .or_else(|| count(&["prompt_tokens_details", "cached_tokens"])),
        cache_write: count(&["input_tokens_details", "cache_write_tokens"]),
        reasoning: count(&["output_tokens_details", "reasoning_tokens"])
            .or_else(|| count(&["completion_tokens_details", "reasoning_tokens"])),
        total: count(&["total_tokens"]),
    }
}

/// Returns the common word for a status, or for the reason why an answer is incomplete; none while it is not
/// known how it ends.
fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" | "queued" | "in_progress" => return None,
        "completed" => StopReason::Stop,
        "max_output_tokens" | "max_tokens" | "length" => StopReason::Length,
        "content_filter" => StopReason::ContentFilter,
        _ => StopReason::Other,
    })
}

/// Returns the string at a member, where there is one.
fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}

/// Returns the string at a member, where it is not empty.
fn filled(json: Option<Json<'_>>) -> Option<String> {
    owned(json).filter(|text| !text.is_empty())
}
