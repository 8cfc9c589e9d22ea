//! SHA-256 of bodies, and ids that look random but follow from what they name.

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// SHA-256 and length of bytes that arrive in pieces.
#[derive(Clone)]
pub(crate) struct Tally {
    context: Context,
    bytes: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            context: Context::new(&SHA256),
            bytes: 0,
        }
    }
}

impl Tally {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.context.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the hash of what was added so far, in hexadecimal digits.
    pub(crate) fn hex(&self) -> String {
        hex(self.context.clone().finish().as_ref())
    }
}

/// Returns the SHA-256 of `bytes` in hexadecimal digits.
#[cfg(test)]
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Names things of one conversation: the same salt and label always give the same id.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    salt: String,
}

impl Ids {
    pub(crate) fn new(salt: &str) -> Self {
        Self { salt: salt.into() }
    }

    /// Returns `length` letters and digits.
    pub(crate) fn letters(&self, label: &str, length: usize) -> String {
        self.stream(label, length)
            .iter()
            .filter_map(|byte| LETTERS.get(usize::from(*byte) % LETTERS.len()))
            .map(|byte| char::from(*byte))
            .collect()
    }

    /// Returns `length` hexadecimal digits.
    pub(crate) fn hex(&self, label: &str, length: usize) -> String {
        let mut text = hex(&self.stream(label, length.div_ceil(2)));
        text.truncate(length);
        text
    }

    /// Returns a UUID.
    pub(crate) fn uuid(&self, label: &str) -> String {
        let digits = self.hex(label, 30);
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        let (first, second, third) = (part(0, 8), part(8, 12), part(12, 15));
        format!(
            "{first}-{second}-4{third}-8{}-{}",
            part(15, 18),
            part(18, 30)
        )
    }

    /// Returns `length` bytes in base 64.
    pub(crate) fn base64(&self, label: &str, length: usize) -> String {
        STANDARD.encode(self.stream(label, length))
    }

    /// Returns a number below `limit`, or 0 where that is 0.
    pub(crate) fn below(&self, label: &str, limit: u64) -> u64 {
        let number = self
            .stream(label, 8)
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        number.checked_rem(limit).unwrap_or(0)
    }

    fn stream(&self, label: &str, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 32);
        let mut round = 0_u32;
        while bytes.len() < length {
            let seed = format!("{}\n{label}\n{round}", self.salt);
            bytes.extend_from_slice(digest(&SHA256, seed.as_bytes()).as_ref());
            round += 1;
        }
        bytes.truncate(length);
        bytes
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| HEX.get(usize::from(digit)))
        .map(|byte| char::from(*byte))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hash_like_the_whole() {
        let mut tally = Tally::default();
        tally.add(b"ab");
        tally.add(b"c");
        assert_eq!(tally.bytes(), 3);
        assert_eq!(tally.hex(), sha256(b"abc"));
        assert_eq!(
            sha256(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn ids_follow_from_salt_and_label() {
        let ids = Ids::new("a");
        assert_eq!(ids.letters("x", 40), Ids::new("a").letters("x", 40));
        assert_ne!(ids.letters("x", 40), ids.letters("y", 40));
        assert_ne!(ids.letters("x", 40), Ids::new("b").letters("x", 40));
        assert_eq!(ids.letters("x", 40).len(), 40);
        assert_eq!(ids.hex("x", 7).len(), 7);
        let uuid = ids.uuid("x");
        assert_eq!(
            uuid.split('-').map(str::len).collect::<Vec<_>>(),
            [8, 4, 4, 4, 12]
        );
        assert_eq!(ids.below("x", 0), 0);
        assert!(ids.below("x", 3) < 3);
    }
}
