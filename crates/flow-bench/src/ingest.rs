//! Ingest at the recorder's input: frames go into the capture queues as the relay would put them there, and the
//! clock stops when everything is durable.
//!
//! Calls are made in blocks before they are fed, so that making them does not count, neither as time nor as CPU.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use flow_capture::{BodyEnd, Capture, CaptureOptions, ConnectTimings, FlowStart, Policy};
use flow_meter::Meter;
use flow_model::{EndReason, Side, Timestamp};
use flow_recorder::Recorder;
use flow_store::Store;

use crate::call::Call;
use crate::generate::{self, micros_each, per_second};
use crate::generator::Generator;
use crate::measure::cpu_time;
use crate::report::{Figure, Report};
use crate::traffic::Traffic;

/// Bytes of bodies that are made before they are fed.
/// Longest time until all texts are indexed.
const INDEX_TIME_MAX: Duration = Duration::from_mins(10);
const BLOCK_BYTES: u64 = 200 << 20;
/// Bytes in which a request's body arrives.
const FRAME_BYTES: usize = 64 << 10;
/// Bytes and events that wait for the recorder; the feeder waits beyond, so that nothing goes to the spill.
const QUEUED_BYTES_MAX: u64 = 32 << 20;
const QUEUED_EVENTS_MAX: u64 = 4_000;
/// Workers of the recorder.
const WORKERS: usize = 2;

/// Feeds traffic to a recorder with a store of its own in `dir`, and adds what it took to the report.
pub(crate) fn measure(dir: &Path, traffic: &Traffic, report: &mut Report) -> Result<()> {
    let store = generate::open(dir, traffic)?;
    let clock = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&clock);
    let options = CaptureOptions {
        workers: WORKERS,
        ..CaptureOptions::default()
    };
    let now = Arc::new(move || Timestamp(told.load(Ordering::Relaxed)));
    let (capture, receivers) = Capture::new(options, Policy::default(), now)?;
    let recorder = Recorder::start(receivers, &capture, &store, &Meter::default())
        .context("start the recorder")?;
    let (took, cpu) = feed(&capture, &store, &clock, traffic)?;
    capture.close();
    recorder.join();
    ensure!(store.flush(), "the disk does not take what is recorded");
    let stats = capture.stats();
    ensure!(
        stats.gap_frames == 0 && stats.flows_lost == 0,
        "the recorder did not follow: {stats:?}"
    );
    ensure!(store.total() == traffic.flows, "flows are missing");
    store.close();
    let (figure, cpu_figure) = Figure::of_ingest(traffic.sessions > 0);
    let rate = per_second(traffic.flows, took);
    report.add(figure, "", format_args!("{rate:.0}/s"));
    let each = micros_each(cpu, traffic.flows);
    report.add(cpu_figure, "", format_args!("{each:.0} µs"));
    Ok(())
}

/// Feeds all calls. Returns the time and the CPU time that the recorder and the store took for them.
fn feed(
    capture: &Capture,
    store: &Store,
    clock: &AtomicI64,
    traffic: &Traffic,
) -> Result<(Duration, Duration)> {
    let mut generator = Generator::new(traffic.plan());
    let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
    let mut position = 0;
    while position < traffic.flows {
        let (mut block, mut bytes) = (Vec::new(), 0);
        while bytes < BLOCK_BYTES && position < traffic.flows {
            let call = generator.call(position);
            bytes += call.bytes();
            block.push(call);
            position += 1;
        }
        let (begun, cpu_before) = (Instant::now(), cpu_time().unwrap_or_default());
        for call in block {
            clock.store(call.exchange.started_at.0, Ordering::Relaxed);
            pass(capture, call);
            wait(capture, QUEUED_BYTES_MAX, QUEUED_EVENTS_MAX);
        }
        wait(capture, 0, 0);
        ensure!(store.flush(), "the disk does not take what is recorded");
        ensure!(
            store.settle_index(INDEX_TIME_MAX),
            "texts are not indexed in time"
        );
        took += begun.elapsed();
        cpu += cpu_time().unwrap_or_default().saturating_sub(cpu_before);
    }
    Ok((took, cpu))
}

/// Waits until no more than so much is queued.
fn wait(capture: &Capture, bytes_max: u64, events_max: u64) {
    loop {
        let stats = capture.stats();
        if stats.queued_bytes <= bytes_max && stats.queued_events <= events_max {
            return;
        }
        thread::park_timeout(Duration::from_micros(200));
    }
}

/// Lets one call pass the tap.
fn pass(capture: &Capture, call: Call) {
    let exchange = call.exchange;
    let tap = capture.begin(FlowStart {
        peer: exchange.peer,
        route: exchange.route,
        request: exchange.request,
    });
    tap.connected(ConnectTimings {
        reused: true,
        ..ConnectTimings::default()
    });
    let mut body = call.request;
    while !body.is_empty() {
        let frame = body.split_to(body.len().min(FRAME_BYTES));
        tap.frame(Side::Request, &frame);
    }
    tap.body_end(Side::Request, BodyEnd::Ended);
    tap.sent();
    let Some(mut head) = exchange.response else {
        tap.finish(EndReason::Timeout, exchange.failure);
        return;
    };
    // What is fed is decoded already.
    head.headers
        .retain(|field| field.name != "content-encoding");
    tap.head(head);
    frames(&call.response, &call.chunks, |frame| {
        tap.frame(Side::Response, &frame);
    });
    let aborted = exchange.end == Some(EndReason::ClientAbort);
    let end = if aborted {
        BodyEnd::Dropped
    } else {
        BodyEnd::Ended
    };
    tap.body_end(Side::Response, end);
    let reason = if aborted {
        EndReason::ClientAbort
    } else {
        EndReason::Ended
    };
    tap.finish(reason, exchange.failure);
}

/// Hands out a body in the parts in which it arrived.
fn frames(body: &Bytes, chunks: &[flow_model::Chunk], mut each: impl FnMut(Bytes)) {
    let mut rest = body.clone();
    let mut from = 0;
    for chunk in chunks {
        let length = usize::try_from(chunk.bytes_end.saturating_sub(from)).unwrap_or(usize::MAX);
        each(rest.split_to(length.min(rest.len())));
        from = chunk.bytes_end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fed_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let traffic = Traffic {
            flows: 60,
            sessions: 1,
            turns: 10,
            request_bytes: 50_000,
            call_bytes: crate::single::CALL_BYTES,
            days: 2,
            seed: 3,
        };
        let mut report = Report::default();
        measure(dir.path(), &traffic, &mut report).unwrap();
        let store = Store::open_read_only(dir.path()).unwrap();
        assert_eq!(store.total(), 60);
        assert!(store.unfinished().unwrap().is_empty());
    }
}
