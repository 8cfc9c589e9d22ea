use std::fmt::Write as _;

use flow_model::{
    Choice, Media, Message, Part, Raw, RequestReading, ResponseReading, Role, Tokens, Tool,
};
use proptest::prelude::*;
use serde_json::json;

use super::family::{Script, Vocabulary};
use super::tally::{COUNTED_BYTES_MAX, PIECE_BYTES, Tally};
use super::*;

fn text(text: &str) -> Part {
    Part::Text {
        text: text.to_owned(),
        citations: Vec::new(),
        cache: None,
    }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
    }
}

/// Returns a call whose wire told no counts.
fn call(dialect: Dialect, model: &str, ask: &str, answer: &str) -> Reading {
    Reading {
        dialect: Some(dialect),
        request: RequestReading {
            model: Some(model.to_owned()),
            messages: vec![message(Role::User, vec![text(ask)])],
            ..RequestReading::default()
        },
        response: ResponseReading {
            outcome: Outcome::Ok,
            choices: vec![Choice {
                index: 0,
                message: message(Role::Assistant, vec![text(answer)]),
                stop_reason: None,
                stop: None,
                logprobs: None,
            }],
            ..ResponseReading::default()
        },
        ..Reading::default()
    }
}

fn chat() -> Reading {
    call(Dialect::OpenaiChat, "gpt-4o", "hello world", "hello world")
}

/// Checks what a call is estimated at: input and output.
#[track_caller]
fn check(mut reading: Reading, input: Option<u64>, output: Option<u64>) {
    let before = reading.tokens;
    estimate(&mut reading);
    let tokens = reading.tokens;
    assert_eq!((tokens.input, tokens.output), (input, output));
    assert_eq!(reading.estimated, tokens != before);
}

#[test]
fn vocabularies_count_as_openais_own_library_does() {
    let cases = [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("tiktoken is great!", 6, 6),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("{\"a\": [1, 2, 3]}", 12, 12),
        ("  \n\n  fn main() {}", 6, 6),
        ("naïve café — “quoted”", 8, 8),
        ("今天天气很好，我们去公园散步吧。", 12, 20),
        ("お誕生日おめでとう", 8, 9),
        ("Привет, мир! Как дела?", 8, 12),
        ("👨‍👩‍👧‍👦 family", 12, 19),
        (".\n/", 1, 2),
    ];
    for (text, new, old) in cases {
        assert_eq!(Vocabulary::O200k.count(text), new, "{text}");
        assert_eq!(Vocabulary::Cl100k.count(text), old, "{text}");
    }
}

#[test]
fn openais_prompts_carry_the_documented_overhead() {
    check(chat(), Some(3 + 4 + 2), Some(2));
    let mut named = chat();
    named.request.messages[0].name = Some("hello".to_owned());
    check(named, Some(3 + 4 + 2 + 1 + 1), Some(2));
    let mut system = chat();
    system.request.system = vec![text("hello world")];
    check(system, Some(3 + 2 * (4 + 2)), Some(2));
}

#[test]
fn what_the_wire_tells_is_kept() {
    let mut reading = chat();
    reading.tokens = Tokens {
        input: Some(1000),
        cache_read: Some(900),
        ..Tokens::default()
    };
    estimate(&mut reading);
    assert_eq!(reading.tokens.input, Some(1000));
    assert_eq!(reading.tokens.output, Some(2));
    assert_eq!(reading.tokens.cache_read, Some(900));
    assert_eq!(reading.tokens.total, Some(1002));
    assert!(reading.estimated);

    let known = Tokens {
        input: Some(1),
        output: Some(1),
        ..Tokens::default()
    };
    let mut reading = Reading {
        tokens: known,
        ..chat()
    };
    estimate(&mut reading);
    assert_eq!(reading.tokens, known);
    assert!(!reading.estimated);
}

