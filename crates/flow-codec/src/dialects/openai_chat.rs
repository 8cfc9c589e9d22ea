//! `POST …/chat/completions`, as OpenAI defines it and many imitate it.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `role` `developer` beside `system` | OpenAI | both are the system's |
//! | `functions`, `function_call`, role `function` | before 2023-11 | tools, a call without id, a tool result |
//! | a tool call without id, or with an empty one | Mistral, Gemini | a call with an empty id, which tells it from a `function_call` |
//! | `content` as a list of text and thinking parts, also in deltas | Mistral | the parts |
//! | `content` as an object | Cloudflare | text: its compact JSON |
//! | `reasoning_content`, `reasoning`, `reasoning_details` | DeepSeek, Groq, OpenRouter | thinking: the first of them that holds text; of details that are encrypted or summaries, what there is |
//! | `usage` in a chunk without choices, in every chunk, in `x_groq` only | OpenAI, Perplexity, Groq | the last one counts |
//! | `finish_reason` twice, `""`, never | OpenRouter, Snowflake | the last one that is not null; a stream needs none to be whole |
//! | `[DONE]` missing | about one stream in ten | the same |
//! | id and model empty in the first chunk | Azure | the first ones that are not empty |
//! | id and name of a call repeated in each chunk | several | read once |
//! | calls without `index`, several in one delta, first index not 0 | Mistral | told apart by id, in order of arrival |
//! | `message` beside `delta` | Perplexity, Writer | the delta counts |
//! | `error` in a 200, as an event or inside one | Groq, OpenRouter | stream error; what came before stays |
//! | `arguments` as an object | imitations | compact JSON |
//! | `prompt` and `suffix` in place of `messages` | Mistral's `/fim/completions` | a message of the user; a parameter |
//! | `prefix`, `partial`, `executed_tools`, `graph_data`, `extra_content` … in messages and calls | Mistral, Moonshot, Groq, Writer, Gemini | kept as they are, behind what they belong to |
//! | … the same, again and again in deltas | Groq, Writer | each value once, at the end |
//! | `reasoning` as an object, `reasoning_details` with its signatures | OpenRouter, in requests | kept as it is, behind the thinking |
//! | `prompt_cache_breakpoint`, `cache_control` in parts and messages | OpenAI, OpenRouter | a cache breakpoint |

mod content;
mod request;
mod response;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{StopReason, WireUsage};

use crate::json::{Json, Kind};
use crate::usage::Counts;

pub(crate) use self::content::content_part;
pub(crate) use self::request::{deployment, read_request, tool};
pub(crate) use self::response::read_whole;
pub(crate) use self::stream::{Stream, fail, first, said};

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |path: &[&str]| usage.count(path);
    WireUsage {
        input: count(&["prompt_tokens"]).or_else(|| count(&["input_tokens"])),
        output: count(&["completion_tokens"]).or_else(|| count(&["output_tokens"])),
        cache_read: count(&["prompt_tokens_details", "cached_tokens"])
            .or_else(|| count(&["prompt_cache_hit_tokens"])),
        cache_write: count(&["prompt_tokens_details", "cache_write_tokens"]),
        reasoning: count(&["completion_tokens_details", "reasoning_tokens"]),
        total: count(&["total_tokens"]),
    }
}

/// Returns the common word for a `finish_reason`.
pub(crate) fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" => return None,
        "stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence" => StopReason::Stop,
        "length" | "max_tokens" | "model_length" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "content_filter" | "safety" | "refusal" | "sensitive" => StopReason::ContentFilter,
        _ => StopReason::Other,
    })
}

/// Returns whether a member says no more than its absence would.
fn says_nothing(mut json: Json<'_>) -> bool {
    match json.kind() {
        Kind::Null | Kind::None => true,
        Kind::Bool => json.bool() == Some(false),
        Kind::String => json.string().is_none_or(|text| text.is_empty()),
        Kind::Array => json.array() && !json.element(),
        Kind::Object => json.object() && json.member().is_none(),
        Kind::Number => false,
    }
}
