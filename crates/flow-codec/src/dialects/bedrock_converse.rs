//! `POST …/model/M/converse` and `…/converse-stream`, as AWS Bedrock defines them; Nova's own shape is the same.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | model and stream in the path, percent-encoded; a model may be an ARN with slashes | both |
//! | a block with one member, which names its kind | the part of that kind; unknown ones are kept raw |
//! | `image`, `document`, `video`, `audio` with `bytes`, `text` or `s3Location` | media; their type follows from `format` |
//! | `cachePoint` as a block of its own | the breakpoint of the text before it; elsewhere a raw part `cache_control` |
//! | … among the tools | the breakpoint of the tool before it |
//! | `toolSpec`; `systemTool` | a tool; a tool of the provider |
//! | `toolUse` with `type: server_tool_use`, `toolResult` with a `type` | calls that the provider runs, and their results |
//! | `reasoningContent` with `reasoningText` or `redactedContent` | thinking, signed or redacted |
//! | `citationsContent`; `citation` in a delta | text with citations |
//! | `guardContent`, `searchResult` | kept raw |
//! | `cacheReadInputTokens`; `cacheReadInputTokenCount`, Nova's name, 0 where nothing is cached | cached tokens, if any |
//! | no id, no model in the answer, but for the one that a prompt router chose | that one |
//! | a stream without `messageStop` | stream truncated; `metadata` with the usage follows it |
//! | a text block that begins with its first delta | begun there |
//! | `p`, padding of random length | passed over |
//! | events as members (`{"messageStart": …}`), as Nova streams them through invoke | the same events |

mod request;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{Media, Part, StopReason, WireUsage};

use super::{arguments, breakpoint, inline_media, other_part, raws, text_part};
use crate::answer::Answer;
use crate::json::{Json, Kind};
use crate::usage::Counts;

pub(super) use self::request::tools;
pub(crate) use self::request::{asked_in, read_request};
pub(crate) use self::stream::Stream;

/// Returns the common word for a `stopReason`.
pub(super) fn stop_reason(word: &str) -> StopReason {
    match word {
        "end_turn" | "stop_sequence" => StopReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "tool_use" => StopReason::ToolUse,
        "guardrail_intervened" | "content_filtered" => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    while let Some(name) = json.member() {
        match name.as_ref() {
            "output" => {
                let message = json.fields(["message"]).and_then(|[message]| message);
                let content = message.and_then(|mut message| message.fields(["content"]));
                answer.draft(0);
                if let Some([Some(mut content)]) = content {
                    whole_content(&mut content, answer);
                }
            }
            "stopReason" => stop(json, answer),
            name => about(name, json, answer),
        }
    }
}

fn whole_content(json: &mut Json<'_>, answer: &mut Answer) {
    if !json.array() {
        return;
    }
    let mut parts = Vec::new();
    while json.element() {
        let bytes = json.width();
        block(json, &mut parts);
        for part in parts.drain(..) {
            answer.part(0, part, bytes);
        }
    }
}

/// Reads why the answer stopped, where it says so.
fn stop(json: &mut Json<'_>, answer: &mut Answer) {
    let word = json.owned();
    if let (Some(word), Some(draft)) = (word, answer.draft(0)) {
        draft.stop = Some(stop_reason(&word));
        draft.stop_reason = Some(word);
    }
}

/// Reads a member that tells of the answer: in the response, or in the stream's `metadata`.
fn about(name: &str, json: &mut Json<'_>, answer: &mut Answer) {
    match name {
        "usage" => answer.count(json),
        "serviceTier" => {
            let tier = json.fields(["type"]).and_then(|[tier]| owned(tier));
            answer.service_tier = tier.or(answer.service_tier.take());
        }
        "trace" => {
            let router = json.fields(["promptRouter"]).and_then(|[router]| router);
            let model = router.and_then(|mut router| router.fields(["invokedModelId"]));
            answer.model = model
                .and_then(|[model]| owned(model))
                .or(answer.model.take());
        }
        _ => {}
    }
}

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    // Models without a cache send the second name too, always with 0.
    let cached = |name: &str, second: &str| {
        let second = || usage.count(&[second]).filter(|count| *count > 0);
        usage.count(&[name]).or_else(second)
    };
    WireUsage {
        input: usage.count(&["inputTokens"]),
        output: usage.count(&["outputTokens"]),
        cache_read: cached("cacheReadInputTokens", "cacheReadInputTokenCount"),
        cache_write: cached("cacheWriteInputTokens", "cacheWriteInputTokenCount"),
        reasoning: None,
        total: usage.count(&["totalTokens"]),
    }
}

/// Reads content: a list of blocks, or a text alone.
pub(super) fn blocks(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    match json.kind() {
        Kind::Array => {
            json.array();
            while json.element() {
                block(json, parts);
            }
        }
        Kind::Null | Kind::None => json.skip(),
        _ => block(json, parts),
    }
}

fn block(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    let mut whole = *json;
    if let Some(text) = json.owned() {
        parts.push(text_part(text));
        return;
    }
    if !json.object() {
        parts.push(other_part("unknown", whole.verbatim()));
        return;
    }
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            (_, Kind::Null) => {}
            ("cachePoint", _) => mark(json, parts),
            (name, _) => {
                let mut here = *json;
                let part = shaped(name, json);
                parts.push(part.unwrap_or_else(|| other_part(name, here.verbatim())));
            }
        }
    }
}

/// Puts a cache breakpoint behind what was said last.
pub(super) fn mark(json: &mut Json<'_>, parts: &mut Vec<Part>) {
    match parts.last_mut() {
        Some(Part::Text { cache, .. }) if cache.is_none() => *cache = Some(json.verbatim()),
        _ => parts.extend(breakpoint(Some(*json))),
    }
}