#[test]
fn nothing_is_guessed_where_nothing_was_asked_or_answered() {
    for outcome in [Outcome::None, Outcome::Error, Outcome::Partial] {
        let mut reading = chat();
        reading.response.outcome = outcome;
        check(reading, None, None);
    }
    let mut fetched = chat();
    fetched.request = RequestReading::default();
    check(fetched, None, None);
    let mut silent = chat();
    silent.response.choices.clear();
    check(silent, Some(9), None);
    let mut queued = chat();
    for choice in &mut queued.response.choices {
        choice.message.parts.clear();
        choice.stop = None;
    }
    check(queued, None, None);
    for dialect in [
        Dialect::Models,
        Dialect::OpenaiModerations,
        Dialect::AnthropicCountTokens,
        Dialect::OpenaiImages,
    ] {
        check(call(dialect, "gpt-4o", "hello", "hello"), None, None);
    }
    check(Reading::default(), None, None);
}

#[test]
fn a_cut_stream_is_counted_as_far_as_it_came() {
    for outcome in [Outcome::StreamError, Outcome::StreamTruncated] {
        let mut reading = chat();
        reading.response.outcome = outcome;
        check(reading, Some(9), Some(2));
    }
}

#[test]
fn embeddings_have_no_output_and_no_chat_format() {
    let reading = call(
        Dialect::OpenaiEmbeddings,
        "text-embedding-3-small",
        "hello",
        "x",
    );
    check(reading, Some(1), None);
}

#[test]
fn plain_completions_have_no_chat_format() {
    let reading = call(
        Dialect::OpenaiCompletions,
        "gpt-3.5-turbo-instruct",
        "hello world",
        "hello",
    );
    check(reading, Some(2), Some(1));
}

#[test]
fn images_and_withheld_reasoning_are_left_out() {
    let mut reading = chat();
    reading.request.messages[0].parts.push(Part::Image {
        media: Media::default(),
    });
    let hidden = Part::Thinking {
        text: String::new(),
        signed: true,
        redacted: true,
    };
    reading.response.choices[0].message.parts = vec![hidden];
    check(reading, Some(9), None);
}

#[test]
fn reasoning_counts_in_the_answer_and_not_in_the_next_prompt() {
    let thinking = Part::Thinking {
        text: "hello world".to_owned(),
        signed: false,
        redacted: false,
    };
    let mut reading = chat();
    reading.request.messages[0].parts.push(thinking.clone());
    reading.response.choices[0].message.parts.push(thinking);
    check(reading, Some(9), Some(4));
}

#[test]
fn calls_results_and_tools_count() {
    let tool_call = Part::ToolCall {
        id: Some("a".to_owned()),
        name: "hello".to_owned(),
        arguments: "hello world".to_owned(),
        server: false,
    };
    let mut reading = chat();
    reading.response.choices[0].message.parts = vec![tool_call.clone()];
    check(reading.clone(), Some(9), Some(8 + 1 + 2));
    reading.response.choices[0].message.parts = vec![tool_call.clone(), tool_call.clone()];
    check(reading, Some(9), Some(12 + 2 * (8 + 1 + 2)));

    let result = Part::ToolResult {
        call_id: None,
        name: None,
        content: vec![text("hello world")],
        is_error: false,
        server: false,
    };
    let mut reading = chat();
    reading
        .request
        .messages
        .push(message(Role::Assistant, vec![tool_call]));
    reading
        .request
        .messages
        .push(message(Role::Tool, vec![result]));
    check(reading, Some(9 + (4 + 8 + 1 + 2) + (4 + 2)), Some(2));
}

fn weather(schema: &serde_json::Value) -> Tool {
    Tool {
        name: "weather".to_owned(),
        description: Some("Tells the weather.\nOf a place.".to_owned()),
        schema: Some(Raw::from(schema.clone())),
        bytes: 0,
        server: false,
        cache: None,
    }
}

