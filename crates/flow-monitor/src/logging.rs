//! The log, on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Starts the log.
pub(crate) fn start(level: &str, format: &str, color_wanted: bool) {
    let filter = EnvFilter::builder().parse_lossy(format!("warn,{}", own_targets(level)));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first log.
    let _started = if format == "json" {
        log.json().try_init().is_ok()
    } else {
        let color = color_wanted && std::io::stderr().is_terminal();
        log.with_target(false).with_ansi(color).try_init().is_ok()
    };
}

/// Returns the directives that set the level of this program's own crates.
fn own_targets(level: &str) -> String {
    let crates = [
        "flow_api",
        "flow_capture",
        "flow_monitor",
        "flow_proxy",
        "flow_recorder",
        "flow_store",
        "flow_testkit",
    ];
    crates.map(|name| format!("{name}={level}")).join(",")
}
