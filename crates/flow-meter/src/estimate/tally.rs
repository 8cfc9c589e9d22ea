//! Texts of one side of a call, counted within a bound.

use std::borrow::Cow;

use super::family::{Calibration, Script};

/// Bytes of text that are counted; of more, a sample is.
pub(crate) const COUNTED_BYTES_MAX: usize = 1 << 20;
/// Bytes of a text that are counted at once. A cut splits at most one token, and merging takes n log n.
pub(crate) const PIECE_BYTES: usize = 8 << 10;

/// Texts to count, and the tokens around them.
#[derive(Debug, Default)]
pub(crate) struct Tally<'a> {
    texts: Vec<Cow<'a, str>>,
    overhead: u64,
}

// === impl Tally ===

impl<'a> Tally<'a> {
    /// Adds a text.
    pub(crate) fn text(&mut self, text: impl Into<Cow<'a, str>>) {
        let text = text.into();
        if !text.is_empty() {
            self.texts.push(text);
        }
    }

    /// Adds tokens that the format puts around texts.
    pub(crate) fn overhead(&mut self, tokens: u64) {
        self.overhead = self.overhead.saturating_add(tokens);
    }

    /// Returns whether there is no text to count.
    pub(crate) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Returns the number of tokens that texts and overhead come to.
    pub(crate) fn count(&self, calibration: &Calibration) -> u64 {
        let bytes: usize = self.texts.iter().map(|text| text.len()).sum();
        let stride = bytes.div_ceil(COUNTED_BYTES_MAX).max(1);
        let mut found = Counted::default();
        let pieces = self.texts.iter().flat_map(|text| Pieces(text));
        for piece in pieces.step_by(stride) {
            found.add(piece, calibration);
        }
        found.extrapolated(bytes).saturating_add(self.overhead)
    }
}

/// What the pieces that were looked at came to.
#[derive(Debug, Default)]
struct Counted {
    /// Thousandths of a token.
    millis: u64,
    bytes: u64,
}

// === impl Counted ===

impl Counted {
    fn add(&mut self, piece: &str, calibration: &Calibration) {
        let tokens = calibration.vocabulary.count(piece);
        let ratio = calibration.ratio(Script::of(piece));
        self.millis = self.millis.saturating_add(tokens.saturating_mul(ratio));
        self.bytes += piece.len() as u64;
    }

    /// Returns the whole tokens of `bytes` bytes, of which those that were looked at are a sample.
    fn extrapolated(&self, bytes: usize) -> u64 {
        let millis = u128::from(self.millis) * bytes as u128 / u128::from(self.bytes.max(1));
        u64::try_from(millis.div_ceil(1000)).unwrap_or(u64::MAX)
    }
}

/// The pieces of a text.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (piece, rest) = self
            .0
            .split_at_checked(self.0.floor_char_boundary(PIECE_BYTES))?;
        self.0 = rest;
        Some(piece)
    }
}
