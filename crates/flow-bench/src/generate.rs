//! Fills a data directory with made-up traffic.

use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    store.close();
    let stored = Stored { traffic, raw_bytes };
    stored.write(&options.dir)?;
    let cpu = thread_time().unwrap_or_default();
    out::line(format_args!(
        "{} flows, {} of bodies: handed over in {fed:.1?} ({:.1} µs of CPU each), durable in {took:.1?}, {:.0} flows/s",
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
    let prices = Prices::default();
    let mut generator = Generator::new(traffic.plan());
    let mut raw_bytes = 0;
    let mut told = Instant::now();
    for position in 0..traffic.flows {
        let call = generator.call(position);
        raw_bytes += call.bytes();
        let row = call.row(&prices);
        write_request(store, &call, &row);
        write_outcome(store, call, row);
        if told.elapsed() > TOLD_EVERY {
            told = Instant::now();
            out::line(format_args!("{position} of {} flows", traffic.flows));
        }
    }
    raw_bytes
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
