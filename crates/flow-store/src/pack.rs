//! Turns what the recorder writes into records, on the recorder's threads: the writer's thread only stores them.
//!
//! Bodies are compressed piece by piece, so that a long one never stands in memory whole.

use std::sync::Arc;

use bytes::Bytes;
use flow_model::{FlowId, Row, Side, Timestamp};
use parking_lot::Mutex;
use zstd::bulk::Compressor;

use crate::blobs::Prepared;
use crate::dictionary::{self, Compression};
use crate::format::{self, CHECKSUM_BYTES, Codec};
use crate::purge::Purge;
use crate::segment::Location;

/// Bodies shorter than this are stored as they are: nothing is saved on them.
const COMPRESS_BYTES_MIN: usize = 40;
/// Bodies up to this are compressed with the built-in dictionary: a longer one has what it knows in itself.
const DICTIONARY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a body in one record; longer ones are stored as several pieces.
pub(crate) const PIECE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Fast, and most of what higher levels save on JSON.
const LEVEL: i32 = 1;
/// Compressors that are kept for the next body; each takes about a megabyte.
const COMPRESSORS_MAX: usize = 4;
/// What a queued operation weighs beside its bytes.
const OP_BYTES: usize = 512;
/// What the names and words of a queued row weigh.
const ROW_BYTES: usize = 512;

/// One operation on the segment.
#[derive(Debug)]
pub(crate) struct Op {
    pub(crate) flow: FlowId,
    /// Where the flow is; none where it must be looked up.
    pub(crate) location: Option<Location>,
    pub(crate) kind: OpKind,
}

#[derive(Debug)]
pub(crate) enum OpKind {
    /// The request's record, with what follows of its body; `first` where the flow has no record yet.
    Request {
        started_at: Timestamp,
        exchange: Vec<u8>,
        chunks: Vec<u8>,
        pieces: Vec<Piece>,
        rest: RequestBody,
        first: bool,
        clear: bool,
    },
    /// The exchange again, with the response's head.
    Head(Vec<u8>),
    /// Final pieces; pending bytes from the number `clear` on are replaced by them.
    Pieces {
        side: Side,
        pieces: Vec<Piece>,
        clear: Option<i64>,
    },
    Pending {
        side: Side,
        piece: Piece,
        chunks: Vec<u8>,
    },
    /// The end. `whole` is the request's record for a flow of which no segment may know anything.
    Outcome {
        exchange: Vec<u8>,
        chunks: Vec<u8>,
        pieces: Vec<Piece>,
        rest: Packed,
        row: Option<RowRecord>,
        whole: Option<Whole>,
        clear: bool,
    },
    Row(RowRecord),
    Forget,
    /// Deleted flows of a segment in use are to be removed for good.
    Purge(Arc<Purge>),
    /// The live segment, where it has this number, is to be followed by another one.
    Rotate(u32),
    /// A damaged file, by its key, needs no more salvaging.
    Salvaged(String),
    /// Something to remember, under its key in the catalog.
    Note {
        key: String,
        value: String,
    },
}

/// The beginning of a flow of which only the end was written.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) started_at: Timestamp,
    pub(crate) exchange: Vec<u8>,
    /// Where it goes, unless it is somewhere already.
    pub(crate) location: Location,
}

/// The body of a request, or what follows its pieces.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Packed(Packed),
    /// A whole body, of which the segment may have most parts.
    Shared(Box<Prepared>),
}

/// A part of a body with its place among the others.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) seq: i64,
    pub(crate) body: Packed,
}

/// A sealed body or part of one.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) codec: Codec,
    /// Its length when unpacked.
    pub(crate) length: usize,
    pub(crate) blob: Vec<u8>,
}

/// A derived row, as it is and as it is stored.
#[derive(Debug)]
pub(crate) struct RowRecord {
    pub(crate) row: Arc<Row>,
    pub(crate) json: Vec<u8>,
}

impl Op {
    /// Returns the memory that the operation holds.
    pub(crate) fn bytes(&self) -> usize {
        let pieces = |pieces: &[Piece]| -> usize {
            pieces
                .iter()
                .map(|piece| piece.body.blob.len() + OP_BYTES)
                .sum()
        };
        OP_BYTES
            + match &self.kind {
                OpKind::Request {
                    exchange,
                    chunks,
                    pieces: parts,
                    rest,
                    ..
                } => exchange.len() + chunks.len() + pieces(parts) + rest.bytes(),
                OpKind::Pieces { pieces: parts, .. } => pieces(parts),
                OpKind::Pending { piece, chunks, .. } => piece.body.blob.len() + chunks.len(),
                OpKind::Outcome {
                    exchange,
                    chunks,
                    pieces: parts,
                    rest,
                    row,
                    whole,
                    ..
                } => {
                    let row = row.as_ref().map_or(0, RowRecord::bytes);
                    let whole = whole.as_ref().map_or(0, |whole| whole.exchange.len());
                    exchange.len() + chunks.len() + pieces(parts) + rest.blob.len() + row + whole
                }
                OpKind::Head(exchange) => exchange.len(),
                OpKind::Row(row) => row.bytes(),
                OpKind::Forget | OpKind::Rotate(_) => 0,
                OpKind::Purge(purge) => purge.bytes(),
                OpKind::Salvaged(key) => key.len(),
                OpKind::Note { key, value } => key.len() + value.len(),
            }
    }

