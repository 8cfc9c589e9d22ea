//! What is asked of the store: the one place that changes when the store learns to answer more.

use anyhow::{Context, Result};
use flow_meter::Prices;
use flow_model::{FlowId, Side};
use flow_query::Checked;
use flow_store::{ListQuery, Sort, Store};

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
    let spread = repeated(runs, |_| count(store))?;
    report.add(Figure::Count, "of all", spread);
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
    let sort: Sort = name.parse()?;
    let query = ListQuery {
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

fn count(store: &Store) -> Result<()> {
    std::hint::black_box(store.count(&Checked::everything())?);
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
