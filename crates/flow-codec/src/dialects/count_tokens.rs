//! Counts of a prompt, in the shapes of OpenAI, Anthropic, Google and Bedrock.
//!
//! The request is the one whose prompt is counted, so that the dialect of that call reads it.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | the members of the call itself | OpenAI, Anthropic, Google | as that call |
//! | `generateContentRequest` around them | Google | the same |
//! | `input.converse` around them | Bedrock | the same |
//! | `input.invokeModel.body`, in base64 | Bedrock | the same; what it holds of images has no place in the body |
//! | `input_tokens`, `inputTokens`, `totalTokens` | each | the usage object: the whole answer |
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`COUNTS_BYTES_MAX`] | 64 KiB of a member of the answer | it is not read |

#[cfg(test)]
mod tests;

use flow_model::{Dialect, Media, Part, RequestReading, WireUsage};
use serde_json::{Map, Value};

use super::{
    Ask, Depth, anthropic_messages, base64, bedrock_converse, bedrock_invoke, gemini_generate,
    named_in, openai_responses,
};
use crate::answer::Answer;
use crate::json::{Document, Json, Kind};
use crate::usage::Counts;

/// Bytes of one member of the answer.
const COUNTS_BYTES_MAX: usize = 64 * 1024;

/// Reads a request.
pub(crate) fn read_request(
    dialect: Dialect,
    path: &str,
    body: &[u8],
    depth: Depth,
) -> RequestReading {
    match dialect {
        Dialect::BedrockCountTokens => bedrock(path, body, depth),
        Dialect::GeminiCountTokens => google(path, body, depth),
        Dialect::OpenaiInputTokens => openai_responses::read_request(body, depth),
        _ => anthropic_messages::read_request(path, body, depth),
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let mut counts = Map::new();
    while let Some(name) = json.member() {
        if json.width() <= COUNTS_BYTES_MAX && answer.admits(json.width()) {
            counts.insert(name.into_owned(), json.value());
        }
    }
    let known = ["input_tokens", "inputTokens", "totalTokens"];
    if known.iter().any(|name| counts.contains_key(*name)) {
        answer.usage = Some(Value::Object(counts).into());
    }
}

/// Returns the counts of a usage object.
pub(crate) fn usage(dialect: Dialect, usage: &Counts<'_>) -> WireUsage {
    let input = match dialect {
        Dialect::GeminiCountTokens => None,
        Dialect::BedrockCountTokens => usage.count(&["inputTokens"]),
        _ => usage.count(&["input_tokens"]),
    };
    WireUsage {
        input,
        cache_read: usage.count(&["cachedContentTokenCount"]),
        total: usage.count(&["totalTokens"]),
        ..WireUsage::default()
    }
}

fn google(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    let wrapper = "generateContentRequest";
    let same = gemini_generate::same_name;
    let document = Document::new(body);
    let inner = document.root().fields_by([wrapper], same);
    let Some([Some(mut inner)]) = inner else {
        return asked(gemini_generate::read_request(path, body, depth));
    };
    let start = inner.offset();
    let mut reading = asked(gemini_generate::read_request(path, inner.raw(), depth));
    move_places(&mut reading, Some(start));
    beside(body, depth, |name| same(name, wrapper), reading)
}

/// A count is no stream, though the path of a call without one says as much.
fn asked(reading: RequestReading) -> RequestReading {
    RequestReading {
        stream: None,
        ..reading
    }
}

fn bedrock(path: &str, body: &[u8], depth: Depth) -> RequestReading {
    let document = Document::new(body);
    let inner = document.root().fields(["input"]);
    let inner = inner.and_then(|[input]| input?.fields(["converse", "invokeModel"]));
    let found = match inner {
        Some([Some(mut converse), _]) => {
            let start = converse.offset();
            let mut reading = bedrock_converse::read_request(path, converse.raw(), depth);
            move_places(&mut reading, Some(start));
            Some(reading)
        }
        Some([None, Some(invoke)]) => invoked(path, invoke, depth),
        _ => None,
    };
    let (known, reading) = match found {
        Some(reading) => ("input", reading),
        None => ("", RequestReading::default()),
    };
    let mut reading = asked(beside(body, depth, |name| name == known, reading));
    let named = || named_in(path, "/model/", &['/', '?', '#']);
    reading.model = reading.model.take().or_else(named);
    reading
}

/// Reads the body of an invocation, which is base64 text.
fn invoked(path: &str, mut invoke: Json<'_>, depth: Depth) -> Option<RequestReading> {
    let [body] = invoke.fields(["body"])?;
    let body = base64::decode(&body?.text()?)?;
    let mut reading = bedrock_invoke::read_request(path, &body, depth);
    move_places(&mut reading, None);
    Some(reading)
}

/// Adds the members that stand beside the call.
fn beside(
    body: &[u8],
    depth: Depth,
    is_call: impl Fn(&str) -> bool,
    mut reading: RequestReading,
) -> RequestReading {
    let document = Document::new(body);
    let mut json = document.root();
    if json.object() {
        while let Some(name) = json.member() {
            if depth == Depth::Whole && !is_call(&name) {
                reading
                    .parameters
                    .insert(name.clone().into_owned(), json.value());
            }
        }
    } else if json.kind() != Kind::None {
        return Ask::read(
            body,
            depth,
            |name, json, ask| ask.parameter(name, json),
            |_| {},
        );
    }
    json.end();
    reading.diagnostics.extend(document.diagnostics());
    reading
}

/// Makes places in a document places in the body that holds it from `start` on; none where it is packed there.
fn move_places(reading: &mut RequestReading, start: Option<u64>) {
    for diagnostic in &mut reading.diagnostics {
        diagnostic.offset = moved(diagnostic.offset, start);
    }
    let said = reading.messages.iter_mut();
    let said = said.flat_map(|message| &mut message.parts);
    for part in said.chain(&mut reading.system) {
        move_part(part, start);
    }
}

fn move_part(part: &mut Part, start: Option<u64>) {
    match part {
        Part::Image { media } | Part::Audio { media, .. } | Part::File { media, .. } => {
            move_media(media, start);
        }
        Part::ToolResult { content, .. } => {
            for part in content {
                move_part(part, start);
            }
        }
        Part::Text { .. }
        | Part::Thinking { .. }
        | Part::Refusal { .. }
        | Part::ToolCall { .. }
        | Part::Other { .. } => {}
    }
}

fn move_media(media: &mut Media, start: Option<u64>) {
    media.data_offset = moved(media.data_offset, start);
}

fn moved(offset: Option<u64>, start: Option<u64>) -> Option<u64> {
    Some(offset?.saturating_add(start?))
}
