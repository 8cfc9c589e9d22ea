//! The numbers of a usage object, found in one pass.
//!
//! A usage object is an object of numbers and of objects of numbers, at most three deep. Google and Bedrock write
//! parts as lists (`[{"modality": "AUDIO", "tokenCount": 5}]`); such an element is found under its word.
//!
//! | limit | value | past it |
//! |---|---|---|
//! | [`ENTRIES_MAX`] | 256 numbers and objects | the rest is not counted |
//! | [`DEPTH_MAX`] | 4 levels | the same |

use std::borrow::Cow;

use flow_model::Raw;

use crate::json::{Document, Json, Kind};

/// Numbers and objects of a usage object.
const ENTRIES_MAX: usize = 256;
/// Entries for which room is made at first: most usage objects have fewer.
const ENTRIES_AT_FIRST: usize = 24;
/// Levels of a usage object.
const DEPTH_MAX: usize = 4;

/// The numbers of a usage object.
#[derive(Debug)]
pub(crate) struct Counts<'a>(Vec<Entry<'a>>);

#[derive(Debug)]
struct Entry<'a> {
    /// The entry that it stands in; none at the top.
    parent: Option<usize>,
    name: Cow<'a, str>,
    /// The number as it is spelt; empty for objects and lists.
    number: &'a [u8],
}

/// Calls `read` with the numbers of a usage object.
pub(crate) fn counted<T>(usage: &Raw, read: impl FnOnce(&Counts<'_>) -> T) -> T {
    let document = Document::new(usage.as_str().as_bytes());
    let mut counts = Counts(Vec::with_capacity(ENTRIES_AT_FIRST));
    counts.object(None, &mut document.root(), 1);
    read(&counts)
}

// === impl Counts ===

impl<'a> Counts<'a> {
    /// Returns the whole number at a path.
    pub(crate) fn count(&self, path: &[&str]) -> Option<u64> {
        let number = self.entry(path)?.number;
        let whole = std::str::from_utf8(number).ok()?;
        // Some gateways write a count as `7.0`.
        let whole = whole.split_once('.').map_or(whole, |(whole, places)| {
            let zeros = places.bytes().all(|place| place == b'0');
            if zeros { whole } else { "" }
        });
        whole.parse().ok()
    }

    /// Returns the number at a path.
    pub(crate) fn number(&self, path: &[&str]) -> Option<f64> {
        let number = self.entry(path)?.number;
        std::str::from_utf8(number).ok()?.parse().ok()
    }

    /// Returns whether an object stands at a path.
    pub(crate) fn has_object(&self, path: &[&str]) -> bool {
        self.entry(path)
            .is_some_and(|entry| entry.number.is_empty())
    }

    /// Returns whether a number or an object stands at a path.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        self.entry(path).is_some()
    }

    fn entry(&self, path: &[&str]) -> Option<&Entry<'a>> {
        let mut parent = None;
        let mut found = None;
        for name in path {
            let is = |entry: &&Entry<'_>| entry.parent == parent && entry.name == *name;
            let at = self.0.iter().position(|entry| is(&entry))?;
            parent = Some(at);
            found = self.0.get(at);
        }
        found
    }

    fn object(&mut self, parent: Option<usize>, json: &mut Json<'a>, depth: usize) {
        if depth > DEPTH_MAX || !json.object() {
            return;
        }
        while let Some(name) = json.member() {
            self.value(parent, name, json, depth);
        }
    }

    fn value(
        &mut self,
        parent: Option<usize>,
        name: Cow<'a, str>,
        json: &mut Json<'a>,
        depth: usize,
    ) {
        let kind = json.kind();
        let is_number = kind == Kind::Number;
        if self.0.len() >= ENTRIES_MAX || !(is_number || matches!(kind, Kind::Object | Kind::Array))
        {
            return;
        }
        let here = Some(self.0.len());
        self.0.push(Entry {
            parent,
            name,
            number: if is_number { json.raw() } else { &[] },
        });
        if kind == Kind::Object {
            self.object(here, json, depth + 1);
        } else if kind == Kind::Array && json.array() {
            while json.element() {
                self.element(here, json);
            }
        }
    }

    /// Reads an element of a list of parts: its word names its number.
    fn element(&mut self, parent: Option<usize>, json: &mut Json<'a>) {
        if self.0.len() >= ENTRIES_MAX || !json.object() {
            return;
        }
        let (mut name, mut number) = (None, None);
        while json.member().is_some() {
            match json.kind() {
                Kind::String if name.is_none() => name = json.text(),
                Kind::Number if number.is_none() => number = Some(json.raw()),
                _ => {}
            }
        }
        if let (Some(name), Some(number)) = (name, number) {
            self.0.push(Entry {
                parent,
                name,
                number,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(usage: &str, path: &[&str], expect: Option<u64>) {
        let found = counted(&Raw::new(usage), |counts| counts.count(path));
        assert_eq!(found, expect, "{path:?} of {usage}");
    }

    #[test]
    fn numbers_are_found_at_their_paths() {
        let usage =
            r#"{"a": 1, "b": {"a": 2, "c": {"d": 3}}, "e": null, "f": 1.5, "g": "x", "h": -1}"#;
        check(usage, &["a"], Some(1));
        check(usage, &["b", "a"], Some(2));
        check(usage, &["b", "c", "d"], Some(3));
        check("{\"a\": 7.0}", &["a"], Some(7));
        for path in [
            &["e"][..],
            &["f"],
            &["g"],
            &["h"],
            &["b"],
            &["c"],
            &["b", "x"],
        ] {
            check(usage, path, None);
        }
        let seconds = counted(&Raw::new(usage), |counts| counts.number(&["f"]));
        assert_eq!(seconds, Some(1.5));
        assert!(counted(&Raw::new(usage), |counts| counts.has(&["b", "c"])));
    }

    #[test]
    fn parts_in_lists_are_found_by_their_word() {
        let usage = r#"{"parts": [{"modality": "TEXT", "tokenCount": 4}, {"tokenCount": 5, "modality": "AUDIO"}, {"n": 1}, 7]}"#;
        check(usage, &["parts", "TEXT"], Some(4));
        check(usage, &["parts", "AUDIO"], Some(5));
        check(usage, &["parts", "IMAGE"], None);
    }

    #[test]
    fn hostile_objects_are_bounded() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        check(&deep, &["a"; 100], None);
        let many: Vec<String> = (0..1_000)
            .map(|number| format!("\"{number}\": 1"))
            .collect();
        let many = format!("{{{}}}", many.join(","));
        check(&many, &["255"], Some(1));
        check(&many, &["256"], None);
        check("[1", &["a"], None);
        check("", &["a"], None);
    }
}