#[test]
fn tools_are_declared_as_types() {
    let schema = json!({
        "type": "object",
        "properties": {
            "place": {"type": "string", "description": "Where."},
            "unit": {"enum": ["c", "f"]},
            "days": {"type": ["integer", "null"]},
            "points": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}},
            "any": {},
            "either": {"anyOf": [{"type": "boolean"}, {"type": "object"}]},
        },
        "required": ["place"],
    });
    let tools = [weather(&schema), weather(&json!({"type": "object"}))];
    assert_eq!(
        schema::declarations(tools.iter()),
        "# Tools\n\n## functions\n\nnamespace functions {\n\n\
         // Tells the weather.\n// Of a place.\ntype weather = (_: {\n\
         // Where.\nplace: string,\nunit?: \"c\" | \"f\",\ndays?: number | null,\n\
         points?: {\nx?: number,\n}[],\nany?: any,\neither?: boolean | object,\n}) => any;\n\n\
         // Tells the weather.\n// Of a place.\ntype weather = () => any;\n\n\
         } // namespace functions"
    );
}

#[test]
fn a_schema_that_doubles_on_every_level_is_bounded() {
    let mut schema = json!({"type": "object", "properties": {"x": {"type": "string"}}});
    for _ in 0..40 {
        schema = json!({"type": ["object", "object", "object"], "properties": {"x": schema}});
    }
    let tools = [weather(&schema)];
    assert!(schema::declarations(tools.iter()).len() < 5 << 20);
}

#[test]
fn the_models_name_tells_the_family() {
    let cases = [
        ("gpt-4o-mini", Some(Family::Openai)),
        ("gpt-4.1", Some(Family::Openai)),
        ("gpt-5-codex", Some(Family::Openai)),
        ("o3-mini", Some(Family::Openai)),
        ("openai/gpt-oss-120b", Some(Family::Openai)),
        ("openai.gpt-oss-120b-1:0", Some(Family::Openai)),
        ("ft:gpt-4o:acme::x", Some(Family::Openai)),
        ("gpt-4-turbo", Some(Family::OpenaiOld)),
        ("gpt-35-turbo", Some(Family::OpenaiOld)),
        ("text-embedding-ada-002", Some(Family::OpenaiOld)),
        ("claude-3-5-haiku-20241022", Some(Family::ClaudeOld)),
        (
            "anthropic.claude-3-haiku-20240307-v1:0",
            Some(Family::ClaudeOld),
        ),
        ("claude-sonnet-4-20250514", Some(Family::ClaudeOld)),
        ("claude-sonnet-4-5-20250929", Some(Family::Claude)),
        ("claude-4.6-sonnet", Some(Family::Claude)),
        ("CLAUDE_SONNET_4_5_20250929_V1_0", Some(Family::Claude)),
        ("anthropic/claude-opus-4.7", Some(Family::ClaudeNew)),
        ("claude-opus-5", Some(Family::ClaudeNew)),
        ("claude-instant", Some(Family::Claude)),
        ("models/gemini-2.5-flash", Some(Family::Gemini)),
        ("deepseek-r1-distill-llama-70b", Some(Family::Llama)),
        ("deepseek-chat", Some(Family::DeepSeek)),
        ("Qwen/Qwen3-32B", Some(Family::Qwen)),
        ("mistral-large-latest", Some(Family::Mistral)),
        ("my-deployment", None),
        ("", None),
    ];
    for (name, family) in cases {
        assert_eq!(Family::named(name), family, "{name}");
    }
}

#[test]
fn the_dialect_tells_the_family_where_the_name_does_not() {
    let mut reading = call(
        Dialect::AnthropicMessages,
        "proxy",
        "hello world",
        "hello world",
    );
    assert_eq!(Family::of(&reading), Family::Claude);
    reading.response.model = Some("gpt-4o".to_owned());
    assert_eq!(
        Family::of(&reading),
        Family::Openai,
        "the model that answered comes first"
    );
}

#[test]
fn scripts_are_told_apart() {
    let cases = [
        ("", Script::Latin),
        ("Once upon a time, près d'ici", Script::Latin),
        ("{\"a\":[1,2]}", Script::Code),
        ("从前海边有一个小村庄 (a village)", Script::Cjk),
        ("昔々、海の近くに", Script::Cjk),
        ("Жила-была у моря деревня", Script::Foreign),
    ];
    for (text, script) in cases {
        assert_eq!(Script::of(text), script, "{text}");
    }
}

