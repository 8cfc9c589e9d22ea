//! `POST …/chat/completions`, as OpenAI defines it and many imitate it.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `role` `developer` beside `system` | OpenAI | both are the system's |
//! | `functions`, `function_call`, role `function` | before 2023-11 | tools, a call without id, a tool result |
//! | a tool call without id, or with an empty one | Mistral, Gemini | a call with an empty id, which tells it from a `function_call` |
//! | `content` as a list of text and thinking parts, also in deltas | Mistral | the parts |
//! | `content` as an object | Cloudflare | text: its compact JSON |
//! | `reasoning_content`, `reasoning`, `reasoning_details` | DeepSeek, Groq, OpenRouter | thinking: the first of them that holds text; of details that are encrypted or summaries, what there is |
//! | `usage` in a chunk without choices, in every chunk, in `x_groq` only | OpenAI, Perplexity, Groq | the last one counts |
//! | `finish_reason` twice, `""`, never | OpenRouter, Snowflake | the last one that is not null; a stream needs none to be whole |
//! | `[DONE]` missing | about one stream in ten | the same |
//! | id and model empty in the first chunk | Azure | the first ones that are not empty |
//! | id and name of a call repeated in each chunk | several | read once |
//! | calls without `index`, several in one delta, first index not 0 | Mistral | told apart by id, in order of arrival |
//! | `message` beside `delta` | Perplexity, Writer | the delta counts |
//! | `error` in a 200, as an event or inside one | Groq, OpenRouter | stream error; what came before stays |
//! | `arguments` as an object | imitations | compact JSON |

mod request;
mod response;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::{Part, StopReason, WireUsage};

use crate::json::{Json, Kind};
use crate::usage::Counts;

use super::{inline_media, other_part, text_part, url_media};

pub(crate) use self::request::read_request;
pub(crate) use self::response::read_whole;
pub(crate) use self::stream::Stream;

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let count = |path: &[&str]| usage.count(path);
    WireUsage {
        input: count(&["prompt_tokens"]).or_else(|| count(&["input_tokens"])),
        output: count(&["completion_tokens"]).or_else(|| count(&["output_tokens"])),
        cache_read: count(&["prompt_tokens_details", "cached_tokens"])
            .or_else(|| count(&["prompt_cache_hit_tokens"])),
        cache_write: count(&["prompt_tokens_details", "cache_write_tokens"]),
        reasoning: count(&["completion_tokens_details", "reasoning_tokens"]),
        total: count(&["total_tokens"]),
    }
}

/// Returns the common word for a `finish_reason`.
fn stop_reason(word: &str) -> Option<StopReason> {
    Some(match word {
        "" => return None,
        "stop" | "eos" | "end_turn" | "stop_sequence" => StopReason::Stop,
        "length" | "max_tokens" | "model_length" => StopReason::Length,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "content_filter" | "safety" | "refusal" => StopReason::ContentFilter,
        _ => StopReason::Other,
    })
}

/// Reads a message's content: a string, a list of parts, an object, or null.
fn content(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    match json.kind() {
        Kind::String => {
            let text = json.owned().unwrap_or_default();
            if !text.is_empty() {
                each(text_part(text));
            }
        }
        Kind::Array => {
            json.array();
            while json.element() {
                content_part(json, each);
            }
        }
        Kind::Object => each(text_part(json.compact())),
        Kind::Number | Kind::Bool | Kind::Null | Kind::None => json.skip(),
    }
}

