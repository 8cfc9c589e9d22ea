//! Splits a request's body into what repeats from turn to turn and what is left.
//!
//! An agent sends its whole conversation with every request. The spans found here are the elements of that
//! conversation, so that a store can keep each of them once; what stands between them is the *skeleton*. Nothing
//! is read but the structure, and bytes out are bytes in: spans and skeleton are ranges of the body.
//!
//! ```text
//! {"model":"m","messages":[ {…} ,{…} ,{…} ],"stream":true}
//! skeleton ────────────────┤span│span│span├──────── skeleton
//! ```
//!
//! | fact | rule |
//! |---|---|
//! | body | one JSON object, clean wherever the walk leads; anything else is not split |
//! | containers | arrays, texts and objects under the names of [`is_container`], in objects nested to [`LEVELS_MAX`] |
//! | array | a chain of spans without gaps; each begins with the comma before its element, the first behind the `[` |
//! | text, object | one span: what stands between its quotes or braces, so that the skeleton stays JSON |
//! | object | only where it holds no container itself |
//! | short elements | joined with those that follow until [`SPAN_BYTES_MIN`] is reached; the rest stays behind |
//! | many elements | that minimum doubles every [`SPANS_PER_STEP`] spans, so that a vector of numbers is no flood |
//! | many containers | those past [`CHAINS_MAX`] stay in the skeleton |
//! | values passed over | brackets and quotes have to match, to [`scan::DEPTH_MAX`] levels each |

mod scan;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::scan::{blanks, container_end, string_end, value_end};

/// Bytes of a span at least.
pub const SPAN_BYTES_MIN: usize = 64;
/// Spans of a chain after which the minimum of its spans doubles.
const SPANS_PER_STEP: usize = 1024;
/// Chains of one body.
pub const CHAINS_MAX: usize = 64;
/// Levels of objects whose members are looked at. Kiro's tools stand in the fifth.
const LEVELS_MAX: u8 = 5;
/// Spans of the earlier body, from the one that is expected on, that are tried at each place.
const TRIES_MAX: usize = 8;

/// Where the spans of a body are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    chains: Vec<Chain>,
}

/// The spans of one container, without gaps between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    at: usize,
    ends: Vec<usize>,
    close: usize,
    shape: Shape,
}

/// What a chain was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Array,
    Text,
    /// An object, whose members are looked at as far as its level allows.
    Object {
        level: u8,
    },
}

/// Splits a body; none where it is not one clean JSON object, or there is nothing to take out.
pub fn split(body: &[u8]) -> Option<Split> {
    let (split, _) = Walk::over(body, None)?;
    Some(split)
}

/// Splits a body that mostly repeats an earlier one. Returns what [`split`] returns, and for each span the number
/// of the earlier one, counted over all chains, that was recognised in it.
///
/// Where an earlier span stands in this body too, its bytes are compared instead of read. That ends where reading
/// would end, because what closes a value is part of it, or stands right behind it and is looked at.
pub fn split_like(
    body: &[u8],
    earlier_body: &[u8],
    earlier: &Split,
) -> Option<(Split, Vec<Option<usize>>)> {
    let earlier = Earlier {
        body: earlier_body,
        chains: &earlier.chains,
    };
    Walk::over(body, Some(earlier))
}

// === impl Split ===

impl Split {
    /// Returns the chains in the order of the body; one at least.
    pub fn chains(&self) -> &[Chain] {
        &self.chains
    }

    /// Returns the number of spans in all chains.
    pub fn spans(&self) -> usize {
        self.chains.iter().map(|chain| chain.ends.len()).sum()
    }

    /// Returns what of the body stands in no span.
    pub fn skeleton(&self, body: &[u8]) -> Vec<u8> {
        let spans: usize = self.chains.iter().map(|chain| chain.end() - chain.at).sum();
        let mut skeleton = Vec::with_capacity(body.len().saturating_sub(spans));
        let mut from = 0;
        for chain in &self.chains {
            skeleton.extend_from_slice(body.get(from..chain.at).unwrap_or_default());
            from = chain.end();
        }
        skeleton.extend_from_slice(body.get(from..).unwrap_or_default());
        skeleton
    }
}

// === impl Chain ===

impl Chain {
    /// Returns where its first span starts: right behind the bracket, quote or brace that opens its container.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// Returns where its last span ends.
    pub fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(self.at)
    }

    /// Returns where its container is closed. What stands between its last span and there is in the skeleton.
    pub const fn close(&self) -> usize {
        self.close
    }

    /// Returns its spans; one at least, and none of them is empty.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = Range<usize>> {
        let mut start = self.at;
        self.ends.iter().map(move |&end| {
            let span = start..end;
            start = end;
            span
        })
    }

    /// Returns its last span.
    pub fn last(&self) -> Range<usize> {
        let last = self.ends.len().checked_sub(1);
        last.and_then(|last| self.span(last))
            .unwrap_or(self.at..self.at)
    }

    fn span(&self, number: usize) -> Option<Range<usize>> {
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => self.at,
        };
        Some(start..*self.ends.get(number)?)
    }
}

