//! The command itself: started with our terminal and streams, waited for, its exit code taken over.
//!
//! | signal | what happens |
//! |---|---|
//! | interrupt, quit from the terminal | the system sends it to the child as well; we wait |
//! | interrupt, quit otherwise (no terminal, or in the background) | passed on |
//! | terminate, hang-up | passed on |
//! | stop, continue, change of size | the system's own, untouched |

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context as _;
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;

use crate::config::KEY_VARIABLE;

/// Exit code where the command does not exist, as shells have it.
const NOT_FOUND: u8 = 127;
/// Exit code where it cannot be started.
const NOT_STARTED: u8 = 126;

/// Runs a command to its end and returns the exit code: its own, or 128 and the number of the signal that ended
/// it.
pub(super) fn run(command: &[OsString], set: &[(String, String)]) -> anyhow::Result<u8> {
    let (program, arguments) = command.split_first().context("there is no command")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        // The monitor's own secret is no business of the program that it records.
        .env_remove(KEY_VARIABLE)
        .envs(set.iter().map(|(name, value)| (name, value)));
    runtime()?.block_on(async {
        // Caught from before the start on, so that none ends us alone. The child gets the defaults back.
        let mut signals = Signals::listen().context("signals cannot be caught")?;
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(not_started(program, &error)),
        };
        loop {
            tokio::select! {
                status = child.wait() => return Ok(code(status.context("the command cannot be waited for")?)),
                signal = signals.next() => signal.pass_on(&child),
            }
        }
    })
}

/// Waits until `done` says so, asked every so often, or a signal arrives. `told` is called once signals are heard:
/// one that somebody sends upon what it says is not lost.
pub(super) fn until_signal(
    every: Duration,
    told: impl FnOnce(),
    done: impl Fn() -> bool,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let mut signals = Signals::listen().context("signals cannot be caught")?;
        told();
        let mut ticks = tokio::time::interval(every);
        while !done() {
            tokio::select! {
                _ = ticks.tick() => {}
                _signal = signals.next() => break,
            }
        }
        Ok(())
    })
}

/// Returns whether the exit code says that the command was never there to run.
pub(super) const fn never_started(code: u8) -> bool {
    matches!(code, NOT_FOUND | NOT_STARTED)
}

fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .build()
        .context("the command cannot be waited for")
}

fn not_started(program: &OsString, error: &io::Error) -> u8 {
    let name = program.to_string_lossy();
    let name = crate::text::line(&name, 200);
    if error.kind() == io::ErrorKind::NotFound {
        crate::complain(&format!("there is no command `{name}`"));
        NOT_FOUND
    } else {
        crate::complain(&format!("`{name}` cannot be started: {error}"));
        NOT_STARTED
    }
}

#[cfg(unix)]
fn code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;

    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or(1);
    // Larger ones are no exit codes elsewhere; success they are not.
    u8::try_from(code).unwrap_or(1)
}

#[cfg(unix)]
use self::unix::Signals;

#[cfg(unix)]
mod unix {
    use rustix::process::{Pid, Signal as Number, getpgrp, kill_process};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::{Child, io};

    /// Bits of the mask of ignored signals.
    const MASK_RADIX: u32 = 16;

    /// The signals that are caught while the command runs.
    pub(super) struct Signals {
        interrupt: Signal,
        quit: Signal,
        terminate: Signal,
        /// None where it is ignored, as under `nohup`: then the command ignores it as well.
        hang_up: Option<Signal>,
    }

    /// A signal that has arrived.
    pub(super) struct Arrived {
        number: Number,
        from_terminal: bool,
    }

    impl Signals {
        pub(super) fn listen() -> io::Result<Self> {
            let hang_up = if is_ignored(Number::HUP) {
                None
            } else {
                Some(signal(SignalKind::hangup())?)
            };
            Ok(Self {
                interrupt: signal(SignalKind::interrupt())?,
                quit: signal(SignalKind::quit())?,
                terminate: signal(SignalKind::terminate())?,
                hang_up,
            })
        }

        pub(super) async fn next(&mut self) -> Arrived {
            let hang_up = async {
                match &mut self.hang_up {
                    Some(signal) => signal.recv().await,
                    None => std::future::pending().await,
                }
            };
            let (number, of_keys) = tokio::select! {
                _ = self.interrupt.recv() => (Number::INT, true),
                _ = self.quit.recv() => (Number::QUIT, true),
                _ = self.terminate.recv() => (Number::TERM, false),
                _ = hang_up => (Number::HUP, false),
            };
            Arrived {
                number,
                from_terminal: of_keys && has_terminal(),
            }
        }
    }

    impl Arrived {
        /// Sends the signal to the child, unless the terminal has done so.
        pub(super) fn pass_on(&self, child: &Child) {
            let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid.and_then(Pid::from_raw).filter(|_| !self.from_terminal) {
                // A child that has just ended is seen by the next wait.
                let _sent = kill_process(pid, self.number).is_ok();
            }
        }
    }

    /// Returns whether keys of a terminal reach this process and its child: it is in the foreground of one.
    fn has_terminal() -> bool {
        let terminal = std::fs::File::open("/dev/tty");
        let foreground = terminal.and_then(|terminal| {
            let group = rustix::termios::tcgetpgrp(&terminal)?;
            Ok(group)
        });
        foreground.is_ok_and(|group| group == getpgrp())
    }

    /// Returns whether a signal is ignored by this process; false where the system does not tell.
    fn is_ignored(number: Number) -> bool {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), MASK_RADIX).ok());
        mask.is_some_and(|mask| mask >> (number.as_raw() - 1) & 1 == 1)
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
struct Arrived;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// The console sends its keys to the child as well.
    async fn next(&mut self) -> Arrived {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Arrived
    }
}

#[cfg(not(unix))]
impl Arrived {
    fn pass_on(&self, _child: &Child) {}
}
