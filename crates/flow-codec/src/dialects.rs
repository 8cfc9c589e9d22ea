//! The dialects: what the bytes of a request, a response and the events of a stream say.
//!
//! Each has a table of its wire's facts at the top, and three parts: `request`, `response` (whole bodies) and
//! `stream` (events). What several dialects share is here.

pub(crate) mod anthropic_messages;
pub(crate) mod gemini_generate;
pub(crate) mod openai_chat;

use std::collections::VecDeque;

use flow_model::{Media, Part, RequestReading};
use memchr::memchr;
use serde_json::Value;

use crate::answer::Diagnostics;
use crate::json::{Faults, Json, Kind, Token, lossy};

/// Messages at the end of a request that a skim reads: a turn's tool results and what the user adds to them.
const NEWEST_MESSAGES_MAX: usize = 8;

/// How much of a request is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All of it.
    #[default]
    Whole,
    /// What a row of a list shows: the model, whether a stream is asked for, the newest messages. The rest is
    /// skipped, which costs a fraction of reading it.
    Skim,
}

/// A request under construction.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    pub(crate) depth: Depth,
    pub(crate) reading: RequestReading,
    pub(crate) diagnostics: Diagnostics,
}

// === impl Ask ===

impl Ask {
    fn new(depth: Depth) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// Reads a request: every member of its object by `member`, then what its path tells by `complete`.
    pub(crate) fn read(
        body: &[u8],
        depth: Depth,
        member: fn(&str, &mut Json<'_>, &mut Self),
        complete: impl FnOnce(&mut RequestReading),
    ) -> RequestReading {
        let faults = Faults::default();
        let mut json = Json::new(body, &faults);
        let mut ask = Self::new(depth);
        if json.object() {
            while let Some(name) = json.member() {
                member(&name, &mut json, &mut ask);
            }
        } else {
            ask.unexpected(&mut json, "the request");
        }
        json.end();
        complete(&mut ask.reading);
        ask.into_reading(&faults)
    }

    /// Enters the array of messages and calls `read` at each of them, or at the newest ones.
    pub(crate) fn messages(&mut self, json: &mut Json<'_>, read: fn(&mut Json<'_>, &mut Self)) {
        if !json.array() {
            return;
        }
        if self.depth == Depth::Whole {
            while json.element() {
                read(json, self);
            }
            return;
        }
        let mut newest = VecDeque::with_capacity(NEWEST_MESSAGES_MAX);
        while json.element() {
            if newest.len() == NEWEST_MESSAGES_MAX {
                newest.pop_front();
            }
            newest.push_back(*json);
            json.skip();
        }
        for mut message in newest {
            read(&mut message, self);
        }
    }

    /// Keeps a member that has no place of its own.
    pub(crate) fn parameter(&mut self, name: &str, json: &mut Json<'_>) {
        let value = json.value();
        self.reading.parameters.insert(name.to_owned(), value);
    }

    /// Notes that a value is not of the kind that the dialect asks for.
    pub(crate) fn unexpected(&mut self, json: &mut Json<'_>, what: &str) {
        let offset = json.offset();
        self.diagnostics.at(
            offset,
            "unexpected_type",
            &format!("{what} is not of the expected type"),
        );
    }

    /// Returns the reading, with what was wrong with its document.
    fn into_reading(mut self, faults: &Faults) -> RequestReading {
        self.diagnostics.note(faults);
        self.reading.diagnostics = self.diagnostics.into_vec();
        self.reading
    }
}

/// Returns a text part without citations or cache breakpoint.
pub(crate) fn text_part(text: String) -> Part {
    Part::Text {
        text,
        citations: Vec::new(),
        cache: None,
    }
}

/// Returns a value that is kept as it is, under the wire's word for it.
pub(crate) fn other_part(name: &str, raw: Value) -> Part {
    Part::Other {
        name: name.to_owned(),
        raw,
    }
}

/// Returns the marker of a cache breakpoint behind a part that has no place for it.
pub(crate) fn breakpoint(cache: Option<Json<'_>>) -> Option<Part> {
    cache.map(|mut cache| other_part("cache_control", cache.value()))
}

/// Reads the values of an array; none where the value is not an array.
pub(crate) fn values(json: Option<Json<'_>>) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(mut json) = json
        && json.array()
    {
        while json.element() {
            found.push(json.value());
        }
    }
    found
}

/// Returns the arguments of a tool call: the wire's string, or its object as compact JSON.
pub(crate) fn arguments(json: &mut Json<'_>) -> String {
    match json.kind() {
        Kind::String => json.owned().unwrap_or_default(),
        Kind::Null | Kind::None => String::new(),
        _ => json.compact(),
    }
}

/// Returns where base64 text is, without reading it.
pub(crate) fn inline_media(mime: Option<String>, data: Token<'_>, faults: &Faults) -> Media {
    Media {
        mime,
        data_chars: Some(data.ascii_chars()),
        data_offset: Some(data.offset(faults)),
        ..Media::default()
    }
}

/// Returns what a URL points to. The data of a `data:` URL is left where it is.
pub(crate) fn url_media(url: Token<'_>, faults: &Faults) -> Media {
    let raw = url.raw();
    let comma = raw
        .starts_with(b"data:")
        .then(|| memchr(b',', raw))
        .flatten();
    let Some(comma) = comma else {
        return Media {
            url: Some(url.decode(faults).into_owned()),
            ..Media::default()
        };
    };
    let head = raw.get(b"data:".len()..comma).unwrap_or_default();
    let mime = head.split(|byte| *byte == b';').next().unwrap_or_default();
    let mime = lossy(mime).replace('\\', "");
    let escapes_before = lossy(raw.get(..comma).unwrap_or_default())
        .matches('\\')
        .count();
    let skipped = (comma + 1).saturating_sub(escapes_before) as u64;
    Media {
        mime: (!mime.is_empty()).then_some(mime),
        data_chars: Some(url.ascii_chars().saturating_sub(skipped)),
        data_offset: Some(url.offset(faults).saturating_add(comma as u64 + 1)),
        ..Media::default()
    }
}

/// Joins log probabilities: lists are appended to lists, anything else is replaced.
pub(crate) fn merge(slot: &mut Option<Value>, value: Value) {
    match (slot, value) {
        (Some(Value::Object(known)), Value::Object(members)) => {
            for (name, value) in members {
                match (known.get_mut(&name), value) {
                    (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
                    (Some(Value::Array(_)), Value::Null) => {}
                    (_, value) => {
                        known.insert(name, value);
                    }
                }
            }
        }
        (slot, value) => *slot = Some(value),
    }
}
