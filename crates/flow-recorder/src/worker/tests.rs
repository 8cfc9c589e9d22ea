use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flow_capture::{BodyEnd, CaptureOptions, FlowStart, FlowTap, Policy};
use flow_model::{EndReason, Header, RequestHead, ResponseHead, Route, State, Timestamp};
use flow_store::StoreOptions;

use super::*;

struct Bench {
    capture: Capture,
    store: Store,
    recorder: Recorder,
}

fn bench(policy: Policy) -> Bench {
    bench_with(policy, CaptureOptions::default())
}

fn bench_with(policy: Policy, options: CaptureOptions) -> Bench {
    prepare(policy, options).start()
}

fn prepare(policy: Policy, options: CaptureOptions) -> HeldBench {
    let now = Timestamp(1_700_000_000_000_000);
    let (capture, receivers) = Capture::new(options, policy, Arc::new(move || now)).unwrap();
    let store = Store::open(StoreOptions {
        dir: None,
        recent_rows_max: 100,
        memory_bytes_max: 64 << 20,
        compressed: true,
        now,
    })
    .unwrap();
    HeldBench {
        capture,
        store,
        receivers,
    }
}

/// A recorder whose workers have not started, so that they find everything at once.
struct HeldBench {
    capture: Capture,
    store: Store,
    receivers: Vec<Receiver>,
}

impl HeldBench {
    fn begin(&self) -> FlowTap {
        self.capture.begin(start())
    }

    fn start(self) -> Bench {
        let recorder = Recorder::start(
            self.receivers,
            &self.capture,
            &self.store,
            &Meter::default(),
        )
        .unwrap();
        Bench {
            capture: self.capture,
            store: self.store,
            recorder,
        }
    }
}

fn held_bench() -> HeldBench {
    prepare(Policy::default(), CaptureOptions::default())
}

fn start() -> FlowStart {
    FlowStart {
        peer: None,
        route: Route::default(),
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/v1/chat/completions".to_owned(),
            ..RequestHead::default()
        },
    }
}

impl Bench {
    fn begin(&self) -> FlowTap {
        self.capture.begin(start())
    }

    /// Lets everything that was captured reach the store.
    fn end(self) -> Store {
        self.capture.close();
        self.recorder.join();
        assert!(self.store.flush());
        self.store
    }
}

fn head(content_type: &str) -> ResponseHead {
    ResponseHead {
        status: 200,
        headers: vec![Header {
            name: "content-type".to_owned(),
            value: content_type.to_owned(),
            latin1: false,
        }],
        ..ResponseHead::default()
    }
}

fn send(tap: &FlowTap, request: &[u8]) {
    tap.frame(Side::Request, &Bytes::copy_from_slice(request));
    tap.body_end(Side::Request, BodyEnd::Ended);
    tap.sent();
}

fn answer(tap: &FlowTap, content_type: &str, frames: &[&str]) {
    tap.head(head(content_type));
    for frame in frames {
        tap.frame(Side::Response, &Bytes::copy_from_slice(frame.as_bytes()));
    }
    tap.body_end(Side::Response, BodyEnd::Ended);
    tap.finish(EndReason::Ended, None);
}

const ASK: &[u8] =
    br#"{"model":"gpt-5.1","stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
const EVENTS: [&str; 3] = [
    "data: {\"id\":\"c\",\"model\":\"gpt-5.1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\n\n",
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n",
];

#[test]
fn a_stream_becomes_a_stored_flow_with_its_row() {
    let bench = bench(Policy::default());
    let tap = bench.begin();
    send(&tap, ASK);
    answer(&tap, "text/event-stream", &EVENTS);
    let id = tap.id().unwrap();
    let store = bench.end();
    let row = store.row(id).unwrap().unwrap();
    assert_eq!(row.state, State::Completed);
    assert_eq!(row.answer.as_deref(), Some("one two"));
    assert_eq!(row.preview.as_deref(), Some("hello"));
    assert!(row.ttft_us.is_some() && row.ttfb_us.is_some() && row.duration_us.is_some());
    let stored = |side| {
        store
            .body(id, side)
            .unwrap()
            .unwrap()
            .read_all(1 << 20)
            .unwrap()
    };
    assert_eq!(&stored(Side::Request)[..], ASK);
    assert_eq!(&stored(Side::Response)[..], EVENTS.concat().as_bytes());
    assert_eq!(store.chunks(id, Side::Response).unwrap().len(), 3);
}

#[test]
fn what_the_wire_does_not_count_is_estimated_and_priced() {
    let bench = bench(Policy::default());
    let tap = bench.begin();
    send(&tap, ASK);
    answer(&tap, "text/event-stream", &EVENTS);
    let id = tap.id().unwrap();
    let row = bench.end().row(id).unwrap().unwrap();
    assert!(row.estimated);
    // One word asked, within a message's frame; two words answered.
    assert_eq!(row.tokens.output, Some(2));
    assert!(
        row.tokens
            .input
            .is_some_and(|input| (5..15).contains(&input))
    );
    assert!(row.cost.is_some_and(|cost| cost.starts_with("0.0000")));
}

