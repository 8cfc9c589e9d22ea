//! The reader of a stream's events, whatever the dialect.

use flow_model::Dialect;
use serde_json::{Map, Value};

use super::{
    anthropic_batches, anthropic_complete, anthropic_messages, bedrock_converse, bedrock_invoke,
    cohere, gemini_generate, gemini_interactions, kiro, ollama, openai_audio, openai_chat,
    openai_completions, openai_images, openai_responses,
};
use crate::answer::Answer;
use crate::frames::{Frame, FrameKind, Framed};
use crate::json::{Document, Fault, Json, Kind, lossy};

/// The reader of a stream's events.
#[derive(Clone, Debug)]
pub(crate) enum Stream {
    Batches(anthropic_batches::Stream),
    Complete(anthropic_complete::Stream),
    Messages(anthropic_messages::Stream),
    Converse(bedrock_converse::Stream),
    Invoke(bedrock_invoke::Stream),
    Cohere(cohere::Stream),
    Gemini(gemini_generate::Stream),
    Interactions(gemini_interactions::Stream),
    Kiro(kiro::Stream),
    Ollama(ollama::Stream),
    Audio(openai_audio::Stream),
    Chat(openai_chat::Stream),
    Completions(openai_completions::Stream),
    Images(openai_images::Stream),
    Responses(openai_responses::Stream),
    /// The dialect has no streams; events are counted.
    Unread,
}

/// What a frame says of its event beside the data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    /// The event's name, for those whose data does not repeat it.
    pub(crate) name: Option<&'a [u8]>,
    /// The body ended before the event did.
    pub(crate) open: bool,
}

/// The error that an event may be: `{"error": …}`, or an event of type `error` with the members of one.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    inner: Option<Value>,
    beside: Map<String, Value>,
}

// === impl Event ===

impl Event<'_> {
    /// Returns the event's name, for dialects whose data may leave it out.
    pub(crate) fn kind(&self) -> String {
        self.name
            .map(|name| lossy(name).into_owned())
            .unwrap_or_default()
    }
}

// === impl Failure ===

impl Failure {
    /// Reads a member of an event, where an error has it.
    pub(crate) fn member(&mut self, name: &str, json: &mut Json<'_>) {
        match name {
            "error" if json.kind() != Kind::Null => self.inner = Some(json.error_value()),
            "code" | "message" | "param" | "status_code" | "status"
                if json.kind() != Kind::Null =>
            {
                self.beside.insert(name.to_owned(), json.value());
            }
            _ => {}
        }
    }

    /// Returns the error, where an event of this type is one.
    pub(crate) fn told(self, kind: &str) -> Option<Value> {
        // A type is a word with dots, such as `speech.audio.error`; it is never spelt in capitals.
        let named = kind.rsplit('.').next() == Some("error");
        self.inner
            .or_else(|| named.then_some(Value::Object(self.beside)))
    }
}

// === impl Stream ===

