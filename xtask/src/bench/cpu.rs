//! CPU time and memory of other processes, as Linux tells it in `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Length of a clock tick in `/proc/…/stat`: the kernel shows 100 a second on every architecture that we run on.
const TICK: Duration = Duration::from_millis(10);
/// Fields of user and system time, counted from the one after the program's name.
const USER_FIELD: usize = 11;
const SYSTEM_FIELD: usize = 12;

/// Returns the time that all threads of the processes have used so far.
pub(super) fn time(processes: &[u32]) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for id in processes {
        let path = format!("/proc/{id}/stat");
        let text = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let ticks = ticks(&text).with_context(|| format!("understand {path}"))?;
        total += TICK.saturating_mul(ticks);
    }
    Ok(total)
}

fn ticks(stat: &str) -> Option<u32> {
    // The name stands in brackets and may hold anything, brackets too.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let user: u32 = fields.get(USER_FIELD)?.parse().ok()?;
    let system: u32 = fields.get(SYSTEM_FIELD)?.parse().ok()?;
    user.checked_add(system)
}

/// Returns a process and its children.
pub(super) fn family(id: u32) -> Vec<u32> {
    let path = format!("/proc/{id}/task/{id}/children");
    let children = fs::read_to_string(path).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|id| id.parse().ok());
    std::iter::once(id).chain(children).collect()
}

/// Returns the most memory that a process has held.
pub(super) fn memory_peak(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stat: &str, expect: Option<u32>) {
        assert_eq!(ticks(stat), expect);
    }

    #[test]
    fn user_and_system_time_add_up_whatever_the_name() {
        check("1 (a) S 1 1 1 0 -1 0 1 2 3 4 70 8 0 0", Some(78));
        check("1 (a) (b c) S 1 1 1 0 -1 0 1 2 3 4 70 8 0 0", Some(78));
        check("1 (a) S 1", None);
        check("", None);
    }
}
