use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::log::{End, Exchange};
use crate::provider::FakeProvider;

const LIMIT: Duration = Duration::from_mins(1);

fn options(rounds: u32) -> DemoOptions {
    DemoOptions {
        seed: 7,
        speed: SPEED_MAX,
        rounds: Some(rounds),
    }
}

async fn provider() -> FakeProvider {
    FakeProvider::start(provider_options(SPEED_MAX, 0))
        .await
        .unwrap()
}

async fn played() -> (DemoReport, Vec<Exchange>) {
    let provider = provider().await;
    let url = provider.url();
    let playing = play(&url, options(1), std::future::pending());
    let report = timeout(LIMIT, playing).await.unwrap().unwrap();
    let ended = |log: &[Exchange]| log.iter().all(|exchange| exchange.end != End::Running);
    let log = timeout(LIMIT, provider.log_when(ended)).await.unwrap();
    (report, log)
}

#[tokio::test]
async fn a_round_shows_what_a_newcomer_should_see() {
    let (report, log) = played().await;
    assert_eq!(report.calls, log.len() as u64);
    let count =
        |wanted: &dyn Fn(&Exchange) -> bool| log.iter().filter(|exchange| wanted(exchange)).count();
    assert_eq!(count(&|exchange| exchange.status == 429), 1);
    assert_eq!(count(&|exchange| exchange.status == 529), 1);
    assert_eq!(
        count(&|exchange| exchange.end == End::Cut),
        1,
        "a stream breaks off"
    );
    assert_eq!(
        count(&|exchange| exchange.end == End::AbortedByPeer),
        1,
        "a user stops an answer"
    );
    assert_eq!(report.failed, 4);
    for prefix in ["/openai/v1/", "/anthropic/v1/", "/gemini/v1beta/"] {
        assert!(
            count(&|exchange| exchange.target.starts_with(prefix)) > 5,
            "{prefix}"
        );
    }
    for name in [
        "flaky-test",
        "layout-screenshot",
        "csv-import",
        "order-timeout",
        "migration-plan",
        "weekly-report",
    ] {
        let turns = log.iter().filter(|exchange| {
            exchange.conversation.as_deref() == Some(name) && exchange.status == 200
        });
        let turns: std::collections::BTreeSet<_> =
            turns.filter_map(|exchange| exchange.turn).collect();
        let library = Library::built_in().unwrap();
        assert_eq!(
            turns.len(),
            library.named(name).unwrap().turns.len(),
            "{name}: every turn was answered"
        );
    }
}

#[tokio::test]
async fn requests_follow_from_the_seed() {
    let hashes = |log: Vec<Exchange>| {
        let mut hashes: Vec<_> = log
            .into_iter()
            .filter_map(|exchange| exchange.request_sha256)
            .collect();
        hashes.sort();
        hashes
    };
    let (first, second) = (hashes(played().await.1), hashes(played().await.1));
    assert!(first.len() > 30);
    assert_eq!(first, second);
}

#[tokio::test]
async fn it_starts_at_once_and_stops_when_asked() {
    let provider = provider().await;
    let begun = async {
        provider.log_when(|log| !log.is_empty()).await;
    };
    let url = provider.url();
    let playing = play(
        &url,
        DemoOptions {
            rounds: None,
            ..options(0)
        },
        begun,
    );
    let report = timeout(LIMIT, playing).await.unwrap().unwrap();
    assert!(report.calls < 5, "{report:?}");
}

#[tokio::test]
async fn only_plain_urls_are_taken() {
    for url in ["", "127.0.0.1:1", "https://127.0.0.1:1", "http://"] {
        let played = play(url, options(1), std::future::pending()).await;
        assert!(matches!(played, Err(DemoError::Url { .. })), "{url}");
    }
}

/// The agents know an answer without having read it; this holds it against what the provider says.
#[tokio::test]
async fn histories_hold_what_the_provider_answered() {
    let library = Library::built_in().unwrap();
    for (client, name) in [
        (client::Client::ClaudeCode, "flaky-test"),
        (client::Client::OpenAiPython, "csv-import"),
        (client::Client::GeminiCli, "order-timeout"),
    ] {
        let conversation = library.named(name).unwrap();
        let opening = format!("{}\n\nRef: FM-1", conversation.opening().unwrap());
        let session = client::Session {
            id: "s".into(),
            opening,
        };
        let scene = |turn| history::Scene {
            client,
            model: "m",
            stream: false,
            conversation,
            tools: &[],
            session: &session,
            turn,
        };
        let (first, second) = (history::body(&scene(0)), history::body(&scene(1)));
        let said = answered(client, &library, &first);
        let kept = kept(client, &second);
        assert_eq!(said, kept, "{name}");
    }
}

fn answered(client: client::Client, library: &Library, body: &Value) -> Value {
    let api = client.api();
    let ask = crate::ask::Ask::read(api, body);
    let behaviour = Behaviour::default();
    let choice = crate::reply::choose(library, &ask, &behaviour).unwrap();
    let reply = crate::reply::Reply::compose(api, &choice, &ask, &behaviour, 0);
    let whole = crate::render::whole(api, &reply, &ask, &behaviour);
    let whole: Value = serde_json::from_str(&whole).unwrap();
    match client {
        client::Client::OpenAiPython => json!([
            whole["choices"][0]["message"]["content"],
            whole["choices"][0]["message"]["tool_calls"]
        ]),
        client::Client::ClaudeCode | client::Client::AnthropicPython => whole["content"].clone(),
        client::Client::GeminiCli => whole["candidates"][0]["content"]["parts"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|part| part.get("thought").is_none())
            .cloned()
            .collect(),
    }
}

fn kept(client: client::Client, body: &Value) -> Value {
    match client {
        client::Client::OpenAiPython => json!([
            body["messages"][2]["content"],
            body["messages"][2]["tool_calls"]
        ]),
        client::Client::ClaudeCode | client::Client::AnthropicPython => {
            body["messages"][1]["content"].clone()
        }
        client::Client::GeminiCli => body["contents"][1]["parts"].clone(),
    }
}
