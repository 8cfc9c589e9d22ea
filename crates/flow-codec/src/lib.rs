//! Reads the wire: frames and dialects of LLM APIs.
//!
//! Bytes in, a [`Reading`](flow_model::Reading) out, for any bytes, cut anywhere. Nothing here fails, panics,
//! waits, or reads a clock, a file or the network: what makes no sense becomes a diagnostic, and the time of
//! arrival is an argument.
//!
//! ```text
//! bytes ─► frames (SSE, JSON array) ─► json (pull reader) ─► dialects ─► answer ─► reading
//! ```
//!
//! The limits of memory are listed at the top of `json`, `frames`, `answer` and `decode`.

mod answer;
mod client;
mod decode;
mod detect;
mod dialects;
mod errors;
mod frames;
mod json;
mod read;
mod split;
mod usage;

pub use self::client::read as read_client;
pub use self::decode::{ResponseDecoder, read_request, skim_request};
pub use self::detect::detect;
pub use self::read::{StreamEvent, events, note_end, read, read_as};
pub use self::split::{CHAINS_MAX, Chain, SPAN_BYTES_MIN, Split, split, split_like};
pub use self::usage::{count, tokens};
