//! Token counts: the wire's own object, and counts that mean the same everywhere.
//!
//! | dialect | wire `input` | wire `output` | common `input` | common `output` |
//! |---|---|---|---|---|
//! | OpenAI chat | prompt, cache included | answer, reasoning included | as the wire | as the wire |
//! | … where the total says so, or else at xAI | the same | reasoning excluded | as the wire | output + reasoning |
//! | … at Gemini | the same | reasoning hidden in the total | as the wire | total − input |
//! | Anthropic | cache reads and writes excluded | thinking included | input + reads + writes | as the wire |
//! | Gemini | prompt, cache included, tool prompt excluded | thoughts excluded | total − output | candidates + thoughts |
//!
//! A count that the wire does not give stays none: it is unknown, not 0.

use flow_model::{Dialect, ResponseReading, Tokens, WireUsage};
use serde_json::Value;

/// Returns the counts in a usage object of a dialect under common names; nothing is summed or derived.
pub(crate) fn wire(dialect: Dialect, usage: &Value) -> WireUsage {
    let count = |path: &[&str]| count(usage, path);
    match dialect {
        Dialect::AnthropicMessages => WireUsage {
            input: count(&["input_tokens"]),
            output: count(&["output_tokens"]),
            cache_read: count(&["cache_read_input_tokens"]),
            cache_write: count(&["cache_creation_input_tokens"]),
            reasoning: count(&["output_tokens_details", "thinking_tokens"]),
            total: None,
        },
        Dialect::GeminiGenerate => {
            let count = |camel, snake| count(&[camel]).or_else(|| count(&[snake]));
            WireUsage {
                input: count("promptTokenCount", "prompt_token_count"),
                output: count("candidatesTokenCount", "candidates_token_count"),
                cache_read: count("cachedContentTokenCount", "cached_content_token_count"),
                cache_write: None,
                reasoning: count("thoughtsTokenCount", "thoughts_token_count"),
                total: count("totalTokenCount", "total_token_count"),
            }
        }
        // Dialects to come are read like the one that most imitate.
        _ => WireUsage {
            input: count(&["prompt_tokens"]).or_else(|| count(&["input_tokens"])),
            output: count(&["completion_tokens"]).or_else(|| count(&["output_tokens"])),
            cache_read: count(&["prompt_tokens_details", "cached_tokens"])
                .or_else(|| count(&["prompt_cache_hit_tokens"])),
            cache_write: count(&["prompt_tokens_details", "cache_write_tokens"]),
            reasoning: count(&["completion_tokens_details", "reasoning_tokens"]),
            total: count(&["total_tokens"]),
        },
    }
}

/// Returns counts that mean the same in every dialect. `provider` is who served the request, because some
/// imitations of a dialect count otherwise than it does.
///
/// Anthropic's streams begin with a provisional count of output tokens, which the event with the stop reason
/// replaces. A stream that breaks off before it leaves the output unknown.
pub fn tokens(dialect: Dialect, provider: Option<&str>, response: &ResponseReading) -> Tokens {
    let Some(usage) = &response.usage else {
        return Tokens::default();
    };
    let stopped = response
        .choices
        .iter()
        .any(|choice| choice.stop_reason.is_some());
    let provisional = dialect == Dialect::AnthropicMessages && response.streamed && !stopped;
    if provisional {
        let known = WireUsage {
            output: None,
            total: None,
            ..*usage
        };
        return normalised(dialect, provider, &known);
    }
    normalised(dialect, provider, usage)
}

fn normalised(dialect: Dialect, provider: Option<&str>, usage: &WireUsage) -> Tokens {
    let (input, output) = match dialect {
        Dialect::AnthropicMessages => (anthropic_input(usage), usage.output),
        Dialect::GeminiGenerate => gemini(usage),
        _ => (usage.input, chat_output(provider, usage)),
    };
    let hidden = dialect == Dialect::OpenaiChat && is_gemini(provider);
    let reasoning = match (usage.reasoning, output, usage.output) {
        (None, Some(all), Some(visible)) if hidden && all > visible => Some(all - visible),
        (reasoning, ..) => reasoning,
    };
    Tokens {
        input,
        output,
        // Some count a prompt of their own among the cached tokens, but a part is no more than the whole.
        cache_read: at_most(usage.cache_read, input),
        cache_write: at_most(usage.cache_write, input),
        reasoning,
        total: match (input, output) {
            (Some(input), Some(output)) => Some(input.saturating_add(output)),
            _ => usage.total,
        },
    }
}

fn at_most(part: Option<u64>, whole: Option<u64>) -> Option<u64> {
    part.map(|part| part.min(whole.unwrap_or(part)))
}

fn anthropic_input(usage: &WireUsage) -> Option<u64> {
    let cached = [usage.cache_read, usage.cache_write];
    let cached = cached.into_iter().flatten().fold(0, u64::saturating_add);
    Some(usage.input?.saturating_add(cached))
}

fn chat_output(provider: Option<&str>, usage: &WireUsage) -> Option<u64> {
    if excludes_reasoning(provider, usage) {
        return Some(usage.output?.saturating_add(usage.reasoning.unwrap_or(0)));
    }
    if is_gemini(provider)
        && let (Some(input), Some(output), Some(total)) = (usage.input, usage.output, usage.total)
    {
        return Some(output.max(total.saturating_sub(input)));
    }
    usage.output
}

/// Returns whether reasoning comes on top of a chat answer's tokens. The total shows it; where there is none,
/// the provider decides.
fn excludes_reasoning(provider: Option<&str>, usage: &WireUsage) -> bool {
    let (Some(input), Some(output), Some(total)) = (usage.input, usage.output, usage.total) else {
        return provider == Some("xai");
    };
    let reasoning = usage.reasoning.unwrap_or(0);
    let plain = input.saturating_add(output);
    reasoning > 0 && total == plain.saturating_add(reasoning)
}

/// Returns Gemini's prompt and answer. Protobuf leaves a count of 0 out, so the total decides what is unknown.
fn gemini(usage: &WireUsage) -> (Option<u64>, Option<u64>) {
    let thoughts = usage.reasoning.unwrap_or(0);
    let output = match (usage.output, usage.input, usage.total) {
        (Some(candidates), ..) => Some(candidates.saturating_add(thoughts)),
        (None, Some(prompt), Some(total)) => total.checked_sub(prompt),
        (None, ..) => usage.reasoning,
    };
    // What the total holds beyond prompt and answer is the prompt of the provider's own tools.
    let with_tools = usage
        .total
        .zip(output)
        .and_then(|(total, output)| total.checked_sub(output));
    let input = match (usage.input, with_tools) {
        (Some(prompt), Some(all)) => Some(prompt.max(all)),
        (input, _) => input,
    };
    (input, output)
}

fn is_gemini(provider: Option<&str>) -> bool {
    matches!(provider, Some("gemini" | "google" | "vertex"))
}

fn count(usage: &Value, path: &[&str]) -> Option<u64> {
    path.iter()
        .try_fold(usage, |value, name| value.get(name))?
        .as_u64()
}

#[cfg(test)]
mod tests;
