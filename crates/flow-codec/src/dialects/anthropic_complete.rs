//! `POST …/v1/complete`, the time before messages.
//!
//! | what the wire has | who | what is read |
//! |---|---|---|
//! | `prompt` with turns behind `\n\nHuman:` and `\n\nAssistant:` | both versions | messages; what stands before the first turn is the system's |
//! | an empty turn of the assistant at the end | both | nothing: it asks for the answer |
//! | events `completion` that hold what is new | `anthropic-version: 2023-06-01` | appended |
//! | events without name that hold all there is so far | 2023-01-01 | what is new in each |
//! | `[DONE]` at the end | 2023-01-01 | passed over |
//! | `id`; before it only `log_id` | both | the id |
//! | `stop`: the sequence that was met | both | nothing: `stop_reason` says that one was |
//! | no usage | both | none |
//! | `exception`, `truncated` | 2023-01-01 | nothing |
//! | an `error` event | 2023-06-01 | stream error; what came before stays |

#[cfg(test)]
mod tests;

use flow_model::{Message, RequestReading, Role, StopReason};

use super::{Ask, Depth, Event, text_part};
use crate::answer::{Answer, Piece, Speech};
use crate::json::{Json, Kind};

/// What begins a turn, and whose it is.
const TURNS: [(&str, Role); 2] = [
    ("\n\nHuman:", Role::User),
    ("\n\nAssistant:", Role::Assistant),
];

/// Reads the events of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    manner: Manner,
}

/// What the events of a stream hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Manner {
    /// Nothing has told it yet.
    #[default]
    Unknown,
    /// What is new.
    Increments,
    /// All there is so far.
    Cumulative,
}

/// Reads a request.
pub(crate) fn read_request(body: &[u8], depth: Depth) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    match (name, json.kind()) {
        ("model", Kind::String) => ask.reading.model = json.owned(),
        ("stream", Kind::Bool) => ask.reading.stream = json.bool(),
        ("prompt", Kind::String) => {
            let prompt = json.text().unwrap_or_default();
            turns(&prompt, ask);
        }
        _ if ask.depth == Depth::Skim => json.skip(),
        _ => ask.parameter(name, json),
    }
}

/// Cuts a prompt into its turns.
fn turns(prompt: &str, ask: &mut Ask) {
    let (before, mut rest) = next_turn(prompt);
    let before = before.trim();
    if !before.is_empty() {
        if rest.is_none() {
            // A prompt without turns is the user's.
            ask.reading.messages.push(message(Role::User, before));
        } else if ask.depth == Depth::Whole {
            ask.reading.system.push(text_part(before.to_owned()));
        }
    }
    while let Some((role, after)) = rest {
        let (said, next) = next_turn(after);
        let said = said.trim();
        let asks = said.is_empty() && role == Role::Assistant && next.is_none();
        if !asks {
            ask.reading.messages.push(message(role, said));
        }
        rest = next;
    }
}

fn message(role: Role, said: &str) -> Message {
    Message {
        role,
        name: None,
        parts: vec![text_part(said.to_owned())],
    }
}

/// Returns what stands before the next turn, whose turn it is, and what follows its mark.
fn next_turn(prompt: &str) -> (&str, Option<(Role, &str)>) {
    let found = TURNS.into_iter().filter_map(|(mark, role)| {
        let (before, after) = prompt.split_once(mark)?;
        Some((before, (role, after)))
    });
    match found.min_by_key(|(before, _)| before.len()) {
        Some((before, turn)) => (before, Some(turn)),
        None => (prompt, None),
    }
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, answer: &mut Answer) {
    let completion = members(json, answer);
    if let Some(mut completion) = completion
        && let Some(token) = completion.string()
    {
        answer.draft(0);
        answer.say(0, Speech::Text, token, completion.document());
    }
}

/// Reads everything but the text, whose place it returns.
fn members<'a>(json: &mut Json<'a>, answer: &mut Answer) -> Option<Json<'a>> {
    let (mut completion, mut log) = (None, None);
    while let Some(name) = json.member() {
        match (name.as_ref(), json.kind()) {
            ("completion", _) => completion = Some(*json),
            ("id", Kind::String) => answer.id = json.owned(),
            ("log_id", Kind::String) => log = json.owned(),
            ("model", Kind::String) => answer.model = json.owned(),
            ("stop_reason", Kind::String) => {
                let word = json.owned().unwrap_or_default();
                if let Some(draft) = answer.draft(0) {
                    draft.stop = Some(stop_reason(&word));
                    draft.stop_reason = Some(word);
                }
            }
            ("error", Kind::Object | Kind::String) => answer.fail(&json.error_value()),
            _ => {}
        }
    }
    answer.id = answer.id.take().or(log);
    completion
}

fn stop_reason(word: &str) -> StopReason {
    match word {
        "stop_sequence" => StopReason::Stop,
        "max_tokens" => StopReason::Length,
        "refusal" => StopReason::ContentFilter,
        _ => StopReason::Other,
    }
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands behind the opening bracket of its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        let completion = members(json, answer);
        if answer.is_stopped() {
            answer.closed = true;
        }
        let Some(mut completion) = completion else {
            return;
        };
        let document = completion.document();
        let Some(token) = completion.string() else {
            return;
        };
        answer.draft(0);
        if event.name.is_some() || self.manner == Manner::Increments {
            return answer.say(0, Speech::Text, token, document);
        }
        let text = token.decode(document);
        let known = known_text(answer);
        let (new, begins) = (text.strip_prefix(known), known.is_empty());
        match (new, self.manner) {
            (Some(new), _) => {
                // The first text tells nothing: both manners begin alike.
                if !begins {
                    self.manner = Manner::Cumulative;
                }
                answer.say_str(0, Speech::Text, new);
            }
            (None, Manner::Unknown) => {
                self.manner = Manner::Increments;
                answer.say(0, Speech::Text, token, document);
            }
            // Something else than before: the text was replaced, which an increment cannot say.
            (None, _) => {}
        }
    }
}

/// Returns the text so far.
fn known_text(answer: &mut Answer) -> &str {
    let pieces = answer.draft(0).map(|draft| draft.pieces.as_slice());
    match pieces {
        Some([Piece::Text { text, .. }, ..]) => text.as_str(),
        _ => "",
    }
}
