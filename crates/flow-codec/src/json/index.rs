//! Where the strings and containers of a document are: one pass, so that readers hop instead of scanning again.
//!
//! A value that nobody reads is then skipped in one step, and reading members in two passes, which dialects do,
//! costs no second look at the bytes. Numbers and words have no entry: they are short, and a vector of a
//! thousand of them costs one entry for its array.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`NODES_MAX`] | 4 Mi strings and containers, 64 MiB of index | fault `json_too_large`, the rest is not read |

use memchr::memchr2;

use super::{DEPTH_MAX, Fault};

/// Strings and containers of one document.
const NODES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a document for which room for one node is made at first.
const BYTES_PER_NODE: usize = 8;
/// Nodes for which room is made at first at most.
const NODES_AT_FIRST: usize = 4_096;
/// Bytes of a string that are looked at in words before `memchr` is worth its call.
pub(super) const SHORT_BYTES: usize = 64;

/// A string or container.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Where its opening quote or bracket stands.
    pub(super) start: u32,
    /// Where its closing quote or bracket stands; the end of the document where there is none.
    pub(super) end: u32,
    /// Number of the first node behind it.
    pub(super) next: u32,
    /// The document ends before it does.
    pub(super) open: bool,
    /// A string that holds a backslash.
    pub(super) escaped: bool,
}

/// The nodes of a document, in its order.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) nodes: Vec<Node>,
    /// Where reading has to end: the document's end, or the first fault.
    pub(super) limit: usize,
    pub(super) fault: Option<Fault>,
}

/// A container whose end has not been found: its node, and whether it is an object.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    node: u32,
    object: bool,
}

// === impl Index ===

impl Index {
    /// Returns the index of the first value in `bytes`.
    /// The room of `nodes` is used again.
    pub(super) fn of(bytes: &[u8], mut nodes: Vec<Node>) -> Self {
        nodes.clear();
        nodes.reserve((bytes.len() / BYTES_PER_NODE + 4).min(NODES_AT_FIRST));
        let mut index = Self {
            nodes,
            limit: bytes.len(),
            fault: None,
        };
        index.build(bytes);
        index
    }

    fn build(&mut self, bytes: &[u8]) {
        if u32::try_from(bytes.len()).is_err() {
            return self.stop(0, Fault::TooLarge, &[]);
        }
        let mut open = [Open::default(); DEPTH_MAX as usize];
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    if self.nodes.len() >= NODES_MAX {
                        return self.stop(at, Fault::TooLarge, open.get(..depth).unwrap_or(&[]));
                    }
                    let (end, escaped) = string_end(bytes, at + 1);
                    self.push(at, end.unwrap_or(bytes.len()), end.is_none(), escaped);
                    let Some(end) = end else {
                        break;
                    };
                    at = end;
                    if depth == 0 {
                        return;
                    }
                }
                b'{' | b'[' => {
                    if self.nodes.len() >= NODES_MAX {
                        return self.stop(at, Fault::TooLarge, open.get(..depth).unwrap_or(&[]));
                    }
                    let Some(slot) = open.get_mut(depth) else {
                        return self.stop(at, Fault::TooDeep, &open);
                    };
                    *slot = Open {
                        node: self.count(),
                        object: byte == b'{',
                    };
                    depth += 1;
                    self.push(at, 0, false, false);
                }
                b'}' | b']' => {
                    let top = depth.checked_sub(1).and_then(|top| open.get(top));
                    let top = top.filter(|top| top.object == (byte == b'}'));
                    let Some(top) = top else {
                        return self.stop(at, Fault::Syntax, open.get(..depth).unwrap_or(&[]));
                    };
                    self.close(top.node, at, false);
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {
                    at += plain_bytes(bytes.get(at..).unwrap_or_default());
                    continue;
                }
            }
            at += 1;
        }
        if depth > 0 || self.nodes.last().is_some_and(|node| node.open) {
            let open = open.get(..depth).unwrap_or(&[]);
            self.stop(bytes.len(), Fault::Truncated, open);
        }
    }

    fn count(&self) -> u32 {
        place(self.nodes.len())
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, open: bool, escaped: bool) {
        let next = self.count() + 1;
        self.nodes.push(Node {
            start: place(start),
            end: place(end),
            next,
            open,
            escaped,
        });
    }

    fn close(&mut self, node: u32, end: usize, open: bool) {
        let next = self.count();
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.end = place(end);
            node.next = next;
            node.open = open;
        }
    }

    /// Ends the document at a fault: what is open ends there.
    fn stop(&mut self, at: usize, fault: Fault, open: &[Open]) {
        self.limit = at;
        self.fault = Some(fault);
        for container in open {
            self.close(container.node, at, true);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "documents of 4 GiB and more are refused before"
)]
const fn place(at: usize) -> u32 {
    at as u32
}

/// Returns how many bytes stand before the first quote or bracket: numbers, words, white space and commas.
#[inline]
pub(crate) fn plain_bytes(bytes: &[u8]) -> usize {
    // One bit tells a brace from a square bracket.
    const CASE: u64 = 0x2020_2020_2020_2020;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let folded = word | CASE;
        let found = equal_bytes(word, b'"') | equal_bytes(folded, b'{') | equal_bytes(folded, b'}');
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
    at + rest.iter().take_while(|byte| is_plain(byte)).count()
}

/// Returns where the string whose text starts at `from` ends, and whether it holds a backslash.
pub(super) fn string_end(bytes: &[u8], from: usize) -> (Option<usize>, bool) {
    let mut escaped = false;
    let mut at = from;
    loop {
        let Some(rest) = bytes.get(at..) else {
            return (None, escaped);
        };
        match quote_or_slash(rest) {
            Some(found) if rest.get(found) == Some(&b'"') => return (Some(at + found), escaped),
            Some(found) => {
                escaped = true;
                at += found + 2;
            }
            None => return (None, escaped),
        }
    }
}

/// Returns where the first quote or backslash stands. Most strings are short: eight bytes at a time first.
#[inline]
fn quote_or_slash(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    let (words, _) = bytes.as_chunks::<8>();
    for word in words.iter().take(SHORT_BYTES / 8) {
        let word = u64::from_le_bytes(*word);
        let found = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    Some(at + memchr2(b'"', b'\\', rest)?)
}

/// Returns a word whose lowest set bit lies in the first byte that equals `byte`.
pub(crate) const fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let other = word ^ (LOW * byte as u64);
    other.wrapping_sub(LOW) & !other & HIGH
}
