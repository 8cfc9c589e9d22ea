//! The cost and the context use of a reading.

use flow_model::{ContextUse, Dialect, Raw, Reading, Timestamp, Tokens};
use serde_json::Value;

use crate::cost::{PriceQuery, cost};
use crate::prices::Prices;
use crate::provider;

/// Hundredths of a per cent in a whole.
const WHOLE_BP: u64 = 10_000;

/// Fills the cost and the context use of a reading. `path` is that of the request: some providers name the model
/// nowhere else.
pub fn price(
    reading: &mut Reading,
    provider: Option<&str>,
    path: &str,
    at: Timestamp,
    prices: &Prices,
) {
    let models = models(reading, provider, path);
    let usage = reading.response.usage_raw.as_ref().map(Raw::value);
    let usage = usage.as_ref();
    let found = models
        .iter()
        .find_map(|model| cost(prices, &query(reading, usage, provider, model, at)));
    reading.cost = if is_paid(reading.dialect) {
        found
    } else {
        None
    };
    reading.context = context(reading, provider, &models, prices);
}

/// Returns the names of the model, the most telling first. Bedrock's path names the region too, which the answer
/// does not; elsewhere the answer names the version.
fn models(reading: &Reading, provider: Option<&str>, path: &str) -> Vec<String> {
    let asked = reading.request.model.clone();
    let answered = reading.response.model.clone();
    // A colon in a path may be written as an escape.
    let in_path = in_path(path).map(|model| model.replace("%3A", ":").replace("%3a", ":"));
    let is_bedrock = provider.is_some_and(|name| provider::canonical(name) == "bedrock");
    let order = if is_bedrock {
        [in_path, asked, answered]
    } else {
        [answered, asked, in_path]
    };
    order
        .into_iter()
        .flatten()
        .filter(|model| !model.is_empty())
        .collect()
}

/// Returns the model in a path: `…/models/M:method`, `/model/M/method`, `…/deployments/M/…`.
fn in_path(path: &str) -> Option<&str> {
    let path = path.split('?').next().unwrap_or_default();
    if let Some((_, rest)) = path.rsplit_once("/models/") {
        return rest.rsplit_once(':').map(|(model, _)| model);
    }
    let (_, rest) = path
        .split_once("/model/")
        .or_else(|| path.split_once("/deployments/"))?;
    rest.split('/').next()
}

/// Returns whether calls of a dialect cost anything. Counting tokens and listing models is free everywhere.
fn is_paid(dialect: Option<Dialect>) -> bool {
    !matches!(
        dialect,
        Some(
            Dialect::OpenaiInputTokens
                | Dialect::AnthropicCountTokens
                | Dialect::GeminiCountTokens
                | Dialect::BedrockCountTokens
                | Dialect::AnthropicBatches
                | Dialect::Models
        )
    )
}

fn query<'a>(
    reading: &'a Reading,
    usage: Option<&'a Value>,
    provider: Option<&'a str>,
    model: &'a str,
    at: Timestamp,
) -> PriceQuery<'a> {
    let parameter = |name: &str| {
        let value = reading.request.parameters.get(name)?;
        // Bedrock has an object there.
        value.as_str().or_else(|| value.get("type")?.as_str())
    };
    let stated = |name: &str| usage?.get(name)?.as_str();
    let tier = reading
        .response
        .service_tier
        .as_deref()
        .or_else(|| stated("service_tier"))
        .or_else(|| parameter("service_tier"))
        .or_else(|| parameter("serviceTier"));
    PriceQuery {
        provider,
        model,
        at,
        tokens: usage.and_then(billed).unwrap_or(reading.tokens),
        units: &reading.units,
        tier,
        speed: stated("speed").or_else(|| parameter("speed")),
        is_batch: false,
    }
}

/// Returns the counts that the provider says it bills, where they are not those of the model: Cohere adds a
/// preamble of its own and does not charge for it.
fn billed(usage: &Value) -> Option<Tokens> {
    let billed = usage.get("billed_units")?;
    let count = |name: &str| {
        let value = billed.get(name)?;
        // Cohere writes whole numbers as 26.0.
        let float = value
            .as_f64()
            .filter(|count| count.fract() == 0.0 && (0.0..1e15).contains(count));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        value.as_u64().or_else(|| float.map(|count| count as u64))
    };
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    (input.is_some() || output.is_some()).then(|| Tokens {
        input,
        output,
        ..Tokens::default()
    })
}

fn context(
    reading: &Reading,
    provider: Option<&str>,
    models: &[String],
    prices: &Prices,
) -> Option<ContextUse> {
    let mut windows = models
        .iter()
        .filter_map(|model| prices.window(provider, model)?.input);
    let window = windows.next();
    if let Some(used_bp) = reading.response.context_bp {
        return Some(ContextUse {
            window,
            used_bp,
            from_wire: true,
        });
    }
    let used = reading
        .tokens
        .input?
        .saturating_add(reading.tokens.output.unwrap_or(0));
    Some(ContextUse {
        window,
        used_bp: used.saturating_mul(WHOLE_BP).checked_div(window?)?,
        from_wire: false,
    })
}

#[cfg(test)]
mod tests;
