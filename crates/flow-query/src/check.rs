//! The check: what a written filter means, or everything that is wrong with it.
//!
//! | limit | beyond it |
//! |---|---|
//! | [`DEPTH_MAX`] | 64 filters within each other |
//! | [`NODES_MAX`] | 1,000 filters in all, each alternative of a list counted |
//! | [`NEEDLE_BYTES_MAX`] | 4 KiB of a text that is searched for |
//! | [`IDS_MAX`] | 10,000 ids in all |
//! | [`ERRORS_MAX`] | errors that are told; the others are dropped |

mod field;

use flow_model::FlowId;
use serde_json::{Map, Value};

use crate::error::{Echo, ErrorCode, FilterError};
use crate::field::Field;
use crate::filter::{Checked, Filter, Test};
use crate::fold::fold;
use crate::table::{FIELDS, FLAGS, SCOPES};
use crate::value::{Flag, Scope};

/// Filters within each other.
const DEPTH_MAX: usize = 64;
/// Filters in all.
const NODES_MAX: usize = 1000;
/// Bytes of a text that is searched for.
const NEEDLE_BYTES_MAX: usize = 4 * 1024;
/// Ids in all.
const IDS_MAX: usize = 10_000;
/// Errors that are told.
const ERRORS_MAX: usize = 64;

/// The members by which an object says what it is, the first one found deciding; each with those that may stand
/// beside it.
const SHAPES: [(&str, &[&str]); 9] = [
    ("all", &[]),
    ("any", &[]),
    ("not", &[]),
    ("field", &field::MEMBERS),
    ("text", &["contains"]),
    ("known", &[]),
    ("id", &[]),
    ("has", &[]),
    ("is", &[]),
];

impl Filter {
    /// Returns what the filter means, or everything that is wrong with it, in the order of the text.
    pub fn check(&self) -> Result<Checked, Vec<FilterError>> {
        let mut check = Check::default();
        let checked = check.node(&self.0, "", 1);
        match checked {
            Some(checked) if check.errors.is_empty() => Ok(checked),
            _ => Err(check.errors),
        }
    }
}

/// A check on its way. Whatever returns none has told an error.
#[derive(Default)]
struct Check {
    errors: Vec<FilterError>,
    nodes: usize,
    ids: usize,
}

