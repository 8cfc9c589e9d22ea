//! `flow-monitor serve`: everything wired together, from start to shutdown.

mod archive;
mod beside;
mod front;
mod limits;
mod reindex;
mod settings;
mod tidy;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use axum::Router;
use flow_api::{Access, ApiOptions, Maintenance, StatusFacts};
use flow_capture::{Capture, CaptureOptions, WallClock};
use flow_meter::Meter;
use flow_model::Timestamp;
use flow_recorder::{Recorder, Reindexer, Tee};
use flow_store::{Store, StoreOptions};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::Exit;
use crate::commands::demo::Demo;
use crate::config::Config;
use crate::files;

pub(crate) use beside::Beside;
pub(crate) use reindex::{reindexer, shown};
pub(crate) use settings::config_entries;

use front::Front;
use tidy::Tidy;

/// Bytes of flows in memory where nothing is kept on disk.
const MEMORY_BYTES_MAX: u64 = 256 << 20;
/// Recorder threads: more than this gain nothing, because one thread writes.
const RECORDER_THREADS_MAX: usize = 4;
/// Where flows are written as lines, in the data directory.
pub(crate) const TEE_DIR: &str = "tee";
/// Time that relayed exchanges get to end once the monitor has been told to stop.
const SHUTDOWN_TIME: Duration = Duration::from_secs(5);

/// The parts that record.
struct Record {
    store: Store,
    capture: Capture,
    meter: Meter,
    recorder: Recorder,
    reindexer: Reindexer,
    maintenance: Maintenance,
    tee: Tee,
    tidy: Tidy,
}

/// Runs the monitor until it is told to stop.
pub(crate) fn run(config: Config, demo: Option<Demo>) -> anyhow::Result<Exit> {
    let dir = config.data_dir.clone();
    if flow_store::is_archive(&dir) {
        return archive::run(&config);
    }
    flow_store::prepare_dir(&dir)?;
    limits::raise_files();
    let runtime = runtime()?;
    let record = Record::start(&config)?;
    let served = runtime.block_on(serve(config, demo, &record));
    runtime.shutdown_timeout(SHUTDOWN_TIME);
    record.stop();
    // Where the file is gone already there is nothing to take away.
    let _removed = std::fs::remove_file(dir.join(files::ENDPOINTS_FILE)).is_ok();
    served.map(|()| Exit::Success)
}

/// Starts the threads on which traffic passes.
fn runtime() -> anyhow::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("flow-relay")
        .build()
        .context("the runtime could not be started")?;
    limits::survive_file_size(runtime.handle());
    Ok(runtime)
}

// === impl Record ===

impl Record {
    fn start(config: &Config) -> anyhow::Result<Self> {
        let meter = config.meter()?;
        let tee = config
            .tee()
            .map_err(|reason| anyhow::anyhow!("`tee.jsonl` cannot be on: {reason}"))?;
        if config.encryption_key()?.is_some() {
            bail!("the record cannot be encrypted yet: take the key away to start without");
        }
        let dir = config
            .switch("recording.persist")
            .then(|| config.data_dir.clone());
        let store = Store::open(StoreOptions {
            dir: dir.clone(),
            recent_rows_max: usize::try_from(config.count("max_memory")).unwrap_or(usize::MAX),
            memory_bytes_max: MEMORY_BYTES_MAX,
            compressed: config.switch("storage.compressed"),
            now: now(),
        })?;
        let tee = Tee::start(&store, config.data_dir.join(TEE_DIR), Arc::new(now), tee)
            .context("the thread that writes lines cannot be started")?;
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
        let maintenance = Maintenance::new(store.clone(), now);
        let tidy =
            Tidy::start(&store, config).context("the thread that tidies up cannot be started")?;
        Ok(Self {
            store,
            capture,
            meter,
            recorder,
            reindexer,
            maintenance,
            tee,
            tidy,
        })
    }

    /// Records what is still under way and closes the store.
    fn stop(self) {
        self.capture.close();
        self.recorder.join();
        self.reindexer.cancel();
        self.maintenance.cancel();
        self.tidy.stop();
        self.tee.stop();
        self.store.close();
    }
}

/// Serves proxy, API and page until a signal arrives.
async fn serve(config: Config, demo: Option<Demo>, record: &Record) -> anyhow::Result<()> {
    let extra = match &demo {
        Some(demo) => demo.upstreams().await?,
        None => Vec::new(),
    };
    let (stop, stopped) = watch::channel(false);
    let front = Front::open(config, record, extra, stopped.clone()).await?;
    front.announce()?;
    let proxy_url = front.proxy_url();
    let playing = async {
        match &demo {
            Some(demo) => demo.play(&proxy_url, until(stopped.clone())).await,
            None => std::future::pending().await,
        }
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
    let all = async { tokio::join!(front.serve(), signal) };
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
    done.map_or(Ok(()), |(served, ())| served)
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
    let access = Access::new(token.to_owned(), "http://localhost", 0, &[])?;
    let (stop, stopped) = watch::channel(false);
    drop(stop);
    read_only_api(config, access, "", stopped)
}

/// Returns the API over a record that is only read.
fn read_only_api(
    config: &Config,
    access: Access,
    ui_url: &str,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<Router> {
    let dir = &config.data_dir;
    let store = Store::open_read_only(dir)?;
    let options = CaptureOptions::default();
    let (capture, _receivers) = Capture::new(options, config.policy(), Arc::new(now))?;
    let shown = config.clone();
    Ok(flow_api::router(ApiOptions {
        maintenance: Maintenance::new(store.clone(), now),
        deleted: Box::new(|_| ()),
        read_only: true,
        store,
        capture,
        meter: config.meter()?,
        facts: StatusFacts {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            proxy_url: String::new(),
            ui_url: ui_url.to_owned(),
            upstreams: Vec::new(),
            started_at: now(),
            data_dir: Some(dir.display().to_string()),
        },
        access,
        config: settings::read_only_handle(shown),
        reindex: reindex::refusing_handle(),
        shutdown: stopped,
    }))
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
