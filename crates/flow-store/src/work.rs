//! A long piece of work on the store, as whoever waits for it sees it: how far it is, and that it is to stop.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How far a piece of work is. It is shared by who does it and who looks at it.
#[derive(Debug, Default)]
pub struct Work {
    total_bytes: AtomicU64,
    done_bytes: AtomicU64,
    cancelled: AtomicBool,
}

impl Work {
    /// Returns the bytes of the files that there are to be read, as far as that is known.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Ordering::Relaxed)
    }

    /// Returns the bytes of those that have been.
    pub fn done_bytes(&self) -> u64 {
        self.done_bytes.load(Ordering::Relaxed)
    }

    /// Says that it is to stop. It does so soon, and what it has made so far is taken away.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns whether it is to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn expect(&self, bytes: u64) {
        self.total_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn advance(&self, bytes: u64) {
        self.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}
