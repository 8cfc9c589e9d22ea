use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Noon of a day in UTC.
fn day(days: i64) -> Timestamp {
    Timestamp((days * 24 + 12) * 3_600_000_000)
}

/// 2026-11-21.
const NOW: i64 = 20_778;

fn tokens(value: &Value) -> Tokens {
    let mut all = json!({"input": null, "output": null, "cache_read": null, "cache_write": null,
        "reasoning": null, "total": null});
    for (name, count) in value.as_object().unwrap() {
        all[name] = count.clone();
    }
    serde_json::from_value(all).unwrap()
}

fn own_prices() -> Prices {
    let own = json!({
        "full": {"input": 1, "output": 2, "cache_read": "0.1", "cache_write": "1.25", "cache_write_1h": 2,
            "input_audio": 10, "output_audio": 20, "cache_read_audio": 5, "reasoning": 3, "output_image": 30,
            "input_image": 4, "search": 10, "character": 15, "request": 5},
        "plain": {"input": 1, "output": 2},
        "sound": {"audio_hour": "0.36"},
        "pictures": {"image": "0.04"},
        "images-by-token": {"input": 5, "output_image": 40},
        "free": {"input": 0, "output": 0},
    });
    Prices::with_overrides(own.as_object().unwrap()).unwrap()
}

fn query<'a>(model: &'a str, tokens: Tokens, units: &'a Units) -> PriceQuery<'a> {
    PriceQuery {
        provider: None,
        model,
        at: day(NOW),
        tokens,
        units,
        tier: None,
        speed: None,
        is_batch: false,
    }
}

fn lines(cost: &Cost) -> String {
    let lines = cost
        .lines
        .iter()
        .map(|line| format!("{} {}", line.count, line.what));
    lines.collect::<Vec<_>>().join(", ")
}

#[track_caller]
fn check(model: &str, counts: &Value, expect: &str, total: &str) {
    let cost = cost(
        &own_prices(),
        &query(model, tokens(counts), &Units::default()),
    )
    .unwrap();
    assert_eq!(
        (lines(&cost).as_str(), cost.total.to_string().as_str()),
        (expect, total),
        "{model}"
    );
}

#[test]
fn parts_are_paid_at_their_own_rate() {
    check(
        "full",
        &json!({"input": 1_000, "output": 100}),
        "1000 input, 100 output, 1 request",
        "0.0062",
    );
    check(
        "full",
        &json!({"input": 1_000, "output": 100, "cache_read": 300, "cache_write": 200, "cache_write_1h": 50,
            "reasoning": 40}),
        "500 input, 300 cache_read, 150 cache_write, 50 cache_write_1h, 60 output, 40 reasoning, 1 request",
        "0.0060575",
    );
    check(
        "full",
        &json!({"input": 1_000, "cache_read": 300, "input_audio": 400, "cache_read_audio": 100, "input_image": 7}),
        "393 input, 200 cache_read, 100 cache_read_audio, 300 input_audio, 7 input_image, 1 request",
        "0.008941",
    );
    check(
        "full",
        &json!({"output": 100, "output_audio": 30, "output_image": 20}),
        "50 output, 30 output_audio, 20 output_image, 1 request",
        "0.0063",
    );
}

#[test]
fn parts_without_a_rate_stay_in_the_whole() {
    let counts = json!({"input": 1_000, "output": 100, "cache_read": 300, "cache_write": 200,
        "cache_write_1h": 50, "reasoning": 40, "output_audio": 10});
    check("plain", &counts, "1000 input, 100 output", "0.0012");
    let cost = cost(
        &own_prices(),
        &query("plain", tokens(&counts), &Units::default()),
    )
    .unwrap();
    let expect = [
        "cache_write_1h at the price of cache_write",
        "cache_write at the price of input",
        "cache_read at the price of input",
        "output_audio at the price of output",
    ];
    assert_eq!(cost.conditions, expect);
    assert_eq!(cost.version, "user");
    check(
        "images-by-token",
        &json!({"input": 10, "output": 100}),
        "10 input, 100 output_image",
        "0.00405",
    );
}

#[test]
fn parts_are_no_more_than_the_whole() {
    check(
        "full",
        &json!({"input": 10, "cache_read": 300}),
        "10 cache_read, 1 request",
        "0.005001",
    );
    let beside = json!({"input": 100, "cache_read": 90, "cache_write": 90});
    check(
        "full",
        &beside,
        "10 input, 90 cache_read, 90 cache_write, 1 request",
        "0.0051315",
    );
}