    /// Returns whether the flow is over with this operation.
    pub(crate) const fn is_last(&self) -> bool {
        matches!(self.kind, OpKind::Outcome { .. } | OpKind::Forget)
    }
}

impl RequestBody {
    /// Returns the memory that it holds.
    fn bytes(&self) -> usize {
        match self {
            Self::Packed(body) => body.blob.len(),
            Self::Shared(body) => body.bytes(),
        }
    }
}

impl RowRecord {
    fn bytes(&self) -> usize {
        self.json.len() + size_of::<Row>() + ROW_BYTES
    }
}

impl Packed {
    /// Returns a body of no bytes.
    pub(crate) fn empty() -> Self {
        let mut blob = Vec::with_capacity(CHECKSUM_BYTES);
        format::seal(&mut blob);
        Self {
            codec: Codec::Raw,
            length: 0,
            blob,
        }
    }
}

/// Returns how many pieces a body of `bytes` bytes, or its rest, is split into beside its last part.
pub(crate) fn pieces_of(bytes: usize) -> usize {
    bytes.saturating_sub(1) / PIECE_BYTES_MAX
}

/// Compresses and seals bodies; shared by all threads that write.
pub(crate) struct Packer {
    compression: Compression,
    idle: Mutex<Vec<Compressor<'static>>>,
}

impl Packer {
    pub(crate) fn new(compression: Compression) -> Self {
        Self {
            compression,
            idle: Mutex::default(),
        }
    }

    /// Returns a body, or its rest, as pieces numbered from `seq` on and a last part for the record that ends it.
    pub(crate) fn split(&self, mut body: Bytes, seq: i64) -> (Vec<Piece>, Packed) {
        let mut pieces = Vec::new();
        let mut next = seq;
        while body.len() > PIECE_BYTES_MAX {
            let part = body.split_to(PIECE_BYTES_MAX);
            pieces.push(Piece {
                seq: next,
                body: self.pack(&part),
            });
            next += 1;
        }
        (pieces, self.pack(&body))
    }

    /// Returns a body as pieces numbered from `seq` on, one at least.
    pub(crate) fn split_all(&self, body: Bytes, seq: i64) -> Vec<Piece> {
        let (mut pieces, body) = self.split(body, seq);
        let seq = pieces.last().map_or(seq, |last| last.seq + 1);
        pieces.push(Piece { seq, body });
        pieces
    }

    /// Returns one part of a body, sealed.
    pub(crate) fn pack(&self, bytes: &[u8]) -> Packed {
        let length = bytes.len();
        let compressed = match length {
            _ if self.compression == Compression::Off => None,
            0..COMPRESS_BYTES_MIN => None,
            COMPRESS_BYTES_MIN..=DICTIONARY_BYTES_MAX => {
                dictionary::compress(bytes).map(|blob| (Codec::ZstdDict, blob))
            }
            _ => self.compress(bytes).map(|blob| (Codec::Zstd, blob)),
        };
        if let Some((codec, mut blob)) = compressed.filter(|(_, blob)| blob.len() < length) {
            format::seal(&mut blob);
            return Packed {
                codec,
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

    /// Returns the bytes compressed; none where zstd fails, which it does for want of memory only.
    fn compress(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let idle = self.idle.lock().pop();
        let mut compressor = match idle {
            Some(compressor) => compressor,
            None => Compressor::new(LEVEL).ok()?,
        };
        let mut blob = compressor.compress(bytes).ok()?;
        // The buffer was made for the worst case and waits in the queue from here on.
        blob.reserve_exact(CHECKSUM_BYTES);
        blob.shrink_to(blob.len() + CHECKSUM_BYTES);
        let mut idle = self.idle.lock();
        if idle.len() < COMPRESSORS_MAX {
            idle.push(compressor);
        }
        Some(blob)
    }
}

/// Returns the bytes of a sealed part of a body; none where it is damaged.
pub(crate) fn unpack(codec: i64, length: u64, blob: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(length).ok()?;
    // A damaged length must not ask for memory that no part can have.
    if length > PIECE_BYTES_MAX {
        return None;
    }
    let content = format::unseal(blob)?;
    let bytes = match Codec::from_code(codec)? {
        Codec::Raw => content.to_vec(),
        Codec::Zstd => zstd::bulk::decompress(content, length).ok()?,
        Codec::ZstdDict => dictionary::decompress(content, length)?,
        // A plan says nothing without its segment.
        Codec::Chained | Codec::Marked => return None,
    };
    (bytes.len() == length).then_some(bytes)
}