/// Reads a block of a known kind; none where it is of another one, or has nothing that its kind needs.
fn shaped(name: &str, json: &mut Json<'_>) -> Option<Part> {
    match name {
        "text" => json.owned().map(text_part),
        "image" => picture(json),
        "document" | "video" => file(name, json),
        "audio" => {
            let [format, source] = json.fields(["format", "source"])?;
            Some(Part::Audio {
                media: media("audio", owned(format), source?)?,
                transcript: None,
                id: None,
            })
        }
        "toolUse" => call(json),
        "toolResult" => result(json),
        "reasoningContent" => thinking(json),
        "citationsContent" => {
            let [content, citations] = json.fields(["content", "citations"])?;
            let mut text = String::new();
            // Grounded answers put sources behind a text that stands in a block of its own.
            if let Some(mut said) = content
                && said.array()
            {
                while said.element() {
                    if let Some([Some(mut words)]) = said.fields(["text"]) {
                        text.push_str(&words.text().unwrap_or_default());
                    }
                }
            }
            Some(Part::Text {
                text,
                citations: raws(citations),
                cache: None,
            })
        }
        _ => None,
    }
}

/// Reads an image.
pub(super) fn picture(json: &mut Json<'_>) -> Option<Part> {
    let [format, source] = json.fields(["format", "source"])?;
    Some(Part::Image {
        media: media("image", owned(format), source?)?,
    })
}

fn file(kind: &str, json: &mut Json<'_>) -> Option<Part> {
    let [format, name, source] = json.fields(["format", "name", "source"])?;
    Some(Part::File {
        media: media(kind, owned(format), source?)?,
        name: owned(name),
    })
}

/// Reads a `source`; none where it has no bytes, text or address, such as a document that is made of blocks.
fn media(kind: &str, format: Option<String>, mut source: Json<'_>) -> Option<Media> {
    let mime = format.map(|format| mime(kind, &format));
    let document = source.document();
    let [bytes, text, place] = source.fields(["bytes", "text", "s3Location"])?;
    if let Some(data) = bytes.or(text).and_then(|mut data| data.string()) {
        // A document's text is no base64, but its place is told in the same way.
        return Some(inline_media(mime, data, document));
    }
    let [uri] = place?.fields(["uri"])?;
    Some(Media {
        mime,
        url: Some(owned(uri)?),
        ..Media::default()
    })
}

/// Returns the media type that a format stands for.
fn mime(kind: &str, format: &str) -> String {
    const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
    match (kind, format) {
        ("document", "pdf") => "application/pdf".to_owned(),
        ("document", "csv" | "html") => format!("text/{format}"),
        ("document", "txt") => "text/plain".to_owned(),
        ("document", "md") => "text/markdown".to_owned(),
        ("document", "doc") => "application/msword".to_owned(),
        ("document", "xls") => "application/vnd.ms-excel".to_owned(),
        ("document", "docx") => format!("{OFFICE}.wordprocessingml.document"),
        ("document", "xlsx") => format!("{OFFICE}.spreadsheetml.sheet"),
        ("document", format) => format!("application/{format}"),
        ("video", "mkv") => "video/x-matroska".to_owned(),
        ("video", "mov") => "video/quicktime".to_owned(),
        ("video", "three_gp") => "video/3gpp".to_owned(),
        ("video", "wmv") => "video/x-ms-wmv".to_owned(),
        ("video", "flv") => "video/x-flv".to_owned(),
        (kind, format) => format!("{kind}/{format}"),
    }
}

/// Reads a call.
pub(super) fn call(json: &mut Json<'_>) -> Option<Part> {
    let [id, name, input, kind] = json.fields(["toolUseId", "name", "input", "type"])?;
    Some(Part::ToolCall {
        id: owned(id),
        name: owned(name).unwrap_or_default(),
        arguments: input.map_or_else(String::new, |mut input| arguments(&mut input)),
        server: is_server_call(kind),
    })
}

/// Reads what a tool returned.
pub(super) fn result(json: &mut Json<'_>) -> Option<Part> {
    let names = ["toolUseId", "content", "status", "type"];
    let [id, said, status, kind] = json.fields(names)?;
    let mut content = Vec::new();
    if let Some(mut said) = said {
        blocks(&mut said, &mut content);
    }
    Some(Part::ToolResult {
        call_id: owned(id),
        name: None,
        content,
        is_error: owned(status).as_deref() == Some("error"),
        server: is_server_result(kind),
    })
}

/// Returns whether a call of this type is run by the provider.
fn is_server_call(kind: Option<Json<'_>>) -> bool {
    owned(kind).as_deref() == Some("server_tool_use")
}

/// Returns whether a result of this type comes from the provider.
fn is_server_result(kind: Option<Json<'_>>) -> bool {
    owned(kind).is_some_and(|kind| kind != "tool_result")
}

fn thinking(json: &mut Json<'_>) -> Option<Part> {
    let [said, redacted] = json.fields(["reasoningText", "redactedContent"])?;
    if let Some(mut said) = said {
        let [text, signature] = said.fields(["text", "signature"])?;
        let signature = signature.and_then(|mut signature| signature.string());
        let signed = signature.is_some_and(|signature| !signature.is_empty());
        let text = owned(text).unwrap_or_default();
        return Some(Part::Thinking {
            redacted: signed && text.is_empty(),
            text,
            signed,
        });
    }
    redacted.map(|_| Part::Thinking {
        text: String::new(),
        signed: false,
        redacted: true,
    })
}

fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}
