//! The body of a stored flow, read part by part.
//!
//! A long body is never in memory whole unless it is asked for so.

use std::slice;
use std::sync::Arc;

use bytes::Bytes;
use flow_model::{FlowId, Side};

use crate::read::{self, ReadError};
use crate::segment::Segment;

/// A stored body: content-decoded, and of a running flow what has been committed so far.
pub struct StoredBody {
    pub(crate) segment: Arc<Segment>,
    pub(crate) n: i64,
    pub(crate) id: FlowId,
    pub(crate) side: Side,
    pub(crate) parts: Vec<Part>,
}

pub(crate) enum Part {
    Piece {
        seq: i64,
        length: u64,
    },
    Rest {
        length: u64,
    },
    /// Bytes that were pending when the body was opened.
    Held(Bytes),
}

/// The parts of a body in order, each of a few megabytes at most.
pub struct Pieces<'a> {
    body: &'a StoredBody,
    parts: slice::Iter<'a, Part>,
}

impl StoredBody {
    /// Returns the number of its bytes.
    pub fn len(&self) -> u64 {
        self.parts.iter().map(Part::len).sum()
    }

    /// Returns whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes since the last final piece: those that an outcome has to bring again, where the
    /// monitor was stopped before it could write one.
    pub fn pending(&self) -> Bytes {
        let held = self.parts.iter().filter_map(|part| match part {
            Part::Held(bytes) => Some(bytes.as_ref()),
            Part::Piece { .. } | Part::Rest { .. } => None,
        });
        held.flatten().copied().collect()
    }

    /// Returns its parts, one read each.
    pub fn pieces(&self) -> Pieces<'_> {
        Pieces {
            body: self,
            parts: self.parts.iter(),
        }
    }

    /// Returns its bytes from `offset` on to the end of the part in which that lies; none past its end. Parts
    /// before are not read.
    pub fn read_from(&self, offset: u64) -> Result<Option<Bytes>, ReadError> {
        let mut skip = offset;
        for part in &self.parts {
            if skip >= part.len() {
                skip -= part.len();
                continue;
            }
            let mut bytes = match part {
                Part::Held(bytes) => bytes.clone(),
                part => Bytes::from(read::part(self, part)?),
            };
            let start = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
            return Ok(Some(bytes.split_off(start)));
        }
        Ok(None)
    }

    /// Returns its bytes, but no more than `bytes_max` of them.
    pub fn read_all(&self, bytes_max: usize) -> Result<Bytes, ReadError> {
        let mut all = Vec::new();
        for piece in self.pieces() {
            let piece = piece?;
            if all.is_empty() && piece.len() as u64 == self.len() && piece.len() <= bytes_max {
                return Ok(piece);
            }
            let room = bytes_max - all.len();
            all.extend(piece.iter().take(room));
            if all.len() == bytes_max {
                break;
            }
        }
        Ok(all.into())
    }
}

impl Iterator for Pieces<'_> {
    type Item = Result<Bytes, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.parts.next()? {
            Part::Held(bytes) => Ok(bytes.clone()),
            part => read::part(self.body, part).map(Bytes::from),
        })
    }
}

impl Part {
    const fn len(&self) -> u64 {
        match self {
            Self::Piece { length, .. } | Self::Rest { length } => *length,
            Self::Held(bytes) => bytes.len() as u64,
        }
    }
}
