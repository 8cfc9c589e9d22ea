//! `POST …/v1/messages`, as Anthropic defines it.
//!
//! | what the wire has | what is read |
//! |---|---|
//! | `system` as a string or as blocks; `role: "system"` among the messages | both |
//! | `thinking` with a `signature`; without text where the program asked for none | thinking, signed, redacted |
//! | `redacted_thinking` | thinking, redacted |
//! | `server_tool_use`, `mcp_tool_use` | calls that the provider runs |
//! | `…_tool_result` beside `tool_result` | results of such calls, kept raw under the block's type |
//! | `compaction`, `search_result` and blocks to come | kept raw |
//! | `cache_control` | on text, its cache breakpoint; elsewhere a raw part `cache_control` behind the block |
//! | `input_json_delta` in pieces; none at all for a tool without arguments | the pieces joined; else the block's `input`, `{}` |
//! | `citations_delta`, `signature_delta`, `compaction_delta` | folded into their block |
//! | `usage` in `message_start` and again in `message_delta` | each count of the later one replaces the earlier |
//! | `message_start` twice in one stream | the first id and model count, blocks go on |
//! | `error` as an event | stream error; what came before stays |
//! | no `message_stop`, or one without the blank line that ends an event | stream truncated |
//! | a `fallback` block | raw, and the model that it names takes over |
//! | `ping` | passed over |

mod request;
mod response;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{Media, Part, Raw, StopReason, WireUsage};

use crate::json::{Document, Json, Kind};
use crate::usage::Counts;

use super::{breakpoint, inline_media, other_part, raws, text_part, url_media};

pub(crate) use self::request::read_request;
pub(crate) use self::response::read_whole;
pub(crate) use self::stream::Stream;

