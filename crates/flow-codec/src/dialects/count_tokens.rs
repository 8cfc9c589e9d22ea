//! Counts of a prompt, in the shapes of OpenAI, Anthropic, Google and Bedrock.

use flow_model::{Dialect, RequestReading, WireUsage};

use super::{Ask, Depth};
use crate::answer::Answer;
use crate::json::Json;
use crate::usage::Counts;

/// Reads a request.
pub(crate) fn read_request(
    _dialect: Dialect,
    _path: &str,
    body: &[u8],
    depth: Depth,
) -> RequestReading {
    Ask::read(body, depth, member, |_| {})
}

fn member(name: &str, json: &mut Json<'_>, ask: &mut Ask) {
    ask.parameter(name, json);
}

/// Reads a whole response; the cursor stands behind the opening bracket of its object.
pub(crate) fn read_whole(json: &mut Json<'_>, _answer: &mut Answer) {
    while json.member().is_some() {}
}

/// Returns the counts of a usage object.
pub(crate) fn usage(_dialect: Dialect, _usage: &Counts<'_>) -> WireUsage {
    WireUsage::default()
}
