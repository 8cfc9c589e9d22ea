//! Reads the data of LiteLLM.
//!
//! A key of prices is a stem, a threshold and a tier: `input_cost_per_token_above_200k_tokens_priority`. What is
//! for things that no reading counts, or for facts that are not on the wire, is left out and counted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::model::{Model, Period, per};

/// What was read.
pub(super) struct Litellm {
    pub(super) models: Vec<Model>,
    /// What was left out, with how often.
    pub(super) dropped: BTreeMap<String, usize>,
}

/// The name that this source is given in the table.
pub(super) const SOURCE: &str = "litellm";

/// Their stems, and our units.
const STEMS: &[(&str, &str)] = &[
    ("input_cost_per_token", "input"),
    ("output_cost_per_token", "output"),
    ("cache_read_input_token_cost", "cache_read"),
    ("cache_creation_input_token_cost", "cache_write"),
    (
        "cache_creation_input_token_cost_above_1hr",
        "cache_write_1h",
    ),
    ("output_cost_per_reasoning_token", "reasoning"),
    ("input_cost_per_audio_token", "input_audio"),
    ("output_cost_per_audio_token", "output_audio"),
    ("cache_read_input_audio_token_cost", "cache_read_audio"),
    ("input_cost_per_image_token", "input_image"),
    ("output_cost_per_image_token", "output_image"),
    ("cache_read_input_image_token_cost", "cache_read_image"),
    ("input_cost_per_request", "request"),
    ("output_cost_per_image", "image"),
    ("input_cost_per_character", "character"),
];

/// Their suffixes of tiers, and the wire's words.
const TIERS: &[(&str, &str)] = &[
    ("_batches", "batch"),
    ("_flex", "flex"),
    ("_priority", "priority"),
    ("_ultrafast", "ultrafast"),
    ("_balanced", "balanced"),
];

/// Their names of providers that are others here, by how they begin.
const PROVIDERS: &[(&str, &str)] = &[
    ("azure", "azure"),
    ("bedrock", "bedrock"),
    ("bigmodel", "zhipu"),
    ("codestral", "mistral"),
    ("cohere", "cohere"),
    ("dashscope", "qwen"),
    ("fireworks_ai", "fireworks"),
    ("meta_llama", "meta"),
    ("text-completion-codestral", "mistral"),
    ("text-completion-openai", "openai"),
    ("together_ai", "together"),
    ("vertex_ai", "vertex"),
    ("voyage", "voyageai"),
];

/// Modes whose price is not for anything that a reading counts.
const MODES_DROPPED: &[&str] = &[
    "evaluation",
    "extraction",
    "guardrail",
    "ocr",
    "rerank",
    "search",
    "vector_store",
    "video_generation",
];

/// Providers that run on the user's own machine: a price of 0 is meant.
const LOCAL: &[&str] = &["ollama", "lemonade"];

/// Reads the data file.
pub(super) fn read(text: &str) -> Result<Litellm> {
    let entries: Map<String, Value> =
        serde_json::from_str(text).context("read the data of litellm")?;
    let mut litellm = Litellm {
        models: Vec::new(),
        dropped: BTreeMap::new(),
    };
    for (key, entry) in &entries {
        match model(key, entry) {
            Ok(model) => litellm.models.push(model),
            Err(why) => {
                let what = format!("{SOURCE}: {why}");
                *litellm.dropped.entry(what).or_default() += 1;
            }
        }
    }
    let place = |one: &Model| (one.provider.clone(), one.id.clone());
    litellm.models.sort_by_key(place);
    Ok(litellm)
}

/// Returns the model of an entry, or why there is none.
fn model(key: &str, entry: &Value) -> Result<Model, String> {
    let theirs = entry["litellm_provider"]
        .as_str()
        .ok_or("entries without provider")?;
    let mode = entry["mode"].as_str().unwrap_or("none");
    if MODES_DROPPED.contains(&mode) {
        return Err(format!("models of mode {mode}"));
    }
    let provider = provider(theirs);
    let id = id(key, &provider);
    if is_regional(&provider, &id) {
        return Err("prices of one region's deployment, which the wire does not tell".to_owned());
    }
    if mode.starts_with("image") && is_sized(&id) {
        return Err("prices of images by size and quality".to_owned());
    }
    let periods = periods(entry, mode);
    let mut rates = periods.iter().flat_map(|period| {
        period
            .rates
            .values()
            .chain(period.over.values().flat_map(BTreeMap::values))
    });
    let Some(first) = rates.next() else {
        return Err("entries without a price for what is counted".to_owned());
    };
    let all_zero = *first == Decimal::ZERO && rates.all(|rate| *rate == Decimal::ZERO);
    if all_zero && !LOCAL.contains(&provider.as_str()) && !id.ends_with("free") {
        return Err("prices of 0 that do not say free: none is known".to_owned());
    }
    let count = |key: &str| {
        let value = &entry[key];
        value.as_u64().filter(|count| *count > 0)
    };
    Ok(Model {
        provider,
        id,
        names: Vec::new(),
        not: Vec::new(),
        window: count("max_input_tokens"),
        output_max: count("max_output_tokens"),
        deprecated: entry["deprecation_date"].as_str().map(str::to_owned),
        periods,
        sources: BTreeSet::from([SOURCE]),
        disputed: None,
    })
}

