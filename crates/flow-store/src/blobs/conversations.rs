//! The last body of each conversation, so that the next one costs no more than what is new in it.
//!
//! One program, with one credential, leads several conversations at once: an agent and its helpers. The last
//! bodies of a key are told apart by how much of them a new one repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use flow_codec::{Chain, Split, split, split_like};
use parking_lot::Mutex;

use super::recent::Recent;
use super::{
    BODY_BYTES_MAX, CHAINED_BYTES_MIN, ENTRY_BYTES, Hash, HashKey, Hashed, Prepared, Span,
    SplitBody, hash, pack,
};
use crate::dictionary::Compression;
use crate::pack::PIECE_BYTES_MAX;

/// Bytes of all last bodies.
pub(super) const RECENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bodies that are kept of one key.
const SLOTS: u8 = 16;
/// Bytes that are compared at once.
const STRIDE_BYTES: usize = 4096;

/// The last bodies, shared by the threads that record.
pub(crate) struct Conversations {
    key: HashKey,
    compression: Compression,
    recent: Mutex<Recent<(u64, u8), Known>>,
    lineages: AtomicU64,
}

/// The last body of a conversation.
#[derive(Clone, Debug)]
struct Known {
    lineage: u64,
    body: Arc<SplitBody>,
}

// === impl Conversations ===

impl Conversations {
    /// Returns one that knows no body. All segments of a store have the same key.
    pub(crate) fn new(key: HashKey, compression: Compression) -> Self {
        Self {
            key,
            compression,
            recent: Mutex::new(Recent::new(RECENT_BYTES_MAX)),
            lineages: AtomicU64::new(0),
        }
    }

    /// Splits, hashes and compresses what is new in a body; none where it is too short or too long, or so long that
    /// it is better read in parts and has none.
    ///
    /// `conversation` stands for what the requests of one conversation have in common, such as client,
    /// credential and path. A wrong one costs time and room, and nothing else.
    pub(crate) fn prepare(&self, conversation: u64, body: Bytes) -> Option<Prepared> {
        if !(CHAINED_BYTES_MIN..=BODY_BYTES_MAX).contains(&body.len()) {
            return None;
        }
        let earlier = self.closest(conversation, &body);
        let split = match &earlier {
            Some((_, known)) => split_like(&body, &known.body.bytes, &known.body.split),
            None => split(&body).map(|split| {
                let none = vec![None; split.spans()];
                (split, none)
            }),
        };
        let Some((split, same)) = split else {
            // A long one is better read in parts.
            return (body.len() <= PIECE_BYTES_MAX).then(|| self.whole(body));
        };
        let known = earlier.as_ref().map(|(_, known)| known);
        let hash_of = |number: usize| {
            known
                .and_then(|known| known.body.hashes.get(number))
                .copied()
        };
        let mut hashes = Vec::with_capacity(same.len());
        let mut spans = Vec::with_capacity(same.len());
        let mut repeated = 0;
        for (span, same) in split.chains().iter().flat_map(Chain::spans).zip(same) {
            let bytes = body.slice(span);
            let old = same.and_then(hash_of);
            repeated += old.map_or(0, |_| bytes.len());
            hashes.push(old.unwrap_or_else(|| hash(&self.key, &bytes)));
            let span = || Span::new(&bytes, &self.key, self.compression);
            spans.push(old.is_none().then(span));
        }
        let skeleton = self.hashed(&split.skeleton(&body));
        let body = Arc::new(SplitBody {
            bytes: body,
            split,
            hashes,
        });
        // Most of an earlier body again is its next turn; less is another conversation with the same tools.
        let goes_on = earlier.filter(|(_, known)| repeated * 10 >= settled_bytes(&known.body) * 9);
        let lineage = match &goes_on {
            Some((_, known)) => known.lineage,
            None => self.lineage(),
        };
        let slot = goes_on.map(|(slot, _)| slot);
        self.remember(conversation, slot, lineage, &body);
        Some(Prepared {
            lineage,
            compression: self.compression,
            body,
            skeleton,
            spans,
        })
    }

    /// Returns a body that has no parts.
    fn whole(&self, body: Bytes) -> Prepared {
        Prepared {
            lineage: self.lineage(),
            compression: self.compression,
            skeleton: self.hashed(&body),
            body: Arc::new(SplitBody {
                bytes: body,
                split: Split::default(),
                hashes: Vec::<Hash>::new(),
            }),
            spans: Vec::new(),
        }
    }

    fn hashed(&self, bytes: &[u8]) -> Hashed {
        Hashed {
            hash: hash(&self.key, bytes),
            packed: pack(bytes, self.compression),
        }
    }

    fn lineage(&self) -> u64 {
        self.lineages.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the body of this key that `body` repeats the most of, from its start on, and its slot.
    fn closest(&self, conversation: u64, body: &[u8]) -> Option<(u8, Known)> {
        let mut found: Vec<(u64, u8, Known)> = {
            let recent = self.recent.lock();
            let slots = (0..SLOTS).filter_map(|slot| {
                let (known, used) = recent.peek(&(conversation, slot))?;
                Some((used, slot, known.clone()))
            });
            slots.collect()
        };
        // Of equal ones the last: that is the one that was used last.
        found.sort_unstable_by_key(|(used, ..)| *used);
        let (_, slot, known) = match found.len() {
            0 | 1 => found.pop(),
            _ => found
                .into_iter()
                .max_by_key(|(.., known)| common_bytes(body, &known.body.bytes)),
        }?;
        Some((slot, known))
    }

    /// Keeps a body in its slot, or in a free one, or in the one that was not used for the longest time.
    fn remember(&self, conversation: u64, slot: Option<u8>, lineage: u64, body: &Arc<SplitBody>) {
        let known = Known {
            lineage,
            body: Arc::clone(body),
        };
        let mut recent = self.recent.lock();
        let used = |slot: &u8| recent.peek(&(conversation, *slot)).map(|(_, used)| used);
        let slot = slot.or_else(|| (0..SLOTS).min_by_key(used)).unwrap_or(0);
        recent.insert((conversation, slot), known, ENTRY_BYTES + body.weight());
    }
}

/// Returns the bytes of a body that its next turn repeats: all but the last element of each chain, which is written
/// anew where a cache mark is taken out of it.
fn settled_bytes(body: &SplitBody) -> usize {
    let settled = |chain: &Chain| chain.last().start - chain.at();
    body.split.chains().iter().map(settled).sum()
}

/// Returns about how many bytes two bodies have in common from their starts on.
fn common_bytes(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.chunks(STRIDE_BYTES).zip(other.chunks(STRIDE_BYTES));
    let mut common = 0;
    for (one, other) in pairs {
        if one != other {
            let same = one
                .iter()
                .zip(other)
                .take_while(|(one, other)| one == other);
            return common + same.count();
        }
        common += one.len();
    }
    common
}
