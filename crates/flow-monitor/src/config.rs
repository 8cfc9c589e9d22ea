//! Configuration: where each value comes from, and what follows from it.
//!
//! Later sources win: defaults, `flow-monitor.toml` in the data directory, what was changed while running
//! (`settings.json` beside it), the environment, flags. An unknown key in the file is an error with a
//! suggestion; an unknown variable only warns, because variables come from everywhere.

mod secret;
mod settings;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use flow_api::ConfigSource as Source;
use flow_capture::Policy;
use flow_meter::Meter;
use flow_recorder::TeeSettings;
use flow_store::MasterKey;
use serde_json::{Map, Value};

use secret::Secret;

pub(crate) use secret::KEY_VARIABLE;
pub(crate) use settings::{SETTINGS, Setting};

/// File of the configuration in the data directory.
const CONFIG_FILE: &str = "flow-monitor.toml";
/// File of the settings that were changed while the monitor ran.
const CHANGED_FILE: &str = "settings.json";
/// Bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 1 << 20;
/// Variables that mean something but are no settings.
const OTHER_VARIABLES: [&str; 4] = [
    "FLOW_MONITOR_DATA_DIR",
    "FLOW_MONITOR_CONFIG",
    "FLOW_MONITOR_CORPUS",
    "FLOW_MONITOR_WEB_DIST",
];
/// A pause is not carried over a restart: somebody who starts the monitor wants a record.
const NOT_KEPT: &str = "recording.paused";

/// The configuration in force.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    values: BTreeMap<&'static str, (Value, Source)>,
    /// The key of encryption, where the environment has it. It is no setting, so that it is never listed.
    key: Option<Secret>,
    /// What was odd but no reason to stop.
    pub(crate) warnings: Vec<String>,
}

/// What the command line and the environment say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
    /// Values of flags by setting.
    pub(crate) flags: Vec<(&'static str, String)>,
    /// Variables that start with `FLOW_MONITOR_`.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: Option<PathBuf>,
}

// === impl Config ===

impl Config {
    /// Reads everything that is said and returns what holds.
    pub(crate) fn load(given: &Given) -> anyhow::Result<Self> {
        let variable = |name: &str| {
            given
                .environment
                .get(name)
                .filter(|value| !value.is_empty())
        };
        let data_dir = match (
            &given.data_dir,
            variable("FLOW_MONITOR_DATA_DIR"),
            &given.home,
        ) {
            (Some(dir), _, _) => dir.clone(),
            (None, Some(dir), _) => PathBuf::from(dir),
            (None, None, Some(home)) => home.join(".flow-monitor"),
            (None, None, None) => {
                bail!("there is no home directory to keep the record in: set --data-dir")
            }
        };
        let mut config = Self {
            values: SETTINGS
                .iter()
                .map(|setting| (setting.key, (setting.default(), Source::Default)))
                .collect(),
            key: None,
            warnings: Vec::new(),
            data_dir,
        };
        let named = given
            .config
            .clone()
            .or_else(|| variable("FLOW_MONITOR_CONFIG").map(PathBuf::from));
        config.read_file(named)?;
        config.read_changed()?;
        config.read_environment(&given.environment)?;
        for (key, text) in &given.flags {
            config.set_text(key, text, Source::Flag)?;
        }
        Ok(config)
    }

    fn read_file(&mut self, named: Option<PathBuf>) -> anyhow::Result<()> {
        let optional = named.is_none();
        let path = named.unwrap_or_else(|| self.data_dir.join(CONFIG_FILE));
        let Some(text) = read_small(&path)? else {
            if optional {
                return Ok(());
            }
            bail!("the configuration file {} does not exist", path.display());
        };
        let table: toml::Table =
            toml::from_str(&text).with_context(|| format!("{} is not TOML", path.display()))?;
        let value = serde_json::to_value(table)
            .context("the configuration has a value without a JSON form")?;
        self.read_table("", value, &path)
    }

