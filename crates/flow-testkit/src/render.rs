//! An answer in each provider's bytes: whole, as events, or as an error.

mod anthropic;
mod cohere;
mod completions;
mod converse;
mod error;
mod gemini;
mod kiro;
mod ollama;
mod openai;
mod responses;

use std::io;

use bytes::Bytes;
use serde_json::Value;
use serde_json::ser::Formatter;

pub(crate) use error::{error_body, error_events, error_message, exception};

use crate::ask::Ask;
use crate::behaviour::Behaviour;
use crate::digest::Ids;
use crate::event_stream::{self, Message};
use crate::reply::Reply;
use crate::target::{Api, Framing};

/// No text becomes more events than this; longer ones get longer events.
const TEXT_EVENTS_MAX: usize = 2000;

/// One event of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: Option<&'static str>,
    pub(crate) data: String,
    pub(crate) kind: Kind,
}

/// What an event is for its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ordinary,
    /// It is the dialect's own end: `[DONE]`, `message_stop`.
    Closing,
    /// It is an exception of the AWS event stream.
    Exception,
}

impl Event {
    fn new(name: Option<&'static str>, data: String) -> Self {
        Self {
            name,
            data,
            kind: Kind::Ordinary,
        }
    }
}

/// Returns an answer's body where no stream was asked for.
pub(crate) fn whole(api: Api, reply: &Reply, ask: &Ask, behaviour: &Behaviour) -> String {
    match api {
        Api::OpenAi => pretty(&openai::whole(reply, behaviour)),
        Api::Responses => pretty(&responses::whole(reply, ask, behaviour)),
        Api::Completions => pretty(&completions::whole(reply)),
        Api::Anthropic => anthropic::whole(reply).to_string(),
        Api::Gemini => pretty(&gemini::whole(reply)),
        Api::Ollama => ollama::whole(reply, ollama::Form::Chat).to_string(),
        Api::OllamaGenerate => ollama::whole(reply, ollama::Form::Generate).to_string(),
        Api::Cohere => cohere::whole(reply).to_string(),
        Api::Converse => converse::whole(reply).to_string(),
        // Kiro answers with a stream whatever the request says.
        Api::Kiro => String::new(),
    }
}

/// Returns an answer's events.
pub(crate) fn events(api: Api, reply: &Reply, ask: &Ask, behaviour: &Behaviour) -> Vec<Event> {
    match api {
        Api::OpenAi => openai::events(reply, ask, behaviour),
        Api::Responses => responses::events(reply, ask, behaviour),
        Api::Completions => completions::events(reply, ask),
        Api::Anthropic => anthropic::events(reply),
        Api::Gemini => gemini::events(reply),
        Api::Ollama => ollama::events(reply, ollama::Form::Chat),
        Api::OllamaGenerate => ollama::events(reply, ollama::Form::Generate),
        Api::Cohere => cohere::events(reply),
        Api::Converse => converse::events(reply),
        Api::Kiro => kiro::events(reply),
    }
}

/// Returns the bytes of each event.
pub(crate) fn frames(events: &[Event], framing: Framing, crlf: bool) -> Vec<Bytes> {
    let last = events.len().saturating_sub(1);
    let frame = |(place, event): (usize, &Event)| match framing {
        Framing::Whole => event.data.clone().into(),
        Framing::Sse => sse(event, crlf),
        Framing::JsonArray => array_item(event, place == 0, place == last),
        Framing::Lines => format!("{}{}", event.data, if crlf { "\r\n" } else { "\n" }).into(),
        Framing::EventStream => {
            let message = match event.kind {
                Kind::Ordinary | Kind::Closing => Message::Event,
                Kind::Exception => Message::Exception,
            };
            event_stream::frame(
                message,
                event.name.unwrap_or_default(),
                event.data.as_bytes(),
            )
        }
    };
    events.iter().enumerate().map(frame).collect()
}

fn sse(event: &Event, crlf: bool) -> Bytes {
    let end = if crlf { "\r\n" } else { "\n" };
    let name = event
        .name
        .map(|name| format!("event: {name}{end}"))
        .unwrap_or_default();
    format!("{name}data: {}{end}{end}", event.data).into()
}

fn array_item(event: &Event, first: bool, last: bool) -> Bytes {
    let data = serde_json::from_str::<Value>(&event.data)
        .map_or_else(|_| event.data.clone(), |value| pretty(&value));
    let (before, after) = (
        if first { "[" } else { ",\r\n" },
        if last { "]" } else { "" },
    );
    format!("{before}{}\n{after}", data.trim_end()).into()
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns JSON as Google writes it in a stream: a blank after each colon, none after commas.
fn google(value: &Value) -> String {
    struct Blank;
    impl Formatter for Blank {
        fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let mut bytes = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, Blank);
    if serde::Serialize::serialize(value, &mut writer).is_err() {
        return value.to_string();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Cuts a text as models emit it: at blanks where there are some, at any character where there are none, in pieces
/// of about `size` bytes whose lengths follow from `ids`.
fn pieces(text: &str, size: usize, ids: &Ids) -> Vec<String> {
    let size = size.max(text.len() / TEXT_EVENTS_MAX);
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut target = size;
    for letter in text.chars() {
        let breaks = letter == ' ' || letter == '\n' || !letter.is_ascii();
        let too_long = piece.len() >= target.saturating_mul(3);
        if (piece.len() >= target && breaks) || too_long {
            pieces.push(std::mem::take(&mut piece));
            let spread = u64::try_from(size).unwrap_or(u64::MAX);
            let label = pieces.len() % 64;
            let extra = ids.below(&format!("piece {label}"), spread);
            target = size / 2 + usize::try_from(extra).unwrap_or(0);
        }
        piece.push(letter);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests;
