//! The data directory: whose it is, who may read it, and that one process alone writes to it.
//!
//! A directory that others may enter is refused where it already holds files, because those may have been read
//! or put there by others; an empty one is closed to others. On systems without Unix permissions the directory
//! is taken as it is.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The file whose lock says that a process uses the directory.
pub(crate) const LOCK: &str = "lock";
/// Where segments live.
pub(crate) const SEGMENTS: &str = "segments";

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirError {
    /// Something else than a directory has that name.
    #[error("{} is not a directory", dir.display())]
    NotADirectory {
        /// The path.
        dir: PathBuf,
    },
    /// Others may read it.
    #[error("{} holds files and is open to other users (mode {mode:03o}); run: chmod 700 {}", dir.display(), dir.display())]
    TooWide {
        /// The path.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another process has it.
    #[error("{} is in use by another instance", dir.display())]
    InUse {
        /// The path.
        dir: PathBuf,
    },
    /// Its file system grants a lock twice, or has none.
    #[error("{} is on a file system without working locks; choose a directory on a local disk", dir.display())]
    NoLocks {
        /// The path.
        dir: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {act} {}", path.display())]
    Io {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Creates the data directory where it is missing, and makes sure that no other user can enter it.
pub fn prepare(dir: &Path) -> Result<(), DirError> {
    match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => Err(DirError::NotADirectory { dir: dir.into() }),
        Ok(found) => narrow(dir, &found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(dir),
        Err(error) => Err(failed("read", dir)(error)),
    }
}

/// A hold on a data directory: the right to write to it, or the certainty that nobody does.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
}

/// Takes the data directory for this process.
pub(crate) fn claim(dir: &Path) -> Result<Claim, DirError> {
    let path = dir.join(LOCK);
    let open = || private_file(&path).map_err(failed("open", &path));
    let lock = open()?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(DirError::InUse { dir: dir.into() }),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            return Err(DirError::NoLocks { dir: dir.into() });
        }
        Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
    }
    // Some network file systems grant every lock. One that works refuses the second.
    match open()?.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(Claim { _lock: lock }),
        Ok(()) | Err(TryLockError::Error(_)) => Err(DirError::NoLocks { dir: dir.into() }),
    }
}

/// Keeps others from writing to a data directory, as long as it lives, and creates nothing. Where nobody has written
/// to it yet there is nothing to keep them by.
pub fn share(dir: &Path) -> Result<Option<Claim>, DirError> {
    let path = dir.join(LOCK);
    let lock = match File::open(&path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Some(Claim { _lock: lock })),
        Err(TryLockError::WouldBlock) => Err(DirError::InUse { dir: dir.into() }),
        // A file system without locks has no writers of ours either.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Returns the directory of segments, which is created where it is missing.
pub(crate) fn segments(dir: &Path) -> Result<PathBuf, DirError> {
    let segments = dir.join(SEGMENTS);
    if !segments.is_dir() {
        create(&segments)?;
    }
    Ok(segments)
}

/// Returns the directory of segments without creating anything.
pub(crate) fn segments_in(dir: &Path) -> PathBuf {
    dir.join(SEGMENTS)
}

/// Opens a file that only this user may read, and creates it where it is missing.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes sure that names given to files in `dir` survive a power cut.
pub(crate) fn sync(dir: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened as a file, and names are durable without.
    if cfg!(unix) {
        File::open(dir)?.sync_all()
    } else {
        Ok(())
    }
}

pub(crate) fn failed(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DirError {
    let path = path.to_owned();
    move |source| DirError::Io { act, path, source }
}

fn create(dir: &Path) -> Result<(), DirError> {
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(failed("create", parent))?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(failed("create", dir))
}

#[cfg(unix)]
fn narrow(dir: &Path, found: &fs::Metadata) -> Result<(), DirError> {
    use std::os::unix::fs::PermissionsExt;

    let mode = found.permissions().mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return Ok(());
    }
    let mut files = fs::read_dir(dir).map_err(failed("read", dir))?;
    if files.next().is_some() {
        let dir = dir.to_owned();
        return Err(DirError::TooWide { dir, mode });
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed("close", dir))
}

#[cfg(not(unix))]
fn narrow(_: &Path, _: &fs::Metadata) -> Result<(), DirError> {
    Ok(())
}

#[cfg(unix)]
/// Returns whether a process uses the directory, as far as its lock tells.
pub fn is_in_use(dir: &Path) -> bool {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(dir.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_missing_directory_is_created_for_its_owner_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        prepare(&dir).unwrap();
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&segments(&dir).unwrap()), 0o700);
    }

    #[test]
    fn an_empty_directory_is_closed_and_a_used_wide_one_refused() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data");
        fs::create_dir(&dir).unwrap();
        set_mode(&dir, 0o755);
        prepare(&dir).unwrap();
        assert_eq!(mode(&dir), 0o700);

        fs::write(dir.join("notes"), "x").unwrap();
        prepare(&dir).unwrap();
        for wide in [0o750, 0o701, 0o770, 0o755] {
            set_mode(&dir, wide);
            let error = prepare(&dir).unwrap_err();
            assert!(
                matches!(error, DirError::TooWide { mode, .. } if mode == wide),
                "{error}"
            );
            assert!(
                error.to_string().contains(&*dir.to_string_lossy()),
                "{error}"
            );
            assert_eq!(mode(&dir), wide, "a refused directory is left as it is");
        }
    }

    #[test]
    fn a_file_in_its_place_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("data");
        fs::write(&file, "x").unwrap();
        assert!(matches!(
            prepare(&file),
            Err(DirError::NotADirectory { .. })
        ));
    }

    #[test]
    fn a_directory_is_claimed_once() {
        let root = tempfile::tempdir().unwrap();
        let claimed = claim(root.path()).unwrap();
        assert_eq!(mode(&root.path().join(LOCK)), 0o600);
        let error = claim(root.path()).unwrap_err();
        assert!(matches!(error, DirError::InUse { .. }), "{error}");
        assert!(
            error.to_string().contains(&*root.path().to_string_lossy()),
            "{error}"
        );
        drop(claimed);
        claim(root.path()).unwrap();
    }
}
