//! What a plain SQLite table does with the same calls: the store that most tools of this kind have.
//!
//! One row a flow with both bodies as text, five indexes, and the words of prompts and answers in FTS5 with the
//! trigram tokenizer. Written as durably as the store writes: WAL, `synchronous=FULL`, a hundred flows a commit.
//!
//! A trigram index cannot find two characters, which is what most Chinese words have; `LIKE` finds them by
//! reading every text.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use flow_meter::Prices;
use flow_model::{Header, Part, Row};
use rusqlite::{Connection, params};

use crate::call::Call;
use crate::generate::{micros_each, per_second};
use crate::generator::Generator;
use crate::measure::{cpu_time, repeated, size};
use crate::out;
use crate::report::{Figure, Report};
use crate::samples::Samples;
use crate::size::{share, weigh};
use crate::traffic::Traffic;

/// Flows of one commit.
const COMMIT_FLOWS: u64 = 100;
const FILE: &str = "peer.sqlite";

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE flows (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL, model TEXT, provider TEXT,
        status INTEGER, tokens INTEGER, cost REAL, duration_us INTEGER, session TEXT, client TEXT,
        request_headers TEXT, response_headers TEXT, request TEXT, response TEXT
    );
    CREATE INDEX by_time ON flows (started_at);
    CREATE INDEX by_model ON flows (model);
    CREATE INDEX by_status ON flows (status);
    CREATE INDEX by_tokens ON flows (tokens);
    CREATE INDEX by_session ON flows (session);
    CREATE VIRTUAL TABLE texts USING fts5 (prompt, answer, tokenize = 'trigram');
";

/// What the table is filled with.
#[derive(Args)]
pub(crate) struct Options {
    /// Directory of the table's file, which is made anew.
    #[arg(long)]
    dir: PathBuf,
    #[command(flatten)]
    traffic: Traffic,
    /// How often each query runs.
    #[arg(long, default_value_t = 200)]
    runs: u64,
}

/// Fills and measures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    measure(&options.dir, &options.traffic, options.runs, &mut report)?;
    out::line(report);
    Ok(())
}

/// Fills a table with all calls of the traffic and measures it.
pub(crate) fn measure(dir: &Path, traffic: &Traffic, runs: u64, report: &mut Report) -> Result<()> {
    fs::create_dir_all(dir)?;
    for left in ["", "-wal", "-shm"] {
        let path = dir.join([FILE, left].concat());
        if path.exists() {
            fs::remove_file(&path)?;
        }
    }
    let mut connection = Connection::open(dir.join(FILE)).context("make the table")?;
    connection.execute_batch(SCHEMA)?;
    let samples = fill(&mut connection, traffic, report)?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); ANALYZE;")?;
    let kinds = weigh(dir)?;
    let stored: u64 = kinds.get("sqlite").copied().unwrap_or(0);
    let part = share(stored, samples.raw_bytes);
    report.add_peer(Figure::Stored, format_args!("{part} ({})", size(stored)));
    ask(&connection, &samples, runs, report)
}

/// Fills the table. The time in which calls are made and read does not count.
fn fill(connection: &mut Connection, traffic: &Traffic, report: &mut Report) -> Result<Samples> {
    let prices = Prices::default();
    let mut generator = Generator::new(traffic.plan());
    let mut samples = Samples::default();
    let (mut took, mut cpu) = (Duration::ZERO, Duration::ZERO);
    let mut position = 0;
    while position < traffic.flows {
        let until = traffic.flows.min(position + COMMIT_FLOWS);
        let mut entries = Vec::new();
        for position in position..until {
            let call = generator.call(position);
            samples.add(&call, &prices);
            entries.push(Entry::new(&call, &prices));
        }
        let (begun, cpu_before) = (Instant::now(), cpu_time().unwrap_or_default());
        let transaction = connection.transaction()?;
        for (number, entry) in (position..).zip(&entries) {
            entry.insert(&transaction, i64::try_from(number)?)?;
        }
        transaction.commit()?;
        took += begun.elapsed();
        cpu += cpu_time().unwrap_or_default().saturating_sub(cpu_before);
        position = until;
    }
    let (figure, cpu_figure) = Figure::of_ingest(traffic.sessions > 0);
    let each = micros_each(cpu, traffic.flows);
    report.add_peer(cpu_figure, format_args!("{each:.0} µs"));
    let rate = per_second(traffic.flows, took);
    report.add_peer(figure, format_args!("{rate:.0}/s"));
    Ok(samples)
}

/// A call as the table takes it.
struct Entry {
    row: Row,
    request_headers: String,
    response_headers: String,
    request: String,
    response: String,
    /// Everything that is said in the prompt, and in the answer.
    prompt: String,
    answer: String,
}

impl Entry {
    fn new(call: &Call, prices: &Prices) -> Self {
        let reading = call.reading(prices);
        let (mut prompt, mut answer) = (String::new(), String::new());
        for message in &reading.request.messages {
            append(&mut prompt, &message.parts);
        }
        for choice in &reading.response.choices {
            append(&mut answer, &choice.message.parts);
        }
        let head = call.exchange.response.as_ref();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            row: call.row(prices),
            request_headers: lines(&call.exchange.request.headers),
            response_headers: head.map(|head| lines(&head.headers)).unwrap_or_default(),
            request: text(&call.request),
            response: text(&call.response),
            prompt,
            answer,
        }
    }

    fn insert(&self, connection: &Connection, n: i64) -> Result<()> {
        let row = &self.row;
        let whole = |count: Option<u64>| count.and_then(|count| i64::try_from(count).ok());
        let cost = row.cost.as_ref().and_then(|cost| cost.parse::<f64>().ok());
        connection
            .prepare_cached(
                "INSERT INTO flows VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)",
            )?
            .execute(params![
                n,
                row.id.to_string(),
                row.started_at.0,
                row.model,
                row.provider,
                row.status,
                whole(row.tokens.total),
                cost,
                whole(row.duration_us),
                row.session,
                row.client,
                self.request_headers,
                self.response_headers,
                self.request,
                self.response,
            ])?;
        connection
            .prepare_cached("INSERT INTO texts (rowid, prompt, answer) VALUES (?1, ?2, ?3)")?
            .execute(params![n, self.prompt, self.answer])?;
        Ok(())
    }
}

