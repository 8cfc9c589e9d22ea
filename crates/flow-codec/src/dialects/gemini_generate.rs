//! `POST …:generateContent` and `…:streamGenerateContent`, as Google defines them.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | the model and the wish for a stream in the path | `model`, `stream` |
//! | members in camel case, or in snake case from some clients | the same |
//! | `systemInstruction`, `contents`, `tools` as one value or as a list | the same |
//! | `thought: true` on a text part | thinking |
//! | `thoughtSignature` on a thought | thinking, signed |
//! | `thoughtSignature` on any other part, empty text among them | signed thinking without text, in front of that part |
//! | `functionCall` without `args` or `id` | a call with arguments `{}`, without id |
//! | `partialArgs` with JSON paths, then nameless calls while `willContinue` | one call |
//! | `executableCode`, `toolCall` and their results | calls and results of the provider |
//! | no `candidates`, `content` or `parts` where the prompt is blocked | no answer, `block_reason` |
//! | `finishReason` as an integer | the name of 0 to 5, which all of Google's enums agree on; else the number |
//! | `usageMetadata` in each chunk | the last one |
//! | one JSON array in place of events, without `alt=sse` | a stream |
//! | `{"error": …}` labelled as an event stream | an error |

mod partial;
mod request;
mod response;

#[cfg(test)]
mod tests;

use flow_model::{Media, Part, StopReason, WireUsage};

use crate::json::{Document, Json, Kind};
use crate::usage::Counts;

use super::{inline_media, other_part, text_part};

pub(crate) use self::request::{content, read_request};
pub(crate) use self::response::{Stream, read_whole};

/// The names of the finish reasons that all of Google's enums number alike.
const FINISH_REASONS: [&str; 6] = [
    "FINISH_REASON_UNSPECIFIED",
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "OTHER",
];

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |camel, snake| usage.count(&[camel]).or_else(|| usage.count(&[snake]));
    WireUsage {
        input: count("promptTokenCount", "prompt_token_count"),
        output: count("candidatesTokenCount", "candidates_token_count"),
        cache_read: count("cachedContentTokenCount", "cached_content_token_count"),
        cache_write: None,
        reasoning: count("thoughtsTokenCount", "thoughts_token_count"),
        total: count("totalTokenCount", "total_token_count"),
    }
}

/// Returns the common word for a `finishReason`.
fn stop_reason(word: &str) -> StopReason {
    match word {
        "STOP" => StopReason::Stop,
        "MAX_TOKENS" => StopReason::Length,
        // The enums of Gemini and Vertex differ from 6 on, but 6 to 8 are filters in both.
        "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
        | "MODEL_ARMOR" | "6" | "7" | "8" => StopReason::ContentFilter,
        word if word.starts_with("IMAGE_") => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Returns a finish reason by name, also where the wire has its number.
fn finish_reason(json: &mut Json<'_>) -> Option<String> {
    if json.kind() == Kind::Number {
        let number = json.number()?;
        let named = usize::try_from(number).ok();
        let named = named.and_then(|number| FINISH_REASONS.get(number));
        return Some(named.map_or_else(|| number.to_string(), |name| (*name).to_owned()));
    }
    json.owned()
}

/// Returns whether a member has this name, in camel or in snake case.
pub(super) fn same_name(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    let plain = |text: &str| text.bytes().filter(|byte| *byte != b'_').count();
    key.contains('_')
        && plain(key) == name.len()
        && key
            .bytes()
            .filter(|byte| *byte != b'_')
            .zip(name.bytes())
            .all(|(one, other)| one.eq_ignore_ascii_case(&other))
}

/// Reads the members of these names, in camel or in snake case.
fn fields<'a, const N: usize>(
    json: &mut Json<'a>,
    names: [&str; N],
) -> Option<[Option<Json<'a>>; N]> {
    json.fields_by(names, same_name)
}

/// One part, read as far as both whole bodies and streams need it.
struct RawPart<'a> {
    /// Text; thinking where `thought` is set.
    text: Option<Json<'a>>,
    thought: bool,
    signed: bool,
    call: Option<Json<'a>>,
    /// Any other part.
    other: Option<Part>,
}

// === impl RawPart ===

impl<'a> RawPart<'a> {
    fn read(json: &mut Json<'a>) -> Option<Self> {
        let mut whole = *json;
        let document = json.document();
        let names = [
            "text",
            "thought",
            "thoughtSignature",
            "functionCall",
            "functionResponse",
            "inlineData",
            "fileData",
            "executableCode",
            "codeExecutionResult",
            "toolCall",
            "toolResponse",
        ];
        let [
            text,
            thought,
            signature,
            call,
            response,
            inline,
            file,
            code,
            output,
            tool,
            tool_output,
        ] = fields(json, names)?;
        let signature = signature.and_then(|mut json| json.string());
        let other = if let Some(mut response) = response {
            function_response(&mut response)
        } else if let Some(mut inline) = inline {
            blob(&mut inline, document)
        } else if let Some(mut file) = file {
            file_part(&mut file)
        } else if let Some(mut code) = code {
            Some(server_call("executable_code", &mut code))
        } else if let Some(mut output) = output {
            Some(server_result("code_execution_result", &mut output))
        } else if let Some(mut tool) = tool {
            Some(server_call("tool_call", &mut tool))
        } else {
            tool_output.map(|mut output| server_result("tool_response", &mut output))
        };
        let known = text.is_some() || call.is_some() || other.is_some() || signature.is_some();
        Some(Self {
            text,
            thought: thought.and_then(|mut json| json.bool()) == Some(true),
            signed: signature.is_some_and(|signature| !signature.is_empty()),
            call,
            other: if known {
                other
            } else {
                Some(other_part("unknown", whole.verbatim()))
            },
        })
    }

