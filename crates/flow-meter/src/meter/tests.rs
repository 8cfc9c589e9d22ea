use flow_model::WireUsage;
use serde_json::json;

use super::*;

const AT: Timestamp = Timestamp(1_795_262_400_000_000);

fn reading(asked: &str, answered: Option<&str>) -> Reading {
    let mut reading = Reading {
        tokens: Tokens {
            input: Some(1_000),
            output: Some(100),
            total: Some(1_100),
            ..Tokens::default()
        },
        ..Reading::default()
    };
    reading.request.model = Some(asked.to_owned()).filter(|model| !model.is_empty());
    reading.response.model = answered.map(str::to_owned);
    reading.response.usage = Some(WireUsage::default());
    reading
}

#[track_caller]
fn check(mut reading: Reading, provider: &str, path: &str, expect: &str) {
    price(&mut reading, Some(provider), path, AT, Prices::builtin());
    let found = reading
        .cost
        .map(|cost| format!("{} {}", cost.price, cost.total));
    assert_eq!(found.unwrap_or_default(), expect);
}

#[test]
fn the_model_is_the_one_that_answered() {
    check(
        reading("gpt-4o", Some("gpt-4o-mini")),
        "openai",
        "/v1/chat/completions",
        "openai/gpt-4o-mini 0.00021",
    );
    check(
        reading("gpt-4o", Some("unheard-of")),
        "openai",
        "/v1/chat/completions",
        "openai/gpt-4o 0.0035",
    );
    check(
        reading("gpt-4o", None),
        "openai",
        "/",
        "openai/gpt-4o 0.0035",
    );
}

#[test]
fn the_path_may_name_the_model() {
    let path = "/v1beta/models/gemini-2.5-pro:generateContent?alt=sse";
    check(
        reading("", None),
        "gemini",
        path,
        "gemini/gemini-2.5-pro 0.00225",
    );
    let path = "/openai/deployments/gpt-4o/chat/completions?api-version=1";
    check(reading("", None), "azure", path, "azure/gpt-4o 0.0035");
    let path = "/model/global.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse";
    let expect = "bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0 0.0045";
    check(
        reading("", Some("claude-sonnet-4-5-20250929")),
        "bedrock",
        path,
        expect,
    );
}

#[test]
fn the_tier_is_the_one_that_served() {
    let mut both = reading("gpt-4.1", None);
    both.request
        .parameters
        .insert("service_tier".to_owned(), json!("flex"));
    both.response.service_tier = Some("priority".to_owned());
    check(both, "openai", "/", "openai/gpt-4.1 0.0049");
    let mut asked = reading("gpt-4.1", None);
    asked
        .request
        .parameters
        .insert("service_tier".to_owned(), json!("priority"));
    check(asked, "openai", "/", "openai/gpt-4.1 0.0049");
}

#[test]
fn bedrock_has_an_object_for_the_tier() {
    let mut asked = reading("openai.gpt-oss-120b-1:0", None);
    asked
        .request
        .parameters
        .insert("serviceTier".to_owned(), json!({"type": "flex"}));
    price(&mut asked, Some("bedrock"), "/", AT, Prices::builtin());
    let conditions = asked.cost.unwrap().conditions;
    assert!(
        conditions.iter().any(|one| one.ends_with("flex")),
        "{conditions:?}"
    );
}

#[test]
fn what_the_provider_bills_is_paid() {
    let mut billed = reading("command-r-plus", None);
    let raw = json!({"billed_units": {"input_tokens": 26.0, "output_tokens": 2}, "tokens": {}});
    billed.response.usage_raw = Some(raw.into());
    check(
        billed,
        "cohere",
        "/v2/chat",
        "cohere/command-r-plus 0.000085",
    );
}

#[test]
fn counting_and_credits_cost_no_money() {
    let mut counting = reading("claude-sonnet-4-5", None);
    counting.dialect = Some(Dialect::AnthropicCountTokens);
    check(counting, "anthropic", "/v1/messages/count_tokens", "");
    let mut credits = reading("claude-sonnet-4.5", None);
    credits.units.credits = Some("0.1".to_owned());
    check(credits, "kiro", "/generateAssistantResponse", "");
}

#[test]
fn context_use_is_the_wires_or_computed() {
    let mut reading = reading("claude-opus-4-6", None);
    price(
        &mut reading,
        Some("anthropic"),
        "/v1/messages",
        AT,
        Prices::builtin(),
    );
    let computed = ContextUse {
        window: Some(1_000_000),
        used_bp: 11,
        from_wire: false,
    };
    assert_eq!(reading.context, Some(computed));
    reading.response.context_bp = Some(1_250);
    price(
        &mut reading,
        Some("anthropic"),
        "/v1/messages",
        AT,
        Prices::builtin(),
    );
    let told = ContextUse {
        used_bp: 1_250,
        from_wire: true,
        ..computed
    };
    assert_eq!(reading.context, Some(told));
}

#[test]
fn a_reading_without_counts_loses_an_older_cost() {
    let mut reading = reading("gpt-4o", None);
    price(&mut reading, Some("openai"), "/", AT, Prices::builtin());
    assert!(reading.cost.is_some());
    reading.tokens = Tokens::default();
    price(&mut reading, Some("openai"), "/", AT, Prices::builtin());
    assert_eq!((reading.cost, reading.context), (None, None));
}
