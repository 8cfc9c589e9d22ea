//! Fills a data directory with made-up traffic.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use flow_meter::Prices;
use flow_model::Row;
use flow_store::{Store, StoreOptions, Write};

use crate::call::Call;
use crate::generator::Generator;
use crate::measure::{size, thread_time};
use crate::out;
use crate::traffic::{Stored, Traffic};

/// Rows of ended flows that the store keeps in memory.
const RECENT_ROWS_MAX: usize = 1000;
/// Longest time until all texts are indexed.
const INDEX_TIME_MAX: Duration = Duration::from_mins(30);
/// Calls that one thread makes before it takes the next share.
const SHARE_CALLS: u64 = 256;
/// How often the progress is told.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What is generated, and where to.
#[derive(Args)]
pub(crate) struct Options {
    /// The data directory; it is made where there is none.
    #[arg(long)]
    dir: PathBuf,
    #[command(flatten)]
    traffic: Traffic,
}

/// Generates.
pub(crate) fn run(options: &Options) -> Result<()> {
    let traffic = options.traffic;
    let store = open(&options.dir, &traffic)?;
    let begun = Instant::now();
    let raw_bytes = feed(&store, &traffic);
    let fed = begun.elapsed();
    ensure!(store.flush(), "the disk does not take what is generated");
    let took = begun.elapsed();
    ensure!(
        store.settle_index(INDEX_TIME_MAX),
        "texts are not indexed in time"
    );
    let indexed = begun.elapsed();
    store.close();
    let stored = Stored { traffic, raw_bytes };
    stored.write(&options.dir)?;
    let cpu = thread_time().unwrap_or_default();
    out::line(format_args!(
        "{} flows, {} of bodies: handed over in {fed:.1?} ({:.1} µs of CPU each), durable in {took:.1?}, {:.0} flows/s, indexed in {indexed:.1?}",
        traffic.flows,
        size(raw_bytes),
        micros_each(cpu, traffic.flows),
        per_second(traffic.flows, took),
    ));
    crate::size::print(&options.dir, &stored)
}

/// Opens the store of traffic.
pub(crate) fn open(dir: &Path, traffic: &Traffic) -> Result<Store> {
    let options = StoreOptions {
        dir: Some(dir.to_owned()),
        recent_rows_max: RECENT_ROWS_MAX,
        memory_bytes_max: 0,
        compressed: true,
        now: traffic.end(),
    };
    Store::open(options).with_context(|| format!("open {}", dir.display()))
}

/// Makes all calls and hands them to the store. Returns the bytes of their bodies.
fn feed(store: &Store, traffic: &Traffic) -> u64 {
    // The turns of a session follow from each other, calls on their own do not.
    let threads = match traffic.sessions {
        0 => thread::available_parallelism().map_or(1, usize::from),
        _ => 1,
    };
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let feeders: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| feed_shares(store, traffic, &next)))
            .collect();
        let fed = feeders.into_iter().map(|feeder| feeder.join().unwrap_or(0));
        fed.sum()
    })
}

/// Makes one share of the calls after the other, so that several threads keep about the order of time.
fn feed_shares(store: &Store, traffic: &Traffic, next: &AtomicU64) -> u64 {
    let prices = Prices::default();
    let mut generator = Generator::new(traffic.plan());
    let mut raw_bytes = 0;
    let mut told = Instant::now();
    loop {
        let from = next.fetch_add(SHARE_CALLS, Ordering::Relaxed);
        if from >= traffic.flows {
            return raw_bytes;
        }
        for position in from..(from + SHARE_CALLS).min(traffic.flows) {
            let call = generator.call(position);
            raw_bytes += call.bytes();
            let row = call.row(&prices);
            write_request(store, &call, &row);
            write_outcome(store, call, row);
        }
        if told.elapsed() > TOLD_EVERY {
            told = Instant::now();
            out::line(format_args!("{from} of {} flows", traffic.flows));
        }
    }
}

/// Hands a request to the store.
pub(crate) fn write_request(store: &Store, call: &Call, row: &Row) {
    let begun = Arc::new(call.begun());
    store.announce(Arc::clone(&begun), row.clone());
    store.write(Write::Request {
        exchange: begun,
        body: call.request.clone(),
        chunks: call.sent.clone(),
    });
}

/// Hands the end of a call to the store.
pub(crate) fn write_outcome(store: &Store, call: Call, row: Row) {
    store.write(Write::Outcome {
        exchange: Arc::new(call.exchange),
        response: call.response,
        chunks: call.chunks,
        row: Some(row),
    });
}

/// Returns how many a second.
pub(crate) fn per_second(count: u64, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "shown without places")]
    let count = count as f64;
    count / took.as_secs_f64().max(1e-9)
}

/// Returns the microseconds of each.
pub(crate) fn micros_each(took: Duration, count: u64) -> f64 {
    1e6 / per_second(count, took).max(1e-9)
}
