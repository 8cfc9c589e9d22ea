//! The structure of JSON, passed over as fast as it can be: quotes and brackets, and nothing in between.

use memchr::memchr;

use crate::json::{equal_bytes, plain_bytes};

/// Levels of nesting within one value that is passed over.
pub(super) const DEPTH_MAX: u32 = u128::BITS;

/// Bytes of a string that are looked at in words before `memchr` is worth its call.
const SHORT_BYTES: usize = 32;

/// Returns where the first byte stands, from `at` on, that is no white space.
pub(super) fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
        at += 1;
    }
    at
}

/// Returns where the value that starts at `at` ends.
pub(super) fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' => Some(string_end(bytes, at + 1)? + 1),
        b'{' | b'[' => container_end(bytes, at),
        _ => word_end(bytes, at),
    }
}

/// Returns where the closing quote stands of the string whose text starts at `from`.
#[inline]
pub(super) fn string_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += quote(bytes.get(at..)?)?;
        // Looking back from a quote is cheaper than a stop at every backslash: code is full of `\n`.
        let before = bytes.get(from..at)?;
        let slashes = before.iter().rev().take_while(|byte| **byte == b'\\');
        if slashes.count() % 2 == 0 {
            return Some(at);
        }
        at += 1;
    }
}

/// Returns where the array or object that starts at `at` ends.
pub(super) fn container_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    // One bit a level, the innermost lowest: whether it is an object.
    let mut open = 0_u128;
    let mut depth = 0;
    loop {
        match *bytes.get(at)? {
            b'"' => at = string_end(bytes, at + 1)? + 1,
            byte @ (b'{' | b'[') => {
                if depth == DEPTH_MAX {
                    return None;
                }
                open = open << 1 | u128::from(byte == b'{');
                depth += 1;
                at += 1;
            }
            byte @ (b'}' | b']') => {
                if (open & 1 == 1) != (byte == b'}') {
                    return None;
                }
                open >>= 1;
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += plain_bytes(bytes.get(at..)?),
        }
    }
}

/// Returns where the number or word that starts at `at` ends.
fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let length = rest.iter().take_while(|byte| is_part(byte)).count();
    let word = rest.get(..length)?;
    let is_number = || {
        let of_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        matches!(word.first(), Some(b'-' | b'0'..=b'9')) && word.iter().all(of_number)
    };
    (matches!(word, b"true" | b"false" | b"null") || is_number()).then_some(at + length)
}

/// Returns where the first quote stands. Most strings are short: eight bytes at a time first.
#[inline]
fn quote(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words.iter().take(SHORT_BYTES / 8) {
        let found = equal_bytes(u64::from_le_bytes(*word), b'"');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr(b'"', bytes.get(at..)?)?)
}
