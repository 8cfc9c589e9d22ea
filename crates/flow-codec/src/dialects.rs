//! The dialects: what the bytes of a request, a response and the events of a stream say.
//!
//! Each has a table of its wire's facts at the top, and three parts: `request`, `response` (whole bodies) and
//! `stream` (events). What several dialects share is here.

mod anthropic_batches;
mod anthropic_complete;
mod anthropic_messages;
mod base64;
mod bedrock_converse;
mod bedrock_invoke;
mod cohere;
mod count_tokens;
mod embeddings;
mod gemini_generate;
mod gemini_interactions;
mod gemini_predict;
mod inputs;
mod kiro;
mod models;
mod multipart;
mod ollama;
mod openai_audio;
mod openai_chat;
mod openai_completions;
mod openai_images;
mod openai_moderations;
mod openai_responses;
mod stream;

use std::collections::VecDeque;

use flow_model::{Dialect, Header, Media, Part, Raw, RequestReading, WireUsage};
use memchr::memchr;
use serde_json::Value;

use crate::answer::{Answer, Diagnostics};
use crate::json::{Document, Json, Kind, Token, lossy};
use crate::usage::counted;

pub(crate) use self::stream::{Event, Stream};

/// Messages of a request that are read. A message takes many times the room of its text where that is short.
const MESSAGES_MAX: usize = 100_000;
/// Messages at the end of a request that a skim reads: a turn's tool results and what the user adds to them.
const NEWEST_MESSAGES_MAX: usize = 8;

/// Bytes of a member without a place of its own, up to which it is kept as a value: one takes many times the room
/// of its text.
const PARAMETER_BYTES_MAX: usize = 1024 * 1024;

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

