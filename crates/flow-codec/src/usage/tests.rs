use serde_json::{Value, json};

use super::*;

/// Checks what a usage object comes to: input, output, reasoning and total.
#[track_caller]
fn check(dialect: Dialect, provider: &str, usage: &Value, expect: [Option<u64>; 4]) {
    let found = normalised(
        Rule::of(dialect, Some(&usage.clone().into())),
        Some(provider),
        &crate::dialects::usage(dialect, &usage.clone().into()),
    );
    let found = [found.input, found.output, found.reasoning, found.total];
    assert_eq!(found, expect, "{usage}");
}

#[test]
fn openai_counts_are_as_on_the_wire() {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 3}});
    check(
        Dialect::OpenaiChat,
        "openai",
        &usage,
        [Some(10), Some(4), Some(3), Some(14)],
    );
}

#[test]
fn xai_leaves_reasoning_out_of_the_answer() {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 44,
        "completion_tokens_details": {"reasoning_tokens": 30}});
    check(
        Dialect::OpenaiChat,
        "xai",
        &usage,
        [Some(10), Some(34), Some(30), Some(44)],
    );
}

#[test]
fn the_total_tells_whether_reasoning_is_left_out() {
    let usage = |total: u64| {
        json!({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": 30}})
    };
    check(
        Dialect::OpenaiChat,
        "azure",
        &usage(44),
        [Some(10), Some(34), Some(30), Some(44)],
    );
    check(
        Dialect::OpenaiChat,
        "xai",
        &usage(14),
        [Some(10), Some(4), Some(30), Some(14)],
    );
    let bare =
        json!({"completion_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 30}});
    check(
        Dialect::OpenaiChat,
        "xai",
        &bare,
        [None, Some(34), Some(30), None],
    );
}

#[test]
fn cached_tokens_are_a_part_of_the_prompt() {
    let usage = json!({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 161}});
    let wire = crate::dialects::usage(Dialect::OpenaiChat, &usage.into());
    assert_eq!(wire.cache_read, Some(161));
    assert_eq!(normalised(Rule::Chat, None, &wire).cache_read, Some(10));
}

#[test]
fn gemini_hides_reasoning_in_the_total_of_its_chat_endpoint() {
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 44});
    check(
        Dialect::OpenaiChat,
        "gemini",
        &usage,
        [Some(10), Some(34), Some(30), Some(44)],
    );
    check(
        Dialect::OpenaiChat,
        "openai",
        &usage,
        [Some(10), Some(4), None, Some(14)],
    );
}

#[test]
fn anthropic_leaves_the_cache_out_of_the_prompt() {
    let usage = json!({"input_tokens": 1, "output_tokens": 4, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 300});
    check(
        Dialect::AnthropicMessages,
        "anthropic",
        &usage,
        [Some(321), Some(4), None, Some(325)],
    );
    let plain = json!({"input_tokens": 1, "output_tokens": 4});
    check(
        Dialect::AnthropicMessages,
        "anthropic",
        &plain,
        [Some(1), Some(4), None, Some(5)],
    );
}

#[test]
fn gemini_leaves_thoughts_out_of_the_answer_and_tools_out_of_the_prompt() {
    let usage = json!({"promptTokenCount": 10, "candidatesTokenCount": 4, "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 50, "totalTokenCount": 67});
    check(
        Dialect::GeminiGenerate,
        "gemini",
        &usage,
        [Some(60), Some(7), Some(3), Some(67)],
    );
    let snake = json!({"prompt_token_count": 10, "candidates_token_count": 4});
    check(
        Dialect::GeminiGenerate,
        "gemini",
        &snake,
        [Some(10), Some(4), None, Some(14)],
    );
}

#[test]
fn the_total_tells_what_gemini_leaves_out() {
    let blocked = json!({"promptTokenCount": 10, "totalTokenCount": 10});
    check(
        Dialect::GeminiGenerate,
        "gemini",
        &blocked,
        [Some(10), Some(0), None, Some(10)],
    );
    let thoughts = json!({"promptTokenCount": 10, "thoughtsTokenCount": 5, "totalTokenCount": 15});
    check(
        Dialect::GeminiGenerate,
        "gemini",
        &thoughts,
        [Some(10), Some(5), Some(5), Some(15)],
    );
}

#[test]
fn what_the_wire_does_not_say_stays_unknown() {
    for dialect in [
        Dialect::OpenaiChat,
        Dialect::AnthropicMessages,
        Dialect::GeminiGenerate,
    ] {
        check(dialect, "xai", &json!({}), [None; 4]);
        check(
            dialect,
            "gemini",
            &json!({"prompt_tokens": "x", "input_tokens": -1, "promptTokenCount": null}),
            [None; 4],
        );
    }
    check(
        Dialect::OpenaiChat,
        "openai",
        &json!({"total_tokens": 5}),
        [None, None, None, Some(5)],
    );
}

#[test]
fn vectors_and_verdicts_are_all_prompt() {
    for dialect in [Dialect::OpenaiEmbeddings, Dialect::OpenaiModerations] {
        let only_total = json!({"total_tokens": 5});
        check(dialect, "x", &only_total, [Some(5), None, None, Some(5)]);
        let both = json!({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5});
        check(dialect, "x", &both, [Some(5), Some(0), None, Some(5)]);
        let only_prompt = json!({"prompt_tokens": 5});
        check(dialect, "x", &only_prompt, [Some(5), None, None, Some(5)]);
    }
    let counted = json!({"token_count": 5});
    check(
        Dialect::GeminiPredict,
        "vertex",
        &counted,
        [Some(5), None, None, Some(5)],
    );
}

#[test]
fn mistral_leaves_sound_out_of_a_transcriptions_prompt() {
    let usage = json!({"prompt_tokens": 3, "completion_tokens": 11, "total_tokens": 389});
    let all = [Some(378), Some(11), None, Some(389)];
    check(Dialect::OpenaiAudio, "mistral", &usage, all);
    let openai = json!({"input_tokens": 3, "output_tokens": 11, "total_tokens": 14});
    let plain = [Some(3), Some(11), None, Some(14)];
    check(Dialect::OpenaiAudio, "openai", &openai, plain);
}

#[test]
fn counts_at_the_edge_do_not_overflow() {
    let usage = json!({"input_tokens": u64::MAX, "output_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX});
    let all = Some(u64::MAX);
    check(
        Dialect::AnthropicMessages,
        "anthropic",
        &usage,
        [all, all, None, all],
    );
}

#[test]
fn a_provisional_count_is_no_count() {
    let read = |events: &[&str]| {
        let mut decoder = crate::ResponseDecoder::new(Dialect::AnthropicMessages, 200, &[]);
        for event in events {
            decoder.push(format!("data: {event}\n\n").as_bytes(), 1);
        }
        let reading = decoder.finish(false);
        tokens(Dialect::AnthropicMessages, None, &reading)
    };
    let start = r#"{"type":"message_start","message":{"id":"m","role":"assistant","content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":5,"output_tokens":1}}}"#;
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":40}}"#;
    let broken = read(&[start]);
    assert_eq!(
        (broken.input, broken.output, broken.total),
        (Some(14), None, None)
    );
    let whole = read(&[start, stop]);
    assert_eq!(
        (whole.input, whole.output, whole.total),
        (Some(14), Some(40), Some(54))
    );
}

#[test]
fn coheres_counts_are_as_on_the_wire_and_those_billed_stand_in() {
    let both = json!({"billed_units": {"input_tokens": 1, "output_tokens": 2}, "cached_tokens": 8,
        "tokens": {"input_tokens": 10, "output_tokens": 4, "reasoning_tokens": 3}});
    check(
        Dialect::CohereChat,
        "cohere",
        &both,
        [Some(10), Some(4), None, Some(14)],
    );
    let response = ResponseReading {
        usage: Some(crate::dialects::usage(
            Dialect::CohereChat,
            &both.clone().into(),
        )),
        usage_raw: Some(both.into()),
        ..ResponseReading::default()
    };
    let counted = tokens(Dialect::CohereChat, None, &response);
    assert_eq!((counted.cache_read, counted.reasoning), (Some(8), Some(3)));
    let billed = json!({"billed_units": {"input_tokens": 7.0, "output_tokens": 0.5}});
    check(
        Dialect::CohereGenerate,
        "cohere",
        &billed,
        [Some(7), None, None, None],
    );
}

#[test]
fn ollamas_counts_are_as_on_the_wire() {
    let usage = json!({"prompt_eval_count": 10, "eval_count": 4, "eval_duration": 99});
    let expect = [Some(10), Some(4), None, Some(14)];
    check(Dialect::OllamaChat, "ollama", &usage, expect);
    let cached = json!({"eval_count": 4});
    let expect = [None, Some(4), None, None];
    check(Dialect::OllamaGenerate, "ollama", &cached, expect);
}

#[test]
fn bedrock_and_kiro_count_the_cache_apart() {
    let expect = [Some(17), Some(4), None, Some(21)];
    let converse = json!({"inputTokens": 10, "outputTokens": 4, "totalTokens": 21,
        "cacheReadInputTokens": 5, "cacheWriteInputTokens": 2});
    check(Dialect::BedrockConverse, "bedrock", &converse, expect);
    check(Dialect::BedrockInvoke, "bedrock", &converse, expect);
    let claude = json!({"input_tokens": 10, "output_tokens": 4,
        "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2});
    check(Dialect::BedrockInvoke, "bedrock", &claude, expect);
    let kiro = json!({"uncachedInputTokens": 10, "outputTokens": 4, "totalTokens": 21,
        "cacheReadInputTokens": 5, "cacheWriteInputTokens": 2});
    check(Dialect::Kiro, "kiro", &kiro, expect);
    let llama = json!({"prompt_token_count": 17, "generation_token_count": 4});
    check(Dialect::BedrockInvoke, "bedrock", &llama, expect);
}
