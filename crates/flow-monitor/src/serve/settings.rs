//! Settings while the monitor runs: listed, changed, put in force.

use std::sync::Arc;
use std::time::Duration;

use flow_api::{ConfigEntry, ConfigHandle, FieldError};
use flow_capture::Capture;
use flow_proxy::{OnClientAbort, Proxy, Settings};
use flow_recorder::Tee;
use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::Record;
use super::tidy::TidySettings;
use crate::config::{Config, SETTINGS};

/// The configuration of a running monitor and what it governs.
pub(super) struct Live {
    config: Mutex<Config>,
    capture: Capture,
    proxy: Arc<Proxy>,
    tee: Tee,
    tidy: TidySettings,
}

// === impl Live ===

impl Live {
    pub(super) fn new(config: Config, record: &Record, proxy: Arc<Proxy>) -> Arc<Self> {
        let config = Mutex::new(config);
        Arc::new(Self {
            config,
            capture: record.capture.clone(),
            proxy,
            tee: record.tee.clone(),
            tidy: record.tidy.settings(),
        })
    }

    /// Returns what the API lists and changes settings with.
    pub(super) fn handle(self: &Arc<Self>) -> ConfigHandle {
        let (list, patch) = (Arc::clone(self), Arc::clone(self));
        ConfigHandle::new(
            move || config_entries(&list.config.lock()),
            move |changes| patch.change(&changes),
        )
    }

    /// Puts changes in force: all of them or, where one is wrong, none.
    fn change(&self, changes: &Map<String, Value>) -> Result<Vec<ConfigEntry>, Vec<FieldError>> {
        let mut config = self.config.lock();
        let mut changed = config.clone();
        changed
            .change(changes)
            .map_err(|wrong| wrong.into_iter().map(refused).collect::<Vec<_>>())?;
        let tee = changed
            .tee()
            .map_err(|reason| vec![refused(("tee.jsonl".to_owned(), reason.to_owned()))])?;
        // A pattern can be a text and still make no sense; the recorder's own check says so.
        self.capture.set_policy(changed.policy()).map_err(|error| {
            let key = changes.keys().next().cloned().unwrap_or_default();
            vec![refused((key, error.to_string()))]
        })?;
        self.proxy.set_settings(relay_settings(&changed));
        self.tee.set(tee);
        self.tidy.set(&changed);
        if let Err(error) = changed.save_changed() {
            tracing::error!(%error, "changed settings could not be written: they hold until the monitor stops");
        }
        *config = changed;
        Ok(config_entries(&config))
    }
}

fn refused((key, message): (String, String)) -> FieldError {
    let help = Some("`flow-monitor config show` lists every setting with its values".to_owned());
    FieldError { key, message, help }
}

/// Returns a handle that lists settings and changes none.
pub(super) fn read_only_handle(config: Config) -> ConfigHandle {
    ConfigHandle::new(
        move || config_entries(&config),
        |changes| {
            let keys = changes.into_iter().map(|(key, _)| key);
            Err(keys
                .map(|key| refused((key, "no monitor is running".to_owned())))
                .collect())
        },
    )
}

/// Returns every setting as the API shows it.
pub(crate) fn config_entries(config: &Config) -> Vec<ConfigEntry> {
    let entry = |setting: &crate::config::Setting| {
        let (value, source) = config.value(setting.key);
        ConfigEntry {
            key: setting.key.to_owned(),
            value: value.clone(),
            default: setting.default(),
            source,
            env: Some(setting.variable()),
            changeable: setting.changeable,
            help: setting.help.to_owned(),
            kind: setting.kind_name(),
        }
    };
    SETTINGS.iter().map(entry).collect()
}

/// Returns the relay's settings.
pub(super) fn relay_settings(config: &Config) -> Settings {
    let time = |key| Duration::from_millis(config.count(key));
    Settings {
        connect_timeout: time("relay.connect_timeout_ms"),
        head_timeout: time("relay.response_timeout_ms"),
        idle_timeout: time("relay.idle_timeout_ms"),
        on_client_abort: if config.text("relay.on_client_abort") == "drain" {
            OnClientAbort::Drain
        } else {
            OnClientAbort::Cancel
        },
        ..Settings::default()
    }
}
