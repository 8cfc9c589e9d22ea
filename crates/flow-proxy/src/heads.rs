//! Heads: how they stood on the wire, and what of them belongs to one hop only.

mod hop;
mod raw;
mod record;
mod tap_io;

pub(crate) use hop::{Leg, clean_request, clean_response, dress};
pub(crate) use raw::{RawFault, RawHead};
pub(crate) use record::{map_headers, version_name};
pub(crate) use tap_io::{HEAD_BYTES_MAX, HeadSide, HeadTap, READ_BYTES_MAX, TapIo};
