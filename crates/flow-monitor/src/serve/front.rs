//! The monitor's two listeners and what answers behind them.

use std::io::{IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use flow_api::{Access, ApiOptions, StatusFacts, UpstreamFacts};
use flow_proxy::{Proxy, ProxyEnvironment, ProxyOptions, Upstream};
use flow_redact::Fingerprints;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Record, now, reindex, settings, tidy, until};
use crate::config::Config;
use crate::files;

/// Proxy, API and page, bound to their addresses and not yet serving.
pub(super) struct Front {
    proxy_listener: TcpListener,
    ui_listener: TcpListener,
    proxy: Arc<Proxy>,
    router: Router,
    proxy_at: SocketAddr,
    ui_at: SocketAddr,
    access: Access,
    dir: PathBuf,
    stopped: watch::Receiver<bool>,
}

// === impl Front ===

impl Front {
    /// Binds the listeners and puts together what answers behind them.
    pub(super) async fn open(
        config: Config,
        record: &Record,
        extra: Vec<Upstream>,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let proxy_listener = listen(&config, "proxy_listen", "the proxy").await?;
        let ui_listener = listen(&config, "ui_listen", "the page").await?;
        let (proxy_at, ui_at) = (proxy_listener.local_addr()?, ui_listener.local_addr()?);
        let token = files::token(&config.data_dir).context("the token cannot be kept")?;
        let mut upstreams = user_upstreams(&config)?;
        upstreams.extend(extra);
        let proxy = relay(&config, record, upstreams)?;
        proxy.guard_listener(proxy_at);
        proxy.guard_listener(ui_at);
        let ui_url = url(ui_at);
        let access = Access::new(token, &ui_url, ui_at.port(), &config.texts("allowed_hosts"))?;
        let dir = config.data_dir.clone();
        let settings = settings::Live::new(config, record, Arc::clone(&proxy));
        let router = flow_api::router(ApiOptions {
            store: record.store.clone(),
            capture: record.capture.clone(),
            meter: record.meter.clone(),
            reindex: reindex::handle(&record.reindexer),
            maintenance: record.maintenance.clone(),
            deleted: {
                let tee = record.tee.clone();
                Box::new(move |ids| tidy::forget_lines(&tee, ids))
            },
            read_only: false,
            facts: facts(&proxy, proxy_at, &ui_url, &dir),
            access: access.clone(),
            config: settings.handle(),
            shutdown: stopped.clone(),
        });
        Ok(Self {
            proxy_listener,
            ui_listener,
            proxy,
            router,
            proxy_at,
            ui_at,
            access,
            dir,
            stopped,
        })
    }

    /// Returns where clients send their requests.
    pub(super) fn proxy_url(&self) -> String {
        url(self.proxy_at)
    }

    /// Serves until it is told to stop.
    pub(super) async fn serve(self) -> anyhow::Result<()> {
        let (_relayed, api) = tokio::join!(
            flow_proxy::serve(self.proxy_listener, self.proxy, until(self.stopped.clone())),
            flow_api::serve(self.ui_listener, self.router, self.stopped),
        );
        api.context("the page and API have stopped")
    }

    /// Writes the file by which other commands find this monitor, and returns what it holds.
    pub(super) fn publish(&self) -> anyhow::Result<Value> {
        let endpoints = json!({
            "proxy": self.proxy_at.to_string(),
            "ui": self.ui_at.to_string(),
            "proxy_url": url(self.proxy_at),
            "ui_url": url(self.ui_at),
            "pid": std::process::id(),
        });
        files::write_private(
            &self.dir.join(files::ENDPOINTS_FILE),
            endpoints.to_string().as_bytes(),
        )
        .context("the addresses cannot be written to the data directory")?;
        Ok(endpoints)
    }

    /// Says where everything is: one JSON line for programs, a file for the other commands, words for people.
    #[expect(
        clippy::print_stderr,
        reason = "the first words of the program to a person at a terminal"
    )]
    pub(super) fn announce(&self) -> anyhow::Result<()> {
        let mut line = self.publish()?;
        let link = self.access.link()?;
        line["link"] = json!(link);
        let mut out = std::io::stdout().lock();
        if out.is_terminal() {
            eprintln!(
                "record {}   other commands find it by --data-dir",
                self.dir.display()
            );
            eprintln!(
                "proxy  {}   point your client's base URL here",
                url(self.proxy_at)
            );
            eprintln!("page   {link}   open this link, it signs you in once\n");
        }
        writeln!(out, "{line}")?;
        out.flush()?;
        Ok(())
    }
}

fn relay(config: &Config, record: &Record, upstreams: Vec<Upstream>) -> anyhow::Result<Arc<Proxy>> {
    let key = files::fingerprint_key(&config.data_dir)
        .context("the key of fingerprints cannot be kept")?;
    let mut options = ProxyOptions::new(record.capture.clone(), Arc::new(Fingerprints::new(key)));
    options.upstreams = upstreams;
    options.settings = settings::relay_settings(config);
    options.allowed_hosts = config.texts("allowed_hosts");
    options.allowed_origins = config.texts("allowed_origins");
    options.environment = proxy_environment()?;
    Ok(Proxy::new(options))
}

/// Returns the proxies that the environment names for the way to upstreams.
fn proxy_environment() -> anyhow::Result<ProxyEnvironment> {
    let variable = |lower: &str| {
        let upper = lower.to_ascii_uppercase();
        std::env::var(lower)
            .or_else(|_| std::env::var(upper))
            .unwrap_or_default()
    };
    Ok(ProxyEnvironment::new(
        &variable("http_proxy"),
        &variable("https_proxy"),
        &variable("all_proxy"),
        &variable("no_proxy"),
    )?)
}

fn user_upstreams(config: &Config) -> anyhow::Result<Vec<Upstream>> {
    let upstreams = config.upstreams().into_iter();
    let upstreams =
        upstreams.map(|(name, url)| Upstream::defined(&name, &url).map_err(anyhow::Error::from));
    upstreams.collect()
}

/// Binds a listener, or says which setting to change.
pub(super) async fn listen(config: &Config, key: &str, what: &str) -> anyhow::Result<TcpListener> {
    let address = config.text(key);
    let flag = key.replace('_', "-");
    let bound = TcpListener::bind(address).await.with_context(|| {
        format!("{what} cannot listen on {address}: set `{key}` (--{flag}) to another address, or to port 0 for a free one")
    });
    let listener = bound?;
    if !listener.local_addr()?.ip().is_loopback() {
        let bound = listener.local_addr()?;
        tracing::warn!("{what} listens on {bound}, which other machines can reach");
    }
    Ok(listener)
}

fn facts(proxy: &Proxy, proxy_at: SocketAddr, ui_url: &str, dir: &Path) -> StatusFacts {
    let upstreams = proxy.upstreams().into_iter().map(|upstream| UpstreamFacts {
        base_url: format!("{}{}", url(proxy_at), upstream.path),
        name: upstream.name,
        provider: Some(upstream.provider),
        url: upstream.url,
    });
    StatusFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        proxy_url: url(proxy_at),
        ui_url: ui_url.to_owned(),
        upstreams: upstreams.collect(),
        started_at: now(),
        data_dir: Some(dir.display().to_string()),
    }
}

/// Returns the URL at which this machine reaches a listener.
pub(super) fn url(address: SocketAddr) -> String {
    let mut reached = address;
    if address.ip().is_unspecified() {
        reached.set_ip(if address.is_ipv4() {
            Ipv4Addr::LOCALHOST.into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    format!("http://{reached}")
}
