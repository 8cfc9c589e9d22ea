//! `flow-monitor token`: how to get in.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::Exit;
use crate::config::Config;
use crate::files;
use crate::instance::Instance;

pub(crate) fn run(config: &Config, link: bool) -> anyhow::Result<Exit> {
    let dir = &config.data_dir;
    let Some(token) = files::read_token(dir)? else {
        bail!(
            "there is no token in {}: start the monitor once",
            dir.display()
        );
    };
    let mut out = std::io::stdout().lock();
    if !link {
        writeln!(out, "{token}")?;
        return Ok(Exit::Success);
    }
    let Some(instance) = Instance::running(config)? else {
        bail!(
            "no monitor is running on {}: start one with `flow-monitor`",
            dir.display()
        );
    };
    let answer = instance.post("/api/session/link")?;
    let url = answer.get("url").and_then(Value::as_str);
    writeln!(out, "{}", url.context("the running monitor gave no link")?)?;
    Ok(Exit::Success)
}
