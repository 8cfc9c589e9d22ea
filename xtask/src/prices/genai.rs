//! Reads the data of genai-prices.
//!
//! | there | here |
//! |---|---|
//! | clauses `equals`, `starts_with`, `contains`, `ends_with`, `or` | patterns |
//! | regular expressions of digits, classes and options | patterns; one that refuses text to speech: `not` |
//! | `prices` as a list: the last active one | periods with `from` or `hours` |
//! | `price_variants`: the first active one, rate by rate | periods with `when` |
//! | `TieredPrices`: the whole request at the rate of its length | `over` |
//! | a model without any rate | free: a rate of 0 |

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::decimal::Decimal;
use super::model::{Model, Period};
use super::python;

/// What was read.
pub(super) struct Genai {
    pub(super) models: Vec<Model>,
    /// What was left out, with how often.
    pub(super) dropped: BTreeMap<String, usize>,
}

/// The name that this source is given in the table.
pub(super) const SOURCE: &str = "genai-prices";

/// Their keys of prices, and ours. An hour of sound has two keys with the same meaning.
const KEYS: &[(&str, &str)] = &[
    ("input_mtok", "input"),
    ("output_mtok", "output"),
    ("cache_read_mtok", "cache_read"),
    ("cache_write_mtok", "cache_write"),
    ("cache_write_1h_mtok", "cache_write_1h"),
    ("output_reasoning_mtok", "reasoning"),
    ("input_audio_mtok", "input_audio"),
    ("output_audio_mtok", "output_audio"),
    ("cache_audio_read_mtok", "cache_read_audio"),
    ("input_image_mtok", "input_image"),
    ("output_image_mtok", "output_image"),
    ("cache_image_read_mtok", "cache_read_image"),
    ("requests_kcount", "request"),
    ("web_searches_kcount", "search"),
    ("audio_hours", "audio_hour"),
    ("input_audio_hours", "audio_hour"),
    ("input_mchars", "character"),
];

/// Their names of providers that are others here.
const PROVIDERS: &[(&str, &str)] = &[
    ("aws", "bedrock"),
    ("google", "gemini"),
    ("moonshotai", "moonshot"),
    ("x-ai", "xai"),
    ("zhipuai", "zhipu"),
];

/// Reads the data file.
pub(super) fn read(text: &str) -> Result<Genai> {
    let providers = python::assigned(text, "providers").context("read the data of genai-prices")?;
    let mut genai = Genai {
        models: Vec::new(),
        dropped: BTreeMap::new(),
    };
    for provider in providers.as_array().context("the providers are no list")? {
        let id = provider["id"].as_str().context("a provider without id")?;
        let id = PROVIDERS
            .iter()
            .find(|(theirs, _)| *theirs == id)
            .map_or(id, |(_, ours)| ours);
        for model in provider["models"].as_array().into_iter().flatten() {
            let name = model["id"].as_str().unwrap_or_default();
            genai
                .model(id, model)
                .with_context(|| format!("read {id}/{name}"))?;
        }
    }
    Ok(genai)
}

// === impl Genai ===

impl Genai {
    fn model(&mut self, provider: &str, model: &Value) -> Result<()> {
        let id = model["id"].as_str().context("a model without id")?;
        let mut names = Vec::new();
        let mut not = Vec::new();
        self.names(&model["match"], &mut names, &mut not);
        let mut periods = Vec::new();
        match &model["prices"] {
            Value::Array(prices) => {
                for price in prices {
                    periods.push(self.period(price, None)?);
                }
            }
            prices => periods.push(self.rates(prices)?),
        }
        if periods.iter().all(|period| period.rates.is_empty()) {
            self.drop("models without a price for what is counted");
            return Ok(());
        }
        for variant in model["price_variants"].as_array().into_iter().flatten() {
            let Some(when) = when(&variant["when"]) else {
                self.drop(&format!("prices for {}", variant["when"]));
                continue;
            };
            let period = self.period(variant, Some(when))?;
            if !period.rates.is_empty() {
                periods.push(period);
            }
        }
        self.models.push(Model {
            provider: provider.to_owned(),
            id: id.to_lowercase(),
            names,
            not,
            window: model["context_window"]
                .as_str()
                .and_then(|text| text.parse().ok()),
            output_max: None,
            deprecated: None,
            periods,
            sources: BTreeSet::from([SOURCE]),
            disputed: None,
        });
        Ok(())
    }

