//! What a limit adds, too small a cost for the table: calls that are counted and calls that are not take short turns right
//! after each other, in one Envoy. Only the differences within such pairs are looked at, so that what slows the machine
//! down for a while falls out; and in one process, since two of the same kind differ by more than that.

use std::{
    fmt,
    time::{Duration, Instant},
};

use super::{
    Body, Plan, Variant,
    bodies::{TOOL, UNCOUNTED},
    load::Load,
    per_request,
};
use crate::{Envoy, Result};

/// How many pairs are measured, and how long one turn of a pair lasts.
#[derive(Debug, Clone, Copy)]
pub struct PairedPlan {
    /// The number of pairs.
    pub pairs: usize,
    /// One of the two turns.
    pub turn: Duration,
}

/// How much more a counted call costs than one that is not.
#[derive(Debug)]
pub struct Paired {
    plan: PairedPlan,
    /// What the call that is not counted costs, in microseconds of CPU time: of every pair, sorted.
    base: Vec<f64>,
    /// How much more the counted one costs, likewise.
    differences: Vec<f64>,
}

const BODY: Body = Body::Kilobyte;

impl Paired {
    /// Measures on an Envoy of [`Variant::Limit`]. What comes first alternates.
    pub(super) fn measure(Plan { paired: plan, connections, .. }: Plan, envoy: &Envoy) -> Result<Self> {
        let load = |tool| Load::connect(envoy.address(), &BODY.bytes(tool), connections, Variant::Limit.expected());
        let turn = |load: &Load, length| -> Result<f64> {
            let before = envoy.cpu_time()?;
            let requests = load.run(Instant::now() + length)?;
            Ok(per_request(envoy.cpu_time()?.saturating_sub(before), requests).as_secs_f64() * 1e6)
        };
        let (uncounted, counted) = (load(UNCOUNTED)?, load(TOOL)?);
        // The first requests pay for connections upstream and for code that was not compiled yet.
        for load in [&uncounted, &counted] {
            turn(load, plan.turn * 10)?;
        }
        let mut pairs = Vec::with_capacity(plan.pairs);
        for pair in 0..plan.pairs {
            pairs.push(if pair % 2 == 0 {
                let first = turn(&uncounted, plan.turn)?;
                (first, turn(&counted, plan.turn)?)
            } else {
                let first = turn(&counted, plan.turn)?;
                (turn(&uncounted, plan.turn)?, first)
            });
        }
        Ok(Self::new(plan, &pairs))
    }

    fn new(plan: PairedPlan, pairs: &[(f64, f64)]) -> Self {
        let sorted = |of: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = pairs.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        Self { plan, base: sorted(|(base, _)| *base), differences: sorted(|(base, other)| other - base) }
    }

    /// The median difference, and the interval that holds the true median with 95 % confidence whatever the
    /// distribution is (order statistics at n/2 ± √n, as the binomial distribution has it).
    fn median(&self) -> (f64, [f64; 2]) {
        let count = self.differences.len();
        let reach = count.isqrt();
        let at = |index: usize| self.differences.get(index.min(count.saturating_sub(1))).copied().unwrap_or_default();
        (at(count / 2), [at((count / 2).saturating_sub(reach)), at(count / 2 + reach)])
    }
}

impl fmt::Display for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: PairedPlan { pairs, turn }, .. } = self;
        let (median, [low, high]) = self.median();
        let base = self.base.get(self.base.len() / 2).copied().unwrap_or_default();
        write!(
            f,
            "A call of {} that one limit counts costs {median:.1} us more than one that none does, which costs \
             {base:.0} us (medians of {pairs} pairs of turns of {turn:?}; with 95 % confidence {low:.1} to {high:.1}).",
            BODY.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_few_slow_pairs_say_does_not_count() {
        let plan = PairedPlan { pairs: 100, turn: Duration::from_millis(1) };
        let differences = (0..100).map(|pair| if pair % 10 == 0 { 900.0 } else { f64::from(pair % 3) });
        let pairs: Vec<_> = differences.map(|difference| (50.0, 50.0 + difference)).collect();
        let paired = Paired::new(plan, &pairs);
        assert_eq!(paired.median(), (1.0, [1.0, 2.0]));
        assert!(paired.to_string().contains("costs 1.0 us more"));
    }
}
