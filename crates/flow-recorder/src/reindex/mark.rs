//! What the rows of a store were derived by, and how far.

use flow_store::{ReadError, Store, Write};
use serde::{Deserialize, Serialize};

/// Key of the note.
const KEY: &str = "derivation";

/// The note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// What rows are derived by.
    stamp: String,
    /// All rows are.
    done: bool,
    /// Otherwise those that lists show before this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

// === impl Mark ===

impl Mark {
    /// Returns the note of a store; none where it has none that makes sense, so that all rows count as stale.
    pub(super) fn read(store: &Store) -> Result<Option<Self>, ReadError> {
        let note = store.note(KEY)?;
        Ok(note.and_then(|note| serde_json::from_str(&note).ok()))
    }

    /// Returns the note of a store whose rows are all derived by `stamp`.
    pub(super) fn done(stamp: &str) -> Self {
        Self {
            stamp: stamp.to_owned(),
            done: true,
            cursor: None,
        }
    }

    /// Returns the note of a store whose rows are derived by `stamp` up to a place.
    pub(super) fn until(stamp: &str, cursor: Option<String>) -> Self {
        Self {
            stamp: stamp.to_owned(),
            done: false,
            cursor,
        }
    }

    pub(super) fn is_done(&self, stamp: &str) -> bool {
        self.done && self.stamp == stamp
    }

    /// Returns the place from which rows are still to be derived by `stamp`; none for the beginning.
    pub(super) fn resume(self, stamp: &str) -> Option<String> {
        self.cursor.filter(|_| self.stamp == stamp)
    }

    pub(super) fn write(&self, store: &Store) {
        // Two texts and a switch always make JSON.
        if let Ok(value) = serde_json::to_string(self) {
            store.write(Write::Note { key: KEY, value });
        }
    }
}
