//! Base64 in which the events of a stream are packed.

/// Returns the bytes that base64 text stands for, with or without padding, in either alphabet; none where it is
/// no base64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits: u32 = 0;
        for digit in group {
            bits = bits << 6 | u32::from(value(*digit)?);
        }
        let [first, second, third] = match group.len() {
            4 => bits,
            3 => bits << 6,
            2 => bits << 12,
            // Six bits are no byte.
            _ => return None,
        }
        .to_be_bytes()
        .last_chunk()
        .copied()?;
        match group.len() {
            4 => bytes.extend_from_slice(&[first, second, third]),
            3 => bytes.extend_from_slice(&[first, second]),
            _ => bytes.push(first),
        }
    }
    Some(bytes)
}

const fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    /// Returns bytes as base64.
    pub(in super::super) fn encode(bytes: &[u8]) -> String {
        let mut text = String::new();
        for group in bytes.chunks(3) {
            let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
                text.push(if at > group.len() {
                    '='
                } else {
                    char::from(digit)
                });
            }
        }
        text
    }

    #[test]
    fn known_texts_are_decoded() {
        let check = |text: &str, expect: Option<&[u8]>| {
            assert_eq!(decode(text).as_deref(), expect, "{text}");
        };
        check("", Some(b""));
        check("Zg==", Some(b"f"));
        check("Zg", Some(b"f"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYmE=", Some(b"fooba"));
        check("_-8=", Some(b"\xFF\xEF"));
        check("/+8=", Some(b"\xFF\xEF"));
        check("Z", None);
        check("Zm 9", None);
        check("天天", None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
