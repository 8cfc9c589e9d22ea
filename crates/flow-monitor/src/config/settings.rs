//! The table of settings: everything that can be configured, with its kind, default and meaning.

use flow_api::ConfigKind;
use flow_meter::Prices;
use serde_json::{Value, json};

/// One setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Name in the file, with its section: `recording.paused`.
    pub(crate) key: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// Changes take effect while the monitor runs.
    pub(crate) changeable: bool,
    /// What it does.
    pub(crate) help: &'static str,
}

/// What values a setting takes, and which one it has if nothing is said.
#[derive(Debug)]
pub(crate) enum Kind {
    /// `true` or `false`.
    Switch(bool),
    /// A number from 0 to 1.
    Share(f64),
    /// A whole number within bounds.
    Count { default: u64, min: u64, max: u64 },
    /// A number of bytes, or 0 for no limit.
    BytesOrAll,
    /// One of these words; the first is the default.
    Choice(&'static [&'static str]),
    /// An address and port.
    Address(&'static str),
    /// A file, or nothing.
    Path,
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// Names with URLs.
    Upstreams,
    /// Models with prices.
    Prices,
}

/// Every setting, in the order in which they are shown.
pub(crate) const SETTINGS: &[Setting] = &[
    fixed(
        "proxy_listen",
        Kind::Address("127.0.0.1:8377"),
        "Address of the proxy that clients are pointed at. Port 0 takes a free one.",
    ),
    fixed(
        "ui_listen",
        Kind::Address("127.0.0.1:8378"),
        "Address of the page and the API. Port 0 takes a free one.",
    ),
    fixed(
        "upstreams",
        Kind::Upstreams,
        "Upstreams by name: the origin and whatever stands before the version segment. A built-in name is overridden.",
    ),
    fixed(
        "prices",
        Kind::Prices,
        "Prices of your own by model, in dollars per million tokens; they win over the built-in table.",
    ),
    fixed(
        "allowed_hosts",
        Kind::Texts(&[]),
        "Host names besides loopback under which page, API and proxy may be reached, for containers.",
    ),
    fixed(
        "allowed_origins",
        Kind::Texts(&[]),
        "Origins of web pages that may send requests through the proxy.",
    ),
    fixed(
        "max_memory",
        Kind::Count {
            default: 1000,
            min: 1,
            max: 1_000_000,
        },
        "Recent flows whose rows are kept in memory.",
    ),
    live(
        "retention_days",
        Kind::Count {
            default: 7,
            min: 0,
            max: 36_500,
        },
        "Days for which flows are kept; 0 keeps them for ever. Pinned flows stay, and so do the totals.",
    ),
    live(
        "retention_bytes_max",
        Kind::Count {
            default: 0,
            min: 0,
            max: u64::MAX,
        },
        "Bytes that the record may take on the disk, about: the oldest flows go first; 0 sets no limit.",
    ),
    live(
        "auto_cleanup",
        Kind::Switch(true),
        "Flows past their days, or past the bytes that the record may take, are removed by themselves.",
    ),
    fixed(
        "log_level",
        Kind::Choice(&["info", "error", "warn", "debug", "trace"]),
        "How much is logged to standard error.",
    ),
    fixed(
        "log_format",
        Kind::Choice(&["text", "json"]),
        "Form of the log.",
    ),
    fixed(
        "recording.persist",
        Kind::Switch(true),
        "Flows are kept on disk. When off, they live in memory, 256 MB at most, and are gone at the end.",
    ),
    fixed(
        "storage.compressed",
        Kind::Switch(true),
        "What is stored is compressed. When off, texts can be found in the files by other programs, which are several times larger.",
    ),
    live(
        "recording.enabled",
        Kind::Switch(true),
        "Flows are recorded. Traffic goes on either way.",
    ),
    live(
        "recording.paused",
        Kind::Switch(false),
        "Recording is paused until it is switched on again or the monitor restarts.",
    ),
    live(
        "recording.sampling_rate",
        Kind::Share(1.0),
        "Share of flows that is recorded, from 0 to 1.",
    ),
    live(
        "recording.excluded_paths",
        Kind::Texts(&["/health"]),
        "Paths that are not recorded, as globs.",
    ),
    live(
        "recording.excluded_models",
        Kind::Texts(&[]),
        "Models whose flows are not recorded, as globs.",
    ),
    live(
        "recording.request_body_bytes_max",
        Kind::BytesOrAll,
        "Bytes that are kept of a request's body; 0 keeps all. A body that is cut is marked.",
    ),
    live(
        "recording.response_body_bytes_max",
        Kind::BytesOrAll,
        "Bytes that are kept of a response's body; 0 keeps all. A body that is cut is marked.",
    ),
    live(
        "tee.jsonl",
        Kind::Switch(false),
        "Each flow is written as a line of JSON when it ends, into daily files in `tee` of the data directory.",
    ),
    live(
        "tee.keep_days",
        Kind::Count {
            default: 30,
            min: 0,
            max: 36_500,
        },
        "Days for which those files are kept; 0 keeps all.",
    ),
    fixed(
        "encryption.key_file",
        Kind::Path,
        "File with a key of 32 bytes, as hexadecimal digits or base64, with which the record is encrypted.",
    ),
    live(
        "relay.on_client_abort",
        Kind::Choice(&["cancel", "drain"]),
        "When a client goes away: cancel the upstream's answer, or read it to its end for the record.",
    ),
    live(
        "relay.connect_timeout_ms",
        Kind::Count {
            default: 10_000,
            min: 1,
            max: 600_000,
        },
        "Time to connect to an upstream.",
    ),
    live(
        "relay.response_timeout_ms",
        Kind::Count {
            default: 600_000,
            min: 1,
            max: 86_400_000,
        },
        "Time from the request sent to the first byte of the answer.",
    ),
    live(
        "relay.idle_timeout_ms",
        Kind::Count {
            default: 300_000,
            min: 1,
            max: 86_400_000,
        },
        "Time between two pieces of an answer.",
    ),
];

