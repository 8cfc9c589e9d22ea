//! The answer to a request, in a form that belongs to no provider.
//!
//! Which conversation answers is decided in this order: the behaviour's `conversation`, the conversation whose
//! opening words the request holds, `hello`. Which turn: the number of answers that the request already holds.
//! All ids follow from the request's opening words, the turn and the place, so that an agent that plays the same
//! conversation knows them without reading the answer.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::ask::{Ask, tokens};
use crate::behaviour::Behaviour;
use crate::conversation::{Conversation, DEFAULT_NAME, Library, Piece, Turn};
use crate::digest::Ids;
use crate::target::{Api, Provider};

/// From so many tokens on providers cache a prompt.
const CACHED_TOKENS_MIN: u64 = 1024;
/// Providers cache in blocks of so many tokens.
const CACHED_TOKENS_STEP: u64 = 128;
const MEGABYTE: usize = 1 << 20;
const SIGNATURE_BYTES: usize = 180;
/// The tool of the conversations that runs a command.
const SHELL: &str = "Bash";
/// What agents call that tool, and the argument that holds the command.
const SHELLS: [(&str, &str); 3] = [
    ("exec_command", "cmd"),
    ("run_shell_command", "command"),
    ("bash", "command"),
];

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) model: String,
    pub(crate) created: u64,
    pub(crate) ids: Ids,
    pub(crate) turn: usize,
    pub(crate) parts: Vec<Part>,
    pub(crate) stop: Stop,
    pub(crate) usage: Usage,
}

/// One part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Thinking {
        text: String,
        signature: String,
    },
    Text(String),
    Refusal(String),
    Call {
        id: String,
        name: String,
        input: Map<String, Value>,
    },
}

/// Why an answer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    Tools,
    Length,
    Refusal,
}

/// Token counts. `input` includes what was read from and written to a cache, `output` includes reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) input: u64,
    pub(crate) cache_read: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

/// What was chosen for a request.
pub(crate) struct Choice<'a> {
    pub(crate) conversation: &'a Conversation,
    pub(crate) index: usize,
    pub(crate) turn: &'a Turn,
    /// The request asks for a title, not for a turn.
    pub(crate) title: bool,
}

/// Returns the conversation and the turn that answer a request.
pub(crate) fn choose<'a>(
    library: &'a Library,
    ask: &Ask,
    behaviour: &Behaviour,
) -> Option<Choice<'a>> {
    let conversation = match &behaviour.conversation {
        Some(name) => library.named(name)?,
        None => library
            .opened_by(&ask.said)
            .or_else(|| library.named(DEFAULT_NAME))?,
    };
    let (index, turn) = conversation.turn(ask.answers)?;
    let title = ask.tools.is_empty() && ask.system.contains("title for this conversation");
    Some(Choice {
        conversation,
        index,
        turn,
        title,
    })
}

/// Returns the id of a call: the `place`-th part of an answer.
pub(crate) fn call_id(api: Api, ids: &Ids, turn: usize, place: usize) -> String {
    let label = format!("call {turn} {place}");
    match api.provider() {
        Provider::OpenAi => format!("call_{}", ids.letters(&label, 24)),
        Provider::Anthropic => format!("toolu_01{}", ids.letters(&label, 22)),
        Provider::Google => ids.letters(&label, 8).to_lowercase(),
        Provider::Ollama => format!("call_{}", ids.letters(&label, 8).to_lowercase()),
        Provider::Cohere => format!("tool_{}", ids.letters(&label, 12).to_lowercase()),
        Provider::Bedrock | Provider::Kiro => format!("tooluse_{}", ids.letters(&label, 22)),
    }
}

/// Returns the signature of thinking: the `place`-th part of an answer.
pub(crate) fn signature(ids: &Ids, turn: usize, place: usize) -> String {
    ids.base64(&format!("signature {turn} {place}"), SIGNATURE_BYTES)
}

// === impl Reply ===

