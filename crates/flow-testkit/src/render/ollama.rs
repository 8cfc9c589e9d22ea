//! Ollama chat and generate: one JSON text a line, the counts in the last one.
//!
//! Ollama has no refusals and no reason of its own for calls: a refusal is text, and both end with `stop`.

use serde_json::{Map, Value, json};

use super::{Event, Kind, pieces};
use crate::reply::{Part, Reply, Stop};

const DELTA_BYTES: usize = 6;
const SECONDS_A_DAY: u64 = 86_400;
/// Nanoseconds that a token takes.
const TOKEN_NS: u64 = 9_500_000;
const LOAD_NS: u64 = 140_000_000;

/// Which of the two endpoints answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Chat,
    Generate,
}

pub(super) fn whole(reply: &Reply, form: Form) -> Value {
    let (mut text, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => thinking.push_str(text),
            Part::Text(said) | Part::Refusal(said) => text.push_str(said),
            Part::Call { id, name, input } => calls.push(call(calls.len(), id, name, input)),
        }
    }
    let mut members = said(form, &text, &thinking);
    if form == Form::Chat && !calls.is_empty() {
        members.insert("tool_calls".into(), calls.into());
    }
    last(reply, form, members)
}

pub(super) fn events(reply: &Reply, form: Form) -> Vec<Event> {
    let mut events = Vec::new();
    let mut push = |value: Value| events.push(Event::new(None, value.to_string()));
    let cut = |text: &str| pieces(text, DELTA_BYTES, &reply.ids);
    let mut calls = 0;
    for part in &reply.parts {
        match part {
            Part::Thinking { text, .. } => cut(text)
                .iter()
                .for_each(|piece| push(line(reply, form, said(form, "", piece)))),
            Part::Text(text) | Part::Refusal(text) => cut(text)
                .iter()
                .for_each(|piece| push(line(reply, form, said(form, piece, "")))),
            Part::Call { id, name, input } if form == Form::Chat => {
                let mut members = said(form, "", "");
                let call = call(calls, id, name, input);
                members.insert("tool_calls".into(), json!([call]));
                push(line(reply, form, members));
                calls += 1;
            }
            Part::Call { .. } => {}
        }
    }
    let end = last(reply, form, said(form, "", ""));
    events.push(Event {
        kind: Kind::Closing,
        ..Event::new(None, end.to_string())
    });
    events
}

/// Returns the members that hold what is said: those of a message, or of the line itself.
fn said(form: Form, text: &str, thinking: &str) -> Map<String, Value> {
    let mut members = Map::new();
    match form {
        Form::Chat => {
            members.insert("role".into(), "assistant".into());
            members.insert("content".into(), text.into());
        }
        Form::Generate => {
            members.insert("response".into(), text.into());
        }
    }
    if !thinking.is_empty() {
        members.insert("thinking".into(), thinking.into());
    }
    members
}

fn line(reply: &Reply, form: Form, said: Map<String, Value>) -> Value {
    let mut line = Map::new();
    line.insert("model".into(), reply.model.as_str().into());
    line.insert("created_at".into(), timestamp(reply.created).into());
    match form {
        Form::Chat => {
            line.insert("message".into(), Value::Object(said));
        }
        Form::Generate => line.extend(said),
    }
    line.insert("done".into(), false.into());
    Value::Object(line)
}

fn last(reply: &Reply, form: Form, said: Map<String, Value>) -> Value {
    let mut value = line(reply, form, said);
    let reason = match reply.stop {
        Stop::End | Stop::Tools | Stop::Refusal => "stop",
        Stop::Length => "length",
    };
    let (asked, answered) = (reply.usage.input, reply.usage.output);
    let (prompt_ns, answer_ns) = (asked * TOKEN_NS / 16, answered * TOKEN_NS);
    let members = json!({
        "done": true,
        "done_reason": reason,
        "total_duration": LOAD_NS + prompt_ns + answer_ns,
        "load_duration": LOAD_NS,
        "prompt_eval_count": asked,
        "prompt_eval_duration": prompt_ns,
        "eval_count": answered,
        "eval_duration": answer_ns,
    });
    if let (Value::Object(line), Value::Object(members)) = (&mut value, members) {
        line.extend(members);
    }
    value
}

fn call(index: usize, id: &str, name: &str, input: &Map<String, Value>) -> Value {
    json!({"id": id, "function": {"index": index, "name": name, "arguments": input}})
}

/// Returns a time as RFC 3339 has it, from seconds since 1970.
fn timestamp(seconds: u64) -> String {
    let (day, time) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
    // Days are counted from 1 March of the year 0, so that a leap day is the last of its year.
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day + 2) / 153;
    let date = day - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}.000000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_the_calendar() {
        for (seconds, expect) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (951_868_800, "2000-03-01T00:00:00.000000Z"),
            (1_790_000_000, "2026-09-21T14:13:20.000000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(timestamp(seconds), expect);
        }
    }
}
