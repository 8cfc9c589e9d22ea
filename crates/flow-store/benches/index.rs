//! Indexing a store: how fast the thread that indexes follows, and what a search finds then.
//!
//! ```text
//! cargo bench -p flow-store --bench index             20,000 flows of 4 KB, 40 sessions of 50 turns
//! cargo bench -p flow-store --bench index -- 5000     so many flows, and a fortieth of it in each session
//! ```
//!
//! Flows are recorded without an index, which is then made from the segment: nothing else runs meanwhile. Words are
//! of a vocabulary as unequal in frequency as a real one (Zipf), and each flow has an identifier of its own.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    reason = "a benchmark prints what it measured, and stops where it cannot go on"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flow_model::{
    BodyFacts, EndReason, Exchange, FlowId, Reading, RequestHead, ResponseHead, Route, Row,
    Timestamp, Timings,
};
use flow_query::Scope;
use flow_store::text::Budget;
use flow_store::{SearchQuery, Store, StoreOptions, Write};

const WAIT: Duration = Duration::from_mins(5);
const WORDS: usize = 30_000;
const SESSIONS: usize = 40;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns so many bytes of words.
    fn prose(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            let part = self.next() as f64 / u64::MAX as f64;
            let rank = (WORDS as f64).powf(part) as u64;
            let mut word = rank.wrapping_mul(0x9e37_79b9) % 308_915_776;
            for _ in 0..4 + rank % 5 {
                text.push(char::from(b'a' + (word % 26) as u8));
                word = word / 26 + rank;
            }
            text.push(' ');
        }
        text
    }
}

fn id(number: u64) -> FlowId {
    let mut bytes = [0; 16];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&(0x019a_0000_0000_7000 | number >> 4 << 16).to_be_bytes());
    tail.copy_from_slice(&(0x8000_0000_0000_0000 | number).to_be_bytes());
    FlowId::from_bytes(bytes)
}

fn exchange(number: u64) -> Exchange {
    let complete = BodyFacts {
        complete: true,
        ..BodyFacts::default()
    };
    Exchange {
        id: id(number),
        started_at: Timestamp(1_790_000_000_000_000 + number.cast_signed()),
        peer: None,
        route: Route {
            upstream: Some("anthropic".to_owned()),
            provider: Some("anthropic".to_owned()),
            url: Some("https://api.anthropic.com/v1/messages".to_owned()),
            run: None,
        },
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/anthropic/v1/messages".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: Vec::new(),
        },
        request_body: complete.clone(),
        response: Some(ResponseHead {
            status: 200,
            reason: None,
            version: "HTTP/1.1".to_owned(),
            headers: Vec::new(),
        }),
        response_body: complete,
        timings: Timings::default(),
        end: Some(EndReason::Ended),
        failure: None,
    }
}

fn record(store: &Store, number: u64, ask: String, answer: &str) {
    let ended = exchange(number);
    let row = Row::new(&ended, &Reading::default());
    let begun = Exchange {
        end: None,
        response: None,
        ..ended.clone()
    };
    store.write(Write::Request {
        exchange: Arc::new(begun),
        body: Bytes::from(ask),
        chunks: Vec::new(),
    });
    let answer = format!(
        r#"{{"id":"m","type":"message","role":"assistant","model":"m","content":[{{"type":"text","text":"{answer}"}}],"stop_reason":"end_turn"}}"#
    );
    store.write(Write::Outcome {
        exchange: Arc::new(ended),
        response: Bytes::from(answer),
        chunks: Vec::new(),
        row: Some(row),
    });
}

fn message(role: &str, text: &str) -> String {
    format!(r#"{{"role":"{role}","content":[{{"type":"text","text":"{text}"}}]}}"#)
}

/// Flows of 4 KB that have nothing in common.
fn calls(store: &Store, flows: usize) {
    let mut dice = Dice(1);
    for number in 0..flows as u64 {
        let asked = format!("{} call_{number}", dice.prose(3000));
        let ask = format!(
            r#"{{"model":"m","messages":[{}]}}"#,
            message("user", &asked)
        );
        record(store, number, ask, &dice.prose(1000));
    }
}

/// Sessions whose turns repeat what was said before.
fn turns(store: &Store, turns: usize) {
    let mut dice = Dice(2);
    let system = dice.prose(16_000);
    let mut number = 0;
    for session in 0..SESSIONS {
        let mut messages: Vec<String> = Vec::new();
        for turn in 0..turns {
            let asked = format!("{} turn_{session}_{turn}", dice.prose(3000));
            messages.push(message("user", &asked));
            let ask = format!(
                r#"{{"model":"m","system":[{{"type":"text","text":"{system}"}}],"messages":[{}]}}"#,
                messages.join(",")
            );
            let answer = dice.prose(1000);
            record(store, number, ask, &answer);
            messages.push(message("assistant", &answer));
            number += 1;
        }
    }
}

fn open(dir: &Path) -> Store {
    let options = StoreOptions {
        dir: Some(dir.to_owned()),
        recent_rows_max: 1000,
        memory_bytes_max: 0,
        compressed: true,
        now: Timestamp(1_790_000_000_000_000),
    };
    Store::open(options).unwrap()
}

fn bytes(dir: &Path, ending: &str) -> u64 {
    let files = std::fs::read_dir(dir.join("segments")).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let wanted = files.filter(|path| path.extension().is_some_and(|found| found == ending));
    wanted.map(|path| path.metadata().unwrap().len()).sum()
}

fn measure(name: &str, flows: usize, make: impl Fn(&Store), needles: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let begun = Instant::now();
    make(&store);
    assert!(store.flush());
    let recorded = begun.elapsed();
    assert!(store.settle_index(WAIT));
    let followed = begun.elapsed();
    store.close();
    drop(store);
    for entry in std::fs::read_dir(dir.path().join("segments")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains(".fts") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let begun = Instant::now();
    let store = open(dir.path());
    assert!(store.settle_index(WAIT));
    let indexed = begun.elapsed();
    println!(
        "{name}: {flows} flows recorded in {recorded:.2?}, index there after {followed:.2?}; made anew in \
         {indexed:.2?}, {:.0} flows/s; {} MB of flows, {} MB of index",
        flows as f64 / indexed.as_secs_f64(),
        bytes(dir.path(), "db") / 1_000_000,
        bytes(dir.path(), "fts") / 1_000_000,
    );
    for needle in needles {
        let begun = Instant::now();
        let page = store.search(&SearchQuery {
            needle: (*needle).to_owned(),
            scope: Scope::Content,
            cursor: None,
            limit: 50,
            budget: Budget {
                checks_max: 20_000,
                deadline: begun + Duration::from_millis(150),
            },
        });
        let page = page.unwrap();
        let (hits, took) = (page.hits.len(), begun.elapsed());
        println!(
            "  {needle:?}: {hits} hits in {took:.2?}, partial {}",
            page.partial
        );
    }
}

fn main() {
    let mut flows = std::env::args().filter_map(|argument| argument.parse().ok());
    let flows = flows.next_back().unwrap_or(20_000_usize);
    let each = (flows / 10 / SESSIONS).max(1);
    measure(
        "calls",
        flows,
        |store| calls(store, flows),
        &["call_17", "all_1234", "zzzz"],
    );
    let needles = ["turn_3_7", "urn_39_1", "zzzz"];
    measure(
        "turns",
        each * SESSIONS,
        |store| turns(store, each),
        &needles,
    );
}
