//! `POST …/audio/…`: transcription, translation, speech.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | a form with `file`, `model`, `prompt` and the rest | OpenAI, Groq | a sound of the user, by type and length; the rest are parameters, its name among them |
//! | `file_url`, `url`, `file_id`, `input_audio` in place of the file | Mistral, Groq, `OpenRouter` | the same |
//! | `input` | speech | a text of the user |
//! | `stream_format: "sse"` in place of `stream` | speech at OpenAI | a stream is asked for |
//! | `text` | transcription | the answer |
//! | `segments`, `words`, `language` and any other member | `verbose_json`, `diarized_json`, Mistral | kept raw behind the text |
//! | plain text, SRT, `WebVTT` | other formats | the answer, as it is |
//! | sound | speech | sound of the answer, by type and length |
//! | `audio_data` | speech at Mistral | the same |
//! | `transcript.text.delta`, `….segment`, `….done`; `transcription.…` | OpenAI; Mistral | the whole response that they add up to |
//! | `choices[].delta.content` as events | vLLM | the same |
//! | `speech.audio.delta`, `speech.audio.done` | speech | sound, by length |
//! | `usage` in tokens, or `{"type": "duration", "seconds"}` | OpenAI | the usage object; its seconds are the length of the sound |
//! | `duration` and no usage | `verbose_json` | the length of the sound |

mod request;
mod response;
mod stream;

#[cfg(test)]
mod tests;

use flow_model::WireUsage;

use super::openai_chat;
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::response::{read_other, read_whole};
pub(crate) use self::stream::Stream;

/// Returns the counts of a usage object.
pub(crate) fn usage(usage: &Counts<'_>) -> WireUsage {
    openai_chat::usage(usage)
}