    fn period(&mut self, price: &Value, when: Option<String>) -> Result<Period> {
        let constraint = &price["constraint"];
        let (from, hours) = match constraint["_"].as_str() {
            None => (None, None),
            Some("StartDateConstraint") => (Some(date(&constraint["start_date"])?), None),
            Some("TimeOfDateConstraint") => {
                let hours = [&constraint["start_time"], &constraint["end_time"]].map(time);
                let [start, end] = hours;
                (None, Some(format!("{}-{}", start?, end?)))
            }
            Some(other) => bail!("a condition that is not known: {other}"),
        };
        let mut period = self.rates(&price["prices"])?;
        if when.is_some() && is_free(&price["prices"]) {
            period.rates.clear();
        }
        Ok(Period {
            when,
            from,
            hours,
            ..period
        })
    }

    fn rates(&mut self, prices: &Value) -> Result<Period> {
        let mut period = Period::default();
        if is_free(prices) {
            period
                .rates
                .extend([("input", Decimal::ZERO), ("output", Decimal::ZERO)]);
        }
        for (key, value) in prices.as_object().context("prices are no object")? {
            if key == "_" || value.is_null() {
                continue;
            }
            let Some((_, unit)) = KEYS.iter().find(|(theirs, _)| theirs == key) else {
                self.drop(&format!("rates {key}"));
                continue;
            };
            let base = if value["_"] == "TieredPrices" {
                &value["base"]
            } else {
                value
            };
            period.rates.insert(unit, decimal(base)?);
            for tier in value["tiers"].as_array().into_iter().flatten() {
                let start = tier["start"].as_str().and_then(|start| start.parse().ok());
                let start = start.context("a tier without start")?;
                let rates = period.over.entry(start).or_default();
                rates.insert(unit, decimal(&tier["price"])?);
            }
        }
        period.trim();
        Ok(period)
    }

    fn names(&mut self, clause: &Value, names: &mut Vec<String>, not: &mut Vec<String>) {
        let text = |key: &str| clause[key].as_str().unwrap_or_default().to_lowercase();
        match clause["_"].as_str().unwrap_or_default() {
            "ClauseEquals" => names.push(text("equals")),
            "ClauseStartsWith" => names.push(format!("{}*", text("starts_with"))),
            "ClauseEndsWith" => names.push(format!("*{}", text("ends_with"))),
            "ClauseContains" => names.push(format!("*{}*", text("contains"))),
            "ClauseOr" => {
                for clause in clause["or_"].as_array().into_iter().flatten() {
                    self.names(clause, names, not);
                }
            }
            "ClauseAnd" => {
                for clause in clause["and_"].as_array().into_iter().flatten() {
                    self.names(clause, names, not);
                }
            }
            "ClauseRegex" => match clause["regex"].as_str().unwrap_or_default() {
                NOT_SPEECH => not.extend(["*-tts".to_owned(), "*-tts-*".to_owned()]),
                regex => match patterns(regex) {
                    Some(patterns) => names.extend(patterns),
                    None => self.drop(&format!("the regular expression {regex}")),
                },
            },
            other => self.drop(&format!("a clause {other}")),
        }
    }

    fn drop(&mut self, what: &str) {
        *self.dropped.entry(format!("{SOURCE}: {what}")).or_default() += 1;
    }
}

/// Returns whether prices are given, and there are none.
fn is_free(prices: &Value) -> bool {
    prices
        .as_object()
        .is_some_and(|prices| prices.keys().all(|key| key == "_"))
}

/// The one expression that says what a name must not hold.
const NOT_SPEECH: &str = "^(?!.*-[tT][tT][sS](?:$|-))";

/// Returns the patterns that a simple regular expression stands for.
fn patterns(regex: &str) -> Option<Vec<String>> {
    let mut rest = regex.strip_prefix('^')?;
    let mut done = vec![String::new()];
    while !rest.is_empty() {
        if rest == "$" {
            return Some(done);
        }
        let (choices, next) = piece(rest)?;
        done = done
            .iter()
            .flat_map(|start| choices.iter().map(move |choice| format!("{start}{choice}")))
            .collect();
        rest = next;
    }
    Some(done.into_iter().map(|start| format!("{start}*")).collect())
}

/// Reads one piece of an expression: what it can stand for, and what follows.
fn piece(rest: &str) -> Option<(Vec<String>, &str)> {
    if let Some(after) = rest.strip_prefix("\\d") {
        let Some(counted) = after.strip_prefix('{') else {
            return Some((vec!["#".to_owned()], after));
        };
        let (count, after) = counted.split_once('}')?;
        return Some((vec!["#".repeat(count.parse().ok()?)], after));
    }
    if let Some(after) = rest.strip_prefix('(') {
        let (inner, after) = after.split_once(")?")?;
        let mut choices = patterns(&format!("^{inner}$"))?;
        choices.push(String::new());
        return Some((choices, after));
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (inner, after) = after.split_once(']')?;
        return Some((inner.chars().map(String::from).collect(), after));
    }
    let escaped = rest.strip_prefix('\\');
    let mut letters = escaped.unwrap_or(rest).chars();
    let letter = letters.next()?;
    let plain = escaped.is_some() || !"\\()[]{}|+?.*^$".contains(letter);
    plain.then(|| (vec![letter.to_string()], letters.as_str()))
}

