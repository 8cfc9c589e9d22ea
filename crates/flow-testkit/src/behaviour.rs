//! What a request asks the provider to do wrong, or in an unusual way.
//!
//! The same words work in two places, because SDKs set a model more easily than a header:
//!
//! | place | form |
//! | --- | --- |
//! | header `x-fake` | `conversation=tools,split=7,stall=500ms,at=3` |
//! | model | `demo-tools--split-7--stall-500ms--at-3`; `fake-…` where the conversation does not matter |
//!
//! | word | does |
//! | --- | --- |
//! | `conversation=NAME` | answers from that conversation |
//! | `split=BYTES` | cuts everything into pieces of so many bytes, each sent on its own |
//! | `utf8` | cuts inside each character that has more than one byte, and inside `data:` |
//! | `delay=TIME` | waits before each event; a bare number is milliseconds |
//! | `pace=TIME` | as `delay`, but longer for dialects with longer events, so that text grows evenly |
//! | `head=TIME` | waits before the head of the response |
//! | `stall=TIME` | waits once, before event `at` |
//! | `at=N` | where `stall` waits; 1 where it is not given |
//! | `break=N` | closes after N events, without the end of the body |
//! | `end=N` | ends the body well after N events, without the dialect's own end |
//! | `abort=N` | resets the connection after N events |
//! | `hang=N` | sends nothing more after N events and keeps the connection |
//! | `error=N` | sends the dialect's error event after N events, inside a 200; on AWS an exception frame |
//! | `status=CODE` | answers with that status and the dialect's error |
//! | `retry-after=SECONDS` | sends that header with the status |
//! | `encoding=CODING` | `gzip`, `br`, `zstd`, `deflate`; `auto` takes what the client accepts |
//! | `empty` | a stream without events, a body without bytes |
//! | `type=TEXT` | sends that content type |
//! | `nodone` | leaves out the closing event; with Kiro it is the one that holds the tokens |
//! | `crlf` | ends lines of a stream with CRLF |
//! | `huge=MEGABYTES` | pads the answer's text |
//! | `chunked` | sends a whole answer without a length |
//! | `reasoning` | OpenAI: shows thinking, as `reasoning_content` or as a summary |
//!
//! A whole answer is two events: half of the body each. `gzip`, `br`, `zstd` and `deflate` stand for their
//! `encoding`. In a word, `after` is ignored: `break-after-3` is `break-3`. An unknown word is an error, so that a
//! test cannot pass because of a slip.

use std::str::FromStr;
use std::time::Duration;

use crate::Coding;

/// Most that `huge` gives.
const HUGE_MEGABYTES_MAX: usize = 256;
/// Longest wait that can be asked for.
const WAIT_MAX: Duration = Duration::from_mins(10);

/// What the provider does in an unusual way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Answers from that conversation.
    pub conversation: Option<String>,
    /// Cuts everything into pieces of so many bytes.
    pub split_bytes: Option<usize>,
    /// Cuts inside characters and inside `data:`.
    pub split_characters: bool,
    /// Waits before each event.
    pub delay: Option<Duration>,
    /// Waits before each event, by the length that the dialect's events have.
    pub pace: Option<Duration>,
    /// Waits before the head.
    pub head_delay: Option<Duration>,
    /// Waits once.
    pub stall: Option<Duration>,
    /// Before which event it waits.
    pub stall_at: Option<usize>,
    /// Does not come to the end.
    pub cut: Option<(Cut, usize)>,
    /// Answers with an error.
    pub status: Option<u16>,
    /// Seconds after which the client may try again.
    pub retry_after: Option<u64>,
    /// Compresses.
    pub encoding: Option<Encoding>,
    /// Answers nothing.
    pub empty: bool,
    /// Sends another content type.
    pub content_type: Option<String>,
    /// Leaves out the closing event.
    pub no_done: bool,
    /// Ends lines with CRLF.
    pub crlf: bool,
    /// Pads the text by so many megabytes.
    pub huge_megabytes: usize,
    /// Sends a whole answer without a length.
    pub chunked: bool,
    /// Shows thinking where the dialect usually hides it.
    pub reasoning: bool,
}