/// A body that was split before.
#[derive(Clone, Copy)]
struct Earlier<'a> {
    body: &'a [u8],
    chains: &'a [Chain],
}

/// Which span of an earlier chain is expected next.
struct Hint<'a> {
    body: &'a [u8],
    chain: &'a Chain,
    /// Number of the chain's first span among all of the body.
    first: usize,
    next: usize,
}

struct Walk<'a> {
    body: &'a [u8],
    earlier: Option<Earlier<'a>>,
    chains: Vec<Chain>,
    /// For each span the earlier one that is the same.
    same: Vec<Option<usize>>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn over(body: &'a [u8], earlier: Option<Earlier<'a>>) -> Option<(Split, Vec<Option<usize>>)> {
        let mut walk = Self {
            body,
            earlier,
            chains: Vec::new(),
            same: Vec::new(),
        };
        let at = blanks(body, 0);
        if *body.get(at)? != b'{' {
            return None;
        }
        let end = walk.object(at + 1, 1)?;
        let is_whole = blanks(body, end) == body.len();
        let split = Split {
            chains: walk.chains,
        };
        (is_whole && !split.chains.is_empty()).then_some((split, walk.same))
    }

    /// Walks over the members of an object from behind its brace on, and returns where the object ends.
    fn object(&mut self, from: usize, level: u8) -> Option<usize> {
        let mut at = blanks(self.body, from);
        if *self.body.get(at)? == b'}' {
            return Some(at + 1);
        }
        loop {
            if *self.body.get(at)? != b'"' {
                return None;
            }
            let name_end = string_end(self.body, at + 1)?;
            let listed = is_container(self.body.get(at + 1..name_end)?);
            at = blanks(self.body, name_end + 1);
            if *self.body.get(at)? != b':' {
                return None;
            }
            let end = self.member(blanks(self.body, at + 1), level, listed)?;
            at = blanks(self.body, end);
            match *self.body.get(at)? {
                b',' => at = blanks(self.body, at + 1),
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// Walks over the value of a member and returns where it ends.
    fn member(&mut self, at: usize, level: u8, listed: bool) -> Option<usize> {
        let listed = listed && self.chains.len() < CHAINS_MAX;
        match *self.body.get(at)? {
            b'[' if listed => self.array(at + 1),
            b'"' if listed => {
                let known = self.known_whole(at + 1, Shape::Text, b'"');
                let (end, same) = match known {
                    Some((end, same)) => (end, Some(same)),
                    None => (string_end(self.body, at + 1)?, None),
                };
                self.push_whole(at + 1, end, Shape::Text, same);
                Some(end + 1)
            }
            b'{' if listed || level < LEVELS_MAX => self.inner_object(at, level + 1, listed),
            _ => value_end(self.body, at),
        }
    }

    /// Walks over an object within another one and returns where it ends.
    fn inner_object(&mut self, at: usize, level: u8, listed: bool) -> Option<usize> {
        let shape = Shape::Object { level };
        if listed && let Some((end, same)) = self.known_whole(at + 1, shape, b'}') {
            self.push_whole(at + 1, end, shape, Some(same));
            return Some(end + 1);
        }
        let chains = self.chains.len();
        let end = if level <= LEVELS_MAX {
            self.object(at + 1, level)?
        } else {
            container_end(self.body, at)?
        };
        if listed && self.chains.len() == chains {
            self.push_whole(at + 1, end - 1, shape, None);
        }
        Some(end)
    }

    /// Notes a container that is one span, where it is long enough.
    fn push_whole(&mut self, at: usize, end: usize, shape: Shape, same: Option<usize>) {
        if end - at >= SPAN_BYTES_MIN {
            self.chains.push(Chain {
                at,
                ends: vec![end],
                close: end,
                shape,
            });
            self.same.push(same);
        }
    }

    /// Walks over the elements of an array from behind its bracket on, and returns where the array ends.
    fn array(&mut self, from: usize) -> Option<usize> {
        let mut hint = self.hint(from);
        let mut ends = Vec::new();
        // Where the span that is being made starts, and where its last element ends.
        let (mut start, mut at) = (from, from);
        let close = loop {
            if at == start
                && let Some(hint) = &mut hint
                && let Some((end, same)) = hint.take(self.body, at, ends.len())
            {
                ends.push(end);
                self.same.push(Some(same));
                (start, at) = (end, end);
                continue;
            }
            let next = blanks(self.body, at);
            let value = match *self.body.get(next)? {
                b']' => break next,
                b',' if at > from => blanks(self.body, next + 1),
                _ if at == from => next,
                _ => return None,
            };
            at = value_end(self.body, value)?;
            if at - start >= span_bytes_min(ends.len()) {
                ends.push(at);
                self.same.push(None);
                start = at;
            }
        };
        if !ends.is_empty() {
            self.chains.push(Chain {
                at: from,
                ends,
                close,
                shape: Shape::Array,
            });
        }
        Some(close + 1)
    }

    /// Returns the earlier chain that starts as this array does, or else the one in the same place.
    fn hint(&self, from: usize) -> Option<Hint<'a>> {
        let earlier = self.earlier?;
        let starts = |chain: &Chain| {
            let first = chain.span(0).and_then(|span| earlier.body.get(span));
            first.is_some_and(|first| stands_at(self.body, from, first))
        };
        let is_array = |chain: &Chain| chain.shape == Shape::Array;
        let mut chains = earlier.numbered();
        let alike = chains.find(|(_, chain)| is_array(chain) && starts(chain));
        let (first, chain) = alike.or_else(|| {
            let same_place = earlier.numbered().nth(self.chains.len());
            same_place.filter(|(_, chain)| is_array(chain))
        })?;
        Some(Hint {
            body: earlier.body,
            chain,
            first,
            next: 0,
        })
    }

    /// Returns where a container that is one span ends, where an earlier one stands here, and the number of that.
    fn known_whole(&self, at: usize, shape: Shape, close: u8) -> Option<(usize, usize)> {
        let earlier = self.earlier?;
        let mut chains = earlier.numbered();
        chains.find_map(|(number, chain)| {
            let known = earlier.body.get(chain.at..chain.close)?;
            let end = at + known.len();
            let stands = chain.shape == shape
                && stands_at(self.body, at, known)
                && self.body.get(end) == Some(&close);
            stands.then_some((end, number))
        })
    }
}

// === impl Earlier ===

impl<'a> Earlier<'a> {
    /// Returns its chains, each with the number of its first span.
    fn numbered(self) -> impl Iterator<Item = (usize, &'a Chain)> {
        let mut next = 0;
        self.chains.iter().map(move |chain| {
            let first = next;
            next += chain.ends.len();
            (first, chain)
        })
    }
}

// === impl Hint ===

impl Hint<'_> {
    /// Returns where the span that starts at `at` ends, where an earlier span stands there, and the number of that.
    /// `number` is how many spans of the chain have been found.
    fn take(&mut self, body: &[u8], at: usize, number: usize) -> Option<(usize, usize)> {
        // Elements may have been put in, taken out, or changed in their places.
        let tries = (self.next..self.next + TRIES_MAX).chain([number]);
        for earlier in tries {
            // Of the two a first span alone has no comma, and both have to be long enough under the same rule.
            let alike = (earlier == 0) == (number == 0)
                && span_bytes_min(earlier) == span_bytes_min(number);
            let span = self.chain.span(earlier).filter(|_| alike);
            let Some(known) = span.and_then(|span| self.body.get(span)) else {
                continue;
            };
            let end = at + known.len();
            if stands_at(body, at, known) && is_closed(known, body.get(end)) {
                self.next = earlier + 1;
                return Some((end, self.first + earlier));
            }
        }
        None
    }
}

/// Returns whether the last value in `span` ends with it, whatever followed it before. A number does not close
/// itself.
fn is_closed(span: &[u8], next: Option<&u8>) -> bool {
    matches!(span.last(), Some(b'"' | b'}' | b']'))
        || matches!(next, Some(b',' | b']' | b' ' | b'\n' | b'\r' | b'\t'))
}

fn stands_at(body: &[u8], at: usize, bytes: &[u8]) -> bool {
    body.get(at..at + bytes.len()) == Some(bytes)
}

/// Returns how long the span has to be that follows so many others.
fn span_bytes_min(spans: usize) -> usize {
    let steps = u32::try_from(spans / SPANS_PER_STEP).unwrap_or(u32::MAX);
    SPAN_BYTES_MIN.saturating_mul(2_usize.saturating_pow(steps))
}

/// Returns whether a member of this name holds what clients send again and again.
fn is_container(name: &[u8]) -> bool {
    matches!(
        name,
        b"messages"
            | b"contents"
            | b"input"
            | b"system"
            | b"tools"
            | b"instructions"
            | b"systemInstruction"
            | b"system_instruction"
            | b"prompt"
            | b"history"
            | b"chat_history"
            | b"documents"
            | b"functionDeclarations"
    )
}
