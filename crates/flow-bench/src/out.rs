//! Lines for the person at the terminal.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints one line at once.
pub(crate) fn line(text: impl Display) {
    let mut stdout = io::stdout().lock();
    // A closed pipe is no reason to fail: whoever reads has seen enough.
    writeln!(stdout, "{text}")
        .and_then(|()| stdout.flush())
        .ok();
}
