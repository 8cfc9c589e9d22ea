//! One JSON value a line (NDJSON).

use super::Framed;

/// Cuts a body into its lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinesDecoder;

// === impl LinesDecoder ===

impl LinesDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, _bytes: &[u8], _each: &mut impl FnMut(Framed<'_>)) {}

    /// Ends the body.
    pub(crate) fn finish(&mut self, _each: &mut impl FnMut(Framed<'_>)) {}
}