impl Check {
    fn fail<T>(&mut self, error: FilterError) -> Option<T> {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(error);
        }
        None
    }

    fn take<T>(&mut self, result: Result<T, FilterError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => self.fail(error),
        }
    }

    /// Counts filters; none where there are too many, which is told once.
    fn count(&mut self, nodes: usize, at: &str) -> Option<()> {
        let before = self.nodes;
        self.nodes = before.saturating_add(nodes);
        if self.nodes <= NODES_MAX {
            return Some(());
        }
        if before <= NODES_MAX {
            let message = format!("a filter has {NODES_MAX} parts at most");
            return self.fail(FilterError::new(at, ErrorCode::TooLarge, message));
        }
        None
    }

    fn node(&mut self, value: &Value, at: &str, depth: usize) -> Option<Checked> {
        self.count(1, at)?;
        if depth > DEPTH_MAX {
            let message = format!("filters stand {DEPTH_MAX} deep at most");
            return self.fail(FilterError::new(at, ErrorCode::TooLarge, message));
        }
        let Value::Object(object) = value else {
            let message = format!("a filter is an object, not {}", type_of(value));
            let error = FilterError::new(at, ErrorCode::WrongType, message);
            return self.fail(error.help("{\"all\":[]} selects every flow"));
        };
        let shape = SHAPES.iter().find(|(name, _)| object.contains_key(*name));
        let Some((name, beside)) = shape else {
            return self.unknown_test(object, at);
        };
        self.members(object, name, beside, at);
        let value = object.get(*name).unwrap_or(&Value::Null);
        let place = format!("{at}/{name}");
        match *name {
            "all" => self.list(value, &place, depth).map(Checked::All),
            "any" => self.list(value, &place, depth).map(Checked::Any),
            "not" => {
                let inside = self.node(value, &place, depth + 1)?;
                Some(Checked::Not(Box::new(inside)))
            }
            "field" => self.field(object, at, depth),
            "text" => self.text(object, at).map(Checked::Test),
            "known" => {
                let field = self.field_name(value, &place)?;
                Some(Checked::Test(Test::Known(field)))
            }
            "id" => self.ids(value, &place).map(Checked::Test),
            _ => self.flag(value, &place).map(Checked::Test),
        }
    }

    fn unknown_test(&mut self, object: &Map<String, Value>, at: &str) -> Option<Checked> {
        let known = SHAPES.iter().map(|(name, _)| (*name, *name));
        let error = match object.keys().next() {
            None => FilterError::new(at, ErrorCode::UnknownTest, "the filter says nothing")
                .help("{\"all\":[]} selects every flow"),
            Some(name) => {
                let message = format!("no filter has a member {}", Echo(name));
                FilterError::new(at, ErrorCode::UnknownTest, message).names(name, known)
            }
        };
        self.fail(error)
    }

    /// Tells which members do not belong here.
    fn members(&mut self, object: &Map<String, Value>, name: &str, beside: &[&str], at: &str) {
        for member in object.keys() {
            if member == name || beside.contains(&member.as_str()) {
                continue;
            }
            let place = format!("{at}/{}", escape(member));
            let message = format!("{} has no place beside {name:?}", Echo(member));
            let error = FilterError::new(&place, ErrorCode::UnknownMember, message);
            let known = beside.iter().map(|name| (*name, *name));
            let error = match beside {
                [] => error.help(format!(
                    "{name:?} stands alone; use \"all\" to join filters"
                )),
                _ => error.names(member, known),
            };
            self.fail::<()>(error);
        }
    }

    fn list(&mut self, value: &Value, at: &str, depth: usize) -> Option<Vec<Checked>> {
        let Value::Array(values) = value else {
            let message = format!("a list of filters is asked for, not {}", type_of(value));
            return self.fail(FilterError::new(at, ErrorCode::WrongType, message));
        };
        let mut list = Vec::new();
        let mut whole = true;
        for (index, value) in values.iter().enumerate() {
            match self.node(value, &format!("{at}/{index}"), depth + 1) {
                Some(checked) => list.push(checked),
                None => whole = false,
            }
            if self.nodes > NODES_MAX {
                return None;
            }
        }
        whole.then_some(list)
    }

    fn field_name(&mut self, value: &Value, at: &str) -> Option<Field> {
        let name = self.word(value, at)?;
        let known = FIELDS.iter().flat_map(|row| row.about.spellings());
        match Field::from_name(name) {
            Some(field) => Some(field),
            None => {
                let message = format!("no field has the name {}", Echo(name));
                let error = FilterError::new(at, ErrorCode::UnknownField, message);
                self.fail(error.names(name, known))
            }
        }
    }

    fn word<'a>(&mut self, value: &'a Value, at: &str) -> Option<&'a str> {
        match value {
            Value::String(text) => Some(text),
            other => {
                let message = format!("a text is asked for, not {}", type_of(other));
                self.fail(FilterError::new(at, ErrorCode::WrongType, message))
            }
        }
    }

    fn flag(&mut self, value: &Value, at: &str) -> Option<Test> {
        let name = self.word(value, at)?;
        match Flag::from_name(name) {
            Some(flag) => Some(Test::Flag(flag)),
            None => {
                let message = format!("nothing that a flow has or is has the name {}", Echo(name));
                let error = FilterError::new(at, ErrorCode::UnknownFlag, message);
                let known = FLAGS.iter().flat_map(|row| row.about.spellings());
                self.fail(error.names(name, known))
            }
        }
    }

    fn ids(&mut self, value: &Value, at: &str) -> Option<Test> {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        self.ids = self.ids.saturating_add(values.len());
        if self.ids > IDS_MAX {
            let message = format!("a filter names {IDS_MAX} flows at most");
            return self.fail(FilterError::new(at, ErrorCode::TooLarge, message));
        }
        let mut ids = Vec::with_capacity(values.len());
        for (index, entry) in values.iter().enumerate() {
            let place = match value {
                Value::Array(_) => format!("{at}/{index}"),
                _ => at.to_owned(),
            };
            ids.extend(self.id(entry, &place));
        }
        if ids.len() < values.len() {
            return None;
        }
        ids.sort_unstable();
        ids.dedup();
        Some(Test::Id(ids))
    }

    fn id(&mut self, value: &Value, at: &str) -> Option<FlowId> {
        let text = self.word(value, at)?;
        match text.parse() {
            Ok(id) => Some(id),
            Err(_) => {
                let message = format!("{} is no id of a flow", Echo(text));
                self.fail(FilterError::new(at, ErrorCode::InvalidId, message))
            }
        }
    }

    fn text(&mut self, object: &Map<String, Value>, at: &str) -> Option<Test> {
        let scope = object.get("text").unwrap_or(&Value::Null);
        let scope = self.scope(scope, &format!("{at}/text"));
        let Some(text) = object.get("contains") else {
            let error = FilterError::new(at, ErrorCode::MissingMember, "\"contains\" is missing");
            return self.fail(error.help(Scope::Content.about().example));
        };
        let place = format!("{at}/contains");
        let text = self.word(text, &place)?;
        let folded = fold(text);
        if folded.len() > NEEDLE_BYTES_MAX {
            let message = format!("a text to search for has {NEEDLE_BYTES_MAX} bytes at most");
            return self.fail(FilterError::new(&place, ErrorCode::TooLarge, message));
        }
        if folded.is_empty() {
            let error =
                FilterError::new(&place, ErrorCode::Empty, "the text to search for is empty");
            return self.fail(error);
        }
        scope.map(|scope| Test::Text(scope, folded))
    }

    fn scope(&mut self, value: &Value, at: &str) -> Option<Scope> {
        let name = self.word(value, at)?;
        match Scope::from_name(name) {
            Some(scope) => Some(scope),
            None => {
                let message = format!("no part of a flow's text has the name {}", Echo(name));
                let error = FilterError::new(at, ErrorCode::UnknownScope, message);
                let known = SCOPES.iter().flat_map(|row| row.about.spellings());
                self.fail(error.names(name, known))
            }
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Returns a member's name as JSON pointers write it.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
