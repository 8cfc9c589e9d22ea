//! Cache marks: what a client puts into the newest message, and takes out of it again one turn later.
//!
//! `,"cache_control":{"type":"ephemeral"}` wanders through a conversation, so that every message would be kept
//! twice: with it and without it. An element that has one is kept as the same element without it, and as what is
//! to be put where.
//!
//! ```text
//! b of the element without the mark · where the mark stood · the mark        variable-length numbers, sealed
//! ```
//!
//! | limit | |
//! |---|---|
//! | [`MARK_BYTES_MAX`] | bytes of a mark; what is longer, or has braces within, is none |
//! | one mark | of an element, its last one |

use std::ops::Range;

use memchr::memmem;

use crate::format::{put_varint, seal, take_varint, unseal};

/// Bytes of a mark.
const MARK_BYTES_MAX: usize = 160;
const NAME: &[u8] = b"\"cache_control\"";

/// What stands in place of an element that has a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marked<'a> {
    /// The blob of the element without it.
    pub(super) base: i64,
    /// Where it stood.
    pub(super) at: usize,
    /// The mark.
    pub(super) mark: &'a [u8],
}

/// Returns where the last mark of an element stands, with the comma before it; none where it has none. What looks
/// like one within a text is as good: bytes are put back where they were.
pub(super) fn find(element: &[u8]) -> Option<Range<usize>> {
    let name = memmem::rfind(element, NAME)?;
    let before = element.get(..name)?.trim_ascii_end();
    let start = before.strip_suffix(b",")?.len();
    let window = element.get(name + NAME.len()..)?;
    let window = window.get(..window.len().min(MARK_BYTES_MAX))?;
    let value = window.trim_ascii_start().strip_prefix(b":")?;
    let value = value.trim_ascii_start().strip_prefix(b"{")?;
    let close = memchr::memchr2(b'{', b'}', value)?;
    if value.get(close) != Some(&b'}') {
        return None;
    }
    let behind = window.len() - value.len();
    let end = name + NAME.len() + behind + close + 1;
    (end - start <= MARK_BYTES_MAX).then_some(start..end)
}

impl<'a> Marked<'a> {
    /// Returns it as it is stored.
    pub(super) fn seal(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.mark.len() + 16);
        put_varint(&mut blob, self.base.cast_unsigned());
        put_varint(&mut blob, self.at as u64);
        blob.extend_from_slice(self.mark);
        seal(&mut blob);
        blob
    }

    /// Returns what blob `b` holds; none where that is damaged. The element without the mark has a smaller number,
    /// so that no file can send a reader in circles.
    pub(super) fn open(b: i64, blob: &'a [u8]) -> Option<Self> {
        let mut mark = unseal(blob)?;
        let base = take_varint(&mut mark)?.cast_signed();
        let at = usize::try_from(take_varint(&mut mark)?).ok()?;
        let is_sound = (1..b).contains(&base) && mark.len() <= MARK_BYTES_MAX;
        is_sound.then_some(Self { base, at, mark })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_with_their_comma() {
        let check = |element: &str, expect: Option<&str>| {
            let found = find(element.as_bytes()).and_then(|range| element.get(range));
            assert_eq!(found, expect, "{element}");
        };
        check(r#"{"text":"a"}"#, None);
        check(
            r#",{"text":"a","cache_control":{"type":"ephemeral"}}"#,
            Some(r#","cache_control":{"type":"ephemeral"}"#),
        );
        check(
            r#"{"text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}"#,
            Some(r#", "cache_control": {"type": "ephemeral", "ttl": "1h"}"#),
        );
        check(
            r#"[{"a":1,"cache_control":{}},{"b":2,"cache_control":{"x":1}}]"#,
            Some(r#","cache_control":{"x":1}"#),
        );
        check(r#"{"cache_control":{"type":"ephemeral"}}"#, None);
        check(r#"{"a":1,"cache_control":null}"#, None);
        check(r#"{"a":1,"cache_control":{"x":{}}}"#, None);
        check(r#"{"a":1,"cache_control":{"x"#, None);
    }

    #[test]
    fn what_is_stored_is_read_or_refused() {
        let marked = Marked {
            base: 7,
            at: 300,
            mark: b",mark",
        };
        let blob = marked.seal();
        assert_eq!(Marked::open(8, &blob), Some(marked));
        assert_eq!(Marked::open(7, &blob), None, "a base comes before");
        for cut in 0..blob.len() {
            assert_eq!(Marked::open(8, &blob[..cut]), None);
        }
    }
}
