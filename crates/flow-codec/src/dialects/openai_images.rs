//! `POST …/images/…`: generations, edits and variations.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `prompt` | all | a text of the user |
//! | `image`, `images`, `image[]` in a form; `{"image_url"}`, `{"url"}`, `{"file_id"}` | OpenAI, xAI | images of the user |
//! | `mask` | OpenAI | a file named `mask` |
//! | `data[]` with `url` or `b64_json` | all | images of one answer; their type by `mime_type`, `output_format` or the first characters |
//! | `revised_prompt` | OpenAI, xAI | kept raw, in front of its image |
//! | `…partial_image`, `…completed` as events | OpenAI | the completed images; the newest partial one where the stream breaks off |
//! | `usage` in tokens, or as a price | OpenAI, xAI | the usage object |
//! | no count of images | all | the number of images that came |

mod request;
mod response;

#[cfg(test)]
mod tests;

use flow_model::WireUsage;

use super::openai_chat;
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::response::{Stream, read_whole};

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    let known = openai_chat::usage(usage);
    let cached = || usage.count(&["input_tokens_details", "cached_tokens"]);
    WireUsage {
        cache_read: known.cache_read.or_else(cached),
        ..known
    }
}