fn provider(theirs: &str) -> String {
    let known = PROVIDERS
        .iter()
        .find(|(begin, _)| theirs.starts_with(begin));
    known.map_or_else(|| theirs.replace('_', "-"), |(_, ours)| (*ours).to_owned())
}

/// Returns a key without the provider in front of it.
fn id(key: &str, ours: &str) -> String {
    let key = key.to_lowercase();
    match key.split_once('/') {
        Some((first, rest)) if provider(first) == ours => rest.to_owned(),
        _ => key,
    }
}

/// Returns whether an id begins with a region, or with a kind of deployment.
fn is_regional(provider: &str, id: &str) -> bool {
    let Some((first, _)) = id.split_once('/') else {
        return false;
    };
    match provider {
        "azure" => matches!(
            first,
            "eu" | "us" | "global" | "global-standard" | "regional"
        ),
        "bedrock" => {
            first.contains("-commitment")
                || first.matches('-').count() >= 2
                || first == "claude_platform"
        }
        _ => false,
    }
}

/// Returns whether an id holds the size or the quality of an image.
fn is_sized(id: &str) -> bool {
    let first = id.split('/').next().unwrap_or_default();
    let sized = first
        .split_once("-x-")
        .is_some_and(|(width, _)| width.bytes().all(|byte| byte.is_ascii_digit()));
    sized
        || matches!(
            first,
            "hd" | "standard" | "low" | "medium" | "high" | "max-x-max"
        )
}

/// Returns the standard prices and those of each tier.
fn periods(entry: &Value, mode: &str) -> Vec<Period> {
    let mut periods: BTreeMap<Option<&str>, Period> = BTreeMap::new();
    periods.insert(None, Period::default());
    for (key, value) in entry.as_object().into_iter().flatten() {
        let (Some(rate), Some(place)) = (value.as_f64().and_then(Decimal::from_float), place(key))
        else {
            continue;
        };
        let period = periods.entry(place.tier).or_default();
        let rates = match place.over {
            Some(over) => period.over.entry(over).or_default(),
            None => &mut period.rates,
        };
        rates.insert(place.unit, rate.times(per(place.unit)));
    }
    if let Some(standard) = periods.get_mut(&None) {
        special(entry, mode, standard);
        ranges(&entry["tiered_pricing"], standard);
    }
    periods
        .into_iter()
        .map(|(when, mut period)| {
            period.when = when.map(str::to_owned);
            period.trim();
            period
        })
        .collect()
}

/// Adds the rates whose unit depends on what the model does.
fn special(entry: &Value, mode: &str, standard: &mut Period) {
    let rate = |value: &Value| value.as_f64().and_then(Decimal::from_float);
    let search = &entry["search_context_cost_per_query"]["search_context_size_medium"];
    if let Some(search) = rate(search) {
        standard.rates.insert("search", search.times(per("search")));
    }
    if mode == "audio_transcription"
        && let Some(second) = rate(&entry["input_cost_per_second"])
            .filter(|second| *second != Decimal::ZERO)
            .or_else(|| rate(&entry["output_cost_per_second"]))
    {
        standard.rates.insert("audio_hour", second.times(3_600));
    }
    if mode == "image_generation"
        && !standard.rates.contains_key("image")
        && let Some(image) = rate(&entry["input_cost_per_image"])
    {
        standard.rates.insert("image", image);
    }
}

