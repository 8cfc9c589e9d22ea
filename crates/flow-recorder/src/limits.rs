//! Limits of the recorder.

use std::time::Duration;

/// Decoded bytes of a body that are handed to the store as one piece.
pub const PIECE_BYTES: usize = 1 << 20;
/// Decoded bytes of a body up to which it is read as a whole. Longer ones are stored, not read.
pub const READ_BYTES_MAX: usize = 16 << 20;
/// Bytes of bodies that all workers together hold for reading: of requests until they are read, of responses
/// while they are read. Over it a flow is read from the store once it has ended.
pub const KEPT_BYTES_MAX: usize = 128 << 20;
/// Bytes of a running response from which its row is refreshed less often: it is copied each time.
pub(crate) const LARGE_BYTES: usize = 1 << 20;
/// Decoded bytes that a body may always have, whatever its length on the wire.
pub(crate) const DECODED_BYTES_FREE: u64 = 64 << 20;
/// Decoded bytes that a longer body may have for each byte on the wire.
pub const DECODED_RATIO_MAX: u64 = 200;
/// Chunks of a body whose times are kept one by one; later ones are merged into the last.
pub(crate) const CHUNKS_MAX: usize = 1_000_000;

/// How often a worker takes events.
pub(crate) const TURN: Duration = Duration::from_millis(5);
/// How often what has arrived of a running response is saved.
pub(crate) const PENDING_EVERY: Duration = Duration::from_millis(200);
/// How often the row of a running flow is refreshed.
pub(crate) const REFRESH_EVERY: Duration = Duration::from_millis(250);
/// How often the row of a running flow with a large response is refreshed.
pub(crate) const REFRESH_LARGE_EVERY: Duration = Duration::from_secs(3);
/// How often a running flow that somebody watches is published.
pub(crate) const PUBLISH_EVERY: Duration = Duration::from_millis(100);