/// Returns the common word for a `stop_reason`.
pub(super) fn stop_reason(word: &str) -> StopReason {
    match word {
        "end_turn" | "stop_sequence" => StopReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
        "tool_use" => StopReason::ToolUse,
        "refusal" => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

/// Reads content: a string, or a list of blocks.
pub(super) fn content(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    match json.kind() {
        Kind::String => each(text_part(json.owned().unwrap_or_default())),
        Kind::Array => {
            json.array();
            while json.element() {
                block(json, each);
            }
        }
        Kind::Object => block(json, each),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |path: &[&str]| usage.count(path);
    WireUsage {
        input: count(&["input_tokens"]),
        output: count(&["output_tokens"]),
        cache_read: count(&["cache_read_input_tokens"]),
        cache_write: count(&["cache_creation_input_tokens"]),
        reasoning: count(&["output_tokens_details", "thinking_tokens"]),
        total: None,
    }
}

/// The members of a block, unread.
struct Block<'a> {
    kind: String,
    text: Option<Json<'a>>,
    thinking: Option<Json<'a>>,
    signature: Option<Json<'a>>,
    citations: Option<Json<'a>>,
    id: Option<Json<'a>>,
    name: Option<Json<'a>>,
    input: Option<Json<'a>>,
    call_id: Option<Json<'a>>,
    content: Option<Json<'a>>,
    is_error: Option<Json<'a>>,
    source: Option<Json<'a>>,
    title: Option<Json<'a>>,
    file_id: Option<Json<'a>>,
    cache: Option<Json<'a>>,
    whole: Json<'a>,
}

// === impl Block ===

impl<'a> Block<'a> {
    fn read(json: &mut Json<'a>) -> Option<Self> {
        let whole = *json;
        let names = [
            "type",
            "text",
            "thinking",
            "signature",
            "citations",
            "id",
            "name",
            "input",
            "tool_use_id",
            "content",
            "is_error",
            "source",
            "title",
            "file_id",
            "cache_control",
        ];
        let [
            kind,
            text,
            thinking,
            signature,
            citations,
            id,
            name,
            input,
            call_id,
            content,
            is_error,
            source,
            title,
            file_id,
            cache,
        ] = json.fields(names)?;
        Some(Self {
            kind: owned(kind).unwrap_or_default(),
            text,
            thinking,
            signature,
            citations,
            id,
            name,
            input,
            call_id,
            content,
            is_error,
            source,
            title,
            file_id,
            cache,
            whole,
        })
    }

    fn is_signed(&self) -> bool {
        let signature = self.signature.and_then(|mut json| json.string());
        signature.is_some_and(|signature| !signature.is_empty())
    }

    /// Returns the model that takes over with this block.
    fn fallback_model(&self) -> Option<String> {
        if self.kind != "fallback" {
            return None;
        }
        let mut whole = self.whole;
        let [to] = whole.fields(["to"])?;
        let [model] = to?.fields(["model"])?;
        owned(model)
    }

    /// Returns whether the provider runs the tool that this block calls.
    fn is_server_call(&self) -> bool {
        matches!(self.kind.as_str(), "server_tool_use" | "mcp_tool_use")
    }

    fn into_part(mut self) -> Part {
        match self.kind.as_str() {
            "text" => Part::Text {
                text: owned(self.text).unwrap_or_default(),
                citations: raws(self.citations),
                cache: self.cache.take().map(|mut cache| cache.verbatim()),
            },
            "thinking" => {
                let signed = self.is_signed();
                let text = owned(self.thinking).unwrap_or_default();
                Part::Thinking {
                    redacted: signed && text.is_empty(),
                    text,
                    signed,
                }
            }
            "redacted_thinking" => Part::Thinking {
                text: String::new(),
                signed: false,
                redacted: true,
            },
            "tool_use" | "server_tool_use" | "mcp_tool_use" => Part::ToolCall {
                id: owned(self.id),
                server: self.is_server_call(),
                name: owned(self.name).unwrap_or_default(),
                arguments: self
                    .input
                    .map_or_else(String::new, |mut input| super::arguments(&mut input)),
            },
            "tool_result" => self.result(),
            kind if kind.ends_with("_tool_result") => self.server_result(),
            "image" | "document" => match media(self.source, self.whole.document()) {
                Some(media) if self.kind == "image" => Part::Image { media },
                Some(media) => Part::File {
                    media,
                    name: owned(self.title),
                },
                // A document may be made of blocks.
                None => other_part(&self.kind, self.whole.verbatim()),
            },
            "container_upload" => Part::File {
                media: Media {
                    file_id: owned(self.file_id),
                    ..Media::default()
                },
                name: None,
            },
            kind => other_part(kind, self.whole.verbatim()),
        }
    }

    fn result(&mut self) -> Part {
        let mut parts = Vec::new();
        if let Some(mut said) = self.content {
            content(&mut said, &mut |part| parts.push(part));
        }
        Part::ToolResult {
            call_id: owned(self.call_id),
            name: None,
            content: parts,
            is_error: self.is_error.and_then(|mut json| json.bool()) == Some(true),
            server: false,
        }
    }

    fn server_result(&mut self) -> Part {
        let inner = self.content.and_then(|mut json| json.fields(["type"]));
        let inner = inner.and_then(|[kind]| owned(kind));
        let failed = inner.is_some_and(|kind| kind.ends_with("_error"));
        let raw = self.content.map(|mut json| json.verbatim());
        Part::ToolResult {
            call_id: owned(self.call_id),
            name: None,
            content: vec![other_part(
                &self.kind,
                raw.unwrap_or_else(|| Raw::new("null")),
            )],
            is_error: failed || self.is_error.and_then(|mut json| json.bool()) == Some(true),
            server: true,
        }
    }
}

fn block(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    let Some(block) = Block::read(json) else {
        match json.owned() {
            Some(text) => each(text_part(text)),
            None => each(other_part("unknown", json.verbatim())),
        }
        return;
    };
    // Text has a place for its breakpoint, and a raw block still holds it.
    let cache = block.cache.filter(|_| is_shaped(&block.kind));
    each(block.into_part());
    if let Some(marker) = breakpoint(cache) {
        each(marker);
    }
}

/// Returns whether a block of this type becomes a part that is neither text nor raw.
fn is_shaped(kind: &str) -> bool {
    let named = [
        "thinking",
        "redacted_thinking",
        "tool_use",
        "server_tool_use",
        "mcp_tool_use",
        "image",
        "document",
        "container_upload",
    ];
    named.contains(&kind) || kind.ends_with("tool_result")
}

/// Reads the `source` of an image or document; none where it has no bytes, address or id.
fn media(source: Option<Json<'_>>, document: &Document<'_>) -> Option<Media> {
    let [mime, data, url, file_id] = source?.fields(["media_type", "data", "url", "file_id"])?;
    let mime = owned(mime);
    if let Some(url) = url.and_then(|mut url| url.string()) {
        let media = url_media(url, document);
        let mime = mime.or(media.mime);
        return Some(Media { mime, ..media });
    }
    if let Some(data) = data.and_then(|mut data| data.string()) {
        // Text documents are no base64, but their place is told in the same way.
        return Some(inline_media(mime, data, document));
    }
    let file_id = owned(file_id)?;
    Some(Media {
        mime,
        file_id: Some(file_id),
        ..Media::default()
    })
}

fn owned(json: Option<Json<'_>>) -> Option<String> {
    json.and_then(|mut json| json.owned())
}