    /// Takes the keys of a table, and of its sections as `section.key`.
    fn read_table(&mut self, prefix: &str, table: Value, path: &Path) -> anyhow::Result<()> {
        let Value::Object(table) = table else {
            return Ok(());
        };
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            if let Some(setting) = Setting::find(&key) {
                self.set(setting, value, Source::File)
                    .with_context(|| format!("in {}", path.display()))?;
            } else if value.is_object()
                && SETTINGS
                    .iter()
                    .any(|setting| setting.key.starts_with(&format!("{key}.")))
            {
                self.read_table(&format!("{key}."), value, path)?;
            } else {
                bail!(
                    "in {}: there is no setting `{key}`{}",
                    path.display(),
                    suggestion(&key)
                );
            }
        }
        Ok(())
    }

    fn read_changed(&mut self) -> anyhow::Result<()> {
        let path = self.data_dir.join(CHANGED_FILE);
        let Some(text) = read_small(&path)? else {
            return Ok(());
        };
        let changed: Map<String, Value> = match serde_json::from_str(&text) {
            Ok(changed) => changed,
            Err(error) => {
                self.warnings
                    .push(format!("{} is left out: {error}", path.display()));
                return Ok(());
            }
        };
        for (key, value) in changed {
            let taken =
                Setting::find(&key).map(|setting| self.set(setting, value, Source::Runtime));
            if !matches!(taken, Some(Ok(()))) {
                self.warnings.push(format!(
                    "{}: `{key}` is left out: no such setting or value",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    fn read_environment(&mut self, environment: &BTreeMap<String, String>) -> anyhow::Result<()> {
        for (name, text) in environment {
            if text.is_empty() || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            if name == KEY_VARIABLE {
                self.key = Some(Secret::new(text));
                continue;
            }
            match SETTINGS.iter().find(|setting| setting.variable() == *name) {
                Some(setting) => self
                    .set_text(setting.key, text, Source::Environment)
                    .with_context(|| format!("in the environment variable {name}"))?,
                None => self
                    .warnings
                    .push(format!("the environment variable {name} names no setting")),
            }
        }
        Ok(())
    }

    fn set_text(&mut self, key: &str, text: &str, source: Source) -> anyhow::Result<()> {
        let setting = Setting::find(key).with_context(|| format!("there is no setting `{key}`"))?;
        let value = setting
            .parse(text)
            .map_err(|expected| anyhow::anyhow!("`{key}` is `{text}`: {expected}"))?;
        self.set(setting, value, source)
    }

    fn set(
        &mut self,
        setting: &'static Setting,
        value: Value,
        source: Source,
    ) -> anyhow::Result<()> {
        let said = value.to_string();
        let mut value = setting
            .check(value)
            .map_err(|expected| anyhow::anyhow!("`{}` is {said}: {expected}", setting.key))?;
        if let (Value::Object(new), Some((Value::Object(old), _))) =
            (&mut value, self.values.get(setting.key))
        {
            // Upstreams and prices add up over the sources; a later one overrides by name.
            for (name, url) in old {
                new.entry(name.clone()).or_insert_with(|| url.clone());
            }
        }
        self.values.insert(setting.key, (value, source));
        Ok(())
    }

    /// Changes settings while the monitor runs: all of them or, where one is wrong, none. Returns what is wrong
    /// by key.
    pub(crate) fn change(
        &mut self,
        changes: &Map<String, Value>,
    ) -> Result<(), Vec<(String, String)>> {
        let mut wrong = Vec::new();
        for (key, value) in changes {
            let checked = match Setting::find(key) {
                None => Err(format!("there is no such setting{}", suggestion(key))),
                Some(setting) if !setting.changeable => Err(
                    "it takes effect at the next start only; set it in the configuration file"
                        .to_owned(),
                ),
                Some(setting) => setting.check(value.clone()).map(drop),
            };
            if let Err(reason) = checked {
                wrong.push((key.clone(), reason));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        for (key, value) in changes {
            if let Some(setting) = Setting::find(key) {
                self.values
                    .insert(setting.key, (value.clone(), Source::Runtime));
            }
        }
        Ok(())
    }

    /// Writes what was changed while the monitor ran, so that it holds after a restart.
    pub(crate) fn save_changed(&self) -> io::Result<()> {
        let changed = self
            .values
            .iter()
            .filter(|(key, (_, source))| *source == Source::Runtime && **key != NOT_KEPT);
        let changed: Map<String, Value> = changed
            .map(|(key, (value, _))| ((*key).to_owned(), value.clone()))
            .collect();
        crate::files::write_private(
            &self.data_dir.join(CHANGED_FILE),
            Value::Object(changed).to_string().as_bytes(),
        )
    }

    /// Returns a setting's value and where it comes from.
    pub(crate) fn value(&self, key: &str) -> (&Value, Source) {
        self.values
            .get(key)
            .map_or((&Value::Null, Source::Default), |(value, source)| {
                (value, *source)
            })
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.value(key).0.as_str().unwrap_or_default()
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        self.value(key).0.as_u64().unwrap_or_default()
    }

    pub(crate) fn switch(&self, key: &str) -> bool {
        self.value(key).0.as_bool().unwrap_or_default()
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let texts = self.value(key).0.as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns the upstreams that the user defined.
    pub(crate) fn upstreams(&self) -> Vec<(String, String)> {
        let table = self.value("upstreams").0.as_object().into_iter().flatten();
        table
            .filter_map(|(name, url)| Some((name.clone(), url.as_str()?.to_owned())))
            .collect()
    }

    /// Returns the meter: the built-in prices, with the user's own over them.
    pub(crate) fn meter(&self) -> anyhow::Result<Meter> {
        let (value, _) = self.value("prices");
        let own = value.as_object().cloned().unwrap_or_default();
        Meter::new(&own).context("in the setting `prices`")
    }

    /// Returns the key with which the record is encrypted; none where it is not.
    pub(crate) fn encryption_key(&self) -> anyhow::Result<Option<MasterKey>> {
        let path = self.text("encryption.key_file");
        match (&self.key, path) {
            (None, "") => Ok(None),
            (Some(key), "") => {
                let key = key.key().with_context(|| format!("in {KEY_VARIABLE}"))?;
                Ok(Some(key))
            }
            (None, path) => {
                let key = secret::read_key(Path::new(path))
                    .with_context(|| format!("the encryption key {path} cannot be used"))?;
                Ok(Some(key))
            }
            (Some(_), _) => {
                bail!("{KEY_VARIABLE} and `encryption.key_file` both name a key: keep one of them")
            }
        }
    }

    /// Returns whether the record is to be encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.key.is_some() || !self.text("encryption.key_file").is_empty()
    }

    /// Returns what is to be written as lines, or why that cannot be.
    pub(crate) fn tee(&self) -> Result<TeeSettings, &'static str> {
        let jsonl = self.switch("tee.jsonl");
        if jsonl && self.is_encrypted() {
            return Err("the record is encrypted, and these files would not be");
        }
        Ok(TeeSettings {
            jsonl,
            keep_days: self.count("tee.keep_days"),
        })
    }

    /// Returns what is to be recorded.
    pub(crate) fn policy(&self) -> Policy {
        let bytes = |key| Some(self.count(key)).filter(|bytes| *bytes > 0);
        Policy {
            enabled: self.switch("recording.enabled"),
            paused: self.switch("recording.paused"),
            sampling_rate: self
                .value("recording.sampling_rate")
                .0
                .as_f64()
                .unwrap_or(1.0),
            excluded_paths: self.texts("recording.excluded_paths"),
            excluded_models: self.texts("recording.excluded_models"),
            request_body_bytes_max: bytes("recording.request_body_bytes_max"),
            response_body_bytes_max: bytes("recording.response_body_bytes_max"),
        }
    }
}

/// Returns a small file's text, or none where there is no such file.
fn read_small(path: &Path) -> anyhow::Result<Option<String>> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", path.display()));
        }
    };
    if length > CONFIG_BYTES_MAX {
        bail!("{} is larger than {CONFIG_BYTES_MAX} bytes", path.display());
    }
    let text = std::fs::read_to_string(path);
    text.map(Some)
        .with_context(|| format!("{} cannot be read", path.display()))
}

/// Returns the setting that was probably meant, as the rest of a sentence.
fn suggestion(key: &str) -> String {
    let nearest = SETTINGS
        .iter()
        .map(|setting| (distance(key, setting.key), setting.key))
        .min();
    match nearest {
        Some((distance, nearest)) if distance <= nearest.len() / 2 => {
            format!(", did you mean `{nearest}`?")
        }
        _ => String::new(),
    }
}

/// Returns the number of characters to change, add or remove to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, character) in from.chars().enumerate() {
        let mut diagonal = number;
        let mut left = number + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(&to) {
            let above = *cell;
            let best = (diagonal + usize::from(character != *other))
                .min(above + 1)
                .min(left + 1);
            diagonal = above;
            *cell = best;
            left = best;
        }
        row[0] = number + 1;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