impl Reply {
    pub(crate) fn compose(
        api: Api,
        choice: &Choice<'_>,
        ask: &Ask,
        behaviour: &Behaviour,
        created: u64,
    ) -> Self {
        let ids = Ids::new(&ask.opening);
        let mut parts: Vec<Part> = if choice.title {
            vec![Part::Text(choice.conversation.title.clone())]
        } else {
            let pieces = choice.turn.answer.iter().enumerate();
            pieces
                .map(|(place, piece)| part(api, &ids, choice.index, place, piece, ask))
                .collect()
        };
        if behaviour.huge_megabytes > 0 {
            parts.push(Part::Text(filler(behaviour.huge_megabytes * MEGABYTE)));
        }
        let reasoning = if choice.title {
            0
        } else {
            choice.turn.reasoning_tokens
        };
        Self {
            model: ask.model.clone(),
            created,
            turn: choice.index,
            stop: stop(&parts, choice),
            usage: usage(api, &parts, ask, reasoning),
            parts,
            ids,
        }
    }
}

fn part(api: Api, ids: &Ids, turn: usize, place: usize, piece: &Piece, ask: &Ask) -> Part {
    match piece {
        Piece::Thinking { text } => Part::Thinking {
            text: fill(text, ask),
            signature: signature(ids, turn, place),
        },
        Piece::Text { text } => Part::Text(fill(text, ask)),
        Piece::Refusal { text } => Part::Refusal(fill(text, ask)),
        Piece::Call { tool, input, .. } => {
            let (name, input) = offered(tool, input, &ask.tools);
            Part::Call {
                id: call_id(api, ids, turn, place),
                name,
                input,
            }
        }
    }
}

/// Returns a call as the agent knows it: a real agent can run a command, but names the tool in its own way.
fn offered(
    tool: &str,
    input: &Map<String, Value>,
    tools: &[String],
) -> (String, Map<String, Value>) {
    let has = |name: &str| tools.iter().any(|tool| tool == name);
    let shell = SHELLS.iter().find(|(name, _)| has(name));
    match (shell, input.get("command")) {
        (Some((name, argument)), Some(command)) if tool == SHELL && !has(tool) => {
            let input = [((*argument).to_owned(), command.clone())];
            ((*name).to_owned(), input.into_iter().collect())
        }
        _ => (tool.to_owned(), input.clone()),
    }
}

fn stop(parts: &[Part], choice: &Choice<'_>) -> Stop {
    if parts.iter().any(|part| matches!(part, Part::Call { .. })) {
        Stop::Tools
    } else if parts.iter().any(|part| matches!(part, Part::Refusal(_))) {
        Stop::Refusal
    } else if choice.turn.length && !choice.title {
        Stop::Length
    } else {
        Stop::End
    }
}

fn usage(api: Api, parts: &[Part], ask: &Ask, hidden: u64) -> Usage {
    let (mut shown, mut reasoning) = (0, hidden);
    for part in parts {
        match part {
            Part::Thinking { text, .. } => reasoning += tokens(text),
            Part::Text(text) | Part::Refusal(text) => shown += tokens(text),
            Part::Call { name, input, .. } => {
                shown += tokens(name) + tokens(&Value::Object(input.clone()).to_string()) + 8;
            }
        }
    }
    let known = ask.tokens_before - ask.tokens_before % CACHED_TOKENS_STEP;
    let (reads, writes) = match api.provider() {
        Provider::OpenAi | Provider::Google | Provider::Cohere => (true, false),
        Provider::Anthropic | Provider::Bedrock | Provider::Kiro => (ask.cache_marks, true),
        Provider::Ollama => (false, false),
    };
    let cached = reads && known >= CACHED_TOKENS_MIN;
    let cache_read = if cached { known } else { 0 };
    let writes = writes && ask.cache_marks && ask.tokens >= CACHED_TOKENS_MIN;
    Usage {
        input: ask.tokens,
        cache_read,
        cache_write: if writes { ask.tokens - cache_read } else { 0 },
        output: shown + reasoning,
        reasoning,
    }
}

/// Puts what the request carried in place of the words in braces.
fn fill(text: &str, ask: &Ask) -> String {
    let text = text.trim_matches('\n');
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut images = String::new();
    for (place, (media, bytes)) in ask.images.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        write!(images, "{comma}{media} of {bytes} bytes").unwrap_or_default();
    }
    text.replace("{images}", &images)
        .replace("{results}", &ask.results.join("; "))
        .replace("{user}", ask.last())
}

/// Returns readable text of that length.
fn filler(bytes: usize) -> String {
    const LINE: &str =
        "2026-11-03T09:14:07Z INFO  worker{id=7}: batch committed rows=512 lag_ms=18\n";
    let mut text = LINE.repeat(bytes.div_ceil(LINE.len()));
    text.truncate(bytes);
    text
}

#[cfg(test)]
mod tests;