const fn fixed(key: &'static str, kind: Kind, help: &'static str) -> Setting {
    Setting {
        key,
        kind,
        changeable: false,
        help,
    }
}

const fn live(key: &'static str, kind: Kind, help: &'static str) -> Setting {
    Setting {
        key,
        kind,
        changeable: true,
        help,
    }
}

// === impl Setting ===

impl Setting {
    /// Returns the setting of that name.
    pub(crate) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Returns the environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!(
            "FLOW_MONITOR_{}",
            self.key.replace('.', "_").to_ascii_uppercase()
        )
    }

    /// Returns the word for its kind.
    pub(crate) const fn kind_name(&self) -> ConfigKind {
        match self.kind {
            Kind::Switch(_) => ConfigKind::Boolean,
            Kind::Share(_) => ConfigKind::Number,
            Kind::Count { .. } | Kind::BytesOrAll => ConfigKind::Integer,
            Kind::Choice(_) | Kind::Address(_) | Kind::Path => ConfigKind::Text,
            Kind::Texts(_) => ConfigKind::List,
            Kind::Upstreams | Kind::Prices => ConfigKind::Table,
        }
    }

    /// Returns the value that holds if nothing is said.
    pub(crate) fn default(&self) -> Value {
        match self.kind {
            Kind::Switch(on) => json!(on),
            Kind::Share(share) => json!(share),
            Kind::Count { default, .. } => json!(default),
            Kind::BytesOrAll => json!(0),
            Kind::Choice(words) => json!(words.first()),
            Kind::Address(address) => json!(address),
            Kind::Path => json!(""),
            Kind::Texts(texts) => json!(texts),
            Kind::Upstreams | Kind::Prices => json!({}),
        }
    }

    /// Returns the value if it is one that the setting takes, or what it should be.
    pub(crate) fn check(&self, value: Value) -> Result<Value, String> {
        let fits = match &self.kind {
            Kind::Switch(_) => value.is_boolean(),
            Kind::Share(_) => value
                .as_f64()
                .is_some_and(|share| (0.0..=1.0).contains(&share)),
            Kind::Count { min, max, .. } => value
                .as_u64()
                .is_some_and(|count| (*min..=*max).contains(&count)),
            Kind::BytesOrAll => value.is_u64(),
            Kind::Choice(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Kind::Address(_) => value.as_str().is_some_and(is_address),
            Kind::Path => value.is_string(),
            Kind::Texts(_) => value
                .as_array()
                .is_some_and(|texts| texts.iter().all(Value::is_string)),
            Kind::Upstreams => value
                .as_object()
                .is_some_and(|table| table.values().all(Value::is_string)),
            Kind::Prices => match value.as_object().map(Prices::with_overrides) {
                Some(Ok(_)) => true,
                Some(Err(error)) => return Err(error.to_string()),
                None => false,
            },
        };
        if fits {
            Ok(value)
        } else {
            Err(self.expected())
        }
    }

    /// Returns the value that a text stands for, as environment variables and flags give it.
    pub(crate) fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        let value = match self.kind {
            Kind::Switch(_) => match text {
                "1" | "true" | "on" | "yes" => json!(true),
                "0" | "false" | "off" | "no" => json!(false),
                _ => json!(text),
            },
            Kind::Share(_) => text
                .parse::<f64>()
                .map_or(Value::Null, |share| json!(share)),
            Kind::Count { .. } | Kind::BytesOrAll => text
                .parse::<u64>()
                .map_or(Value::Null, |count| json!(count)),
            Kind::Choice(_) | Kind::Address(_) | Kind::Path => json!(text),
            Kind::Texts(_) => json!(list(text).collect::<Vec<_>>()),
            Kind::Prices => serde_json::from_str(text).map_err(|_| self.expected())?,
            Kind::Upstreams => {
                let pairs = list(text).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                Value::Object(
                    pairs
                        .map(|(name, url)| (name.trim().to_owned(), json!(url.trim())))
                        .collect(),
                )
            }
        };
        self.check(value)
    }

    fn expected(&self) -> String {
        match &self.kind {
            Kind::Switch(_) => "expected true or false".to_owned(),
            Kind::Share(_) => "expected a number from 0 to 1".to_owned(),
            Kind::Count { min, max, .. } => format!("expected a whole number from {min} to {max}"),
            Kind::BytesOrAll => "expected a number of bytes, or 0 for no limit".to_owned(),
            Kind::Choice(words) => format!("expected one of {}", words.join(", ")),
            Kind::Address(_) => "expected an address and port, such as 127.0.0.1:8377".to_owned(),
            Kind::Path => "expected the path of a file".to_owned(),
            Kind::Texts(_) => "expected a list of texts".to_owned(),
            Kind::Upstreams => "expected names with URLs".to_owned(),
            Kind::Prices => {
                "expected models with prices, such as \"my-model\" = { input = 1.5, output = 6 }"
                    .to_owned()
            }
        }
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// Returns whether the text is an IP address or `localhost`, with a port.
fn is_address(text: &str) -> bool {
    let numeric = text.parse::<std::net::SocketAddr>().is_ok();
    let named = text
        .strip_prefix("localhost:")
        .is_some_and(|port| port.parse::<u16>().is_ok());
    numeric || named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_that_the_setting_takes() {
        for setting in SETTINGS {
            let default = setting.default();
            assert_eq!(
                setting.check(default.clone()),
                Ok(default),
                "{}",
                setting.key
            );
        }
    }

    #[test]
    fn texts_stand_for_values() {
        let check = |key: &str, text: &str, expect: Result<Value, ()>| {
            let parsed = Setting::find(key).unwrap().parse(text);
            assert_eq!(parsed.map_err(drop), expect, "{key} {text}");
        };
        check("recording.paused", "on", Ok(json!(true)));
        check("recording.paused", "maybe", Err(()));
        check("recording.sampling_rate", "0.25", Ok(json!(0.25)));
        check("recording.sampling_rate", "2", Err(()));
        check("max_memory", "0", Err(()));
        check(
            "recording.excluded_paths",
            "/a, /b,",
            Ok(json!(["/a", "/b"])),
        );
        check(
            "upstreams",
            "a=http://x, b=https://y/z",
            Ok(json!({"a": "http://x", "b": "https://y/z"})),
        );
        check("proxy_listen", "127.0.0.1:0", Ok(json!("127.0.0.1:0")));
        check("proxy_listen", "example.org:80", Err(()));
        check("relay.on_client_abort", "drain", Ok(json!("drain")));
    }

    #[test]
    fn variables_follow_the_names() {
        assert_eq!(
            Setting::find("recording.paused").unwrap().variable(),
            "FLOW_MONITOR_RECORDING_PAUSED"
        );
        assert_eq!(
            Setting::find("max_memory").unwrap().variable(),
            "FLOW_MONITOR_MAX_MEMORY"
        );
    }
}
