//! Latency, one request at a time: the first byte of an answer, and the delay of each event of a stream.
//!
//! The ways take turns with every request, so that a slow moment of the machine meets all of them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http_body_util::BodyExt as _;

use super::line::{Line, Lines};
use super::scenario::SCENARIOS;
use super::upstream;
use crate::load::{Ask, Connection, Template, post};

/// Requests of each kind and way.
pub(super) const SAMPLES: usize = 500;
/// Pause between requests: the rate is low.
const PAUSE: Duration = Duration::from_millis(4);
/// Out of so many samples one stream is read; each has 40 events.
const SAMPLES_PER_STREAM: usize = 25;
/// Name of the event delay in the report.
const EVENTS: &str = "each event of a stream";
const EVENTS_PATH: &str = "/pulse/v1/chat/completions";
/// Requests that are sent first and not counted.
const WARM_UP: usize = 10;

/// What was measured of one kind and way.
pub(super) struct Latency {
    pub(super) kind: &'static str,
    pub(super) line: &'static str,
    pub(super) median: Duration,
    pub(super) p99: Duration,
}

/// Measures every kind on every way.
pub(super) async fn measure(
    lines: &mut Lines,
    samples: usize,
    number: &mut u64,
) -> Result<Vec<Latency>> {
    let mut all = Vec::new();
    for scenario in SCENARIOS.iter().filter(|scenario| !scenario.ask.stream) {
        let template = Template::new(scenario.ask, 1);
        let count = samples;
        all.extend(
            kind(
                lines,
                (scenario.name, scenario.path),
                &template,
                count,
                number,
            )
            .await?,
        );
    }
    let template = Template::new(
        Ask {
            bytes: 2_000,
            stream: true,
        },
        1,
    );
    let count = samples.div_ceil(SAMPLES_PER_STREAM);
    all.extend(kind(lines, (EVENTS, EVENTS_PATH), &template, count, number).await?);
    Ok(all)
}

async fn kind(
    lines: &mut Lines,
    (kind, path): (&'static str, &str),
    template: &Template,
    count: usize,
    number: &mut u64,
) -> Result<Vec<Latency>> {
    let mut ways: Vec<(&Line, Connection, Vec<Duration>)> = Vec::new();
    for line in lines.in_turn(0) {
        line.settle().await?;
        let connection = Connection::open(line.address).await?;
        ways.push((line, connection, Vec::new()));
    }
    let warm_up = WARM_UP.min(count);
    for index in 0..count + warm_up {
        for (line, connection, samples) in &mut ways {
            *number += 1;
            let request = post(line.address, &line.path(path), template.fill(*number))?;
            let measured = one(connection, request, kind == EVENTS).await?;
            if index >= warm_up {
                samples.extend(measured);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    ways.into_iter()
        .map(|(line, _, mut samples)| {
            samples.sort_unstable();
            Ok(Latency {
                kind,
                line: line.name,
                median: quantile(&samples, 50).context("nothing was measured")?,
                p99: quantile(&samples, 99).context("nothing was measured")?,
            })
        })
        .collect()
}

/// Returns the time to the first byte, or the delay of each event.
async fn one(
    connection: &mut Connection,
    request: hyper::Request<http_body_util::Full<bytes::Bytes>>,
    events: bool,
) -> Result<Vec<Duration>> {
    let start = Instant::now();
    let response = connection.send(request).await?;
    ensure!(response.status().is_success(), "{}", response.status());
    let mut measured = Vec::new();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(bytes) = frame.data_ref() else {
            continue;
        };
        if events {
            measured.extend(upstream::age(bytes));
        } else if measured.is_empty() {
            measured.push(start.elapsed());
        }
    }
    Ok(measured)
}

/// Returns the value below which so many of a hundred lie.
fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: u64, percent: usize, expect: Option<u64>) {
        let sorted: Vec<Duration> = (1..=count).map(Duration::from_millis).collect();
        assert_eq!(
            quantile(&sorted, percent),
            expect.map(Duration::from_millis)
        );
    }

    #[test]
    fn quantiles_are_samples() {
        check(100, 50, Some(50));
        check(100, 99, Some(99));
        check(1, 99, Some(1));
        check(0, 50, None);
    }
}
