//! Finds the price of a model.
//!
//! The user's own prices come first. Then the names of a model, from the fullest to the barest, are looked for at
//! each provider whose price may apply: as an id or an alias, else by the pattern that says most. What the table
//! does not know is not guessed.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::overrides::{Override, OverrideError};
use crate::table::{Model, Table};
use crate::{name, overrides, pattern, provider};

static TABLE: OnceLock<Index> = OnceLock::new();
static BUILTIN: OnceLock<Prices> = OnceLock::new();

/// The version of prices that the user gave.
const USER_VERSION: &str = "user";

/// Prices of models: the built-in table, with the user's own over it.
pub struct Prices {
    index: &'static Index,
    overrides: Vec<Override>,
}

/// How many tokens a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Tokens that fit its window: the prompt, or prompt and answer, as its provider counts.
    pub input: Option<u64>,
    /// Tokens that its answer may have.
    pub output: Option<u64>,
}

/// A model that was found.
pub(crate) struct Found<'a> {
    pub(crate) model: &'a Model,
    pub(crate) version: &'a str,
    /// The name of the price, such as `anthropic/claude-sonnet-4-5`.
    pub(crate) price: String,
    /// The provider whose price it is, where that is not the one that served the call.
    pub(crate) borrowed: bool,
}

struct Index {
    table: Table,
    shelves: HashMap<Box<str>, Shelf>,
}

/// The models of one provider.
#[derive(Default)]
struct Shelf {
    exact: HashMap<Box<str>, usize>,
    patterns: Vec<(Box<str>, usize)>,
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            index: TABLE.get_or_init(Index::builtin),
            overrides: Vec::new(),
        }
    }
}

// === impl Prices ===

impl Prices {
    /// Returns the built-in table.
    pub fn builtin() -> &'static Self {
        BUILTIN.get_or_init(Self::default)
    }

    /// Returns the built-in table with the user's own prices over it. Each member of `prices` is a pattern of
    /// models, with or without a provider (`openai/gpt-*`), and an object of dollars per million tokens by unit,
    /// such as `{"input": 3, "output": "15", "cache_read": 0.3}`; `window` and `output_max` are tokens.
    pub fn with_overrides(prices: &Map<String, Value>) -> Result<Self, OverrideError> {
        Ok(Self {
            index: TABLE.get_or_init(Index::builtin),
            overrides: overrides::read(prices)?,
        })
    }

    /// Returns the version of the built-in table: its date, and the versions of its sources.
    pub fn version(&self) -> &str {
        &self.index.table.version
    }

    /// Returns how many tokens a model takes, as far as it is known.
    pub fn window(&self, provider: Option<&str>, model: &str) -> Option<Window> {
        let windows = |model: &Model| {
            (model.window.is_some() || model.output_max.is_some()).then_some(Window {
                input: model.window,
                output: model.output_max,
            })
        };
        let found = self.find(provider, model)?;
        windows(found.model).or_else(|| {
            // A price of the user's own need not say what the table knows.
            let found = self.in_table(&serving(provider), &name::forms(model))?;
            windows(found.model)
        })
    }

    /// Returns the price of a model that a provider serves.
    pub(crate) fn find(&self, provider: Option<&str>, model: &str) -> Option<Found<'_>> {
        let forms = name::forms(model);
        let serving = serving(provider);
        let own = self.in_overrides(&serving, &forms);
        own.or_else(|| {
            let found = self.in_table(&serving, &forms)?;
            // A price of the user's for the model's vendor wins over the vendor's in the table.
            let own = || self.in_overrides(&found.model.provider, &forms);
            let borrowed = found.borrowed.then(own).flatten();
            Some(borrowed.unwrap_or(found))
        })
    }

    fn in_overrides(&self, serving: &str, forms: &[String]) -> Option<Found<'_>> {
        let fits = |one: &&Override| forms.iter().any(|form| one.fits(serving, form));
        let found = self
            .overrides
            .iter()
            .filter(fits)
            .max_by_key(|one| one.weight())?;
        Some(Found {
            model: &found.model,
            version: USER_VERSION,
            price: found.model.id.to_string(),
            borrowed: false,
        })
    }

    fn in_table(&self, serving: &str, forms: &[String]) -> Option<Found<'_>> {
        if provider::is_in_credits(serving) {
            return None;
        }
        let mut shelves = [serving]
            .into_iter()
            .chain(provider::shelves(serving).iter().copied());
        let known = shelves.find_map(|shelf| self.index.find(shelf, forms));
        let model = known.or_else(|| {
            let vendor = (!provider::is_local(serving)).then(|| vendor(forms))??;
            self.index.find(&vendor, forms)
        })?;
        Some(Found {
            model,
            version: &self.index.table.version,
            price: format!("{}/{}", model.provider, model.id),
            borrowed: *model.provider != *serving,
        })
    }
}

fn serving(provider: Option<&str>) -> String {
    provider.map(provider::canonical).unwrap_or_default()
}

/// Returns who made a model: by its name, or else by what stands in front of it. A price of 0 is its server's own.
fn vendor(forms: &[String]) -> Option<String> {
    if forms.iter().any(|form| form.ends_with(":free")) {
        return None;
    }
    if let Some(vendor) = forms.iter().find_map(|form| provider::vendor(form)) {
        return Some(vendor.to_owned());
    }
    let (vendor, _) = forms.first()?.split_once('/')?;
    Some(provider::canonical(vendor))
}

// === impl Index ===

impl Index {
    fn builtin() -> Self {
        let table = Table::builtin();
        let mut shelves: HashMap<Box<str>, Shelf> = HashMap::new();
        for (at, model) in table.models.iter().enumerate() {
            let shelf = shelves.entry(model.provider.clone()).or_default();
            shelf.exact.insert(model.id.clone(), at);
        }
        for (at, model) in table.models.iter().enumerate() {
            let shelf = shelves.entry(model.provider.clone()).or_default();
            for name in &model.names {
                if pattern::is_pattern(name) {
                    shelf.patterns.push((name.clone(), at));
                } else {
                    shelf.exact.entry(name.clone()).or_insert(at);
                }
            }
        }
        Self { table, shelves }
    }

    fn find(&self, shelf: &str, forms: &[String]) -> Option<&Model> {
        let shelf = self.shelves.get(shelf)?;
        let at = forms.iter().find_map(|form| self.at(shelf, form))?;
        self.table.models.get(at)
    }

    fn at(&self, shelf: &Shelf, form: &str) -> Option<usize> {
        if let Some(at) = shelf.exact.get(form) {
            return Some(*at);
        }
        let meant = |at: usize| {
            let not = self.table.models.get(at).map(|model| &model.not);
            !not.is_some_and(|not| not.iter().any(|not| pattern::fits(not, form)))
        };
        let mut best: Option<(usize, usize)> = None;
        for (pattern, at) in &shelf.patterns {
            let weight = pattern::weight(pattern);
            let better = best.is_none_or(|(most, _)| weight > most);
            if better && pattern::fits(pattern, form) && meant(*at) {
                best = Some((weight, *at));
            }
        }
        best.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests;