/// Adds prices that are given as ranges of the prompt's length; the whole request is paid at one of them.
fn ranges(ranges: &Value, standard: &mut Period) {
    for range in ranges.as_array().into_iter().flatten() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of tokens that the source writes as a float"
        )]
        let start = range["range"][0].as_f64().unwrap_or(0.0).max(0.0) as u64;
        let rates = match start {
            0 => &mut standard.rates,
            start => standard.over.entry(start).or_default(),
        };
        for (key, value) in range.as_object().into_iter().flatten() {
            let unit = STEMS
                .iter()
                .find(|(stem, _)| stem == key)
                .map(|(_, unit)| *unit);
            if let (Some(unit), Some(rate)) = (unit, value.as_f64().and_then(Decimal::from_float)) {
                rates.insert(unit, rate.times(per(unit)));
            }
        }
    }
}

/// Where a rate belongs.
struct Place {
    unit: &'static str,
    over: Option<u64>,
    tier: Option<&'static str>,
}

fn place(key: &str) -> Option<Place> {
    let tiered = TIERS
        .iter()
        .find_map(|(suffix, tier)| Some((key.strip_suffix(suffix)?, *tier)));
    let (rest, tier) = tiered.map_or((key, None), |(rest, tier)| (rest, Some(tier)));
    let long = rest
        .strip_suffix("k_tokens")
        .and_then(|rest| rest.rsplit_once("_above_"));
    let (stem, over) = match long {
        Some((stem, thousands)) => (stem, Some(thousands.parse::<u64>().ok()? * 1_000)),
        None => (rest, None),
    };
    let (_, unit) = STEMS.iter().find(|(known, _)| *known == stem)?;
    Some(Place { unit, over, tier })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(key: &str, entry: &Value, expect: &str) {
        let found = match model(key, entry) {
            Ok(model) => model.line(),
            Err(why) => why,
        };
        assert_eq!(found, expect, "{key}");
    }

    #[test]
    fn keys_become_places() {
        check(
            "vertex_ai/M",
            &json!({"litellm_provider": "vertex_ai-models", "max_input_tokens": 5,
                "input_cost_per_token": 1e-6, "input_cost_per_token_above_200k_tokens_priority": 2e-6,
                "cache_creation_input_token_cost_above_1hr": 3e-6, "output_cost_per_reasoning_token": 4e-6,
                "output_cost_per_token": 4e-6}),
            "{\"provider\":\"vertex\",\"id\":\"m\",\"window\":5,\"prices\":[{\"rates\":{\"input\":\"1\",\"output\":\"4\",\
            \"cache_write_1h\":\"3\"}},{\"when\":\"priority\",\"rates\":{},\"over\":{\"200000\":{\"input\":\"2\"}}}],\
            \"sources\":[\"litellm\"]}",
        );
        check(
            "w",
            &json!({"litellm_provider": "openai", "mode": "audio_transcription", "input_cost_per_second": 0.0001}),
            "{\"provider\":\"openai\",\"id\":\"w\",\"prices\":[{\"rates\":{\"audio_hour\":\"0.36\"}}],\
            \"sources\":[\"litellm\"]}",
        );
        check(
            "dashscope/q",
            &json!({"litellm_provider": "dashscope", "tiered_pricing": [
                {"range": [0, 9.0], "input_cost_per_token": 1e-6}, {"range": [9.0, 20], "input_cost_per_token": 2e-6}]}),
            "{\"provider\":\"qwen\",\"id\":\"q\",\"prices\":[{\"rates\":{\"input\":\"1\"},\
            \"over\":{\"9\":{\"input\":\"2\"}}}],\"sources\":[\"litellm\"]}",
        );
    }

    #[test]
    fn what_cannot_be_used_is_left_out() {
        let zero = json!({"litellm_provider": "zai", "input_cost_per_token": 0.0});
        check(
            "zai/x",
            &zero,
            "prices of 0 that do not say free: none is known",
        );
        let sized = json!({"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.1});
        check(
            "hd/1024-x-1024/d",
            &sized,
            "prices of images by size and quality",
        );
        let region = json!({"litellm_provider": "azure", "input_cost_per_token": 1e-6});
        check(
            "azure/eu/g",
            &region,
            "prices of one region's deployment, which the wire does not tell",
        );
        check(
            "x",
            &json!({"litellm_provider": "zai"}),
            "entries without a price for what is counted",
        );
    }

    #[test]
    fn what_is_free_stays() {
        let free = json!({"litellm_provider": "ollama", "input_cost_per_token": 0.0});
        check(
            "ollama/l",
            &free,
            "{\"provider\":\"ollama\",\"id\":\"l\",\"prices\":[{\"rates\":{\"input\":\"0\"}}],\"sources\":[\"litellm\"]}",
        );
    }
}