#[test]
fn an_excluded_model_leaves_nothing() {
    let bench = bench(Policy {
        excluded_models: vec!["gpt-5*".to_owned()],
        ..Policy::default()
    });
    let tap = bench.begin();
    send(&tap, ASK);
    answer(&tap, "text/event-stream", &EVENTS);
    let id = tap.id().unwrap();
    let store = bench.end();
    assert!(store.row(id).unwrap().is_none());
    assert_eq!(store.total(), 0);
    assert!(store.body(id, Side::Request).unwrap().is_none());
}

#[test]
fn a_gap_is_shown_and_what_is_left_is_read() {
    let options = CaptureOptions {
        queued_bytes_max: 300,
        ..CaptureOptions::default()
    };
    let bench = bench_with(Policy::default(), options);
    let tap = bench.begin();
    send(&tap, ASK);
    let large = "x".repeat(1000);
    answer(&tap, "text/event-stream", &[EVENTS[0], &large]);
    let id = tap.id().unwrap();
    let store = bench.end();
    let exchange = store.exchange(id).unwrap().unwrap();
    let body = &exchange.response_body;
    assert_eq!(body.gaps.iter().map(|gap| gap.bytes).sum::<u64>(), 1000);
    assert_eq!(body.wire_sha256, None);
    let row = store.row(id).unwrap().unwrap();
    assert!(row.gap);
    assert_eq!(row.answer.as_deref(), Some("one"));
}

#[test]
fn a_long_request_is_stored_in_pieces_and_read_as_a_whole() {
    let bench = held_bench();
    let tap = bench.begin();
    let text = "流量 ".repeat(400_000);
    let ask = serde_json::json!({"model": "m", "messages": [{"role": "user", "content": text}]})
        .to_string();
    for frame in ask.as_bytes().chunks(60_000) {
        tap.frame(Side::Request, &Bytes::copy_from_slice(frame));
    }
    tap.body_end(Side::Request, BodyEnd::Ended);
    tap.sent();
    answer(&tap, "text/event-stream", &EVENTS);
    let id = tap.id().unwrap();
    let store = bench.start().end();
    let stored = store.body(id, Side::Request).unwrap().unwrap();
    assert!(stored.read_all(16 << 20).unwrap() == ask.as_bytes());
    let row = store.row(id).unwrap().unwrap();
    assert_eq!(row.requested_model.as_deref(), Some("m"));
    assert!(row.preview.unwrap().starts_with("流量 流量"));
}

#[test]
fn a_running_flow_is_seen_and_published_to_who_watches() {
    let bench = bench(Policy::default());
    let tap = bench.begin();
    let id = tap.id().unwrap();
    let watch = bench.store.watch(id);
    send(&tap, ASK);
    tap.head(head("text/event-stream"));
    tap.frame(Side::Response, &Bytes::from_static(EVENTS[0].as_bytes()));
    let (told, change) = std::sync::mpsc::channel();
    bench.store.on_change(Box::new(move || {
        // The test may have seen enough and gone.
        let _heard = told.send(()).is_ok();
    }));
    let shows_text = || {
        let live = bench.store.live(id);
        let parts = live.map(|live| {
            live.response
                .choices
                .first()
                .map_or(0, |choice| choice.message.parts.len())
        });
        parts.is_some_and(|parts| parts > 0)
    };
    let is_streaming = || {
        bench
            .store
            .row(id)
            .unwrap()
            .is_some_and(|row| row.state == State::Streaming)
    };
    while !(shows_text() && is_streaming()) {
        change
            .recv_timeout(Duration::from_secs(10))
            .expect("the flow is published");
    }
    drop(watch);
    tap.finish(EndReason::ClientAbort, None);
    let store = bench.end();
    let row = store.row(id).unwrap().unwrap();
    assert_eq!(
        (row.state, row.end),
        (State::Cancelled, Some(EndReason::ClientAbort))
    );
    assert_eq!(row.answer.as_deref(), Some("one"));
}

#[test]
fn a_stream_without_any_byte_is_empty() {
    let bench = bench(Policy::default());
    let tap = bench.begin();
    send(&tap, ASK);
    answer(&tap, "text/event-stream", &[]);
    let id = tap.id().unwrap();
    let row = bench.end().row(id).unwrap().unwrap();
    assert_eq!(
        (row.state, row.end),
        (State::Failed, Some(EndReason::Empty))
    );
    assert!(row.answer.unwrap().contains("without any event"));
}

#[test]
fn a_flow_that_may_not_be_held_is_read_from_the_store() {
    let bench = bench(Policy::default());
    let large = bench.begin();
    send(&large, ASK);
    large.head(head("text/event-stream"));
    // Comments are no events: they are counted, and nothing of them is kept.
    let comments = Bytes::from(":\n".repeat(1 << 20));
    for _ in 0..KEPT_BYTES_MAX / comments.len() {
        large.frame(Side::Response, &comments);
    }
    while bench.capture.stats().queued_events > 0 {
        thread::yield_now();
    }
    let small = bench.begin();
    send(&small, ASK);
    answer(&small, "text/event-stream", &EVENTS);
    let id = small.id().unwrap();
    large.finish(EndReason::ClientAbort, None);
    let row = bench.end().row(id).unwrap().unwrap();
    assert_eq!(row.state, State::Completed);
    assert_eq!(row.answer.as_deref(), Some("one two"));
    assert!(row.ttft_us.is_some());
}