/// Returns the word for a variant; none for one that says nothing new or is not known.
fn when(when: &Value) -> Option<String> {
    let (key, value) = when.as_object()?.iter().next()?;
    match (key.as_str(), value.as_str()?) {
        ("processing", "batch") => Some("batch".to_owned()),
        ("service_tier", tier) => Some(tier.to_owned()),
        ("speed", speed) => Some(format!("speed:{speed}")),
        _ => None,
    }
}

fn decimal(value: &Value) -> Result<Decimal> {
    let text = value["args"][0].as_str().unwrap_or_default();
    // Some prices carry the noise of a binary number, such as 0.18000000000000002.
    Decimal::parse(text)
        .or_else(|| Decimal::from_float(text.parse().ok()?))
        .with_context(|| format!("no price: {value}"))
}

fn date(value: &Value) -> Result<String> {
    let number = |at: usize| {
        value["args"][at]
            .as_str()
            .and_then(|text| text.parse::<u32>().ok())
    };
    match (number(0), number(1), number(2)) {
        (Some(year), Some(month), Some(day)) => Ok(format!("{year:04}-{month:02}-{day:02}")),
        _ => bail!("no date: {value}"),
    }
}

fn time(value: &Value) -> Result<String> {
    let number = |at: usize| {
        value["args"][at]
            .as_str()
            .and_then(|text| text.parse::<u32>().ok())
    };
    let utc = value["tzinfo"]
        .as_str()
        .is_none_or(|zone| zone.ends_with("UTC"));
    match (number(0), number(1).unwrap_or(0)) {
        (Some(hour), minute) if utc => Ok(format!("{hour:02}:{minute:02}")),
        _ => bail!("no time of day in UTC: {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(regex: &str, expect: Option<&[&str]>) {
        let found = patterns(regex);
        let found: Option<Vec<&str>> = found
            .as_ref()
            .map(|all| all.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), expect, "{regex}");
    }

    #[test]
    fn simple_expressions_are_patterns() {
        check(r"^gpt-5\.4-\d{4}-\d{2}$", Some(&["gpt-5.4-####-##"]));
        check(r"^a[-@]\d{2}$", Some(&["a-##", "a@##"]));
        check(r"^(x/)?a(-\d)?$", Some(&["x/a-#", "x/a", "a-#", "a"]));
        check(r"^a-\d", Some(&["a-#*"]));
        check(r"^a\[b\]$", Some(&["a[b]"]));
        check(r"^a|b$", None);
        check("a", None);
    }

    #[test]
    fn models_are_read() {
        let text = "\nproviders: list[Provider] = [Provider(id='x-ai', models=[ModelInfo(id='G', \
            match=ClauseOr(or_=[ClauseEquals(equals='G'), ClauseStartsWith(starts_with='g-')]), context_window=9, \
            prices=[ConditionalPrice(prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('1'), \
            tiers=[Tier(start=5, price=Decimal('2'))]))), ConditionalPrice(constraint=StartDateConstraint(\
            start_date=datetime.date(2026, 1, 2)), prices=ModelPrice(odd=Decimal('3')))], \
            price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice())]), \
            ModelInfo(id='f', match=ClauseEquals(equals='f'), prices=ModelPrice())])]\n";
        let read = read(text).unwrap();
        let expect = "{\"provider\":\"xai\",\"id\":\"g\",\"names\":[\"g-*\"],\"window\":9,\"prices\":[\
            {\"rates\":{\"input\":\"1\"},\"over\":{\"5\":{\"input\":\"2\"}}},{\"from\":\"2026-01-02\",\"rates\":{}}],\"sources\":[\"genai-prices\"]}";
        assert_eq!(read.models[0].line(), expect);
        let free = "{\"provider\":\"xai\",\"id\":\"f\",\"prices\":[{\"rates\":{\"input\":\"0\",\"output\":\"0\"}}],\
            \"sources\":[\"genai-prices\"]}";
        assert_eq!(read.models[1].line(), free);
        assert_eq!(
            read.dropped.keys().next().unwrap(),
            "genai-prices: rates odd"
        );
    }
}
