//! Names: their order, lists of them as one text, and the dictionary of one column.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use flow_query::Pattern;

/// Returns how two names sort: without regard to case, and where that is the same, with it.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let lower = (lower(one), lower(other));
    lower.0.cmp(&lower.1).then_with(|| one.cmp(other))
}

/// Returns a name in lower case, as patterns have it; most names are.
fn lower(name: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if name.bytes().all(is_lower) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.to_lowercase())
    }
}

/// Returns a list of names as one text, a line each.
pub(super) fn join(names: &[String]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        for letter in name.chars() {
            match letter {
                '\n' => text.push_str("\\n"),
                '\\' => text.push_str("\\\\"),
                _ => text.push(letter),
            }
        }
    }
    text
}

/// Returns the names of a list.
pub(super) fn split(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split('\n').map(|line| {
        if !line.contains('\\') {
            return Cow::Borrowed(line);
        }
        let mut name = String::new();
        let mut letters = line.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('n') => name.push('\n'),
                    other => name.extend(other),
                },
                _ => name.push(letter),
            }
        }
        Cow::Owned(name)
    })
}

/// The names of one column of one segment, by code.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// In the order in which they came.
    Live(LiveNames),
    /// In the order of names.
    Sorted(Arc<Dictionary>),
}

/// A growing list of names, which can be copied for the price of its chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveNames {
    chunks: Vec<Arc<Vec<Arc<str>>>>,
    len: usize,
}

/// Sorted names as they stand in a file.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// Where each name ends in the text.
    ends: Vec<u32>,
    text: String,
}

/// Codes whose names match a pattern.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Matching {
    Codes(Range<u64>),
    /// Whether each code's name does.
    Table(Vec<bool>),
}

// === impl Names ===

impl Names {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Live(names) => names.len,
            Self::Sorted(dictionary) => dictionary.len(),
        }
    }

    pub(super) fn name(&self, code: u64) -> Option<&str> {
        let code = usize::try_from(code).ok()?;
        match self {
            Self::Live(names) => names.name(code),
            Self::Sorted(dictionary) => dictionary.name(code),
        }
    }

    /// Returns the codes whose names match, where each name is one.
    pub(super) fn matching(&self, pattern: &Pattern) -> Matching {
        let Self::Sorted(dictionary) = self else {
            return self.table(|name| pattern.matches(name));
        };
        let first = dictionary.place(|name| lower(name).as_ref() < pattern.prefix());
        if let Some(literal) = pattern.literal() {
            let past = dictionary.place(|name| lower(name).as_ref() <= literal);
            return Matching::Codes(first as u64..past as u64);
        }
        let begins = |name: &str| lower(name).starts_with(pattern.prefix());
        let past = dictionary.place(|name| lower(name).as_ref() < pattern.prefix() || begins(name));
        let mut table = vec![false; dictionary.len()];
        for (code, matches) in table.iter_mut().enumerate().take(past).skip(first) {
            *matches = dictionary
                .name(code)
                .is_some_and(|name| pattern.matches(name));
        }
        Matching::of(table)
    }

    /// Returns the codes with a name that matches, where each is a list of names.
    pub(super) fn matching_lists(&self, pattern: &Pattern) -> Matching {
        self.table(|list| split(list).any(|name| pattern.matches(&name)))
    }

    fn table(&self, matches: impl Fn(&str) -> bool) -> Matching {
        let codes = 0..self.len() as u64;
        Matching::of(
            codes
                .map(|code| self.name(code).is_some_and(&matches))
                .collect(),
        )
    }

    /// Returns the code of a name in sorted names, or else the first code behind it.
    pub(super) fn find(&self, name: &str) -> Result<u64, u64> {
        let mut codes = 0..self.len() as u64;
        while codes.start < codes.end {
            let middle = codes.start.midpoint(codes.end);
            match self
                .name(middle)
                .map_or(Ordering::Greater, |found| compare(found, name))
            {
                Ordering::Less => codes.start = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => codes.end = middle,
            }
        }
        Err(codes.start)
    }

    /// Returns the names to keep in order, and the place in it of each code.
    pub(super) fn sorted(&self, keep: impl Fn(usize) -> bool) -> (Arc<Dictionary>, Vec<u32>) {
        let names = (0..self.len()).filter(|&code| keep(code));
        let mut order: Vec<(Cow<'_, str>, &str, usize)> = names
            .filter_map(|code| {
                let name = self.name(code as u64)?;
                Some((lower(name), name, code))
            })
            .collect();
        order.sort_unstable();
        let mut ranks = vec![0; self.len()];
        let mut dictionary = Dictionary {
            ends: Vec::with_capacity(order.len()),
            text: String::new(),
        };
        for (rank, (_, name, code)) in (0..).zip(order) {
            dictionary.push(name);
            if let Some(place) = ranks.get_mut(code) {
                *place = rank;
            }
        }
        (Arc::new(dictionary), ranks)
    }
}

