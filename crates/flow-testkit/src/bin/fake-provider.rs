//! The fake provider as a program, for tests and benchmarks that are not written in Rust.
//!
//! One JSON line on standard output says where it listens; it ends on SIGTERM, SIGINT or when it is killed.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser;
use flow_testkit::{Behaviour, FakeProvider, ProviderOptions};

/// Answers as OpenAI, Anthropic, Gemini, Ollama, Cohere, Bedrock and Kiro do, from written conversations.
#[derive(Parser)]
#[command(name = "fake-provider")]
struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What it does where a request asks for nothing else, in the words of the `x-fake` header.
    #[arg(long, default_value = "")]
    behaviour: String,
}

#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("--behaviour")]
    Behaviour {
        #[source]
        source: flow_testkit::BehaviourError,
    },
    #[error("start")]
    Start {
        #[source]
        source: flow_testkit::StartError,
    },
    #[error("standard output")]
    Output {
        #[source]
        source: io::Error,
    },
}

#[tokio::main]
async fn main() -> Result<(), RunError> {
    let options = Options::parse();
    let mut behaviour = Behaviour::default();
    behaviour
        .add_header(&options.behaviour)
        .map_err(|source| RunError::Behaviour { source })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let provider = FakeProvider::start(ProviderOptions {
        listen: options.listen,
        epoch_seconds: now.map_or(0, |now| now.as_secs()),
        behaviour,
    })
    .await
    .map_err(|source| RunError::Start { source })?;
    let line = serde_json::json!({"url": provider.url(), "addr": provider.addr()});
    writeln!(io::stdout(), "{line}").map_err(|source| RunError::Output { source })?;
    stop_asked().await;
    provider.shutdown().await;
    Ok(())
}

#[cfg(unix)]
async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn stop_asked() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
