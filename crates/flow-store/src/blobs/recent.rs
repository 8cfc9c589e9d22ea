//! What was used last, up to a number of bytes.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// Values by key; those that were not used for the longest time go first.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// Keys by when they were used.
    order: BTreeMap<u64, K>,
    uses: u64,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    used: u64,
    bytes: usize,
}

impl<K: Copy + Eq + Hash, V> Recent<K, V> {
    /// Returns an empty one that holds `bytes_max` bytes at most.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
            bytes: 0,
            bytes_max,
        }
    }

    /// Returns a value and when it was used, in uses; this is no use.
    pub(super) fn peek(&self, key: &K) -> Option<(&V, u64)> {
        self.entries
            .get(key)
            .map(|entry| (&entry.value, entry.used))
    }

    /// Puts a value in the place of the one with the same key. One that is too large is not kept.
    pub(super) fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.remove(&key);
        if bytes > self.bytes_max {
            return;
        }
        self.uses += 1;
        self.bytes += bytes;
        let used = self.uses;
        self.order.insert(used, key);
        self.entries.insert(key, Entry { value, used, bytes });
        while self.bytes > self.bytes_max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            if let Some(entry) = self.entries.remove(&oldest) {
                self.bytes -= entry.bytes;
            }
        }
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }

    /// Takes all values out.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_goes_first() {
        let mut recent = Recent::new(10);
        recent.insert(1, "a", 4);
        recent.insert(2, "b", 4);
        recent.insert(1, "c", 5);
        recent.insert(3, "d", 4);
        let left: Vec<_> = (0..5)
            .filter_map(|key| recent.peek(&key))
            .map(|(value, _)| *value)
            .collect();
        assert_eq!(left, ["c", "d"]);
        assert!(recent.peek(&1).map(|(_, used)| used) < recent.peek(&3).map(|(_, used)| used));
    }

    #[test]
    fn what_is_too_large_leaves_the_others_alone() {
        let mut recent = Recent::new(10);
        recent.insert(1, "a", 10);
        recent.insert(2, "b", 11);
        assert!(recent.peek(&1).is_some() && recent.peek(&2).is_none());
        assert_eq!(recent.remove(&1), Some("a"));
        recent.insert(2, "b", 10);
        recent.clear();
        recent.insert(3, "c", 10);
        assert!(recent.peek(&2).is_none() && recent.peek(&3).is_some());
    }
}
