//! Which rules the cases reached.
//!
//! Nothing is judged here: what the filter refused, and by which rule, it has written to its log; what it let pass, it let pass
//! by the rule that the policy has for it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use host_test::scenario::{Exchange, File, Outcome, Received, Scenario};
use policy::{
    config::{self, Choice, Config, Policies},
    decision::{HIDDEN, Target},
    message::{self, Batches},
};
use serde_json::Map;

use super::{points, reached};
use crate::place::Place;

/// Each policy with the places in it, and whether a case reached them.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<(PathBuf, String), Policy>);

/// One policy.
#[derive(Debug)]
pub(super) struct Policy {
    /// The file that it stands in.
    pub(super) document: PathBuf,
    /// Its name, if it is one of a configuration.
    pub(super) name: String,
    points: BTreeMap<String, bool>,
}

impl Policy {
    /// How many places there are.
    pub(super) fn all(&self) -> usize {
        self.points.len()
    }

    /// How many of them were reached.
    pub(super) fn reached(&self) -> usize {
        self.points.values().filter(|reached| **reached).count()
    }

    /// Those that were not.
    pub(super) fn missed(&self) -> impl Iterator<Item = &str> {
        self.points.iter().filter(|(_, reached)| !**reached).map(|(point, _)| point.as_str())
    }

    /// Rounded down: 100 are all.
    pub(super) fn percent(&self) -> u64 {
        let [reached, all] = [self.reached(), self.all()].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        (reached.saturating_mul(100)).checked_div(all).unwrap_or(100)
    }

    /// What it is called in reports.
    pub(super) fn title(&self) -> String {
        let document = self.document.display();
        if self.name.is_empty() { document.to_string() } else { format!("{document} ({})", self.name) }
    }
}

/// The policies of a scenario, with what its steps reach.
pub(super) struct Judged<'c> {
    config: Config,
    scenario: &'c Scenario,
    /// The document, and whether the policy is written alone in it, without a name.
    document: PathBuf,
    alone: bool,
    coverage: &'c mut Coverage,
}

impl Coverage {
    /// The policies that were looked at.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        // One that says nothing but its default has nothing to reach.
        self.0.values().filter(|policy| policy.all() > 0)
    }

    /// Adds what other cases reached.
    pub(super) fn add(&mut self, other: Self) {
        for (key, policy) in other.0 {
            match self.0.get_mut(&key) {
                Some(known) => {
                    for (point, reached) in policy.points {
                        *known.points.entry(point).or_default() |= reached;
                    }
                }
                None => drop(self.0.insert(key, policy)),
            }
        }
    }

    /// Whatever a scenario is judged by. None if it brings a policy of its own, which is there for this one scenario.
    pub(super) fn of<'c>(&'c mut self, file: &File, scenario: &'c Scenario) -> Option<Judged<'c>> {
        let own = scenario.policy.is_some() || scenario.configuration.is_some();
        let document = match file.document(scenario) {
            Some(document) => document,
            None if own => return None,
            None => &file.path,
        };
        let config = config::load(file.configuration(scenario).to_string().as_bytes()).ok()?;
        let whole = scenario.configuration.is_some() || scenario.policy.is_none() && file.configuration.is_some();
        for (name, policy) in &config.policies {
            let policy_of = || Policy {
                document: document.to_owned(),
                name: if whole { name.to_string() } else { String::new() },
                points: points::of(policy).into_iter().map(|point| (point, false)).collect(),
            };
            self.0.entry(key(document, if whole { name } else { "" })).or_insert_with(policy_of);
        }
        Some(Judged { config, scenario, document: document.to_owned(), alone: !whole, coverage: self })
    }
}

/// The same policy is the same by whatever way a case names it.
fn key(document: &Path, name: &str) -> (PathBuf, String) {
    (document.canonicalize().unwrap_or_else(|_| document.to_owned()), name.to_owned())
}

impl Judged<'_> {
    /// The policies of the request's route.
    fn chosen(&self, exchange: &Exchange) -> Option<&[usize]> {
        let (route, cluster) = self.scenario.route_of(&exchange.path);
        let (none, claims) = (Map::new(), exchange.claims.as_ref());
        let place = Place::new(&exchange.host, &exchange.path, route, cluster, claims.unwrap_or(&none));
        match self.config.choose(&place) {
            Choice::Judge(Policies::OfRoute(index), _) => self.config.routes.get(index).map(|route| &*route.policies),
            _ => None,
        }
    }

    /// Notes what a step reached.
    pub(super) fn step(&mut self, exchange: &Exchange, outcome: &Outcome) {
        let mut reached: Vec<(usize, String)> = Vec::new();
        let refused = outcome.logged.iter().any(|line| line.contains(" by "));
        let passes_by = self.chosen(exchange).filter(|_| !refused && outcome.received.iter().any(Received::asks));
        for (index, (name, policy)) in self.config.policies.iter().enumerate() {
            let by = if name.is_empty() { " by ".to_owned() } else { format!(" by {name} ") };
            let is_refused = |point: &str| outcome.logged.iter().any(|line| line.ends_with(&format!("{by}{point}")));
            let mut reach = |point: String| reached.push((index, point));
            points::of(policy).into_iter().filter(|point| is_refused(point)).for_each(&mut reach);
            let body = exchange.request.body();
            let messages = message::read_body(&body, self.config.max_depth, Batches::Read);
            let messages = messages.as_ref().map(|body| body.messages()).unwrap_or_default();
            for message in messages {
                let (Some(method), Some(params)) = (message.method(), message.params()) else { continue };
                let target = Target::of(method, params);
                if is_refused(HIDDEN) {
                    reached::hidden(policy, &target).into_iter().for_each(&mut reach);
                } else if passes_by.is_some_and(|policies| policies.contains(&index)) {
                    reached::rule(policy, method, &target).into_iter().for_each(&mut reach);
                }
            }
            let answer = exchange.answer.body();
            reached::by_answer(policy, &answer).into_iter().for_each(&mut reach);
        }
        for (index, point) in reached {
            let name = self.config.policies.get(index).map_or("", |(name, _)| name);
            let key = key(&self.document, if self.alone { "" } else { name });
            let points = self.coverage.0.get_mut(&key).map(|policy| &mut policy.points);
            if let Some(reached) = points.and_then(|points| points.get_mut(&point)) {
                *reached = true;
            }
        }
    }
}
