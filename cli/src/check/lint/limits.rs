//! Limits that never refuse, because another one always does before.

use std::collections::BTreeMap;

use policy::{
    document::model::{Limit, Rule, Scope, Store},
    quota::{CELLS_PER_WINDOW, Window},
};

use super::Subject;
use crate::check::{code::IDLE_LIMIT, finding::Findings};

/// What tells counters apart: name, scope, and whether they count what runs.
type Counter = (Box<str>, String, bool);

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    let mut carriers: BTreeMap<Counter, Vec<&Rule>> = BTreeMap::new();
    for rule in subject.rules() {
        for limit in &rule.limits {
            carriers.entry(counter(limit)).or_default().push(rule);
        }
    }
    for rule in subject.rules() {
        for limit in &rule.limits {
            let idle = |first: &Limit, idle: &Limit| {
                carriers.get(&counter(idle)).is_some_and(|rules| always_first(subject, rules, first, idle))
            };
            let stricter = met(subject, rule).find(|other| {
                // Of two that say the same, the later one is the idle one.
                let later = || !idle(limit, other) || precedes(other, limit, rule);
                !std::ptr::eq(*other, limit) && idle(other, limit) && later()
            });
            let Some(stricter) = stricter else { continue };
            let at = subject.limit(rule, limit);
            let own = rule.limits.iter().any(|own| std::ptr::eq(own, stricter));
            let message = format!(
                "this never refuses a call, as `{}` allows only {} {}",
                subject.limit(if own { rule } else { &subject.policy.all_tools }, stricter),
                stricter.unit.display(stricter.max),
                within(stricter.window),
            );
            findings.of_value(&IDLE_LIMIT, at, message, None);
        }
    }
}

fn within(window: Window) -> String {
    if window == Window::Running { "at once".to_owned() } else { format!("per {window}") }
}

fn counter(limit: &Limit) -> Counter {
    (limit.counter.clone(), limit.scope.to_string(), limit.window == Window::Running)
}

/// The limits that a call of a rule meets.
fn met<'a>(subject: &Subject<'a>, rule: &'a Rule) -> impl Iterator<Item = &'a Limit> {
    let added = subject.added(rule).filter(|all| !std::ptr::eq(*all, rule));
    rule.limits.iter().chain(added.into_iter().flat_map(|all| &all.limits))
}

/// Whether one limit of a rule stands before another, those of `all_tools` first.
fn precedes(one: &Limit, other: &Limit, rule: &Rule) -> bool {
    let index = |limit: &Limit| rule.limits.iter().position(|own| std::ptr::eq(own, limit));
    index(one) < index(other)
}

/// Whether `first` refuses every call that `idle` would. `rules` are those with the counter of `idle`.
fn always_first(subject: &Subject<'_>, rules: &[&Rule], first: &Limit, idle: &Limit) -> bool {
    let scope = first.scope == idle.scope || first.scope == Scope::Global;
    let steps = |limit: &Limit| limit.increment_from.as_ref().map(|path| path.steps.clone());
    // What is given back there must be given back here: else this one goes on counting what that one forgets.
    let (given, also) = (&first.refund, &idle.refund);
    let refunds = (!given.unsent || also.unsent)
        && (!given.upstream_5xx || also.upstream_5xx)
        && (!given.jsonrpc_error || also.jsonrpc_error)
        && (!given.is_error || also.is_error);
    // A rate-limit service counts refused calls as well.
    let local = first.store == Store::Local && idle.store == Store::Local;
    if !scope || !refunds || !local || first.unit != idle.unit || steps(first) != steps(idle) {
        return false;
    }
    // Whatever adds to this counter must also have met the other one, under a cap of its own.
    let mut most = 0;
    for rule in rules {
        let caps = met(subject, rule).filter(|other| counter(other) == counter(first)).map(|other| other.max);
        match caps.min() {
            Some(max) => most = most.max(max),
            None => return false,
        }
    }
    spans(first, idle).is_some_and(|times| most.checked_mul(times).is_some_and(|most| most <= idle.max))
}

/// How many windows of `first` cover one of `idle`, with what a refusal looks back on.
fn spans(first: &Limit, idle: &Limit) -> Option<u64> {
    match (first.window, idle.window) {
        (Window::Running, Window::Running) => (first.linger_ms >= idle.linger_ms).then_some(1),
        // Windows of one length have the same cells, so the two counts are the same.
        (Window::Sliding(one), Window::Sliding(other)) if one == other => Some(1),
        (Window::Sliding(_), Window::Sliding(_)) => {
            // A sliding window is kept in cells, so a refusal may look back a cell further.
            let back = idle.window.length_ms().checked_mul(CELLS_PER_WINDOW + 1)?;
            Some(back.div_ceil(first.window.length_ms().checked_mul(CELLS_PER_WINDOW)?))
        }
        // Both go by the same clock; how a calendar and a sliding window overlap depends on how the clock is set.
        (Window::Calendar(_), Window::Calendar(_)) => {
            let (part, whole) = (first.window.length_ms(), idle.window.length_ms());
            (part <= whole).then(|| whole / part)
        }
        _ => None,
    }
}
