//! Seals what a segment holds, so that its files say nothing without the user's key.
//!
//! It owns the keys of one segment, which are derived from the user's own and the segment's random salt. It reads
//! no file and no variable: it is handed the key. It does not hide how many records there are, how long each is
//! and when it was written, and it is no defence against somebody who reads this process's memory.
//!
//! ```text
//! the user's key + the segment's salt ─HKDF-SHA-256─┬─► "seal"   AES-256-GCM of records
//!                                                   ├─► "tokens" keyed BLAKE3 of words in the text index
//!                                                   └─► "check"  stands in the segment: is this the right key?
//! sealed record: ciphertext, tag (16 bytes), nonce (12 bytes)
//! ```
//!
//! Limits: nonces are random, so one key seals 2^32 records before two of them share a nonce with a chance of one
//! in 2^32. A segment has keys of its own and 131,072 flows at most, which leaves 32,768 records for each flow,
//! rewritten rows included. A record has less than 64 GB.

#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "segments are not sealed yet: nothing but the tests calls this"
    )
)]

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, MAX_TAG_LEN, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk, Salt};
use aws_lc_rs::rand;

/// Bytes of the user's key, and of every key derived from it.
pub const KEY_BYTES: usize = 32;
/// Bytes of a segment's salt.
const SALT_BYTES: usize = 32;
/// Bytes of the value that tells the right key from a wrong one.
const CHECK_BYTES: usize = 16;
/// Bytes by which a sealed record is longer than what is in it.
pub(crate) const SEAL_BYTES: usize = MAX_TAG_LEN + NONCE_LEN;
/// Bytes of a word's keyed hash. Two words among ten million share one with a chance of one in 370,000.
const TOKEN_BYTES: usize = 8;

/// The user's key. It is never shown.
#[derive(Clone)]
pub struct MasterKey([u8; KEY_BYTES]);

/// What stands in a segment in clear, so that its keys can be derived again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) check: [u8; CHECK_BYTES],
}

/// Why a segment cannot be unlocked, or something not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VaultError {
    /// The segment was sealed with another key; nothing says that it is damaged.
    #[error("the encryption key is not the one that this segment was sealed with")]
    WrongKey,
    /// The system gives no random numbers, or the library refuses.
    #[error("the encryption library refuses")]
    Refused,
}

/// The keys of one segment.
pub(crate) struct Vault {
    records: RandomizedNonceKey,
    tokens: [u8; KEY_BYTES],
}

// === impl MasterKey ===

impl MasterKey {
    /// Returns the key made of these bytes, which are to be random: a passphrase is no key.
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

// === impl Vault ===

impl Vault {
    /// Makes the keys of a new segment, and the lock that is to stand in it.
    pub(crate) fn create(key: &MasterKey) -> Result<(Self, Lock), VaultError> {
        let mut salt = [0; SALT_BYTES];
        rand::fill(&mut salt)?;
        let (vault, check) = Self::derive(key, &salt)?;
        Ok((vault, Lock { salt, check }))
    }

    /// Makes the keys of a segment again.
    pub(crate) fn unlock(key: &MasterKey, lock: &Lock) -> Result<Self, VaultError> {
        let (vault, check) = Self::derive(key, &lock.salt)?;
        verify_slices_are_equal(&check, &lock.check).map_err(|_| VaultError::WrongKey)?;
        Ok(vault)
    }

    fn derive(
        key: &MasterKey,
        salt: &[u8; SALT_BYTES],
    ) -> Result<(Self, [u8; CHECK_BYTES]), VaultError> {
        let secret = Salt::new(HKDF_SHA256, salt).extract(&key.0);
        let vault = Self {
            records: RandomizedNonceKey::new(&AES_256_GCM, &expand(&secret, b"seal")?)?,
            tokens: expand(&secret, b"tokens")?,
        };
        let mut check = [0; CHECK_BYTES];
        for (byte, derived) in check.iter_mut().zip(expand(&secret, b"check")?) {
            *byte = derived;
        }
        Ok((vault, check))
    }

    /// Seals a record in place, [`SEAL_BYTES`] longer than it was. `place` says where it belongs: it opens
    /// nowhere else, so that records cannot be swapped. On an error the record is not to be used any more.
    pub(crate) fn seal(&self, record: &mut Vec<u8>, place: &[u8]) -> Result<(), VaultError> {
        record.reserve(SEAL_BYTES);
        let nonce = self
            .records
            .seal_in_place_append_tag(Aad::from(place), record)?;
        record.extend_from_slice(nonce.as_ref());
        Ok(())
    }

