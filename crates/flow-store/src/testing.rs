//! What tests share: flows made from a number, and stores that commit at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flow_model::{
    Chunk, EndReason, Exchange, FlowId, Header, Reading, RequestHead, ResponseHead, Route, Row,
    Side, Timestamp, Timings,
};

use crate::queue::Limits;
use crate::registry::SegmentLimits;
use crate::{SegmentState, Store, StoreOptions, Write};

/// Limits under which faults show quickly.
pub(crate) const FAST: Limits = Limits {
    group_wait: Duration::from_millis(1),
    room_wait: Duration::from_millis(50),
    flush_wait: Duration::from_secs(5),
    retry_wait: Duration::from_millis(20),
    segment: SegmentLimits {
        seal_quiet: Duration::ZERO,
        ..SegmentLimits::DEFAULT
    },
    ..Limits::DEFAULT
};

pub(crate) fn options(dir: Option<&Path>) -> StoreOptions {
    StoreOptions {
        dir: dir.map(Path::to_owned),
        recent_rows_max: 4,
        memory_bytes_max: 64 * 1024 * 1024,
        compressed: true,
        now: Timestamp(1_790_000_000_000_000),
    }
}

pub(crate) fn open(dir: &Path) -> Store {
    Store::open_with(options(Some(dir)), FAST).unwrap()
}

/// Limits under which a segment takes `flows_max` flows, and is sealed as soon as none of them runs.
pub(crate) const fn small(flows_max: u64) -> Limits {
    Limits {
        segment: SegmentLimits {
            flows_max,
            ..FAST.segment
        },
        ..FAST
    }
}

/// The same, but that no segment is sealed.
pub(crate) const fn unsealed(flows_max: u64) -> Limits {
    let mut limits = small(flows_max);
    limits.segment.seal_quiet = Duration::from_secs(1_000_000);
    limits
}

/// Waits until every segment is sealed but the live one.
pub(crate) fn wait_sealed(store: &Store) {
    let registry = store.registry();
    registry.signal.wait_for(|| {
        registry
            .all()
            .iter()
            .all(|segment| segment.state() != SegmentState::Closing)
    });
}

/// Returns the id of the flow with this number; ids rise with it.
pub(crate) fn id(number: u64) -> FlowId {
    let mut bytes = [0; 16];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&(0x019a_0000_0000_7000 | number >> 4 << 16).to_be_bytes());
    tail.copy_from_slice(&(0x8000_0000_0000_0000 | number).to_be_bytes());
    FlowId::from_bytes(bytes)
}

/// Returns a flow as it stands when its request has been sent.
pub(crate) fn begun(number: u64) -> Exchange {
    Exchange {
        id: id(number),
        started_at: Timestamp(1_790_000_000_000_000 + i64::try_from(number).unwrap()),
        peer: Some("127.0.0.1:50000".to_owned()),
        route: Route {
            upstream: Some("openai".to_owned()),
            provider: Some("openai".to_owned()),
            url: Some("https://api.openai.com/v1/chat/completions".to_owned()),
            run: None,
        },
        request: RequestHead {
            method: "POST".to_owned(),
            target: format!("/openai/v1/chat/completions?flow={number}"),
            version: "HTTP/1.1".to_owned(),
            headers: vec![Header {
                name: "Content-Type".to_owned(),
                value: "application/json".to_owned(),
                latin1: false,
            }],
        },
        request_body: flow_model::BodyFacts::default(),
        response: None,
        response_body: flow_model::BodyFacts::default(),
        timings: Timings::default(),
        end: None,
        failure: None,
    }
}

/// Returns the same flow at its end.
pub(crate) fn ended(number: u64) -> Exchange {
    let mut exchange = begun(number);
    exchange.response = Some(ResponseHead {
        status: 200,
        reason: Some("OK".to_owned()),
        version: "HTTP/1.1".to_owned(),
        headers: Vec::new(),
    });
    exchange.request_body.complete = true;
    exchange.response_body.complete = true;
    exchange.timings.duration_us = Some(number * 1000);
    exchange.end = Some(EndReason::Ended);
    exchange
}

pub(crate) fn row(exchange: &Exchange) -> Row {
    Row::new(exchange, &Reading::default())
}

pub(crate) fn announce(store: &Store, number: u64) {
    let exchange = begun(number);
    let row = row(&exchange);
    store.announce(Arc::new(exchange), row);
}

pub(crate) fn request(number: u64, body: &[u8]) -> Write {
    Write::Request {
        exchange: Arc::new(begun(number)),
        body: Bytes::copy_from_slice(body),
        chunks: vec![chunk(body.len())],
    }
}

pub(crate) fn outcome(number: u64, response: &[u8]) -> Write {
    let exchange = ended(number);
    Write::Outcome {
        row: Some(row(&exchange)),
        exchange: Arc::new(exchange),
        response: Bytes::copy_from_slice(response),
        chunks: vec![chunk(response.len())],
    }
}

pub(crate) fn chunk(bytes: usize) -> Chunk {
    Chunk {
        at_us: 7,
        wire_bytes: u32::try_from(bytes).unwrap(),
        bytes_end: bytes as u64,
    }
}

/// Writes a whole flow.
pub(crate) fn record(store: &Store, number: u64, ask: &[u8], answer: &[u8]) {
    announce(store, number);
    store.write(request(number, ask));
    store.write(outcome(number, answer));
}

/// Checks that a body is stored as `expect`; an empty one may be missing.
pub(crate) fn check_body(store: &Store, number: u64, side: Side, expect: &[u8]) {
    let body = store.body(id(number), side).unwrap();
    let body = body.map_or_else(Bytes::new, |body| body.read_all(usize::MAX).unwrap());
    let (found, bytes) = (body.len(), expect.len());
    assert!(
        body == expect,
        "{side:?} of flow {number}: {found} bytes, not the {bytes} expected"
    );
}

/// Returns bytes that do not compress, the same for the same seed.
pub(crate) fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let step = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    (0..bytes).map(step).collect()
}
