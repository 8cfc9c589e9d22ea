//! Token counts where the wire has none.
//!
//! Some servers never send usage, some clients forbid it, and a stream that is cut loses it. What was asked and
//! answered is still known, so that it can be counted. Such a count is marked: [`Reading::estimated`].
//!
//! | what | how it is counted |
//! |---|---|
//! | OpenAI's models | by their own vocabulary (`o200k_base`, or `cl100k_base` up to GPT-4) and OpenAI's documented overheads |
//! | other models | by `o200k_base`, times a ratio measured for the family and the script (`family`) |
//! | input | system prompt, messages, tool calls and results, tools and the schema of the answer |
//! | output | text, reasoning and tool calls of every answer |
//!
//! Left out, because the reading does not tell their size: images, sounds, files, reasoning that is withheld,
//! prompts of the provider's own tools, and parts without a shape of their own. Reasoning of earlier turns is
//! left out of the input as well, since providers drop it. An estimate is therefore a lower bound where such
//! parts are many.
//!
//! A count stays unknown where nothing was answered: an error costs nothing, and a stream that still runs may
//! bring its usage yet. So it does where nothing was asked: what is fetched again was counted by the call that
//! made it. What the wire does tell is never touched.
//!
//! The reading must be a full one. A skimmed request holds only the newest messages, and an estimate of those
//! would be far too small; nothing in the reading tells the two apart.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`COUNTED_BYTES_MAX`](tally::COUNTED_BYTES_MAX) | 1 MiB of text, of the prompt and of the answer each | a sample, spread evenly, is counted and extrapolated |
//! | [`PIECE_BYTES`](tally::PIECE_BYTES) | 8 KiB | texts are counted in pieces, so that a run of one letter costs no more than prose |
//! | [`SCHEMA_BYTES_MAX`](schema::SCHEMA_BYTES_MAX) | 256 KiB | the schema is counted as the text that it is |

mod family;
mod gather;
mod schema;
mod tally;

#[cfg(test)]
mod tests;

use flow_model::{Choice, Dialect, Outcome, Reading};

use self::family::Family;

/// Fills in the token counts that the wire does not tell, and marks the reading if there were any.
pub fn estimate(reading: &mut Reading) {
    let Some(scope) = reading.dialect.and_then(Scope::of) else {
        return;
    };
    let (ask, reply) = (&reading.request, &reading.response);
    if !is_wanting(reading) || !gather::asked(ask) {
        return;
    }
    let family = Family::of(reading);
    let mut tokens = reading.tokens;
    if tokens.input.is_none() {
        tokens.input = match scope {
            Scope::Chat => gather::chat(ask, family),
            Scope::Text | Scope::Vectors => gather::plain(ask, family),
        };
    }
    if tokens.output.is_none() && scope != Scope::Vectors {
        tokens.output = gather::answer(reply, family);
    }
    if tokens == reading.tokens {
        return;
    }
    if tokens.total.is_none()
        && let (Some(input), Some(output)) = (tokens.input, tokens.output)
    {
        tokens.total = Some(input.saturating_add(output));
    }
    reading.tokens = tokens;
    reading.estimated = true;
}

/// Returns whether a count is missing of a call that was answered.
pub(crate) fn is_wanting(reading: &Reading) -> bool {
    let answered = matches!(
        reading.response.outcome,
        Outcome::Ok | Outcome::StreamError | Outcome::StreamTruncated
    );
    // A call in the background is answered with its place in a queue; who fetches the answer learns its usage.
    let choices = &reading.response.choices;
    let waits = |choice: &Choice| choice.stop.is_none() && choice.message.parts.is_empty();
    let queued = !reading.response.streamed && !choices.is_empty() && choices.iter().all(waits);
    let scope = reading.dialect.and_then(Scope::of);
    let queued = queued && scope != Some(Scope::Vectors);
    let unknown = match scope {
        Some(Scope::Vectors) => reading.tokens.input.is_none(),
        Some(Scope::Chat | Scope::Text) => {
            reading.tokens.input.is_none() || reading.tokens.output.is_none()
        }
        None => false,
    };
    answered && unknown && !queued
}

/// What a dialect's calls consume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// A conversation, in the model's own format, and an answer to it.
    Chat,
    /// A text, and how it goes on.
    Text,
    /// Texts, which become vectors.
    Vectors,
}

// === impl Scope ===

impl Scope {
    /// Returns what a dialect's calls consume; none where tokens of text say nothing about the call.
    fn of(dialect: Dialect) -> Option<Self> {
        match dialect {
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::AnthropicMessages
            | Dialect::GeminiGenerate
            | Dialect::GeminiInteractions
            | Dialect::BedrockInvoke
            | Dialect::BedrockConverse
            | Dialect::Kiro
            | Dialect::OllamaChat
            | Dialect::OllamaGenerate
            | Dialect::CohereChat => Some(Self::Chat),
            Dialect::OpenaiCompletions | Dialect::AnthropicComplete | Dialect::CohereGenerate => {
                Some(Self::Text)
            }
            Dialect::OpenaiEmbeddings
            | Dialect::GeminiEmbed
            | Dialect::OllamaEmbed
            | Dialect::CohereEmbed => Some(Self::Vectors),
            // Counted by characters, images or seconds, or not at all.
            Dialect::GeminiPredict
            | Dialect::OpenaiImages
            | Dialect::OpenaiAudio
            | Dialect::OpenaiModerations
            | Dialect::OpenaiInputTokens
            | Dialect::Models
            | Dialect::AnthropicCountTokens
            | Dialect::AnthropicBatches
            | Dialect::GeminiCountTokens
            | Dialect::BedrockCountTokens => None,
        }
    }
}