impl Stream {
    pub(crate) fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::AnthropicBatches => Self::Batches(anthropic_batches::Stream::default()),
            Dialect::AnthropicComplete => Self::Complete(anthropic_complete::Stream::default()),
            Dialect::AnthropicMessages => Self::Messages(anthropic_messages::Stream::default()),
            Dialect::BedrockConverse => Self::Converse(bedrock_converse::Stream::default()),
            Dialect::BedrockInvoke => Self::Invoke(bedrock_invoke::Stream::default()),
            Dialect::CohereChat | Dialect::CohereGenerate => Self::Cohere(cohere::Stream),
            Dialect::GeminiGenerate => Self::Gemini(gemini_generate::Stream::default()),
            Dialect::GeminiInteractions => {
                Self::Interactions(gemini_interactions::Stream::default())
            }
            Dialect::Kiro => Self::Kiro(kiro::Stream::default()),
            Dialect::OllamaChat | Dialect::OllamaGenerate => Self::Ollama(ollama::Stream),
            Dialect::OpenaiAudio => Self::Audio(openai_audio::Stream::default()),
            Dialect::OpenaiChat => Self::Chat(openai_chat::Stream::default()),
            Dialect::OpenaiCompletions => Self::Completions(openai_completions::Stream),
            Dialect::OpenaiImages => Self::Images(openai_images::Stream::default()),
            Dialect::OpenaiResponses => Self::Responses(openai_responses::Stream::default()),
            Dialect::OpenaiInputTokens
            | Dialect::OpenaiEmbeddings
            | Dialect::OpenaiModerations
            | Dialect::Models
            | Dialect::AnthropicCountTokens
            | Dialect::GeminiEmbed
            | Dialect::GeminiCountTokens
            | Dialect::GeminiPredict
            | Dialect::BedrockCountTokens
            | Dialect::OllamaEmbed
            | Dialect::CohereEmbed => Self::Unread,
        }
    }

    /// Reads what a framing hands out.
    pub(crate) fn framed(&mut self, framed: &Framed<'_>, answer: &mut Answer) {
        match framed {
            Framed::Frame(frame) => {
                answer.events += 1;
                self.frame(frame, answer);
            }
            Framed::Fault(diagnostic) => answer.diagnostics.push(diagnostic.clone()),
        }
    }

    /// Reads what is known only once the stream has ended.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        match self {
            Self::Chat(stream) => stream.finish(answer),
            Self::Gemini(stream) => stream.finish(answer),
            Self::Invoke(stream) => stream.finish(answer),
            Self::Kiro(stream) => stream.finish(answer),
            Self::Responses(stream) => stream.finish(answer),
            Self::Interactions(stream) => stream.finish(answer),
            Self::Images(stream) => stream.finish(answer),
            Self::Batches(_)
            | Self::Complete(_)
            | Self::Messages(_)
            | Self::Converse(_)
            | Self::Cohere(_)
            | Self::Ollama(_)
            | Self::Audio(_)
            | Self::Completions(_)
            | Self::Unread => {}
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, answer: &mut Answer) {
        let data = frame.data.trim_ascii();
        if data == b"[DONE]" {
            answer.closed = true;
            return;
        }
        if frame.kind == FrameKind::Exception {
            return exception(frame, answer);
        }
        if data.is_empty() {
            return;
        }
        let room = std::mem::take(&mut answer.room);
        let document = Document::within(frame.data, frame.data_start, room);
        let mut json = document.root();
        if frame.open {
            // Half an event could say something else than the whole would have, such as text that is a thought.
            json.end();
        }
        let is_whole = !frame.open
            || document
                .syntax()
                .is_none_or(|fault| fault == Fault::Trailing);
        if is_whole && json.object() {
            let event = Event {
                name: frame.name,
                open: frame.open,
            };
            self.event(event, &mut json, answer);
            json.end();
        } else if is_whole {
            json.end();
            if document.syntax().is_none() {
                let what = "an event that is no JSON object";
                answer
                    .diagnostics
                    .at(frame.data_start, "unexpected_type", what);
            }
        }
        answer.note(&document);
        answer.room = document.into_room();
    }

    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        match self {
            Self::Batches(stream) => stream.event(event, json, answer),
            Self::Complete(stream) => stream.event(event, json, answer),
            Self::Messages(stream) => stream.event(event, json, answer),
            Self::Converse(stream) => stream.event(event, json, answer),
            Self::Invoke(stream) => stream.event(event, json, answer),
            Self::Cohere(stream) => stream.event(event, json, answer),
            Self::Gemini(stream) => stream.event(json, answer),
            Self::Interactions(stream) => stream.event(event, json, answer),
            Self::Kiro(stream) => stream.event(event, json, answer),
            Self::Ollama(stream) => stream.event(event, json, answer),
            Self::Audio(stream) => stream.event(event, json, answer),
            Self::Chat(stream) => stream.event(event, json, answer),
            Self::Completions(stream) => stream.event(event, json, answer),
            Self::Images(stream) => stream.event(event, json, answer),
            Self::Responses(stream) => stream.event(event, json, answer),
            Self::Unread => {}
        }
    }
}

/// Reads an exception frame of AWS: its name is the error's type, its payload holds the message.
fn exception(frame: &Frame<'_>, answer: &mut Answer) {
    let document = Document::at(frame.data, frame.data_start);
    let mut json = document.root();
    let mut error = match json.value() {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    if !error.contains_key("message") {
        let text = match error.remove("Message") {
            Some(Value::String(text)) => text,
            _ => lossy(frame.data).into_owned(),
        };
        error.insert("message".to_owned(), text.into());
    }
    if let Some(name) = frame.name {
        error.insert("type".to_owned(), lossy(name).into_owned().into());
    }
    answer.fail(&error.into());
}