    /// Returns the parts of a message, as a request has them.
    fn into_parts(self, each: &mut impl FnMut(Part)) {
        let Self {
            text,
            thought,
            signed,
            call,
            other,
        } = self;
        let text = text.and_then(|mut text| text.owned());
        if thought {
            let text = text.unwrap_or_default();
            each(Part::Thinking {
                redacted: text.is_empty(),
                text,
                signed,
            });
        } else {
            if signed {
                each(signature_part());
            }
            let text = text.filter(|text| !text.is_empty() || !signed);
            if let Some(text) = text {
                each(text_part(text));
            }
        }
        if let Some(mut call) = call
            && let Some(part) = function_call(&mut call)
        {
            each(part);
        }
        if let Some(other) = other {
            each(other);
        }
    }
}

/// Returns the thinking that a signature on another part stands for.
fn signature_part() -> Part {
    Part::Thinking {
        text: String::new(),
        signed: true,
        redacted: true,
    }
}

fn function_call(json: &mut Json<'_>) -> Option<Part> {
    let [name, id, args] = fields(json, ["name", "id", "args"])?;
    Some(Part::ToolCall {
        id: owned(id),
        name: owned(name).unwrap_or_default(),
        arguments: args.map_or_else(|| "{}".to_owned(), |mut args| args.compact()),
        server: false,
    })
}

fn function_response(json: &mut Json<'_>) -> Option<Part> {
    let [name, id, response, parts] = fields(json, ["name", "id", "response", "parts"])?;
    let mut said = Vec::new();
    if let Some(mut response) = response {
        said.push(text_part(match response.kind() {
            Kind::String => response.owned().unwrap_or_default(),
            _ => response.compact(),
        }));
    }
    if let Some(mut parts) = parts {
        read_parts(&mut parts, &mut |part| said.push(part));
    }
    Some(Part::ToolResult {
        call_id: owned(id),
        name: owned(name),
        content: said,
        is_error: response
            .and_then(|mut json| json.fields(["error"]))
            .is_some_and(|[error]| error.is_some()),
        server: false,
    })
}

/// Reads a list of parts, or a single one.
fn read_parts(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    if !json.array() {
        if let Some(text) = json.owned() {
            each(text_part(text));
        } else if let Some(part) = RawPart::read(json) {
            part.into_parts(each);
        }
        return;
    }
    while json.element() {
        if let Some(text) = json.owned() {
            each(text_part(text));
        } else if let Some(part) = RawPart::read(json) {
            part.into_parts(each);
        }
    }
}

fn blob(json: &mut Json<'_>, document: &Document<'_>) -> Option<Part> {
    let [mime, data, name] = fields(json, ["mimeType", "data", "displayName"])?;
    let mime = owned(mime);
    let media = match data.and_then(|mut data| data.string()) {
        Some(data) => inline_media(mime, data, document),
        None => Media {
            mime,
            ..Media::default()
        },
    };
    Some(media_part(media, owned(name)))
}

fn file_part(json: &mut Json<'_>) -> Option<Part> {
    let [mime, uri, name] = fields(json, ["mimeType", "fileUri", "displayName"])?;
    let media = Media {
        mime: owned(mime),
        url: owned(uri),
        ..Media::default()
    };
    Some(media_part(media, owned(name)))
}

fn media_part(media: Media, name: Option<String>) -> Part {
    let kind = media
        .mime
        .as_deref()
        .and_then(|mime| mime.split('/').next());
    match kind {
        Some("image") => Part::Image { media },
        Some("audio") => Part::Audio {
            media,
            transcript: None,
            id: None,
        },
        _ => Part::File { media, name },
    }
}

fn server_call(kind: &str, json: &mut Json<'_>) -> Part {
    let mut whole = *json;
    let [id] = fields(json, ["id"]).unwrap_or_default();
    Part::ToolCall {
        id: owned(id),
        name: kind.to_owned(),
        arguments: whole.compact(),
        server: true,
    }
}

fn server_result(kind: &str, json: &mut Json<'_>) -> Part {
    let mut whole = *json;
    let [id, outcome] = fields(json, ["id", "outcome"]).unwrap_or_default();
    let outcome = owned(outcome);
    Part::ToolResult {
        call_id: owned(id),
        name: None,
        content: vec![other_part(kind, whole.verbatim())],
        is_error: outcome.is_some_and(|word| word != "OUTCOME_OK" && word.starts_with("OUTCOME_")),
        server: true,
    }
}

fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}
