//! Sets of flows of one segment.

/// A set of flows by their numbers in a segment, which count from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
}

impl Bitmap {
    /// Adds a flow. Numbers below 1 or past those that columns can hold are none of a flow and are left out.
    pub(crate) fn insert(&mut self, n: i64) {
        let Some(slot) = slot(n) else { return };
        if self.words.len() <= slot / 64 {
            self.words.resize(slot / 64 + 1, 0);
        }
        if let Some(word) = self.words.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    #[cfg(test)]
    pub(crate) fn contains(&self, n: i64) -> bool {
        slot(n).is_some_and(|slot| self.word(slot / 64) >> (slot % 64) & 1 == 1)
    }

    /// Returns the flows of both sets.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let words = 0..self.words.len().max(other.words.len());
        Self {
            words: words.map(|at| self.word(at) | other.word(at)).collect(),
        }
    }

    /// Returns sixty-four flows, from number `64 * at + 1` on.
    pub(super) fn word(&self, at: usize) -> u64 {
        self.words.get(at).copied().unwrap_or_default()
    }
}

impl FromIterator<i64> for Bitmap {
    fn from_iter<T: IntoIterator<Item = i64>>(numbers: T) -> Self {
        let mut bitmap = Self::default();
        numbers.into_iter().for_each(|n| bitmap.insert(n));
        bitmap
    }
}

/// Returns where the row of a flow stands, counted from 0; none where it cannot stand in columns.
pub(super) fn slot(n: i64) -> Option<usize> {
    let slot = usize::try_from(n.checked_sub(1)?).ok()?;
    (slot < super::FILE_ROWS_MAX).then_some(slot)
}

/// Returns the number of the flow whose row stands there.
pub(super) fn number(slot: usize) -> i64 {
    i64::try_from(slot).map_or(i64::MAX, |slot| slot + 1)
}