/// Reads one part of a content list.
fn content_part(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    if json.kind() == Kind::String {
        each(text_part(json.owned().unwrap_or_default()));
        return;
    }
    let mut whole = *json;
    let names = ["type", "text", "refusal", "thinking", "cache_control"];
    let Some([kind, text, refusal, thinking, cache]) = json.fields(names) else {
        each(other_part("unknown", json.verbatim()));
        return;
    };
    let kind = kind.and_then(|mut kind| kind.owned()).unwrap_or_default();
    let part = match (kind.as_str(), text, thinking) {
        ("text" | "input_text" | "output_text" | "", Some(mut text), _) => {
            let cache = cache.map(|mut cache| cache.verbatim());
            return each(Part::Text {
                text: text.owned().unwrap_or_default(),
                citations: Vec::new(),
                cache,
            });
        }
        ("thinking", _, Some(mut thinking)) => Some(Part::Thinking {
            text: joined_text(&mut thinking),
            signed: false,
            redacted: false,
        }),
        ("refusal", ..) => refusal.map(|mut refusal| Part::Refusal {
            text: refusal.owned().unwrap_or_default(),
        }),
        _ => {
            let mut again = whole;
            media_part(&kind, &mut again)
        }
    };
    each(part.unwrap_or_else(|| other_part(&kind, whole.verbatim())));
    if let Some(marker) = super::breakpoint(cache) {
        each(marker);
    }
}

/// Reads one entry of `reasoning_details`: its text; encrypted text as thinking that is withheld; a summary as
/// it is, because it is not the reasoning.
fn detail(json: &mut Json<'_>, each: &mut impl FnMut(Part)) {
    let mut whole = *json;
    let names = ["type", "text", "data", "summary"];
    let Some([kind, text, data, summary]) = json.fields(names) else {
        return;
    };
    let text = text.and_then(|mut text| text.owned());
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        each(Part::Thinking {
            text,
            signed: false,
            redacted: false,
        });
    } else if data.is_some() {
        each(Part::Thinking {
            text: String::new(),
            signed: false,
            redacted: true,
        });
    } else if summary.is_some() {
        let kind = kind.and_then(|mut kind| kind.owned());
        each(other_part(&kind.unwrap_or_default(), whole.verbatim()));
    }
}

/// Returns the text of a string, or of the text parts of a list, joined.
fn joined_text(json: &mut Json<'_>) -> String {
    if json.kind() == Kind::String {
        return json.owned().unwrap_or_default();
    }
    let mut all = String::new();
    if json.array() {
        while json.element() {
            if let Some([Some(mut text)]) = json.fields(["text"]) {
                all.push_str(&text.text().unwrap_or_default());
            }
        }
    }
    all
}

/// Reads a part that holds an image, a sound or a file; none where it does not have the shape of one.
fn media_part(kind: &str, json: &mut Json<'_>) -> Option<Part> {
    let whole = json.document();
    let names = [
        "image_url",
        "input_audio",
        "file",
        "video_url",
        "document_url",
        "document_name",
    ];
    let [image, audio, file, video, document, name] = json.fields(names)?;
    match kind {
        "image_url" | "input_image" => Some(Part::Image {
            media: linked(&mut image?)?,
        }),
        "input_audio" => {
            let [data, format] = audio?.fields(["data", "format"])?;
            let format = format.and_then(|mut format| format.owned());
            let mime = format.map(|format| format!("audio/{format}"));
            Some(Part::Audio {
                media: inline_media(mime, data?.string()?, whole),
                transcript: None,
                id: None,
            })
        }
        "file" => {
            let names = ["file_data", "file_id", "filename", "file_url"];
            let [data, id, name, url] = file?.fields(names)?;
            let data = data.or(url).and_then(|mut data| data.string());
            let mut media = data.map_or_else(Default::default, |data| {
                let inline = data.raw().starts_with(b"data:") || data.raw().starts_with(b"http");
                if inline {
                    url_media(data, whole)
                } else {
                    inline_media(None, data, whole)
                }
            });
            media.file_id = id.and_then(|mut id| id.owned());
            let name = name.and_then(|mut name| name.owned());
            Some(Part::File { media, name })
        }
        "video_url" | "document_url" => Some(Part::File {
            media: linked(&mut video.or(document)?)?,
            name: name.and_then(|mut name| name.owned()),
        }),
        _ => None,
    }
}

/// Reads a URL that stands as a string or as `{"url": …}`.
fn linked(json: &mut Json<'_>) -> Option<flow_model::Media> {
    let document = json.document();
    if let Some(url) = json.string() {
        return Some(url_media(url, document));
    }
    let [url] = json.fields(["url"])?;
    Some(url_media(url?.string()?, document))
}
