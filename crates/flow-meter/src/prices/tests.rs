use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn check(provider: &str, model: &str, expect: &str) {
    let provider = (!provider.is_empty()).then_some(provider);
    let found = Prices::builtin().find(provider, model);
    let found = found.map(|found| {
        let mark = if found.borrowed { " (borrowed)" } else { "" };
        format!("{}{mark}", found.price)
    });
    assert_eq!(found.unwrap_or_default(), expect, "{provider:?} {model}");
}

#[test]
fn main_models_are_known() {
    check("openai", "gpt-4o", "openai/gpt-4o");
    check("openai", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini");
    check("openai", "gpt-5.4", "openai/gpt-5.4");
    check("openai", "o3-2025-04-16", "openai/o3");
    check(
        "openai",
        "text-embedding-3-small",
        "openai/text-embedding-3-small",
    );
    check("openai", "whisper-1", "openai/whisper-1");
    check(
        "anthropic",
        "claude-sonnet-4-5-20250929",
        "anthropic/claude-sonnet-4-5",
    );
    check("anthropic", "claude-opus-4-6", "anthropic/claude-opus-4-6");
    check(
        "anthropic",
        "claude-3-5-haiku-latest",
        "anthropic/claude-3-5-haiku-latest",
    );
    check("gemini", "gemini-2.5-flash", "gemini/gemini-2.5-flash");
    check("gemini", "gemini-2.5-pro", "gemini/gemini-2.5-pro");
    check("xai", "grok-4-0709", "xai/grok-4-0709");
    check(
        "groq",
        "llama-3.3-70b-versatile",
        "groq/llama-3.3-70b-versatile",
    );
    check("deepseek", "deepseek-chat", "deepseek/deepseek-chat");
    check("cohere", "command-r-plus", "cohere/command-r-plus");
}

#[test]
fn names_are_matched_without_what_is_around_them() {
    check("openai", "GPT-4o", "openai/gpt-4o");
    check("openai", "gpt-4o-mini-20240718", "openai/gpt-4o-mini");
    check("openai", "ft:gpt-4o", "openai/ft:gpt-4o");
    check(
        "gemini",
        "models/gemini-2.5-flash",
        "gemini/gemini-2.5-flash",
    );
    check(
        "gemini",
        "models/gemini-2.5-flash-001",
        "gemini/gemini-2.5-flash",
    );
    check(
        "google",
        "gemini-2.5-pro-preview-tts",
        "gemini/gemini-2.5-pro-tts",
    );
    check(
        "vertex",
        "projects/p/locations/l/publishers/google/models/gemini-2.5-pro",
        "gemini/gemini-2.5-pro (borrowed)",
    );
    check("openrouter", "openai/gpt-4o", "openrouter/openai/gpt-4o");
    check(
        "openrouter",
        "openai/gpt-4o:nitro",
        "openrouter/openai/gpt-4o",
    );
    check(
        "fireworks",
        "accounts/fireworks/models/glm-4p7",
        "fireworks/glm-4p7",
    );
}

#[test]
fn bedrock_names_a_region_and_a_vendor() {
    let regional = "bedrock/regional.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let id = "anthropic.claude-sonnet-4-5-20250929-v1:0";
    check("bedrock", id, regional);
    check("bedrock", &format!("us.{id}"), regional);
    check("aws", &format!("eu.{id}"), regional);
    check(
        "bedrock",
        &format!("global.{id}"),
        &format!("bedrock/global.{id}"),
    );
    check(
        "bedrock",
        &format!("arn:aws:bedrock:us-east-1:1:inference-profile/global.{id}"),
        &format!("bedrock/global.{id}"),
    );
}

#[test]
fn another_server_has_the_price_of_the_vendor() {
    check("", "gpt-4o", "openai/gpt-4o (borrowed)");
    check(
        "my-gateway",
        "claude-sonnet-4-5",
        "anthropic/claude-sonnet-4-5 (borrowed)",
    );
    check(
        "my-gateway",
        "x-ai/grok-4-0709",
        "xai/grok-4-0709 (borrowed)",
    );
    check("azure", "gpt-4o", "azure/gpt-4o");
    check(
        "azure",
        "claude-3-haiku",
        "anthropic/claude-3-haiku (borrowed)",
    );
    check(
        "vertex",
        "claude-sonnet-4-5@20250929",
        "vertex/claude-sonnet-4-5@20250929",
    );
}

#[test]
fn what_is_not_known_has_no_price() {
    check("openai", "no-such-model", "");
    check("openai", "", "");
    check("", "llama-of-mine", "");
    check("ollama", "gpt-4o", "");
    check("kiro", "claude-sonnet-4-5", "");
    check("my-gateway", "openai/gpt-4o:free", "");
}

#[test]
fn windows_are_known() {
    let prices = Prices::builtin();
    let window = prices
        .window(Some("anthropic"), "claude-sonnet-4-5-20250929")
        .unwrap();
    assert_eq!(window.input, Some(200_000));
    assert_eq!(
        prices.window(Some("openai"), "gpt-4o").unwrap().output,
        Some(16_384)
    );
    assert_eq!(prices.window(Some("openai"), "no-such-model"), None);
}

#[test]
fn the_users_own_prices_come_first() {
    let own = json!({
        "openai/gpt-4*": {"input": 1},
        "gpt-4o": {"input": "2", "window": 9},
        "claude-*": {"input": 3},
    });
    let prices = Prices::with_overrides(own.as_object().unwrap()).unwrap();
    let found = |provider, model: &str| {
        let found = prices.find(provider, model).unwrap();
        (found.price, found.version.to_owned())
    };
    let user = |price: &str| (price.to_owned(), USER_VERSION.to_owned());
    assert_eq!(found(Some("openai"), "gpt-4o-2024-08-06"), user("gpt-4o"));
    assert_eq!(found(Some("openai"), "gpt-4.1"), user("openai/gpt-4*"));
    assert_eq!(found(Some("kiro"), "claude-sonnet-4-5"), user("claude-*"));
    let (price, version) = found(Some("gemini"), "gemini-2.5-pro");
    assert_eq!(
        (price.as_str(), version.as_str()),
        ("gemini/gemini-2.5-pro", prices.version())
    );
    assert_eq!(
        prices.window(Some("openai"), "gpt-4o").unwrap().input,
        Some(9)
    );
    assert_eq!(
        prices
            .window(Some("anthropic"), "claude-opus-4-6")
            .unwrap()
            .input,
        Some(1_000_000)
    );
}

proptest! {
    #[test]
    fn any_name_is_looked_up(provider in "(openai|bedrock|\\PC{0,9})", model in "(us\\.|models/|arn:)?\\PC{0,40}(-v1:0|@2025)?") {
        let prices = Prices::builtin();
        if let Some(found) = prices.find(Some(&provider), &model) {
            prop_assert!(found.price.contains('/'));
        }
    }
}
