//! What a limit adds, too small a cost for the table: calls that are counted and calls that are not take short turns right
//! after each other, in one Envoy. Only the differences within such pairs are looked at, so that what slows the machine
//! down for a while falls out. Where a process has its code and its data differs from one start to the next and costs some
//! of a microsecond here or there, so several Envoys are asked, one after the other.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{
    Body, Variant,
    bodies::{TOOL, UNCOUNTED},
    load::Load,
    per_request,
};
use crate::{Envoy, Result};

/// How many pairs are measured, and how long one turn of a pair lasts.
#[derive(Debug, Clone, Copy)]
pub struct PairedPlan {
    /// The number of Envoys.
    pub envoys: usize,
    /// The number of pairs in each.
    pub pairs: usize,
    /// One of the two turns.
    pub turn: Duration,
}

/// How much more a counted call costs than one that is not.
#[derive(Debug)]
pub struct Paired {
    plan: PairedPlan,
    /// Who call in turns, each with a count of its own.
    agents: usize,
    /// What the call that is not counted costs, in microseconds of CPU time: the median of every Envoy.
    base: Vec<f64>,
    /// How much more the counted one costs, likewise.
    differences: Vec<f64>,
}

const BODY: Body = Body::Kilobyte;

impl Paired {
    pub(super) fn new(plan: PairedPlan, agents: usize) -> Self {
        Self { plan, agents, base: Vec::new(), differences: Vec::new() }
    }

    /// Measures on one Envoy of [`Variant::LimitByAgent`].
    pub(super) fn measure(&mut self, connections: usize, envoy: &Envoy) -> Result<()> {
        let load = |tool| {
            let expected = Variant::LimitByAgent.expected();
            Load::of_agents(envoy.address(), &BODY.bytes(tool), connections, self.agents, expected)
        };
        let pairs = pairs(self.plan, envoy, &load(UNCOUNTED)?, &load(TOOL)?)?;
        self.add(&pairs);
        Ok(())
    }

    fn add(&mut self, pairs: &[(f64, f64)]) {
        self.base.push(median(pairs.iter().map(|(base, _)| *base)));
        self.differences.push(median(pairs.iter().map(|(base, counted)| counted - base)));
    }
}

/// What a call costs without and with its limit, in microseconds of CPU time. What comes first alternates.
fn pairs(plan: PairedPlan, envoy: &Envoy, uncounted: &Load, counted: &Load) -> Result<Vec<(f64, f64)>> {
    let turn = |load: &Load, length| -> Result<f64> {
        let before = envoy.cpu_time()?;
        let requests = load.run(Instant::now() + length)?;
        Ok(per_request(envoy.cpu_time()?.saturating_sub(before), requests).as_secs_f64() * 1e6)
    };
    // The first requests pay for connections upstream and for code that was not compiled yet.
    for load in [uncounted, counted] {
        turn(load, plan.turn * 10)?;
    }
    let pair = |pair| {
        let counted_first = |first| Ok((turn(uncounted, plan.turn)?, first));
        if pair % 2 == 0 {
            turn(uncounted, plan.turn).and_then(|first| Ok((first, turn(counted, plan.turn)?)))
        } else {
            turn(counted, plan.turn).and_then(counted_first)
        }
    };
    (0..plan.pairs).map(pair).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: PairedPlan { envoys, pairs, turn }, agents, base, differences } = self;
        let who = match agents {
            1 => "one agent calls".to_owned(),
            agents => format!("{agents} agents call"),
        };
        let more = median(differences.iter().copied());
        let base = median(base.iter().copied());
        let lowest = differences.iter().copied().fold(more, f64::min);
        let highest = differences.iter().copied().fold(more, f64::max);
        write!(
            f,
            "Where {who}, a call of {} that one limit counts costs {more:.1} us more than one that none does, which costs \
             {base:.0} us (the median of {envoys} Envoys, which say {lowest:.1} to {highest:.1}; of each, the median of {pairs} pairs \
             of turns of {turn:?}).",
            BODY.name(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_few_slow_pairs_or_envoys_say_does_not_count() {
        let mut paired = Paired::new(PairedPlan { envoys: 5, pairs: 100, turn: Duration::from_millis(1) }, 1);
        for slow in [0.0, 7.0, 0.5, 1.0, 0.2] {
            let differences = (0..100).map(|pair| if pair % 10 == 0 { 900.0 } else { f64::from(pair % 3) });
            let pairs: Vec<_> = differences.map(|difference| (50.0, 50.0 + slow + difference)).collect();
            paired.add(&pairs);
        }
        assert!(paired.to_string().contains("costs 1.5 us more than one that none does, which costs 50 us"));
        assert!(paired.to_string().contains("which say 1.0 to 8.0"));
    }
}
