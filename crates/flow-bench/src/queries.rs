//! What is asked of the store: the one place that changes when the store learns to answer more.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use flow_meter::Prices;
use flow_model::{FlowId, Side};
use flow_query::{Checked, Field, Filter, Scope};
use flow_store::text::Budget;
use flow_store::{GroupBy, ListQuery, Measure, SearchQuery, Sort, Store};
use serde_json::json;

use crate::measure::repeated;
use crate::report::{Figure, Report};
use crate::samples::Samples;

/// Orders of lists.
const ORDERS: [&str; 7] = [
    "started_at",
    "duration",
    "ttft",
    "tokens",
    "cost",
    "size",
    "model",
];
/// Rows of a page.
const PAGE_ROWS: usize = 50;
/// How long a search may take.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of a body that is read whole.
const BODY_BYTES_MAX: usize = 64 << 20;

/// Measures everything that can be asked.
pub(crate) fn measure(
    store: &Store,
    samples: &Samples,
    prices: &Prices,
    runs: u64,
    report: &mut Report,
) -> Result<()> {
    for name in ORDERS {
        let spread = repeated(runs, |run| list(store, name, run))?;
        report.add(Figure::List, ["by ", name].concat(), spread);
    }
    store.prepare_lists()?;
    for name in ORDERS {
        let spread = repeated(runs, |run| {
            filtered(store, name, &filter(samples, run)?, run)
        })?;
        report.add(Figure::List, ["filtered, by ", name].concat(), spread);
    }
    let spread = repeated(runs, |_| count(store, &Checked::everything()))?;
    report.add(Figure::Count, "of all", spread);
    let spread = repeated(runs, |run| count(store, &filter(samples, run)?))?;
    report.add(Figure::Count, "filtered", spread);
    let spread = repeated(runs, |_| groups(store))?;
    report.add(Figure::Groups, "", spread);
    let texts: [(Figure, &dyn Fn(u64) -> String); 3] = [
        (Figure::SearchWord, &|run| Samples::word(run).to_owned()),
        (Figure::SearchChinese, &|run| {
            Samples::chinese(run).to_owned()
        }),
        (Figure::SearchPart, &|run| samples.part(run).to_owned()),
    ];
    for (figure, text) in texts {
        let mut partial = 0;
        let spread = repeated(runs, |run| {
            partial += u64::from(search(store, &text(run))?);
            Ok(())
        })?;
        report.add(figure, format!("{partial} cut short"), spread);
    }
    let mut bytes = 0;
    let spread = repeated(runs, |run| {
        let id = samples.large(run).context("no flow was generated")?;
        bytes = open(store, id, prices)?;
        Ok(())
    })?;
    report.add(Figure::Open, format!("the last of {bytes} bytes"), spread);
    Ok(())
}

/// Lists a page by a key, first and then on from where the first ended.
fn list(store: &Store, name: &str, run: u64) -> Result<()> {
    filtered(store, name, &Checked::everything(), run)
}

/// Returns a filter of another kind with each run: by a name, a range, a flag, a pattern.
fn filter(samples: &Samples, run: u64) -> Result<Checked> {
    let tree = match run % 4 {
        0 => json!({"field": "model", "is": samples.model(run)}),
        1 => json!({"field": "tokens", "min": 500 + run % 100}),
        2 => json!({"all": [{"has": "streaming"}, {"field": "status", "equals": 200}]}),
        _ => json!({"field": "client", "is": "*python*"}),
    };
    let checked = Filter::from(tree).check();
    checked.map_err(|errors| anyhow::anyhow!("the filter makes no sense: {errors:?}"))
}

/// Groups by day and model, with percentiles of the time.
fn groups(store: &Store) -> Result<()> {
    let day = GroupBy::Time {
        width_us: 86_400_000_000,
        offset_us: 0,
    };
    let duration = Measure {
        field: Field::Duration,
        percentiles: true,
    };
    let by = [day, GroupBy::Name(Field::Model)];
    std::hint::black_box(store.groups(&Checked::everything(), &by, &[duration])?);
    Ok(())
}

/// Searches the first places of a text. Returns whether time was too short.
fn search(store: &Store, text: &str) -> Result<bool> {
    let page = store.search(&SearchQuery {
        needle: text.to_owned(),
        scope: Scope::Content,
        cursor: None,
        limit: PAGE_ROWS,
        budget: Budget {
            checks_max: 20_000,
            deadline: Instant::now() + SEARCH_TIME_MAX,
        },
    })?;
    Ok(page.partial)
}

fn filtered(store: &Store, name: &str, filter: &Checked, run: u64) -> Result<()> {
    let sort: Sort = name.parse()?;
    let query = ListQuery {
        filter: filter.clone(),
        sort: Sort {
            descending: run.is_multiple_of(2),
            ..sort
        },
        limit: PAGE_ROWS,
        ..ListQuery::default()
    };
    std::hint::black_box(store.list(&query)?);
    Ok(())
}

fn count(store: &Store, filter: &Checked) -> Result<()> {
    std::hint::black_box(store.count(filter)?);
    Ok(())
}

/// Opens a flow as its page does: row, exchange, both bodies, and the reading. Returns the bytes of its bodies.
fn open(store: &Store, id: FlowId, prices: &Prices) -> Result<u64> {
    let row = store.row(id)?.context("the flow has no row")?;
    let exchange = store.exchange(id)?.context("the flow is not stored")?;
    let body = |side| -> Result<_> {
        let body = store.body(id, side)?.context("the flow has no body")?;
        Ok(body.read_all(BODY_BYTES_MAX)?)
    };
    let (request, response) = (body(Side::Request)?, body(Side::Response)?);
    let chunks = store.chunks(id, Side::Response)?;
    let mut reading = flow_codec::read(&exchange, &request, &response, &chunks);
    flow_meter::estimate(&mut reading);
    let provider = exchange.route.provider.as_deref();
    flow_meter::price(
        &mut reading,
        provider,
        exchange.path(),
        exchange.started_at,
        prices,
    );
    std::hint::black_box((row, reading));
    Ok((request.len() + response.len()) as u64)
}
