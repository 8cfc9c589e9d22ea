//! What measurements ask for: names, words and flows that are in the traffic, and differ from run to run.

use flow_meter::Prices;
use flow_model::FlowId;

use crate::call::Call;
use crate::generator::Generator;
use crate::random::{Domain, Random};
use crate::traffic::Traffic;

/// Bytes of both bodies from which a flow is a large one, which agents' late turns are.
const LARGE_BYTES: u64 = 400_000;
/// Flows that are held of each kind.
const HELD_MAX: usize = 200;
/// Calls that are made again to learn what is there.
const MADE_AGAIN: u64 = 20_000;

/// Words that texts are full of, and some that are rarer.
const WORDS: [&str; 8] = [
    "timeout",
    "percentile",
    "museum",
    "orchestra",
    "deployment",
    "vaccine",
    "cursor",
    "lesson",
];
const CHINESE: [&str; 8] = [
    "缓存", "合同", "茶叶", "重力", "事务", "书法", "超时", "病人",
];

/// What there is to ask for.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) raw_bytes: u64,
    models: Vec<String>,
    /// Names that programs have, out of the prompts.
    names: Vec<String>,
    large: Vec<FlowId>,
    /// The largest flow, where none is large.
    largest: Option<(u64, FlowId)>,
}

// === impl Samples ===

impl Samples {
    /// Returns the samples of traffic that was stored before, from the end of it.
    pub(crate) fn of(traffic: &Traffic, prices: &Prices) -> Self {
        let mut samples = Self::default();
        let mut generator = Generator::new(traffic.plan());
        for position in traffic.flows.saturating_sub(MADE_AGAIN)..traffic.flows {
            samples.add(&generator.call(position), prices);
        }
        samples
    }

    /// Takes a call into account.
    pub(crate) fn add(&mut self, call: &Call, prices: &Prices) {
        let bytes = call.bytes();
        self.raw_bytes += bytes;
        let id = call.exchange.id;
        if bytes >= LARGE_BYTES && self.large.len() < HELD_MAX {
            self.large.push(id);
        }
        if self.largest.is_none_or(|(most, _)| bytes > most) {
            self.largest = Some((bytes, id));
        }
        if self.names.len() >= HELD_MAX {
            return;
        }
        let row = call.row(prices);
        if let Some(model) = row.model.filter(|model| !self.models.contains(model)) {
            self.models.push(model);
        }
        let preview = row.preview.unwrap_or_default();
        let mut quoted = preview.split('`').skip(1).step_by(2);
        let name = quoted.find(|name| name.len() > 8 && name.is_ascii() && !name.contains(' '));
        self.names.extend(name.map(str::to_owned));
    }

    pub(crate) fn model(&self, run: u64) -> &str {
        nth(&self.models, run).map_or("", String::as_str)
    }

    pub(crate) fn word(run: u64) -> &'static str {
        nth(&WORDS, run).copied().unwrap_or_default()
    }

    pub(crate) fn chinese(run: u64) -> &'static str {
        nth(&CHINESE, run).copied().unwrap_or_default()
    }

    /// Returns a part from the middle of a name.
    pub(crate) fn part(&self, run: u64) -> &str {
        let name = nth(&self.names, run).map_or("storeLevel", String::as_str);
        name.get(2..name.len() - 1).unwrap_or(name)
    }

    /// Returns a large flow; the largest where there are none.
    pub(crate) fn large(&self, run: u64) -> Option<FlowId> {
        let at = Random::keyed(0, Domain::Query, run).next();
        nth(&self.large, at)
            .copied()
            .or(self.largest.map(|(_, id)| id))
    }
}

fn nth<T>(list: &[T], run: u64) -> Option<&T> {
    let at = run.checked_rem(list.len() as u64)?;
    list.get(usize::try_from(at).ok()?)
}
