//! Makes one list of two.
//!
//! A model of LiteLLM belongs to the model of genai-prices, at the same provider, whose name or pattern says most
//! about it. It is then compared with it, and fills what that leaves out; its own line is dropped. Where a pattern
//! fits, more than a version is added to it and the prices differ, it is another model and keeps its line. Vertex charges what the Gemini API
//! charges, so that its Gemini models are looked for there.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::genai::Genai;
use super::litellm::{self, Litellm};
use super::model::{Model, Period, Rates};

/// Prices that differ by no more than this part are the same, rounded otherwise: 1 ÷ 5,000.
const ROUNDING: i128 = 5_000;

/// Rates that are compared.
const COMPARED: &[&str] = &[
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "input_audio",
    "output_audio",
    "audio_hour",
    "image",
    "search",
];

/// The table, and what is to be said of it.
#[derive(Default)]
pub(super) struct Merged {
    pub(super) models: Vec<Model>,
    pub(super) counts: Counts,
    pub(super) disagreements: Vec<Disagreement>,
    pub(super) dropped: BTreeMap<String, usize>,
}

/// How many models came from where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) genai: usize,
    pub(super) litellm: usize,
    pub(super) both: usize,
    pub(super) agree: usize,
    pub(super) filled: usize,
}

/// One model whose price differs between the sources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Disagreement {
    pub(super) provider: String,
    pub(super) id: String,
    pub(super) difference: String,
}

/// Merges the two. Prices are compared as they stand on `day`.
pub(super) fn merge(first: Genai, second: Litellm, day: &str) -> Merged {
    let mut merged = Merged {
        dropped: first.dropped,
        ..Merged::default()
    };
    for (what, count) in second.dropped {
        *merged.dropped.entry(what).or_default() += count;
    }
    let mut models = first.models;
    merged.counts.genai = models.len();
    let mut own: BTreeMap<(String, String), Model> = BTreeMap::new();
    let mut compared = BTreeSet::new();
    // Names come before patterns, so that a model is compared with itself and not with a version of it.
    let mut others: Vec<_> = second
        .models
        .into_iter()
        .map(|other| (home(&models, &other), other))
        .collect();
    others.sort_by_key(|(home, _)| home.is_some_and(|(_, exact)| !exact));
    for (home, other) in others {
        let Some((at, exact)) = home else {
            match own.entry((other.provider.clone(), other.id.clone())) {
                Entry::Vacant(place) => {
                    place.insert(other);
                }
                Entry::Occupied(_) => merged.drop("litellm: a second entry of one model"),
            }
            continue;
        };
        let Some(model) = models.get_mut(at) else {
            continue;
        };
        let differences = differences(model, &other, day);
        if !exact && !differences.is_empty() {
            own.insert((other.provider.clone(), other.id.clone()), other);
            continue;
        }
        if compared.insert(at) {
            merged.compare(model, &other, &differences);
        } else if !differences.is_empty() && model.disputed.is_none() {
            merged.dispute(model, &other.id, &differences);
        }
    }
    merged.counts.litellm = own.len();
    models.extend(own.into_values());
    models.sort_by(|one, other| (&one.provider, &one.id).cmp(&(&other.provider, &other.id)));
    models.dedup_by(|later, earlier| later.provider == earlier.provider && later.id == earlier.id);
    merged.models = models;
    merged.disagreements.sort();
    merged
}

/// Returns where a model belongs, and whether it is that model or one of its versions.
fn home(models: &[Model], other: &Model) -> Option<(usize, bool)> {
    let provider = match other.provider.as_str() {
        "vertex" if other.id.starts_with("gemini") => "gemini",
        provider => provider,
    };
    models
        .iter()
        .enumerate()
        .filter(|(_, model)| model.provider == provider)
        .filter_map(|(at, model)| Some((at, model.fit(&other.id)?)))
        .max_by_key(|(at, weight)| (*weight, usize::MAX - at))
        .map(|(at, _)| {
            (
                at,
                models.get(at).is_some_and(|model| model.is_same(&other.id)),
            )
        })
}

