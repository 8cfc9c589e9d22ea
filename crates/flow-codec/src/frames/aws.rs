//! AWS event stream: binary frames with checksums.

use super::Framed;

/// Bytes of a frame before its headers.
pub(super) const PRELUDE_BYTES: usize = 12;

/// Cuts an AWS event stream into its frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsDecoder;

/// Returns whether a body starts with a frame's prelude, whose checksum is right.
pub(super) fn is_prelude(_head: &[u8]) -> bool {
    false
}

// === impl AwsDecoder ===

impl AwsDecoder {
    /// Reads the next piece of the body.
    pub(crate) fn push(&mut self, _bytes: &[u8], _each: &mut impl FnMut(Framed<'_>)) {}

    /// Ends the body.
    pub(crate) fn finish(&mut self, _each: &mut impl FnMut(Framed<'_>)) {}
}
