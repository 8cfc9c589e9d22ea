//! Lists: what is asked for, by what it is sorted, and the cursor between pages.
//!
//! Flows sort by time through their ids. Every other order breaks ties by id, and what is unknown comes last in
//! both directions. A cursor names the last row of a page by its key and id, so that rows which arrive meanwhile
//! neither repeat nor hide others.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use flow_model::{FlowId, Row};

use crate::read::ReadError;

/// Rows that one page has at most.
pub const LIST_ROWS_MAX: usize = 1000;
/// Bytes of a model's name that sorting looks at.
const MODEL_BYTES_MAX: usize = 128;

/// Which rows are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
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
}

/// An order of rows. The default is newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// What rows are sorted by.
    pub key: SortKey,
    /// The largest come first.
    pub descending: bool,
}

/// What rows can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// When the flow began.
    StartedAt,
    /// How long it took.
    Duration,
    /// How long until the first text.
    Ttft,
    /// Tokens in all.
    Tokens,
    /// Money.
    Cost,
    /// Bytes of both bodies on the wire.
    Size,
    /// The model's name.
    Model,
}

/// The text names no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown sort key {text:?}; known are {}, each with - in front for descending", SortKey::NAMES.join(", "))]
pub struct SortError {
    text: String,
}

// === impl Sort ===

impl Default for Sort {
    fn default() -> Self {
        Self {
            key: SortKey::StartedAt,
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
        let key = SortKey::from_name(name).ok_or_else(|| SortError {
            text: text.to_owned(),
        })?;
        Ok(Self { key, descending })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", self.key.name())
    }
}

impl Sort {
    /// Returns which of two rows comes first.
    pub(crate) fn compare(self, left: &Place, right: &Place) -> Ordering {
        let turn = |order: Ordering| {
            if self.descending {
                order.reverse()
            } else {
                order
            }
        };
        match (&left.key, &right.key) {
            (Some(one), Some(other)) => turn(one.compare(other)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
        .then_with(|| turn(left.id.cmp(&right.id)))
    }
}

// === impl SortKey ===

impl SortKey {
    /// The names of all keys.
    pub const NAMES: [&'static str; 7] = [
        "started_at",
        "duration",
        "ttft",
        "tokens",
        "cost",
        "size",
        "model",
    ];

    /// Returns the key's name, which is also its column's.
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartedAt => "started_at",
            Self::Duration => "duration",
            Self::Ttft => "ttft",
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Size => "size",
            Self::Model => "model",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "started_at" => Self::StartedAt,
            "duration" | "latency" => Self::Duration,
            "ttft" => Self::Ttft,
            "tokens" => Self::Tokens,
            "cost" => Self::Cost,
            "size" => Self::Size,
            "model" => Self::Model,
            _ => return None,
        })
    }
}

/// What a row is sorted by, one field a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SortKeys {
    pub(crate) duration: Option<i64>,
    pub(crate) ttft: Option<i64>,
    pub(crate) tokens: Option<i64>,
    pub(crate) cost: Option<f64>,
    pub(crate) size: i64,
    pub(crate) model: Option<String>,
}

impl SortKeys {
    pub(crate) fn of(row: &Row) -> Self {
        let whole = |number: Option<u64>| number.map(saturated);
        Self {
            duration: whole(row.duration_us),
            ttft: whole(row.ttft_us),
            tokens: whole(row.tokens.total),
            cost: cost(row),
            size: saturated(row.request_bytes.saturating_add(row.response_bytes)),
            model: row.model.as_deref().map(model),
        }
    }
}

/// Where a row stands in an order: its key, none where that is unknown, and its id.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) key: Option<Key>,
    pub(crate) id: FlowId,
}

/// The value that a row is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key {
    Whole(i64),
    Real(f64),
    Text(String),
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one.cmp(other),
            (Self::Real(one), Self::Real(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            // One order has keys of one kind.
            _ => Ordering::Equal,
        }
    }
}

// === impl Place ===

impl Place {
    /// Returns the place of a row. Flows sort by time through their ids alone.
    pub(crate) fn of(row: &Row, key: SortKey) -> Self {
        let whole = |number: Option<u64>| number.map(|number| Key::Whole(saturated(number)));
        let key = match key {
            SortKey::StartedAt => None,
            SortKey::Duration => whole(row.duration_us),
            SortKey::Ttft => whole(row.ttft_us),
            SortKey::Tokens => whole(row.tokens.total),
            SortKey::Cost => cost(row).map(Key::Real),
            SortKey::Size => whole(Some(row.request_bytes.saturating_add(row.response_bytes))),
            SortKey::Model => row.model.as_deref().map(model).map(Key::Text),
        };
        Self { key, id: row.id }
    }

    /// Returns the cursor that names this place.
    pub(crate) fn cursor(&self, sort: Sort) -> String {
        let key = match &self.key {
            None => String::new(),
            Some(Key::Whole(number)) => number.to_string(),
            Some(Key::Real(number)) => format!("{:016x}", number.to_bits()),
            Some(Key::Text(text)) => hex(text),
        };
        // A text may be empty, and then differs from none by the mark.
        let mark = if self.key.is_some() { "=" } else { "" };
        format!("{sort}.{}.{mark}{key}", self.id)
    }

    /// Returns the place that a cursor names. It comes from outside and may be anything.
    pub(crate) fn from_cursor(cursor: &str, sort: Sort) -> Result<Self, ReadError> {
        Self::parse(cursor, sort).ok_or(ReadError::BadCursor)
    }

    fn parse(cursor: &str, sort: Sort) -> Option<Self> {
        let mut fields = cursor.splitn(3, '.');
        if fields.next()?.parse() != Ok(sort) {
            return None;
        }
        let id = fields.next()?.parse().ok()?;
        let field = fields.next()?;
        let Some(text) = field.strip_prefix('=') else {
            return field.is_empty().then_some(Self { key: None, id });
        };
        let key = match sort.key {
            SortKey::StartedAt => return None,
            SortKey::Cost => {
                let number = f64::from_bits(u64::from_str_radix(text, 16).ok()?);
                number.is_finite().then_some(Key::Real(number))?
            }
            SortKey::Model => Key::Text(text_of_hex(text)?),
            SortKey::Duration | SortKey::Ttft | SortKey::Tokens | SortKey::Size => {
                Key::Whole(text.parse().ok()?)
            }
        };
        Some(Self { key: Some(key), id })
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
    if hex.len() > 2 * MODEL_BYTES_MAX {
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

fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn cost(row: &Row) -> Option<f64> {
    let cost: f64 = row.cost.as_deref()?.parse().ok()?;
    // Negative zero would be another key in memory and the same in SQLite.
    cost.is_finite().then_some(cost + 0.0)
}

fn model(name: &str) -> String {
    let end = name.floor_char_boundary(MODEL_BYTES_MAX);
    name.get(..end).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests;
