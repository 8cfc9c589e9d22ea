//! `flow-monitor demo`: the product at work without any key.

use anyhow::Context as _;
use flow_proxy::Upstream;
use flow_testkit::FakeProvider;
use flow_testkit::demo::DemoOptions;
use tokio::sync::OnceCell;

use crate::args::DemoArgs;
use crate::config::Given;

/// Upstreams that the demo's agents use.
const UPSTREAMS: [&str; 3] = ["openai", "anthropic", "gemini"];

/// A demo that is about to run.
pub(crate) struct Demo {
    args: DemoArgs,
    provider: OnceCell<FakeProvider>,
    /// The record of a demo that was given no data directory; it is removed at the end.
    _dir: Option<tempfile::TempDir>,
}

/// Prepares a demo. Its record goes to a directory of its own, so that it never mixes with a real one.
pub(crate) fn prepare(args: &DemoArgs, given: &mut Given) -> anyhow::Result<Demo> {
    let mut own = None;
    if given.data_dir.is_none() {
        let dir = tempfile::Builder::new()
            .prefix("flow-monitor-demo-")
            .tempdir();
        let dir = dir.context("the demo's record has no place")?;
        given.data_dir = Some(dir.path().to_owned());
        own = Some(dir);
    }
    Ok(Demo {
        args: args.clone(),
        provider: OnceCell::new(),
        _dir: own,
    })
}

// === impl Demo ===

impl Demo {
    /// Starts the fake provider and returns the upstreams that lead to it.
    pub(crate) async fn upstreams(&self) -> anyhow::Result<Vec<Upstream>> {
        let seconds = u64::try_from(crate::serve::now().0 / 1_000_000).unwrap_or_default();
        let options = flow_testkit::demo::provider_options(self.args.speed, seconds);
        let provider = self
            .provider
            .get_or_try_init(|| FakeProvider::start(options))
            .await?;
        let url = provider.url();
        let upstreams = UPSTREAMS
            .into_iter()
            .map(|name| Upstream::defined(name, &url).map_err(anyhow::Error::from));
        upstreams.collect()
    }

    /// Plays until the rounds are over or the monitor stops.
    pub(crate) async fn play(&self, proxy_url: &str, stop: impl Future<Output = ()>) {
        let options = DemoOptions {
            speed: self.args.speed,
            rounds: self.args.rounds,
            seed: self.args.seed,
        };
        match flow_testkit::demo::play(proxy_url, options, stop).await {
            Ok(report) => tracing::info!(
                "the demo has played {} calls, {} of them meant to fail",
                report.calls,
                report.failed
            ),
            Err(error) => tracing::error!(%error, "the demo cannot play"),
        }
    }
}
