//! Agents at work, for a newcomer to watch: they talk to the fake provider through a proxy in between.
//!
//! Five agents play the conversations of this crate as their real counterparts would: with those clients' headers
//! and session ids, the whole history in each request, tool results, a side call for a title, a picture, Chinese.
//! Some things go wrong on purpose: a rate limit, an overloaded provider, a stream that breaks off, a user who stops
//! an answer. Everything follows from the seed but the times.
//!
//! The pace of the answers is the provider's ([`provider_options`]), that of the questions is the agents'.

mod agent;
mod client;
mod connection;
mod history;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;

use crate::behaviour::{Behaviour, Encoding};
use crate::conversation::{Library, LibraryError};
use crate::provider::ProviderOptions;

/// The shortest events follow each other in this time at speed 1.
const PACE: Duration = Duration::from_millis(28);
/// The provider thinks for this time before its head, at speed 1.
const HEAD_DELAY: Duration = Duration::from_millis(700);
const SPEED_MIN: f64 = 0.01;
const SPEED_MAX: f64 = 1000.0;

/// How the agents play.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Everything that varies follows from it.
    pub seed: u64,
    /// 1 is a human pace, 10 is ten times as fast.
    pub speed: f64,
    /// How often each agent plays its conversations; none means until stopped.
    pub rounds: Option<u32>,
}

/// What the agents did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DemoReport {
    /// Requests sent.
    pub calls: u64,
    /// Requests that were not answered to their end with a status below 400.
    pub failed: u64,
}

/// Why the agents could not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The proxy's URL is not of the form `http://host:port`.
    #[error("`{url}` is no URL of the form http://host:port")]
    Url {
        /// The URL.
        url: String,
    },
    /// A conversation file makes no sense.
    #[error("the conversations cannot be read")]
    Library {
        /// What is wrong.
        #[source]
        source: LibraryError,
    },
}

/// What all agents share.
struct Stage {
    library: Library,
    authority: Authority,
    seed: u64,
    speed: f64,
    rounds: Option<u32>,
    calls: AtomicU64,
    failed: AtomicU64,
}

// === impl DemoOptions ===

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            speed: 1.0,
            rounds: None,
        }
    }
}

// === impl Stage ===

impl Stage {
    fn scaled(&self, duration: Duration) -> Duration {
        scaled(duration, self.speed)
    }

    fn count(&self, failed: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Returns how to start the provider that the agents talk to, so that its answers come at a human pace.
pub fn provider_options(speed: f64, epoch_seconds: u64) -> ProviderOptions {
    ProviderOptions {
        epoch_seconds,
        behaviour: Behaviour {
            pace: Some(scaled(PACE, speed)),
            head_delay: Some(scaled(HEAD_DELAY, speed)),
            encoding: Some(Encoding::Accepted),
            ..Behaviour::default()
        },
        ..ProviderOptions::default()
    }
}

/// Plays until `stop` is ready or all rounds are done. `base_url` is the proxy's, without a path.
pub async fn play(
    base_url: &str,
    options: DemoOptions,
    stop: impl Future<Output = ()>,
) -> Result<DemoReport, DemoError> {
    let url = || DemoError::Url {
        url: base_url.to_owned(),
    };
    let parsed: Uri = base_url.parse().map_err(|_| url())?;
    if parsed.scheme_str() != Some("http") {
        return Err(url());
    }
    let stage = Stage {
        library: Library::built_in().map_err(|source| DemoError::Library { source })?,
        authority: parsed.authority().cloned().ok_or_else(url)?,
        seed: options.seed,
        speed: options.speed,
        rounds: options.rounds,
        calls: AtomicU64::new(0),
        failed: AtomicU64::new(0),
    };
    let agents = agent::ROLES.iter().map(|role| agent::run(&stage, role));
    let playing = Box::pin(futures_util::future::join_all(agents));
    tokio::select! {
        () = stop => {}
        _ = playing => {}
    }
    Ok(DemoReport {
        calls: stage.calls.load(Ordering::Relaxed),
        failed: stage.failed.load(Ordering::Relaxed),
    })
}

fn scaled(duration: Duration, speed: f64) -> Duration {
    // A speed that is no number counts as 1.
    let speed = if speed.is_nan() { 1.0 } else { speed };
    duration.div_f64(speed.clamp(SPEED_MIN, SPEED_MAX))
}

#[cfg(test)]
mod tests;
