//! Instructions that Envoy's process runs for one request: what CPU time is too noisy to tell.
//!
//! Calls come one after the other, so a count holds no more than what every single call costs. It is repeatable within
//! about one in a hundred; the rest is when V8 collects and compiles.

use std::{fmt::Write, net::SocketAddr};

use super::{
    AGENTS, Body, MANY, Variant, agent_header,
    bodies::{TOOL, UNCOUNTED},
    report::table,
};
use crate::{
    Config, Envoy, Result,
    fetch::ENVOY_VERSION,
    raw::{Connection, post, unexpected},
};

/// Calls of each kind before anything is counted: V8 compiles what is called often once more, better.
const WARM_UP: usize = 2000;
/// Calls that are counted, for the table.
const CALLS: usize = 256;

/// What was counted.
#[derive(Debug, Default)]
pub struct Instructions {
    calls: Vec<(Variant, Body, u64)>,
    /// By the number of agents: without a limit, with one.
    limits: Vec<(usize, u64, u64)>,
}

/// Counts for every variant and body, and for a limit; `progress` hears what comes next.
pub(super) async fn count(upstream: SocketAddr, progress: impl Fn(&str)) -> Result<Instructions> {
    let mut counted = Instructions::default();
    for variant in Variant::ALL {
        progress(variant.name());
        let kinds = Body::ALL.map(|body| vec![post("", &body.bytes(TOOL))]);
        let instructions = of_each(variant, upstream, &kinds, CALLS).await?;
        counted.calls.extend(Body::ALL.into_iter().zip(instructions).map(|(body, count)| (variant, body, count)));
    }
    progress(Variant::LimitByAgent.name());
    let kinds = AGENTS.map(|agents| [UNCOUNTED, TOOL].map(|tool| in_turns(agents, tool)));
    let instructions = of_each(Variant::LimitByAgent, upstream, kinds.as_flattened(), MANY).await?;
    let pairs = instructions.as_chunks().0.iter();
    counted.limits = AGENTS.into_iter().zip(pairs).map(|(agents, [base, limited])| (agents, *base, *limited)).collect();
    Ok(counted)
}

/// The calls of so many agents.
fn in_turns(agents: usize, tool: &str) -> Vec<Vec<u8>> {
    let body = Body::Kilobyte.bytes(tool);
    (0..agents).map(|agent| post(&agent_header(agent), &body)).collect()
}

/// The instructions of a new Envoy for one request, by their kind. Those of a kind are sent in turns.
async fn of_each(variant: Variant, upstream: SocketAddr, kinds: &[Vec<Vec<u8>>], calls: usize) -> Result<Vec<u64>> {
    let mut config: Config = variant.config(upstream)?.workers(1);
    config.callgrind = true;
    let envoy = Envoy::start(&config).await?;
    let mut connection = Connection::open(envoy.address())?;
    let mut send = |kind: &[Vec<u8>], calls: usize| {
        kind.iter().cycle().take(calls).try_for_each(|request| {
            let answer = connection.ask(request)?;
            if answer.contains(variant.expected()) { Ok(()) } else { Err(unexpected(&answer)) }
        })
    };
    // Counting cannot be switched off again, and makes Envoy slow.
    kinds.iter().try_for_each(|kind| send(kind, WARM_UP))?;
    let count = |kind: &Vec<Vec<u8>>| {
        send(kind, kind.len())?;
        let ((), instructions) = envoy.instructions(|| send(kind, calls))?;
        Ok(instructions / calls as u64)
    };
    kinds.iter().map(count).collect()
}

impl Instructions {
    /// A table for people, in thousands, and what a limit adds.
    #[must_use]
    pub fn markdown(&self) -> String {
        let of = |variant, body| {
            let same = |(v, b, _): &&(Variant, Body, u64)| (*v, *b) == (variant, body);
            self.calls.iter().find(same).map_or(0.0, |(_, _, instructions)| *instructions as f64 / 1e3)
        };
        let mut out = format!(
            "Thousands of instructions that Envoy's process runs for one `tools/call`, and what that is over no filter at all.\n\
             Envoy {ENVOY_VERSION}, one worker, one connection.\n\n{}",
            table(of)
        );
        for (agents, base, counted) in &self.limits {
            let more = i128::from(*counted) - i128::from(*base);
            // Writing to a String cannot fail.
            write!(out, "\nAgents that call in turns: {agents}. One limit adds {more} instructions to {base}.\n").ok();
        }
        out
    }
}
