//! Which runs use a monitor that one of them has started.
//!
//! Every run holds the lock of one file, shared; the run that has started the monitor stops it once it can have
//! the lock for itself alone. The system lets go of a lock when its process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::files;

/// File whose lock the runs hold.
const LOCK_FILE: &str = "runs.lock";
/// Time between two tries to have the lock alone.
const TRY_EVERY: Duration = Duration::from_millis(100);

/// A run's share of the lock.
pub(super) struct Lease(File);

// === impl Lease ===

impl Lease {
    /// Takes a share. Waits while a run that was the last one stops its monitor.
    pub(super) fn take(dir: &Path) -> io::Result<Self> {
        let file = files::open_private(&dir.join(LOCK_FILE))?;
        file.lock_shared()?;
        Ok(Self(file))
    }

    /// Returns once no other run holds a share, or a signal says not to wait; `told` is called where it waits.
    /// The lock is held until the result is dropped.
    pub(super) fn wait_until_alone(self, told: impl FnOnce()) -> Self {
        if self.is_alone() {
            return self;
        }
        // Without signals nobody could end the wait; then it is better not to wait.
        let _ended = super::child::until_signal(TRY_EVERY, told, || self.is_alone()).is_ok();
        self
    }

    /// Returns whether this is the only share left; it is then the whole lock. A file system that has no locks
    /// counts as nobody else's.
    fn is_alone(&self) -> bool {
        !matches!(self.0.try_lock(), Err(TryLockError::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (
            Lease::take(dir.path()).unwrap(),
            Lease::take(dir.path()).unwrap(),
        );
        assert!(!one.is_alone());
        drop(two);
        let mut told = false;
        let alone = one.wait_until_alone(|| told = true);
        assert!(!told, "nobody is waited for");
        let other = files::open_private(&dir.path().join(LOCK_FILE)).unwrap();
        assert!(matches!(
            other.try_lock_shared(),
            Err(TryLockError::WouldBlock)
        ));
        drop(alone);
        other.try_lock_shared().unwrap();
    }
}