/// Returns what differs between two standard prices, in words.
fn differences(model: &Model, other: &Model, day: &str) -> Vec<String> {
    let (Some(ours), Some(theirs)) = (model.standard(day), other.standard(day)) else {
        return Vec::new();
    };
    let peak = model.periods.iter().filter(|period| period.hours.is_some());
    let mut found: Vec<String> = Vec::new();
    let rates = |rates: &Rates, unit: &str| rates.get(unit).copied();
    for unit in COMPARED {
        if let (Some(one), Some(two)) = (rates(&ours.rates, unit), rates(&theirs.rates, unit))
            && !one.is_near(two, ROUNDING)
            && !peak
                .clone()
                .any(|period| rates(&period.rates, unit) == Some(two))
        {
            found.push(format!("{unit} {one} (litellm: {two})"));
        }
    }
    for (over, one, two) in long(ours, theirs) {
        found.push(format!("input over {over} {one} (litellm: {two})"));
    }
    found
}

/// Returns the thresholds at which both have a price of the prompt, and not the same.
fn long(ours: &Period, theirs: &Period) -> Vec<(u64, String, String)> {
    let both = ours.over.iter().filter_map(|(over, rates)| {
        let (one, two) = (rates.get("input")?, theirs.over.get(over)?.get("input")?);
        (!one.is_near(*two, ROUNDING)).then(|| (*over, one.to_string(), two.to_string()))
    });
    both.collect()
}

// === impl Merged ===

impl Merged {
    fn drop(&mut self, what: &str) {
        *self.dropped.entry(what.to_owned()).or_default() += 1;
    }

    fn compare(&mut self, model: &mut Model, other: &Model, differences: &[String]) {
        self.counts.both += 1;
        model.sources.insert(litellm::SOURCE);
        model.window = model.window.or(other.window);
        model.output_max = other.output_max;
        model.deprecated.clone_from(&other.deprecated);
        if differences.is_empty() {
            self.counts.agree += 1;
            self.counts.filled += usize::from(fill(model, other));
            return;
        }
        self.dispute(model, &other.id, differences);
    }

    /// Notes a disagreement; a version of the model is named, where it is not the model's own name.
    fn dispute(&mut self, model: &mut Model, id: &str, differences: &[String]) {
        let mut difference = differences.join("; ");
        if model.id != id {
            difference = format!("as {id}: {difference}");
        }
        self.disagreements.push(Disagreement {
            provider: model.provider.clone(),
            id: model.id.clone(),
            difference: difference.clone(),
        });
        model.disputed = Some(difference);
    }
}

/// Adds the rates and tiers that the first source leaves out, where it has one standard price and nothing that
/// both know differs.
fn fill(model: &mut Model, other: &Model) -> bool {
    let tiers: BTreeSet<String> = model
        .periods
        .iter()
        .filter_map(|period| period.when.clone())
        .collect();
    let mut filled = false;
    let single = model
        .periods
        .iter()
        .filter(|period| period.when.is_none())
        .count()
        == 1;
    for theirs in &other.periods {
        match &theirs.when {
            None if single => {
                let ours = model.periods.iter_mut().find(|period| period.is_standard());
                let Some(ours) = ours.filter(|ours| ours.rates.contains_key("input")) else {
                    continue;
                };
                for (unit, rate) in &theirs.rates {
                    if !ours.rates.contains_key(unit) && *unit != "output" {
                        ours.rates.insert(unit, *rate);
                        filled = true;
                    }
                }
            }
            Some(when) if !tiers.contains(when) && !theirs.rates.is_empty() => {
                model.periods.push(theirs.clone());
                filled = true;
            }
            _ => {}
        }
    }
    filled
}

#[cfg(test)]
mod tests;
