//! Token counts that mean the same everywhere.
//!
//! | dialect | wire `input` | wire `output` | common `input` | common `output` |
//! |---|---|---|---|---|
//! | OpenAI chat, completions, responses, images, Ollama, Cohere | prompt, cache included | answer, reasoning included | as the wire | as the wire |
//! | … chat where the total says so, or else at xAI | the same | reasoning excluded | as the wire | output + reasoning |
//! | … chat at Gemini | the same | reasoning hidden in the total | as the wire | total − input |
//! | Mistral with sound | sound excluded | answer | total − output | as the wire |
//! | Anthropic, Bedrock converse, Kiro | cache reads and writes excluded | thinking included | input + reads + writes | as the wire |
//! | Bedrock invoke | as the shape of the model's own usage | the same | by its shape | by its shape |
//! | … where the model sends none | the gateway's metrics, cache excluded | the same | input + reads + writes | as the wire |
//! | Gemini | prompt, cache included, tool prompt excluded | thoughts excluded | total − output | candidates + thoughts |
//! | Gemini interactions | prompt, cache included | thoughts excluded | total − output | output + thoughts |
//! | embeddings, moderations | prompt; of some, only a total | none, or 0 | as the wire, else the total | as the wire |
//! | … at Cohere | text; images are billed apart | none | text + images | as the wire |
//! | counts of a prompt, lists, batches | nothing was generated | | none | none |
//!
//! A count that the wire does not give stays none: it is unknown, not 0. What was fetched again (`GET`) was
//! counted when it was made, so that it has no counts of its own here.

mod counts;
mod details;

use flow_model::{
    Dialect, Exchange, Outcome, Part, Raw, Reading, RequestReading, ResponseReading, Tokens, Units,
    WireUsage,
};

pub(crate) use self::counts::{Counts, counted};

/// What the counts of a usage object include.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// OpenAI's: the prompt includes cached tokens, the answer includes reasoning, with exceptions.
    Chat,
    /// Like OpenAI's, without exceptions.
    Inclusive,
    /// Anthropic's: the prompt excludes what was read from and written to the cache.
    CacheApart,
    /// Google's: the answer excludes thoughts, the prompt that of the provider's tools.
    ThoughtsApart,
    /// Everything is the prompt: vectors and verdicts have no tokens.
    Prompt,
    /// Nothing was generated or embedded.
    Nothing,
}

// === impl Rule ===

impl Rule {
    fn of(dialect: Dialect, usage: Option<&Raw>) -> Self {
        match dialect {
            Dialect::OpenaiChat | Dialect::OpenaiCompletions | Dialect::OpenaiAudio => Self::Chat,
            Dialect::OpenaiResponses
            | Dialect::OpenaiImages
            | Dialect::OllamaChat
            | Dialect::OllamaGenerate
            | Dialect::CohereChat
            | Dialect::CohereGenerate => Self::Inclusive,
            Dialect::OpenaiEmbeddings
            | Dialect::OpenaiModerations
            | Dialect::GeminiEmbed
            | Dialect::GeminiPredict
            | Dialect::OllamaEmbed
            | Dialect::CohereEmbed => Self::Prompt,
            Dialect::AnthropicMessages
            | Dialect::AnthropicComplete
            | Dialect::BedrockConverse
            | Dialect::Kiro => Self::CacheApart,
            Dialect::GeminiGenerate | Dialect::GeminiInteractions => Self::ThoughtsApart,
            // Anthropic and Nova count alike; the others imitate OpenAI.
            Dialect::BedrockInvoke => {
                let apart = usage.is_some_and(|usage| {
                    let has = |usage: &Counts<'_>| {
                        usage.has(&["input_tokens"]) || usage.has(&["inputTokens"])
                    };
                    counted(usage, has)
                });
                if apart {
                    Self::CacheApart
                } else {
                    Self::Inclusive
                }
            }
            Dialect::OpenaiInputTokens
            | Dialect::Models
            | Dialect::AnthropicCountTokens
            | Dialect::AnthropicBatches
            | Dialect::GeminiCountTokens
            | Dialect::BedrockCountTokens => Self::Nothing,
        }
    }
}

