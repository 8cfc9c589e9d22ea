//! Parts of the counts, and what is counted beside tokens, wherever a usage object has them.
//!
//! | what | where |
//! |---|---|
//! | cache writes of an hour | `cache_creation.ephemeral_1h_input_tokens` (Anthropic), `cacheDetails[{ttl: "1h", inputTokens}]` (Bedrock) |
//! | sound and images of the prompt | `prompt_tokens_details`, `input_tokens_details`, `input_token_details`; `promptTokensDetails[{modality, tokenCount}]` (Google) |
//! | … of the answer | `completion_tokens_details`, `output_tokens_details`; `candidatesTokensDetails` |
//! | cached sound | `input_token_details.cached_tokens_details.audio_tokens`; `cacheTokensDetails` |
//! | reasoning | `tokens.reasoning_tokens` (Cohere) |
//! | seconds of sound | `{"type": "duration", "seconds"}` (OpenAI), `prompt_audio_seconds` (Mistral) |
//! | searches | `server_tool_use.web_search_requests` (Anthropic), `num_search_queries` (Perplexity), `server_side_tool_usage_details.web_search_calls` (xAI) |
//! | images of the prompt, billed apart | `billed_units.image_tokens` (Cohere) |

use flow_model::{Tokens, Units};

use super::Counts;

/// Fills in the parts that a usage object tells.
pub(super) fn tokens(usage: &Counts<'_>, tokens: &mut Tokens) {
    tokens.cache_write_1h = at_most(cache_write_1h(usage), tokens.cache_write);
    let reasoning = || usage.count(&["tokens", "reasoning_tokens"]);
    tokens.reasoning = tokens.reasoning.or_else(reasoning);
    images_apart(usage, tokens);
    let asked = [
        "prompt_tokens_details",
        "input_tokens_details",
        "input_token_details",
    ];
    let said = [
        "completion_tokens_details",
        "output_tokens_details",
        "output_token_details",
    ];
    let part = |places: &[&str], name: &str, google: &[&str], modality: &str| {
        places
            .iter()
            .find_map(|place| usage.count(&[place, name]))
            .or_else(|| google.iter().find_map(|list| modal(usage, list, modality)))
            .filter(|count| *count > 0)
    };
    let prompt = [
        "promptTokensDetails",
        "prompt_tokens_details",
        "input_tokens_by_modality",
    ];
    let answer = [
        "candidatesTokensDetails",
        "candidates_tokens_details",
        "output_tokens_by_modality",
    ];
    tokens.input_audio = at_most(part(&asked, "audio_tokens", &prompt, "AUDIO"), tokens.input);
    let images = part(&asked, "image_tokens", &prompt, "IMAGE").or(tokens.input_image);
    tokens.input_image = at_most(images, tokens.input);
    tokens.output_audio = at_most(part(&said, "audio_tokens", &answer, "AUDIO"), tokens.output);
    tokens.output_image = at_most(part(&said, "image_tokens", &answer, "IMAGE"), tokens.output);
    let cached = [
        "cacheTokensDetails",
        "cache_tokens_details",
        "cached_tokens_by_modality",
    ];
    let cached_audio = asked
        .iter()
        .find_map(|place| usage.count(&[place, "cached_tokens_details", "audio_tokens"]))
        .or_else(|| cached.iter().find_map(|list| modal(usage, list, "AUDIO")))
        .filter(|count| *count > 0);
    tokens.cache_read_audio = at_most(cached_audio, tokens.cache_read);
}

/// Adds the images of a prompt that are billed apart from its text.
fn images_apart(usage: &Counts<'_>, tokens: &mut Tokens) {
    let images = usage
        .count(&["billed_units", "image_tokens"])
        .filter(|count| *count > 0);
    let apart = !usage.has(&["tokens"]);
    if let Some(images) = images.filter(|_| apart) {
        let with_images = |count: Option<u64>| Some(count.unwrap_or(0).saturating_add(images));
        tokens.input = with_images(tokens.input);
        tokens.total = with_images(tokens.total);
        tokens.input_image = Some(images);
    }
}

/// Fills in what is counted beside tokens.
pub(super) fn units(usage: &Counts<'_>, units: &mut Units) {
    let seconds = ["seconds", "prompt_audio_seconds"]
        .iter()
        .find_map(|name| usage.number(&[name]));
    units.audio_ms = units.audio_ms.or(seconds.and_then(millis));
    let searches = usage
        .count(&["server_tool_use", "web_search_requests"])
        .or_else(|| usage.count(&["num_search_queries"]))
        .or_else(|| usage.count(&["server_side_tool_usage_details", "web_search_calls"]))
        .filter(|count| *count > 0);
    units.searches = units.searches.or(searches);
}

fn at_most(part: Option<u64>, whole: Option<u64>) -> Option<u64> {
    part.map(|part| part.min(whole.unwrap_or(part)))
}

fn cache_write_1h(usage: &Counts<'_>) -> Option<u64> {
    usage
        .count(&["cache_creation", "ephemeral_1h_input_tokens"])
        .or_else(|| usage.count(&["cacheDetails", "1h"]))
        .filter(|count| *count > 0)
}

/// Returns the count of one modality in one of Google's lists.
fn modal(usage: &Counts<'_>, list: &str, modality: &str) -> Option<u64> {
    let lower = modality.to_ascii_lowercase();
    usage
        .count(&[list, modality])
        .or_else(|| usage.count(&[list, &lower]))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked first"
)]
fn millis(seconds: f64) -> Option<u64> {
    // More than a year of sound is no length.
    let sane = seconds.is_finite() && (0.0..3.2e7).contains(&seconds);
    sane.then_some((seconds * 1_000.0).round() as u64)
}
