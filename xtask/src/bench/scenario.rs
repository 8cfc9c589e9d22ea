//! What is sent, and what it costs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use http_body_util::BodyExt as _;
use tokio::task::JoinSet;

use super::cpu;
use super::line::Line;
use crate::load::{Ask, Connection, Template, post};

/// Out of so many requests, one more is sent first to warm up.
const WARM_UP: usize = 10;
/// Decides the words of the bodies.
const SEED: u64 = 7;

/// One kind of traffic.
#[derive(Clone, Copy)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// Path at the upstream.
    pub(super) path: &'static str,
    pub(super) ask: Ask,
    pub(super) requests: usize,
    connections: usize,
    /// CPU beside nginx that is allowed now, and one day.
    pub(super) budget: f64,
    pub(super) goal: f64,
}

/// All kinds of traffic.
pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "JSON 2 KB",
        path: "/v1/chat/completions",
        ask: Ask {
            bytes: 2_000,
            stream: false,
        },
        requests: 20_000,
        connections: 16,
        budget: 2.5,
        goal: 1.3,
    },
    Scenario {
        name: "agent turn 200 KB",
        path: "/v1/chat/completions",
        ask: Ask {
            bytes: 200_000,
            stream: false,
        },
        requests: 2_000,
        connections: 8,
        budget: 3.5,
        goal: 1.5,
    },
    Scenario {
        name: "stream of 100 chunks",
        path: "/stream/v1/chat/completions",
        ask: Ask {
            bytes: 2_000,
            stream: true,
        },
        requests: 600,
        connections: 24,
        budget: 2.0,
        goal: 1.2,
    },
];

/// Returns the CPU time that one request costs the process of a line.
pub(super) async fn cost(
    line: &mut Line,
    scenario: &Scenario,
    requests: usize,
    number: &mut u64,
) -> Result<Duration> {
    let template = Arc::new(Template::new(scenario.ask, SEED));
    drive(
        line,
        scenario,
        &template,
        requests.div_ceil(WARM_UP),
        number,
    )
    .await?;
    line.settle().await?;
    let before = cpu::time(&line.processes())?;
    drive(line, scenario, &template, requests, number).await?;
    line.settle().await?;
    let spent = cpu::time(&line.processes())?.saturating_sub(before);
    Ok(spent / u32::try_from(requests).unwrap_or(u32::MAX))
}

/// Sends so many requests over several connections, and checks that each is answered.
async fn drive(
    line: &Line,
    scenario: &Scenario,
    template: &Arc<Template>,
    requests: usize,
    number: &mut u64,
) -> Result<()> {
    let first = *number;
    *number += requests as u64;
    let taken = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..scenario.connections.min(requests) {
        let (address, path) = (line.address, line.path(scenario.path));
        let (template, taken) = (Arc::clone(template), Arc::clone(&taken));
        clients.spawn(async move {
            let mut connection = Connection::open(address).await?;
            loop {
                let index = taken.fetch_add(1, Ordering::Relaxed);
                if index >= requests {
                    return anyhow::Ok(());
                }
                let body = template.fill(first + index as u64);
                let response = connection.send(post(address, &path, body)?).await?;
                let status = response.status();
                ensure!(status.is_success(), "{address}{path} answers {status}");
                let mut body = response.into_body();
                while let Some(frame) = body.frame().await {
                    frame?;
                }
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(())
}
