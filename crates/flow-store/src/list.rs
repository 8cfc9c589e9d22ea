//! Lists: what is asked for, by what it is sorted, and the cursor between pages.
//!
//! Every order breaks ties by id, and what is unknown comes last in both directions. A cursor names the last row of
//! a page by its value and id, so that rows which arrive meanwhile neither repeat nor hide others.

use std::fmt;
use std::str::FromStr;

use flow_model::{FlowId, Row};
use flow_query::{Checked, Field, Kind, Value};

use crate::columns::{After, Key};

/// Rows that one page has at most.
pub const LIST_ROWS_MAX: usize = 1000;
/// Bytes of a name that a cursor repeats; a longer one is looked up in the flow's row.
const CURSOR_NAME_BYTES_MAX: usize = 256;
/// What a cursor says in the place of a value that has to be looked up.
const LOOK_UP: &str = "~";

/// Which rows are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListQuery {
    /// Which flows; all of them where nothing is said.
    pub filter: Checked,
    /// The order.
    pub sort: Sort,
    /// How many, from 1 to [`LIST_ROWS_MAX`]; what lies outside is brought inside.
    pub limit: usize,
    /// Where the last page ended; none for the first.
    pub cursor: Option<String>,
}

/// One page of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins; none where there is none.
    pub next: Option<String>,
    /// How many flows there are over all pages; none where that would take too long.
    pub total: Option<u64>,
    /// Some flows could not be looked at, and may be missing.
    pub partial: bool,
}

/// How many flows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// The number.
    pub flows: u64,
    /// Some flows could not be looked at, and are not among them.
    pub partial: bool,
}

/// An order of rows. The default is newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What rows are sorted by; a field that has an order.
    pub field: Field,
    /// The largest come first.
    pub descending: bool,
}

/// The text names no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown sort key {text:?}; known are {}, each with - in front for descending",
    names()
)]
pub struct SortError {
    text: String,
}

/// What a cursor says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cursor {
    At(After),
    /// The value is that of the flow's row.
    Of(FlowId),
}

// === impl Sort ===

impl Default for Sort {
    fn default() -> Self {
        Self {
            field: Field::StartedAt,
            descending: true,
        }
    }
}

impl FromStr for Sort {
    type Err = SortError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let field = Field::from_name(name).filter(|field| field.is_sortable());
        let field = field.ok_or_else(|| SortError {
            text: text.to_owned(),
        })?;
        Ok(Self { field, descending })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", self.field.name())
    }
}

fn names() -> String {
    let sortable = Field::ALL.into_iter().filter(|field| field.is_sortable());
    let names: Vec<&str> = sortable.map(Field::name).collect();
    names.join(", ")
}

impl Sort {
    /// Returns where a row stands.
    pub(crate) fn place(self, row: &Row) -> After {
        let key = match self.field.value(row) {
            Value::Number(number) => Some(Key::Number(number)),
            Value::Name(name) => Some(Key::Name(name.into_owned())),
            // Several names have no order.
            Value::None | Value::Names(_) => None,
        };
        After { key, id: row.id }
    }
}

// === impl Cursor ===

impl Cursor {
    /// Returns the cursor that names a place.
    pub(crate) fn write(place: &After, sort: Sort) -> String {
        let key = match &place.key {
            None => String::new(),
            Some(Key::Number(number)) => format!("={number}"),
            Some(Key::Name(name)) if name.len() > CURSOR_NAME_BYTES_MAX => LOOK_UP.to_owned(),
            // A name may be empty, and then differs from none by the mark.
            Some(Key::Name(name)) => format!("={}", hex(name)),
        };
        format!("{sort}.{}.{key}", place.id)
    }

    /// Returns what a cursor says; none where it is none of this order. It comes from outside and may be anything.
    pub(crate) fn read(cursor: &str, sort: Sort) -> Option<Self> {
        let mut fields = cursor.splitn(3, '.');
        if fields.next()? != sort.to_string() {
            return None;
        }
        let id = fields.next()?.parse().ok()?;
        let field = fields.next()?;
        let is_name = matches!(sort.field.kind(), Kind::Name);
        if is_name && field == LOOK_UP {
            return Some(Self::Of(id));
        }
        let Some(text) = field.strip_prefix('=') else {
            // Every flow began at some time.
            let known = sort.field == Field::StartedAt;
            let unknown = Self::At(After { key: None, id });
            return (field.is_empty() && !known).then_some(unknown);
        };
        let key = if is_name {
            Key::Name(text_of_hex(text)?)
        } else {
            Key::Number(text.parse().ok()?)
        };
        Some(Self::At(After { key: Some(key), id }))
    }
}

fn hex(text: &str) -> String {
    let mut hex = String::with_capacity(2 * text.len());
    for byte in text.bytes() {
        for half in [byte >> 4, byte & 15] {
            hex.extend(char::from_digit(u32::from(half), 16));
        }
    }
    hex
}

fn text_of_hex(hex: &str) -> Option<String> {
    if hex.len() > 2 * CURSOR_NAME_BYTES_MAX {
        return None;
    }
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect();
    String::from_utf8(bytes?).ok()
}

#[cfg(test)]
mod tests;
