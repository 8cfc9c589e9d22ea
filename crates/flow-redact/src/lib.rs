//! What is secret in a head or a URL, found and replaced by a fingerprint.
//!
//! A fingerprint is `redacted-<last four characters>-<keyed hash>`: enough to tell two keys apart and to
//! recognise one's own, useless to whoever reads the record. The hash is keyed with a secret of the
//! installation, so that a short or guessable credential cannot be found by trying. Secrets inside bodies are
//! not looked for here.

mod headers;
mod url;

use aws_lc_rs::hmac;

/// Secrets shorter than this show none of their characters.
const LAST_FOUR_CHARS_MIN: usize = 16;
/// Bytes of the keyed hash that a fingerprint shows.
const HASH_BYTES: usize = 6;

/// Makes fingerprints of credentials.
pub struct Fingerprints {
    key: hmac::Key,
}

impl Fingerprints {
    /// Returns the maker of fingerprints keyed with the installation's secret.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    /// Returns the fingerprint of a secret. It consists of characters that need no escaping in a URL.
    pub fn of(&self, secret: &str) -> String {
        let mut text = String::from("redacted-");
        let count = secret.chars().count();
        if count >= LAST_FOUR_CHARS_MIN {
            text.extend(secret.chars().skip(count - 4).map(plain));
            text.push('-');
        }
        let tag = hmac::sign(&self.key, secret.as_bytes());
        for byte in tag.as_ref().iter().take(HASH_BYTES) {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }
}

/// Returns the character itself where it needs no escaping anywhere, else an underscore.
const fn plain(character: char) -> char {
    if character.is_ascii_alphanumeric() {
        character
    } else {
        '_'
    }
}

/// Prefixes by which vendors mark their keys, with the shortest length of such a key.
const KEY_PREFIXES: [(&str, usize); 14] = [
    ("sk-", 20),
    ("sk_", 20),
    ("AIza", 30),
    ("xai-", 20),
    ("gsk_", 20),
    ("hf_", 20),
    ("pplx-", 20),
    ("r8_", 20),
    ("ghp_", 20),
    ("github_pat_", 20),
    ("AKIA", 20),
    ("ASIA", 20),
    ("ya29.", 20),
    ("eyJ", 40),
];

/// Returns whether a word has the shape of a vendor's key or of a signed token.
fn is_key_shaped(word: &str) -> bool {
    KEY_PREFIXES
        .iter()
        .any(|(prefix, chars_min)| word.len() >= *chars_min && word.starts_with(prefix))
}

#[cfg(test)]
mod tests;