    /// Opens a record; none where it is damaged, or was sealed for another place.
    pub(crate) fn open(&self, sealed: &[u8], place: &[u8]) -> Option<Vec<u8>> {
        let (record, nonce) = sealed.split_last_chunk::<NONCE_LEN>()?;
        let mut record = record.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .records
            .open_in_place(nonce, Aad::from(place), &mut record)
            .ok()?;
        let bytes = opened.len();
        record.truncate(bytes);
        Some(record)
    }

    /// Returns what stands for a word in the text index: sixteen hexadecimal digits, others in every segment.
    pub(crate) fn token(&self, word: &str) -> String {
        let hash = blake3::keyed_hash(&self.tokens, word.as_bytes());
        let mut token = hash.to_hex().to_string();
        token.truncate(2 * TOKEN_BYTES);
        token
    }
}

// === impl VaultError ===

impl From<Unspecified> for VaultError {
    fn from(_: Unspecified) -> Self {
        Self::Refused
    }
}

fn expand(secret: &Prk, purpose: &[u8]) -> Result<[u8; KEY_BYTES], Unspecified> {
    let mut key = [0; KEY_BYTES];
    secret.expand(&[purpose], HKDF_SHA256)?.fill(&mut key)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: MasterKey = MasterKey::new([7; KEY_BYTES]);

    fn vault() -> Vault {
        Vault::create(&KEY).unwrap().0
    }

    fn sealed(vault: &Vault, record: &[u8], place: &[u8]) -> Vec<u8> {
        let mut sealed = record.to_vec();
        vault.seal(&mut sealed, place).unwrap();
        sealed
    }

    #[test]
    fn the_keys_of_a_segment_are_made_again_from_its_lock() {
        let (vault, lock) = Vault::create(&KEY).unwrap();
        let record = sealed(&vault, b"hello", b"requests 1");
        let again = Vault::unlock(&KEY, &lock).unwrap();
        assert_eq!(again.open(&record, b"requests 1").unwrap(), b"hello");
        assert_eq!(again.token("hello"), vault.token("hello"));
    }

    #[test]
    fn a_wrong_key_is_told_apart_from_damage() {
        let (vault, lock) = Vault::create(&KEY).unwrap();
        let other = MasterKey::new([8; KEY_BYTES]);
        let unlocked = |key, lock| Vault::unlock(key, lock).map(drop);
        assert_eq!(unlocked(&other, &lock), Err(VaultError::WrongKey));
        assert_eq!(unlocked(&KEY, &lock), Ok(()));
        let mut record = sealed(&vault, b"hello", b"");
        record[0] ^= 1;
        assert_eq!(vault.open(&record, b""), None);
    }

    #[test]
    fn segments_share_neither_keys_nor_tokens() {
        let (one, other) = (vault(), vault());
        let record = sealed(&one, b"hello", b"");
        assert_eq!(other.open(&record, b""), None);
        assert_ne!(one.token("hello"), other.token("hello"));
        assert_ne!(
            sealed(&one, b"hello", b""),
            record,
            "every record has a nonce of its own"
        );
    }

    #[test]
    fn a_token_is_one_word_for_the_index() {
        let vault = vault();
        for word in ["", "a", "日本", "a b", &"x".repeat(10_000)] {
            let token = vault.token(word);
            assert_eq!(token.len(), 2 * TOKEN_BYTES, "{word}");
            let digits = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            assert!(token.bytes().all(digits), "{token}");
        }
        assert_ne!(vault.token("a"), vault.token("b"));
    }

    #[test]
    fn the_key_is_never_shown() {
        assert_eq!(format!("{KEY:?}"), "MasterKey(..)");
    }

    proptest! {
        #[test]
        fn a_record_opens_in_its_place_alone(
            record in prop::collection::vec(any::<u8>(), 0..300),
            place in prop::collection::vec(any::<u8>(), 0..20),
            elsewhere in prop::collection::vec(any::<u8>(), 0..20),
            flip in any::<prop::sample::Index>(),
        ) {
            let vault = vault();
            let mut sealed = sealed(&vault, &record, &place);
            prop_assert_eq!(sealed.len(), record.len() + SEAL_BYTES);
            let opened = vault.open(&sealed, &place);
            prop_assert_eq!(opened.as_deref(), Some(record.as_slice()));
            if elsewhere != place {
                prop_assert_eq!(vault.open(&sealed, &elsewhere), None);
            }
            let cut = flip.index(sealed.len());
            prop_assert_eq!(vault.open(&sealed[..cut], &place), None);
            sealed[cut] ^= 0x10;
            prop_assert_eq!(vault.open(&sealed, &place), None);
        }
    }
}