/// Reads a request of a dialect.
pub(crate) fn read_request(
    dialect: Dialect,
    path: &str,
    body: &[u8],
    depth: Depth,
) -> RequestReading {
    match dialect {
        Dialect::AnthropicBatches => anthropic_batches::read_request(body, depth),
        Dialect::AnthropicComplete => anthropic_complete::read_request(body, depth),
        Dialect::AnthropicMessages => anthropic_messages::read_request(path, body, depth),
        Dialect::BedrockConverse => bedrock_converse::read_request(path, body, depth),
        Dialect::BedrockInvoke => bedrock_invoke::read_request(path, body, depth),
        Dialect::CohereChat | Dialect::CohereGenerate => cohere::read_request(body, depth),
        Dialect::AnthropicCountTokens
        | Dialect::BedrockCountTokens
        | Dialect::GeminiCountTokens
        | Dialect::OpenaiInputTokens => count_tokens::read_request(dialect, path, body, depth),
        Dialect::CohereEmbed
        | Dialect::GeminiEmbed
        | Dialect::OllamaEmbed
        | Dialect::OpenaiEmbeddings => embeddings::read_request(dialect, path, body, depth),
        Dialect::GeminiGenerate => gemini_generate::read_request(path, body, depth),
        Dialect::GeminiInteractions => gemini_interactions::read_request(body, depth),
        Dialect::GeminiPredict => gemini_predict::read_request(path, body, depth),
        Dialect::Kiro => kiro::read_request(body, depth),
        Dialect::Models => models::read_request(body, depth),
        Dialect::OllamaChat | Dialect::OllamaGenerate => ollama::read_request(body, depth),
        Dialect::OpenaiAudio => openai_audio::read_request(path, body, depth),
        Dialect::OpenaiChat => openai_chat::read_request(path, body, depth),
        Dialect::OpenaiCompletions => openai_completions::read_request(path, body, depth),
        Dialect::OpenaiImages => openai_images::read_request(path, body, depth),
        Dialect::OpenaiModerations => openai_moderations::read_request(body, depth),
        Dialect::OpenaiResponses => openai_responses::read_request(body, depth),
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    match answer.dialect {
        Dialect::AnthropicBatches => anthropic_batches::read_whole(json, answer),
        Dialect::AnthropicComplete => anthropic_complete::read_whole(json, answer),
        Dialect::AnthropicMessages => anthropic_messages::read_whole(json, answer),
        Dialect::BedrockConverse => bedrock_converse::read_whole(json, answer),
        Dialect::BedrockInvoke => bedrock_invoke::read_whole(json, answer),
        Dialect::CohereChat | Dialect::CohereGenerate => cohere::read_whole(json, answer),
        Dialect::AnthropicCountTokens
        | Dialect::BedrockCountTokens
        | Dialect::GeminiCountTokens
        | Dialect::OpenaiInputTokens => count_tokens::read_whole(json, answer),
        Dialect::CohereEmbed
        | Dialect::GeminiEmbed
        | Dialect::OllamaEmbed
        | Dialect::OpenaiEmbeddings => embeddings::read_whole(json, answer),
        Dialect::GeminiGenerate => gemini_generate::read_whole(json, answer),
        Dialect::GeminiInteractions => gemini_interactions::read_whole(json, answer),
        Dialect::GeminiPredict => gemini_predict::read_whole(json, answer),
        Dialect::Kiro => kiro::read_whole(json, answer),
        Dialect::Models => models::read_whole(json, answer),
        Dialect::OllamaChat | Dialect::OllamaGenerate => ollama::read_whole(json, answer),
        Dialect::OpenaiAudio => openai_audio::read_whole(json, answer),
        Dialect::OpenaiChat => openai_chat::read_whole(json, answer),
        Dialect::OpenaiCompletions => openai_completions::read_whole(json, answer),
        Dialect::OpenaiImages => openai_images::read_whole(json, answer),
        Dialect::OpenaiModerations => openai_moderations::read_whole(json, answer),
        Dialect::OpenaiResponses => openai_responses::read_whole(json, answer),
    }
}

/// Reads a whole response that is no JSON object, such as sound, plain text or a list. Returns false where the dialect
/// has none.
pub(crate) fn read_other(body: &[u8], headers: &[Header], answer: &mut Answer) -> bool {
    match answer.dialect {
        Dialect::OpenaiAudio => openai_audio::read_other(body, headers, answer),
        Dialect::OpenaiEmbeddings => embeddings::read_other(body, answer),
        Dialect::Models => models::read_other(body, answer),
        _ => false,
    }
}

/// Returns whether a request of a dialect is a form, which is read without copies.
pub(crate) fn is_form(dialect: Dialect, body: &[u8]) -> bool {
    matches!(dialect, Dialect::OpenaiAudio | Dialect::OpenaiImages) && multipart::is_form(body)
}

/// Reads what the head of a response says of the answer.
pub(crate) fn read_head(headers: &[Header], answer: &mut Answer) {
    if answer.dialect == Dialect::BedrockInvoke {
        bedrock_invoke::read_head(headers, answer);
    }
}

/// Returns the counts in a usage object under common names; nothing is summed or derived.
pub(crate) fn usage(dialect: Dialect, usage: &Raw) -> WireUsage {
    counted(usage, |usage| match dialect {
        Dialect::AnthropicBatches | Dialect::AnthropicComplete | Dialect::AnthropicMessages => {
            anthropic_messages::usage(usage)
        }
        Dialect::BedrockConverse => bedrock_converse::usage(usage),
        Dialect::BedrockInvoke => bedrock_invoke::usage(usage),
        Dialect::CohereChat | Dialect::CohereGenerate => cohere::usage(usage),
        Dialect::AnthropicCountTokens
        | Dialect::BedrockCountTokens
        | Dialect::GeminiCountTokens
        | Dialect::OpenaiInputTokens => count_tokens::usage(dialect, usage),
        Dialect::CohereEmbed
        | Dialect::GeminiEmbed
        | Dialect::OllamaEmbed
        | Dialect::OpenaiEmbeddings => embeddings::usage(dialect, usage),
        Dialect::GeminiGenerate => gemini_generate::usage(usage),
        Dialect::GeminiInteractions => gemini_interactions::usage(usage),
        Dialect::GeminiPredict => gemini_predict::usage(usage),
        Dialect::Kiro => kiro::usage(usage),
        Dialect::OllamaChat | Dialect::OllamaGenerate => ollama::usage(usage),
        Dialect::OpenaiAudio => openai_audio::usage(usage),
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => openai_chat::usage(usage),
        Dialect::OpenaiImages => openai_images::usage(usage),
        Dialect::OpenaiResponses => openai_responses::usage(usage),
        Dialect::OpenaiModerations => openai_moderations::usage(usage),
        Dialect::Models => WireUsage::default(),
    })
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
        let document = Document::new(body);
        let mut json = document.root();
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
        ask.into_reading(&document)
    }

    /// Enters the array of messages and calls `read` at each of them, or at the newest ones.
    pub(crate) fn messages(&mut self, json: &mut Json<'_>, read: fn(&mut Json<'_>, &mut Self)) {
        if !json.array() {
            return;
        }
        if self.depth == Depth::Whole {
            for _ in 0..MESSAGES_MAX {
                if !json.element() {
                    return;
                }
                read(json, self);
            }
            if json.element() {
                let what = "more messages than are read; the rest is left out";
                self.diagnostics
                    .at(json.offset(), "too_many_messages", what);
            }
            while json.element() {}
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
        let value = if json.width() > PARAMETER_BYTES_MAX {
            let at = json.offset();
            let what = "a member of the request is kept as text: it is too large to be taken apart";
            self.diagnostics.at(at, "member_too_large", what);
            Value::String(json.verbatim().as_str().to_owned())
        } else {
            json.value()
        };
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
    fn into_reading(mut self, document: &Document<'_>) -> RequestReading {
        self.diagnostics.note(document);
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
pub(crate) fn other_part(name: &str, raw: Raw) -> Part {
    Part::Other {
        name: name.to_owned(),
        raw,
    }
}

/// Returns the marker of a cache breakpoint behind a part that has no place for it.
pub(crate) fn breakpoint(cache: Option<Json<'_>>) -> Option<Part> {
    cache.map(|mut cache| other_part("cache_control", cache.verbatim()))
}

/// Reads the values of an array as they are; none where the value is not an array.
pub(crate) fn raws(json: Option<Json<'_>>) -> Vec<Raw> {
    let mut found = Vec::new();
    if let Some(mut json) = json
        && json.array()
    {
        while json.element() {
            found.push(json.verbatim());
        }
    }
    found
}

/// Returns the name that stands behind a word in a path, such as the model behind `/models/`.
pub(crate) fn named_in(path: &str, behind: &str, ends: &[char]) -> Option<String> {
    let (_, rest) = path.split_once(behind)?;
    let name = rest.split(ends).next()?;
    (!name.is_empty()).then(|| name.to_owned())
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
pub(crate) fn inline_media(
    mime: Option<String>,
    data: Token<'_>,
    document: &Document<'_>,
) -> Media {
    Media {
        mime,
        data_chars: Some(data.ascii_chars()),
        data_offset: Some(data.offset(document)),
        ..Media::default()
    }
}

/// Returns what a URL points to. The data of a `data:` URL is left where it is.
pub(crate) fn url_media(url: Token<'_>, document: &Document<'_>) -> Media {
    let raw = url.raw();
    let comma = raw
        .starts_with(b"data:")
        .then(|| memchr(b',', raw))
        .flatten();
    let Some(comma) = comma else {
        return Media {
            url: Some(url.decode(document).into_owned()),
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
        data_offset: Some(url.offset(document).saturating_add(comma as u64 + 1)),
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
