//! Dictionaries of files that were read lately.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::names::Dictionary;

/// Bytes of all that are kept.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Which file's, and which column's.
type Key = (u64, usize);

/// The dictionaries that were used last, of all files.
#[derive(Debug, Default)]
pub(crate) struct NameCache {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    dictionaries: BTreeMap<Key, (Arc<Dictionary>, u64)>,
    bytes: usize,
    /// Counts uses.
    clock: u64,
}

// === impl NameCache ===

impl NameCache {
    pub(super) fn find(&self, key: Key) -> Option<Arc<Dictionary>> {
        let mut kept = self.kept.lock();
        kept.clock += 1;
        let clock = kept.clock;
        let (dictionary, used) = kept.dictionaries.get_mut(&key)?;
        *used = clock;
        Some(Arc::clone(dictionary))
    }

    /// Keeps a dictionary instead of those that have not been used for longest.
    pub(super) fn keep(&self, key: Key, dictionary: &Arc<Dictionary>) {
        let bytes = dictionary.bytes();
        if bytes > CACHE_BYTES_MAX {
            return;
        }
        let mut kept = self.kept.lock();
        while kept.bytes + bytes > CACHE_BYTES_MAX {
            let oldest = kept.dictionaries.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else {
                break;
            };
            kept.remove(oldest);
        }
        kept.remove(key);
        kept.clock += 1;
        let clock = kept.clock;
        kept.bytes += bytes;
        kept.dictionaries
            .insert(key, (Arc::clone(dictionary), clock));
    }

    /// Drops the dictionaries of a file.
    pub(super) fn forget(&self, file: u64) {
        let mut kept = self.kept.lock();
        let keys = kept.dictionaries.range((file, 0)..=(file, usize::MAX));
        let keys: Vec<Key> = keys.map(|(key, _)| *key).collect();
        for key in keys {
            kept.remove(key);
        }
    }
}

// === impl Kept ===

impl Kept {
    fn remove(&mut self, key: Key) {
        if let Some((dictionary, _)) = self.dictionaries.remove(&key) {
            self.bytes -= dictionary.bytes();
        }
    }
}
