//! Bodies of requests, stored once: what a conversation repeats with every turn is kept as a reference.
//!
//! A body is split by [`flow_codec::split`] into spans and a skeleton. Each of them is a *blob*, kept once in a
//! segment under its keyed hash. A conversation is a chain of *nodes*, each an element and the node before it, so
//! that a body is stored as its skeleton and the last node of each chain: the *plan*, in place of the body.
//!
//! ```text
//! recorder's threads                        writer                          readers
//! Conversations ─► split, hash, compress ─► Chains ─► blobs, nodes, plan ─► load, fresh     sweep
//! ```
//!
//! | fact | rule |
//! |---|---|
//! | bytes | those of the body, exactly; each blob ends with a checksum and says how long it is |
//! | short bodies | under [`CHAINED_BYTES_MIN`] not taken: a row of its own costs less than its parts |
//! | long bodies | over [`BODY_BYTES_MAX`] not taken |
//! | bodies that do not split | one blob without chains: a retry costs its plan |
//! | hash | first 16 bytes of keyed BLAKE3, so that nobody can tell from a hash what was said |
//! | cache marks | an element that has one is kept as the same one without it, and what to put where |
//! | parent | a smaller number, or 0: no file can send a reader in circles |
//! | shared nodes | along the last body of a conversation only, so that nodes need no index |
//! | a flow's own nodes | the last ones of each chain: `nodes.n` says which flow brought them |
//! | memory, recorder | [`conversations::RECENT_BYTES_MAX`] of last bodies, 16 for each caller's key |
//! | memory, writer | [`chains::RECENT_BYTES_MAX`] of last chains |
//! | memory, sweep | some 20 bytes for each chain and each blob that stays, 8 for each node that goes |
//!
//! Nothing that is remembered is needed: without it a body costs more, and is stored all the same.

mod adopt;
mod audit;
mod chains;
mod conversations;
mod load;
mod mark;
mod plan;
mod recent;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use flow_codec::Split;

use crate::dictionary::Compression;
use crate::format::{self, CHECKSUM_BYTES, Codec};
use crate::pack::Packed;

pub(crate) use self::adopt::adopt;
pub(crate) use self::audit::Audit;
pub(crate) use self::chains::Chains;
pub(crate) use self::conversations::Conversations;
pub(crate) use self::load::{LoadError, bare, fresh, heads, load};
pub(crate) use self::sweep::sweep;

/// Bytes of a body at least.
pub(crate) const CHAINED_BYTES_MIN: usize = 2 * 1024;
/// Bytes of a body at most.
pub(crate) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Blobs shorter than this are stored as they are: nothing is saved on them.
const COMPRESS_BYTES_MIN: usize = 40;
/// What an entry of a cache or a queue weighs beside its bytes.
const ENTRY_BYTES: usize = 512;

/// What blobs are hashed with. Kept in the segment, and never shown.
pub(crate) type HashKey = [u8; 32];

/// Returns a key as it is written.
pub(crate) fn hex_of_key(key: &HashKey) -> String {
    blake3::Hash::from_bytes(*key).to_hex().to_string()
}

/// Returns the key that is written so; none where it is damaged.
pub(crate) fn key_of_hex(hex: &str) -> Option<HashKey> {
    Some(*blake3::Hash::from_hex(hex).ok()?.as_bytes())
}

/// The first bytes of a keyed hash.
type Hash = [u8; 16];

/// A body that is ready to be stored.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Tells the conversation from all others that this process has met.
    lineage: u64,
    compression: Compression,
    body: Arc<SplitBody>,
    skeleton: Hashed,
    /// For each span its blob; none where the body before had it, so that the segment most likely has it too.
    spans: Vec<Option<Span>>,
}

/// A span that the segment most likely lacks.
#[derive(Debug)]
enum Span {
    Plain(Packed),
    /// One with a cache mark.
    Marked {
        /// Its own length.
        length: usize,
        /// The same without the mark.
        base: Hashed,
        at: usize,
        mark: Bytes,
    },
}

/// A body with what is known of it.
#[derive(Debug)]
struct SplitBody {
    bytes: Bytes,
    split: Split,
    /// For each span its hash.
    hashes: Vec<Hash>,
}

/// A blob with its hash.
#[derive(Debug)]
struct Hashed {
    hash: Hash,
    packed: Packed,
}

// === impl Prepared ===

impl Prepared {
    /// Returns the number of the body's bytes: the `length` of its record.
    pub(crate) fn length(&self) -> usize {
        self.body.bytes.len()
    }

    /// Returns the memory that it holds while it waits.
    pub(crate) fn bytes(&self) -> usize {
        let spans = self.spans.iter().flatten().map(Span::bytes);
        ENTRY_BYTES + self.body.weight() + self.skeleton.packed.blob.len() + spans.sum::<usize>()
    }
}

// === impl Span ===

impl Span {
    fn new(bytes: &Bytes, key: &HashKey, compression: Compression) -> Self {
        let Some(found) = mark::find(bytes) else {
            return Self::Plain(pack(bytes, compression));
        };
        let (before, behind) = (bytes.slice(..found.start), bytes.slice(found.end..));
        let base = [before, behind].concat();
        Self::Marked {
            length: bytes.len(),
            base: Hashed {
                hash: hash(key, &base),
                packed: pack(&base, compression),
            },
            at: found.start,
            mark: bytes.slice(found),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Plain(packed) => packed.blob.len(),
            Self::Marked { base, mark, .. } => base.packed.blob.len() + mark.len(),
        }
    }
}

// === impl SplitBody ===

impl SplitBody {
    fn weight(&self) -> usize {
        self.bytes.len() + self.hashes.len() * (size_of::<Hash>() + size_of::<usize>())
    }
}

fn hash(key: &HashKey, bytes: &[u8]) -> Hash {
    let mut short = Hash::default();
    let long = blake3::keyed_hash(key, bytes);
    for (to, from) in short.iter_mut().zip(long.as_bytes()) {
        *to = *from;
    }
    short
}

/// Returns bytes as a sealed blob.
fn pack(bytes: &[u8], compression: Compression) -> Packed {
    let length = bytes.len();
    if length >= COMPRESS_BYTES_MIN
        && let Some(mut blob) = compression.compress(bytes)
        && blob.len() < length
    {
        format::seal(&mut blob);
        return Packed {
            codec: Codec::ZstdDict,
            length,
            blob,
        };
    }
    let mut blob = Vec::with_capacity(length + CHECKSUM_BYTES);
    blob.extend_from_slice(bytes);
    format::seal(&mut blob);
    Packed {
        codec: Codec::Raw,
        length,
        blob,
    }
}
