//! What the filter costs: CPU time of the whole Envoy process for one request, beside Envoy's own filters.
//!
//! CPU time per request is used because it hardly depends on what else the machine does; throughput and latency
//! do. Every variant's Envoy runs on the same core, all of them are up for the whole measurement, and they
//! take turns, so that a machine that slows down slows all of them down.

mod bodies;
mod instructions;
mod load;
mod paired;
mod report;
mod variants;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{Config, Envoy, Result, raw::Responder, upstream};
use load::Load;

use bodies::TOOL;

pub use bodies::Body;
pub use instructions::Instructions;
pub use paired::{Paired, PairedPlan};
pub use report::Report;
pub use variants::Variant;

/// How many agents call in turns, where it is told what a limit costs: one, as many as there are connections, and more than
/// the nearest caches of a processor hold the counts of.
const AGENTS: [usize; 3] = [1, 16, MANY];
const MANY: usize = 1024;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How often every variant has its turn at every body.
    pub rounds: usize,
    /// How long one turn lasts.
    pub turn: Duration,
    /// How many connections are kept busy.
    pub connections: usize,
    /// How the cost of a limit is measured.
    pub paired: PairedPlan,
}

impl Plan {
    /// About ten minutes.
    pub const FULL: Self = Self {
        rounds: 9,
        turn: Duration::from_millis(1200),
        connections: 16,
        paired: PairedPlan { envoys: 11, pairs: 60, turn: Duration::from_millis(40) },
    };
    /// About twenty seconds: enough to see that everything works, not to compare.
    pub const QUICK: Self = Self {
        rounds: 2,
        turn: Duration::from_millis(150),
        connections: 16,
        paired: PairedPlan { envoys: 2, pairs: 5, turn: Duration::from_millis(20) },
    };
    /// Three minutes: only what a limit adds.
    pub const LIMIT: Self = Self { rounds: 0, ..Self::FULL };
}

/// One turn.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// CPU time of the Envoy process for one request.
    pub per_request: Duration,
    /// Requests that were answered.
    pub requests: u64,
}

/// Runs the plan; `progress` hears of each round.
///
/// # Errors
/// If an Envoy does not start, or answers other than the variant must.
pub async fn run(plan: Plan, progress: impl Fn(usize)) -> Result<Report> {
    let cores = cores();
    // Envoy has the first core to itself where there are two; the load and the upstream share the others.
    load::keep_off(cores.first().copied().filter(|_| cores.len() > 1));
    let responder = Responder::start(upstream::json_response(variants::UPSTREAM_ANSWER))?;
    let core = cores.first().copied();
    let mut report = Report::new(plan);
    if plan.rounds > 0 {
        compare(&mut report, plan, responder.address(), core, progress).await?;
    }
    let mut limits = AGENTS.map(|agents| Paired::new(plan.paired, agents));
    for _ in 0..plan.paired.envoys {
        let envoy = start(Variant::LimitByAgent, responder.address(), core).await?;
        for limit in &mut limits {
            limit.measure(plan.connections, &envoy)?;
        }
    }
    report.limits = limits.into();
    Ok(report)
}

/// Counts instructions instead; `progress` hears what comes next.
///
/// # Errors
/// As [`run`], and if there is no valgrind.
pub async fn count(progress: impl Fn(&str)) -> Result<Instructions> {
    let responder = Responder::start(upstream::json_response(variants::UPSTREAM_ANSWER))?;
    instructions::count(responder.address(), progress).await
}

async fn compare(
    report: &mut Report,
    plan: Plan,
    upstream: SocketAddr,
    core: Option<usize>,
    progress: impl Fn(usize),
) -> Result<()> {
    let mut running = Vec::new();
    for variant in Variant::ALL {
        running.push((variant, start(variant, upstream, core).await?));
    }
    for round in 0..plan.rounds {
        progress(round);
        for body in Body::ALL {
            for (variant, envoy) in &running {
                let turn = turn(plan, *variant, body, envoy)?;
                report.add(*variant, body, turn);
            }
        }
    }
    Ok(())
}

async fn start(variant: Variant, upstream: SocketAddr, core: Option<usize>) -> Result<Envoy> {
    let mut config: Config = variant.config(upstream)?.workers(1);
    config.core = core;
    Envoy::start(&config).await
}

fn turn(plan: Plan, variant: Variant, body: Body, envoy: &Envoy) -> Result<Turn> {
    let load = Load::connect(envoy.address(), &body.bytes(TOOL), plan.connections, variant.expected())?;
    // The first requests pay for connections upstream and for code that was not compiled yet.
    load.run(Instant::now() + plan.turn / 10)?;
    let before = envoy.cpu_time()?;
    let requests = load.run(Instant::now() + plan.turn)?;
    let spent = envoy.cpu_time()?.saturating_sub(before);
    Ok(Turn { per_request: per_request(spent, requests), requests })
}

fn per_request(spent: Duration, requests: u64) -> Duration {
    spent.div_f64(f64::from(u32::try_from(requests.max(1)).unwrap_or(u32::MAX)))
}

/// The header line by which an agent is known.
fn agent_header(agent: usize) -> String {
    format!("{}: agent-{agent:02}\r\n", variants::AGENT)
}

/// The cores that this process may use.
fn cores() -> Vec<usize> {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap_or_else(|_| rustix::thread::CpuSet::new());
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect()
}