/// How a response does not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The connection is closed without the end of the body.
    Break,
    /// The body ends well, the answer in it does not.
    End,
    /// The connection is reset.
    Reset,
    /// Nothing more is sent.
    Hang,
    /// The dialect's error event, then the end of the body.
    Error,
}

/// Which coding is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// This one, whatever the client accepts.
    Fixed(Coding),
    /// The best that the client accepts.
    Accepted,
}

/// A word that means nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BehaviourError {
    /// No such word.
    #[error("unknown behaviour `{word}`")]
    Unknown {
        /// The word.
        word: String,
    },
    /// The word's value is missing or not of its kind.
    #[error("behaviour `{word}` has no usable value")]
    Value {
        /// The word.
        word: String,
    },
}

// === impl Behaviour ===

impl Behaviour {
    /// Adds the words of an `x-fake` header.
    pub fn add_header(&mut self, value: &str) -> Result<(), BehaviourError> {
        value
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .try_for_each(|word| self.add(word))
    }

    /// Adds the words in a model's name, where it has any.
    pub fn add_model(&mut self, model: &str) -> Result<(), BehaviourError> {
        let model = model.strip_prefix("models/").unwrap_or(model);
        let mut words = model.split("--");
        let first = words.next().unwrap_or_default();
        if let Some(name) = first.strip_prefix("demo-") {
            self.conversation = Some(name.to_owned());
        } else if let Some(word) = first.strip_prefix("fake-") {
            self.add(word)?;
        } else {
            return Ok(());
        }
        words.try_for_each(|word| self.add(word))
    }

    fn add(&mut self, word: &str) -> Result<(), BehaviourError> {
        let unknown = || BehaviourError::Unknown { word: word.into() };
        let (key, value) = split(word).ok_or_else(unknown)?;
        match key {
            "conversation" => self.conversation = Some(value.to_owned()),
            "split" => self.split_bytes = Some(number::<usize>(word, value)?.max(1)),
            "utf8" => self.split_characters = true,
            "delay" => self.delay = Some(wait(word, value)?),
            "pace" => self.pace = Some(wait(word, value)?),
            "head" => self.head_delay = Some(wait(word, value)?),
            "stall" => self.stall = Some(wait(word, value)?),
            "at" => self.stall_at = Some(number(word, value)?),
            "break" => self.cut = Some((Cut::Break, number(word, value)?)),
            "end" => self.cut = Some((Cut::End, number(word, value)?)),
            "abort" => self.cut = Some((Cut::Reset, number(word, value)?)),
            "hang" => self.cut = Some((Cut::Hang, number(word, value)?)),
            "error" => self.cut = Some((Cut::Error, number(word, value)?)),
            "status" => self.status = Some(status(word, value)?),
            "retry-after" => self.retry_after = Some(number(word, value)?),
            "encoding" => self.encoding = Some(encoding(word, value)?),
            "gzip" | "br" | "zstd" | "deflate" => self.encoding = Some(encoding(word, key)?),
            "empty" => self.empty = true,
            "type" => self.content_type = Some(value.to_owned()),
            "nodone" => self.no_done = true,
            "crlf" => self.crlf = true,
            "huge" => self.huge_megabytes = number::<usize>(word, value)?.min(HUGE_MEGABYTES_MAX),
            "chunked" => self.chunked = true,
            "reasoning" => self.reasoning = true,
            _ => return Err(unknown()),
        }
        Ok(())
    }
}

