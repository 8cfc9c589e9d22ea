//! The monitor beside a command of its own: started on free ports, stopped when the command has ended.

use std::path::PathBuf;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::front::Front;
use super::{Record, SHUTDOWN_TIME, runtime};
use crate::config::Config;
use crate::files;

/// A monitor that serves in the background until it is stopped.
pub(crate) struct Beside {
    runtime: Runtime,
    record: Record,
    serving: JoinHandle<anyhow::Result<()>>,
    stop: watch::Sender<bool>,
    dir: PathBuf,
}

// === impl Beside ===

impl Beside {
    /// Starts it; other commands find it from now on.
    pub(crate) fn start(config: Config) -> anyhow::Result<Self> {
        let dir = config.data_dir.clone();
        flow_store::prepare_dir(&dir)?;
        // The limit of open files stays: the command would inherit it, and one command's calls do not need more.
        let runtime = runtime()?;
        let record = Record::start(&config)?;
        let (stop, stopped) = watch::channel(false);
        let opened = runtime.block_on(Front::open(config, &record, Vec::new(), stopped));
        let published = opened.and_then(|front| front.publish().map(|_endpoints| front));
        let front = match published {
            Ok(front) => front,
            Err(error) => {
                record.stop();
                return Err(error);
            }
        };
        let serving = runtime.spawn(front.serve());
        Ok(Self {
            runtime,
            record,
            serving,
            stop,
            dir,
        })
    }

    /// Stops it: what is under way gets a moment to end, then everything is on disk.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        // Nobody is to find it while it ends. Where the file is gone already there is nothing to take away.
        let _removed = std::fs::remove_file(self.dir.join(files::ENDPOINTS_FILE)).is_ok();
        self.stop.send_replace(true);
        let served = self.runtime.block_on(self.serving);
        self.runtime.shutdown_timeout(SHUTDOWN_TIME);
        self.record.stop();
        served.context("the monitor broke down")?
    }
}