// === impl LiveNames ===

impl LiveNames {
    /// Names of a chunk: what is copied when a name is added while a view is out.
    const CHUNK_NAMES: usize = 1024;

    /// Adds a name. Returns its code.
    pub(super) fn push(&mut self, name: Arc<str>) -> u64 {
        let code = self.len as u64;
        if self.len.is_multiple_of(Self::CHUNK_NAMES) {
            self.chunks.push(Arc::default());
        }
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push(name);
            self.len += 1;
        }
        code
    }

    fn name(&self, code: usize) -> Option<&str> {
        let chunk = self.chunks.get(code / Self::CHUNK_NAMES)?;
        chunk.get(code % Self::CHUNK_NAMES).map(AsRef::as_ref)
    }
}

// === impl Dictionary ===

impl Dictionary {
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends
            .push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn name(&self, code: usize) -> Option<&str> {
        let end = *self.ends.get(code)? as usize;
        let start = match code.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// Returns the number of names at the front for which `before` is true.
    fn place(&self, before: impl Fn(&str) -> bool) -> usize {
        let mut codes = 0..self.len();
        while codes.start < codes.end {
            let middle = codes.start.midpoint(codes.end);
            if self.name(middle).is_some_and(&before) {
                codes.start = middle + 1;
            } else {
                codes.end = middle;
            }
        }
        codes.start
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns what it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<u32>()
    }

    /// Returns the bytes by which a file holds it: where each name ends, and the names.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let ends = self.ends.iter().flat_map(|end| end.to_le_bytes());
        ends.chain(self.text.bytes()).collect()
    }

    /// Returns the dictionary of so many names; none where the bytes are not one.
    pub(super) fn from_bytes(bytes: &[u8], names: usize) -> Option<Self> {
        let (ends, text) = bytes.split_at_checked(names.checked_mul(size_of::<u32>())?)?;
        let ends = ends.as_chunks().0.iter().copied().map(u32::from_le_bytes);
        let text = String::from_utf8(text.to_vec()).ok()?;
        let ends: Vec<u32> = ends.collect();
        let whole = ends.last().map_or(0, |&end| end as usize) == text.len();
        let rising =
            ends.is_sorted() && ends.iter().all(|&end| text.is_char_boundary(end as usize));
        (whole && rising).then_some(Self { ends, text })
    }
}

// === impl Matching ===

impl Matching {
    fn of(table: Vec<bool>) -> Self {
        let Some(first) = table.iter().position(|&matches| matches) else {
            return Self::Codes(0..0);
        };
        let past = table.iter().rposition(|&matches| matches).unwrap_or(first) + 1;
        let all = table
            .get(first..past)
            .is_some_and(|codes| codes.iter().all(|&matches| matches));
        if all {
            Self::Codes(first as u64..past as u64)
        } else {
            Self::Table(table)
        }
    }
}
