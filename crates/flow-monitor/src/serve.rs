//! `flow-monitor serve`: everything wired together, from start to shutdown.

mod limits;
mod reindex;
mod settings;

use std::io::{IsTerminal as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use axum::Router;
use flow_api::{Access, ApiOptions, StatusFacts, UpstreamFacts};
use flow_capture::{Capture, CaptureOptions, WallClock};
use flow_meter::Meter;
use flow_model::Timestamp;
use flow_proxy::{Proxy, ProxyEnvironment, ProxyOptions, Upstream};
use flow_recorder::{Recorder, Reindexer};
use flow_redact::Fingerprints;
use flow_store::{Store, StoreOptions};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::Exit;
use crate::commands::demo::Demo;
use crate::config::Config;
use crate::files;

pub(crate) use reindex::{reindexer, shown};
pub(crate) use settings::config_entries;

/// Bytes of flows in memory where nothing is kept on disk.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// Recorder threads: more than this gain nothing, because one thread writes.
const RECORDER_THREADS_MAX: usize = 4;
/// Time that relayed exchanges get to end once the monitor has been told to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);

/// The parts that record.
struct Record {
    store: Store,
    capture: Capture,
    meter: Meter,
    recorder: Recorder,
    reindexer: Reindexer,
}

/// Runs the monitor until it is told to stop.
pub(crate) fn run(config: Config, demo: Option<Demo>) -> anyhow::Result<Exit> {
    let dir = config.data_dir.clone();
    flow_store::prepare_dir(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("flow-relay")
        .build()
        .context("the runtime could not be started")?;
    limits::prepare(runtime.handle());
    let record = Record::start(&config)?;
    let served = runtime.block_on(serve(config, demo, &record));
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    record.stop();
    // Where the file is gone already there is nothing to take away.
    let _removed = std::fs::remove_file(dir.join(files::ENDPOINTS_FILE)).is_ok();
    served.map(|()| Exit::Success)
}

// === impl Record ===

impl Record {
    fn start(config: &Config) -> anyhow::Result<Self> {
        let meter = config.meter()?;
        let dir = config
            .switch("recording.persist")
            .then(|| config.data_dir.clone());
        let store = Store::open(StoreOptions {
            dir: dir.clone(),
            recent_rows_max: usize::try_from(config.count("max_memory")).unwrap_or(usize::MAX),
            memory_bytes_max: MEMORY_BYTES_MAX,
            now: now(),
        })?;
        let recovered = flow_recorder::recover(&store, &meter)
            .context("what the last run left could not be read")?;
        if recovered > 0 {
            tracing::warn!(
                "{recovered} flows were running when the monitor last stopped: they are marked interrupted"
            );
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let options = CaptureOptions {
            workers: cores.div_ceil(2).min(RECORDER_THREADS_MAX),
            spill_dir: dir,
            ..CaptureOptions::default()
        };
        let clock: WallClock = Arc::new(now);
        let (capture, receivers) = Capture::new(options, config.policy(), clock)?;
        let recorder = Recorder::start(receivers, &capture, &store, &meter)?;
        let reindexer = reindexer(&store, &meter);
        reindex::catch_up(&reindexer);
        Ok(Self {
            store,
            capture,
            meter,
            recorder,
            reindexer,
        })
    }

    /// Records what is still under way and closes the store.
    fn stop(self) {
        self.capture.close();
        self.recorder.join();
        self.reindexer.cancel();
        self.store.close();
    }
}

/// Serves proxy, API and page until a signal arrives.
async fn serve(config: Config, demo: Option<Demo>, record: &Record) -> anyhow::Result<()> {
    let proxy_listener = listen(&config, "proxy_listen", "the proxy").await?;
    let ui_listener = listen(&config, "ui_listen", "the page").await?;
    let (proxy_at, ui_at) = (proxy_listener.local_addr()?, ui_listener.local_addr()?);
    let token = files::token(&config.data_dir).context("the token cannot be kept")?;
    let mut upstreams = user_upstreams(&config)?;
    if let Some(demo) = &demo {
        upstreams.extend(demo.upstreams().await?);
    }
    let proxy = relay(&config, record, upstreams)?;
    proxy.guard_listener(proxy_at);
    proxy.guard_listener(ui_at);
    let ui_url = url(ui_at);
    let access = Access::new(token, &ui_url, ui_at.port(), &config.texts("allowed_hosts"))?;
    let (stop, stopped) = watch::channel(false);
    let dir = config.data_dir.clone();
    let settings = settings::Live::new(config, record.capture.clone(), Arc::clone(&proxy));
    let router = flow_api::router(ApiOptions {
        store: record.store.clone(),
        capture: record.capture.clone(),
        meter: record.meter.clone(),
        facts: facts(&proxy, proxy_at, &ui_url, &dir),
        access: access.clone(),
        config: settings.handle(),
        reindex: reindex::handle(&record.reindexer),
        shutdown: stopped.clone(),
    });
    announce(&dir, proxy_at, ui_at, &access.link()?)?;
    let playing = async {
        match &demo {
            Some(demo) => demo.play(&url(proxy_at), until(stopped.clone())).await,
            None => std::future::pending().await,
        }
    };
    let serving = async {
        tokio::join!(
            flow_proxy::serve(proxy_listener, proxy, until(stopped.clone())),
            flow_api::serve(ui_listener, router, stopped.clone()),
        )
    };
    let signal = async {
        let name = stop_signal().await;
        let running = record.store.in_flight();
        tracing::info!(
            "{name}: ending {running} flows that are under way; once more ends them at once"
        );
        stop.send_replace(true);
    };
    tokio::pin!(playing);
    let all = async { tokio::join!(serving, signal) };
    tokio::pin!(all);
    let mut hurry = stopped.clone();
    let ended = async {
        tokio::select! {
            done = &mut all => Some(done),
            () = &mut playing => Some(all.await),
        }
    };
    let hurried = async {
        let _stop = hurry.wait_for(|stop| *stop).await.is_ok();
        stop_signal().await;
        None
    };
    let done = tokio::select! {
        done = ended => done,
        none = hurried => none,
    };
    done.map_or(Ok(()), |((_, api), ())| {
        api.context("the page and API have stopped")
    })
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
async fn listen(config: &Config, key: &str, what: &str) -> anyhow::Result<TcpListener> {
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

/// Says where everything is: one JSON line for programs, a file for the other commands, words for people.
#[expect(
    clippy::print_stderr,
    reason = "the first words of the program to a person at a terminal"
)]
fn announce(dir: &Path, proxy_at: SocketAddr, ui_at: SocketAddr, link: &str) -> anyhow::Result<()> {
    let endpoints = json!({
        "proxy": proxy_at.to_string(),
        "ui": ui_at.to_string(),
        "proxy_url": url(proxy_at),
        "ui_url": url(ui_at),
        "pid": std::process::id(),
    });
    files::write_private(
        &dir.join(files::ENDPOINTS_FILE),
        endpoints.to_string().as_bytes(),
    )
    .context("the addresses cannot be written to the data directory")?;
    let mut line = endpoints;
    line["link"] = json!(link);
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        eprintln!(
            "record {}   other commands find it by --data-dir",
            dir.display()
        );
        eprintln!(
            "proxy  {}   point your client's base URL here",
            url(proxy_at)
        );
        eprintln!("page   {link}   open this link, it signs you in once\n");
    }
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Returns the API over the files of a monitor that is not running, opened for reading only.
pub(crate) fn offline_api(config: &Config, token: &str) -> anyhow::Result<Router> {
    let dir = &config.data_dir;
    if !dir.exists() {
        bail!(
            "there is no record in {}: start the monitor once",
            dir.display()
        );
    }
    let store = Store::open_read_only(dir)?;
    let options = CaptureOptions::default();
    let (capture, _receivers) = Capture::new(options, config.policy(), Arc::new(now))?;
    let shown = config.clone();
    let (stop, stopped) = watch::channel(false);
    drop(stop);
    Ok(flow_api::router(ApiOptions {
        store,
        capture,
        meter: config.meter()?,
        facts: StatusFacts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            proxy_url: String::new(),
            ui_url: String::new(),
            upstreams: Vec::new(),
            started_at: now(),
            data_dir: Some(dir.display().to_string()),
        },
        access: Access::new(token.to_owned(), "http://localhost", 0, &[])?,
        config: settings::read_only_handle(shown),
        reindex: reindex::refusing_handle(),
        shutdown: stopped,
    }))
}

/// Returns the URL at which this machine reaches a listener.
fn url(address: SocketAddr) -> String {
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

/// Returns the time of day. The rest of the program is handed this function.
pub(crate) fn now() -> Timestamp {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX))
}

/// Waits until the watched value turns true, or its sender is gone.
async fn until(mut stopped: watch::Receiver<bool>) {
    let _stop = stopped.wait_for(|stop| *stop).await.is_ok();
}

/// Waits for a signal to stop and returns its name.
async fn stop_signal() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = tokio::signal::ctrl_c() => "interrupted",
            };
        }
    }
    let _pressed = tokio::signal::ctrl_c().await.is_ok();
    "interrupted"
}