/// Counts what a reading holds: tokens and everything else that is counted.
pub fn count(exchange: &Exchange, reading: &mut Reading) {
    let Some(dialect) = reading.dialect else {
        return;
    };
    // What is fetched again was counted by the call that made it.
    if exchange.request.method.eq_ignore_ascii_case("GET") {
        return;
    }
    let provider = exchange.route.provider.as_deref();
    reading.tokens = tokens(dialect, provider, &reading.response);
    reading.units = units(&reading.response);
    let path = exchange.path().split(['?', '#']).next().unwrap_or_default();
    if dialect == Dialect::OpenaiAudio && path.trim_end_matches('/').ends_with("/speech") {
        let spoken = reading.response.outcome != Outcome::Error && exchange.response.is_some();
        let known = reading.units.characters;
        reading.units.characters = known.or_else(|| spoken.then(|| characters(&reading.request)));
    }
}

/// Returns the characters of the texts that a request hands over.
fn characters(request: &RequestReading) -> u64 {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    let texts = parts.filter_map(|part| match part {
        Part::Text { text, .. } => Some(text.chars().count() as u64),
        _ => None,
    });
    texts.sum()
}

/// Returns counts that mean the same in every dialect. `provider` is who served the request, because some
/// imitations of a dialect count otherwise than it does.
///
/// Anthropic's streams begin with a provisional count of output tokens, which the event with the stop reason
/// replaces. A stream that breaks off before it leaves the output unknown.
pub fn tokens(dialect: Dialect, provider: Option<&str>, response: &ResponseReading) -> Tokens {
    let raw = response.usage_raw.as_ref();
    let told = |usage: &WireUsage| usage.input.is_some() || usage.output.is_some();
    let usage = response.usage.filter(|usage| {
        // An answer without counts of its own, such as vectors, may have those of the gateway.
        told(usage) || response.metrics.is_none()
    });
    let Some(usage) = usage else {
        return response.metrics.map_or_else(Tokens::default, |metrics| {
            normalised(Rule::CacheApart, provider, &metrics)
        });
    };
    let rule = Rule::of(dialect, raw);
    let stopped = response
        .choices
        .iter()
        .any(|choice| choice.stop_reason.is_some());
    let is_anthropic = match dialect {
        Dialect::AnthropicMessages => true,
        Dialect::BedrockInvoke => {
            raw.is_some_and(|raw| counted(raw, |usage| usage.has(&["input_tokens"])))
        }
        _ => false,
    };
    let provisional = is_anthropic && response.streamed && !stopped;
    let known = if provisional {
        WireUsage {
            output: None,
            total: None,
            ..usage
        }
    } else {
        usage
    };
    let mut tokens = normalised(rule, provider, &known);
    if let Some(raw) = raw.filter(|_| rule != Rule::Nothing) {
        counted(raw, |usage| details::tokens(usage, &mut tokens));
    }
    tokens
}

/// Returns what is counted beside tokens: what the dialect read, and what stands in the usage object.
fn units(response: &ResponseReading) -> Units {
    let mut units = response.units.clone();
    if let Some(raw) = &response.usage_raw {
        counted(raw, |usage| details::units(usage, &mut units));
    }
    units
}

fn normalised(rule: Rule, provider: Option<&str>, usage: &WireUsage) -> Tokens {
    let (input, output) = match rule {
        Rule::Nothing => return Tokens::default(),
        Rule::CacheApart => (with_cache(usage), usage.output),
        Rule::ThoughtsApart => gemini(usage),
        Rule::Inclusive => (usage.input, usage.output),
        Rule::Prompt => (usage.input.or(usage.total), usage.output),
        Rule::Chat => (chat_input(provider, usage), chat_output(provider, usage)),
    };
    let hidden = rule == Rule::Chat && is_gemini(provider);
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
            _ if rule == Rule::Prompt => usage.total.or(input),
            _ => usage.total,
        },
        ..Tokens::default()
    }
}

fn at_most(part: Option<u64>, whole: Option<u64>) -> Option<u64> {
    part.map(|part| part.min(whole.unwrap_or(part)))
}

/// Returns the prompt of a chat. Mistral leaves sound out of it, and counts it in the total.
fn chat_input(provider: Option<&str>, usage: &WireUsage) -> Option<u64> {
    if provider == Some("mistral")
        && let (Some(input), Some(output), Some(total)) = (usage.input, usage.output, usage.total)
    {
        return Some(input.max(total.saturating_sub(output)));
    }
    usage.input
}

fn with_cache(usage: &WireUsage) -> Option<u64> {
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

#[cfg(test)]
mod tests;
