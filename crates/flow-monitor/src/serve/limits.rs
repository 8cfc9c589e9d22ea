//! What the system lets a process have, stretched as far as it goes.

use tokio::runtime::Handle;

/// Number of the signal that a write beyond the limit of a file's size raises (signal(7): 25 on Linux and macOS).
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

/// Raises the number of files that may be open.
#[cfg(unix)]
pub(super) fn raise_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    // Every exchange takes two connections; the usual soft limit is 1024 and the hard one far above.
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays at {:?}", limit.current);
    }
}

/// Makes a write beyond the limit of a file's size an error: as a signal it would end the program, and traffic
/// with it.
#[cfg(unix)]
pub(super) fn survive_file_size(runtime: &Handle) {
    use tokio::signal::unix::{SignalKind, signal};

    let _entered = runtime.enter();
    // The handler stays when its stream is dropped.
    if let Err(error) = signal(SignalKind::from_raw(SIGXFSZ)) {
        tracing::warn!(%error, "a limit of file sizes will end the program when it is reached");
    }
}

#[cfg(not(unix))]
pub(super) fn raise_files() {}

#[cfg(not(unix))]
pub(super) fn survive_file_size(_runtime: &Handle) {}
