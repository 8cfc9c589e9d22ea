//! What is wrong with a filter: data that the page and the command line show in their own ways.

use std::fmt;

use serde::Serialize;

/// Characters of a text of the user that a message repeats.
const ECHO_CHARS_MAX: usize = 64;
/// Characters of a name for which a similar one is looked for.
const GUESS_CHARS_MAX: usize = 32;

/// One thing that is wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message} at {at:?}")]
pub struct FilterError {
    /// Where: a JSON pointer into the filter, empty for the whole.
    pub at: String,
    /// What kind of mistake.
    pub code: ErrorCode,
    /// What is wrong, in words.
    pub message: String,
    /// What to write instead, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Kinds of mistakes. Their words in JSON are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The text is no JSON.
    InvalidJson,
    /// A value has another type than its place asks for.
    WrongType,
    /// An object says nothing that a filter can say.
    UnknownTest,
    /// A member does not belong to the test beside it.
    UnknownMember,
    /// A member is missing.
    MissingMember,
    /// Two members contradict each other.
    Conflict,
    /// No field has this name.
    UnknownField,
    /// Nothing that a flow has or is has this name.
    UnknownFlag,
    /// No part of a flow's text has this name.
    UnknownScope,
    /// The field never has this value.
    UnknownValue,
    /// No such unit, or not for this field.
    UnknownUnit,
    /// A text is no number of this field.
    InvalidNumber,
    /// A text is no instant.
    InvalidTime,
    /// A text is no id of a flow.
    InvalidId,
    /// No number lies in the range.
    EmptyRange,
    /// A list or a text is empty where that would select nothing or everything.
    Empty,
    /// The filter is past a limit.
    TooLarge,
}

// === impl FilterError ===

impl FilterError {
    pub(crate) fn new(at: &str, code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            at: at.to_owned(),
            code,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the known name that is most like the one that was written, or else all of them.
    pub(crate) fn names<'a>(
        self,
        written: &str,
        known: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Self {
        match nearest(written, known.clone()) {
            Some(name) => self.help(format!("did you mean {name:?}?")),
            None => {
                let mut all: Vec<&str> = known.map(|(_, name)| name).collect();
                all.dedup();
                self.help(format!("known are {}", all.join(", ")))
            }
        }
    }
}

/// A text of the user, cut to a length that fits a message.
pub(crate) struct Echo<'a>(pub(crate) &'a str);

impl fmt::Display for Echo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(ECHO_CHARS_MAX) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
        }
    }
}

/// Returns the name whose spelling is most like the one written, where one is alike. Each spelling stands with the
/// name that is to be offered for it.
fn nearest<'a>(written: &str, known: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    let written: Vec<char> = written.to_lowercase().chars().collect();
    if written.len() > GUESS_CHARS_MAX {
        return None;
    }
    let allowed = 1 + written.len() / 4;
    known
        .map(|(spelling, name)| (distance(&written, spelling), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Returns how many characters must be put in, taken out, replaced or swapped with the next to make one of the
/// other.
fn distance(left: &[char], right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, one) in left.iter().enumerate() {
        let mut next = vec![line + 1];
        for (column, other) in right.iter().enumerate() {
            let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let kept = cost(&row, column) + usize::from(one != other);
            let mut best = kept
                .min(cost(&row, column + 1) + 1)
                .min(cost(&next, column) + 1);
            let swapped = column > 0
                && line > 0
                && left.get(line - 1) == Some(other)
                && right.get(column - 1) == Some(one);
            if swapped {
                best = best.min(cost(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_found() {
        fn check(written: &str, expect: Option<&str>) {
            let known = [
                ("model", "model"),
                ("latency", "duration"),
                ("tokens", "tokens"),
            ];
            assert_eq!(nearest(written, known.into_iter()), expect, "{written}");
        }
        check("modle", Some("model"));
        check("Model", Some("model"));
        check("latencyy", Some("duration"));
        check("token", Some("tokens"));
        check("weather", None);
        check("", None);
        check(&"model".repeat(100), None);
    }

    #[test]
    fn changes_are_counted() {
        fn check(left: &str, right: &str, expect: usize) {
            let left: Vec<char> = left.chars().collect();
            assert_eq!(distance(&left, right), expect, "{left:?} {right:?}");
        }
        check("", "", 0);
        check("", "abc", 3);
        check("abc", "", 3);
        check("abc", "acb", 1);
        check("kitten", "sitting", 3);
    }
}