/// Checks that families stay close to what a story of theirs comes to by their own vocabulary, in percent.
#[test]
fn other_families_are_near_their_own_vocabularies() {
    let chinese = "从前海边有一个小村庄，村里的人都以捕鱼为生。每天清晨，太阳还没有升起，他们就把船推进水里。";
    let russian = "Жила-была у моря маленькая деревня. Люди, жившие там, были рыбаками.";
    let cases = [
        ("qwen3-32b", chinese, tiktoken::encoding::qwen2()),
        ("deepseek-chat", chinese, tiktoken::encoding::deepseek_v3()),
        ("llama-3.3-70b", russian, tiktoken::encoding::llama3()),
        ("mistral-large", russian, tiktoken::encoding::mistral_v3()),
    ];
    for (model, story, own) in cases {
        let mut reading = call(Dialect::OpenaiChat, model, "x", story);
        estimate(&mut reading);
        let found = reading.tokens.output.unwrap();
        let exact = own.count(story) as u64;
        assert!(
            found.abs_diff(exact) * 100 <= exact * 25,
            "{model}: {found} for {exact}"
        );
    }
}

fn count(text: &str) -> u64 {
    let mut tally = Tally::default();
    tally.text(text);
    tally.count(Family::Openai.calibration())
}

#[test]
fn pieces_and_samples_change_little() {
    let prose = "The quick brown fox jumps over the lazy dog, and then it rests. ".repeat(2000);
    assert!(prose.len() > PIECE_BYTES);
    let whole = Vocabulary::O200k.count(&prose);
    assert!(count(&prose).abs_diff(whole) * 1000 <= whole);

    let long = prose.repeat(20);
    assert!(long.len() > 2 * COUNTED_BYTES_MAX);
    assert!(count(&long).abs_diff(20 * whole) * 1000 <= 20 * whole);
}

#[test]
fn a_sample_sees_all_scripts() {
    // The last tenth is Chinese; a sample of the beginning would miss it.
    let mut mixed = "all work and no play ".repeat(9 * COUNTED_BYTES_MAX / 42);
    mixed.push_str(&"今天天气很好，".repeat(COUNTED_BYTES_MAX / 42));
    let expect = Vocabulary::O200k.count(&mixed);
    assert!(
        count(&mixed).abs_diff(expect) * 10 <= expect,
        "{} for {expect}",
        count(&mixed)
    );
}

/// A quadratic counter takes minutes here.
#[test]
fn hostile_texts_are_counted() {
    for unit in ["a", " ", "\n", ".", "中", "a\u{301}", "\u{200d}", " \r"] {
        let text = unit.repeat((COUNTED_BYTES_MAX + 1).div_ceil(unit.len()));
        let found = count(&text);
        assert!(found > 0 && found <= text.len() as u64, "{unit:?}: {found}");
    }
}

#[test]
fn many_small_parts_are_counted_one_by_one() {
    let mut reading = chat();
    let mut expect = 3 + 4;
    reading.request.messages[0].parts = (0..1000)
        .map(|at| {
            let mut part = String::new();
            write!(part, "hello {at}").unwrap();
            expect += Vocabulary::O200k.count(&part);
            text(&part)
        })
        .collect();
    check(reading, Some(expect), Some(2));
}

proptest! {
    #[test]
    fn any_text_is_counted(ask in any::<String>(), answer in any::<String>(), model in "[a-z0-9.:/-]{0,20}") {
        let mut reading = call(Dialect::OpenaiChat, &model, &ask, &answer);
        estimate(&mut reading);
        prop_assert_eq!(reading.tokens.output.is_some(), !answer.is_empty());
        prop_assert_eq!(reading.tokens.input.is_some(), !ask.is_empty());
    }
}
