//! Times, percentiles, CPU and memory of this process, and how quiet the machine is.
//!
//! CPU and memory are read from `/proc`, which only Linux has; elsewhere they are unknown.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::random::{Domain, Random};

/// Length of a clock tick in `/proc/self/stat`: the kernel shows 100 a second on every architecture that we run on.
const TICK: Duration = Duration::from_millis(10);
/// Fields of user and system time, counted from the one after the program's name.
const USER_FIELD: usize = 11;
const SYSTEM_FIELD: usize = 12;
/// Steps of the loop that shows how quiet the machine is.
const LOOP_STEPS: u64 = 1_000_000;

/// The middle and the slow end of many runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spread {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

/// How long a fixed loop takes, again and again over a run.
#[derive(Debug, Default)]
pub(crate) struct Noise(Vec<Duration>);

/// Runs something many times with a number that differs, after some runs that do not count.
pub(crate) fn repeated(runs: u64, mut run: impl FnMut(u64) -> Result<()>) -> Result<Spread> {
    for number in 0..runs / 10 + 3 {
        run(number + runs)?;
    }
    let mut times = Vec::new();
    for number in 0..runs {
        let begun = Instant::now();
        run(number)?;
        times.push(begun.elapsed());
    }
    Ok(Spread::of(times))
}

/// Returns the CPU time that all threads of this process have used.
pub(crate) fn cpu_time() -> Option<Duration> {
    ticks(&fs::read_to_string("/proc/self/stat").ok()?).map(|ticks| TICK.saturating_mul(ticks))
}

/// Returns the CPU time that this thread has used.
pub(crate) fn thread_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// Returns the resident bytes of this process, pages of mapped files aside.
pub(crate) fn memory_bytes() -> Option<u64> {
    resident(&fs::read_to_string("/proc/self/status").ok()?)
}

fn ticks(stat: &str) -> Option<u32> {
    // The name stands in brackets and may hold anything, brackets too.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let user: u32 = fields.get(USER_FIELD)?.parse().ok()?;
    let system: u32 = fields.get(SYSTEM_FIELD)?.parse().ok()?;
    user.checked_add(system)
}

fn resident(status: &str) -> Option<u64> {
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    Some(kib("VmRSS:")?.saturating_sub(kib("RssFile:")?) * 1024)
}

// === impl Spread ===

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |per_cent: usize| {
            let place = (times.len() * per_cent / 100).min(times.len().saturating_sub(1));
            times.get(place).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p99: at(99),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", millis(self.p50), millis(self.p99))
    }
}

/// Returns a time in milliseconds, with as many places as matter.
pub(crate) fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    let places = if millis < 10.0 {
        2
    } else {
        usize::from(millis < 100.0)
    };
    format!("{millis:.places$} ms")
}

/// Returns bytes in the unit that fits.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let bytes = bytes as f64;
    match bytes {
        0.0..1e4 => format!("{bytes} B"),
        1e4..1e6 => format!("{:.1} KB", bytes / 1e3),
        1e6..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.2} GB", bytes / 1e9),
    }
}

// === impl Noise ===

impl Noise {
    /// Times the loop once more.
    pub(crate) fn sample(&mut self) {
        let begun = Instant::now();
        let mut random = Random::keyed(0, Domain::Query, 0);
        let sum = (0..LOOP_STEPS).fold(0, |sum: u64, _| sum.wrapping_add(random.next()));
        std::hint::black_box(sum);
        self.0.push(begun.elapsed());
    }
}

impl fmt::Display for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times = self.0.clone();
        times.sort_unstable();
        let at = |place: usize| millis(times.get(place).copied().unwrap_or_default());
        let last = times.len().saturating_sub(1);
        write!(
            f,
            "a fixed loop took {} at best, {} in the middle, {} at worst over {} times",
            at(0),
            at(last / 2),
            at(last),
            times.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times = (0..200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(times);
        assert_eq!(spread.p50, Duration::from_millis(100));
        assert_eq!(spread.p99, Duration::from_millis(198));
        assert_eq!(Spread::of(Vec::new()).p99, Duration::ZERO);
    }

    #[test]
    fn proc_is_understood() {
        assert_eq!(
            ticks("1 (a) (b c) S 1 1 1 0 -1 0 1 2 3 4 70 8 0 0"),
            Some(78)
        );
        assert_eq!(ticks("1 (a) S 1"), None);
        let status = "Name:\tx\nVmRSS:\t   300 kB\nRssAnon:\t 200 kB\nRssFile:\t 100 kB\n";
        assert_eq!(resident(status), Some(200 * 1024));
        assert_eq!(resident("VmRSS: 1 kB"), None);
    }

    #[test]
    fn amounts_are_shown_in_the_unit_that_fits() {
        let show = |micros| millis(Duration::from_micros(micros));
        assert_eq!(
            [show(1234), show(12_345), show(123_456)],
            ["1.23 ms", "12.3 ms", "123 ms"]
        );
        assert_eq!(
            [size(999), size(12_000), size(3_400_000_000)],
            ["999 B", "12.0 KB", "3.40 GB"]
        );
    }
}