#[test]
fn units_beside_tokens_are_paid() {
    let paid = |model: &str, units: Units, counts: &Value| {
        let cost = cost(&own_prices(), &query(model, tokens(counts), &units));
        cost.map(|cost| (lines(&cost), cost.total.to_string(), cost.unpriced))
    };
    let none = json!({});
    let sound = Units {
        audio_ms: Some(90_000),
        ..Units::default()
    };
    assert_eq!(
        paid("sound", sound.clone(), &none),
        Some(("90000 audio_ms".into(), "0.009".into(), vec![]))
    );
    assert_eq!(paid("plain", sound, &none), None);
    let images = Units {
        images: Some(2),
        ..Units::default()
    };
    assert_eq!(
        paid("pictures", images, &none),
        Some(("2 image".into(), "0.08".into(), vec![]))
    );
    let searches = Units {
        searches: Some(3),
        ..Units::default()
    };
    let counts = json!({"input": 1_000});
    let with = Some((
        "1000 input, 1 request, 3 search".into(),
        "0.036".into(),
        vec![],
    ));
    assert_eq!(paid("full", searches.clone(), &counts), with);
    let without = Some((
        "1000 input".into(),
        "0.001".into(),
        vec!["3 search".to_owned()],
    ));
    assert_eq!(paid("plain", searches, &counts), without);
    let characters = Units {
        characters: Some(1_000_000),
        ..Units::default()
    };
    assert_eq!(
        paid("full", characters, &none),
        Some((
            "1 request, 1000000 character".into(),
            "15.005".into(),
            vec![]
        ))
    );
}

#[test]
fn what_is_counted_and_not_priced_is_said() {
    let cost = cost(
        &own_prices(),
        &query(
            "images-by-token",
            tokens(&json!({"input": 1})),
            &Units::default(),
        ),
    );
    assert!(cost.unwrap().unpriced.is_empty());
    let (prices, units) = (Prices::builtin(), Units::default());
    let embedding = query(
        "text-embedding-3-small",
        tokens(&json!({"input": 1, "output": 5})),
        &units,
    );
    assert_eq!(
        super::cost(prices, &embedding).unwrap().unpriced,
        ["5 output"]
    );
}

#[test]
fn unknown_is_not_nought_and_free_is() {
    let units = Units::default();
    let counted = tokens(&json!({"input": 10, "output": 10}));
    assert_eq!(
        cost(Prices::builtin(), &query("no-such-model", counted, &units)),
        None
    );
    assert_eq!(
        cost(
            Prices::builtin(),
            &query("gpt-4o", Tokens::default(), &units)
        ),
        None
    );
    let free = cost(&own_prices(), &query("free", counted, &units)).unwrap();
    assert_eq!(
        (free.total, free.conditions),
        (Money::ZERO, vec!["listed as free".to_owned()])
    );
}

#[track_caller]
fn check_table(query: &PriceQuery<'_>, total: &str, conditions: &[&str]) {
    let cost = cost(Prices::builtin(), query).unwrap();
    assert_eq!(cost.total.to_string(), total, "{cost:?}");
    assert_eq!(cost.conditions, conditions);
}

#[test]
fn tiers_take_the_place_of_the_standard_price() {
    let units = Units::default();
    let call = PriceQuery {
        provider: Some("openai"),
        ..query(
            "gpt-4.1",
            tokens(&json!({"input": 1_000_000, "output": 0})),
            &units,
        )
    };
    check_table(&call, "2", &[]);
    for word in ["default", "auto", "ON_DEMAND", "standard", ""] {
        check_table(
            &PriceQuery {
                tier: Some(word),
                ..call
            },
            "2",
            &[],
        );
    }
    check_table(
        &PriceQuery {
            tier: Some("priority"),
            ..call
        },
        "3.5",
        &["priority"],
    );
    check_table(
        &PriceQuery {
            tier: Some("on_demand_priority"),
            ..call
        },
        "3.5",
        &["priority"],
    );
    check_table(
        &PriceQuery {
            is_batch: true,
            ..call
        },
        "1",
        &["batch"],
    );
    check_table(
        &PriceQuery {
            tier: Some("batch"),
            ..call
        },
        "1",
        &["batch"],
    );
    check_table(
        &PriceQuery {
            tier: Some("scale"),
            ..call
        },
        "2",
        &["no price for scale"],
    );
    let fast = PriceQuery {
        provider: Some("anthropic"),
        model: "claude-fable-5-2",
        speed: Some("fast"),
        ..call
    };
    check_table(&fast, "16", &["speed:fast"]);
}

