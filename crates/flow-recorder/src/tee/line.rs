//! One line: what it holds, and what can be told from its beginning alone.
//!
//! ```text
//! {"version":1,"ended_at":1795219200000000,"flow":{"id":"…",…},"exchange":{…},"request":BODY,"response":BODY}
//! {"version":1,"skipped":12,"at":1795219200000000}
//! BODY: null | {"bytes":12,"text":"…"} | {"bytes":12,"base64":"…"}, with "cut":true where a part is missing
//! ```
//!
//! Members are added without a new version, never renamed or taken away; another version is another shape. The id
//! comes early so that a line can be found or left out without reading it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flow_model::{Exchange, FlowId, Row, Side, Timestamp};
use flow_store::{ReadError, Store};
use serde::Serialize;

/// Version of the lines.
const VERSION: u32 = 1;
/// Bytes of each body that a line holds. The rest is in the store.
pub const TEE_BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes in which the beginning of a line says of which flow it is.
pub(super) const HEAD_BYTES: usize = 128;

const BEGIN: &[u8] = b"{\"version\":1,\"ended_at\":";
const FLOW: &[u8] = b",\"flow\":{\"id\":\"";
const ID_BYTES: usize = 36;

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    ended_at: Timestamp,
    flow: &'a Row,
    exchange: &'a Exchange,
    request: Option<Body<'a>>,
    response: Option<Body<'a>>,
}

#[derive(Serialize)]
struct Body<'a> {
    bytes: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[derive(Serialize)]
struct Skip {
    version: u32,
    skipped: u64,
    at: Timestamp,
}

/// What the beginning of a flow's line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) ended_at: Timestamp,
    pub(super) id: FlowId,
}

/// Returns when a flow ended.
pub(super) fn ended_at(row: &Row) -> Timestamp {
    row.started_at.plus_us(row.duration_us.unwrap_or(0))
}

/// Returns the line of a flow; none where there is no such flow any more.
pub(super) fn line(store: &Store, id: FlowId) -> Result<Option<Vec<u8>>, ReadError> {
    let (Some(row), Some(exchange)) = (store.row(id)?, store.exchange(id)?) else {
        return Ok(None);
    };
    let bytes = |side| match store.body(id, side)? {
        Some(body) => body.read_all(TEE_BODY_BYTES_MAX),
        None => Ok(bytes::Bytes::new()),
    };
    let (request, response) = (bytes(Side::Request)?, bytes(Side::Response)?);
    let line = Line {
        version: VERSION,
        ended_at: ended_at(&row),
        request: Body::new(&request, exchange.request_body.bytes),
        response: Body::new(&response, exchange.response_body.bytes),
        flow: &row,
        exchange: &exchange,
    };
    Ok(Some(text(&line)))
}

/// Returns the line that says how many flows have none.
pub(super) fn skipped(flows: u64, at: Timestamp) -> Vec<u8> {
    text(&Skip {
        version: VERSION,
        skipped: flows,
        at,
    })
}

fn text(line: &impl Serialize) -> Vec<u8> {
    // JSON escapes every line feed; a value that has no JSON would leave an empty line, which readers pass over.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text
}

// === impl Body ===

impl<'a> Body<'a> {
    /// Returns what a line holds of a body of which `kept` is the beginning; none of an empty one.
    fn new(kept: &'a [u8], bytes: u64) -> Option<Self> {
        if bytes == 0 && kept.is_empty() {
            return None;
        }
        let cut = (kept.len() as u64) < bytes;
        let text = match std::str::from_utf8(kept) {
            Ok(text) => Some(text),
            // The cut went through a character.
            Err(error) if cut && error.error_len().is_none() => kept
                .get(..error.valid_up_to())
                .and_then(|whole| std::str::from_utf8(whole).ok()),
            Err(_) => None,
        };
        let base64 = text.is_none().then(|| STANDARD.encode(kept));
        Some(Self {
            bytes,
            cut,
            text,
            base64,
        })
    }
}

// === impl Head ===

impl Head {
    /// Reads the beginning of a line; none where it is not a flow's.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(BEGIN)?;
        let digits = rest.iter().position(|&byte| byte == b',')?;
        let (at, rest) = rest.split_at_checked(digits)?;
        let ended_at = Timestamp(std::str::from_utf8(at).ok()?.parse().ok()?);
        let id = rest.strip_prefix(FLOW)?.get(..ID_BYTES)?;
        let id = std::str::from_utf8(id).ok()?.parse().ok()?;
        Some(Self { ended_at, id })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn bodies_are_text_where_they_can_be() {
        let check = |kept: &[u8], bytes: u64, expect: Value| {
            let body = Body::new(kept, bytes);
            assert_eq!(serde_json::to_value(body).unwrap(), expect);
        };
        check(b"", 0, Value::Null);
        check(b"{\"a\":1}", 7, json!({"bytes": 7, "text": "{\"a\":1}"}));
        check(
            "né".as_bytes(),
            9,
            json!({"bytes": 9, "cut": true, "text": "né"}),
        );
        check(b"n\xc3", 9, json!({"bytes": 9, "cut": true, "text": "n"}));
        check(b"n\xc3", 2, json!({"bytes": 2, "base64": "bsM="}));
        check(
            b"\xff\x00n",
            9,
            json!({"bytes": 9, "cut": true, "base64": "/wBu"}),
        );
        check(b"", 5, json!({"bytes": 5, "cut": true, "text": ""}));
    }

    #[test]
    fn other_lines_are_no_flows() {
        let id = "019a0000-0000-7000-8000-000000000001";
        let good = format!("{{\"version\":1,\"ended_at\":-5,\"flow\":{{\"id\":\"{id}\",");
        let head = Head::parse(good.as_bytes()).unwrap();
        assert_eq!(
            (head.ended_at, head.id.to_string()),
            (Timestamp(-5), id.to_owned())
        );
        for cut in 0..good.len() - 2 {
            assert_eq!(Head::parse(&good.as_bytes()[..cut]), None, "{cut}");
        }
        for other in [
            good.replace("-5", "x"),
            good.replace("019a", "zzzz"),
            good.replace("version\":1", "version\":2"),
        ] {
            assert_eq!(Head::parse(other.as_bytes()), None, "{other}");
        }
        let skip = skipped(3, Timestamp(7));
        assert_eq!(skip, b"{\"version\":1,\"skipped\":3,\"at\":7}\n");
        assert_eq!(Head::parse(&skip), None);
        assert!(good.len() + 20 < HEAD_BYTES);
    }
}
