//! Cheap answers for benchmarks: bytes are made once a size and not hashed or logged.
//!
//! `/bench/json/{bytes}/…` answers with a whole chat completion of exactly so many bytes, `/bench/stream/{chunks}/
//! {bytes}/…` with so many events of so many bytes. Whatever follows is ignored, so that a benchmark can put
//! `…/bench/json/2048` in front of a client's ordinary paths.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;
use parking_lot::Mutex;

use crate::plan::{Plan, Step};

const BODY_BYTES_MAX: usize = 64 << 20;
const CHUNKS_MAX: usize = 1_000_000;
/// Different sizes that are kept.
const CACHED_MAX: usize = 16;

const JSON_HEAD: &str = r#"{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":""#;
const JSON_TAIL: &str = r#""},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}}"#;
const EVENT_HEAD: &str = r#"data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench","choices":[{"index":0,"delta":{"content":""#;
const EVENT_TAIL: &str = "\"},\"finish_reason\":null}]}\n\n";

/// Bytes that were made before.
#[derive(Default)]
pub(crate) struct Bench {
    made: Mutex<BTreeMap<(bool, usize), Bytes>>,
}

impl Bench {
    /// Returns the answer to a path under `/bench/`, or none where the path is another one.
    pub(crate) fn plan(&self, path: &str) -> Option<Plan> {
        let mut words = path.strip_prefix("/bench/")?.split('/');
        let kind = words.next()?;
        let first: usize = words.next()?.parse().ok()?;
        match kind {
            "json" => {
                let body = self.bytes(false, first.min(BODY_BYTES_MAX));
                Some(Plan::fixed(StatusCode::OK, "application/json", body))
            }
            "stream" => {
                let bytes: usize = words.next()?.parse().ok()?;
                let event = self.bytes(true, bytes.min(BODY_BYTES_MAX));
                let count = first.min(CHUNKS_MAX);
                let done = Bytes::from_static(b"data: [DONE]\n\n");
                let events = std::iter::repeat_n(event, count).chain([done]);
                let mut plan = Plan::fixed(StatusCode::OK, "text/event-stream", Bytes::new());
                plan.steps = events.map(Step::Bytes).collect();
                plan.length = None;
                Some(plan)
            }
            _ => None,
        }
    }

    fn bytes(&self, event: bool, length: usize) -> Bytes {
        let mut made = self.made.lock();
        if let Some(bytes) = made.get(&(event, length)) {
            return bytes.clone();
        }
        let (head, tail) = if event {
            (EVENT_HEAD, EVENT_TAIL)
        } else {
            (JSON_HEAD, JSON_TAIL)
        };
        let filler = length.saturating_sub(head.len() + tail.len());
        let bytes = Bytes::from([head, &"x".repeat(filler), tail].concat());
        if made.len() >= CACHED_MAX {
            made.pop_first();
        }
        made.insert((event, length), bytes.clone());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_length_asked_for() {
        let bench = Bench::default();
        for bytes in [400, 2048, 200_000] {
            let plan = bench
                .plan(&format!("/bench/json/{bytes}/v1/chat/completions"))
                .unwrap();
            assert_eq!(plan.length, Some(bytes));
            let Step::Bytes(body) = &plan.steps[0] else {
                panic!("the only step is the body");
            };
            assert!(serde_json::from_slice::<serde_json::Value>(body).is_ok());
        }
        let plan = bench.plan("/bench/stream/100/300").unwrap();
        assert_eq!(plan.steps.len(), 101);
        let Step::Bytes(event) = &plan.steps[0] else {
            panic!("the first step is an event");
        };
        assert_eq!(event.len(), 300);
    }

    #[test]
    fn other_paths_are_not_for_it() {
        let bench = Bench::default();
        for path in [
            "/bench/json",
            "/bench/json/x",
            "/bench/stream/3",
            "/bench/what/3",
            "/v1/models",
        ] {
            assert!(bench.plan(path).is_none(), "{path}");
        }
    }
}
