//! Events of a stream.

use flow_model::{Part, Raw};

use crate::answer::{Answer, Call, Draft, Piece, Speech};
use crate::dialects::{Event, arguments, merge, other_part};
use crate::json::{Document, Json, Kind};

use super::content::{content, detail};
use super::request::{CallMembers, call_members};
use super::{says_nothing, stop_reason};

/// Values without a place of their own that are kept of one stream.
const EXTRAS_MAX: usize = 64;

/// Reads the chunks of a stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    /// The last list of sources, which Perplexity repeats in each chunk.
    sources: Option<Vec<u8>>,
    /// What deltas hold that has no place of its own.
    extras: Vec<Extra>,
}

/// A member of a delta that is kept as it is, because it means nothing to the codec.
#[derive(Clone, Debug)]
struct Extra {
    index: u64,
    name: String,
    raw: Raw,
}

// === impl Stream ===

impl Stream {
    /// Reads one event; the cursor stands at its object.
    pub(crate) fn event(&mut self, event: Event<'_>, json: &mut Json<'_>, answer: &mut Answer) {
        if event.name == Some(b"error") && answer.error.is_none() {
            return fail(json, answer);
        }
        while let Some(name) = json.member() {
            match name.as_ref() {
                "id" => first(&mut answer.id, json.word()),
                "model" => first(&mut answer.model, json.owned()),
                "service_tier" => answer.service_tier = json.owned().or(answer.service_tier.take()),
                "choices" => choices(json, &mut self.extras, answer),
                "usage" => usage(json, answer),
                "x_groq" => groq_usage(json, answer),
                "error" if !matches!(json.kind(), Kind::Null | Kind::None) => {
                    let error = json.error_value();
                    answer.fail(&error);
                }
                "citations" => {
                    let raw = json.raw();
                    if raw.starts_with(b"[") {
                        self.sources = Some(raw.to_vec());
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads what is known only once the stream has ended.
    pub(crate) fn finish(&mut self, answer: &mut Answer) {
        if let Some(sources) = self.sources.take() {
            let document = Document::new(&sources);
            cite_all(&mut document.root(), answer);
        }
        for extra in self.extras.drain(..) {
            answer.part(extra.index, other_part(&extra.name, extra.raw), 0);
        }
    }
}

/// Reads an event that is an error. Its members stand in an object `error` or right in the event.
pub(crate) fn fail(json: &mut Json<'_>, answer: &mut Answer) {
    let error = json.inner_value("error");
    answer.fail(&error);
}

/// Reads a message or delta that stands in an event of another dialect.
pub(crate) fn said(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let mut stream = Stream::default();
    delta_of(index, json, &mut stream.extras, answer);
    stream.finish(answer);
}

/// Sets a value that the first event decides in which it is not empty.
pub(crate) fn first(slot: &mut Option<String>, value: Option<String>) {
    if slot.as_ref().is_none_or(String::is_empty) && value.is_some() {
        *slot = value;
    }
}

/// Reads the usage, where it is not null. A later one replaces an earlier one.
pub(super) fn usage(json: &mut Json<'_>, answer: &mut Answer) {
    if json.kind() == Kind::Object {
        answer.count(json);
    }
}

/// Reads Groq's own place for the usage, which counts where there is no other.
pub(super) fn groq_usage(json: &mut Json<'_>, answer: &mut Answer) {
    if answer.usage.is_none()
        && let Some([Some(mut groq)]) = json.fields(["usage"])
    {
        usage(&mut groq, answer);
    }
}

/// Attaches the sources of the whole response to the first answer.
pub(super) fn cite_all(json: &mut Json<'_>, answer: &mut Answer) {
    if json.array() {
        while json.element() {
            answer.cite(0, json);
        }
    }
}

fn choices(json: &mut Json<'_>, extras: &mut Vec<Extra>, answer: &mut Answer) {
    if !json.array() {
        return;
    }
    while json.element() {
        let names = [
            "index",
            "delta",
            "message",
            "finish_reason",
            "logprobs",
            "error",
        ];
        let Some([index, delta, message, stop, logprobs, error]) = json.fields(names) else {
            continue;
        };
        if let Some(mut error) = error {
            answer.fail(&error.error_value());
        }
        let index = index.and_then(|mut index| index.number()).unwrap_or(0);
        let untouched = answer
            .draft(index)
            .is_some_and(|draft| draft.pieces.is_empty());
        let said = delta.or(message.filter(|_| untouched));
        if let Some(mut said) = said {
            delta_of(index, &mut said, extras, answer);
        }
        let logprobs = logprobs.and_then(|mut logprobs| answer.keep(&mut logprobs));
        let stop = stop.and_then(|mut stop| stop.word());
        let Some(draft) = answer.draft(index) else {
            continue;
        };
        if let Some(stop) = stop {
            draft.stop = stop_reason(&stop);
            draft.stop_reason = Some(stop);
        }
        if let Some(logprobs) = logprobs {
            merge(&mut draft.logprobs, logprobs);
        }
    }
}

/// The members of a delta.
#[derive(Clone, Copy, Default)]
struct Delta<'a> {
    reasoning_content: Option<Json<'a>>,
    reasoning: Option<Json<'a>>,
    details: Option<Json<'a>>,
    said: Option<Json<'a>>,
    images: Option<Json<'a>>,
    refusal: Option<Json<'a>>,
    audio: Option<Json<'a>>,
    calls: Option<Json<'a>>,
    call: Option<Json<'a>>,
    notes: Option<Json<'a>>,
}

fn delta_of(index: u64, json: &mut Json<'_>, extras: &mut Vec<Extra>, answer: &mut Answer) {
    if !json.object() {
        return;
    }
    let mut delta = Delta::default();
    while let Some(name) = json.member() {
        if json.kind() == Kind::Null {
            continue;
        }
        let here = Some(*json);
        match name.as_ref() {
            // A speaker's name is that of the model.
            "role" | "name" => {}
            "reasoning_content" => delta.reasoning_content = here,
            "reasoning" => delta.reasoning = here,
            "reasoning_details" => delta.details = here,
            "content" => delta.said = here,
            "images" => delta.images = here,
            "refusal" => delta.refusal = here,
            "audio" => delta.audio = here,
            "tool_calls" => delta.calls = here,
            "function_call" => delta.call = here,
            "annotations" => delta.notes = here,
            name => keep(index, name, json, extras, answer),
        }
    }
    apply(index, &delta, answer);
}

/// Keeps a member that has no place of its own, unless it repeats what came last under its name.
fn keep(index: u64, name: &str, json: &mut Json<'_>, extras: &mut Vec<Extra>, answer: &mut Answer) {
    if extras.len() >= EXTRAS_MAX || says_nothing(*json) {
        return;
    }
    let mut of_name = extras.iter().rev();
    let known = of_name.find(|extra| extra.index == index && extra.name == name);
    let mut again = *json;
    if known.is_some_and(|known| known.raw.as_str().as_bytes() == again.raw()) {
        return;
    }
    if let Some(raw) = answer.keep_raw(json) {
        extras.push(Extra {
            index,
            name: name.to_owned(),
            raw,
        });
    }
}

fn apply(index: u64, delta: &Delta<'_>, answer: &mut Answer) {
    think(
        index,
        [delta.reasoning_content, delta.reasoning, delta.details],
        answer,
    );
    for mut said in [delta.said, delta.images].into_iter().flatten() {
        say(index, &mut said, answer);
    }
    if let Some(mut refusal) = delta.refusal
        && let Some(token) = refusal.string()
    {
        answer.say(index, Speech::Refusal, token, refusal.document());
    }
    if let Some(mut audio) = delta.audio {
        audio_of(index, &mut audio, answer);
    }
    if let Some(mut calls) = delta.calls
        && calls.array()
    {
        while calls.element() {
            tool_call(index, &mut calls, answer);
        }
    }
    if let Some(mut call) = delta.call {
        function_call(index, &mut call, answer);
    }
    if let Some(mut notes) = delta.notes
        && notes.array()
    {
        while notes.element() {
            answer.cite(index, &mut notes);
        }
    }
}

/// Reads reasoning from the first of its places that holds any.
fn think(index: u64, places: [Option<Json<'_>>; 3], answer: &mut Answer) {
    let [content, plain, details] = places;
    for mut json in [content, plain].into_iter().flatten() {
        let document = json.document();
        match json.string() {
            Some(token) if !token.is_empty() => {
                return answer.say(index, Speech::Thinking, token, document);
            }
            _ => {}
        }
    }
    let Some(mut details) = details else {
        return;
    };
    if !details.array() {
        return;
    }
    while details.element() {
        detail(&mut details, &mut |part| match part {
            Part::Thinking { text, .. } if text.is_empty() => answer.withhold(index),
            Part::Thinking { text, .. } => answer.say_str(index, Speech::Thinking, &text),
            part => answer.part(index, part, 0),
        });
    }
}

/// Reads `content` of a delta: a string, or a list of parts.
fn say(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    if let Some(token) = json.string() {
        return answer.say(index, Speech::Text, token, json.document());
    }
    content(json, &mut |part| match part {
        Part::Text { text, .. } => answer.say_str(index, Speech::Text, &text),
        Part::Thinking { text, .. } => answer.say_str(index, Speech::Thinking, &text),
        Part::Refusal { text } => answer.say_str(index, Speech::Refusal, &text),
        part => answer.part(index, part, 0),
    });
}

fn audio_of(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let document = json.document();
    let Some([id, data, said]) = json.fields(["id", "data", "transcript"]) else {
        return;
    };
    let said = said.and_then(|mut said| said.string());
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        answer.spoke();
        if !answer.admits(said.raw().len()) {
            return;
        }
    }
    let words = [id, data].map(|json| json.and_then(|mut json| json.string()));
    let mut filled = words.into_iter().chain([said]).flatten();
    if filled.all(|token| token.is_empty()) {
        return;
    }
    let piece = answer.draft(index).and_then(Draft::audio);
    let Some(Piece::Audio {
        id: known,
        transcript,
        data_chars,
    }) = piece
    else {
        return;
    };
    first(known, id.and_then(|mut id| id.owned()));
    if let Some(data) = data.and_then(|mut data| data.string()) {
        *data_chars += data.ascii_chars();
    }
    if let Some(said) = said {
        said.append_to(transcript, document);
    }
}

fn tool_call(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    if !json.object() {
        return;
    }
    let filled = |word: Option<String>| word.filter(|word| !word.is_empty());
    let mut delta = call_members(json);
    let inner = delta.inner.take().unwrap_or_default();
    delta.id = filled(delta.id);
    delta.name = filled(inner.name);
    let bytes = inner.given.map_or(0, Json::width);
    if !answer.admits(bytes) {
        return;
    }
    let rest: Vec<Part> = std::mem::take(&mut delta.rest)
        .into_iter()
        .filter_map(|(name, mut json)| Some(other_part(&name, answer.keep_raw(&mut json)?)))
        .collect();
    let Some(draft) = answer.draft(index) else {
        return;
    };
    let Some(at) = find_call(draft, &delta) else {
        return;
    };
    attach(draft, at, rest);
    let Some(Piece::Call(call)) = draft.pieces.get_mut(at) else {
        return;
    };
    if call.id.as_ref().is_none_or(String::is_empty) {
        call.id = Some(delta.id.unwrap_or_default());
    }
    match delta.name {
        // Some repeat the name in every chunk. Pieces of a name are joined.
        Some(name) if name != call.name => call.name.push_str(&name),
        _ => {}
    }
    if grow(call, inner.given) {
        answer.spoke();
    }
}

/// Puts what has no place in a call behind it, each name once.
fn attach(draft: &mut Draft, at: usize, rest: Vec<Part>) {
    for part in rest {
        let behind = draft.pieces.iter().skip(at + 1);
        let kept = behind.take_while(|piece| matches!(piece, Piece::Part(Part::Other { .. })));
        let known: Vec<&Piece> = kept.collect();
        let is_known = known.iter().any(|piece| match (piece, &part) {
            (Piece::Part(Part::Other { name, .. }), Part::Other { name: new, .. }) => name == new,
            _ => false,
        });
        let place = at + 1 + known.len();
        if !is_known {
            draft.insert(place, Piece::Part(part));
        }
    }
}

/// Returns the place of the call that a delta belongs to; of a new one where it belongs to none.
fn find_call(draft: &mut Draft, delta: &CallMembers<'_>) -> Option<usize> {
    let is_new_id = |call: &Call| match (&delta.id, &call.id) {
        (Some(id), Some(known)) => !known.is_empty() && id != known,
        _ => false,
    };
    let found = draft.pieces.iter().rposition(|piece| match piece {
        // A single function call of the old kind has no id at all.
        Piece::Call(call) if call.id.is_none() => false,
        Piece::Call(call) => match delta.index {
            Some(number) => call.index == Some(number) && !is_new_id(call),
            None if delta.id.is_some() => delta.id == call.id,
            None => delta.name.is_none(),
        },
        _ => false,
    });
    if found.is_some() {
        return found;
    }
    draft.push(Piece::Call(Call {
        index: delta.index,
        id: Some(String::new()),
        ..Call::default()
    }))?;
    Some(draft.pieces.len() - 1)
}

fn function_call(index: u64, json: &mut Json<'_>, answer: &mut Answer) {
    let bytes = json.width();
    let Some([name, given]) = json.fields(["name", "arguments"]) else {
        return;
    };
    if !answer.admits(bytes) {
        return;
    }
    let Some(draft) = answer.draft(index) else {
        return;
    };
    let known = draft.calls().any(|call| call.id.is_none());
    let is_empty = |json: Option<Json<'_>>| {
        let token = json.and_then(|mut json| json.string());
        token.is_none_or(|token| token.is_empty())
    };
    if !known && is_empty(name) && is_empty(given) {
        return;
    }
    if !known {
        draft.push(Piece::Call(Call::default()));
    }
    let Some(call) = draft.calls().find(|call| call.id.is_none()) else {
        return;
    };
    if let Some(name) = name.and_then(|mut name| name.owned())
        && call.name != name
    {
        call.name.push_str(&name);
    }
    if grow(call, given) {
        answer.spoke();
    }
}

/// Appends arguments to a call; false where there are none.
fn grow(call: &mut Call, given: Option<Json<'_>>) -> bool {
    let Some(mut given) = given else {
        return false;
    };
    let before = call.arguments.as_str().len();
    if !given.append_to(&mut call.arguments) {
        let compact = arguments(&mut given);
        call.arguments.push_str(&compact);
    }
    call.arguments.as_str().len() > before
}
