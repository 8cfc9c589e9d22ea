//! `flow-monitor serve` on an archive: page and API over what is only read, and no proxy.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;
use flow_api::Access;
use serde_json::json;
use tokio::sync::watch;

use super::{front, read_only_api, runtime, stop_signal};
use crate::Exit;
use crate::config::Config;
use crate::files;

/// Serves an archive until it is told to stop.
pub(super) fn run(config: &Config) -> anyhow::Result<Exit> {
    // By this hold other commands see that somebody serves it. An archive on a medium that cannot be written to has
    // none, and needs none.
    let _held = flow_store::share_dir(&config.data_dir)?;
    let runtime = runtime()?;
    let served = runtime.block_on(serve(config));
    let endpoints = config.data_dir.join(files::ENDPOINTS_FILE);
    // Where the file is gone already there is nothing to take away.
    let _removed = std::fs::remove_file(endpoints).is_ok();
    served.map(|()| Exit::Success)
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let listener = front::listen(config, "ui_listen", "the page").await?;
    let at = listener.local_addr()?;
    let ui_url = front::url(at);
    let token = match files::token(&config.data_dir) {
        Ok(token) => token,
        Err(error) => {
            tracing::warn!(%error, "the token cannot be kept, and holds for this run only");
            files::hex(&files::random()?)
        }
    };
    let access = Access::new(token, &ui_url, at.port(), &config.texts("allowed_hosts"))?;
    let (stop, stopped) = watch::channel(false);
    let router = read_only_api(config, access.clone(), &ui_url, stopped.clone())?;
    let mut endpoints = json!({
        "ui": at.to_string(),
        "ui_url": ui_url,
        "read_only": true,
        "pid": std::process::id(),
    });
    let path = config.data_dir.join(files::ENDPOINTS_FILE);
    if let Err(error) = files::write_private(&path, endpoints.to_string().as_bytes()) {
        tracing::warn!(%error, "other commands cannot find this one: its addresses cannot be written");
    }
    let link = access.link()?;
    endpoints["link"] = json!(link);
    announce(config, &endpoints.to_string(), &link)?;
    let signal = async {
        let name = stop_signal().await;
        tracing::info!("{name}: stopping");
        stop.send_replace(true);
    };
    let (served, ()) = tokio::join!(flow_api::serve(listener, router, stopped), signal);
    served.context("the page and API have stopped")
}

/// Says where everything is: one JSON line for programs, words for people.
#[expect(
    clippy::print_stderr,
    reason = "the first words of the program to a person at a terminal"
)]
fn announce(config: &Config, line: &str, link: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if out.is_terminal() {
        eprintln!("archive {}   only read", config.data_dir.display());
        eprintln!("page    {link}   open this link, it signs you in once\n");
    }
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}
