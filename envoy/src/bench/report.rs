//! The table.

use std::{fmt::Write, fs, path::Path, time::Duration};

use serde_json::{Value, json};

use super::{Body, Paired, Plan, Turn, Variant};
use crate::{Error, Result, fetch::ENVOY_VERSION};

/// All turns of one run.
#[derive(Debug)]
pub struct Report {
    plan: Plan,
    turns: Vec<(Variant, Body, Turn)>,
    /// How much more a counted call costs than one that is only allowed.
    pub(super) limits: Vec<Paired>,
}

impl Report {
    pub(super) fn new(plan: Plan) -> Self {
        Self { plan, turns: Vec::new(), limits: Vec::new() }
    }

    pub(super) fn add(&mut self, variant: Variant, body: Body, turn: Turn) {
        self.turns.push((variant, body, turn));
    }

    /// The CPU time of one request in every turn, in order of size.
    fn sorted(&self, variant: Variant, body: Body) -> Vec<Duration> {
        let mine = |(v, b, _): &&(Variant, Body, Turn)| *v == variant && *b == body;
        let mut times: Vec<Duration> = self.turns.iter().filter(mine).map(|(_, _, turn)| turn.per_request).collect();
        times.sort();
        times
    }

    /// The median over all turns.
    #[must_use]
    pub fn median(&self, variant: Variant, body: Body) -> Duration {
        let times = self.sorted(variant, body);
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// A table for people, in microseconds, and what a limit adds.
    #[must_use]
    pub fn markdown(&self) -> String {
        let table = if self.turns.is_empty() { String::new() } else { self.table() };
        let limits = self.limits.iter().map(|limit| format!("{limit}\n"));
        [table].into_iter().chain(limits).collect::<Vec<_>>().join("\n")
    }

    fn table(&self) -> String {
        let Plan { rounds, turn, connections, .. } = self.plan;
        let head = format!(
            "CPU time of the whole Envoy process for one `tools/call`, in microseconds: median of {rounds} interleaved turns \
             of {turn:?},\nand what that is over no filter at all. Envoy {ENVOY_VERSION}, one worker, one core, {connections} \
             connections.\n\n"
        );
        head + &table(|variant, body| micros(self.median(variant, body)))
    }

    /// Every turn, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let turns: Vec<Value> = self
            .turns
            .iter()
            .map(|(variant, body, turn)| {
                json!({
                    "variant": variant.name(),
                    "body": body.name(),
                    "cpu_us_per_request": micros(turn.per_request),
                    "requests": turn.requests,
                })
            })
            .collect();
        json!({ "envoy": ENVOY_VERSION, "turns": turns })
    }

    /// Writes `envoy.md` and `envoy.json` into `folder`.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))
        };
        write("envoy.md", self.markdown())?;
        write("envoy.json", format!("{:#}\n", self.json()))
    }
}

/// The figures of every variant and body, and how much more they are than without any filter.
pub(super) fn table(of: impl Fn(Variant, Body) -> f64) -> String {
    let mut out = "| |".to_owned();
    for body in Body::ALL {
        // Writing to a String cannot fail.
        write!(out, " {} | |", body.name()).ok();
    }
    out.push_str("\n|---|");
    out.push_str(&"---:|---:|".repeat(Body::ALL.len()));
    out.push('\n');
    for variant in Variant::ALL {
        write!(out, "| {} |", variant.name()).ok();
        for body in Body::ALL {
            let figure = of(variant, body);
            let more = figure - of(Variant::Bare, body);
            let more = if variant == Variant::Bare { String::new() } else { format!("{more:+.0}") };
            write!(out, " {figure:.0} | {more} |").ok();
        }
        out.push('\n');
    }
    out
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_the_median_and_the_difference() {
        let mut report = Report::new(Plan::QUICK);
        for (variant, times) in [(Variant::Bare, [50, 49, 90]), (Variant::Allow, [61, 60, 20])] {
            for time in times {
                let turn = Turn { per_request: Duration::from_micros(time), requests: 1 };
                report.add(variant, Body::Small, turn);
            }
        }
        assert!(report.markdown().contains("| no filter | 50 |  |"));
        assert!(report.markdown().contains("| this filter, allowed | 60 | +10 |"));
    }
}
