//! Requests.

use flow_model::{Dialect, Message, Part, RequestReading, Role};

use crate::dialects::bedrock_converse::{self, asked_in};
use crate::dialects::{Ask, Depth, anthropic_messages, cohere, embeddings, openai_chat, text_part};
use crate::json::{Document, Json, Kind};

/// What a request is shaped like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Messages,
    Converse,
    Chat,
    Cohere,
    CohereEmbed,
    Completion,
}

/// Reads a request, whose path names the model and asks for a stream or not.
pub(crate) fn read_request(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    let (model, stream) = asked_in(path);
    let shape = shape_of(body, model.as_deref().unwrap_or_default());
    let mut reading = match shape {
        Shape::Messages => anthropic_messages::read_request(path, body, depth),
        Shape::Converse => bedrock_converse::read_request(path, body, depth),
        Shape::Chat => openai_chat::read_request(path, body, depth),
        Shape::Cohere => cohere::read_request(body, depth),
        Shape::CohereEmbed => embeddings::read_request(Dialect::CohereEmbed, path, body, depth),
        Shape::Completion => Ask::read(body, depth, member, |_| {}),
    };
    reading.model = model.or(reading.model);
    reading.stream = stream.or(reading.stream);
    reading
}

/// Returns the shape of a request. The first member that tells it decides, then the model's family.
fn shape_of(body: &[u8], model: &str) -> Shape {
    let document = Document::new(body);
    let mut json = document.root();
    if !json.object() {
        return Shape::Completion;
    }
    let mut found = Shape::Completion;
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("anthropic_version", _) => return Shape::Messages,
            ("inferenceConfig" | "schemaVersion" | "toolConfig", _) => return Shape::Converse,
            ("chat_history" | "preamble" | "message", _) => return Shape::Cohere,
            ("texts" | "input_type", _) => return Shape::CohereEmbed,
            ("prompt" | "inputText" | "inputPrompt" | "query", _) => return Shape::Completion,
            ("messages", Kind::Array) if model.contains("anthropic.") => return Shape::Messages,
            ("messages", Kind::Array) if model.contains("amazon.nova") => return Shape::Converse,
            ("messages", Kind::Array) => found = of_messages(json),
            _ => {}
        }
    }
    found
}

/// Tells Nova's messages, whose blocks name their kind by their member, from the others'.
fn of_messages(mut json: Json<'_>) -> Shape {
    json.array();
    if json.element()
        && let Some([Some(mut content)]) = json.fields(["content"])
        && content.array()
        && content.element()
        && let Some([None, Some(_)]) = content.fields(["type", "text"])
    {
        return Shape::Converse;
    }
    Shape::Chat
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("prompt" | "inputText" | "inputPrompt" | "query", Kind::String) => {
            asked(vec![text_part(json.owned().unwrap_or_default())], ask);
            return;
        }
        (
            "text_prompts"
            | "textToImageParams"
            | "imageVariationParams"
            | "inPaintingParams"
            | "outPaintingParams"
            | "singleEmbeddingParams",
            Kind::Array | Kind::Object,
        ) => nested(*json, ask),
        _ => {}
    }
    if ask.depth == Depth::Whole {
        ask.parameter(name, json);
    } else {
        json.skip();
    }
}

/// Reads the texts in a member that says more of them, and therefore stays a parameter.
fn nested(mut json: Json<'_>, ask: &mut Ask) {
    let mut parts = Vec::new();
    let mut each = |json: &mut Json<'_>| {
        if let Some([Some(mut text)]) = json.fields(["text"]) {
            let inner = text.fields(["value"]).and_then(|[value]| value);
            let said = inner.map_or_else(|| text.owned(), |mut inner| inner.owned());
            parts.extend(said.map(text_part));
        }
    };
    if json.array() {
        while json.element() {
            each(&mut json);
        }
    } else {
        each(&mut json);
    }
    if !parts.is_empty() {
        asked(parts, ask);
    }
}

fn asked(parts: Vec<Part>, ask: &mut Ask) {
    ask.reading.messages.push(Message {
        role: Role::User,
        name: None,
        parts,
    });
}
