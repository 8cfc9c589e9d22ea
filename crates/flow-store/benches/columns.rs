//! Questions to columns of a million and of ten million flows, each beside its budget.
//!
//! ```text
//! cargo bench -p flow-store --bench columns              both sizes
//! cargo bench -p flow-store --bench columns -- 1000000   so many flows only
//! ```
//!
//! The flows are made up: twenty models, conversations of some thirty turns, one flow in ten failed. Each segment
//! is full and written to a temporary directory, the newest one is live. Files are read through the page cache,
//! as they are on a machine that has just written them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark reads the clock, prints what it measured, and stops where it cannot go on"
)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flow_model::{
    Dialect, EndReason, ErrorClass, FlowId, Row, State, StopReason, Timestamp, Tokens,
};
use flow_query::{Checked, Field, Pattern, Range, Test};

// The modules as they stand in the library, which does not show them.
#[path = "../src"]
mod store {
    #[expect(
        dead_code,
        unused_imports,
        unreachable_pub,
        reason = "not every question is measured, and answers are public in the library"
    )]
    pub(crate) mod columns;
    #[expect(
        dead_code,
        unreachable_pub,
        reason = "columns need two of its functions"
    )]
    pub(crate) mod dir;
}

use store::columns::{
    After, ColumnFile, GroupBy, LiveColumns, Measure, NameCache, PageQuery, Part, Scan, Source,
    write,
};
use store::dir;

/// Flows of a full segment.
const SEGMENT_ROWS: usize = 131_072;
const SIZES: [usize; 2] = [1_000_000, 10_000_000];
/// Times that a question is asked.
const ROUNDS: usize = 40;
const DAY_US: i64 = 86_400_000_000;
/// Between the starts of two flows, on average.
const GAP_US: i64 = 300_000;
const FIRST_US: i64 = 1_790_000_000_000_000;

fn main() {
    // Cargo adds a flag of its own; a number is a size.
    let wanted = std::env::args().skip(1).find_map(|word| word.parse().ok());
    for flows in SIZES {
        if wanted.is_none_or(|wanted: usize| wanted == flows) {
            measure(flows);
        }
    }
}

fn measure(flows: usize) {
    let dir = tempfile::tempdir().unwrap();
    let (sources, set, bytes) = build(flows, dir.path());
    let in_files = flows - flows % SEGMENT_ROWS;
    println!(
        "{flows} flows in {} segments; a row is set in {:.2} µs; files have {:.1} bytes a flow",
        sources.len(),
        set.as_secs_f64() * 1e6 / flows as f64,
        bytes as f64 / in_files as f64,
    );
    let parts: Vec<Part<'_>> = sources
        .iter()
        .rev()
        .map(|source| Part {
            source,
            deleted: None,
            text: &[],
        })
        .collect();
    lists(&parts);
    counts(&parts);
    statistics(&parts);
    println!();
}

