//! Measures how many flows a second the store takes in, durably, what a commit costs, how soon a store is ready
//! after a start, and what questions cost.
//!
//! `cargo run --release -p flow-store --example ingest -- DIR BYTES FLOWS THREADS`, for example with `4096 20000 2`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use flow_model::{
    BodyFacts, Chunk, EndReason, Exchange, FlowId, Header, Reading, RequestHead, ResponseHead,
    Route, Row, Timestamp, Timings,
};
use flow_query::{Checked, Field, Filter};
use flow_store::{GroupBy, ListQuery, Measure, OpenError, Store, StoreOptions, Write};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, bytes, flows, threads] = arguments.as_slice() else {
        return Err("usage: ingest DIR BYTES FLOWS THREADS".into());
    };
    let (bytes, flows, threads): (usize, usize, usize) =
        (bytes.parse()?, flows.parse()?, threads.parse()?);
    let store = open(Path::new(dir))?;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let store = &store;
            scope.spawn(move || {
                for number in 0..flows / threads {
                    record(store, bytes, (number * threads + thread) as u64);
                }
            });
        }
    });
    let queued = begun.elapsed();
    store.flush();
    let took = begun.elapsed();
    println!("{flows} flows of {bytes} bytes: queued in {queued:?}, durable in {took:?}");
    let micros = took.as_micros().max(1);
    println!("{} flows/s", flows as u128 * 1_000_000 / micros);
    println!("{:?}", store.health());
    ask(&store)?;
    store.close();
    drop(store);
    println!("closed after {:?}", begun.elapsed());
    let begun = Instant::now();
    let store = open(Path::new(dir))?;
    println!("opened again in {:?}", begun.elapsed());
    store.prepare_lists()?;
    println!("and ready for lists after {:?}", begun.elapsed());
    ask(&store)?;
    Ok(())
}

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(StoreOptions {
        dir: Some(dir.to_owned()),
        recent_rows_max: 1000,
        memory_bytes_max: 0,
        compressed: true,
        now: Timestamp(0),
    })
}

/// Prints how long each question takes, asked the second time.
fn ask(store: &Store) -> Result<(), Box<dyn std::error::Error>> {
    let slow = r#"{"all":[{"field":"tokens","min":500},{"field":"model","is":"model-1*"}]}"#;
    let slow = Filter::from_json(slow)?.check().unwrap_or_default();
    for (name, filter) in [("all", Checked::everything()), ("some", slow)] {
        for sort in ["-started_at", "-tokens", "model"] {
            let query = ListQuery {
                filter: filter.clone(),
                sort: sort.parse()?,
                limit: 50,
                cursor: None,
            };
            store.list(&query)?;
            let begun = Instant::now();
            let page = store.list(&query)?;
            let (took, rows) = (begun.elapsed(), page.rows.len());
            println!(
                "list {name} by {sort}: {rows} of {:?} in {took:?}",
                page.total
            );
        }
        let begun = Instant::now();
        let counted = store.count(&filter)?;
        println!("count {name}: {counted:?} in {:?}", begun.elapsed());
        let measure = Measure {
            field: Field::Duration,
            percentiles: true,
        };
        let begun = Instant::now();
        let by = [GroupBy::Name(Field::Model)];
        let groups = store.groups(&filter, &by, &[measure])?.groups.len();
        println!("{groups} groups of {name} in {:?}", begun.elapsed());
        let begun = Instant::now();
        let facets = store.facets(&filter, &[Field::Model, Field::State], 20)?;
        println!("{} facets of {name} in {:?}", facets.len(), begun.elapsed());
    }
    Ok(())
}

fn record(store: &Store, bytes: usize, number: u64) {
    let mut exchange = exchange(number);
    store.announce(
        Arc::new(exchange.clone()),
        Row::new(&exchange, &Reading::default()),
    );
    let chunks = vec![Chunk {
        at_us: 1,
        wire_bytes: 1,
        bytes_end: 1,
    }];
    store.write(Write::Request {
        exchange: Arc::new(exchange.clone()),
        body: text(bytes * 3 / 4, number),
        chunks: chunks.clone(),
    });
    exchange.response = Some(ResponseHead {
        status: 200,
        reason: Some("OK".to_owned()),
        version: "HTTP/1.1".to_owned(),
        headers: headers(10),
    });
    exchange.end = Some(EndReason::Ended);
    exchange.timings.duration_us = Some(number * 7919 % 60_000_000);
    let mut row = Row::new(&exchange, &Reading::default());
    row.model = Some(format!("model-{}", number % 20));
    row.tokens.total = Some(number * 7919 % 2000);
    let row = Some(row);
    let exchange = Arc::new(exchange);
    store.write(Write::Outcome {
        exchange,
        response: text(bytes / 4, !number),
        chunks,
        row,
    });
}

fn exchange(number: u64) -> Exchange {
    Exchange {
        id: FlowId::from_uuid(Uuid::now_v7()),
        started_at: Timestamp(i64::try_from(number).unwrap_or(0)),
        peer: Some("127.0.0.1:50000".to_owned()),
        route: Route {
            upstream: Some("openai".to_owned()),
            provider: Some("openai".to_owned()),
            url: Some("https://api.openai.com/v1/chat/completions".to_owned()),
            run: None,
        },
        request: RequestHead {
            method: "POST".to_owned(),
            target: "/openai/v1/chat/completions".to_owned(),
            version: "HTTP/1.1".to_owned(),
            headers: headers(14),
        },
        request_body: BodyFacts::default(),
        response: None,
        response_body: BodyFacts::default(),
        timings: Timings::default(),
        end: None,
        failure: None,
    }
}

fn headers(count: usize) -> Vec<Header> {
    let header = |number| Header {
        name: format!("x-stainless-header-{number}"),
        value: "a value of common length".to_owned(),
        latin1: false,
    };
    (0..count).map(header).collect()
}

/// Returns text of words, unlike that of any other seed, that compresses about as prose does.
fn text(bytes: usize, seed: u64) -> Bytes {
    const WORDS: [&str; 16] = [
        "the",
        "model",
        "reads",
        "a",
        "file",
        "and",
        "calls",
        "tool",
        "\\n",
        "error",
        "in",
        "line",
        "function",
        "returns",
        "value",
        "\"content\":",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(bytes + 32);
    while text.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let word = usize::try_from(state >> 60).unwrap_or(0);
        text.push_str(WORDS.get(word).copied().unwrap_or("word"));
        text.push(' ');
        if (state >> 40).is_multiple_of(8) {
            text.push_str(&(state >> 32).to_string());
            text.push(' ');
        }
    }
    text.truncate(bytes);
    Bytes::from(text)
}
