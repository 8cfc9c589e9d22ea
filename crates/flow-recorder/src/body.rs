//! One body while it arrives: hashed, decoded, cut into pieces for the store.

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use flow_model::{BodyFacts, Chunk, Gap, Header};

use crate::coding::Coding;
use crate::limits::{CHUNKS_MAX, PIECE_BYTES};

/// A body while it arrives.
pub(crate) struct Body {
    facts: BodyFacts,
    hash: digest::Context,
    coding: Coding,
    /// What came over the wire, for as long as a failure of decoding could still be answered by keeping it.
    encoded: Option<BytesMut>,
    /// Decoded bytes that the store has not got as a piece.
    tail: BytesMut,
    /// Bytes of the tail that the store has got as pending.
    pended: usize,
    chunks: Vec<Chunk>,
    chunks_pended: usize,
    pieces: u32,
    bytes_max: u64,
}

/// What a push gave.
pub(crate) enum Decoded {
    /// The bytes themselves.
    Same,
    /// Other bytes.
    Bytes(Vec<u8>),
}

// === impl Body ===

impl Body {
    /// Returns an empty body of which at most `bytes_max` bytes are kept.
    pub(crate) fn new(content_encoding: Option<&str>, bytes_max: Option<u64>) -> Self {
        let mut facts = BodyFacts::default();
        let coding = Coding::new(content_encoding).unwrap_or_else(|error| {
            facts.decode_error = Some(error);
            Coding::Identity
        });
        if !coding.is_identity() || facts.decode_error.is_some() {
            facts.coding = content_encoding.map(|name| name.trim().to_ascii_lowercase());
        }
        Self {
            encoded: (!coding.is_identity()).then(BytesMut::new),
            facts,
            hash: digest::Context::new(&digest::SHA256),
            coding,
            tail: BytesMut::new(),
            pended: 0,
            chunks: Vec::new(),
            chunks_pended: 0,
            pieces: 0,
            bytes_max: bytes_max.unwrap_or(u64::MAX),
        }
    }

    /// Takes bytes of the wire and returns what they decode to.
    pub(crate) fn push(&mut self, wire: &[u8], at_us: u64) -> Decoded {
        self.hash.update(wire);
        self.facts.wire_bytes += wire.len() as u64;
        self.facts.chunks = self.facts.chunks.saturating_add(1);
        let decoded = self.decode(wire);
        match &decoded {
            Decoded::Same => self.keep(wire),
            Decoded::Bytes(bytes) => self.keep(bytes),
        }
        self.chunk(wire.len(), at_us);
        decoded
    }

    fn decode(&mut self, wire: &[u8]) -> Decoded {
        if self.coding.is_identity() {
            return Decoded::Same;
        }
        if let Some(encoded) = &mut self.encoded {
            encoded.extend_from_slice(wire);
        }
        match self.coding.push(wire) {
            Ok(bytes) => Decoded::Bytes(bytes),
            Err(error) => {
                self.facts.decode_error = Some(error);
                self.coding = Coding::Identity;
                self.give_up_decoding(wire.len());
                Decoded::Same
            }
        }
    }

    /// Keeps the bytes of the wire in place of the decoded ones, where all of them are still there. The caller
    /// keeps the bytes at hand, `wire_len` of them; those before them are kept here.
    fn give_up_decoding(&mut self, wire_len: usize) {
        let untouched = self.pieces == 0 && self.pended == 0;
        if let Some(encoded) = self.encoded.take().filter(|_| untouched) {
            self.tail.clear();
            self.facts.bytes = 0;
            let earlier = encoded.len().saturating_sub(wire_len);
            self.keep(encoded.get(..earlier).unwrap_or_default());
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.bytes_max - self.facts.bytes).unwrap_or(usize::MAX);
        let kept = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.facts.truncated |= kept.len() < bytes.len();
        self.facts.bytes += kept.len() as u64;
        self.tail.extend_from_slice(kept);
    }

    fn chunk(&mut self, wire_bytes: usize, at_us: u64) {
        let wire_bytes = u32::try_from(wire_bytes).unwrap_or(u32::MAX);
        let bytes_end = self.facts.bytes;
        let full = self.chunks.len() >= CHUNKS_MAX;
        match self.chunks.last_mut() {
            Some(last) if full => {
                last.wire_bytes = last.wire_bytes.saturating_add(wire_bytes);
                last.bytes_end = bytes_end;
            }
            _ => self.chunks.push(Chunk {
                at_us,
                wire_bytes,
                bytes_end,
            }),
        }
    }

    /// Notes a part that was lost. Whatever was compressed cannot be decoded any further.
    pub(crate) fn gap(&mut self, bytes: u64) {
        let offset = self.facts.wire_bytes;
        self.facts.gaps.push(Gap { offset, bytes });
        self.facts.wire_bytes += bytes;
        if !self.coding.is_identity() {
            self.facts.decode_error = Some("a part of the compressed body is missing".to_owned());
            self.coding = Coding::Identity;
            self.encoded = None;
        }
    }

    /// Notes that the body arrived to its end.
    pub(crate) fn complete(&mut self, trailers: Vec<Header>) {
        self.facts.complete = true;
        self.facts.trailers = trailers;
    }

