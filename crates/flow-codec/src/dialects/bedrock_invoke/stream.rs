//! Events of a stream: frames in which the model's own events are packed.

use flow_model::Diagnostic;
use memchr::memmem;

use super::{Shape, as_cohere, completion, media, metrics, respelled};
use crate::answer::Answer;
use crate::dialects::base64;
use crate::dialects::{Event, anthropic_messages, bedrock_converse, cohere, openai_chat};
use crate::json::{Document, Json};

/// The member of the last event that holds what the gateway measured.
const METRICS: &str = "amazon-bedrock-invocationMetrics";

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    inner: Option<Inner>,
}

/// The reader of the model's own events; the first of them decides.
#[derive(Clone, Debug)]
enum Inner {
    Messages(anthropic_messages::Stream),
    Converse(bedrock_converse::Stream),
    Chat(openai_chat::Stream),
    Cohere(cohere::Stream),
    Completion(completion::Stream),
    /// Answers that no model sends in pieces, packed all the same.
    Whole(Shape),
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let mut packed = None;
        let mut seen = *json;
        while let Some(name) = seen.member() {
            if name == "bytes" {
                packed = seen.text();
            }
        }
        let Some(packed) = packed else {
            // A gateway may hand on the model's own events without their wrapping.
            self.read(event, json, answer);
            return;
        };
        *json = seen;
        let base = json.document().base();
        let Some(bytes) = base64::decode(&packed) else {
            answer
                .diagnostics
                .at(base, "invalid_base64", "an event that is no base64");
            return;
        };
        let document = Document::at(&bytes, base);
        let mut inner = document.root();
        if inner.object() {
            if memmem::find(&bytes, METRICS.as_bytes()).is_some() {
                measured(inner, answer);
            }
            let unnamed = Event {
                name: None,
                ..event
            };
            self.read(unnamed, &mut inner, answer);
            inner.end();
        } else {
            answer
                .diagnostics
                .at(base, "unexpected_type", "an event that is no JSON object");
        }
        // Where something stands in packed text is no place in the body.
        for diagnostic in document.diagnostics() {
            answer.diagnostics.push(Diagnostic {
                offset: Some(base),
                ..diagnostic
            });
        }
    }

    /// Reads what is known only once the stream has ended.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        if let Some(Inner::Chat(stream)) = &mut self.inner {
            stream.finish(answer);
        }
    }

    /// Reads one of the model's own events; the cursor stands behind the opening bracket of its object.
    fn read(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let inner = self.inner.get_or_insert_with(|| Inner::of(*json));
        match inner {
            Inner::Messages(stream) => {
                answer.must_close = true;
                let unnamed = Event {
                    name: None,
                    ..event
                };
                stream.event(unnamed, json, answer);
            }
            Inner::Converse(stream) => {
                answer.must_close = true;
                stream.wrapped(json, answer);
            }
            Inner::Chat(stream) => chat(stream, event, json, answer),
            Inner::Cohere(stream) => {
                as_cohere(answer, |answer| stream.event(event, json, answer));
            }
            Inner::Completion(stream) => stream.event(json, answer),
            Inner::Whole(Shape::Images) => media::images(json, answer),
            Inner::Whole(_) => media::embeddings(json, answer),
        }
    }
}

// === impl Inner ===

impl Inner {
    fn of(json: Json<'_>) -> Self {
        match Shape::of(json) {
            Shape::Messages => Self::Messages(anthropic_messages::Stream::default()),
            Shape::Converse => Self::Converse(bedrock_converse::Stream::default()),
            Shape::Chat => Self::Chat(openai_chat::Stream::default()),
            Shape::Cohere => Self::Cohere(cohere::Stream),
            Shape::Completion => Self::Completion(completion::Stream::default()),
            shape @ (Shape::Embeddings | Shape::Images) => Self::Whole(shape),
        }
    }
}

fn chat(
    stream: &mut openai_chat::Stream,
    event: Event<'_>,
    json: &mut Json<'_>,
    answer: &mut Answer,
) {
    let Some(respelled) = respelled("delta", json) else {
        return stream.event(event, json, answer);
    };
    let document = Document::at(&respelled, json.document().base());
    let mut json = document.root();
    if json.object() {
        stream.event(event, &mut json, answer);
    }
}

/// Reads what the gateway measured; the cursor stands behind the opening bracket of the event.
fn measured(mut json: Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        if name == METRICS {
            answer.metrics = metrics(&mut json).or(answer.metrics.take());
        }
    }
}
