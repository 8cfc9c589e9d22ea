//! Questions: what is searched for, and how the index narrows it.
//!
//! ```text
//! needle ─fold─► runs ─┬─ bounded on both sides, or dense ──► tokens that must be there, as they are
//!                      └─ open where the needle ends ───────► parts of tokens, looked up in the terms
//! ```
//!
//! A word at an end of the needle may go on in the text: of `ser insert` the text may hold `user insertion`. The
//! list of terms says which tokens begin, end or go on so. One part with too many of them does not narrow; where
//! nothing narrows, every text is looked at, the newest first. The index only narrows: texts are always checked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use flow_query::{Needle, Scope, TextKind};

use super::snippet::Snippet;
use super::tokens::{self, Class, PART_BYTES_MAX};

/// Tokens of a needle that are asked for; the longest say the most.
const TOKENS_MAX: usize = 32;

/// Something to search for, and in which texts.
pub struct Question {
    needle: Needle,
    scope: Scope,
    pub(super) plan: Plan,
}

/// What the tokens of a text must be like for the text to hold the needle.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Tokens that are there.
    pub(super) exact: BTreeSet<String>,
    /// Parts of tokens that are there.
    pub(super) parts: Vec<Part>,
}

/// A part of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) place: PartPlace,
}

/// Where in the token a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartPlace {
    Start,
    End,
    Anywhere,
}

/// Which texts can hold the needle.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Narrowed {
    /// None.
    Nothing,
    /// Those that an expression of FTS5 selects.
    Match(String),
    /// Any.
    Everything,
}

// === impl Question ===

impl Question {
    /// Returns the question which texts in a scope hold a needle.
    pub fn new(needle: &Needle, scope: Scope) -> Self {
        Self {
            plan: Plan::new(needle.as_str()),
            needle: needle.clone(),
            scope,
        }
    }

    /// Returns whether texts of a kind are asked for.
    pub(super) fn includes(&self, kind: TextKind) -> bool {
        self.scope.includes(kind)
    }

    /// Returns whether a text holds the needle.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.needle.is_in(text)
    }

    /// Returns the piece of a text around the needle; none where the text does not hold it.
    pub(crate) fn snippet(&self, text: &str) -> Option<Snippet> {
        Snippet::new(text, &self.needle)
    }
}

// === impl Plan ===

impl Plan {
    fn new(folded: &str) -> Self {
        let mut plan = Self::default();
        let mut runs = tokens::runs(folded);
        while let Some(run) = runs.next() {
            let last = runs.at_end();
            let whole = !run.first && !last;
            if whole || run.class == Class::Dense && run.text.chars().nth(1).is_some() {
                plan.exact
                    .extend(tokens::tokens(run.text).map(str::to_owned));
                continue;
            }
            let (place, text) = match (run.first, last) {
                (true, true) => (PartPlace::Anywhere, head(run.text)),
                (true, false) => (PartPlace::End, tail(run.text)),
                _ => (PartPlace::Start, head(run.text)),
            };
            let text = text.to_owned();
            plan.parts.push(Part { text, place });
        }
        while plan.exact.len() > TOKENS_MAX {
            let shortest = plan.exact.iter().min_by_key(|token| token.len()).cloned();
            plan.exact.remove(&shortest.unwrap_or_default());
        }
        plan
    }

    /// Returns which texts remain, given the terms that hold each part; none for a part with too many.
    pub(super) fn narrow(&self, terms: &[Option<BTreeSet<String>>]) -> Narrowed {
        let mut groups: Vec<Vec<&String>> = self.exact.iter().map(|token| vec![token]).collect();
        for terms in terms.iter().flatten() {
            groups.push(terms.iter().collect());
        }
        if groups.iter().any(Vec::is_empty) {
            return Narrowed::Nothing;
        }
        if groups.is_empty() {
            return Narrowed::Everything;
        }
        let mut expression = String::new();
        for (at, group) in groups.iter().enumerate() {
            expression.push_str(if at > 0 { " AND (" } else { "(" });
            for (at, term) in group.iter().enumerate() {
                let or = if at > 0 { " OR " } else { "" };
                let term = term.replace('"', "\"\"");
                let written: std::fmt::Result = write!(expression, "{or}\"{term}\"");
                written.unwrap_or_default();
            }
            expression.push(')');
        }
        Narrowed::Match(expression)
    }
}

/// Returns as much of the start of a word as one token holds.
fn head(word: &str) -> &str {
    word.get(..word.floor_char_boundary(PART_BYTES_MAX))
        .unwrap_or(word)
}

/// Returns as much of the end of a word as one token holds.
fn tail(word: &str) -> &str {
    let start = word.ceil_char_boundary(word.len().saturating_sub(PART_BYTES_MAX));
    word.get(start..).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(needle: &str, exact: &[&str], parts: &[(&str, PartPlace)]) {
        let expect = Plan {
            exact: exact.iter().map(|&token| token.to_owned()).collect(),
            parts: parts
                .iter()
                .map(|&(text, place)| Part {
                    text: text.to_owned(),
                    place,
                })
                .collect(),
        };
        assert_eq!(
            Plan::new(&crate::text::fold(needle)),
            expect,
            "plan of {needle:?}"
        );
    }

    #[test]
    fn inner_words_are_exact_and_outer_ones_open() {
        use PartPlace::{Anywhere, End, Start};

        check("", &[], &[]);
        check("!?", &[], &[]);
        check("Word", &[], &[("word", Anywhere)]);
        check("ser Insert", &[], &[("ser", End), ("insert", Start)]);
        check("a big b", &["big"], &[("a", End), ("b", Start)]);
        check("\"quoted\"", &["quoted"], &[]);
        check(".get(", &["get"], &[]);
        check("数据", &["数据"], &[]);
        check("数据库x", &["数据", "据库"], &[("x", Start)]);
        check("库", &[], &[("库", Anywhere)]);
        check("(库", &[], &[("库", Start)]);
        check("(库)", &["库"], &[]);
        check("v2模型 是", &["模型"], &[("v2", End), ("是", Start)]);
        let long = "é".repeat(100);
        check(&long, &[], &[(&"é".repeat(30), Anywhere)]);
    }

    #[test]
    fn a_long_needle_asks_for_some_of_its_words() {
        let words: Vec<String> = (0..100).map(|at| format!("word{at}")).collect();
        let plan = Plan::new(&format!(".{}.", words.join(".")));
        assert_eq!(plan.exact.len(), TOKENS_MAX);
        assert!(plan.exact.contains("word99") && !plan.exact.contains("word1"));
    }

    #[test]
    fn terms_become_an_expression() {
        let set = |terms: &[&str]| Some(terms.iter().map(|&term| term.to_owned()).collect());
        let plan = Plan::new("a big b");
        let narrow = |first, last| plan.narrow(&[first, last]);
        assert_eq!(
            narrow(set(&["a", "aa"]), None),
            Narrowed::Match("(\"big\") AND (\"a\" OR \"aa\")".to_owned())
        );
        assert_eq!(narrow(set(&[]), set(&["b"])), Narrowed::Nothing);
        assert_eq!(Plan::new("e").narrow(&[None]), Narrowed::Everything);
        assert_eq!(Plan::new("?").narrow(&[]), Narrowed::Everything);
    }
}
