//! Embeddings, in the shapes of OpenAI, Google, Ollama and Cohere. Vectors are counted, never kept.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `input` as a text, a list of texts, tokens, lists of tokens | OpenAI | parts of one message of the user; tokens as they are |
//! | `input` or `inputs` as objects with `content`, `text` or `image` | Cohere, Voyage, Jina, `OpenRouter` | the same |
//! | `texts`, `images` | Cohere | the same |
//! | `content`; `requests` with a `content` each | Google | the same; what the requests agree on is a parameter |
//! | `input`; `prompt` | Ollama's newer and older path | the same |
//! | `data[].embedding` as numbers | OpenAI and most | number of vectors, numbers of the first |
//! | … as base64 | OpenAI: 32-bit floats | the same |
//! | … | Voyage (counts only a total), Perplexity (tells a cost by currency) | number of vectors: the type of their numbers is not told |
//! | a bare list | llama.cpp | the same |
//! | `embedding`, `embeddings` with `values` | Google | the same |
//! | `embeddings` as lists, or by type (`float`, `int8`, `ubinary`, `base64`) | Cohere | the first type that has a number an entry, else the first |
//! | `usage`, `usageMetadata`, `meta.billed_units`, `prompt_eval_count` | each | the usage object |

mod request;
mod response;

#[cfg(test)]
mod tests;

use flow_model::{Dialect, WireUsage};

use super::{gemini_generate, openai_chat};
use crate::usage::Counts;

pub(crate) use self::request::read_request;
pub(crate) use self::response::{read_other, read_whole};

/// Returns the counts of a usage object.
pub(crate) fn usage(dialect: Dialect, usage: &Counts<'_>) -> WireUsage {
    match dialect {
        Dialect::GeminiEmbed => gemini_generate::usage(usage),
        Dialect::OllamaEmbed => WireUsage {
            input: usage.count(&["prompt_eval_count"]),
            ..WireUsage::default()
        },
        Dialect::CohereEmbed => WireUsage {
            input: usage
                .count(&["tokens", "input_tokens"])
                .or_else(|| usage.count(&["billed_units", "input_tokens"])),
            output: usage
                .count(&["tokens", "output_tokens"])
                .or_else(|| usage.count(&["billed_units", "output_tokens"])),
            ..WireUsage::default()
        },
        _ => openai_chat::usage(usage),
    }
}