#[test]
fn a_long_prompt_raises_the_whole_call() {
    let units = Units::default();
    let call = |input: u64| PriceQuery {
        provider: Some("gemini"),
        ..query(
            "gemini-2.5-pro",
            tokens(&json!({"input": input, "output": 1_000_000})),
            &units,
        )
    };
    check_table(&call(200_000), "10.25", &[]);
    check_table(&call(200_001), "15.5000025", &["input > 200000"]);
}

#[test]
fn prices_depend_on_the_day_and_the_hour() {
    let units = Units::default();
    let counted = tokens(&json!({"input": 1_000_000}));
    let peak = PriceQuery {
        provider: Some("deepseek"),
        ..query("deepseek-chat", counted, &units)
    };
    check_table(&peak, "0.27", &["00:30-16:30 UTC"]);
    let night = Timestamp(day(NOW).0 + 6 * 3_600_000_000);
    check_table(&PriceQuery { at: night, ..peak }, "0.135", &[]);
    let later = PriceQuery {
        provider: Some("gemini"),
        ..query("gemini-3.8-flash-lite-tts", counted, &units)
    };
    check_table(&later, "0.5", &[]);
    check_table(
        &PriceQuery {
            at: day(NOW + 60),
            ..later
        },
        "1",
        &[],
    );
}

#[test]
fn a_price_says_whose_it_is_and_who_disputes_it() {
    let units = Units::default();
    let counted = tokens(&json!({"input": 1_000}));
    check_table(
        &query("gpt-4o", counted, &units),
        "0.0025",
        &["price of openai"],
    );
    let disputed = PriceQuery {
        provider: Some("mistral"),
        ..query("mistral-large", counted, &units)
    };
    let cost = cost(Prices::builtin(), &disputed).unwrap();
    assert_eq!(
        cost.disputed.as_deref(),
        Some("as mistral-large-latest: input 2 (litellm: 0.5); output 6 (litellm: 1.5)")
    );
    assert_eq!(cost.price, "mistral/mistral-large");
}

proptest! {
    #[test]
    fn lines_sum_to_the_total_and_more_costs_more(
        (input, read, write) in (0..1_000_000_u64, 0..300_000_u64, 0..300_000_u64)
            .prop_map(|(plain, read, write)| (plain + read + write, read, write)),
        output in 0..1_000_000_u64,
        reasoning in 0..1_000_000_u64,
        more in 1..100_000_u64,
        model in prop::sample::select(vec!["gpt-4.1", "claude-sonnet-4-5", "gemini-2.5-pro", "deepseek-chat"]),
    ) {
        let units = Units::default();
        let counts = |input: u64, output: u64| Tokens {
            input: Some(input),
            output: Some(output),
            cache_read: Some(read),
            cache_write: Some(write),
            reasoning: Some(reasoning.min(output)),
            ..Tokens::default()
        };
        let at = |input, output| cost(Prices::builtin(), &query(model, counts(input, output), &units)).unwrap();
        let base = at(input, output);
        prop_assert_eq!(base.lines.iter().map(|line| line.amount).sum::<Money>(), base.total);
        prop_assert!(base.lines.iter().all(|line| line.amount == line.price.times(line.count, line.per)));
        let prompt = ["input", "cache_read", "cache_write", "cache_write_1h"];
        let counted = base.lines.iter().filter(|line| prompt.contains(&line.what.as_str()));
        prop_assert_eq!(counted.map(|line| line.count).sum::<u64>(), input);
        prop_assert!(at(input + more, output).total >= base.total);
        prop_assert!(at(input, output + more).total >= base.total);
    }

    #[test]
    fn any_counts_have_a_cost(counts in prop::array::uniform11(prop::option::of(any::<u64>()))) {
        let [input, output, cache_read, cache_write, cache_write_1h, reasoning, ..] = counts;
        let [.., input_audio, input_image, cache_read_audio, output_audio, output_image] = counts;
        let tokens = Tokens {
            input, output, cache_read, cache_write, cache_write_1h, reasoning, input_audio, input_image,
            cache_read_audio, output_audio, output_image, total: None,
        };
        let found = cost(&own_prices(), &query("full", tokens, &Units::default()));
        prop_assert_eq!(found.is_some(), input.is_some() || output.is_some());
    }
}
