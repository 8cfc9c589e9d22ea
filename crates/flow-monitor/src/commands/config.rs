//! `flow-monitor config`: every setting, its value and where the value comes from.

use std::io::Write as _;

use flow_api::ConfigSource;

use crate::Exit;
use crate::config::{Config, SETTINGS};

const fn source_name(source: ConfigSource) -> &'static str {
    match source {
        ConfigSource::Default => "default",
        ConfigSource::File => "file",
        ConfigSource::Environment => "environment",
        ConfigSource::Flag => "flag",
        ConfigSource::Runtime => "changed while running",
    }
}

pub(crate) fn show(config: &Config, json: bool) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    if json {
        let entries = crate::serve::config_entries(config);
        writeln!(out, "{}", serde_json::to_string_pretty(&entries)?)?;
        return Ok(Exit::Success);
    }
    writeln!(out, "# data directory: {}", config.data_dir.display())?;
    let keys = SETTINGS.iter().map(|setting| setting.key.len());
    let width = keys.max().unwrap_or_default();
    for setting in SETTINGS {
        let (value, source) = config.value(setting.key);
        writeln!(
            out,
            "{:width$} = {value}  # {}; {} {}",
            setting.key,
            source_name(source),
            setting.help,
            setting.variable()
        )?;
    }
    Ok(Exit::Success)
}
