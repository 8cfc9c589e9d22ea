//! How long it takes to make calls, and what they weigh: what the store is fed with must not be what is measured.

use anyhow::{Context, Result};
use clap::Args;
use flow_meter::Prices;

use crate::generate::micros_each;
use crate::generator::Generator;
use crate::measure::{size, thread_time};
use crate::out;
use crate::traffic::Traffic;

/// How much is made.
#[derive(Args)]
pub(crate) struct Options {
    /// Calls of each kind.
    #[arg(long, default_value_t = 50_000)]
    calls: u64,
}

/// Measures.
pub(crate) fn run(options: &Options) -> Result<()> {
    let small = Traffic {
        flows: options.calls,
        sessions: 0,
        ..Traffic::AGENTS
    };
    // A turn is a hundred times as large.
    let sessions = (options.calls / 10).div_ceil(u64::from(Traffic::AGENTS.turns));
    let agents = Traffic {
        flows: sessions * u64::from(Traffic::AGENTS.turns),
        sessions,
        ..Traffic::AGENTS
    };
    out::line(
        "| calls | CPU of a call | with its row | request | response | parts of the response |",
    );
    out::line("| --- | ---: | ---: | ---: | ---: | ---: |");
    made("on their own", &small)?;
    made("turns of agents", &agents)
}

fn made(name: &str, traffic: &Traffic) -> Result<()> {
    let prices = Prices::default();
    let mut generator = Generator::new(traffic.plan());
    let (mut request, mut response, mut parts) = (0, 0, 0);
    let begun = thread_time().context("this system does not tell the CPU time of a thread")?;
    for position in 0..traffic.flows {
        let call = generator.call(position);
        request += call.request.len() as u64;
        response += call.response.len() as u64;
        parts += call.chunks.len() as u64;
    }
    let made = thread_time().unwrap_or_default().saturating_sub(begun);
    let begun = thread_time().unwrap_or_default();
    let mut generator = Generator::new(traffic.plan());
    for position in 0..traffic.flows {
        std::hint::black_box(generator.call(position).row(&prices));
    }
    let with_row = thread_time().unwrap_or_default().saturating_sub(begun);
    let flows = traffic.flows.max(1);
    out::line(format_args!(
        "| {name} | {:.1} µs | {:.1} µs | {} | {} | {} |",
        micros_each(made, flows),
        micros_each(with_row, flows),
        size(request / flows),
        size(response / flows),
        parts / flows,
    ));
    Ok(())
}