fn lists(parts: &[Part<'_>]) {
    let everything = Checked::everything();
    for sort in [
        Field::StartedAt,
        Field::Tokens,
        Field::Cost,
        Field::Duration,
        Field::Model,
        Field::Thread,
    ] {
        for descending in [true, false] {
            let sign = if descending { "-" } else { "" };
            page(
                &format!("list {sign}{sort:?}"),
                parts,
                &everything,
                sort,
                descending,
            );
        }
    }
    for (name, filter) in filters() {
        for sort in [Field::StartedAt, Field::Tokens, Field::Model] {
            page(
                &format!("list -{sort:?}, {name}"),
                parts,
                &filter,
                sort,
                true,
            );
        }
    }
}

fn page(name: &str, parts: &[Part<'_>], filter: &Checked, sort: Field, descending: bool) {
    let scan = Scan { parts, filter };
    let mut query = PageQuery {
        sort,
        descending,
        after: None,
        limit: 50,
    };
    time(name, || {
        black_box(scan.page(&query).unwrap());
    });
    let last = scan.page(&query).unwrap().pop();
    query.after = last.map(|hit| After {
        key: hit.key,
        id: hit.id,
    });
    if filter == &Checked::everything() {
        time(&format!("{name}, second page"), || {
            black_box(scan.page(&query).unwrap());
        });
    }
}

fn counts(parts: &[Part<'_>]) {
    for (name, filter) in filters() {
        let scan = Scan {
            parts,
            filter: &filter,
        };
        let count = scan.count().unwrap();
        time(&format!("count {name} ({count})"), || {
            black_box(scan.count().unwrap());
        });
    }
}

fn statistics(parts: &[Part<'_>]) {
    let by = [
        GroupBy::Time {
            width_us: DAY_US,
            offset_us: 7_200_000_000,
        },
        GroupBy::Name(Field::Model),
    ];
    let measures = [Measure {
        field: Field::Duration,
        percentiles: true,
    }];
    let everything = Checked::everything();
    let scan = Scan {
        parts,
        filter: &everything,
    };
    let groups = scan.groups(&by, &measures).unwrap().groups.len();
    time(
        &format!("day × model, p50 p95 p99 of duration ({groups})"),
        || {
            let groups = scan.groups(&by, &measures).unwrap();
            for group in &groups.groups {
                for stats in &group.stats {
                    black_box([500, 950, 990].map(|share| stats.percentile(share)));
                }
            }
        },
    );
    let sums = [Field::Cost, Field::Input, Field::Output].map(|field| Measure {
        field,
        percentiles: false,
    });
    time("sums of cost, input and output", || {
        black_box(scan.groups(&[], &sums).unwrap());
    });
    time("facets of model", || {
        black_box(scan.facets(Field::Model, 20).unwrap());
    });
    time("facets of thread", || {
        black_box(scan.facets(Field::Thread, 20).unwrap());
    });
    time("range of cost", || {
        black_box(scan.range(Field::Cost).unwrap());
    });
}

fn filters() -> Vec<(&'static str, Checked)> {
    let name = |text: &str| Checked::Test(Test::Name(Field::Model, Pattern::new(text)));
    let number = |field, min, max| Checked::Test(Test::Number(field, Range { min, max }));
    vec![
        ("model:vendor-model-7", name("vendor-model-7")),
        ("model:nobody", name("nobody")),
        ("model:*-1*", name("*-1*")),
        ("status:429", number(Field::Status, 429, 429)),
        ("tokens:>150k", number(Field::Tokens, 150_001, i64::MAX)),
        (
            "model and tokens",
            Checked::All(vec![
                name("vendor-model-7"),
                number(Field::Tokens, 150_001, i64::MAX),
            ]),
        ),
    ]
}

fn time(name: &str, mut act: impl FnMut()) {
    act();
    let round = |_| {
        let start = Instant::now();
        act();
        start.elapsed()
    };
    let mut rounds: Vec<Duration> = (0..ROUNDS).map(round).collect();
    rounds.sort_unstable();
    let at = |percent: usize| rounds[(ROUNDS * percent / 100).min(ROUNDS - 1)].as_secs_f64() * 1e3;
    println!("{name:<52} p50 {:>8.2} ms   p99 {:>8.2} ms", at(50), at(99));
}

/// Returns the columns of so many flows, oldest first, the time that setting rows took, and the bytes of files.
fn build(flows: usize, dir: &Path) -> (Vec<Source>, Duration, u64) {
    let cache = Arc::new(NameCache::default());
    let mut random = Random(1);
    let mut row = blank();
    let (mut sources, mut spent, mut bytes) = (Vec::new(), Duration::ZERO, 0);
    let mut started_at = FIRST_US;
    for first in (0..flows).step_by(SEGMENT_ROWS) {
        let mut columns = LiveColumns::new();
        let rows = SEGMENT_ROWS.min(flows - first);
        for n in (1..).take(rows) {
            started_at += random.below(2 * GAP_US);
            fill(&mut row, started_at, &mut random);
            let start = Instant::now();
            columns.set(n, &row).unwrap();
            spent += start.elapsed();
        }
        if rows < SEGMENT_ROWS {
            sources.push(Source::Live(columns.view()));
            continue;
        }
        let path = dir.join(format!("{:06}.col", sources.len()));
        write(&path, &columns.view()).unwrap();
        bytes += std::fs::metadata(&path).unwrap().len();
        let file = ColumnFile::open(&path, &cache).unwrap();
        sources.push(Source::File(Arc::new(file)));
    }
    (sources, spent, bytes)
}

fn blank() -> Row {
    Row {
        id: FlowId::from_bytes([0; 16]),
        started_at: Timestamp(0),
        state: State::Completed,
        end: Some(EndReason::Ended),
        upstream: Some("vendor".to_owned()),
        provider: Some("vendor".to_owned()),
        dialect: Some(Dialect::OpenaiChat),
        method: "POST".to_owned(),
        path: "/v1/chat/completions".to_owned(),
        status: Some(200),
        model: None,
        requested_model: None,
        streaming: true,
        tokens: Tokens::default(),
        estimated: false,
        cost: None,
        duration_us: None,
        ttfb_us: None,
        ttft_us: None,
        request_bytes: 0,
        response_bytes: 0,
        client: Some("agent/1.2.3".to_owned()),
        agent: Some("agent".to_owned()),
        sdk: Some("library".to_owned()),
        attempt: Some(1),
        error_class: None,
        credits: None,
        session: None,
        run: None,
        thread: None,
        preview: None,
        answer: None,
        tools: Vec::new(),
        stop: Some(StopReason::Stop),
        events: 0,
        gap: false,
        truncated: false,
        diagnostics: false,
    }
}

/// Makes the row another flow's.
fn fill(row: &mut Row, started_at: i64, random: &mut Random) {
    row.started_at = Timestamp(started_at);
    let milliseconds = started_at.unsigned_abs() / 1000;
    let high = milliseconds << 16 | 0x7000 | random.bits(12);
    let low = 1 << 63 | random.bits(62);
    let id = u128::from(high) << 64 | u128::from(low);
    row.id = FlowId::from_bytes(id.to_be_bytes());
    let failed = random.bits(10) < 100;
    row.state = if failed {
        State::Failed
    } else {
        State::Completed
    };
    row.end = Some(if failed {
        EndReason::UpstreamError
    } else {
        EndReason::Ended
    });
    row.error_class = failed.then_some(ErrorClass::RateLimit);
    row.status = Some(if failed { 429 } else { 200 });
    row.model = Some(format!("vendor-model-{}", random.bits(10) % 20));
    row.streaming = random.bits(2) > 0;
    let input = random.skewed(200_000);
    let output = random.skewed(8_000);
    let cached = input / 100 * random.bits(10) / 11;
    row.tokens = Tokens {
        input: (!failed).then_some(input),
        output: (!failed).then_some(output),
        cache_read: (!failed).then_some(cached),
        cache_write: (!failed).then_some((input - cached.min(input)) / 2),
        reasoning: (!failed).then_some(output / 3),
        total: (!failed).then_some(input + output),
        ..Tokens::default()
    };
    let cost = input * 3_000_000 + output * 15_000_000;
    row.cost = (!failed).then(|| {
        format!(
            "{}.{:012}",
            cost / 1_000_000_000_000,
            cost % 1_000_000_000_000
        )
    });
    let ttfb = 200_000 + random.skewed(3_000_000);
    let ttft = ttfb + random.skewed(1_000_000);
    row.ttfb_us = Some(ttfb);
    row.ttft_us = (!failed).then_some(ttft);
    row.duration_us = Some(ttft + output * 12_000 + random.bits(12));
    row.request_bytes = input * 4 + random.bits(10);
    row.response_bytes = output * 40 + random.bits(10);
    row.events = output;
    let conversation = started_at / (40 * GAP_US) * 4 + i64::try_from(random.bits(2)).unwrap();
    row.thread = Some(format!("01990000-0000-7000-8000-{conversation:012x}"));
    row.session = Some(format!("session-{:08x}", conversation / 8));
    row.tools.clear();
    if random.bits(1) == 1 {
        row.tools.push(format!("tool_{}", random.bits(10) % 12));
    }
    row.stop = Some(if row.tools.is_empty() {
        StopReason::Stop
    } else {
        StopReason::ToolUse
    });
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn bits(&mut self, bits: u32) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed >> (64 - bits)
    }

    fn below(&mut self, limit: i64) -> i64 {
        i64::try_from(self.bits(40)).unwrap() % limit
    }

    /// Returns a number that is small more often than large.
    fn skewed(&mut self, limit: u64) -> u64 {
        let one = self.bits(20);
        let other = self.bits(20);
        (((one * other) >> 20) * limit) >> 20
    }
}
