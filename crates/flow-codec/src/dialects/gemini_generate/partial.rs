//! Arguments of a call in pieces: `{"jsonPath": "$.a[0].b", "stringValue": "…", "willContinue": true}`.
//!
//! Strings at one path are joined, other values replace. Paths go through names and indexes only.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`STEPS_MAX`] | 64 steps of a path | the piece is not kept |
//! | [`INDEX_MAX`] | index 9,999 | the piece is not kept |
//! | [`GAP_MAX`] | 16 places between a list's end and an index | the piece is not kept |

use serde_json::{Map, Value};

use crate::json::Json;

use super::{fields, owned, same_name};

/// Steps of a path.
const STEPS_MAX: usize = 64;
/// Index into a list.
const INDEX_MAX: usize = 9_999;
/// Places between a list's end and an index, which are filled: lists are sent in order, and a path of a few bytes
/// must not make a list of thousands.
const GAP_MAX: usize = 16;

/// The arguments so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartialArgs {
    root: Option<Value>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

// === impl PartialArgs ===

impl PartialArgs {
    /// Reads a list of pieces; false where it holds no value.
    pub(crate) fn read(&mut self, json: &mut Json<'_>) -> bool {
        let mut any = false;
        if json.array() {
            while json.element() {
                any |= self.piece(json).is_some();
            }
        }
        any
    }

    /// Returns the arguments as JSON text; none where no piece came.
    pub(crate) fn text(&self) -> Option<String> {
        self.root.as_ref().map(Value::to_string)
    }

    fn piece(&mut self, json: &mut Json<'_>) -> Option<()> {
        let names = ["jsonPath", "stringValue", "numberValue", "boolValue"];
        let null = has_null(*json);
        let [path, string, number, truth] = fields(json, names)?;
        let value = match (string, number.or(truth)) {
            (Some(mut string), _) => Value::String(string.owned()?),
            (None, Some(mut value)) => value.value(),
            (None, None) if null => Value::Null,
            (None, None) => return None,
        };
        let steps = steps(&owned(path)?)?;
        let root = self.root.get_or_insert_with(|| Value::Object(Map::new()));
        let slot = steps.iter().try_fold(root, place)?;
        match (slot, value) {
            (Value::String(text), Value::String(more)) => text.push_str(&more),
            (slot, value) => *slot = value,
        }
        Some(())
    }
}

/// Returns whether a piece says that the value is null, which it may say by null itself.
fn has_null(mut json: Json<'_>) -> bool {
    let mut found = false;
    if json.object() {
        while let Some(name) = json.member() {
            found |= same_name(&name, "nullValue");
        }
    }
    found
}

/// Returns the place that one step leads to; it is made where there is none.
fn place<'a>(value: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Name(name) => {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            Some(value.as_object_mut()?.entry(name).or_insert(Value::Null))
        }
        Step::Index(index) => {
            if !value.is_array() {
                *value = Value::Array(Vec::new());
            }
            let list = value.as_array_mut()?;
            if *index > list.len() + GAP_MAX {
                return None;
            }
            if list.len() <= *index {
                list.resize(*index + 1, Value::Null);
            }
            list.get_mut(*index)
        }
    }
}

/// Returns the steps of a path such as `$.a['b'][0]`; none where it is none.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if steps.len() == STEPS_MAX {
            return None;
        }
        let (step, after) = if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            (Step::Name(name.to_owned()), after)
        } else {
            bracket(rest.strip_prefix('[')?)?
        };
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// Returns the step in brackets at the start of `text`, and what follows it.
fn bracket(text: &str) -> Option<(Step, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'));
    if let Some(quote) = quote {
        let inner = text.strip_prefix(quote)?;
        let end = inner.find(quote)?;
        let (name, after) = inner.split_at(end);
        let after = after.strip_prefix(quote)?.strip_prefix(']')?;
        return Some((Step::Name(name.to_owned()), after));
    }
    let (digits, after) = text.split_once(']')?;
    let index: usize = digits.parse().ok()?;
    (index <= INDEX_MAX).then_some((Step::Index(index), after))
}
