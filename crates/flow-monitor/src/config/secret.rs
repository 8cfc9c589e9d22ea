//! The key of encryption: read from a file that is its owner's alone, or from the environment, and never shown.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flow_store::{KEY_BYTES, MasterKey};

/// The variable that holds a key itself.
pub(crate) const KEY_VARIABLE: &str = "FLOW_MONITOR_ENCRYPTION_KEY";
/// Bytes of a file that holds a key.
const KEY_FILE_BYTES_MAX: u64 = 4096;
const EXPECTED: &str = "expected 32 random bytes as 64 hexadecimal digits or as base64, such as `openssl rand -hex 32` prints";

/// A key's text. It is never shown.
#[derive(Clone)]
pub(super) struct Secret(String);

// === impl Secret ===

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the key that the text stands for.
    pub(super) fn key(&self) -> anyhow::Result<MasterKey> {
        parse(&self.0).map(MasterKey::new).context(EXPECTED)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Reads a key from a file that nobody but its owner can read.
pub(super) fn read_key(path: &Path) -> anyhow::Result<MasterKey> {
    let file = File::open(path)?;
    refuse_wide(&file, path)?;
    let mut text = String::new();
    file.take(KEY_FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .context(EXPECTED)?;
    Secret(text).key()
}

#[cfg(unix)]
fn refuse_wide(file: &File, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let found = file.metadata()?;
    let mode = found.permissions().mode() & 0o777;
    if !found.is_file() {
        bail!("it is not a file");
    }
    if mode & 0o077 != 0 {
        bail!(
            "it is open to other users (mode {mode:03o}); run: chmod 600 {}",
            path.display()
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_wide(_: &File, _: &Path) -> anyhow::Result<()> {
    Ok(())
}

/// Returns the key that a text stands for: hexadecimal digits, or base64 with either alphabet and any padding.
fn parse(text: &str) -> Option<[u8; KEY_BYTES]> {
    let text = text.trim();
    if text.len() == 2 * KEY_BYTES {
        let digits: Option<Vec<u8>> = text
            .bytes()
            .map(|digit| char::from(digit).to_digit(16)?.try_into().ok())
            .collect();
        let bytes = digits?
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect::<Vec<u8>>();
        return bytes.try_into().ok();
    }
    let any_padding =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|letters| {
            GeneralPurpose::new(letters, any_padding)
                .decode(text)
                .ok()?
                .try_into()
                .ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hexadecimal_digits_or_base64() {
        let check = |text: &str, expect: Option<[u8; KEY_BYTES]>| {
            assert_eq!(parse(text), expect, "{text}");
        };
        check(&"ab".repeat(32), Some([0xab; 32]));
        check(&format!(" {}\n", "AB".repeat(32)), Some([0xab; 32]));
        check(
            "//////////////////////////////////////////8=",
            Some([0xff; 32]),
        );
        check(
            "//////////////////////////////////////////8",
            Some([0xff; 32]),
        );
        check(
            "__________________________________________8=",
            Some([0xff; 32]),
        );
        check("", None);
        check("correct horse battery staple", None);
        check(&"ab".repeat(31), None);
        check(&"ab".repeat(33), None);
        check(&"xy".repeat(32), None);
    }

    #[test]
    fn a_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secret::new("abc")), "Secret(..)");
        let error = Secret::new("abc").key().unwrap_err();
        assert!(!format!("{error:#}").contains("abc"), "{error:#}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "ab".repeat(32)).unwrap();
        let check = |mode, expect: Result<(), &str>| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            match (read_key(&path), expect) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(text)) => {
                    assert!(format!("{error:#}").contains(text), "{error:#}");
                }
                (read, _) => panic!("{mode:o} gave {read:?}"),
            }
        };
        check(0o600, Ok(()));
        check(0o400, Ok(()));
        check(0o640, Err("chmod 600"));
        check(0o604, Err("chmod 600"));
        assert!(read_key(&dir.path().join("missing")).is_err());
        assert!(read_key(dir.path()).is_err());
    }
}
