//! Terms: every distinct token of a segment as one list, in which parts of words are found.
//!
//! A chunk is `\nterm\nterm\n…\n`, searched as plain bytes: `\npart` is the start of a term, `part\n` an end. While
//! the segment is written the list may name a term twice, which does no harm; the list of a finished one is sorted.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

use memchr::{memchr, memmem, memrchr};

use super::question::{Part, PartPlace};

/// Terms that are known to be in the list: 19 MB. When they are too many, they are learnt anew.
const KNOWN_TERMS_MAX: usize = 1_835_008;
/// Hashes of tokens that the text at hand has had: most tokens of a text are repetitions.
const RECENT_TOKENS: usize = 4096;
/// Terms that may stand for one part of a word.
pub(super) const TERMS_MAX: usize = 512;

/// What the writer knows of the list of terms.
pub(super) struct Known {
    hasher: RandomState,
    terms: HashSet<u64, BuildHasherDefault<Hashed>>,
    recent: Vec<(u64, i64)>,
}

/// What is new about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// The text has had it.
    None,
    /// The text has not, the segment has had it.
    Token,
    /// The segment has not had it, as far as is known.
    Term,
}

/// The terms that hold a part of a word.
pub(super) struct Search<'a> {
    part: &'a Part,
    finder: memmem::Finder<'static>,
    /// None once there are too many.
    pub(super) found: Option<BTreeSet<String>>,
}

/// A list of terms that is not one.
#[derive(Debug)]
pub(super) struct Garbled;

/// A hasher of what is a hash already.
#[derive(Default)]
pub(super) struct Hashed(u64);

// === impl Known ===

impl Known {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            terms: HashSet::default(),
            recent: vec![(0, 0); RECENT_TOKENS],
        }
    }

    /// Takes in a chunk of the list.
    pub(super) fn learn(&mut self, chunk: &str) {
        for term in chunk.split('\n') {
            self.insert(self.hasher.hash_one(term));
        }
    }

    /// Takes in a token of a text, and returns what is new about it. Numbers of texts count from 1.
    #[inline]
    pub(super) fn meet(&mut self, token: &str, text: i64) -> News {
        let hash = self.hasher.hash_one(token);
        let slot = usize::try_from(hash % RECENT_TOKENS as u64).unwrap_or_default();
        if let Some(slot) = self.recent.get_mut(slot) {
            if *slot == (hash, text) {
                return News::None;
            }
            *slot = (hash, text);
        }
        if self.insert(hash) {
            News::Term
        } else {
            News::Token
        }
    }

    fn insert(&mut self, hash: u64) -> bool {
        if self.terms.len() >= KNOWN_TERMS_MAX && !self.terms.contains(&hash) {
            self.terms.clear();
        }
        self.terms.insert(hash)
    }
}

// === impl Hashed ===

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

// === impl Search ===

impl<'a> Search<'a> {
    pub(super) fn new(part: &'a Part) -> Self {
        let text = &part.text;
        let pattern = match part.place {
            PartPlace::Start => format!("\n{text}"),
            PartPlace::End => format!("{text}\n"),
            PartPlace::Anywhere => text.clone(),
        };
        Self {
            part,
            finder: memmem::Finder::new(&pattern).into_owned(),
            found: Some(BTreeSet::new()),
        }
    }

    /// Adds the terms of a chunk.
    pub(super) fn look(&mut self, chunk: &[u8]) -> Result<(), Garbled> {
        let Some(found) = &mut self.found else {
            return Ok(());
        };
        let mut from = 0;
        while let Some(rest) = chunk.get(from..)
            && let Some(at) = self.finder.find(rest)
        {
            // The pattern of a start begins with the end of the term before.
            let inside = from + at + usize::from(self.part.place == PartPlace::Start);
            let start = chunk.get(..inside).and_then(|left| memrchr(b'\n', left));
            let length = chunk.get(inside..).and_then(|right| memchr(b'\n', right));
            let (start, end) = (start.ok_or(Garbled)? + 1, inside + length.ok_or(Garbled)?);
            let term = chunk.get(start..end).ok_or(Garbled)?;
            let term = std::str::from_utf8(term).map_err(|_| Garbled)?;
            if !found.contains(term) {
                if found.len() == TERMS_MAX {
                    self.found = None;
                    return Ok(());
                }
                found.insert(term.to_owned());
            }
            from = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: &str = "\nuser\nusers\nsuperuser\nus\nmuse\n用户\n";

    fn check(part: &str, place: PartPlace, expect: &[&str]) {
        let part = Part {
            text: part.to_owned(),
            place,
        };
        let mut search = Search::new(&part);
        search.look(CHUNK.as_bytes()).unwrap();
        search.look(CHUNK.as_bytes()).unwrap();
        let found = search.found.unwrap();
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, expect.iter().copied().collect(), "{part:?}");
    }

    #[test]
    fn parts_are_found_where_they_stand() {
        use PartPlace::{Anywhere, End, Start};

        check("user", Anywhere, &["user", "users", "superuser"]);
        check("user", Start, &["user", "users"]);
        check("user", End, &["user", "superuser"]);
        check("us", Start, &["us", "user", "users"]);
        check("us", End, &["us"]);
        check("u", Anywhere, &["user", "users", "superuser", "us", "muse"]);
        check("户", End, &["用户"]);
        check("nobody", Anywhere, &[]);
    }

    #[test]
    fn too_many_terms_are_none() {
        let list = |count: usize| -> String {
            let terms = (0..count).map(|at| format!("x{at}\n"));
            std::iter::once("\n".to_owned()).chain(terms).collect()
        };
        let part = Part {
            text: "x".to_owned(),
            place: PartPlace::Start,
        };
        let found = |count| {
            let mut search = Search::new(&part);
            search.look(list(count).as_bytes()).unwrap();
            search.found.map(|found| found.len())
        };
        assert_eq!(found(TERMS_MAX), Some(TERMS_MAX));
        assert_eq!(found(TERMS_MAX + 1), None);
    }

    #[test]
    fn a_list_that_is_none_is_told() {
        let part = Part {
            text: "us".to_owned(),
            place: PartPlace::Anywhere,
        };
        for chunk in [&b"us"[..], b"\nus", b"us\n", b"\n\xffus\n"] {
            assert!(Search::new(&part).look(chunk).is_err());
        }
    }

    #[test]
    fn a_token_is_new_once_in_a_text_and_in_a_segment() {
        let mut known = Known::new();
        known.learn("\nold\nolder\n");
        assert_eq!(known.meet("old", 1), News::Token);
        assert_eq!(known.meet("old", 1), News::None);
        assert_eq!(known.meet("new", 1), News::Term);
        assert_eq!(known.meet("old", 2), News::Token);
        assert_eq!(known.meet("new", 2), News::Token);
    }
}
