use std::collections::{BTreeMap, BTreeSet};

use flow_model::Software;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Examples {
    example: Vec<Example>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    agent: Option<String>,
    sdk: Option<String>,
    session: Option<String>,
    thread: Option<String>,
    request: Option<String>,
    attempt: Option<u64>,
}

fn examples() -> Vec<Example> {
    let examples: Examples = toml::from_str(include_str!("examples.toml")).unwrap();
    examples.example
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
        latin1: false,
    }
}

fn headers(pairs: &[(&str, &str)]) -> Vec<Header> {
    pairs
        .iter()
        .map(|&(name, value)| header(name, value))
        .collect()
}

#[test]
fn every_example_is_read_as_it_says() {
    for example in examples() {
        let sent: Vec<_> = example
            .headers
            .iter()
            .map(|(name, value)| header(name, value))
            .collect();
        let client = read(&sent, example.body.as_bytes());
        let label = |software: &Option<Software>| software.as_ref().map(Software::label);
        assert_eq!(label(&client.agent), example.agent, "{example:?}");
        assert_eq!(label(&client.sdk), example.sdk, "{example:?}");
        assert_eq!(client.session, example.session, "{example:?}");
        assert_eq!(client.thread, example.thread, "{example:?}");
        assert_eq!(client.request, example.request, "{example:?}");
        assert_eq!(client.attempt, example.attempt, "{example:?}");
        assert_eq!(client.other, None, "{example:?}");
    }
}

#[test]
fn every_recogniser_has_a_name_of_its_own_and_an_example() {
    let mut shown = BTreeSet::new();
    for example in examples() {
        let labels = [example.agent, example.sdk];
        shown.extend(labels.into_iter().flatten().map(|label| {
            let name = label.split('/').next().unwrap_or_default();
            name.to_owned()
        }));
    }
    let names: Vec<_> = TABLE.clients.iter().map(|client| &client.name).collect();
    let unique: BTreeSet<_> = names.iter().map(|name| (*name).clone()).collect();
    assert_eq!(unique.len(), names.len(), "a name stands twice");
    assert_eq!(unique, shown);
}

#[test]
fn a_table_with_a_mistake_says_which() {
    let check = |client: &str, expect: &str| {
        let text = format!(
            "format = 1\nengines = []\nattempt = []\n[any]\n[[client]]\nname = \"x\"\nkind = \"sdk\"\n{client}"
        );
        let error = Table::parse(&text).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    };
    check("when = [{ a = \"{b}\" }]", "a recogniser's pattern");
    check(
        "when = []\nsession = [{ value = \"a\" }]",
        "no place or two",
    );
    check("when = []\nlabel = \"a\"", "another form");
    let later = "format = 2\nengines = []\nattempt = []\nclient = []\n[any]";
    let error = Table::parse(later).unwrap_err().to_string();
    assert!(error.contains("known is 1"), "{error}");
}

#[test]
fn unknown_programs_keep_the_name_that_they_give() {
    let check = |user_agent: &str, expect: Option<&str>| {
        let client = read(&headers(&[("User-Agent", user_agent)]), b"");
        assert_eq!(client.label().as_deref(), expect);
        assert_eq!(client.agent, None);
    };
    check("acme-bot/1.2 (x)", Some("acme-bot/1.2"));
    check("\u{1b}[2J", None);
    check("", None);
    assert_eq!(read(&[], b""), Client::default());
}

#[test]
fn ids_are_one_plain_word_or_none() {
    let check = |value: &str, expect: Option<&str>| {
        let client = read(&headers(&[("x-session-id", value)]), b"");
        assert_eq!(client.session.as_deref(), expect, "{value}");
    };
    check(" ses_1 ", Some("ses_1"));
    check("someone@example.org", None);
    check("two words", None);
    check("a\u{7}b", None);
    check("流", None);
    check(&"x".repeat(128), Some(&"x".repeat(128)));
    check(&"x".repeat(129), None);
}

#[test]
fn attempts_are_small_numbers() {
    let check = |value: &str, expect: Option<u64>| {
        let client = read(&headers(&[("x-stainless-retry-count", value)]), b"");
        assert_eq!(client.attempt, expect, "{value}");
    };
    check("0", Some(1));
    check("7", Some(8));
    check("-1", None);
    check("18446744073709551615", None);
    check("1000", None);
}

#[test]
fn a_body_is_opened_only_for_those_who_keep_an_id_there() {
    let body = br#"{"metadata":{"user_id":"user_a_session_0a1b"},"prompt_cache_key":"k"}"#;
    let session = |user_agent: &str| read(&headers(&[("user-agent", user_agent)]), body).session;
    assert_eq!(session("claude-cli/1.0").as_deref(), Some("0a1b"));
    assert_eq!(session("codex_exec/1.0").as_deref(), Some("k"));
    assert_eq!(session("curl/8"), None);
}

#[test]
fn a_long_member_is_no_id() {
    let long = "x".repeat(VALUE_BYTES_MAX);
    let body = format!(r#"{{"metadata":{{"user_id":"user_{long}_session_a"}}}}"#);
    let sent = headers(&[("user-agent", "claude-cli/1.0")]);
    assert_eq!(read(&sent, body.as_bytes()).session, None);
}

proptest! {
    #[test]
    fn nothing_that_is_sent_gets_through_unbounded(
        names in prop::collection::vec(prop::sample::select(TABLE.headers.clone()), 0..8),
        values in prop::collection::vec(".{0,200}", 8),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let sent: Vec<_> = names
            .iter()
            .zip(&values)
            .map(|(name, value)| header(name, value))
            .collect();
        let client = read(&sent, &body);
        let software = [client.agent.as_ref(), client.sdk.as_ref()].into_iter().flatten();
        let labels = software.map(Software::label).chain(client.other.clone());
        let ids = [client.session, client.thread, client.request].into_iter().flatten();
        for word in labels.chain(ids) {
            prop_assert!(word.len() <= 128, "{word}");
            prop_assert!(word.chars().all(|character| character.is_ascii_graphic()), "{word}");
            prop_assert!(!word.contains('@'), "{word}");
        }
    }

    #[test]
    fn a_cut_body_never_gives_half_an_id(cut in 0_usize..80) {
        let body = br#"{"metadata":{"user_id":"{\"session_id\":\"0a1b2c3d\"}"},"messages":[]}"#;
        let sent = headers(&[("user-agent", "claude-cli/2.0")]);
        let session = read(&sent, body.get(..cut).unwrap_or(body)).session;
        prop_assert!(session.is_none() || session.as_deref() == Some("0a1b2c3d"));
    }
}