    /// Returns the next piece for the store, once there is enough for one.
    pub(crate) fn piece(&mut self) -> Option<Bytes> {
        if self.tail.len() < PIECE_BYTES {
            return None;
        }
        self.pieces += 1;
        self.pended = 0;
        self.encoded = None;
        Some(self.tail.split_to(PIECE_BYTES).freeze())
    }

    /// Returns what arrived since the last time, to be saved against a crash.
    pub(crate) fn pending(&mut self) -> Option<(Bytes, Vec<Chunk>)> {
        let bytes = self.tail.get(self.pended..)?;
        let chunks = self.chunks.get(self.chunks_pended..)?;
        if bytes.is_empty() && chunks.is_empty() {
            return None;
        }
        let pending = (Bytes::copy_from_slice(bytes), chunks.to_vec());
        self.pended = self.tail.len();
        self.chunks_pended = self.chunks.len();
        Some(pending)
    }

    /// Returns the decoded bytes that are no piece.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// Takes the decoded bytes that are no piece.
    pub(crate) fn take_tail(&mut self) -> Bytes {
        self.pended = 0;
        self.tail.split().freeze()
    }

    /// Takes the chunks.
    pub(crate) fn take_chunks(&mut self) -> Vec<Chunk> {
        self.chunks_pended = 0;
        std::mem::take(&mut self.chunks)
    }

    /// Returns the facts as they are now.
    pub(crate) fn facts(&self) -> BodyFacts {
        let mut facts = self.facts.clone();
        if facts.gaps.is_empty() {
            facts.wire_sha256 = Some(hex(self.hash.clone().finish().as_ref()));
        }
        facts
    }

    /// Returns the number of bytes that have passed.
    pub(crate) const fn wire_bytes(&self) -> u64 {
        self.facts.wire_bytes
    }

    /// Returns whether the bytes kept are free of content coding.
    pub(crate) fn is_decoded(&self) -> bool {
        self.facts.decode_error.is_none()
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pushed(mut body: Body, wire: &[&[u8]]) -> Body {
        for (number, piece) in wire.iter().enumerate() {
            body.push(piece, number as u64);
        }
        body
    }

    #[test]
    fn an_identity_body_is_kept_hashed_and_timed() {
        let mut body = pushed(Body::new(None, None), &[b"ab", b"c"]);
        body.complete(Vec::new());
        let facts = body.facts();
        assert_eq!((facts.wire_bytes, facts.bytes, facts.chunks), (3, 3, 2));
        assert_eq!(
            facts.wire_sha256.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
        assert_eq!(&body.take_tail()[..], b"abc");
        let ends: Vec<_> = body
            .take_chunks()
            .iter()
            .map(|chunk| chunk.bytes_end)
            .collect();
        assert_eq!(ends, [2, 3]);
    }

    #[test]
    fn a_cap_cuts_and_says_so() {
        let body = pushed(Body::new(None, Some(4)), &[b"abc", b"def"]);
        let facts = body.facts();
        assert_eq!(body.tail(), b"abcd");
        assert!(facts.truncated);
        assert_eq!((facts.wire_bytes, facts.bytes), (6, 4));
    }

    #[test]
    fn what_cannot_be_decoded_is_kept_as_it_was() {
        let body = pushed(Body::new(Some("gzip"), None), &[b"{\"pla", b"in\":1}"]);
        let facts = body.facts();
        assert_eq!(body.tail(), b"{\"plain\":1}");
        assert_eq!(facts.coding.as_deref(), Some("gzip"));
        assert!(facts.decode_error.is_some());

        let wire = zstd::encode_all(&b"hello"[..], 1).unwrap();
        let mut broken = wire;
        broken.push(7);
        broken.push(8);
        broken.push(9);
        broken.push(10);
        let (head, rest) = broken.split_at(5);
        let body = pushed(Body::new(Some("zstd"), None), &[head, rest]);
        if body.facts().decode_error.is_some() {
            assert_eq!(body.tail(), &broken[..]);
        }

        let body = pushed(Body::new(Some("compress"), None), &[b"xyz"]);
        assert_eq!(body.tail(), b"xyz");
        assert_eq!(body.facts().coding.as_deref(), Some("compress"));
    }

    #[test]
    fn a_gap_takes_the_hash_away() {
        let mut body = pushed(Body::new(None, None), &[b"ab"]);
        body.gap(10);
        body.push(b"c", 9);
        let facts = body.facts();
        assert_eq!(
            facts.gaps,
            [Gap {
                offset: 2,
                bytes: 10
            }]
        );
        assert_eq!((facts.wire_bytes, facts.bytes), (13, 3));
        assert_eq!(facts.wire_sha256, None);
    }

    #[test]
    fn pieces_and_pending_are_given_once() {
        let mut body = Body::new(None, None);
        body.push(&vec![1; PIECE_BYTES - 1], 0);
        assert!(body.piece().is_none());
        let (bytes, chunks) = body.pending().unwrap();
        assert_eq!((bytes.len(), chunks.len()), (PIECE_BYTES - 1, 1));
        assert!(body.pending().is_none());
        body.push(&[2; 3], 1);
        assert_eq!(body.pending().unwrap().0.len(), 3);
        assert_eq!(body.piece().unwrap().len(), PIECE_BYTES);
        assert_eq!(body.pending().unwrap().0.len(), 2);
        assert_eq!(body.take_tail().len(), 2);
        assert_eq!(body.facts().bytes, PIECE_BYTES as u64 + 2);
    }
}