fn lines(headers: &[Header]) -> String {
    let fields = headers.iter();
    let lines = fields.map(|field| [&field.name, ": ", &field.value, "\n"].concat());
    lines.collect()
}

fn append(out: &mut String, parts: &[Part]) {
    for part in parts {
        match part {
            Part::Text { text, .. } | Part::Thinking { text, .. } => {
                out.push_str(text);
                out.push('\n');
            }
            Part::ToolResult { content, .. } => append(out, content),
            Part::ToolCall { arguments, .. } => {
                out.push_str(arguments);
                out.push('\n');
            }
            _ => {}
        }
    }
}

fn ask(connection: &Connection, samples: &Samples, runs: u64, report: &mut Report) -> Result<()> {
    const COLUMNS: &str = "SELECT id, started_at, model, provider, status, tokens, cost, duration_us, session, client FROM flows";
    const SORTS: [&str; 4] = ["started_at", "tokens", "cost", "duration_us"];
    let sort = |run: u64| {
        usize::try_from(run % 4)
            .ok()
            .and_then(|at| SORTS.get(at))
            .copied()
            .unwrap_or("n")
    };
    let list = repeated(runs, |run| {
        let sql = format!(
            "{COLUMNS} WHERE model = ?1 AND tokens > ?2 ORDER BY {} DESC LIMIT 50",
            sort(run)
        );
        drain(connection, &sql, params![samples.model(run), least(run)])
    })?;
    report.add_peer(Figure::List, list);
    let count = repeated(runs, |run| {
        let sql = "SELECT count(*) FROM flows WHERE model = ?1 AND status = 200 AND tokens > ?2";
        drain(connection, sql, params![samples.model(run), least(run)])
    })?;
    report.add_peer(Figure::Count, count);
    // SQLite knows no percentiles; it is measured without.
    let groups = repeated(runs.min(50), |run| {
        let sql = "SELECT started_at / 86400000000 AS day, model, count(*), sum(tokens), sum(cost), avg(duration_us)
                   FROM flows WHERE tokens > ?1 GROUP BY day, model";
        drain(connection, sql, params![least(run)])
    })?;
    report.add_peer(
        Figure::Groups,
        format_args!("{groups} (without percentiles)"),
    );
    let open = repeated(runs, |run| {
        let sql =
            "SELECT request_headers, response_headers, request, response FROM flows WHERE id = ?1";
        drain(
            connection,
            sql,
            params![samples.large(run).map(|id| id.to_string())],
        )
    })?;
    report.add_peer(Figure::Open, open);
    search(connection, samples, runs, report)
}

fn search(
    connection: &Connection,
    samples: &Samples,
    runs: u64,
    report: &mut Report,
) -> Result<()> {
    let matching = "SELECT rowid FROM texts WHERE texts MATCH ?1 ORDER BY rowid DESC LIMIT 50";
    let word = repeated(runs, |run| {
        drain(
            connection,
            matching,
            params![format!("\"{}\"", Samples::word(run))],
        )
    })?;
    report.add_peer(Figure::SearchWord, word);
    let part = repeated(runs, |run| {
        drain(
            connection,
            matching,
            params![format!("\"{}\"", samples.part(run))],
        )
    })?;
    report.add_peer(Figure::SearchPart, part);
    let like = "SELECT rowid FROM texts WHERE prompt LIKE ?1 OR answer LIKE ?1 ORDER BY rowid DESC LIMIT 50";
    let chinese = repeated(runs.min(50), |run| {
        drain(
            connection,
            like,
            params![format!("%{}%", Samples::chinese(run))],
        )
    })?;
    report.add_peer(
        Figure::SearchChinese,
        format_args!("{chinese} (LIKE: trigrams cannot)"),
    );
    Ok(())
}

/// Returns a number of tokens that differs from run to run.
fn least(run: u64) -> i64 {
    i64::try_from(run * 7 % 900).unwrap_or(0)
}

/// Runs a query and takes every value of its rows.
fn drain(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<()> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            std::hint::black_box(row.get_ref(column)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_takes_and_finds_the_calls() {
        let dir = tempfile::tempdir().unwrap();
        let traffic = Traffic {
            flows: 120,
            sessions: 1,
            turns: 10,
            request_bytes: 50_000,
            call_bytes: crate::single::CALL_BYTES,
            days: 2,
            seed: 3,
        };
        let mut report = Report::default();
        measure(dir.path(), &traffic, 3, &mut report).unwrap();
        let connection = Connection::open(dir.path().join(FILE)).unwrap();
        let count = |sql: &str| {
            connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(count("SELECT count(*) FROM flows"), 120);
        assert!(count("SELECT count(*) FROM texts WHERE texts MATCH '\"response\"'") > 10);
        assert!(report.to_string().contains("trigrams cannot"));
    }
}
