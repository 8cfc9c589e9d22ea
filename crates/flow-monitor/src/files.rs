//! Small private files in the data directory: token, key of fingerprints, addresses.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use aws_lc_rs::rand;

/// File of the API's token.
pub(crate) const TOKEN_FILE: &str = "token";
/// File of the secret that keys fingerprints.
const FINGERPRINT_FILE: &str = "fingerprint.key";
/// File of the running monitor's addresses.
pub(crate) const ENDPOINTS_FILE: &str = "endpoints.json";
/// Bytes of secrets that are made here.
const SECRET_BYTES: usize = 32;
/// Bytes of a file that holds a secret.
const SECRET_FILE_BYTES_MAX: u64 = 4096;

/// Writes a file that only its owner can read, in one step: a reader sees the old file or the new one.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = Path::new(&name);
    let written = create_private(new)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(new, path));
    if written.is_err() {
        // A disk that is full may not even let go of this file; the error at hand is the one to tell.
        let _removed = std::fs::remove_file(new).is_ok();
    }
    written
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Opens a file that only its owner can read, as it is; creates it where it is missing.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns the API's token, made at the first start.
pub(crate) fn token(dir: &Path) -> io::Result<String> {
    let path = dir.join(TOKEN_FILE);
    if let Some(token) = read_token(dir)? {
        return Ok(token);
    }
    let token = hex(&random()?);
    write_private(&path, token.as_bytes())?;
    Ok(token)
}

/// Returns the API's token if there is one.
pub(crate) fn read_token(dir: &Path) -> io::Result<Option<String>> {
    let text = read(&dir.join(TOKEN_FILE))?.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty()))
}

/// Returns the secret that keys fingerprints, made at the first start.
pub(crate) fn fingerprint_key(dir: &Path) -> io::Result<[u8; SECRET_BYTES]> {
    let path = dir.join(FINGERPRINT_FILE);
    if let Some(key) = read(&path)?.and_then(|bytes| bytes.try_into().ok()) {
        return Ok(key);
    }
    let key = random()?;
    write_private(&path, &key)?;
    Ok(key)
}

/// Returns a small file's bytes, or none where there is no such file.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(SECRET_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Returns random bytes that nobody can guess.
pub(crate) fn random() -> io::Result<[u8; SECRET_BYTES]> {
    let mut bytes = [0; SECRET_BYTES];
    rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(bytes)
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_token(dir.path()).unwrap(), None);
        let first = token(dir.path()).unwrap();
        assert_eq!(first.len(), 2 * SECRET_BYTES);
        assert_eq!(token(dir.path()).unwrap(), first);
        let key = fingerprint_key(dir.path()).unwrap();
        assert_eq!(fingerprint_key(dir.path()).unwrap(), key);
        #[cfg(unix)]
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
