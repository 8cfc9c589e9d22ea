//! The figures, as Markdown tables.

use std::fmt::Write as _;
use std::time::Duration;

use super::latency::Latency;
use super::line::{BARE, DIRECT, MONITOR, NGINX};
use super::scenario::SCENARIOS;
use crate::out;

/// Latency that the monitor may add beside nginx, at the median and at the 99th percentile.
const MEDIAN_ADDED_MAX: Duration = Duration::from_micros(100);
const P99_ADDED_MAX: Duration = Duration::from_micros(500);

/// Everything measured.
#[derive(Default)]
pub(super) struct Report {
    /// CPU time of a request: scenario, way, one value a repetition.
    costs: Vec<(&'static str, &'static str, Vec<Duration>)>,
    pub(super) latencies: Vec<Latency>,
    pub(super) memory_peak_bytes: Option<u64>,
}

// === impl Report ===

impl Report {
    /// Adds the costs of one repetition, and returns them in words.
    pub(super) fn add(
        &mut self,
        scenario: &'static str,
        costs: Vec<(&'static str, Duration)>,
    ) -> String {
        let mut words = String::new();
        for (line, cost) in costs.into_iter().filter(|(line, _)| *line != DIRECT) {
            write!(words, "{line} {:.1} µs; ", micros(cost)).ok();
            let known = self.costs.iter_mut();
            let mut known = known.filter(|(one, two, _)| (*one, *two) == (scenario, line));
            match known.next() {
                Some((_, _, values)) => values.push(cost),
                None => self.costs.push((scenario, line, vec![cost])),
            }
        }
        words
    }

    /// Prints the tables.
    pub(super) fn print(&self) {
        out::line(self.cpu());
        out::line(self.latency());
        if let Some(bytes) = self.memory_peak_bytes {
            let mebibytes = bytes / (1 << 20);
            out::line(format_args!(
                "Memory of the monitor at its peak: {mebibytes} MiB."
            ));
        }
    }

    fn cpu(&self) -> String {
        let mut text = String::from(
            "\nCPU time of one request, work deferred behind the answer included: median (least to most).\n\n\
             | traffic | nginx | bare hyper | monitor | bare ÷ nginx | monitor ÷ nginx | budget | goal |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        for scenario in SCENARIOS {
            let values = |line| self.values(scenario.name, line);
            let (nginx, bare, monitor) = (values(NGINX), values(BARE), values(MONITOR));
            let verdict = match spread(&ratios(monitor, nginx)) {
                Some([_, median, _]) if median <= scenario.goal => "goal met",
                Some([_, median, _]) if median <= scenario.budget => "met",
                _ => "MISSED",
            };
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} ({verdict}) | {} |",
                scenario.name,
                times(nginx),
                times(bare),
                times(monitor),
                factors(&ratios(bare, nginx)),
                factors(&ratios(monitor, nginx)),
                scenario.budget,
                scenario.goal,
            )
            .ok();
        }
        text
    }

    fn values(&self, scenario: &str, line: &str) -> &[Duration] {
        let mut all = self.costs.iter();
        all.find(|(one, two, _)| (*one, *two) == (scenario, line))
            .map_or(&[], |(_, _, values)| values)
    }

    fn latency(&self) -> String {
        let mut text = String::from(
            "Time to the first byte, and delay of each event, at a low rate: median / 99th percentile.\n\n\
             | what | direct | nginx | bare hyper | monitor | beside nginx | allowed |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        );
        let mut kinds: Vec<&str> = self.latencies.iter().map(|one| one.kind).collect();
        kinds.dedup();
        for kind in kinds {
            let of = |line: &str| {
                let mut all = self.latencies.iter();
                all.find(|one| one.kind == kind && one.line == line)
            };
            let show = |line: &str| {
                of(line).map_or_else(String::new, |one| {
                    format!("{:.0} / {:.0} µs", micros(one.median), micros(one.p99))
                })
            };
            let added = of(MONITOR).zip(of(NGINX)).map_or_else(String::new, added);
            writeln!(
                text,
                "| {kind} | {} | {} | {} | {} | {added} | {:+.0} / {:+.0} µs |",
                show(DIRECT),
                show(NGINX),
                show(BARE),
                show(MONITOR),
                micros(MEDIAN_ADDED_MAX),
                micros(P99_ADDED_MAX),
            )
            .ok();
        }
        text
    }
}

fn added((monitor, nginx): (&Latency, &Latency)) -> String {
    let met = monitor.median <= nginx.median + MEDIAN_ADDED_MAX
        && monitor.p99 <= nginx.p99 + P99_ADDED_MAX;
    format!(
        "{:+.0} / {:+.0} µs ({})",
        micros(monitor.median) - micros(nginx.median),
        micros(monitor.p99) - micros(nginx.p99),
        if met { "met" } else { "MISSED" }
    )
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Returns the ratio of each repetition; repetitions are compared with themselves only.
fn ratios(left: &[Duration], right: &[Duration]) -> Vec<f64> {
    let pairs = left.iter().zip(right);
    pairs
        .filter(|(_, right)| !right.is_zero())
        .map(|(left, right)| left.as_secs_f64() / right.as_secs_f64())
        .collect()
}

/// Returns the least, the middle and the most.
fn spread(values: &[f64]) -> Option<[f64; 3]> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some([
        *sorted.first()?,
        *sorted.get(sorted.len() / 2)?,
        *sorted.last()?,
    ])
}

fn times(values: &[Duration]) -> String {
    let values: Vec<f64> = values.iter().copied().map(micros).collect();
    spread(&values).map_or_else(
        || "–".to_owned(),
        |[least, median, most]| format!("{median:.0} µs ({least:.0}–{most:.0})"),
    )
}

fn factors(values: &[f64]) -> String {
    spread(values).map_or_else(
        || "–".to_owned(),
        |[least, median, most]| format!("{median:.2} ({least:.2}–{most:.2})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &[u64], right: &[u64], expect: &str) {
        let times = |values: &[u64]| -> Vec<Duration> {
            values.iter().copied().map(Duration::from_micros).collect()
        };
        assert_eq!(factors(&ratios(&times(left), &times(right))), expect);
    }

    #[test]
    fn a_ratio_is_taken_within_one_repetition() {
        check(&[20, 40, 90], &[10, 10, 30], "3.00 (2.00–4.00)");
        check(&[20], &[0], "–");
        check(&[], &[], "–");
    }

    #[test]
    fn costs_are_collected_by_traffic_and_way() {
        let mut report = Report::default();
        for cost in [10, 20, 30] {
            let cost = Duration::from_micros(cost);
            let words = report.add("JSON 2 KB", vec![(DIRECT, cost), (NGINX, cost)]);
            assert!(!words.contains(DIRECT));
        }
        assert_eq!(report.values("JSON 2 KB", NGINX).len(), 3);
        assert_eq!(report.values("JSON 2 KB", DIRECT), []);
        let table = report.cpu();
        assert!(
            table.contains("| JSON 2 KB | 20 µs (10–30) | – |"),
            "{table}"
        );
    }
}
