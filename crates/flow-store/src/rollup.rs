//! What is remembered of flows that are no longer there: sums over their rows, by quarter of an hour.
//!
//! Deletion and retention add to them in the transaction in which the flows go, so that each flow counts once. They
//! hold names and numbers, and no text of any flow. A name that a flow has not is empty.

use std::collections::BTreeMap;

use flow_model::{Row, Timestamp};
use flow_query::{Field, Value};
use rusqlite::types::ToSql;
use rusqlite::{Connection, Transaction, params};
use serde::Serialize;

use crate::catalog::Catalog;

/// Microseconds of a bucket.
const BUCKET_US: i64 = 15 * 60 * 1_000_000;
/// By what sums are told apart.
const NAMES: [Field; 6] = [
    Field::Provider,
    Field::Model,
    Field::Upstream,
    Field::Client,
    Field::Agent,
    Field::State,
];
/// What is summed up.
const MEASURES: [Field; 7] = [
    Field::Input,
    Field::Output,
    Field::Cached,
    Field::CacheWrite,
    Field::Reasoning,
    Field::Cost,
    Field::Duration,
];

pub(crate) const TABLE: &str = "
    CREATE TABLE gone (
        bucket INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, upstream TEXT NOT NULL,
        client TEXT NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, flows INTEGER NOT NULL,
        input INTEGER NOT NULL, input_known INTEGER NOT NULL,
        output INTEGER NOT NULL, output_known INTEGER NOT NULL,
        cache_read INTEGER NOT NULL, cache_read_known INTEGER NOT NULL,
        cache_write INTEGER NOT NULL, cache_write_known INTEGER NOT NULL,
        reasoning INTEGER NOT NULL, reasoning_known INTEGER NOT NULL,
        cost INTEGER NOT NULL, cost_known INTEGER NOT NULL,
        duration INTEGER NOT NULL, duration_known INTEGER NOT NULL,
        PRIMARY KEY (bucket, provider, model, upstream, client, agent, state)) WITHOUT ROWID;
";
const ADD: &str = "INSERT INTO gone VALUES
    (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)
    ON CONFLICT DO UPDATE SET flows = flows + excluded.flows,
        input = input + excluded.input, input_known = input_known + excluded.input_known,
        output = output + excluded.output, output_known = output_known + excluded.output_known,
        cache_read = cache_read + excluded.cache_read,
        cache_read_known = cache_read_known + excluded.cache_read_known,
        cache_write = cache_write + excluded.cache_write,
        cache_write_known = cache_write_known + excluded.cache_write_known,
        reasoning = reasoning + excluded.reasoning, reasoning_known = reasoning_known + excluded.reasoning_known,
        cost = cost + excluded.cost, cost_known = cost_known + excluded.cost_known,
        duration = duration + excluded.duration, duration_known = duration_known + excluded.duration_known";
const LIST: &str = "SELECT * FROM gone WHERE bucket >= ?1 AND bucket < ?2 ORDER BY bucket";
/// The columns before the measures: the bucket, the names and the number of flows.
const MEASURES_AT: usize = NAMES.len() + 2;

/// A sum over the flows in which the measure is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Their sum, in the field's base unit.
    pub sum: i64,
    /// How many there are.
    pub known: u64,
}

/// Sums over flows that were deleted, or are gone with a segment, and have these names in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollup {
    /// When the quarter of an hour began in which the flows did.
    pub at: Timestamp,
    /// Who served them.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The upstream.
    pub upstream: String,
    /// The program that sent them.
    pub client: String,
    /// The agent that sent them.
    pub agent: String,
    /// How they stood.
    pub state: String,
    /// How many they were.
    pub flows: u64,
    /// Tokens of the prompts.
    pub input: Sum,
    /// Tokens of the answers.
    pub output: Sum,
    /// Tokens read from the provider's cache.
    pub cache_read: Sum,
    /// Tokens written to it.
    pub cache_write: Sum,
    /// Tokens of reasoning.
    pub reasoning: Sum,
    /// Picodollars.
    pub cost: Sum,
    /// Microseconds.
    pub duration: Sum,
}

/// Sums over rows.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rollups {
    sums: BTreeMap<(i64, [String; NAMES.len()]), Sums>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    flows: u64,
    measures: [Sum; MEASURES.len()],
}

// === impl Rollups ===

impl Rollups {
    pub(crate) fn add(&mut self, row: &Row) {
        let bucket = row.started_at.0.div_euclid(BUCKET_US) * BUCKET_US;
        let names = NAMES.map(|field| match field.value(row) {
            Value::Name(name) => name.into_owned(),
            Value::None | Value::Number(_) | Value::Names(_) => String::new(),
        });
        let sums = self.sums.entry((bucket, names)).or_default();
        sums.flows += 1;
        for (sum, field) in sums.measures.iter_mut().zip(MEASURES) {
            if let Value::Number(number) = field.value(row) {
                sum.sum = sum.sum.saturating_add(number);
                sum.known += 1;
            }
        }
    }

    /// Adds the sums to those in the catalog.
    pub(crate) fn store(&self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        let mut add = transaction.prepare_cached(ADD)?;
        for ((bucket, names), sums) in &self.sums {
            let counts = sums.measures.map(|sum| (sum.sum, stored(sum.known)));
            let flows = stored(sums.flows);
            let mut values: Vec<&dyn ToSql> = vec![bucket];
            values.extend(names.iter().map(|name| name as &dyn ToSql));
            values.push(&flows);
            for (sum, known) in &counts {
                values.extend([sum as &dyn ToSql, known]);
            }
            add.execute(values.as_slice())?;
        }
        Ok(())
    }
}

// === impl Catalog ===

impl Catalog {
    /// Returns the sums over flows that began from `from` on and before `until`, where both are whole quarters of an
    /// hour; others reach to the next one.
    pub(crate) fn gone(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Rollup>, rusqlite::Error> {
        self.with(|connection| list(connection, from, until))
    }
}

fn list(
    connection: &Connection,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Rollup>, rusqlite::Error> {
    let from = from.0.div_euclid(BUCKET_US).saturating_mul(BUCKET_US);
    let mut list = connection.prepare_cached(LIST)?;
    let found = list.query_map(params![from, until.0], |row| {
        let sum = |measure: usize| -> Result<Sum, rusqlite::Error> {
            let at = MEASURES_AT + 2 * measure;
            let known: i64 = row.get(at + 1)?;
            Ok(Sum {
                sum: row.get(at)?,
                known: u64::try_from(known).unwrap_or(0),
            })
        };
        Ok(Rollup {
            at: Timestamp(row.get(0)?),
            provider: row.get(1)?,
            model: row.get(2)?,
            upstream: row.get(3)?,
            client: row.get(4)?,
            agent: row.get(5)?,
            state: row.get(6)?,
            flows: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
            input: sum(0)?,
            output: sum(1)?,
            cache_read: sum(2)?,
            cache_write: sum(3)?,
            reasoning: sum(4)?,
            cost: sum(5)?,
            duration: sum(6)?,
        })
    })?;
    found.collect()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