/// Splits a word into its key and its value.
fn split(word: &str) -> Option<(&str, &str)> {
    const KEYS: [&str; 27] = [
        "conversation",
        "split",
        "utf8",
        "delay",
        "pace",
        "head",
        "stall",
        "at",
        "break",
        "end",
        "abort",
        "hang",
        "error",
        "status",
        "retry-after",
        "encoding",
        "gzip",
        "br",
        "zstd",
        "deflate",
        "empty",
        "type",
        "nodone",
        "crlf",
        "huge",
        "chunked",
        "reasoning",
    ];
    KEYS.iter().find_map(|key| {
        let rest = word.strip_prefix(key)?;
        if rest.is_empty() {
            return Some((*key, ""));
        }
        let value = rest.strip_prefix(['=', '-'])?;
        Some((*key, value.strip_prefix("after-").unwrap_or(value)))
    })
}

fn number<T: FromStr>(word: &str, value: &str) -> Result<T, BehaviourError> {
    value
        .parse()
        .map_err(|_| BehaviourError::Value { word: word.into() })
}

fn status(word: &str, value: &str) -> Result<u16, BehaviourError> {
    number::<u16>(word, value).and_then(|status| {
        if (400..=599).contains(&status) {
            Ok(status)
        } else {
            Err(BehaviourError::Value { word: word.into() })
        }
    })
}

fn wait(word: &str, value: &str) -> Result<Duration, BehaviourError> {
    let (digits, unit_ms) = if let Some(digits) = value.strip_suffix("ms") {
        (digits, 1)
    } else if let Some(digits) = value.strip_suffix('s') {
        (digits, 1000)
    } else {
        (value, 1)
    };
    let count = number::<u32>(word, digits)?;
    Ok(Duration::from_millis(u64::from(count) * unit_ms).min(WAIT_MAX))
}

fn encoding(word: &str, value: &str) -> Result<Encoding, BehaviourError> {
    if value == "auto" {
        return Ok(Encoding::Accepted);
    }
    Coding::named(value)
        .map(Encoding::Fixed)
        .ok_or_else(|| BehaviourError::Value { word: word.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(value: &str) -> Result<Behaviour, BehaviourError> {
        let mut behaviour = Behaviour::default();
        behaviour.add_header(value).map(|()| behaviour)
    }

    fn model(name: &str) -> Result<Behaviour, BehaviourError> {
        let mut behaviour = Behaviour::default();
        behaviour.add_model(name).map(|()| behaviour)
    }

    #[test]
    fn header_and_model_say_the_same() {
        let expect = Behaviour {
            conversation: Some("tools".into()),
            split_bytes: Some(7),
            stall: Some(Duration::from_millis(500)),
            cut: Some((Cut::Break, 3)),
            retry_after: Some(2),
            encoding: Some(Encoding::Fixed(Coding::Gzip)),
            ..Behaviour::default()
        };
        assert_eq!(
            header("conversation=tools, split=7,stall=500ms,break=3,retry-after=2,encoding=gzip"),
            Ok(expect.clone())
        );
        assert_eq!(
            model("demo-tools--split-7--stall-500--break-after-3--retry-after-2--gzip"),
            Ok(expect)
        );
    }

    #[test]
    fn names_with_hyphens_are_whole() {
        let behaviour = model("models/demo-flaky-test").unwrap();
        assert_eq!(behaviour.conversation.as_deref(), Some("flaky-test"));
    }

    #[test]
    fn a_real_model_asks_for_nothing() {
        for name in ["gpt-5.1", "claude-opus-4-5", "", "models/gemini-2.5-pro"] {
            assert_eq!(model(name), Ok(Behaviour::default()), "{name}");
        }
    }

    #[test]
    fn a_slip_is_an_error() {
        for word in [
            "brake=3",
            "split",
            "split=x",
            "status=200",
            "status=",
            "encoding=lzw",
            "stall=1h",
        ] {
            assert!(header(word).is_err(), "{word}");
        }
        assert!(model("fake-brake-3").is_err());
    }

    #[test]
    fn waits_have_units_and_a_limit() {
        let stall = |value: &str| header(&format!("stall={value}")).unwrap().stall;
        assert_eq!(stall("250"), Some(Duration::from_millis(250)));
        assert_eq!(stall("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(stall("2s"), Some(Duration::from_secs(2)));
        assert_eq!(stall("4000000s"), Some(WAIT_MAX));
    }
}
